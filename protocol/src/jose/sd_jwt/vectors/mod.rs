//! Walks the vectors of `vectors/sd_jwt`: published examples, and cases of our own, whose expectations are stated by hand
//! and whose tokens are signed here with fixed keys.

#![allow(clippy::unwrap_used)]

mod cases;
mod published;

use std::{collections::BTreeMap, env, fs, path::PathBuf};

use serde_json::{Value, json};

use super::{ExpectedBinding, SdJwt, vc::SdJwtVc};
use crate::{key::VerifyingKey, time::Timestamp};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors/sd_jwt")
}

fn read_all(folder: &str) -> BTreeMap<String, String> {
    let files = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|e| e == "json"));
    let read = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, fs::read_to_string(&path).unwrap())
    };
    files.map(read).collect()
}

#[test]
fn each_case_has_the_outcome_it_states() {
    let cases = read_all("");
    assert!(cases.len() > 40, "only {} cases", cases.len());
    for (name, text) in cases {
        let case: Value = serde_json::from_str(&text).unwrap();
        let outcome = run(&case);
        match (case.get("expect_error"), case.get("expect")) {
            (Some(code), None) => assert_eq!(outcome, Err(code.as_str().unwrap()), "{name}"),
            (None, Some(expect)) => assert_eq!(outcome.as_ref(), Ok(expect), "{name}"),
            _ => panic!("{name} expects not exactly one thing"),
        }
    }
}

#[test]
fn the_cases_are_those_that_are_written_here() {
    let written: BTreeMap<String, String> =
        cases::all().into_iter().map(|(name, case)| (name.to_owned(), format!("{case:#}\n"))).collect();
    if env::var_os("KNACK_BLESS").is_some() {
        for (name, text) in &written {
            fs::write(root().join(format!("{name}.json")), text).unwrap();
        }
    }
    assert_eq!(read_all(""), written);
}

/// What comes of a case: what the token says, or the code of its first refusal.
fn run(case: &Value) -> Result<Value, &'static str> {
    let text = case["token"].as_str().unwrap();
    let sd_jwt = match case.get("profile").and_then(Value::as_str) {
        Some("vc") => SdJwtVc::parse(text).map(|vc| vc.sd_jwt().clone()),
        Some("issued") => SdJwt::parse_issued(text),
        _ => SdJwt::parse(text),
    };
    let sd_jwt = sd_jwt.map_err(|e| e.code())?;
    sd_jwt.verify(&key(&case["issuer"])).map_err(|e| e.code())?;
    if let Some(expected) = case.get("binding") {
        let holder = sd_jwt.holder_key().map_err(|e| e.code())?.unwrap();
        let now: Timestamp = expected["now"].as_str().unwrap().parse().unwrap();
        let expected = ExpectedBinding {
            audience: Some(expected["audience"].as_str().unwrap()),
            nonce: Some(expected["nonce"].as_str().unwrap()),
            age_max_ms: expected["age_max_ms"].as_u64().unwrap(),
            now,
        };
        sd_jwt.verify_key_binding(&holder, &expected).map_err(|e| e.code())?;
    }
    let paths: Vec<String> = sd_jwt.disclosures().iter().map(|d| d.path().to_string()).collect();
    let parents: Vec<Option<usize>> = sd_jwt.disclosures().iter().map(|d| d.parent()).collect();
    Ok(json!({
        "claims": sd_jwt.claims(),
        "paths": paths,
        "parents": parents,
        "withheld": sd_jwt.withheld(),
    }))
}

fn key(jwk: &Value) -> VerifyingKey {
    VerifyingKey::from_jwk(jwk.as_object().unwrap()).unwrap()
}
