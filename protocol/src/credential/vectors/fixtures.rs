//! Who signs, and what: fixed keys, one badge, and ways to sign it otherwise than it ought to be.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use super::super::{
    Format, Signer,
    data_integrity::{self, Binding, ProofOptions, Suite, prove, suites::EDDSA_JCS_2022},
    open_badge::{AlignedSkill, Issuance},
};
use crate::{
    key::{SecretKey, SigningKey},
    skill::Level,
    time::Timestamp,
};

pub(super) const NOW: &str = "2026-06-01T12:00:00Z";
pub(super) const ISSUED: &str = "2026-01-01T00:00:00Z";
pub(super) const CHALLENGE: &str = "qWvSGZsTR4ZVqZCvIkHcZj0ux6lHoCkVnwJ2Yx8m9b4";
pub(super) const RUST: &str = "http://data.europa.eu/esco/skill/6a44adbd-9f12-45c5-8e9f-b8ad3cc0a1e1";

/// The DID of the issuer whose document is somewhere on the web.
pub(super) const ON_THE_WEB: &str = "did:web:academy.example";

pub(super) fn issuer() -> SecretKey {
    SecretKey::from_seed([1; 32])
}

pub(super) fn holder() -> SecretKey {
    SecretKey::from_seed([2; 32])
}

/// Whom the others do not know: a forger where something is signed, a verifier where something is shown.
pub(super) fn stranger() -> SecretKey {
    SecretKey::from_seed([3; 32])
}

/// An issuer, or a holder, with a key of the other kind.
pub(super) fn p256(n: u8) -> SigningKey {
    SigningKey::p256([n; 32]).unwrap()
}

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(super) fn issuance() -> Issuance {
    Issuance {
        nonce: [7; 16],
        issuer: issuer().did(),
        issuer_name: Some("Example Academy".into()),
        subject: holder().did(),
        name: "Systems programming".into(),
        description: "Wrote and defended a concurrent store.".into(),
        criteria: Some("Two reviewers read the code and questioned its author.".into()),
        skills: vec![AlignedSkill {
            skill: RUST.parse().unwrap(),
            label: "Rust".into(),
            framework: Some("ESCO".into()),
        }],
        level: Level::try_from(4).unwrap(),
        valid_from: at(ISSUED),
        valid_until: Some(at("2028-01-01T00:00:00Z")),
        status: Vec::new(),
    }
}

pub(super) fn unsigned() -> Map<String, Value> {
    issuance().document()
}

pub(super) fn signed(document: Map<String, Value>) -> Map<String, Value> {
    signed_by(&issuer(), document)
}

pub(super) fn signed_by(key: &SecretKey, document: Map<String, Value>) -> Map<String, Value> {
    signed_with(&EDDSA_JCS_2022, &key.into(), document)
}

pub(super) fn signed_with(
    suite: &Suite,
    signer: &Signer,
    document: Map<String, Value>,
) -> Map<String, Value> {
    data_integrity::sign(document, suite, signer, &ProofOptions::new(Binding::ASSERTION, at(ISSUED))).unwrap()
}

/// The signed credential with `change` made before signing.
pub(super) fn with(change: impl FnOnce(&mut Map<String, Value>)) -> Value {
    let mut document = unsigned();
    change(&mut document);
    Value::Object(signed(document))
}

/// The signed credential with `change` made after signing.
pub(super) fn tampered(change: impl FnOnce(&mut Map<String, Value>)) -> Value {
    let mut document = signed(unsigned());
    change(&mut document);
    Value::Object(document)
}

/// A credential whose proof options were changed before signing.
pub(super) fn with_proof(change: impl FnOnce(&mut Map<String, Value>)) -> Value {
    let mut options = signed(unsigned())["proof"].as_object().unwrap().clone();
    options.remove("proofValue");
    change(&mut options);
    Value::Object(prove(unsigned(), options, &EDDSA_JCS_2022, &Signer::from(&issuer())).unwrap())
}

/// The badge as a `vc+jwt`.
pub(super) fn badge_token() -> String {
    issuance().sign(&Signer::from(&issuer()), Format::VcJwt, at(ISSUED)).unwrap().text().to_owned()
}

/// A token of any header and claims.
pub(super) fn token(header: &Value, claims: &Value, key: &SigningKey) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let input = format!("{}.{}", part(header), part(claims));
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(key.sign(input.as_bytes())))
}

/// Header and claims of a token.
pub(super) fn parts(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
    let mut json = || serde_json::from_slice(&parts.next().unwrap()).unwrap();
    (json(), json())
}

/// The document of [`ON_THE_WEB`], whose key is `key`.
pub(super) fn did_document(key: &SigningKey) -> Value {
    let method = format!("{ON_THE_WEB}#key-1");
    json!({
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": ON_THE_WEB,
        "verificationMethod": [{
            "id": method,
            "type": "Multikey",
            "controller": ON_THE_WEB,
            "publicKeyMultibase": key.public().multikey().unwrap(),
        }],
        "assertionMethod": [method],
        "authentication": [method],
    })
}

/// Who signs with `key` for [`ON_THE_WEB`].
pub(super) fn signer_on_the_web(key: &SecretKey) -> Signer {
    Signer::of_document(ON_THE_WEB.parse().unwrap(), "key-1", key.clone().into())
}

/// The same value with the keys of every object in the opposite order.
pub(super) fn sorted_backwards(value: &Value) -> Value {
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

pub(super) trait Edit {
    /// This value after `change`.
    fn edited(self, change: impl FnOnce(&mut Self)) -> Self;
}

impl Edit for Value {
    fn edited(mut self, change: impl FnOnce(&mut Value)) -> Value {
        change(&mut self);
        self
    }
}

impl Edit for Map<String, Value> {
    fn edited(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}
