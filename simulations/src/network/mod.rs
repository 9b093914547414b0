//! The network: who is connected, how long messages take, which are lost, and what becomes of each kind of them.
//!
//! [`World::transmit`] is the one way from a node to another: it counts, loses and delays.

mod exchanges;
mod gossip;
mod links;
mod look_ups;
mod records;

use std::collections::{BTreeMap, BTreeSet};

use knackmesh_protocol::{id::Id, time::Timestamp};

use self::exchanges::Exchange;
pub(crate) use self::links::Seen;
use crate::{
    access, latency::lost_on_both_ppm, messages::Messages, sightings::Sightings, streams::below,
    traffic::Kind, world::World,
};

/// What no single node knows.
#[derive(Default)]
pub(crate) struct Network {
    /// Nodes that run.
    online: Vec<u32>,
    /// Those of them that anybody can reach, by the hash of their ids.
    ring: BTreeMap<[u8; 32], u32>,
    /// All that anybody can reach, running or not.
    relays: Vec<u32>,
    /// Connections that a partition cut.
    severed: BTreeSet<(u32, u32)>,
    /// Requests without a response.
    exchanges: BTreeMap<u64, Exchange>,
    next_exchange: u64,
    next_gossip: u64,
    /// Until when a node keeps a record, by the hash of its key.
    records: BTreeMap<(u32, Id), Timestamp>,
    pub(crate) messages: Messages,
    pub(crate) sightings: Sightings,
    /// Whom a message goes to; empty between messages.
    addressed: Vec<u32>,
    pub(crate) dials: u64,
    pub(crate) dials_failed: u64,
}

impl Network {
    pub(crate) fn new(nodes: u32, relays: Vec<u32>) -> Self {
        Network { relays, sightings: Sightings::of(nodes), ..Network::default() }
    }

    pub(crate) fn online(&self) -> usize {
        self.online.len()
    }
}

/// How a node reaches another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Direct,
    /// Over a relay.
    Relayed(u32),
}

impl World {
    /// Sends `bytes` bytes: when they arrive, unless they are lost.
    pub(crate) fn transmit(&mut self, from: u32, to: u32, kind: Kind, bytes: usize) -> Option<Timestamp> {
        self.nodes[from as usize].site.traffic.sends(kind, bytes);
        let sent_us = self.pass(from, Direction::Up, self.elapsed_ms() * 1000, bytes);
        if self.is_lost(from) || self.is_lost_on_the_way(from, to) {
            return None;
        }
        let arrives_us = sent_us + self.delay(from, to)? * 1000;
        if self.runs(to) {
            self.nodes[to as usize].site.traffic.receives(kind, bytes);
        }
        // The receiver's line is taken in the order of sending, not of arrival.
        let through_us = self.pass(to, Direction::Down, arrives_us, bytes);
        Some(self.at(through_us.div_ceil(1000)))
    }

    /// When the last of the bytes is through a node's line, in microseconds since the run began.
    fn pass(&mut self, node: u32, direction: Direction, at_us: u64, bytes: usize) -> u64 {
        let node = &mut self.nodes[node as usize];
        match (node.site.line, direction) {
            (None, _) => at_us,
            (Some(line), Direction::Up) => node.up.pass(at_us, bytes, line.up_kbit_s),
            (Some(line), Direction::Down) => node.down.pass(at_us, bytes, line.down_kbit_s),
        }
    }

    /// Whether a node runs.
    pub fn runs(&self, node: u32) -> bool {
        self.nodes[node as usize].site.runs
    }

    /// Whether there is a way from one running node to another.
    fn is_reachable(&self, a: u32, b: u32) -> bool {
        let same_side = self.nodes[a as usize].site.side == self.nodes[b as usize].site.side;
        let both_run = a != b && self.runs(a) && self.runs(b);
        both_run && same_side && self.admits(a, b) && self.way(a, b).is_some()
    }

    /// A victim that is eclipsed sees nobody but its captors, and nobody else sees it.
    fn admits(&self, a: u32, b: u32) -> bool {
        let eclipsed = |node: u32| self.is_eclipsed && node == self.scenario.victim;
        let captor = |node: u32| self.nodes[node as usize].captivates();
        (!eclipsed(a) || captor(b)) && (!eclipsed(b) || captor(a))
    }

    /// Two nodes behind a NAT that do not get through to each other need a relay that runs.
    fn way(&self, a: u32, b: u32) -> Option<Way> {
        let (seed, nat) = (self.scenario.seed, self.scenario.nat);
        let hidden = self.nodes[a as usize].site.behind_nat && self.nodes[b as usize].site.behind_nat;
        if !hidden || nat.punches(seed, a, b) {
            return Some(Way::Direct);
        }
        let relays = &self.network.relays;
        let first = access::relay(seed, a, b, relays.len());
        let mut in_turn = relays[first.min(relays.len())..].iter().chain(&relays[..first.min(relays.len())]);
        in_turn.find(|relay| self.runs(**relay)).map(|relay| Way::Relayed(*relay))
    }

    fn is_lost(&mut self, from: u32) -> bool {
        let permille = self.scenario.loss_permille;
        permille > 0 && below(&mut self.nodes[from as usize].network, 1000) < permille
    }

    /// Whether a transmission is lost between two places, where the latency says that some lose more than others.
    fn is_lost_on_the_way(&mut self, from: u32, to: u32) -> bool {
        let latency = &self.scenario.latency;
        if !latency.is_lossy() {
            return false;
        }
        let lost = |from: u32, to: u32| {
            latency.lost_ppm(self.nodes[from as usize].site.region, self.nodes[to as usize].site.region)
        };
        let lost_ppm = match self.way(from, to) {
            None => return false,
            Some(Way::Direct) => lost(from, to),
            Some(Way::Relayed(relay)) => lost_on_both_ppm(lost(from, relay), lost(relay, to)),
        };
        below(&mut self.nodes[from as usize].network, 1_000_000) < lost_ppm
    }

    /// How long a transmission takes, in milliseconds, if there is a way; the sender's stream draws the jitter.
    fn delay(&mut self, from: u32, to: u32) -> Option<u64> {
        let place = |node: u32| self.nodes[node as usize].site.region;
        let latency = &self.scenario.latency;
        let least = match self.way(from, to)? {
            Way::Direct => latency.least_ms(place(from), place(to)),
            Way::Relayed(relay) => {
                latency.least_ms(place(from), place(relay)) + latency.least_ms(place(relay), place(to))
            }
        };
        Some(least + latency.jitter_ms(&mut self.nodes[from as usize].network))
    }
}

#[derive(Clone, Copy)]
enum Direction {
    Up,
    Down,
}
