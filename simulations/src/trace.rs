//! The trace: one hash over everything that happened. Equal hashes, equal histories.

use knackmesh_protocol::{
    peer::{Change, Command, Input, Output, Reply, Verdict},
    time::Timestamp,
};

use crate::messages::Memo;

/// A running hash of events and outputs.
#[derive(Default)]
pub struct Trace {
    hasher: blake3::Hasher,
    /// What is to be hashed next: long pieces are hashed several times as fast as short ones.
    buffer: Vec<u8>,
    events: u64,
}

/// Bytes that are hashed at once.
const PIECE_BYTES: usize = 128 * 1024;

impl Trace {
    /// The hash so far.
    pub fn hash(&self) -> [u8; 32] {
        *self.hasher.clone().update(&self.buffer).finalize().as_bytes()
    }

    /// Inputs so far.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Takes note of an input.
    pub fn input(&mut self, now: Timestamp, node: u32, input: &Input, memo: &Memo) {
        self.events += 1;
        self.part(&now.unix_ms().to_le_bytes());
        self.part(&node.to_le_bytes());
        match input {
            Input::Command(id, command) => {
                let kind = match command {
                    Command::Publish { .. } => "publish",
                    Command::Withdraw => "withdraw",
                    Command::Search(_) => "search",
                };
                self.note(kind, id.0, &[]);
            }
            Input::Connected(node) => self.note("connected", 0, node.as_bytes()),
            Input::Disconnected(node) => self.note("disconnected", 0, node.as_bytes()),
            Input::Gossip { message, bytes, .. } => self.note("gossip", message.0, &memo.id(bytes).0),
            Input::Request { channel, bytes, .. } => self.note("request", channel.0, bytes),
            Input::Response { request, result: Ok(bytes) } => self.note("response", request.0, bytes),
            Input::Response { request, result: Err(_) } => self.note("failure", request.0, &[]),
            Input::RecordOffered { value, .. } => self.note("offered", 0, value),
            Input::Closest { look_up, nodes, place } => {
                self.note("closest", look_up.0, &(*place as u64).to_le_bytes());
                nodes.iter().for_each(|contact| self.part(contact.node.as_bytes()));
            }
            Input::Obtained { needs, .. } => self.note("obtained", needs.len() as u64, &[]),
            Input::Wake => self.note("wake", 0, &[]),
        }
    }

    /// Takes note of an output.
    pub fn output(&mut self, output: &Output) {
        match output {
            Output::Persist(Change::Keep(item)) => self.note("keep", 0, &item.id().0),
            Output::Persist(Change::Forget(view)) => self.note("forget", 0, view.as_bytes()),
            Output::Persist(Change::Publication { last_sequence, .. }) => {
                self.note("own", *last_sequence, &[]);
            }
            Output::Persist(Change::KeepCell(cell)) => self.note("keep cell", 0, &cell.key().0),
            Output::Persist(Change::ForgetCell(cell)) => self.note("forget cell", 0, &cell.key().0),
            Output::Persist(Change::Disclosed { seeker, .. }) => self.note("disclosed", 0, seeker.as_bytes()),
            Output::Reply(id, reply) => {
                self.note("reply", id.0, &[]);
                self.reply(reply);
            }
            Output::Gossip { bytes, .. } => self.note("spread", 0, bytes),
            Output::Verdict(id, verdict) => {
                let word = match verdict {
                    Verdict::Accept => "accept",
                    Verdict::Ignore => "ignore",
                    Verdict::Reject => "reject",
                };
                self.note(word, id.0, &[]);
            }
            Output::Send { request, to, bytes } => {
                self.note("send", request.0, to.as_bytes());
                self.part(bytes);
            }
            Output::Respond { channel, bytes } => self.note("respond", channel.0, bytes),
            Output::Closest { look_up, key, .. } => self.note("look up", look_up.0, key),
            Output::Subscribe { topics } => self.note("subscribe", topics.len() as u64, &[]),
            Output::PutRecord { value, .. } => self.note("put", 0, value),
            Output::Obtain { needs, .. } => self.note("obtain", needs.len() as u64, &[]),
            Output::KeepRecord { value, .. } => self.note("keep record", 0, value),
        }
    }

    fn reply(&mut self, reply: &Reply) {
        match reply {
            Reply::Published(Ok(published)) => self.note("published", 0, &published.summary.id().0),
            Reply::Published(Err(_)) => self.note("not published", 0, &[]),
            Reply::Withdrawn(Some(withdrawn)) => {
                self.note("withdrawn", withdrawn.acknowledgements.len() as u64, &withdrawn.tombstone.id().0);
            }
            Reply::Withdrawn(None) => self.note("nothing to withdraw", 0, &[]),
            Reply::Found(Ok(outcome)) => {
                self.note("found", outcome.elapsed_ms, &[]);
                for found in &outcome.results {
                    self.note(
                        if found.verified { "verified" } else { "stated" },
                        0,
                        &found.statement.encode(),
                    );
                }
                for withheld in &outcome.withheld {
                    self.note(&withheld.reason, 0, withheld.view.as_bytes());
                }
            }
            Reply::Found(Err(_)) => self.note("not searched", 0, &[]),
        }
    }

    fn note(&mut self, kind: &str, number: u64, bytes: &[u8]) {
        self.part(kind.as_bytes());
        self.part(&number.to_le_bytes());
        self.part(bytes);
    }

    /// Parts are preceded by their length, so that no two histories read alike.
    fn part(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= PIECE_BYTES {
            self.hasher.update(&self.buffer);
            self.buffer.clear();
        }
    }
}
