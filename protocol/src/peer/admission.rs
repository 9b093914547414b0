//! Admission: an item that came, by whatever way, is judged, and kept if it is this node's to keep.

use std::collections::BTreeMap;

use super::{Admission, Change, Lent, Output, Peer, Rejection, Verdict};
use crate::{
    id::Id,
    message::Item,
    published::{self, ProofRejection},
    summary::Summary,
    time::Timestamp,
};

impl Peer {
    /// Admits an item, from wherever it came. Its proofs are verified strictly, when all else speaks for it.
    pub(super) fn admit(&mut self, now: Timestamp, item: &Item) -> Result<Admission, Rejection> {
        if let Item::Summary(summary) = item
            && !summary.body().content().proofs().is_empty()
            && self.catalogue.would_admit(item, now)? == Admission::New
        {
            published::verify(summary.body())?;
        }
        self.admit_verified(now, item)
    }

    /// Admits many items, in order. The proofs of all that are new are verified together.
    pub(super) fn admit_all(&mut self, now: Timestamp, items: &[Item]) -> Vec<Result<Admission, Rejection>> {
        let is_new = |item: &&Item| self.catalogue.would_admit(item, now) == Ok(Admission::New);
        let proving: Vec<&Summary> = items
            .iter()
            .filter(is_new)
            .filter_map(|item| match item {
                Item::Summary(summary) => Some(summary.body()),
                Item::Tombstone(_) => None,
            })
            .collect();
        let mut verified: BTreeMap<Id, Result<(), ProofRejection>> = BTreeMap::new();
        let mut outcomes = published::verify_all(&proving).into_iter();
        for item in items.iter().filter(is_new).filter(|item| matches!(item, Item::Summary(_))) {
            verified.insert(item.id(), outcomes.next().unwrap_or(Err(ProofRejection::Malformed)));
        }
        let admit = |item: &Item| match verified.get(&item.id()) {
            Some(Err(rejection)) => Err((*rejection).into()),
            Some(Ok(())) => self.admit_verified(now, item),
            // A tombstone, or a summary that was refused or known before its proofs mattered.
            None => self.admit(now, item),
        };
        items.iter().map(admit).collect()
    }

    fn admit_verified(&mut self, now: Timestamp, item: &Item) -> Result<Admission, Rejection> {
        if let Item::Summary(summary) = item
            && !self.is_kept_here(summary)
        {
            let admission = self.catalogue.would_admit(item, now)?;
            if admission == Admission::New {
                // What it replaces is outdated, wherever the new one is kept.
                self.let_go(&item.view());
            }
            return Ok(admission);
        }
        let admission = self.catalogue.admit(item, now)?;
        self.settle_departed();
        if let Item::Summary(summary) = item
            && admission == Admission::New
        {
            self.cells.enter(summary);
        }
        // The store keeps one item a view, the newest; a tombstone beneath it waits in the catalogue.
        if admission == Admission::New && self.catalogue.is_newest(item) {
            self.outputs.push(Output::Persist(Change::Keep(item.clone())));
        }
        Ok(admission)
    }

    pub(super) fn gossiped(&mut self, now: Timestamp, topic: &str, bytes: &[u8], lent: &Lent<'_>) -> Verdict {
        let Ok(item) = lent.item(bytes) else { return Verdict::Reject };
        // On another topic it would be known by the time that it comes on its own, and go no further there.
        if item.topic() != topic {
            return Verdict::Reject;
        }
        match self.admit(now, &item) {
            // What is kept elsewhere is read by nobody here, and forwarded by those who read it.
            Ok(Admission::New) if !self.catalogue.is_newest(&item) && matches!(item, Item::Summary(_)) => {
                Verdict::Ignore
            }
            Ok(Admission::New) => Verdict::Accept,
            // Illegal whenever it came, unlike what is refused for what is held or for the time.
            Err(Rejection::Proof(_)) => Verdict::Reject,
            Ok(Admission::Known) | Err(_) => Verdict::Ignore,
        }
    }

    /// A record is kept when it stands under its own view's key and is the newest known of it, also where the index keeps it not.
    pub(super) fn record_offered(&mut self, now: Timestamp, key: Vec<u8>, value: Vec<u8>, lent: &Lent<'_>) {
        let Ok(item) = lent.item(&value) else { return };
        let admitted = item.record_key() == key && self.admit(now, &item).is_ok();
        let is_for_others = matches!(&item, Item::Summary(summary) if !self.is_kept_here(summary));
        if admitted && (is_for_others || self.catalogue.is_newest(&item)) {
            self.outputs.push(Output::KeepRecord { key, value, expires: item.expires() });
        }
    }
}
