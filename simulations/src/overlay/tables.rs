//! Routing tables of all nodes, in one piece of memory.
//!
//! A node's table has a bucket for each length of the prefix that it shares with its contacts, up to a last that holds all
//! who share more; a bucket holds `k`. There are as many buckets as the number of nodes can fill, plus two.

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
        let mut tables = Self {
            k,
            buckets,
            contacts: vec![0; count * buckets * k],
            taken: vec![0; count * buckets],
            scratch: Vec::new(),
        };
        let purpose = Purpose::new(seed, "table");
        for node in 0..nodes.len() {
            let draws = &mut purpose.of(nodes.number(node));
            match settings.bootstrap {
                Bootstrap::Complete => tables.complete(nodes, node, draws),
                Bootstrap::Introduced { random, near } => {
                    for _ in 0..random {
                        tables.add(nodes, node, nodes.draw_any(draws));
                    }
                    let around =
                        node.saturating_sub(near / 2)..=(node + near.div_ceil(2)).min(nodes.len() - 1);
                    for contact in around {
                        tables.add(nodes, node, contact);
                    }
                }
            }
        }
        tables
    }

    /// Fills each bucket from all nodes that belong there.
    fn complete(&mut self, nodes: &Nodes, node: u32, draws: &mut Draws) {
        let id = nodes.id(node);
        let mut own = 0..nodes.len();
        for bucket in 0..self.buckets {
            let other = if bucket + 1 == self.buckets {
                own.clone()
            } else {
                let (zeros, ones) = nodes.split(&own, bucket as u32);
                let (mine, other) = if id << bucket >> 63 == 0 { (zeros, ones) } else { (ones, zeros) };
                own = mine;
                other
            };
            let (place, size) = (self.place(node, bucket), other.len());
            let mut taken = 0;
            if size <= self.k {
                for contact in other.filter(|contact| *contact != node) {
                    self.contacts[place + taken] = contact;
                    taken += 1;
                }
            } else {
                // Floyd's way to draw k of many without one twice.
                for last in size - self.k..size {
                    let drawn = other.start + draws.below(last as u32 + 1);
                    let before = &self.contacts[place..place + taken];
                    let last = other.start + last as u32;
                    let contact = if before.contains(&drawn) { last } else { drawn };
                    self.contacts[place + taken] = contact;
                    // The last bucket's range has the node itself.
                    taken += usize::from(contact != node);
                }
            }
            self.taken[node as usize * self.buckets + bucket] = taken as u8;
        }
    }

    /// A node hears of another: the contact is kept if its bucket has room.
    pub fn add(&mut self, nodes: &Nodes, node: u32, contact: u32) {
        let bucket = self.bucket(nodes.id(node) ^ nodes.id(contact));
        let taken = &mut self.taken[node as usize * self.buckets + bucket];
        if usize::from(*taken) == self.k || node == contact {
            return;
        }
        let place = (node as usize * self.buckets + bucket) * self.k;
        let end = place + usize::from(*taken);
        if !self.contacts[place..end].contains(&contact) {
            self.contacts[end] = contact;
            *taken += 1;
        }
    }

    /// A contact did not answer.
    pub fn remove(&mut self, nodes: &Nodes, node: u32, contact: u32) {
        let bucket = self.bucket(nodes.id(node) ^ nodes.id(contact));
        let place = self.place(node, bucket);
        let taken = &mut self.taken[node as usize * self.buckets + bucket];
        let contacts = &mut self.contacts[place..place + usize::from(*taken)];
        if let Some(found) = contacts.iter().position(|c| *c == contact) {
            contacts.swap(found, usize::from(*taken) - 1);
            *taken -= 1;
        }
    }

    /// The `k` contacts of a node that are nearest to a key, without one, in no order.
    pub fn nearest(&mut self, nodes: &Nodes, node: u32, key: u64, without: u32, out: &mut Vec<u32>) {
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
            if out.len() > self.k {
                self.keep_nearest(nodes, key, start, out);
            }
            if out.len() == self.k {
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

    /// Cuts off the furthest of those from `start` on, so that `k` are left in all.
    fn keep_nearest(&mut self, nodes: &Nodes, key: u64, start: usize, out: &mut Vec<u32>) {
        self.scratch.clear();
        self.scratch.extend(out[start..].iter().map(|contact| (nodes.id(*contact) ^ key, *contact)));
        self.scratch.select_nth_unstable(self.k - start);
        out.truncate(start);
        out.extend(self.scratch[..self.k - start].iter().map(|(_, contact)| *contact));
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.contacts.capacity() * 4 + self.taken.capacity()
    }

    fn bucket(&self, distance: u64) -> usize {
        (distance.leading_zeros() as usize).min(self.buckets - 1)
    }

    fn place(&self, node: u32, bucket: usize) -> usize {
        (node as usize * self.buckets + bucket) * self.k
    }
}
