//! Records of the hash table: each goes to the nodes that follow its key on a ring. Looking for them costs nothing here.

use std::rc::Rc;

use knackmesh_protocol::{id::Id, time::Timestamp};

use super::Network;
use crate::{queue::Event, traffic::Kind, world::World};

/// Copies of a record: the nodes that libp2p's look-up finds nearest to its key.
const RECORD_COPIES: usize = 20;

impl Network {
    /// That a node keeps a record; what it says is looked at by nobody.
    pub(crate) fn keep_record(&mut self, node: u32, key: &[u8], expires: Timestamp) {
        self.records.insert((node, Id::of(key)), expires);
    }
}

impl World {
    /// Copies of a view's record that running nodes keep.
    pub fn records(&self) -> usize {
        let kept = self.network.records.iter();
        kept.filter(|((node, _), expires)| self.runs(*node) && self.now < **expires).count()
    }

    pub(crate) fn put_record(&mut self, from: u32, key: Vec<u8>, value: Vec<u8>) {
        let hash = *blake3::hash(&key).as_bytes();
        let ring = &self.network.ring;
        let after = ring.range(hash..).chain(ring.range(..hash)).map(|(_, node)| *node);
        let keepers: Vec<u32> = after.filter(|node| *node != from).take(RECORD_COPIES).collect();
        let (key, value): (Rc<[u8]>, Rc<[u8]>) = (key.into(), value.into());
        for to in keepers {
            if self.is_reachable(from, to)
                && let Some(at) = self.transmit(from, to, Kind::Record, key.len() + value.len())
            {
                // Two round trips stand for the look-up, as many as most take.
                let looked_up = self.delay(from, to).map_or(at, |delay| at.plus_ms(4 * delay));
                self.queue.push(looked_up, Event::Record { to, key: key.clone(), value: value.clone() });
            }
        }
    }
}
