//! Whether others can connect to this node, and what it does when they cannot.
//!
//! Peers that the node dialled try its addresses out (AutoNAT v2), and a connection that comes in at an own public address
//! shows as much. A node that can be reached serves the hash table and relays for others. One that cannot is a client of the hash
//! table; it keeps a place at up to [`limits::RELAYS_MAX`] of its peers that relay, and says in a record of the hash table where
//! ([`whereabouts`](super::whereabouts)). Who asks it something comes through such a relay; then both sides try to connect without it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::{Duration, Instant},
};

use knackmesh_protocol::limits;
use libp2p::{
    Multiaddr, PeerId, autonat, core::transport::ListenerId, dcutr, identify, kad, mdns, multiaddr::Protocol,
    relay, upnp,
};

use crate::network::{Reach, Reachability, address, address::Scope, swarm::Driver};

/// A relay that refused or was lost is not asked again for this time.
const RELAY_AGAIN: Duration = Duration::from_secs(60);
/// A reservation that is not confirmed by then is given up.
const RESERVE_TIMEOUT: Duration = Duration::from_secs(15);
/// Relays that are remembered as candidates.
const CANDIDATES_MAX: usize = 64;

/// What is known of the own reachability.
#[derive(Default)]
pub(super) struct Reached {
    /// Whether the node serves: it is, or counts as, reachable.
    pub(super) serves: bool,
    /// Own addresses that others have connected to.
    confirmed: BTreeSet<Multiaddr>,
    /// Own addresses that others tried in vain.
    failed: BTreeSet<Multiaddr>,
    /// Peers that relay, with the address to name them by.
    candidates: BTreeMap<PeerId, Multiaddr>,
    /// Not to be asked before.
    later: HashMap<PeerId, Instant>,
    /// Our places at relays, confirmed or asked for.
    places: HashMap<ListenerId, Place>,
    /// Peers that have a place here.
    pub(super) guests: BTreeSet<PeerId>,
    /// Connections without a relay that took the place of one with.
    pub(super) upgraded: u64,
    /// What the router opened.
    mapped: bool,
}

/// A place at a relay.
struct Place {
    relay: PeerId,
    asked: Instant,
    address: Option<Multiaddr>,
}

impl Reached {
    /// Whether the peer's connection carries a place at a relay, ours there or its own here.
    pub(super) fn depends_on(&self, peer: &PeerId) -> bool {
        self.guests.contains(peer) || self.places.values().any(|place| place.relay == *peer)
    }

    /// Own addresses through relays.
    pub(super) fn relayed(&self) -> Vec<Multiaddr> {
        let mut addresses: Vec<_> = self.places.values().filter_map(|place| place.address.clone()).collect();
        addresses.sort();
        addresses
    }

    /// Takes a listening address in that belongs to a place at a relay. False when the listener is an ordinary one.
    pub(super) fn listening(&mut self, listener: ListenerId, address: &Multiaddr) -> bool {
        let Some(place) = self.places.get_mut(&listener) else { return false };
        place.address = Some(address.clone());
        true
    }
}

impl Driver {
    /// Whether this is a network of its own, in which private addresses are as good as any: the owner says so, or whoever the node
    /// is to join by and has met is within it. Nodes behind a home's router meet others from outside, and are no such network.
    fn is_local_network(&self) -> bool {
        let met = self.peers.announced().map(|(_, connection)| &connection.address);
        let mut known = self.bootstrap.addresses.iter().chain(met).peekable();
        let is_near = |address: &Multiaddr| address::scope(address).is_some_and(|scope| scope < Scope::World);
        self.lan || (known.peek().is_some() && known.all(is_near))
    }

    /// Whether the node counts as reachable.
    fn is_reachable(&self) -> bool {
        let local = self.is_local_network();
        let wanted = if local { Scope::Site } else { Scope::World };
        let counts = |address: &Multiaddr| address::scope(address).is_some_and(|scope| scope >= wanted);
        match self.reach {
            Reach::Always => true,
            Reach::Never => false,
            Reach::Tested => {
                let mut listening = self.listening.values().flatten().peekable();
                let alone = listening.peek().is_some()
                    && listening.all(|address| address::scope(address) == Some(Scope::Machine));
                let listens = self.listening.values().any(|addresses| !addresses.is_empty());
                alone || (local && listens) || self.announced || self.reached.confirmed.iter().any(counts)
            }
        }
    }

    /// Changes between serving and being served, when that has changed.
    pub(super) fn review_reachability(&mut self) {
        let serves = self.is_reachable();
        if serves {
            self.declare_addresses();
        }
        if serves == self.reached.serves {
            return;
        }
        tracing::info!(serves, "reachability");
        self.reached.serves = serves;
        let behaviour = self.swarm.behaviour_mut();
        let (mode, status) = match serves {
            true => (kad::Mode::Server, relay::Status::Enable),
            false => (kad::Mode::Client, relay::Status::Disable),
        };
        behaviour.kad.set_mode(Some(mode));
        behaviour.relay.set_status(Some(status));
        if serves {
            for (listener, _) in std::mem::take(&mut self.reached.places) {
                self.swarm.remove_listener(listener);
            }
            self.withdraw_whereabouts();
        }
    }

    /// Says of listening addresses that count as reachable without a test that they are: a relay names its guests by them.
    fn declare_addresses(&mut self) {
        let local = self.is_local_network();
        let untested = |address: &Multiaddr| match address::scope(address) {
            Some(Scope::Machine) => true,
            Some(Scope::Site) => local || self.reach == Reach::Always,
            Some(Scope::World) => self.reach == Reach::Always,
            None => false,
        };
        // Beside an address that strangers can use, those of the machine are of no use to them.
        let is_alone = self.listening.values().flatten().all(|a| address::scope(a) == Some(Scope::Machine));
        let own = self.listening.values().flatten().filter(|address| untested(address));
        let wanted = own.filter(|address| is_alone || address::scope(address) != Some(Scope::Machine));
        let known: Vec<&Multiaddr> = self.swarm.external_addresses().collect();
        let fresh: Vec<Multiaddr> = wanted.filter(|address| !known.contains(address)).cloned().collect();
        for address in fresh {
            self.swarm.add_external_address(address);
        }
    }

    /// An own address can be reached.
    pub(super) fn confirmed(&mut self, address: Multiaddr) {
        let address = address::bare(address);
        if address::scope(&address).is_some() && self.reached.confirmed.len() < limits::ADDRESSES_MAX {
            self.reached.failed.remove(&address);
            self.reached.confirmed.insert(address);
            self.review_reachability();
        }
    }

    /// An own address can be reached no longer.
    pub(super) fn expired(&mut self, address: &Multiaddr) {
        if self.reached.confirmed.remove(&address::bare(address.clone())) {
            self.review_reachability();
        }
    }

    /// A connection came in at an own address. AutoNAT asks only peers that we dialled; a node that is joined by others and
    /// dials nobody learns this way that it can be reached.
    pub(super) fn came_in(&mut self, peer: &PeerId, local: &Multiaddr, from: &Multiaddr) {
        // A peer that we meet through a relay may come in through a hole that was made for it alone.
        let world = |address: &Multiaddr| address::scope(address) == Some(Scope::World);
        if self.peers.is_relayed(peer) || !world(from) || self.reach != Reach::Tested {
            return;
        }
        let version = |address: &Multiaddr| matches!(address.iter().next(), Some(Protocol::Ip4(_)));
        let reached: Vec<Multiaddr> = match world(local) {
            true => vec![local.clone()],
            // QUIC tells the address that the socket was bound to.
            false => self.listening.values().flatten().cloned().collect(),
        };
        let own: Vec<Multiaddr> = self.listening.values().flatten().cloned().collect();
        for address in reached {
            let same = address.iter().skip(1).eq(local.iter().skip(1)) && version(&address) == version(local);
            if world(&address) && same && own.contains(&address) && !self.reached.confirmed.contains(&address)
            {
                self.swarm.add_external_address(address.clone());
                self.confirmed(address);
            }
        }
    }

    /// A peer said what it speaks: is it a relay?
    pub(super) fn consider_relay(&mut self, peer: PeerId, address: Option<Multiaddr>, info: &identify::Info) {
        let relays = info.protocols.contains(&relay::HOP_PROTOCOL_NAME);
        match address.filter(|_| relays && self.peers.is_direct(&peer)) {
            Some(address) if self.reached.candidates.len() < CANDIDATES_MAX => {
                self.reached.candidates.insert(peer, address);
            }
            _ => {
                self.reached.candidates.remove(&peer);
            }
        }
    }

    /// A peer has gone.
    pub(super) fn relay_gone(&mut self, peer: &PeerId) {
        self.reached.candidates.remove(peer);
        self.reached.guests.remove(peer);
    }

    /// Reserves a place at a relay when there are too few, and gives up what is not confirmed.
    pub(super) fn seek_relays(&mut self, now: Instant) {
        self.reached.later.retain(|_, until| *until > now);
        let late = self.reached.places.iter().filter(|(_, place)| {
            place.address.is_none() && now.duration_since(place.asked) > RESERVE_TIMEOUT
        });
        for listener in late.map(|(listener, _)| *listener).collect::<Vec<_>>() {
            self.swarm.remove_listener(listener);
            self.place_lost(listener);
        }
        if self.reached.serves || !self.relays || self.reached.places.len() >= limits::RELAYS_MAX {
            return;
        }
        let reached = &self.reached;
        let free = |peer: &&PeerId| {
            !reached.later.contains_key(peer) && reached.places.values().all(|place| place.relay != **peer)
        };
        let free: Vec<PeerId> = reached.candidates.keys().filter(free).copied().collect();
        if free.is_empty() {
            return;
        }
        let relay = free[(crate::network::swarm::random() % free.len() as u64) as usize];
        let Some(address) = self.reached.candidates.get(&relay).cloned() else { return };
        let circuit = address.with(Protocol::P2p(relay)).with(Protocol::P2pCircuit);
        match self.swarm.listen_on(circuit) {
            Ok(listener) => {
                self.reached.places.insert(listener, Place { relay, asked: now, address: None });
            }
            Err(error) => {
                tracing::debug!(%relay, %error, "no place at a relay");
                self.reached.later.insert(relay, now + RELAY_AGAIN);
            }
        }
    }

    /// A place at a relay ended. False when the listener is an ordinary one.
    pub(super) fn place_lost(&mut self, listener: ListenerId) -> bool {
        let Some(place) = self.reached.places.remove(&listener) else { return false };
        tracing::debug!(relay = %place.relay, "no longer at this relay");
        self.reached.later.insert(place.relay, Instant::now() + RELAY_AGAIN);
        self.publish_whereabouts();
        true
    }

    pub(super) fn on_relay(&mut self, event: relay::Event) {
        match event {
            relay::Event::ReservationReqAccepted { src_peer_id, .. } => {
                self.reached.guests.insert(src_peer_id);
            }
            relay::Event::ReservationClosed { src_peer_id }
            | relay::Event::ReservationTimedOut { src_peer_id } => {
                self.reached.guests.remove(&src_peer_id);
            }
            other => tracing::debug!(?other, "relay"),
        }
    }

    pub(super) fn on_hole_punched(&mut self, event: &dcutr::Event) {
        match &event.result {
            Ok(_) => {
                tracing::info!(peer = %event.remote_peer_id, "connected without the relay");
                self.reached.upgraded += 1;
            }
            Err(error) => tracing::debug!(peer = %event.remote_peer_id, %error, "only through the relay"),
        }
    }

    pub(super) fn on_tested(&mut self, event: &autonat::v2::client::Event) {
        let address = address::bare(event.tested_addr.clone());
        if let Err(error) = &event.result {
            tracing::debug!(%address, %error, "not reached");
            if self.reached.failed.len() < limits::ADDRESSES_MAX {
                self.reached.failed.insert(address);
            }
        }
    }

    pub(super) fn on_upnp(&mut self, event: &upnp::Event) {
        match event {
            upnp::Event::NewExternalAddr { .. } => self.reached.mapped = true,
            upnp::Event::ExpiredExternalAddr { .. } => self.reached.mapped = false,
            other => tracing::debug!(?other, "upnp"),
        }
    }

    /// Nodes of the same local network, dialled as long as there are few.
    pub(super) fn on_mdns(&mut self, event: mdns::Event) {
        let mdns::Event::Discovered(found) = event else { return };
        for (peer, address) in found.into_iter().take(limits::PEERS_LOW) {
            if address::scope(&address).is_none() || self.peers.count() >= limits::PEERS_HIGH {
                continue;
            }
            if let Ok(address) = address::bare(address).with_p2p(peer) {
                self.dial(vec![address]);
            }
        }
    }

    /// For whoever asks.
    pub(super) fn reachability(&self) -> Reachability {
        let texts = |addresses: &BTreeSet<Multiaddr>| addresses.iter().map(ToString::to_string).collect();
        let relays = self.reached.places.values().filter(|place| place.address.is_some());
        Reachability {
            serves: self.reached.serves,
            confirmed: texts(&self.reached.confirmed),
            failed: texts(&self.reached.failed),
            relays: relays.filter_map(|place| address::node_of(&place.relay)).collect(),
            relays_known: self.reached.candidates.len(),
            guests: self.reached.guests.len(),
            upgraded: self.reached.upgraded,
            mapped: self.reached.mapped,
        }
    }
}
