//! Admission: an item that came, by whatever way, is judged, and kept if it is this node's to keep.

use std::collections::BTreeMap;

use super::{
    Admission, Change, Contact, Lent, Output, Peer, Rejection, Verdict,
    catalogue::Left,
    party::{Party, Rate},
    room::Origin,
};
use crate::{
    id::Id,
    key::Did,
    limits::{BUDGETS_MAX, GOSSIP_BURST, GOSSIP_PER_MINUTE},
    message::Item,
    published::{self, ProofRejection, ProofState, Published},
    summary::Summary,
    time::Timestamp,
};

const GOSSIP: Rate = Rate { burst: GOSSIP_BURST, every_ms: 60_000 / GOSSIP_PER_MINUTE };

/// By which way an item came.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    /// Who brought it; nobody where it is our own.
    party: Option<Party>,
    lent: Option<&'a Lent<'a>>,
    /// How it comes into cells that are kept, if it does.
    pub into_cells: Option<Way>,
}

/// How a summary comes into cells that are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Somebody asks to have it kept there.
    Placed,
    /// We chose to ask another node that keeps a cell for what it has there.
    Handed,
}

impl<'a> Source<'a> {
    /// Our own.
    pub const OWN: Source<'static> = Source { party: None, lent: None, into_cells: None };

    /// Of a node that we asked, or that told everybody.
    pub fn told(party: Party, lent: &'a Lent<'a>) -> Self {
        Source { party: Some(party), lent: Some(lent), into_cells: None }
    }

    /// Brought for the cells that are kept.
    pub fn into_cells(way: Way, by: &Contact, lent: &'a Lent<'a>) -> Self {
        Source { into_cells: Some(way), ..Source::told(Party::of(by), lent) }
    }

    /// Who brought it into cells, and how.
    pub fn turn(&self) -> Option<(Party, Way)> {
        self.party.zip(self.into_cells)
    }

    /// Who vouches for a summary: an issuer that is recognised here, and whose proof in it holds.
    fn origin(&self, item: &Item, now: Timestamp) -> Origin {
        let Some(party) = self.party else { return Origin::OWN };
        let issuer = match (item, self.lent) {
            (Item::Summary(summary), Some(lent)) => vouching(summary.body(), lent, now),
            _ => None,
        };
        Origin { issuer, ..Origin::brought(party) }
    }
}

fn vouching(summary: &Summary, lent: &Lent<'_>, now: Timestamp) -> Option<Did> {
    let is_recognised = |issuer: &Did| lent.trust.get(issuer).is_some();
    // Nothing is parsed of a summary that names no issuer who is recognised.
    let claims = summary.content().claims().iter().filter(|claim| claim.proof().is_some());
    let mut named = claims.filter_map(|claim| claim.backing()).map(|backing| &backing.issuer);
    if !named.any(is_recognised) {
        return None;
    }
    let published = Published::of(summary, &lent.verifier(now));
    // Whether a credential was revoked may be unknown; that its issuer signed it is not.
    let holds = |state| matches!(state, ProofState::Proven | ProofState::StatusUnknown);
    let vouching = published.claims().iter().find(|claim| holds(claim.state) && is_recognised(&claim.issuer));
    vouching.map(|claim| claim.issuer.clone())
}

impl Peer {
    /// Admits an item, from wherever it came. Its proofs are verified strictly, when all else speaks for it.
    pub(super) fn admit(
        &mut self,
        now: Timestamp,
        item: &Item,
        source: &Source<'_>,
    ) -> Result<Admission, Rejection> {
        if let Item::Summary(summary) = item
            && !summary.body().content().proofs().is_empty()
            && self.catalogue.would_admit(item, now)? == Admission::New
        {
            published::verify(summary.body())?;
        }
        self.admit_verified(now, item, source)
    }

    /// Admits many items, in order. The proofs of all that are new are verified together.
    pub(super) fn admit_all(
        &mut self,
        now: Timestamp,
        items: &[Item],
        source: &Source<'_>,
    ) -> Vec<Result<Admission, Rejection>> {
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
            Some(Ok(())) => self.admit_verified(now, item, source),
            // A tombstone, or a summary that was refused or known before its proofs mattered.
            None => self.admit(now, item, source),
        };
        items.iter().map(admit).collect()
    }

    fn admit_verified(
        &mut self,
        now: Timestamp,
        item: &Item,
        source: &Source<'_>,
    ) -> Result<Admission, Rejection> {
        if let Item::Summary(summary) = item
            && !self.is_kept_here(now, summary, source)
        {
            let admission = self.catalogue.would_admit(item, now)?;
            if admission == Admission::New {
                // What it replaces is outdated, wherever the new one is kept.
                self.let_go(&item.view());
            }
            return Ok(admission);
        }
        // Who vouches for it takes reading its proofs, and matters only where it is new.
        let origin = match self.catalogue.would_admit(item, now)? {
            Admission::New => source.origin(item, now),
            Admission::Known => Origin::OWN,
        };
        let admission = self.catalogue.admit(item, now, &origin)?;
        for left in self.catalogue.take_evicted() {
            self.outputs.push(Output::Persist(left.into()));
        }
        self.settle_departed();
        if let Item::Summary(summary) = item {
            self.cells.enter(now, summary, source, &self.keeping);
        }
        // The store keeps one item a view, the newest; a tombstone beneath it waits in the catalogue.
        if admission == Admission::New && self.catalogue.is_newest(item) {
            self.outputs.push(Output::Persist(Change::Keep(item.clone())));
        }
        Ok(admission)
    }

    pub(super) fn gossiped(
        &mut self,
        now: Timestamp,
        from: &Contact,
        topic: &str,
        bytes: &[u8],
        lent: &Lent<'_>,
    ) -> Verdict {
        let party = Party::of(from);
        // Before anything is verified. What is lost so comes by other neighbours, or when nodes compare what they hold.
        if self.gossip.take(party, 1, GOSSIP, now, BUDGETS_MAX) != Some(true) {
            return Verdict::Ignore;
        }
        let Ok(item) = lent.item(bytes) else { return Verdict::Reject };
        // On another topic it would be known by the time that it comes on its own, and go no further there.
        if item.topic() != topic {
            return Verdict::Reject;
        }
        match self.admit(now, &item, &Source::told(party, lent)) {
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
        // Anybody may put a record, through anybody: it is charged to its view.
        let source = Source::told(Party::view(&item.view()), lent);
        let admitted = item.record_key() == key && self.admit(now, &item, &source).is_ok();
        let is_for_others =
            matches!(&item, Item::Summary(summary) if !self.is_kept_here(now, summary, &source));
        if admitted && (is_for_others || self.catalogue.is_newest(&item)) {
            self.outputs.push(Output::KeepRecord { key, value, expires: item.expires() });
        }
    }
}

/// What is left of a view, as a change.
impl From<Left> for Change {
    fn from(left: Left) -> Self {
        match left {
            Left::Nothing(view) => Change::Forget(view),
            Left::Tombstone(tombstone) => Change::Keep(Item::Tombstone(tombstone)),
        }
    }
}
