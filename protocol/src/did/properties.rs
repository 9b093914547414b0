//! Properties of whatever a stranger may send.

#![allow(clippy::unwrap_used)]

use std::{fs, path::Path, sync::LazyLock};

use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};

use super::{
    Document, Documents, Options, Origin, Relationship, did_jwk, linkage, method_of, resolve,
    verification_key, web,
};
use crate::{
    key::{Did, SecretKey, SigningKey, VerifyingKey},
    limits::{LINKED_DIDS_MAX, SERVICES_MAX, VERIFICATION_METHODS_MAX},
    time::Timestamp,
};

const NOW: Timestamp = Timestamp::from_unix_ms(1_780_315_200_000);
const RELATIONSHIPS: [Relationship; 2] = [Relationship::AssertionMethod, Relationship::Authentication];

fn organisation() -> Did {
    "did:web:example.org".parse().unwrap()
}

fn origin() -> Origin {
    "https://example.org".parse().unwrap()
}

/// Calls everything that reads a text.
fn read(text: &str) {
    if let Ok(document) = Document::read(text, &organisation()) {
        assert!(document.methods().count() <= VERIFICATION_METHODS_MAX);
        assert!(document.services().len() <= SERVICES_MAX);
        let ids: Vec<_> = document.methods().map(|method| method.id.clone()).collect();
        let mut known = Documents::new();
        known.insert(document, NOW).unwrap();
        for (id, relationship) in ids.iter().flat_map(|id| RELATIONSHIPS.map(|r| (id, r))) {
            if let Ok(resolved) = verification_key(id, relationship, &known) {
                let stated = resolved.fetched.is_none() || resolved.controller.did() == Some(&organisation());
                assert!(stated, "a key of {}", resolved.controller);
                assert!(id.starts_with(resolved.controller.did().unwrap().as_str()));
            }
        }
    }
    if let Ok(entries) = linkage::read(text, &origin(), NOW) {
        assert!(entries.len() <= LINKED_DIDS_MAX);
        for link in entries.into_iter().flatten() {
            assert!(link.origin == origin() && link.valid_from <= NOW && NOW < link.valid_until);
        }
    }
}

/// Calls everything that reads a DID, a DID URL or an origin.
fn read_name(text: &str) {
    let options = [
        Options::default(),
        Options { accept: Some(text), public_key_format: Some(text), ..Options::default() },
    ];
    for options in options {
        let answer = resolve(text, &options);
        assert_eq!(answer.status() == 200, answer.document.is_ok());
        assert!(answer.body().is_object());
    }
    for relationship in RELATIONSHIPS {
        if let Ok(resolved) = verification_key(text, relationship, &Documents::new()) {
            let document = resolve(resolved.controller.did().unwrap().as_str(), &Options::default()).document;
            assert!(document.is_ok() || resolved.key.algorithm().name() == "EdDSA", "{text}");
        }
    }
    if let Ok(did) = text.parse::<Did>()
        && let Ok(url) = web::url_of(&did)
    {
        let origin = web::origin_of(&did).unwrap();
        let path = url.strip_prefix(origin.as_str()).unwrap();
        assert!(path.starts_with('/') && path.ends_with("/did.json"), "{url}");
        assert!(!path.contains("/../") && !path.contains("//") && !path.contains(['?', '#', '@', '\\']));
    }
    if let Ok(origin) = text.parse::<Origin>() {
        assert_eq!(origin.as_str().parse(), Ok(origin));
    }
}

/// The documents and lists of the vectors, from which most refusals are one change away.
fn published() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/did");
    let cases = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let cases = cases.filter(|path| path.is_file() && path.extension().is_some_and(|e| e == "json"));
    let mut found = Vec::new();
    for path in cases {
        let case: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let documents = case["documents"].as_array().into_iter().flatten().map(|entry| &entry["document"]);
        let own = [&case["document"], &case["configuration"]];
        found.extend(documents.chain(own).filter(|value| value.is_object()).cloned());
    }
    found
}

/// Puts `replacement` in the place of the value that is `at` steps into `value`; yields the steps that are left.
fn replace(value: &mut Value, at: usize, replacement: &Value) -> Option<usize> {
    if at == 0 {
        *value = replacement.clone();
        return None;
    }
    let inner: Vec<&mut Value> = match value {
        Value::Array(items) => items.iter_mut().collect(),
        Value::Object(members) => members.values_mut().collect(),
        _ => Vec::new(),
    };
    inner.into_iter().try_fold(at - 1, |left, value| replace(value, left, replacement))
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[ -~]{0,20}".prop_map(Value::from),
        Just(json!("did:web:example.org")),
        Just(json!("did:web:example.org#a")),
        Just(json!("#a")),
        Just(json!("did:web:other.example")),
        Just(json!("https://example.org")),
        Just(json!("z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp")),
    ];
    let name = prop_oneof!["[a-zA-Z@]{0,12}", Just("id".to_owned()), Just("publicKeyJwk".to_owned())];
    leaf.prop_recursive(3, 16, 4, move |inner| {
        let members = prop::collection::vec((name.clone(), inner.clone()), 0..4);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            members.prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        read(&text);
        read_name(&text);
    }

    #[test]
    fn any_name_is_read_or_refused(
        method in prop_oneof!["key", "jwk", "web", "[a-z]{1,4}"],
        id in "(z6Mk|zDn|ey)?[a-zA-Z0-9._:%-]{0,80}",
        rest in "(#[ -~]{0,20})?",
    ) {
        read_name(&format!("did:{method}:{id}{rest}"));
        read_name(&format!("did:{method}:{id}#{id}"));
        read_name(&format!("https://{id}"));
    }

    #[test]
    fn any_bytes_are_a_key_or_refused(prefix in prop_oneof![Just(vec![0xed, 1]), Just(vec![0x80, 0x24]), Just(vec![])], raw in prop::collection::vec(any::<u8>(), 0..70)) {
        let multikey = format!("z{}", bs58::encode([prefix, raw].concat()).into_string());
        read_name(&format!("did:key:{multikey}"));
        read_name(&format!("did:key:{multikey}#{multikey}"));
    }

    #[test]
    fn any_json_is_read_or_refused(value in any_json()) {
        read(&value.to_string());
    }

    #[test]
    fn any_change_of_a_document_is_read_or_refused(which in any::<Index>(), at in 0usize..60, value in any_json()) {
        static PUBLISHED: LazyLock<Vec<Value>> = LazyLock::new(published);
        let mut changed = which.get(&PUBLISHED).clone();
        replace(&mut changed, at, &value);
        read(&changed.to_string());
    }

    #[test]
    fn a_key_is_found_under_its_names(seed in any::<[u8; 32]>()) {
        let mut keys = vec![VerifyingKey::from(SecretKey::from_seed(seed).public())];
        keys.extend(SigningKey::p256(seed).ok().map(|key| key.public()));
        for key in keys {
            for did in [key.did_key().unwrap(), did_jwk(&key).unwrap()] {
                let method = method_of(&did, &key);
                let found = verification_key(&method, Relationship::AssertionMethod, &Documents::new()).unwrap();
                prop_assert_eq!((found.controller.did(), &found.key), (Some(&did), &key));
                // What others are told is what is verified with.
                let document = resolve(did.as_str(), &Options::default()).document.unwrap();
                let parsed = Document::read(&document.to_string(), &did).unwrap();
                prop_assert_eq!(&parsed.method(&method).unwrap().key, &key);
                prop_assert!(RELATIONSHIPS.into_iter().all(|r| parsed.authorises(&method, r)));
            }
        }
    }
}
