//! Connections: who dials whom, what of it fails, how others notice that a node has gone, and partitions.

use std::collections::BTreeSet;

use knackmesh_protocol::{peer::Input, time::Timestamp};

use crate::{
    attacks::Reach,
    checks::Violation,
    queue::Event,
    streams::{below, place},
    world::World,
};

/// Nodes that a dialling node tries for each connection that it seeks.
const DIALS: usize = 8;
/// How long a neighbour that says nothing is taken to be there, in milliseconds: QUIC's idle time-out in libp2p.
const SILENCE_MS: u64 = 10_000;
/// How long a node waits before it looks for another neighbour, in milliseconds.
const REDIAL_MS: u64 = 1000;

/// How the others see that a node has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// In the same instant.
    AtOnce,
    /// As soon as its goodbye arrives.
    Goodbye,
    /// When it has been silent for too long.
    Silence,
}

impl World {
    /// Cuts every connection between nodes for which `side` differs, and keeps new ones from forming.
    ///
    /// # Errors
    /// The first promise that is broken by those who see others go.
    pub fn partition(&mut self, side: impl Fn(u32) -> u8) -> Result<(), Violation> {
        for node in &mut self.nodes {
            node.site.side = side(node.number);
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
        self.nodes.iter_mut().for_each(|node| node.site.side = 0);
        for (a, b) in std::mem::take(&mut self.network.severed) {
            if let Some(delay) = self.delay(a, b) {
                self.queue.push(self.now.plus_ms(delay), Event::Link(a, b));
            }
        }
    }

    pub(crate) fn enter_network(&mut self, node: u32) {
        self.network.online.push(node);
        if !self.nodes[node as usize].site.behind_nat {
            let hash = self.nodes[node as usize].place_on_ring;
            self.network.ring.insert(hash, node);
        }
        self.dial(node);
    }

    pub(crate) fn leave_network(&mut self, node: u32, seen: Seen) -> Result<(), Violation> {
        self.network.online.retain(|other| *other != node);
        self.network.ring.remove(&self.nodes[node as usize].place_on_ring);
        self.network.severed.retain(|(a, b)| *a != node && *b != node);
        self.network.exchanges.retain(|_, exchange| exchange.from != node);
        let links = std::mem::take(&mut self.nodes[node as usize].links);
        self.nodes[node as usize].outbound.clear();
        for other in links {
            let at = match seen {
                Seen::AtOnce => {
                    self.gone(other, node)?;
                    continue;
                }
                Seen::Goodbye => self.delay(node, other).map(|delay| self.now.plus_ms(delay)),
                Seen::Silence => None,
            };
            let at = at.unwrap_or(self.now.plus_ms(SILENCE_MS));
            self.queue.push(at, Event::Gone { at: other, node });
        }
        Ok(())
    }

    /// A node notices that a neighbour has gone, unless the two are connected anew.
    pub(crate) fn gone(&mut self, at: u32, node: u32) -> Result<(), Violation> {
        if self.nodes[node as usize].links.contains(&at) {
            return Ok(());
        }
        self.lose(at, node)
    }

    /// Seeks connections until the node has as many as it wants.
    pub(crate) fn dial(&mut self, number: u32) {
        if !self.runs(number) {
            return;
        }
        let node = &self.nodes[number as usize];
        let wanted = self.wanted(number).saturating_sub(node.links.len() + node.dialling);
        let mut chosen = BTreeSet::new();
        let mut last = None;
        let candidates = self.candidates(number);
        let len = candidates.as_ref().map_or(self.network.online.len(), Vec::len);
        for _ in 0..wanted * DIALS {
            if chosen.len() >= wanted || len == 0 {
                break;
            }
            let at = place(&mut self.nodes[number as usize].dial, len);
            let other = candidates.as_ref().map_or_else(|| self.network.online[at], |some| some[at]);
            if !self.is_reachable(number, other) || self.nodes[number as usize].links.contains(&other) {
                continue;
            }
            last = Some(other);
            if self.has_room(other) {
                chosen.insert(other);
            }
        }
        // Better a crowded neighbour than none.
        if chosen.is_empty() && self.nodes[number as usize].links.is_empty() {
            chosen.extend(last);
        }
        for other in chosen {
            self.network.dials += 1;
            self.nodes[number as usize].dialling += 1;
            let failing = self.scenario.dial_failing_permille;
            let fails = failing > 0 && below(&mut self.nodes[number as usize].dial, 1000) < failing;
            let at = if fails { None } else { self.connected_at(number, other) };
            match at {
                Some(at) => self.queue.push(at, Event::Link(number, other)),
                None => {
                    let at = self.now.plus_ms(self.scenario.dial_timeout_ms.max(REDIAL_MS));
                    self.queue.push(at, Event::DialFailed(number));
                }
            }
        }
    }

    pub(crate) fn dial_failed(&mut self, number: u32) {
        self.network.dials_failed += 1;
        let node = &mut self.nodes[number as usize];
        node.dialling = node.dialling.saturating_sub(1);
        self.dial(number);
    }

    /// When a connection stands for who dials: after a round trip, as QUIC needs, and TCP with noise beside its own. Behind a NAT a
    /// node is reached through a relay first, which tells it whom to call.
    pub(super) fn connected_at(&mut self, from: u32, to: u32) -> Option<Timestamp> {
        let ways = if self.nodes[to as usize].site.behind_nat { 6 } else { 2 };
        self.delay(from, to).map(|delay| self.now.plus_ms(ways * delay))
    }

    pub(crate) fn link(&mut self, a: u32, b: u32) -> Result<(), Violation> {
        let dialler = &mut self.nodes[a as usize];
        dialler.dialling = dialler.dialling.saturating_sub(1);
        if !self.is_reachable(a, b) {
            if self.runs(a) {
                self.network.dials_failed += 1;
                self.queue
                    .push(self.now.plus_ms(self.scenario.dial_timeout_ms.max(REDIAL_MS)), Event::Dial(a));
            }
            return Ok(());
        }
        if self.nodes[a as usize].links.contains(&b) && self.nodes[b as usize].links.contains(&a) {
            return Ok(());
        }
        // Whoever still believes in an earlier connection sees it end first.
        self.lose(a, b)?;
        self.lose(b, a)?;
        self.nodes[a as usize].links.insert(b);
        self.nodes[a as usize].outbound.insert(b);
        self.nodes[b as usize].links.insert(a);
        for (node, other) in [(a, b), (b, a)] {
            self.join_mesh(node, other);
        }
        let (id_a, id_b) = (self.nodes[a as usize].id().clone(), self.nodes[b as usize].id().clone());
        self.feed(a, Input::Connected(id_b))?;
        self.feed(b, Input::Connected(id_a))
    }

    pub(super) fn unlink(&mut self, a: u32, b: u32) -> Result<(), Violation> {
        self.lose(a, b)?;
        self.lose(b, a)
    }

    /// One side of a connection ends.
    fn lose(&mut self, node: u32, other: u32) -> Result<(), Violation> {
        let this = &mut self.nodes[node as usize];
        if !this.links.remove(&other) {
            return Ok(());
        }
        this.outbound.remove(&other);
        this.router.disconnected(other);
        let id = self.nodes[other as usize].id().clone();
        self.feed(node, Input::Disconnected(id))?;
        if self.runs(node) {
            self.tend_mesh(node);
            if self.nodes[node as usize].links.len() < self.wanted(node) {
                self.queue.push(self.now.plus_ms(REDIAL_MS), Event::Dial(node));
            }
        }
        Ok(())
    }

    /// Connections that a node seeks.
    fn wanted(&self, number: u32) -> usize {
        match self.nodes[number as usize].reach() {
            Reach::Anybody => self.scenario.degree,
            Reach::Victim => 1,
            Reach::Neighbourhood => 1 + 3 * self.scenario.degree,
        }
    }

    /// Whom a node would dial, when that is not everybody.
    fn candidates(&self, number: u32) -> Option<Vec<u32>> {
        let victim = self.scenario.victim;
        if number == victim {
            let captors = || self.nodes.iter().filter(|node| node.captivates() && node.peer.is_some());
            let captors: Vec<u32> = captors().map(|node| node.number).collect();
            return (!captors.is_empty()).then_some(captors);
        }
        match self.nodes[number as usize].reach() {
            Reach::Anybody => None,
            Reach::Victim => Some(vec![victim]),
            Reach::Neighbourhood => {
                Some(self.nodes[victim as usize].links.iter().copied().chain([victim]).collect())
            }
        }
    }

    /// Whether a node takes another connection.
    fn has_room(&self, node: u32) -> bool {
        self.nodes[node as usize].links.len() < 3 * self.scenario.degree
    }
}
