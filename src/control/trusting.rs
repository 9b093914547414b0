//! What a verifier says of issuers, whose lists it follows, and what it is told.

use knackmesh_protocol::{
    credential::{Format, TrustEntry},
    key::Did,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::report::rfc3339;

/// What to do with the trust list.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum TrustOrder {
    /// Show it.
    List,
    /// Add an own entry, or change it.
    Add {
        /// On whom.
        issuer: Did,
        /// What it is called; as before when absent.
        #[serde(default)]
        name: Option<String>,
        /// Whether it is distrusted.
        #[serde(default)]
        distrusted: bool,
        /// What it is recognised for, by URI or name; the same as before when there is none, and at first everything.
        #[serde(default)]
        skills: Vec<String>,
    },
    /// Forget an own entry.
    Remove {
        /// On whom.
        issuer: Did,
    },
    /// Forget all that came from somebody's list.
    Unfollow {
        /// Whose.
        keeper: Did,
    },
    /// Sign the own entries as a list for others.
    Export {
        /// What the list is called.
        #[serde(default)]
        name: Option<String>,
        /// In which form it is signed.
        #[serde(default)]
        format: Format,
        /// For how long it holds.
        valid_for_ms: u64,
    },
    /// Follow a signed list.
    Follow(FollowOrder),
}

/// A list to follow.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FollowOrder {
    /// Its text, as it was signed.
    pub text: String,
    /// Who must have signed it. When absent it is followed only if its keeper already is.
    #[serde(default)]
    pub from: Option<Did>,
    /// Only say what it would change.
    #[serde(default)]
    pub dry: bool,
}

/// What a signed list is, and what it changes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FollowReport {
    /// Who signed it.
    pub keeper: Did,
    /// What its keeper calls it.
    pub name: Option<String>,
    /// From when on it holds, as its keeper says.
    #[serde(with = "rfc3339::optional")]
    pub signed: Option<Timestamp>,
    /// From when on it holds no longer; null when it has no end.
    #[serde(with = "rfc3339::optional")]
    pub until: Option<Timestamp>,
    /// How it is signed.
    pub format: String,
    /// How many entries it has.
    pub entries: usize,
    /// Whether its keeper was named, or is followed already.
    pub accepted: bool,
    /// Whether it is followed now.
    pub followed: bool,
    /// What becomes of those whom it names, or whom the list before it named.
    pub changes: Vec<ChangeRow>,
}

/// What becomes of an issuer by a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ChangeRow {
    /// The issuer.
    pub issuer: Did,
    /// In one word.
    pub change: Change,
    /// What was thought of it; null when nothing was.
    pub before: Option<TrustEntry>,
    /// What is thought of it with the list; null when nothing is.
    pub after: Option<TrustEntry>,
}

/// What becomes of an issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Nothing was thought of it before.
    Added,
    /// Something else was.
    Changed,
    /// Nothing is thought of it any more.
    Removed,
    /// The same was.
    Unchanged,
    /// There is an entry of one's own, which stands.
    OwnStands,
}
