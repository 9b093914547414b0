//! `ecdsa-rdfc-2019` with keys on P-256. Source: W3C Data Integrity ECDSA Cryptosuites 1.0, section 3.2.

use super::{Suite, rdfc};
use crate::key::Algorithm;

/// With P-256 and SHA-256; P-384 is not read.
pub static ECDSA_RDFC_2019: Suite = Suite {
    proof_type: "DataIntegrityProof",
    cryptosuite: Some("ecdsa-rdfc-2019"),
    algorithm: Algorithm::Es256,
    states_context: false,
    signing_input: rdfc::signing_input,
};
