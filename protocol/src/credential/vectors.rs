//! Walks the vectors of `vectors/credential`, and writes them: the expectations below are stated by hand,
//! the credentials are signed with fixed keys.

#![allow(clippy::unwrap_used)]

use std::{collections::BTreeMap, env, fs, path::PathBuf};

use serde_json::{Map, Value, json};

use super::{
    CheckName, Checks, Credential, Shown, TrustEntry, TrustList,
    data_integrity::{self, Binding, Purpose, prove},
    open_badge::{AlignedSkill, Issuance},
    presentation::{self, Expected},
};
use crate::{
    key::SecretKey,
    limits::{CLOCK_SKEW_MAX_MS, PRESENTED_CREDENTIALS_MAX, PROOFS_MAX},
    skill::Level,
    time::Timestamp,
};

const NOW: &str = "2026-06-01T12:00:00Z";
const CHALLENGE: &str = "qWvSGZsTR4ZVqZCvIkHcZj0ux6lHoCkVnwJ2Yx8m9b4";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors/credential")
}

fn read_all(folder: &str) -> BTreeMap<String, String> {
    let files = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|e| e == "json"));
    files
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap();
            (format!("{folder}{name}"), fs::read_to_string(&path).unwrap())
        })
        .collect()
}

#[test]
fn each_case_has_the_outcome_it_states() {
    for (folder, run) in
        [("", check_credential as fn(&Value) -> Value), ("presentation/", check_presentation)]
    {
        let cases = read_all(folder);
        assert!(cases.len() > 10, "only {} cases in {folder:?}", cases.len());
        for (name, text) in cases {
            let case: Value = serde_json::from_str(&text).unwrap();
            let outcome = run(&case);
            match (case.get("expect_error"), case.get("expect").and_then(Value::as_object)) {
                (Some(code), None) => assert_eq!(&outcome, code, "{name}"),
                (None, Some(expect)) => {
                    assert!(!expect.is_empty(), "{name} expects nothing");
                    for (key, value) in expect {
                        assert_eq!(outcome.get(key), Some(value), "{name}: {key} of {outcome:#}");
                    }
                }
                _ => panic!("{name} expects not exactly one thing"),
            }
        }
    }
}

#[test]
fn the_cases_are_those_that_are_written_here() {
    let written: BTreeMap<String, String> = credential_cases()
        .into_iter()
        .chain(presentation_cases().into_iter().map(|(name, case)| (format!("presentation/{name}"), case)))
        .map(|(name, case)| (name, format!("{case:#}\n")))
        .collect();
    if env::var_os("KNACK_BLESS").is_some() {
        for (name, text) in &written {
            let path = root().join(format!("{name}.json"));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }
    let mut found = read_all("");
    found.append(&mut read_all("presentation/"));
    assert_eq!(found.keys().collect::<Vec<_>>(), written.keys().collect::<Vec<_>>());
    for (name, text) in written {
        assert_eq!(found[&name], text, "{name} changed; KNACK_BLESS=1 rewrites it");
    }
}

#[test]
fn samples_of_other_issuers_are_refused_by_name() {
    let expected = [
        ("ob3/complete", "issuer-not-a-did"),
        ("ob3/credential-status-revoked", "data-model-1"),
        ("ob3/simple", "issuer-not-a-did"),
        ("ob3/simple-did-key-method", "issuer-not-a-did"),
        ("ob3/simple-eddsa-2022", "data-model-1"),
        ("ob3/simple-err-expired", "issuer-not-a-did"),
        ("ob3/simple-err-proof-value", "issuer-not-a-did"),
        ("ob3/simple-multiple-proofs", "issuer-not-a-did"),
        ("ob3/simple-noproof", "data-model-1"),
    ];
    let samples = read_all("ob3/");
    assert_eq!(samples.len(), expected.len());
    for (name, code) in expected {
        assert_eq!(Credential::parse(&samples[name]).unwrap_err().code(), code, "{name}");
    }
}

#[test]
fn a_sample_with_another_suite_is_parsed_and_not_checked() {
    let mut sample: Value = serde_json::from_str(&read_all("ob3/")["ob3/simple"]).unwrap();
    sample["issuer"]["id"] = json!("did:web:example.com");
    let credential = Credential::parse(&sample.to_string()).unwrap();
    assert_eq!(credential.name().as_deref(), Some("Teamwork Badge"));
    assert_eq!(credential.issuer_name().as_deref(), Some("Example Corp"));
    let checks = credential.verify(NOW.parse().unwrap(), &TrustList::default());
    assert_eq!(checks.reason(CheckName::Untampered).unwrap().code, "proof-unknown-suite");
    assert!(!checks.verdict(Shown::File).verified);
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn trust_of(case: &Value) -> TrustList {
    let mut trust = TrustList::default();
    for entry in case["trust"].as_array().unwrap() {
        let distrusted = entry.get("distrusted").is_some_and(|d| d == true);
        let did = entry["did"].as_str().unwrap().parse().unwrap();
        trust.add(did, TrustEntry { name: None, distrusted }).unwrap();
    }
    trust
}

fn outcome(credential: &Credential, checks: &Checks, shown: Shown) -> Value {
    let verdict = checks.verdict(shown);
    let names = CheckName::ALL.into_iter();
    let reasons: BTreeMap<_, _> = checks.reasons.iter().map(|(name, r)| (name, r.code.to_string())).collect();
    json!({
        "id": credential.id().to_string(),
        "checks": names.map(|name| (name, checks.get(name))).collect::<BTreeMap<_, _>>(),
        "reasons": reasons,
        "verified": verdict.verified,
        "recognised": verdict.recognised,
        "skills": credential.skills(),
    })
}

fn check_credential(case: &Value) -> Value {
    let now: Timestamp = case["now"].as_str().unwrap().parse().unwrap();
    let credential = match Credential::parse(&text_of(&case["credential"])) {
        Ok(credential) => credential,
        Err(e) => return json!(e.code()),
    };
    let checks = credential.verify(now, &trust_of(case));
    let mut outcome = outcome(&credential, &checks, Shown::File);
    match credential.verified(now) {
        Ok(verified) => outcome["tier"] = json!(verified.tier()),
        Err(_) => assert!(outcome["verified"] == false),
    }
    outcome
}

fn check_presentation(case: &Value) -> Value {
    let now: Timestamp = case["now"].as_str().unwrap().parse().unwrap();
    let expected =
        Expected { challenge: case["challenge"].as_str().unwrap(), domain: case["domain"].as_str().unwrap() };
    match presentation::verify(&text_of(&case["presentation"]), &expected, now, &trust_of(case)) {
        Err(e) => json!(e.code()),
        Ok(verified) => {
            let credentials = verified.credentials().iter();
            let outcomes = credentials.map(|(credential, checks)| {
                let mut outcome = outcome(credential, checks, Shown::Presentation);
                for key in ["id", "skills"] {
                    outcome.as_object_mut().unwrap().remove(key);
                }
                outcome
            });
            json!({"holder": verified.holder(), "credentials": outcomes.collect::<Vec<_>>()})
        }
    }
}

fn issuer() -> SecretKey {
    SecretKey::from_seed([1; 32])
}

fn holder() -> SecretKey {
    SecretKey::from_seed([2; 32])
}

fn stranger() -> SecretKey {
    SecretKey::from_seed([3; 32])
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn issuance() -> Issuance {
    Issuance {
        nonce: [7; 16],
        issuer: issuer().did(),
        issuer_name: Some("Example Academy".into()),
        subject: holder().did(),
        name: "Systems programming".into(),
        description: "Wrote and defended a concurrent store.".into(),
        criteria: Some("Two reviewers read the code and questioned its author.".into()),
        skills: vec![AlignedSkill {
            skill: "http://data.europa.eu/esco/skill/6a44adbd-9f12-45c5-8e9f-b8ad3cc0a1e1".parse().unwrap(),
            label: "Rust".into(),
            framework: Some("ESCO".into()),
        }],
        level: Level::try_from(4).unwrap(),
        valid_from: at("2026-01-01T00:00:00Z"),
        valid_until: Some(at("2028-01-01T00:00:00Z")),
    }
}

fn unsigned() -> Map<String, Value> {
    issuance().document()
}

fn signed(document: Map<String, Value>) -> Map<String, Value> {
    signed_by(&issuer(), document)
}

fn signed_by(key: &SecretKey, document: Map<String, Value>) -> Map<String, Value> {
    data_integrity::sign(document, key, &Binding::ASSERTION, at("2026-01-01T00:00:00Z"))
}

/// The signed credential with `change` made before signing.
fn with(change: impl FnOnce(&mut Map<String, Value>)) -> Value {
    let mut document = unsigned();
    change(&mut document);
    Value::Object(signed(document))
}

/// The signed credential with `change` made after signing.
fn tampered(change: impl FnOnce(&mut Map<String, Value>)) -> Value {
    let mut document = signed(unsigned());
    change(&mut document);
    Value::Object(document)
}

/// A credential whose proof options were changed before signing.
fn with_proof(change: impl FnOnce(&mut Map<String, Value>)) -> Value {
    let mut options = signed(unsigned())["proof"].as_object().unwrap().clone();
    options.remove("proofValue");
    change(&mut options);
    Value::Object(prove(unsigned(), options, &issuer()))
}

/// What a verified credential of an unlisted issuer comes out as when it is shown as a file.
fn file_checks() -> BTreeMap<&'static str, (&'static str, Option<&'static str>)> {
    BTreeMap::from([
        ("untampered", ("PASS", None)),
        ("trusted_issuer", ("NOT_CHECKED", Some("issuer-unlisted"))),
        ("trusted_holder", ("NOT_APPLICABLE", Some("bare-file"))),
        ("unrevoked", ("NOT_APPLICABLE", Some("no-status"))),
        ("unexpired", ("PASS", None)),
        ("fresh", ("NOT_APPLICABLE", Some("no-status"))),
    ])
}

/// What a credential comes out as: `verified` or not, and each check that differs from [`file_checks`].
fn expect(verified: bool, differing: &[(&'static str, &'static str, &'static str)]) -> Value {
    let mut checks = file_checks();
    for (name, outcome, code) in differing {
        checks.insert(name, (outcome, Some(*code).filter(|code| !code.is_empty())));
    }
    let outcomes: BTreeMap<_, _> = checks.iter().map(|(name, (outcome, _))| (*name, *outcome)).collect();
    let reasons: BTreeMap<_, _> =
        checks.iter().filter_map(|(name, (_, code))| Some((*name, (*code)?))).collect();
    let recognised = verified && outcomes["trusted_issuer"] == "PASS";
    json!({"checks": outcomes, "reasons": reasons, "verified": verified, "recognised": recognised})
}

fn and(mut expectation: Value, key: &str, value: Value) -> Value {
    expectation[key] = value;
    expectation
}

const UNTAMPERED: &str = "untampered";

fn credential_cases() -> BTreeMap<String, Value> {
    let mut cases = BTreeMap::new();
    let mut case =
        |name: &str, description: &str, now: &str, trust: Value, credential: Value, expect: Value| {
            let key = if expect.is_string() { "expect_error" } else { "expect" };
            let case = json!({
                "description": description, "now": now, "trust": trust, "credential": credential, key: expect,
            });
            assert!(cases.insert(name.to_owned(), case).is_none(), "{name} twice");
        };
    let good = || Value::Object(signed(unsigned()));
    let id = Credential::parse(&good().to_string()).unwrap().id().to_string();
    let skill = &issuance().skills[0];
    let skills = json!([{"skill": skill.skill, "name": "Rust", "level": 4}]);

    let listed = json!([{"did": issuer().did()}]);
    let passes = and(expect(true, &[("trusted_issuer", "PASS", "")]), "tier", json!("issuer"));
    case("good", "Signed by a listed issuer.", NOW, listed, good(), and(passes, "skills", skills));
    let case_at = |case: &mut dyn FnMut(&str, &str, &str, Value, Value, Value), name, why, now, expect| {
        case(name, why, now, json!([]), good(), expect);
    };
    let fails = |code| expect(false, &[("unexpired", "FAIL", code)]);
    case_at(
        &mut case,
        "valid-first-instant",
        "A credential holds from validFrom on.",
        "2026-01-01T00:00:00Z",
        expect(true, &[]),
    );
    case_at(
        &mut case,
        "valid-not-yet",
        "One millisecond before validFrom.",
        "2025-12-31T23:59:59.999Z",
        fails("not-yet-valid"),
    );
    case_at(
        &mut case,
        "valid-last-instant",
        "One millisecond before validUntil.",
        "2027-12-31T23:59:59.999Z",
        expect(true, &[]),
    );
    case_at(
        &mut case,
        "valid-no-more",
        "At validUntil it has ceased to hold.",
        "2028-01-01T00:00:00Z",
        fails("expired"),
    );

    let distrusted = json!([{"did": issuer().did(), "distrusted": true}]);
    let fails = expect(true, &[("trusted_issuer", "FAIL", "issuer-distrusted")]);
    case(
        "issuer-distrusted",
        "Verified, since it is what the issuer signed; not recognised.",
        NOW,
        distrusted,
        good(),
        fails,
    );

    let mut case = |name: &str, description: &str, credential: Value, expect: Value| {
        case(name, description, NOW, json!([]), credential, expect);
    };
    case("issuer-unlisted", "Verified and not recognised.", good(), and(expect(true, &[]), "id", json!(id)));
    let reformatted = json!(format!("{:#}", sorted_backwards(&good())));
    case(
        "text-reformatted",
        "White space and the order of keys change neither outcome nor id.",
        reformatted,
        and(expect(true, &[]), "id", json!(id)),
    );
    case(
        "dates-absent",
        "No validity period: it holds always.",
        with(|d| {
            d.remove("validFrom");
            d.remove("validUntil");
        }),
        expect(true, &[]),
    );
    case(
        "subject-array",
        "One subject in an array.",
        with(|d| {
            d["credentialSubject"] = json!([d["credentialSubject"].clone()]);
        }),
        expect(true, &[]),
    );
    case(
        "subject-without-did",
        "Bound to an e-mail address: authentic, its holder cannot be proven.",
        with(|d| d["credentialSubject"]["id"] = json!("mailto:a@example.org")),
        expect(true, &[]),
    );
    case(
        "issuer-plain",
        "The issuer as a plain DID.",
        with(|d| d["issuer"] = json!(issuer().did())),
        expect(true, &[]),
    );
    case(
        "tier-claimed",
        "Issued to oneself.",
        with(|d| d["credentialSubject"]["id"] = json!(issuer().did())),
        and(expect(true, &[]), "tier", json!("claimed")),
    );
    let endorsement = with(|d| {
        d["type"] = json!(["VerifiableCredential", "EndorsementCredential"]);
        let alignment = d["credentialSubject"]["achievement"]["alignment"].clone();
        d["credentialSubject"] = json!({
            "id": holder().did(), "type": ["EndorsementSubject"], "alignment": alignment,
            "endorsementComment": "We wrote it together.",
        });
    });
    let skills = json!([{"skill": skill.skill, "name": "Rust", "level": 1}]);
    case(
        "tier-peer",
        "An endorsement; its alignment states a skill and no level.",
        endorsement,
        and(and(expect(true, &[]), "tier", json!("peer")), "skills", skills),
    );
    let names = with(|d| {
        d["credentialSubject"]["achievement"]["alignment"][0]["targetName"] = json!("\u{202e}Rust\u{7}\n")
    });
    let skills = json!([{"skill": skill.skill, "name": "Rust", "level": 4}]);
    case(
        "text-shown",
        "Control characters and direction marks are not shown.",
        names,
        and(expect(true, &[]), "skills", skills),
    );

    let status = json!({"id": "https://a.example/status/1#94567", "type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "94567", "statusListCredential": "https://a.example/status/1"});
    case(
        "status-not-checked",
        "The issuer offers a status, and it was not consulted.",
        with(|d| {
            d.insert("credentialStatus".into(), status);
        }),
        expect(
            false,
            &[
                ("unrevoked", "NOT_CHECKED", "status-not-checked"),
                ("fresh", "NOT_CHECKED", "status-not-checked"),
            ],
        ),
    );

    let fails = |code| expect(false, &[(UNTAMPERED, "FAIL", code)]);
    let unchecked = |code| expect(false, &[(UNTAMPERED, "NOT_CHECKED", code)]);
    case(
        "proof-without-context",
        "A proof without @context signs the document's own.",
        with_proof(|p| {
            p.remove("@context");
        }),
        expect(true, &[]),
    );
    case(
        "proof-context-appended",
        "Contexts appended after signing are outside the signature.",
        tampered(|d| d["@context"].as_array_mut().unwrap().push(json!("https://example.org/more"))),
        expect(true, &[]),
    );
    case(
        "proof-context-not-prefix",
        "The document lost a context that was signed.",
        tampered(|d| {
            d["@context"].as_array_mut().unwrap().pop();
        }),
        fails("proof-context-not-prefix"),
    );
    case(
        "proof-context-empty",
        "A proof that signs no context.",
        with_proof(|p| p["@context"] = json!([])),
        fails("proof-context-not-prefix"),
    );
    case(
        "tampered-name",
        "The name was changed after signing.",
        tampered(|d| d["name"] = json!("Systems Programming")),
        fails("proof-bad-signature"),
    );
    case(
        "tampered-level",
        "The level was changed after signing.",
        tampered(|d| {
            let levels =
                &d["credentialSubject"]["achievement"]["resultDescription"][0]["rubricCriterionLevel"];
            d["credentialSubject"]["result"][0]["achievedLevel"] = levels[4]["id"].clone();
        }),
        fails("proof-bad-signature"),
    );
    case(
        "tampered-member",
        "A member was added after signing.",
        tampered(|d| {
            d.insert("evidence".into(), json!([]));
        }),
        fails("proof-bad-signature"),
    );
    case(
        "tampered-proof",
        "The proof's date was changed after signing.",
        tampered(|d| d["proof"]["created"] = json!("2026-01-01T00:00:01Z")),
        fails("proof-bad-signature"),
    );
    case(
        "proof-value-short",
        "A proof value of 63 bytes.",
        tampered(|d| d["proof"]["proofValue"] = json!(format!("z{}", bs58::encode([1; 63]).into_string()))),
        fails("proof-malformed"),
    );
    case(
        "proof-value-base64url",
        "A proof value in another multibase.",
        tampered(|d| d["proof"]["proofValue"] = json!("uAAAA")),
        fails("proof-malformed"),
    );
    case(
        "proof-date-malformed",
        "The proof's created has no offset.",
        with_proof(|p| p["created"] = json!("2026-01-01T00:00:00")),
        fails("proof-malformed"),
    );
    case(
        "proof-wrong-purpose",
        "Signed for authentication.",
        with_proof(|p| p["proofPurpose"] = json!("authentication")),
        fails("proof-wrong-purpose"),
    );
    case(
        "proof-expired",
        "The proof has ended; the signature holds.",
        with_proof(|p| {
            p.insert("expires".into(), json!("2026-06-01T12:00:00Z"));
        }),
        expect(false, &[("unexpired", "FAIL", "proof-expired")]),
    );
    case(
        "proof-not-the-issuers",
        "Signed by another than the issuer it names.",
        Value::Object(signed_by(&stranger(), unsigned())),
        fails("proof-not-the-issuers"),
    );
    case(
        "proof-method-mismatch",
        "The fragment names another key than the DID.",
        with_proof(|p| {
            p["verificationMethod"] = json!(format!("{}#{}", issuer().did(), stranger().public().multibase()))
        }),
        fails("proof-bad-method"),
    );
    case(
        "proof-method-p256",
        "A did:key of another kind.",
        with_proof(|p| {
            p["verificationMethod"] = json!(
                "did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169#zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169"
            )
        }),
        fails("proof-bad-method"),
    );
    case(
        "proof-key-unresolved",
        "The issuer's key is at a did:web, which nobody asks here.",
        with(|d| d["issuer"]["id"] = json!("did:web:academy.example")).pipe(|mut d| {
            d["proof"]["verificationMethod"] = json!("did:web:academy.example#key-1");
            d
        }),
        unchecked("proof-key-unresolved"),
    );
    case(
        "proof-unknown-suite",
        "A suite that is not implemented: not checked, hence not verified.",
        tampered(|d| d["proof"]["cryptosuite"] = json!("eddsa-rdfc-2022")),
        unchecked("proof-unknown-suite"),
    );
    case(
        "proof-unknown-type",
        "A proof type that is not implemented.",
        tampered(|d| d["proof"] = json!({"type": "Ed25519Signature2020"})),
        unchecked("proof-unknown-suite"),
    );
    case(
        "proof-chained",
        "A proof over other proofs is not implemented.",
        with_proof(|p| {
            p.insert("previousProof".into(), json!("urn:uuid:26329423-bec9-4b2e-88cb-a7c7d9dc4544"));
        }),
        unchecked("proof-chained"),
    );
    case("proof-missing", "Not signed at all.", Value::Object(unsigned()), unchecked("proof-missing"));
    case(
        "proof-missing-empty",
        "An empty set of proofs.",
        tampered(|d| d["proof"] = json!([])),
        unchecked("proof-missing"),
    );
    case(
        "proof-not-an-object",
        "A proof that is a text.",
        tampered(|d| d["proof"] = json!("z")),
        fails("proof-malformed"),
    );
    let both = || signed_by(&stranger(), signed(unsigned()));
    case("proof-set", "Signed by the issuer and by another.", Value::Object(both()), expect(true, &[]));
    case(
        "proof-set-one-invalid",
        "The issuer's proof holds, the other does not.",
        Value::Object(both()).pipe(|mut d| {
            d["proof"][1]["created"] = json!("2026-01-02T00:00:00Z");
            d
        }),
        fails("proof-bad-signature"),
    );
    case(
        "proof-set-one-unknown",
        "The issuer's proof holds; that of another suite is told and counts for nothing.",
        Value::Object(both()).pipe(|mut d| {
            d["proof"][1] = json!({"type": "SomeProofType"});
            d
        }),
        expect(true, &[(UNTAMPERED, "PASS", "proof-unknown-suite")]),
    );
    case(
        "proof-set-issuers-unknown",
        "Another's proof holds, and one was not checked.",
        Value::Object(both()).pipe(|mut d| {
            d["proof"][0]["cryptosuite"] = json!("eddsa-rdfc-2022");
            d
        }),
        unchecked("proof-unknown-suite"),
    );
    case(
        "proof-too-many",
        "More proofs than are read.",
        tampered(|d| d["proof"] = json!(vec![d["proof"].clone(); PROOFS_MAX + 1])),
        fails("proof-too-many"),
    );

    case("refused-array", "JSON, but not an object.", json!("[]"), json!("not-an-object"));
    case("refused-syntax", "Text after the object.", json!(format!("{} {{}}", good())), json!("json-syntax"));
    case(
        "refused-repeated-key",
        "A key twice: two readers could see two issuers.",
        json!(good().to_string().replacen('{', "{\"issuer\":\"did:web:a.example\",", 1)),
        json!("json-repeated-key"),
    );
    case("refused-lone-surrogate", "Half a character.", json!(r#"{"name":"\ud83d"}"#), json!("json-syntax"));
    case(
        "refused-inexact-integer",
        "An integer that canonical JSON would round.",
        json!(r#"{"n":9007199254740993}"#),
        json!("json-inexact-integer"),
    );
    case(
        "refused-too-deep",
        "Nested too deeply.",
        json!(format!("{}{}", "[".repeat(33), "]".repeat(33))),
        json!("json-too-deep"),
    );
    case(
        "refused-data-model-1",
        "A credential of the data model 1.1.",
        with(|d| d["@context"][0] = json!("https://www.w3.org/2018/credentials/v1")),
        json!("data-model-1"),
    );
    case(
        "refused-context-order",
        "The data model's context is not first.",
        with(|d| d["@context"].as_array_mut().unwrap().reverse()),
        json!("context"),
    );
    case(
        "refused-context-text",
        "A context that is not a list.",
        with(|d| d["@context"] = json!("https://www.w3.org/ns/credentials/v2")),
        json!("context"),
    );
    case(
        "refused-type",
        "Not a verifiable credential.",
        with(|d| d["type"] = json!(["OpenBadgeCredential"])),
        json!("type"),
    );
    case("refused-id", "An id that is not a URL.", with(|d| d["id"] = json!("3732")), json!("id-not-a-url"));
    case(
        "refused-issuer-url",
        "An issuer without a DID.",
        with(|d| d["issuer"]["id"] = json!("https://example.com/issuers/876543")),
        json!("issuer-not-a-did"),
    );
    case(
        "refused-two-subjects",
        "Two subjects.",
        with(|d| d["credentialSubject"] = json!([{}, {}])),
        json!("subject"),
    );
    case(
        "refused-no-subject",
        "No subject.",
        with(|d| {
            d.remove("credentialSubject");
        }),
        json!("subject"),
    );
    case(
        "refused-date",
        "A date without time and offset.",
        with(|d| d["validFrom"] = json!("2026-01-01")),
        json!("date"),
    );
    case(
        "refused-validity-reversed",
        "It would end before it begins.",
        with(|d| d["validUntil"] = json!("2025-01-01T00:00:00Z")),
        json!("validity-reversed"),
    );
    case(
        "refused-status-null",
        "A status that is nothing: absent is the way to offer none.",
        with(|d| {
            d.insert("credentialStatus".into(), Value::Null);
        }),
        json!("status"),
    );
    case(
        "refused-status-empty",
        "A status without an entry.",
        with(|d| {
            d.insert("credentialStatus".into(), json!([]));
        }),
        json!("status"),
    );
    cases
}

fn presentation_cases() -> BTreeMap<String, Value> {
    let mut cases = BTreeMap::new();
    let domain = stranger().did();
    let mut case = |name: &str, description: &str, presentation: Value, expect: Value| {
        let key = if expect.is_string() { "expect_error" } else { "expect" };
        let case = json!({
            "description": description, "now": NOW, "challenge": CHALLENGE, "domain": domain,
            "trust": [{"did": issuer().did()}], "presentation": presentation, key: expect,
        });
        assert!(cases.insert(name.to_owned(), case).is_none(), "{name} twice");
    };
    let good = || Value::Object(signed(unsigned()));
    let shown = |verified, differing: &[(&'static str, &'static str, &'static str)]| {
        let mut all = vec![("trusted_issuer", "PASS", ""), ("trusted_holder", "PASS", "")];
        all.extend(differing);
        expect(verified, &all)
    };
    let expect = |credentials: &[Value]| json!({"holder": holder().did(), "credentials": credentials});

    case(
        "good",
        "The subject shows its credential now.",
        present(vec![good()], |_, _| {}),
        expect(&[shown(true, &[])]),
    );
    case(
        "good-none",
        "Nothing is shown: the holder only proves itself.",
        present(vec![], |_, _| {}),
        expect(&[]),
    );
    case(
        "good-single",
        "One credential, not in an array.",
        present(vec![good()], |d, _| d["verifiableCredential"] = good()),
        expect(&[shown(true, &[])]),
    );
    case(
        "good-holder-object",
        "The holder as an object.",
        present(vec![good()], |d, _| d["holder"] = json!({"id": holder().did()})),
        expect(&[shown(true, &[])]),
    );
    case(
        "good-domain-set",
        "The domain as a set of one.",
        present(vec![good()], |_, p| p["domain"] = json!([domain])),
        expect(&[shown(true, &[])]),
    );
    let skewed = at(NOW).plus_ms(CLOCK_SKEW_MAX_MS).to_string();
    case(
        "good-clock-ahead",
        "Made in the future, as far as clocks may differ.",
        present(vec![good()], |_, p| p["created"] = json!(skewed)),
        expect(&[shown(true, &[])]),
    );
    let late = at(NOW).plus_ms(CLOCK_SKEW_MAX_MS + 1).to_string();
    case(
        "created-in-future",
        "Made further in the future than clocks may differ.",
        present(vec![good()], |_, p| p["created"] = json!(late)),
        json!("created-in-future"),
    );
    case(
        "proof-expired",
        "The proof has ended.",
        present(vec![good()], |_, p| {
            p.insert("expires".into(), json!(NOW));
        }),
        json!("proof-expired"),
    );
    case(
        "wrong-challenge",
        "An answer to another challenge.",
        present(vec![good()], |_, p| p["challenge"] = json!("other")),
        json!("proof-wrong-challenge"),
    );
    case(
        "no-challenge",
        "An answer to no challenge.",
        present(vec![good()], |_, p| {
            p.remove("challenge");
        }),
        json!("proof-wrong-challenge"),
    );
    case(
        "wrong-domain",
        "Made for another verifier.",
        present(vec![good()], |_, p| p["domain"] = json!(issuer().did())),
        json!("proof-wrong-domain"),
    );
    case(
        "wrong-domain-set",
        "Made for this verifier and another.",
        present(vec![good()], |_, p| p["domain"] = json!([domain, issuer().did()])),
        json!("proof-wrong-domain"),
    );
    case(
        "wrong-purpose",
        "An assertion, as one signs credentials.",
        present(vec![good()], |_, p| p["proofPurpose"] = json!("assertionMethod")),
        json!("proof-wrong-purpose"),
    );
    case(
        "not-the-holders",
        "Signed by another than the holder it names.",
        present(vec![good()], |d, _| d["holder"] = json!(issuer().did())),
        json!("proof-not-the-holders"),
    );
    case(
        "tampered-credential-added",
        "A credential was added after signing.",
        present(vec![good()], |_, _| {}).pipe(|mut p| {
            p["verifiableCredential"].as_array_mut().unwrap().push(good());
            p
        }),
        json!("proof-bad-signature"),
    );
    case(
        "tampered-holder",
        "The holder was changed after signing.",
        present(vec![good()], |_, _| {}).pipe(|mut p| {
            p["holder"] = json!(issuer().did());
            p
        }),
        json!("proof-bad-signature"),
    );
    case(
        "unknown-suite",
        "A suite that is not implemented.",
        present(vec![good()], |_, _| {}).pipe(|mut p| {
            p["proof"]["cryptosuite"] = json!("ecdsa-jcs-2019");
            p
        }),
        json!("proof-unknown-suite"),
    );
    case(
        "proof-missing",
        "Not signed at all.",
        present(vec![good()], |_, _| {}).pipe(|mut p| {
            p.as_object_mut().unwrap().remove("proof");
            p
        }),
        json!("proof-missing"),
    );
    case(
        "refused-type",
        "Not a presentation.",
        present(vec![good()], |d, _| d["type"] = json!(["Other"])),
        json!("malformed"),
    );
    case(
        "refused-context",
        "Without the data model's context.",
        present(vec![good()], |d, _| d["@context"] = json!([])),
        json!("malformed"),
    );
    case(
        "refused-holder",
        "Without a holder.",
        present(vec![good()], |d, _| {
            d.remove("holder");
        }),
        json!("malformed"),
    );
    case(
        "refused-too-many",
        "More credentials than are read.",
        present(vec![json!({}); PRESENTED_CREDENTIALS_MAX + 1], |_, _| {}),
        json!("too-many-credentials"),
    );
    case(
        "refused-credential",
        "A credential inside is none.",
        present(vec![good(), json!({"@context": []})], |_, _| {}),
        json!("context"),
    );
    case(
        "refused-enveloped",
        "A credential in an envelope, which is not implemented.",
        present(
            vec![
                json!({"@context": ["https://www.w3.org/ns/credentials/v2"], "id": "data:application/vc+jwt,e30", "type": "EnvelopedVerifiableCredential"}),
            ],
            |_, _| {},
        ),
        json!("type"),
    );

    let others = with(|d| d["credentialSubject"]["id"] = json!(stranger().did()));
    case(
        "credential-of-another",
        "Each credential stands on its own: the second is another's.",
        present(vec![good(), others], |_, _| {}),
        expect(&[shown(true, &[]), shown(false, &[("trusted_holder", "FAIL", "not-the-subject")])]),
    );
    let unbound = with(|d| d["credentialSubject"]["id"] = json!("mailto:a@example.org"));
    case(
        "credential-unbound",
        "Authentic, but bound to no DID.",
        present(vec![unbound], |_, _| {}),
        expect(&[shown(false, &[("trusted_holder", "FAIL", "no-subject")])]),
    );
    let forged = tampered(|d| d["name"] = json!("Everything"));
    case(
        "credential-tampered",
        "The holder signs a credential that was changed.",
        present(vec![forged], |_, _| {}),
        expect(&[shown(false, &[(UNTAMPERED, "FAIL", "proof-bad-signature")])]),
    );
    cases
}

/// A presentation of `credentials` by the holder, with its document and proof options changed before
/// signing.
fn present(
    credentials: Vec<Value>,
    change: impl FnOnce(&mut Map<String, Value>, &mut Map<String, Value>),
) -> Value {
    let expected = Expected { challenge: CHALLENGE, domain: &stranger().did().to_string() };
    let text = presentation::sign(&holder(), &[], &expected, at(NOW)).unwrap();
    let Value::Object(mut document) = serde_json::from_str(&text).unwrap() else { panic!("an object") };
    let Some(Value::Object(mut options)) = document.remove("proof") else { panic!("one proof") };
    assert_eq!(options["proofPurpose"], Purpose::Authentication.name());
    options.remove("proofValue");
    document["verifiableCredential"] = json!(credentials);
    change(&mut document, &mut options);
    if let (Some(_), Some(context)) = (options.get("@context"), document.get("@context")) {
        options.insert("@context".into(), context.clone());
    }
    Value::Object(prove(document, options, &holder()))
}

/// The same value with the keys of every object in the opposite order.
fn sorted_backwards(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().map(|(k, v)| (k.clone(), sorted_backwards(v))).collect();
            members.sort_by(|a, b| b.0.cmp(&a.0));
            Value::Object(members.into_iter().collect())
        }
        Value::Array(items) => items.iter().map(sorted_backwards).collect(),
        other => other.clone(),
    }
}

trait Pipe: Sized {
    fn pipe<T>(self, change: impl FnOnce(Self) -> T) -> T {
        change(self)
    }
}

impl Pipe for Value {}
