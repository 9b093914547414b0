//! What a run of the overlay came to.

/// About how many bytes a request has.
const REQUEST_BYTES: u64 = 40;
/// About how many bytes a response has, without its contacts.
const RESPONSE_BYTES: u64 = 8;
/// About how many bytes a contact has.
const CONTACT_BYTES: u64 = 60;

/// One look-up. A row of a table, in order of beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// When it began, in milliseconds since the run's beginning.
    pub began_ms: u64,
    /// How long it took, in milliseconds.
    pub latency_ms: u32,
    /// The number of the node that looked.
    pub from: u32,
    /// The number of the node that was looked for.
    pub target: u32,
    /// Requests that it sent.
    pub requests: u32,
    /// Requests that nobody answered in time.
    pub timeouts: u32,
    /// Answers that led to the target, its own included; to the nearest that answered, if it is not found.
    pub hops: u8,
    /// How it ended.
    pub end: End,
}

/// How a look-up ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum End {
    /// It is still going on.
    #[default]
    Open,
    /// The target itself answered.
    Found,
    /// All that are near answered and the target was not among them.
    Missed,
    /// The node that looked went away, or nobody could look or be looked for.
    Abandoned,
}

/// Messages by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Messages {
    /// Requests sent.
    pub requests: u64,
    /// Responses sent.
    pub responses: u64,
    /// Contacts that those responses list.
    pub contacts: u64,
    /// Of requests and responses: lost on the way.
    pub lost: u64,
    /// Requests and responses to nodes that are not there.
    pub undelivered: u64,
    /// Requests that an attacker took and did not answer.
    pub dropped: u64,
    /// Responses that came after their time or after the look-up.
    pub late: u64,
    /// Requests, of those above, of look-ups that the overlay makes for itself when a node returns.
    pub upkeep: u64,
}

impl Messages {
    /// All that were sent.
    pub fn total(&self) -> u64 {
        self.requests + self.responses
    }

    /// About how many bytes the requests have: a key of 32 bytes, and 8 of framing.
    pub fn request_bytes(&self) -> u64 {
        self.requests * REQUEST_BYTES
    }

    /// About how many bytes the responses have: 8 of framing, and for each contact an identifier of 38 bytes and one
    /// address of 12 with 10 of framing, as libp2p writes them. Nodes with several addresses send more.
    pub fn response_bytes(&self) -> u64 {
        self.responses * RESPONSE_BYTES + self.contacts * CONTACT_BYTES
    }
}

/// What reached a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Received {
    /// Requests.
    pub requests: u32,
    /// Responses.
    pub responses: u32,
    /// Contacts that those responses list.
    pub contacts: u32,
}

impl Received {
    /// Requests and responses.
    pub fn messages(self) -> u32 {
        self.requests + self.responses
    }

    /// Their bytes.
    pub fn bytes(self) -> u64 {
        u64::from(self.requests) * REQUEST_BYTES
            + u64::from(self.responses) * RESPONSE_BYTES
            + u64::from(self.contacts) * CONTACT_BYTES
    }
}

/// Bytes that a run holds, by what they are for: capacities of the real structures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Nodes: identifiers, numbers, states, counters.
    pub nodes: usize,
    /// Routing tables.
    pub tables: usize,
    /// Events to come.
    pub queue: usize,
    /// Look-ups under way and places for those to come.
    pub look_ups: usize,
    /// Records of look-ups.
    pub records: usize,
}

impl Memory {
    /// All of it.
    pub fn total(&self) -> usize {
        self.nodes + self.tables + self.queue + self.look_ups + self.records
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How many nodes there were.
    pub nodes: u32,
    /// Where the run has come to, in milliseconds.
    pub now_ms: u64,
    /// Events so far: arrivals of requests and responses, time-outs, look-ups begun, nodes that left or returned.
    pub events: u64,
    /// Messages so far.
    pub messages: Messages,
    /// Look-ups begun so far.
    pub records: Vec<Record>,
    /// Requests and responses that reached each node, by number.
    pub handled: Vec<u32>,
    /// Their bytes, estimated as in [`Messages`]; of a response that comes after its time only the framing counts.
    pub handled_bytes: Vec<u64>,
    /// Contacts in a routing table now, on average.
    pub contacts_per_node: f64,
    /// Bytes held.
    pub memory: Memory,
    /// Names the history so far: each event's instant, kind, request and both nodes, in order, and the settings and the seed.
    pub trace_hash: [u8; 32],
}

impl Outcome {
    /// Look-ups that ended in one way.
    pub fn ended(&self, end: End) -> usize {
        self.records.iter().filter(|record| record.end == end).count()
    }

    /// Share of targets found among the look-ups that ended by themselves; none if none did.
    pub fn found(&self) -> Option<f64> {
        let (found, missed) = (self.ended(End::Found), self.ended(End::Missed));
        (found + missed > 0).then(|| found as f64 / (found + missed) as f64)
    }

    /// Mean of how long those look-ups took, in milliseconds.
    pub fn latency_mean_ms(&self) -> Option<f64> {
        let ended = || self.records.iter().filter(|r| matches!(r.end, End::Found | End::Missed));
        let sum: u64 = ended().map(|record| u64::from(record.latency_ms)).sum();
        (ended().count() > 0).then(|| sum as f64 / ended().count() as f64)
    }

    /// Bytes held for each node.
    pub fn bytes_per_node(&self) -> f64 {
        self.memory.total() as f64 / f64::from(self.nodes)
    }
}
