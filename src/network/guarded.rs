//! A behaviour whose dials go where strangers say, kept out of networks that are none of theirs; and whose panics are not the end of
//! the node.
//!
//! Whoever tests its reachability names the address to be dialled, and so does who wants to be met without the relay. Without a guard
//! anybody could have this node knock at doors of its own machine or local network, which the stranger cannot reach. Nor is such a
//! behaviour told own addresses in there, which it would name to strangers.

use std::{
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

use crate::network::{
    address,
    address::Scope,
    wrapping::{Dials, TooClose, passes_connections},
};

/// See the module.
pub(super) struct Guarded<B> {
    inner: B,
    /// Nothing closer than this is dialled.
    closest: Scope,
    dials: Dials,
}

/// Whether something came to its end without a panic.
fn withstands(what: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(what)).is_ok()
}

impl<B> Guarded<B> {
    pub(super) fn new(inner: B, closest: Scope) -> Self {
        Guarded { inner, closest, dials: Dials::default() }
    }

    fn admits(&self, address: &Multiaddr) -> bool {
        address::scope(address).is_some_and(|scope| scope >= self.closest)
    }
}

impl<B: NetworkBehaviour> NetworkBehaviour for Guarded<B> {
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
        self.inner.handle_pending_outbound_connection(id, peer, addresses, role)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        self.dials.hear(&event);
        if matches!(&event, FromSwarm::NewExternalAddrCandidate(own) if !self.admits(own.addr)) {
            return;
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
        self.dials.begin(&action);
        action
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use futures::StreamExt;
    use libp2p::{
        Swarm, SwarmBuilder, dcutr, noise, relay,
        swarm::{NewExternalAddrCandidate, SwarmEvent},
        tcp, yamux,
    };
    use tokio::{net::TcpListener, sync::watch, time::timeout};

    use super::*;

    #[derive(NetworkBehaviour)]
    struct BehindRelay {
        relay: relay::client::Behaviour,
        meeting: Guarded<dcutr::Behaviour>,
    }

    /// A node behind a relay that believes it is seen at these addresses.
    fn behind_relay(closest: Scope, seen_at: &[Multiaddr]) -> Swarm<BehindRelay> {
        let builder = SwarmBuilder::with_new_identity().with_tokio();
        let builder = builder.with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default);
        let complete = |key: &libp2p::identity::Keypair, relay| {
            let mut meeting = Guarded::new(dcutr::Behaviour::new(key.public().to_peer_id()), closest);
            for addr in seen_at {
                let own = NewExternalAddrCandidate { addr };
                meeting.on_swarm_event(FromSwarm::NewExternalAddrCandidate(own));
            }
            BehindRelay { relay, meeting }
        };
        let builder = builder.unwrap().with_relay_client(noise::Config::new, yamux::Config::default).unwrap();
        builder.with_behaviour(complete).unwrap().build()
    }

    /// A relay on loopback, and its address.
    async fn relay() -> (Swarm<relay::Behaviour>, Multiaddr) {
        let builder = SwarmBuilder::with_new_identity().with_tokio();
        let builder = builder.with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default);
        let complete = |key: &libp2p::identity::Keypair| {
            relay::Behaviour::new(key.public().to_peer_id(), relay::Config::default())
        };
        let mut relay = builder.unwrap().with_behaviour(complete).unwrap().build();
        relay.listen_on("/ip4/127.0.0.1/tcp/0".parse().unwrap()).unwrap();
        let address = loop {
            if let SwarmEvent::NewListenAddr { address, .. } = relay.select_next_some().await {
                break address;
            }
        };
        relay.add_external_address(address.clone());
        let address = address.with_p2p(*relay.local_peer_id()).unwrap();
        (relay, address)
    }

    /// Which of two doors of this machine are knocked at by a node with that guard, when somebody connects to it through a relay and
    /// names the first, and by that somebody, who would be named the second.
    async fn knocked(closest: Scope) -> [bool; 2] {
        let doors = [door().await, door().await];
        let (mut relay, relay_address) = relay().await;
        // The stranger's transport does not know QUIC: it dials nothing outside of this machine.
        let public = "/ip4/203.0.113.1/udp/9/quic-v1".parse().unwrap();
        let mut node = behind_relay(closest, &[public, doors[1].1.clone()]);
        let mut stranger = behind_relay(Scope::Machine, &[doors[0].1.clone()]);
        tokio::spawn(async move { while relay.next().await.is_some() {} });
        let circuit = relay_address.with(libp2p::multiaddr::Protocol::P2pCircuit);
        node.listen_on(circuit.clone()).unwrap();
        while !matches!(node.select_next_some().await, SwarmEvent::NewListenAddr { .. }) {}
        stranger.dial(circuit.with_p2p(*node.local_peer_id()).unwrap()).unwrap();
        tokio::spawn(async move { while stranger.next().await.is_some() {} });
        let met = async {
            loop {
                let event = node.select_next_some().await;
                if let SwarmEvent::Behaviour(BehindRelayEvent::Meeting(event)) = event {
                    break event.result;
                }
            }
        };
        // No door answers as a node does.
        timeout(Duration::from_secs(60), met).await.unwrap().unwrap_err();
        doors.map(|(knocked, _)| *knocked.borrow())
    }

    /// An address that closes at once what is opened to it, and whether anything was.
    async fn door() -> (watch::Receiver<bool>, Multiaddr) {
        let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("/ip4/127.0.0.1/tcp/{}", door.local_addr().unwrap().port());
        let (knocked, seen) = watch::channel(false);
        tokio::spawn(async move {
            while door.accept().await.is_ok() {
                knocked.send_replace(true);
            }
        });
        (seen, address.parse().unwrap())
    }

    #[tokio::test]
    async fn who_wants_to_be_met_without_the_relay_cannot_have_this_machine_dialled() {
        assert_eq!(knocked(Scope::World).await, [false, false]);
    }

    #[tokio::test]
    async fn who_wants_to_be_met_in_a_network_on_this_machine_is_dialled_there() {
        assert_eq!(knocked(Scope::Machine).await, [true, true]);
    }

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
        let admits = |closest, text: &str| Guarded::new((), closest).admits(&text.parse().unwrap());
        assert!(admits(Scope::World, "/ip4/203.0.113.1/udp/4001/quic-v1"));
        for text in ["/ip4/127.0.0.1/tcp/22", "/ip4/192.168.1.1/tcp/80", "/ip6/::1/tcp/22", "/memory/7"] {
            assert!(!admits(Scope::World, text), "{text}");
        }
        assert!(admits(Scope::Site, "/ip4/192.168.1.1/tcp/4001"), "within a local network");
        assert!(!admits(Scope::Site, "/ip4/127.0.0.1/tcp/22"));
    }
}
