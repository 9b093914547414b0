//! What a measurement showed: plain data with stable names.

use serde::Serialize;

use super::{Attacked, Crowd, Settings, questions::Question};
use crate::{
    bench::process::Memory,
    sim::{
        machine::{Machine, Program},
        statistics::{quantile, sorted},
    },
};

/// All of it.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The format of this document.
    pub format: &'static str,
    /// Of which program.
    pub program: Program,
    /// On what machine.
    pub machine: Machine,
    /// What that machine had to give.
    pub memory: Memory,
    /// What was measured.
    pub settings: Settings,
    /// Joining.
    pub start: Start,
    /// The network left alone.
    pub idle: Idle,
    /// Publications.
    pub publishing: Publishing,
    /// Queries by kind.
    pub queries: Vec<Asked>,
    /// What one of them costs.
    pub per_query: PerDeed,
    /// A skill that many have.
    pub crowd: Option<Crowd>,
    /// Hostile nodes.
    pub hostile: Option<Attacked>,
    /// The most memory that the process had, in bytes.
    pub peak_bytes: Option<u64>,
    /// What it had at the end.
    pub end_bytes: Option<u64>,
    /// Seconds of processors from the first node's start to the end.
    pub cpu_seconds: Option<f64>,
    /// Seconds that passed meanwhile.
    pub seconds: f64,
    /// Whether it began or ended in the last hour of a day (UTC), in which the places of two days hold: what is published is placed twice, and
    /// who keeps it hands it on, which is several times the work.
    pub days_overlap: bool,
}

impl Report {
    /// What does not depend on the machine and did not come out as it must.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.publishing.missed > 0 {
            faults
                .push(format!("{} publications were not found where they should be", self.publishing.missed));
        }
        if self.publishing.under_replicated > 0 {
            faults.push(format!("{} people are kept by too few nodes", self.publishing.under_replicated));
        }
        for asked in &self.queries {
            if asked.recall_least.is_some_and(|least| least < 1.0) {
                let recall = asked.recall.unwrap_or_default();
                faults.push(format!("{}: a recall of {recall:.4}", asked.question.name()));
            }
            if asked.surplus > 0 {
                faults.push(format!("{}: {} found who do not match", asked.question.name(), asked.surplus));
            }
        }
        if let Some(crowd) = &self.crowd
            && let Some(least) = crowd.found.iter().min().filter(|least| **least < crowd.people)
        {
            faults.push(format!("of {} with one skill {least} were found", crowd.people));
        }
        faults
    }
}

/// Joining.
#[derive(Clone, Debug, Serialize)]
pub struct Start {
    /// Seconds from the first node's start until every node had enough others.
    pub converged_seconds: f64,
    /// Seconds of processors until then.
    pub cpu_seconds: Option<f64>,
    /// Connected nodes of a node, on average.
    pub connected: f64,
    /// Of the node with the fewest.
    pub connected_least: f64,
    /// Of the node with the most.
    pub connected_most: f64,
    /// Files and sockets of the process.
    pub descriptors: Option<usize>,
}

/// The network while nobody does anything.
#[derive(Clone, Debug, Serialize)]
pub struct Idle {
    /// For how long, in seconds.
    pub seconds: f64,
    /// The share of one core that a node takes, in percent.
    pub cpu_percent_each: Option<f64>,
    /// Resident memory of the process for each node, without what it had before the first, in bytes.
    pub resident_bytes_each: Option<f64>,
    /// The whole process, in bytes.
    pub resident_bytes: Option<u64>,
    /// Connected nodes of a node, on average, at the end.
    pub connected: f64,
    /// Bytes over the loopback interface for each node and second, all that carries messages included.
    pub loopback_bytes_per_second_each: Option<f64>,
}

/// Publications.
#[derive(Clone, Debug, Serialize)]
pub struct Publishing {
    /// How many.
    pub publications: usize,
    /// Milliseconds from the order to publish until somebody else's node can answer with it: in full mode for each other node, in
    /// cells mode until a search of another node has ended that found it.
    pub discoverable_ms: Option<Spread>,
    /// Publications not found in time, each at each node that should.
    pub missed: usize,
    /// People of whom too few nodes signed that they keep them; they are placed again a minute later.
    pub under_replicated: usize,
    /// How often a summary was passed on until a node had it by gossip.
    pub hops: Option<Spread>,
    /// What one costs.
    pub each: PerDeed,
}

/// What one publication, or one query, costs all nodes together.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PerDeed {
    /// How many this is the average of.
    pub of: usize,
    /// Messages received by kind. Comparisons are not caused by it and happen meanwhile.
    pub messages: std::collections::BTreeMap<&'static str, f64>,
    /// Their bytes, without what carries them.
    pub bytes: std::collections::BTreeMap<&'static str, f64>,
    /// Messages of gossip that the receiver had already.
    pub duplicates: f64,
    /// Requests of look-ups in the hash table.
    pub look_up_requests: f64,
    /// Bytes over the loopback interface beyond those of the idle network, with all that carries messages.
    pub loopback_bytes: Option<f64>,
    /// Seconds of processors, beyond those of the idle network.
    pub cpu_seconds: Option<f64>,
}

/// Queries of one kind.
#[derive(Clone, Debug, Serialize)]
pub struct Asked {
    /// Which.
    pub question: Question,
    /// How many.
    pub queries: usize,
    /// People who should be found, on average.
    pub relevant: f64,
    /// The share of them that was found; null when nobody was to be found.
    pub recall: Option<f64>,
    /// Of the query with the least.
    pub recall_least: Option<f64>,
    /// People found who do not match.
    pub surplus: usize,
    /// Milliseconds that one takes.
    pub ms: Option<Spread>,
    /// Nodes asked for leads, on average.
    pub asked: f64,
    /// Holders asked for presentations, on average.
    pub inquired: f64,
    /// Presentations that came, on average.
    pub presented: f64,
}

/// How values are spread.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Spread {
    /// How many there are.
    pub samples: usize,
    /// The average.
    pub mean: f64,
    /// Half are no greater.
    pub p50: f64,
    /// 99 in a hundred are no greater.
    pub p99: f64,
    /// The greatest.
    pub most: f64,
}

impl Spread {
    /// Of these values; `None` when there are none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let values = sorted(values);
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let at = |share| quantile(&values, share);
        Some(Spread { samples: values.len(), mean, p50: at(0.5)?, p99: at(0.99)?, most: at(1.0)? })
    }
}
