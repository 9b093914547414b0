//! Tending the cells that are kept: now and then each is compared with the others that keep it, so that nodes which came since
//! have what was there before, and what a node that went had is on another. Before an epoch is over, what is kept moves on to
//! the places of the next one, also for holders who are not there to place it themselves.
//!
//! Where a cell is can be read off the own routing table, which is exact near the node itself; looked up are the places of the
//! epochs before and after, and a cell that is to be dropped.

use super::{
    Change, Contact, Lent, Output, Peer, cells::is_in_time, contact::Reach, crowding::Neighbourhood,
    look_ups::LookUp,
};
use crate::{
    cell::Cell,
    limits::{CELL_COMPARED, CELL_GRACE_MS, CELL_NODES_MAX, CELL_REPLICAS, CELL_TEND_MS, PLACE_LOOKUPS_MAX},
    message::Replica,
    time::Timestamp,
};

impl Peer {
    /// When a cell is next to be looked at.
    pub(super) fn tend_cells_at(&self) -> Option<Timestamp> {
        let has_room = !self.connected.is_empty() && self.tending() < PLACE_LOOKUPS_MAX;
        self.cells.kept().map(|(_, kept)| kept.tend_at).min().filter(|_| has_room)
    }

    /// Looks at the cells whose time has come.
    pub(super) fn tend_cells(&mut self, now: Timestamp) {
        if self.connected.is_empty() {
            return;
        }
        let is_over = |cell: &Cell| cell.epoch.ends().plus_ms(CELL_GRACE_MS) <= now;
        let over: Vec<Cell> =
            self.cells.kept().map(|(cell, _)| cell).filter(|c| is_over(c)).cloned().collect();
        self.drop_cells(&over);
        let due = self.cells.kept().filter(|(_, kept)| kept.tend_at <= now);
        let mut due: Vec<(Timestamp, Cell)> = due.map(|(cell, kept)| (kept.tend_at, cell.clone())).collect();
        due.sort();
        for (_, cell) in due {
            if self.tending() >= PLACE_LOOKUPS_MAX {
                break;
            }
            let ends = cell.epoch.ends();
            let again = now.plus_ms(CELL_TEND_MS - CELL_TEND_MS / 10 + self.jitter_ms(CELL_TEND_MS / 5));
            let Some(kept) = self.cells.get_mut(&cell) else { continue };
            kept.tend_at = again.min(ends.plus_ms(CELL_GRACE_MS));
            let (is_far, is_taken_over, is_handed_on) = (kept.is_far, kept.is_taken_over, kept.is_handed_on);
            // Before it is dropped it is looked up: the own table knows few of those who crowd far away.
            let reach = if is_far { Reach::Network } else { Reach::Known };
            self.look_up(now, &cell, reach, LookUp::Tend(cell.clone()));
            let before = cell.epoch.previous().filter(|epoch| is_in_time(*epoch, now));
            if !is_taken_over
                && let Some(epoch) = before
                && self.is_moment(now, epoch.ends())
            {
                if let Some(kept) = self.cells.get_mut(&cell) {
                    kept.is_taken_over = true;
                }
                let before = cell.in_epoch(epoch);
                self.look_up(now, &before, Reach::Network, LookUp::TakeOver(before.clone()));
            }
            // Each of those who keep it does so at a moment of its own; who comes later finds little left to give.
            if !is_handed_on && cell.epoch.is_ending(now) && self.is_moment(now, ends) {
                if let Some(kept) = self.cells.get_mut(&cell) {
                    kept.is_handed_on = true;
                }
                let next = cell.in_epoch(cell.epoch.next());
                self.look_up(now, &next, Reach::Network, LookUp::HandOn(cell.clone()));
            }
        }
    }

    /// Whether to do now what a cell needs once before an epoch ends, of which each time that it is tended is a chance: or every node
    /// would look up places in the first minutes of the hour that there is for it, and for each summary that is published in that hour.
    fn is_moment(&mut self, now: Timestamp, ends: Timestamp) -> bool {
        let left_ms = ends.unix_ms().saturating_sub(now.unix_ms());
        left_ms <= 2 * CELL_TEND_MS || self.jitter_ms(left_ms - CELL_TEND_MS) < CELL_TEND_MS
    }

    /// The nodes nearest to a cell that is kept are known: it is compared with some of them.
    pub(super) fn tended(&mut self, now: Timestamp, cell: &Cell, found: &Neighbourhood) {
        // Whoever crowds around a cell is not to drive others out of it.
        let is_far = found.place >= CELL_NODES_MAX && !found.is_crowded();
        let Some(kept) = self.cells.get_mut(cell) else { return };
        if is_far && kept.is_far {
            // It was given to those who are nearer when this was first seen.
            self.drop_cells(std::slice::from_ref(cell));
            return;
        }
        kept.is_far = is_far;
        let mut others = Contact::diverse(&found.nearest, &[], CELL_REPLICAS);
        self.shuffle(&mut others);
        for contact in others.into_iter().take(CELL_COMPARED) {
            // Between two that keep everything there is nothing to compare that is not compared anyway.
            let is_known = self.replica == Replica::Full && self.sessions.is_full(&contact.node, now);
            if !is_known {
                self.sessions.due_of_cell(contact, cell, now);
            }
        }
    }

    /// The places of the next epoch are known: they are given what is kept in this one. This node itself keeps the next cell until
    /// the others have it.
    pub(super) fn hand_on(&mut self, now: Timestamp, cell: &Cell, found: &Neighbourhood, lent: &Lent<'_>) {
        let next = cell.in_epoch(cell.epoch.next());
        if self.cells.get_mut(&next).is_none() && !self.begin_cell(now, &next, lent) {
            return;
        }
        if let Some(kept) = self.cells.get_mut(&next) {
            kept.is_far = found.place >= CELL_NODES_MAX && !found.is_crowded();
            kept.tend_at = kept.tend_at.max(now.plus_ms(CELL_TEND_MS));
        }
        for contact in found.keepers() {
            self.sessions.due_of_cell(contact, &next, now);
        }
    }

    /// The nodes are known that keep in the epoch before what is kept here in the next. They are asked for it: what many are to be
    /// handed over, whoever keeps it now asks for, of nodes that it chose.
    pub(super) fn take_over(&mut self, now: Timestamp, cell: &Cell, found: &Neighbourhood) {
        let mut keepers = found.keepers();
        self.shuffle(&mut keepers);
        for contact in keepers.into_iter().take(CELL_COMPARED) {
            self.sessions.due_of_cell(contact, cell, now);
        }
    }

    fn drop_cells(&mut self, cells: &[Cell]) {
        for cell in cells {
            self.cells.forget(cell);
            self.outputs.push(Output::Persist(Change::ForgetCell(cell.clone())));
        }
        if self.replica == Replica::Cells && !cells.is_empty() {
            self.let_go_of_the_rest();
        }
    }
}
