//! Requests under way, and those that wait for a connection to their peer.
//!
//! A peer that is not connected is dialled at the addresses given. If that fails, it may have moved (a node that
//! restarts often has another port): the distributed hash table is asked once where it is now, which connects to
//! it if anyone near it knows.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

use knackmesh_protocol::limits;
use libp2p::{
    Multiaddr, PeerId,
    request_response::{Event as RpcEvent, Message, OutboundFailure, OutboundRequestId},
    swarm::{DialError, dial_opts::DialOpts},
};

use crate::network::{Event, ReplyTo, RequestFailure, records::Lookup, swarm::Driver};

/// Requests of this node.
#[derive(Default)]
pub(super) struct Requests {
    sent: HashMap<OutboundRequestId, (u64, PeerId)>,
    waiting: BTreeMap<PeerId, Waiting>,
}

/// Requests to one peer that is not connected.
struct Waiting {
    /// Tokens and messages.
    requests: Vec<(u64, Vec<u8>)>,
    until: Instant,
    /// Whether the hash table is being asked for the peer's addresses.
    searching: bool,
}

impl Requests {
    /// Whether a request to the peer is under way.
    pub(super) fn busy(&self, peer: &PeerId) -> bool {
        self.waiting.contains_key(peer) || self.sent.values().any(|(_, other)| other == peer)
    }

    fn waiting(&self) -> usize {
        self.waiting.values().map(|waiting| waiting.requests.len()).sum()
    }
}

impl Driver {
    /// Sends a request, dialling first if need be.
    pub(super) fn request(&mut self, token: u64, peer: PeerId, addresses: Vec<Multiaddr>, bytes: Vec<u8>) {
        if bytes.len() > limits::MESSAGE_BYTES_MAX {
            return self.fail(token, RequestFailure::TooLong);
        }
        if peer == *self.swarm.local_peer_id() {
            return self.fail(token, RequestFailure::Unreachable);
        }
        if self.swarm.is_connected(&peer) {
            let id = self.swarm.behaviour_mut().rpc.send_request(&peer, bytes);
            self.requests.sent.insert(id, (token, peer));
            return;
        }
        if self.requests.waiting() >= limits::REQUESTS_WAITING_MAX {
            return self.fail(token, RequestFailure::Busy);
        }
        let until = Instant::now() + Duration::from_millis(limits::REQUEST_TIMEOUT_MS);
        let waiting = self.requests.waiting.entry(peer);
        let waiting = waiting.or_insert_with(|| Waiting { requests: Vec::new(), until, searching: false });
        waiting.requests.push((token, bytes));
        let dial = DialOpts::peer_id(peer).addresses(addresses).extend_addresses_through_behaviour().build();
        match self.swarm.dial(dial) {
            // A dial under way will report.
            Ok(()) | Err(DialError::DialPeerConditionFalse(_)) => {}
            Err(_) => self.dial_failed(&peer),
        }
    }

    /// A connection to the peer was made: sends what waits for it.
    pub(super) fn send_waiting(&mut self, peer: &PeerId) {
        let Some(waiting) = self.requests.waiting.remove(peer) else { return };
        for (token, bytes) in waiting.requests {
            let id = self.swarm.behaviour_mut().rpc.send_request(peer, bytes);
            self.requests.sent.insert(id, (token, *peer));
        }
    }

    /// A dial of the peer failed: seeks its addresses, once, if requests wait for it.
    pub(super) fn dial_failed(&mut self, peer: &PeerId) {
        let Some(waiting) = self.requests.waiting.get_mut(peer) else { return };
        if !waiting.searching {
            waiting.searching = true;
            if !self.discovery || !self.look_up(Lookup::Peer(*peer)) {
                self.give_up(peer, RequestFailure::Unreachable);
            }
        }
    }

    /// Fails what waits for a connection to the peer.
    pub(super) fn give_up(&mut self, peer: &PeerId, failure: RequestFailure) {
        if let Some(waiting) = self.requests.waiting.remove(peer) {
            for (token, _) in waiting.requests {
                self.fail(token, failure);
            }
        }
    }

    /// Fails what has waited too long.
    pub(super) fn expire_requests(&mut self, now: Instant) {
        let late = self.requests.waiting.iter().filter(|(_, waiting)| waiting.until <= now);
        for peer in late.map(|(peer, _)| *peer).collect::<Vec<_>>() {
            self.give_up(&peer, RequestFailure::Unreachable);
        }
    }

    pub(super) fn on_rpc(&mut self, event: RpcEvent<Vec<u8>, Vec<u8>>) {
        match event {
            RpcEvent::Message { peer, message: Message::Request { request, channel, .. }, .. } => {
                self.emit_from(&peer, |from| Event::Request {
                    from,
                    reply: ReplyTo(channel),
                    bytes: request,
                });
            }
            RpcEvent::Message { message: Message::Response { request_id, response }, .. } => {
                if let Some((token, _)) = self.requests.sent.remove(&request_id) {
                    self.emit(Event::Response { token, result: Ok(response) });
                }
            }
            RpcEvent::OutboundFailure { request_id, error, peer, .. } => {
                tracing::debug!(%peer, %error, "request failed");
                if let Some((token, _)) = self.requests.sent.remove(&request_id) {
                    self.fail(token, failure(&error));
                }
            }
            RpcEvent::InboundFailure { peer, error, .. } => {
                tracing::debug!(%peer, %error, "no response sent")
            }
            RpcEvent::ResponseSent { .. } => {}
        }
    }

    fn fail(&mut self, token: u64, failure: RequestFailure) {
        self.emit(Event::Response { token, result: Err(failure) });
    }
}

fn failure(error: &OutboundFailure) -> RequestFailure {
    match error {
        OutboundFailure::Timeout => RequestFailure::Timeout,
        OutboundFailure::DialFailure | OutboundFailure::ConnectionClosed => RequestFailure::Unreachable,
        OutboundFailure::UnsupportedProtocols => RequestFailure::Refused,
        OutboundFailure::Io(error) => match error.kind() {
            std::io::ErrorKind::FileTooLarge => RequestFailure::TooLong,
            // libp2p's word for too many streams on one connection.
            std::io::ErrorKind::Other => RequestFailure::Busy,
            _ => RequestFailure::Refused,
        },
    }
}
