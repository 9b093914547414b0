//! What a node keeps, and the index over it: every summary is asked, so that nothing hides behind a clever index.
//!
//! Items are shared among nodes, since each is decoded once (`messages::Memo`): ten thousand replicas of one summary are one
//! summary.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use knackmesh_protocol::{
    cell::Cell,
    key::PublicKey,
    message::{Item, Request, Response},
    peer::{Change, Index, Memory, Nominated, Publication},
    query::Query,
    ranking,
    signed::Signed,
    skill::SkillId,
    summary::Summary,
    time::Timestamp,
    vocabulary::Vocabulary,
};

use crate::messages::Memo;

/// What survives a node's restart.
pub struct Store {
    items: BTreeMap<PublicKey, Item>,
    cells: BTreeSet<Cell>,
    publication: Option<Publication>,
    last_sequence: u64,
    greatest_expiry: Timestamp,
    /// Presentations given.
    pub disclosures: u64,
    vocabulary: Rc<Vocabulary>,
    memo: Rc<Memo>,
    /// The instant as of which the index scores.
    pub now: Timestamp,
}

impl Store {
    /// An empty one.
    pub fn new(vocabulary: Rc<Vocabulary>, now: Timestamp) -> Self {
        Store {
            items: BTreeMap::new(),
            cells: BTreeSet::new(),
            publication: None,
            last_sequence: 0,
            greatest_expiry: Timestamp::EPOCH,
            disclosures: 0,
            vocabulary,
            memo: Rc::default(),
            now,
        }
    }

    /// The same, sharing what others have read.
    pub fn reading(self, memo: Rc<Memo>) -> Self {
        Store { memo, ..self }
    }

    /// Makes a change durable.
    pub fn apply(&mut self, change: Change) {
        match change {
            Change::Keep(item) => {
                self.items.insert(item.view(), item);
            }
            Change::Forget(view) => {
                self.items.remove(&view);
            }
            Change::KeepCell(cell) => {
                self.cells.insert(cell);
            }
            Change::ForgetCell(cell) => {
                self.cells.remove(&cell);
            }
            Change::Publication { publication, last_sequence, greatest_expiry } => {
                self.publication = publication.map(|p| *p);
                self.last_sequence = last_sequence;
                self.greatest_expiry = greatest_expiry;
            }
            Change::Disclosed { .. } => self.disclosures += 1,
        }
    }

    /// What a restarted peer remembers.
    pub fn memory(&self) -> Memory {
        Memory {
            publication: self.publication.clone(),
            last_sequence: self.last_sequence,
            greatest_expiry: self.greatest_expiry,
            items: self.items.values().cloned().collect(),
            cells: self.cells.iter().cloned().collect(),
        }
    }

    /// The items kept.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.items.values()
    }

    fn summaries(&self) -> impl Iterator<Item = &Signed<Summary>> {
        self.items().filter_map(|item| match item {
            Item::Summary(summary) => Some(summary),
            Item::Tombstone(_) => None,
        })
    }
}

impl Index for Store {
    fn nominate(&self, query: &Query, limit: usize, now: Timestamp) -> Nominated {
        let mut matching = Vec::new();
        // Every match claims one of these, where there are any, and most of what is held does not.
        let cover = query.covering_skills(|skill| self.vocabulary.idf(skill));
        let claims_one = |summary: &&Signed<Summary>| {
            let claim = |skill: &&SkillId| summary.body().content().claim(skill).is_some();
            cover.as_ref().is_none_or(|skills| skills.iter().any(claim))
        };
        for summary in self.summaries().filter(claims_one) {
            let stated = ranking::stated_for_anyone(summary.body());
            if ranking::matches(query, summary.body(), &stated, &self.vocabulary) {
                let score = ranking::score(query, summary.body(), &stated, &self.vocabulary, now);
                matching.push((-score.points, summary));
            }
        }
        // Stable: equal scores stay in the order of their views.
        matching.sort_by_key(|(points, _)| *points);
        let matched = matching.len();
        Nominated { summaries: matching.into_iter().take(limit).map(|(_, s)| s.clone()).collect(), matched }
    }

    fn summary(&self, view: &PublicKey) -> Option<Signed<Summary>> {
        match self.items.get(view) {
            Some(Item::Summary(summary)) => Some(summary.clone()),
            _ => None,
        }
    }

    fn verified(&self, bytes: &[u8]) -> Option<Item> {
        self.memo.read(bytes)
    }

    fn verified_lead(&self, envelope: &[u8]) -> Option<Signed<Summary>> {
        self.memo.lead(envelope)
    }

    fn request(&self, bytes: &[u8]) -> Option<Request> {
        self.memo.request(bytes)
    }

    fn response(&self, bytes: &[u8]) -> Option<Response> {
        self.memo.response(bytes)
    }
}
