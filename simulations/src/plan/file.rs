//! A scenario file, of whichever fidelity, and what the grammars share.

use std::{collections::BTreeMap, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{full::Full, overlay::Overlay, units::Duration};
use crate::lifetime;

/// A scenario of `knack sim`: who is there, what happens, what goes wrong, and what is measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(title = "Knackmesh scenario")]
#[expect(clippy::large_enum_variant, reason = "there are a handful")]
pub enum File {
    /// `fidelity = "full"`, or none.
    Full(Full),
    /// `fidelity = "overlay"`.
    Overlay(Overlay),
}

impl File {
    /// What the scenario shows.
    pub fn title(&self) -> &str {
        match self {
            File::Full(full) => &full.title,
            File::Overlay(overlay) => &overlay.title,
        }
    }

    /// The name of its fidelity.
    pub fn fidelity(&self) -> &'static str {
        match self {
            File::Full(_) => "full",
            File::Overlay(_) => "overlay",
        }
    }

    /// How long the run lasts, or, in the overlay, for how long look-ups are begun.
    pub fn duration(&self) -> Duration {
        match self {
            File::Full(full) => full.duration,
            File::Overlay(overlay) => overlay.duration,
        }
    }

    /// Which keys a sweep varies, and over which values.
    pub fn sweep(&self) -> &BTreeMap<String, Vec<Setting>> {
        match self {
            File::Full(full) => &full.sweep,
            File::Overlay(overlay) => &overlay.sweep,
        }
    }

    /// Writes down the defaults that depend on what else is said.
    pub(super) fn fill_in(&mut self) {
        match self {
            File::Full(full) => full.fill_in(),
            File::Overlay(_) => {}
        }
    }

    pub(super) fn without_sweep(&self) -> File {
        let mut file = self.clone();
        match &mut file {
            File::Full(full) => full.sweep.clear(),
            File::Overlay(overlay) => overlay.sweep.clear(),
        }
        file
    }
}

/// How long something lasts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Lifetime {
    /// Without memory.
    Exponential(Exponential),
    /// The longer it has lasted, the longer it will, if the shape is below 1.
    Weibull(Weibull),
}

/// Without memory.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exponential {
    /// The mean.
    pub mean: Duration,
}

/// Of a shape and a scale.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Weibull {
    /// From 0.2 to 10; 1 is exponential.
    pub shape: f64,
    /// 63 % are shorter.
    pub scale: Duration,
}

impl Lifetime {
    /// Sessions of IPFS nodes, as measured.
    pub const IPFS: Lifetime = Lifetime::Weibull(Weibull { shape: 0.61, scale: Duration(13_320_000) });

    pub(super) fn of(lifetime: lifetime::Lifetime) -> Self {
        match lifetime {
            lifetime::Lifetime::Exponential { mean_ms } => {
                Lifetime::Exponential(Exponential { mean: Duration(mean_ms) })
            }
            lifetime::Lifetime::Weibull { shape, scale_ms } => {
                Lifetime::Weibull(Weibull { shape, scale: Duration(scale_ms) })
            }
        }
    }

    pub(super) fn in_ms(self) -> lifetime::Lifetime {
        match self {
            Lifetime::Exponential(Exponential { mean }) => {
                lifetime::Lifetime::Exponential { mean_ms: mean.0 }
            }
            Lifetime::Weibull(Weibull { shape, scale }) => {
                lifetime::Lifetime::Weibull { shape, scale_ms: scale.0 }
            }
        }
    }

    /// What is wrong with it, if anything is.
    pub(super) fn fault(self) -> Option<String> {
        match self {
            Lifetime::Weibull(Weibull { shape, .. }) if !(0.2..=10.0).contains(&shape) => {
                Some(format!("a shape of {shape} is not from 0.2 to 10"))
            }
            Lifetime::Exponential(Exponential { mean: Duration(0) })
            | Lifetime::Weibull(Weibull { scale: Duration(0), .. }) => Some("it lasts no time".to_owned()),
            _ => None,
        }
    }
}

/// A value of a key, as a sweep gives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Setting {
    /// A whole number.
    Number(i64),
    /// Anything in quotes.
    Text(String),
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Setting::Number(number) => write!(f, "{number}"),
            Setting::Text(text) => f.write_str(text),
        }
    }
}
