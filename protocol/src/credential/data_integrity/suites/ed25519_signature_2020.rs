//! `Ed25519Signature2020`: the predecessor of `eddsa-rdfc-2022`. Source: W3C Data Integrity EdDSA Cryptosuites 1.0, section A.

use super::{Suite, rdfc};
use crate::key::Algorithm;

/// Read, not written.
pub static ED25519_SIGNATURE_2020: Suite = Suite {
    proof_type: "Ed25519Signature2020",
    cryptosuite: None,
    algorithm: Algorithm::EdDsa,
    states_context: false,
    signing_input: rdfc::signing_input,
};
