//! What goes over the wire: how many messages of each kind, and how many bytes.
//!
//! Bytes are those of the messages themselves. What carries them (framing, encryption, acknowledgements) is left out.

use knackmesh_protocol::message::Item;

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A summary by gossip.
    Announcement,
    /// A tombstone, by gossip or as a request, and the acknowledgement.
    Withdrawal,
    /// What a delegate says of a holder, by gossip or as a request.
    Lease,
    /// A search and its leads.
    Search,
    /// An inquiry and its answer.
    Inquiry,
    /// A comparison of what is held, and the items fetched.
    Reconciliation,
    /// A record of the hash table.
    Record,
    /// A look-up in the hash table for the places of cells.
    LookUp,
    /// A summary to be kept in cells, and the receipt.
    Placement,
    /// What keeps the gossip mesh going.
    Control,
    /// What is none of these: bytes that no node understands.
    Other,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 11] = [
        Kind::Announcement,
        Kind::Withdrawal,
        Kind::Lease,
        Kind::Search,
        Kind::Inquiry,
        Kind::Reconciliation,
        Kind::Record,
        Kind::LookUp,
        Kind::Placement,
        Kind::Control,
        Kind::Other,
    ];

    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Announcement => "announcement",
            Kind::Withdrawal => "withdrawal",
            Kind::Lease => "lease",
            Kind::Search => "search",
            Kind::Inquiry => "inquiry",
            Kind::Reconciliation => "reconciliation",
            Kind::Record => "record",
            Kind::LookUp => "look-up",
            Kind::Placement => "placement",
            Kind::Control => "control",
            Kind::Other => "other",
        }
    }

    /// The kind of a gossip message.
    pub fn of_item(item: Option<&Item>) -> Self {
        match item {
            Some(Item::Summary(_)) => Kind::Announcement,
            Some(Item::Tombstone(_)) => Kind::Withdrawal,
            None => Kind::Other,
        }
    }

    /// The kind of a request, by the name that it begins with, so that nothing is decoded for it.
    pub fn of_request(bytes: &[u8]) -> Self {
        // A map of one entry: a byte for the map, one for the length of the text, the text.
        let named = |name: &&str| bytes.get(2..).is_some_and(|rest| rest.starts_with(name.as_bytes()));
        let kinds = [
            ("find", Kind::Search),
            ("inquire", Kind::Inquiry),
            ("withdraw", Kind::Withdrawal),
            ("reconcile", Kind::Reconciliation),
            ("fetch", Kind::Reconciliation),
            ("store", Kind::Placement),
            ("lease", Kind::Lease),
            ("link", Kind::Lease),
        ];
        kinds.iter().find(|(name, _)| named(name)).map_or(Kind::Other, |(_, kind)| *kind)
    }
}

/// A number of messages and of their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Messages.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Count {
    fn add(&mut self, bytes: usize) {
        self.messages += 1;
        self.bytes += bytes as u64;
    }
}

impl std::ops::AddAssign for Count {
    fn add_assign(&mut self, other: Count) {
        self.messages += other.messages;
        self.bytes += other.bytes;
    }
}

/// What a node, or all of them together, sent and received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Traffic {
    received: [Count; Kind::ALL.len()],
    sent: [Count; Kind::ALL.len()],
}

impl Traffic {
    /// Sent, whether it arrived or not.
    pub fn sent(&self, kind: Kind) -> Count {
        self.sent[kind as usize]
    }

    /// Received: what was not lost and reached a node that ran when it was sent.
    pub fn received(&self, kind: Kind) -> Count {
        self.received[kind as usize]
    }

    /// Of every kind, sent.
    pub fn sent_total(&self) -> Count {
        sum(&self.sent)
    }

    /// Of every kind, received.
    pub fn received_total(&self) -> Count {
        sum(&self.received)
    }

    pub(crate) fn sends(&mut self, kind: Kind, bytes: usize) {
        self.sent[kind as usize].add(bytes);
    }

    pub(crate) fn receives(&mut self, kind: Kind, bytes: usize) {
        self.received[kind as usize].add(bytes);
    }
}

impl std::ops::AddAssign<&Traffic> for Traffic {
    fn add_assign(&mut self, other: &Traffic) {
        self.sent.iter_mut().zip(other.sent).for_each(|(count, more)| *count += more);
        self.received.iter_mut().zip(other.received).for_each(|(count, more)| *count += more);
    }
}

fn sum(counts: &[Count]) -> Count {
    let mut total = Count::default();
    counts.iter().for_each(|count| total += *count);
    total
}

#[cfg(test)]
mod tests {
    use knackmesh_protocol::{id::Id, message::Request};

    use super::*;

    #[test]
    fn requests_are_told_apart_by_their_names() {
        let fetch = Request::Fetch { ids: vec![Id([7; 32])] }.encode();
        assert_eq!(Kind::of_request(&fetch), Kind::Reconciliation);
        assert_eq!(Kind::of_request(&[1, 2, 3]), Kind::Other);
        assert!(Kind::ALL.iter().enumerate().all(|(at, kind)| *kind as usize == at));
    }
}
