//! Samples of others: what comes of each as it was published, and once it is signed.
//!
//! Most name keys at URLs, or are not signed at all: that is what must be said of them. So the second half signs them anew.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};

use super::{
    super::{
        CheckName, Checks, Credential, Format, Known, Signer, TrustList, Verifier, data_integrity::Binding,
        issuing, presentation, status::StatusList,
    },
    fixtures::{NOW, at, issuer},
};
use crate::credential::bitstring::Bitstring;

/// A file under `vectors`.
fn published(path: &str) -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors");
    fs::read_to_string(root.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The names of the JSON files in a folder under `vectors`, in their order.
fn names(folder: &str) -> Vec<String> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors");
    let files = fs::read_dir(root.join(folder)).unwrap().map(|file| file.unwrap().file_name());
    let mut names: Vec<String> = files.map(|name| name.into_string().unwrap()).collect();
    names.retain(|name| name.ends_with(".json"));
    names.sort();
    names
}

fn verify(credential: &Credential, known: &Known) -> Checks {
    credential.verify(&Verifier::new(at(NOW), &TrustList::default()).knowing(known))
}

/// Code and outcome of a credential's signature, or the code of its refusal.
fn outcome(text: &str) -> (String, String) {
    match Credential::parse(text) {
        Err(e) => ("refused".into(), e.code().into()),
        Ok(credential) => {
            let checks = verify(&credential, &Known::new());
            let reason = checks.reason(CheckName::Untampered).map(|reason| reason.code.to_string());
            (checks.untampered.to_string(), reason.unwrap_or_default())
        }
    }
}

#[test]
fn badges_of_other_issuers() {
    let folder = "credential/ob3";
    let expected = [
        // Their issuers are URLs, and their keys have URLs that say which they are: the signatures hold.
        ("bit-string-list/credential-status-revoked-blank-nodes.json", "NOT_CHECKED", "proof-key-unbound"),
        ("bit-string-list/credential-status-revoked.json", "NOT_CHECKED", "proof-key-unbound"),
        // Some of what it says stands where readers of JSON do not look.
        ("complete.json", "NOT_CHECKED", "rdf-not-plain"),
        // A did:web, which would have to be fetched.
        ("credential-status-revoked.json", "NOT_CHECKED", "proof-key-unresolved"),
        ("simple.json", "NOT_CHECKED", "proof-key-unbound"),
        ("simple-eddsa-2022.json", "NOT_CHECKED", "proof-key-unbound"),
        ("simple-err-expired.json", "NOT_CHECKED", "proof-key-unbound"),
        ("simple-err-proof-value.json", "FAIL", "proof-bad-signature"),
        // The key is a did:key, and the issuer a URL.
        ("simple-did-key-method.json", "NOT_CHECKED", "proof-key-unbound"),
        // One proof is of a type that nobody knows.
        ("simple-multiple-proofs.json", "NOT_CHECKED", "proof-unknown-suite"),
        ("simple-noproof.json", "NOT_CHECKED", "proof-missing"),
        // It names no key at all.
        ("simple.jwt", "NOT_CHECKED", "key-unnamed"),
    ];
    assert_eq!(names(folder).len() + names("credential/ob3/bit-string-list").len() + 1, expected.len());
    for (name, check, code) in expected {
        let text = published(&format!("{folder}/{name}"));
        assert_eq!(outcome(&text), (check.into(), code.into()), "{name}");
    }
}

#[test]
fn examples_of_the_data_model() {
    const UNSIGNED: (&str, &str) = ("NOT_CHECKED", "proof-missing");
    let expected = |number: &str| match number {
        // A template, without an issuer.
        "001" => ("refused", "issuer"),
        // The method is at a URL, and the proof cut short.
        "015" => ("NOT_CHECKED", "proof-key-unresolved"),
        // Contexts.
        "023" | "033" => ("refused", "context"),
        "030" => ("NOT_CHECKED", "proof-unknown-suite"),
        _ => UNSIGNED,
    };
    let files = names("rdf/vcdm2");
    assert!(files.len() > 20, "{files:?}");
    for name in files {
        let text = published(&format!("rdf/vcdm2/{name}"));
        // Presentations, whose tokens are cut short.
        if let Some(code) = ["018", "019"]
            .iter()
            .zip(["proof-missing", "jws-form"])
            .find_map(|(number, code)| name.starts_with(number).then_some(code))
        {
            let nobody = TrustList::default();
            let verifier = Verifier::new(at(NOW), &nobody);
            let refused = presentation::verify(&text, &Binding::ANY_PRESENTATION, &verifier).unwrap_err();
            assert_eq!(refused.code(), code, "{name}");
            assert_eq!(presentation::credentials(&text).unwrap_err().code(), "jws-form", "{name}");
            continue;
        }
        let (check, code) = expected(&name[..3]);
        assert_eq!(outcome(&text), (check.into(), code.into()), "{name}");
    }
}

#[test]
fn examples_of_status_lists() {
    let files = names("rdf/bitstring-status-list");
    assert_eq!(files.len(), 6, "{files:?}");
    for name in files {
        let text = published(&format!("rdf/bitstring-status-list/{name}"));
        assert_eq!(outcome(&text), ("NOT_CHECKED".into(), "proof-missing".into()), "{name}");
        if name.starts_with("003") || name.starts_with("005") {
            let refused = StatusList::verify(&text, None, &Known::new().documents).unwrap_err();
            assert_eq!(refused.code(), "status-list-unverified", "{name}");
        }
    }
}

/// The sample as our issuer signs it; `None` where it is no credential, or not to be read as RDF.
fn signed(text: &str, format: Format) -> Option<Credential> {
    let Value::Object(mut document) = serde_json::from_str(text).unwrap() else { panic!("an object") };
    document.remove("proof");
    issuing::name_issuer(&mut document, &issuer().did());
    issuing::sign(document, format, &Signer::from(&issuer()), at("2026-06-01T11:00:00Z")).ok()
}

#[test]
fn samples_hold_once_they_are_signed() {
    let folders =
        ["credential/ob3", "credential/ob3/bit-string-list", "rdf/vcdm2", "rdf/bitstring-status-list"];
    for (format, at_least) in [(Format::Jcs, 35), (Format::Rdfc, 25), (Format::VcJwt, 35)] {
        let mut held = 0;
        for name in
            folders.iter().flat_map(|folder| names(folder).into_iter().map(move |n| format!("{folder}/{n}")))
        {
            let Some(credential) = signed(&published(&name), format) else { continue };
            let checks = verify(&credential, &Known::new());
            assert_eq!(checks.reason(CheckName::Untampered), None, "{name}");
            held += 1;
        }
        assert!(held >= at_least, "{format}: {held}");
    }
}

#[test]
fn sample_credentials_with_sample_lists() {
    let example = "rdf/bitstring-status-list/";
    let of = |credential: &str, list: &str, url: &str| {
        let list = signed(&published(list), Format::Jcs).unwrap();
        let mut known = Known::new();
        let list = StatusList::verify(list.text(), Some((url, at(NOW))), &known.documents);
        known.status_lists.insert(list.unwrap()).unwrap();
        let checks = verify(&signed(&published(credential), Format::Jcs).unwrap(), &known);
        let reason = checks.reason(CheckName::Unrevoked).map(|reason| reason.code.to_string());
        (checks.unrevoked.to_string(), reason.unwrap_or_default())
    };
    assert_eq!(
        of(
            &format!("{example}004-A-Revocable-Verifiable-Credential.json"),
            &format!("{example}005-A-Status-List-Verifiable-Credential.json"),
            "https://example.com/credentials/status/3",
        ),
        ("PASS".into(), String::new())
    );

    // The list bears another URL than the credential that points into it: the same bits, under the right one.
    let badge = published("credential/ob3/bit-string-list/credential-status-revoked.json");
    let mut list: Value =
        serde_json::from_str(&published("credential/status/published/1edtech-testlist.json")).unwrap();
    let badge_value: Value = serde_json::from_str(&badge).unwrap();
    let entry = &badge_value["credentialStatus"];
    list["id"] = entry["statusListCredential"].clone();
    let list = signed(&list.to_string(), Format::Jcs).unwrap();
    let mut known = Known::new();
    known.status_lists.insert(StatusList::verify(list.text(), None, &known.documents).unwrap()).unwrap();
    let checks = verify(&signed(&badge, Format::Jcs).unwrap(), &known);
    assert_eq!(checks.reason(CheckName::Unrevoked).unwrap().code, "revoked");
    let bits = list.document()["credentialSubject"]["encodedList"].as_str().unwrap();
    assert_eq!(Bitstring::decode(bits, 1).unwrap().get(entry["statusListIndex"].as_u64().unwrap()), Some(1));
    assert_eq!(entry["statusListIndex"], json!(23));
}
