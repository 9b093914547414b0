//! Properties of every form of credential and presentation.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{
    super::{
        Achieved, Check, Credential, Format, Kind, Securing, Shown, Signer, TrustList, Verifier,
        data_integrity::{self, Binding, ProofOptions, suites::ED25519_SIGNATURE_2020},
        enveloped,
        open_badge::{AlignedSkill, Issuance},
        presentation,
    },
    EXPECTED, NOW, holder,
};
use crate::{
    jose::sd_jwt::KeyBinding,
    key::{Did, SecretKey, SigningKey},
    skill::Level,
    time::Timestamp,
};

/// Keys of both kinds.
fn signers() -> [Signer; 2] {
    [SigningKey::from(SecretKey::from_seed([1; 32])), SigningKey::p256([4; 32]).unwrap()].map(Signer::of_key)
}

fn issuance(issuer: &Signer) -> Issuance {
    let skill = |id: &str, label: &str| AlignedSkill {
        skill: id.parse().unwrap(),
        label: label.into(),
        framework: None,
    };
    Issuance {
        nonce: [3; 16],
        issuer: issuer.controller().clone(),
        issuer_name: Some("Acad\u{e9}mie".into()),
        subject: holder().did(),
        name: "Name".into(),
        description: "A \"quoted\" \\ description".into(),
        criteria: None,
        skills: vec![skill("urn:skill:rust", "Rust"), skill("urn:skill:go", "Go")],
        level: Level::try_from(3).unwrap(),
        valid_from: NOW,
        valid_until: Some(NOW.plus_ms(1000)),
        status: Vec::new(),
    }
}

/// A credential of each form by each kind of key, and those that are read and not issued.
fn every_form() -> Vec<(String, String)> {
    let mut forms = Vec::new();
    for (kind, signer) in ["ed25519", "p256"].iter().zip(signers()) {
        for format in Format::ALL {
            let signed = issuance(&signer).sign(&signer, format, NOW).unwrap();
            forms.push((format!("{format} {kind}"), signed.text().to_owned()));
        }
    }
    let [signer, _] = signers();
    let token = issuance(&signer).sign(&signer, Format::VcJwt, NOW).unwrap();
    let envelope = enveloped::credential("application/vc+jwt", token.text());
    forms.push(("enveloped".into(), envelope.to_string()));
    forms.push(("Ed25519Signature2020".into(), Value::Object(former(&signer)).to_string()));
    forms
}

/// The badge as the data model 1.1 has it, signed as was usual then.
fn former(signer: &Signer) -> Map<String, Value> {
    let mut document = issuance(signer).document();
    document["@context"] = json!([
        "https://www.w3.org/2018/credentials/v1",
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json",
        "https://w3id.org/security/suites/ed25519-2020/v1",
    ]);
    for (name, former) in [("validFrom", "issuanceDate"), ("validUntil", "expirationDate")] {
        let date = document.shift_remove(name).unwrap();
        document.insert(former.into(), date);
    }
    let options = ProofOptions::new(Binding::ASSERTION, NOW);
    data_integrity::sign(document, &ED25519_SIGNATURE_2020, signer, &options).unwrap()
}

/// All that is read of a credential and matters.
#[derive(Debug, PartialEq)]
struct Meaning {
    issuer: String,
    subject: Option<Did>,
    kind: Kind,
    name: Option<String>,
    issuer_name: Option<String>,
    skills: Vec<Achieved>,
    valid_from: Option<Timestamp>,
    valid_until: Option<Timestamp>,
    status: Option<Value>,
}

impl Meaning {
    fn of(credential: &Credential) -> Self {
        Meaning {
            issuer: credential.issuer().to_owned(),
            subject: credential.subject().cloned(),
            kind: credential.kind(),
            name: credential.name(),
            issuer_name: credential.issuer_name(),
            skills: credential.skills(),
            valid_from: credential.valid_from(),
            valid_until: credential.valid_until(),
            status: credential.status().cloned(),
        }
    }
}

fn is_verified(credential: &Credential) -> bool {
    let nobody = TrustList::default();
    credential.verify(&Verifier::new(NOW, &nobody)).verdict(Shown::File).verified
}

/// `text` with the character at each place replaced, in turn, by one of `replacements` or the next in Unicode.
fn changed<'a>(text: &'a str, replacements: &'a [&str]) -> impl Iterator<Item = String> + 'a {
    text.char_indices().flat_map(move |(at, c)| {
        let next = char::from_u32(u32::from(c) + 1).unwrap_or('a').to_string();
        let rest = &text[at + c.len_utf8()..];
        let replacements = replacements.iter().map(|text| (*text).to_owned()).chain([next]);
        replacements.map(move |replacement| format!("{}{replacement}{rest}", &text[..at]))
    })
}

#[test]
fn every_changed_character_is_refused_or_means_the_same() {
    for (n, (form, text)) in every_form().into_iter().enumerate() {
        let original = Credential::parse(&text).unwrap();
        assert!(is_verified(&original), "{form}");
        let meaning = Meaning::of(&original);
        let (mut changes, mut same) = (0, 0);
        let replacements: &[&str] = if n == 0 { &["", " ", "\"", "0", "a"] } else { &[] };
        for changed in changed(&text, replacements) {
            changes += 1;
            let Ok(credential) = Credential::parse(&changed) else { continue };
            if !is_verified(&credential) {
                continue;
            }
            same += 1;
            // What is withheld is not said, and nothing else is.
            let is_part = matches!(credential.securing(), Securing::SdJwt(_)) && credential == original;
            assert!(Meaning::of(&credential) == meaning || is_part, "{form}: {changed}");
        }
        assert!(same < changes / 10, "{form}: {same} of {changes}");
        assert!(n > 0 || same > 0, "some replacement is of a character by itself");
    }
}

/// Ways to write one value in JSON-LD, most of which state the same.
fn rewritten(value: &Value) -> Vec<Value> {
    let any_uri = "https://www.w3.org/2001/XMLSchema#anyURI";
    let date_time = "http://www.w3.org/2001/XMLSchema#dateTime";
    vec![
        json!([value]),
        json!({"@value": value}),
        json!({"@value": value, "@type": any_uri}),
        json!({"@value": value, "@type": date_time}),
        json!({"id": value}),
        json!({"@id": value}),
        json!({"@set": [value]}),
        json!({"@list": [value]}),
        json!({"@graph": [value]}),
        json!([value, value]),
        json!([value, {"id": value.get("id").cloned().unwrap_or_default()}]),
        Value::Null,
    ]
}

#[test]
fn no_other_way_to_write_what_was_signed_as_rdf_hides_any_of_it() {
    let [signer, _] = signers();
    let signed = issuance(&signer).sign(&signer, Format::Rdfc, NOW).unwrap();
    let original = Value::Object(signed.document().clone());
    let former = Value::Object(former(&signer));
    let mut same = 0;
    for original in [original, former] {
        let meaning = Meaning::of(&Credential::parse(&original.to_string()).unwrap());
        let mut check = |changed: &Value, what: &str| {
            let Ok(credential) = Credential::parse(&changed.to_string()) else { return };
            if is_verified(&credential) {
                same += 1;
                let mut read = Meaning::of(&credential);
                // What is not understood counts for the least.
                let lower = |(read, stated): (&Achieved, &Achieved)| read.level <= stated.level;
                assert!(read.skills.iter().zip(&meaning.skills).all(lower), "{what}: {changed}");
                read.skills.clone_from(&meaning.skills);
                assert_eq!(read, meaning, "{what}: {changed}");
            }
        };
        let mut places = Vec::new();
        super::pointers(&original, "", &mut places);
        for place in places.iter().filter(|place| !place.starts_with("/@context")) {
            for value in rewritten(original.pointer(place).unwrap()) {
                let mut changed = original.clone();
                *changed.pointer_mut(place).unwrap() = value;
                check(&changed, place);
            }
            let Some((parent, key)) = place.rsplit_once('/') else { continue };
            // The property by its IRI, or by a term that a context makes.
            for vocabulary in [
                "https://www.w3.org/2018/credentials#",
                "https://purl.imsglobal.org/spec/vc/ob/vocab.html#",
                "https://w3id.org/security#",
                "https://schema.org/",
                "http://purl.org/dc/terms/",
                "@",
            ] {
                for alias in [None, Some("other")] {
                    let mut changed = original.clone();
                    let iri = format!("{vocabulary}{key}");
                    let members = match changed.pointer_mut(parent) {
                        Some(Value::Object(members)) => members,
                        _ => continue,
                    };
                    let value = members.shift_remove(key).unwrap();
                    members.insert(alias.unwrap_or(&iri).to_owned(), value);
                    if alias.is_some() {
                        changed["@context"].as_array_mut().unwrap().push(json!({"other": iri}));
                    }
                    check(&changed, place);
                }
            }
        }
    }
    assert!(same > 0, "some ways are plain, such as a list of one");
}

#[test]
fn every_changed_character_of_a_presentation_is_refused() {
    let holder = Signer::from(&holder());
    let [issuer, _] = signers();
    let in_form = |format| issuance(&issuer).sign(&issuer, format, NOW).unwrap();
    let shown = [Format::Jcs, Format::VcJwt, Format::SdJwt].map(in_form);
    let shown: Vec<&Credential> = shown.iter().collect();
    let mut presentations: Vec<(String, String)> = [Format::Jcs, Format::Rdfc, Format::VcJwt]
        .map(|format| {
            (format.to_string(), presentation::sign(&holder, &shown, &EXPECTED, format, NOW).unwrap())
        })
        .into();
    let bound = in_form(Format::SdJwt);
    let Securing::SdJwt(vc) = bound.securing() else { panic!("an SD-JWT VC") };
    let binding =
        KeyBinding { audience: EXPECTED.domain.unwrap(), nonce: EXPECTED.challenge.unwrap(), issued: NOW };
    let bound = vc.sd_jwt().select(|_| true).bind(&binding, holder.key()).unwrap();
    presentations.push(("sd-jwt".into(), bound));

    let nobody = TrustList::default();
    let verifier = Verifier::new(NOW, &nobody);
    for (form, text) in presentations {
        let verified = presentation::verify(&text, &EXPECTED, &verifier).unwrap();
        assert!(verified.credentials().iter().all(|(_, checks)| checks.trusted_holder == Check::Pass));
        for changed in changed(&text, &[]) {
            assert!(presentation::verify(&changed, &EXPECTED, &verifier).is_err(), "{form}: {changed}");
        }
    }
}

fn any_issuance() -> impl Strategy<Value = Issuance> {
    let skill = ("[a-z]{1,8}", "\\PC{1,12}", proptest::option::of("[A-Za-z ]{1,8}")).prop_map(
        |(id, label, framework)| AlignedSkill {
            skill: format!("urn:skill:{id}").parse().unwrap(),
            label,
            framework,
        },
    );
    (
        any::<[u8; 16]>(),
        prop::collection::vec(skill, 0..6),
        "\\PC{1,20}",
        ".{1,20}",
        proptest::option::of("\\PC{1,20}"),
        1..=5u8,
        (0..2u64, proptest::option::of(1..1000u64)),
        any::<bool>(),
    )
        .prop_map(|(nonce, skills, name, description, issuer_name, level, (from, until), is_p256)| {
            let issuer = &signers()[usize::from(is_p256)];
            let valid_from = Timestamp::from_unix_ms(NOW.unix_ms() / 1000 * 1000).minus_ms(from * 1000);
            Issuance {
                nonce,
                issuer_name,
                name,
                description,
                skills,
                level: Level::try_from(level).unwrap(),
                valid_from,
                valid_until: until.map(|seconds| valid_from.plus_ms((seconds + 5) * 1000)),
                ..issuance(issuer)
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn what_is_issued_is_read_back_in_every_form(issuance in any_issuance()) {
        let signer = signers().into_iter().find(|signer| *signer.controller() == issuance.issuer).unwrap();
        let mut meanings = Vec::new();
        for format in Format::ALL {
            let credential = issuance.sign(&signer, format, NOW).unwrap();
            prop_assert!(is_verified(&credential), "{}", credential.text());
            prop_assert_eq!(credential.issuer(), signer.controller().as_str());
            prop_assert_eq!(credential.subject(), Some(&issuance.subject));
            prop_assert_eq!(credential.valid_from(), Some(issuance.valid_from));
            prop_assert_eq!(credential.valid_until(), issuance.valid_until);
            let again = Credential::parse(credential.text()).unwrap();
            prop_assert_eq!(&again, &credential);
            meanings.push((credential.skills(), credential.name(), credential.issuer_name()));
        }
        prop_assert!(meanings.windows(2).all(|pair| pair[0] == pair[1]), "{:?}", meanings);
    }

    #[test]
    fn what_is_presented_is_what_was_issued(issuance in any_issuance(), as_token in any::<bool>()) {
        let signer = signers().into_iter().find(|signer| *signer.controller() == issuance.issuer).unwrap();
        let credentials = Format::ALL.map(|format| issuance.sign(&signer, format, NOW).unwrap());
        let all: Vec<&Credential> = credentials.iter().collect();
        let format = if as_token { Format::VcJwt } else { Format::Jcs };
        let text = presentation::sign(&(&holder()).into(), &all, &EXPECTED, format, NOW).unwrap();
        let nobody = TrustList::default();
        let shown = presentation::verify(&text, &EXPECTED, &Verifier::new(NOW, &nobody)).unwrap();
        prop_assert_eq!(shown.holder(), &holder().did());
        for ((shown, checks), issued) in shown.credentials().iter().zip(&all) {
            prop_assert_eq!(&shown, issued);
            prop_assert_eq!(Meaning::of(shown), Meaning::of(issued));
            prop_assert!(checks.verdict(Shown::Presentation).verified);
        }
        prop_assert_eq!(presentation::credentials(&text).unwrap().len(), all.len());
    }

    #[test]
    fn withholding_takes_skills_and_nothing_else(issuance in any_issuance(), which in any::<u8>()) {
        let signer = signers().into_iter().find(|signer| *signer.controller() == issuance.issuer).unwrap();
        let whole = issuance.sign(&signer, Format::SdJwt, NOW).unwrap();
        let chosen: Vec<_> = whole.skills().into_iter().enumerate()
            .filter(|(n, _)| which >> n & 1 == 1).map(|(_, achieved)| achieved).collect();
        let ids: Vec<_> = chosen.iter().map(|achieved| achieved.skill.clone()).collect();
        let part = whole.disclosing(&ids);
        prop_assert_eq!(&part, &whole);
        prop_assert!(is_verified(&part));
        prop_assert_eq!(part.skills(), chosen);
        prop_assert_eq!(part.subject(), whole.subject());
        prop_assert_eq!((part.valid_from(), part.valid_until()), (whole.valid_from(), whole.valid_until()));
        prop_assert_eq!(part.disclosing(&ids).text().to_owned(), part.text());
        prop_assert_eq!(part.name(), None);
    }
}
