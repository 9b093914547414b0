//! Real nodes on loopback sockets with ports that the system chooses.

#![allow(clippy::unwrap_used)]

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use futures::StreamExt;
use knackmesh_protocol::{id::NodeId, limits, time::Timestamp};
use libp2p::{
    Multiaddr, Swarm, SwarmBuilder, kad,
    kad::{GetProvidersOk, QueryResult, RecordKey, store::MemoryStore},
    noise,
    swarm::SwarmEvent,
    tcp, yamux,
};
use tokio::{sync::mpsc, time::timeout};

use super::*;

const TCP: &str = "/ip4/127.0.0.1/tcp/0";
const QUIC: &str = "/ip4/127.0.0.1/udp/0/quic-v1";
const TOPIC: &str = "/knack/test";
/// Spent on a failure or a busy machine alone.
const PATIENCE: Duration = Duration::from_secs(25);

/// A node under test.
struct Node {
    network: Network,
    events: mpsc::Receiver<Event>,
    address: String,
}

/// Listens on QUIC with a key of its own; joins nobody and does not discover.
fn config() -> NetworkConfig {
    static SEEDS: AtomicU64 = AtomicU64::new(1);
    let mut key_seed = [7; 32];
    key_seed[..8].copy_from_slice(&SEEDS.fetch_add(1, Ordering::Relaxed).to_le_bytes());
    NetworkConfig {
        key_seed,
        listen: vec![QUIC.to_owned()],
        announce: Vec::new(),
        bootstrap: Vec::new(),
        topics: vec![TOPIC.to_owned()],
        discovery: false,
        ..NetworkConfig::default()
    }
}

fn joining(node: &Node) -> NetworkConfig {
    NetworkConfig { bootstrap: vec![node.address.clone()], ..config() }
}

async fn start(config: NetworkConfig) -> Node {
    let (network, events) = Network::start(config).await.unwrap();
    let address = network.snapshot().await.unwrap().listen.first().cloned().unwrap_or_default();
    Node { network, events, address }
}

fn in_an_hour() -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_unix_ms(now.as_millis() as u64).plus_ms(3_600_000)
}

impl Node {
    fn id(&self) -> NodeId {
        self.network.node_id().clone()
    }

    async fn send(&self, command: Command) {
        self.network.send(command).await.unwrap();
    }

    /// The first event for which `wanted` has an answer; others are dropped.
    async fn until<T>(&mut self, wanted: impl FnMut(Event) -> Option<T>) -> T {
        self.within(PATIENCE, wanted).await.expect("the event comes in time")
    }

    async fn within<T>(&mut self, time: Duration, mut wanted: impl FnMut(Event) -> Option<T>) -> Option<T> {
        timeout(time, async {
            loop {
                if let Some(found) = wanted(self.events.recv().await?) {
                    return Some(found);
                }
            }
        })
        .await
        .ok()?
    }

    async fn connected(&mut self, other: &NodeId) {
        self.until(|event| matches!(event, Event::Connected { peer } if peer == *other).then_some(())).await;
    }

    async fn request(&mut self, peer: NodeId, addresses: Vec<String>, bytes: Vec<u8>) {
        self.send(Command::Request { token: 9, peer, addresses, bytes }).await;
    }

    async fn response(&mut self) -> Result<Vec<u8>, RequestFailure> {
        self.until(|event| match event {
            Event::Response { token: 9, result } => Some(result),
            _ => None,
        })
        .await
    }

    async fn asked(&mut self) -> (NodeId, ReplyTo, Vec<u8>) {
        self.until(|event| match event {
            Event::Request { from, reply, bytes } => Some((from.node, reply, bytes)),
            _ => None,
        })
        .await
    }

    async fn gossip(&mut self) -> (GossipId, NodeId, Vec<u8>) {
        self.until(gossiped).await
    }

    async fn publish(&self, bytes: &[u8]) {
        self.send(Command::Gossip { topic: TOPIC.to_owned(), bytes: bytes.to_vec() }).await;
    }

    async fn judge(&self, message: GossipId, verdict: Verdict) {
        self.send(Command::GossipVerdict { message, verdict }).await;
    }

    async fn peers(&self) -> usize {
        self.network.snapshot().await.unwrap().peers.len()
    }

    async fn find(&mut self, key: &[u8]) -> Vec<Vec<u8>> {
        self.send(Command::GetRecord { token: 3, key: key.to_vec() }).await;
        self.until(|event| match event {
            Event::RecordFound { token: 3, values, .. } => Some(values),
            _ => None,
        })
        .await
    }
}

fn gossiped(event: Event) -> Option<(GossipId, NodeId, Vec<u8>)> {
    match event {
        Event::Gossip { message, from, bytes, topic } if topic == TOPIC => Some((message, from.node, bytes)),
        _ => None,
    }
}

#[tokio::test]
async fn requests_are_answered_over_tcp_and_quic() {
    for transport in [TCP, QUIC] {
        let mut server = start(NetworkConfig { listen: vec![transport.to_owned()], ..config() }).await;
        let mut client = start(NetworkConfig { listen: Vec::new(), ..config() }).await;
        for message in [Vec::new(), b"who knows rust?".to_vec(), vec![1; limits::MESSAGE_BYTES_MAX]] {
            // The first request dials.
            client.request(server.id(), vec![server.address.clone()], message.clone()).await;
            let (from, to, bytes) = server.asked().await;
            assert_eq!((from, &bytes), (client.id(), &message));
            server.send(Command::Respond { to, bytes }).await;
            assert_eq!(client.response().await, Ok(message));
        }
        let peers = client.network.snapshot().await.unwrap().peers;
        assert_eq!((peers.len(), &peers[0].node, peers[0].outbound), (1, &server.id(), true));
        assert!(server.address.starts_with(&peers[0].address));
        client.network.shutdown().await;
        let gone = |event| matches!(event, Event::Disconnected { .. }).then_some(());
        server.within(Duration::from_secs(2), gone).await.expect("closed at once");
    }
}

#[tokio::test]
async fn requests_fail_for_a_reason() {
    let mut server = start(config()).await;
    let mut client = start(config()).await;
    let at = vec![server.address.clone()];

    client.request(server.id(), at.clone(), vec![0; limits::MESSAGE_BYTES_MAX + 1]).await;
    assert_eq!(client.response().await, Err(RequestFailure::TooLong));

    client.request(server.id(), at.clone(), vec![1]).await;
    drop(server.asked().await);
    assert_eq!(client.response().await, Err(RequestFailure::Refused));

    client.request(server.id(), at.clone(), vec![2]).await;
    let (_, to, _) = server.asked().await;
    server.send(Command::Respond { to, bytes: vec![0; limits::MESSAGE_BYTES_MAX + 1] }).await;
    assert_eq!(client.response().await, Err(RequestFailure::Refused));

    for _ in 0..=limits::STREAMS_PER_CONNECTION_MAX {
        client.request(server.id(), Vec::new(), vec![3]).await;
    }
    assert_eq!(client.response().await, Err(RequestFailure::Busy));

    let nobody = start(config()).await;
    let (id, closed) = (nobody.id(), nobody.address.clone());
    nobody.network.shutdown().await;
    client.request(id.clone(), Vec::new(), vec![4]).await;
    assert_eq!(client.response().await, Err(RequestFailure::Unreachable));
    client.request(id, vec![closed.replace("udp", "tcp").replace("/quic-v1", "")], vec![5]).await;
    assert_eq!(client.response().await, Err(RequestFailure::Unreachable));
    client.request(client.id(), at, vec![6]).await;
    assert_eq!(client.response().await, Err(RequestFailure::Unreachable));
    client.request(NodeId::from_bytes(vec![1]).unwrap(), Vec::new(), vec![7]).await;
    assert_eq!(client.response().await, Err(RequestFailure::Unreachable));
}

#[tokio::test]
async fn gossip_crosses_a_line_of_five_even_right_after_joining() {
    let mut nodes = vec![start(config()).await];
    for _ in 0..4 {
        let mut next = start(joining(nodes.last().unwrap())).await;
        next.connected(&nodes.last().unwrap().id()).await;
        nodes.push(next);
    }
    let first = nodes.remove(0);
    nodes.last().unwrap().publish(b"I learned sailing").await;
    first.publish(b"I learned welding").await;
    let author = nodes.last().unwrap().id();
    let last = nodes.len() - 1;
    for (i, node) in nodes.iter_mut().enumerate() {
        loop {
            let (message, from, bytes) = node.gossip().await;
            node.judge(message, Verdict::Accept).await;
            assert!(i == last || i == last - 1 || from != author, "forwarded, not sent directly");
            if bytes == b"I learned welding" {
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_first_message_waits_for_the_first_subscriber() {
    let early = start(config()).await;
    early.publish(b"is anybody there?").await;
    let mut late = start(joining(&early)).await;
    assert_eq!(late.gossip().await.2, b"is anybody there?");
}

#[tokio::test]
async fn a_rejected_message_is_not_forwarded_and_who_sends_many_is_silenced() {
    let mut judge = start(config()).await;
    let mut sender = start(joining(&judge)).await;
    let mut hearer = start(joining(&judge)).await;
    sender.connected(&judge.id()).await;
    hearer.connected(&judge.id()).await;
    for i in 0..12_u8 {
        sender.publish(&[i]).await;
        let verdict = if i % 2 == 0 { Verdict::Reject } else { Verdict::Ignore };
        let (message, from, bytes) = judge.gossip().await;
        assert_eq!((from, bytes), (sender.id(), vec![i]));
        judge.judge(message, verdict).await;
    }
    sender.publish(b"good").await;
    let (message, ..) = judge.gossip().await;
    judge.judge(message, Verdict::Accept).await;
    assert_eq!(hearer.gossip().await.2, b"good", "and nothing before it");
    for i in 100..103_u8 {
        sender.publish(&[i]).await;
        let (message, ..) = judge.gossip().await;
        judge.judge(message, Verdict::Reject).await;
    }
    sender.publish(b"too late to be good").await;
    assert!(judge.within(Duration::from_secs(2), gossiped).await.is_none());
}

#[tokio::test]
async fn records_are_kept_where_they_were_judged_good() {
    let mut good = start(NetworkConfig { discovery: true, ..config() }).await;
    let mut author = start(NetworkConfig { discovery: true, ..joining(&good) }).await;
    let mut reader = start(NetworkConfig { discovery: true, ..joining(&good) }).await;
    author.connected(&good.id()).await;
    reader.connected(&good.id()).await;
    for (key, accepted) in [(b"/knack/refused".to_vec(), false), (b"/knack/accepted".to_vec(), true)] {
        let value = vec![5; limits::RECORD_BYTES_MAX];
        let put = Command::PutRecord { key: key.clone(), value: value.clone(), expires: in_an_hour() };
        author.send(put).await;
        let offered = good
            .until(|event| match event {
                Event::RecordOffered { from, key, value } => Some((from, key, value)),
                _ => None,
            })
            .await;
        assert_eq!(offered, (author.id(), key.clone(), value.clone()));
        if accepted {
            let (key, value) = (key.clone(), value.clone());
            good.send(Command::StoreRecord { key, value, expires: in_an_hour() }).await;
        }
        // The author's own copy is out of reach.
        if accepted {
            author.network.clone().shutdown().await;
            assert_eq!(reader.find(&key).await, [value]);
        }
        assert_eq!(good.network.snapshot().await.unwrap().records, usize::from(accepted));
    }
    assert_eq!(good.find(b"/knack/refused").await, Vec::<Vec<u8>>::new());
    assert_eq!(reader.find(b"/knack/refused").await, Vec::<Vec<u8>>::new());
}

#[tokio::test]
async fn records_published_alone_reach_the_first_peer() {
    let mut author = start(NetworkConfig { discovery: true, ..config() }).await;
    let put = Command::PutRecord { key: b"/knack/1".to_vec(), value: vec![1], expires: in_an_hour() };
    author.send(put).await;
    let expired = Command::PutRecord { key: b"/knack/2".to_vec(), value: vec![1], expires: Timestamp::EPOCH };
    author.send(expired).await;
    assert_eq!(author.find(b"/knack/1").await, [[1]]);
    assert_eq!(author.find(b"/knack/2").await, Vec::<Vec<u8>>::new());
    let mut peer = start(NetworkConfig { discovery: true, ..joining(&author) }).await;
    let offered = |event| matches!(event, Event::RecordOffered { .. }).then_some(());
    peer.within(Duration::from_secs(15), offered).await.expect("offered");
}

/// Somebody else's program, which knows the node and speaks the hash table's protocol alone.
fn foreign(node: &Node) -> Swarm<kad::Behaviour<MemoryStore>> {
    let mut swarm = SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
        .unwrap()
        .with_quic()
        .with_behaviour(|key| {
            let peer = key.public().to_peer_id();
            let name = behaviour::protocol(&Protocols::default().kad).unwrap();
            kad::Behaviour::with_config(peer, MemoryStore::new(peer), kad::Config::new(name))
        })
        .unwrap()
        .build();
    let address: Multiaddr = node.address.parse().unwrap();
    swarm.behaviour_mut().add_address(&address::peer_in(&address).unwrap(), address);
    swarm
}

#[tokio::test]
async fn provider_records_are_not_kept() {
    let node = start(config()).await;
    let key = RecordKey::new(b"rust");
    let mut provider = foreign(&node);
    provider.add_external_address("/ip4/127.0.0.1/tcp/1".parse().unwrap());
    provider.behaviour_mut().start_providing(key.clone()).unwrap();
    let provider = tokio::spawn(async move {
        loop {
            provider.select_next_some().await;
        }
    });
    // The offer is not acknowledged: time to arrive.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut asker = foreign(&node);
    asker.behaviour_mut().get_providers(key);
    let answered = timeout(PATIENCE, async {
        loop {
            let SwarmEvent::Behaviour(kad::Event::OutboundQueryProgressed {
                result: QueryResult::GetProviders(result),
                ..
            }) = asker.select_next_some().await
            else {
                continue;
            };
            match result.unwrap() {
                GetProvidersOk::FoundProviders { providers, .. } => {
                    assert!(providers.is_empty(), "{providers:?}")
                }
                GetProvidersOk::FinishedWithNoAdditionalRecord { closest_peers } => break closest_peers,
            }
        }
    });
    assert_eq!(address::node_of(&answered.await.unwrap()[0]), Some(node.id()));
    provider.abort();
}

#[tokio::test]
async fn bootstrap_is_retried_until_its_node_starts() {
    let placeholder = start(config()).await;
    let (id, address) = (placeholder.id(), placeholder.address.clone());
    let bare = address.split("/p2p/").next().unwrap().to_owned();
    placeholder.network.shutdown().await;
    let mut early = start(NetworkConfig { bootstrap: vec![bare.clone()], ..config() }).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let mut late = start(NetworkConfig { listen: vec![bare], ..config() }).await;
    assert_ne!(late.id(), id);
    late.connected(&early.id()).await;
    early.connected(&late.id()).await;
    late.network.shutdown().await;
    early.until(|event| matches!(event, Event::Disconnected { .. }).then_some(())).await;
}

#[tokio::test]
async fn an_address_in_use_is_a_clear_error() {
    for transport in [TCP, QUIC] {
        let first = start(NetworkConfig { listen: vec![transport.to_owned()], ..config() }).await;
        let taken = first.address.split("/p2p/").next().unwrap().to_owned();
        let again = || NetworkConfig { listen: vec![taken.clone()], ..config() };
        let error = Network::start(again()).await.unwrap_err().to_string();
        assert!(error.starts_with("address in use: /ip4/127.0.0.1/"), "{error}");
        assert!(error.contains("choose another port"), "{error}");
        first.network.shutdown().await;
        start(again()).await;
    }
    let both = start(NetworkConfig { listen: vec![TCP.to_owned(), QUIC.to_owned()], ..config() }).await;
    let snapshot = both.network.snapshot().await.unwrap();
    assert_eq!(snapshot.listen.len(), 2);
    assert!(snapshot.listen.iter().all(|address| address.ends_with(&format!("/p2p/{}", both.id()))));
    let listen = vec!["/ip4/203.0.113.1/tcp/0".to_owned()];
    let error = Network::start(NetworkConfig { listen, ..config() }).await.unwrap_err();
    assert!(matches!(error, NetworkError::Listen { .. }), "{error}");
    let topics = (0..101).map(|i| i.to_string()).collect();
    let error = Network::start(NetworkConfig { topics, ..config() }).await.unwrap_err();
    assert!(matches!(error, NetworkError::Topics { count: 101 }), "{error}");
}

#[tokio::test]
async fn a_node_that_moved_is_found_again() {
    let hub = start(NetworkConfig { discovery: true, ..config() }).await;
    let moving = NetworkConfig { discovery: true, ..joining(&hub) };
    let mut seeker = start(NetworkConfig { discovery: true, ..joining(&hub) }).await;
    let before = start(moving.clone()).await;
    let (id, address) = (before.id(), before.address.clone());
    seeker.connected(&id).await;
    before.network.shutdown().await;
    let gone = |event| matches!(event, Event::Disconnected { .. }).then_some(());
    seeker.until(gone).await;
    let mut after = start(moving).await;
    assert_eq!(after.id(), id);
    assert_ne!(after.address, address);
    after.connected(&hub.network.node_id().clone()).await;
    // The address is out of date on purpose.
    seeker.request(id, vec![address], b"still there?".to_vec()).await;
    let (_, to, bytes) = after.asked().await;
    after.send(Command::Respond { to, bytes }).await;
    assert_eq!(seeker.response().await, Ok(b"still there?".to_vec()));
}

#[tokio::test]
async fn nodes_that_know_one_node_meet_the_others() {
    const NODES: usize = 12;
    let hub = start(NetworkConfig { discovery: true, ..config() }).await;
    let mut nodes = Vec::new();
    for _ in 1..NODES {
        nodes.push(start(NetworkConfig { discovery: true, ..joining(&hub) }).await);
    }
    let met = timeout(PATIENCE, async {
        for node in &nodes {
            while node.peers().await < limits::PEERS_LOW {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    });
    met.await.expect("every node meets enough others");
}

#[tokio::test]
async fn a_node_that_reads_no_events_can_still_command() {
    let mut slow = start(config()).await;
    let mut fast = start(joining(&slow)).await;
    fast.connected(&slow.id()).await;
    let messages = limits::NETWORK_QUEUE_MAX as u32 + 500;
    for i in 0..messages {
        fast.publish(&i.to_le_bytes()).await;
    }
    for _ in 0..limits::NETWORK_QUEUE_MAX + 500 {
        slow.send(Command::GetRecord { token: 1, key: b"/knack/none".to_vec() }).await;
    }
    assert_eq!(slow.peers().await, 1);
    let mut heard = 0;
    while slow.within(Duration::from_secs(2), gossiped).await.is_some() {
        heard += 1;
    }
    assert!(heard >= limits::NETWORK_QUEUE_MAX / 2, "{heard} of {messages}");
}

#[tokio::test]
async fn who_cannot_be_reached_is_found_through_its_relay() {
    let relay = start(NetworkConfig { discovery: true, ..config() }).await;
    let hidden =
        NetworkConfig { discovery: true, reach: Reach::Never, listen: Vec::new(), ..joining(&relay) };
    let mut hidden = start(hidden).await;
    let looking = |network: Network| async move {
        timeout(PATIENCE, async {
            loop {
                let found = network.snapshot().await.unwrap();
                if !found.reachability.relays.is_empty() {
                    break found;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        })
        .await
    };
    let placed = looking(hidden.network.clone()).await.expect("a place at the relay");
    assert!(!placed.reachability.serves);
    assert!(placed.listen.iter().any(|address| address.contains("/p2p-circuit/")), "{:?}", placed.listen);
    let mut seeker = start(NetworkConfig { discovery: true, ..joining(&relay) }).await;
    seeker.connected(&relay.id()).await;
    let answered = timeout(PATIENCE, async {
        loop {
            seeker.request(hidden.id(), Vec::new(), b"who are you?".to_vec()).await;
            let answer = async {
                let (from, reply, bytes) = hidden.asked().await;
                assert_eq!(
                    (from, bytes.as_slice()),
                    (seeker.network.node_id().clone(), &b"who are you?"[..])
                );
                hidden.send(Command::Respond { to: reply, bytes: b"me".to_vec() }).await;
                std::future::pending::<()>().await;
            };
            let network = seeker.network.clone();
            tokio::select! {
                () = answer => {}
                response = timeout(PATIENCE, async {
                    loop {
                        match seeker.events.recv().await {
                            Some(Event::Response { token: 9, result }) => break result,
                            Some(_) => {}
                            None => panic!("the network stopped"),
                        }
                    }
                }) => match response.unwrap() {
                    Ok(bytes) => break (bytes, network),
                    // The record of the relay may still be on its way.
                    Err(RequestFailure::Unreachable) => tokio::time::sleep(Duration::from_millis(200)).await,
                    Err(other) => panic!("{other}"),
                },
            }
        }
    })
    .await
    .expect("an answer through the relay");
    assert_eq!(answered.0, b"me");
    // A peer that is met through the relay alone is not reported as connected. By now the hidden side may have dialled the seeker,
    // who can be reached, as hole punching has it do.
    let peers = answered.1.snapshot().await.unwrap();
    assert!(peers.peers.iter().all(|peer| peer.node != hidden.id() || !peer.relayed), "{peers:?}");
    assert_eq!(relay.network.snapshot().await.unwrap().reachability.guests, 1);
}

#[tokio::test]
async fn an_address_group_is_limited_and_those_it_has_are_served_on() {
    let crowding = Crowding { per_group: 2, loopback: true, ..Crowding::default() };
    let mut server = start(NetworkConfig { crowding, ..config() }).await;
    let mut first = start(joining(&server)).await;
    let mut second = start(joining(&server)).await;
    first.connected(&server.id()).await;
    second.connected(&server.id()).await;
    let mut third = start(joining(&server)).await;
    let refused = third.within(Duration::from_secs(2), |event| match event {
        Event::Connected { .. } => Some(()),
        _ => None,
    });
    assert_eq!(refused.await, None);
    assert!(server.network.snapshot().await.unwrap().crowded_out > 0);
    first.request(server.id(), Vec::new(), b"still there?".to_vec()).await;
    let (_, reply, _) = server.asked().await;
    server.send(Command::Respond { to: reply, bytes: b"yes".to_vec() }).await;
    assert_eq!(first.response().await, Ok(b"yes".to_vec()));
    // Once there is room, whoever was refused comes in by itself.
    second.network.shutdown().await;
    third.connected(&server.id()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_network_of_its_own_every_node_serves() {
    // Addresses of all networks that this machine is in, and of those that others share with it.
    let everywhere =
        || NetworkConfig { discovery: true, listen: vec!["/ip4/0.0.0.0/tcp/0".to_owned()], ..config() };
    let first = start(everywhere()).await;
    let own = first.network.snapshot().await.unwrap().listen;
    let here = own.into_iter().find(|address| address.starts_with("/ip4/127.0.0.1/")).unwrap();
    let second = start(NetworkConfig { bootstrap: vec![here], ..everywhere() }).await;
    for node in [&first, &second] {
        let serving = async {
            while !node.network.snapshot().await.unwrap().reachability.serves {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(PATIENCE, serving).await.expect("it serves");
    }
}

#[tokio::test]
async fn nodes_met_are_joined_again_without_a_bootstrap_node() {
    let server = start(NetworkConfig { discovery: true, ..config() }).await;
    let mut met = start(NetworkConfig { discovery: true, ..joining(&server) }).await;
    met.connected(&server.id()).await;
    let known = timeout(PATIENCE, async {
        loop {
            let known = met.network.snapshot().await.unwrap().known;
            if !known.is_empty() {
                break known;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let remembered = known.await.unwrap();
    let mut again = start(NetworkConfig { discovery: true, remembered, ..config() }).await;
    again.connected(&server.id()).await;
}

#[tokio::test]
async fn two_releases_live_in_one_network() {
    let speaking = |rpc: &str, rpc_older: &[&str]| Protocols {
        rpc: rpc.to_owned(),
        rpc_older: rpc_older.iter().map(|name| (*name).to_owned()).collect(),
        ..Protocols::default()
    };
    let (v1, v2) = ("/knack/rpc/1", "/knack/rpc/2");
    let mut both = start(NetworkConfig { protocols: speaking(v2, &[v1]), ..config() }).await;
    let mut old = start(NetworkConfig { protocols: speaking(v1, &[]), ..joining(&both) }).await;
    let mut new = start(NetworkConfig { protocols: speaking(v2, &[]), ..joining(&both) }).await;
    for other in [&mut old, &mut new] {
        other.connected(&both.id()).await;
        for from_both in [true, false] {
            let (asker, asked) = if from_both { (&mut both, &mut *other) } else { (&mut *other, &mut both) };
            asker.request(asked.id(), Vec::new(), b"which?".to_vec()).await;
            let (_, reply, bytes) = asked.asked().await;
            assert_eq!(bytes, b"which?");
            asked.send(Command::Respond { to: reply, bytes: b"one".to_vec() }).await;
            assert_eq!(asker.response().await, Ok(b"one".to_vec()));
        }
    }
    // Those that share no version are connected, know it, and ask each other nothing.
    old.send(Command::Dial { addresses: vec![new.address.clone()] }).await;
    let told = timeout(PATIENCE, async {
        while old.network.snapshot().await.unwrap().strangers.is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    told.await.expect("the stranger is noticed");
    let reported = old.within(Duration::from_millis(200), |event| match event {
        Event::Connected { peer } if peer == *new.network.node_id() => Some(()),
        _ => None,
    });
    assert_eq!(reported.await, None);
    old.request(new.id(), Vec::new(), b"which?".to_vec()).await;
    assert_eq!(old.response().await, Err(RequestFailure::Refused));
}
