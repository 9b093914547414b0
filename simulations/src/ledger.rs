//! The ledger: what truly happened, as only the world can know. Checks compare with it what the nodes say.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use knackmesh_protocol::{
    consent::Present,
    id::Id,
    key::PublicKey,
    message::{Envelope, Item, Request, Response},
    peer::{Change, Output},
    signed::Signed,
    skill::SkillId,
    summary::Summary,
    time::Timestamp,
    wire::WireError,
};

use crate::messages::{Memo, Read};

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
    /// Who claims a skill in what they publish now.
    claimants: BTreeMap<SkillId, BTreeSet<PublicKey>>,
}

impl Ledger {
    /// Takes note of a holder's own publication, or of its end.
    pub fn note(&mut self, node: u32, view: PublicKey, change: &Change) {
        if let Change::Publication { publication, .. } = change {
            if let Some(truth) = self.current.remove(&view).and_then(|id| self.published.get(&id)) {
                for claim in truth.summary.body().content().claims() {
                    self.claimants.get_mut(claim.skill()).map(|views| views.remove(&view));
                }
            }
            if let Some(publication) = publication {
                let summary = publication.summary.clone();
                for claim in summary.body().content().claims() {
                    self.claimants.entry(claim.skill().clone()).or_default().insert(view);
                }
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

    /// Everything that is published at `now` and claims one of these skills; some of it twice.
    pub fn claiming(&self, now: Timestamp, skills: &[&SkillId]) -> impl Iterator<Item = &Truth> {
        let views = skills.iter().filter_map(|skill| self.claimants.get(skill)).flatten();
        views.filter_map(|view| self.current(view)).filter(move |truth| now < truth.expires())
    }

    /// Everything that is published at `now`.
    pub fn alive(&self, now: Timestamp) -> impl Iterator<Item = &Truth> {
        self.current.values().filter_map(|id| self.published.get(id)).filter(move |t| now < t.expires())
    }
}

/// What an output puts on the wire or into a store, decoded once for all checks.
pub struct Said<'a> {
    /// What it is.
    pub what: What<'a>,
    /// Ids of the summaries said; `None` for what has none.
    summaries: Summaries,
}

/// Most outputs say one summary or none.
enum Summaries {
    One(Option<Id>),
    Many(Vec<Option<Id>>),
}

/// The parts of what is said that checks look at.
pub enum What<'a> {
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
        let what = What::of(output, memo);
        let of_item = |item: &Item| matches!(item, Item::Summary(_)).then(|| Some(item.id()));
        let summaries = match &what {
            What::Item(item) => of_item(item).map_or(Summaries::Many(Vec::new()), Summaries::One),
            What::Response(Response::Items(items)) => {
                Summaries::Many(items.iter().filter_map(of_item).collect())
            }
            What::Response(Response::Leads(leads)) => {
                let ids = leads.summaries.iter().map(|Envelope(bytes)| Some(memo.lead(bytes)?.id()));
                Summaries::Many(ids.collect())
            }
            _ => Summaries::Many(Vec::new()),
        };
        Said { what, summaries }
    }

    /// What is for another peer to read, as it was decoded.
    pub fn read(self) -> Option<Read> {
        match self.what {
            What::Request(request) => Some(Read::Request(Box::new(request))),
            What::Response(response) => Some(Read::Response(Box::new(response))),
            What::Nothing | What::Item(_) | What::Illegal(_) => None,
        }
    }

    /// Ids of the summaries said; `None` for what has none.
    pub fn summaries(&self) -> &[Option<Id>] {
        match &self.summaries {
            Summaries::One(id) => std::slice::from_ref(id),
            Summaries::Many(ids) => ids,
        }
    }
}

impl<'a> What<'a> {
    fn of(output: &'a Output, memo: &Memo) -> Self {
        match output {
            Output::Persist(Change::Keep(item)) => What::Item(Cow::Borrowed(item)),
            Output::Gossip { bytes, .. }
            | Output::PutRecord { value: bytes, .. }
            | Output::KeepRecord { value: bytes, .. } => {
                let read = memo.read(bytes).map_or_else(|| Item::decode(bytes), Ok);
                read.map_or_else(What::Illegal, |item| What::Item(Cow::Owned(item)))
            }
            Output::Send { bytes, .. } => {
                let known = |bytes: &[u8]| memo.read(bytes);
                Request::decode_knowing(bytes, known).map_or_else(What::Illegal, What::Request)
            }
            Output::Respond { bytes, .. } => {
                let known = |bytes: &[u8]| memo.read(bytes);
                Response::decode_knowing(bytes, known).map_or_else(What::Illegal, What::Response)
            }
            Output::Persist(_)
            | Output::Reply(..)
            | Output::Verdict(..)
            | Output::Closest { .. }
            | Output::Subscribe { .. }
            | Output::Obtain { .. } => What::Nothing,
        }
    }
}
