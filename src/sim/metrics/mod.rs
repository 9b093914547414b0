//! Metrics of a run: one number each, with a name that carries its unit. One function each, and a line in [`METRICS`].

pub mod forgetting;
#[cfg(test)]
pub mod made_up;
pub mod partitions;
pub mod scraping;

use std::collections::BTreeMap;

use super::{
    record::{LookUpLine, MessageLine, QueryLine, Record},
    statistics::{gini, quantile, sorted},
};

/// A number that a run comes to.
pub struct Metric {
    /// Its name in files.
    pub name: &'static str,
    /// What it is, with its unit, for people.
    pub label: &'static str,
    /// Whether it is one of those that a report shows first.
    pub is_main: bool,
    /// From a run; `None` where the run has nothing to measure it by.
    pub of: fn(&Record) -> Option<f64>,
}

/// Every metric.
pub static METRICS: &[Metric] = &[
    main("recall_mean", "recall, mean (share)", |r| average(recalls(r))),
    rest("recall_p05", "recall, 5th percentile (share)", |r| quantile(&sorted(recalls(r)), 0.05)),
    rest("queries", "searches", |r| count(r.queries.len())),
    rest("answered_share", "searches answered (share)", |r| share(r.queries.len(), answered(r).count())),
    main("query_latency_p50_ms", "search latency, median (ms)", |r| latency(r, 0.5)),
    rest("query_latency_p95_ms", "search latency, 95th percentile (ms)", |r| latency(r, 0.95)),
    main("messages_per_query", "messages sent for a search, mean", |r| for_query(r, sent)),
    main("bytes_per_query", "bytes sent for a search, mean", |r| for_query(r, sent_bytes)),
    main("discoverable_p50_s", "publication to discoverable, median (s)", |r| spread(r, "publication", 0.5)),
    rest("discoverable_p95_s", "publication to discoverable, 95th percentile (s)", |r| {
        spread(r, "publication", 0.95)
    }),
    rest("discoverable_share", "publications that became known (share of observers)", |r| {
        known(r, "publication")
    }),
    main("messages_per_publication", "messages sent for a publication, mean", |r| for_publication(r, sent)),
    main("bytes_per_publication", "bytes sent for a publication, mean", |r| for_publication(r, sent_bytes)),
    main("withdrawal_half_life_s", "withdrawal half-life (s)", forgetting::half_life_s),
    rest("withdrawn_p50_s", "withdrawal to forgotten, median of those who forgot (s)", |r| {
        spread(r, "withdrawal", 0.5)
    }),
    rest("withdrawn_p95_s", "withdrawal to forgotten, 95th percentile of those who forgot (s)", |r| {
        spread(r, "withdrawal", 0.95)
    }),
    rest("withdrawn_share", "withdrawals that became known (share of observers)", |r| known(r, "withdrawal")),
    main("coverage_end_share", "published holders known at the end (share)", |r| {
        r.timeseries.last().and_then(|line| line.coverage)
    }),
    rest("stale_max", "stale summaries at an observer, most", |r| {
        r.timeseries.iter().filter_map(|line| line.stale).max_by(f64::total_cmp)
    }),
    main("recovery_s", "healing of a partition to coverage as before (s)", partitions::recovery_s),
    rest("recovered", "coverage came back after partitions (1 is yes)", |r| {
        partitions::has_recovered(r).map(|has| f64::from(u8::from(has)))
    }),
    rest(
        "partition_coverage_min_share",
        "lowest coverage from a partition on (share)",
        partitions::lowest_coverage,
    ),
    main("scraped_people_share", "people whom scrapers know at the end (share)", |r| {
        scraping::at_the_end(r, |line| line.scraped_people)
    }),
    rest("scraped_claims_share", "claims that scrapers know at the end (share)", |r| {
        scraping::at_the_end(r, |line| line.scraped_claims)
    }),
    rest("scraped_people_asking_share", "people whom scrapers found by asking (share)", |r| {
        scraping::at_the_end(r, |line| line.scraped_people_asking)
    }),
    main("scraped_half_s", "first publication to half of all people scraped (s)", scraping::half_known_s),
    rest("look_ups", "look-ups that ended by themselves", |r| count(ended(r).count())),
    main("found_share", "targets found (share of look-ups that ended)", |r| {
        share(ended(r).count(), found(r).count())
    }),
    main("look_up_latency_p50_ms", "look-up latency, median (ms)", |r| {
        quantile(&sorted(ended(r).map(|line| f64::from(line.latency_ms))), 0.5)
    }),
    rest("look_up_latency_p95_ms", "look-up latency, 95th percentile (ms)", |r| {
        quantile(&sorted(ended(r).map(|line| f64::from(line.latency_ms))), 0.95)
    }),
    main("hops_mean", "hops to the target, mean", |r| average(found(r).map(|line| f64::from(line.hops)))),
    rest("requests_per_look_up", "requests of a look-up, mean", |r| {
        average(ended(r).map(|line| f64::from(line.requests)))
    }),
    rest("timeouts_per_look_up", "time-outs of a look-up, mean", |r| {
        average(ended(r).map(|line| f64::from(line.timeouts)))
    }),
    main("messages_per_look_up", "messages sent for a look-up, mean", |r| for_look_up(r, sent)),
    main("bytes_per_look_up", "bytes sent for a look-up, mean", |r| for_look_up(r, sent_bytes)),
    rest("messages_per_node", "messages sent by a node, mean", |r| {
        ratio(all_sent(r, sent), f64::from(r.manifest.nodes))
    }),
    rest("bytes_per_node", "bytes sent by a node, mean", |r| {
        ratio(all_sent(r, sent_bytes), f64::from(r.manifest.nodes))
    }),
    rest("load_gini", "inequality of messages by node (Gini)", |r| gini(&loads(r))),
];

/// A metric that a report shows first.
const fn main(name: &'static str, label: &'static str, of: fn(&Record) -> Option<f64>) -> Metric {
    Metric { name, label, is_main: true, of }
}

/// Another.
const fn rest(name: &'static str, label: &'static str, of: fn(&Record) -> Option<f64>) -> Metric {
    Metric { name, label, is_main: false, of }
}

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

/// Look-ups that found their target.
pub fn found(record: &Record) -> impl Iterator<Item = &LookUpLine> {
    record.look_ups.iter().filter(|line| line.outcome == "found")
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

/// What was sent for a search: the search itself, its leads, inquiries and their answers, over the searches that were begun.
fn for_query(record: &Record, of: fn(&MessageLine) -> u64) -> Option<f64> {
    let begun = record.queries.iter().filter(|line| line.outcome == "answered" || line.outcome == "open");
    ratio(sent_as(record, &["search", "inquiry"], of), begun.count() as f64)
}

/// What was sent for a publication: by gossip and to the hash table, over the publications that were ordered.
fn for_publication(record: &Record, of: fn(&MessageLine) -> u64) -> Option<f64> {
    let ordered = record.manifest.orders?.publications;
    ratio(sent_as(record, &["announcement", "record"], of), ordered as f64)
}

/// What was sent for a look-up, those included that the overlay makes for itself.
fn for_look_up(record: &Record, of: fn(&MessageLine) -> u64) -> Option<f64> {
    ratio(all_sent(record, of), record.look_ups.len() as f64)
}

fn sent_as(record: &Record, kinds: &[&str], of: fn(&MessageLine) -> u64) -> u64 {
    record.messages.iter().filter(|line| kinds.contains(&line.kind.as_str())).map(of).sum()
}

fn all_sent(record: &Record, of: fn(&MessageLine) -> u64) -> u64 {
    record.messages.iter().map(of).sum()
}

fn sent(line: &MessageLine) -> u64 {
    line.sent
}

fn sent_bytes(line: &MessageLine) -> u64 {
    line.sent_bytes
}

fn ratio(sum: u64, parts: f64) -> Option<f64> {
    (parts > 0.0).then(|| sum as f64 / parts)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::sim::record::Orders;

    fn messages(kind: &str, sent: u64, sent_bytes: u64) -> MessageLine {
        MessageLine { kind: kind.to_owned(), sent, sent_bytes, received: None, received_bytes: None }
    }

    #[test]
    fn what_is_sent_for_a_search_or_a_publication_is_counted_over_those_that_were_begun() {
        let mut record = made_up::record("");
        record.messages = vec![
            messages("search", 30, 3000),
            messages("inquiry", 10, 5000),
            messages("announcement", 99, 9900),
            messages("record", 1, 100),
            messages("reconciliation", 1000, 1000),
        ];
        let query = |outcome: &str| QueryLine {
            at_s: 1.0,
            node: 0,
            query: "rust".to_owned(),
            outcome: outcome.to_owned(),
            latency_ms: None,
            relevant: 0,
            found: 0,
            hits: 0,
            recall: None,
            withheld: 0,
            presented: 0,
            refused: 0,
            asked: 0,
            answered: 0,
        };
        record.queries = ["answered", "open", "not_running", "refused"].map(query).to_vec();
        record.manifest.orders = Some(Orders { publications: 5, ..Orders::default() });
        let of = |name: &str| summary(&record)[name];
        assert_eq!((of("messages_per_query"), of("bytes_per_query")), (Some(20.0), Some(4000.0)));
        assert_eq!((of("messages_per_publication"), of("bytes_per_publication")), (Some(20.0), Some(2000.0)));
        assert_eq!((of("messages_per_node"), of("messages_per_look_up")), (Some(114.0), None));
    }

    #[test]
    fn every_metric_has_its_own_name_and_says_its_unit_or_is_a_count() {
        let mut names: Vec<&str> = METRICS.iter().map(|metric| metric.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), METRICS.len());
        for metric in METRICS {
            for (ending, unit) in [("_s", "(s)"), ("_ms", "(ms)"), ("_share", "share")] {
                let has = metric.name.ends_with(ending);
                assert!(!has || metric.label.contains(unit), "{}: {}", metric.name, metric.label);
            }
        }
    }
}
