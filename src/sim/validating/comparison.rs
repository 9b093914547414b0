//! The two worlds' answers laid side by side.

use serde::Serialize;

use super::Measured;
use crate::sim::statistics::{Mean, mean, quantile, sorted};

/// How far a count of the model may be from that of real nodes.
pub const COUNTS_WITHIN: f64 = 0.05;
/// How far a time may be.
pub const TIMES_WITHIN: f64 = 0.10;

/// One thing that both worlds were asked.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// What.
    pub what: String,
    /// Its unit.
    pub unit: &'static str,
    /// The model's answer, over the seeds.
    pub model: Mean,
    /// Real nodes' answer.
    pub real: Mean,
    /// The model's over the real nodes'.
    pub ratio: Option<f64>,
    /// How far from 1 the ratio may be.
    pub within: f64,
    /// Whether it is no further.
    pub holds: bool,
}

/// All rows, from one answer of each world for each seed.
pub fn rows(model: &[Measured], real: &[Measured]) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut add = |what: &str, unit, within, of: &dyn Fn(&Measured) -> Option<f64>| {
        let answers = |runs: &[Measured]| mean(&runs.iter().filter_map(of).collect::<Vec<_>>());
        if let (Some(model), Some(real)) = (answers(model), answers(real)) {
            let ratio = (real.mean != 0.0).then(|| model.mean / real.mean);
            let holds = ratio.map_or(model.mean == 0.0, |ratio| (ratio - 1.0).abs() <= within);
            rows.push(Row { what: what.to_owned(), unit, model, real, ratio, within, holds });
        }
    };
    let times: [(&str, fn(&Measured) -> &Vec<f64>); 5] = [
        ("gossip delivery", |run| &run.delivery),
        ("publication to found", |run| &run.discoverable),
        ("withdrawal to forgotten", |run| &run.forgotten),
        ("search", |run| &run.search),
        ("look-up", |run| &run.look_up),
    ];
    for (name, of) in times {
        for (quantile_name, share) in [("p50", 0.50), ("p95", 0.95)] {
            let value = move |run: &Measured| quantile(&sorted(of(run).iter().copied()), share);
            add(&format!("{name}, {quantile_name}"), "ms", TIMES_WITHIN, &value);
        }
    }
    let average = |values: &[f64]| mean(values).map(|mean| mean.mean);
    add("requests of a look-up", "", COUNTS_WITHIN, &|run| average(&run.requests));
    add("duplicates of a message", "", COUNTS_WITHIN, &|run| {
        (run.messages > 0.0).then(|| run.duplicates / run.messages)
    });
    add("receipts of a message", "", COUNTS_WITHIN, &|run| {
        (run.messages > 0.0).then(|| run.delivery.len() as f64 / run.messages)
    });
    add("recall of a search", "", COUNTS_WITHIN, &|run| average(&run.recall));
    let kinds: std::collections::BTreeSet<&String> =
        real.iter().flat_map(|run| run.received.keys()).collect();
    for kind in kinds {
        add(&format!("messages: {kind}"), "", COUNTS_WITHIN, &|run| {
            run.received.get(kind).map(|count| count.0)
        });
        add(&format!("bytes: {kind}"), "", COUNTS_WITHIN, &|run| run.received.get(kind).map(|count| count.1));
    }
    add("connections of a node", "", COUNTS_WITHIN, &|run| {
        (run.connections > 0.0).then_some(run.connections)
    });
    rows
}
