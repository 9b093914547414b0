//! Requests and responses. A request needs no connection of its own, but a way: both ends run, on the same side of a
//! partition.

use knackmesh_protocol::{
    id::NodeId,
    limits::REQUEST_TIMEOUT_MS,
    peer::{ChannelId, Failure, Input, RequestId},
};

use crate::{checks::Violation, messages::Read, queue::Event, traffic::Kind, world::World};

/// A request that waits for its response.
pub(super) struct Exchange {
    pub(super) from: u32,
    to: u32,
    request: RequestId,
    kind: Kind,
}

impl World {
    pub(crate) fn send(
        &mut self,
        from: u32,
        request: RequestId,
        to: &NodeId,
        bytes: Vec<u8>,
        read: Option<Read>,
    ) {
        let exchange = self.network.next_exchange;
        self.network.next_exchange += 1;
        let known = self.number(to);
        let number = known.unwrap_or(from);
        let kind = Kind::of_request(&bytes);
        self.network.exchanges.insert(exchange, Exchange { from, to: number, request, kind });
        let linked = self.nodes[from as usize].links.contains(&number);
        let reachable = known.is_some() && self.is_reachable(from, number);
        if !reachable && !linked {
            self.network.dials_failed += 1;
            let silence = match self.scenario.dial_timeout_ms {
                0 => 2 * self.delay(from, number).unwrap_or(0),
                timeout => timeout,
            };
            let failed = Event::Response { exchange, result: Err(Failure::Unreachable), read: None };
            self.queue.push(self.now.plus_ms(silence), failed);
            return;
        }
        let over = Event::Response { exchange, result: Err(Failure::Timeout), read: None };
        self.queue.push(self.now.plus_ms(REQUEST_TIMEOUT_MS), over);
        if !reachable {
            // A neighbour that crashed, which nobody has noticed yet.
            return;
        }
        if let Some(at) = self.transmit(from, number, kind, bytes.len()) {
            // Who is not connected has to connect first.
            let connecting = if linked { None } else { self.connected_at(from, number) };
            let at = connecting.map_or(at, |connected| at.plus_ms(connected.since_ms(self.now)));
            self.queue.push(at, Event::Request { exchange, bytes, read });
        }
    }

    pub(crate) fn request_arrives(
        &mut self,
        exchange: u64,
        bytes: Vec<u8>,
        read: Option<Read>,
    ) -> Result<(), Violation> {
        let Some(Exchange { from, to, .. }) = self.network.exchanges.get(&exchange) else { return Ok(()) };
        let (from, to) = (*from, *to);
        if !self.is_reachable(from, to) {
            return Ok(());
        }
        let from = self.nodes[from as usize].contact();
        self.memo.arrives(&bytes, read);
        self.feed(to, Input::Request { from, channel: ChannelId(exchange), bytes })
    }

    pub(crate) fn respond(
        &mut self,
        from: u32,
        ChannelId(exchange): ChannelId,
        bytes: Vec<u8>,
        read: Option<Read>,
    ) {
        let Some(asked) = self.network.exchanges.get(&exchange) else { return };
        let (to, kind) = (asked.from, asked.kind);
        if asked.to == from
            && self.is_reachable(from, to)
            && let Some(at) = self.transmit(from, to, kind, bytes.len())
        {
            self.queue.push(at, Event::Response { exchange, result: Ok(bytes), read });
        }
    }

    /// The first of response and time-out counts.
    pub(crate) fn response_arrives(
        &mut self,
        exchange: u64,
        result: Result<Vec<u8>, Failure>,
        read: Option<Read>,
    ) -> Result<(), Violation> {
        let Some(Exchange { from, request, .. }) = self.network.exchanges.remove(&exchange) else {
            return Ok(());
        };
        self.memo.arrives(result.as_deref().unwrap_or_default(), read);
        self.feed(from, Input::Response { request, result })
    }
}
