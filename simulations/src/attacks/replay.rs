//! Keeps every summary it ever saw, ignores withdrawals, and hands the old ones out again: by gossip, as leads and as
//! items of a reconciliation.

use std::collections::BTreeMap;

use knackmesh_protocol::{
    id::Id,
    message::{Envelope, Item, Leads, Request, Response},
    peer::{Input, Output, Verdict},
};

use super::{Behaviour, Stage};

/// More than a simulated network publishes.
const KEPT_MAX: usize = 1000;
/// Summaries gossiped again in one act.
const AGAIN_MAX: usize = 20;

#[derive(Default)]
pub(super) struct Replay {
    kept: BTreeMap<Id, Item>,
    /// Where the next act goes on.
    next: usize,
}

impl Replay {
    fn keep(&mut self, item: Item) {
        if matches!(item, Item::Summary(_)) && self.kept.len() < KEPT_MAX {
            self.kept.insert(item.id(), item);
        }
    }

    fn leads(&self) -> Response {
        let envelope = |item: &Item| match item {
            Item::Summary(summary) => Some(Envelope(summary.encode())),
            Item::Tombstone(_) => None,
        };
        let summaries = self.kept.values().filter_map(envelope).take(150).collect();
        Response::Leads(Leads {
            summaries,
            matched: u32::MAX,
            held: u32::MAX,
            reconciled: None,
            ..Leads::default()
        })
    }
}

impl Behaviour for Replay {
    fn intercept(&mut self, _stage: &mut Stage<'_>, input: &Input) -> Option<Vec<Output>> {
        match input {
            Input::Gossip { message, bytes, .. } => match Item::decode(bytes) {
                Ok(Item::Tombstone(_)) => return Some(vec![Output::Verdict(*message, Verdict::Ignore)]),
                Ok(item) => self.keep(item),
                Err(_) => {}
            },
            Input::Response { result: Ok(bytes), .. } => {
                if let Ok(Response::Items(items)) = Response::decode(bytes) {
                    let withdrawn = items.iter().any(|item| matches!(item, Item::Tombstone(_)));
                    items.into_iter().for_each(|item| self.keep(item));
                    return withdrawn.then(Vec::new);
                }
            }
            Input::Request { channel, bytes, .. } => {
                let response = match Request::decode(bytes).ok()? {
                    Request::Find { .. } => self.leads(),
                    Request::Withdraw(_) => Response::Received,
                    Request::Fetch { .. } => Response::Items(self.kept.values().take(100).cloned().collect()),
                    _ => return None,
                };
                return Some(vec![Output::Respond { channel: *channel, bytes: response.encode() }]);
            }
            _ => {}
        }
        None
    }

    fn act(&mut self, _stage: &mut Stage<'_>) -> Vec<Output> {
        let again: Vec<Output> = self
            .kept
            .values()
            .cycle()
            .skip(self.next)
            .take(AGAIN_MAX.min(self.kept.len()))
            .map(|item| Output::Gossip { topic: item.topic(), bytes: item.encode() })
            .collect();
        self.next = (self.next + again.len()) % self.kept.len().max(1);
        again
    }
}
