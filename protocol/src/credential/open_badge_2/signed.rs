//! Assertions in a compact JWS (RFC 7515), taken apart; whether the signature is good, others say.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{Assertion, AssertionError, object};
use crate::limits::CREDENTIAL_BYTES_MAX;

/// An assertion with a signature that was not yet verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedAssertion {
    /// What is signed.
    pub assertion: Assertion,
    /// The algorithm that the header names, such as `RS256`. It is the attacker's to choose: whoever verifies
    /// decides by the key.
    pub algorithm: String,
    /// The bytes that are signed: header and payload as they came.
    pub signing_input: String,
    /// The signature.
    pub signature: Vec<u8>,
}

impl SignedAssertion {
    /// Reads a compact JWS whose payload is an assertion. With base64url a third longer than what it holds, it
    /// has at most twice [`CREDENTIAL_BYTES_MAX`] bytes.
    ///
    /// # Errors
    /// [`AssertionError`] names the first rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, AssertionError> {
        let text = text.trim();
        let parts: Vec<&str> = text.splitn(4, '.').collect();
        let &[header, payload, signature] = parts.as_slice() else { return Err(AssertionError::Jws) };
        if text.len() > 2 * CREDENTIAL_BYTES_MAX {
            return Err(AssertionError::Jws);
        }
        let header = object(&decoded(header)?)?;
        // Extensions that have to be understood, of which none is.
        if header.contains_key("crit") {
            return Err(AssertionError::JwsHeader);
        }
        let algorithm = header.get("alg").and_then(|alg| alg.as_str()).ok_or(AssertionError::JwsHeader)?;
        Ok(SignedAssertion {
            assertion: Assertion::parse(&decoded(payload)?)?,
            algorithm: algorithm.to_owned(),
            signing_input: text[..text.len() - signature.len() - 1].to_owned(),
            signature: URL_SAFE_NO_PAD.decode(signature).map_err(|_| AssertionError::Jws)?,
        })
    }
}

fn decoded(part: &str) -> Result<String, AssertionError> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| AssertionError::Jws)?;
    String::from_utf8(bytes).map_err(|_| AssertionError::Jws)
}
