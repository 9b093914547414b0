//! The network: who is connected, how long messages take, which are lost, and what becomes of each kind of them.
//!
//! Gossip floods the connections, suppresses duplicates by content, and honours verdicts: only what a node accepts goes
//! on. A request needs no connection of its own, but a way: both ends run, on the same side of a partition. A record of the
//! hash table goes to the nodes that follow its key on a ring.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use knackmesh_protocol::{
    id::NodeId,
    limits::REQUEST_TIMEOUT_MS,
    peer::{ChannelId, Failure, GossipId, Input, RequestId},
    time::Timestamp,
};

use crate::{
    checks::Violation,
    queue::Event,
    streams::{below, place},
    world::World,
};

/// Copies of a record.
const RECORD_COPIES: usize = 5;
/// Nodes that a dialling node tries for each connection that it seeks.
const DIALS: usize = 8;

/// What no single node knows.
#[derive(Default)]
pub struct Network {
    /// Nodes that run.
    online: Vec<u32>,
    /// Those nodes by the hash of their ids.
    ring: BTreeMap<[u8; 32], u32>,
    /// Connections that a partition cut.
    severed: BTreeSet<(u32, u32)>,
    /// Requests without a response.
    exchanges: BTreeMap<u64, Exchange>,
    next_exchange: u64,
    next_gossip: u64,
    records: BTreeMap<(u32, Vec<u8>), (Vec<u8>, Timestamp)>,
}

struct Exchange {
    from: u32,
    to: u32,
    request: RequestId,
}

impl Network {
    pub(crate) fn keep_record(&mut self, node: u32, key: Vec<u8>, value: Vec<u8>, expires: Timestamp) {
        self.records.insert((node, key), (value, expires));
    }
}

impl World {
    /// Cuts every connection between nodes for which `side` differs, and keeps new ones from forming.
    ///
    /// # Errors
    /// The first promise that is broken by those who see others go.
    pub fn partition(&mut self, side: impl Fn(u32) -> u8) -> Result<(), Violation> {
        for node in &mut self.nodes {
            node.side = side(node.number);
        }
        for a in 0..self.scenario.nodes() {
            let cut: Vec<u32> =
                self.nodes[a as usize].links.iter().copied().filter(|b| side(*b) != side(a)).collect();
            for b in cut {
                self.network.severed.insert((a.min(b), a.max(b)));
                self.unlink(a, b)?;
            }
        }
        Ok(())
    }

    /// Ends a partition: what it cut is connected again.
    pub fn heal(&mut self) {
        self.nodes.iter_mut().for_each(|node| node.side = 0);
        for (a, b) in std::mem::take(&mut self.network.severed) {
            let delay = self.delay(a, b);
            self.queue.push(self.now.plus_ms(delay), Event::Link(a, b));
        }
    }

    /// Copies of a view's record that running nodes keep.
    pub fn records(&self) -> usize {
        let kept = self.network.records.iter();
        kept.filter(|((node, _), (_, expires))| self.runs(*node) && self.now < *expires).count()
    }

    pub(crate) fn enter_network(&mut self, node: u32) {
        let hash = *blake3::hash(self.nodes[node as usize].id().as_bytes()).as_bytes();
        self.network.online.push(node);
        self.network.ring.insert(hash, node);
        self.dial(node);
    }

    pub(crate) fn leave_network(&mut self, node: u32) -> Result<(), Violation> {
        self.network.online.retain(|other| *other != node);
        self.network.ring.retain(|_, other| *other != node);
        self.network.severed.retain(|(a, b)| *a != node && *b != node);
        self.network.exchanges.retain(|_, exchange| exchange.from != node);
        let links: Vec<u32> = self.nodes[node as usize].links.iter().copied().collect();
        links.into_iter().try_for_each(|other| self.unlink(node, other))
    }

    /// Seeks connections until the node has as many as it wants.
    pub(crate) fn dial(&mut self, number: u32) {
        let wanted = self.scenario.degree.saturating_sub(self.nodes[number as usize].links.len());
        let mut chosen = BTreeSet::new();
        let mut last = None;
        for _ in 0..wanted * DIALS {
            if chosen.len() >= wanted || self.network.online.len() < 2 {
                break;
            }
            let at = place(&mut self.nodes[number as usize].dial, self.network.online.len());
            let other = self.network.online[at];
            if other == number || !self.is_reachable(number, other) {
                continue;
            }
            last = Some(other);
            if self.nodes[other as usize].links.len() < 3 * self.scenario.degree {
                chosen.insert(other);
            }
        }
        // Better a crowded neighbour than none.
        if chosen.is_empty() && self.nodes[number as usize].links.is_empty() {
            chosen.extend(last);
        }
        for other in chosen {
            let handshake = self.delay(number, other) * 3;
            self.queue.push(self.now.plus_ms(handshake), Event::Link(number, other));
        }
    }

    pub(crate) fn link(&mut self, a: u32, b: u32) -> Result<(), Violation> {
        if !self.is_reachable(a, b) || !self.nodes[a as usize].links.insert(b) {
            return Ok(());
        }
        self.nodes[b as usize].links.insert(a);
        let (id_a, id_b) = (self.nodes[a as usize].id().clone(), self.nodes[b as usize].id().clone());
        self.feed(a, Input::Connected(id_b))?;
        self.feed(b, Input::Connected(id_a))
    }

    fn unlink(&mut self, a: u32, b: u32) -> Result<(), Violation> {
        for (node, other) in [(a, b), (b, a)] {
            self.nodes[node as usize].links.remove(&other);
        }
        for (node, other) in [(a, b), (b, a)] {
            let id = self.nodes[other as usize].id().clone();
            self.feed(node, Input::Disconnected(id))?;
            if self.runs(node) && self.nodes[node as usize].links.len() < self.scenario.degree {
                self.queue.push(self.now.plus_ms(1000), Event::Dial(node));
            }
        }
        Ok(())
    }

    pub(crate) fn spread(&mut self, from: u32, except: Option<u32>, bytes: &Rc<[u8]>) {
        let now = self.now;
        self.nodes[from as usize].sees(now, bytes);
        let links: Vec<u32> = self.nodes[from as usize].links.iter().copied().collect();
        for to in links.into_iter().filter(|to| Some(*to) != except) {
            if !self.is_lost(from) {
                let at = now.plus_ms(self.delay(from, to));
                self.queue.push(at, Event::Gossip { to, from, bytes: bytes.clone() });
            }
        }
    }

    pub(crate) fn gossip_arrives(&mut self, to: u32, from: u32, bytes: Rc<[u8]>) -> Result<(), Violation> {
        let now = self.now;
        let sender = self.nodes[from as usize].id().clone();
        let node = &mut self.nodes[to as usize];
        if node.peer.is_none() || !node.links.contains(&from) || !node.sees(now, &bytes) {
            return Ok(());
        }
        self.network.next_gossip += 1;
        let message = GossipId(self.network.next_gossip);
        let copy = bytes.to_vec();
        node.validating = Some((message, from, bytes));
        self.feed(to, Input::Gossip { message, from: sender, bytes: copy })
    }

    pub(crate) fn send(&mut self, from: u32, request: RequestId, to: &NodeId, bytes: Vec<u8>) {
        let exchange = self.network.next_exchange;
        self.network.next_exchange += 1;
        let known = self.number(to);
        let number = known.unwrap_or(from);
        self.network.exchanges.insert(exchange, Exchange { from, to: number, request });
        let delay = self.delay(from, number);
        if known.is_none() || !self.is_reachable(from, number) {
            let failed = Event::Response { exchange, result: Err(Failure::Unreachable) };
            self.queue.push(self.now.plus_ms(2 * delay), failed);
            return;
        }
        let over = Event::Response { exchange, result: Err(Failure::Timeout) };
        self.queue.push(self.now.plus_ms(REQUEST_TIMEOUT_MS), over);
        if !self.is_lost(from) {
            // Who is not connected has to connect first.
            let handshake = if self.nodes[from as usize].links.contains(&number) { 0 } else { 3 * delay };
            self.queue.push(self.now.plus_ms(delay + handshake), Event::Request { exchange, bytes });
        }
    }

    pub(crate) fn request_arrives(&mut self, exchange: u64, bytes: Vec<u8>) -> Result<(), Violation> {
        let Some(Exchange { from, to, .. }) = self.network.exchanges.get(&exchange) else { return Ok(()) };
        let (from, to) = (*from, *to);
        if !self.is_reachable(from, to) {
            return Ok(());
        }
        let from = self.nodes[from as usize].id().clone();
        self.feed(to, Input::Request { from, channel: ChannelId(exchange), bytes })
    }

    pub(crate) fn respond(&mut self, from: u32, ChannelId(exchange): ChannelId, bytes: Vec<u8>) {
        let Some(asked) = self.network.exchanges.get(&exchange) else { return };
        let to = asked.from;
        if asked.to == from && self.is_reachable(from, to) && !self.is_lost(from) {
            let at = self.now.plus_ms(self.delay(from, to));
            self.queue.push(at, Event::Response { exchange, result: Ok(bytes) });
        }
    }

    /// The first of response and time-out counts.
    pub(crate) fn response_arrives(
        &mut self,
        exchange: u64,
        result: Result<Vec<u8>, Failure>,
    ) -> Result<(), Violation> {
        match self.network.exchanges.remove(&exchange) {
            Some(Exchange { from, request, .. }) => self.feed(from, Input::Response { request, result }),
            None => Ok(()),
        }
    }

    pub(crate) fn put_record(&mut self, from: u32, key: Vec<u8>, value: Vec<u8>) {
        let hash = *blake3::hash(&key).as_bytes();
        let ring = &self.network.ring;
        let after = ring.range(hash..).chain(ring.range(..hash)).map(|(_, node)| *node);
        let keepers: Vec<u32> = after.filter(|node| *node != from).take(RECORD_COPIES).collect();
        let (key, value): (Rc<[u8]>, Rc<[u8]>) = (key.into(), value.into());
        for to in keepers {
            if self.is_reachable(from, to) && !self.is_lost(from) {
                let at = self.now.plus_ms(2 * self.delay(from, to));
                self.queue.push(at, Event::Record { to, key: key.clone(), value: value.clone() });
            }
        }
    }

    fn runs(&self, node: u32) -> bool {
        self.nodes[node as usize].peer.is_some()
    }

    fn is_reachable(&self, a: u32, b: u32) -> bool {
        let same_side = self.nodes[a as usize].side == self.nodes[b as usize].side;
        a != b && self.runs(a) && self.runs(b) && same_side
    }

    fn is_lost(&mut self, from: u32) -> bool {
        let permille = self.scenario.loss_permille;
        permille > 0 && below(&mut self.nodes[from as usize].network, 1000) < permille
    }

    /// How long a transmission takes, in milliseconds; the sender's stream draws the jitter.
    fn delay(&mut self, from: u32, to: u32) -> u64 {
        let latency = self.scenario.latency;
        let apart = self.nodes[from as usize].region.abs_diff(self.nodes[to as usize].region);
        let jitter = below(&mut self.nodes[from as usize].network, latency.jitter_ms + 1);
        latency.near_ms + latency.far_ms * u64::from(apart) + u64::from(jitter)
    }
}
