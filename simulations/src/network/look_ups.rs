//! Look-ups for the nodes nearest to a key. Whom they find is exact: the nearest of those that run and that anybody can reach.
//! What they cost is a rule made of what look-ups cost where each is carried out (`fidelity = "overlay"`, and real nodes).

use knackmesh_protocol::{
    limits::CELL_NODES_MAX,
    peer::{Contact, LookUpId, Reach, place_in_table},
};

use crate::{queue::Event, streams::below, traffic::Kind, world::World};

/// Bytes of a look-up's question, and of an answer that names twenty nodes with an address each, about.
const QUESTION_BYTES: usize = 80;
const ANSWER_BYTES: usize = 1800;

impl World {
    /// A node looks for those nearest to a key.
    pub(crate) fn look_up(&mut self, from: u32, look_up: LookUpId, key: &[u8], reach: Reach) {
        let key = place_in_table(key);
        let nearest = self.nearest(from, &key);
        let own = distance(&self.nodes[from as usize].place_on_ring, &key);
        let is_nearer = |node: &&u32| distance(&self.nodes[**node as usize].place_on_ring, &key) < own;
        let place = nearest.iter().filter(is_nearer).count();
        let contacts: Vec<Contact> =
            nearest.iter().map(|node| self.nodes[*node as usize].contact()).collect();
        let at = match reach {
            Reach::Known => self.now,
            Reach::Network => self.now.plus_ms(self.ask_on_the_way(from, &nearest)),
        };
        self.queue.push(at, Event::Closest { node: from, look_up, nodes: contacts, place });
    }

    /// The nodes nearest to a key, nearest first, without `from` and those that it cannot reach.
    fn nearest(&self, from: u32, key: &[u8; 32]) -> Vec<u32> {
        // All whose places share a prefix with the key are nearer to it than all others, so that the longest prefix which enough
        // share holds the nearest.
        let ring = &self.network.ring;
        let wanted = 2 * CELL_NODES_MAX;
        let mut bits = usize::try_from(ring.len().checked_ilog2().unwrap_or(0)).unwrap_or(0);
        loop {
            let (first, last) = subtree(key, bits);
            if bits == 0 || ring.range(first..=last).nth(wanted).is_some() {
                let mut near: Vec<([u8; 32], u32)> =
                    ring.range(first..=last).map(|(place, node)| (distance(place, key), *node)).collect();
                near.sort_unstable();
                let others = near.into_iter().map(|(_, node)| node);
                let reached = others.filter(|node| *node != from && self.is_reachable(from, *node));
                let nearest: Vec<u32> = reached.take(CELL_NODES_MAX).collect();
                if bits == 0 || nearest.len() == CELL_NODES_MAX {
                    return nearest;
                }
            }
            bits -= 1;
        }
    }

    /// Counts what a look-up through the network says, and tells how long it takes, in milliseconds.
    ///
    /// Each round learns of nodes that share some four bits more with the key, and at its end the nearest twenty have all been
    /// asked.
    fn ask_on_the_way(&mut self, from: u32, nearest: &[u32]) -> u64 {
        let others = self.network.ring.len().max(2);
        let rounds = (usize::try_from(others.ilog2()).unwrap_or(0) / 4).max(1);
        let asked = (nearest.len() + 3 * (rounds - 1)).min(others);
        let mut takes_ms = 0;
        for _ in 0..rounds {
            let len = u32::try_from(nearest.len()).unwrap_or(u32::MAX);
            if len == 0 {
                break;
            }
            // A round waits for the slowest of those asked at once.
            let slowest = (0..3).filter_map(|_| {
                let at = below(&mut self.nodes[from as usize].network, len);
                let to = nearest.get(at as usize).copied()?;
                self.delay(from, to)
            });
            let slowest = slowest.max().unwrap_or(0);
            takes_ms += 2 * slowest;
        }
        for at in 0..asked {
            let to = nearest.get(at % nearest.len().max(1)).copied();
            let traffic = &mut self.nodes[from as usize].site.traffic;
            traffic.sends(Kind::LookUp, QUESTION_BYTES);
            traffic.receives(Kind::LookUp, ANSWER_BYTES);
            if let Some(to) = to {
                let traffic = &mut self.nodes[to as usize].site.traffic;
                traffic.receives(Kind::LookUp, QUESTION_BYTES);
                traffic.sends(Kind::LookUp, ANSWER_BYTES);
            }
        }
        takes_ms
    }
}

/// How far a place is from a key: the exclusive or of both (Kademlia).
fn distance(place: &[u8; 32], key: &[u8; 32]) -> [u8; 32] {
    std::array::from_fn(|at| place[at] ^ key[at])
}

/// The first and the last place that share `bits` bits with a key.
fn subtree(key: &[u8; 32], bits: usize) -> ([u8; 32], [u8; 32]) {
    let bound = |fill: u8| {
        std::array::from_fn(|at| {
            let fixed = bits.saturating_sub(8 * at).min(8);
            let mask = u8::MAX.checked_shr(u32::try_from(fixed).unwrap_or(8)).unwrap_or(0);
            (key[at] & !mask) | (fill & mask)
        })
    };
    (bound(0), bound(u8::MAX))
}
