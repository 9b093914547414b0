//! Cryptosuites: what a proof signs, and with which kind of key. One more is a file and a line in [`SUITES`].
//!
//! Every suite here signs 64 bytes: SHA-256 of the canonical proof without `proofValue`, then SHA-256 of the canonical
//! document without `proof`. They differ in what *canonical* means: JSON (RFC 8785) or RDF (RDFC-1.0).

mod ecdsa_jcs_2019;
mod ecdsa_rdfc_2019;
mod ed25519_signature_2020;
mod eddsa_2022;
mod eddsa_jcs_2022;
mod eddsa_rdfc_2022;
pub(super) mod jcs;
mod one_place;
pub(super) mod rdfc;

use serde_json::{Map, Value, json};

pub use self::{
    ecdsa_jcs_2019::ECDSA_JCS_2019, ecdsa_rdfc_2019::ECDSA_RDFC_2019,
    ed25519_signature_2020::ED25519_SIGNATURE_2020, eddsa_2022::EDDSA_2022, eddsa_jcs_2022::EDDSA_JCS_2022,
    eddsa_rdfc_2022::EDDSA_RDFC_2022,
};
use super::ProofError;
use crate::{key::Algorithm, text::shown};

/// Every suite that is verified here.
pub static SUITES: [&Suite; 6] = [
    &EDDSA_JCS_2022,
    &EDDSA_RDFC_2022,
    &EDDSA_2022,
    &ED25519_SIGNATURE_2020,
    &ECDSA_RDFC_2019,
    &ECDSA_JCS_2019,
];

/// The bytes that a proof signs, of a document, the proof's options and the proofs that it depends on.
type SigningInput = fn(&Map<String, Value>, &Map<String, Value>, &[&Value]) -> Result<[u8; 64], ProofError>;

/// A cryptosuite.
#[derive(Debug)]
pub struct Suite {
    /// The proof's `type`.
    pub proof_type: &'static str,
    /// The proof's `cryptosuite`; `None` for types that are a suite by themselves.
    pub cryptosuite: Option<&'static str>,
    /// The algorithm, which the key determines.
    pub algorithm: Algorithm,
    /// Whether a signer writes the document's `@context` into the proof.
    pub states_context: bool,
    /// What is signed.
    pub signing_input: SigningInput,
}

impl Suite {
    /// The suite that a proof names.
    ///
    /// # Errors
    /// [`ProofError::UnknownSuite`] when it is none of [`SUITES`], [`ProofError::Malformed`] when it names none.
    pub fn of(proof: &Map<String, Value>) -> Result<&'static Suite, ProofError> {
        let proof_type = super::text(proof, "type")?;
        let mut of_type = SUITES.into_iter().filter(|suite| suite.proof_type == proof_type).peekable();
        match of_type.peek() {
            None => Err(ProofError::UnknownSuite(shown(proof_type))),
            Some(suite) if suite.cryptosuite.is_none() => Ok(suite),
            Some(_) => {
                let name = super::text(proof, "cryptosuite")?;
                let suite = of_type.find(|suite| suite.cryptosuite == Some(name));
                suite.ok_or_else(|| ProofError::UnknownSuite(shown(name)))
            }
        }
    }

    /// Names this suite in `proof`.
    pub(super) fn name(&self, proof: &mut Map<String, Value>) {
        proof.insert("type".into(), json!(self.proof_type));
        if let Some(cryptosuite) = self.cryptosuite {
            proof.insert("cryptosuite".into(), json!(cryptosuite));
        }
    }
}
