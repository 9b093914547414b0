//! Who is connected, whom to let go, and when to dial the bootstrap nodes again.
//!
//! With a mesh for each of 81 topics every connection is in use, so that none would ever idle out and every node
//! would end up connected to every other. A node therefore closes some of the connections that it made itself
//! above [`limits::PEERS_SPARE`], down to [`limits::PEERS_HIGH`], and dials more below [`limits::PEERS_LOW`]. Which ones is left to chance, since
//! a rule would make clusters.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use knackmesh_protocol::limits;
use libp2p::{Multiaddr, PeerId, swarm::ConnectionId};

use crate::network::address;

// Whoever fills the room for inbound connections takes none from our own dials.
const _: () = assert!(
    limits::PEERS_SPARE < (limits::CONNECTIONS_MAX - limits::CONNECTIONS_INBOUND_MAX) as usize
        && limits::PEERS_INBOUND_HIGH < limits::CONNECTIONS_INBOUND_MAX as usize
);

/// A connection younger than this is not closed: the look-up or request that made it may be running.
const AGE_MIN: Duration = Duration::from_secs(10);
/// The first and the longest pause between two rounds of dialling the bootstrap nodes.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// Connected nodes look for bootstrap nodes this often, so that one that restarts, or the other half of a split
/// network, is found again; with few peers the sooner.
pub(super) const REJOIN_EVERY: Duration = Duration::from_secs(5 * 60);
pub(super) const REJOIN_SOON: Duration = Duration::from_secs(60);

/// The connected peers.
#[derive(Default)]
pub(super) struct Peers {
    table: BTreeMap<PeerId, Peer>,
}

/// A peer with at least one connection.
#[derive(Default)]
struct Peer {
    connections: Vec<Connection>,
    announced: bool,
    /// What it said of itself.
    said: Said,
    /// The last answer to a ping.
    rtt: Option<Duration>,
}

/// What a peer says of itself, as far as it is shown.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    pub(super) agent: String,
    pub(super) protocol: String,
    /// Whether it serves the hash table.
    pub(super) serves: bool,
    /// Whether it speaks our requests.
    pub(super) understood: bool,
}

/// One connection, in order of age.
pub(super) struct Connection {
    id: ConnectionId,
    pub(super) outbound: bool,
    pub(super) address: Multiaddr,
    pub(super) since: Instant,
}

impl Connection {
    /// Whether it leads through a relay.
    pub(super) fn relayed(&self) -> bool {
        address::is_relayed(&self.address)
    }
}

impl Peers {
    /// A connection was made.
    pub(super) fn opened(
        &mut self,
        peer: PeerId,
        id: ConnectionId,
        outbound: bool,
        address: Multiaddr,
        now: Instant,
    ) {
        let entry = self.table.entry(peer).or_default();
        entry.connections.push(Connection { id, outbound, address, since: now });
    }

    /// A connection ended. True when it was the last to a peer that had been announced.
    pub(super) fn closed(&mut self, peer: &PeerId, id: ConnectionId) -> bool {
        let Some(entry) = self.table.get_mut(peer) else { return false };
        entry.connections.retain(|connection| connection.id != id);
        entry.connections.is_empty() && self.table.remove(peer).is_some_and(|entry| entry.announced)
    }

    /// The peer speaks our protocol. True the first time.
    pub(super) fn announce(&mut self, peer: &PeerId) -> bool {
        self.table.get_mut(peer).is_some_and(|entry| !std::mem::replace(&mut entry.announced, true))
    }

    /// Peers announced.
    pub(super) fn count(&self) -> usize {
        self.table.values().filter(|entry| entry.announced).count()
    }

    /// Whether no peer is connected, announced or not.
    pub(super) fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Whether there is a connection to the peer.
    pub(super) fn contains(&self, peer: &PeerId) -> bool {
        self.table.contains_key(peer)
    }

    /// Where a peer is connected from: directly, if it is.
    pub(super) fn address(&self, peer: &PeerId) -> Option<&Multiaddr> {
        let connections = &self.table.get(peer)?.connections;
        let direct = connections.iter().find(|connection| !connection.relayed());
        direct.or(connections.first()).map(|connection| &connection.address)
    }

    /// Whether there is a connection without a relay.
    pub(super) fn is_direct(&self, peer: &PeerId) -> bool {
        self.table.get(peer).is_some_and(|entry| entry.connections.iter().any(|c| !c.relayed()))
    }

    /// Whether there is a connection through a relay.
    pub(super) fn is_relayed(&self, peer: &PeerId) -> bool {
        self.table.get(peer).is_some_and(|entry| entry.connections.iter().any(Connection::relayed))
    }

    /// Connections through relays to peers that have been connected directly for so long that nothing is under way on them.
    pub(super) fn outgrown(&self, now: Instant, settled: Duration) -> Vec<ConnectionId> {
        let direct = |entry: &&Peer| {
            entry.connections.iter().any(|c| !c.relayed() && now.duration_since(c.since) >= settled)
        };
        let connections = self.table.values().filter(direct).flat_map(|entry| &entry.connections);
        connections.filter(|connection| connection.relayed()).map(|connection| connection.id).collect()
    }

    /// What the peer said of itself.
    pub(super) fn says(&mut self, peer: &PeerId, said: Said) {
        if let Some(entry) = self.table.get_mut(peer) {
            entry.said = said;
        }
    }

    /// The peer answered a ping.
    pub(super) fn ponged(&mut self, peer: &PeerId, rtt: Duration) {
        if let Some(entry) = self.table.get_mut(peer) {
            entry.rtt = Some(rtt);
        }
    }

    /// What is known of a peer: what it said, and how long a ping took.
    pub(super) fn known(&self, peer: &PeerId) -> Option<(&Said, Option<Duration>)> {
        self.table.get(peer).map(|entry| (&entry.said, entry.rtt))
    }

    /// Protocol names of peers that do not speak our requests although they are of our kind.
    pub(super) fn strangers(&self, family: &str) -> Vec<String> {
        let strange = |entry: &&Peer| !entry.said.understood && entry.said.protocol.starts_with(family);
        self.table.values().filter(strange).map(|entry| entry.said.protocol.clone()).collect()
    }

    /// Connections, inbound and outbound, and how many of them lead through relays.
    pub(super) fn connections(&self) -> (usize, usize, usize) {
        let all = || self.table.values().flat_map(|entry| &entry.connections);
        let outbound = all().filter(|c| c.outbound).count();
        (all().count() - outbound, outbound, all().filter(|c| c.relayed()).count())
    }

    /// Whether there is a connection that was made by dialling this address.
    pub(super) fn dialled(&self, address: &Multiaddr) -> bool {
        self.table.values().flat_map(|entry| &entry.connections).any(|c| c.outbound && c.address == *address)
    }

    /// The connection with this id.
    pub(super) fn connection(&self, peer: &PeerId, id: ConnectionId) -> Option<&Connection> {
        self.table.get(peer)?.connections.iter().find(|connection| connection.id == id)
    }

    /// The peers announced, each with its oldest connection, one without a relay if there is any.
    pub(super) fn announced(&self) -> impl Iterator<Item = (&PeerId, &Connection)> {
        self.table.iter().filter(|(_, entry)| entry.announced).filter_map(|(peer, entry)| {
            Some((peer, entry.connections.iter().min_by_key(|c| (c.relayed(), c.since))?))
        })
    }

    /// Peers to disconnect so that both directions keep to their marks; never those that are `busy`. Of those dialled itself the node
    /// closes none up to `outbound.1`, and then all but `outbound.0`: look-ups dial many, and often the same ones.
    pub(super) fn surplus(
        &self,
        now: Instant,
        outbound: (usize, usize),
        busy: impl Fn(&PeerId) -> bool,
        mut random: impl FnMut() -> u64,
    ) -> Vec<PeerId> {
        let mut surplus = Vec::new();
        let inbound = (limits::PEERS_INBOUND_HIGH, limits::PEERS_INBOUND_HIGH);
        for (outbound, (low, high)) in [(true, outbound), (false, inbound)] {
            let peers = self.table.iter().filter(|(_, entry)| entry.outbound() == outbound);
            let count = peers.clone().count();
            let excess = if count > high { count - low } else { 0 };
            let mut idle: Vec<PeerId> = peers
                .filter(|(_, entry)| entry.connections.iter().all(|c| now.duration_since(c.since) >= AGE_MIN))
                .map(|(peer, _)| *peer)
                .filter(|peer| !busy(peer))
                .collect();
            for _ in 0..excess.min(idle.len()) {
                surplus.push(idle.swap_remove((random() % idle.len() as u64) as usize));
            }
        }
        surplus
    }
}

impl Peer {
    /// Whether we made one of the connections.
    fn outbound(&self) -> bool {
        self.connections.iter().any(|connection| connection.outbound)
    }
}

/// When to dial the bootstrap nodes.
pub(super) struct Bootstrap {
    /// Their addresses.
    pub(super) addresses: Vec<Multiaddr>,
    /// For each, whether it answered the last time.
    pub(super) answered: Vec<Option<bool>>,
    dials: BTreeMap<ConnectionId, usize>,
    attempts: u32,
    next: Instant,
}

impl Bootstrap {
    /// Due at once.
    pub(super) fn new(addresses: Vec<Multiaddr>, now: Instant) -> Self {
        let answered = vec![None; addresses.len()];
        Bootstrap { addresses, answered, dials: BTreeMap::new(), attempts: 0, next: now }
    }

    /// The node at this place of the list is being dialled.
    pub(super) fn dialling(&mut self, place: usize, id: ConnectionId) {
        self.dials.insert(id, place);
    }

    /// A dial came to an end.
    pub(super) fn ended(&mut self, id: ConnectionId, answered: bool) {
        if let Some(place) = self.dials.remove(&id)
            && let Some(known) = self.answered.get_mut(place)
        {
            *known = Some(answered);
        }
    }

    /// Whether to dial now. With peers the pause is `rejoin`; without, it doubles with every round, up to a minute; `random` takes up
    /// to half of it away, so that nodes that lost their peers together do not come back together.
    pub(super) fn due(
        &mut self,
        now: Instant,
        rejoin: Option<Duration>,
        random: u64,
        remembers: bool,
    ) -> bool {
        match rejoin {
            Some(rejoin) if self.attempts > 0 => {
                self.attempts = 0;
                self.next = now + jitter(rejoin, random);
            }
            None if self.attempts == 0 => self.next = self.next.min(now),
            _ => {}
        }
        if (self.addresses.is_empty() && !remembers) || now < self.next {
            return false;
        }
        let backoff = || BACKOFF.0.saturating_mul(1 << self.attempts.min(10)).min(BACKOFF.1);
        let pause = rejoin.unwrap_or_else(backoff);
        self.attempts = if rejoin.is_some() { 0 } else { self.attempts.saturating_add(1) };
        self.next = now + jitter(pause, random);
        true
    }
}

/// Between half of the duration and all of it.
fn jitter(duration: Duration, random: u64) -> Duration {
    duration / 2 + duration.mul_f64((random % 1024) as f64 / 2048.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peers(outbound: usize, inbound: usize, now: Instant) -> Peers {
        let mut peers = Peers::default();
        for i in 0..outbound + inbound {
            let id = ConnectionId::new_unchecked(i);
            peers.opened(PeerId::random(), id, i < outbound, Multiaddr::empty(), now);
        }
        peers
    }

    #[test]
    fn surplus_peers_are_let_go_in_both_directions() {
        let start = Instant::now();
        let later = start + AGE_MIN;
        let mut seed = 0;
        let mut random = || {
            seed += 7;
            seed
        };
        let marks = (limits::PEERS_HIGH, limits::PEERS_SPARE);
        let cases = [
            (limits::PEERS_SPARE, limits::PEERS_INBOUND_HIGH, 0),
            (
                limits::PEERS_SPARE + 3,
                limits::PEERS_INBOUND_HIGH,
                limits::PEERS_SPARE + 3 - limits::PEERS_HIGH,
            ),
            (limits::PEERS_HIGH, limits::PEERS_INBOUND_HIGH + 4, 4),
        ];
        for (outbound, inbound, expected) in cases {
            let peers = peers(outbound, inbound, start);
            assert_eq!(peers.surplus(start, marks, |_| false, &mut random).len(), 0, "too young");
            assert_eq!(peers.surplus(later, marks, |_| true, &mut random).len(), 0, "busy");
            let mut surplus = peers.surplus(later, marks, |_| false, &mut random);
            surplus.sort();
            surplus.dedup();
            assert_eq!(surplus.len(), expected);
        }
    }

    #[test]
    fn a_peer_is_announced_once_and_gone_with_its_last_connection() {
        let (peer, now) = (PeerId::random(), Instant::now());
        let (first, second) = (ConnectionId::new_unchecked(1), ConnectionId::new_unchecked(2));
        let mut peers = Peers::default();
        assert!(!peers.announce(&peer));
        peers.opened(peer, first, true, Multiaddr::empty(), now);
        peers.opened(peer, second, false, Multiaddr::empty(), now);
        assert!(peers.announce(&peer));
        assert!(!peers.announce(&peer));
        assert!(!peers.closed(&peer, first));
        assert_eq!(peers.count(), 1);
        assert!(peers.closed(&peer, second));
        assert!(peers.is_empty());
        peers.opened(peer, first, true, Multiaddr::empty(), now);
        assert!(!peers.closed(&peer, first), "not announced");
    }

    #[test]
    fn bootstrap_backs_off_until_a_peer_is_connected() {
        let start = Instant::now();
        let mut bootstrap = Bootstrap::new(vec![Multiaddr::empty()], start);
        let mut dialled = Vec::new();
        let seconds = |n| start + Duration::from_secs(n);
        for n in 0..200 {
            if bootstrap.due(seconds(n), None, 1023, false) {
                dialled.push(n);
            }
        }
        assert_eq!(dialled, [0, 1, 3, 7, 15, 31, 63, 123, 183]);
        assert!(!bootstrap.due(seconds(200), Some(REJOIN_EVERY), 0, false));
        assert!(!bootstrap.due(seconds(300), Some(REJOIN_EVERY), 0, false));
        assert!(bootstrap.due(seconds(350), Some(REJOIN_EVERY), 0, false), "rejoins");
        assert!(!bootstrap.due(seconds(351), Some(REJOIN_EVERY), 0, false));
        assert!(bootstrap.due(seconds(352), None, 0, false), "lost its peers");
        assert!(!Bootstrap::new(Vec::new(), start).due(start, None, 0, false));
    }
}
