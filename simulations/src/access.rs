//! How nodes are attached to the network: behind a NAT or not, and by how wide a line.

use rand_chacha::ChaCha20Rng;

use crate::streams::{below, bytes, stream};

/// Who can be reached by whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nat {
    /// How many of a thousand nodes are behind a NAT; which, each node's own stream decides.
    pub behind_permille: u32,
    /// Of a thousand pairs of nodes that are both behind one, how many get through to each other. All others speak
    /// through a relay.
    pub punched_permille: u32,
}

impl Default for Nat {
    /// Nobody is behind a NAT; were they, 70 % of the pairs would get through, as measured for libp2p's DCUtR.
    fn default() -> Self {
        Nat { behind_permille: 0, punched_permille: 700 }
    }
}

impl Nat {
    /// Whether two nodes behind a NAT get through: always the same for the same two.
    pub fn punches(&self, seed: u64, a: u32, b: u32) -> bool {
        let mut rng = stream(seed, a.min(b), &format!("hole punched to {}", a.max(b)));
        below(&mut rng, 1000) < self.punched_permille
    }
}

/// Which of `relays` relays two nodes use, always the same for the same two.
pub fn relay(seed: u64, a: u32, b: u32, relays: usize) -> usize {
    let drawn: [u8; 8] = bytes(&mut stream(seed, a.min(b), &format!("relay to {}", a.max(b))));
    (u64::from_le_bytes(drawn) % relays.max(1) as u64) as usize
}

/// A kind of line, of which so many nodes have one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// How many of a thousand nodes; what is missing falls to the last kind.
    pub share_permille: u32,
    /// Upwards, in kilobits a second.
    pub up_kbit_s: u64,
    /// Downwards, in kilobits a second.
    pub down_kbit_s: u64,
}

impl Line {
    /// The kind of line that a node has; `None` is one without a limit.
    pub fn of(lines: &[Line], rng: &mut ChaCha20Rng) -> Option<Line> {
        let drawn = below(rng, 1000);
        let mut sum = 0;
        let chosen = lines.iter().find(|line| {
            sum += line.share_permille;
            drawn < sum
        });
        chosen.or(lines.last()).copied()
    }
}

/// One direction of a line: until when it is busy, in microseconds since the run began.
#[derive(Clone, Copy, Debug, Default)]
pub struct Queue {
    busy_until_us: u64,
}

impl Queue {
    /// When the last of `bytes` is through, if the first could be at `at_us`.
    pub fn pass(&mut self, at_us: u64, bytes: usize, kbit_s: u64) -> u64 {
        let takes_us = bytes as u64 * 8000 / kbit_s.max(1);
        self.busy_until_us = self.busy_until_us.max(at_us) + takes_us;
        self.busy_until_us
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_serves_one_after_the_other() {
        let mut queue = Queue::default();
        // 1000 bytes at 8 Mbit/s take a millisecond.
        assert_eq!(queue.pass(5000, 1000, 8000), 6000);
        assert_eq!(queue.pass(5000, 1000, 8000), 7000);
        assert_eq!(queue.pass(9000, 1000, 8000), 10_000);
    }

    #[test]
    fn pairs_are_through_or_not_for_good() {
        let nat = Nat { behind_permille: 1000, ..Nat::default() };
        let pairs: Vec<(u32, u32)> = (0..60).flat_map(|a| (0..a).map(move |b| (a, b))).collect();
        let through = pairs.iter().filter(|(a, b)| nat.punches(5, *a, *b)).count();
        assert!((through * 1000 / pairs.len()).abs_diff(700) < 40, "{through} of {}", pairs.len());
        assert!(pairs.iter().all(|(a, b)| nat.punches(5, *a, *b) == nat.punches(5, *b, *a)));
    }
}
