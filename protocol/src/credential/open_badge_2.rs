//! Open Badges 2.0: assertions, and what has to be fetched to check one.
//!
//! An assertion proves nothing by itself. A *hosted* one counts when its issuer serves it at its own address;
//! a *signed* one when a key that its issuer publishes verifies its signature. Either way the badge class and
//! the issuer's profile count only as they are fetched from their addresses: an assertion may embed them, and
//! embed whatever its author likes. A [`Dossier`] says what to fetch, takes it, and judges.
//!
//! Nothing is fetched here.
//!
//! Source: 1EdTech (IMS) Open Badges 2.0, 12 April 2018; what 1.1 wrote differently is understood.
//! Specification: `spec/import.md`, "Open Badges 2.0".

mod documents;
mod dossier;
mod recipient;
mod signed;
mod verification;

#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

pub use self::{
    documents::{BadgeClass, Profile, PublicKey, RevocationList, Scope},
    dossier::{Backing, DocumentKind, Dossier, Wanted},
    recipient::{Recipient, RecipientKind},
    signed::SignedAssertion,
};
use crate::{
    json::{self, JsonError, items},
    limits::{ALIGNMENTS_MAX, CREDENTIAL_BYTES_MAX},
    text::shown,
    time::Timestamp,
};

/// What `@context` names in assertions of 1.1 and 2.0.
const CONTEXTS: [&str; 4] = [
    "https://w3id.org/openbadges/v2",
    "https://w3id.org/openbadges/v1",
    "https://openbadgespec.org/v2/context.json",
    "https://openbadgespec.org/v1/context.json",
];

/// That someone was awarded a badge, as the author of the assertion has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    /// Its identifier; of a hosted assertion the address at which it is served.
    pub id: String,
    /// Who was awarded the badge.
    pub recipient: Recipient,
    /// What was awarded.
    pub badge: Reference<BadgeClass>,
    /// How it is to be checked.
    pub verification: Verification,
    /// When it was awarded.
    pub issued_on: Timestamp,
    /// When it ceases to count; never when `None`.
    pub expires: Option<Timestamp>,
    /// Where evidence can be seen, at most [`ALIGNMENTS_MAX`] addresses.
    pub evidence: Vec<String>,
}

/// Another document, by its address or in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference<T> {
    /// Its address or other identifier.
    Id(String),
    /// The document itself.
    Embedded(Box<T>),
}

/// How an assertion is to be checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verification {
    /// By fetching it from its address.
    Hosted,
    /// By its signature.
    Signed {
        /// The id of the key that signed it, if stated.
        creator: Option<String>,
    },
}

/// Why a document of Open Badges 2.0 is none, or does not back its assertion.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssertionError {
    /// Not JSON, or JSON that readers could read differently.
    #[error("not an Open Badge 2.0: {0}")]
    Json(#[from] JsonError),
    /// JSON, but not an object.
    #[error("not an Open Badge 2.0: a JSON object is expected")]
    NotAnObject,
    /// Its `@context` is not that of Open Badges 1.1 or 2.0.
    #[error("`@context` must name {}", CONTEXTS[0])]
    Context,
    /// Its `type` does not name this.
    #[error("`type` must name {0}")]
    Type(&'static str),
    /// A property that is absent, or not as it must be.
    #[error("`{0}` is missing or not as it must be")]
    Property(&'static str),
    /// A date that is not of ISO 8601 with an offset, from 1970 on.
    #[error("`{0}` must be a date and time with an offset, from 1970 on")]
    Date(&'static str),
    /// It would end before it begins.
    #[error("`expires` is earlier than `issuedOn`")]
    ValidityReversed,
    /// Its issuer took it back, for this reason if any.
    #[error("the issuer revoked this badge: {0}")]
    Revoked(String),
    /// Not a compact JWS.
    #[error("not a signed badge: three parts of base64url, separated by dots, are expected")]
    Jws,
    /// A JWS header that asks for what is not understood.
    #[error("the signature's header asks for what is not understood")]
    JwsHeader,
    /// It says that it is signed, and comes without a signature; or the other way round.
    #[error("`verification` does not fit how the badge came")]
    VerificationKind,
    /// A fetched document says that it is another one.
    #[error("the document at {0} says that it is another one")]
    OtherId(String),
    /// Something else than what was wanted next.
    #[error("{0} is not what is wanted")]
    NotWanted(String),
    /// Something that has to be fetched has no address of the web.
    #[error("{0} cannot be fetched")]
    NotFetchable(String),
    /// Not everything was fetched.
    #[error("not all documents were fetched")]
    Incomplete,
    /// The assertion is served from where its issuer's badges do not come from.
    #[error("{0} is outside of where its issuer's badges come from")]
    OutOfScope(String),
    /// The key is not one of the issuer's.
    #[error("the badge is not signed by a key that its issuer publishes")]
    KeyNotTheIssuers,
    /// The recipient is hidden by a hash that is not known.
    #[error("the recipient is hashed by {0}, which is not known")]
    RecipientHash(String),
}

impl AssertionError {
    /// The stable name of this refusal.
    pub const fn code(&self) -> &'static str {
        match self {
            AssertionError::Json(e) => e.code(),
            AssertionError::NotAnObject => "not-an-object",
            AssertionError::Context => "context",
            AssertionError::Type(_) => "type",
            AssertionError::Property(_) => "property",
            AssertionError::Date(_) => "date",
            AssertionError::ValidityReversed => "validity-reversed",
            AssertionError::Revoked(_) => "revoked",
            AssertionError::Jws => "jws",
            AssertionError::JwsHeader => "jws-header",
            AssertionError::VerificationKind => "verification-kind",
            AssertionError::OtherId(_) => "other-id",
            AssertionError::NotWanted(_) => "not-wanted",
            AssertionError::NotFetchable(_) => "not-fetchable",
            AssertionError::Incomplete => "incomplete",
            AssertionError::OutOfScope(_) => "out-of-scope",
            AssertionError::KeyNotTheIssuers => "key-not-the-issuers",
            AssertionError::RecipientHash(_) => "recipient-hash",
        }
    }
}

impl Assertion {
    /// Whether a document is meant to be an assertion of Open Badges 1.1 or 2.0.
    pub fn is_meant(document: &Map<String, Value>) -> bool {
        has_context(document) && has_type(document, "Assertion")
    }

    /// Reads an assertion in JSON, of at most [`CREDENTIAL_BYTES_MAX`] bytes.
    ///
    /// # Errors
    /// [`AssertionError`] names the first rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, AssertionError> {
        let document = object(text)?;
        if !has_context(&document) {
            return Err(AssertionError::Context);
        }
        if !has_type(&document, "Assertion") {
            return Err(AssertionError::Type("Assertion"));
        }
        // A revoked assertion may be stripped of everything else.
        if document.get("revoked") == Some(&Value::Bool(true)) {
            let reason = document.get("revocationReason").and_then(text_of).unwrap_or_default();
            return Err(AssertionError::Revoked(shown(reason)));
        }
        let stated = document.get("verification").or_else(|| document.get("verify"));
        let stated = stated.and_then(Value::as_object).ok_or(AssertionError::Property("verification"))?;
        let verification = Verification::read(stated)?;
        // In 1.1 the address of a hosted assertion stands where 2.0 has its id.
        let own = document.get("id").and_then(text_of);
        let hosted_at =
            || stated.get("url").and_then(text_of).filter(|_| verification == Verification::Hosted);
        let id = own.or_else(hosted_at).ok_or(AssertionError::Property("id"))?.to_owned();
        let recipient = document.get("recipient").and_then(Value::as_object);
        let recipient = recipient.and_then(Recipient::read).ok_or(AssertionError::Property("recipient"))?;
        let badge = document.get("badge").ok_or(AssertionError::Property("badge"))?;
        let badge = Reference::read(badge, "badge", BadgeClass::read)?;
        let issued_on = date(&document, "issuedOn")?.ok_or(AssertionError::Date("issuedOn"))?;
        let expires = date(&document, "expires")?;
        if expires.is_some_and(|expires| expires < issued_on) {
            return Err(AssertionError::ValidityReversed);
        }
        let evidence = items(document.get("evidence")).iter().take(ALIGNMENTS_MAX);
        let evidence = evidence.filter_map(id_of).map(str::to_owned).collect();
        Ok(Assertion { id, recipient, badge, verification, issued_on, expires, evidence })
    }
}

impl Verification {
    fn read(stated: &Map<String, Value>) -> Result<Self, AssertionError> {
        let is = |names: [&str; 2]| names.iter().any(|name| has_type(stated, name));
        if is(["hosted", "HostedBadge"]) {
            Ok(Verification::Hosted)
        } else if is(["signed", "SignedBadge"]) {
            // In 1.1 the key's address stands in `url`.
            let creator = stated.get("creator").or_else(|| stated.get("url")).and_then(id_of);
            Ok(Verification::Signed { creator: creator.map(str::to_owned) })
        } else {
            Err(AssertionError::Property("verification"))
        }
    }
}

impl<T> Reference<T> {
    fn read(
        value: &Value,
        property: &'static str,
        read: impl Fn(&Map<String, Value>) -> Result<T, AssertionError>,
    ) -> Result<Self, AssertionError> {
        match value {
            Value::String(id) if !id.trim().is_empty() => Ok(Reference::Id(id.trim().to_owned())),
            Value::Object(document) => Ok(Reference::Embedded(Box::new(read(document)?))),
            _ => Err(AssertionError::Property(property)),
        }
    }
}

/// The object that a text of at most [`CREDENTIAL_BYTES_MAX`] bytes stands for.
fn object(text: &str) -> Result<Map<String, Value>, AssertionError> {
    match json::parse(text, CREDENTIAL_BYTES_MAX)? {
        Value::Object(document) => Ok(document),
        _ => Err(AssertionError::NotAnObject),
    }
}

fn has_context(document: &Map<String, Value>) -> bool {
    let named = items(document.get("@context")).iter().filter_map(Value::as_str);
    named.into_iter().any(|context| CONTEXTS.contains(&context.trim_end_matches('/')))
}

/// Whether `type` names this class, in short or in full.
fn has_type(document: &Map<String, Value>, class: &str) -> bool {
    items(document.get("type")).iter().filter_map(Value::as_str).any(|named| {
        let short = named.strip_prefix("https://w3id.org/openbadges#").or_else(|| named.strip_prefix("obi:"));
        short.unwrap_or(named) == class
    })
}

/// A text that says something, as it is or as JSON-LD writes texts with a language.
fn text_of(value: &Value) -> Option<&str> {
    let first = items(Some(value)).first()?;
    let text = first.as_str().or_else(|| first.get("@value")?.as_str())?.trim();
    (!text.is_empty()).then_some(text)
}

/// The identifier that a value is, or that its `id` is.
fn id_of(value: &Value) -> Option<&str> {
    text_of(value).or_else(|| text_of(value.get("id")?))
}

/// A date: of ISO 8601 with an offset; the day alone, which begins in UTC; or, before 2.0, Unix seconds.
fn date(document: &Map<String, Value>, property: &'static str) -> Result<Option<Timestamp>, AssertionError> {
    let read = |value: &Value| match value {
        Value::Number(seconds) => seconds.as_u64()?.checked_mul(1000)?.try_into().ok(),
        Value::String(text) if text.len() == "2016-12-31".len() => format!("{text}T00:00:00Z").parse().ok(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    match document.get(property) {
        None => Ok(None),
        Some(value) => read(value).map(Some).ok_or(AssertionError::Date(property)),
    }
}
