//! The grammar: every key that a scenario file may have. What is not here is refused by name.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    units::{Duration, Rate, Share},
    who::{Kind, Who},
};
use crate::{attacks::Attack, scenario::Scenario};

/// A scenario of `knack sim`: who is there, what happens, what goes wrong, and what is measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Knackmesh scenario")]
pub struct File {
    /// What the scenario shows, in one line.
    pub title: String,
    /// Which engine runs it.
    #[serde(default)]
    pub fidelity: Fidelity,
    /// How long the run lasts, in the world's time.
    pub duration: Duration,
    /// Who is there.
    #[serde(default)]
    pub population: Population,
    /// How they are connected.
    #[serde(default)]
    pub network: Network,
    /// How many nodes attack, by attack.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub adversaries: BTreeMap<Attack, u32>,
    /// Who starts later than the others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arrivals: Vec<Arrival>,
    /// Who publishes, and when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub publications: Vec<Publications>,
    /// Who withdraws, and when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withdrawals: Vec<Withdrawals>,
    /// Who searches, when, and for what.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub queries: Vec<Queries>,
    /// Who crashes, and for how long.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outages: Vec<Outage>,
    /// When the network falls apart, and when it heals.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partitions: Vec<Partition>,
    /// What is measured.
    #[serde(default)]
    pub metrics: Metrics,
    /// Which keys `knack sim sweep` varies, and over which values: each with each.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sweep: BTreeMap<String, Vec<Setting>>,
}

/// How true a run is to the real program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fidelity {
    /// The program's own peers, unchanged, over a modelled network; every promise is checked.
    #[default]
    Full,
}

impl Fidelity {
    /// Its name in a file.
    pub fn name(self) -> &'static str {
        match self {
            Fidelity::Full => "full",
        }
    }
}

/// Who is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Population {
    /// Nodes whose people only search.
    pub employers: u32,
    /// Nodes whose people hold credentials.
    pub professionals: u32,
    /// Signers of credentials; employers recognise all of them but the last.
    pub issuers: u32,
    /// How many skills are in use: the commonest of the embedded vocabulary, by Zipf's law.
    pub skills: u32,
    /// Every so many professionals decide on each inquiry themselves, the others present to anyone; 0 is none.
    pub ask_every: u32,
}

impl Default for Population {
    fn default() -> Self {
        let Scenario { employers, professionals, issuers, skills, ask_every, .. } = Scenario::default();
        let skills = u32::try_from(skills).unwrap_or(u32::MAX);
        Population { employers, professionals, issuers, skills, ask_every }
    }
}

/// How nodes are connected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Network {
    /// Connections that a node seeks for itself; with those it accepts it has at most three times as many.
    pub degree: u32,
    /// Regions, on a line, over which nodes are spread in turn.
    pub regions: u32,
    /// How long a message takes.
    pub latency: Latency,
    /// Transmissions that are lost, in steps of 0.1 %.
    pub loss: Share,
}

impl Default for Network {
    fn default() -> Self {
        let Scenario { degree, regions, .. } = Scenario::default();
        let degree = u32::try_from(degree).unwrap_or(u32::MAX);
        Network { degree, regions, latency: Latency::default(), loss: Share(0) }
    }
}

/// How long a message takes, one way: `near`, and `far` for each border crossed, and up to `jitter`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Latency {
    /// Within a region.
    pub near: Duration,
    /// More for each border between two regions.
    pub far: Duration,
    /// At most so much more, uniformly.
    pub jitter: Duration,
}

impl Default for Latency {
    fn default() -> Self {
        let latency = Scenario::default().latency;
        let (near, far) = (Duration(latency.near_ms), Duration(latency.far_ms));
        Latency { near, far, jitter: Duration(u64::from(latency.jitter_ms)) }
    }
}

/// Nodes that start later than the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arrival {
    /// Who.
    pub who: Who,
    /// When they start.
    pub at: Duration,
}

/// Publications: of everybody named at one time, or of one of them after the other at random times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Publications {
    /// Who.
    #[serde(default = "professionals")]
    pub who: Who,
    /// When all of them do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Duration>,
    /// Over how much time after `at` they spread out, uniformly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Duration>,
    /// How often one of them, drawn, does: a Poisson process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
    /// When the process begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Duration>,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Duration>,
    /// For how long each is published.
    #[serde(default = "an_hour")]
    pub lease: Duration,
}

/// Withdrawals, timed as publications are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Withdrawals {
    /// Who.
    #[serde(default = "professionals")]
    pub who: Who,
    /// When all of them do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Duration>,
    /// Over how much time after `at` they spread out, uniformly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Duration>,
    /// How often one of them, drawn, does: a Poisson process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
    /// When the process begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Duration>,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Duration>,
}

/// Searches, timed as publications are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Queries {
    /// Who.
    #[serde(default = "employers")]
    pub who: Who,
    /// When all of them do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Duration>,
    /// Over how much time after `at` they spread out, uniformly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Duration>,
    /// How often one of them, drawn, does: a Poisson process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
    /// When the process begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Duration>,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Duration>,
    /// The query, as `knack query` takes it. `{skill}` is a skill drawn by Zipf's law, `{skill 1}` the commonest in use.
    #[serde(default = "a_skill")]
    pub ask: String,
}

/// Nodes that crash; what they had stored is left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Outage {
    /// Who.
    pub who: Who,
    /// When they crash.
    pub at: Duration,
    /// When they start again, counted from `at`; without it they never do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Duration>,
}

/// A time in which the network is in parts that cannot reach each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Partition {
    /// When it falls apart.
    pub begin: Duration,
    /// When it is whole again; without it never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heal: Option<Duration>,
    /// Into how many parts, from 2 to 8; nodes are dealt out to them by their numbers.
    #[serde(default = "two")]
    pub sides: u8,
}

/// What is measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Metrics {
    /// Recall is computed over the best so many results.
    pub recall_at: u32,
    /// Employers' nodes, the first so many, at which the spreading of each publication and withdrawal is watched.
    pub observers: u32,
    /// How often is looked; the least difference between two times of spreading.
    pub resolution: Duration,
    /// Time between two rows of the time series.
    pub every: Duration,
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics { recall_at: 10, observers: 10, resolution: Duration(100), every: Duration(5000) }
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

impl std::fmt::Display for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Setting::Number(number) => write!(f, "{number}"),
            Setting::Text(text) => f.write_str(text),
        }
    }
}

fn professionals() -> Who {
    Who::all(Kind::Professional)
}

fn employers() -> Who {
    Who::all(Kind::Employer)
}

fn an_hour() -> Duration {
    Duration(3_600_000)
}

fn a_skill() -> String {
    "{skill}".to_owned()
}

fn two() -> u8 {
    2
}
