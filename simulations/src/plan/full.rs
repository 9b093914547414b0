//! The grammar of `fidelity = "full"`: every key that such a file may have. What is not here is refused by name.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    file::{Lifetime, Setting},
    units::{Bandwidth, Duration, Rate, Share},
    who::{Kind, Who},
};
use crate::{access, attacks::Attack, churn, scenario::Scenario};

/// The program's own peers, unchanged, over a modelled network; every promise is checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Full {
    /// What the scenario shows, in one line.
    pub title: String,
    /// Says that this is the grammar.
    #[serde(default)]
    pub fidelity: FullName,
    /// How long the run lasts, in the world's time.
    pub duration: Duration,
    /// Who is there.
    #[serde(default)]
    pub population: Population,
    /// How they are connected.
    #[serde(default)]
    pub network: Network,
    /// Who is behind a NAT.
    #[serde(default)]
    pub nat: Nat,
    /// Kinds of lines; none is no limit of bandwidth.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<Line>,
    /// How nodes come and go by themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub churn: Option<Churn>,
    /// How many nodes attack, by attack: a number, or a share of the honest nodes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub adversaries: BTreeMap<Attack, Amount>,
    /// What attackers are told.
    #[serde(default)]
    pub aims: Aims,
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

/// The name of this fidelity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FullName {
    /// `full`.
    #[default]
    Full,
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
    /// How gossip spreads over them.
    pub gossip: Gossip,
    /// How long a message takes, one way.
    pub latency: Latency,
    /// Transmissions that are lost, in steps of 0.1 %.
    pub loss: Share,
    /// Dials that fail, in steps of 0.1 %; the node tries again.
    pub dial_failing: Share,
    /// How long a dial to a node that does not answer takes; with 0 ms it fails after a round trip.
    pub dial_timeout: Duration,
}

impl Default for Network {
    fn default() -> Self {
        Network {
            degree: u32::try_from(Scenario::default().degree).unwrap_or(u32::MAX),
            gossip: Gossip::default(),
            latency: Latency::default(),
            loss: Share(0),
            dial_failing: Share(0),
            dial_timeout: Duration(0),
        }
    }
}

/// How gossip spreads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Gossip {
    /// Everything to every neighbour.
    Flood,
    /// As gossipsub does, with the parameters of the node.
    #[default]
    Mesh,
}

/// How long a message takes, one way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Latency {
    /// Regions on a line, over which nodes are spread in turn.
    Line(Regular),
    /// The same for any two nodes.
    Uniform(Uniform),
    /// A table of regions.
    Regions(Regions),
}

/// Regions on a line: `near`, and `far` for each border crossed, and up to `jitter`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Regular {
    /// How many regions.
    pub regions: u32,
    /// Within a region.
    pub near: Duration,
    /// More for each border between two regions.
    pub far: Duration,
    /// At most so much more, uniformly.
    pub jitter: Duration,
}

/// Evenly between two bounds, drawn anew for each message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Uniform {
    /// Shortest.
    pub min: Duration,
    /// Longest.
    pub max: Duration,
}

/// A table of regions, from the row's to the column's; each node's own stream draws its region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Regions {
    /// How many of all nodes are in each region, in steps of 0.1 %; together all of them.
    pub shares: Vec<Share>,
    /// A row and a column for each region.
    pub one_way: Vec<Vec<Duration>>,
    /// At most so much more, uniformly.
    #[serde(default)]
    pub jitter: Duration,
}

impl Default for Regular {
    fn default() -> Self {
        let ms = Duration;
        Regular { regions: 4, near: ms(10), far: ms(45), jitter: ms(20) }
    }
}

impl Default for Latency {
    fn default() -> Self {
        Latency::Line(Regular::default())
    }
}

/// Who can be reached by whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Nat {
    /// Nodes behind a NAT, in steps of 0.1 %; which, each node's own stream decides.
    pub behind: Share,
    /// Of pairs of nodes that are both behind one, those that get through to each other; all others speak through a relay.
    pub punched: Share,
}

impl Default for Nat {
    fn default() -> Self {
        let nat = access::Nat::default();
        Nat { behind: Share(nat.behind_permille * 1000), punched: Share(nat.punched_permille * 1000) }
    }
}

/// A kind of line, of which so many nodes have one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Which share of the nodes, in steps of 0.1 %; what is missing falls to the last kind.
    pub share: Share,
    /// From the node.
    pub up: Bandwidth,
    /// To the node.
    pub down: Bandwidth,
}

/// How nodes come and go by themselves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Churn {
    /// How long a node stays; without it as measured in IPFS, Weibull with shape 0.61 and scale 3.7 h.
    pub session: Lifetime,
    /// How long it stays away.
    pub gap: Lifetime,
    /// Honest nodes that come and go at all, in steps of 0.1 %.
    pub share: Share,
    /// Departures that are crashes, which neighbours notice by silence; the others say goodbye.
    pub crashes: Share,
    /// Nobody leaves earlier.
    pub from: Duration,
}

impl Default for Churn {
    fn default() -> Self {
        let renewal = churn::Renewal::default();
        Churn {
            session: Lifetime::IPFS,
            gap: Lifetime::of(renewal.gap),
            share: Share(renewal.churning_permille * 1000),
            crashes: Share(renewal.crash_permille * 1000),
            from: Duration(renewal.from_ms),
        }
    }
}

/// A number of nodes, or a share of the honest ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a number of nodes, or a share of the honest ones such as \"5 %\"")]
pub enum Amount {
    /// So many.
    Number(u32),
    /// So many for each honest node, rounded up, in steps of 0.1 %.
    Share(Share),
}

/// What attackers are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Aims {
    /// The employer's node that attacks are aimed at which need a victim: sybil, eclipse, cold_boot.
    pub victim: u32,
    /// When those strike that behave until then: flash.
    pub strike: Duration,
    /// Messages a second of a node that floods.
    pub flood_per_second: u32,
}

impl Default for Aims {
    fn default() -> Self {
        let Scenario { victim, strike_ms, flood_per_s, .. } = Scenario::default();
        Aims { victim, strike: Duration(strike_ms), flood_per_second: flood_per_s }
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

/// Nodes that stop; what they had stored is left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Outage {
    /// Who.
    pub who: Who,
    /// When they crash.
    pub at: Duration,
    /// Whether they say goodbye, or their neighbours notice their silence.
    #[serde(default)]
    pub goodbye: bool,
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
