//! A behaviour whose protocols are agreed to before anything is sent.
//!
//! Requests go out together with the name of their protocol ([`Version::V1Lazy`]), which is right where an answer is read. What
//! identify tells by itself is not answered: it writes, closes and forgets the stream. Over QUIC that stops the other direction at
//! once, so that the listener's consent can no longer be sent, and the listener gives the stream up with all that it carried.
//!
//! [`Version::V1Lazy`]: libp2p::core::upgrade::Version::V1Lazy

use std::task::{Context, Poll};

use libp2p::{
    Multiaddr, PeerId, Stream,
    core::{Endpoint, transport::PortUse},
    swarm::{
        ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm,
        NetworkBehaviour, SubstreamProtocol, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
        handler::{
            ConnectionEvent, DialUpgradeError, FullyNegotiatedOutbound, OutboundUpgradeSend, UpgradeInfoSend,
        },
    },
};

use crate::network::wrapping::passes_connections;

/// See the module: a behaviour, its handler or what the handler opens.
pub(super) struct Agreed<T>(pub(super) T);

/// The names of a protocol, and the last of them once more: only the last is taken to be agreed to without an answer.
impl<U: UpgradeInfoSend> UpgradeInfoSend for Agreed<U> {
    type Info = U::Info;
    type InfoIter = std::vec::IntoIter<U::Info>;

    fn protocol_info(&self) -> Self::InfoIter {
        let mut names: Vec<U::Info> = self.0.protocol_info().collect();
        names.extend(names.last().cloned());
        names.into_iter()
    }
}

impl<U: OutboundUpgradeSend> OutboundUpgradeSend for Agreed<U> {
    type Output = U::Output;
    type Error = U::Error;
    type Future = U::Future;

    fn upgrade_outbound(self, stream: Stream, name: Self::Info) -> Self::Future {
        self.0.upgrade_outbound(stream, name)
    }
}

impl<H: ConnectionHandler> ConnectionHandler for Agreed<H> {
    type FromBehaviour = H::FromBehaviour;
    type ToBehaviour = H::ToBehaviour;
    type InboundProtocol = H::InboundProtocol;
    type OutboundProtocol = Agreed<H::OutboundProtocol>;
    type InboundOpenInfo = H::InboundOpenInfo;
    type OutboundOpenInfo = H::OutboundOpenInfo;

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol, Self::InboundOpenInfo> {
        self.0.listen_protocol()
    }

    fn connection_keep_alive(&self) -> bool {
        self.0.connection_keep_alive()
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Self::OutboundProtocol, Self::OutboundOpenInfo, Self::ToBehaviour>> {
        self.0.poll(cx).map(|event| event.map_protocol(Agreed))
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Option<Self::ToBehaviour>> {
        self.0.poll_close(cx)
    }

    fn on_behaviour_event(&mut self, event: Self::FromBehaviour) {
        self.0.on_behaviour_event(event);
    }

    fn on_connection_event(
        &mut self,
        event: ConnectionEvent<
            Self::InboundProtocol,
            Self::OutboundProtocol,
            Self::InboundOpenInfo,
            Self::OutboundOpenInfo,
        >,
    ) {
        self.0.on_connection_event(match event {
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound { protocol, info }) => {
                ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound { protocol, info })
            }
            ConnectionEvent::DialUpgradeError(DialUpgradeError { info, error }) => {
                ConnectionEvent::DialUpgradeError(DialUpgradeError { info, error })
            }
            ConnectionEvent::FullyNegotiatedInbound(stream) => {
                ConnectionEvent::FullyNegotiatedInbound(stream)
            }
            ConnectionEvent::ListenUpgradeError(error) => ConnectionEvent::ListenUpgradeError(error),
            ConnectionEvent::AddressChange(change) => ConnectionEvent::AddressChange(change),
            ConnectionEvent::LocalProtocolsChange(change) => ConnectionEvent::LocalProtocolsChange(change),
            ConnectionEvent::RemoteProtocolsChange(change) => ConnectionEvent::RemoteProtocolsChange(change),
            // The enum may grow: what this version does not know, it cannot hand on.
            _ => return,
        });
    }
}

impl<B: NetworkBehaviour> NetworkBehaviour for Agreed<B> {
    type ConnectionHandler = Agreed<B::ConnectionHandler>;
    type ToSwarm = B::ToSwarm;

    passes_connections!(0, Agreed);

    fn handle_pending_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: Option<PeerId>,
        addresses: &[Multiaddr],
        role: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        self.0.handle_pending_outbound_connection(id, peer, addresses, role)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        self.0.on_swarm_event(event);
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, id: ConnectionId, event: THandlerOutEvent<Self>) {
        self.0.on_connection_handler_event(peer, id, event);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        self.0.poll(cx)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use futures::StreamExt;
    use libp2p::{Swarm, identify, relay, swarm::SwarmEvent};

    use crate::network::{
        NetworkConfig,
        behaviour::{Behaviour, BehaviourEvent, swarm},
        near::Near,
    };

    fn node(seed: u8) -> Swarm<Near<Behaviour>> {
        swarm(&NetworkConfig { key_seed: [seed; 32], ..NetworkConfig::default() }, None).unwrap()
    }

    /// What the next peer that says something of itself speaks.
    async fn told(swarm: &mut Swarm<Near<Behaviour>>) -> Vec<libp2p::StreamProtocol> {
        loop {
            if let SwarmEvent::Behaviour(BehaviourEvent::Identify(identify::Event::Received {
                info, ..
            })) = swarm.select_next_some().await
            {
                return info.protocols;
            }
        }
    }

    /// A node turns to relaying while it is connected: its peer hears of it without asking.
    async fn is_heard(listen: &str, seed: u8) {
        let (mut server, mut client) = (node(seed), node(seed + 1));
        server.listen_on(listen.parse().unwrap()).unwrap();
        let address = loop {
            if let SwarmEvent::NewListenAddr { address, .. } = server.select_next_some().await {
                break address;
            }
        };
        client.dial(address).unwrap();
        let relays = |protocols: &[libp2p::StreamProtocol]| protocols.contains(&relay::HOP_PROTOCOL_NAME);
        let exchange = async {
            let mut heard = (false, false);
            while heard != (true, true) {
                tokio::select! {
                    _ = told(&mut server) => heard.0 = true,
                    protocols = told(&mut client) => {
                        assert!(!relays(&protocols));
                        heard.1 = true;
                    }
                }
            }
            server.behaviour_mut().relay.set_status(Some(relay::Status::Enable));
            let serving = async {
                loop {
                    server.select_next_some().await;
                }
            };
            let hearing = async { while !relays(&told(&mut client).await) {} };
            tokio::select! {
                () = serving => {}
                () = hearing => {}
            }
        };
        // Less than the time between two questions.
        tokio::time::timeout(Duration::from_secs(10), exchange).await.expect(listen);
    }

    #[tokio::test]
    async fn what_a_node_says_by_itself_arrives() {
        is_heard("/ip4/127.0.0.1/tcp/0", 71).await;
        for round in 0..8 {
            is_heard("/ip4/127.0.0.1/udp/0/quic-v1", 73 + 2 * round).await;
        }
    }
}
