//! What an issuer asks of its node, and what it is told.

use knackmesh_protocol::{
    credential::{Format, status::Purpose},
    key::{Algorithm, Did},
    skill::Level,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::report::IssuedRow;

/// An achievement credential to sign.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IssueOrder {
    /// To whom.
    pub to: Did,
    /// Skills, by URI or name.
    pub skills: Vec<String>,
    /// The level of all of them.
    pub level: Level,
    /// The achievement's name; the skills' labels when absent.
    pub achievement: Option<String>,
    /// What was achieved; made of name and level when absent.
    #[serde(default)]
    pub description: Option<String>,
    /// What had to be shown for it.
    #[serde(default)]
    pub criteria: Option<String>,
    /// The issuer's name, shown in the credential; that of `config.toml` when absent.
    pub issuer_name: Option<String>,
    /// Until when it is valid, in milliseconds from now.
    pub valid_for_ms: Option<u64>,
    /// In which form.
    #[serde(default)]
    pub format: Format,
    /// With which key; the Ed25519 key when absent.
    #[serde(default)]
    pub algorithm: Option<Algorithm>,
    /// Whether it can be revoked and suspended.
    #[serde(default)]
    pub status: bool,
    /// A name for this very issuance. What was issued under it already is given out again, and nothing is issued.
    #[serde(default)]
    pub once: Option<String>,
}

impl IssueOrder {
    /// A credential that says no more than that.
    pub fn new(to: Did, skills: Vec<String>, level: Level) -> Self {
        IssueOrder {
            to,
            skills,
            level,
            achievement: None,
            description: None,
            criteria: None,
            issuer_name: None,
            valid_for_ms: None,
            format: Format::default(),
            algorithm: None,
            status: false,
            once: None,
        }
    }
}

/// A document of the data model to sign.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SignOrder {
    /// The credential without a proof. Without `issuer` it gets this home's DID.
    pub document: Map<String, Value>,
    /// In which form.
    #[serde(default)]
    pub format: Format,
    /// With which key; that of the `issuer` named, when absent.
    #[serde(default)]
    pub algorithm: Option<Algorithm>,
    /// Whether it can be revoked and suspended: adds `credentialStatus`.
    #[serde(default)]
    pub status: bool,
}

/// A credential that was issued, or with `dry` one that would be.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Issued {
    /// Its `id`.
    pub id: String,
    /// Its text; nothing when it was not issued.
    pub text: String,
    /// Whether it was issued before, under the same name.
    pub before: bool,
}

/// A change of status.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StatusOrder {
    /// The credential's `id`.
    pub id: String,
    /// Revocation or suspension.
    pub purpose: Purpose,
    /// Whether it is to be revoked or suspended, or no longer.
    pub set: bool,
    /// Why, for the issuer's own memory. It is not published.
    #[serde(default)]
    pub reason: Option<String>,
}

/// A part of what was issued.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IssuedPage {
    /// The credentials.
    pub rows: Vec<IssuedRow>,
    /// From where to ask for more; null when there is no more.
    pub next: Option<u64>,
}

/// A status list that was signed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StatusListRow {
    /// Its name: the last part of its URL.
    pub name: String,
    /// Where it must appear.
    pub url: String,
    /// What its bits say.
    pub purpose: Purpose,
    /// How many credentials have a place in it.
    pub credentials: u64,
    /// How many of them are revoked or suspended by it.
    pub set: u64,
    /// The signed list.
    pub text: String,
}
