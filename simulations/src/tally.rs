//! The tally: how many messages of which kind reached a peer, and whom they kept busy.
//!
//! Counted is what a peer is handed. What the network suppresses below it (a gossip message that was seen before) and
//! what is lost on the way is not.

use std::collections::BTreeMap;

use knackmesh_protocol::peer::Input;

/// So many messages of so many bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// How many.
    pub messages: u64,
    /// Their bytes, without what carries them.
    pub bytes: u64,
}

impl Load {
    fn add(&mut self, bytes: usize) {
        self.messages += 1;
        self.bytes += bytes as u64;
    }
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    by_kind: BTreeMap<String, Load>,
    by_node: BTreeMap<u32, Load>,
}

impl Tally {
    /// By kind: `gossip`, `record`, and the names of requests and responses in `spec/message.md`.
    pub fn by_kind(&self) -> &BTreeMap<String, Load> {
        &self.by_kind
    }

    /// By node that received them.
    pub fn by_node(&self) -> &BTreeMap<u32, Load> {
        &self.by_node
    }

    /// Takes note of an input.
    pub fn note(&mut self, node: u32, input: &Input) {
        let (kind, bytes) = match input {
            Input::Gossip { bytes, .. } => ("gossip".to_owned(), bytes),
            Input::RecordOffered { value, .. } => ("record".to_owned(), value),
            Input::Request { bytes, .. } => (format!("request {}", name(bytes)), bytes),
            Input::Response { result: Ok(bytes), .. } => (format!("response {}", name(bytes)), bytes),
            _ => return,
        };
        self.by_kind.entry(kind).or_default().add(bytes.len());
        self.by_node.entry(node).or_default().add(bytes.len());
    }
}

/// Names of requests and responses. A stranger's bytes that name none of them are all of one kind.
const NAMES: [&str; 12] = [
    "find",
    "inquire",
    "withdraw",
    "reconcile",
    "fetch",
    "leads",
    "disclosed",
    "received",
    "deleted",
    "reconciled",
    "items",
    "refused",
];

/// The name of a message: its only text, or the only key of its map.
fn name(bytes: &[u8]) -> &'static str {
    let head = match bytes {
        [0xa1, head @ ..] => head,
        head => head,
    };
    let named = |name: &&&str| {
        let text = usize::from(head.first().copied().unwrap_or(0)).checked_sub(0x60);
        text == Some(name.len()) && head[1..].starts_with(name.as_bytes())
    };
    NAMES.iter().find(named).map_or("illegal", |name| name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use knackmesh_protocol::message::{Leads, Request, Response};

    use super::*;

    #[test]
    fn messages_are_known_by_their_first_word() {
        assert_eq!(name(&Request::Fetch { ids: Vec::new() }.encode()), "fetch");
        assert_eq!(name(&Response::Received.encode()), "received");
        let leads = Response::Leads(Leads { summaries: Vec::new(), matched: 0, held: 0, reconciled: None });
        assert_eq!(name(&leads.encode()), "leads");
        for bytes in [&[][..], &[0xa1], &[0x64], b"\xa1\x64fin", b"find"] {
            assert_eq!(name(bytes), "illegal");
        }
    }
}
