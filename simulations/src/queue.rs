//! The queue of events, ordered by time and, within a millisecond, by the order in which they were scheduled.

use std::{
    collections::{BTreeMap, VecDeque},
    rc::Rc,
};

use knackmesh_protocol::{
    peer::{Command, CommandId, Contact, Failure, LookUpId},
    time::Timestamp,
};

use crate::{mesh::Control, messages::Read};

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
    /// Whom a node asked for more nodes has answered.
    Answered(u32, u32),
    /// One that it was to get does not come.
    DialFailed(u32, u32),
    /// A node's operator wants something.
    Command(u32, CommandId, Box<Command>),
    /// A gossip message arrives.
    Gossip { to: u32, from: u32, message: u32 },
    /// A message between gossip routers arrives.
    Control { to: u32, from: u32, control: Control },
    /// A gossip router's heartbeat.
    Heartbeat(u32),
    /// A request arrives.
    Request { exchange: u64, bytes: Vec<u8>, read: Option<Read> },
    /// A response arrives, or the time for it is over.
    Response { exchange: u64, result: Result<Vec<u8>, Failure>, read: Option<Read> },
    /// A record of the hash table arrives.
    Record { to: u32, key: Rc<[u8]>, value: Rc<[u8]> },
    /// A look-up comes to an end: whom it found, and how many of them are nearer than the node itself.
    Closest { node: u32, look_up: LookUpId, nodes: Vec<Contact>, place: usize },
    /// A node's timer.
    Wake(u32),
    /// A hostile node acts of its own accord.
    Act(u32),
}

/// Milliseconds from the present on of which each has a place of its own.
const NEAR_MS: u64 = 1024;
/// Rows that are kept to be used again.
const SPARE_MAX: usize = 1024;

/// See the module.
///
/// The events of a millisecond stand in a row, in order: milliseconds are few and events are many. The rows of the next second
/// are found by their instant alone. Rows are used again, so that they rarely grow.
pub struct Queue {
    /// The present: nothing before it is left.
    now_ms: u64,
    /// The rows of the near milliseconds, each at its instant modulo their number.
    near: Vec<VecDeque<Event>>,
    /// How many events those hold.
    waiting: usize,
    /// The rows of later milliseconds.
    far: BTreeMap<u64, VecDeque<Event>>,
    spare: Vec<VecDeque<Event>>,
}

impl Default for Queue {
    fn default() -> Self {
        let near = (0..NEAR_MS).map(|_| VecDeque::new()).collect();
        Queue { now_ms: 0, near, waiting: 0, far: BTreeMap::new(), spare: Vec::new() }
    }
}

impl Queue {
    /// Schedules an event. What is scheduled for an instant that is over happens now.
    pub fn push(&mut self, at: Timestamp, event: Event) {
        let at_ms = at.unix_ms().max(self.now_ms);
        if at_ms - self.now_ms < NEAR_MS {
            self.waiting += 1;
            self.near[place(at_ms)].push_back(event);
        } else {
            let spare = &mut self.spare;
            self.far.entry(at_ms).or_insert_with(|| spare.pop().unwrap_or_default()).push_back(event);
        }
    }

    /// The next event that happens no later than `until`.
    pub fn pop(&mut self, until: Timestamp) -> Option<(Timestamp, Event)> {
        let until_ms = until.unix_ms();
        loop {
            if self.now_ms > until_ms {
                return None;
            }
            if let Some(event) = self.near[place(self.now_ms)].pop_front() {
                self.waiting -= 1;
                return Some((Timestamp::from_unix_ms(self.now_ms), event));
            }
            let next_ms = match (self.waiting, self.far.first_key_value()) {
                (0, None) => return None,
                (0, Some((first_ms, _))) => *first_ms,
                (_, _) => self.now_ms + 1,
            };
            if next_ms > until_ms {
                return None;
            }
            self.now_ms = next_ms;
            self.draw_near();
        }
    }

    /// Gives the milliseconds that have come near their places. Whatever is pushed there comes after what waited for them.
    fn draw_near(&mut self) {
        while let Some(first) = self.far.first_entry()
            && *first.key() - self.now_ms < NEAR_MS
        {
            let (at_ms, mut row) = first.remove_entry();
            self.waiting += row.len();
            self.near[place(at_ms)].append(&mut row);
            if self.spare.len() < SPARE_MAX {
                self.spare.push(row);
            }
        }
    }
}

const fn place(at_ms: u64) -> usize {
    (at_ms % NEAR_MS) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::{below, stream};

    fn node(event: &Event) -> u32 {
        match event {
            Event::Wake(node) => *node,
            _ => unreachable!("the tests schedule nothing else"),
        }
    }

    #[test]
    fn events_come_by_time_then_in_order() {
        let mut queue = Queue::default();
        let at = Timestamp::from_unix_ms;
        for (ms, node) in [(5, 1), (3, 2), (5, 3), (3, 4), (9, 5)] {
            queue.push(at(ms), Event::Wake(node));
        }
        let popped = std::iter::from_fn(|| queue.pop(at(8)));
        let nodes: Vec<u32> = popped.map(|(_, event)| node(&event)).collect();
        assert_eq!(nodes, [2, 4, 1, 3]);
    }

    #[test]
    fn near_and_far_events_come_in_one_order() {
        for seed in 0..20 {
            let mut rng = stream(seed, 0, "queue");
            let (mut queue, mut expected) = (Queue::default(), BTreeMap::new());
            let (mut now_ms, mut pushed) = (1_790_000_000_000, 0);
            for _ in 0..400 {
                for _ in 0..below(&mut rng, 6) {
                    let most = [3, 900, 1100, 5000, 400_000][below(&mut rng, 5) as usize];
                    let at_ms = now_ms + u64::from(below(&mut rng, most));
                    queue.push(Timestamp::from_unix_ms(at_ms), Event::Wake(pushed));
                    expected.insert((at_ms, pushed), ());
                    pushed += 1;
                }
                let until_ms = now_ms + u64::from(below(&mut rng, 2500));
                for _ in 0..below(&mut rng, 8) {
                    let next = queue.pop(Timestamp::from_unix_ms(until_ms));
                    let next = next.map(|(at, event)| (at.unix_ms(), node(&event)));
                    let due = expected.first_key_value().map(|(key, ())| *key);
                    let due = due.filter(|(at_ms, _)| *at_ms <= until_ms);
                    assert_eq!(next, due, "seed {seed}");
                    match due {
                        Some(key) => {
                            expected.remove(&key);
                            now_ms = key.0;
                        }
                        None => now_ms = until_ms,
                    }
                }
            }
        }
    }
}
