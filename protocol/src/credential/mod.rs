//! Credentials: signed statements about a holder (W3C Verifiable Credentials Data Model 2.0), and what a
//! verifier can say of them without asking anybody.
//!
//! A text becomes a [`Credential`] when it is structurally one; that says nothing about its truth.
//! [`Credential::verify`] makes the six [`Checks`]; [`Credential::verified`] yields the only value that may
//! back a published claim. A [`presentation`] binds credentials to a holder, a challenge and a domain.
//!
//! Invariants: a credential is kept as the text it came in and identified by its canonical JSON, so that
//! neither white space nor key order matters; nothing is fetched; a check that was not made never passes.
//!
//! Specification: `spec/credential.md`.

pub mod alignment;
pub mod baked;
pub mod bitstring;
pub mod checks;
pub mod clr;
pub mod cv;
pub mod data_integrity;
pub mod json;
pub mod open_badge;
pub mod open_badge_2;
pub mod presentation;
pub mod suggestion;
pub mod text;
pub mod trust;

mod inflate;
mod skills;
mod url;
mod verify;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod vectors;

use serde_json::{Map, Value};

pub use self::{
    checks::{Check, CheckName, Checks, Reason, Shown, Verdict},
    skills::Achieved,
    trust::{TrustEntry, TrustList, TrustListFull},
    verify::VerifiedCredential,
};
use self::{
    data_integrity::date_time,
    json::{JsonError, items},
    text::shown,
};
use crate::{id::Id, key::Did, limits::CREDENTIAL_BYTES_MAX, time::Timestamp};

/// The context that every document of the data model names first.
pub(crate) const CONTEXT_V2: &str = "https://www.w3.org/ns/credentials/v2";

/// The context of the previous data model, recognised in order to be refused by name.
const CONTEXT_V1: &str = "https://www.w3.org/2018/credentials/v1";

/// A credential that is structurally sound. Whether it is true, [`Credential::verify`] says.
#[derive(Clone, Debug)]
pub struct Credential {
    text: String,
    document: Map<String, Value>,
    id: Id,
    kind: Kind,
    issuer: Did,
    subject: Option<Did>,
    valid_from: Option<Timestamp>,
    valid_until: Option<Timestamp>,
}

/// What kind of statement a credential makes, by its `type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `AchievementCredential` or `OpenBadgeCredential`: the subject achieved something.
    Achievement,
    /// `EndorsementCredential`: someone vouches for the subject.
    Endorsement,
    /// Any other.
    Other,
}

/// Why a text is no credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// Not JSON, or JSON that verifiers could read differently.
    #[error("not a credential: {0}")]
    Json(#[from] JsonError),
    /// JSON, but not an object.
    #[error("not a credential: a JSON object is expected")]
    NotAnObject,
    /// A credential of the data model 1.1, which proofs of this kind cannot secure.
    #[error("a credential of the old data model 1.1; ask its issuer for one of version 2.0")]
    DataModel1,
    /// `@context` is not a list that begins with the data model's.
    #[error("`@context` must be a list that begins with {CONTEXT_V2}")]
    Context,
    /// `type` does not name a verifiable credential.
    #[error("`type` must name VerifiableCredential")]
    Type,
    /// `id` is not a URL.
    #[error("`id` must be a URL")]
    IdNotAUrl,
    /// The issuer is not named by a DID.
    #[error("`issuer` must be a DID or an object whose `id` is one; this one cannot be verified offline")]
    IssuerNotADid,
    /// Not exactly one subject.
    #[error("`credentialSubject` must be exactly one object")]
    Subject,
    /// A date that is not RFC 3339 with an offset, from 1970 on.
    #[error("`{0}` must be a date and time with an offset, from 1970 on")]
    Date(&'static str),
    /// It would end before it begins.
    #[error("`validUntil` is earlier than `validFrom`")]
    ValidityReversed,
    /// A status that states no type.
    #[error("`credentialStatus` must be one or more objects with a `type`")]
    Status,
}

impl CredentialError {
    /// The stable name of this refusal, as vectors state it.
    pub const fn code(&self) -> &'static str {
        match self {
            CredentialError::Json(e) => e.code(),
            CredentialError::NotAnObject => "not-an-object",
            CredentialError::DataModel1 => "data-model-1",
            CredentialError::Context => "context",
            CredentialError::Type => "type",
            CredentialError::IdNotAUrl => "id-not-a-url",
            CredentialError::IssuerNotADid => "issuer-not-a-did",
            CredentialError::Subject => "subject",
            CredentialError::Date(_) => "date",
            CredentialError::ValidityReversed => "validity-reversed",
            CredentialError::Status => "status",
        }
    }
}

impl Credential {
    /// Reads a credential in JSON, of at most [`CREDENTIAL_BYTES_MAX`] bytes.
    ///
    /// # Errors
    /// [`CredentialError`] names the first structural rule that the text breaks (data model, section 4).
    pub fn parse(text: &str) -> Result<Self, CredentialError> {
        let value = json::parse(text, CREDENTIAL_BYTES_MAX)?;
        let id = Id::of(json::canonical(&value).as_bytes());
        Self::from_parts(text.to_owned(), value, id)
    }

    /// Takes a credential out of a document that was parsed already; its text is its canonical form.
    pub(crate) fn from_value(value: Value) -> Result<Self, CredentialError> {
        let text = json::canonical(&value);
        if text.len() > CREDENTIAL_BYTES_MAX {
            return Err(JsonError::TooLong { actual: text.len(), max: CREDENTIAL_BYTES_MAX }.into());
        }
        let id = Id::of(text.as_bytes());
        Self::from_parts(text, value, id)
    }

    fn from_parts(text: String, value: Value, id: Id) -> Result<Self, CredentialError> {
        let Value::Object(document) = value else { return Err(CredentialError::NotAnObject) };
        check_context(&document)?;
        if !has_type(&document, "VerifiableCredential") {
            return Err(CredentialError::Type);
        }
        if document.get("id").is_some_and(|id| !id.as_str().is_some_and(|id| id.contains(':'))) {
            return Err(CredentialError::IdNotAUrl);
        }
        let issuer = document.get("issuer").and_then(did_of).ok_or(CredentialError::IssuerNotADid)?;
        let subject = match items(document.get("credentialSubject")) {
            [Value::Object(subject)] => subject.get("id").and_then(did_of),
            _ => return Err(CredentialError::Subject),
        };
        let valid_from = date(&document, "validFrom")?;
        let valid_until = date(&document, "validUntil")?;
        if valid_from.zip(valid_until).is_some_and(|(from, until)| until < from) {
            return Err(CredentialError::ValidityReversed);
        }
        if document.contains_key("credentialStatus") {
            let entries = items(document.get("credentialStatus"));
            if entries.is_empty() || entries.iter().any(|entry| entry.get("type").is_none()) {
                return Err(CredentialError::Status);
            }
        }
        let kind = Kind::of(&document);
        Ok(Credential { text, document, id, kind, issuer, subject, valid_from, valid_until })
    }

    /// The text as it came.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The JSON object that the text stands for.
    pub fn document(&self) -> &Map<String, Value> {
        &self.document
    }

    /// blake3 of the canonical JSON, proofs included.
    pub fn id(&self) -> Id {
        self.id
    }

    /// What kind of statement it makes.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Who is said to have signed it.
    pub fn issuer(&self) -> &Did {
        &self.issuer
    }

    /// What the issuer calls itself, fit to be shown. Anyone may call itself anything.
    pub fn issuer_name(&self) -> Option<String> {
        self.document.get("issuer").and_then(|issuer| issuer.get("name")).and_then(name_of)
    }

    /// Whom it is about; `None` when that is not a DID, and holding it cannot be proven.
    pub fn subject(&self) -> Option<&Did> {
        self.subject.as_ref()
    }

    /// What it is called, fit to be shown: its own name, or its achievement's.
    pub fn name(&self) -> Option<String> {
        let achievement = self.subject_object().and_then(|subject| subject.get("achievement"));
        let named = [self.document.get("name"), achievement.and_then(|a| a.get("name"))];
        named.into_iter().flatten().find_map(name_of)
    }

    /// When it begins to hold; `None` when it states no beginning.
    pub fn valid_from(&self) -> Option<Timestamp> {
        self.valid_from
    }

    /// When it ceases to hold; `None` when it states no end.
    pub fn valid_until(&self) -> Option<Timestamp> {
        self.valid_until
    }

    /// Whether the issuer says where it can be found to be revoked.
    pub fn has_status(&self) -> bool {
        self.document.contains_key("credentialStatus")
    }

    /// The skills it states, at most [`crate::limits::ALIGNMENTS_MAX`], each once.
    pub fn skills(&self) -> Vec<Achieved> {
        self.subject_object().map(skills::achieved).unwrap_or_default()
    }

    fn subject_object(&self) -> Option<&Map<String, Value>> {
        items(self.document.get("credentialSubject")).first().and_then(Value::as_object)
    }
}

impl PartialEq for Credential {
    /// Equal canonical JSON.
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Credential {}

impl Kind {
    fn of(document: &Map<String, Value>) -> Self {
        if has_type(document, "EndorsementCredential") {
            Kind::Endorsement
        } else if ["AchievementCredential", "OpenBadgeCredential"].iter().any(|t| has_type(document, t)) {
            Kind::Achievement
        } else {
            Kind::Other
        }
    }
}

/// Requires the data model's context (section 4.3).
fn check_context(document: &Map<String, Value>) -> Result<(), CredentialError> {
    let contexts = document.get("@context").and_then(Value::as_array).ok_or(CredentialError::Context)?;
    if !contexts.iter().all(|context| context.is_string() || context.is_object()) {
        return Err(CredentialError::Context);
    }
    match contexts.first().and_then(Value::as_str) {
        Some(CONTEXT_V2) => Ok(()),
        Some(CONTEXT_V1) => Err(CredentialError::DataModel1),
        _ => Err(CredentialError::Context),
    }
}

fn has_type(document: &Map<String, Value>, name: &str) -> bool {
    items(document.get("type")).iter().any(|t| t == name)
}

/// The DID that `value` is, or that its `id` is.
fn did_of(value: &Value) -> Option<Did> {
    value.as_str().or_else(|| value.get("id")?.as_str())?.parse().ok()
}

/// A text, or the first of its translations (section 11.1), fit to be shown.
fn name_of(value: &Value) -> Option<String> {
    let first = items(Some(value)).first()?;
    let text = first.as_str().or_else(|| first.get("@value")?.as_str())?;
    Some(shown(text)).filter(|text| !text.is_empty())
}

fn date(document: &Map<String, Value>, property: &'static str) -> Result<Option<Timestamp>, CredentialError> {
    match document.get(property) {
        None => Ok(None),
        Some(value) => value.as_str().and_then(date_time).map(Some).ok_or(CredentialError::Date(property)),
    }
}
