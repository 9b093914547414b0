//! How a node stands in the network: what `peers` and `doctor` print, and what is measured.

use serde::{Deserialize, Serialize};

/// A connected node.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PeerRow {
    /// Its peer id.
    pub peer_id: String,
    /// Its address.
    pub address: String,
    /// Who dialled.
    pub outbound: bool,
    /// Whether the connection leads through a relay.
    pub relayed: bool,
    /// The last answer to a ping, in milliseconds; null before the first.
    pub rtt_ms: Option<f64>,
    /// What program it says it is.
    pub agent: String,
    /// Which version of the protocols it says it speaks.
    pub protocol: String,
    /// For how many seconds the connection has stood.
    pub connected_seconds: u64,
    /// In how many gossip meshes of this node it is.
    pub meshes: usize,
    /// Whether it serves the hash table; a client of it does not.
    pub serves: bool,
}

/// How a node stands in the network.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NetworkReport {
    /// Addresses it listens on, with those through relays.
    pub listen: Vec<String>,
    /// Connected nodes that speak our requests.
    pub peers: Vec<PeerRow>,
    /// Protocol names of connected nodes of our kind that speak no version of requests that this one does.
    pub strangers: Vec<String>,
    /// Whether others can connect to it.
    pub reachability: ReachabilityRow,
    /// The configured nodes to join by.
    pub bootstrap: Vec<BootstrapRow>,
    /// Connections.
    pub connections: ConnectionsRow,
    /// Peers in the routing table of the hash table.
    pub contacts: usize,
    /// Records kept for the hash table.
    pub records: usize,
    /// Peers in a gossip mesh.
    pub mesh: usize,
    /// Requests of this node under way.
    pub requests: usize,
}

/// Whether others can connect to a node.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ReachabilityRow {
    /// Whether it counts as reachable, and therefore serves the hash table and relays.
    pub serves: bool,
    /// Own addresses that others connected to.
    pub confirmed: Vec<String>,
    /// Own addresses that others tried in vain.
    pub failed: Vec<String>,
    /// Relays at which it has a place.
    pub relays: Vec<String>,
    /// Connected peers that relay.
    pub relays_known: usize,
    /// Peers that have a place at this node.
    pub guests: usize,
    /// Connections without a relay that took the place of one with.
    pub upgraded: u64,
    /// Whether a router opened a port.
    pub mapped: bool,
}

/// A node to join by.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BootstrapRow {
    /// Its address.
    pub address: String,
    /// Whether it answered when it was last dialled; null before that.
    pub answered: Option<bool>,
}

/// Connections.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct ConnectionsRow {
    /// Others dialled.
    pub inbound: usize,
    /// This node dialled.
    pub outbound: usize,
    /// Of both, those through relays.
    pub relayed: usize,
    /// Inbound connections refused because of their address group.
    pub crowded_out: u64,
}

/// The own condition of a home, beside the network.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ConditionReport {
    /// Whether a node runs for this home.
    pub running: bool,
    /// Summaries held.
    pub summaries: usize,
    /// Summaries in the store that the index has not committed.
    pub uncommitted: usize,
    /// Bytes of the store on disk.
    pub store_bytes: u64,
    /// Credentials kept.
    pub credentials: usize,
    /// Searches of this home since the node started.
    pub searches: u64,
    /// How it stands in the network; null without one.
    pub network: Option<NetworkReport>,
}

/// What `index rebuild` made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexReport {
    /// Summaries in the index.
    pub summaries: usize,
}

/// What `doctor` found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DoctorReport {
    /// Whether nothing is wrong.
    pub healthy: bool,
    /// What was looked at, in order.
    pub checks: Vec<CheckRow>,
}

/// One thing that `doctor` looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckRow {
    /// What: a stable name.
    pub check: String,
    /// What was found.
    pub state: State,
    /// In words.
    pub found: String,
    /// What to try; empty when nothing need be done.
    #[serde(rename = "try")]
    pub hint: String,
}

/// What `doctor` says of one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is as it should be.
    Good,
    /// It works, and could be better.
    Weak,
    /// It does not work.
    Wrong,
    /// It was not looked at.
    Skipped,
}
