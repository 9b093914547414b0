//! How many inbound connections one address group may have, so that whoever owns a subnet does not own our connections.
//!
//! A group is an IPv4 /24 or an IPv6 /48: what one customer is given. Many honest nodes may share one, so a group is limited
//! and not judged. A connection too many is refused before any cryptography is done; those that stand are served on.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    task::{Context, Poll},
};

use knackmesh_protocol::{limits, peer};
use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    multiaddr::Protocol,
    swarm::{
        ConnectionClosed, ConnectionDenied, ConnectionId, FromSwarm, ListenFailure, NetworkBehaviour,
        THandler, THandlerInEvent, THandlerOutEvent, ToSwarm, dummy,
    },
};

/// How connections are counted by address group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crowding {
    /// Inbound connections from one group, at most [`limits::CONNECTIONS_PER_GROUP_MAX`].
    pub per_group: usize,
    /// Whether this machine itself is a group: it is none, unless that is to be tested.
    pub loopback: bool,
    /// Whether private networks are groups.
    pub private: bool,
}

impl Default for Crowding {
    fn default() -> Self {
        Crowding { per_group: limits::CONNECTIONS_PER_GROUP_MAX, loopback: false, private: true }
    }
}

/// Where a connection comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Group {
    V4([u8; 3]),
    V6([u8; 6]),
    Relayed,
}

/// Counts inbound connections and refuses those too many.
pub(super) struct Behaviour {
    crowding: Crowding,
    /// Those being established and those that stand.
    connections: HashMap<ConnectionId, Group>,
    counts: HashMap<Group, usize>,
    refused: u64,
}

/// A connection too many.
#[derive(Debug, thiserror::Error)]
#[error("too many connections from one address group")]
struct TooMany;

impl Behaviour {
    pub(super) fn new(crowding: Crowding) -> Self {
        Behaviour { crowding, connections: HashMap::new(), counts: HashMap::new(), refused: 0 }
    }

    /// Connections refused so far.
    pub(super) fn refused(&self) -> u64 {
        self.refused
    }

    /// The group of an address in the protocol's terms.
    pub(super) fn party(&self, address: &Multiaddr) -> peer::Group {
        match self.group(address) {
            Some(Group::V4([a, b, c])) => peer::Group::v4([a, b, c, 0]),
            Some(Group::V6(prefix)) => {
                let mut address = [0; 16];
                address[..prefix.len()].copy_from_slice(&prefix);
                peer::Group::v6(address)
            }
            Some(Group::Relayed) => peer::Group::RELAYED,
            None => peer::Group::UNGROUPED,
        }
    }

    fn group(&self, remote: &Multiaddr) -> Option<Group> {
        if remote.iter().any(|part| part == Protocol::P2pCircuit) {
            return Some(Group::Relayed);
        }
        let ip = match remote.iter().next()? {
            Protocol::Ip4(ip) => IpAddr::from(ip),
            Protocol::Ip6(ip) => IpAddr::from(ip).to_canonical(),
            // A circuit names its far end by the peer alone.
            Protocol::P2p(_) => return Some(Group::Relayed),
            _ => return None,
        };
        let private = match ip {
            IpAddr::V4(ip) => ip.is_private() || ip.is_link_local(),
            IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local(),
        };
        if (ip.is_loopback() && !self.crowding.loopback) || (private && !self.crowding.private) {
            return None;
        }
        Some(match ip {
            IpAddr::V4(ip) => {
                let [a, b, c, _] = ip.octets();
                Group::V4([a, b, c])
            }
            IpAddr::V6(ip) => Group::V6(prefix(ip)),
        })
    }

    fn enter(&mut self, id: ConnectionId, remote: &Multiaddr) -> Result<(), ConnectionDenied> {
        if self.connections.contains_key(&id) {
            return Ok(());
        }
        let Some(group) = self.group(remote) else { return Ok(()) };
        let most = match group {
            Group::Relayed => limits::CONNECTIONS_RELAYED_INBOUND_MAX,
            _ => self.crowding.per_group.min(limits::CONNECTIONS_PER_GROUP_MAX),
        };
        let count = self.counts.entry(group).or_default();
        if *count >= most {
            self.refused += 1;
            return Err(ConnectionDenied::new(TooMany));
        }
        *count += 1;
        self.connections.insert(id, group);
        Ok(())
    }

    fn leave(&mut self, id: ConnectionId) {
        let Some(group) = self.connections.remove(&id) else { return };
        if let Some(count) = self.counts.get_mut(&group) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&group);
            }
        }
    }
}

/// The first 48 bits.
fn prefix(ip: Ipv6Addr) -> [u8; 6] {
    let [a, b, c, d, e, f, ..] = ip.octets();
    [a, b, c, d, e, f]
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = std::convert::Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        id: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.enter(id, remote)
    }

    fn handle_established_inbound_connection(
        &mut self,
        id: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.enter(id, remote)?;
        Ok(dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionClosed(ConnectionClosed { connection_id, .. })
            | FromSwarm::ListenFailure(ListenFailure { connection_id, .. }) => self.leave(connection_id),
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn address(text: &str) -> Multiaddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_group_is_limited_and_others_are_served() {
        let mut groups = Behaviour::new(Crowding { per_group: 2, ..Crowding::default() });
        let mut next = 0;
        let mut come = |groups: &mut Behaviour, from: &str| {
            next += 1;
            let id = ConnectionId::new_unchecked(next);
            groups.enter(id, &address(from)).is_ok().then_some(id)
        };
        let first = come(&mut groups, "/ip4/198.51.100.1/tcp/1").unwrap();
        assert!(come(&mut groups, "/ip4/198.51.100.2/udp/1/quic-v1").is_some());
        assert!(come(&mut groups, "/ip4/198.51.100.3/tcp/1").is_none());
        assert!(come(&mut groups, "/ip6/::ffff:198.51.100.4/tcp/1").is_none(), "the same group");
        assert!(come(&mut groups, "/ip4/198.51.101.1/tcp/1").is_some());
        for port in 1..9 {
            assert!(come(&mut groups, &format!("/ip4/127.0.0.1/tcp/{port}")).is_some());
        }
        groups.leave(first);
        assert!(come(&mut groups, "/ip4/198.51.100.3/tcp/1").is_some());
        assert!(come(&mut groups, "/ip6/2001:db8:1:2::1/tcp/1").is_some());
        assert!(come(&mut groups, "/ip6/2001:db8:1:3::1/tcp/1").is_some());
        assert!(come(&mut groups, "/ip6/2001:db8:1:4::1/tcp/1").is_none());
        assert!(come(&mut groups, "/ip6/2001:db8:2:4::1/tcp/1").is_some());
        assert_eq!(groups.refused(), 3);
    }

    #[test]
    fn what_is_left_leaves_nothing_behind() {
        let mut groups = Behaviour::new(Crowding { loopback: true, ..Crowding::default() });
        let id = ConnectionId::new_unchecked(1);
        groups.enter(id, &address("/ip4/127.0.0.1/tcp/1")).unwrap();
        groups.enter(id, &address("/ip4/127.0.0.1/tcp/1")).unwrap();
        assert_eq!(groups.counts.len(), 1);
        groups.leave(id);
        groups.leave(id);
        assert!(groups.counts.is_empty() && groups.connections.is_empty());
    }
}
