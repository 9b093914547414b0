//! What libp2p is asked to do: the protocols spoken, each with its bounds.

use std::time::Duration;

use knackmesh_protocol::{id::Id, limits};
use libp2p::{
    PeerId, StreamProtocol, Swarm, SwarmBuilder, autonat, connection_limits,
    connection_limits::ConnectionLimits,
    core::{Transport, upgrade::Version},
    dcutr,
    gossipsub::{self, IdentTopic},
    identify,
    identity::{Keypair, PublicKey},
    kad::{self, store::MemoryStore, store::MemoryStoreConfig},
    mdns, noise, ping, relay,
    request_response::{self, ProtocolSupport},
    swarm::{NetworkBehaviour, behaviour::toggle::Toggle},
    tcp, upnp, yamux,
};
use prometheus_client::registry::Registry;

use crate::network::{
    NetworkConfig, NetworkError, Protocols, Reach,
    address::Scope,
    agreed::Agreed,
    codec::Codec,
    groups,
    guarded::Guarded,
    near::Near,
    swarm::random,
    trial::{Lag, Trial},
};

/// An unused connection is closed after this time; one in a gossip mesh is in use.
const IDLE: Duration = Duration::from_secs(120);
/// A look-up gives up after this time.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(10);
/// Between two times that every bucket of the routing table is looked up, as long as in Kademlia's paper (tRefresh). Each dials some
/// hundred nodes, at six milliseconds of processor of both sides: every ten minutes that would be all that a node at rest may take. The
/// table's near end, by which cells are tended, is used every ten minutes anyway, and every look-up takes out whom it cannot reach.
///
/// Each node draws its own time, up to a quarter more or less: many that were started together would keep each other busy together.
const TABLE_REFRESH: Duration = Duration::from_secs(3600);
/// A message seen within this time is not delivered again.
const GOSSIP_SEEN: Duration = Duration::from_secs(5 * 60);
/// Heartbeats, of a second each, for which a message waits for its verdict.
const GOSSIP_HISTORY: usize = 10;
/// Message ids in one control message: libp2p's default of 5,000 is more than its own bound on the message's
/// bytes lets through, which costs the peer the connection's stream.
const GOSSIP_CONTROL_IDS: usize = 1024;
/// Bytes of one control message, which hold that many ids of 32 bytes and their framing.
const GOSSIP_CONTROL_BYTES: usize = 48 * 1024;
/// Messages that wait to be sent on one connection.
const GOSSIP_QUEUE: usize = 1024;

/// The protocols of a node.
///
/// The limits come first: what they deny, the others must never have seen, or they would remember it for ever.
#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    pub(super) limits: connection_limits::Behaviour,
    pub(super) groups: groups::Behaviour,
    pub(super) identify: Agreed<identify::Behaviour>,
    pub(super) ping: ping::Behaviour,
    pub(super) kad: kad::Behaviour<MemoryStore>,
    pub(super) gossipsub: gossipsub::Behaviour,
    pub(super) rpc: request_response::Behaviour<Codec>,
    pub(super) relay: relay::Behaviour,
    pub(super) relay_client: Toggle<Guarded<relay::client::Behaviour>>,
    pub(super) hole_punching: Toggle<Guarded<dcutr::Behaviour>>,
    pub(super) tester: Toggle<Guarded<autonat::v2::server::Behaviour>>,
    pub(super) tested: Toggle<autonat::v2::client::Behaviour>,
    pub(super) upnp: Toggle<upnp::tokio::Behaviour>,
    pub(super) mdns: Toggle<mdns::tokio::Behaviour>,
}

/// A swarm over TCP (noise, yamux) and QUIC, with names resolved by DNS where the system can.
/// What it counts is entered in `counters`.
pub(super) fn swarm(
    config: &NetworkConfig,
    counters: Option<&mut Registry>,
) -> Result<Swarm<Near<Behaviour>>, NetworkError> {
    let setup = |e: &dyn std::fmt::Display| NetworkError::Setup(e.to_string());
    let key = Keypair::ed25519_from_bytes(config.key_seed).map_err(|e| setup(&e))?;
    let mut behaviour = behaviour(config, &key, counters)?;
    if let Some(lag) = config.trial.lag.clone() {
        return slow(key, lag, behaviour);
    }
    let transports = || {
        SwarmBuilder::with_existing_identity(key.clone())
            .with_tokio()
            .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, yamux::Config::default)
            .map(|builder| builder.with_quic())
    };
    let complete = |relay_client: relay::client::Behaviour| {
        // It dials relays, wherever they are met: guarded against its panics alone.
        behaviour.relay_client = Some(Guarded::new(relay_client, Scope::Machine)).into();
        Near::new(behaviour, config.lan)
    };
    // A machine without resolver configuration (a container, an isolated network) still has IP addresses.
    Ok(match transports().map_err(|e| setup(&e))?.with_dns() {
        Ok(builder) => builder
            .with_relay_client(noise::Config::new, yamux::Config::default)
            .map_err(|e| setup(&e))?
            .with_behaviour(|_, relay_client| complete(relay_client))
            .map_err(|e| setup(&e))?
            .with_swarm_config(connections)
            .build(),
        Err(error) => {
            tracing::warn!(%error, "names of hosts cannot be resolved");
            let builder = transports().map_err(|e| setup(&e))?;
            builder
                .with_relay_client(noise::Config::new, yamux::Config::default)
                .map_err(|e| setup(&e))?
                .with_behaviour(|_, relay_client| complete(relay_client))
                .map_err(|e| setup(&e))?
                .with_swarm_config(connections)
                .build()
        }
    })
}

/// How connections behave.
///
/// A request goes out with the name of its protocol instead of after the other side has agreed to it, which halves the time
/// that it takes: peers have said before what they speak. What waits for no answer is agreed to first: see [`agreed`](super::agreed).
fn connections(config: libp2p::swarm::Config) -> libp2p::swarm::Config {
    config.with_idle_connection_timeout(IDLE).with_substream_upgrade_protocol_override(Version::V1Lazy)
}

/// A swarm over TCP alone whose lines have a length.
fn slow(key: Keypair, lag: Lag, behaviour: Behaviour) -> Result<Swarm<Near<Behaviour>>, NetworkError> {
    let setup = |e: &dyn std::fmt::Display| NetworkError::Setup(e.to_string());
    let transport = |key: &Keypair| {
        let tcp = tcp::tokio::Transport::new(tcp::Config::default().nodelay(true));
        let delayed = tcp.map(move |stream, point| lag.delay(stream, &point));
        let noise = noise::Config::new(key)?;
        let secure = delayed.upgrade(Version::V1Lazy).authenticate(noise);
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(secure.multiplex(yamux::Config::default()))
    };
    let builder = SwarmBuilder::with_existing_identity(key).with_tokio();
    let builder = builder.with_other_transport(transport).map_err(|e| setup(&e))?;
    let builder = builder.with_behaviour(|_| Near::new(behaviour, false)).map_err(|e| setup(&e))?;
    Ok(builder.with_swarm_config(connections).build())
}

/// A protocol's name as libp2p takes it.
pub(super) fn protocol(name: &str) -> Result<StreamProtocol, NetworkError> {
    StreamProtocol::try_from_owned(name.to_owned())
        .map_err(|_| NetworkError::Protocol { name: name.to_owned() })
}

/// Every version of requests that is spoken, newest first: the first that both sides know is taken.
pub(super) fn requests(protocols: &Protocols) -> Result<Vec<StreamProtocol>, NetworkError> {
    std::iter::once(&protocols.rpc).chain(&protocols.rpc_older).map(|name| protocol(name)).collect()
}

fn behaviour(
    config: &NetworkConfig,
    key: &Keypair,
    counters: Option<&mut Registry>,
) -> Result<Behaviour, NetworkError> {
    let limits = ConnectionLimits::default()
        .with_max_pending_incoming(Some(limits::CONNECTIONS_PENDING_MAX))
        .with_max_pending_outgoing(Some(limits::CONNECTIONS_PENDING_MAX))
        .with_max_established_incoming(Some(limits::CONNECTIONS_INBOUND_MAX))
        .with_max_established(Some(limits::CONNECTIONS_MAX))
        .with_max_established_per_peer(Some(limits::CONNECTIONS_PER_PEER_MAX));
    let rpc = request_response::Config::default()
        .with_request_timeout(Duration::from_millis(limits::REQUEST_TIMEOUT_MS))
        .with_max_concurrent_streams(limits::STREAMS_PER_CONNECTION_MAX);
    let peer = key.public().to_peer_id();
    // A network on this machine alone has no routers, no strangers and no doubt.
    let is_abroad = !config.is_alone();
    let closest = if config.lan { Scope::Site } else { Scope::World };
    let punches = is_abroad && config.trial.lag.is_none();
    let tests = is_abroad && config.reach == Reach::Tested;
    let mdns = match config.lan {
        true => mdns::tokio::Behaviour::new(mdns::Config::default(), peer)
            .inspect_err(|error| tracing::warn!(%error, "no search in the local network"))
            .ok(),
        false => None,
    };
    Ok(Behaviour {
        limits: connection_limits::Behaviour::new(limits),
        groups: groups::Behaviour::new(config.crowding),
        identify: Agreed(identify(config, key.public())),
        ping: ping::Behaviour::default(),
        kad: kad(protocol(&config.protocols.kad)?, key.public().to_peer_id(), &config.trial),
        gossipsub: gossipsub(&config.topics, counters)?,
        rpc: request_response::Behaviour::with_codec(
            Codec::new(),
            requests(&config.protocols)?.into_iter().map(|name| (name, ProtocolSupport::Full)),
            rpc,
        ),
        relay: relay::Behaviour::new(peer, relaying()),
        relay_client: None.into(),
        hole_punching: punches.then(|| Guarded::new(dcutr::Behaviour::new(peer), closest)).into(),
        tester: is_abroad.then(|| Guarded::new(autonat::v2::server::Behaviour::default(), closest)).into(),
        tested: tests.then(autonat::v2::client::Behaviour::default).into(),
        upnp: (tests && config.upnp).then(upnp::tokio::Behaviour::default).into(),
        mdns: mdns.into(),
    })
}

/// What a relay gives. What is asked for by one address or peer over and over waits, by libp2p's own rates.
fn relaying() -> relay::Config {
    relay::Config {
        max_reservations: limits::RELAY_RESERVATIONS_MAX,
        max_reservations_per_peer: limits::RELAY_RESERVATIONS_PER_PEER_MAX,
        reservation_duration: Duration::from_millis(limits::RELAY_RESERVATION_MS),
        max_circuits: limits::RELAY_CIRCUITS_MAX,
        max_circuits_per_peer: limits::RELAY_CIRCUITS_PER_PEER_MAX,
        max_circuit_duration: Duration::from_millis(limits::RELAY_CIRCUIT_MS),
        max_circuit_bytes: limits::RELAY_CIRCUIT_BYTES_MAX,
        ..relay::Config::default()
    }
}

/// Tells peers our addresses and protocols, and of the machine nothing but the version of this program.
fn identify(config: &NetworkConfig, key: PublicKey) -> identify::Behaviour {
    identify::Behaviour::new(
        identify::Config::new(config.protocols.identify.clone(), key)
            .with_agent_version(concat!("knackmesh/", env!("CARGO_PKG_VERSION")).to_owned())
            .with_push_listen_addr_updates(true),
    )
}

fn kad(name: StreamProtocol, peer: PeerId, trial: &Trial) -> kad::Behaviour<MemoryStore> {
    let mut config = kad::Config::new(name);
    config
        .set_query_timeout(LOOKUP_TIMEOUT)
        .set_parallelism(trial.alpha)
        .set_replication_factor(trial.k)
        .set_kbucket_size(trial.k)
        .disjoint_query_paths(false)
        .set_max_packet_size(limits::RECORD_MESSAGE_BYTES_MAX)
        .set_record_ttl(Some(Duration::from_millis(limits::LEASE_MAX_MS)))
        // Offers are reported instead of stored.
        .set_record_filtering(kad::StoreInserts::FilterBoth)
        // libp2p's own replication remembers every key that it was offered for an interval, without bound.
        .set_replication_interval(None)
        .set_publication_interval(None)
        .set_provider_publication_interval(None)
        .set_caching(kad::Caching::Disabled)
        .set_periodic_bootstrap_interval(Some(TABLE_REFRESH.mul_f64(0.75 + (random() % 512) as f64 / 1024.0)))
        // Peers enter the routing table once identify has told their protocols and addresses.
        .set_kbucket_inserts(kad::BucketInserts::Manual);
    let store = MemoryStoreConfig {
        max_records: limits::RECORDS_MAX,
        // libp2p's bound is exclusive.
        max_value_bytes: limits::RECORD_BYTES_MAX + 1,
        max_providers_per_key: 0,
        max_provided_keys: 0,
    };
    let mut kad = kad::Behaviour::with_config(peer, MemoryStore::with_config(peer, store), config);
    // Until the node knows that it can be reached.
    kad.set_mode(Some(kad::Mode::Client));
    kad
}

fn gossipsub(
    topics: &[String],
    counters: Option<&mut Registry>,
) -> Result<gossipsub::Behaviour, NetworkError> {
    if topics.len() > limits::TOPICS_MAX {
        return Err(NetworkError::Topics { count: topics.len() });
    }
    let topics: Vec<IdentTopic> = topics.iter().map(IdentTopic::new).collect();
    let mut config = gossipsub::ConfigBuilder::default();
    config
        .validation_mode(gossipsub::ValidationMode::Anonymous)
        .validate_messages()
        .message_id_fn(message_id)
        .mesh_n(6)
        .mesh_n_low(4)
        .mesh_n_high(12)
        .heartbeat_initial_delay(Duration::from_millis(500))
        .heartbeat_interval(Duration::from_secs(1))
        .duplicate_cache_time(GOSSIP_SEEN)
        .history_length(GOSSIP_HISTORY)
        .flood_publish(true)
        // An announcement of our own is worth more patience than what others forward as well.
        .publish_queue_duration(Duration::from_secs(30))
        .forward_queue_duration(Duration::from_secs(5))
        .connection_handler_queue_len(GOSSIP_QUEUE)
        .max_control_messages_sent(GOSSIP_CONTROL_IDS)
        .max_control_message_size(GOSSIP_CONTROL_BYTES);
    // Too long a message is rejected where it is handed over. A bound by topic would be a table of all topics that libp2p copies
    // for every connection each time it is polled, which took most of an idle node's time.
    let config = config.build().map_err(|e| NetworkError::Setup(e.to_string()))?;
    // Messages are signed by their authors inside. Anonymous means that forwarding does not reveal the origin.
    let mut gossipsub = gossipsub::Behaviour::new(gossipsub::MessageAuthenticity::Anonymous, config)
        .map_err(|e| NetworkError::Setup(e.to_owned()))?;
    if let Some(registry) = counters {
        gossipsub = gossipsub.with_metrics(registry, Default::default());
    }
    gossipsub.with_peer_score(scores(&topics), Default::default()).map_err(NetworkError::Setup)?;
    for topic in &topics {
        gossipsub.subscribe(topic).map_err(|e| NetworkError::Setup(e.to_string()))?;
    }
    Ok(gossipsub)
}

/// The same message has the same id whoever publishes it: blake3 of the topic's length, the topic and the data.
fn message_id(message: &gossipsub::Message) -> gossipsub::MessageId {
    let topic = message.topic.as_str().as_bytes();
    let mut content = (topic.len() as u64).to_le_bytes().to_vec();
    content.extend_from_slice(topic);
    content.extend_from_slice(&message.data);
    Id::of(&content).0.to_vec().into()
}

/// Scores only what an honest peer never does: forward what it must have rejected (nine such messages within
/// minutes silence a peer), or break the mesh protocol's own rules over and over.
///
/// Addresses are not scored, for many honest nodes share one; nor is slowness.
fn scores(topics: &[IdentTopic]) -> gossipsub::PeerScoreParams {
    let topic = gossipsub::TopicScoreParams {
        topic_weight: 1.0,
        time_in_mesh_weight: 0.0,
        first_message_deliveries_weight: 0.0,
        mesh_message_deliveries_weight: 0.0,
        mesh_failure_penalty_weight: 0.0,
        invalid_message_deliveries_weight: -1.0,
        invalid_message_deliveries_decay: gossipsub::score_parameter_decay(Duration::from_secs(600)),
        ..Default::default()
    };
    gossipsub::PeerScoreParams {
        topics: topics.iter().map(|name| (name.hash(), topic.clone())).collect(),
        app_specific_weight: 0.0,
        ip_colocation_factor_weight: 0.0,
        behaviour_penalty_weight: -1.0,
        behaviour_penalty_threshold: 6.0,
        behaviour_penalty_decay: gossipsub::score_parameter_decay(Duration::from_secs(600)),
        slow_peer_weight: 0.0,
        retain_score: Duration::from_secs(600),
        ..Default::default()
    }
}
