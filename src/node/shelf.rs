//! The shelf: what the node lends its peer. It joins the store, which knows every summary, with the index, which knows
//! where to look.
//!
//! A summary is searched for in the index once it is committed there; until then it is looked at itself. So what was
//! admitted is found at once, and the index commits in batches. What the index lost is told from its serial, and put in
//! again when the shelf is opened.

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, path::Path, sync::Arc};

use knackmesh_protocol::{
    credential::Credential,
    id::Id,
    key::PublicKey,
    message::Item,
    peer::{Change, Index, Memory, Nominated, Wallet},
    query::Query,
    ranking,
    signed::Signed,
    summary::Summary,
    time::Timestamp,
    vocabulary::Vocabulary,
};
use tracing::warn;

use crate::{
    index::{IndexError, SummaryIndex},
    store::{Store, StoreError},
};

/// Uncommitted summaries after which the index commits.
const UNCOMMITTED_MAX: usize = 512;

pub(super) struct Shelf {
    pub store: Store,
    index: SummaryIndex,
    vocabulary: Arc<Vocabulary>,
    recent: BTreeMap<PublicKey, Signed<Summary>>,
}

/// Why the shelf cannot do as asked.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// The store cannot.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The index cannot.
    #[error(transparent)]
    Index(#[from] IndexError),
}

impl Shelf {
    pub fn open(store: &Path, index: &Path, vocabulary: Arc<Vocabulary>) -> Result<Self, ShelfError> {
        Self::join(Store::open(store)?, index, vocabulary)
    }

    /// The same with an index that is made anew. The store is opened first: whoever has it open has the index, too.
    pub fn rebuild(store: &Path, index: &Path, vocabulary: Arc<Vocabulary>) -> Result<Self, ShelfError> {
        let store = Store::open(store)?;
        match std::fs::remove_dir_all(index) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                let place = index.display().to_string();
                Err(IndexError::Storage { place, attempt: "removed", reason: e.to_string() }.into())
            }
            _ => Self::join(store, index, vocabulary),
        }
    }

    /// Summaries in the index, as of its last commit.
    pub fn indexed(&self) -> usize {
        self.index.summaries()
    }

    fn join(store: Store, index: &Path, vocabulary: Arc<Vocabulary>) -> Result<Self, ShelfError> {
        let mut index = SummaryIndex::open(index, vocabulary.clone())?;
        let lacking = store.summaries_after(index.serial())?;
        if !lacking.is_empty() {
            for (serial, summary) in &lacking {
                index.put(summary.body(), *serial)?;
            }
            index.commit()?;
        }
        Ok(Shelf { store, index, vocabulary, recent: BTreeMap::new() })
    }

    /// What the peer remembers, without what has expired since.
    pub fn memory(&self) -> Result<Memory, StoreError> {
        self.store.memory()
    }

    /// Makes a change durable at the next flush, and visible at once.
    pub fn apply(&mut self, change: &Change) -> Result<(), ShelfError> {
        let serial = self.store.apply(change)?;
        match change {
            Change::Keep(Item::Summary(summary)) => {
                self.index.put(summary.body(), serial.unwrap_or(0))?;
                self.recent.insert(summary.body().view(), summary.clone());
                if self.recent.len() >= UNCOMMITTED_MAX {
                    self.commit()?;
                }
            }
            Change::Keep(Item::Tombstone(tombstone)) => self.forget(tombstone.body().view())?,
            Change::Forget(view) => self.forget(*view)?,
            Change::KeepCell(_)
            | Change::ForgetCell(_)
            | Change::Publication { .. }
            | Change::Disclosed { .. } => {}
        }
        Ok(())
    }

    fn forget(&mut self, view: PublicKey) -> Result<(), ShelfError> {
        self.recent.remove(&view);
        self.index.remove(&view)?;
        Ok(())
    }

    /// Summaries that wait for a commit.
    pub fn uncommitted(&self) -> usize {
        self.recent.len()
    }

    /// Whether something waits for a commit.
    pub fn is_uncommitted(&self) -> bool {
        !self.recent.is_empty()
    }

    /// Commits what the index was given.
    pub fn commit(&mut self) -> Result<(), IndexError> {
        self.index.commit()?;
        self.recent.clear();
        Ok(())
    }

    fn stored(&self, view: &PublicKey) -> Option<Signed<Summary>> {
        self.store.summary(view).unwrap_or_else(|error| {
            warn!(%view, %error, "a summary cannot be read");
            None
        })
    }
}

impl Index for Shelf {
    fn nominate(&self, query: &Query, limit: usize, now: Timestamp) -> Nominated {
        let candidates = self.index.nominate(query, limit, now).unwrap_or_else(|error| {
            warn!(%error, "the index cannot answer");
            Default::default()
        });
        let matches = |s: &Signed<Summary>| {
            ranking::matches(query, s.body(), &ranking::stated_for_anyone(s.body()), &self.vocabulary)
        };
        // The index leaves out what was replaced since its last commit, unless a write failed.
        let indexed = candidates.views.iter().filter(|view| !self.recent.contains_key(view));
        let mut summaries: Vec<Signed<Summary>> = indexed.filter_map(|view| self.stored(view)).collect();
        summaries.retain(&matches);
        let recent: Vec<Signed<Summary>> = self.recent.values().filter(|s| matches(s)).cloned().collect();
        let matched = candidates.matched + recent.len();
        if !recent.is_empty() {
            summaries.extend(recent);
            let points = |s: &Signed<Summary>| {
                let stated = ranking::stated_for_anyone(s.body());
                ranking::score(query, s.body(), &stated, &self.vocabulary, now).points
            };
            // Equals stand as the index has them, so that a commit between two pages of a search moves nobody.
            let shuffle = self.index.shuffle(query, now);
            let rank = |s: &Signed<Summary>| (std::cmp::Reverse(points(s)), shuffle.place(&s.body().view()));
            summaries.sort_by_cached_key(rank);
            summaries.truncate(limit);
        }
        Nominated { matched: matched.max(summaries.len()), summaries }
    }

    fn summary(&self, view: &PublicKey) -> Option<Signed<Summary>> {
        self.recent.get(view).cloned().or_else(|| self.stored(view))
    }
}

impl Wallet for Shelf {
    fn credential(&self, id: &Id) -> Option<Credential> {
        let kept = self.store.credential(id).ok().flatten()?;
        Credential::parse(&kept.text).ok()
    }
}
