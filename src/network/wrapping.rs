//! What behaviours around others have in common.

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
