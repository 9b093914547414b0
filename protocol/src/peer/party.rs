//! Who is likely one party, and how much each may do: token buckets, in whole milliseconds.
//!
//! Keys cost nothing, addresses do. What is to be shared fairly is therefore shared between groups of addresses; a node of which
//! no group is known stands for itself.

use std::collections::BTreeMap;

use super::contact::{Contact, Group};
use crate::{id::NodeId, key::PublicKey, time::Timestamp};

/// Whoever is likely behind several nodes: a group of addresses, or one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Party(u64);

/// Set in parties that are no group of addresses, of which it is never set.
const ALONE: u64 = 1 << 63;

impl Party {
    /// Whoever answered our searches, all together.
    pub const SEARCHES: Party = Party(ALONE);

    /// The group of addresses of a node or, where it has none, the node.
    pub fn of(contact: &Contact) -> Self {
        match contact.group {
            Group::UNGROUPED => Party::node(&contact.node),
            group => Party(group.number()),
        }
    }

    /// The node alone, wherever it is.
    pub fn node(node: &NodeId) -> Self {
        Party::alone(node.as_bytes())
    }

    /// Of an item of which nobody remembers how it came: nobody but its view.
    pub fn view(view: &PublicKey) -> Self {
        Party::alone(view.as_bytes())
    }

    fn alone(bytes: &[u8]) -> Self {
        let hash = blake3::hash(bytes);
        let first = hash.as_bytes().iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        Party(ALONE | first)
    }
}

/// How much a party may do at once, after doing nothing, and how soon once more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    /// Turns that may be taken at once.
    pub burst: u64,
    /// Time until there is one turn more.
    pub every_ms: u64,
}

/// A bucket for each party.
#[derive(Clone, Debug, Default)]
pub(super) struct Turns {
    /// For each party, the instant at which its bucket would be full again.
    full_at: BTreeMap<Party, Timestamp>,
    /// How many parties there may be before those are forgotten whose buckets are full again.
    settle_at: usize,
}

impl Turns {
    /// Whether `turns` could be taken; `parties_max` is how many parties are remembered.
    pub fn has(&self, party: Party, turns: u64, rate: Rate, now: Timestamp, parties_max: usize) -> bool {
        let is_known = self.full_at.contains_key(&party);
        let is_room =
            is_known || self.full_at.len() < parties_max || self.full_at.values().any(|full| *full <= now);
        is_room && self.after(party, turns, rate, now).since_ms(now) <= rate.every_ms * rate.burst
    }

    /// Takes `turns`; false, and nothing taken, when there are not so many left; `None` when too many other parties took some.
    pub fn take(
        &mut self,
        party: Party,
        turns: u64,
        rate: Rate,
        now: Timestamp,
        parties_max: usize,
    ) -> Option<bool> {
        if !self.full_at.contains_key(&party) && self.full_at.len() >= self.settle_at.min(parties_max) {
            // A party whose bucket is full again is the same as one never seen.
            self.full_at.retain(|_, full_at| *full_at > now);
            self.settle_at = self.full_at.len().saturating_mul(2).max(16);
            if self.full_at.len() >= parties_max {
                return None;
            }
        }
        let after = self.after(party, turns, rate, now);
        let is_within = after.since_ms(now) <= rate.every_ms * rate.burst;
        if is_within {
            self.full_at.insert(party, after);
        }
        Some(is_within)
    }

    fn after(&self, party: Party, turns: u64, rate: Rate, now: Timestamp) -> Timestamp {
        self.full_at.get(&party).map_or(now, |full| (*full).max(now)).plus_ms(rate.every_ms * turns)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_burst_then_a_steady_rate_for_each_party_however_many_nodes_it_has() {
        let rate = Rate { burst: 60, every_ms: 50 };
        let start = Timestamp::from_unix_ms(1_000_000);
        let contact =
            |n: u32, group| Contact { node: NodeId::from_bytes(n.to_be_bytes().to_vec()).unwrap(), group };
        let mut turns = Turns::default();
        let subnet = Group::v4([192, 0, 2, 1]);
        let granted = |n| turns.take(Party::of(&contact(n, subnet)), 1, rate, start, 100);
        assert_eq!((0..120).map(granted).filter(|is| *is == Some(true)).count(), 60);
        assert_eq!(turns.take(Party::of(&contact(1, Group::UNGROUPED)), 60, rate, start, 100), Some(true));
        assert!(!turns.has(Party::of(&contact(1, Group::UNGROUPED)), 1, rate, start, 100));
        assert!(turns.has(Party::of(&contact(2, Group::UNGROUPED)), 60, rate, start, 100));
        let one = Party::of(&contact(0, subnet));
        assert_eq!(turns.take(one, 1, rate, start, 100), Some(false));
        assert_eq!(turns.take(one, 1, rate, start.plus_ms(50), 100), Some(true));
        assert_eq!(turns.take(one, 1, rate, start.plus_ms(50), 100), Some(false));
    }

    #[test]
    fn no_more_parties_are_remembered_than_there_is_room_for() {
        let rate = Rate { burst: 2, every_ms: 1000 };
        let start = Timestamp::from_unix_ms(1_000_000);
        let party = |n: u32| Party::node(&NodeId::from_bytes(n.to_be_bytes().to_vec()).unwrap());
        let mut turns = Turns::default();
        assert_eq!((0..50).filter(|n| turns.take(party(*n), 1, rate, start, 20).is_some()).count(), 20);
        assert!(!turns.has(party(99), 1, rate, start, 20) && turns.has(party(0), 1, rate, start, 20));
        assert_eq!(turns.take(party(99), 1, rate, start.plus_ms(1000), 20), Some(true));
    }
}
