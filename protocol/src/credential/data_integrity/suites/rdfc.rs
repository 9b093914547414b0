//! What the suites over canonical RDF sign: the statements that a document makes, whatever its JSON looks like.
//!
//! Both the document and the proof are read in the document's `@context`. What a context does not define would not be
//! signed, so it is refused ([`crate::rdf`], safe mode). And since statements are signed while JSON is read, a document has to
//! make its statements where they are read ([`rdf::canonical_nquads_of_plain`], [`one_place`]): else its holder could write it
//! anew so that nobody sees when it ends.

use serde_json::{Map, Value};

use super::{super::ProofError, jcs::hashes, one_place};
use crate::{
    rdf::{self, RdfError},
    text::shown,
};

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
    let texts = Texts {
        document: rdf::canonical_nquads_of_plain(&unsecured)?,
        proof_config: rdf::canonical_nquads_of_plain(&config)?,
    };
    match one_place::scattered(&unsecured) {
        Some(id) => Err(RdfError::NotPlain(shown(id)).into()),
        None => Ok(texts),
    }
}

pub(in super::super) fn signing_input(
    document: &Map<String, Value>,
    proof: &Map<String, Value>,
    previous: &[&Value],
) -> Result<[u8; 64], ProofError> {
    let texts = texts(document, proof, previous)?;
    Ok(hashes(&texts.proof_config, &texts.document))
}
