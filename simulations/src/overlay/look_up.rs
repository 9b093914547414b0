//! One look-up: which contacts it knows, whom it asks next, when it is over. Nothing here knows of time or of messages.
//!
//! A look-up is iterative. It keeps the contacts it hears of in order of their distance from the key and asks the
//! nearest that it has not asked, up to `alpha` at once, among the `k` nearest that have not failed. It is over when all
//! of those have answered, or when there is nobody to ask. With more than one path the contacts it begins with
//! are dealt out, and each path goes on by itself; nobody is asked by two.
//!
//! [`Manner::Libp2p`] is what `ClosestPeersIter` of libp2p-kad does, whom the node has look for it; with more than one path what
//! `ClosestDisjointPeersIter` does. There every path begins with all contacts and takes turns with the others; whoever is asked counts
//! as having answered on each path that would have asked, but only the one that did hears whom the answer names.

use super::settings::{Manner, Settings};
use crate::streams::Draws;

/// How many contacts a path remembers, as a multiple of those with which it begins: room for the failed and for who replaces them.
const REMEMBERED_PER_K: usize = 4;
/// Contacts of its own with which libp2p's look-ups begin, whatever `k` is (`K_VALUE`).
const LIBP2P_FIRST: usize = 20;

/// See the module. Used again for the next look-up when it is over.
pub struct LookUp {
    /// The node that looks.
    pub from: u32,
    /// The node that is looked for.
    pub target: u32,
    /// Its identifier.
    pub key: u64,
    /// When it began.
    pub began_ms: u64,
    /// Where its random draws come from.
    pub draws: Draws,
    /// Requests sent.
    pub requests: u32,
    /// Requests without an answer in time.
    pub timeouts: u32,
    /// The row of the outcome that it fills, or none for a look-up of the overlay's own.
    pub record: Option<u32>,
    /// Events to come that name it. It is used again only when there are none.
    pub pending: u32,
    /// Whether it has ended.
    pub ended: bool,
    /// Requests under way; those of a path are in a row.
    pub slots: Vec<Slot>,
    paths: Vec<Vec<Candidate>>,
    answers: Vec<Vec<u32>>,
    k: usize,
    alpha: usize,
    manner: Manner,
    /// Contacts that a path has room for.
    remembered: usize,
    /// Requests that a path has room for.
    width: usize,
    /// Of each path, answers in a row that brought nobody among the `k` nearest.
    fruitless: Vec<usize>,
    /// The path whose turn it is.
    turn: usize,
}

/// A request that may be under way.
#[derive(Clone, Copy)]
pub struct Slot {
    /// Which request; no two of a run are called the same as long as one of them matters.
    pub serial: u32,
    /// Whom it went to.
    pub node: u32,
    /// When.
    pub sent_ms: u64,
    hops: u8,
    busy: bool,
}

#[derive(Clone, Copy)]
struct Candidate {
    distance: u64,
    node: u32,
    /// How many answers led to it, its own not counted.
    hops: u8,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Fresh,
    Asked,
    /// Another path has asked, and this one counts on its answer.
    Awaited,
    Answered,
    Failed,
}

/// What a look-up came to.
pub struct Result {
    /// Whether the target itself answered.
    pub found: bool,
    /// How many answers led to the target, or to the nearest that answered, each counting its own.
    pub hops: u8,
}

impl LookUp {
    pub fn new(settings: &Settings, draws: Draws) -> Self {
        let Settings { k, alpha, paths, manner, .. } = *settings;
        let [k, alpha, paths] = [k, alpha, paths].map(|n| n as usize);
        let remembered = REMEMBERED_PER_K * known_at_first(manner, k);
        let width = if manner == Manner::Libp2p { k.max(alpha) } else { alpha };
        let idle = Slot { serial: 0, node: 0, sent_ms: 0, hops: 0, busy: false };
        Self {
            from: 0,
            target: 0,
            key: 0,
            began_ms: 0,
            draws,
            requests: 0,
            timeouts: 0,
            record: None,
            pending: 0,
            ended: false,
            slots: vec![idle; width * paths],
            paths: vec![Vec::with_capacity(remembered + 1); paths],
            answers: vec![Vec::with_capacity(k); width * paths],
            k,
            alpha,
            manner,
            remembered,
            width,
            fruitless: vec![0; paths],
            turn: 0,
        }
    }

    /// How many of the node's own contacts it begins with.
    pub fn known_at_first(&self) -> usize {
        known_at_first(self.manner, self.k)
    }

    /// Begins with the contacts that the node has.
    pub fn begin(&mut self, contacts: &[u32], id: impl Fn(u32) -> u64) {
        self.requests = 0;
        self.timeouts = 0;
        self.ended = false;
        self.fruitless.fill(0);
        self.turn = 0;
        self.slots.iter_mut().for_each(|slot| slot.busy = false);
        self.paths.iter_mut().for_each(Vec::clear);
        let mut nearest: Vec<(u64, u32)> =
            contacts.iter().map(|node| (id(*node) ^ self.key, *node)).collect();
        nearest.sort_unstable();
        for (n, (distance, node)) in nearest.into_iter().enumerate() {
            let dealt = match self.manner {
                Manner::Kademlia => n % self.paths.len()..n % self.paths.len() + 1,
                Manner::Libp2p => 0..self.paths.len(),
            };
            for path in dealt {
                self.hear(path, distance, node, 1);
            }
        }
    }

    /// Whom to ask next, in which slot; the request is then under way.
    pub fn next(&mut self) -> Option<usize> {
        let (count, turn) = (self.paths.len(), self.turn);
        for path in (0..count).map(|n| (turn + n) % count) {
            let mut slots = path * self.width..(path + 1) * self.width;
            let Some(idle) = slots.find(|slot| !self.slots[*slot].busy) else { continue };
            while self.under_way(path) < self.allowed(path)
                && let Some(place) = self.fresh(path)
            {
                if let Some(state) = self.elsewhere(path, self.paths[path][place].distance) {
                    self.follow(path, place, state);
                    continue;
                }
                let candidate = &mut self.paths[path][place];
                candidate.state = State::Asked;
                let slot = &mut self.slots[idle];
                (slot.node, slot.hops, slot.busy) = (candidate.node, candidate.hops, true);
                self.requests += 1;
                if self.manner == Manner::Libp2p {
                    self.turn = (path + 1) % count;
                }
                return Some(idle);
            }
        }
        None
    }

    /// Whether nothing is left to wait for.
    pub fn is_over(&self) -> bool {
        (0..self.paths.len()).all(|path| self.under_way(path) == 0 || settled(&self.paths[path], self.k))
    }

    /// Whether a request is the one that a slot waits for.
    pub fn awaits(&self, slot: usize, serial: u32) -> bool {
        !self.ended && self.slots[slot].busy && self.slots[slot].serial == serial
    }

    /// Where the answer to the request of a slot is written while it travels.
    pub fn answer(&mut self, slot: usize) -> &mut Vec<u32> {
        &mut self.answers[slot]
    }

    /// The answer of a slot arrives.
    pub fn answered(&mut self, slot: usize, id: impl Fn(u32) -> u64) {
        let path = slot / self.width;
        self.slots[slot].busy = false;
        let hops = self.slots[slot].hops.saturating_add(1);
        let node = id(self.slots[slot].node);
        self.mark(slot, node, State::Answered);
        self.tell_others(path, node ^ self.key, State::Answered);
        let known = &self.paths[path];
        let furthest = known.get(self.k - 1).map(|candidate| candidate.distance);
        let mut is_fruitful = furthest.is_none();
        let answer = std::mem::take(&mut self.answers[slot]);
        for node in &answer {
            let distance = id(*node) ^ self.key;
            let is_new = self.hear(path, distance, *node, hops);
            is_fruitful |= is_new && furthest.is_some_and(|furthest| distance < furthest);
        }
        self.counts(path, is_fruitful);
        self.answers[slot] = answer;
    }

    /// The answer of a slot does not arrive in time.
    pub fn failed(&mut self, slot: usize, id: impl Fn(u32) -> u64) {
        self.slots[slot].busy = false;
        self.timeouts += 1;
        let node = id(self.slots[slot].node);
        self.mark(slot, node, State::Failed);
        self.tell_others(slot / self.width, node ^ self.key, State::Failed);
    }

    /// What it came to.
    pub fn result(&self) -> Result {
        let answered = self.paths.iter().filter_map(|path| path.iter().find(|c| c.state == State::Answered));
        let nearest = answered.min_by_key(|candidate| candidate.distance);
        Result {
            found: nearest.is_some_and(|candidate| candidate.node == self.target),
            hops: nearest.map_or(0, |candidate| candidate.hops),
        }
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.slots.capacity() * size_of::<Slot>()
            + self.fruitless.capacity() * size_of::<usize>()
            + self.paths.iter().map(|p| 24 + p.capacity() * size_of::<Candidate>()).sum::<usize>()
            + self.answers.iter().map(|a| 24 + a.capacity() * 4).sum::<usize>()
    }

    /// Takes a contact in; whether it was not known.
    fn hear(&mut self, path: usize, distance: u64, node: u32, hops: u8) -> bool {
        let path = &mut self.paths[path];
        let room = path.len() < self.remembered;
        if !room && path.last().is_some_and(|last| last.distance <= distance) || node == self.from {
            return false;
        }
        let place = path.partition_point(|candidate| candidate.distance < distance);
        let is_new = path.get(place).is_none_or(|candidate| candidate.distance != distance);
        if is_new {
            if !room {
                path.pop();
            }
            path.insert(place, Candidate { distance, node, hops, state: State::Fresh });
        }
        is_new
    }

    /// Requests that a path may have under way now.
    fn allowed(&self, path: usize) -> usize {
        let stalls = self.manner == Manner::Libp2p && self.fruitless[path] >= self.alpha;
        if stalls { self.width } else { self.alpha }
    }

    /// Whom a path would ask next.
    fn fresh(&self, path: usize) -> Option<usize> {
        let path = &self.paths[path];
        match self.manner {
            Manner::Kademlia => fresh(path, self.k),
            Manner::Libp2p if settled(path, self.k) => None,
            Manner::Libp2p => path.iter().position(|candidate| candidate.state == State::Fresh),
        }
    }

    /// Notes what became of the request of a slot.
    fn mark(&mut self, slot: usize, id: u64, state: State) {
        let distance = id ^ self.key;
        let path = &mut self.paths[slot / self.width];
        if let Some(place) = known(path, distance) {
            path[place].state = state;
        }
    }

    /// Requests whose answers a path waits for, those of others that it counts on included.
    fn under_way(&self, path: usize) -> usize {
        let own = self.slots[path * self.width..(path + 1) * self.width].iter().filter(|slot| slot.busy);
        own.count() + self.paths[path].iter().filter(|c| c.state == State::Awaited).count()
    }

    /// What became of a node on the path that asked it.
    fn elsewhere(&self, path: usize, distance: u64) -> Option<State> {
        let others = self.paths.iter().enumerate().filter(|(other, _)| *other != path);
        let states = |(_, other): (usize, &Vec<Candidate>)| Some(other[known(other, distance)?].state);
        others.filter_map(states).find(|state| !matches!(state, State::Fresh | State::Awaited))
    }

    /// A path would have asked whom another did.
    fn follow(&mut self, path: usize, place: usize, state: State) {
        let state = match (self.manner, state) {
            (Manner::Kademlia, _) => State::Failed,
            (Manner::Libp2p, State::Asked) => State::Awaited,
            (Manner::Libp2p, state) => state,
        };
        self.paths[path][place].state = state;
        if state == State::Answered {
            self.counts(path, self.paths[path].len() < self.k);
        }
    }

    /// Those paths that count on the answer of one hear what became of it.
    fn tell_others(&mut self, path: usize, distance: u64, state: State) {
        for other in (0..self.paths.len()).filter(|other| *other != path) {
            let path = &mut self.paths[other];
            let Some(place) = known(path, distance).filter(|place| path[*place].state == State::Awaited)
            else {
                continue;
            };
            path[place].state = state;
            if state == State::Answered {
                self.counts(other, self.paths[other].len() < self.k);
            }
        }
    }

    /// An answer counts on a path.
    fn counts(&mut self, path: usize, is_fruitful: bool) {
        self.fruitless[path] = if is_fruitful { 0 } else { self.fruitless[path] + 1 };
    }
}

fn known_at_first(manner: Manner, k: usize) -> usize {
    match manner {
        Manner::Kademlia => k,
        Manner::Libp2p => k.max(LIBP2P_FIRST),
    }
}

/// Where a path has a contact at this distance.
fn known(path: &[Candidate], distance: u64) -> Option<usize> {
    let place = path.partition_point(|candidate| candidate.distance < distance);
    path.get(place).filter(|candidate| candidate.distance == distance).map(|_| place)
}

/// The nearest that has not been asked among the `k` nearest that have not failed.
fn fresh(path: &[Candidate], k: usize) -> Option<usize> {
    let hopeful = path.iter().enumerate().filter(|(_, c)| c.state != State::Failed).take(k);
    hopeful.filter(|(_, c)| c.state == State::Fresh).map(|(place, _)| place).next()
}

/// Whether the `k` nearest that have not failed have all answered.
fn settled(path: &[Candidate], k: usize) -> bool {
    path.iter().filter(|c| c.state != State::Failed).take(k).all(|c| c.state == State::Answered)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeMap;

    use super::*;
    use crate::streams::Purpose;

    /// A look-up for the key 0, where a node's number is its identifier and so its distance.
    fn look_up(k: usize, alpha: usize, paths: usize, contacts: &[u32]) -> LookUp {
        let [k, alpha, paths] = [k, alpha, paths].map(|n| u32::try_from(n).unwrap());
        let settings = Settings { k, alpha, paths, ..Settings::default() };
        let mut look_up = LookUp::new(&settings, Purpose::new(1, "test").of(0));
        look_up.from = 1_000_000;
        look_up.begin(contacts, u64::from);
        look_up
    }

    fn answer(look_up: &mut LookUp, slot: usize, nodes: &[u32]) {
        look_up.answer(slot).clear();
        look_up.answer(slot).extend(nodes);
        look_up.answered(slot, u64::from);
    }

    #[test]
    fn the_nearest_are_asked_first_and_alpha_at_once() {
        let mut look_up = look_up(3, 2, 1, &[50, 70, 60]);
        let first = look_up.next().unwrap();
        let second = look_up.next().unwrap();
        assert_eq!((look_up.slots[first].node, look_up.slots[second].node), (50, 60));
        assert_eq!(look_up.next(), None);
        answer(&mut look_up, first, &[10, 20, 50]);
        let third = look_up.next().unwrap();
        assert_eq!(look_up.slots[third].node, 10);
        answer(&mut look_up, third, &[]);
        let fourth = look_up.next().unwrap();
        assert_eq!(look_up.slots[fourth].node, 20);
        assert!(!look_up.is_over());
        // The three nearest have answered; 60 no longer matters and 70 is never asked.
        answer(&mut look_up, fourth, &[]);
        assert_eq!(look_up.next(), None);
        assert!(look_up.is_over());
        assert_eq!(look_up.requests, 4);
        assert_eq!(look_up.result().hops, 2);
        assert!(!look_up.result().found);
    }

    #[test]
    fn who_fails_is_replaced_and_not_asked_again() {
        let mut look_up = look_up(2, 1, 1, &[10, 20, 30]);
        for node in [10, 20] {
            let slot = look_up.next().unwrap();
            assert_eq!(look_up.slots[slot].node, node);
            look_up.failed(slot, u64::from);
        }
        let slot = look_up.next().unwrap();
        assert_eq!(look_up.slots[slot].node, 30);
        answer(&mut look_up, slot, &[10, 20]);
        assert_eq!(look_up.next(), None);
        assert!(look_up.is_over());
        assert_eq!((look_up.requests, look_up.timeouts), (3, 2));
    }

    #[test]
    fn the_target_is_found_when_it_answers() {
        let mut look_up = look_up(2, 1, 1, &[10]);
        let slot = look_up.next().unwrap();
        answer(&mut look_up, slot, &[0]);
        assert!(!look_up.result().found, "heard of is not found");
        let slot = look_up.next().unwrap();
        answer(&mut look_up, slot, &[]);
        assert!(look_up.result().found && look_up.result().hops == 2);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut look_up = look_up(2, 1, 1, &[1000]);
        for n in 0..100 {
            let Some(slot) = look_up.next() else { break };
            answer(&mut look_up, slot, &[500 - n, 600 - n, 700 - n, 800 - n]);
            assert!(look_up.paths[0].len() <= REMEMBERED_PER_K * 2);
        }
    }

    #[test]
    fn in_the_manner_of_libp2p_a_look_up_that_gets_no_nearer_asks_k_at_once() {
        let contacts: Vec<u32> = (10..40).collect();
        let (k, alpha, manner) = (8, 2, Manner::Libp2p);
        let mut look_up =
            LookUp::new(&Settings { k, alpha, manner, ..Settings::default() }, Purpose::new(1, "test").of(0));
        look_up.from = 1_000_000;
        look_up.begin(&contacts, u64::from);
        let ask = |look_up: &mut LookUp| {
            let slots: Vec<usize> = std::iter::from_fn(|| look_up.next()).collect();
            slots.into_iter().map(|slot| look_up.slots[slot].node).collect::<Vec<_>>()
        };
        assert_eq!(ask(&mut look_up), [10, 11]);
        let slot_of =
            |look_up: &LookUp, node| look_up.slots.iter().position(|s| s.busy && s.node == node).unwrap();
        for (node, next) in [(10, vec![12]), (11, vec![13, 14, 15, 16, 17, 18, 19])] {
            let slot = slot_of(&look_up, node);
            answer(&mut look_up, slot, &[12, 13, 39]);
            assert_eq!(ask(&mut look_up), next, "eight at once after two that brought nobody nearer");
        }
        let slot = slot_of(&look_up, 12);
        answer(&mut look_up, slot, &[5]);
        assert!(ask(&mut look_up).is_empty(), "progress: two at once, and seven are asked");
        for node in 13..=18 {
            let slot = slot_of(&look_up, node);
            answer(&mut look_up, slot, &[]);
        }
        assert!(!look_up.is_over());
    }

    #[test]
    fn no_node_is_asked_by_two_paths() {
        let contacts: Vec<u32> = (100..120).collect();
        for (manner, alpha) in [(Manner::Kademlia, 3), (Manner::Libp2p, 4)] {
            let settings = Settings { k: 20, alpha, paths: 4, manner, ..Settings::default() };
            let mut look_up = LookUp::new(&settings, Purpose::new(1, "test").of(0));
            look_up.from = 1_000_000;
            look_up.begin(&contacts, u64::from);
            let mut asked = BTreeMap::new();
            let mut under_way = Vec::new();
            loop {
                while let Some(slot) = look_up.next() {
                    assert_eq!(asked.insert(look_up.slots[slot].node, slot / look_up.width), None);
                    under_way.push(slot);
                }
                let Some(slot) = under_way.pop() else { break };
                let node = look_up.slots[slot].node;
                answer(&mut look_up, slot, &[node / 2, node / 3, node - node / 4]);
            }
            assert!(look_up.is_over(), "{manner:?}");
            assert!((0..4).all(|path| asked.values().any(|asked| *asked == path)), "{manner:?}: {asked:?}");
        }
    }

    /// As in `ClosestDisjointPeersIter`, by turns: whoever is asked takes a place on each path that would have asked.
    #[test]
    fn in_the_manner_of_libp2p_paths_count_on_answers_and_hear_only_their_own() {
        let (k, alpha, paths, manner) = (3, 2, 2, Manner::Libp2p);
        let settings = Settings { k, alpha, paths, manner, ..Settings::default() };
        let mut look_up = LookUp::new(&settings, Purpose::new(1, "test").of(0));
        look_up.from = 1_000_000;
        look_up.begin(&[10, 20, 30, 40], u64::from);
        let ask = |look_up: &mut LookUp| {
            let slots: Vec<usize> = std::iter::from_fn(|| look_up.next()).collect();
            slots
                .into_iter()
                .map(|slot| (slot / look_up.width, look_up.slots[slot].node, slot))
                .collect::<Vec<_>>()
        };
        let first = ask(&mut look_up);
        let whom = |asked: &[(usize, u32, usize)]| asked.iter().map(|a| (a.0, a.1)).collect::<Vec<_>>();
        assert_eq!(whom(&first), [(0, 10), (1, 20)], "the second waits for 10, too, and the first for 20");
        // Only the first path hears of 5, and asks; the second goes on to 30.
        answer(&mut look_up, first[0].2, &[5]);
        let second = ask(&mut look_up);
        assert_eq!(whom(&second), [(0, 5), (1, 30)]);
        answer(&mut look_up, first[1].2, &[]);
        answer(&mut look_up, second[0].2, &[]);
        assert!(!look_up.is_over(), "the second path's third is under way");
        answer(&mut look_up, second[1].2, &[]);
        assert!(ask(&mut look_up).is_empty() && look_up.is_over());
        assert_eq!(look_up.requests, 4);
    }
}
