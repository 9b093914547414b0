//! What an issuer is told of what it has issued.

use std::{fmt, str::FromStr};

use knackmesh_protocol::{credential::status::Purpose, time::Timestamp};
use serde::{Deserialize, Serialize};

use super::rfc3339;

/// A credential that this home has issued.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IssuedRow {
    /// Its `id`.
    pub id: String,
    /// What it is called.
    pub name: Option<String>,
    /// Whom it is about, when that is one DID.
    pub subject: Option<String>,
    /// Who signed it.
    pub issuer: String,
    /// What it is secured by: a cryptosuite, or a kind of token.
    pub format: String,
    /// When it was issued.
    #[serde(with = "rfc3339")]
    pub issued: Timestamp,
    /// When it ceases to hold.
    #[serde(with = "rfc3339::optional")]
    pub valid_until: Option<Timestamp>,
    /// How it stands.
    pub standing: Standing,
    /// Its places in status lists; none when it was issued without a status.
    pub status: Vec<StatusRow>,
}

/// How a credential stands with its issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Neither revoked nor suspended.
    Good,
    /// Suspended.
    Suspended,
    /// Revoked, for good.
    Revoked,
    /// Issued without a status: it can be neither.
    NoStatus,
}

/// A place in a status list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StatusRow {
    /// What the list is for.
    pub purpose: Purpose,
    /// Its URL.
    pub list: String,
    /// The place.
    pub index: u64,
    /// Whether it is set.
    pub set: bool,
    /// Since when.
    #[serde(with = "rfc3339::optional")]
    pub since: Option<Timestamp>,
    /// Why, as the issuer noted. It is not published.
    pub reason: Option<String>,
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Standing::Good => "good",
            Standing::Suspended => "suspended",
            Standing::Revoked => "revoked",
            Standing::NoStatus => "no status",
        })
    }
}

/// Not the name of a [`Standing`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is good, suspended, revoked or no_status")]
pub struct NotAStanding;

impl FromStr for Standing {
    type Err = NotAStanding;

    fn from_str(name: &str) -> Result<Self, NotAStanding> {
        match name {
            "good" => Ok(Standing::Good),
            "suspended" => Ok(Standing::Suspended),
            "revoked" => Ok(Standing::Revoked),
            "no_status" => Ok(Standing::NoStatus),
            _ => Err(NotAStanding),
        }
    }
}
