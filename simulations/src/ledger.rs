//! The ledger: what truly happened, as only the world can know. Checks compare with it what the nodes say.

use std::{borrow::Cow, collections::BTreeMap};

use knackmesh_protocol::{
    consent::Present,
    id::Id,
    key::PublicKey,
    message::{Envelope, Item, Request, Response},
    peer::{Change, Output},
    signed::{self, Signed},
    summary::Summary,
    time::Timestamp,
    wire::WireError,
};

use crate::messages::Memo;

/// A publication that a holder consented to.
#[derive(Clone)]
pub struct Truth {
    /// The holder's node.
    pub node: u32,
    /// What the network may see.
    pub summary: Signed<Summary>,
}

impl Truth {
    /// When it ends.
    pub fn expires(&self) -> Timestamp {
        self.summary.body().expires()
    }

    /// Who gets a presentation at once.
    pub fn present(&self) -> Present {
        self.summary.body().present()
    }
}

/// See the module.
#[derive(Default)]
pub struct Ledger {
    published: BTreeMap<Id, Truth>,
    current: BTreeMap<PublicKey, Id>,
    latest: BTreeMap<PublicKey, Id>,
}

impl Ledger {
    /// Takes note of a holder's own publication, or of its end.
    pub fn note(&mut self, node: u32, view: PublicKey, change: &Change) {
        if let Change::Publication { publication, .. } = change {
            self.current.remove(&view);
            if let Some(publication) = publication {
                let summary = publication.summary.clone();
                self.current.insert(view, summary.id());
                self.latest.insert(view, summary.id());
                self.published.insert(summary.id(), Truth { node, summary });
            }
        }
    }

    /// Takes note of a legal summary that a hostile node made up: it was published, by whomever, but is nobody.
    pub fn note_invented(&mut self, node: u32, item: &Item) {
        if let Item::Summary(summary) = item {
            let invented = || Truth { node, summary: summary.clone() };
            self.published.entry(summary.id()).or_insert_with(invented);
        }
    }

    /// The publication behind a summary's id.
    pub fn published(&self, id: &Id) -> Option<&Truth> {
        self.published.get(id)
    }

    /// What a view publishes now.
    pub fn current(&self, view: &PublicKey) -> Option<&Truth> {
        self.current.get(view).and_then(|id| self.published.get(id))
    }

    /// The last publication of everybody who has ever made one.
    pub fn latest(&self) -> impl Iterator<Item = &Truth> {
        self.latest.values().filter_map(|id| self.published.get(id))
    }

    /// Everything that is published at `now`.
    pub fn alive(&self, now: Timestamp) -> impl Iterator<Item = &Truth> {
        self.current.values().filter_map(|id| self.published.get(id)).filter(move |t| now < t.expires())
    }
}

/// What an output puts on the wire or into a store, decoded once for all checks.
pub enum Said<'a> {
    /// Nothing about anybody.
    Nothing,
    /// An item.
    Item(Cow<'a, Item>),
    /// A request.
    Request(Request),
    /// A response.
    Response(Response),
    /// Bytes that this node would refuse itself.
    Illegal(WireError),
}

impl<'a> Said<'a> {
    /// Decodes an output.
    pub fn of(output: &'a Output, memo: &Memo) -> Self {
        match output {
            Output::Persist(Change::Keep(item)) => Said::Item(Cow::Borrowed(item)),
            Output::Gossip { bytes, .. }
            | Output::PutRecord { value: bytes, .. }
            | Output::KeepRecord { value: bytes, .. } => {
                let read =
                    memo.read(bytes).map_or_else(|| Item::decode(bytes), |item| Ok(Item::clone(&item)));
                read.map_or_else(Said::Illegal, |item| Said::Item(Cow::Owned(item)))
            }
            Output::Send { bytes, .. } => Request::decode(bytes).map_or_else(Said::Illegal, Said::Request),
            Output::Respond { bytes, .. } => {
                Response::decode(bytes).map_or_else(Said::Illegal, Said::Response)
            }
            Output::Persist(_) | Output::Reply(..) | Output::Verdict(..) | Output::Obtain { .. } => {
                Said::Nothing
            }
        }
    }

    /// Ids of the summaries said; `None` for what has none.
    pub fn summaries(&self) -> Vec<Option<Id>> {
        let of_item = |item: &Item| matches!(item, Item::Summary(_)).then(|| Some(item.id()));
        match self {
            Said::Item(item) => of_item(item).into_iter().collect(),
            Said::Response(Response::Items(items)) => items.iter().filter_map(of_item).collect(),
            Said::Response(Response::Leads(leads)) => {
                leads.summaries.iter().map(|Envelope(bytes)| signed::peek_id(bytes)).collect()
            }
            _ => Vec::new(),
        }
    }
}
