//! DCQL: what a verifier asks for in OpenID for Verifiable Presentations 1.0, and what a holder has of it.
//!
//! A [`Query`] names credentials by format and type, the claims wanted of each, and which combinations will do. Evaluated
//! against what a holder has it yields a [`Selection`]: which credentials answer which part, and which of their claims must
//! be disclosed for that and no more. Whether they are shown is the holder's decision, and not made here.
//!
//! Invariants: what a query does not ask for is not selected; where something required is missing nothing is selected, and
//! what is missing is said; conditions on who certifies an issuer (`trusted_authorities`) are not examined, which
//! [`Query::unexamined`] says, since a verifier has to check them anyway.
//!
//! Source: OpenID for Verifiable Presentations 1.0, sections 6 and 7, appendix B. Specification: `spec/dcql.md`.

mod evaluate;
mod parse;

#[cfg(test)]
mod tests;

use std::fmt;

use serde_json::Value;

pub use self::evaluate::{Answer, Candidate, Match, Miss, Missing, Selection};
use crate::{
    json::{self, JsonError},
    limits::DCQL_BYTES_MAX,
    text::shown,
};

/// A query that is legal. Only [`Query::parse`] and [`Query::from_value`] make one.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    credentials: Vec<CredentialQuery>,
    sets: Vec<CredentialSet>,
}

/// What is asked of one credential (section 6.1).
#[derive(Clone, Debug, PartialEq)]
pub struct CredentialQuery {
    id: String,
    format: Format,
    multiple: bool,
    /// Sets of types, of one of which a credential must have all; empty where any will do.
    types: Vec<Vec<String>>,
    holder_binding: bool,
    claims: Vec<ClaimQuery>,
    /// Combinations of `claims` by their indices, the preferred first; empty where all of them are wanted.
    claim_sets: Vec<Vec<usize>>,
    trusted_authorities: bool,
}

/// Which credentials will do together (section 6.2).
#[derive(Clone, Debug, PartialEq, Eq)]
struct CredentialSet {
    /// Combinations of the query's credentials by their indices, the preferred first.
    options: Vec<Vec<usize>>,
    required: bool,
}

/// A claim that is wanted (section 6.3).
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimQuery {
    id: Option<String>,
    path: Pointer,
    /// What the claim may be; empty where anything will do.
    values: Vec<Value>,
}

/// A claims path pointer (section 7): a path that may lead to several claims.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pointer(Vec<Pointed>);

/// One step of a [`Pointer`].
#[derive(Clone, Debug, PartialEq, Eq)]
enum Pointed {
    Member(String),
    Element(usize),
    Every,
}

/// The format of a credential, by its identifier in OpenID for Verifiable Presentations (appendix B).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// `dc+sd-jwt`: an SD-JWT VC.
    SdJwtVc,
    /// `ldp_vc`: a W3C Verifiable Credential with a Data Integrity proof.
    LdpVc,
    /// `jwt_vc_json`: a W3C Verifiable Credential as a signed token.
    JwtVcJson,
    /// Any other, of which we have none.
    Other(String),
}

/// Why a text is no query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DcqlError {
    /// Not strict JSON, or longer than [`DCQL_BYTES_MAX`].
    #[error("not a query: {0}")]
    Json(#[from] JsonError),
    /// Something is missing or of the wrong kind.
    #[error("the query's `{at}` must be {expected}")]
    Malformed {
        /// Where.
        at: String,
        /// What it must be.
        expected: &'static str,
    },
    /// More of something than allowed.
    #[error("the query's `{at}` has more than {max} entries")]
    TooMany {
        /// Where.
        at: String,
        /// Entries allowed.
        max: usize,
    },
    /// An identifier is missing, or of other characters than letters, digits, `_` and `-`.
    #[error("the query's `{0}` must be a text of letters, digits, _ and -")]
    Id(String),
    /// Two of what has identifiers have the same.
    #[error("the query's `{0}` repeats an identifier")]
    IdRepeated(String),
    /// What is referred to is not there.
    #[error("the query's `{0}` refers to an identifier that it does not state")]
    IdUnknown(String),
}

impl DcqlError {
    /// The stable name of this refusal, as vectors state it.
    pub const fn code(&self) -> &'static str {
        match self {
            DcqlError::Json(e) => e.code(),
            DcqlError::Malformed { .. } => "dcql-malformed",
            DcqlError::TooMany { .. } => "dcql-too-many",
            DcqlError::Id(_) => "dcql-id",
            DcqlError::IdRepeated(_) => "dcql-id-repeated",
            DcqlError::IdUnknown(_) => "dcql-id-unknown",
        }
    }
}

impl Query {
    /// Reads a query in JSON, of at most [`DCQL_BYTES_MAX`] bytes. Properties that are not known are ignored, as the
    /// standard demands.
    ///
    /// # Errors
    /// [`DcqlError`] names the first rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, DcqlError> {
        Self::from_value(&json::parse(text, DCQL_BYTES_MAX)?)
    }

    /// Takes a query out of a request that was parsed already.
    ///
    /// # Errors
    /// As for [`Query::parse`].
    pub fn from_value(value: &Value) -> Result<Self, DcqlError> {
        parse::query(value)
    }

    /// What is asked of each credential.
    pub fn credentials(&self) -> &[CredentialQuery] {
        &self.credentials
    }

    /// The identifiers of the credentials whose query has a condition that is not examined: who certifies the issuer.
    pub fn unexamined(&self) -> impl Iterator<Item = &str> {
        self.credentials.iter().filter(|c| c.trusted_authorities).map(|c| c.id.as_str())
    }
}

impl CredentialQuery {
    /// By which the answer is found in a response.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The format.
    pub fn format(&self) -> &Format {
        &self.format
    }

    /// Whether several credentials may answer.
    pub fn multiple(&self) -> bool {
        self.multiple
    }

    /// Whether the holder must prove that it holds what it shows.
    pub fn holder_binding(&self) -> bool {
        self.holder_binding
    }

    /// The claims of which some or all are wanted; empty where none is that could be withheld.
    pub fn claims(&self) -> &[ClaimQuery] {
        &self.claims
    }
}

impl Format {
    /// The format that `name` is the identifier of.
    pub fn from_name(name: &str) -> Self {
        match name {
            "dc+sd-jwt" => Format::SdJwtVc,
            "ldp_vc" => Format::LdpVc,
            "jwt_vc_json" => Format::JwtVcJson,
            other => Format::Other(other.to_owned()),
        }
    }

    /// The identifier.
    pub fn name(&self) -> &str {
        match self {
            Format::SdJwtVc => "dc+sd-jwt",
            Format::LdpVc => "ldp_vc",
            Format::JwtVcJson => "jwt_vc_json",
            Format::Other(name) => name,
        }
    }
}

impl fmt::Display for ClaimQuery {
    /// `degrees[*].type`, fit to be shown to a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        for step in &self.path.0 {
            match step {
                Pointed::Member(key) if text.is_empty() => text.push_str(key),
                Pointed::Member(key) => text.extend([".", key]),
                Pointed::Element(index) => text.push_str(&format!("[{index}]")),
                Pointed::Every => text.push_str("[*]"),
            }
        }
        f.write_str(&shown(&text))
    }
}
