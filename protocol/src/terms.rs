//! The terms on which a person can be engaged: where, in what languages, how and from when.
//!
//! Coarse on purpose: a country or a subdivision, never a street; a day, never a reason.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

const DAY_MS: u64 = 24 * 3600 * 1000;

/// A country (two letters in the form of ISO 3166-1 alpha-2) or a subdivision of one (ISO 3166-2): `DE`,
/// `DE-BE`. Checked for its form only, because the registers change and old nodes must not refuse new codes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Region(String);

/// A language: the primary subtag of BCP 47 (RFC 5646), two or three lower-case letters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Language(String);

/// Where the work is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WorkMode {
    /// Elsewhere only.
    Remote,
    /// Partly at the employer's.
    Hybrid,
    /// At the employer's.
    Onsite,
}

/// The first day (UTC, from 1970 to 9999-12-30) on which a person can start, as days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Availability(u32);

/// Not a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a region is a country's two letters, or those with a subdivision: DE, DE-BE")]
pub struct NotARegion;

/// Not a language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a language is two or three letters: de, en, fil")]
pub struct NotALanguage;

/// Not a mode of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a mode is one of remote, hybrid, onsite")]
pub struct NotAMode;

/// Not a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a day is written YYYY-MM-DD, from 1970 to 9999")]
pub struct NotADay;

impl Region {
    /// The code, in upper case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The country's two letters.
    pub fn country(&self) -> &str {
        self.0.split('-').next().unwrap_or(&self.0)
    }

    /// Whether `other` is this region or lies in it.
    pub fn contains(&self, other: &Region) -> bool {
        self == other || self.0 == other.country()
    }
}

impl FromStr for Region {
    type Err = NotARegion;

    /// Reads either case.
    fn from_str(s: &str) -> Result<Self, NotARegion> {
        let (country, subdivision) = s.split_once('-').map_or((s, None), |(c, s)| (c, Some(s)));
        let country_ok = country.len() == 2 && country.bytes().all(|b| b.is_ascii_alphabetic());
        let subdivision_ok = subdivision
            .is_none_or(|s| (1..=3).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_alphanumeric()));
        if country_ok && subdivision_ok { Ok(Region(s.to_ascii_uppercase())) } else { Err(NotARegion) }
    }
}

impl Language {
    /// The subtag, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Language {
    type Err = NotALanguage;

    /// Reads either case.
    fn from_str(s: &str) -> Result<Self, NotALanguage> {
        if (2..=3).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_alphabetic()) {
            Ok(Language(s.to_ascii_lowercase()))
        } else {
            Err(NotALanguage)
        }
    }
}

impl WorkMode {
    /// Every mode.
    pub const ALL: [WorkMode; 3] = [WorkMode::Remote, WorkMode::Hybrid, WorkMode::Onsite];

    /// The mode's name, as queries and output write it.
    pub const fn name(self) -> &'static str {
        match self {
            WorkMode::Remote => "remote",
            WorkMode::Hybrid => "hybrid",
            WorkMode::Onsite => "onsite",
        }
    }
}

impl FromStr for WorkMode {
    type Err = NotAMode;

    fn from_str(s: &str) -> Result<Self, NotAMode> {
        WorkMode::ALL.into_iter().find(|mode| mode.name().eq_ignore_ascii_case(s)).ok_or(NotAMode)
    }
}

impl Availability {
    /// 9999-12-30, the last day whose midnight every library can print.
    const DAYS_MAX: u32 = 2_932_895;

    /// Available from the day in which `now` lies.
    pub fn from_now(now: Timestamp) -> Self {
        Availability(u32::try_from(now.unix_ms() / DAY_MS).map_or(Self::DAYS_MAX, |d| d.min(Self::DAYS_MAX)))
    }

    /// Days since 1970-01-01.
    pub const fn days(self) -> u32 {
        self.0
    }
}

impl FromStr for Availability {
    type Err = NotADay;

    fn from_str(s: &str) -> Result<Self, NotADay> {
        let shaped = s.len() == 10
            && s.bytes()
                .enumerate()
                .all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() });
        if !shaped {
            return Err(NotADay);
        }
        let midnight: Timestamp = format!("{s}T00:00:00Z").parse().map_err(|_| NotADay)?;
        Ok(Availability::from_now(midnight))
    }
}

impl TryFrom<u32> for Availability {
    type Error = NotADay;

    fn try_from(days: u32) -> Result<Self, NotADay> {
        if days <= Self::DAYS_MAX { Ok(Availability(days)) } else { Err(NotADay) }
    }
}

impl From<Availability> for u32 {
    fn from(availability: Availability) -> u32 {
        availability.0
    }
}

impl fmt::Display for Availability {
    /// `YYYY-MM-DD`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let midnight = Timestamp::from_unix_ms(u64::from(self.0) * DAY_MS).to_string();
        f.write_str(midnight.split('T').next().unwrap_or(&midnight))
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for WorkMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl TryFrom<String> for Region {
    type Error = NotARegion;

    fn try_from(s: String) -> Result<Self, NotARegion> {
        s.parse()
    }
}

impl From<Region> for String {
    fn from(region: Region) -> String {
        region.0
    }
}

impl TryFrom<String> for Language {
    type Error = NotALanguage;

    fn try_from(s: String) -> Result<Self, NotALanguage> {
        s.parse()
    }
}

impl From<Language> for String {
    fn from(language: Language) -> String {
        language.0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn regions_nest() {
        let (de, berlin, at): (Region, Region, Region) =
            ("de".parse().unwrap(), "DE-be".parse().unwrap(), "AT".parse().unwrap());
        assert_eq!((de.as_str(), berlin.as_str(), berlin.country()), ("DE", "DE-BE", "DE"));
        assert!(de.contains(&berlin) && de.contains(&de) && !berlin.contains(&de) && !at.contains(&berlin));
        for bad in ["", "D", "DEU", "DE-", "DE-ABCD", "D1", "DE-BE-X", "Ü"] {
            assert!(bad.parse::<Region>().is_err(), "{bad}");
        }
    }

    #[test]
    fn days_read_what_they_write() {
        for day in ["1970-01-01", "2026-12-01", "2028-02-29", "9999-12-30"] {
            assert_eq!(day.parse::<Availability>().unwrap().to_string(), day);
        }
        for bad in ["2026-02-29", "2026-1-1", "2026-12-01T", "1969-12-31", "now", "２０２６-12"] {
            assert!(bad.parse::<Availability>().is_err(), "{bad}");
        }
        assert_eq!(Availability::try_from(Availability::DAYS_MAX).unwrap().to_string(), "9999-12-30");
        assert!(Availability::try_from(Availability::DAYS_MAX + 1).is_err());
    }

    #[test]
    fn languages_are_primary_subtags() {
        assert_eq!("DE".parse::<Language>().unwrap().as_str(), "de");
        assert!("de-AT".parse::<Language>().is_err() && "d".parse::<Language>().is_err());
    }
}
