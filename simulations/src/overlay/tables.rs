//! Routing tables of all nodes, in one piece of memory.
//!
//! A node's table has a bucket for each length of the prefix that it shares with its contacts, up to a last that holds all
//! who share more; a bucket holds `k`. There are as many buckets as the number of nodes can fill, plus two.
//!
//! A million tables are far more than a processor keeps at hand. How many places are taken stands apart from the contacts, where it is
//! near at hand for all nodes; and what is looked up for many contacts is looked up for all of them before any is used, so that
//! the waits overlap.

use std::ops::Range;

use super::{
    nodes::Nodes,
    settings::{Bootstrap, Settings},
};
use crate::streams::{Draws, Purpose};

/// See the module.
pub struct Tables {
    k: usize,
    buckets: usize,
    /// `k` places for each bucket of each node.
    contacts: Vec<u32>,
    /// How many of those are taken.
    taken: Vec<u8>,
    scratch: Vec<(u64, u32)>,
}

impl Tables {
    pub fn new(settings: &Settings, nodes: &Nodes, seed: u64) -> Self {
        let (k, count) = (settings.k as usize, nodes.len() as usize);
        let buckets = (u32::BITS - nodes.len().leading_zeros()) as usize + 3;
        let (contacts, taken) = (vec![0; count * buckets * k], vec![0; count * buckets]);
        let mut tables = Self { k, buckets, contacts, taken, scratch: Vec::new() };
        let listed: Vec<u32> = (0..nodes.len()).filter(|node| nodes.is_listed(*node)).collect();
        let purpose = Purpose::new(seed, "table");
        let mut met = Vec::new();
        let mut place = 0;
        for node in 0..nodes.len() {
            let draws = &mut purpose.of(nodes.number(node));
            match settings.bootstrap {
                Bootstrap::Complete => tables.complete(nodes, &listed, node, draws),
                Bootstrap::Introduced { random, near } => {
                    tables.meet(nodes, node, random, draws, &mut met);
                    while listed.get(place).is_some_and(|other| *other < node) {
                        place += 1;
                    }
                    let (before, after) = (near / 2, near.div_ceil(2) + 1);
                    let end = (place + after as usize).min(listed.len());
                    for contact in &listed[place.saturating_sub(before as usize)..end] {
                        tables.add(nodes, node, *contact);
                    }
                }
            }
        }
        tables
    }

    /// A node meets so many others by chance. What each is called and where it belongs follows from its number alone; only which
    /// of the nodes it is has to be looked up.
    fn meet(&mut self, nodes: &Nodes, node: u32, count: u32, draws: &mut Draws, met: &mut Vec<(usize, u32)>) {
        let id = nodes.id(node);
        met.clear();
        for _ in 0..count {
            let number = nodes.draw_number(draws);
            met.push((self.bucket(id ^ nodes.id_of_number(number)), number));
        }
        for (_, other) in &mut *met {
            *other = nodes.index_of(*other);
        }
        for (bucket, contact) in met {
            if *contact != node && nodes.is_listed(*contact) {
                self.put(node, *bucket, *contact);
            }
        }
    }

    /// Fills each bucket from all listed nodes that belong there.
    fn complete(&mut self, nodes: &Nodes, listed: &[u32], node: u32, draws: &mut Draws) {
        let mut own = listed;
        for bucket in 0..self.buckets {
            let bit = |node: u32| nodes.id(node) << bucket >> 63;
            let mut others = own;
            if bucket + 1 < self.buckets {
                let (zeros, ones) = own.split_at(own.partition_point(|node| bit(*node) == 0));
                (own, others) = if bit(node) == 0 { (zeros, ones) } else { (ones, zeros) };
            }
            if others.len() <= self.k {
                for contact in others.iter().filter(|contact| **contact != node) {
                    self.put(node, bucket, *contact);
                }
            } else {
                // Floyd's way to draw k of many without one twice.
                for last in others.len() - self.k..others.len() {
                    let drawn = others[draws.below(last as u32 + 1) as usize];
                    let twice = drawn == node || !self.put(node, bucket, drawn);
                    if twice && others[last] != node {
                        self.put(node, bucket, others[last]);
                    }
                }
            }
        }
    }

    /// A node hears of another: the contact is kept if its bucket has room; whether it is new and kept.
    pub fn add(&mut self, nodes: &Nodes, node: u32, contact: u32) -> bool {
        node != contact && self.put(node, self.bucket(nodes.id(node) ^ nodes.id(contact)), contact)
    }

    fn put(&mut self, node: u32, bucket: usize, contact: u32) -> bool {
        let at = node as usize * self.buckets + bucket;
        let taken = usize::from(self.taken[at]);
        let places = &mut self.contacts[at * self.k..(at + 1) * self.k];
        if taken == places.len() || places[..taken].contains(&contact) {
            return false;
        }
        places[taken] = contact;
        self.taken[at] += 1;
        true
    }

    /// A contact did not answer.
    pub fn remove(&mut self, nodes: &Nodes, node: u32, contact: u32) {
        let bucket = self.bucket(nodes.id(node) ^ nodes.id(contact));
        let at = node as usize * self.buckets + bucket;
        let taken = usize::from(self.taken[at]);
        let contacts = &mut self.contacts[at * self.k..at * self.k + taken];
        if let Some(found) = contacts.iter().position(|c| *c == contact) {
            contacts.swap(found, taken - 1);
            self.taken[at] -= 1;
        }
    }

    /// The `count` contacts of a node that are nearest to a key, without one, in no order.
    pub fn nearest(
        &mut self,
        nodes: &Nodes,
        node: u32,
        key: u64,
        without: u32,
        count: usize,
        out: &mut Vec<u32>,
    ) {
        // Who shares as much with the node as the key does is nearer to the key than all others; then come those who share
        // more with the node and thereby differ from the key at the first bit after; then each shorter prefix in turn.
        let own = self.bucket(nodes.id(node) ^ key);
        let mut group = (own, own + 1);
        loop {
            let start = out.len();
            self.list(node, group.0..group.1, out);
            if let Some(place) = out[start..].iter().position(|contact| *contact == without) {
                out.swap_remove(start + place);
            }
            if out.len() > count {
                self.keep_nearest(nodes, key, start, count, out);
            }
            if out.len() == count {
                return;
            }
            group = match group {
                (first, _) if first == own && own + 1 < self.buckets => (own + 1, self.buckets),
                (first, _) => match first.min(own).checked_sub(1) {
                    Some(shorter) => (shorter, shorter + 1),
                    None => return,
                },
            };
        }
    }

    /// The contacts of some buckets.
    fn list(&self, node: u32, buckets: Range<usize>, out: &mut Vec<u32>) {
        let first = node as usize * self.buckets;
        let taken = &self.taken[first + buckets.start..first + buckets.end];
        let mut place = (first + buckets.start) * self.k;
        for taken in taken {
            if *taken > 0 {
                out.extend_from_slice(&self.contacts[place..place + usize::from(*taken)]);
            }
            place += self.k;
        }
    }

    /// Cuts off the furthest of those from `start` on, so that `count` are left in all.
    fn keep_nearest(&mut self, nodes: &Nodes, key: u64, start: usize, count: usize, out: &mut Vec<u32>) {
        self.scratch.clear();
        self.scratch.extend(out[start..].iter().map(|contact| (nodes.id(*contact) ^ key, *contact)));
        self.scratch.select_nth_unstable(count - start);
        out.truncate(start);
        out.extend(self.scratch[..count - start].iter().map(|(_, contact)| *contact));
    }

    /// Contacts in all tables.
    pub fn len(&self) -> u64 {
        self.taken.iter().map(|taken| u64::from(*taken)).sum()
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.contacts.capacity() * 4 + self.taken.capacity()
    }

    fn bucket(&self, distance: u64) -> usize {
        (distance.leading_zeros() as usize).min(self.buckets - 1)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn tables(settings: &Settings) -> (Nodes, Tables) {
        let nodes = Nodes::new(settings, 1);
        let tables = Tables::new(settings, &nodes, 1);
        (nodes, tables)
    }

    fn contacts(tables: &Tables, node: u32) -> Vec<u32> {
        let mut contacts = Vec::new();
        tables.list(node, 0..tables.buckets, &mut contacts);
        contacts.sort_unstable();
        contacts
    }

    #[test]
    fn nearest_are_those_of_all_contacts_in_order_of_distance() {
        for bootstrap in [Bootstrap::Complete, Bootstrap::Introduced { random: 30, near: 10 }] {
            let settings = Settings { nodes: 500, k: 7, bootstrap, ..Settings::default() };
            let (nodes, mut tables) = tables(&settings);
            let mut draws = Purpose::new(1, "keys").of(0);
            for node in 0..500 {
                // A key far away, one nearby, and the node's own.
                for key in [draws.bits(), nodes.id((node + 1) % 500), nodes.id(node)] {
                    let without = draws.below(500);
                    let mut expected = contacts(&tables, node);
                    expected.retain(|contact| *contact != without);
                    expected.sort_unstable_by_key(|contact| nodes.id(*contact) ^ key);
                    expected.truncate(7);
                    let mut found = Vec::new();
                    tables.nearest(&nodes, node, key, without, 7, &mut found);
                    found.sort_unstable_by_key(|contact| nodes.id(*contact) ^ key);
                    assert_eq!(found, expected);
                }
            }
        }
    }

    #[test]
    fn complete_buckets_hold_all_or_k() {
        let settings = Settings { nodes: 300, k: 5, bootstrap: Bootstrap::Complete, ..Settings::default() };
        let (nodes, tables) = tables(&settings);
        for node in 0..300 {
            let mut belong = vec![0; tables.buckets];
            for other in (0..300).filter(|other| *other != node) {
                belong[tables.bucket(nodes.id(node) ^ nodes.id(other))] += 1;
            }
            let mut all = contacts(&tables, node);
            assert_eq!(all.len(), belong.iter().map(|count| 5.min(*count)).sum::<usize>());
            all.dedup();
            assert!(!all.contains(&node) && all.len() >= 20, "{all:?}");
        }
    }

    #[test]
    fn contacts_come_where_there_is_room_and_go() {
        let settings = Settings {
            nodes: 100,
            k: 2,
            bootstrap: Bootstrap::Introduced { random: 0, near: 0 },
            ..Settings::default()
        };
        let (nodes, mut tables) = tables(&settings);
        // Half of the nodes differ from node 0 in the first bit.
        assert!(tables.add(&nodes, 0, 99));
        assert!(!tables.add(&nodes, 0, 99));
        assert!(!tables.add(&nodes, 0, 0));
        assert!(tables.add(&nodes, 0, 98));
        assert!(!tables.add(&nodes, 0, 97));
        tables.remove(&nodes, 0, 97);
        tables.remove(&nodes, 0, 99);
        assert_eq!(contacts(&tables, 0), [98]);
        assert!(tables.add(&nodes, 0, 97));
    }
}
