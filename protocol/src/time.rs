//! Instants as arguments: the protocol never reads a clock.
//!
//! An instant is whole milliseconds since 1970-01-01T00:00:00Z, leap seconds ignored, and is
//! written as RFC 3339 in UTC. It is bounded to the years 1970 to 9999, so that arithmetic on what
//! a peer sends cannot overflow and every instant can be printed.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

/// 9999-12-30T00:00:00Z, the last day that jiff can print in every offset.
const MAX_MS: u64 = 253_402_128_000_000;

/// Milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct Timestamp(u64);

impl Timestamp {
    /// The Unix epoch, earlier than any instant that a peer can name.
    pub const EPOCH: Timestamp = Timestamp(0);

    /// The instant `ms` milliseconds after the epoch; later than the year 9999 saturates.
    pub const fn from_unix_ms(ms: u64) -> Self {
        Timestamp(if ms > MAX_MS { MAX_MS } else { ms })
    }

    /// Milliseconds since the epoch.
    pub const fn unix_ms(self) -> u64 {
        self.0
    }

    /// This instant and `ms` milliseconds more, saturating.
    pub const fn plus_ms(self, ms: u64) -> Self {
        Self::from_unix_ms(self.0.saturating_add(ms))
    }

    /// This instant and `ms` milliseconds less, saturating at the epoch.
    pub const fn minus_ms(self, ms: u64) -> Self {
        Timestamp(self.0.saturating_sub(ms))
    }

    /// Milliseconds from `earlier` to this instant; zero when it is not earlier.
    pub const fn since_ms(self, earlier: Timestamp) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Time left from `now` until this instant; zero when it has passed.
    pub const fn until(self, now: Timestamp) -> Duration {
        Duration::from_millis(self.0.saturating_sub(now.0))
    }

    /// RFC 3339 with whole seconds, as credentials write their dates.
    pub fn to_rfc3339_seconds(self) -> String {
        Timestamp(self.0 - self.0 % 1000).to_string()
    }
}

/// Why a number or a text is no instant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 instant between 1970 and 9999: {0}")]
pub struct NotAnInstant(String);

impl TryFrom<u64> for Timestamp {
    type Error = NotAnInstant;

    fn try_from(ms: u64) -> Result<Self, NotAnInstant> {
        if ms > MAX_MS { Err(NotAnInstant(ms.to_string())) } else { Ok(Timestamp(ms)) }
    }
}

impl From<Timestamp> for u64 {
    fn from(t: Timestamp) -> u64 {
        t.0
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match i64::try_from(self.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok()) {
            Some(t) => write!(f, "{t}"),
            None => write!(f, "{} ms", self.0),
        }
    }
}

impl FromStr for Timestamp {
    type Err = NotAnInstant;

    /// Reads an RFC 3339 instant; its offset is required, and finer parts than a millisecond are cut.
    fn from_str(s: &str) -> Result<Self, NotAnInstant> {
        let refuse = || NotAnInstant(s.chars().take(64).collect());
        let t: jiff::Timestamp = s.parse().map_err(|_| refuse())?;
        let ms = u64::try_from(t.as_millisecond()).map_err(|_| refuse())?;
        Timestamp::try_from(ms).map_err(|_| refuse())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let t: Timestamp = "2026-11-23T17:00:00.125Z".parse().unwrap();
        assert_eq!(t.to_string(), "2026-11-23T17:00:00.125Z");
        assert_eq!(t.to_rfc3339_seconds(), "2026-11-23T17:00:00Z");
        assert_eq!("2026-11-23T18:00:00+01:00".parse::<Timestamp>().unwrap().unix_ms(), 1_795_453_200_000);
        assert!("2026-11-23".parse::<Timestamp>().is_err());
        assert!("1969-12-31T23:59:59Z".parse::<Timestamp>().is_err());
        assert!(Timestamp::try_from(u64::MAX).is_err());
        assert_eq!(Timestamp::from_unix_ms(u64::MAX).plus_ms(u64::MAX).unix_ms(), MAX_MS);
    }
}
