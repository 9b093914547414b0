//! Properties of whatever a stranger may send.

#![allow(clippy::unwrap_used)]

mod forms;
mod known;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{
    CheckName, Credential, Format, Shown, TrustList, Verifier,
    data_integrity::{self, Binding, ProofOptions, suites::EDDSA_JCS_2022},
    open_badge::{AlignedSkill, Issuance},
    presentation,
};
use crate::{
    json as strict,
    key::SecretKey,
    limits::{ALIGNMENTS_MAX, SHOWN_TEXT_BYTES_MAX},
    skill::Level,
    time::Timestamp,
};

const NOW: Timestamp = Timestamp::from_unix_ms(1_790_000_000_000);
const EXPECTED: Binding<'static> = Binding::presentation("challenge", "did:web:seeker.example");

fn holder() -> SecretKey {
    SecretKey::from_seed([2; 32])
}

fn credential() -> Credential {
    issuance().sign(&(&SecretKey::from_seed([1; 32])).into(), Format::Jcs, NOW).unwrap()
}

fn issuance() -> Issuance {
    let skill =
        AlignedSkill { skill: "urn:skill:rust".parse().unwrap(), label: "Rust".into(), framework: None };
    Issuance {
        nonce: [3; 16],
        issuer: SecretKey::from_seed([1; 32]).did(),
        issuer_name: Some("Académie".into()),
        subject: holder().did(),
        name: "Name".into(),
        description: "A \"quoted\" \\ description".into(),
        criteria: None,
        skills: vec![skill],
        level: Level::MAX,
        valid_from: NOW,
        valid_until: Some(NOW.plus_ms(1000)),
        status: Vec::new(),
    }
}

/// Calls everything that reads what a stranger wrote.
fn read(text: &str) {
    if let Ok(credential) = Credential::parse(text) {
        let checks = credential.verify(&Verifier::new(NOW, &TrustList::default()));
        assert!(
            CheckName::ALL
                .into_iter()
                .all(|name| { checks.get(name) == super::Check::Pass || checks.reason(name).is_some() })
        );
        let shown = [credential.name(), credential.issuer_name()].into_iter().flatten();
        let skills = credential.skills();
        assert!(skills.len() <= ALIGNMENTS_MAX);
        for text in shown.chain(skills.into_iter().map(|skill| skill.name)) {
            assert!(text.len() <= SHOWN_TEXT_BYTES_MAX && !text.contains(char::is_control), "{text:?}");
        }
        let again = Credential::parse(&strict::canonical(&Value::Object(credential.document().clone())));
        assert_eq!(again.unwrap(), credential);
    }
    let _ = presentation::verify(text, &EXPECTED, &Verifier::new(NOW, &TrustList::default()));
}

/// JSON made of the words that credentials are made of.
fn any_json() -> impl Strategy<Value = Value> {
    let words = prop::sample::select(vec![
        "@context",
        "@value",
        "type",
        "id",
        "name",
        "issuer",
        "credentialSubject",
        "achievement",
        "alignment",
        "targetUrl",
        "targetName",
        "result",
        "resultDescription",
        "rubricCriterionLevel",
        "level",
        "value",
        "achievedLevel",
        "validFrom",
        "credentialStatus",
        "proof",
        "cryptosuite",
        "proofPurpose",
        "proofValue",
        "verificationMethod",
        "created",
        "expires",
        "holder",
        "verifiableCredential",
        "previousProof",
        "DataIntegrityProof",
        "eddsa-jcs-2022",
        "assertionMethod",
        "VerifiableCredential",
        "https://www.w3.org/ns/credentials/v2",
        "urn:skill:rust",
        "did:web:a.example",
        "2026-01-01T00:00:00Z",
        "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-9i64..9).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        words.clone().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((words.clone().prop_map(String::from), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// The JSON pointers of everything inside `value`.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    let mut descend = |key: &str, inner: &Value| {
        let inner_at = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
        pointers(inner, &inner_at, found);
        found.push(inner_at);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(key, inner)| descend(key, inner)),
        Value::Array(items) => items.iter().enumerate().for_each(|(n, inner)| descend(&n.to_string(), inner)),
        _ => {}
    }
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in "\\PC{0,200}|[\\[\\]{}\",:0-9eE.\\\\u-]{0,60}") {
        read(&text);
    }

    #[test]
    fn arbitrary_json_never_panics(value in any_json()) {
        read(&value.to_string());
        prop_assert_eq!(strict::canonical(&value), serde_json_canonicalizer::to_string(&value).unwrap());
    }

    #[test]
    fn strings_and_numbers_are_written_as_the_reference_does(text in any::<String>(), number in any::<f64>()) {
        let value = json!({text.clone(): number, "\u{fb33}": 1, "\u{1f602}": text, "\u{8}\u{c}\u{1f}": -0.0});
        prop_assert_eq!(strict::canonical(&value), serde_json_canonicalizer::to_string(&value).unwrap());
    }

    #[test]
    fn a_credential_with_any_part_replaced_never_panics(at in any::<prop::sample::Index>(), part in any_json()) {
        let original = credential();
        let mut document = Value::Object(original.document().clone());
        let mut places = Vec::new();
        pointers(&document, "", &mut places);
        let place = at.get(&places);
        *document.pointer_mut(place).unwrap() = part;
        read(&document.to_string());
        if let Ok(changed) = Credential::parse(&document.to_string()) {
            let verified = changed.verify(&Verifier::new(NOW, &TrustList::default())).verdict(Shown::File).verified;
            prop_assert!(!verified || changed == original || place.starts_with("/@context"), "{}", place);
        }
    }

    #[test]
    fn what_is_signed_verifies(part in any_json()) {
        let key = SecretKey::from_seed([1; 32]);
        let mut document = credential().document().clone();
        document.remove("proof");
        document.insert("anything".into(), json!([part]));
        let options = ProofOptions::new(Binding::ASSERTION, NOW);
        let signed = data_integrity::sign(document, &EDDSA_JCS_2022, &(&key).into(), &options).unwrap();
        let credential = Credential::parse(&Value::Object(signed).to_string()).unwrap();
        prop_assert!(credential.verified(&Verifier::new(NOW, &TrustList::default())).is_ok());
    }
}
