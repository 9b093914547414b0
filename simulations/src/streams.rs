//! Random streams, each named by seed, node and purpose, so that no draw of one moves another.

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

/// The stream of `node` for `purpose` in the run of `seed`.
pub fn stream(seed: u64, node: u32, purpose: &str) -> ChaCha20Rng {
    let mut hasher = blake3::Hasher::new_derive_key("knackmesh simulations random stream");
    hasher.update(&seed.to_le_bytes()).update(&node.to_le_bytes()).update(purpose.as_bytes());
    ChaCha20Rng::from_seed(*hasher.finalize().as_bytes())
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
        let mut rng = stream(1, 2, "below");
        assert!((0..1000).all(|_| below(&mut rng, 7) < 7));
    }
}
