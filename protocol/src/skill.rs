//! Skills as URIs, levels and tiers: the three things that every claim states.
//!
//! A skill is keyed by its URI, never by its name: names change between ESCO versions, URIs do not.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::limits::SKILL_ID_BYTES_MAX;

/// A skill's URI (`http`, `https` or `urn`), printable ASCII without spaces, quotes or angle brackets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SkillId(String);

/// Why a text is no skill id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a skill's URI (http:, https: or urn:, at most {SKILL_ID_BYTES_MAX} bytes): {0}")]
pub struct NotASkillId(String);

impl SkillId {
    /// The URI.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SkillId {
    type Err = NotASkillId;

    fn from_str(s: &str) -> Result<Self, NotASkillId> {
        let rest = ["http://", "https://", "urn:"].iter().find_map(|scheme| s.strip_prefix(scheme));
        let printable = s.bytes().all(|b| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b));
        if rest.is_some_and(|r| !r.is_empty()) && printable && s.len() <= SKILL_ID_BYTES_MAX {
            Ok(SkillId(s.to_owned()))
        } else {
            Err(NotASkillId(s.chars().take(80).collect()))
        }
    }
}

impl TryFrom<String> for SkillId {
    type Error = NotASkillId;

    fn try_from(s: String) -> Result<Self, NotASkillId> {
        s.parse()
    }
}

impl From<SkillId> for String {
    fn from(id: SkillId) -> String {
        id.0
    }
}

impl fmt::Display for SkillId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How well a skill is mastered: 1 (novice) to 5 (expert).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Level(u8);

/// Not a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a level is a whole number from 1 to 5, not {0}")]
pub struct NotALevel(u8);

impl Level {
    /// Level 1, which an achievement that states no level counts as.
    pub const MIN: Level = Level(1);
    /// Level 5.
    pub const MAX: Level = Level(5);

    /// 1 to 5.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Level {
    type Error = NotALevel;

    fn try_from(n: u8) -> Result<Self, NotALevel> {
        if (1..=5).contains(&n) { Ok(Level(n)) } else { Err(NotALevel(n)) }
    }
}

impl From<Level> for u8 {
    fn from(level: Level) -> u8 {
        level.0
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How well a claim is backed, weakest first. What a machine inferred is never shown as what an issuer verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// The holder's word.
    Claimed,
    /// Derived from artefacts by a named attestor key or machine.
    Evidence,
    /// Signed by another person.
    Peer,
    /// Signed by an institution's DID.
    Issuer,
    /// Signed by an issuer whose accreditation for this skill chains to a root that the seeker trusts.
    Accredited,
}

impl Tier {
    /// Every tier, weakest first.
    pub const ALL: [Tier; 5] = [Tier::Claimed, Tier::Evidence, Tier::Peer, Tier::Issuer, Tier::Accredited];

    /// The tier's name, as queries and output write it.
    pub const fn name(self) -> &'static str {
        match self {
            Tier::Claimed => "claimed",
            Tier::Evidence => "evidence",
            Tier::Peer => "peer",
            Tier::Issuer => "issuer",
            Tier::Accredited => "accredited",
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Tier {
    type Err = NotATier;

    fn from_str(s: &str) -> Result<Self, NotATier> {
        Tier::ALL.into_iter().find(|t| t.name().eq_ignore_ascii_case(s)).ok_or(NotATier)
    }
}

/// Not a tier's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a tier is one of claimed, evidence, peer, issuer, accredited")]
pub struct NotATier;
