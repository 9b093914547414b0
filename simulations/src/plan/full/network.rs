//! How nodes are connected: the parts of a scenario that say how messages travel.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    access,
    latency::Distances,
    mesh,
    plan::{
        lent::Attached,
        units::{Bandwidth, Duration, Share},
    },
    scenario::Scenario,
};

/// How nodes are connected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Network {
    /// Connections that a node seeks for itself; with those it accepts it has at most three times as many.
    pub degree: u32,
    /// How gossip spreads over them.
    pub gossip: Gossip,
    /// Parameters of the mesh.
    pub mesh: Mesh,
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
            mesh: Mesh::default(),
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
    /// As gossipsub does, with the parameters of the node or those of `network.mesh`.
    #[default]
    Mesh,
}

/// Parameters of gossipsub; without them those of the node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Mesh {
    /// Neighbours in the mesh that a heartbeat aims at (`D`).
    pub degree: u32,
    /// With fewer it adds some (`D_low`).
    pub low: u32,
    /// With more it drops some (`D_high`).
    pub high: u32,
    /// So many of them are to be neighbours that this node dialled (`D_out`): fewer than `low`, and at most half of `degree`.
    pub outbound: u32,
    /// At least so many others are told each heartbeat what there is (`D_lazy`),
    pub lazy: u32,
    /// and at least so many of them, in steps of 0.1 % (`gossip_factor`).
    pub lazy_share: Share,
    /// Time between two heartbeats.
    pub heartbeat: Duration,
    /// For so many heartbeats others are told of a message (`mcache_gossip`).
    pub told: u32,
    /// For so many heartbeats it can be fetched (`mcache_len`).
    pub kept: u32,
    /// Who was dropped is not added again for so long (`prune_backoff`).
    pub backoff: Duration,
    /// Whether own messages go to every neighbour.
    pub flood_publish: bool,
    /// Whoever receives a message of more bytes tells its mesh at once to send no second one (`IDONTWANT`).
    pub unwanted_above: u32,
}

impl Default for Mesh {
    fn default() -> Self {
        let mesh::Mesh { heartbeat_ms, backoff_ms, flood_publish, unwanted_above, .. } = mesh::Mesh::LIBP2P;
        let number = |number| u32::try_from(number).unwrap_or(u32::MAX);
        let beats = |beats| u32::try_from(beats).unwrap_or(u32::MAX);
        Mesh {
            degree: number(mesh::Mesh::LIBP2P.degree),
            low: number(mesh::Mesh::LIBP2P.low),
            high: number(mesh::Mesh::LIBP2P.high),
            outbound: number(mesh::Mesh::LIBP2P.outbound),
            lazy: number(mesh::Mesh::LIBP2P.lazy),
            lazy_share: Share(number(mesh::Mesh::LIBP2P.lazy_permille) * 1000),
            heartbeat: Duration(heartbeat_ms),
            told: beats(mesh::Mesh::LIBP2P.told),
            kept: beats(mesh::Mesh::LIBP2P.kept),
            backoff: Duration(backoff_ms),
            flood_publish,
            unwanted_above: u32::try_from(unwanted_above).unwrap_or(u32::MAX),
        }
    }
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
    /// A file of times between hosts.
    Matrix(Matrix),
    /// A graph, along whose shortest ways messages go.
    Gml(Graph),
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

/// A file with a square table of times between hosts, as the King data set is one: a line for each host, comma-separated, without
/// a header. Values are milliseconds, or have their unit; `-1` or nothing is not known, and filled with the median. Nodes are
/// dealt out to hosts in turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Matrix {
    /// The file; at most 4,000 hosts.
    pub file: Attached<Distances>,
    /// What its values are.
    pub is: Measured,
    /// At most so much more, uniformly.
    #[serde(default)]
    pub jitter: Duration,
}

/// What the values of a matrix are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Measured {
    /// There and back; half of each is taken.
    RoundTrip,
    /// From the row's host to the column's.
    OneWay,
}

/// A graph in GML, as Shadow takes it: edges with a `latency` and, perhaps, a `packet_loss`. Nodes are dealt out to its nodes in turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Graph {
    /// The file; at most 1,000 nodes, with ways from each to each.
    pub file: Attached<Distances>,
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
