//! Data Integrity proofs: a signature inside the document that it secures.
//!
//! What is signed is for the [`suites`] to say; here is what all have in common: which key a proof names, what it is for,
//! how long it holds, and how several proofs stand to each other. The proofs of a *set* are independent, and every one must
//! hold. A *chain* is a proof over others: it names them in `previousProof`, and signs the document with them in it.
//!
//! A proof by a suite that reads `@context` into its signature (`eddsa-jcs-2022`) carries the document's at signing; a
//! verifier requires the document's to begin with it and verifies the document with the proof's, so that contexts appended
//! later are outside the signature. Proofs without `@context` sign the document's own.
//!
//! Sources: W3C Verifiable Credential Data Integrity 1.0, sections 2.1 and 4. Specification: `spec/credential.md`, "Proofs".

pub mod suites;

use std::slice;

use serde_json::{Map, Value, json};

pub use self::suites::Suite;
use super::{signer::Signer, vcdm::date_time};
use crate::{
    base58,
    did::{self, Controller, Documents, Relationship},
    json::items,
    key::VerifyingKey,
    limits::{PROOF_VALUE_BYTES_MAX, PROOFS_MAX},
    rdf::RdfError,
    text::shown,
    time::Timestamp,
};

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

    /// For what the controller's document must list the key.
    pub const fn relationship(self) -> Relationship {
        match self {
            Purpose::Assertion => Relationship::AssertionMethod,
            Purpose::Authentication => Relationship::Authentication,
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

    /// That of any presentation. It shows who signed once, not who shows it now, nor to whom.
    pub const ANY_PRESENTATION: Self =
        Binding { purpose: Purpose::Authentication, challenge: None, domain: None };
}

impl<'a> Binding<'a> {
    /// That of a presentation to the verifier called `domain`, who gave `challenge` and takes it once.
    pub const fn presentation(challenge: &'a str, domain: &'a str) -> Self {
        Binding { purpose: Purpose::Authentication, challenge: Some(challenge), domain: Some(domain) }
    }
}

/// A proof that verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedProof {
    /// Whose key signed.
    pub controller: Controller,
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
    /// A proof over a proof that is not there, or that is not the only one of its `id`.
    #[error("the proof depends on another (previousProof) that the document does not carry exactly once")]
    ChainBroken,
    /// A verification method whose key is not known and cannot be had without asking the network.
    #[error("the key \"{0}\" is not known here; it must be fetched first")]
    KeyUnresolved(String),
    /// The URL of the verification method says which key it is, and the signature holds under it. Nothing binds a URL to an issuer.
    #[error(
        "its signature holds under the key that \"{0}\" names, and nothing shows that the key is its issuer's"
    )]
    KeyUnbound(String),
    /// No key that may make such a proof.
    #[error("the verification method \"{method}\": {reason}")]
    BadVerificationMethod {
        /// The verification method, fit to be shown.
        method: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The key is of a kind that the suite does not sign with.
    #[error("a key of the kind {0} makes no proof of this suite")]
    WrongKeyKind(&'static str),
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
    /// The document cannot be read as the RDF that this suite signs.
    #[error(transparent)]
    Rdf(#[from] RdfError),
    /// The signature does not belong to this key and this document.
    #[error("the signature does not verify")]
    BadSignature,
}

impl ProofError {
    /// Whether the proof could not be checked, as opposed to being invalid.
    pub const fn is_unsupported(&self) -> bool {
        match self {
            ProofError::Missing
            | ProofError::UnknownSuite(_)
            | ProofError::KeyUnresolved(_)
            | ProofError::KeyUnbound(_) => true,
            ProofError::Rdf(e) => e.is_unsupported(),
            _ => false,
        }
    }

    /// The stable name of this refusal, as vectors state it.
    pub const fn code(&self) -> &'static str {
        match self {
            ProofError::Missing => "proof-missing",
            ProofError::TooMany => "proof-too-many",
            ProofError::Malformed(_) => "proof-malformed",
            ProofError::UnknownSuite(_) => "proof-unknown-suite",
            ProofError::ChainBroken => "proof-chain-broken",
            ProofError::KeyUnresolved(_) => "proof-key-unresolved",
            ProofError::KeyUnbound(_) => "proof-key-unbound",
            ProofError::BadVerificationMethod { .. } => "proof-bad-method",
            ProofError::WrongKeyKind(_) => "proof-wrong-key-kind",
            ProofError::WrongPurpose(_) => "proof-wrong-purpose",
            ProofError::WrongChallenge => "proof-wrong-challenge",
            ProofError::WrongDomain => "proof-wrong-domain",
            ProofError::ContextNotPrefix => "proof-context-not-prefix",
            ProofError::Rdf(e) => e.code(),
            ProofError::BadSignature => "proof-bad-signature",
        }
    }
}

/// What a signer states in a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofOptions<'a> {
    /// What it is bound to.
    pub binding: Binding<'a>,
    /// When it is made.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Option<Timestamp>,
    /// Its own name, by which a later proof can depend on it.
    pub id: Option<&'a str>,
    /// The proofs of the document that it depends on, by their names.
    pub previous: &'a [&'a str],
}

impl<'a> ProofOptions<'a> {
    /// A proof without end that depends on no other.
    pub const fn new(binding: Binding<'a>, created: Timestamp) -> Self {
        ProofOptions { binding, created, expires: None, id: None, previous: &[] }
    }
}

/// `document` with a proof by `signer`, added to those that it carries already.
///
/// # Errors
/// [`ProofError`] when the key does not fit the suite, the suite cannot read the document, or a proof named in
/// `previous` is missing.
pub fn sign(
    document: Map<String, Value>,
    suite: &Suite,
    signer: &Signer,
    options: &ProofOptions<'_>,
) -> Result<Map<String, Value>, ProofError> {
    let mut proof = Map::new();
    if let Some(id) = options.id {
        proof.insert("id".into(), json!(id));
    }
    suite.name(&mut proof);
    proof.insert("created".into(), json!(options.created.to_rfc3339_seconds()));
    if let Some(expires) = options.expires {
        proof.insert("expires".into(), json!(expires.to_rfc3339_seconds()));
    }
    proof.insert("verificationMethod".into(), json!(signer.method()));
    proof.insert("proofPurpose".into(), json!(options.binding.purpose.name()));
    for (name, value) in [("challenge", options.binding.challenge), ("domain", options.binding.domain)] {
        if let Some(value) = value {
            proof.insert(name.into(), json!(value));
        }
    }
    match options.previous {
        [] => {}
        [one] => drop(proof.insert("previousProof".into(), json!(one))),
        several => drop(proof.insert("previousProof".into(), json!(several))),
    }
    if suite.states_context
        && let Some(context) = document.get("@context")
    {
        proof.insert("@context".into(), context.clone());
    }
    prove(document, proof, suite, signer)
}

/// Verifies every proof of `document` that is supported, with the keys that DIDs state themselves or that are `known`.
///
/// # Errors
/// The first proof that is invalid, or [`ProofError::Missing`] or [`ProofError::TooMany`] of the document
/// as a whole. Proofs that are not supported are returned in [`Proofs::not_checked`].
pub fn verify(
    document: &Map<String, Value>,
    expected: &Binding<'_>,
    known: &Documents,
) -> Result<Proofs, ProofError> {
    let proofs = proofs_of(document)?;
    let mut outcome = Proofs::default();
    for proof in proofs {
        let proof = proof.as_object().ok_or(ProofError::Malformed("proof"))?;
        match verify_one(document, proofs, proof, expected, known) {
            Ok(verified) => outcome.verified.push(verified),
            Err(e) if e.is_unsupported() => outcome.not_checked.push(e),
            Err(e) => return Err(e),
        }
    }
    Ok(outcome)
}

/// The verification methods that the proofs of `document` name, for finding out whose documents are needed.
pub fn verification_methods(document: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let proofs = proofs_of(document).unwrap_or_default();
    proofs.iter().filter_map(|proof| proof.get("verificationMethod")?.as_str())
}

/// Signs `document` with exactly these proof options.
pub(super) fn prove(
    mut document: Map<String, Value>,
    mut options: Map<String, Value>,
    suite: &Suite,
    signer: &Signer,
) -> Result<Map<String, Value>, ProofError> {
    let algorithm = signer.key().public().algorithm();
    if algorithm != suite.algorithm {
        return Err(ProofError::WrongKeyKind(algorithm.name()));
    }
    let previous = previous_proofs(&options, items(document.get("proof")))?;
    let input = (suite.signing_input)(&document, &options, &previous)?;
    let signature = signer.key().sign(&input);
    options.insert("proofValue".into(), json!(format!("z{}", base58::encode(&signature))));
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
    Ok(document)
}

fn proofs_of(document: &Map<String, Value>) -> Result<&[Value], ProofError> {
    match document.get("proof") {
        None => Err(ProofError::Missing),
        Some(Value::Array(proofs)) if proofs.is_empty() => Err(ProofError::Missing),
        Some(Value::Array(proofs)) if proofs.len() > PROOFS_MAX => Err(ProofError::TooMany),
        Some(Value::Array(proofs)) => Ok(proofs),
        Some(proof) => Ok(slice::from_ref(proof)),
    }
}

fn verify_one(
    document: &Map<String, Value>,
    proofs: &[Value],
    proof: &Map<String, Value>,
    expected: &Binding<'_>,
    known: &Documents,
) -> Result<VerifiedProof, ProofError> {
    let suite = Suite::of(proof)?;
    let method = text(proof, "verificationMethod")?;
    match text(proof, "proofPurpose")? {
        purpose if purpose == expected.purpose.name() => {}
        other => return Err(ProofError::WrongPurpose(shown(other))),
    }
    // Some badges name the DID alone. It has one key, so nothing is left open.
    let sole_key = method.strip_prefix("did:key:").filter(|key| !key.contains('#'));
    let sole_method = sole_key.map(|key| format!("{method}#{key}"));
    let method = sole_method.as_deref().unwrap_or(method);
    let relationship = expected.purpose.relationship();
    let (key, resolved) = match did::verification_key(method, relationship, known) {
        Ok(resolved) => (resolved.key.clone(), Some(resolved)),
        // A key that states itself in its URL shows whether the document was changed, and no more.
        Err(e) if e.is_unsupported() => match stated_key(method) {
            Some(key) => (key, None),
            None => return Err(ProofError::KeyUnresolved(shown(method))),
        },
        Err(e) => {
            return Err(ProofError::BadVerificationMethod { method: shown(method), reason: e.to_string() });
        }
    };
    if key.algorithm() != suite.algorithm {
        return Err(ProofError::WrongKeyKind(key.algorithm().name()));
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
    let previous = previous_proofs(proof, proofs)?;
    let input = (suite.signing_input)(document, proof, &previous)?;
    key.verify(&input, &signature).map_err(|_| ProofError::BadSignature)?;
    let Some(resolved) = resolved else { return Err(ProofError::KeyUnbound(shown(method))) };
    // Nothing holds longer than the key that it is signed with.
    let expires = expires.into_iter().chain(resolved.ends).min();
    Ok(VerifiedProof { controller: resolved.controller, created, expires })
}

/// The key of an `https:` URL whose fragment is a Multikey.
fn stated_key(method: &str) -> Option<VerifyingKey> {
    VerifyingKey::from_multikey(method.strip_prefix("https:")?.split_once('#')?.1)
}

/// The proofs that `proof` depends on, in the order in which the document has them ([VC-DI] section 4.6, "Verify Proof
/// Sets and Chains").
fn previous_proofs<'a>(proof: &Map<String, Value>, all: &'a [Value]) -> Result<Vec<&'a Value>, ProofError> {
    let names = items(proof.get("previousProof"));
    if names.len() > PROOFS_MAX {
        return Err(ProofError::TooMany);
    }
    for name in names {
        let name = name.as_str().ok_or(ProofError::Malformed("previousProof"))?;
        if all.iter().filter(|p| p.get("id").and_then(Value::as_str) == Some(name)).count() != 1 {
            return Err(ProofError::ChainBroken);
        }
    }
    // A proof that named itself would have to sign its own signature.
    if proof.get("id").is_some_and(|id| names.contains(id)) {
        return Err(ProofError::ChainBroken);
    }
    Ok(all.iter().filter(|p| p.get("id").is_some_and(|id| names.contains(id))).collect())
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

fn proof_value(text: &str) -> Option<Vec<u8>> {
    // 64 bytes are at most 88 digits of base 58; decoding longer ones would cost quadratic time.
    if text.len() > PROOF_VALUE_BYTES_MAX {
        return None;
    }
    base58::decode(text.strip_prefix('z')?).filter(|bytes| bytes.len() == 64)
}

#[cfg(test)]
mod tests;
