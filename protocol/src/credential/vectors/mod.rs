//! Walks the vectors of `vectors/credential`, and writes them: the expectations below are stated by hand,
//! the credentials are signed with fixed keys.

#![allow(clippy::unwrap_used)]

mod case;
mod credentials;
mod did_web;
mod fixtures;
mod jwt;
mod key_pages;
mod presentations;
mod published;
mod rdfc;
mod sd_jwt;
mod status;
mod trust;

use std::{collections::BTreeMap, env, fs, path::PathBuf};

use serde_json::{Map, Value, json};

use self::case::Cases;
use super::{
    CheckName, Checks, Credential, Known, Need, Shown, TrustEntry, TrustList, Verifier,
    data_integrity::Binding, presentation, status::StatusList, trust_document,
};
use crate::{
    did::{Document, KeyPage},
    time::Timestamp,
};

/// A folder of cases, and what writes it.
struct Folder {
    path: &'static str,
    cases: fn() -> Cases,
}

const FOLDERS: [Folder; 9] = [
    Folder { path: "", cases: credentials::cases },
    Folder { path: "did_web/", cases: did_web::cases },
    Folder { path: "jwt/", cases: jwt::cases },
    Folder { path: "key_pages/", cases: key_pages::cases },
    Folder { path: "presentation/", cases: presentations::cases },
    Folder { path: "rdfc/", cases: rdfc::cases },
    Folder { path: "sd_jwt/", cases: sd_jwt::cases },
    Folder { path: "status/", cases: status::cases },
    Folder { path: "trust/", cases: trust::cases },
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors/credential")
}

/// The JSON files of a folder, by name.
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

fn every_case() -> impl Iterator<Item = (String, Value)> {
    let texts = FOLDERS.into_iter().flat_map(|folder| read_all(folder.path));
    texts.map(|(name, text)| (name, serde_json::from_str(&text).unwrap()))
}

#[test]
fn each_case_has_the_outcome_it_states() {
    let (mut cases, mut failures) = (0, Vec::new());
    for (name, case) in every_case() {
        let outcome = run(&case);
        match (case.get("expect_error"), case.get("expect").and_then(Value::as_object)) {
            (Some(code), None) if outcome == *code => {}
            (Some(code), None) => failures.push(format!("{name}: not {code} but {outcome}")),
            (None, Some(expect)) => compare(&outcome, expect, &name, &mut failures),
            _ => failures.push(format!("{name} expects not exactly one thing")),
        }
        cases += 1;
    }
    assert!(failures.is_empty(), "{} of {cases}:\n{}", failures.len(), failures.join("\n"));
    assert!(cases > 250, "only {cases} cases");
}

/// Notes what is expected of an outcome and differs. An outcome may state more.
fn compare(outcome: &Value, expect: &Map<String, Value>, name: &str, failures: &mut Vec<String>) {
    for (key, value) in expect {
        match (value, &outcome[key]) {
            (Value::Array(each), Value::Array(outcomes))
                if key == "credentials" && each.len() == outcomes.len() =>
            {
                for (outcome, expect) in outcomes.iter().zip(each) {
                    compare(outcome, expect.as_object().unwrap(), name, failures);
                }
            }
            (value, outcome) if value == outcome => {}
            (value, _) => failures.push(format!("{name}: {key} is not {value} of {outcome}")),
        }
    }
    if expect.is_empty() {
        failures.push(format!("{name} expects nothing"));
    }
}

#[test]
fn the_cases_are_those_that_are_written_here() {
    for Folder { path: folder, cases } in FOLDERS {
        let written: BTreeMap<String, String> =
            cases().written().map(|(name, text)| (format!("{folder}{name}"), text)).collect();
        if env::var_os("KNACK_BLESS").is_some() {
            fs::create_dir_all(root().join(folder)).unwrap();
            // A case that is no longer written goes.
            for name in read_all(folder).into_keys() {
                fs::remove_file(root().join(format!("{name}.json"))).unwrap();
            }
            for (name, text) in &written {
                fs::write(root().join(format!("{name}.json")), text).unwrap();
            }
        }
        let found = read_all(folder);
        assert_eq!(found.keys().collect::<Vec<_>>(), written.keys().collect::<Vec<_>>());
        for (name, text) in written {
            assert_eq!(found[&name], text, "{name} changed; KNACK_BLESS=1 rewrites it");
        }
    }
}

#[test]
fn the_specification_names_every_code_that_a_case_states() {
    let chapters = fs::read_dir(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("spec")).unwrap();
    let chapters: String = chapters.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).collect();
    for (name, case) in every_case() {
        let mut codes = Vec::new();
        collect_codes(&case, &mut codes);
        for code in codes {
            assert!(chapters.contains(&format!("`{code}`")), "{name}: no chapter has {code}");
        }
    }
}

fn collect_codes<'a>(stated: &'a Value, codes: &mut Vec<&'a str>) {
    match stated {
        Value::Array(items) => items.iter().for_each(|item| collect_codes(item, codes)),
        Value::Object(members) => {
            for (name, value) in members {
                match (name.as_str(), value) {
                    ("expect_error" | "refused", Value::String(code)) => codes.push(code),
                    ("reasons", Value::Object(reasons)) => {
                        codes.extend(reasons.values().filter_map(Value::as_str));
                    }
                    ("expect" | "credentials" | "known" | "status_lists", inner) => {
                        collect_codes(inner, codes)
                    }
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

/// What comes out, or the code of the refusal.
fn run(case: &Value) -> Value {
    let trust = trust_of(case);
    let known = known_of(case);
    let mut verifier = Verifier::new(instant(case, "now"), &trust).knowing(&known);
    if let Some(ms) = case.get("status_age_max_ms") {
        verifier.status_age_max_ms = ms.as_u64().unwrap();
    }
    if let Some(credential) = case.get("credential") {
        check_credential(&text_of(credential), &verifier)
    } else if let Some(presentation) = case.get("presentation") {
        check_presentation(case, &text_of(presentation), &verifier)
    } else {
        read_trust_list(&text_of(&case["trust_list"]), &verifier)
    }
}

fn check_credential(text: &str, verifier: &Verifier<'_>) -> Value {
    let credential = match Credential::parse(text) {
        Ok(credential) => credential,
        Err(e) => return json!(e.code()),
    };
    let checks = credential.verify(verifier);
    let mut outcome = outcome(&credential, &checks, Shown::File);
    let needs = credential.needs(verifier).into_iter().map(|need| match need {
        Need::Document(did) => json!({"document": did}),
        Need::KeyPage(url) => json!({"key_page": url}),
        Need::StatusList(url) => json!({"status_list": url}),
    });
    outcome["needs"] = needs.collect();
    match credential.verified(verifier) {
        Ok(verified) => outcome["tier"] = json!(verified.tier()),
        Err(_) => assert!(outcome["verified"] == false),
    }
    outcome
}

fn check_presentation(case: &Value, text: &str, verifier: &Verifier<'_>) -> Value {
    let expected =
        Binding::presentation(case["challenge"].as_str().unwrap(), case["domain"].as_str().unwrap());
    match presentation::verify(text, &expected, verifier) {
        Err(e) => json!(e.code()),
        Ok(verified) => {
            let credentials = verified.credentials().iter();
            let outcomes =
                credentials.map(|(credential, checks)| outcome(credential, checks, Shown::Presentation));
            json!({"holder": verified.holder(), "credentials": outcomes.collect::<Vec<_>>()})
        }
    }
}

fn read_trust_list(text: &str, verifier: &Verifier<'_>) -> Value {
    let credential = match Credential::parse(text) {
        Ok(credential) => credential,
        Err(e) => return json!(e.code()),
    };
    match trust_document::read(&credential) {
        Ok(list) => {
            let checks = credential.verify(verifier);
            json!({"list": list, "verified": checks.verdict(Shown::File).verified})
        }
        Err(e) => json!(e.code()),
    }
}

fn outcome(credential: &Credential, checks: &Checks, shown: Shown) -> Value {
    let verdict = checks.verdict(shown);
    let names = CheckName::ALL.into_iter();
    let reasons: BTreeMap<_, _> = checks.reasons.iter().map(|(name, r)| (name, r.code.to_string())).collect();
    json!({
        "id": credential.id().to_string(),
        "issuer": credential.issuer(),
        "subject": credential.subject(),
        "form": credential.securing().name(),
        "checks": names.map(|name| (name, checks.get(name))).collect::<BTreeMap<_, _>>(),
        "reasons": reasons,
        "verified": verdict.verified,
        "recognised": verdict.recognised,
        "skills": credential.skills(),
    })
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

fn known_of(case: &Value) -> Known {
    let entries = |name: &str| case.get("known").and_then(|known| known.get(name)?.as_array());
    let mut known = Known::new();
    for entry in entries("documents").into_iter().flatten() {
        let did = entry["did"].as_str().unwrap().parse().unwrap();
        let document = Document::read(&text_of(&entry["document"]), &did).unwrap();
        known.documents.insert(document, instant(entry, "fetched")).unwrap();
    }
    for entry in entries("key_pages").into_iter().flatten() {
        let page = KeyPage::read(&text_of(&entry["page"]), entry["url"].as_str().unwrap()).unwrap();
        known.documents.insert_page(page, instant(entry, "fetched")).unwrap();
    }
    for entry in entries("status_lists").into_iter().flatten() {
        let fetched = entry.get("url").map(|url| (url.as_str().unwrap(), instant(entry, "fetched")));
        let list = StatusList::verify(&text_of(&entry["list"]), fetched, &known.documents);
        match (list, entry.get("refused")) {
            (Ok(list), None) => known.status_lists.insert(list).unwrap(),
            (Err(e), Some(code)) => assert_eq!(e.code(), code),
            (list, refused) => panic!("{:?}, not {refused:?}", list.err()),
        }
    }
    known
}

/// The text itself, where a case states a text; otherwise any JSON text of the value.
fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn instant(of: &Value, name: &str) -> Timestamp {
    of[name].as_str().unwrap().parse().unwrap()
}
