//! `eddsa-rdfc-2022`: Ed25519 over canonical RDF. Source: W3C Data Integrity EdDSA Cryptosuites 1.0, section 3.2.

use super::{Suite, rdfc};
use crate::key::Algorithm;

/// What Open Badges certification asks for.
pub static EDDSA_RDFC_2022: Suite = Suite {
    proof_type: "DataIntegrityProof",
    cryptosuite: Some("eddsa-rdfc-2022"),
    algorithm: Algorithm::EdDsa,
    states_context: false,
    signing_input: rdfc::signing_input,
};
