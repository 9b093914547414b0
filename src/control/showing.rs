//! What a holder asks of its node in order to show credentials to a verifier, and what it is told.

use knackmesh_protocol::credential::Format;
use serde::{Deserialize, Serialize};

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
}
