//! Look-ups for the nodes nearest to a cell's key, and whom their answers go to.

use rand_core::Rng;

use super::{
    CommandId, Contact, Lent, Output, Peer,
    contact::{LookUpId, Reach},
};
use crate::{cell::Cell, time::Timestamp};

/// What a look-up of ours is for.
#[derive(Clone, Debug)]
pub(super) enum LookUp {
    /// To compare a cell that is kept with the others that keep it.
    Tend(Cell),
    /// To give what is kept in a cell to its places in the next epoch.
    HandOn(Cell),
    /// To ask those who keep a cell in the epoch before for what they have.
    TakeOver(Cell),
    /// To place the own summary.
    Place(Cell),
    /// To ask a cell for leads.
    Seek { search: CommandId, probe: usize },
}

impl Peer {
    pub(super) fn look_up(&mut self, cell: &Cell, reach: Reach, what: LookUp) {
        let look_up = LookUpId(self.next_look_up);
        self.next_look_up += 1;
        self.look_ups.insert(look_up, what);
        self.outputs.push(Output::Closest { look_up, key: cell.key(), reach });
    }

    /// How many look-ups tend what is kept.
    pub(super) fn tending(&self) -> usize {
        let tends =
            |what: &&LookUp| matches!(what, LookUp::Tend(_) | LookUp::HandOn(_) | LookUp::TakeOver(_));
        self.look_ups.values().filter(tends).count()
    }

    /// The answer to a look-up: nodes, nearest first, and how many of them are nearer than this one.
    pub(super) fn closest(
        &mut self,
        now: Timestamp,
        look_up: LookUpId,
        nodes: &[Contact],
        place: usize,
        lent: &Lent<'_>,
    ) {
        match self.look_ups.remove(&look_up) {
            Some(LookUp::Tend(cell)) => self.tended(now, &cell, nodes, place),
            Some(LookUp::HandOn(cell)) => self.hand_on(now, &cell, nodes, place, lent),
            Some(LookUp::TakeOver(cell)) => self.take_over(now, &cell, nodes),
            Some(LookUp::Place(cell)) => self.found_place(now, &cell, nodes),
            Some(LookUp::Seek { search, probe }) => self.found_cell(now, search, probe, nodes),
            None => {}
        }
    }

    /// A time below `max_ms`, so that nodes do not all do the same at once.
    pub(super) fn jitter_ms(&mut self, max_ms: u64) -> u64 {
        self.rng.next_u64() % max_ms.max(1)
    }
}
