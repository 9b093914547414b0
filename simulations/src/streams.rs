//! Random streams, each named by seed, node and purpose, so that no draw of one moves another.

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

/// A time that is exponentially distributed around `mean`, in its unit: what passes between two events of a Poisson process.
///
/// By von Neumann's comparison of uniform draws, which needs no logarithm, so that every machine draws the same. Of `n`
/// draws that fall in turn, an odd `n` accepts the first as the fraction; each failure adds one whole mean.
pub fn exponential(rng: &mut ChaCha20Rng, mean: u64) -> u64 {
    let mut whole: u64 = 0;
    loop {
        let first = rng.next_u32();
        let (mut last, mut falling) = (first, 1);
        loop {
            let next = rng.next_u32();
            if next >= last {
                break;
            }
            (last, falling) = (next, falling + 1);
        }
        if falling % 2 == 1 {
            let units = (u128::from(whole) << 32) | u128::from(first);
            return u64::try_from((u128::from(mean) * units) >> 32).unwrap_or(u64::MAX);
        }
        whole += 1;
    }
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
        assert_ne!(bytes::<8>(&mut entry(1, "queries", 0)), bytes::<8>(&mut entry(1, "queries", 1)));
        let mut rng = stream(1, 2, "below");
        assert!((0..1000).all(|_| below(&mut rng, 7) < 7));
    }

    #[test]
    fn times_between_events_are_exponential() {
        let mut rng = stream(1, 2, "exponential");
        let drawn: Vec<u64> = (0..20_000).map(|_| exponential(&mut rng, 1_000_000)).collect();
        let mean = drawn.iter().sum::<u64>() / 20_000;
        assert!((980_000..1_020_000).contains(&mean), "{mean}");
        // A share of 1/e is longer than the mean, and of 1/e^2 longer than twice it.
        let longer = |than: u64| drawn.iter().filter(|t| **t > than).count();
        assert!((7150..7570).contains(&longer(1_000_000)), "{}", longer(1_000_000));
        assert!((2560..2860).contains(&longer(2_000_000)), "{}", longer(2_000_000));
    }
}
