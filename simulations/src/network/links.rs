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
/// For so many connections at least, since few may be left that are no neighbours.
const TRIED_FOR: usize = 16;
/// How long a neighbour that says nothing is taken to be there, in milliseconds: QUIC's idle time-out in libp2p.
const SILENCE_MS: u64 = 10_000;
/// Nodes that a node dials at once. It joins by look-ups of libp2p, which ask three at a time, and some three of them run side by
/// side; real nodes were seen to begin with seven to nine dials.
const AT_ONCE: usize = 9;
/// How long a newcomer waits with its first look-up, in milliseconds: libp2p's throttle, so that others may be heard of.
const THROTTLE_MS: u64 = 500;
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
        self.nodes[node as usize].seeks = self.wanted(node);
        self.dial(node);
    }

    pub(crate) fn leave_network(&mut self, node: u32, seen: Seen) -> Result<(), Violation> {
        // Their order is that in which they came, from which others draw.
        if let Some(at) = self.network.online.iter().position(|other| *other == node) {
            self.network.online.remove(at);
        }
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

    /// Seeks connections until the node has made as many as it wants: one, and when that stands some at a time, while others dial it
    /// in turn.
    pub(crate) fn dial(&mut self, number: u32) {
        if !self.runs(number) {
            return;
        }
        let node = &self.nodes[number as usize];
        let lacking = self.wanted(number).saturating_sub(node.links.len() + node.dialling.len());
        let at_once = match node.introduced {
            _ if self.is_in_a_hurry(number) => usize::MAX,
            true => AT_ONCE,
            false => 1,
        };
        let wanted = node.seeks.max(lacking).min(at_once.saturating_sub(node.dialling.len()));
        if wanted == 0 {
            return;
        }
        let mut chosen = BTreeSet::new();
        let mut last = None;
        let candidates = self.candidates(number);
        if !self.nodes[number as usize].introduced
            && candidates.is_none()
            && let Some(entrance) = self.entrance(number)
        {
            self.nodes[entrance as usize].introduces += 1;
            chosen.insert(entrance);
        }
        let len = candidates.as_ref().map_or(self.network.online.len(), Vec::len);
        for _ in 0..DIALS * wanted.max(TRIED_FOR) {
            if chosen.len() >= wanted || len == 0 {
                break;
            }
            let at = place(&mut self.nodes[number as usize].dial, len);
            let other = candidates.as_ref().map_or_else(|| self.network.online[at], |some| some[at]);
            let node = &self.nodes[number as usize];
            let known = node.links.contains(&other) || node.dialling.contains(&other);
            if known || !self.is_reachable(number, other) {
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
        let node = &mut self.nodes[number as usize];
        if chosen.is_empty() && !node.links.is_empty() {
            // Whoever can be dialled is a neighbour.
            node.seeks = 0;
        }
        for other in chosen {
            self.network.dials += 1;
            let node = &mut self.nodes[number as usize];
            node.dialling.insert(other);
            node.seeks = node.seeks.saturating_sub(1);
            let failing = self.scenario.dial_failing_permille;
            let fails = failing > 0 && below(&mut self.nodes[number as usize].dial, 1000) < failing;
            let at = if fails { None } else { self.connected_at(number, other) };
            match at {
                Some(at) => self.queue.push(at, Event::Link(number, other)),
                None => {
                    let at = self.now.plus_ms(self.scenario.dial_timeout_ms.max(REDIAL_MS));
                    self.queue.push(at, Event::DialFailed(number, other));
                }
            }
        }
    }

    pub(crate) fn dial_failed(&mut self, number: u32, other: u32) {
        self.network.dials_failed += 1;
        self.answered(number, other);
    }

    /// When a connection stands for who dials: after a round trip, as QUIC needs, and TCP with noise beside its own. Behind a NAT a
    /// node is reached through a relay first, which tells it whom to call.
    pub(super) fn connected_at(&mut self, from: u32, to: u32) -> Option<Timestamp> {
        let ways = if self.nodes[to as usize].site.behind_nat { 6 } else { 2 };
        self.delay(from, to).map(|delay| self.now.plus_ms(ways * delay))
    }

    pub(crate) fn link(&mut self, a: u32, b: u32) -> Result<(), Violation> {
        if !self.is_reachable(a, b) {
            self.nodes[a as usize].dialling.remove(&b);
            if self.runs(a) {
                self.network.dials_failed += 1;
                self.queue
                    .push(self.now.plus_ms(self.scenario.dial_timeout_ms.max(REDIAL_MS)), Event::Dial(a));
            }
            return Ok(());
        }
        self.ask_for_others(a, b);
        if self.nodes[a as usize].links.contains(&b) && self.nodes[b as usize].links.contains(&a) {
            return Ok(());
        }
        // Whoever still believes in an earlier connection sees it end first.
        self.lose(a, b)?;
        self.lose(b, a)?;
        self.nodes[a as usize].links.insert(b);
        self.nodes[a as usize].outbound.insert(b);
        self.nodes[b as usize].links.insert(a);
        self.subscribe(a, b);
        let (id_a, id_b) = (self.nodes[a as usize].id().clone(), self.nodes[b as usize].id().clone());
        self.feed(a, Input::Connected(id_b))?;
        self.feed(b, Input::Connected(id_a))
    }

    /// A connection stands: who dialled asks the other for more nodes, as a look-up does, before it dials the next. A newcomer
    /// waits with that, and so does who was there before all others.
    fn ask_for_others(&mut self, dialler: u32, dialled: u32) {
        let Some(delay) = self.delay(dialler, dialled) else { return };
        for (number, other) in [(dialler, dialled), (dialled, dialler)] {
            let hurries = self.is_in_a_hurry(number);
            let node = &mut self.nodes[number as usize];
            let first = !std::mem::replace(&mut node.introduced, true);
            if number == dialled {
                if !first {
                    continue;
                }
                node.dialling.insert(other);
            }
            let after_ms = match first {
                _ if hurries => 0,
                true => THROTTLE_MS + 4 * delay,
                false => 2 * delay,
            };
            self.queue.push(self.now.plus_ms(after_ms), Event::Answered(number, other));
        }
    }

    /// Who was asked for more nodes has answered.
    pub(crate) fn answered(&mut self, number: u32, other: u32) {
        self.nodes[number as usize].dialling.remove(&other);
        self.dial(number);
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

    /// By whom a newcomer joins: the node that has been there for the longest, which introduces as many as it would take connections.
    /// Not one that attacks are aimed at.
    fn entrance(&self, number: u32) -> Option<u32> {
        let attacked = !self.scenario.attacks.is_empty() || !self.scenario.crowds.is_empty();
        let fits = |other: &u32| {
            self.nodes[*other as usize].is_honest() && !(attacked && *other == self.scenario.victim)
        };
        let first = self.network.online.iter().copied().find(fits)?;
        let has_room = self.nodes[first as usize].introduces < 3 * self.scenario.degree;
        (has_room && self.is_reachable(number, first)).then_some(first)
    }

    /// Whether it dials all whom it wants in one go: who attacks, and who knows nobody else.
    fn is_in_a_hurry(&self, number: u32) -> bool {
        !self.nodes[number as usize].is_honest() || self.candidates(number).is_some()
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
