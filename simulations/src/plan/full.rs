//! The grammar of `fidelity = "full"`: every key that such a file may have. What is not here is refused by name.

mod network;

use std::collections::BTreeMap;

use knackmesh_protocol::peer;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::network::{
    Gossip, Graph, Latency, Line, Matrix, Measured, Mesh, Nat, Network, Regions, Regular, Uniform,
};
use super::{
    exponent::Exponent,
    file::{Lifetime, Setting},
    lent::{Attached, Stays},
    units::{Duration, Rate, Share},
    who::{Kind, Who},
};
use crate::{attacks::Attack, churn, scenario::Scenario};

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
    /// How much each node keeps of what is published.
    #[serde(default)]
    pub keeping: Keeping,
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
    /// The exponent of that law, from 0 to 4 in steps of 0.001: with 0 each skill is as common as another.
    pub zipf: Exponent,
    /// How many credentials are of level 1, 2, 3, 4 and 5, in steps of 0.1 %, together all of them; without it as many of one
    /// level as of another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub levels: Option<[Share; 5]>,
    /// People whose skills go together; all others have theirs by Zipf's law.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub occupations: Vec<Occupation>,
    /// Every so many professionals decide on each inquiry themselves, the others present to anyone; 0 is none.
    pub ask_every: u32,
}

impl Default for Population {
    fn default() -> Self {
        let Scenario { employers, professionals, issuers, skills, ask_every, .. } = Scenario::default();
        let skills = u32::try_from(skills).unwrap_or(u32::MAX);
        let (zipf, levels, occupations) = (Exponent::default(), None, Vec::new());
        Population { employers, professionals, issuers, skills, zipf, levels, occupations, ask_every }
    }
}

/// People of one trade.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Occupation {
    /// What it is called.
    pub name: String,
    /// How many of those who hold credentials have it, in steps of 0.1 %.
    pub share: Share,
    /// Names of skills of the embedded vocabulary; whoever has the occupation has some of these, each as likely as another.
    pub skills: Vec<String>,
}

/// How much each node keeps of what is published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Keeping {
    /// `auto` keeps everything while there is room, and cells from then on; `full`, `cells` and `none` decide for it.
    pub replica: Replica,
    /// Summaries for which a node has room, up to 200,000.
    pub summaries: u32,
    /// Summaries in a cell above which it is split.
    pub split_above: u32,
    /// Summaries in the parts of a cell below which it takes them back.
    pub merge_below: u32,
}

impl Default for Keeping {
    fn default() -> Self {
        let keeping = peer::Keeping::default();
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Keeping {
            replica: Replica::default(),
            summaries: count(keeping.summaries_max),
            split_above: count(keeping.split_above),
            merge_below: count(keeping.merge_below),
        }
    }
}

/// Which part of what is published a node keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Replica {
    /// Everything while there is room, and cells from then on.
    #[default]
    Auto,
    /// Everything, as long as there is room.
    Full,
    /// The cells that are placed on it.
    Cells,
    /// Only its own.
    None,
}

/// How nodes come and go by themselves: by chance, or as a trace says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Churn {
    /// A file of stays, comma-separated under the header `node,start,stop`: a node is its number, employers first, and times are
    /// seconds or have their unit; no `stop` is to the end. A node that occurs runs in its stays only; the others stay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<Attached<Stays>>,
    /// How long a node stays; without it as measured in IPFS, Weibull with shape 0.61 and scale 3.7 h.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Lifetime>,
    /// How long it stays away; without it an hour on average.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gap: Option<Lifetime>,
    /// Honest nodes that come and go at all, in steps of 0.1 %; without it all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<Share>,
    /// Departures that are crashes, which neighbours notice by silence; the others say goodbye.
    pub crashes: Share,
    /// Nobody leaves earlier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Duration>,
}

impl Default for Churn {
    fn default() -> Self {
        let crashes = Share(churn::Renewal::default().crash_permille * 1000);
        Churn { trace: None, session: None, gap: None, share: None, crashes, from: None }
    }
}

impl Churn {
    /// Writes down what is not said, if chance decides.
    pub(super) fn fill_in(&mut self) {
        if self.trace.is_none() {
            let renewal = churn::Renewal::default();
            self.session.get_or_insert(Lifetime::IPFS);
            self.gap.get_or_insert(Lifetime::of(renewal.gap));
            self.share.get_or_insert(Share(renewal.churning_permille * 1000));
            self.from.get_or_insert(Duration(renewal.from_ms));
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
    /// Groups of addresses (/24 or /48) that all attackers have together; none named is one for each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnets: Option<u32>,
    /// Nodes that a sybil attack puts next to each half of a cell, before it goes on to the next; twenty if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sybils_a_half: Option<u32>,
    /// Whether these stay so far apart that nobody suspects them of crowding.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sybils_apart: bool,
    /// Further ones for each half, which fill the space where nodes look for others beside a crowd; none if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sybils_beside: Option<u32>,
}

impl Default for Aims {
    fn default() -> Self {
        let Scenario { victim, strike_ms, flood_per_s, .. } = Scenario::default();
        Aims {
            victim,
            strike: Duration(strike_ms),
            flood_per_second: flood_per_s,
            subnets: None,
            sybils_a_half: None,
            sybils_apart: false,
            sybils_beside: None,
        }
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
    /// The query, as `knack query` takes it. `{skill}` is a skill drawn by Zipf's law, `{skill 1}` the commonest in use,
    /// `{occupation skill}` one of an occupation drawn by the shares: the same for all gaps of a search, and another skill for each.
    #[serde(default = "a_skill")]
    pub ask: String,
    /// Candidates that are wanted: twice as many holders are asked for presentations.
    #[serde(default = "a_hundred")]
    pub top: u32,
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
    /// Into how many parts, from 2 to 8; nodes are dealt out to them by their numbers. Without it, and without regions, 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sides: Option<u8>,
    /// Which regions stay together, such as `[[0, 1], [2]]`: numbers of the places that `network.latency` has (regions, hosts or
    /// nodes of a graph), counted from 0 in their order there. All that are not named are together a part of their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<Vec<u32>>,
}

impl Full {
    /// Writes down the defaults that depend on what else is said.
    pub(super) fn fill_in(&mut self) {
        self.churn.iter_mut().for_each(Churn::fill_in);
        for partition in &mut self.partitions {
            if partition.regions.is_empty() {
                partition.sides.get_or_insert(2);
            }
        }
    }
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

fn a_hundred() -> u32 {
    100
}

fn a_skill() -> String {
    "{skill}".to_owned()
}
