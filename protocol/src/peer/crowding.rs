//! Where nodes crowd in the hash table, and whom to ask beside them.
//!
//! Ids near a key are a matter of trying, and a look-up names the nearest nodes whoever they are: whoever makes twenty of them is all
//! that others find there (the attack on IPFS of Sridhar et al., "Content Censorship in the InterPlanetary File System", NDSS
//! 2024). But honest ids are spread evenly. So a node keeps an estimate of how far they are apart; where those nearest to a
//! key are much nearer than that explains, it also looks *beside* them, for nodes that share with the key just as many
//! leading bits as some twenty nodes share. To be most of those, too, takes more ids than there are honest nodes with these bits: some
//! dozens for each half.

use std::collections::VecDeque;

use rand_core::Rng;

use super::{Contact, contact::place_in_table};
use crate::{
    id::{Id, NodeId},
    limits::{ASIDE_BITS_MAX, CELL_NODES_MAX, CELL_REPLICAS, CROWD_REPLICAS},
    time::Timestamp,
};

/// When so many are nearest, in how small a space that is hardly chance: one in which, in hundredths of a node, so few are expected.
/// By the distribution of Poisson each happens by itself in one look-up in 200, the last less often, as an estimate of nodes in
/// all errs more than that in their number.
const SUSPECTED: [(usize, u64); 8] =
    [(2, 10), (3, 34), (4, 67), (5, 108), (6, 154), (8, 257), (10, 372), (20, 800)];

/// And when it is no chance: by itself it happens in fewer than one look-up in 50,000.
const EVIDENT: [(usize, u64); 4] = [(4, 13), (5, 30), (10, 170), (20, 500)];

/// Whether more nodes are near a key than chance explains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Crowd {
    /// No, or nothing is known of it.
    #[default]
    None,
    /// It would be chance once in a hundred: enough to look beside them, too.
    Suspected,
    /// Enough to say so.
    Evident,
}

/// How many look-ups the estimate remembers.
const REMEMBERED: usize = 32;

/// Time between two looks at the own neighbours.
const LOOK_AROUND_MS: u64 = 3600 * 1000;

/// The nodes nearest to a cell's key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Neighbourhood {
    /// Nearest first.
    pub nearest: Vec<Contact>,
    /// How many of them are nearer than this node.
    pub place: usize,
    /// Whether more are there than chance explains.
    pub crowd: Crowd,
    /// Those beside the crowd; nobody where there is none. First the [`closer`](Self::closer) ones.
    pub beside: Vec<Contact>,
    /// So many of them have one bit more in common with the key: so few are there that whoever stores reaches nearly all, and whoever
    /// asks one asks somebody who knows.
    pub closer: usize,
}

impl Neighbourhood {
    /// Those who are to keep the cell, no two of one group of addresses: the nearest, and where they crowd also those beside them.
    pub fn keepers(&self) -> Vec<Contact> {
        let mut keepers = Contact::diverse(&self.nearest, &[], CELL_REPLICAS);
        let taken: Vec<_> = keepers.iter().map(|contact| contact.group).collect();
        let others: Vec<Contact> = self.beside.iter().filter(|one| !keepers.contains(one)).cloned().collect();
        keepers.extend(Contact::diverse(&others, &taken, CROWD_REPLICAS));
        keepers
    }

    pub fn is_crowded(&self) -> bool {
        self.crowd > Crowd::None
    }

    /// These and then all others that were found, each once, and not this node.
    pub fn beginning_with(&self, first: &[Contact], own: &NodeId) -> VecDeque<Contact> {
        let mut order: VecDeque<Contact> = VecDeque::new();
        for contact in first.iter().chain(&self.beside).chain(&self.nearest) {
            if contact.node != *own && !order.contains(contact) {
                order.push_back(contact.clone());
            }
        }
        order
    }

    /// On how many nodes a summary is to be stored.
    pub fn replicas(&self) -> usize {
        if self.is_crowded() { CELL_REPLICAS + CROWD_REPLICAS } else { CELL_REPLICAS }
    }
}

/// How far nodes are apart in the hash table, as far as this one knows: in units of 2^-64 of it.
#[derive(Default)]
pub(super) struct Census {
    /// Among the own neighbours.
    around: Option<u64>,
    looked_around: Option<Timestamp>,
    /// Near keys that were looked up.
    elsewhere: VecDeque<u64>,
}

impl Census {
    /// Whether it is time to look at the own neighbours; says yes once in a while.
    pub fn looks_around(&mut self, now: Timestamp) -> bool {
        let is_due = self.looked_around.is_none_or(|at| at.plus_ms(LOOK_AROUND_MS) <= now);
        if is_due {
            self.looked_around = Some(now);
        }
        is_due
    }

    /// Takes in who is nearest to this node itself.
    pub fn saw_around(&mut self, own: &[u8; 32], nearest: &[Contact]) {
        self.around = spacing(own, nearest);
    }

    /// Takes in who is nearest to a key that was looked up in the network.
    pub fn saw(&mut self, place: &[u8; 32], nearest: &[Contact]) {
        let Some(spacing) = spacing(place, nearest) else { return };
        if self.elsewhere.len() >= REMEMBERED {
            self.elsewhere.pop_front();
        }
        self.elsewhere.push_back(spacing);
    }

    /// Of what is seen here and elsewhere, the wider: ids that crowd can only make it less.
    fn spacing(&self) -> Option<u64> {
        let mut sorted: Vec<u64> = self.elsewhere.iter().copied().collect();
        sorted.sort_unstable();
        let median = sorted.get(sorted.len() / 2).copied();
        self.around.max(median)
    }

    /// Whether more nodes are near a place than chance explains.
    pub fn crowd(&self, place: &[u8; 32], nearest: &[Contact]) -> Crowd {
        let Some(spacing) = self.spacing() else { return Crowd::None };
        let is_within = |(count, expected): &(usize, u64)| {
            let farthest = nearest.get(count - 1).map(|contact| distance(place, contact));
            farthest.is_some_and(|far| u128::from(far) * 100 < u128::from(spacing) * u128::from(*expected))
        };
        match (SUSPECTED.iter().any(is_within), EVIDENT.iter().any(is_within)) {
            (_, true) => Crowd::Evident,
            (true, false) => Crowd::Suspected,
            (false, false) => Crowd::None,
        }
    }

    /// Where to look for those who are no part of a crowd around a key.
    pub fn beside(&self, key: &Id) -> Aside {
        let count = u64::try_from(CELL_NODES_MAX).unwrap_or(u64::MAX);
        let width = self.spacing().unwrap_or(u64::MAX).saturating_mul(count);
        Aside { place: place_in_table(&key.0), bits: width.leading_zeros().min(ASIDE_BITS_MAX) }
    }
}

/// Beside a crowd: where nodes share with a place as many leading bits as some [`CELL_NODES_MAX`] have, or one less, since others
/// may reckon with more nodes or fewer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Aside {
    place: [u8; 32],
    bits: u32,
}

impl Aside {
    /// Keys near which they are.
    pub fn keys(&self, key: &Id, rng: &mut impl Rng) -> Vec<Id> {
        (self.bits.saturating_sub(1)..=self.bits).map(|bits| aside(key, bits, rng.next_u64())).collect()
    }

    /// Whether it is one of the closer ones.
    pub fn is_closer(&self, contact: &Contact) -> bool {
        distance(&self.place, contact).leading_zeros() == self.bits
    }

    /// Whether a node is beside the crowd, and not in it.
    pub fn has(&self, contact: &Contact) -> bool {
        distance(&self.place, contact).leading_zeros() <= self.bits
    }
}

/// The mean distance between the nodes near a place; `None` where so few are named that they may be all there are.
fn spacing(place: &[u8; 32], nearest: &[Contact]) -> Option<u64> {
    let farthest = nearest.get(CELL_NODES_MAX - 1)?;
    Some((distance(place, farthest) / u64::try_from(CELL_NODES_MAX).ok()?).max(1))
}

fn distance(place: &[u8; 32], contact: &Contact) -> u64 {
    leading(place) ^ leading(&place_in_table(contact.node.as_bytes()))
}

/// The first 64 bits of a place.
fn leading(place: &[u8; 32]) -> u64 {
    place.iter().take(8).fold(0, |bits, byte| bits << 8 | u64::from(*byte))
}

/// A key beside another whose place has exactly `bits` leading bits in common with the other's; which of them is chance, so that
/// nobody can be near it on purpose. So few nodes have these bits that two who look there find mostly the same.
fn aside(key: &Id, bits: u32, start: u64) -> Id {
    let place = leading(&place_in_table(&key.0));
    let candidates = (0u64..).map(|count| {
        let mut input = b"knack-aside".to_vec();
        input.extend(key.0);
        input.extend(start.wrapping_add(count).to_be_bytes());
        Id::of(&input)
    });
    let shares = |one: &Id| (leading(&place_in_table(&one.0)) ^ place).leading_zeros() == bits;
    // One hash in 2^(bits + 1) does.
    candidates.take(64 << ASIDE_BITS_MAX).find(shares).unwrap_or(*key)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeMap;

    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::*;
    use crate::peer::contact::Group;

    const KEY: Id = Id([7; 32]);

    /// So many nodes with ids as they come.
    fn nodes(count: u32) -> Vec<Contact> {
        let named = |n: u32| Contact::from(NodeId::from_bytes(format!("node {n}").into_bytes()).unwrap());
        (0..count).map(named).collect()
    }

    /// Of many tries those that come nearest to a key: what a crowd does.
    fn crowd(count: usize, tries: u32) -> Vec<Contact> {
        let near = |n: u32| Contact {
            node: NodeId::from_bytes(format!("crowd {n}").into_bytes()).unwrap(),
            group: Group::v4([10, 0, (n % 256) as u8, 1]),
        };
        nearest(&KEY, &(0..tries).map(near).collect::<Vec<_>>(), count)
    }

    fn nearest(key: &Id, nodes: &[Contact], count: usize) -> Vec<Contact> {
        let place = place_in_table(&key.0);
        let by_distance: BTreeMap<u64, &Contact> =
            nodes.iter().map(|node| (distance(&place, node), node)).collect();
        by_distance.into_values().take(count).cloned().collect()
    }

    fn informed(nodes: &[Contact]) -> Census {
        let mut census = Census::default();
        for n in 0..9u8 {
            let key = Id([n; 32]);
            census.saw(&place_in_table(&key.0), &nearest(&key, nodes, 20));
        }
        census
    }

    #[test]
    fn ids_as_they_come_are_no_crowd_and_ids_that_were_sought_are() {
        let honest = nodes(1000);
        let census = informed(&honest);
        let expected = u64::MAX / 1000;
        assert!((expected / 2..expected * 2).contains(&census.spacing().unwrap()));
        let looks = (0..200u8).map(|n| {
            let key = Id([n; 32]);
            census.crowd(&place_in_table(&key.0), &nearest(&key, &honest, 20))
        });
        let looks: Vec<Crowd> = looks.collect();
        assert!(looks.iter().all(|crowd| *crowd < Crowd::Evident), "{looks:?}");
        assert!(looks.iter().filter(|crowd| **crowd == Crowd::Suspected).count() < 12, "{looks:?}");
        let said = |crowd: &[Contact]| {
            let all: Vec<Contact> = honest.iter().chain(crowd).cloned().collect();
            census.crowd(&place_in_table(&KEY.0), &nearest(&KEY, &all, 20))
        };
        for crowd in [crowd(6, 100_000), crowd(12, 60_000), crowd(40, 60_000)] {
            assert_eq!(said(&crowd), Crowd::Evident, "{}", crowd.len());
        }
        assert_eq!(said(&crowd(2, 60_000)), Crowd::Suspected);
        // Also where some of a look-up did not answer, but nothing by who has seen nothing.
        assert_eq!(census.crowd(&place_in_table(&KEY.0), &crowd(9, 60_000)), Crowd::Evident);
        assert_eq!(Census::default().crowd(&place_in_table(&KEY.0), &crowd(20, 60_000)), Crowd::None);
    }

    #[test]
    fn those_beside_a_crowd_are_not_of_it() {
        let (honest, crowd) = (nodes(1000), crowd(100, 400_000));
        let all: Vec<Contact> = honest.iter().chain(&crowd).cloned().collect();
        assert!(nearest(&KEY, &all, 20).iter().filter(|one| crowd.contains(one)).count() >= 18);
        let census = informed(&honest);
        let beside = census.beside(&KEY);
        let asides = beside.keys(&KEY, &mut ChaCha20Rng::from_seed([1; 32]));
        assert_eq!(asides.len(), 2);
        let place = leading(&place_in_table(&KEY.0));
        let shared: Vec<u32> =
            asides.iter().map(|one| (leading(&place_in_table(&one.0)) ^ place).leading_zeros()).collect();
        assert_eq!(shared[0] + 1, shared[1]);
        let share = |bits: u32| {
            honest.iter().filter(|one| distance(&place_in_table(&KEY.0), one).leading_zeros() >= bits).count()
        };
        assert!(share(shared[1]) >= 10 && share(shared[1] + 1) <= 40, "{shared:?}");
        for key in asides {
            let found = nearest(&key, &all, 20);
            let found: Vec<&Contact> = found.iter().filter(|one| beside.has(one)).collect();
            assert!(found.len() >= 8 && found.iter().all(|one| honest.contains(one)), "{}", found.len());
        }
    }

    #[test]
    fn whoever_crowds_around_all_that_is_looked_up_is_seen_by_who_looks_around() {
        let honest = nodes(1000);
        let mut census = Census::default();
        for _ in 0..40 {
            census.saw(&place_in_table(&KEY.0), &crowd(20, 40_000));
        }
        assert_eq!(census.crowd(&place_in_table(&KEY.0), &crowd(20, 40_000)), Crowd::None);
        let own = Id([9; 32]);
        assert!(census.looks_around(Timestamp::EPOCH) && !census.looks_around(Timestamp::EPOCH));
        census.saw_around(&place_in_table(&own.0), &nearest(&own, &honest, 20));
        assert_eq!(census.crowd(&place_in_table(&KEY.0), &crowd(20, 40_000)), Crowd::Evident);
    }

    #[test]
    fn keepers_are_the_nearest_and_where_they_crowd_others_too() {
        let crowd = crowd(20, 30_000);
        let one_subnet: Vec<Contact> =
            crowd.iter().map(|one| Contact { group: Group::v4([10, 0, 0, 1]), ..one.clone() }).collect();
        let beside = nodes(30);
        let calm = Neighbourhood { nearest: beside.clone(), ..Neighbourhood::default() };
        assert_eq!((calm.keepers(), calm.replicas()), (beside[..CELL_REPLICAS].to_vec(), CELL_REPLICAS));
        let crowded =
            Neighbourhood { nearest: one_subnet, place: 0, crowd: Crowd::Suspected, beside, closer: 0 };
        assert_eq!(crowded.keepers().len(), 1 + CROWD_REPLICAS);
    }
}
