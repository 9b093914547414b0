//! `did:jwk`: the identifier is a JSON Web Key, in base64url.
//!
//! Its document has one verification method, `#0`. A key of more than about 370 bytes of JSON, such as one of RSA,
//! makes a DID longer than [`DID_BYTES_MAX`], which is no DID here.
//!
//! Source: did:jwk method specification (quartzjer/did-jwk).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use super::{DidMethod, Document, ResolveError, Source, document::key_of_jwk, json};
use crate::{
    key::{Did, VerifyingKey},
    limits::DID_BYTES_MAX,
};

/// The method, for the list of methods.
pub(super) const METHOD: DidMethod = DidMethod { name: "jwk", source: Source::Computed(document) };

/// The `did:jwk` of `key`; `None` when it would be longer than [`DID_BYTES_MAX`], as those of RSA keys are.
pub fn did_jwk(key: &VerifyingKey) -> Option<Did> {
    format!("did:jwk:{}", URL_SAFE_NO_PAD.encode(Value::Object(key.to_jwk()).to_string())).parse().ok()
}

/// What verification reads of the document: one key for every use.
fn document(did: &Did) -> Result<Document, ResolveError> {
    const REFUSED: ResolveError = ResolveError::Malformed("it is no did:jwk of a JWK in base64url");
    let text = did.as_str().strip_prefix("did:jwk:").ok_or(REFUSED)?;
    let text = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let Ok(Value::Object(jwk)) = json::parse(&text.ok_or(REFUSED)?, DID_BYTES_MAX) else {
        return Err(REFUSED);
    };
    let key = key_of_jwk(&jwk).ok_or(ResolveError::UnsupportedKey)?;
    Ok(Document::of_key(did.clone(), "0", key))
}
