//! Request budgets: a token bucket for each node that sends requests, in whole milliseconds.

use std::collections::BTreeMap;

use crate::{
    id::NodeId,
    limits::{BUDGETS_MAX, REQUESTS_BURST, REQUESTS_PER_MINUTE},
    time::Timestamp,
};

/// What one request costs, in milliseconds of refill.
const COST_MS: u64 = 60_000 / REQUESTS_PER_MINUTE as u64;

#[derive(Default)]
pub(super) struct Budgets {
    /// For each node, the instant at which its bucket would be full again.
    full_at: BTreeMap<NodeId, Timestamp>,
}

impl Budgets {
    /// Takes a request that costs as much as `requests` from `node`'s budget; false when there is not so much left.
    pub fn take(&mut self, node: &NodeId, requests: u64, now: Timestamp) -> bool {
        if self.full_at.len() >= BUDGETS_MAX && !self.full_at.contains_key(node) {
            // A node whose bucket is full again is the same as one never seen.
            self.full_at.retain(|_, full_at| *full_at > now);
            if self.full_at.len() >= BUDGETS_MAX {
                return false;
            }
        }
        let full_at = self.full_at.entry(node.clone()).or_insert(now);
        let after = (*full_at).max(now).plus_ms(COST_MS * requests);
        let within = after.since_ms(now) <= COST_MS * u64::from(REQUESTS_BURST);
        if within {
            *full_at = after;
        }
        within
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_burst_then_a_steady_rate_and_the_honest_are_not_shut_out() {
        let mut budgets = Budgets::default();
        let node = |n: u32| NodeId::from_bytes(n.to_be_bytes().to_vec()).unwrap();
        let start = Timestamp::from_unix_ms(1_000_000);
        let granted = (0..REQUESTS_BURST * 2).filter(|_| budgets.take(&node(1), 1, start)).count();
        assert_eq!(granted, REQUESTS_BURST as usize);
        assert!(budgets.take(&node(2), 1, start));
        assert!(!budgets.take(&node(1), 1, start));
        assert!(budgets.take(&node(1), 1, start.plus_ms(COST_MS)));
        assert!(!budgets.take(&node(1), 1, start.plus_ms(COST_MS)));
    }
}
