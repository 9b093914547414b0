//! Addresses and names: multiaddrs that can be dialled, and peer ids as [`NodeId`]s.

use std::{
    io,
    net::{IpAddr, SocketAddr, TcpListener, UdpSocket},
};

use knackmesh_protocol::{id::NodeId, limits};
use libp2p::{Multiaddr, PeerId, multiaddr::Protocol};

use crate::network::NetworkError;

/// How far away an address can be reached from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    Machine,
    Site,
    World,
}

/// Parses an address that a user wrote; the transport must be TCP or QUIC.
pub(super) fn parse(text: &str) -> Result<Multiaddr, NetworkError> {
    text.parse()
        .ok()
        .filter(|address| scope(address).is_some())
        .ok_or_else(|| NetworkError::Address { address: text.to_owned() })
}

/// Parses the addresses of a peer, dropping what cannot be dialled and what exceeds the bounds.
pub(super) fn parse_all(texts: &[String]) -> Vec<Multiaddr> {
    texts
        .iter()
        .filter(|text| text.len() <= limits::ADDRESS_BYTES_MAX)
        .filter_map(|text| parse(text).ok())
        .take(limits::ADDRESSES_MAX)
        .collect()
}

/// Whom the address names with its last `/p2p/`.
pub(super) fn peer_in(address: &Multiaddr) -> Option<PeerId> {
    match address.iter().last() {
        Some(Protocol::P2p(peer)) => Some(peer),
        _ => None,
    }
}

/// The address without its last `/p2p/`.
pub(super) fn bare(mut address: Multiaddr) -> Multiaddr {
    if peer_in(&address).is_some() {
        address.pop();
    }
    address
}

/// The scope of an address that our transports can dial; `None` for any other.
pub(super) fn scope(address: &Multiaddr) -> Option<Scope> {
    let mut parts = address.iter();
    let scope = match parts.next()? {
        Protocol::Ip4(ip) => ip_scope(ip.into()),
        Protocol::Ip6(ip) => ip_scope(ip.into()),
        Protocol::Dns(_) | Protocol::Dns4(_) | Protocol::Dns6(_) => Scope::World,
        _ => return None,
    };
    match parts.next()? {
        Protocol::Tcp(_) => {}
        Protocol::Udp(_) if parts.next() == Some(Protocol::QuicV1) => {}
        _ => return None,
    }
    match (parts.next(), parts.next()) {
        (None | Some(Protocol::P2p(_)), None) => Some(scope),
        _ => None,
    }
}

/// The scope of what is dialled first: the address itself, or the relay that it leads through. `None` where that is neither an IP address
/// nor a name that our transports can dial.
pub(super) fn first_scope(address: &Multiaddr) -> Option<Scope> {
    scope(&address.iter().take_while(|part| *part != Protocol::P2pCircuit).collect())
}

/// Whose address this is, if it is one through a relay that our transports can dial.
pub(super) fn via_relay(address: &Multiaddr) -> Option<PeerId> {
    let mut relay = Multiaddr::empty();
    let mut parts = address.iter();
    for part in parts.by_ref().take_while(|part| *part != Protocol::P2pCircuit) {
        relay.push(part);
    }
    match (parts.next(), parts.next()) {
        (Some(Protocol::P2p(peer)), None) if peer_in(&relay).is_some() && scope(&relay).is_some() => {
            Some(peer)
        }
        _ => None,
    }
}

/// Whether the address leads through a relay; a far end that came through one is known by its peer id alone.
pub(super) fn is_relayed(address: &Multiaddr) -> bool {
    address.iter().any(|part| part == Protocol::P2pCircuit)
        || matches!(address.iter().next(), Some(Protocol::P2p(_)))
}

fn ip_scope(ip: IpAddr) -> Scope {
    // An IPv4 address in IPv6's clothes leads where it led.
    let ip = ip.to_canonical();
    let site = match ip {
        IpAddr::V4(ip) => ip.is_private() || ip.is_link_local() || ip.is_unspecified(),
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_unspecified(),
    };
    match ip.is_loopback() {
        true => Scope::Machine,
        false if site => Scope::Site,
        false => Scope::World,
    }
}

/// The addresses worth remembering of those that a peer says it listens on, when its connection has the scope
/// `via`: a peer met on the internet is not dialled on a private network that is not its own.
pub(super) fn useful(claimed: &[Multiaddr], via: Scope) -> Vec<Multiaddr> {
    let mut addresses: Vec<Multiaddr> = claimed
        .iter()
        .filter(|address| address.len() <= limits::ADDRESS_BYTES_MAX)
        .filter(|address| scope(address).is_some_and(|scope| scope >= via))
        .cloned()
        .map(bare)
        .take(limits::ADDRESSES_MAX)
        .collect();
    addresses.sort();
    addresses.dedup();
    addresses
}

/// Checks that nobody listens on an address. libp2p would share a TCP port in silence with any program of the
/// same user that allows it (SO_REUSEPORT), a second node included.
pub(super) fn check_free(address: &Multiaddr) -> io::Result<()> {
    let mut parts = address.iter();
    let ip = match parts.next() {
        Some(Protocol::Ip4(ip)) => IpAddr::from(ip),
        Some(Protocol::Ip6(ip)) => IpAddr::from(ip),
        _ => return Ok(()),
    };
    match parts.next() {
        Some(Protocol::Tcp(port)) if port > 0 => TcpListener::bind(SocketAddr::new(ip, port)).map(drop),
        Some(Protocol::Udp(port)) if port > 0 => UdpSocket::bind(SocketAddr::new(ip, port)).map(drop),
        _ => Ok(()),
    }
}

/// A peer id as a node; `None` for a multihash longer than those of keys.
pub(super) fn node_of(peer: &PeerId) -> Option<NodeId> {
    NodeId::from_bytes(peer.to_bytes())
}

/// A node as a peer id; `None` when its bytes are no peer id.
pub(super) fn peer_of(node: &NodeId) -> Option<PeerId> {
    PeerId::from_bytes(node.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn addresses_have_scopes() {
        let peer = PeerId::random();
        for (text, expected) in [
            ("/ip4/127.0.0.1/tcp/4001", Some(Scope::Machine)),
            ("/ip6/::1/udp/4001/quic-v1", Some(Scope::Machine)),
            ("/ip6/::ffff:127.0.0.1/tcp/22", Some(Scope::Machine)),
            ("/ip4/192.168.1.2/tcp/4001", Some(Scope::Site)),
            ("/ip6/fe80::1/tcp/1", Some(Scope::Site)),
            ("/ip4/9.9.9.9/udp/4001/quic-v1", Some(Scope::World)),
            ("/dns/example.org/tcp/4001", Some(Scope::World)),
            (&format!("/ip4/9.9.9.9/tcp/1/p2p/{peer}"), Some(Scope::World)),
            (&format!("/ip4/9.9.9.9/tcp/1/p2p/{peer}/p2p-circuit"), None),
            ("/ip4/9.9.9.9/udp/4001", None),
            ("/ip4/9.9.9.9/tcp/4001/ws", None),
            ("/memory/1", None),
            ("/ip4/9.9.9.9", None),
        ] {
            assert_eq!(scope(&text.parse().unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn an_address_through_a_relay_names_whose_it_is() {
        let (peer, relay) = (PeerId::random(), PeerId::random());
        let of = |text: String| via_relay(&text.parse().unwrap());
        let direct = "/ip4/203.0.113.1/tcp/1";
        assert_eq!(of(format!("{direct}/p2p/{relay}/p2p-circuit/p2p/{peer}")), Some(peer));
        for other in [
            format!("{direct}/p2p/{relay}/p2p-circuit"),
            format!("{direct}/p2p-circuit/p2p/{peer}"),
            format!("{direct}/p2p/{peer}"),
            format!("/p2p/{relay}/p2p-circuit/p2p/{peer}"),
            format!("{direct}/p2p/{relay}/p2p-circuit/p2p/{peer}/p2p-circuit/p2p/{peer}"),
        ] {
            assert_eq!(of(other.clone()), None, "{other}");
        }
    }

    #[test]
    fn private_addresses_are_useful_within_their_network_only() {
        let claimed: Vec<Multiaddr> =
            ["/ip4/127.0.0.1/tcp/1", "/ip4/10.0.0.1/tcp/1", "/ip4/9.9.9.9/tcp/1", "/ip4/9.9.9.9/tcp/1/ws"]
                .map(|text| text.parse().unwrap())
                .to_vec();
        let count = |via| useful(&claimed, via).len();
        assert_eq!((count(Scope::Machine), count(Scope::Site), count(Scope::World)), (3, 2, 1));
        let flood: Vec<Multiaddr> =
            (1..100).map(|p| format!("/ip4/9.9.9.9/tcp/{p}").parse().unwrap()).collect();
        assert_eq!(useful(&flood, Scope::World).len(), limits::ADDRESSES_MAX);
    }

    #[test]
    fn nodes_are_peer_ids() {
        let peer = PeerId::random();
        let node = node_of(&peer).unwrap();
        assert_eq!(peer_of(&node), Some(peer));
        assert_eq!(node.to_string(), peer.to_string());
        assert_eq!(peer_of(&NodeId::from_bytes(vec![1, 2, 3]).unwrap()), None);
    }

    #[test]
    fn users_addresses_are_parsed_or_refused() {
        assert!(parse("/ip4/0.0.0.0/tcp/0").is_ok());
        for text in ["", "localhost:4001", "/ip4/1.2.3.4/udp/1", "/unix/x"] {
            assert!(parse(text).unwrap_err().to_string().contains("quic-v1"), "{text}");
        }
    }
}
