//! Walks the vectors of `vectors/credential`, and writes them: the expectations below are stated by hand,
//! the credentials are signed with fixed keys.

#![allow(clippy::unwrap_used)]

mod credentials;
mod presentations;

use std::{collections::BTreeMap, env, fs, path::PathBuf};

use serde_json::{Map, Value, json};

use super::{
    CheckName, Checks, Credential, Format, Shown, Signer, TrustEntry, TrustList, Verifier,
    data_integrity::{self, Binding, ProofOptions, prove, suites::EDDSA_JCS_2022},
    open_badge::{AlignedSkill, Issuance},
    presentation,
};
use crate::{key::SecretKey, skill::Level, time::Timestamp};

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
    let written: BTreeMap<String, String> = credentials::cases()
        .into_iter()
        .chain(presentations::cases().into_iter().map(|(name, case)| (format!("presentation/{name}"), case)))
        .map(|(name, case)| (name, format!("{case:#}\n")))
        .collect();
    if env::var_os("KNACK_BLESS").is_some() {
        // A case that is no longer written goes.
        for name in read_all("").into_keys().chain(read_all("presentation/").into_keys()) {
            fs::remove_file(root().join(format!("{name}.json"))).unwrap();
        }
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
fn samples_of_other_issuers_have_the_outcome_that_their_makers_state() {
    let expected = [
        ("ob3/complete", "NOT_CHECKED", "proof-key-unresolved"),
        ("ob3/credential-status-revoked", "NOT_CHECKED", "proof-key-unresolved"),
        ("ob3/simple", "NOT_CHECKED", "proof-key-unresolved"),
        ("ob3/simple-did-key-method", "FAIL", "proof-not-the-issuers"),
        ("ob3/simple-eddsa-2022", "NOT_CHECKED", "proof-unknown-suite"),
        ("ob3/simple-err-expired", "NOT_CHECKED", "proof-key-unresolved"),
        ("ob3/simple-err-proof-value", "NOT_CHECKED", "proof-key-unresolved"),
        ("ob3/simple-multiple-proofs", "NOT_CHECKED", "proof-unknown-suite"),
        ("ob3/simple-noproof", "NOT_CHECKED", "proof-missing"),
    ];
    let samples = read_all("ob3/");
    assert_eq!(samples.len(), expected.len());
    for (name, outcome, code) in expected {
        let credential = Credential::parse(&samples[name]).unwrap_or_else(|e| panic!("{name}: {e}"));
        let checks = credential.verify(&Verifier::new(NOW.parse().unwrap(), &TrustList::default()));
        assert_eq!(checks.untampered.to_string(), outcome, "{name}: {checks:?}");
        assert_eq!(checks.reason(CheckName::Untampered).unwrap().code, code, "{name}: {checks:?}");
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn trust_of(case: &Value) -> TrustList {
    let mut trust = TrustList::default();
    for entry in case["trust"].as_array().unwrap() {
        let distrusted = entry.get("distrusted").is_some_and(|d| d == true);
        let did = entry["did"].as_str().unwrap().parse().unwrap();
        let skills = entry.get("skills").and_then(Value::as_array).into_iter().flatten();
        let skills = skills.map(|skill| skill.as_str().unwrap().parse().unwrap()).collect();
        trust.add(did, TrustEntry { name: None, distrusted, skills }).unwrap();
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
    let trust = trust_of(case);
    let verifier = Verifier::new(now, &trust);
    let checks = credential.verify(&verifier);
    let mut outcome = outcome(&credential, &checks, Shown::File);
    match credential.verified(&verifier) {
        Ok(verified) => outcome["tier"] = json!(verified.tier()),
        Err(_) => assert!(outcome["verified"] == false),
    }
    outcome
}

fn check_presentation(case: &Value) -> Value {
    let now: Timestamp = case["now"].as_str().unwrap().parse().unwrap();
    let expected =
        Binding::presentation(case["challenge"].as_str().unwrap(), case["domain"].as_str().unwrap());
    let trust = trust_of(case);
    match presentation::verify(&text_of(&case["presentation"]), &expected, &Verifier::new(now, &trust)) {
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
        status: Vec::new(),
    }
}

fn unsigned() -> Map<String, Value> {
    issuance().document()
}

fn signed(document: Map<String, Value>) -> Map<String, Value> {
    signed_by(&issuer(), document)
}

fn signed_by(key: &SecretKey, document: Map<String, Value>) -> Map<String, Value> {
    let options = ProofOptions::new(Binding::ASSERTION, at("2026-01-01T00:00:00Z"));
    data_integrity::sign(document, &EDDSA_JCS_2022, &key.into(), &options).unwrap()
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
    Value::Object(prove(unsigned(), options, &EDDSA_JCS_2022, &Signer::from(&issuer())).unwrap())
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

trait Edit {
    /// This value after `change`.
    fn edited(self, change: impl FnOnce(&mut Self)) -> Self;
}

impl Edit for Value {
    fn edited(mut self, change: impl FnOnce(&mut Value)) -> Value {
        change(&mut self);
        self
    }
}
