//! The trace of a run of the overlay: a running hash that costs a few cycles an event.

use super::settings::Settings;

/// Folds each event into two words; both go through BLAKE3 with the settings and the seed at the end. It tells histories
/// apart; it is not made to resist somebody who looks for two with one hash.
pub struct Trace {
    words: [u64; 2],
    events: u64,
}

impl Default for Trace {
    fn default() -> Self {
        Self { words: [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344], events: 0 }
    }
}

impl Trace {
    /// Takes note of an event: when, of which kind and request, between whom.
    pub fn note(&mut self, at_ms: u64, kind: u8, serial: u32, from: u32, to: u32) {
        self.events += 1;
        let what = u64::from(kind) << 32 | u64::from(serial);
        let whom = u64::from(from) << 32 | u64::from(to);
        let [a, b] = self.words;
        self.words =
            [fold(a ^ at_ms, 0x9e37_79b9_7f4a_7c15 ^ what), fold(b ^ whom, a ^ 0xa409_3822_299f_31d0)];
    }

    /// Events so far.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The hash so far.
    pub fn hash(&self, settings: &Settings, seed: u64) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key("knackmesh simulations overlay trace");
        hasher.update(format!("{settings:?}").as_bytes()).update(&seed.to_le_bytes());
        for word in [self.words[0], self.words[1], self.events] {
            hasher.update(&word.to_le_bytes());
        }
        *hasher.finalize().as_bytes()
    }
}

/// Both halves of a product: each bit of either word moves many of the result.
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64 ^ (product >> 64) as u64).wrapping_add(0x082e_fa98_ec4e_6c89)
}
