//! Credentials as tokens: `vc+jwt`, and what was there before it.
//!
//! In a `vc+jwt` the payload is the credential. Open Badges 3.0 repeats some of it in registered claims, and a token of the data
//! model 1.1 has the credential in a claim of its own (`vc`), with what registered claims say left out of it. Where two places
//! say one thing they must agree: otherwise two verifiers would read two credentials.
//!
//! Sources: W3C Securing Verifiable Credentials using JOSE and COSE, section 3; Open Badges 3.0, section 8.2 (JWT proof
//! format); Verifiable Credentials Data Model 1.1, section 6.3.1. Specification: `spec/credential.md`, "Tokens".

use serde_json::{Map, Value, json};

use super::{CredentialError, url_of};
use crate::{
    jose::{Jws, jwt::date},
    json::items,
    limits::CREDENTIAL_BYTES_MAX,
    time::Timestamp,
};

/// A credential taken out of a token.
pub(super) struct Opened {
    pub document: Map<String, Value>,
    pub not_before: Option<Timestamp>,
    pub expires: Option<Timestamp>,
}

/// Reads the token of a credential.
pub(super) fn open(text: &str) -> Result<(Jws, Opened), CredentialError> {
    if text.len() > CREDENTIAL_BYTES_MAX {
        return Err(crate::json::JsonError::TooLong { actual: text.len(), max: CREDENTIAL_BYTES_MAX }.into());
    }
    let jws = Jws::parse(text)?;
    let mut claims = jws.claims()?;
    let (not_before, expires) = (date(&claims, "nbf")?, date(&claims, "exp")?);
    let is_vc_jwt = jws.typ() == Some("vc+jwt");
    let document = match claims.shift_remove("vc") {
        Some(Value::Object(credential)) if !is_vc_jwt => with_registered_claims(credential, &claims)?,
        Some(_) => return Err(CredentialError::Property("vc")),
        None => {
            agree(&claims, &claims)?;
            claims
        }
    };
    Ok((jws, Opened { document, not_before, expires }))
}

/// When the claims say that they were made.
pub(super) fn issued_at(claims: &Map<String, Value>) -> Option<Timestamp> {
    date(claims, "iat").ok().flatten()
}

/// A credential of the data model 1.1 with what the registered claims say of it (section 6.3.1).
fn with_registered_claims(
    mut credential: Map<String, Value>,
    claims: &Map<String, Value>,
) -> Result<Map<String, Value>, CredentialError> {
    agree(&credential, claims)?;
    let text = |name: &str| claims.get(name).filter(|value| value.is_string()).cloned();
    if let Some(issuer) = text("iss") {
        match credential.get_mut("issuer") {
            Some(Value::Object(stated)) => drop(stated.entry("id").or_insert(issuer)),
            Some(_) => {}
            None => drop(credential.insert("issuer".into(), issuer)),
        }
    }
    if let Some(id) = text("jti") {
        credential.entry("id").or_insert(id);
    }
    if let (Some(id), Some(Value::Object(subject))) = (text("sub"), credential.get_mut("credentialSubject")) {
        subject.entry("id").or_insert(id);
    }
    for (claim, property) in [("nbf", "issuanceDate"), ("exp", "expirationDate")] {
        if let Some(at) = date(claims, claim)? {
            credential.entry(property).or_insert_with(|| json!(at.to_rfc3339_seconds()));
        }
    }
    Ok(credential)
}

/// Requires what a registered claim and the credential both say to be the same.
fn agree(credential: &Map<String, Value>, claims: &Map<String, Value>) -> Result<(), CredentialError> {
    let subject = match items(credential.get("credentialSubject")) {
        [subject] => subject.get("id"),
        _ => None,
    };
    let issuer = credential.get("issuer").and_then(url_of);
    let pairs = [
        ("iss", issuer),
        ("jti", credential.get("id").and_then(Value::as_str)),
        ("sub", subject.and_then(Value::as_str)),
    ];
    for (name, stated) in pairs {
        match claims.get(name) {
            None => {}
            Some(Value::String(claim)) if stated.is_none_or(|stated| stated == claim) => {}
            Some(_) => return Err(CredentialError::ClaimsDiffer(name)),
        }
    }
    Ok(())
}
