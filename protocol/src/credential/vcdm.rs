//! The structure that the data model prescribes, version 2.0 and, for credentials from before it, 1.1.
//!
//! Every MUST that can be seen without reading JSON-LD is refused here, when a credential is read as when one is issued: what
//! we would not accept we do not sign.
//!
//! Sources: W3C Verifiable Credentials Data Model 2.0, section 4; Verifiable Credentials Data Model 1.1, section 4.
//! Specification: `spec/credential.md`, "Structure".

use serde_json::{Map, Value};

use super::{CredentialError, related_resource};
use crate::{json::items, time::Timestamp};

/// The context that every document of the data model names first.
pub(crate) const CONTEXT_V2: &str = "https://www.w3.org/ns/credentials/v2";

/// The context of the previous data model.
pub(crate) const CONTEXT_V1: &str = "https://www.w3.org/2018/credentials/v1";

/// The version of the data model that a document follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// 1.1, with `issuanceDate` and `expirationDate`. Read, and signed for whoever brings such a document.
    V1,
    /// 2.0.
    V2,
}

/// The parts of a credential that every verifier needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Structure {
    pub version: Version,
    pub valid_from: Option<Timestamp>,
    pub valid_until: Option<Timestamp>,
}

/// Checks the structure of a credential, proofs aside.
///
/// # Errors
/// [`CredentialError`] names the first rule that it breaks.
pub(super) fn check_credential(document: &Map<String, Value>) -> Result<Structure, CredentialError> {
    let version = check_context(document)?;
    if !has_type(document, "VerifiableCredential") {
        return Err(CredentialError::Type);
    }
    check_types(document)?;
    check_id(document)?;
    match document.get("issuer") {
        Some(Value::String(url)) if is_url(url) => {}
        Some(Value::Object(issuer)) if id_of(issuer).is_some_and(is_url) => check_texts(issuer, version)?,
        _ => return Err(CredentialError::Issuer),
    }
    let subjects = items(document.get("credentialSubject"));
    let is_subject = |subject: &Value| {
        let subject = subject.as_object().filter(|subject| !subject.is_empty());
        subject.is_some_and(|s| s.get("id").is_none_or(|id| id.as_str().is_some_and(is_url)))
    };
    if subjects.is_empty() || !subjects.iter().all(is_subject) {
        return Err(CredentialError::Subject);
    }
    check_texts(document, version)?;
    let [from, until] = match version {
        Version::V1 => ["issuanceDate", "expirationDate"],
        Version::V2 => ["validFrom", "validUntil"],
    };
    let (valid_from, valid_until) = (date(document, from)?, date(document, until)?);
    if version == Version::V1 && valid_from.is_none() {
        return Err(CredentialError::Date("issuanceDate"));
    }
    if valid_from.zip(valid_until).is_some_and(|(from, until)| until < from) {
        return Err(CredentialError::ValidityReversed);
    }
    check_typed(document, "credentialStatus", Id::Optional).map_err(|_| CredentialError::Status)?;
    check_typed(document, "credentialSchema", Id::Required)?;
    for property in ["refreshService", "termsOfUse", "evidence"] {
        check_typed(document, property, Id::Optional)?;
    }
    if !related_resource::are_sound(document) {
        return Err(CredentialError::Property("relatedResource"));
    }
    Ok(Structure { version, valid_from, valid_until })
}

/// Checks a document that is to be issued, which must be more exact than one that is read.
///
/// # Errors
/// [`CredentialError`] names the first rule that it breaks.
pub(super) fn check_issued(document: &Map<String, Value>) -> Result<(), CredentialError> {
    check_credential(document)?;
    for property in ["validFrom", "validUntil", "issuanceDate", "expirationDate"] {
        let text = document.get(property).and_then(Value::as_str);
        if text.is_some_and(|text| date_time_stamp(text).is_none()) {
            return Err(CredentialError::Date(property));
        }
    }
    Ok(())
}

/// Requires a context of the data model first, and nothing but URLs and objects after it (section 4.3).
pub(super) fn check_context(document: &Map<String, Value>) -> Result<Version, CredentialError> {
    let contexts = document.get("@context").and_then(Value::as_array).ok_or(CredentialError::Context)?;
    let is_context = |context: &Value| context.is_object() || context.as_str().is_some_and(is_url);
    if !contexts.iter().all(is_context) {
        return Err(CredentialError::Context);
    }
    match contexts.first().and_then(Value::as_str) {
        Some(CONTEXT_V2) => Ok(Version::V2),
        Some(CONTEXT_V1) => Ok(Version::V1),
        _ => Err(CredentialError::Context),
    }
}

/// Requires `type` to be one or more texts (section 4.5).
pub(super) fn check_types(document: &Map<String, Value>) -> Result<(), CredentialError> {
    let types = items(document.get("type"));
    let is_type = |t: &Value| t.as_str().is_some_and(|t| !t.is_empty());
    if types.is_empty() || !types.iter().all(is_type) { Err(CredentialError::Type) } else { Ok(()) }
}

/// Requires `id`, if there is one, to be one URL (section 4.4).
pub(super) fn check_id(document: &Map<String, Value>) -> Result<(), CredentialError> {
    match document.get("id") {
        None => Ok(()),
        Some(Value::String(id)) if is_url(id) => Ok(()),
        Some(_) => Err(CredentialError::IdNotAUrl),
    }
}

pub(super) fn has_type(document: &Map<String, Value>, name: &str) -> bool {
    items(document.get("type")).iter().any(|t| t == name)
}

/// Whether `text` is an absolute URL: a scheme (RFC 3986 section 3.1), a colon, and something without blanks.
pub(super) fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    is_scheme && !rest.is_empty() && !rest.contains(|c: char| c.is_whitespace() || "<>\"{}|\\^`".contains(c))
}

/// The instant that a date and time names as verifiers read it: an XML Schema 1.1 `dateTimeStamp` (RFC 3339 with `T` and an
/// offset), or one whose offset was left out, which is taken for UTC (section 4.9.1; Data Integrity, section 2.1).
pub(super) fn date_time(text: &str) -> Option<Timestamp> {
    date_time_stamp(text).or_else(|| date_time_stamp(&format!("{text}Z")))
}

/// The instant that a `dateTimeStamp` names: nothing else is issued.
fn date_time_stamp(text: &str) -> Option<Timestamp> {
    let shape: &[u8] = b"dddd-dd-ddTdd:dd:dd";
    let (head, tail) = text.as_bytes().split_at_checked(shape.len())?;
    let fits = head.iter().zip(shape).all(|(b, s)| if *s == b'd' { b.is_ascii_digit() } else { b == s });
    let digits = match tail {
        [b'.', fraction @ ..] => fraction.iter().take_while(|b| b.is_ascii_digit()).count(),
        _ => 0,
    };
    let offset = if digits > 0 { tail.get(digits + 1..)? } else { tail };
    let has_offset = match offset {
        b"Z" => true,
        [b'+' | b'-', h1, h2, b':', m1, m2] => [h1, h2, m1, m2].iter().all(|b| b.is_ascii_digit()),
        _ => false,
    };
    if fits && has_offset && digits <= 9 { text.parse().ok() } else { None }
}

fn date(document: &Map<String, Value>, property: &'static str) -> Result<Option<Timestamp>, CredentialError> {
    match document.get(property) {
        None => Ok(None),
        Some(value) => value.as_str().and_then(date_time).map(Some).ok_or(CredentialError::Date(property)),
    }
}

fn id_of(object: &Map<String, Value>) -> Option<&str> {
    object.get("id")?.as_str()
}

/// Whether an object of a property must have an `id`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Id {
    Required,
    Optional,
}

/// Requires `property`, if there is one, to be one or more objects with a `type`, and an `id` that is a URL.
fn check_typed(document: &Map<String, Value>, property: &'static str, id: Id) -> Result<(), CredentialError> {
    let refusal = || CredentialError::Property(property);
    let Some(value) = document.get(property) else { return Ok(()) };
    if items(Some(value)).is_empty() {
        return Err(refusal());
    }
    for item in items(Some(value)) {
        let item = item.as_object().ok_or_else(refusal)?;
        check_types(item).map_err(|_| refusal())?;
        match (item.get("id"), id) {
            (None, Id::Required) => return Err(refusal()),
            (None, Id::Optional) => {}
            (Some(value), _) if value.as_str().is_some_and(is_url) => {}
            (Some(_), _) => return Err(refusal()),
        }
    }
    Ok(())
}

/// Requires `name` and `description`, where they are, to be texts or language value objects (section 11.1). Version 1.1 says
/// nothing of them.
pub(super) fn check_texts(object: &Map<String, Value>, version: Version) -> Result<(), CredentialError> {
    let is_text = |value: &Value| match value {
        Value::String(_) => true,
        Value::Object(value) => {
            let known = ["@value", "@language", "@direction"];
            value.get("@value").is_some_and(Value::is_string)
                && value.iter().all(|(key, value)| known.contains(&key.as_str()) && value.is_string())
        }
        _ => false,
    };
    if version == Version::V1 {
        return Ok(());
    }
    for property in ["name", "description"] {
        let values = items(object.get(property));
        if object.contains_key(property) && (values.is_empty() || !values.iter().all(is_text)) {
            return Err(CredentialError::Property(property));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_left_out_is_read_as_utc_and_not_issued() {
        for (text, same) in [
            ("2026-11-23T17:00:00", "2026-11-23T17:00:00Z"),
            ("2026-11-23T17:00:00.125", "2026-11-23T17:00:00.125Z"),
        ] {
            assert_eq!(date_time(text), date_time_stamp(same));
            assert_eq!(date_time_stamp(text), None);
        }
    }

    #[test]
    fn dates_have_one_form() {
        let good = ["2026-11-23T17:00:00Z", "2026-11-23T17:00:00.125Z", "2022-11-10T07:38:00-08:00"];
        assert!(good.iter().all(|text| date_time(text).is_some()));
        for bad in [
            "",
            "2026-11-23",
            "2026-11-23 17:00:00Z",
            "2026-11-23T17:00:00.Z",
            "2026-11-23T17:00:00z",
            "2026-11-23T17:00:00+01",
            "2026-11-23T17:00:00Z[UTC]",
            "2026-13-23T17:00:00Z",
            "2026-11-23T17:00:00.1234567891Z",
            "é026-11-23T17:00:00Z",
            "1969-12-31T23:59:59Z",
        ] {
            assert_eq!(date_time(bad), None, "{bad}");
        }
    }

    #[test]
    fn urls_have_a_scheme_and_no_blanks() {
        assert!(["https://a.example/b?c#d", "urn:uuid:1", "did:web:a.example"].iter().all(|u| is_url(u)));
        assert!(
            ["", "a", ":b", "1a:b", "https:", "urn:a b", "not a:url", "a:<b>"].iter().all(|u| !is_url(u))
        );
    }
}
