//! The trust list, and by whose word each entry is on it.

use knackmesh_protocol::{key::Did, skill::SkillId, time::Timestamp};
use serde::{Deserialize, Serialize};

use super::rfc3339;

/// A trust list as it counts now.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct TrustReport {
    /// What is thought of whom.
    pub entries: Vec<TrustRow>,
    /// Whose lists it was made from, besides one's own.
    pub followed: Vec<FollowedRow>,
}

/// An entry of the trust list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
// Distrust by a name that is not read would be recognition.
#[serde(deny_unknown_fields)]
pub struct TrustRow {
    /// The issuer.
    pub issuer: Did,
    /// Its name, as the seeker knows it.
    pub name: Option<String>,
    /// Explicitly distrusted.
    #[serde(default)]
    pub distrusted: bool,
    /// The skills that it is recognised for; all when there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<SkillId>,
    /// Whether it is the seeker's own entry, which stands whatever others say.
    #[serde(default)]
    pub own: bool,
    /// Whose lists name the issuer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<VoucherRow>,
}

/// What somebody's list says of an issuer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoucherRow {
    /// Whose list.
    pub keeper: Did,
    /// What its keeper calls it.
    pub list: Option<String>,
    /// From when on it holds, as its keeper says.
    #[serde(with = "rfc3339::optional")]
    pub signed: Option<Timestamp>,
    /// When it was taken over.
    #[serde(with = "rfc3339")]
    pub imported: Timestamp,
    /// Explicitly distrusted there.
    #[serde(default)]
    pub distrusted: bool,
    /// The skills that it is recognised for there; all when there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<SkillId>,
}

/// A list that is followed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowedRow {
    /// Whose it is.
    pub keeper: Did,
    /// What its keeper calls it.
    pub name: Option<String>,
    /// From when on it holds no longer; null when it has no end.
    #[serde(with = "rfc3339::optional")]
    pub until: Option<Timestamp>,
    /// Whether it counts now.
    pub current: bool,
}
