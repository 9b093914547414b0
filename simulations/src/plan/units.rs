//! Values with units: `"30 s"`, `"2.5 %"`, `"12 /min"`. Kept as whole numbers of a smallest unit, so that what is printed
//! reads back as the same value on every machine.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Digits after the point that a value may have.
const DECIMALS_MAX: usize = 9;
/// Digits that a value may have in all.
const DIGITS_MAX: usize = 18;

/// Time, in whole milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(pub u64);

/// A part of a whole, in millionths; never more than the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(pub u32);

/// How often something happens on average, in thousandths a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(pub u64);

/// How much goes through a line, in whole kilobits a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bandwidth(pub u64);

/// Why a text is no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// No number, or no unit that is known.
    #[error("`{text}` is no {what}: write {examples}")]
    Form {
        /// What was written.
        text: String,
        /// What was expected.
        what: &'static str,
        /// How it would be right.
        examples: &'static str,
    },
    /// Finer than what can be told apart.
    #[error("`{text}` is finer than {smallest}")]
    Fine {
        /// What was written.
        text: String,
        /// The smallest difference.
        smallest: &'static str,
    },
    /// Beyond what the kind of value can be.
    #[error("`{text}` is more than {most}")]
    Large {
        /// What was written.
        text: String,
        /// The largest value.
        most: &'static str,
    },
}

/// A kind of value.
struct Kind {
    what: &'static str,
    examples: &'static str,
    smallest: &'static str,
    most: &'static str,
    /// The largest value, in the smallest unit.
    max: u128,
    /// Names of units and how many of the smallest they are, smallest first.
    units: &'static [(&'static str, u128)],
}

const DAY_MS: u128 = 24 * 3600 * 1000;

const DURATION: Kind = Kind {
    what: "duration",
    examples: "\"20 ms\", \"30 s\", \"5 min\", \"3.7 h\" or \"2 d\"",
    smallest: "a millisecond",
    most: "ten years",
    max: 3652 * DAY_MS,
    units: &[("ms", 1), ("s", 1000), ("min", 60_000), ("h", 3_600_000), ("d", DAY_MS)],
};

const SHARE: Kind = Kind {
    what: "share",
    examples: "\"2 %\" or \"0.5 %\"",
    smallest: "0.0001 %",
    most: "100 %",
    max: 1_000_000,
    units: &[("%", 10_000)],
};

const RATE: Kind = Kind {
    what: "rate",
    examples: "\"2 /s\", \"12 /min\", \"0.5 /h\" or \"3 /d\"",
    smallest: "0.001 /d",
    most: "1000 /s",
    max: 86_400_000 * 1000,
    units: &[("/d", 1000), ("/h", 24_000), ("/min", 1_440_000), ("/s", 86_400_000)],
};

const BANDWIDTH: Kind = Kind {
    what: "bandwidth",
    examples: "\"64 kbit/s\", \"100 Mbit/s\" or \"1 Gbit/s\"",
    smallest: "a kilobit a second",
    most: "1000 Gbit/s",
    max: 1_000_000_000,
    units: &[("kbit/s", 1), ("Mbit/s", 1000), ("Gbit/s", 1_000_000)],
};

/// Times between hosts, which lent files state finer than a scenario does.
const SPAN: Kind = Kind {
    what: "time",
    examples: "\"10 ms\", \"2.5 ms\" or \"350 us\"",
    smallest: "a nanosecond",
    most: "two minutes",
    max: 120_000_000_000,
    units: &[("ns", 1), ("us", 1000), ("ms", 1_000_000), ("s", 1_000_000_000)],
};

/// A time between hosts, in nanoseconds.
pub(super) fn nanoseconds(text: &str) -> Result<u64, UnitError> {
    SPAN.parse(text, None).map(|ns| u64::try_from(ns).unwrap_or(u64::MAX))
}

/// A time between hosts, in nanoseconds; without a unit it is milliseconds.
pub(super) fn nanoseconds_or_ms(text: &str) -> Result<u64, UnitError> {
    SPAN.parse(text, Some("ms")).map(|ns| u64::try_from(ns).unwrap_or(u64::MAX))
}

impl Kind {
    /// A number, a space or none, a unit, or `otherwise` if there is none. Exact: there are no floating-point numbers here.
    fn parse(&self, text: &str, otherwise: Option<&str>) -> Result<u128, UnitError> {
        let form = || UnitError::Form { text: text.to_owned(), what: self.what, examples: self.examples };
        let trimmed = text.trim();
        let end = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
        let (number, unit) = trimmed.split_at(end);
        let unit = match (unit.trim_start(), otherwise) {
            ("", Some(otherwise)) => otherwise,
            (unit, _) => unit,
        };
        let (_, factor) = self.units.iter().find(|(name, _)| *name == unit).ok_or_else(form)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty()
            || number.ends_with('.')
            || fraction.contains('.')
            || fraction.len() > DECIMALS_MAX
            || whole.len() + fraction.len() > DIGITS_MAX
        {
            return Err(form());
        }
        let digits =
            whole.bytes().chain(fraction.bytes()).fold(0, |sum, digit| sum * 10 + u128::from(digit - b'0'));
        let scale = (0..fraction.len()).fold(1, |scale: u128, _| scale * 10);
        let scaled = digits * factor;
        if !scaled.is_multiple_of(scale) {
            return Err(UnitError::Fine { text: text.to_owned(), smallest: self.smallest });
        }
        match scaled / scale {
            value if value > self.max => Err(UnitError::Large { text: text.to_owned(), most: self.most }),
            value => Ok(value),
        }
    }

    /// In the largest unit of which it is a whole number, or else in the smallest, with a fraction.
    fn print(&self, value: u128, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |(_, factor): &&(&str, u128)| value != 0 && value.is_multiple_of(*factor);
        let Some((unit, factor)) = self.units.iter().rev().find(fits).or_else(|| self.units.first()) else {
            return Ok(());
        };
        let (whole, rest) = (value / factor, value % factor);
        if rest == 0 {
            return write!(f, "{whole} {unit}");
        }
        // Every smallest unit is a power of ten.
        let width = factor.to_string().len() - 1;
        let fraction = format!("{rest:0width$}");
        write!(f, "{whole}.{} {unit}", fraction.trim_end_matches('0'))
    }

    fn schema(&self) -> Schema {
        let units: Vec<&str> = self.units.iter().map(|(name, _)| *name).collect();
        json_schema!({
            "type": "string",
            "description": format!("A {}: {}", self.what, self.examples),
            "pattern": format!(r"^\s*[0-9]+(\.[0-9]+)?\s*({})\s*$", units.join("|")),
        })
    }
}

macro_rules! unit {
    ($name:ident($inner:ty), $kind:expr) => {
        impl FromStr for $name {
            type Err = UnitError;

            fn from_str(text: &str) -> Result<Self, UnitError> {
                let value = $kind.parse(text, None)?;
                // The kind's maximum fits.
                Ok($name(<$inner>::try_from(value).unwrap_or(<$inner>::MAX)))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                $kind.print(u128::from(self.0), f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl de::Visitor<'_> for Visitor {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        write!(f, "a {} with its unit: {}", $kind.what, $kind.examples)
                    }

                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$name, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Visitor)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $kind.schema()
            }
        }
    };
}

unit!(Duration(u64), DURATION);
unit!(Share(u32), SHARE);
unit!(Rate(u64), RATE);
unit!(Bandwidth(u64), BANDWIDTH);

impl Duration {
    /// A duration with its unit, or seconds without one.
    pub(super) fn or_seconds(text: &str) -> Result<Self, UnitError> {
        DURATION.parse(text, Some("s")).map(|ms| Duration(u64::try_from(ms).unwrap_or(u64::MAX)))
    }
}

impl Share {
    /// The whole.
    pub const WHOLE: Share = Share(1_000_000);

    /// This part of `n`, rounded to the nearest.
    pub fn of(self, n: usize) -> usize {
        let part = (n as u128 * u128::from(self.0) + 500_000) / 1_000_000;
        usize::try_from(part).unwrap_or(n)
    }
}

impl Rate {
    /// The mean time between two events, in milliseconds; `None` when nothing ever happens.
    pub fn mean_ms(self) -> Option<u64> {
        (86_400_000_000_u64).checked_div(self.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_are_read_exactly() {
        let duration = |text: &str| text.parse::<Duration>().map(|d| d.0);
        assert_eq!(duration("20 ms"), Ok(20));
        assert_eq!(duration("30s"), Ok(30_000));
        assert_eq!(duration(" 1.5 min "), Ok(90_000));
        assert_eq!(duration("3.7 h"), Ok(13_320_000));
        assert_eq!("0.5 %".parse(), Ok(Share(5000)));
        assert_eq!("12 /min".parse::<Rate>().unwrap().mean_ms(), Some(5000));
        assert_eq!("0 /s".parse::<Rate>().unwrap().mean_ms(), None);
    }

    #[test]
    fn what_is_no_value_is_refused_with_what_to_write() {
        let wrong = |text: &str| text.parse::<Duration>().unwrap_err().to_string();
        for text in ["", "30", "s", "30 sec", "-3 s", ".5 s", "5. s", "1.2.3 s", "1e3 s", "30 Mbit/s", "3 S"]
        {
            assert!(wrong(text).contains("\"30 s\""), "{text}: {}", wrong(text));
        }
        assert_eq!(wrong("0.5 ms"), "`0.5 ms` is finer than a millisecond");
        assert_eq!(wrong("4000 d"), "`4000 d` is more than ten years");
        assert!(wrong(&"9".repeat(40)).contains("write"));
        assert!("101 %".parse::<Share>().is_err());
        assert!("0.00001 %".parse::<Share>().is_err());
    }

    #[test]
    fn a_value_is_printed_in_its_largest_whole_unit() {
        assert_eq!(Duration(90_000).to_string(), "90 s");
        assert_eq!(Duration(7_200_000).to_string(), "2 h");
        assert_eq!(Duration(0).to_string(), "0 ms");
        assert_eq!(Share(5000).to_string(), "0.5 %");
        assert_eq!(Rate(1500).to_string(), "1.5 /d");
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(ms in 0..=3652 * 86_400_000_u64, millionths in 0..=1_000_000_u32,
                                      rate in 0..=86_400_000_000_u64, kbit in 0..=1_000_000_000_u64) {
            prop_assert_eq!(Duration(ms).to_string().parse(), Ok(Duration(ms)));
            prop_assert_eq!(Share(millionths).to_string().parse(), Ok(Share(millionths)));
            prop_assert_eq!(Rate(rate).to_string().parse(), Ok(Rate(rate)));
            prop_assert_eq!(Bandwidth(kbit).to_string().parse(), Ok(Bandwidth(kbit)));
        }

        #[test]
        fn nothing_that_is_read_panics(text in ".{0,40}") {
            let _ = (text.parse::<Duration>(), text.parse::<Share>(), text.parse::<Rate>());
        }
    }
}
