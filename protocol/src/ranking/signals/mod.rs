//! The signals: each a file that turns one fact of a claim into a factor in thousandths, and a line in [`ALL`].

mod level;
mod recency;
mod recognition;
mod tier;

use super::Standing;
use crate::{skill::Level, summary::Month};

/// What a signal may look at.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The claim as it counts.
    pub standing: &'a Standing,
    /// The least level that the query asks for.
    pub asked: Level,
    /// The month of the search.
    pub now: Month,
}

/// A factor and the words that explain it.
#[derive(Debug)]
pub struct Signal {
    /// The signal's name.
    pub name: &'static str,
    /// The factor, in thousandths.
    pub factor: fn(&Context<'_>) -> u64,
    /// Why, for the explanation.
    pub reason: fn(&Context<'_>) -> String,
}

impl Signal {
    /// `points` after this signal, rounded down.
    pub fn scale(&self, points: u64, context: &Context<'_>) -> u64 {
        points * (self.factor)(context) / 1000
    }
}

/// Every signal, in order of application.
pub static ALL: &[&Signal] = &[&level::SIGNAL, &tier::SIGNAL, &recency::SIGNAL, &recognition::SIGNAL];

/// `points` after every signal.
pub fn apply(points: u64, context: &Context<'_>) -> u64 {
    ALL.iter().fold(points, |points, signal| signal.scale(points, context))
}
