//! Requests under way, and those that wait for a connection to their peer.
//!
//! A peer that is not connected is dialled at the addresses given. If that fails or takes long, it may have moved
//! (a node that restarts often has another port, and a dial of a dead QUIC port takes five seconds to fail): the
//! distributed hash table is asked where it is now, and what it knows is dialled while it answers.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

use knackmesh_protocol::limits;
use libp2p::{
    Multiaddr, PeerId,
    core::upgrade::NegotiationError,
    request_response::{Event as RpcEvent, Message, OutboundFailure, OutboundRequestId},
    swarm::{
        ConnectionId,
        dial_opts::{DialOpts, PeerCondition},
    },
};

use crate::network::{Event, ReplyTo, RequestFailure, codec::Body, records::Lookup, swarm::Driver};

/// A dial that takes longer makes the network look for other addresses.
const SEARCH_AFTER: Duration = Duration::from_millis(700);
/// Dials of one peer that may be under way at once.
const DIALS_MAX: usize = 4;

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
    since: Instant,
    /// Our dials under way.
    dials: Vec<ConnectionId>,
    search: Search,
}

/// Whether the hash table was asked for a peer's addresses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Search {
    NotYet,
    /// So many look-ups.
    Running(u8),
    Done,
}

impl Requests {
    /// Whether a request to the peer is under way.
    pub(super) fn busy(&self, peer: &PeerId) -> bool {
        self.waiting.contains_key(peer) || self.sent.values().any(|(_, other)| other == peer)
    }

    /// Requests that have no response yet.
    pub(super) fn under_way(&self) -> usize {
        self.sent.len() + self.waiting()
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
            let id = self.swarm.behaviour_mut().rpc.send_request(&peer, Body::own(bytes));
            self.requests.sent.insert(id, (token, peer));
            return;
        }
        if self.requests.waiting() >= limits::REQUESTS_WAITING_MAX {
            return self.fail(token, RequestFailure::Busy);
        }
        let waiting = self.requests.waiting.entry(peer).or_insert_with(|| Waiting {
            requests: Vec::new(),
            since: Instant::now(),
            dials: Vec::new(),
            search: Search::NotYet,
        });
        waiting.requests.push((token, bytes));
        self.dial_waiting(&peer, addresses);
        self.settle(&peer);
    }

    /// Dials a peer for which requests wait, at these addresses and at all that are known.
    pub(super) fn dial_waiting(&mut self, peer: &PeerId, addresses: Vec<Multiaddr>) {
        let Some(waiting) = self.requests.waiting.get_mut(peer) else { return };
        if waiting.dials.len() < DIALS_MAX {
            // Always: a dial under way may be at addresses that are out of date.
            let dial = DialOpts::peer_id(*peer)
                .condition(PeerCondition::Always)
                .addresses(addresses)
                .extend_addresses_through_behaviour()
                .build();
            let id = dial.connection_id();
            if self.swarm.dial(dial).is_ok() {
                waiting.dials.push(id);
            }
        }
    }

    /// Goes on when no dial is left: with the search, or, after it, by giving up.
    fn settle(&mut self, peer: &PeerId) {
        match self.requests.waiting.get(peer) {
            Some(waiting) if waiting.dials.is_empty() => match waiting.search {
                Search::NotYet => self.search(peer),
                Search::Running(_) => {}
                Search::Done => self.give_up(peer),
            },
            _ => {}
        }
    }

    fn search(&mut self, peer: &PeerId) {
        let lookups = [Lookup::Peer(*peer), Lookup::Whereabouts(*peer)];
        let running = match self.discovery {
            true => lookups.into_iter().map(|lookup| u8::from(self.look_up(lookup))).sum(),
            false => 0,
        };
        if let Some(waiting) = self.requests.waiting.get_mut(peer) {
            waiting.search = if running > 0 { Search::Running(running) } else { Search::Done };
        }
        self.settle(peer);
    }

    /// A connection to the peer was made: sends what waits for it.
    pub(super) fn send_waiting(&mut self, peer: &PeerId) {
        let Some(waiting) = self.requests.waiting.remove(peer) else { return };
        for (token, bytes) in waiting.requests {
            let id = self.swarm.behaviour_mut().rpc.send_request(peer, Body::own(bytes));
            self.requests.sent.insert(id, (token, *peer));
        }
    }

    /// A dial of the peer failed.
    pub(super) fn dial_failed(&mut self, peer: &PeerId, id: ConnectionId) {
        if let Some(waiting) = self.requests.waiting.get_mut(peer) {
            waiting.dials.retain(|dial| *dial != id);
            self.settle(peer);
        }
    }

    /// The hash table knows no more of the peer.
    pub(super) fn search_done(&mut self, peer: &PeerId) {
        if let Some(waiting) = self.requests.waiting.get_mut(peer) {
            waiting.search = match waiting.search {
                Search::Running(left @ 2..) => Search::Running(left - 1),
                _ => Search::Done,
            };
            self.settle(peer);
        }
    }

    /// Pursues what waits for a connection, and fails what has waited too long.
    pub(super) fn pursue_requests(&mut self, now: Instant) {
        let patience = Duration::from_millis(limits::REQUEST_TIMEOUT_MS);
        let waiting = self.requests.waiting.iter();
        let waiting: Vec<_> =
            waiting.map(|(peer, w)| (*peer, w.search, now.duration_since(w.since))).collect();
        for (peer, search, age) in waiting {
            match search {
                _ if age >= patience => self.give_up(&peer),
                Search::NotYet if age >= SEARCH_AFTER => self.search(&peer),
                Search::Running(_) => self.dial_waiting(&peer, Vec::new()),
                _ => {}
            }
        }
    }

    /// Fails what waits for a connection to the peer.
    fn give_up(&mut self, peer: &PeerId) {
        if let Some(waiting) = self.requests.waiting.remove(peer) {
            for (token, _) in waiting.requests {
                self.fail(token, RequestFailure::Unreachable);
            }
        }
    }

    pub(super) fn on_rpc(&mut self, event: RpcEvent<Body, Vec<u8>>) {
        match event {
            RpcEvent::Message { peer, message: Message::Request { request, channel, .. }, .. } => {
                self.emit_from_contact(&peer, |from| Event::Request {
                    from,
                    reply: ReplyTo { channel, _held: request.held },
                    bytes: request.bytes,
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
            // It does not speak the protocol, which shows when the response is read.
            _ if error.get_ref().is_some_and(|error| error.is::<NegotiationError>()) => {
                RequestFailure::Refused
            }
            // libp2p's word for too many streams on one connection.
            std::io::ErrorKind::Other => RequestFailure::Busy,
            _ => RequestFailure::Refused,
        },
    }
}
