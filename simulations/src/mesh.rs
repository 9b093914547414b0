//! The gossip router of one node: whom it forwards to, what it tells others that it has.
//!
//! After gossipsub (libp2p pubsub specification, v1.1): a mesh of some neighbours that get every message at once, the ids of
//! recent messages for some of the others each heartbeat, who fetch what they lack. Decides only: what is to be sent is
//! returned. Scores, peer exchange and opportunistic grafting are not modelled.
//!
//! One mesh stands for those of all topics, as every node subscribes to all of them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use knackmesh_protocol::time::Timestamp;
use rand_chacha::ChaCha20Rng;

use crate::streams::place;

/// How long a message that was asked for is not asked for again, in milliseconds.
const WANTED_MS: u64 = 3000;

/// How gossip spreads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Gossip {
    /// Everything to every neighbour.
    #[default]
    Flood,
    /// As gossipsub does.
    Mesh(Mesh),
}

/// Parameters of gossipsub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mesh {
    /// Neighbours in the mesh that a heartbeat aims at (`D`).
    pub degree: usize,
    /// With fewer it adds some (`D_low`).
    pub low: usize,
    /// With so many it drops some (`D_high`).
    pub high: usize,
    /// So many of them are to be neighbours that this node dialled (`D_out`).
    pub outbound: usize,
    /// At least so many others are told what there is (`D_lazy`),
    pub lazy: usize,
    /// and at least so many of a thousand.
    pub lazy_permille: usize,
    /// Time between two heartbeats, in milliseconds.
    pub heartbeat_ms: u64,
    /// For so many heartbeats others are told of a message.
    pub told: u64,
    /// For so many heartbeats it can be fetched.
    pub kept: u64,
    /// Who was dropped is not added again for so long, in milliseconds.
    pub backoff_ms: u64,
    /// Whether own messages go to every neighbour.
    pub flood_publish: bool,
    /// Whoever receives a longer message tells its mesh at once not to send it (`IDONTWANT`); in bytes.
    pub unwanted_above: usize,
}

impl Mesh {
    /// What the node configures, and libp2p's defaults.
    pub const LIBP2P: Mesh = Mesh {
        degree: 6,
        low: 4,
        high: 12,
        outbound: 2,
        lazy: 6,
        lazy_permille: 250,
        heartbeat_ms: 1000,
        told: 3,
        kept: 10,
        backoff_ms: 60_000,
        flood_publish: true,
        unwanted_above: 1000,
    };
}

impl Default for Mesh {
    fn default() -> Self {
        Mesh::LIBP2P
    }
}

/// What routers tell each other. Messages are named by their number in this world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Control {
    /// I subscribe: first of all, on a new connection.
    Subscribe,
    /// You are in my mesh.
    Graft,
    /// You are not.
    Prune,
    /// I have these.
    Have(Vec<u32>),
    /// Send me these.
    Want(Vec<u32>),
}

/// Neighbours of a node, and those of them that it dialled.
#[derive(Clone, Copy)]
pub struct Neighbours<'a> {
    /// All.
    pub all: &'a BTreeSet<u32>,
    /// Dialled by this node.
    pub outbound: &'a BTreeSet<u32>,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Router {
    /// Neighbours that get every message.
    pub mesh: BTreeSet<u32>,
    /// When the next heartbeat is due, if it has anything to do.
    pub beat: Option<Timestamp>,
    /// Neighbours that have said that they subscribe.
    subscribers: BTreeSet<u32>,
    backoff: BTreeMap<u32, Timestamp>,
    /// Forwarded messages, oldest first.
    cache: VecDeque<(Timestamp, u32)>,
    wanted: BTreeMap<u32, Timestamp>,
}

impl Router {
    /// A message was accepted and is forwarded: others can be told of it.
    pub fn keep(&mut self, now: Timestamp, message: u32, mesh: &Mesh) {
        while self.cache.front().is_some_and(|(at, _)| now.since_ms(*at) >= mesh.kept * mesh.heartbeat_ms) {
            self.cache.pop_front();
        }
        self.cache.push_back((now, message));
    }

    /// A neighbour subscribes; it is added to the mesh at once if that lacks some.
    fn subscribes(&mut self, now: Timestamp, other: u32, mesh: &Mesh) -> Option<Control> {
        self.subscribers.insert(other);
        let lacks = self.mesh.len() < mesh.low && !self.backs_off(now, other);
        (lacks && self.mesh.insert(other)).then_some(Control::Graft)
    }

    /// A neighbour has gone.
    pub fn disconnected(&mut self, other: u32) {
        self.mesh.remove(&other);
        self.subscribers.remove(&other);
    }

    /// Takes what a neighbour says, and answers. Of messages it asks for those that are not `seen`.
    pub fn hears(
        &mut self,
        now: Timestamp,
        from: u32,
        control: Control,
        dialled: bool,
        mesh: &Mesh,
        seen: impl Fn(u32) -> bool,
    ) -> Option<Control> {
        match control {
            Control::Subscribe => self.subscribes(now, from, mesh),
            Control::Graft if self.mesh.contains(&from) => None,
            Control::Graft => {
                let full = self.mesh.len() >= mesh.high && !dialled;
                if full || self.backs_off(now, from) {
                    self.backoff.insert(from, now.plus_ms(mesh.backoff_ms));
                    return Some(Control::Prune);
                }
                self.mesh.insert(from);
                None
            }
            Control::Prune => {
                self.mesh.remove(&from);
                self.backoff.insert(from, now.plus_ms(mesh.backoff_ms));
                None
            }
            Control::Have(messages) => {
                self.wanted.retain(|_, at| now.since_ms(*at) < WANTED_MS);
                let lacking = |message: &u32| !seen(*message) && !self.wanted.contains_key(message);
                let lacking: Vec<u32> = messages.into_iter().filter(lacking).collect();
                self.wanted.extend(lacking.iter().map(|message| (*message, now)));
                (!lacking.is_empty()).then_some(Control::Want(lacking))
            }
            // The messages themselves are what is answered with.
            Control::Want(_) => None,
        }
    }

    /// Of the messages that a neighbour wants, those that can still be had.
    pub fn kept(&self, now: Timestamp, wanted: &[u32], mesh: &Mesh) -> Vec<u32> {
        let kept = self.cache.iter().filter(|(at, _)| now.since_ms(*at) < mesh.kept * mesh.heartbeat_ms);
        kept.map(|(_, message)| *message).filter(|message| wanted.contains(message)).collect()
    }

    /// Mends the mesh and tells others what there is.
    pub fn heartbeat(
        &mut self,
        now: Timestamp,
        neighbours: Neighbours<'_>,
        mesh: &Mesh,
        rng: &mut ChaCha20Rng,
    ) -> Vec<(u32, Control)> {
        self.backoff.retain(|_, until| *until > now);
        let mut said = Vec::new();
        if self.mesh.len() < mesh.low {
            let lacking = mesh.degree - self.mesh.len();
            self.graft(self.candidates(now, neighbours.all), lacking, rng, &mut said);
        }
        if self.mesh.len() >= mesh.high {
            self.prune(now, neighbours, mesh, rng, &mut said);
        }
        let lacking = self.lacks_outbound(neighbours, mesh);
        if lacking > 0 {
            self.graft(self.candidates(now, neighbours.outbound), lacking, rng, &mut said);
        }
        let told = |at: Timestamp| now.since_ms(at) <= mesh.told * mesh.heartbeat_ms;
        let recent: Vec<u32> =
            self.cache.iter().filter(|(at, _)| told(*at)).map(|(_, message)| *message).collect();
        if !recent.is_empty() {
            let others: Vec<u32> = self.others(neighbours.all).collect();
            let least = others.len() * mesh.lazy_permille / 1000;
            for other in chosen(others, mesh.lazy.max(least), rng) {
                said.push((other, Control::Have(recent.clone())));
            }
        }
        said
    }

    /// When the next heartbeat has something to do; heartbeats stand `phase_ms` after the full interval. Most never do: a
    /// node whose mesh is whole and which has told everybody what it has is idle.
    pub fn next_beat(
        &self,
        now: Timestamp,
        neighbours: Neighbours<'_>,
        mesh: &Mesh,
        phase_ms: u64,
    ) -> Option<Timestamp> {
        let others = neighbours.all.len() > self.mesh.len();
        let tells = others
            && self.cache.back().is_some_and(|(at, _)| now.since_ms(*at) < mesh.told * mesh.heartbeat_ms);
        let mut lacks = None;
        if self.mesh.len() < mesh.low && others {
            lacks = self.graftable(neighbours.all);
        }
        if self.mesh.len() >= mesh.low && self.lacks_outbound(neighbours, mesh) > 0 {
            lacks = self.graftable(neighbours.outbound);
        }
        let at = if tells || self.mesh.len() >= mesh.high { now } else { lacks?.max(now) };
        let interval = mesh.heartbeat_ms.max(1);
        let since = at.unix_ms().saturating_sub(phase_ms);
        Some(Timestamp::from_unix_ms((since / interval + 1) * interval + phase_ms))
    }

    fn backs_off(&self, now: Timestamp, other: u32) -> bool {
        self.backoff.get(&other).is_some_and(|until| *until > now)
    }

    fn candidates(&self, now: Timestamp, among: &BTreeSet<u32>) -> Vec<u32> {
        self.others(among).filter(|other| !self.backs_off(now, *other)).collect()
    }

    /// Subscribers outside the mesh.
    fn others<'a>(&'a self, among: &'a BTreeSet<u32>) -> impl Iterator<Item = u32> + 'a {
        among.difference(&self.mesh).copied().filter(|other| self.subscribers.contains(other))
    }

    /// When the first neighbour that is not in the mesh may be added.
    fn graftable(&self, among: &BTreeSet<u32>) -> Option<Timestamp> {
        let until = |other: u32| self.backoff.get(&other).copied().unwrap_or(Timestamp::EPOCH);
        self.others(among).map(until).min()
    }

    fn lacks_outbound(&self, neighbours: Neighbours<'_>, mesh: &Mesh) -> usize {
        let outbound = self.mesh.intersection(neighbours.outbound).count();
        mesh.outbound.min(neighbours.outbound.len()).saturating_sub(outbound)
    }

    fn graft(
        &mut self,
        candidates: Vec<u32>,
        lacking: usize,
        rng: &mut ChaCha20Rng,
        said: &mut Vec<(u32, Control)>,
    ) {
        for other in chosen(candidates, lacking, rng) {
            self.mesh.insert(other);
            said.push((other, Control::Graft));
        }
    }

    /// Keeps as many as aimed at, by chance, but enough that this node dialled.
    fn prune(
        &mut self,
        now: Timestamp,
        neighbours: Neighbours<'_>,
        mesh: &Mesh,
        rng: &mut ChaCha20Rng,
        said: &mut Vec<(u32, Control)>,
    ) {
        let outbound: Vec<u32> = self.mesh.intersection(neighbours.outbound).copied().collect();
        let mut keep: BTreeSet<u32> = chosen(outbound, mesh.outbound, rng).into_iter().collect();
        let rest: Vec<u32> = self.mesh.difference(&keep).copied().collect();
        keep.extend(chosen(rest, mesh.degree.saturating_sub(keep.len()), rng));
        for other in std::mem::replace(&mut self.mesh, keep) {
            if !self.mesh.contains(&other) {
                self.backoff.insert(other, now.plus_ms(mesh.backoff_ms));
                said.push((other, Control::Prune));
            }
        }
    }
}

/// At most `n` of them, by chance.
fn chosen(mut from: Vec<u32>, n: usize, rng: &mut ChaCha20Rng) -> Vec<u32> {
    let n = n.min(from.len());
    for at in 0..n {
        let other = at + place(rng, from.len() - at);
        from.swap(at, other);
    }
    from.truncate(n);
    from
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::stream;

    const NOW: Timestamp = Timestamp::from_unix_ms(1_790_000_000_000);
    const MESH: Mesh = Mesh::LIBP2P;

    /// A router whose neighbours subscribe.
    fn among(all: &BTreeSet<u32>) -> Router {
        Router { subscribers: all.clone(), ..Router::default() }
    }

    fn beat(router: &mut Router, now: Timestamp, all: &BTreeSet<u32>) -> Vec<(u32, Control)> {
        let neighbours = Neighbours { all, outbound: &BTreeSet::new() };
        router.heartbeat(now, neighbours, &MESH, &mut stream(1, 1, "gossip"))
    }

    #[test]
    fn the_mesh_is_kept_between_its_bounds() {
        let all: BTreeSet<u32> = (0..30).collect();
        let mut router = among(&all);
        let grafted = beat(&mut router, NOW, &all);
        assert_eq!((grafted.len(), router.mesh.len()), (6, 6));
        assert!(grafted.iter().all(|(_, control)| *control == Control::Graft));
        for other in 0..30 {
            router.hears(NOW, other, Control::Graft, false, &MESH, |_| false);
        }
        assert_eq!(router.mesh.len(), 12, "further grafts are refused");
        let pruned = beat(&mut router, NOW, &all);
        assert_eq!((pruned.len(), router.mesh.len()), (6, 6));
        let (gone, _) = pruned[0];
        assert_eq!(router.hears(NOW, gone, Control::Graft, false, &MESH, |_| false), Some(Control::Prune));
        assert_eq!(
            router.hears(NOW.plus_ms(60_000), gone, Control::Graft, false, &MESH, |_| false),
            None,
            "backed off"
        );
        assert!(router.mesh.contains(&gone));
    }

    #[test]
    fn who_subscribes_is_added_until_there_are_enough() {
        let all: BTreeSet<u32> = (0..8).collect();
        let mut router = Router::default();
        assert!(beat(&mut router, NOW, &all).is_empty(), "nobody has subscribed yet");
        for other in 0..8 {
            let grafted = router.hears(NOW, other, Control::Subscribe, false, &MESH, |_| false);
            assert_eq!(grafted, (other < 4).then_some(Control::Graft));
        }
        router.disconnected(0);
        let grafted = beat(&mut router, NOW, &all);
        assert_eq!((grafted.len(), router.mesh.len()), (3, 6));
        assert!(!router.mesh.contains(&0), "it has gone");
    }

    #[test]
    fn others_are_told_three_times_and_fetch_what_they_lack_once() {
        let all: BTreeSet<u32> = (0..8).collect();
        let mut router = among(&all);
        beat(&mut router, NOW, &all);
        router.keep(NOW, 7, &MESH);
        for n in 1..=3 {
            let told = beat(&mut router, NOW.plus_ms(n * 1000), &all);
            assert_eq!(told.len(), 2, "the two that are not in the mesh");
            assert!(told.iter().all(|(_, control)| *control == Control::Have(vec![7])));
        }
        assert_eq!(beat(&mut router, NOW.plus_ms(4000), &all), []);
        let mut other = Router::default();
        let have = Control::Have(vec![7]);
        assert_eq!(other.hears(NOW, 1, have.clone(), false, &MESH, |_| false), Some(Control::Want(vec![7])));
        assert_eq!(other.hears(NOW, 2, have.clone(), false, &MESH, |_| false), None, "it is on its way");
        assert_eq!(
            other.hears(NOW.plus_ms(3000), 2, have.clone(), false, &MESH, |_| false),
            Some(Control::Want(vec![7]))
        );
        assert_eq!(other.hears(NOW.plus_ms(9000), 2, have, false, &MESH, |message| message == 7), None);
        assert_eq!(router.kept(NOW.plus_ms(9999), &[6, 7], &MESH), [7]);
        assert!(router.kept(NOW.plus_ms(10_000), &[7], &MESH).is_empty());
    }

    #[test]
    fn an_idle_node_has_no_heartbeat() {
        let all: BTreeSet<u32> = (0..8).collect();
        let mut router = among(&all);
        let none = BTreeSet::new();
        let neighbours = Neighbours { all: &all, outbound: &none };
        let next = |router: &Router, now| router.next_beat(now, neighbours, &MESH, 250);
        assert_eq!(next(&router, NOW), Some(NOW.plus_ms(250)), "the mesh is empty");
        beat(&mut router, NOW, &all);
        assert_eq!(next(&router, NOW), None);
        router.keep(NOW, 1, &MESH);
        assert_eq!(next(&router, NOW.plus_ms(250)), Some(NOW.plus_ms(1250)), "something to tell");
        assert_eq!(next(&router, NOW.plus_ms(3250)), None);
        let later = NOW.plus_ms(20_000);
        for other in router.mesh.clone() {
            router.hears(later, other, Control::Prune, false, &MESH, |_| false);
        }
        assert_eq!(next(&router, later), Some(later.plus_ms(250)), "two are left to be added");
        assert_eq!(beat(&mut router, later, &all).len(), 2);
        assert_eq!(
            next(&router, later),
            Some(later.plus_ms(60_250)),
            "when those that left may be asked again"
        );
    }
}
