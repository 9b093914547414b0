//! `eddsa-2022`: the name of `eddsa-rdfc-2022` in drafts. Source: W3C Data Integrity EdDSA Cryptosuites 1.0, working drafts of 2023.

use super::{Suite, rdfc};
use crate::key::Algorithm;

/// Read, not written: badges of that time bear it.
pub static EDDSA_2022: Suite = Suite {
    proof_type: "DataIntegrityProof",
    cryptosuite: Some("eddsa-2022"),
    algorithm: Algorithm::EdDsa,
    states_context: false,
    signing_input: rdfc::signing_input,
};
