//! Where a node that cannot be reached is to be found: a record of the hash table that names its relays.
//!
//! The key is `/knack-at/` and the peer id in base58; the value a peer record of libp2p (RFC 0003) in a signed envelope
//! (RFC 0002), whose sequence is the time in seconds. Only addresses through relays are in it, so that it ties the node to no IP
//! address of its own.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use knackmesh_protocol::{limits, time::Timestamp};
use libp2p::{
    Multiaddr, PeerId,
    core::{PeerRecord, SignedEnvelope},
};

use crate::network::{address, swarm::Driver};

/// What the keys begin with.
const PREFIX: &str = "/knack-at/";

/// The key under which a node's relays stand.
pub(super) fn key(peer: &PeerId) -> Vec<u8> {
    format!("{PREFIX}{peer}").into_bytes()
}

/// Whether a key is of this kind, whatever its value.
pub(super) fn is_key(key: &[u8]) -> bool {
    key.starts_with(PREFIX.as_bytes())
}

/// What a record says.
pub(super) struct Whereabouts {
    pub(super) peer: PeerId,
    pub(super) addresses: Vec<Multiaddr>,
    signed: Duration,
}

impl Whereabouts {
    /// Reads a record that stands under `key`. `None` when it is another's, was not signed by its node, is too old, or names
    /// anything but a few addresses through relays.
    pub(super) fn read(key_found: &[u8], value: &[u8], now: Duration) -> Option<Self> {
        let envelope = SignedEnvelope::from_protobuf_encoding(value).ok()?;
        let record = PeerRecord::from_signed_envelope_interop(envelope).ok()?;
        let (peer, signed) = (record.peer_id(), Duration::from_secs(record.seq()));
        let (ahead, age) =
            (Duration::from_millis(limits::CLOCK_SKEW_MAX_MS), Duration::from_millis(limits::WHEREABOUTS_MS));
        let is_fresh = signed <= now + ahead && signed + age > now;
        let addresses = record.addresses().to_vec();
        let fits = |a: &Multiaddr| {
            a.to_string().len() <= limits::ADDRESS_BYTES_MAX && address::via_relay(a) == Some(peer)
        };
        let is_plain = addresses.len() <= limits::ADDRESSES_MAX && addresses.iter().all(fits);
        (key(&peer) == key_found && is_fresh && is_plain).then_some(Whereabouts { peer, addresses, signed })
    }

    /// Until when it is kept.
    pub(super) fn expires(&self) -> Timestamp {
        Timestamp::from_unix_ms(self.signed.as_millis() as u64 + limits::WHEREABOUTS_MS)
    }

    /// Whether it takes the place of another.
    pub(super) fn replaces(&self, other: &Whereabouts) -> bool {
        self.signed >= other.signed
    }
}

/// The time since 1970.
pub(super) fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

impl Driver {
    /// Signs a record of the relays anew and puts it into the hash table.
    pub(super) fn publish_whereabouts(&mut self) {
        let addresses = self.reached.relayed();
        if addresses.is_empty() || !self.discovery {
            return;
        }
        match PeerRecord::new_interop(&self.key, addresses) {
            Ok(record) => {
                let value = record.into_signed_envelope().into_protobuf_encoding();
                let expires = since_1970().as_millis() as u64 + limits::WHEREABOUTS_MS;
                let key = key(self.swarm.local_peer_id());
                self.put_record(key, value, Timestamp::from_unix_ms(expires));
            }
            Err(error) => tracing::warn!(%error, "the record of the relays is not signed"),
        }
    }

    /// Puts the record on nobody any more; what others keep ends by itself.
    pub(super) fn withdraw_whereabouts(&mut self) {
        let key = key(self.swarm.local_peer_id());
        self.records.unpublish(&key);
    }

    /// Keeps another node's record, if it is good and not older than what is kept.
    pub(super) fn keep_whereabouts(&mut self, key: Vec<u8>, value: Vec<u8>) {
        let now = since_1970();
        let Some(offered) = Whereabouts::read(&key, &value, now) else {
            tracing::debug!("a record of relays was refused");
            return;
        };
        let held = self.held_record(&key).and_then(|held| Whereabouts::read(&key, &held, now));
        if held.is_none_or(|held| offered.replaces(&held)) {
            self.store_record(key, value, offered.expires());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use libp2p::identity::Keypair;

    use super::*;

    #[test]
    fn only_a_fresh_record_of_the_node_itself_about_relays_is_read() {
        let (own, other) = (Keypair::generate_ed25519(), Keypair::generate_ed25519());
        let (peer, relay) = (own.public().to_peer_id(), other.public().to_peer_id());
        let circuit = |peer: PeerId| -> Multiaddr {
            format!("/ip4/203.0.113.1/udp/4001/quic-v1/p2p/{relay}/p2p-circuit/p2p/{peer}").parse().unwrap()
        };
        let signed = |by: &Keypair, addresses: Vec<Multiaddr>| {
            PeerRecord::new_interop(by, addresses).unwrap().into_signed_envelope().into_protobuf_encoding()
        };
        let now = since_1970();
        let good = signed(&own, vec![circuit(peer)]);
        let read = Whereabouts::read(&key(&peer), &good, now).unwrap();
        assert_eq!((read.peer, read.addresses.len()), (peer, 1));
        assert!(Whereabouts::read(&key(&relay), &good, now).is_none(), "another's key");
        let hours = |n: u64| Duration::from_secs(n * 3600);
        assert!(Whereabouts::read(&key(&peer), &good, now + hours(2)).is_none(), "too old");
        assert!(Whereabouts::read(&key(&peer), &good, now - hours(1)).is_none(), "of the future");
        let mut changed = good.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert!(Whereabouts::read(&key(&peer), &changed, now).is_none(), "changed");
        for addresses in [
            vec!["/ip4/203.0.113.1/udp/4001/quic-v1".parse().unwrap()],
            vec![circuit(relay)],
            vec![circuit(peer); limits::ADDRESSES_MAX + 1],
        ] {
            assert!(Whereabouts::read(&key(&peer), &signed(&own, addresses), now).is_none());
        }
    }
}
