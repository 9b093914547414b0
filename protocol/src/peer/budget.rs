//! Request budgets: how much one node, and one group of addresses, may ask of us.

use super::{
    contact::{Contact, Group},
    party::{Party, Rate, Turns},
};
use crate::{
    limits::{BUDGETS_MAX, GROUP_BUDGETS, REQUESTS_BURST, REQUESTS_PER_MINUTE},
    time::Timestamp,
};

const OF_A_NODE: Rate = Rate { burst: REQUESTS_BURST as u64, every_ms: 60_000 / REQUESTS_PER_MINUTE as u64 };

/// A group refills no faster in whole milliseconds than this, however many its nodes.
const OF_A_GROUP: Rate =
    Rate { burst: OF_A_NODE.burst * GROUP_BUDGETS, every_ms: OF_A_NODE.every_ms / GROUP_BUDGETS };

#[derive(Default)]
pub(super) struct Budgets {
    nodes: Turns,
    /// Nodes without a group.
    alone: Turns,
    groups: Turns,
}

impl Budgets {
    /// Takes a request that costs as much as `requests` from the budgets of a node and of its group; false when there is not so
    /// much left of one of them.
    pub fn take(&mut self, from: &Contact, requests: u64, now: Timestamp) -> bool {
        let node = Party::node(&from.node);
        if from.group == Group::UNGROUPED {
            return self.alone.take(node, requests, OF_A_NODE, now, BUDGETS_MAX) == Some(true);
        }
        // Of more nodes than can be told apart, what their groups have left is enough.
        self.groups.take(Party::of(from), requests, OF_A_GROUP, now, BUDGETS_MAX) == Some(true)
            && self.nodes.take(node, requests, OF_A_NODE, now, BUDGETS_MAX) != Some(false)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::id::NodeId;

    #[test]
    fn one_nodes_haste_is_no_others_loss_and_fresh_keys_of_one_subnet_gain_little() {
        let mut budgets = Budgets::default();
        let contact =
            |n: u32, group| Contact { node: NodeId::from_bytes(n.to_be_bytes().to_vec()).unwrap(), group };
        let start = Timestamp::from_unix_ms(1_000_000);
        let (here, there) = (Group::v4([192, 0, 2, 1]), Group::v4([198, 51, 100, 1]));
        let burst = REQUESTS_BURST as usize;
        let granted = (0..burst * 2).filter(|_| budgets.take(&contact(0, here), 1, start)).count();
        assert_eq!(granted, burst);
        let fresh = (1..50_000).filter(|n| budgets.take(&contact(*n, here), 1, start)).count();
        assert!(fresh < burst * GROUP_BUDGETS as usize, "{fresh}");
        assert!(budgets.take(&contact(60_000, Group::UNGROUPED), 1, start));
        assert!(budgets.take(&contact(60_001, there), 1, start));
    }
}
