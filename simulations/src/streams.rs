//! Random streams, each named by seed, node and purpose, so that no draw of one moves another.
//!
//! There are two kinds. [`stream`] is ChaCha20: for keys and for whatever is drawn by code that expects a generator; its state is
//! some 300 bytes. [`Draws`] is for models of a million nodes: two words, and a draw is a few multiplications.

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

/// The stream of `node` for `purpose` in the run of `seed`.
pub fn stream(seed: u64, node: u32, purpose: &str) -> ChaCha20Rng {
    let mut hasher = blake3::Hasher::new_derive_key("knackmesh simulations random stream");
    hasher.update(&seed.to_le_bytes()).update(&node.to_le_bytes()).update(purpose.as_bytes());
    ChaCha20Rng::from_seed(*hasher.finalize().as_bytes())
}

/// The stream of the `n`th entry of its kind in a scenario file, which no node draws from.
pub fn entry(seed: u64, kind: &str, n: usize) -> ChaCha20Rng {
    stream(seed, u32::MAX, &format!("entry {n} of {kind}"))
}

/// The next `N` bytes.
pub fn bytes<const N: usize>(rng: &mut ChaCha20Rng) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill_bytes(&mut bytes);
    bytes
}

/// A number below `n`, which is not zero, even enough for a model.
pub fn below(rng: &mut ChaCha20Rng, n: u32) -> u32 {
    let wide = u64::from(rng.next_u32()) * u64::from(n);
    u32::try_from(wide >> 32).unwrap_or(0)
}

/// A place in a list of `len` things, which is not empty.
pub fn place(rng: &mut ChaCha20Rng, len: usize) -> usize {
    below(rng, u32::try_from(len).unwrap_or(u32::MAX)) as usize
}

/// The streams of all nodes for one purpose: what [`Draws`] are made of.
#[derive(Clone, Copy, Debug)]
pub struct Purpose {
    key: u64,
}

impl Purpose {
    /// The streams for `purpose` in the run of `seed`.
    pub fn new(seed: u64, purpose: &str) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("knackmesh simulations counted draws");
        hasher.update(&seed.to_le_bytes()).update(purpose.as_bytes());
        let mut key = [0; 8];
        key.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        Self { key: u64::from_le_bytes(key) }
    }

    /// The stream of a node, or of whatever else is numbered.
    pub fn of(self, node: u32) -> Draws {
        Draws { key: self.key_of(node), drawn: 0 }
    }

    /// The stream of a node for one of many occasions, each with 2^20 draws.
    pub fn of_occasion(self, node: u32, occasion: u32) -> Draws {
        Draws { drawn: u64::from(occasion) << 20, ..self.of(node) }
    }

    /// A number for each node: different nodes have different ones.
    pub fn key_of(self, node: u32) -> u64 {
        mix(self.key ^ u64::from(node))
    }
}

/// A stream whose draw number `i` is a function of `i` and the stream's key alone: the finaliser of SplitMix64 (Steele, Lea and Flood,
/// 2014), twice, with the key before and between, so that two streams are different permutations and not two parts of one
/// sequence. Even enough for a model; never for keys.
#[derive(Clone, Copy, Debug)]
pub struct Draws {
    key: u64,
    drawn: u64,
}

impl Draws {
    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.drawn += 1;
        mix(mix(self.key ^ self.drawn).wrapping_add(self.key))
    }

    /// A number below `n`, which is not zero; even up to one part in 2^32.
    pub fn below(&mut self, n: u32) -> u32 {
        (((self.bits() >> 32) * u64::from(n)) >> 32) as u32
    }

    /// A number below `n`, which is not zero, that mostly stays when `n` grows by one: it is drawn below the next power of two, again
    /// until it fits.
    pub fn stable_below(&mut self, n: u32) -> u32 {
        let mask = u32::MAX.checked_shr((n - 1).leading_zeros()).unwrap_or(0);
        loop {
            let drawn = self.bits() as u32 & mask;
            if drawn < n {
                return drawn;
            }
        }
    }

    /// A number above zero and no greater than one.
    pub fn unit(&mut self) -> f64 {
        ((self.bits() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    /// Whether something happens that happens `permille` times in a thousand.
    pub fn permille(&mut self, permille: u32) -> bool {
        permille != 0 && self.below(1000) < permille
    }
}

/// A bijection of words in which each bit of the input moves half of those of the output.
fn mix(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ word >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_by_each_part_of_their_name() {
        let draw = |seed, node, purpose| bytes::<8>(&mut stream(seed, node, purpose));
        let first = draw(1, 2, "keys");
        assert_eq!(first, draw(1, 2, "keys"));
        for other in [draw(2, 2, "keys"), draw(1, 3, "keys"), draw(1, 2, "dial")] {
            assert_ne!(first, other);
        }
        assert_ne!(bytes::<8>(&mut entry(1, "queries", 0)), bytes::<8>(&mut entry(1, "queries", 1)));
        let mut rng = stream(1, 2, "below");
        assert!((0..1000).all(|_| below(&mut rng, 7) < 7));
    }

    #[test]
    fn draws_differ_by_each_part_of_their_name_and_are_even() {
        let draw = |seed, node, purpose| Purpose::new(seed, purpose).of(node).bits();
        let first = draw(1, 2, "ids");
        assert_eq!(first, draw(1, 2, "ids"));
        for other in [draw(2, 2, "ids"), draw(1, 3, "ids"), draw(1, 2, "latency")] {
            assert_ne!(first, other);
        }
        let mut draws = Purpose::new(1, "even").of(0);
        let mut counts = [0_u32; 7];
        let mut sum = 0.0;
        for _ in 0..7000 {
            counts[draws.below(7) as usize] += 1;
            sum += draws.unit();
        }
        assert!(counts.iter().all(|count| (850..1150).contains(count)), "{counts:?}");
        assert!((sum / 7000.0 - 0.5).abs() < 0.02, "{sum}");
    }

    #[test]
    fn one_more_to_choose_from_leaves_most_choices() {
        let choose = |n| (0..1000).map(move |i| Purpose::new(1, "choose").of(i).stable_below(n));
        let moved = choose(700).zip(choose(701)).filter(|(a, b)| a != b).count();
        assert!(moved < 10, "{moved}");
        assert!(choose(700).all(|n| n < 700) && choose(1).all(|n| n == 0));
    }
}
