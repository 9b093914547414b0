//! Look-ups for the nodes nearest to a cell's key, and whom their answers go to.
//!
//! Where more nodes are nearest than chance explains, the look-up goes on beside them before it is answered
//! ([`crowding`](super::crowding)).

use rand_core::Rng;

use super::{
    CommandId, Contact, Lent, Output, Peer,
    contact::{LookUpId, Reach, place_in_table},
    crowding::{Aside, Neighbourhood},
};
use crate::{cell::Cell, id::Id, time::Timestamp};

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

/// What is looked up now.
#[derive(Debug)]
pub(super) enum UnderWay {
    /// The nodes nearest to this one.
    Around,
    /// Those nearest to a cell's key.
    Near(Near),
    /// Those beside a crowd, for the look-up that found it.
    Beside(LookUpId),
    /// Nodes crowd near a key; so many look-ups beside them have not ended.
    Crowded { found: Neighbourhood, aside: Aside, waiting: usize, what: LookUp },
}

/// Those nearest to a cell's key are looked for.
#[derive(Debug)]
pub(super) struct Near {
    key: Id,
    reach: Reach,
    what: LookUp,
}

impl Peer {
    pub(super) fn look_up(&mut self, now: Timestamp, cell: &Cell, reach: Reach, what: LookUp) {
        if !self.connected.is_empty() && self.census.looks_around(now) {
            let own = self.identity.node_id.as_bytes().to_vec();
            self.begin_look_up(own, Reach::Network, UnderWay::Around);
        }
        let key = cell.key();
        self.begin_look_up(key.0.to_vec(), reach, UnderWay::Near(Near { key, reach, what }));
    }

    fn begin_look_up(&mut self, key: Vec<u8>, reach: Reach, under_way: UnderWay) -> LookUpId {
        let look_up = LookUpId(self.next_look_up);
        self.next_look_up += 1;
        self.look_ups.insert(look_up, under_way);
        self.outputs.push(Output::Closest { look_up, key, reach });
        look_up
    }

    /// How many look-ups tend what is kept.
    pub(super) fn tending(&self) -> usize {
        let tends = |one: &&UnderWay| match one {
            UnderWay::Near(Near { what, .. }) | UnderWay::Crowded { what, .. } => {
                matches!(what, LookUp::Tend(_) | LookUp::HandOn(_) | LookUp::TakeOver(_))
            }
            UnderWay::Around | UnderWay::Beside(_) => false,
        };
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
            Some(UnderWay::Around) => {
                let own = place_in_table(self.identity.node_id.as_bytes());
                self.census.saw_around(&own, nodes);
            }
            Some(UnderWay::Near(near)) => self.found_near(now, look_up, near, (nodes, place), lent),
            Some(UnderWay::Beside(of)) => self.found_beside(now, of, nodes, lent),
            Some(crowded @ UnderWay::Crowded { .. }) => {
                self.look_ups.insert(look_up, crowded);
            }
            None => {}
        }
    }

    fn found_near(
        &mut self,
        now: Timestamp,
        look_up: LookUpId,
        Near { key, reach, what }: Near,
        (nodes, place): (&[Contact], usize),
        lent: &Lent<'_>,
    ) {
        let place_of_key = place_in_table(&key.0);
        // Alone, a node hears only of those that it knows.
        if reach == Reach::Network && !self.connected.is_empty() {
            self.census.saw(&place_of_key, nodes);
        }
        let crowd = self.census.crowd(&place_of_key, nodes);
        let found = Neighbourhood { nearest: nodes.to_vec(), place, crowd, beside: Vec::new(), closer: 0 };
        if !found.is_crowded() || reach == Reach::Known {
            return self.use_look_up(now, what, found, lent);
        }
        let aside = self.census.beside(&key);
        let keys = aside.keys(&key, &mut self.rng);
        self.look_ups.insert(look_up, UnderWay::Crowded { found, aside, waiting: keys.len(), what });
        for key in keys {
            self.begin_look_up(key.0.to_vec(), Reach::Network, UnderWay::Beside(look_up));
        }
    }

    fn found_beside(&mut self, now: Timestamp, of: LookUpId, nodes: &[Contact], lent: &Lent<'_>) {
        let Some(UnderWay::Crowded { found, aside, waiting, .. }) = self.look_ups.get_mut(&of) else {
            return;
        };
        *waiting = waiting.saturating_sub(1);
        for contact in nodes {
            if aside.has(contact) && !found.beside.contains(contact) {
                found.beside.push(contact.clone());
            }
        }
        if *waiting == 0
            && let Some(UnderWay::Crowded { mut found, aside, what, .. }) = self.look_ups.remove(&of)
        {
            found.beside.sort_by_key(|contact| !aside.is_closer(contact));
            found.closer = found.beside.partition_point(|contact| aside.is_closer(contact));
            self.shuffle_beside(&mut found);
            self.use_look_up(now, what, found, lent);
        }
    }

    fn use_look_up(&mut self, now: Timestamp, what: LookUp, found: Neighbourhood, lent: &Lent<'_>) {
        match what {
            LookUp::Tend(cell) => self.tended(now, &cell, &found),
            LookUp::HandOn(cell) => self.hand_on(now, &cell, &found, lent),
            LookUp::TakeOver(cell) => self.take_over(now, &cell, &found),
            LookUp::Place(cell) => self.found_place(now, &cell, &found),
            LookUp::Seek { search, probe } => self.found_cell(now, search, probe, found),
        }
    }

    /// A time below `max_ms`, so that nodes do not all do the same at once.
    pub(super) fn jitter_ms(&mut self, max_ms: u64) -> u64 {
        self.rng.next_u64() % max_ms.max(1)
    }

    /// Whoever were always first would be worth the trouble of being that.
    pub(super) fn shuffle_beside(&mut self, found: &mut Neighbourhood) {
        let at = found.closer.min(found.beside.len());
        let (closer, others) = found.beside.split_at_mut(at);
        self.shuffle(closer);
        self.shuffle(others);
    }

    /// Brings contacts into an order that nobody else knows.
    pub(super) fn shuffle(&mut self, contacts: &mut [Contact]) {
        for last in (1..contacts.len()).rev() {
            let other = self.rng.next_u64() % (u64::try_from(last).unwrap_or(u64::MAX) + 1);
            contacts.swap(last, usize::try_from(other).unwrap_or(last));
        }
    }
}
