//! Identifiers: blake3 hashes of canonical bytes, and the identity of a node on the network.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize, de};

use crate::{base58, key::PublicKey, wire};

/// A blake3 hash (32 bytes) of a thing's canonical bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Id(#[serde(with = "wire::fixed_bytes")] pub [u8; 32]);

impl Id {
    /// The id of `canonical` bytes.
    pub fn of(canonical: &[u8]) -> Self {
        Id(*blake3::hash(canonical).as_bytes())
    }

    /// Sixteen hexadecimal digits, enough to tell things apart on a screen.
    pub fn short(&self) -> String {
        self.to_string()[..16].to_owned()
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&wire::hex(&self.0))
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Id({})", self.short())
    }
}

impl FromStr for Id {
    type Err = NotAnId;

    fn from_str(s: &str) -> Result<Self, NotAnId> {
        let bytes = if s.len() == 64 { wire::unhex(s) } else { None };
        Ok(Id(bytes.and_then(|b| b.try_into().ok()).ok_or(NotAnId)?))
    }
}

/// Not 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id: 64 hexadecimal digits expected")]
pub struct NotAnId;

/// A node's identity on the network: the bytes of its libp2p peer id (a multihash, at most 64 bytes).
/// It says nothing of the person behind it and is related to none of the person's keys.
///
/// Copies share the bytes: a node names each of its neighbours in many places.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct NodeId(#[serde(with = "wire::bytes")] Arc<[u8]>);

impl NodeId {
    /// The longest multihash that libp2p uses for peer ids, with room.
    const BYTES_MAX: usize = 64;

    /// Takes a peer id's multihash bytes; `None` when empty or longer than 64 bytes.
    pub fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        (!bytes.is_empty() && bytes.len() <= Self::BYTES_MAX).then(|| NodeId(bytes.into()))
    }

    /// The peer id of the node with this Ed25519 key: the identity multihash of the key in libp2p's protobuf form
    /// (libp2p peer-ids specification).
    pub fn of(key: &PublicKey) -> Self {
        NodeId([ED25519_PREFIX.as_slice(), key.as_bytes()].concat().into())
    }

    /// The multihash bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Identity multihash (0x00) of 36 bytes (0x24): field 1, key type Ed25519 (1); field 2, 32 bytes.
const ED25519_PREFIX: [u8; 6] = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];

impl<'de> Deserialize<'de> for NodeId {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        NodeId::from_bytes(wire::bytes::deserialize(d)?).ok_or_else(|| de::Error::custom("not a peer id"))
    }
}

impl fmt::Display for NodeId {
    /// Base58btc, as libp2p prints peer ids.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base58::encode(&self.0))
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeId({self})")
    }
}
