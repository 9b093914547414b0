//! The queue of events, ordered by time and, within a millisecond, by the order in which they were scheduled.

use std::{
    collections::{BTreeMap, VecDeque},
    rc::Rc,
};

use knackmesh_protocol::{
    peer::{Command, CommandId, Failure},
    time::Timestamp,
};

use crate::mesh::Control;

/// What will happen.
pub enum Event {
    /// A node starts.
    Start(u32),
    /// A node that comes and goes comes, and will go.
    Arrive(u32),
    /// A node that comes and goes goes, and will come back.
    Depart(u32),
    /// A node stops, by a crash or not.
    Stop { node: u32, crash: bool },
    /// A node notices that a neighbour has gone.
    Gone { at: u32, node: u32 },
    /// Two nodes are connected.
    Link(u32, u32),
    /// A node looks for connections.
    Dial(u32),
    /// One that it was to get does not come.
    DialFailed(u32),
    /// A node's operator wants something.
    Command(u32, CommandId, Box<Command>),
    /// A gossip message arrives.
    Gossip { to: u32, from: u32, message: u32 },
    /// A message between gossip routers arrives.
    Control { to: u32, from: u32, control: Control },
    /// A gossip router's heartbeat.
    Heartbeat(u32),
    /// A request arrives.
    Request { exchange: u64, bytes: Vec<u8> },
    /// A response arrives, or the time for it is over.
    Response { exchange: u64, result: Result<Vec<u8>, Failure> },
    /// A record of the hash table arrives.
    Record { to: u32, key: Rc<[u8]>, value: Rc<[u8]> },
    /// A node's timer.
    Wake(u32),
    /// A hostile node acts of its own accord.
    Act(u32),
}

/// See the module.
#[derive(Default)]
pub struct Queue {
    /// Events of each millisecond that has any, in order. Milliseconds are few and events are many, so that this is quicker
    /// than a heap.
    milliseconds: BTreeMap<Timestamp, VecDeque<Event>>,
}

impl Queue {
    /// Schedules an event.
    pub fn push(&mut self, at: Timestamp, event: Event) {
        self.milliseconds.entry(at).or_default().push_back(event);
    }

    /// The next event that happens no later than `until`.
    pub fn pop(&mut self, until: Timestamp) -> Option<(Timestamp, Event)> {
        loop {
            let mut first = self.milliseconds.first_entry()?;
            let at = *first.key();
            if at > until {
                return None;
            }
            match first.get_mut().pop_front() {
                Some(event) => return Some((at, event)),
                None => first.remove(),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_by_time_then_in_order() {
        let mut queue = Queue::default();
        let at = Timestamp::from_unix_ms;
        for (ms, node) in [(5, 1), (3, 2), (5, 3), (3, 4), (9, 5)] {
            queue.push(at(ms), Event::Wake(node));
        }
        let popped = std::iter::from_fn(|| queue.pop(at(8)));
        let nodes: Vec<u32> =
            popped.filter_map(|(_, e)| if let Event::Wake(n) = e { Some(n) } else { None }).collect();
        assert_eq!(nodes, [2, 4, 1, 3]);
    }
}
