//! Where nodes are, and how far from each other, when not all are as far from each other as any others.

use std::sync::Arc;

use crate::{
    latency::Distances,
    streams::{Draws, Purpose},
};

/// Times between places, one-way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// How many of a thousand nodes are at each place, which each node's own stream draws; what is missing is at the last.
    /// Without it nodes are dealt out to the places in turn, by number.
    pub shares_permille: Option<Vec<u32>>,
    /// Between the places.
    pub distances: Arc<Distances>,
    /// At most so much more, uniformly, in milliseconds.
    pub jitter_ms: u32,
}

impl Table {
    /// How long a message takes from one node to another, by number, in milliseconds; nothing if it is lost on the way.
    pub(super) fn travel_ms(&self, places: Purpose, from: u32, to: u32, draws: &mut Draws) -> Option<u64> {
        let (from, to) = (self.place(places, from), self.place(places, to));
        let jitter_ms = draws.below(self.jitter_ms.saturating_add(1));
        let lost = self.distances.is_lossy() && draws.below(1_000_000) < self.distances.lost_ppm(from, to);
        (!lost).then(|| self.distances.one_way_ms(from, to) + u64::from(jitter_ms))
    }

    fn place(&self, places: Purpose, number: u32) -> u32 {
        let Some(shares) = &self.shares_permille else { return self.distances.host(number) };
        let mut drawn = places.of(number).below(1000);
        let last = shares.len().saturating_sub(1);
        let within = shares.iter().take(last).position(|share| match drawn.checked_sub(*share) {
            Some(left) => {
                drawn = left;
                false
            }
            None => true,
        });
        u32::try_from(within.unwrap_or(last)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_dealt_out_in_turn_or_by_shares() {
        let distances: Arc<Distances> = Distances::new(3, |from, to| ((10 * from + to) as u16, 0)).into();
        let in_turn = Table { shares_permille: None, distances: distances.clone(), jitter_ms: 0 };
        let places = Purpose::new(1, "place");
        let mut draws = Purpose::new(1, "jitter").of(0);
        assert_eq!(in_turn.travel_ms(places, 1, 5, &mut draws), Some(12));
        let by_share = Table { shares_permille: Some(vec![500, 300, 200]), distances, jitter_ms: 4 };
        let mut counts = [0_u32; 3];
        for number in 0..10_000 {
            counts[by_share.place(places, number) as usize] += 1;
        }
        for (count, share) in counts.into_iter().zip([5000, 3000, 2000]) {
            assert!(count.abs_diff(share) < 200, "{counts:?}");
        }
        let node_in = |place| (0..).find(|number| by_share.place(places, *number) == place).unwrap_or(0);
        let (from, to) = (node_in(2), node_in(1));
        let times = (0..200).map(|_| by_share.travel_ms(places, from, to, &mut draws));
        assert_eq!(times.collect::<std::collections::BTreeSet<_>>(), (21..=25).map(Some).collect());
    }

    #[test]
    fn what_is_lost_on_the_way_does_not_arrive() {
        let distances = Distances::new(2, |from, to| (5, if from == to { 0 } else { 250_000 }));
        let table = Table { shares_permille: None, distances: distances.into(), jitter_ms: 0 };
        let places = Purpose::new(1, "place");
        let mut draws = Purpose::new(1, "loss").of(0);
        let lost = (0..4000).filter(|_| table.travel_ms(places, 0, 1, &mut draws).is_none()).count();
        assert!((900..1100).contains(&lost), "{lost}");
        assert!((0..100).all(|_| table.travel_ms(places, 0, 2, &mut draws) == Some(5)));
    }
}
