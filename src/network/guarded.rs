//! A behaviour whose dials go where strangers say, kept out of networks that are none of theirs; and whose panics are not the end of
//! the node.
//!
//! Whoever tests its reachability names the address to be dialled. Without a guard anybody could have this node knock at doors of
//! its own machine or local network, which the stranger cannot reach.

use std::{
    collections::HashSet,
    panic::{AssertUnwindSafe, catch_unwind},
    task::{Context, Poll},
};

use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    swarm::{
        ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
        THandlerOutEvent, ToSwarm,
    },
};

use crate::network::{address, address::Scope};

/// See the module.
pub(super) struct Guarded<B> {
    inner: B,
    /// Nothing closer than this is dialled.
    closest: Scope,
    /// Dials of the behaviour that were not decided yet.
    dials: HashSet<ConnectionId>,
}

/// Whether something came to its end without a panic.
fn withstands(what: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(what)).is_ok()
}

/// A dial of something too close.
#[derive(Debug, thiserror::Error)]
#[error("a stranger named an address within this network")]
struct TooClose;

impl<B> Guarded<B> {
    pub(super) fn new(inner: B, closest: Scope) -> Self {
        Guarded { inner, closest, dials: HashSet::new() }
    }

    fn admits(&self, addresses: &[Multiaddr]) -> bool {
        addresses.iter().all(|address| address::scope(address).is_some_and(|scope| scope >= self.closest))
    }
}

impl<B: NetworkBehaviour> NetworkBehaviour for Guarded<B> {
    type ConnectionHandler = B::ConnectionHandler;
    type ToSwarm = B::ToSwarm;

    fn handle_pending_inbound_connection(
        &mut self,
        id: ConnectionId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.inner.handle_pending_inbound_connection(id, local, remote)
    }

    fn handle_established_inbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner.handle_established_inbound_connection(id, peer, local, remote)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: Option<PeerId>,
        addresses: &[Multiaddr],
        role: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        if self.dials.remove(&id) && !self.admits(addresses) {
            return Err(ConnectionDenied::new(TooClose));
        }
        self.inner.handle_pending_outbound_connection(id, peer, addresses, role)
    }

    fn handle_established_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner.handle_established_outbound_connection(id, peer, address, role, port)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        if let FromSwarm::DialFailure(failure) = &event {
            self.dials.remove(&failure.connection_id);
        }
        self.inner.on_swarm_event(event);
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, id: ConnectionId, event: THandlerOutEvent<Self>) {
        // libp2p-relay 0.22 panics, before it has changed anything, where a relay grants a place whose listener was closed meanwhile.
        if !withstands(|| self.inner.on_connection_handler_event(peer, id, event)) {
            tracing::warn!(%peer, "what it said came too late for libp2p, and is left out");
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        let action = self.inner.poll(cx);
        if let Poll::Ready(ToSwarm::Dial { opts }) = &action {
            self.dials.insert(opts.connection_id());
        }
        action
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_panic_is_not_the_end() {
        let mut done = Vec::new();
        assert!(withstands(|| done.push(1)));
        assert!(!withstands(|| done.pop().map_or((), |_| panic!("as a dependency does"))));
        assert!(withstands(|| done.push(2)));
        assert_eq!(done, [2]);
    }

    #[test]
    fn a_stranger_cannot_have_this_machine_or_its_network_dialled() {
        let admits = |closest, text: &str| Guarded::new((), closest).admits(&[text.parse().unwrap()]);
        assert!(admits(Scope::World, "/ip4/203.0.113.1/udp/4001/quic-v1"));
        for text in ["/ip4/127.0.0.1/tcp/22", "/ip4/192.168.1.1/tcp/80", "/ip6/::1/tcp/22", "/memory/7"] {
            assert!(!admits(Scope::World, text), "{text}");
        }
        assert!(admits(Scope::Site, "/ip4/192.168.1.1/tcp/4001"), "within a local network");
        assert!(!admits(Scope::Site, "/ip4/127.0.0.1/tcp/22"));
    }
}
