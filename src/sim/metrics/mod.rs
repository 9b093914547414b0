//! Metrics of a run: one number each, with a name that carries its unit. One function each, and a line in [`METRICS`].

use std::collections::BTreeMap;

use super::{
    record::{LookUpLine, QueryLine, Record},
    statistics::{gini, quantile, sorted},
};

/// A number that a run comes to.
pub struct Metric {
    /// Its name in files.
    pub name: &'static str,
    /// What it is, with its unit, for people.
    pub label: &'static str,
    /// From a run; `None` where the run has nothing to measure it by.
    pub of: fn(&Record) -> Option<f64>,
}

/// Every metric.
pub static METRICS: &[Metric] = &[
    Metric { name: "look_ups", label: "look-ups that ended by themselves", of: |r| count(ended(r).count()) },
    Metric {
        name: "found_share",
        label: "targets found (share of look-ups that ended)",
        of: |r| share(ended(r).count(), ended(r).filter(|line| line.outcome == "found").count()),
    },
    Metric {
        name: "look_up_latency_p50_ms",
        label: "look-up latency, median (ms)",
        of: |r| quantile(&sorted(ended(r).map(|line| f64::from(line.latency_ms))), 0.5),
    },
    Metric {
        name: "look_up_latency_p95_ms",
        label: "look-up latency, 95th percentile (ms)",
        of: |r| quantile(&sorted(ended(r).map(|line| f64::from(line.latency_ms))), 0.95),
    },
    Metric {
        name: "hops_mean",
        label: "hops to the target, mean",
        of: |r| {
            let found = ended(r).filter(|line| line.outcome == "found");
            average(found.map(|line| f64::from(line.hops)))
        },
    },
    Metric {
        name: "requests_per_look_up",
        label: "requests of a look-up, mean",
        of: |r| average(ended(r).map(|line| f64::from(line.requests))),
    },
    Metric {
        name: "timeouts_per_look_up",
        label: "time-outs of a look-up, mean",
        of: |r| average(ended(r).map(|line| f64::from(line.timeouts))),
    },
    Metric { name: "queries", label: "searches", of: |r| count(r.queries.len()) },
    Metric {
        name: "answered_share",
        label: "searches answered (share)",
        of: |r| share(r.queries.len(), answered(r).count()),
    },
    Metric { name: "recall_mean", label: "recall, mean", of: |r| average(recalls(r)) },
    Metric {
        name: "recall_p05",
        label: "recall, 5th percentile",
        of: |r| quantile(&sorted(recalls(r)), 0.05),
    },
    Metric { name: "query_latency_p50_ms", label: "search latency, median (ms)", of: |r| latency(r, 0.5) },
    Metric {
        name: "query_latency_p95_ms",
        label: "search latency, 95th percentile (ms)",
        of: |r| latency(r, 0.95),
    },
    Metric {
        name: "discoverable_share",
        label: "publications that became known (share of observers)",
        of: |r| known(r, "publication"),
    },
    Metric {
        name: "discoverable_p50_s",
        label: "publication to discoverable, median (s)",
        of: |r| spread(r, "publication", 0.5),
    },
    Metric {
        name: "discoverable_p95_s",
        label: "publication to discoverable, 95th percentile (s)",
        of: |r| spread(r, "publication", 0.95),
    },
    Metric {
        name: "withdrawn_share",
        label: "withdrawals that became known (share of observers)",
        of: |r| known(r, "withdrawal"),
    },
    Metric {
        name: "withdrawn_p50_s",
        label: "withdrawal to forgotten, median (s)",
        of: |r| spread(r, "withdrawal", 0.5),
    },
    Metric {
        name: "withdrawn_p95_s",
        label: "withdrawal to forgotten, 95th percentile (s)",
        of: |r| spread(r, "withdrawal", 0.95),
    },
    Metric {
        name: "coverage_end_share",
        label: "published holders known at the end (share)",
        of: |r| r.timeseries.last().and_then(|line| line.coverage),
    },
    Metric {
        name: "stale_max",
        label: "stale summaries at an observer, most",
        of: |r| r.timeseries.iter().filter_map(|line| line.stale).max_by(f64::total_cmp),
    },
    Metric {
        name: "messages_per_node",
        label: "messages sent by a node, mean",
        of: |r| per_node(r, r.messages.iter().map(|line| line.sent).sum()),
    },
    Metric {
        name: "bytes_per_node",
        label: "bytes sent by a node, mean",
        of: |r| per_node(r, r.messages.iter().map(|line| line.sent_bytes).sum()),
    },
    Metric { name: "load_gini", label: "inequality of messages by node (Gini)", of: |r| gini(&loads(r)) },
];

/// Every metric of a run.
pub fn summary(record: &Record) -> BTreeMap<String, Option<f64>> {
    METRICS.iter().map(|metric| (metric.name.to_owned(), (metric.of)(record))).collect()
}

/// What a metric is, with its unit.
pub fn label(name: &str) -> &str {
    METRICS.iter().find(|metric| metric.name == name).map_or(name, |metric| metric.label)
}

/// Look-ups that ended by themselves.
pub fn ended(record: &Record) -> impl Iterator<Item = &LookUpLine> {
    record.look_ups.iter().filter(|line| line.outcome == "found" || line.outcome == "missed")
}

/// Searches that were answered.
pub fn answered(record: &Record) -> impl Iterator<Item = &QueryLine> {
    record.queries.iter().filter(|line| line.outcome == "answered")
}

/// Messages that each node received, sorted; nodes that received none count.
pub fn loads(record: &Record) -> Vec<f64> {
    sorted(record.load.iter().map(|line| line.messages as f64))
}

/// Times until news was known, sorted.
pub fn spreads(record: &Record, what: &str) -> Vec<f64> {
    sorted(record.spreading.iter().filter(|line| line.what == what).filter_map(|line| line.after_s))
}

fn recalls(record: &Record) -> impl Iterator<Item = f64> {
    record.queries.iter().filter_map(|line| line.recall)
}

fn latency(record: &Record, share: f64) -> Option<f64> {
    let all = answered(record).filter_map(|line| line.latency_ms).map(|ms| ms as f64);
    quantile(&sorted(all), share)
}

fn known(record: &Record, what: &str) -> Option<f64> {
    let all = record.spreading.iter().filter(|line| line.what == what).count();
    share(all, spreads(record, what).len())
}

fn spread(record: &Record, what: &str, share: f64) -> Option<f64> {
    quantile(&spreads(record, what), share)
}

fn count(count: usize) -> Option<f64> {
    (count > 0).then_some(count as f64)
}

fn share(all: usize, part: usize) -> Option<f64> {
    (all > 0).then(|| part as f64 / all as f64)
}

fn average(values: impl Iterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn per_node(record: &Record, sum: u64) -> Option<f64> {
    (record.manifest.nodes > 0).then(|| sum as f64 / f64::from(record.manifest.nodes))
}
