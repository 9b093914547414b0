//! Addresses that strangers name, dialled only as near as somebody has been met.
//!
//! Whoever answers a look-up, or says where it listens, names addresses, and a node dials them. Those in private networks and on the
//! machine itself are either a mistake, which a node at home makes that names its neighbours to the whole world, or somebody's way
//! to have others knock at doors that it cannot reach; and many hosters take a node that dials private networks for a scanner. Among
//! neighbours they are the right ones. So the nearest peer that was met decides: in a network whose nodes are all met on the internet, no
//! private address is dialled because a stranger named it; what the operator names always is.
//!
//! Names of hosts are not guarded: they lead where their owners let them.

use std::{
    ops::{Deref, DerefMut},
    task::{Context, Poll},
};

use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    multiaddr::Protocol,
    swarm::{
        ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
        THandlerOutEvent, ToSwarm,
    },
};

use crate::network::{
    address,
    address::Scope,
    wrapping::{Dials, TooClose, passes_connections},
};

/// See the module.
pub(super) struct Near<B> {
    inner: B,
    /// How near the nearest peer was met; until one is, only the operator's addresses and those of earlier runs are known.
    met: Option<Scope>,
    dials: Dials,
}

impl<B> Near<B> {
    /// `lan` says that the local network is the operator's own.
    pub(super) fn new(inner: B, lan: bool) -> Self {
        Near { inner, met: lan.then_some(Scope::Site), dials: Dials::default() }
    }

    fn meets(&mut self, address: &Multiaddr) {
        // A name says nothing about where the node behind it is.
        let is_ip = matches!(address.iter().next(), Some(Protocol::Ip4(_) | Protocol::Ip6(_)));
        if is_ip && let Some(scope) = address::first_scope(address) {
            self.met = Some(self.met.map_or(scope, |met| met.min(scope)));
        }
    }

    fn admits(&self, address: &Multiaddr) -> bool {
        // A relay that is named by its id alone is one that is known already.
        let is_id = matches!(address.iter().next(), Some(Protocol::P2p(_)));
        self.met.is_none_or(|met| is_id || address::first_scope(address).is_some_and(|scope| scope >= met))
    }
}

impl<B> Deref for Near<B> {
    type Target = B;

    fn deref(&self) -> &B {
        &self.inner
    }
}

impl<B> DerefMut for Near<B> {
    fn deref_mut(&mut self) -> &mut B {
        &mut self.inner
    }
}

impl<B: NetworkBehaviour> NetworkBehaviour for Near<B> {
    type ConnectionHandler = B::ConnectionHandler;
    type ToSwarm = B::ToSwarm;

    passes_connections!(inner, |handler| handler);

    fn handle_pending_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: Option<PeerId>,
        addresses: &[Multiaddr],
        role: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        if self.dials.decides(id) && !addresses.iter().all(|address| self.admits(address)) {
            return Err(ConnectionDenied::new(TooClose));
        }
        let mut named = self.inner.handle_pending_outbound_connection(id, peer, addresses, role)?;
        named.retain(|address| self.admits(address));
        Ok(named)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        self.dials.hear(&event);
        if let FromSwarm::ConnectionEstablished(connection) = &event {
            let address = connection.endpoint.get_remote_address();
            if !address::is_relayed(address) {
                self.meets(address);
            }
        }
        self.inner.on_swarm_event(event);
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, id: ConnectionId, event: THandlerOutEvent<Self>) {
        self.inner.on_connection_handler_event(peer, id, event);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        let action = self.inner.poll(cx);
        self.dials.begin(&action);
        action
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use libp2p::{
        StreamProtocol,
        core::ConnectedPoint,
        kad::{self, store::MemoryStore},
        swarm::behaviour::ConnectionEstablished,
    };

    use super::*;

    const PRIVATE: &str = "/ip4/192.168.1.1/tcp/80";
    const MACHINE: &str = "/ip4/127.0.0.1/tcp/22";
    const PUBLIC: &str = "/ip4/203.0.113.1/udp/4001/quic-v1";
    const HOST: &str = "/dns4/node.example/tcp/4001";

    /// A hash table that knows one peer at these addresses, and the peer.
    fn table() -> (Near<kad::Behaviour<MemoryStore>>, PeerId) {
        let (own, peer) = (PeerId::random(), PeerId::random());
        let name = StreamProtocol::new("/knack/test");
        let table = kad::Behaviour::with_config(own, MemoryStore::new(own), kad::Config::new(name));
        let mut near = Near::new(table, false);
        for address in [PRIVATE, MACHINE, PUBLIC, HOST] {
            near.add_address(&peer, address.parse().unwrap());
        }
        (near, peer)
    }

    fn meet(near: &mut Near<kad::Behaviour<MemoryStore>>, address: &str) {
        let send_back_addr: Multiaddr = address.parse().unwrap();
        let local_addr = MACHINE.parse().unwrap();
        near.on_swarm_event(FromSwarm::ConnectionEstablished(ConnectionEstablished {
            peer_id: PeerId::random(),
            connection_id: ConnectionId::new_unchecked(0),
            endpoint: &ConnectedPoint::Listener { local_addr, send_back_addr },
            failed_addresses: &[],
            other_established: 0,
        }));
    }

    /// The addresses at which the peer would be dialled.
    fn dialled(near: &mut Near<kad::Behaviour<MemoryStore>>, peer: PeerId) -> Vec<String> {
        let id = ConnectionId::new_unchecked(1);
        let named = near.handle_pending_outbound_connection(id, Some(peer), &[], Endpoint::Dialer).unwrap();
        named.iter().cloned().map(|address| address::bare(address).to_string()).collect()
    }

    #[test]
    fn what_strangers_name_is_dialled_as_near_as_somebody_was_met() {
        let (mut near, peer) = table();
        assert_eq!(dialled(&mut near, peer), [PRIVATE, MACHINE, PUBLIC, HOST], "nobody was met");
        meet(&mut near, HOST);
        assert_eq!(dialled(&mut near, peer).len(), 4, "a name says nothing");
        meet(&mut near, "/ip4/198.51.100.7/tcp/4001");
        assert_eq!(dialled(&mut near, peer), [PUBLIC, HOST]);
        meet(&mut near, &format!("/ip4/10.0.0.1/tcp/4001/p2p/{peer}/p2p-circuit"));
        assert_eq!(
            dialled(&mut near, peer),
            [PUBLIC, HOST],
            "who comes through a relay is not met where that is"
        );
        meet(&mut near, "/ip4/10.0.0.1/tcp/4001");
        assert_eq!(dialled(&mut near, peer), [PRIVATE, PUBLIC, HOST]);
        meet(&mut near, "/ip6/::1/tcp/4001");
        assert_eq!(dialled(&mut near, peer), [PRIVATE, MACHINE, PUBLIC, HOST]);
    }

    #[test]
    fn a_relay_that_strangers_name_is_judged_by_its_own_address() {
        let mut near = Near::new((), false);
        near.meets(&PUBLIC.parse().unwrap());
        let peer = PeerId::random();
        let admits = |relay: String| near.admits(&format!("{relay}/p2p-circuit/p2p/{peer}").parse().unwrap());
        assert!(admits(format!("{PUBLIC}/p2p/{peer}")));
        assert!(admits(format!("/p2p/{peer}")), "known already");
        assert!(!admits(format!("{PRIVATE}/p2p/{peer}")));
        assert!(!admits(format!("{MACHINE}/p2p/{peer}")));
        assert!(Near::new((), true).admits(&PRIVATE.parse().unwrap()));
        assert!(!Near::new((), true).admits(&MACHINE.parse().unwrap()));
    }
}
