//! Data Integrity proofs with the cryptosuite `eddsa-jcs-2022`: Ed25519 over canonical JSON, no RDF needed.
//!
//! A proof signs SHA-256(canonical proof without `proofValue`) followed by SHA-256(canonical document
//! without `proof`). The proof carries the document's `@context` at signing; a verifier requires the
//! document's to begin with it and verifies the document with the proof's, so that contexts appended later
//! are outside the signature. Proofs without `@context` sign the document's own.
//!
//! Keys are `did:key`: verification reads no document and asks no network.
//!
//! Sources: W3C Data Integrity EdDSA Cryptosuites v1.0, section 3.3; W3C Verifiable Credential Data
//! Integrity 1.0, sections 2.1 and 4.4. Specification: `spec/credential.md`, "Proofs".

use std::slice;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{
    json::{canonical_object, items},
    text::shown,
};
use crate::{
    key::{Did, PublicKey, SecretKey, Signature},
    limits::PROOFS_MAX,
    time::Timestamp,
};

/// The cryptosuite that this module signs and verifies.
pub const CRYPTOSUITE: &str = "eddsa-jcs-2022";

/// What a proof is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The controller asserts the document: credentials.
    Assertion,
    /// The controller shows that it is present: presentations.
    Authentication,
}

impl Purpose {
    /// The value of `proofPurpose`.
    pub const fn name(self) -> &'static str {
        match self {
            Purpose::Assertion => "assertionMethod",
            Purpose::Authentication => "authentication",
        }
    }
}

/// What a proof is bound to: stated when signing, expected when verifying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding<'a> {
    /// `proofPurpose`.
    pub purpose: Purpose,
    /// `challenge`; `None` states none and expects any or none.
    pub challenge: Option<&'a str>,
    /// `domain`; `None` states none and expects any or none.
    pub domain: Option<&'a str>,
}

impl Binding<'static> {
    /// That of a credential: an assertion, bound to no challenge and no domain.
    pub const ASSERTION: Self = Binding { purpose: Purpose::Assertion, challenge: None, domain: None };
}

/// A proof that verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedProof {
    /// The DID whose key signed.
    pub controller: Did,
    /// When it says it was made.
    pub created: Option<Timestamp>,
    /// When it says it ends. Whether that has passed is for the caller to judge.
    pub expires: Option<Timestamp>,
}

/// The proofs of a document of which none is invalid.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proofs {
    /// Those that verified.
    pub verified: Vec<VerifiedProof>,
    /// Why the others could not be checked; they count for nothing.
    pub not_checked: Vec<ProofError>,
}

/// Why a proof does not verify, or could not be checked ([`ProofError::is_unsupported`]).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The document has no proof.
    #[error("it carries no proof")]
    Missing,
    /// More proofs than [`PROOFS_MAX`].
    #[error("more than {PROOFS_MAX} proofs")]
    TooMany,
    /// A proof lacks a property, or states it in a form that it cannot have.
    #[error("the proof's `{0}` is missing or malformed")]
    Malformed(&'static str),
    /// A proof type or cryptosuite that is not implemented here.
    #[error("the proof's suite \"{0}\" is not supported")]
    UnknownSuite(String),
    /// A proof over other proofs, which is not implemented here.
    #[error("the proof depends on another (previousProof), which is not supported")]
    Chained,
    /// A verification method whose key cannot be had without asking the network.
    #[error("the key \"{0}\" cannot be resolved offline (did:key is supported)")]
    KeyUnresolved(String),
    /// Not `did:key:X#X` of an Ed25519 key.
    #[error("the verification method \"{0}\" is not did:key:X#X of an Ed25519 key")]
    BadVerificationMethod(String),
    /// Made for something else.
    #[error("the proof's purpose is \"{0}\"")]
    WrongPurpose(String),
    /// Made for another challenge, or for none.
    #[error("the proof answers another challenge")]
    WrongChallenge,
    /// Made for another domain, or for none.
    #[error("the proof was made for another domain")]
    WrongDomain,
    /// The proof's contexts are not what the document's begin with.
    #[error("the document's @context does not begin with the proof's")]
    ContextNotPrefix,
    /// The signature does not belong to this key and this document.
    #[error("the signature does not verify")]
    BadSignature,
}

impl ProofError {
    /// Whether the proof could not be checked, as opposed to being invalid.
    pub const fn is_unsupported(&self) -> bool {
        use ProofError::{Chained, KeyUnresolved, Missing, UnknownSuite};
        matches!(self, Missing | UnknownSuite(_) | Chained | KeyUnresolved(_))
    }

    /// The stable name of this refusal, as vectors state it.
    pub const fn code(&self) -> &'static str {
        match self {
            ProofError::Missing => "proof-missing",
            ProofError::TooMany => "proof-too-many",
            ProofError::Malformed(_) => "proof-malformed",
            ProofError::UnknownSuite(_) => "proof-unknown-suite",
            ProofError::Chained => "proof-chained",
            ProofError::KeyUnresolved(_) => "proof-key-unresolved",
            ProofError::BadVerificationMethod(_) => "proof-bad-method",
            ProofError::WrongPurpose(_) => "proof-wrong-purpose",
            ProofError::WrongChallenge => "proof-wrong-challenge",
            ProofError::WrongDomain => "proof-wrong-domain",
            ProofError::ContextNotPrefix => "proof-context-not-prefix",
            ProofError::BadSignature => "proof-bad-signature",
        }
    }
}

/// `document` with a proof by `key`, added to those that it carries already.
pub fn sign(
    document: Map<String, Value>,
    key: &SecretKey,
    binding: &Binding<'_>,
    created: Timestamp,
) -> Map<String, Value> {
    let did = key.did();
    let mut options = Map::new();
    options.insert("type".into(), json!("DataIntegrityProof"));
    options.insert("cryptosuite".into(), json!(CRYPTOSUITE));
    options.insert("created".into(), json!(created.to_rfc3339_seconds()));
    options.insert("verificationMethod".into(), json!(format!("{did}#{}", key.public().multibase())));
    options.insert("proofPurpose".into(), json!(binding.purpose.name()));
    for (name, value) in [("challenge", binding.challenge), ("domain", binding.domain)] {
        if let Some(value) = value {
            options.insert(name.into(), json!(value));
        }
    }
    if let Some(context) = document.get("@context") {
        options.insert("@context".into(), context.clone());
    }
    prove(document, options, key)
}

/// Verifies every proof of `document` that is supported.
///
/// # Errors
/// The first proof that is invalid, or [`ProofError::Missing`] or [`ProofError::TooMany`] of the document
/// as a whole. Proofs that are not supported are returned in [`Proofs::not_checked`].
pub fn verify(document: &Map<String, Value>, expected: &Binding<'_>) -> Result<Proofs, ProofError> {
    let proofs = match document.get("proof") {
        None => return Err(ProofError::Missing),
        Some(Value::Array(proofs)) if proofs.is_empty() => return Err(ProofError::Missing),
        Some(Value::Array(proofs)) if proofs.len() > PROOFS_MAX => return Err(ProofError::TooMany),
        Some(Value::Array(proofs)) => proofs.as_slice(),
        Some(proof) => slice::from_ref(proof),
    };
    let mut outcome = Proofs::default();
    for proof in proofs {
        let proof = proof.as_object().ok_or(ProofError::Malformed("proof"))?;
        match verify_one(document, proof, expected) {
            Ok(verified) => outcome.verified.push(verified),
            Err(e) if e.is_unsupported() => outcome.not_checked.push(e),
            Err(e) => return Err(e),
        }
    }
    Ok(outcome)
}

/// Signs `document` with exactly these proof options.
pub(super) fn prove(
    mut document: Map<String, Value>,
    mut options: Map<String, Value>,
    key: &SecretKey,
) -> Map<String, Value> {
    let signature = key.sign(&signing_input(&document, &options).bytes());
    options.insert("proofValue".into(), json!(format!("z{}", bs58::encode(signature.0).into_string())));
    let proof = Value::Object(options);
    let proofs = match document.remove("proof") {
        None => proof,
        Some(Value::Array(mut proofs)) => {
            proofs.push(proof);
            Value::Array(proofs)
        }
        Some(first) => Value::Array(vec![first, proof]),
    };
    document.insert("proof".into(), proofs);
    document
}

/// The instant that an XML Schema 1.1 `dateTimeStamp` names: RFC 3339 with `T` and an offset.
pub(super) fn date_time(text: &str) -> Option<Timestamp> {
    let shape: &[u8] = b"dddd-dd-ddTdd:dd:dd";
    let (head, tail) = text.as_bytes().split_at_checked(shape.len())?;
    let fits = head.iter().zip(shape).all(|(b, s)| if *s == b'd' { b.is_ascii_digit() } else { b == s });
    let digits = match tail {
        [b'.', fraction @ ..] => fraction.iter().take_while(|b| b.is_ascii_digit()).count(),
        _ => 0,
    };
    let offset = if digits > 0 { tail.get(digits + 1..)? } else { tail };
    let has_offset = match offset {
        b"Z" => true,
        [b'+' | b'-', h1, h2, b':', m1, m2] => [h1, h2, m1, m2].iter().all(|b| b.is_ascii_digit()),
        _ => false,
    };
    if fits && has_offset && digits <= 9 { text.parse().ok() } else { None }
}

fn verify_one(
    document: &Map<String, Value>,
    proof: &Map<String, Value>,
    expected: &Binding<'_>,
) -> Result<VerifiedProof, ProofError> {
    match text(proof, "type")? {
        "DataIntegrityProof" => {}
        other => return Err(ProofError::UnknownSuite(shown(other))),
    }
    match text(proof, "cryptosuite")? {
        CRYPTOSUITE => {}
        other => return Err(ProofError::UnknownSuite(shown(other))),
    }
    if proof.contains_key("previousProof") {
        return Err(ProofError::Chained);
    }
    let key = verification_key(text(proof, "verificationMethod")?)?;
    match text(proof, "proofPurpose")? {
        purpose if purpose == expected.purpose.name() => {}
        other => return Err(ProofError::WrongPurpose(shown(other))),
    }
    if expected.challenge.is_some_and(|c| proof.get("challenge") != Some(&json!(c))) {
        return Err(ProofError::WrongChallenge);
    }
    if expected.domain.is_some_and(|d| !names_only(proof.get("domain"), d)) {
        return Err(ProofError::WrongDomain);
    }
    let created = optional_date(proof, "created")?;
    let expires = optional_date(proof, "expires")?;
    let signature = proof_value(text(proof, "proofValue")?).ok_or(ProofError::Malformed("proofValue"))?;
    if proof.get("@context").is_some_and(|c| !is_prefix(c, document.get("@context"))) {
        return Err(ProofError::ContextNotPrefix);
    }
    let input = signing_input(document, proof).bytes();
    key.verify(&input, &signature).map_err(|_| ProofError::BadSignature)?;
    Ok(VerifiedProof { controller: key.did(), created, expires })
}

fn text<'a>(proof: &'a Map<String, Value>, property: &'static str) -> Result<&'a str, ProofError> {
    proof.get(property).and_then(Value::as_str).ok_or(ProofError::Malformed(property))
}

fn optional_date(
    proof: &Map<String, Value>,
    property: &'static str,
) -> Result<Option<Timestamp>, ProofError> {
    match proof.get(property) {
        None => Ok(None),
        Some(value) => value.as_str().and_then(date_time).map(Some).ok_or(ProofError::Malformed(property)),
    }
}

fn verification_key(method: &str) -> Result<PublicKey, ProofError> {
    let Some(rest) = method.strip_prefix("did:key:") else {
        return Err(ProofError::KeyUnresolved(shown(method)));
    };
    let key = match rest.split_once('#') {
        Some((did, fragment)) if did == fragment => PublicKey::from_multibase(fragment),
        _ => None,
    };
    key.ok_or_else(|| ProofError::BadVerificationMethod(shown(method)))
}

/// Whether `domain`, a text or a set of texts, names `expected` and nothing else.
fn names_only(domain: Option<&Value>, expected: &str) -> bool {
    let domains = items(domain);
    !domains.is_empty() && domains.iter().all(|d| d.as_str() == Some(expected))
}

/// Whether the document's contexts begin with the proof's. An empty list would sign no context at all,
/// which no credential may have.
fn is_prefix(proof_context: &Value, document_context: Option<&Value>) -> bool {
    let prefix = items(Some(proof_context));
    !prefix.is_empty() && items(document_context).starts_with(prefix)
}

fn proof_value(text: &str) -> Option<Signature> {
    // 64 bytes are at most 88 digits of base 58; decoding longer ones would cost quadratic time.
    if text.len() > 89 {
        return None;
    }
    let bytes = bs58::decode(text.strip_prefix('z')?).into_vec().ok()?;
    Some(Signature(bytes.try_into().ok()?))
}

/// The two canonical texts that a proof signs.
struct SigningInput {
    document: String,
    proof_config: String,
}

fn signing_input(document: &Map<String, Value>, proof: &Map<String, Value>) -> SigningInput {
    let context = proof.get("@context");
    let unsecured = document.iter().filter(|(key, _)| *key != "proof").map(|(key, value)| match context {
        Some(context) if key == "@context" => (key, context),
        _ => (key, value),
    });
    SigningInput {
        document: canonical_object(unsecured),
        proof_config: canonical_object(proof.iter().filter(|(key, _)| *key != "proofValue")),
    }
}

impl SigningInput {
    fn bytes(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&Sha256::digest(&self.proof_config));
        bytes[32..].copy_from_slice(&Sha256::digest(&self.document));
        bytes
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{super::json, *};

    macro_rules! published {
        ($file:literal) => {
            include_str!(concat!("../../vectors/credential/w3c-di-eddsa-jcs-2022/", $file))
        };
    }

    fn object(text: &str) -> Map<String, Value> {
        json::parse(text, 1 << 16).unwrap().as_object().unwrap().clone()
    }

    fn published_key() -> SecretKey {
        let pair = object(published!("keyPair.json"));
        let text = pair["privateKeyMultibase"].as_str().unwrap();
        let bytes = bs58::decode(text.strip_prefix('z').unwrap()).into_vec().unwrap();
        // Multicodec ed25519-priv (0x1300) as a varint, then the seed.
        let key = SecretKey::from_seed(bytes.strip_prefix(&[0x80, 0x26]).unwrap().try_into().unwrap());
        assert_eq!(key.public().multibase(), pair["publicKeyMultibase"].as_str().unwrap());
        key
    }

    #[test]
    fn every_intermediate_value_of_the_published_vector() {
        let document = object(published!("unsigned.json"));
        let options = object(published!("proofConfigJCS.json"));
        let input = signing_input(&document, &options);
        let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        assert_eq!(input.document, published!("canonDocJCS.txt"));
        assert_eq!(input.proof_config, published!("proofCanonJCS.txt"));
        assert_eq!(hex(&Sha256::digest(&input.document)), published!("docHashJCS.txt"));
        assert_eq!(hex(&Sha256::digest(&input.proof_config)), published!("proofHashJCS.txt"));
        assert_eq!(hex(&input.bytes()), published!("combinedHashJCS.txt"));
        assert_eq!(hex(&published_key().sign(&input.bytes()).0), published!("sigHexJCS.txt"));

        let signed = object(published!("signedJCS.json"));
        assert_eq!(signed["proof"]["proofValue"], published!("sigBTC58JCS.txt"));
        let created = "2023-02-24T23:36:38Z".parse().unwrap();
        assert_eq!(sign(document, &published_key(), &Binding::ASSERTION, created), signed);
        let verified =
            VerifiedProof { controller: published_key().did(), created: Some(created), expires: None };
        let expected = Proofs { verified: vec![verified], not_checked: vec![] };
        assert_eq!(verify(&signed, &Binding::ASSERTION), Ok(expected));
    }

    #[test]
    fn contexts_may_be_appended_and_nothing_else() {
        let signed = object(published!("signedJCS.json"));
        let with_contexts = |contexts: Value| {
            let mut changed = signed.clone();
            changed.insert("@context".into(), contexts);
            verify(&changed, &Binding::ASSERTION).map(|proofs| proofs.verified.len())
        };
        let [v2, examples] =
            ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"];
        assert_eq!(with_contexts(json!([v2, examples, "https://example.org/more"])), Ok(1));
        for contexts in [json!([v2]), json!([examples, v2]), json!(v2), json!([v2, "other", examples])] {
            assert_eq!(with_contexts(contexts), Err(ProofError::ContextNotPrefix));
        }
        let mut without = signed.clone();
        without.remove("@context");
        assert_eq!(verify(&without, &Binding::ASSERTION), Err(ProofError::ContextNotPrefix));
    }

    #[test]
    fn proofs_without_context_sign_the_documents_own() {
        let mut options = object(published!("proofConfigJCS.json"));
        options.remove("@context");
        let mut signed = prove(object(published!("unsigned.json")), options, &published_key());
        assert_eq!(verify(&signed, &Binding::ASSERTION).unwrap().verified.len(), 1);
        signed["@context"].as_array_mut().unwrap().push(json!("https://example.org/more"));
        assert_eq!(verify(&signed, &Binding::ASSERTION), Err(ProofError::BadSignature));
    }

    #[test]
    fn every_proof_of_a_set_must_hold() {
        let now = Timestamp::from_unix_ms(1_800_000_000_000);
        let other = SecretKey::from_seed([5; 32]);
        let signed = object(published!("signedJCS.json"));
        let mut both = sign(signed, &other, &Binding::ASSERTION, now);
        let proofs = verify(&both, &Binding::ASSERTION).unwrap();
        assert_eq!(proofs.verified[1].controller, other.did());
        both["proof"][1]["created"] = json!("2023-02-24T23:36:39Z");
        assert_eq!(verify(&both, &Binding::ASSERTION), Err(ProofError::BadSignature));
        both["proof"][1] = json!({"type": "Ed25519Signature2020"});
        let proofs = verify(&both, &Binding::ASSERTION).unwrap();
        assert_eq!(proofs.verified.len(), 1);
        assert_eq!(proofs.not_checked, [ProofError::UnknownSuite("Ed25519Signature2020".into())]);
        both["proof"] = json!(vec![both["proof"][0].clone(); PROOFS_MAX + 1]);
        assert_eq!(verify(&both, &Binding::ASSERTION), Err(ProofError::TooMany));
    }

    #[test]
    fn dates_have_one_form() {
        let good = ["2026-11-23T17:00:00Z", "2026-11-23T17:00:00.125Z", "2022-11-10T07:38:00-08:00"];
        assert!(good.iter().all(|text| date_time(text).is_some()));
        for bad in [
            "",
            "2026-11-23",
            "2026-11-23 17:00:00Z",
            "2026-11-23T17:00:00",
            "2026-11-23T17:00:00.Z",
            "2026-11-23T17:00:00z",
            "2026-11-23T17:00:00+01",
            "2026-11-23T17:00:00Z[UTC]",
            "2026-13-23T17:00:00Z",
            "2026-11-23T17:00:00.1234567891Z",
            "é026-11-23T17:00:00Z",
            "1969-12-31T23:59:59Z",
        ] {
            assert_eq!(date_time(bad), None, "{bad}");
        }
    }
}
