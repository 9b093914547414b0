//! Credentials: signed statements about a holder (W3C Verifiable Credentials Data Model 2.0), and what a
//! verifier can say of them without asking anybody.
//!
//! A text becomes a [`Credential`] when it is structurally one; that says nothing about its truth.
//! [`Credential::verify`] makes the six [`Checks`]; [`Credential::verified`] yields the only value that may
//! back a published claim. A [`presentation`] binds credentials to a holder, a challenge and a domain.
//!
//! Invariants: a credential is kept as the text it came in; nothing is fetched; a check that was not made never passes.
//!
//! Specification: `spec/credential.md`.

pub mod alignment;
pub mod answering;
pub mod baked;
pub mod bitstring;
pub mod checks;
pub mod clr;
pub mod cv;
pub mod data_integrity;
pub mod enveloped;
pub mod followed;
pub mod identity;
pub mod import;
pub mod issuing;
pub mod meaning;
pub mod open_badge;
pub mod open_badge_2;
pub mod presentation;
pub mod reissue;
pub mod securing;
pub mod signer;
pub mod status;
pub mod suggestion;
pub mod trust;
pub mod trust_document;
pub mod vcdm;
pub mod verifier;

mod inflate;
mod jwt;
mod related_resource;
mod sd_jwt;
mod skills;
mod url;
mod verify;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod vectors;

use serde_json::{Map, Value};

pub(crate) use self::vcdm::CONTEXT_V2;
use self::vcdm::{Version, has_type};
pub use self::{
    checks::{Check, CheckName, Checks, Reason, Shown, Verdict},
    issuing::{Format, IssuanceError},
    securing::{Securing, SignatureError},
    signer::Signer,
    skills::Achieved,
    trust::{Recognition, TrustEntry, TrustList, TrustListFull},
    verifier::{Known, Need, Verifier},
    verify::VerifiedCredential,
};
use crate::{
    id::Id,
    jose::{JoseError, sd_jwt::SdJwtError},
    json::{self, JsonError, items},
    key::Did,
    limits::CREDENTIAL_BYTES_MAX,
    skill::SkillId,
    text::shown,
    time::Timestamp,
};

/// A credential that is structurally sound. Whether it is true, [`Credential::verify`] says.
#[derive(Clone, Debug)]
pub struct Credential {
    text: String,
    /// Empty for an SD-JWT, which has its claims itself.
    document: Map<String, Value>,
    securing: Securing,
    id: Id,
    kind: Kind,
    version: Version,
    issuer: String,
    issuer_did: Option<Did>,
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
    /// `@context` is not a list that begins with the data model's.
    #[error("`@context` must be a list of URLs and objects that begins with {CONTEXT_V2}")]
    Context,
    /// `type` does not name a verifiable credential.
    #[error("`type` must name VerifiableCredential")]
    Type,
    /// `id` is not a URL.
    #[error("`id` must be a URL")]
    IdNotAUrl,
    /// The issuer is not named by a URL.
    #[error("`issuer` must be a URL, such as a DID, or an object whose `id` is one")]
    Issuer,
    /// No subject, or one of which nothing is said.
    #[error(
        "`credentialSubject` must be one or more objects that say something, whose `id`, if any, is a URL"
    )]
    Subject,
    /// A date that is not RFC 3339 with an offset, from 1970 on.
    #[error("`{0}` must be a date and time with an offset, from 1970 on")]
    Date(&'static str),
    /// It would end before it begins.
    #[error("it would end before it begins")]
    ValidityReversed,
    /// A status that states no type.
    #[error("`credentialStatus` must be one or more objects with a `type`")]
    Status,
    /// Another property is not as the data model has it.
    #[error("`{0}` is not as the data model prescribes")]
    Property(&'static str),
    /// Not a token.
    #[error("not a credential: {0}")]
    Jose(#[from] JoseError),
    /// An enveloping object without a token that is read.
    #[error(
        "an EnvelopedVerifiableCredential must carry a token (vc+jwt, dc+sd-jwt) in its `id`, a data: URL"
    )]
    Envelope,
    /// Not a token with disclosures.
    #[error("not a credential: {0}")]
    SdJwt(#[from] SdJwtError),
    /// A registered claim of a token and the credential in it say different things.
    #[error("the token's `{0}` is not what the credential in it says")]
    ClaimsDiffer(&'static str),
}

impl CredentialError {
    /// The stable name of this refusal, as vectors state it.
    pub const fn code(&self) -> &'static str {
        match self {
            CredentialError::Json(e) => e.code(),
            CredentialError::NotAnObject => "not-an-object",
            CredentialError::Context => "context",
            CredentialError::Type => "type",
            CredentialError::IdNotAUrl => "id-not-a-url",
            CredentialError::Issuer => "issuer",
            CredentialError::Subject => "subject",
            CredentialError::Date(_) => "date",
            CredentialError::ValidityReversed => "validity-reversed",
            CredentialError::Status => "status",
            CredentialError::Property(_) => "property",
            CredentialError::Jose(e) => e.code(),
            CredentialError::SdJwt(e) => e.code(),
            CredentialError::Envelope => "envelope",
            CredentialError::ClaimsDiffer(_) => "claims-differ",
        }
    }
}

impl Credential {
    /// Reads a credential of at most [`CREDENTIAL_BYTES_MAX`] bytes: JSON with proofs in it, a token, or JSON around a token.
    ///
    /// # Errors
    /// [`CredentialError`] names the first structural rule that the text breaks (data model, section 4).
    pub fn parse(text: &str) -> Result<Self, CredentialError> {
        if is_token(text) {
            return Self::from_token(text.trim());
        }
        let value = json::parse(text, CREDENTIAL_BYTES_MAX)?;
        if let Some(token) = enveloped_token(&value)? {
            return Self::from_token(token);
        }
        let id = Id::of(json::canonical(&value).as_bytes());
        Self::from_parts(text.to_owned(), value, id, Securing::DataIntegrity)
    }

    fn from_token(text: &str) -> Result<Self, CredentialError> {
        if text.contains('~') {
            return sd_jwt::parse(text);
        }
        let (jws, opened) = jwt::open(text)?;
        // Not of the signature: one by P-256 has two forms.
        let id = Id::of(jws.signing_input().as_bytes());
        let securing = Securing::Jwt(Box::new(jws));
        let mut credential = Self::from_parts(text.to_owned(), Value::Object(opened.document), id, securing)?;
        credential.valid_from = credential.valid_from.max(opened.not_before);
        credential.valid_until = credential.valid_until.into_iter().chain(opened.expires).min();
        Ok(credential)
    }

    /// Takes a credential out of a document that was parsed already; its text is its canonical form, or the token in it.
    ///
    /// # Errors
    /// As for [`Credential::parse`].
    pub fn from_value(value: Value) -> Result<Self, CredentialError> {
        if let Some(token) = enveloped_token(&value)? {
            return Self::from_token(token);
        }
        let text = json::canonical(&value);
        if text.len() > CREDENTIAL_BYTES_MAX {
            return Err(JsonError::TooLong { actual: text.len(), max: CREDENTIAL_BYTES_MAX }.into());
        }
        let id = Id::of(text.as_bytes());
        Self::from_parts(text, value, id, Securing::DataIntegrity)
    }

    fn from_parts(text: String, value: Value, id: Id, securing: Securing) -> Result<Self, CredentialError> {
        let Value::Object(document) = value else { return Err(CredentialError::NotAnObject) };
        let structure = vcdm::check_credential(&document)?;
        let issuer = document.get("issuer").and_then(url_of).ok_or(CredentialError::Issuer)?.to_owned();
        let subject = match items(document.get("credentialSubject")) {
            [Value::Object(subject)] => subject.get("id").and_then(did_of),
            _ => None,
        };
        Ok(Credential {
            kind: Kind::of(&document),
            version: structure.version,
            issuer_did: issuer.parse().ok(),
            valid_from: structure.valid_from,
            valid_until: structure.valid_until,
            text,
            document,
            securing,
            id,
            issuer,
            subject,
        })
    }

    /// The text as it came.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The JSON object that the text stands for.
    pub fn document(&self) -> &Map<String, Value> {
        match &self.securing {
            Securing::SdJwt(vc) => vc.sd_jwt().claims(),
            Securing::DataIntegrity | Securing::Jwt(_) => &self.document,
        }
    }

    /// How it is secured.
    pub fn securing(&self) -> &Securing {
        &self.securing
    }

    /// What identifies it: blake3 of what a token signs, or of the canonical JSON with its proofs, so that neither white space nor the
    /// order of keys matters.
    pub fn id(&self) -> Id {
        self.id
    }

    /// What kind of statement it makes.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The version of the data model that it follows.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Who is said to have signed it: a URL.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Who is said to have signed it, when that is a DID; no other issuer can be recognised.
    pub fn issuer_did(&self) -> Option<&Did> {
        self.issuer_did.as_ref()
    }

    /// What the issuer calls itself, fit to be shown. Anyone may call itself anything.
    pub fn issuer_name(&self) -> Option<String> {
        let of_issuer = self.document().get("issuer").and_then(|issuer| issuer.get("name"));
        of_issuer.or_else(|| self.document().get("issuer_name")).and_then(name_of)
    }

    /// Whom it is about; `None` when that is not one DID, and holding it cannot be proven.
    pub fn subject(&self) -> Option<&Did> {
        self.subject.as_ref()
    }

    /// What it is called, fit to be shown: its own name, or its achievement's.
    pub fn name(&self) -> Option<String> {
        let achievement = self.subject_object().and_then(|subject| subject.get("achievement"));
        let named = [self.document().get("name"), achievement.and_then(|a| a.get("name"))];
        named.into_iter().flatten().find_map(name_of)
    }

    /// What to call it where its name is withheld or missing as well: by the skills it states, or by its id.
    pub fn title(&self) -> String {
        self.name().unwrap_or_else(|| match self.skills().as_slice() {
            [] => format!("credential {}", self.id().to_string().chars().take(16).collect::<String>()),
            [only] => only.name.clone(),
            [first, rest @ ..] => format!("{} and {} more", first.name, rest.len()),
        })
    }

    /// When it begins to hold; `None` when it states no beginning.
    pub fn valid_from(&self) -> Option<Timestamp> {
        self.valid_from
    }

    /// When it ceases to hold; `None` when it states no end.
    pub fn valid_until(&self) -> Option<Timestamp> {
        self.valid_until
    }

    /// Where the issuer says it can be found to be revoked: one entry, or a list.
    pub fn status(&self) -> Option<&Value> {
        let of_token = || match self.securing {
            Securing::SdJwt(_) => self.document().get("status"),
            Securing::DataIntegrity | Securing::Jwt(_) => None,
        };
        self.document().get("credentialStatus").or_else(of_token)
    }

    /// The credential with what it takes to show `skills`, where its form allows to withhold the rest; unchanged otherwise.
    pub fn disclosing(&self, skills: &[SkillId]) -> Credential {
        sd_jwt::disclosing(self, skills).unwrap_or_else(|| self.clone())
    }

    /// The skills it states, at most [`crate::limits::ALIGNMENTS_MAX`], each once.
    pub fn skills(&self) -> Vec<Achieved> {
        self.subject_object().map(skills::achieved).unwrap_or_default()
    }

    fn subject_object(&self) -> Option<&Map<String, Value>> {
        match self.securing {
            Securing::SdJwt(_) => Some(self.document()),
            Securing::DataIntegrity | Securing::Jwt(_) => {
                items(self.document().get("credentialSubject")).first().and_then(Value::as_object)
            }
        }
    }
}

impl PartialEq for Credential {
    /// Equal ids.
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

/// Whether `text` is a token rather than JSON: base64url and dots.
fn is_token(text: &str) -> bool {
    text.trim_start().starts_with("ey")
}

/// The token that an EnvelopedVerifiableCredential carries; `None` when `value` is of another type.
fn enveloped_token(value: &Value) -> Result<Option<&str>, CredentialError> {
    let Some(document) = value.as_object() else { return Ok(None) };
    enveloped::CREDENTIAL.token(document).map_err(|enveloped::Empty| CredentialError::Envelope)
}

/// The text that `value` is, or that its `id` is.
fn url_of(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value.get("id")?.as_str())
}

/// The DID that `value` is, or that its `id` is.
fn did_of(value: &Value) -> Option<Did> {
    url_of(value)?.parse().ok()
}

/// A text, or the first of its translations (section 11.1), fit to be shown.
fn name_of(value: &Value) -> Option<String> {
    let first = items(Some(value)).first()?;
    let text = first.as_str().or_else(|| first.get("@value")?.as_str())?;
    Some(shown(text)).filter(|text| !text.is_empty())
}
