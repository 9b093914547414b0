//! The task that runs the swarm: commands in, events out, and housekeeping twice a second.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use futures::StreamExt;
use knackmesh_protocol::{id::NodeId, limits, peer};
use libp2p::{
    Multiaddr, PeerId, StreamProtocol, Swarm, TransportError,
    core::{ConnectedPoint, transport::ListenerId},
    identify,
    identity::Keypair,
    metrics::{Metrics, Recorder},
    ping,
    swarm::{ConnectionId, DialError, SwarmEvent, dial_opts::DialOpts},
};
use prometheus_client::{encoding::text::encode, registry::Registry};
use tokio::{
    sync::{mpsc, oneshot},
    time::{MissedTickBehavior, interval, timeout},
};

use crate::network::{
    Command, Contact, Event, NetworkConfig, NetworkError, PeerInfo, Protocols, Reach, ReplyTo, Snapshot,
    address,
    behaviour::{self, Behaviour, BehaviourEvent},
    gossip::Unsent,
    near::Near,
    peers::{self, Bootstrap, Peers, Said},
    reachability::Reached,
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
/// A connection without a relay that is this old has taken the place of one with: longer than a request takes.
const SETTLED: Duration = Duration::from_secs(12);
/// Remembered peers dialled in one go.
const REMEMBERED_AT_ONCE: usize = 8;
/// Pause between two signatures of the record of the relays, when they stay the same.
const WHEREABOUTS_EVERY: Duration = Duration::from_secs(30 * 60);
/// Pause between two walks through the hash table when nobody is left to dial.
const WALK_EVERY: Duration = Duration::from_secs(30);

/// What the name that identify tells begins with, of every version.
const FAMILY: &str = "/knack/";

/// What handles send to the task.
#[derive(Debug)]
pub(super) enum Order {
    Command(Command),
    Snapshot(oneshot::Sender<Snapshot>),
    Shutdown(oneshot::Sender<()>),
}

/// The swarm and what is remembered about it.
pub(super) struct Driver {
    pub(super) swarm: Swarm<Near<Behaviour>>,
    pub(super) peers: Peers,
    pub(super) requests: Requests,
    pub(super) records: Records,
    pub(super) unsent: Unsent,
    pub(super) discovery: bool,
    pub(super) key: Keypair,
    pub(super) reach: Reach,
    pub(super) reached: Reached,
    pub(super) lan: bool,
    /// Whether the operator named addresses under which the node can be reached.
    pub(super) announced: bool,
    /// Whether relays can be used: not on lines of a given length.
    pub(super) relays: bool,
    remembered: Vec<Contact>,
    next_whereabouts: Instant,
    node: NodeId,
    outbox: VecDeque<Event>,
    pub(super) bootstrap: Bootstrap,
    protocols: Protocols,
    kad: StreamProtocol,
    rpc: Vec<StreamProtocol>,
    listen: Vec<Multiaddr>,
    pub(super) listening: HashMap<ListenerId, Vec<Multiaddr>>,
    next_dial: Instant,
    next_walk: Instant,
    /// Down to how many of those dialled itself it closes, and above how many.
    peers_high: (usize, usize),
    /// What is counted, if anything is.
    counters: Option<Registry>,
    /// Counts what libp2p reports.
    recorder: Option<Metrics>,
}

impl Driver {
    /// A swarm that does not listen yet.
    pub(super) fn new(config: NetworkConfig) -> Result<Self, NetworkError> {
        let addresses =
            |texts: &[String]| texts.iter().map(|text| address::parse(text)).collect::<Result<Vec<_>, _>>();
        let now = Instant::now();
        let listen = addresses(&config.listen)?;
        let announce = addresses(&config.announce)?;
        let key =
            Keypair::ed25519_from_bytes(config.key_seed).map_err(|e| NetworkError::Setup(e.to_string()))?;
        let bootstrap = Bootstrap::new(addresses(&config.bootstrap)?, now);
        let mut counters = (config.metrics || config.trial.counters).then(Registry::default);
        let recorder = counters.as_mut().filter(|_| config.metrics).map(Metrics::new);
        let mut swarm = behaviour::swarm(&config, counters.as_mut())?;
        let announced = !announce.is_empty();
        for address in announce {
            swarm.add_external_address(address::bare(address));
        }
        let node = address::node_of(swarm.local_peer_id())
            .ok_or_else(|| NetworkError::Setup("the key gives no peer id".to_owned()))?;
        let mut driver = Driver {
            swarm,
            peers: Peers::default(),
            requests: Requests::default(),
            records: Records::new(now),
            unsent: Unsent::default(),
            discovery: config.discovery,
            key,
            reach: config.reach,
            reached: Reached::default(),
            lan: config.lan,
            announced,
            relays: config.trial.lag.is_none(),
            remembered: config.remembered,
            next_whereabouts: now,
            node,
            outbox: VecDeque::new(),
            bootstrap,
            kad: behaviour::protocol(&config.protocols.kad)?,
            rpc: behaviour::requests(&config.protocols)?,
            protocols: config.protocols,
            listen,
            listening: HashMap::new(),
            next_dial: now,
            next_walk: now,
            peers_high: config
                .trial
                .peers_high
                .map_or((limits::PEERS_HIGH, limits::PEERS_SPARE), |high| (high, high)),
            counters,
            recorder,
        };
        driver.review_reachability();
        Ok(driver)
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

    /// The same, of a node with the group of addresses from which it is connected.
    pub(super) fn emit_from_contact(&mut self, peer: &PeerId, event: impl FnOnce(peer::Contact) -> Event) {
        let groups = &self.swarm.behaviour().groups;
        let group = self.peers.address(peer).map_or(peer::Group::UNGROUPED, |address| groups.party(address));
        self.emit_from(peer, |node| event(peer::Contact { node, group }));
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
            Command::Respond { to: ReplyTo { channel, .. }, bytes } => {
                if bytes.len() > limits::MESSAGE_BYTES_MAX {
                    tracing::warn!(bytes = bytes.len(), "a response too long was dropped");
                } else if self.swarm.behaviour_mut().rpc.send_response(channel, bytes).is_err() {
                    tracing::debug!("a response came too late");
                }
            }
            Command::PutRecord { key, value, expires } => self.put_record(key, value, expires),
            Command::GetRecord { token, key } => self.get_record(token, key),
            Command::Closest { token, key, network } => self.closest(token, key, network),
            Command::Subscribe { topics } => self.subscribe(topics),
            Command::StoreRecord { key, value, expires } => {
                self.store_record(key, value, expires);
            }
            Command::Dial { addresses } => self.dial(address::parse_all(&addresses)),
        }
    }

    fn on_swarm(&mut self, event: SwarmEvent<BehaviourEvent>) {
        self.count(&event);
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Gossipsub(event)) => self.on_gossip(event),
            SwarmEvent::Behaviour(BehaviourEvent::Rpc(event)) => self.on_rpc(event),
            SwarmEvent::Behaviour(BehaviourEvent::Kad(event)) => self.on_kad(event),
            SwarmEvent::Behaviour(BehaviourEvent::Identify(identify::Event::Received {
                connection_id,
                peer_id,
                info,
            })) => self.on_identified(peer_id, connection_id, &info),
            SwarmEvent::Behaviour(BehaviourEvent::Relay(event)) => self.on_relay(event),
            SwarmEvent::Behaviour(BehaviourEvent::HolePunching(event)) => self.on_hole_punched(&event),
            SwarmEvent::Behaviour(BehaviourEvent::Tested(event)) => self.on_tested(&event),
            SwarmEvent::Behaviour(BehaviourEvent::Upnp(event)) => self.on_upnp(&event),
            SwarmEvent::Behaviour(BehaviourEvent::Mdns(event)) => self.on_mdns(event),
            SwarmEvent::Behaviour(BehaviourEvent::Ping(ping::Event { peer, result: Ok(rtt), .. })) => {
                self.peers.ponged(&peer, rtt);
            }
            SwarmEvent::ExternalAddrConfirmed { address } => self.confirmed(address),
            SwarmEvent::ExternalAddrExpired { address } => self.expired(&address),
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
                self.bootstrap.ended(connection_id, true);
                let (outbound, address) = match endpoint {
                    ConnectedPoint::Dialer { address, .. } => (true, address),
                    ConnectedPoint::Listener { local_addr, send_back_addr } => {
                        self.came_in(&peer_id, &local_addr, &send_back_addr);
                        // Of a circuit only the near end names the relay.
                        (false, if address::is_relayed(&local_addr) { local_addr } else { send_back_addr })
                    }
                };
                let address = match address::is_relayed(&address) {
                    true => address,
                    false => address::bare(address),
                };
                self.peers.opened(peer_id, connection_id, outbound, address, Instant::now());
                self.send_waiting(&peer_id);
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, .. } => {
                let last = self.peers.closed(&peer_id, connection_id);
                if !self.peers.is_direct(&peer_id) {
                    self.relay_gone(&peer_id);
                }
                if last {
                    self.emit_from(&peer_id, |peer| Event::Disconnected { peer });
                }
            }
            SwarmEvent::OutgoingConnectionError { peer_id, error, connection_id } => {
                tracing::debug!(?peer_id, %error, "dial failed");
                self.bootstrap.ended(connection_id, false);
                if let Some(peer) = peer_id {
                    self.on_dial_error(&peer, &error);
                    self.dial_failed(&peer, connection_id);
                }
            }
            SwarmEvent::NewListenAddr { listener_id, address } => {
                if self.reached.listening(listener_id, &address) {
                    self.publish_whereabouts();
                } else {
                    self.listening.entry(listener_id).or_default().push(address.clone());
                    self.review_reachability();
                }
                let address = self.named(address);
                self.emit(Event::Listening { address });
            }
            SwarmEvent::ExpiredListenAddr { listener_id, address } => {
                if let Some(addresses) = self.listening.get_mut(&listener_id) {
                    addresses.retain(|other| *other != address);
                }
                self.review_reachability();
            }
            SwarmEvent::ListenerClosed { listener_id, reason, .. } => {
                let is_ordinary = !self.place_lost(listener_id);
                if is_ordinary {
                    tracing::warn!(?reason, "stopped listening");
                    self.listening.remove(&listener_id);
                }
            }
            SwarmEvent::ListenerError { error, .. } => tracing::warn!(%error, "trouble listening"),
            _ => {}
        }
    }

    /// Counts an event. What peers say of themselves is not counted: it would be theirs to choose how much there is of it.
    fn count(&self, event: &SwarmEvent<BehaviourEvent>) {
        let Some(recorder) = &self.recorder else { return };
        recorder.record(event);
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Kad(event)) => recorder.record(event),
            SwarmEvent::Behaviour(BehaviourEvent::Ping(event)) => recorder.record(event),
            SwarmEvent::Behaviour(BehaviourEvent::Relay(event)) => recorder.record(event),
            SwarmEvent::Behaviour(BehaviourEvent::HolePunching(event)) => recorder.record(event),
            _ => {}
        }
    }

    /// A peer said which protocols it speaks and where it listens.
    fn on_identified(&mut self, peer: PeerId, connection: ConnectionId, info: &identify::Info) {
        let Some(met) = self.peers.connection(&peer, connection) else { return };
        let (address, outbound, relayed) = (met.address.clone(), met.outbound, met.relayed());
        let said = Said {
            agent: shown(&info.agent_version),
            protocol: shown(&info.protocol_version),
            serves: info.protocols.contains(&self.kad),
            understood: self.rpc.iter().any(|name| info.protocols.contains(name)),
        };
        self.peers.says(&peer, said);
        // A circuit carries requests and ends soon: the peer is met where nothing is in between.
        if relayed {
            return;
        }
        let reached_at = match address::scope(&address) {
            _ if outbound => Some(address.clone()),
            Some(via) => address::useful(&info.listen_addrs, via).into_iter().next(),
            None => None,
        };
        self.consider_relay(peer, reached_at, info);
        let Some(met) = self.peers.connection(&peer, connection) else { return };
        if self.discovery && info.protocols.contains(&self.kad) {
            let mut addresses = match address::scope(&met.address) {
                Some(via) => address::useful(&info.listen_addrs, via),
                None => Vec::new(),
            };
            // Where we reached it, others can, whatever it knows of that itself. It comes first: it is no claim.
            if met.outbound {
                addresses.retain(|address| *address != met.address);
                addresses.insert(0, met.address.clone());
            }
            self.learn(peer, addresses);
        }
        if self.rpc.iter().any(|name| info.protocols.contains(name)) && self.peers.announce(&peer) {
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
        // Whom the node has met says in which kind of network it is.
        self.review_reachability();
        self.pursue_requests(now);
        self.expire_unsent(now);
        self.put_due_records(now);
        let rejoin = match self.peers.count() < limits::PEERS_LOW {
            true => peers::REJOIN_SOON,
            false => peers::REJOIN_EVERY,
        };
        let rejoin = (!self.peers.is_empty()).then_some(rejoin);
        if self.bootstrap.due(now, rejoin, random(), !self.remembered.is_empty()) {
            for (place, address) in self.bootstrap.addresses.clone().into_iter().enumerate() {
                if let Some(dial) = self.dial_one(address) {
                    self.bootstrap.dialling(place, dial);
                }
            }
            if self.peers.count() < limits::PEERS_LOW {
                self.dial_remembered();
            }
        }
        for connection in self.peers.outgrown(now, SETTLED) {
            self.swarm.close_connection(connection);
        }
        self.seek_relays(now);
        if now >= self.next_whereabouts {
            self.next_whereabouts = now + WHEREABOUTS_EVERY;
            self.publish_whereabouts();
        }
        let is_needed = |peer: &_| self.requests.busy(peer) || self.reached.depends_on(peer);
        for peer in self.peers.surplus(now, self.peers_high, is_needed, random) {
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

    pub(super) fn dial(&mut self, addresses: Vec<Multiaddr>) {
        for address in addresses {
            self.dial_one(address);
        }
    }

    /// Dials the address unless its node is connected.
    fn dial_one(&mut self, address: Multiaddr) -> Option<ConnectionId> {
        let connected = match address::peer_in(&address) {
            Some(peer) => self.peers.contains(&peer) || peer == *self.swarm.local_peer_id(),
            None => self.peers.dialled(&address),
        };
        if connected {
            return None;
        }
        let dial = DialOpts::from(address.clone());
        let id = dial.connection_id();
        match self.swarm.dial(dial) {
            Ok(()) => Some(id),
            Err(error) => {
                tracing::debug!(%address, %error, "not dialled");
                None
            }
        }
    }

    /// Dials some nodes that were met before the last restart.
    fn dial_remembered(&mut self) {
        for _ in 0..REMEMBERED_AT_ONCE.min(self.remembered.len()) {
            let drawn = (random() % self.remembered.len() as u64) as usize;
            let contact = &self.remembered[drawn];
            let Some(peer) = address::peer_of(&contact.node) else { continue };
            let addresses = address::parse_all(&contact.addresses).into_iter().map(address::bare).collect();
            if peer != *self.swarm.local_peer_id() && !self.peers.contains(&peer) {
                // A failure is reported, or a dial is under way.
                let _ = self.swarm.dial(DialOpts::peer_id(peer).addresses(addresses).build());
            }
        }
    }

    fn snapshot(&mut self) -> Snapshot {
        let relayed = self.reached.relayed();
        let own = self.listening.values().flatten().chain(self.swarm.external_addresses()).chain(&relayed);
        let mut listen: Vec<String> = Vec::new();
        for address in own.map(|address| self.named(address.clone())) {
            if !listen.contains(&address) {
                listen.push(address);
            }
        }
        let now = Instant::now();
        let gossip = &self.swarm.behaviour().gossipsub;
        let mut meshes: HashMap<PeerId, usize> = HashMap::new();
        for topic in gossip.topics() {
            for peer in gossip.mesh_peers(topic) {
                *meshes.entry(*peer).or_default() += 1;
            }
        }
        let info = |(peer, connection): (&PeerId, &crate::network::peers::Connection)| {
            let (said, rtt) = self.peers.known(peer)?;
            Some(PeerInfo {
                node: address::node_of(peer)?,
                address: connection.address.to_string(),
                outbound: connection.outbound,
                relayed: connection.relayed(),
                rtt,
                agent: said.agent.clone(),
                protocol: said.protocol.clone(),
                connected: now.duration_since(connection.since),
                meshes: meshes.get(peer).copied().unwrap_or_default(),
                serves: said.serves,
            })
        };
        let peers = self.peers.announced().filter_map(info).collect();
        let mut counters = String::new();
        if let Some(counted) = &self.counters
            && let Err(error) = encode(&mut counters, counted)
        {
            tracing::warn!(%error, "the counters cannot be written");
        }
        let bootstrap = self.bootstrap.addresses.iter().zip(&self.bootstrap.answered);
        let bootstrap = bootstrap.map(|(address, answered)| {
            let connected = address::peer_in(address).is_some_and(|peer| self.peers.contains(&peer));
            (address.to_string(), if connected { Some(true) } else { *answered })
        });
        let bootstrap = bootstrap.collect();
        Snapshot {
            listen,
            peers,
            protocols: self.protocols.clone(),
            records: self.kept_records(),
            contacts: self.contacts().len(),
            reachability: self.reachability(),
            bootstrap,
            known: self.worth_remembering(),
            strangers: self.peers.strangers(FAMILY),
            connections: self.peers.connections(),
            crowded_out: self.swarm.behaviour().groups.refused(),
            mesh: meshes.len(),
            requests: self.requests.under_way(),
            counters,
        }
    }

    /// Nodes that serve, with their addresses, the connected ones first.
    fn worth_remembering(&mut self) -> Vec<Contact> {
        let mut known: Vec<Contact> = Vec::new();
        for (peer, addresses) in self.addresses_known().into_iter().take(limits::PEERS_REMEMBERED_MAX) {
            if let Some(node) = address::node_of(&peer) {
                let addresses =
                    addresses.iter().take(limits::ADDRESSES_MAX).map(ToString::to_string).collect();
                known.push(Contact { node, addresses });
            }
        }
        known
    }

    /// An address of ours with our `/p2p/`.
    fn named(&self, address: Multiaddr) -> String {
        let peer = *self.swarm.local_peer_id();
        address.with_p2p(peer).unwrap_or_else(|other| other).to_string()
    }
}

/// What a stranger says of itself, made harmless: printable ASCII, and not too much of it.
fn shown(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(limits::PEER_TEXT_BYTES_MAX).collect()
}

fn listen_error(address: &Multiaddr, source: std::io::Error) -> NetworkError {
    let address = address.to_string();
    match source.kind() {
        std::io::ErrorKind::AddrInUse => NetworkError::InUse { address },
        _ => NetworkError::Listen { address, source },
    }
}

/// Sixty-four random bits for choices that nobody gains from predicting; constant if the system has none.
pub(super) fn random() -> u64 {
    getrandom::u64().unwrap_or_default()
}
