//! Nodes that keep cells, as the network names them: who, and in which group of addresses.

use sha2::{Digest, Sha256};

use crate::id::NodeId;

/// Names a look-up of ours for the nodes nearest to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LookUpId(pub u64);

/// Where a node, by its peer id, or a key is in the hash table: SHA-256, as Kademlia in libp2p has it. How far two are from each
/// other is the exclusive or of their places.
pub fn place_in_table(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// How far a look-up goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// What the own routing table says: exact where the key is near to the node itself, and free of charge.
    Known,
    /// Through the network.
    Network,
}

/// Addresses that one party is likely to hold together: a /24 of IPv4, a /48 of IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group(u64);

impl Group {
    /// Addresses of this machine, and those of which nothing is known: no two of them count as one party.
    pub const UNGROUPED: Group = Group(0);

    /// Whoever comes through a relay, which hides from where.
    pub const RELAYED: Group = Group(3 << 48);

    /// The /24 of an IPv4 address.
    pub fn v4(address: [u8; 4]) -> Self {
        let [a, b, c, _] = address.map(u64::from);
        Group(1 << 48 | a << 16 | b << 8 | c)
    }

    /// The /48 of an IPv6 address.
    pub fn v6(address: [u8; 16]) -> Self {
        let prefix = address.iter().take(6).fold(0, |bits, byte| bits << 8 | u64::from(*byte));
        Group(2 << 48 | prefix)
    }

    /// As a number; the highest bit is never set.
    pub(super) fn number(self) -> u64 {
        self.0
    }

    /// Whether both may be one party's.
    pub fn is_shared_with(self, other: Group) -> bool {
        self != Group::UNGROUPED && self == other
    }
}

/// A node, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Who.
    pub node: NodeId,
    /// From where.
    pub group: Group,
}

/// A node of whose addresses nothing is known.
impl From<NodeId> for Contact {
    fn from(node: NodeId) -> Self {
        Contact { node, group: Group::UNGROUPED }
    }
}

impl Contact {
    /// The first of `these`, nearest first, at most `count`, of which no two are likely one party's, nor any of `taken`'s.
    pub(super) fn diverse(these: &[Contact], taken: &[Group], count: usize) -> Vec<Contact> {
        let mut chosen: Vec<Contact> = Vec::new();
        for contact in these {
            let groups = taken.iter().copied().chain(chosen.iter().map(|one| one.group));
            if chosen.len() < count && !groups.into_iter().any(|group| group.is_shared_with(contact.group)) {
                chosen.push(contact.clone());
            }
        }
        chosen
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn no_two_of_one_party_are_chosen_and_the_nearest_go_first() {
        let contact = |name: u8, group| Contact { node: NodeId::from_bytes(vec![name]).unwrap(), group };
        let (here, there) = (Group::v4([10, 0, 0, 9]), Group::v4([10, 0, 1, 9]));
        assert_eq!(here, Group::v4([10, 0, 0, 200]));
        let these = [contact(1, here), contact(2, here), contact(3, there), contact(4, Group::UNGROUPED)];
        let names = |taken: &[Group], count| -> Vec<u8> {
            Contact::diverse(&these, taken, count).iter().map(|one| one.node.as_bytes()[0]).collect()
        };
        assert_eq!(names(&[], 4), [1, 3, 4]);
        assert_eq!(names(&[], 2), [1, 3]);
        assert_eq!(names(&[there], 4), [1, 4]);
        let alone = [contact(1, Group::UNGROUPED), contact(2, Group::UNGROUPED)];
        assert_eq!(Contact::diverse(&alone, &[Group::UNGROUPED], 2).len(), 2);
        assert_ne!(Group::v6([1; 16]), Group::v6([2; 16]));
    }
}
