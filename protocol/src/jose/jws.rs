//! JSON Web Signatures in the compact serialization (RFC 7515 section 7.1): header, payload and signature in base64url.
//!
//! Specification: `spec/jose.md`.

use serde_json::{Map, Value, json};

use super::{decode, encode};
use crate::{
    json::{self, JsonError},
    key::{Algorithm, JwkError, SigningKey, VerifyingKey},
    limits::{JWT_BYTES_MAX, JWT_HEADER_BYTES_MAX},
    text::shown,
};

/// A signed token that is structurally sound. Whether the signature holds, [`Jws::verify`] says.
#[derive(Clone, Debug)]
pub struct Jws {
    text: String,
    /// Bytes of `text` that are signed: header, dot, payload.
    signed_bytes: usize,
    header: Map<String, Value>,
    algorithm: Algorithm,
    typ: Option<String>,
    jwk: Option<VerifyingKey>,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

/// Why a text is no token that can be relied upon.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoseError {
    /// Longer than [`JWT_BYTES_MAX`], or its header than [`JWT_HEADER_BYTES_MAX`].
    #[error("a token of {actual} bytes, more than the {max} allowed")]
    TooLong {
        /// Bytes received.
        actual: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// Not three parts with dots between them.
    #[error("not a signed token: three parts with dots between them are expected")]
    Form,
    /// A part is not base64url without padding, in the one form that encodes its bytes.
    #[error("the token's {0} is not base64url")]
    Base64(&'static str),
    /// The header or the claims are no strict JSON.
    #[error("the token's {part}: {source}")]
    Json {
        /// Which part.
        part: &'static str,
        /// What is wrong with it.
        source: JsonError,
    },
    /// The header or the claims are JSON, but no object.
    #[error("the token's {0} must be a JSON object")]
    NotAnObject(&'static str),
    /// A member of the header has a value of the wrong kind, or is missing.
    #[error("the header's `{0}` is missing or malformed")]
    Member(&'static str),
    /// `alg` is `none`: nobody signed.
    #[error("the token is unsigned (`alg` is none); ask for a signed one")]
    Unsigned,
    /// An algorithm that is not supported.
    #[error("the algorithm {0} is not supported (EdDSA, ES256 and RS256 are)")]
    Algorithm(String),
    /// The payload is signed as it is, outside the token (RFC 7797).
    #[error("tokens with an unencoded payload (`b64` is false) are not supported")]
    Unencoded,
    /// `crit` names extensions that must be understood. None is.
    #[error("the header demands extensions (`crit`) that are not supported")]
    Critical,
    /// The key in the header is none, or a private one.
    #[error("the key in the header: {0}")]
    Jwk(#[from] JwkError),
    /// The header names an algorithm that the key does not verify.
    #[error("the token says {header}, but the key verifies {key}")]
    AlgorithmOfAnotherKey {
        /// The header's algorithm.
        header: &'static str,
        /// The key's algorithm.
        key: &'static str,
    },
    /// The signature is not by this key, or not over this header and payload.
    #[error("the token's signature does not verify")]
    Signature,
    /// A time among the claims is no number of seconds from 1970 on.
    #[error("the claim `{0}` must be a number of seconds since 1970")]
    Date(&'static str),
}

impl JoseError {
    /// The stable name of this refusal, as vectors state it.
    pub const fn code(&self) -> &'static str {
        match self {
            JoseError::TooLong { .. } => "too-long",
            JoseError::Form => "jws-form",
            JoseError::Base64(_) => "jws-base64",
            JoseError::Json { source, .. } => source.code(),
            JoseError::NotAnObject(_) => "not-an-object",
            JoseError::Member(_) => "header-member",
            JoseError::Unsigned => "alg-none",
            JoseError::Algorithm(_) => "alg-unsupported",
            JoseError::Unencoded => "b64-false",
            JoseError::Critical => "crit-unsupported",
            JoseError::Jwk(JwkError::Unsupported) => "jwk-unsupported",
            JoseError::Jwk(JwkError::Member(_)) => "jwk-member",
            JoseError::Jwk(JwkError::Invalid) => "jwk-invalid",
            JoseError::Jwk(JwkError::Private) => "jwk-private",
            JoseError::AlgorithmOfAnotherKey { .. } => "alg-of-another-key",
            JoseError::Signature => "jws-signature",
            JoseError::Date(_) => "jwt-date",
        }
    }
}

/// What a signer states beside its algorithm, which its key determines.
#[derive(Clone, Debug, Default)]
pub struct Header {
    /// What the whole is, as a media type without `application/` (RFC 7515 section 4.1.9).
    pub typ: Option<String>,
    /// What the payload is, likewise (section 4.1.10).
    pub cty: Option<String>,
    /// Which key signed, by a name that the verifier knows (section 4.1.4).
    pub kid: Option<String>,
    /// Which key signed, itself (section 4.1.3).
    pub jwk: Option<VerifyingKey>,
}

impl Jws {
    /// Reads a token of at most [`JWT_BYTES_MAX`] bytes.
    ///
    /// # Errors
    /// [`JoseError`] names the first rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, JoseError> {
        bounded(text.len(), JWT_BYTES_MAX)?;
        let parts: Vec<&str> = text.splitn(4, '.').collect();
        let [header, payload, signature] = parts[..] else { return Err(JoseError::Form) };
        let signed_bytes = header.len() + 1 + payload.len();
        let header = decode(header).ok_or(JoseError::Base64("header"))?;
        bounded(header.len(), JWT_HEADER_BYTES_MAX)?;
        let header = object(&header, "header")?;
        let algorithm = algorithm(&header)?;
        check_extensions(&header)?;
        let jwk = match header.get("jwk") {
            None => None,
            Some(Value::Object(jwk)) => Some(VerifyingKey::from_jwk(jwk)?),
            Some(_) => return Err(JoseError::Member("jwk")),
        };
        let typ = text_of(&header, "typ")?.map(media_type);
        text_of(&header, "kid")?;
        let payload = decode(payload).ok_or(JoseError::Base64("payload"))?;
        let signature = decode(signature).ok_or(JoseError::Base64("signature"))?;
        Ok(Jws { text: text.to_owned(), signed_bytes, header, algorithm, typ, jwk, payload, signature })
    }

    /// Signs `payload`. No bound is checked: a payload that is too long is refused by whoever reads it.
    pub fn sign(header: &Header, payload: &[u8], key: &SigningKey) -> String {
        let mut members = Map::new();
        members.insert("alg".into(), json!(key.public().algorithm().name()));
        for (name, value) in [("typ", &header.typ), ("cty", &header.cty), ("kid", &header.kid)] {
            if let Some(value) = value {
                members.insert(name.into(), json!(value));
            }
        }
        if let Some(jwk) = &header.jwk {
            members.insert("jwk".into(), Value::Object(jwk.to_jwk()));
        }
        let mut text = encode(Value::Object(members).to_string());
        text.push('.');
        text.push_str(&encode(payload));
        let signature = key.sign(text.as_bytes());
        text.push('.');
        text.push_str(&encode(signature));
        text
    }

    /// Verifies that the holder of `key` signed this header and this payload.
    ///
    /// # Errors
    /// [`JoseError::AlgorithmOfAnotherKey`] when the header names an algorithm that is not the key's (RFC 8725 section
    /// 3.1), [`JoseError::Signature`] otherwise.
    pub fn verify(&self, key: &VerifyingKey) -> Result<(), JoseError> {
        if key.algorithm() != self.algorithm {
            let (header, key) = (self.algorithm.name(), key.algorithm().name());
            return Err(JoseError::AlgorithmOfAnotherKey { header, key });
        }
        key.verify(self.signing_input().as_bytes(), &self.signature).map_err(|_| JoseError::Signature)
    }

    /// The token as it came.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What is signed: header and payload in base64url, with a dot between them.
    pub fn signing_input(&self) -> &str {
        &self.text[..self.signed_bytes]
    }

    /// The header, whole. Only what is signed with a trusted key is worth anything.
    pub fn header(&self) -> &Map<String, Value> {
        &self.header
    }

    /// The algorithm of the signature.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// What the token is said to be: its media type in lower case, without `application/`.
    pub fn typ(&self) -> Option<&str> {
        self.typ.as_deref()
    }

    /// The name of the key that is said to have signed.
    pub fn kid(&self) -> Option<&str> {
        self.header.get("kid").and_then(Value::as_str)
    }

    /// The key that is said to have signed. Whose it is, somebody else must say.
    pub fn jwk(&self) -> Option<&VerifyingKey> {
        self.jwk.as_ref()
    }

    /// The signature, which may be anybody's.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The payload.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The payload as claims: an object in strict JSON (RFC 7519 section 7.2).
    ///
    /// # Errors
    /// [`JoseError::Json`] or [`JoseError::NotAnObject`] when it is none.
    pub fn claims(&self) -> Result<Map<String, Value>, JoseError> {
        object(&self.payload, "claims")
    }
}

fn bounded(actual: usize, max: usize) -> Result<(), JoseError> {
    if actual > max { Err(JoseError::TooLong { actual, max }) } else { Ok(()) }
}

fn object(bytes: &[u8], part: &'static str) -> Result<Map<String, Value>, JoseError> {
    let refuse = |source| JoseError::Json { part, source };
    let text = str::from_utf8(bytes).map_err(|_| refuse(JsonError::Syntax("not UTF-8".into())))?;
    match json::parse(text, JWT_BYTES_MAX).map_err(refuse)? {
        Value::Object(members) => Ok(members),
        _ => Err(JoseError::NotAnObject(part)),
    }
}

/// The text that `member` is, if it is there.
fn text_of<'h>(header: &'h Map<String, Value>, member: &'static str) -> Result<Option<&'h str>, JoseError> {
    match header.get(member) {
        None => Ok(None),
        Some(value) => value.as_str().map(Some).ok_or(JoseError::Member(member)),
    }
}

fn algorithm(header: &Map<String, Value>) -> Result<Algorithm, JoseError> {
    match text_of(header, "alg")?.ok_or(JoseError::Member("alg"))? {
        // RFC 7518 section 3.6. Names are case-sensitive, yet verifiers were fooled by `nOnE`.
        name if name.eq_ignore_ascii_case("none") => Err(JoseError::Unsigned),
        name => Algorithm::from_name(name).ok_or_else(|| JoseError::Algorithm(shown(name))),
    }
}

/// Refuses what changes how a token is read. `b64` first, since who sets it must also list it in `crit`.
fn check_extensions(header: &Map<String, Value>) -> Result<(), JoseError> {
    match header.get("b64") {
        None | Some(Value::Bool(true)) => {}
        Some(Value::Bool(false)) => return Err(JoseError::Unencoded),
        Some(_) => return Err(JoseError::Member("b64")),
    }
    if header.contains_key("crit") { Err(JoseError::Critical) } else { Ok(()) }
}

/// A media type to compare by: in lower case, and without `application/` where it may be left out, namely where no other
/// slash follows (RFC 7515 section 4.1.9).
fn media_type(typ: &str) -> String {
    let typ = typ.to_ascii_lowercase();
    match typ.strip_prefix("application/") {
        Some(subtype) if !subtype.contains('/') => subtype.to_owned(),
        _ => typ,
    }
}

#[cfg(test)]
mod tests;
