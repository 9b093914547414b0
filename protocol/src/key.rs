//! Ed25519 keys (RFC 8032) and their `did:key` form.
//!
//! Verification is strict: small-order keys and non-canonical signatures are refused, so that every
//! implementation of this protocol agrees on every signature.
//! Source: W3C CCG did:key method; multicodec `ed25519-pub` (0xed); multibase base58btc.

pub mod batch;

mod pem;
mod verifying;

use std::{fmt, str::FromStr};

use ed25519_dalek::Signer;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub use self::verifying::{Algorithm, JwkError, SigningKey, VerifyingKey};
use crate::{base58, limits::DID_BYTES_MAX, wire};

/// The multicodec prefix of an Ed25519 public key, as an unsigned varint.
const ED25519_PUB: [u8; 2] = [0xed, 0x01];

/// An Ed25519 public key: 32 bytes on the wire, a `did:key` in JSON.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() { self.did().serialize(s) } else { wire::fixed_bytes::serialize(&self.0, s) }
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        if d.is_human_readable() {
            let did = Did::deserialize(d)?;
            did.public_key().ok_or_else(|| de::Error::custom("not the did:key of an Ed25519 key"))
        } else {
            wire::fixed_bytes::deserialize(d).map(PublicKey)
        }
    }
}

/// An Ed25519 signature.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Signature(#[serde(with = "wire::fixed_bytes")] pub [u8; 64]);

/// An Ed25519 secret key. Its debug form shows the public key only.
#[derive(Clone)]
pub struct SecretKey(ed25519_dalek::SigningKey);

/// The signature does not belong to this key and these bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct BadSignature;

impl SecretKey {
    /// The key whose seed (RFC 8032 section 5.1.5) is `seed`, which must be secret and uniform.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        SecretKey(ed25519_dalek::SigningKey::from_bytes(&seed))
    }

    /// The seed, for keeping.
    pub fn seed(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// The `did:key` of the public half.
    pub fn did(&self) -> Did {
        self.public().did()
    }

    /// The key number `index` of those that are used once, under which copies of credentials are published: a hash of
    /// this key's seed, so that nobody can tell that two of them are of one person, and nothing need be kept.
    pub fn single_use(&self, index: u32) -> SecretKey {
        let material = [self.seed().as_slice(), &index.to_be_bytes()].concat();
        SecretKey::from_seed(blake3::derive_key("knackmesh/1 single-use key", &material))
    }

    /// Signs `message` as it is; callers separate domains.
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message).to_bytes())
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(of {})", self.public())
    }
}

impl PublicKey {
    /// Takes the 32 bytes of RFC 8032 as they are; [`PublicKey::verify`] refuses those that are no point.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        PublicKey(bytes)
    }

    /// The 32 bytes of RFC 8032.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Strict verification (no small-order keys, no malleable signatures).
    ///
    /// # Errors
    /// [`BadSignature`], also when the key is no point of the curve.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
        let key = ed25519_dalek::VerifyingKey::from_bytes(&self.0).map_err(|_| BadSignature)?;
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        key.verify_strict(message, &signature).map_err(|_| BadSignature)
    }

    /// The key in multibase, `z6Mk...`, as verification methods name it.
    pub fn multibase(&self) -> String {
        let mut bytes = Vec::from(ED25519_PUB);
        bytes.extend_from_slice(&self.0);
        format!("z{}", base58::encode(&bytes))
    }

    /// The key from its multibase form; `None` when it is of another kind or form.
    pub fn from_multibase(text: &str) -> Option<Self> {
        if text.len() > 64 {
            return None;
        }
        let bytes = base58::decode(text.strip_prefix('z')?)?;
        let key = bytes.strip_prefix(&ED25519_PUB)?;
        Some(PublicKey(key.try_into().ok()?))
    }

    /// `did:key:z6Mk...`
    pub fn did(&self) -> Did {
        Did(format!("did:key:{}", self.multibase()))
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.did().0)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.multibase())
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({:02x?}..)", &self.0[..4])
    }
}

/// A decentralized identifier (W3C DID Core), of any method, without path, query or fragment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Did(String);

/// Why a text is no DID.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a DID (did:METHOD:ID): {0}")]
pub struct NotADid(String);

impl Did {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The method's name: `key`, `web`, `jwk`.
    pub fn method(&self) -> &str {
        self.0.split(':').nth(1).unwrap_or_default()
    }

    /// The Ed25519 key that a `did:key` states; `None` for other methods and kinds of key.
    pub fn public_key(&self) -> Option<PublicKey> {
        PublicKey::from_multibase(self.0.strip_prefix("did:key:")?)
    }
}

impl FromStr for Did {
    type Err = NotADid;

    fn from_str(s: &str) -> Result<Self, NotADid> {
        let refuse = || NotADid(s.chars().take(80).collect());
        let (method, id) = s.strip_prefix("did:").and_then(|rest| rest.split_once(':')).ok_or_else(refuse)?;
        let method_ok =
            !method.is_empty() && method.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let id_ok = !id.is_empty()
            && !id.ends_with(':')
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_:%".contains(&b));
        if method_ok && id_ok && s.len() <= DID_BYTES_MAX { Ok(Did(s.to_owned())) } else { Err(refuse()) }
    }
}

impl TryFrom<String> for Did {
    type Error = NotADid;

    fn try_from(s: String) -> Result<Self, NotADid> {
        s.parse()
    }
}

impl From<Did> for String {
    fn from(did: Did) -> String {
        did.0
    }
}

impl fmt::Display for Did {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn did_key_round_trips_and_refuses_other_kinds() {
        // The example of the did:key specification, section "Ed25519".
        let did: Did = "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp".parse().unwrap();
        let key = did.public_key().unwrap();
        assert_eq!(key.did(), did);
        // A P-256 key of the same specification is a DID, but no Ed25519 key.
        let p256: Did = "did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169".parse().unwrap();
        assert_eq!(p256.public_key(), None);
        for bad in
            ["", "did:", "did:key:", "did:Key:z6Mk", "key:z6Mk", "did:web:a b", "did:web:a/b", "did:web:a:"]
        {
            assert!(bad.parse::<Did>().is_err(), "{bad}");
        }
    }

    #[test]
    fn keys_that_are_used_once_differ() {
        let root = SecretKey::from_seed([7; 32]);
        let keys: std::collections::BTreeSet<PublicKey> =
            (0..64).map(|n| root.single_use(n).public()).collect();
        assert_eq!(keys.len(), 64);
        assert_eq!(root.single_use(3).public(), root.clone().single_use(3).public());
        assert!(!keys.contains(&SecretKey::from_seed([8; 32]).single_use(0).public()));
    }

    #[test]
    fn strict_verification() {
        let secret = SecretKey::from_seed([7; 32]);
        let signature = secret.sign(b"message");
        assert!(secret.public().verify(b"message", &signature).is_ok());
        assert!(secret.public().verify(b"massage", &signature).is_err());
        // The identity point is a key of small order: everything would verify under it.
        let mut identity = [0; 32];
        identity[0] = 1;
        let mut forged = [0; 64];
        forged[0] = 1;
        assert!(PublicKey::from_bytes(identity).verify(b"anything", &Signature(forged)).is_err());
    }
}
