//! `eddsa-jcs-2022`: Ed25519 over canonical JSON. Source: W3C Data Integrity EdDSA Cryptosuites 1.0, section 3.3.

use super::{Suite, jcs};
use crate::key::Algorithm;

/// Our default.
pub static EDDSA_JCS_2022: Suite = Suite {
    proof_type: "DataIntegrityProof",
    cryptosuite: Some("eddsa-jcs-2022"),
    algorithm: Algorithm::EdDsa,
    states_context: true,
    signing_input: jcs::signing_input,
};
