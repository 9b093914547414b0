//! The grammar of `fidelity = "overlay"`: look-ups of a hash table and nothing else, for up to millions of nodes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    file::{Lifetime, Setting},
    full::{Graph, Matrix, Regions, Uniform},
    units::{Duration, Share},
};
use crate::{
    latency::Distances,
    overlay::{self, Settings},
};

/// Kademlia's look-ups, and nothing else, for up to millions of nodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Overlay {
    /// What the scenario shows, in one line.
    pub title: String,
    /// Says that this is the grammar.
    pub fidelity: OverlayName,
    /// For how long look-ups are begun, in the world's time; the run goes on until the last has ended.
    pub duration: Duration,
    /// How many look-ups are begun, one in each of as many equal parts of the duration.
    pub look_ups: u32,
    /// Who is there.
    #[serde(default)]
    pub population: Population,
    /// Parameters of Kademlia.
    #[serde(default)]
    pub kademlia: Kademlia,
    /// What is in the routing tables when the run begins.
    #[serde(default = "introduced")]
    pub bootstrap: Bootstrap,
    /// How messages travel.
    #[serde(default)]
    pub network: Network,
    /// How nodes come and go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub churn: Option<Churn>,
    /// Nodes that attack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attack: Option<Attack>,
    /// Which keys `knack sim sweep` varies, and over which values: each with each.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sweep: BTreeMap<String, Vec<Setting>>,
}

/// The name of this fidelity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OverlayName {
    /// `overlay`.
    Overlay,
}

/// Who is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "OverlayPopulation")]
pub struct Population {
    /// How many nodes.
    pub nodes: u32,
    /// Honest nodes that are in others' tables but never there, in steps of 0.1 %.
    pub offline: Share,
}

impl Default for Population {
    fn default() -> Self {
        Population { nodes: Settings::default().nodes, offline: Share(0) }
    }
}

/// Parameters of Kademlia.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Kademlia {
    /// Contacts of a bucket, of an answer, and of a look-up's result.
    pub k: u32,
    /// Requests under way at once, in each path of a look-up.
    pub alpha: u32,
    /// Disjoint paths of a look-up (S/Kademlia); 1 is Kademlia. In the manner of libp2p 1 or `alpha`.
    pub paths: u32,
    /// Whom a look-up asks next, and when it is over.
    pub manner: Manner,
    /// After how long a request without an answer is given up.
    pub timeout: Duration,
    /// Whether tables learn during the run of who asks, answers, or does not.
    pub learn: bool,
}

impl Default for Kademlia {
    fn default() -> Self {
        let Settings { k, alpha, paths, timeout_ms, learn, .. } = Settings::default();
        let manner = Manner::Kademlia;
        Kademlia { k, alpha, paths, manner, timeout: Duration(timeout_ms), learn }
    }
}

/// Whom a look-up asks next, and when it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Manner {
    /// Up to `alpha` at once of the `k` nearest; over when all of these have answered.
    Kademlia,
    /// As rust-libp2p, and so the node, does it: up to `k` at once when answers get no nearer. With one path.
    Libp2p,
}

/// What is in the routing tables when the run begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bootstrap {
    /// Each bucket holds as many as fit of all the nodes that belong there.
    Complete,
    /// Each node is told of some others at random and of its neighbours in order of identifiers.
    Introduced(Introduced),
}

/// Of how many nodes each is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Introduced {
    /// At random.
    pub random: u32,
    /// Neighbours, half of them before and half of them after the node.
    pub near: u32,
}

fn introduced() -> Bootstrap {
    match Settings::default().bootstrap {
        overlay::Bootstrap::Complete => Bootstrap::Complete,
        overlay::Bootstrap::Introduced { random, near } => Bootstrap::Introduced(Introduced { random, near }),
    }
}

/// How messages travel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "OverlayNetwork")]
pub struct Network {
    /// How long a message takes, one way.
    pub latency: Latency,
    /// Messages that are lost, in steps of 0.1 %.
    pub loss: Share,
}

impl Default for Network {
    fn default() -> Self {
        Network { latency: Latency::default(), loss: Share(0) }
    }
}

/// How long a message takes, one way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "OverlayLatency")]
pub enum Latency {
    /// The same for any two nodes.
    Uniform(Uniform),
    /// A table of regions.
    Regions(Regions),
    /// A file of times between hosts.
    Matrix(Matrix),
    /// A graph, along whose shortest ways messages go.
    Gml(Graph),
}

impl Default for Latency {
    fn default() -> Self {
        let (min_ms, max_ms) = match Settings::default().latency {
            overlay::Latency::Uniform { min_ms, max_ms } => (min_ms, max_ms),
            overlay::Latency::Table(_) => unreachable!("the overlay's default is a range"),
        };
        Latency::Uniform(Uniform { min: Duration(min_ms.into()), max: Duration(max_ms.into()) })
    }
}

/// What the engine runs.
fn latency(latency: &Latency) -> overlay::Latency {
    let ms = |duration: Duration| u32::try_from(duration.0).unwrap_or(u32::MAX);
    overlay::Latency::Table(match latency {
        Latency::Uniform(Uniform { min, max }) => {
            return overlay::Latency::Uniform { min_ms: ms(*min), max_ms: ms(*max) };
        }
        Latency::Regions(Regions { shares, one_way, jitter }) => {
            // No more than a minute, with a row and a column for each: else it was refused.
            let cell = |from: usize, to: usize| {
                one_way.get(from).and_then(|row| row.get(to)).map_or(0, |cell| cell.0)
            };
            let distances = Distances::new(shares.len(), |from, to| {
                (u16::try_from(cell(from, to)).unwrap_or(u16::MAX), 0)
            });
            overlay::Table {
                shares_permille: Some(shares.iter().map(|share| share.0 / 1000).collect()),
                distances: distances.into(),
                jitter_ms: ms(*jitter),
            }
        }
        Latency::Matrix(Matrix { file, jitter, .. }) | Latency::Gml(Graph { file, jitter }) => {
            overlay::Table {
                shares_permille: None,
                distances: file.content().clone(),
                jitter_ms: ms(*jitter),
            }
        }
    })
}

/// How nodes come and go: all but the attackers and those that are never there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "OverlayChurn")]
pub struct Churn {
    /// How long a node stays; without it as measured in IPFS, Weibull with shape 0.61 and scale 3.7 h.
    pub session: Lifetime,
    /// How long it is away.
    pub absence: Lifetime,
    /// Whether a node that returns looks itself up.
    pub rejoin: bool,
}

impl Default for Churn {
    fn default() -> Self {
        Churn { session: Lifetime::IPFS, absence: Lifetime::IPFS, rejoin: true }
    }
}

/// Nodes that attack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OverlayAttack")]
pub struct Attack {
    /// Which share of all nodes, in steps of 0.1 %.
    pub share: Share,
    /// What they do when they are asked.
    pub behaviour: Behaviour,
}

/// What attackers do when they are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Behaviour {
    /// They do not answer.
    Drop,
    /// They answer with the attackers nearest to the key, and only those.
    Eclipse,
}

impl Overlay {
    /// What the engine runs.
    pub(super) fn settings(&self) -> Settings {
        Settings {
            nodes: self.population.nodes,
            k: self.kademlia.k,
            alpha: self.kademlia.alpha,
            paths: self.kademlia.paths,
            manner: match self.kademlia.manner {
                Manner::Kademlia => overlay::Manner::Kademlia,
                Manner::Libp2p => overlay::Manner::Libp2p,
            },
            look_ups: self.look_ups,
            duration_ms: self.duration.0,
            timeout_ms: self.kademlia.timeout.0,
            latency: latency(&self.network.latency),
            loss_permille: self.network.loss.0 / 1000,
            offline_permille: self.population.offline.0 / 1000,
            bootstrap: match self.bootstrap {
                Bootstrap::Complete => overlay::Bootstrap::Complete,
                Bootstrap::Introduced(Introduced { random, near }) => {
                    overlay::Bootstrap::Introduced { random, near }
                }
            },
            learn: self.kademlia.learn,
            churn: self.churn.as_ref().map(|churn| overlay::Churn {
                session: churn.session.in_ms(),
                absence: churn.absence.in_ms(),
                rejoin: churn.rejoin,
            }),
            attack: self.attack.as_ref().map(|attack| overlay::Attack {
                permille: attack.share.0 / 1000,
                behaviour: match attack.behaviour {
                    Behaviour::Drop => overlay::Behaviour::Drop,
                    Behaviour::Eclipse => overlay::Behaviour::Eclipse,
                },
            }),
        }
    }

    /// The key of the file for a setting of the engine.
    pub(super) fn key_of(setting: &str) -> String {
        match setting {
            "nodes" => "population.nodes",
            "k" | "alpha" | "paths" => return format!("kademlia.{setting}"),
            "timeout_ms" => "kademlia.timeout",
            "duration_ms" => "duration",
            "latency.min_ms" => "network.latency.uniform.min",
            "latency.max_ms" => "network.latency.uniform.max",
            "loss_permille" => "network.loss",
            "offline_permille" => "population.offline",
            "bootstrap.random" => "bootstrap.introduced.random",
            "bootstrap.near" => "bootstrap.introduced.near",
            "attack.permille" => "attack.share",
            other => other,
        }
        .to_owned()
    }
}
