//! How far apart two nodes are in time. One-way, in milliseconds; jitter comes on top, uniformly.

use std::{fmt, sync::Arc};

use rand_chacha::ChaCha20Rng;

use crate::streams::below;

/// How far each of some hosts is from each other, and how much is lost between them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Distances {
    hosts: usize,
    /// Row by row.
    one_way_ms: Vec<u16>,
    /// Row by row, in millionths; empty where nothing is lost.
    lost_ppm: Vec<u32>,
}

impl Distances {
    /// Of so many hosts, by what there is from one to another: milliseconds and lost millionths.
    pub fn new(hosts: usize, mut between: impl FnMut(usize, usize) -> (u16, u32)) -> Self {
        let mut distances = Distances { hosts, ..Distances::default() };
        for (from, to) in (0..hosts).flat_map(|from| (0..hosts).map(move |to| (from, to))) {
            let (one_way_ms, lost_ppm) = between(from, to);
            distances.one_way_ms.push(one_way_ms);
            distances.lost_ppm.push(lost_ppm);
        }
        if distances.lost_ppm.iter().all(|lost| *lost == 0) {
            distances.lost_ppm = Vec::new();
        }
        distances
    }

    /// How many hosts there are.
    pub fn hosts(&self) -> u32 {
        u32::try_from(self.hosts).unwrap_or(u32::MAX)
    }

    /// From one host to another, in milliseconds; 0 where there is no such host.
    pub fn one_way_ms(&self, from: u32, to: u32) -> u64 {
        self.at(from, to).and_then(|at| self.one_way_ms.get(at)).copied().unwrap_or(0).into()
    }

    /// How many of a million transmissions from one host to another are lost.
    pub fn lost_ppm(&self, from: u32, to: u32) -> u32 {
        self.at(from, to).and_then(|at| self.lost_ppm.get(at)).copied().unwrap_or(0)
    }

    /// Whether anything is lost anywhere.
    pub fn is_lossy(&self) -> bool {
        !self.lost_ppm.is_empty()
    }

    /// The host of node `number`: they are dealt out in turn.
    pub fn host(&self, number: u32) -> u32 {
        number % self.hosts().max(1)
    }

    fn at(&self, from: u32, to: u32) -> Option<usize> {
        let (from, to) = (from as usize, to as usize);
        (from < self.hosts && to < self.hosts).then(|| from * self.hosts + to)
    }
}

/// Named by a hash: different distances are written differently, and none fills a screen.
impl fmt::Debug for Distances {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut hasher = blake3::Hasher::new();
        self.one_way_ms.iter().for_each(|ms| {
            hasher.update(&ms.to_le_bytes());
        });
        self.lost_ppm.iter().for_each(|lost| {
            hasher.update(&lost.to_le_bytes());
        });
        write!(f, "Distances({} hosts, {})", self.hosts, hasher.finalize().to_hex())
    }
}

/// The share of transmissions, in millionths, that one of two stretches loses.
pub fn lost_on_both_ppm(first: u32, second: u32) -> u32 {
    let through = u64::from(1_000_000 - first.min(1_000_000)) * u64::from(1_000_000 - second.min(1_000_000));
    1_000_000 - u32::try_from((through + 500_000) / 1_000_000).unwrap_or(0)
}

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
    /// Distances measured between hosts, as the King data set has them, or along the edges of a graph: node `i` is host `i` modulo
    /// the number of hosts.
    Matrix {
        /// From each host to each.
        distances: Arc<Distances>,
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
            Latency::Matrix { distances, .. } => distances.host(number),
        }
    }

    /// How many places there are, with `regions` regions on a line.
    pub fn places(&self, regions: u32) -> u32 {
        match self {
            Latency::Line { .. } => regions.max(1),
            Latency::Uniform { .. } => 1,
            Latency::Regions { shares_permille, .. } => {
                u32::try_from(shares_permille.len()).unwrap_or(u32::MAX)
            }
            Latency::Matrix { distances, .. } => distances.hosts(),
        }
    }

    /// The least time from one place to another. A table that says nothing of the two says 0.
    pub fn least_ms(&self, from: u32, to: u32) -> u64 {
        match self {
            Latency::Line { near_ms, far_ms, .. } => near_ms + far_ms * u64::from(from.abs_diff(to)),
            Latency::Uniform { least_ms, .. } => *least_ms,
            Latency::Regions { one_way_ms, .. } => {
                one_way_ms.get(from as usize).and_then(|row| row.get(to as usize)).copied().unwrap_or(0)
            }
            Latency::Matrix { distances, .. } => distances.one_way_ms(from, to),
        }
    }

    /// Whether more is lost between some places than between others.
    pub fn is_lossy(&self) -> bool {
        matches!(self, Latency::Matrix { distances, .. } if distances.is_lossy())
    }

    /// How many of a million transmissions are lost between two places, whatever else is lost.
    pub fn lost_ppm(&self, from: u32, to: u32) -> u32 {
        match self {
            Latency::Matrix { distances, .. } => distances.lost_ppm(from, to),
            _ => 0,
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
        let distances = Distances::new(2, |from, to| ([[0, 30], [31, 0]][from][to], 0));
        let latency = Latency::Matrix { distances: distances.into(), jitter_ms: 0 };
        let mut rng = stream(1, 1, "place");
        let places = [0, 1, 2, 3].map(|number| latency.place(number, 4, &mut rng));
        assert_eq!(places, [0, 1, 0, 1]);
        assert_eq!([latency.least_ms(0, 1), latency.least_ms(1, 0), latency.least_ms(2, 0)], [30, 31, 0]);
        assert!(!latency.is_lossy());
        let range = Latency::Uniform { least_ms: 20, most_ms: 25 };
        let drawn: std::collections::BTreeSet<u64> =
            (0..200).map(|_| range.least_ms(0, 0) + range.jitter_ms(&mut rng)).collect();
        assert_eq!(drawn, (20..=25).collect());
    }

    #[test]
    fn what_two_stretches_lose_is_less_than_their_sum() {
        assert_eq!(lost_on_both_ppm(0, 20_000), 20_000);
        assert_eq!(lost_on_both_ppm(500_000, 500_000), 750_000);
        assert_eq!(lost_on_both_ppm(1_000_000, 3), 1_000_000);
        let lossy = Distances::new(2, |from, to| (1, if from < to { 7 } else { 0 }));
        assert_eq!([lossy.lost_ppm(0, 1), lossy.lost_ppm(1, 0), lossy.lost_ppm(5, 0)], [7, 0, 0]);
        assert!(lossy.is_lossy());
    }
}
