//! Churn: when nodes come and go. Lengths are drawn from each node's own stream with `libm`, whose results are the same on
//! every platform, or are given as a trace.
//!
//! Source of the Weibull fit: sessions of IPFS nodes, shape 0.61 and scale 3.7 hours, as [`Lifetime::IPFS`].

use rand_chacha::ChaCha20Rng;
use rand_core::Rng;

use crate::{lifetime::Lifetime, streams::below};

const HOUR_MS: u64 = 3_600_000;
/// Longest length drawn, in milliseconds: ten years.
const LENGTH_MAX_MS: f64 = 10.0 * 365.0 * 24.0 * HOUR_MS as f64;

impl Lifetime {
    /// One of them in milliseconds, at least 1.
    pub fn draw(&self, rng: &mut ChaCha20Rng) -> u64 {
        // Uniform above 0 and up to 1, so that the logarithm exists.
        let uniform = ((rng.next_u64() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
        self.exceeded_by(uniform).clamp(1.0, LENGTH_MAX_MS) as u64
    }
}

/// One stay of a node, as a trace tells it, in milliseconds since the run began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stay {
    /// Which node.
    pub node: u32,
    /// When it starts.
    pub start_ms: u64,
    /// When it stops; `u64::MAX` is never.
    pub stop_ms: u64,
}

/// Sessions and gaps that follow each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Renewal {
    /// How long a node stays. The first session of every node is drawn like all others, and counts from `from_ms`.
    pub session: Lifetime,
    /// How long it stays away.
    pub gap: Lifetime,
    /// How many of a thousand honest nodes come and go at all; which, each node's own stream decides.
    pub churning_permille: u32,
    /// How many of a thousand departures are crashes, which neighbours notice by silence; the others say goodbye.
    pub crash_permille: u32,
    /// Nobody leaves before this instant, in milliseconds since the run began.
    pub from_ms: u64,
}

impl Default for Renewal {
    /// Everybody comes and goes as in IPFS, with gaps of an hour on average; half of the departures are crashes.
    fn default() -> Self {
        Renewal {
            session: Lifetime::IPFS,
            gap: Lifetime::Exponential { mean_ms: HOUR_MS },
            churning_permille: 1000,
            crash_permille: 500,
            from_ms: 0,
        }
    }
}

impl Renewal {
    /// Whether the node whose stream this is comes and goes; the stream's first draw.
    pub fn concerns(&self, rng: &mut ChaCha20Rng) -> bool {
        below(rng, 1000) < self.churning_permille
    }

    /// Whether this departure is a crash.
    pub fn crashes(&self, rng: &mut ChaCha20Rng) -> bool {
        below(rng, 1000) < self.crash_permille
    }
}

/// Who comes and goes when. Nodes that a scenario calls late or hostile are left alone, except by a trace.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Churn {
    /// Nobody, unless told to.
    #[default]
    None,
    /// By chance.
    Renewal(Renewal),
    /// By the book: a node that occurs runs in its stays and at no other time.
    Trace {
        /// The stays, in any order.
        stays: Vec<Stay>,
        /// How many of a thousand of them end in a crash, which neighbours notice by silence; which, each node's own stream decides.
        crash_permille: u32,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::stream;

    fn drawn(lifetime: Lifetime) -> Vec<u64> {
        let mut rng = stream(1, 1, "churn");
        let mut lengths: Vec<u64> = (0..20_000).map(|_| lifetime.draw(&mut rng)).collect();
        lengths.sort_unstable();
        lengths
    }

    fn share_below(lengths: &[u64], ms: u64) -> f64 {
        lengths.partition_point(|length| *length < ms) as f64 / lengths.len() as f64
    }

    #[test]
    fn exponential_lengths_have_their_mean_and_median() {
        let lengths = drawn(Lifetime::Exponential { mean_ms: 10_000 });
        let mean = lengths.iter().sum::<u64>() as f64 / lengths.len() as f64;
        assert!((mean - 10_000.0).abs() < 250.0, "{mean}");
        assert!((share_below(&lengths, 6931) - 0.5).abs() < 0.02);
    }

    #[test]
    fn weibull_lengths_follow_their_distribution() {
        let lengths = drawn(Lifetime::IPFS);
        // 1 - exp(-(t / scale)^shape).
        for (hours, share) in [(0.5, 0.2555), (1.0, 0.3624), (3.7, 0.6321), (12.0, 0.8713)] {
            let measured = share_below(&lengths, (hours * HOUR_MS as f64) as u64);
            assert!((measured - share).abs() < 0.015, "{hours} h: {measured} instead of {share}");
        }
    }
}
