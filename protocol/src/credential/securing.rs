//! How a credential is secured: by proofs inside it, or as the payload of a signed token.
//!
//! Whatever the form, what matters afterwards is the same: whose signatures verified, and until when they hold.

use crate::{
    did::{Documents, ResolveError},
    jose::{JoseError, Jws, sd_jwt::vc::SdJwtVc},
    text::shown,
};

use super::{
    data_integrity::{ProofError, Proofs, VerifiedProof},
    jwt,
};

/// How a credential is secured.
#[derive(Clone, Debug)]
pub enum Securing {
    /// By Data Integrity proofs inside the document.
    DataIntegrity,
    /// As the payload of a JSON Web Token.
    Jwt(Box<Jws>),
    /// As an SD-JWT VC, whose holder can withhold some of what it says.
    SdJwt(Box<SdJwtVc>),
}

impl Securing {
    /// The signed token, where it is one.
    pub fn token(&self) -> Option<&Jws> {
        match self {
            Securing::DataIntegrity => None,
            Securing::Jwt(jws) => Some(jws),
            Securing::SdJwt(vc) => Some(vc.sd_jwt().token()),
        }
    }

    /// The form's name, as reports state it. Proofs name their own suites.
    pub const fn name(&self) -> &'static str {
        match self {
            Securing::DataIntegrity => "data-integrity",
            Securing::Jwt(_) => "vc+jwt",
            Securing::SdJwt(_) => "dc+sd-jwt",
        }
    }
}

/// Why a signature does not verify, or could not be checked ([`SignatureError::is_unsupported`]).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// A Data Integrity proof.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// A token.
    #[error("the token: {0}")]
    Jose(#[from] JoseError),
    /// A verification method whose key is not known and cannot be had without asking the network.
    #[error("the key \"{0}\" is not known here; it must be fetched first")]
    KeyUnresolved(String),
    /// No key that may make such a signature.
    #[error("the key: {0}")]
    Key(#[source] ResolveError),
    /// It is signed with a key that it carries itself, which nothing binds to its issuer.
    #[error(
        "its signature holds under the key that it carries itself, and nothing shows that the key is its issuer's"
    )]
    KeyUnbound,
    /// It names no key.
    #[error("it does not say which key signed it")]
    KeyUnnamed,
}

impl SignatureError {
    /// Whether the signature could not be checked, as opposed to being invalid.
    pub const fn is_unsupported(&self) -> bool {
        match self {
            SignatureError::Proof(e) => e.is_unsupported(),
            SignatureError::Jose(_) | SignatureError::Key(_) => false,
            SignatureError::KeyUnresolved(_) | SignatureError::KeyUnbound | SignatureError::KeyUnnamed => {
                true
            }
        }
    }

    /// The stable name of this refusal, as vectors state it.
    pub const fn code(&self) -> &'static str {
        match self {
            SignatureError::Proof(e) => e.code(),
            SignatureError::Jose(e) => e.code(),
            SignatureError::KeyUnresolved(_) => "key-unresolved",
            SignatureError::Key(e) => e.code(),
            SignatureError::KeyUnbound => "key-unbound",
            SignatureError::KeyUnnamed => "key-unnamed",
        }
    }
}

/// The key that a token of `issuer` was signed with, by the name in its header.
///
/// A header's `kid` is a DID URL, an `https:` URL, or a fragment of the issuer's. Without one, an issuer whose DID states its only key needs
/// no name. A key in the header itself (`jwk`) shows nothing of whose it is.
///
/// # Errors
/// [`SignatureError`] when there is no such key.
pub(super) fn token_key(
    jws: &Jws,
    issuer: &str,
    relationship: crate::did::Relationship,
    documents: &Documents,
) -> Result<crate::did::Resolved, SignatureError> {
    let method = token_method(jws, issuer)?;
    crate::did::verification_key(&method, relationship, documents).map_err(|e| match e {
        e if e.is_unsupported() => SignatureError::KeyUnresolved(shown(&method)),
        e => SignatureError::Key(e),
    })
}

/// The verification method that a token of `issuer` names.
pub(super) fn token_method(jws: &Jws, issuer: &str) -> Result<String, SignatureError> {
    let sole = || match issuer.strip_prefix("did:") {
        Some(rest) if rest.starts_with("key:") => Some(format!("{issuer}#{}", &rest["key:".len()..])),
        Some(rest) if rest.starts_with("jwk:") => Some(format!("{issuer}#0")),
        _ => None,
    };
    match jws.kid() {
        Some(kid) if kid == issuer => sole().ok_or(SignatureError::KeyUnnamed),
        Some(kid) if kid.contains(':') => Ok(kid.to_owned()),
        Some(kid) => Ok(sole().unwrap_or_else(|| format!("{issuer}#{}", kid.trim_start_matches('#')))),
        None => sole().ok_or_else(|| match jws.jwk() {
            Some(_) => SignatureError::KeyUnbound,
            None => SignatureError::KeyUnnamed,
        }),
    }
}

/// The one signature of a token.
pub(super) fn verify_token(jws: &Jws, issuer: &str, documents: &Documents) -> Result<Proofs, SignatureError> {
    let resolved = token_key(jws, issuer, crate::did::Relationship::AssertionMethod, documents);
    if let (Err(SignatureError::KeyUnbound), Some(carried)) = (&resolved, jws.jwk()) {
        // Anybody could have signed it; whether it is still as it was signed can be said all the same.
        jws.verify(carried)?;
    }
    let resolved = resolved?;
    jws.verify(&resolved.key)?;
    let created = jws.claims().ok().and_then(|claims| jwt::issued_at(&claims));
    let proof = VerifiedProof { controller: resolved.controller, created, expires: resolved.ends };
    Ok(Proofs { verified: vec![proof], not_checked: Vec::new() })
}
