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
//! The combination's factors come from a hash over all of the batch: no randomness from the system.

use std::collections::BTreeMap;

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
const SMALL_ORDER: [[u8; 32]; 5] = [
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
    // A key that signed much is decompressed once.
    let mut keys: BTreeMap<PublicKey, Option<ed25519_dalek::VerifyingKey>> = BTreeMap::new();
    let mut batch = Batch::default();
    let mut outcomes = Vec::with_capacity(all.len());
    for one in all {
        let key = *keys.entry(one.key).or_insert_with(|| {
            ed25519_dalek::VerifyingKey::from_bytes(one.key.as_bytes()).ok().filter(|key| !key.is_weak())
        });
        let legal = key.filter(|_| is_plain(&one.signature));
        outcomes.push(legal.map(drop).ok_or(BadSignature));
        if let Some(key) = legal {
            batch.messages.push(one.message);
            batch.signatures.push(ed25519_dalek::Signature::from_bytes(&one.signature.0));
            batch.keys.push(key);
        }
    }
    if ed25519_dalek::verify_batch(&batch.messages, &batch.signatures, &batch.keys).is_err() {
        for (outcome, one) in outcomes.iter_mut().zip(all) {
            *outcome = one.key.verify(one.message, &one.signature);
        }
    }
    outcomes
}

#[derive(Default)]
struct Batch<'a> {
    messages: Vec<&'a [u8]>,
    signatures: Vec<ed25519_dalek::Signature>,
    keys: Vec<ed25519_dalek::VerifyingKey>,
}

/// Whether a signature's nonce is not of small order and in its one encoding, as strict verification wants it.
fn is_plain(signature: &Signature) -> bool {
    let mut y = [0; 32];
    y.copy_from_slice(&signature.0[..32]);
    y[31] &= 0x7f;
    let is_beyond = y[0] > 0xec && y[1..31].iter().all(|b| *b == 0xff) && y[31] == 0x7f;
    !is_beyond && !SMALL_ORDER.contains(&y)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

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
