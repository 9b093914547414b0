//! How long something lasts: a stay of a node, or the time until it comes back.
//!
//! The mathematics is `libm`'s, whose results are the same on every platform.

use serde::{Deserialize, Serialize};

/// How long something lasts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Lifetime {
    /// Without memory: whoever has stayed is as likely to go in the next minute as whoever has just come.
    Exponential {
        /// The mean, in milliseconds.
        mean_ms: u64,
    },
    /// With a shape below 1, who has stayed longer stays longer yet.
    Weibull {
        /// The shape, above 0; 1 is exponential.
        shape: f64,
        /// The scale, in milliseconds: 63 % are shorter.
        scale_ms: u64,
    },
}

impl Lifetime {
    /// Sessions as measured in IPFS: shape 0.61 and scale 3.7 hours, so that half of them end within two hours; the mean is
    /// 5.4 hours.
    pub const IPFS: Lifetime = Lifetime::Weibull { shape: 0.61, scale_ms: 13_320_000 };

    /// Shape and scale, in milliseconds.
    pub(crate) fn weibull(self) -> (f64, f64) {
        match self {
            Lifetime::Exponential { mean_ms } => (1.0, mean_ms as f64),
            Lifetime::Weibull { shape, scale_ms } => (shape, scale_ms as f64),
        }
    }

    /// The length, in milliseconds, that a share of `share` exceeds; a uniform share above 0 and up to 1 draws one.
    pub(crate) fn exceeded_by(self, share: f64) -> f64 {
        let (shape, scale_ms) = self.weibull();
        scale_ms * libm::pow(-libm::log(share), 1.0 / shape)
    }
}
