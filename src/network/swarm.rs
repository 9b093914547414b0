//! The task that runs the swarm: commands in, events out, and housekeeping twice a second.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use futures::StreamExt;
use knackmesh_protocol::{id::NodeId, limits};
use libp2p::{
    Multiaddr, PeerId, StreamProtocol, Swarm, TransportError,
    core::{ConnectedPoint, transport::ListenerId},
    identify, ping,
    swarm::{ConnectionId, DialError, SwarmEvent, dial_opts::DialOpts},
};
use prometheus_client::{encoding::text::encode, registry::Registry};
use tokio::{
    sync::{mpsc, oneshot},
    time::{MissedTickBehavior, interval, timeout},
};

use crate::network::{
    Command, Event, NetworkConfig, NetworkError, PeerInfo, Protocols, ReplyTo, Snapshot, address,
    behaviour::{self, Behaviour, BehaviourEvent},
    gossip::Unsent,
    peers::{Bootstrap, Peers},
    records::{Lookup, Records},
    requests::Requests,
};

/// Time between two rounds of housekeeping.
const TICK: Duration = Duration::from_millis(500);
/// A listener that has no address after this time has failed.
const LISTEN_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections that have not closed after this time are dropped.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// Events that may wait for room in the node's queue before the swarm rests.
const OUTBOX_MAX: usize = 64;
/// Peers dialled in one go when there are too few.
const DIALS_AT_ONCE: usize = 4;
/// Pause between two such goes.
const DIAL_EVERY: Duration = Duration::from_secs(2);
/// Pause between two walks through the hash table when nobody is left to dial.
const WALK_EVERY: Duration = Duration::from_secs(30);

/// What handles send to the task.
#[derive(Debug)]
pub(super) enum Order {
    Command(Command),
    Snapshot(oneshot::Sender<Snapshot>),
    Shutdown(oneshot::Sender<()>),
}

/// The swarm and what is remembered about it.
pub(super) struct Driver {
    pub(super) swarm: Swarm<Behaviour>,
    pub(super) peers: Peers,
    pub(super) requests: Requests,
    pub(super) records: Records,
    pub(super) unsent: Unsent,
    pub(super) discovery: bool,
    node: NodeId,
    outbox: VecDeque<Event>,
    bootstrap: Bootstrap,
    protocols: Protocols,
    kad: StreamProtocol,
    rpc: StreamProtocol,
    listen: Vec<Multiaddr>,
    listening: HashMap<ListenerId, Vec<Multiaddr>>,
    next_dial: Instant,
    next_walk: Instant,
    /// What is counted, if anything is.
    counters: Option<Registry>,
}

impl Driver {
    /// A swarm that does not listen yet.
    pub(super) fn new(config: NetworkConfig) -> Result<Self, NetworkError> {
        let addresses =
            |texts: &[String]| texts.iter().map(|text| address::parse(text)).collect::<Result<Vec<_>, _>>();
        let now = Instant::now();
        let listen = addresses(&config.listen)?;
        let announce = addresses(&config.announce)?;
        let bootstrap = Bootstrap::new(addresses(&config.bootstrap)?, now);
        let mut counters = config.trial.counters.then(Registry::default);
        let mut swarm = behaviour::swarm(&config, counters.as_mut())?;
        for address in announce {
            swarm.add_external_address(address::bare(address));
        }
        let node = address::node_of(swarm.local_peer_id())
            .ok_or_else(|| NetworkError::Setup("the key gives no peer id".to_owned()))?;
        Ok(Driver {
            swarm,
            peers: Peers::default(),
            requests: Requests::default(),
            records: Records::new(now),
            unsent: Unsent::default(),
            discovery: config.discovery,
            node,
            outbox: VecDeque::new(),
            bootstrap,
            kad: behaviour::protocol(&config.protocols.kad)?,
            rpc: behaviour::protocol(&config.protocols.rpc)?,
            protocols: config.protocols,
            listen,
            listening: HashMap::new(),
            next_dial: now,
            next_walk: now,
            counters,
        })
    }

    /// This node.
    pub(super) fn node(&self) -> &NodeId {
        &self.node
    }

    /// Listens on every address and waits until all are known.
    pub(super) async fn listen(&mut self) -> Result<(), NetworkError> {
        // All are checked before any is taken, or ours would be found in use.
        for address in &self.listen {
            address::check_free(address).map_err(|error| listen_error(address, error))?;
        }
        for wanted in std::mem::take(&mut self.listen) {
            let listener = self.swarm.listen_on(wanted.clone()).map_err(|error| match error {
                TransportError::Other(error) => listen_error(&wanted, error),
                TransportError::MultiaddrNotSupported(address) => {
                    NetworkError::Address { address: address.to_string() }
                }
            })?;
            self.listening.insert(listener, Vec::new());
            let late = std::io::Error::from(std::io::ErrorKind::TimedOut);
            timeout(LISTEN_TIMEOUT, self.await_address(listener))
                .await
                .unwrap_or(Err(late))
                .map_err(|error| listen_error(&wanted, error))?;
        }
        Ok(())
    }

    async fn await_address(&mut self, listener: ListenerId) -> std::io::Result<()> {
        while self.listening.get(&listener).is_some_and(Vec::is_empty) {
            match self.swarm.select_next_some().await {
                SwarmEvent::ListenerError { listener_id, error }
                | SwarmEvent::ListenerClosed { listener_id, reason: Err(error), .. }
                    if listener_id == listener =>
                {
                    return Err(error);
                }
                event => self.on_swarm(event),
            }
        }
        Ok(())
    }

    /// Runs until a shutdown is ordered or nobody is left to order anything.
    ///
    /// While the node's queue is full the swarm rests, which slows peers down by the flow control of their
    /// connections; commands are taken nevertheless.
    pub(super) async fn run(mut self, mut orders: mpsc::Receiver<Order>, events: mpsc::Sender<Event>) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let done = loop {
            tokio::select! {
                order = orders.recv() => match order {
                    Some(Order::Command(command)) => self.on_command(command),
                    // An error means that whoever asked has gone.
                    Some(Order::Snapshot(reply)) => drop(reply.send(self.snapshot())),
                    Some(Order::Shutdown(done)) => break Some(done),
                    None => break None,
                },
                room = events.reserve(), if !self.outbox.is_empty() => match room {
                    Ok(room) => if let Some(event) = self.outbox.pop_front() { room.send(event) },
                    Err(_) => break None,
                },
                event = self.swarm.select_next_some(), if self.outbox.len() < OUTBOX_MAX => self.on_swarm(event),
                _ = ticks.tick() => self.on_tick(Instant::now()),
            }
        };
        self.close().await;
        if let Some(done) = done {
            // An error means that whoever ordered the shutdown does not wait for it.
            let _ = done.send(());
        }
    }

    /// Stops listening and says goodbye to every peer.
    async fn close(mut self) {
        for listener in self.listening.keys() {
            self.swarm.remove_listener(*listener);
        }
        for peer in self.swarm.connected_peers().copied().collect::<Vec<_>>() {
            // An error means that it is gone already.
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        let closed = async {
            while self.swarm.connected_peers().next().is_some() {
                self.swarm.select_next_some().await;
            }
        };
        if timeout(CLOSE_TIMEOUT, closed).await.is_err() {
            tracing::debug!("some connections did not close in time");
        }
    }

    /// Queues an event for the node.
    pub(super) fn emit(&mut self, event: Event) {
        self.outbox.push_back(event);
    }

    /// Queues an event about a peer.
    pub(super) fn emit_from(&mut self, peer: &PeerId, event: impl FnOnce(NodeId) -> Event) {
        if let Some(node) = address::node_of(peer) {
            self.emit(event(node));
        }
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Gossip { topic, bytes } => self.publish(topic, bytes),
            Command::GossipVerdict { message, verdict } => self.judge(&message, verdict),
            Command::Request { token, peer, addresses, bytes } => match address::peer_of(&peer) {
                Some(peer) => self.request(token, peer, address::parse_all(&addresses), bytes),
                None => {
                    let result = Err(crate::network::RequestFailure::Unreachable);
                    self.emit(Event::Response { token, result });
                }
            },
            Command::Respond { to: ReplyTo(channel), bytes } => {
                if bytes.len() > limits::MESSAGE_BYTES_MAX {
                    tracing::warn!(bytes = bytes.len(), "a response too long was dropped");
                } else if self.swarm.behaviour_mut().rpc.send_response(channel, bytes).is_err() {
                    tracing::debug!("a response came too late");
                }
            }
            Command::PutRecord { key, value, expires } => self.put_record(key, value, expires),
            Command::GetRecord { token, key } => self.get_record(token, key),
            Command::StoreRecord { key, value, expires } => {
                self.store_record(key, value, expires);
            }
            Command::Dial { addresses } => self.dial(address::parse_all(&addresses)),
        }
    }

    fn on_swarm(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Gossipsub(event)) => self.on_gossip(event),
            SwarmEvent::Behaviour(BehaviourEvent::Rpc(event)) => self.on_rpc(event),
            SwarmEvent::Behaviour(BehaviourEvent::Kad(event)) => self.on_kad(event),
            SwarmEvent::Behaviour(BehaviourEvent::Identify(identify::Event::Received {
                connection_id,
                peer_id,
                info,
            })) => self.on_identified(peer_id, connection_id, &info),
            // A client that only reads records need not speak ping.
            SwarmEvent::Behaviour(BehaviourEvent::Ping(ping::Event {
                peer,
                connection,
                result: Err(error),
            })) if !matches!(error, ping::Failure::Unsupported) => {
                tracing::debug!(%peer, %error, "closing a dead connection");
                self.swarm.close_connection(connection);
            }
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                let (outbound, address) = match endpoint {
                    ConnectedPoint::Dialer { address, .. } => (true, address),
                    ConnectedPoint::Listener { send_back_addr, .. } => (false, send_back_addr),
                };
                self.peers.opened(peer_id, connection_id, outbound, address::bare(address), Instant::now());
                self.send_waiting(&peer_id);
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, .. } => {
                let last = self.peers.closed(&peer_id, connection_id);
                if last {
                    self.emit_from(&peer_id, |peer| Event::Disconnected { peer });
                }
            }
            SwarmEvent::OutgoingConnectionError { peer_id: Some(peer), error, connection_id } => {
                tracing::debug!(%peer, %error, "dial failed");
                self.on_dial_error(&peer, &error);
                self.dial_failed(&peer, connection_id);
            }
            SwarmEvent::NewListenAddr { listener_id, address } => {
                self.listening.entry(listener_id).or_default().push(address.clone());
                let address = self.named(address);
                self.emit(Event::Listening { address });
            }
            SwarmEvent::ExpiredListenAddr { listener_id, address } => {
                if let Some(addresses) = self.listening.get_mut(&listener_id) {
                    addresses.retain(|other| *other != address);
                }
            }
            SwarmEvent::ListenerClosed { listener_id, reason, .. } => {
                tracing::warn!(?reason, "stopped listening");
                self.listening.remove(&listener_id);
            }
            SwarmEvent::ListenerError { error, .. } => tracing::warn!(%error, "trouble listening"),
            _ => {}
        }
    }

    /// A peer said which protocols it speaks and where it listens.
    fn on_identified(&mut self, peer: PeerId, connection: ConnectionId, info: &identify::Info) {
        let Some(met) = self.peers.connection(&peer, connection) else { return };
        if self.discovery && info.protocols.contains(&self.kad) {
            let mut addresses = match address::scope(&met.address) {
                Some(via) => address::useful(&info.listen_addrs, via),
                None => Vec::new(),
            };
            // Where we reached it, others can, whatever it knows of that itself.
            if met.outbound && !addresses.contains(&met.address) {
                addresses.push(met.address.clone());
            }
            self.learn(peer, addresses);
        }
        if info.protocols.contains(&self.rpc) && self.peers.announce(&peer) {
            self.emit_from(&peer, |peer| Event::Connected { peer });
        }
    }

    fn on_dial_error(&mut self, peer: &PeerId, error: &DialError) {
        // With other peers connected the fault is not with our own network: the peer has gone.
        if matches!(error, DialError::Transport(_)) && !self.peers.is_empty() && !self.peers.contains(peer) {
            self.swarm.behaviour_mut().kad.remove_peer(peer);
        }
    }

    fn on_tick(&mut self, now: Instant) {
        self.pursue_requests(now);
        self.expire_unsent(now);
        self.put_due_records(now);
        if self.bootstrap.due(now, !self.peers.is_empty(), random()) {
            self.dial(self.bootstrap.addresses.clone());
        }
        for peer in self.peers.surplus(now, |peer| self.requests.busy(peer), random) {
            tracing::debug!(%peer, "one peer too many");
            // An error means that it is gone already.
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        if self.discovery && self.peers.count() < limits::PEERS_LOW && now >= self.next_dial {
            self.next_dial = now + DIAL_EVERY;
            self.meet_peers(now);
        }
    }

    /// Dials some peers of the routing table, or looks for new ones.
    fn meet_peers(&mut self, now: Instant) {
        let mut strangers = self.strangers();
        if strangers.is_empty() && !self.peers.is_empty() && now >= self.next_walk {
            self.next_walk = now + WALK_EVERY;
            self.look_up(Lookup::Walk);
        }
        for _ in 0..DIALS_AT_ONCE.min(strangers.len()) {
            let peer = strangers.swap_remove((random() % strangers.len() as u64) as usize);
            // A failure is reported, or a dial is under way.
            let _ = self.swarm.dial(peer);
        }
    }

    fn dial(&mut self, addresses: Vec<Multiaddr>) {
        for address in addresses {
            let connected = match address::peer_in(&address) {
                Some(peer) => self.peers.contains(&peer) || peer == *self.swarm.local_peer_id(),
                None => self.peers.dialled(&address),
            };
            if !connected && let Err(error) = self.swarm.dial(DialOpts::from(address.clone())) {
                tracing::debug!(%address, %error, "not dialled");
            }
        }
    }

    fn snapshot(&mut self) -> Snapshot {
        let own = self.listening.values().flatten().chain(self.swarm.external_addresses());
        let listen = own.map(|address| self.named(address.clone())).collect();
        let info = |(peer, connection): (&PeerId, &crate::network::peers::Connection)| {
            Some(PeerInfo {
                node: address::node_of(peer)?,
                address: connection.address.to_string(),
                outbound: connection.outbound,
            })
        };
        let mut counters = String::new();
        if let Some(counted) = &self.counters
            && let Err(error) = encode(&mut counters, counted)
        {
            tracing::warn!(%error, "the counters cannot be written");
        }
        Snapshot {
            listen,
            peers: self.peers.announced().filter_map(info).collect(),
            protocols: self.protocols.clone(),
            records: self.kept_records(),
            contacts: self.contacts().len(),
            counters,
        }
    }

    /// An address of ours with our `/p2p/`.
    fn named(&self, address: Multiaddr) -> String {
        let peer = *self.swarm.local_peer_id();
        address.with_p2p(peer).unwrap_or_else(|other| other).to_string()
    }
}

fn listen_error(address: &Multiaddr, source: std::io::Error) -> NetworkError {
    let address = address.to_string();
    match source.kind() {
        std::io::ErrorKind::AddrInUse => NetworkError::InUse { address },
        _ => NetworkError::Listen { address, source },
    }
}

/// Sixty-four random bits for choices that nobody gains from predicting; constant if the system has none.
fn random() -> u64 {
    getrandom::u64().unwrap_or_default()
}
