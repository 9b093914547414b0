//! The catalogue: which items of each view are held, and until when. Admission happens here, whatever way an item came.
//!
//! Invariants: of each view at most its newest summary and its highest tombstone are held; a tombstone beats every summary
//! up to its ceiling, also after a newer summary came and went, hence it is held beneath that; nothing past its signed
//! expiry is held; the bounds of `limits` hold.

use std::collections::{BTreeMap, BTreeSet};

use super::room::{Origin, Room, Standing};
use crate::{
    id::Id,
    key::PublicKey,
    limits::{SUMMARIES_MAX, TOMBSTONES_MAX},
    message::Item,
    published::ProofRejection,
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
    /// A proof in it does not hold: it is illegal.
    #[error(transparent)]
    Proof(#[from] ProofRejection),
}

impl Rejection {
    /// The stable name of this refusal.
    pub const fn code(self) -> &'static str {
        match self {
            Rejection::NotCurrent => "not-current",
            Rejection::Outdated => "outdated",
            Rejection::Withdrawn => "withdrawn",
            Rejection::Full => "full",
            Rejection::Proof(rejection) => rejection.code(),
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Held {
    id: Id,
    sequence: u64,
    expires: Timestamp,
    standing: Standing,
}

/// What is held of one view; at least one of the two.
#[derive(Clone, Debug, Default)]
struct View {
    summary: Option<Held>,
    tombstone: Option<Signed<Tombstone>>,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Catalogue {
    views: BTreeMap<PublicKey, View>,
    ids: BTreeMap<Id, PublicKey>,
    expiries: BTreeSet<(Timestamp, Id)>,
    summaries: usize,
    tombstones: usize,
    /// Changes whenever an item comes or goes.
    version: u64,
    /// Expiry and id of summaries that went since somebody asked.
    departed: Vec<(Timestamp, Id)>,
    room: Room,
    /// What is left of views whose summaries made room for others, since somebody asked.
    evicted: Vec<Left>,
}

impl Default for Catalogue {
    fn default() -> Self {
        Catalogue {
            views: BTreeMap::new(),
            ids: BTreeMap::new(),
            expiries: BTreeSet::new(),
            summaries: 0,
            tombstones: 0,
            version: 0,
            departed: Vec::new(),
            room: Room::new(SUMMARIES_MAX),
            evicted: Vec::new(),
        }
    }
}

/// What stands behind an id.
pub(super) enum Holding<'a> {
    /// A summary of this view.
    Summary(PublicKey),
    /// A tombstone.
    Tombstone(&'a Signed<Tombstone>),
}

/// What is left of a view when its newest item went.
#[derive(Clone, Debug)]
pub(super) enum Left {
    /// Nothing.
    Nothing(PublicKey),
    /// The tombstone that the summary had stood on.
    Tombstone(Signed<Tombstone>),
}

impl Catalogue {
    /// Has room for so many summaries and no more.
    pub fn set_room(&mut self, summaries_max: usize) {
        self.room.summaries_max = summaries_max;
    }

    /// What [`Catalogue::admit`] would say, but that it may find no room for what is of this origin rather than another.
    pub fn would_admit(&self, item: &Item, now: Timestamp) -> Result<Admission, Rejection> {
        let current = match item {
            Item::Summary(summary) => summary.body().is_current(now),
            Item::Tombstone(tombstone) => tombstone.body().is_current(now),
        };
        if !current {
            return Err(Rejection::NotCurrent);
        }
        let view = self.views.get(&item.view());
        match item {
            Item::Summary(summary) => self.check_summary(view, summary),
            Item::Tombstone(tombstone) => self.check_tombstone(view, tombstone),
        }
    }

    /// Admits an item whose signature was verified when it was decoded, and whose proofs were since.
    pub fn admit(&mut self, item: &Item, now: Timestamp, origin: &Origin) -> Result<Admission, Rejection> {
        let admission = self.would_admit(item, now)?;
        if admission == Admission::New {
            match item {
                Item::Summary(summary) => {
                    self.make_room(summary, origin)?;
                    self.enter_summary(summary, origin);
                }
                Item::Tombstone(tombstone) => self.enter_tombstone(tombstone),
            }
        }
        Ok(admission)
    }

    fn check_summary(&self, view: Option<&View>, signed: &Signed<Summary>) -> Result<Admission, Rejection> {
        let (id, summary) = (signed.id(), signed.body());
        let (held, withdrawn) = match view {
            Some(view) => (view.summary, view.tombstone.as_ref().map(|t| t.body().ceiling())),
            None => (None, None),
        };
        if held.is_some_and(|held| held.id == id) {
            return Ok(Admission::Known);
        }
        if withdrawn.is_some_and(|ceiling| summary.sequence() <= ceiling) {
            return Err(Rejection::Withdrawn);
        }
        if held.is_some_and(|held| summary.sequence() <= held.sequence) {
            return Err(Rejection::Outdated);
        }
        Ok(Admission::New)
    }

    /// Makes room for a summary, if others can be expected to give way to it.
    fn make_room(&mut self, newcomer: &Signed<Summary>, origin: &Origin) -> Result<(), Rejection> {
        let holds = |view: &PublicKey| self.views.get(view).is_some_and(|v| v.summary.is_some());
        if self.summaries < self.room.summaries_max || holds(&newcomer.body().view()) {
            return Ok(());
        }
        if !self.room.is_pressed() {
            let held = self.views.values().filter_map(|v| v.summary.map(|held| held.standing));
            self.room.begin_pressure(held);
        }
        let party = self.room.yields_to(self.room.standing(origin)).ok_or(Rejection::Full)?;
        // Which of a party's goes is chance, as nobody can say in advance which ids there will be.
        let mut after = self.ids.range(newcomer.id()..).chain(self.ids.range(..newcomer.id()));
        let goes = |(id, view): &(&Id, &PublicKey)| {
            let held = self.views.get(view).and_then(|v| v.summary);
            held.is_some_and(|held| held.id == **id && held.standing == Standing::Brought(party))
        };
        let (_, view) = after.find(goes).ok_or(Rejection::Full)?;
        let view = *view;
        let left = self.let_go(&view);
        self.evicted.extend(left);
        Ok(())
    }

    /// What is left of views whose summaries made room for others, since this was last asked.
    pub fn take_evicted(&mut self) -> Vec<Left> {
        std::mem::take(&mut self.evicted)
    }

    fn enter_summary(&mut self, signed: &Signed<Summary>, origin: &Origin) {
        let (id, summary) = (signed.id(), signed.body());
        let (view, sequence, expires) = (summary.view(), summary.sequence(), summary.expires());
        self.remove_summary(&view);
        let standing = self.room.standing(origin);
        self.room.enter(origin, standing);
        self.views.entry(view).or_default().summary = Some(Held { id, sequence, expires, standing });
        self.summaries += 1;
        self.enter(id, view, expires);
    }

    fn check_tombstone(
        &self,
        view: Option<&View>,
        signed: &Signed<Tombstone>,
    ) -> Result<Admission, Rejection> {
        let (ceiling, expires) = (signed.body().ceiling(), signed.body().kept_until());
        let earlier = view.and_then(|view| view.tombstone.as_ref());
        if earlier.is_some_and(|t| t.id() == signed.id()) {
            return Ok(Admission::Known);
        }
        if earlier.is_some_and(|t| (ceiling, expires) <= (t.body().ceiling(), t.body().kept_until())) {
            return Err(Rejection::Outdated);
        }
        if earlier.is_none() && self.tombstones >= TOMBSTONES_MAX {
            return Err(Rejection::Full);
        }
        Ok(Admission::New)
    }

    fn enter_tombstone(&mut self, signed: &Signed<Tombstone>) {
        let (id, tombstone) = (signed.id(), signed.body());
        let (view, ceiling, expires) = (tombstone.view(), tombstone.ceiling(), tombstone.kept_until());
        let sequence = self.views.get(&view).and_then(|v| v.summary).map(|held| held.sequence);
        self.remove_tombstone(&view);
        if sequence.is_some_and(|sequence| sequence <= ceiling) {
            self.remove_summary(&view);
        }
        self.views.entry(view).or_default().tombstone = Some(signed.clone());
        self.tombstones += 1;
        self.enter(id, view, expires);
    }

    fn enter(&mut self, id: Id, view: PublicKey, expires: Timestamp) {
        self.ids.insert(id, view);
        self.expiries.insert((expires, id));
        self.version += 1;
    }

    fn leave(&mut self, id: Id, view: &PublicKey, expires: Timestamp) {
        self.ids.remove(&id);
        self.expiries.remove(&(expires, id));
        self.version += 1;
        if self.views.get(view).is_some_and(|v| v.summary.is_none() && v.tombstone.is_none()) {
            self.views.remove(view);
        }
    }

    fn remove_summary(&mut self, view: &PublicKey) {
        if let Some(held) = self.views.get_mut(view).and_then(|v| v.summary.take()) {
            self.summaries -= 1;
            self.room.leave(held.standing, self.summaries);
            self.departed.push((held.expires, held.id));
            self.leave(held.id, view, held.expires);
        }
    }

    fn remove_tombstone(&mut self, view: &PublicKey) {
        if let Some(tombstone) = self.views.get_mut(view).and_then(|v| v.tombstone.take()) {
            self.tombstones -= 1;
            self.leave(tombstone.id(), view, tombstone.body().kept_until());
        }
    }

    /// Drops what has expired; says what is left of each view whose newest item that was.
    pub fn expire(&mut self, now: Timestamp) -> Vec<Left> {
        let mut left = Vec::new();
        while let Some((at, id)) = self.expiries.first().copied() {
            if at > now {
                break;
            }
            self.expiries.pop_first();
            let Some(view) = self.ids.get(&id).copied() else { continue };
            let was_summary = self.views.get(&view).and_then(|v| v.summary).is_some_and(|held| held.id == id);
            if was_summary {
                self.remove_summary(&view);
            } else {
                self.remove_tombstone(&view);
            }
            match self.views.get(&view) {
                None => left.push(Left::Nothing(view)),
                Some(View { tombstone: Some(tombstone), .. }) if was_summary => {
                    left.push(Left::Tombstone(tombstone.clone()));
                }
                // The summary that stood on the tombstone is the newest item still.
                Some(_) => {}
            }
        }
        left
    }

    /// Drops the summary of a view, if one is held; says what is left.
    pub fn let_go(&mut self, view: &PublicKey) -> Option<Left> {
        self.views.get(view)?.summary?;
        self.remove_summary(view);
        Some(match self.tombstone(view) {
            Some(tombstone) => Left::Tombstone(tombstone.clone()),
            None => Left::Nothing(*view),
        })
    }

    /// Expiry and id of summaries that went since this was last asked.
    pub fn take_departed(&mut self) -> Vec<(Timestamp, Id)> {
        std::mem::take(&mut self.departed)
    }

    /// View and id of every summary held.
    pub fn summaries_held(&self) -> Vec<(PublicKey, Id)> {
        self.views.iter().filter_map(|(view, v)| Some((*view, v.summary?.id))).collect()
    }

    /// Expiry and id of every tombstone that lives past `as_of`.
    pub fn withdrawals(&self, as_of: Timestamp) -> impl Iterator<Item = (Timestamp, Id)> + '_ {
        let tombstones = self.views.values().filter_map(|view| view.tombstone.as_ref());
        tombstones.map(|t| (t.body().kept_until(), t.id())).filter(move |(until, _)| *until > as_of)
    }

    /// When something next expires.
    pub fn next_expiry(&self) -> Option<Timestamp> {
        self.expiries.first().map(|(at, _)| *at)
    }

    /// Summaries held.
    pub fn summaries(&self) -> usize {
        self.summaries
    }

    /// Whether an item is the newest of its view: it is held, and is no tombstone beneath a newer summary.
    pub fn is_newest(&self, item: &Item) -> bool {
        let newest = self.views.get(&item.view()).and_then(|v| match &v.summary {
            Some(held) => Some(held.id),
            None => v.tombstone.as_ref().map(Signed::id),
        });
        newest == Some(item.id())
    }

    /// The tombstone of a view.
    pub fn tombstone(&self, view: &PublicKey) -> Option<&Signed<Tombstone>> {
        self.views.get(view)?.tombstone.as_ref()
    }

    /// The greatest sequence of a view that is held or withdrawn; zero when nothing is.
    pub fn sequence(&self, view: &PublicKey) -> u64 {
        let Some(view) = self.views.get(view) else { return 0 };
        let withdrawn = view.tombstone.as_ref().map_or(0, |t| t.body().ceiling());
        view.summary.map_or(0, |held| held.sequence).max(withdrawn)
    }

    /// The view, sequence and expiry of every summary held.
    pub fn held(&self) -> impl Iterator<Item = (PublicKey, u64, Timestamp)> + '_ {
        self.views.iter().filter_map(|(view, v)| v.summary.map(|held| (*view, held.sequence, held.expires)))
    }

    /// What is held under an id.
    pub fn holding(&self, id: &Id) -> Option<Holding<'_>> {
        let view = self.ids.get(id)?;
        let held = self.views.get(view)?;
        match &held.tombstone {
            Some(tombstone) if tombstone.id() == *id => Some(Holding::Tombstone(tombstone)),
            _ => Some(Holding::Summary(*view)),
        }
    }

    /// Whether this very summary is the one held of its view.
    pub fn is_alive(&self, summary: &Signed<Summary>) -> bool {
        let held = self.views.get(&summary.body().view()).and_then(|v| v.summary);
        held.is_some_and(|held| held.id == summary.id())
    }

    /// Whether nothing speaks against a summary: it is current, and neither withdrawn nor replaced, as far as is known here.
    pub fn is_believed(&self, summary: &Signed<Summary>, now: Timestamp) -> bool {
        let judged = self.would_admit(&Item::Summary(summary.clone()), now);
        matches!(judged, Ok(_) | Err(Rejection::Full))
    }

    /// Expiry and id of every item that lives past `as_of`.
    pub fn alive(&self, as_of: Timestamp) -> impl Iterator<Item = (Timestamp, Id)> + '_ {
        self.expiries.range((as_of.plus_ms(1), Id([0; 32]))..).copied()
    }

    /// Whether what is alive as of one of two instants differs from what is as of the other.
    pub fn expires_between(&self, one: Timestamp, other: Timestamp) -> bool {
        let after = |at: Timestamp| (at.plus_ms(1), Id([0; 32]));
        self.expiries.range(after(one.min(other))..after(one.max(other))).next().is_some()
    }

    /// Changes whenever an item comes or goes.
    pub fn version(&self) -> u64 {
        self.version
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::{
        consent::{Consent, Present},
        id::NodeId,
        key::SecretKey,
        peer::party::Party,
        skill::Level,
        summary::{Content, Reach, Terms},
        vocabulary::Vocabulary,
    };

    const NOW: Timestamp = Timestamp::from_unix_ms(1_790_000_000_000);
    const MINUTE_MS: u64 = 60_000;

    fn summary(key: &SecretKey, sequence: u64, minutes: u64) -> Signed<Summary> {
        let bare = [("urn:skill:a".parse().unwrap(), Level::MIN)];
        let (content, _) =
            Content::draft(&[], &bare, Terms::default(), &Vocabulary::embedded(), key).unwrap();
        let consent = Consent::give(key.public(), content, Present::Ask, NOW, minutes * MINUTE_MS).unwrap();
        let reach = Reach::Direct(NodeId::from_bytes(vec![1]).unwrap());
        Signed::sign(Summary::new(&Signed::sign(consent, key), sequence, reach, NOW).unwrap(), key)
    }

    fn tombstone(of: &Signed<Summary>, key: &SecretKey) -> Item {
        Item::Tombstone(Signed::sign(Tombstone::new(of.body(), Timestamp::EPOCH, NOW), key))
    }

    #[test]
    fn what_was_withdrawn_stays_withdrawn_beneath_a_newer_summary_and_after_it() {
        let key = SecretKey::from_seed([1; 32]);
        let (long, short) = (summary(&key, 1, 60), summary(&key, 2, 1));
        let tombstone = tombstone(&long, &key);
        let [long, short] = [long, short].map(Item::Summary);
        // Whichever of withdrawal and republication comes first.
        for order in [[&tombstone, &short], [&short, &tombstone]] {
            let mut catalogue = Catalogue::default();
            for item in [&long, order[0], order[1]] {
                assert_eq!(catalogue.admit(item, NOW, &Origin::OWN), Ok(Admission::New));
            }
            assert!(catalogue.is_newest(&short) && !catalogue.is_newest(&tombstone));
            assert_eq!((catalogue.summaries(), catalogue.alive(NOW).count()), (1, 2));
            assert_eq!(catalogue.admit(&long, NOW, &Origin::OWN), Err(Rejection::Withdrawn));
            let later = NOW.plus_ms(MINUTE_MS);
            assert!(matches!(catalogue.expire(later).as_slice(), [Left::Tombstone(_)]));
            assert_eq!(catalogue.admit(&long, later, &Origin::OWN), Err(Rejection::Withdrawn));
            let end = NOW.plus_ms(60 * MINUTE_MS + crate::limits::TOMBSTONE_GRACE_MS);
            assert!(matches!(catalogue.expire(end).as_slice(), [Left::Nothing(_)]));
            assert_eq!((catalogue.summaries(), catalogue.next_expiry()), (0, None));
        }
    }

    #[test]
    fn what_is_alive_differs_only_where_something_expires_in_between() {
        let key = SecretKey::from_seed([1; 32]);
        let mut catalogue = Catalogue::default();
        catalogue.admit(&Item::Summary(summary(&key, 1, 10)), NOW, &Origin::OWN).unwrap();
        let end = NOW.plus_ms(10 * MINUTE_MS);
        for (one, other, differs) in [
            (NOW, end.minus_ms(1), false),
            (end.minus_ms(1), end, true),
            (end, NOW, true),
            (end, end.plus_ms(9), false),
            (end, end, false),
        ] {
            assert_eq!(catalogue.expires_between(one, other), differs, "{one} and {other}");
            assert_eq!(catalogue.alive(one).count() != catalogue.alive(other).count(), differs);
        }
    }

    #[test]
    fn a_newer_sequence_replaces_and_an_older_one_does_not() {
        let key = SecretKey::from_seed([1; 32]);
        let [first, second] = [1, 2].map(|sequence| Item::Summary(summary(&key, sequence, 60)));
        let mut catalogue = Catalogue::default();
        assert_eq!(catalogue.admit(&second, NOW, &Origin::OWN), Ok(Admission::New));
        assert_eq!(catalogue.admit(&second, NOW, &Origin::OWN), Ok(Admission::Known));
        assert_eq!(catalogue.admit(&first, NOW, &Origin::OWN), Err(Rejection::Outdated));
        assert_eq!(
            catalogue.admit(&first, NOW.plus_ms(61 * MINUTE_MS), &Origin::OWN),
            Err(Rejection::NotCurrent)
        );
        assert_eq!((catalogue.summaries(), catalogue.sequence(&key.public())), (1, 2));
    }

    #[test]
    fn a_flood_makes_room_for_whoever_brings_less_and_for_those_who_are_vouched_for() {
        let item = |n: u8| Item::Summary(summary(&SecretKey::from_seed([n; 32]), 1, 60));
        let party = |n: u8| Origin::brought(Party::node(&NodeId::from_bytes(vec![n]).unwrap()));
        let by = |issuer: u8| Origin {
            issuer: Some(SecretKey::from_seed([issuer; 32]).public().did()),
            ..party(1)
        };
        let mut catalogue = Catalogue::default();
        catalogue.set_room(8);
        let held = |catalogue: &Catalogue, n| catalogue.is_newest(&item(n));
        assert_eq!(catalogue.admit(&item(1), NOW, &Origin::OWN), Ok(Admission::New));
        assert_eq!(catalogue.admit(&item(2), NOW, &by(9)), Ok(Admission::New));
        for n in 10..16 {
            assert_eq!(catalogue.admit(&item(n), NOW, &party(1)), Ok(Admission::New));
        }
        // The flood has six, and gets no more; others take from it until they have as much.
        assert_eq!(catalogue.admit(&item(20), NOW, &party(1)), Err(Rejection::Full));
        let admitted = |catalogue: &mut Catalogue, from: u8, n| {
            (from..from + n).filter(|n| catalogue.admit(&item(*n), NOW, &party(2)).is_ok()).count()
        };
        assert_eq!(admitted(&mut catalogue, 30, 6), 3);
        assert_eq!((catalogue.summaries(), catalogue.take_evicted().len()), (8, 3));
        // An issuer vouches for a quarter of the room; beyond, its holders are anybody.
        assert_eq!(catalogue.admit(&item(3), NOW, &by(9)), Ok(Admission::New));
        assert_eq!(catalogue.admit(&item(4), NOW, &by(9)), Err(Rejection::Full));
        assert_eq!(catalogue.admit(&item(4), NOW, &by(8)), Ok(Admission::New));
        assert!([1, 2, 3, 4].iter().all(|n| held(&catalogue, *n)));
        // What expires makes room for anybody.
        let later = NOW.plus_ms(61 * MINUTE_MS);
        catalogue.expire(later);
        assert_eq!((catalogue.summaries(), catalogue.room.is_pressed()), (0, false));
    }
}
