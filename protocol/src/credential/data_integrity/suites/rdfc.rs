//! What the suites over canonical RDF sign: the statements that a document makes, whatever its JSON looks like.
//!
//! Both the document and the proof are read in the document's `@context`. What a context does not define would not be
//! signed, so it is refused ([`crate::rdf`], safe mode). So is a document that says under another name or in another place what
//! a reader of its JSON looks for ([`Form::Plain`]): our checks read the JSON, and the proof is of the RDF.

use serde_json::{Map, Value};

use super::{super::ProofError, jcs::hashes};
use crate::rdf::{self, Form};

pub(in super::super) struct Texts {
    pub document: String,
    pub proof_config: String,
}

pub(in super::super) fn texts(
    document: &Map<String, Value>,
    proof: &Map<String, Value>,
    previous: &[&Value],
) -> Result<Texts, ProofError> {
    let context = document.get("@context").ok_or(ProofError::ContextNotPrefix)?;
    let mut config = proof.clone();
    config.shift_remove("proofValue");
    config.insert("@context".into(), context.clone());
    let mut unsecured = document.clone();
    unsecured.shift_remove("proof");
    if !previous.is_empty() {
        let proofs = previous.iter().map(|proof| (*proof).clone()).collect();
        unsecured.insert("proof".into(), Value::Array(proofs));
    }
    Ok(Texts {
        document: rdf::canonical_nquads(&unsecured, Form::Plain)?,
        proof_config: rdf::canonical_nquads(&config, Form::Plain)?,
    })
}

pub(in super::super) fn signing_input(
    document: &Map<String, Value>,
    proof: &Map<String, Value>,
    previous: &[&Value],
) -> Result<[u8; 64], ProofError> {
    let texts = texts(document, proof, previous)?;
    Ok(hashes(&texts.proof_config, &texts.document))
}
