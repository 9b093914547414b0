//! `ecdsa-jcs-2019` with keys on P-256. Source: W3C Data Integrity ECDSA Cryptosuites 1.0, section 3.3.

use super::{Suite, jcs};
use crate::key::Algorithm;

/// With P-256 and SHA-256; P-384 is not read.
pub static ECDSA_JCS_2019: Suite = Suite {
    proof_type: "DataIntegrityProof",
    cryptosuite: Some("ecdsa-jcs-2019"),
    algorithm: Algorithm::Es256,
    states_context: true,
    signing_input: jcs::signing_input,
};
