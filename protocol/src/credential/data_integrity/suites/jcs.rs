//! What the suites over canonical JSON sign. No RDF is needed, and terms need no definition.

use std::iter;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::super::ProofError;
use crate::json::canonical_object;

/// The two canonical texts that a proof signs.
pub(in super::super) struct Texts {
    pub document: String,
    pub proof_config: String,
}

pub(in super::super) fn texts(
    document: &Map<String, Value>,
    proof: &Map<String, Value>,
    previous: &[&Value],
) -> Texts {
    let context = proof.get("@context");
    let unsecured = document.iter().filter(|(key, _)| *key != "proof").map(|(key, value)| match context {
        Some(context) if key == "@context" => (key, context),
        _ => (key, value),
    });
    let proof_config = canonical_object(proof.iter().filter(|(key, _)| *key != "proofValue"));
    let document = if previous.is_empty() {
        canonical_object(unsecured)
    } else {
        let key = "proof".to_owned();
        let proofs = Value::Array(previous.iter().map(|proof| (*proof).clone()).collect());
        canonical_object(unsecured.chain(iter::once((&key, &proofs))))
    };
    Texts { document, proof_config }
}

pub(in super::super) fn signing_input(
    document: &Map<String, Value>,
    proof: &Map<String, Value>,
    previous: &[&Value],
) -> Result<[u8; 64], ProofError> {
    let texts = texts(document, proof, previous);
    Ok(hashes(&texts.proof_config, &texts.document))
}

/// SHA-256 of the proof's canonical form, then of the document's.
pub(super) fn hashes(proof_config: &str, document: &str) -> [u8; 64] {
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(&Sha256::digest(proof_config));
    bytes[32..].copy_from_slice(&Sha256::digest(document));
    bytes
}
