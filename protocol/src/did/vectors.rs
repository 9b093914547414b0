//! The cases of `vectors/did`, each against what it says must come out.

#![allow(clippy::unwrap_used)]

use std::{fs, path::Path};

use serde_json::{Value, json};

use super::{Document, Documents, Relationship, linkage, verification_key, web};
use crate::key::Did;

#[test]
fn every_case_comes_out_as_stated() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/did");
    let mut cases = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let case: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let (name, outcome) = outcome(&case);
        let expected = match &case["expect_error"] {
            Value::Null => Ok(case[name].clone()),
            code => Err(code.as_str().unwrap()),
        };
        assert_eq!(outcome, expected, "{}", path.display());
        cases += 1;
    }
    assert!(cases > 100, "{cases} cases");
}

/// What comes out, and under which name the case states it.
fn outcome(case: &Value) -> (&'static str, Result<Value, &'static str>) {
    let did = || case["did"].as_str().unwrap().parse::<Did>().unwrap();
    if let Some(method) = case.get("method") {
        ("expect", key(case, method.as_str().unwrap()))
    } else if let Some(document) = case.get("document") {
        ("expect", read(document, &did()))
    } else if let Some(configuration) = case.get("configuration") {
        ("expect", links(case, &text(configuration)))
    } else {
        ("expect_url", web::url_of(&did()).map(Value::from).map_err(web::WebError::code))
    }
}

fn key(case: &Value, method: &str) -> Result<Value, &'static str> {
    let mut known = Documents::new();
    for entry in case["documents"].as_array().unwrap() {
        let did = entry["did"].as_str().unwrap().parse().unwrap();
        let document = Document::read(&text(&entry["document"]), &did).unwrap();
        known.insert(document, entry["fetched"].as_str().unwrap().parse().unwrap()).unwrap();
    }
    let relationship = [Relationship::AssertionMethod, Relationship::Authentication]
        .into_iter()
        .find(|relationship| case["relationship"] == relationship.name());
    let resolved = verification_key(method, relationship.unwrap(), &known).map_err(|e| e.code())?;
    let mut outcome = json!({"controller": resolved.controller.did(), "key": resolved.key.to_jwk()});
    for (name, time) in [("fetched", resolved.fetched), ("ends", resolved.ends)] {
        if let Some(time) = time {
            outcome[name] = json!(time.to_string());
        }
    }
    Ok(outcome)
}

fn read(document: &Value, did: &Did) -> Result<Value, &'static str> {
    let document = Document::read(&text(document), did).map_err(|e| e.code())?;
    let methods: Vec<_> = document.methods().map(|method| &method.id).collect();
    let origins: Vec<_> = document.linked_origins().map(|origin| origin.to_string()).collect();
    Ok(json!({"methods": methods, "origins": origins}))
}

fn links(case: &Value, configuration: &str) -> Result<Value, &'static str> {
    let origin = case["origin"].as_str().unwrap().parse().unwrap();
    let now = case["now"].as_str().unwrap().parse().unwrap();
    let entries = linkage::read(configuration, &origin, now).map_err(|e| e.code())?;
    let outcome = entries.into_iter().map(|entry| match entry {
        Ok(link) => json!({
            "did": link.did,
            "valid_from": link.valid_from.to_string(),
            "valid_until": link.valid_until.to_string(),
        }),
        Err(e) => json!(e.code()),
    });
    Ok(outcome.collect())
}

/// The text itself, where a case states a text; otherwise any JSON text of the value.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
