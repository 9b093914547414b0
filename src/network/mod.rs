//! The peer-to-peer network: the only place that knows libp2p.
//!
//! A [`Network`] runs the swarm in a task of its own. It is driven by [`Command`]s and reports [`Event`]s; both
//! carry bytes and [`NodeId`]s and nothing of what the bytes mean. Three ways of talking are offered: requests
//! to one peer, gossip on topics, and the value records of a distributed hash table.
//!
//! Invariants:
//! - Nothing received is forwarded, stored or answered before the node has judged it: gossip waits for a
//!   [`Verdict`], an offered record for [`Command::StoreRecord`], a request for [`Command::Respond`].
//! - No author's identity is added to what is sent: gossip is anonymous and records name no publisher.
//! - Every queue is bounded. A node that does not drain its events slows the network down and loses nothing;
//!   commands are accepted meanwhile, so that waiting for events and sending commands cannot deadlock.

mod address;
mod agreed;
mod behaviour;
mod codec;
mod gossip;
mod groups;
mod guarded;
mod near;
mod peers;
mod reachability;
mod records;
mod requests;
mod swarm;
#[cfg(test)]
mod tests;
mod trial;
mod whereabouts;
mod wrapping;

use std::{io, time::Duration};

use knackmesh_protocol::{id::NodeId, limits, peer, time::Timestamp};
use tokio::sync::{mpsc, oneshot};

pub use self::{
    groups::Crowding,
    trial::{Lag, Trial},
};
use crate::network::swarm::{Driver, Order};

/// What a node needs to join a network.
#[derive(Clone, Debug)]
pub struct NetworkConfig {
    /// The seed of the node's Ed25519 key, which names the node and is related to no key of a person.
    pub key_seed: [u8; 32],
    /// Multiaddrs to listen on, TCP or QUIC; port 0 lets the system choose. May be empty.
    pub listen: Vec<String>,
    /// Multiaddrs under which the node is reachable although it does not listen on them (port forwarding).
    pub announce: Vec<String>,
    /// Multiaddrs of nodes to join, dialled until a peer is connected, with or without `/p2p/`.
    pub bootstrap: Vec<String>,
    /// Nodes met earlier, with their addresses, at most [`limits::PEERS_REMEMBERED_MAX`]: dialled like those of `bootstrap`, some at a time.
    pub remembered: Vec<Contact>,
    /// Gossip topics to subscribe to, at most [`limits::TOPICS_MAX`].
    pub topics: Vec<String>,
    /// Names of the protocols spoken.
    pub protocols: Protocols,
    /// Whether to seek further peers through the distributed hash table. Without it the node keeps to the peers
    /// that it is told of, and neither finds nor keeps records for others.
    pub discovery: bool,
    /// Whether others can connect to this node.
    pub reach: Reach,
    /// Whether the network is one of a local network: nodes there are looked for (mDNS), and private addresses count as
    /// reachable, and are dialled when strangers name them.
    pub lan: bool,
    /// Whether the router may be asked to let connections in (UPnP).
    pub upnp: bool,
    /// Inbound connections by address group.
    pub crowding: Crowding,
    /// Whether to count connections and messages, for [`Snapshot::counters`].
    pub metrics: bool,
    /// What differs when the network is measured.
    pub trial: Trial,
}

impl Default for NetworkConfig {
    /// A node with the key of all zeros that listens nowhere and seeks peers.
    fn default() -> Self {
        NetworkConfig {
            key_seed: [0; 32],
            listen: Vec::new(),
            announce: Vec::new(),
            bootstrap: Vec::new(),
            remembered: Vec::new(),
            topics: Vec::new(),
            protocols: Protocols::default(),
            discovery: true,
            reach: Reach::default(),
            lan: false,
            upnp: true,
            crowding: Crowding::default(),
            metrics: false,
            trial: Trial::default(),
        }
    }
}

impl NetworkConfig {
    /// Whether the node listens on this machine's loopback alone, or nowhere.
    fn is_alone(&self) -> bool {
        let loopback = |text: &String| {
            address::parse(text).is_ok_and(|a| address::scope(&a) == Some(address::Scope::Machine))
        };
        self.listen.iter().all(loopback) && self.announce.is_empty()
    }
}

/// Whether others can connect to a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// As others find when they try; a node that listens on loopback alone counts as reachable.
    #[default]
    Tested,
    /// Yes, whatever others find.
    Always,
    /// No, whatever others find.
    Never,
}

/// A node and where it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Who it is.
    pub node: NodeId,
    /// Multiaddrs, at most [`limits::ADDRESSES_MAX`].
    pub addresses: Vec<String>,
}

/// Names of the protocols, versions included. Nodes whose names differ do not understand each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protocols {
    /// The distributed hash table.
    pub kad: String,
    /// Requests and responses, in their newest version.
    pub rpc: String,
    /// Older versions of them that are spoken as well, newest first.
    pub rpc_older: Vec<String>,
    /// What the node says it is when peers identify each other.
    pub identify: String,
}

impl Default for Protocols {
    fn default() -> Self {
        Protocols {
            kad: "/knack/kad/1".to_owned(),
            rpc: "/knack/rpc/1".to_owned(),
            rpc_older: Vec::new(),
            identify: "/knack/id/1".to_owned(),
        }
    }
}

/// What the node asks of the network.
#[derive(Debug)]
pub enum Command {
    /// Publish on a topic. Without a subscriber it is kept for [`limits::GOSSIP_UNSENT_MS`]; longer than
    /// [`limits::GOSSIP_BYTES_MAX`] it is dropped.
    Gossip {
        /// The topic's name.
        topic: String,
        /// The message.
        bytes: Vec<u8>,
    },
    /// Judge a message received by gossip, once, within ten seconds; later it is no longer forwarded.
    GossipVerdict {
        /// The message, from [`Event::Gossip`].
        message: GossipId,
        /// What to do with it.
        verdict: Verdict,
    },
    /// Send a request; answered by one [`Event::Response`] with the same token.
    Request {
        /// Chosen by the node, to tell its requests apart.
        token: u64,
        /// Whom to ask.
        peer: NodeId,
        /// Multiaddrs to dial if the peer is not connected, besides those the network knows.
        addresses: Vec<String>,
        /// The request, at most [`limits::MESSAGE_BYTES_MAX`].
        bytes: Vec<u8>,
    },
    /// Answer a request. Dropping the [`ReplyTo`] refuses it.
    Respond {
        /// From [`Event::Request`].
        to: ReplyTo,
        /// The response; longer than [`limits::MESSAGE_BYTES_MAX`] it is dropped, which refuses the request.
        bytes: Vec<u8>,
    },
    /// Keep a record and put it on the peers nearest to its key, again every
    /// [`limits::RECORD_REPUBLISH_MS`] until it expires or is replaced.
    PutRecord {
        /// The record's key, at most [`limits::RECORD_KEY_BYTES_MAX`].
        key: Vec<u8>,
        /// The record's value, at most [`limits::RECORD_BYTES_MAX`].
        value: Vec<u8>,
        /// When peers may forget it.
        expires: Timestamp,
    },
    /// Look a record up; answered by one [`Event::RecordFound`] with the same token.
    GetRecord {
        /// Chosen by the node, to tell its look-ups apart.
        token: u64,
        /// The record's key.
        key: Vec<u8>,
    },
    /// Look for the nodes nearest to a key; answered by one [`Event::Closest`] with the same token.
    Closest {
        /// Chosen by the node, to tell its look-ups apart.
        token: u64,
        /// The key.
        key: Vec<u8>,
        /// Whether to ask the network, or only the own routing table.
        network: bool,
    },
    /// Read these gossip topics and no others, at most [`limits::TOPICS_MAX`].
    Subscribe {
        /// Their names.
        topics: Vec<String>,
    },
    /// Keep a record that a peer offered and the node judged good.
    StoreRecord {
        /// From [`Event::RecordOffered`].
        key: Vec<u8>,
        /// From [`Event::RecordOffered`].
        value: Vec<u8>,
        /// When to forget it, as its signature says.
        expires: Timestamp,
    },
    /// Connect to the node at one of these multiaddrs, unless connected already.
    Dial {
        /// Addresses, with or without `/p2p/`.
        addresses: Vec<String>,
    },
}

/// What the network tells the node.
#[derive(Debug)]
pub enum Event {
    /// The node can be reached at a further address.
    Listening {
        /// The multiaddr, with the `/p2p/` of this node.
        address: String,
    },
    /// The first connection to a peer that speaks our request protocol.
    Connected {
        /// The peer.
        peer: NodeId,
    },
    /// The last connection to a peer reported by [`Event::Connected`] is gone.
    Disconnected {
        /// The peer.
        peer: NodeId,
    },
    /// A message arrived by gossip and waits for [`Command::GossipVerdict`].
    Gossip {
        /// Names the message in the verdict.
        message: GossipId,
        /// Who forwarded it; nothing is known of its author.
        from: peer::Contact,
        /// The topic's name.
        topic: String,
        /// The message, at most [`limits::GOSSIP_BYTES_MAX`].
        bytes: Vec<u8>,
    },
    /// A peer asks something.
    Request {
        /// The peer.
        from: peer::Contact,
        /// Where the answer goes, within [`limits::REQUEST_TIMEOUT_MS`].
        reply: ReplyTo,
        /// The request, at most [`limits::MESSAGE_BYTES_MAX`].
        bytes: Vec<u8>,
    },
    /// A request of ours came to an end.
    Response {
        /// From [`Command::Request`].
        token: u64,
        /// The response, at most [`limits::MESSAGE_BYTES_MAX`].
        result: Result<Vec<u8>, RequestFailure>,
    },
    /// A peer asks us to keep a record. It is forgotten unless [`Command::StoreRecord`] follows.
    RecordOffered {
        /// The peer.
        from: NodeId,
        /// The record's key, at most [`limits::RECORD_KEY_BYTES_MAX`].
        key: Vec<u8>,
        /// The record's value, at most [`limits::RECORD_BYTES_MAX`].
        value: Vec<u8>,
    },
    /// A look-up for the nodes nearest to a key came to an end.
    Closest {
        /// From [`Command::Closest`].
        token: u64,
        /// Who they are and in which group of addresses, nearest first, without this node.
        nodes: Vec<peer::Contact>,
        /// How many of them are nearer to the key than this node.
        place: usize,
    },
    /// A look-up came to an end.
    RecordFound {
        /// From [`Command::GetRecord`].
        token: u64,
        /// The different values found, unverified, at most [`limits::RECORD_COPIES_MAX`]; none when not found.
        values: Vec<Vec<u8>>,
        /// What it took.
        effort: Effort,
    },
}

/// What a look-up took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effort {
    /// Peers asked.
    pub requests: u32,
    /// Of those, the ones that could not be asked or did not answer.
    pub failures: u32,
    /// From its beginning to its end.
    pub elapsed: Duration,
}

/// What to do with a message received by gossip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Forward it.
    Accept,
    /// Drop it and hold it against whoever forwarded it: no honest node would have.
    Reject,
    /// Drop it; an honest node may have judged otherwise (it expired under way, it is not wanted here).
    Ignore,
}

/// Names a message received by gossip, until its verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GossipId {
    id: libp2p::gossipsub::MessageId,
    forwarder: libp2p::PeerId,
}

/// Where the answer to one request goes. Dropping it refuses the request. Until then the request counts towards
/// [`limits::REQUESTS_BYTES_MAX`].
#[derive(Debug)]
pub struct ReplyTo {
    channel: libp2p::request_response::ResponseChannel<Vec<u8>>,
    _held: codec::Held,
}

/// Why a request has no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestFailure {
    /// No response within [`limits::REQUEST_TIMEOUT_MS`]; the peer may have acted on the request.
    #[error("the peer did not answer in time")]
    Timeout,
    /// No connection to the peer could be made, or it broke.
    #[error("the peer cannot be reached")]
    Unreachable,
    /// The peer answered nothing or does not speak the protocol.
    #[error("the peer refused the request")]
    Refused,
    /// The request or its response is longer than [`limits::MESSAGE_BYTES_MAX`].
    #[error("the message is too long")]
    TooLong,
    /// Too many requests of our own are under way.
    #[error("too many requests are under way")]
    Busy,
}

/// A look at the network.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Where the node can be reached: multiaddrs with its `/p2p/`.
    pub listen: Vec<String>,
    /// The peers reported as connected, by node.
    pub peers: Vec<PeerInfo>,
    /// Names of the protocols spoken.
    pub protocols: Protocols,
    /// Records kept for the distributed hash table, our own included.
    pub records: usize,
    /// Peers in the routing table.
    pub contacts: usize,
    /// Whether others can connect to this node.
    pub reachability: Reachability,
    /// The configured bootstrap nodes, and whether each answered when it was last dialled.
    pub bootstrap: Vec<(String, Option<bool>)>,
    /// Nodes worth remembering, at most [`limits::PEERS_REMEMBERED_MAX`].
    pub known: Vec<Contact>,
    /// Protocol names of connected nodes that are of our kind and speak no version of requests that we do.
    pub strangers: Vec<String>,
    /// Connections: inbound, outbound, and of both those through relays.
    pub connections: (usize, usize, usize),
    /// Inbound connections refused because of their address group.
    pub crowded_out: u64,
    /// Peers in a gossip mesh of this node.
    pub mesh: usize,
    /// Requests of this node under way.
    pub requests: usize,
    /// What was counted, as OpenMetrics text; empty unless [`NetworkConfig::metrics`] or [`Trial::counters`] says so.
    pub counters: String,
}

/// Whether others can connect to a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reachability {
    /// Whether the node counts as reachable, and therefore serves the hash table and relays.
    pub serves: bool,
    /// Own addresses that others connected to.
    pub confirmed: Vec<String>,
    /// Own addresses that others tried in vain.
    pub failed: Vec<String>,
    /// Relays at which the node has a place.
    pub relays: Vec<NodeId>,
    /// Connected peers that relay.
    pub relays_known: usize,
    /// Peers that have a place here.
    pub guests: usize,
    /// Connections without a relay that took the place of one with.
    pub upgraded: u64,
    /// Whether a router opened a port (UPnP).
    pub mapped: bool,
}

/// A connected peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerInfo {
    /// Who it is.
    pub node: NodeId,
    /// Its address on the oldest connection.
    pub address: String,
    /// Whether this node dialled.
    pub outbound: bool,
    /// Whether the connection leads through a relay.
    pub relayed: bool,
    /// The last answer to a ping.
    pub rtt: Option<Duration>,
    /// What program it says it is, at most [`limits::PEER_TEXT_BYTES_MAX`] of printable ASCII.
    pub agent: String,
    /// Which version of the protocols it says it speaks; bounded like `agent`.
    pub protocol: String,
    /// For how long the connection has stood.
    pub connected: Duration,
    /// In how many gossip meshes of this node it is.
    pub meshes: usize,
    /// Whether it serves the hash table; a client of it does not.
    pub serves: bool,
}

/// Why the network does not run.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// Text that is no multiaddr, or one of a transport that is not TCP or QUIC.
    #[error(
        "not an address: {address} (expected like /ip4/0.0.0.0/udp/4001/quic-v1 or /ip4/0.0.0.0/tcp/4001)"
    )]
    Address {
        /// The text.
        address: String,
    },
    /// Another program listens there.
    #[error(
        "address in use: {address} (another node or program listens there; stop it or choose another port, 0 for any)"
    )]
    InUse {
        /// The multiaddr.
        address: String,
    },
    /// The system refuses to listen there.
    #[error(
        "cannot listen on {address}: {source} (check that the address is this machine's and the port allowed)"
    )]
    Listen {
        /// The multiaddr.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// More topics than peers accept in one subscription.
    #[error("too many topics: {count}, at most {} are possible", limits::TOPICS_MAX)]
    Topics {
        /// How many were asked for.
        count: usize,
    },
    /// A protocol's name without a leading slash.
    #[error("not a protocol name: {name} (it starts with a slash)")]
    Protocol {
        /// The name.
        name: String,
    },
    /// libp2p refused its configuration.
    #[error("the network cannot be set up: {0}")]
    Setup(String),
    /// The network was shut down.
    #[error("the network was shut down")]
    Stopped,
}

/// A handle to the running network; clones drive the same. The network stops when the last is dropped.
#[derive(Clone, Debug)]
pub struct Network {
    node: NodeId,
    orders: mpsc::Sender<Order>,
}

impl Network {
    /// Starts listening, begins to join, and returns once every listening address is known.
    ///
    /// # Errors
    /// When the configuration is wrong or the system refuses to listen.
    pub async fn start(config: NetworkConfig) -> Result<(Network, mpsc::Receiver<Event>), NetworkError> {
        let (orders, received) = mpsc::channel(limits::NETWORK_QUEUE_MAX);
        let (sender, events) = mpsc::channel(limits::NETWORK_QUEUE_MAX);
        let mut driver = Driver::new(config)?;
        let node = driver.node().clone();
        driver.listen().await?;
        tokio::spawn(driver.run(received, sender));
        Ok((Network { node, orders }, events))
    }

    /// This node.
    pub fn node_id(&self) -> &NodeId {
        &self.node
    }

    /// Hands a command over; waits while [`limits::NETWORK_QUEUE_MAX`] are queued.
    ///
    /// # Errors
    /// [`NetworkError::Stopped`] after a shutdown.
    pub async fn send(&self, command: Command) -> Result<(), NetworkError> {
        self.orders.send(Order::Command(command)).await.map_err(|_| NetworkError::Stopped)
    }

    /// A look at the network as of now.
    ///
    /// # Errors
    /// [`NetworkError::Stopped`] after a shutdown.
    pub async fn snapshot(&self) -> Result<Snapshot, NetworkError> {
        let (reply, snapshot) = oneshot::channel();
        self.orders.send(Order::Snapshot(reply)).await.map_err(|_| NetworkError::Stopped)?;
        snapshot.await.map_err(|_| NetworkError::Stopped)
    }

    /// Closes every connection and stops; returns when the ports are free again. A second call returns at once.
    pub async fn shutdown(self) {
        let (reply, done) = oneshot::channel();
        if self.orders.send(Order::Shutdown(reply)).await.is_ok() {
            // An error means that another handle's shutdown was faster.
            let _ = done.await;
        }
    }
}
