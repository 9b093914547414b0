//! The two worlds' answers laid side by side.

use std::collections::BTreeSet;

use serde::Serialize;

use super::Measured;
use crate::sim::statistics::{Mean, mean, quantile, sorted};

/// How far a count of the model may be from that of real nodes, as a share.
const COUNTS_WITHIN: f64 = 0.05;
/// How far a time may be.
const TIMES_WITHIN: f64 = 0.10;

/// Differences that the model is known to have, and why. `simulations/README.md` says more.
const EXPLAINED: &[(&str, &str)] = &[
    ("publication to found, p50", ON_DISK),
    ("publication to found, p95", ON_DISK),
    ("withdrawal to forgotten, p50", ON_DISK),
    ("withdrawal to forgotten, p95", ON_DISK),
    ("requests of a look-up", ONE_AFTER_THE_OTHER),
    ("withdrawal: messages", BY_REQUEST_FIRST),
    ("withdrawal: bytes", BY_REQUEST_FIRST),
];
const BY_REQUEST_FIRST: &str = "a withdrawal goes to each neighbour by gossip and by request in the same instant; one real node in eight has the request                                 first, ignores what then comes by gossip, and does not forward it; in the model gossip is always first";
const ONE_AFTER_THE_OTHER: &str = "answers that reach the model's look-up in one instant reach a real one after the other, and one that gets no nearer asks \
                                   more meanwhile; three milliseconds of jitter have the model ask 4 % more";
const ON_DISK: &str = "a real holder's node drafts, signs and has its disk keep what it publishes or withdraws before it tells anybody, \
                       and real receivers verify and store; the model does all of that in no time";

/// One thing that both worlds were asked.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// What.
    pub what: String,
    /// Its unit; empty for numbers of things.
    pub unit: &'static str,
    /// The model's answer, over the seeds.
    pub model: Mean,
    /// Real nodes' answer.
    pub real: Mean,
    /// The model's over the real nodes'; `None` where those have 0.
    pub ratio: Option<f64>,
    /// How far from 1 the ratio may be.
    pub within: f64,
    /// What follows.
    pub verdict: Verdict,
    /// Why it is no worse, where the difference is known.
    pub because: Option<&'static str>,
}

/// What follows from a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The model is as near as it should be.
    Holds,
    /// It is not, and the reason is known.
    Explained,
    /// It is not.
    Differs,
}

impl Verdict {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Holds => "holds",
            Verdict::Explained => "explained",
            Verdict::Differs => "differs",
        }
    }
}

/// All rows, from one answer of each world for each seed.
pub fn rows(model: &[Measured], real: &[Measured]) -> Vec<Row> {
    let mut laid = Laid { model, real, rows: Vec::new() };
    type Of = fn(&Measured) -> &Vec<f64>;
    let times: [(&str, Of); 5] = [
        ("gossip delivery", |run| &run.delivery),
        ("publication to found", |run| &run.discoverable),
        ("withdrawal to forgotten", |run| &run.forgotten),
        ("search", |run| &run.search),
        ("look-up", |run| &run.look_up),
    ];
    for (name, of) in times {
        for (quantile_name, share) in [("p50", 0.50), ("p95", 0.95)] {
            let value = |run: &Measured| quantile(&sorted(of(run).iter().copied()), share);
            laid.add(format!("{name}, {quantile_name}"), "ms", TIMES_WITHIN, value);
        }
    }
    let average = |values: &[f64]| mean(values).map(|mean| mean.mean);
    let for_each = |things: f64, of: f64| (things > 0.0).then(|| of / things);
    laid.count("requests of a look-up", |run| average(&run.requests));
    laid.count("receipts of a message", |run| for_each(run.messages, run.delivery.len() as f64));
    laid.count("duplicates of an announcement", |run| for_each(run.announcements, run.duplicates));
    laid.count("recall of a search", |run| average(&run.recall));
    let kinds: BTreeSet<&String> = real.iter().flat_map(|run| run.received.keys()).collect();
    for kind in kinds {
        laid.count(&format!("{kind}: messages"), |run| run.received.get(kind).map(|count| count.0));
        laid.count(&format!("{kind}: bytes"), |run| run.received.get(kind).map(|count| count.1));
    }
    laid.count("contacts of a node", |run| (run.contacts > 0.0).then_some(run.contacts));
    laid.count("connections of a node", |run| (run.connections > 0.0).then_some(run.connections));
    laid.rows
}

struct Laid<'a> {
    model: &'a [Measured],
    real: &'a [Measured],
    rows: Vec<Row>,
}

impl Laid<'_> {
    fn count(&mut self, what: &str, of: impl Fn(&Measured) -> Option<f64>) {
        self.add(what.to_owned(), "", COUNTS_WITHIN, of);
    }

    fn add(&mut self, what: String, unit: &'static str, within: f64, of: impl Fn(&Measured) -> Option<f64>) {
        let answers = |runs: &[Measured]| mean(&runs.iter().filter_map(&of).collect::<Vec<f64>>());
        let (Some(model), Some(real)) = (answers(self.model), answers(self.real)) else { return };
        let ratio = (real.mean != 0.0).then(|| model.mean / real.mean);
        let holds = ratio.map_or(model.mean == 0.0, |ratio| (ratio - 1.0).abs() <= within);
        let because = EXPLAINED.iter().find(|(row, _)| *row == what).map(|(_, because)| *because);
        let verdict = match (holds, because) {
            (true, _) => Verdict::Holds,
            (false, Some(_)) => Verdict::Explained,
            (false, None) => Verdict::Differs,
        };
        let because = because.filter(|_| !holds);
        self.rows.push(Row { what, unit, model, real, ratio, within, verdict, because });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_time_may_be_a_tenth_off_and_a_count_a_twentieth() {
        let run = |time: f64, duplicates: f64| Measured {
            delivery: vec![time; 20],
            messages: 1.0,
            announcements: 1.0,
            duplicates,
            ..Measured::default()
        };
        let verdict = |time: f64, duplicates: f64, what: &str| {
            let rows = rows(&[run(time, duplicates)], &[run(100.0, 100.0)]);
            rows.into_iter().find(|row| row.what == what).unwrap().verdict
        };
        for (time, verdict_of_time) in [
            (109.0, Verdict::Holds),
            (111.0, Verdict::Differs),
            (91.0, Verdict::Holds),
            (89.0, Verdict::Differs),
        ] {
            assert_eq!(verdict(time, 100.0, "gossip delivery, p50"), verdict_of_time, "{time}");
            assert_eq!(verdict(time, 100.0, "gossip delivery, p95"), verdict_of_time, "{time}");
        }
        for (count, verdict_of_count) in
            [(104.0, Verdict::Holds), (106.0, Verdict::Differs), (94.0, Verdict::Differs)]
        {
            assert_eq!(verdict(100.0, count, "duplicates of an announcement"), verdict_of_count, "{count}");
        }
        assert_eq!(verdict(100.0, 100.0, "receipts of a message"), Verdict::Holds);
    }
}
