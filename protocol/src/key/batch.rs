//! Many Ed25519 signatures at once: half the work of one by one.
//!
//! A batch checks one random combination of all equations. It differs from strict verification in three ways, of which two
//! are closed here before it begins: keys and nonces (`R`) of small order are refused, and so are nonces that are not in
//! their one encoding. The third stays: whoever signs can add a small-order part to *its own* key or nonce, and such a
//! signature, which strict verification refuses, passes a batch now and then. That is no forgery (it takes the secret key),
//! and it can only make nodes disagree about that signer's own statement; gossip, where disagreement would be blamed on
//! whoever forwards, is verified strictly. Where a batch fails, strict verification decides on each signature, so that one
//! bad signature costs nobody else anything but time.
//!
//! The combination's factors, of 128 bits, come from a hash over all of the batch: no randomness from the system. Signatures by one
//! key share its part of the sum, which is what the batch of `ed25519-dalek` lacks: of the proofs in summaries, one issuer signed many.
//!
//! Sources: RFC 8032, section 5.1.7; Bernstein et al., High-speed high-security signatures (2012), section 5.

use std::collections::BTreeMap;

use curve25519_dalek::{
    EdwardsPoint, Scalar,
    constants::ED25519_BASEPOINT_POINT,
    edwards::CompressedEdwardsY,
    traits::{IsIdentity, VartimeMultiscalarMul},
};
use sha2::{Digest, Sha512};

use super::{BadSignature, PublicKey, Signature};

/// A signature that is to be verified.
#[derive(Clone, Debug)]
pub struct Unverified<'a> {
    /// Whose it is said to be.
    pub key: PublicKey,
    /// What is said to be signed.
    pub message: &'a [u8],
    /// The signature.
    pub signature: Signature,
}

/// The second coordinates of the points of small order, without the sign bit: 0, 1, -1 and the two of order eight, then 0
/// and 1 in the encodings that are not theirs. `tests` compares them with what the library calls weak.
const SMALL_ORDER: [[u8; 32]; 7] = [
    [0; 32],
    {
        let mut one = [0; 32];
        one[0] = 1;
        one
    },
    edge(0xec),
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a,
        0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5,
        0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    edge(0xed),
    edge(0xee),
];

/// 2^255 - 256 + `low`: 0xec is p - 1, the last coordinate that has one encoding.
const fn edge(low: u8) -> [u8; 32] {
    let mut bytes = [0xff; 32];
    bytes[0] = low;
    bytes[31] = 0x7f;
    bytes
}

/// Verifies all of them, in order. Whatever strict verification accepts is accepted.
pub fn verify_all(all: &[Unverified<'_>]) -> Vec<Result<(), BadSignature>> {
    if all.is_empty() {
        // A sum of nothing takes as many doublings as any.
        return Vec::new();
    }
    let mut batch = Batch::default();
    let mut outcomes: Vec<_> = all.iter().map(|one| batch.admit(one)).collect();
    if !batch.holds(all, &outcomes) {
        for (outcome, one) in outcomes.iter_mut().zip(all) {
            *outcome = one.key.verify(one.message, &one.signature);
        }
    }
    outcomes
}

/// The keys of a batch, each once: its point, and the sum of the factors that it is multiplied by. So a key that signed much is
/// decompressed once, and costs one point of the sum.
#[derive(Default)]
struct Batch {
    keys: BTreeMap<PublicKey, Option<(EdwardsPoint, Scalar)>>,
}

impl Batch {
    /// Refuses what no equation can tell.
    fn admit(&mut self, one: &Unverified<'_>) -> Result<(), BadSignature> {
        let key = self.keys.entry(one.key).or_insert_with(|| {
            if is_of_small_order(one.key.as_bytes()) {
                return None;
            }
            Some((CompressedEdwardsY(*one.key.as_bytes()).decompress()?, Scalar::ZERO))
        });
        if key.is_some() && is_plain(&one.signature) { Ok(()) } else { Err(BadSignature) }
    }

    /// Whether the equations of those admitted hold, in one sum: with the factors z, the challenges k = SHA-512(R, A, M) of RFC
    /// 8032 section 5.1.7, and the base point B,
    ///
    /// -(sum of z s) B + sum of z R + sum of (sum of z k) A, over all signatures and over all keys, is the identity.
    fn holds(mut self, all: &[Unverified<'_>], admitted: &[Result<(), BadSignature>]) -> bool {
        let admitted = || all.iter().zip(admitted).filter(|(_, outcome)| outcome.is_ok()).map(|(one, _)| one);
        let mut seed = blake3::Hasher::new_derive_key("knackmesh/1 factors of a batch of signatures");
        let challenges: Vec<Scalar> = admitted()
            .map(|one| {
                let (nonce, s) = one.signature.0.split_at(32);
                let hash = Sha512::new().chain_update(nonce).chain_update(one.key.as_bytes());
                let hash: [u8; 64] = hash.chain_update(one.message).finalize().into();
                // The challenge covers nonce, key and message. Without `s`, it could be chosen to fit the factors.
                seed.update(&hash).update(s);
                Scalar::from_bytes_mod_order_wide(&hash)
            })
            .collect();
        let mut factors = seed.finalize_xof();
        let mut base = Scalar::ZERO;
        let (mut scalars, mut nonces) =
            (Vec::with_capacity(2 * all.len() + 1), Vec::with_capacity(all.len()));
        for (one, challenge) in admitted().zip(challenges) {
            let mut factor = [0; 16];
            factors.fill(&mut factor);
            let factor = Scalar::from(u128::from_le_bytes(factor));
            let (mut nonce, mut s) = ([0; 32], [0; 32]);
            nonce.copy_from_slice(&one.signature.0[..32]);
            s.copy_from_slice(&one.signature.0[32..]);
            let Some(s) = Scalar::from_canonical_bytes(s).into_option() else { return false };
            let Some(Some((_, sum))) = self.keys.get_mut(&one.key) else { return false };
            base += factor * s;
            *sum += factor * challenge;
            scalars.push(factor);
            nonces.push(CompressedEdwardsY(nonce));
        }
        let keys: Vec<&(EdwardsPoint, Scalar)> = self.keys.values().flatten().collect();
        scalars.extend(keys.iter().map(|(_, sum)| sum));
        scalars.push(-base);
        let nonces = nonces.iter().map(CompressedEdwardsY::decompress);
        let points =
            nonces.chain(keys.iter().map(|(point, _)| Some(*point))).chain([Some(ED25519_BASEPOINT_POINT)]);
        EdwardsPoint::optional_multiscalar_mul(scalars, points).is_some_and(|sum| sum.is_identity())
    }
}

/// Whether a point is of small order, however it is encoded.
fn is_of_small_order(point: &[u8; 32]) -> bool {
    let mut y = *point;
    y[31] &= 0x7f;
    SMALL_ORDER.contains(&y)
}

/// Whether a signature's nonce is not of small order and in its one encoding, as strict verification wants it.
fn is_plain(signature: &Signature) -> bool {
    let mut nonce = [0; 32];
    nonce.copy_from_slice(&signature.0[..32]);
    let is_beyond = nonce[0] > 0xec && nonce[1..31].iter().all(|b| *b == 0xff) && nonce[31] & 0x7f == 0x7f;
    !is_beyond && !is_of_small_order(&nonce)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;
    use crate::key::SecretKey;

    fn key(n: u8) -> SecretKey {
        SecretKey::from_seed([n; 32])
    }

    #[test]
    fn one_bad_signature_costs_only_itself() {
        let messages: Vec<Vec<u8>> = (0..40u8).map(|n| vec![n; 50]).collect();
        let mut all: Vec<Unverified<'_>> = messages
            .iter()
            .map(|message| {
                let key = key(message[0] % 7 + 1);
                Unverified { key: key.public(), message, signature: key.sign(message) }
            })
            .collect();
        assert!(verify_all(&all).iter().all(Result::is_ok));
        assert!(verify_all(&[]).is_empty());
        all[7].signature.0[40] ^= 1;
        all[9].message = b"another";
        all[11].key = PublicKey::from_bytes([2; 32]);
        let bad: Vec<usize> =
            (0..40).zip(verify_all(&all)).filter(|(_, o)| o.is_err()).map(|(n, _)| n).collect();
        assert_eq!(bad, [7, 9, 11]);
    }

    /// What the one sum says, without strict verification to fall back on.
    fn holds(all: &[Unverified<'_>]) -> bool {
        let mut batch = Batch::default();
        let outcomes: Vec<_> = all.iter().map(|one| batch.admit(one)).collect();
        outcomes.iter().all(Result::is_ok) && batch.holds(all, &outcomes)
    }

    #[test]
    fn the_points_of_small_order_are_all_known() {
        for point in curve25519_dalek::constants::EIGHT_TORSION {
            assert!(is_of_small_order(point.compress().as_bytes()));
        }
        for y in SMALL_ORDER {
            assert!(CompressedEdwardsY(y).decompress().unwrap().is_small_order());
        }
        // No other coordinate has a second encoding that is a point of theirs.
        for low in 0xef..=0xff {
            let point = CompressedEdwardsY(edge(low)).decompress();
            assert!(point.is_none_or(|point| !point.is_small_order()), "{low:x}");
        }
    }

    proptest! {
        #[test]
        fn other_points_are_not_taken_for_points_of_small_order(bytes in any::<[u8; 32]>()) {
            let point = CompressedEdwardsY(bytes).decompress();
            prop_assert_eq!(point.is_some_and(|point| point.is_small_order()), is_of_small_order(&bytes));
        }

        #[test]
        fn the_sum_holds_when_every_signature_does(
            signed in prop::collection::vec((0..5u8, prop::collection::vec(any::<u8>(), 0..40)), 1..20),
            which in any::<prop::sample::Index>(),
            change in 0..4usize,
            bit in 0..256usize,
        ) {
            let mut all: Vec<Unverified<'_>> = signed
                .iter()
                .map(|(n, message)| Unverified { key: key(*n).public(), message, signature: key(*n).sign(message) })
                .collect();
            prop_assert!(holds(&all));
            let one = &mut all[which.index(signed.len())];
            match change {
                0 => one.signature.0[bit / 8] ^= 1 << (bit % 8),
                1 => one.signature.0[32 + bit / 8] ^= 1 << (bit % 8),
                2 => one.key = key(9).public(),
                _ => one.message = b"a message that nobody signed, longer than any of them",
            }
            prop_assert!(!holds(&all));
            for (outcome, one) in verify_all(&all).into_iter().zip(&all) {
                prop_assert_eq!(outcome, one.key.verify(one.message, &one.signature));
            }
        }
    }

    #[test]
    fn errors_of_two_signatures_do_not_cancel_out() {
        let messages = [b"one".as_slice(), b"two"];
        let mut all = messages.map(|message| Unverified {
            key: key(1).public(),
            message,
            signature: key(1).sign(message),
        });
        assert!(holds(&all));
        // One more here and one less there leaves the plain sum as it was.
        let add = |signature: &mut Signature, n: Scalar| {
            let mut s = [0; 32];
            s.copy_from_slice(&signature.0[32..]);
            let s = Scalar::from_canonical_bytes(s).unwrap() + n;
            signature.0[32..].copy_from_slice(s.as_bytes());
        };
        add(&mut all[0].signature, Scalar::ONE);
        add(&mut all[1].signature, -Scalar::ONE);
        assert!(!holds(&all));
        assert_eq!(verify_all(&all), [Err(BadSignature); 2]);
    }

    #[test]
    fn what_is_of_small_order_is_refused_before() {
        for y in SMALL_ORDER {
            for sign in [0, 0x80] {
                let mut point = y;
                point[31] |= sign;
                // Where the first coordinate is zero, some decoders refuse the sign.
                if let Ok(key) = ed25519_dalek::VerifyingKey::from_bytes(&point) {
                    assert!(key.is_weak(), "{point:02x?}");
                }
                let mut signature = key(1).sign(b"message");
                signature.0[..32].copy_from_slice(&point);
                let weak_nonce = Unverified { key: key(1).public(), message: b"message", signature };
                let weak_key = Unverified { key: PublicKey::from_bytes(point), ..weak_nonce.clone() };
                assert_eq!(verify_all(&[weak_nonce, weak_key]), [Err(BadSignature); 2]);
            }
        }
        // Under the identity as a key, and with it as the nonce, everything would verify.
        let (identity, mut forged) = (SMALL_ORDER[1], [0; 64]);
        forged[0] = 1;
        let forged = Unverified {
            key: PublicKey::from_bytes(identity),
            message: b"anything",
            signature: Signature(forged),
        };
        assert_eq!(verify_all(&[forged]), [Err(BadSignature)]);
        for low in 0xed..=0xff {
            let mut signature = Signature([1; 64]);
            signature.0[..32].copy_from_slice(&edge(low));
            assert!(!is_plain(&signature));
        }
        let mut signature = Signature([1; 64]);
        signature.0[..32].copy_from_slice(&edge(0xeb));
        assert!(is_plain(&signature));
    }
}
