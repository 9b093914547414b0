//! How far apart two nodes are in time. One-way, in milliseconds; jitter comes on top, uniformly.

use rand_chacha::ChaCha20Rng;

use crate::streams::below;

/// How long one transmission takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Latency {
    /// Regions on a line, over which nodes are spread in turn.
    Line {
        /// Within a region.
        near_ms: u64,
        /// More, for each region further.
        far_ms: u64,
        /// At most so much more.
        jitter_ms: u32,
    },
    /// The same for any two nodes: evenly between two bounds.
    Uniform {
        /// At least.
        least_ms: u64,
        /// At most.
        most_ms: u64,
    },
    /// A table of regions; each node's own stream draws its region.
    Regions {
        /// How many of a thousand nodes are in each region; what is missing falls to the last.
        shares_permille: Vec<u32>,
        /// From the region of the row to that of the column.
        one_way_ms: Vec<Vec<u64>>,
        /// At most so much more.
        jitter_ms: u32,
    },
    /// A matrix measured between hosts, as the King data set is one: node `i` is host `i` modulo the number of rows.
    Matrix {
        /// From the host of the row to that of the column.
        one_way_ms: Vec<Vec<u64>>,
        /// At most so much more.
        jitter_ms: u32,
    },
}

impl Default for Latency {
    fn default() -> Self {
        Latency::Line { near_ms: 10, far_ms: 45, jitter_ms: 20 }
    }
}

impl Latency {
    /// Where node `number` is, with `regions` regions on a line; `rng` decides where chance does.
    pub fn place(&self, number: u32, regions: u32, rng: &mut ChaCha20Rng) -> u32 {
        match self {
            Latency::Line { .. } => number % regions.max(1),
            Latency::Uniform { .. } => 0,
            Latency::Regions { shares_permille, .. } => {
                let drawn = below(rng, 1000);
                let sums = shares_permille.iter().scan(0, |sum, share| {
                    *sum += share;
                    Some(*sum)
                });
                let below_it = sums.filter(|sum| *sum <= drawn).count();
                u32::try_from(below_it.min(shares_permille.len().saturating_sub(1))).unwrap_or(0)
            }
            Latency::Matrix { one_way_ms, .. } => {
                number % u32::try_from(one_way_ms.len()).unwrap_or(u32::MAX).max(1)
            }
        }
    }

    /// The least time from one place to another. A table that says nothing of the two says 0.
    pub fn least_ms(&self, from: u32, to: u32) -> u64 {
        match self {
            Latency::Line { near_ms, far_ms, .. } => near_ms + far_ms * u64::from(from.abs_diff(to)),
            Latency::Uniform { least_ms, .. } => *least_ms,
            Latency::Regions { one_way_ms, .. } | Latency::Matrix { one_way_ms, .. } => {
                one_way_ms.get(from as usize).and_then(|row| row.get(to as usize)).copied().unwrap_or(0)
            }
        }
    }

    /// Jitter.
    pub fn jitter_ms(&self, rng: &mut ChaCha20Rng) -> u64 {
        let most = match self {
            Latency::Line { jitter_ms, .. }
            | Latency::Regions { jitter_ms, .. }
            | Latency::Matrix { jitter_ms, .. } => *jitter_ms,
            Latency::Uniform { least_ms, most_ms } => {
                u32::try_from(most_ms.saturating_sub(*least_ms)).unwrap_or(u32::MAX)
            }
        };
        u64::from(below(rng, most.saturating_add(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::stream;

    #[test]
    fn regions_have_their_shares_and_their_distances() {
        let one_way_ms = vec![vec![5, 40, 90], vec![40, 6, 120], vec![90, 120, 7]];
        let latency = Latency::Regions { shares_permille: vec![500, 300, 200], one_way_ms, jitter_ms: 0 };
        let mut counts = [0_u32; 3];
        for number in 0..4000 {
            counts[latency.place(number, 1, &mut stream(3, number, "place")) as usize] += 1;
        }
        for (count, share) in counts.into_iter().zip([500, 300, 200]) {
            assert!((count / 4).abs_diff(share) < 30, "{counts:?}");
        }
        assert_eq!([latency.least_ms(0, 2), latency.least_ms(1, 1), latency.least_ms(2, 1)], [90, 6, 120]);
    }

    #[test]
    fn a_matrix_is_dealt_out_by_number_and_a_range_is_kept() {
        let latency = Latency::Matrix { one_way_ms: vec![vec![0, 30], vec![31, 0]], jitter_ms: 0 };
        let mut rng = stream(1, 1, "place");
        let places = [0, 1, 2, 3].map(|number| latency.place(number, 4, &mut rng));
        assert_eq!(places, [0, 1, 0, 1]);
        assert_eq!([latency.least_ms(0, 1), latency.least_ms(1, 0)], [30, 31]);
        let range = Latency::Uniform { least_ms: 20, most_ms: 25 };
        let drawn: std::collections::BTreeSet<u64> =
            (0..200).map(|_| range.least_ms(0, 0) + range.jitter_ms(&mut rng)).collect();
        assert_eq!(drawn, (20..=25).collect());
    }
}
