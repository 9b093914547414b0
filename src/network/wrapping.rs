//! What behaviours around others have in common.

use std::{collections::HashSet, task::Poll};

use libp2p::swarm::{ConnectionId, FromSwarm, ToSwarm};

/// Dials that the behaviour within asked for and that were not decided yet. Those by the node's own hand are not among them.
#[derive(Default)]
pub(super) struct Dials(HashSet<ConnectionId>);

impl Dials {
    /// The behaviour did something: perhaps it dials.
    pub(super) fn begin<E, I>(&mut self, action: &Poll<ToSwarm<E, I>>) {
        if let Poll::Ready(ToSwarm::Dial { opts }) = action {
            self.0.insert(opts.connection_id());
        }
    }

    /// Something happened: perhaps a dial came to nothing.
    pub(super) fn hear(&mut self, event: &FromSwarm<'_>) {
        if let FromSwarm::DialFailure(failure) = event {
            self.0.remove(&failure.connection_id);
        }
    }

    /// Whether this dial is one of them; it is decided now.
    pub(super) fn decides(&mut self, id: ConnectionId) -> bool {
        self.0.remove(&id)
    }
}

/// A dial of something too close.
#[derive(Debug, thiserror::Error)]
#[error("a stranger named an address within this network")]
pub(super) struct TooClose;

/// The methods of a `NetworkBehaviour` that hand established and incoming connections on to the behaviour in the field `$inner`, whose
/// handlers are wrapped by `$wrap`.
macro_rules! passes_connections {
    ($inner:tt, $wrap:expr) => {
        fn handle_pending_inbound_connection(
            &mut self,
            id: ConnectionId,
            local: &Multiaddr,
            remote: &Multiaddr,
        ) -> Result<(), ConnectionDenied> {
            self.$inner.handle_pending_inbound_connection(id, local, remote)
        }

        fn handle_established_inbound_connection(
            &mut self,
            id: ConnectionId,
            peer: PeerId,
            local: &Multiaddr,
            remote: &Multiaddr,
        ) -> Result<THandler<Self>, ConnectionDenied> {
            self.$inner.handle_established_inbound_connection(id, peer, local, remote).map($wrap)
        }

        fn handle_established_outbound_connection(
            &mut self,
            id: ConnectionId,
            peer: PeerId,
            address: &Multiaddr,
            role: Endpoint,
            port: PortUse,
        ) -> Result<THandler<Self>, ConnectionDenied> {
            self.$inner.handle_established_outbound_connection(id, peer, address, role, port).map($wrap)
        }
    };
}

pub(super) use passes_connections;
