//! What a holder asks of its node in order to show credentials to a verifier, and what it is told.

use std::fmt;

use knackmesh_protocol::{credential::Format, time::Timestamp};
use serde::{Deserialize, Serialize};

use crate::report::rfc3339;

/// Which own credentials a verifier is shown, and for what.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ShowOrder {
    /// What the verifier asks for: a DCQL query. The credentials that state `skills` when absent.
    pub dcql: Option<String>,
    /// Skills by URI or name; every credential when there is none.
    pub skills: Vec<String>,
    /// The verifier's challenge, or nonce.
    pub challenge: String,
    /// The verifier's own name.
    pub domain: String,
    /// The form of a presentation that answers no query.
    pub format: Format,
}

/// A presentation, and what it shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ShownRow {
    /// The part of the query that it answers; null when there was none.
    pub query: Option<String>,
    /// The text for the verifier.
    pub presentation: String,
    /// The credentials shown, by name.
    pub credentials: Vec<String>,
    /// The claims disclosed, by path; empty where a form shows all.
    pub disclosed: Vec<String>,
    /// The signed status lists known of these credentials: with them beside the presentation, nobody needs to ask the issuer.
    pub status_lists: Vec<String>,
}

/// A presentation that was given.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DisclosedRow {
    /// When.
    #[serde(with = "rfc3339")]
    pub at: Timestamp,
    /// The seeker's DID, or what the holder called the verifier; null when it was made for nobody in particular.
    pub to: Option<String>,
    /// What it was given for.
    pub occasion: Occasion,
    /// The purpose, as the seeker stated it; null when nobody did.
    pub purpose: Option<String>,
    /// What was shown.
    pub credentials: Vec<DisclosedCredential>,
}

/// Why a presentation was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// The node answered an inquiry, as consent allowed.
    Inquiry,
    /// The holder had it made for a verifier.
    Presentation,
}

impl fmt::Display for Occasion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Occasion::Inquiry => "inquiry",
            Occasion::Presentation => "presentation",
        })
    }
}

/// A credential that was shown.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DisclosedCredential {
    /// The credential's id.
    pub id: String,
    /// Its name, if it is kept still and has one.
    pub name: Option<String>,
}
