//! The catalogue: which item of each view is held, and until when. Admission happens here, whatever way an item came.
//!
//! Invariants: one item a view; a tombstone beats every summary up to its ceiling; nothing past its signed expiry is
//! held; the bounds of `limits` hold.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    id::Id,
    key::PublicKey,
    limits::{SUMMARIES_MAX, TOMBSTONES_MAX},
    message::Item,
    signed::Signed,
    summary::{Summary, Tombstone},
    time::Timestamp,
};

/// An item was not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It is new, and now held.
    New,
    /// The very same is held.
    Known,
}

/// Why an item was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// It has expired, or was issued too far in the future.
    #[error("expired, or issued in the future")]
    NotCurrent,
    /// A newer item of the view is held.
    #[error("a newer one is held")]
    Outdated,
    /// The view was withdrawn.
    #[error("withdrawn")]
    Withdrawn,
    /// There is no room.
    #[error("no room")]
    Full,
}

#[derive(Clone, Debug)]
struct Held {
    id: Id,
    /// A summary's sequence, or a tombstone's ceiling.
    sequence: u64,
    expires: Timestamp,
    tombstone: Option<Signed<Tombstone>>,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Catalogue {
    views: BTreeMap<PublicKey, Held>,
    ids: BTreeMap<Id, PublicKey>,
    expiries: BTreeSet<(Timestamp, PublicKey)>,
    tombstones: usize,
    /// Changes whenever an item comes or goes.
    version: u64,
}

/// What stands behind an id.
pub(super) enum Holding<'a> {
    /// A summary of this view.
    Summary(PublicKey),
    /// A tombstone.
    Tombstone(&'a Signed<Tombstone>),
}

impl Catalogue {
    /// Admits an item whose signature was verified when it was decoded.
    pub fn admit(&mut self, item: &Item, now: Timestamp) -> Result<Admission, Rejection> {
        let (view, id, expires) = (item.view(), item.id(), item.expires());
        let (current, sequence, tombstone) = match item {
            Item::Summary(s) => (s.body().is_current(now), s.body().sequence(), None),
            Item::Tombstone(t) => (t.body().is_current(now), t.body().ceiling(), Some(t.clone())),
        };
        if !current {
            return Err(Rejection::NotCurrent);
        }
        if let Some(held) = self.views.get(&view) {
            if held.id == id {
                return Ok(Admission::Known);
            }
            let beaten = match (&held.tombstone, &tombstone) {
                (Some(_), None) if sequence <= held.sequence => return Err(Rejection::Withdrawn),
                // A tombstone beats the summaries up to its ceiling, and an earlier tombstone that ends before it.
                (None, Some(_)) => sequence >= held.sequence,
                (Some(_), Some(_)) => (sequence, expires) > (held.sequence, held.expires),
                (_, None) => sequence > held.sequence,
            };
            if !beaten {
                return Err(Rejection::Outdated);
            }
        }
        let replaces_tombstone = self.views.get(&view).is_some_and(|h| h.tombstone.is_some());
        let room = match tombstone {
            Some(_) => self.tombstones < TOMBSTONES_MAX || replaces_tombstone,
            None => {
                self.summaries() < SUMMARIES_MAX || (self.views.contains_key(&view) && !replaces_tombstone)
            }
        };
        if !room {
            return Err(Rejection::Full);
        }
        self.remove(&view);
        self.tombstones += usize::from(tombstone.is_some());
        self.ids.insert(id, view);
        self.expiries.insert((expires, view));
        self.views.insert(view, Held { id, sequence, expires, tombstone });
        self.version += 1;
        Ok(Admission::New)
    }

    fn remove(&mut self, view: &PublicKey) {
        if let Some(held) = self.views.remove(view) {
            self.ids.remove(&held.id);
            self.expiries.remove(&(held.expires, *view));
            self.tombstones -= usize::from(held.tombstone.is_some());
            self.version += 1;
        }
    }

    /// Drops what has expired; returns the views.
    pub fn expire(&mut self, now: Timestamp) -> Vec<PublicKey> {
        let mut expired = Vec::new();
        while let Some((at, view)) = self.expiries.first().copied() {
            if at > now {
                break;
            }
            self.remove(&view);
            expired.push(view);
        }
        expired
    }

    /// When something next expires.
    pub fn next_expiry(&self) -> Option<Timestamp> {
        self.expiries.first().map(|(at, _)| *at)
    }

    /// Summaries held.
    pub fn summaries(&self) -> usize {
        self.views.len() - self.tombstones
    }

    /// The view, sequence and expiry of every summary held.
    pub fn held(&self) -> impl Iterator<Item = (PublicKey, u64, Timestamp)> + '_ {
        let summaries = self.views.iter().filter(|(_, h)| h.tombstone.is_none());
        summaries.map(|(view, h)| (*view, h.sequence, h.expires))
    }

    /// What is held under an id.
    pub fn holding(&self, id: &Id) -> Option<Holding<'_>> {
        let view = self.ids.get(id)?;
        let held = self.views.get(view)?;
        Some(match &held.tombstone {
            Some(tombstone) => Holding::Tombstone(tombstone),
            None => Holding::Summary(*view),
        })
    }

    /// Whether this very summary is the one held of its view.
    pub fn is_alive(&self, summary: &Signed<Summary>) -> bool {
        self.views.get(&summary.body().view()).is_some_and(|h| h.id == summary.id())
    }

    /// The tombstone held of a view.
    pub fn tombstone(&self, view: &PublicKey) -> Option<&Signed<Tombstone>> {
        self.views.get(view)?.tombstone.as_ref()
    }

    /// Expiry and id of every item that lives past `as_of`.
    pub fn alive(&self, as_of: Timestamp) -> impl Iterator<Item = (Timestamp, Id)> + '_ {
        let after = self.expiries.iter().skip_while(move |(at, _)| *at <= as_of);
        after.filter_map(|(at, view)| self.views.get(view).map(|h| (*at, h.id)))
    }

    /// Changes whenever an item comes or goes.
    pub fn version(&self) -> u64 {
        self.version
    }
}
