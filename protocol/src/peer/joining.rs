//! Searches that are begun before anybody is connected. Whoever has just started is connected a moment later, and would be told until
//! then that nobody was reached; so searches wait for the first to be connected, as long as that is expected.

use std::collections::BTreeMap;

use super::{
    CommandId, Lent, Output, Peer, Reply,
    search::{SearchError, Specification},
};
use crate::{
    limits::{SEARCH_DEADLINE_MAX_MS, SEARCHES_MAX},
    time::Timestamp,
};

/// See the module.
#[derive(Default)]
pub(super) struct Joining {
    /// Until when somebody is expected.
    until: Option<Timestamp>,
    /// Each with when it was asked, and how long it waits.
    waiting: BTreeMap<CommandId, Waiting>,
}

struct Waiting {
    asked: Timestamp,
    until: Timestamp,
    specification: Specification,
}

impl Joining {
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub fn wake_at(&self) -> Option<Timestamp> {
        self.waiting.values().map(|search| search.until).min()
    }
}

impl Peer {
    /// The same peer, of which is known that it joins a network: until then a search that finds nobody connected waits for the first,
    /// for a quarter of its deadline at most.
    pub fn joining(mut self, until: Timestamp) -> Self {
        self.joining.until = Some(until);
        self
    }

    /// Begins a search, has it wait, or says why neither. Those that wait count as running.
    pub(super) fn start_search(
        &mut self,
        now: Timestamp,
        id: CommandId,
        specification: Specification,
        lent: &Lent<'_>,
    ) {
        let refuse = if self.searches.len() + self.joining.waiting.len() >= SEARCHES_MAX {
            Some(SearchError::Busy)
        } else if !(1..=SEARCH_DEADLINE_MAX_MS).contains(&specification.deadline_ms) {
            Some(SearchError::Deadline)
        } else {
            specification.undertaking.check().err().map(SearchError::Inquiry)
        };
        if let Some(error) = refuse {
            self.outputs.push(Output::Reply(id, Reply::Found(Err(error))));
            return;
        }
        let until = self.joining.until.filter(|until| self.connected.is_empty() && now < *until);
        let Some(until) = until else { return self.begin_search(now, now, id, specification, lent) };
        let until = until.min(now.plus_ms(specification.deadline_ms / 4));
        self.joining.waiting.insert(id, Waiting { asked: now, until, specification });
    }

    /// Begins the searches that need not wait any longer.
    pub(super) fn tend_joining(&mut self, now: Timestamp, lent: &Lent<'_>) {
        let is_connected = !self.connected.is_empty();
        let is_ready = |(_, search): &(CommandId, Waiting)| is_connected || search.until <= now;
        let (ready, waiting): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.joining.waiting).into_iter().partition(is_ready);
        self.joining.waiting.extend(waiting);
        for (id, Waiting { asked, specification, .. }) in ready {
            self.begin_search(now, asked, id, specification, lent);
        }
    }
}
