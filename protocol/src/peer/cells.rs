//! Cells that the node keeps: who is in each, what others ask to be stored there, and how much of the network is kept at all.
//!
//! A cell is kept from the first summary that was stored in it until its epoch is over or others are nearer. Its members are
//! those summaries of the catalogue that belong there. A cell that is full is split: it keeps whom it has until they end, takes
//! nobody more, and says into which of its parts it sent whoever came since; when few are left there, it takes them again.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Change, Contact, Lent, Output, Peer,
    admission::{Source, Way},
    party::{Party, Rate, Turns},
};
use crate::{
    cell::{Cell, Descriptor, Epoch, Half, Path, Receipt},
    id::Id,
    key::PublicKey,
    limits::{
        CELL_CHILDREN_MAX, CELL_GRACE_MS, CELL_HANDED_PART, CELL_MERGE_BELOW, CELL_PARTIES_MAX,
        CELL_PARTY_BURST, CELL_PARTY_EVERY_MS, CELL_SPLIT_ABOVE, CELL_TEND_MS, CELLS_MAX, CLOCK_SKEW_MAX_MS,
        EPOCH_OVERLAP_MS, SUMMARIES_MAX,
    },
    message::{self, Item, Placed, Refusal, Replica, Response},
    query::{Expr, Query, SkillTerm},
    signed::Signed,
    skill::{Level, SkillId},
    summary::Summary,
    time::Timestamp,
};

/// How much a node is willing to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keeping {
    /// What it keeps; `None` is everything while there is room, and cells from then on.
    pub replica: Option<Replica>,
    /// Summaries for which there is room, at most [`SUMMARIES_MAX`].
    pub summaries_max: usize,
    /// Summaries above which a cell is split.
    pub split_above: usize,
    /// Summaries in its parts below which it takes them back.
    pub merge_below: usize,
}

impl Default for Keeping {
    fn default() -> Self {
        Keeping {
            replica: None,
            summaries_max: SUMMARIES_MAX,
            split_above: CELL_SPLIT_ABOVE,
            merge_below: CELL_MERGE_BELOW,
        }
    }
}

/// See the module.
#[derive(Default)]
pub(super) struct Cells {
    kept: BTreeMap<Cell, Kept>,
    /// How many summaries another node said that it holds which keeps everything, and when.
    total: Option<(usize, Timestamp)>,
    /// Since when only cells are kept.
    narrowed: Timestamp,
    /// When what changes slowly is looked at next.
    review_at: Timestamp,
}

/// Time between two looks at what changes slowly: how many there are in all, and what is left in the parts of a cell.
const REVIEW_MS: u64 = 60_000;

/// One cell that is kept.
pub(super) struct Kept {
    members: BTreeSet<(Timestamp, Id)>,
    /// Until when its parts have somebody.
    parts: BTreeMap<Path, Timestamp>,
    /// Whom it sent on, by the hash of the view; no more than it would take back.
    sent_on: BTreeSet<(Timestamp, Id)>,
    is_split: bool,
    pub tend_at: Timestamp,
    /// Others were nearer when it was last looked at.
    pub is_far: bool,
    /// Its members have been offered to the places of the next epoch.
    pub is_handed_on: bool,
    /// Those were looked for who keep it in the epoch before.
    pub is_taken_over: bool,
    /// What each party placed lately.
    turns: Turns,
}

/// How often whoever publishes, and how often another node that keeps the cell, may place summaries in it.
const PLACING: Rate = Rate { burst: CELL_PARTY_BURST, every_ms: CELL_PARTY_EVERY_MS };

impl Cells {
    pub fn kept(&self) -> impl Iterator<Item = (&Cell, &Kept)> {
        self.kept.iter()
    }

    pub fn get_mut(&mut self, cell: &Cell) -> Option<&mut Kept> {
        self.kept.get_mut(cell)
    }

    pub fn keep(&mut self, cell: Cell, tend_at: Timestamp) {
        self.kept.entry(cell).or_insert_with(|| Kept {
            members: BTreeSet::new(),
            parts: BTreeMap::new(),
            sent_on: BTreeSet::new(),
            is_split: false,
            tend_at,
            is_far: false,
            is_handed_on: false,
            is_taken_over: false,
            turns: Turns::default(),
        });
    }

    pub fn forget(&mut self, cell: &Cell) {
        self.kept.remove(cell);
    }

    /// Expiry and id of the members of a cell that live past `as_of`; `None` when it is not kept.
    pub fn alive(
        &self,
        cell: &Cell,
        as_of: Timestamp,
    ) -> Option<impl Iterator<Item = (Timestamp, Id)> + use<'_>> {
        Some(self.kept.get(cell)?.members.range((as_of.plus_ms(1), Id([0; 32]))..).copied())
    }

    /// Cells that are kept and in which a summary belongs.
    fn places_of(&self, summary: &Summary) -> Vec<Cell> {
        let of = |skill: &SkillId| {
            let (skill, half) = (skill.clone(), Half::First);
            let first =
                Cell { skill: skill.clone(), path: Path::ALL, half, epoch: Epoch::of(Timestamp::EPOCH) };
            self.kept.range(first..).take_while(move |(cell, _)| cell.skill == skill).map(|(cell, _)| cell)
        };
        let claims = summary.content().claims().iter();
        claims.flat_map(|claim| of(claim.skill())).filter(|cell| cell.path.covers(summary)).cloned().collect()
    }

    pub fn descriptor(&self, cell: &Cell) -> Descriptor {
        self.kept.get(cell).map(Kept::descriptor).unwrap_or_default()
    }

    /// Learns from another that keeps a cell which of its parts have somebody. They are believed until the epoch is over.
    pub fn learn_parts(&mut self, cell: &Cell, parts: &[Path]) {
        let Some(kept) = self.kept.get_mut(cell) else { return };
        let until = cell.epoch.ends().plus_ms(CELL_GRACE_MS);
        for part in parts.iter().filter(|part| part.is_child_of(&cell.path)) {
            if kept.parts.len() < CELL_CHILDREN_MAX || kept.parts.contains_key(part) {
                kept.parts.entry(part.clone()).or_insert(until);
            }
        }
    }

    /// Whether a summary that is placed is taken by a cell that is kept, or is there already.
    fn takes(&self, now: Timestamp, summary: &Signed<Summary>, by: (Party, Way), keeping: &Keeping) -> bool {
        let member = (summary.body().expires(), summary.id());
        let takes = |kept: &Kept| {
            kept.members.contains(&member)
                || !kept.is_split && kept.turns.has(by.0, 1, Kept::rate(by.1, keeping), now, CELL_PARTIES_MAX)
        };
        self.places_of(summary.body()).iter().any(|cell| self.kept.get(cell).is_some_and(takes))
    }

    /// Enters a summary that is held into the cells where it belongs, if it was placed and it is its party's turn.
    pub fn enter(
        &mut self,
        now: Timestamp,
        summary: &Signed<Summary>,
        source: &Source<'_>,
        keeping: &Keeping,
    ) {
        let Some((party, way)) = source.turn().filter(|_| !self.kept.is_empty()) else { return };
        let member = (summary.body().expires(), summary.id());
        for cell in self.places_of(summary.body()) {
            if let Some(kept) = self.kept.get_mut(&cell).filter(|kept| !kept.is_split) {
                let rate = Kept::rate(way, keeping);
                if !kept.members.contains(&member)
                    && kept.turns.take(party, 1, rate, now, CELL_PARTIES_MAX) == Some(true)
                {
                    kept.members.insert(member);
                }
            }
        }
    }

    pub fn leave(&mut self, expires: Timestamp, id: Id) {
        self.kept.values_mut().for_each(|kept| {
            kept.members.remove(&(expires, id));
        });
    }

    /// Hears from a node that keeps everything how much that is.
    pub fn learn_total(&mut self, held: usize, now: Timestamp) {
        self.total = Some((held, now));
    }

    fn expire(&mut self, now: Timestamp) {
        for kept in self.kept.values_mut() {
            kept.parts.retain(|_, until| *until > now);
            while kept.sent_on.first().is_some_and(|(expires, _)| *expires <= now) {
                kept.sent_on.pop_first();
            }
        }
    }
}

impl Kept {
    /// How many summaries a party may bring. What others hand over is asked for by us, of nodes that we chose.
    fn rate(way: Way, keeping: &Keeping) -> Rate {
        let handed = u64::try_from(keeping.split_above / CELL_HANDED_PART).unwrap_or(u64::MAX);
        match way {
            Way::Placed => PLACING,
            Way::Handed => Rate { burst: handed.max(PLACING.burst), ..PLACING },
        }
    }

    pub fn descriptor(&self) -> Descriptor {
        let parts = self.parts.keys().take(CELL_CHILDREN_MAX).cloned().collect();
        Descriptor { count: u32::try_from(self.members.len()).unwrap_or(u32::MAX), parts }
    }

    /// Whether an item is a member.
    fn has(&self, item: &Item) -> bool {
        let Item::Summary(summary) = item else { return false };
        self.members.contains(&(summary.body().expires(), summary.id()))
    }

    /// Sends a summary on to the part of the cell in which it belongs.
    fn send_on(&mut self, part: Path, summary: &Summary, merge_below: usize) -> Placed {
        let expires = summary.expires();
        if self.parts.len() >= CELL_CHILDREN_MAX && !self.parts.contains_key(&part) {
            return Placed::Refused(Refusal::Busy);
        }
        let until = self.parts.entry(part.clone()).or_insert(expires);
        *until = (*until).max(expires);
        if self.sent_on.len() <= merge_below {
            self.sent_on.insert((expires, Id::of(summary.view().as_bytes())));
        }
        Placed::Split(vec![part])
    }
}

impl Peer {
    /// The same peer, keeping so much.
    pub fn keeping(mut self, keeping: Keeping) -> Self {
        self.keeping = keeping;
        self.replica = keeping.replica.unwrap_or_default();
        self.catalogue.set_room(keeping.summaries_max);
        self
    }

    /// How much of the network's summaries is kept now.
    pub fn replica(&self) -> Replica {
        self.replica
    }

    /// Cells that are kept, with what is said of each.
    pub fn cells(&self) -> impl Iterator<Item = (&Cell, Descriptor)> {
        self.cells.kept().map(|(cell, kept)| (cell, kept.descriptor()))
    }

    /// The gossip topics that the peer reads.
    pub fn topics(&self) -> Vec<String> {
        match self.replica {
            Replica::Full => message::topics(),
            Replica::Cells | Replica::None => message::withdrawals().collect(),
        }
    }

    /// Whether a summary is for this node to keep.
    pub(super) fn is_kept_here(
        &self,
        now: Timestamp,
        summary: &Signed<Summary>,
        source: &Source<'_>,
    ) -> bool {
        match self.replica {
            Replica::Full => true,
            _ if summary.body().view() == self.identity.view.public() => true,
            Replica::Cells => {
                source.turn().is_some_and(|by| self.cells.takes(now, summary, by, &self.keeping))
            }
            Replica::None => false,
        }
    }

    /// Another node asks that items be kept in cells.
    pub(super) fn store(
        &mut self,
        now: Timestamp,
        from: &Contact,
        cells: &[Cell],
        items: &[Item],
        lent: &Lent<'_>,
    ) -> Response {
        if self.replica == Replica::None {
            return Response::Refused(Refusal::NotKept);
        }
        let mut placed = Vec::new();
        let mut begun = Vec::new();
        for cell in cells {
            let outcome = if !is_in_time(cell.epoch, now) {
                Placed::Refused(Refusal::NotCurrent)
            } else if self.cells.kept.contains_key(cell) || self.begin_cell(now, cell, lent) {
                begun.push(cell);
                self.place_in(cell, items)
            } else {
                Placed::Refused(Refusal::Busy)
            };
            placed.push(outcome);
        }
        let admitted = self.admit_all(now, items, &Source::into_cells(Way::Placed, from, lent));
        // Judged good; what is sent on to parts of a cell, or waits for its turn, may be held nowhere here.
        let good: Vec<&Item> = items
            .iter()
            .zip(admitted)
            .filter(|(_, admitted)| admitted.is_ok())
            .map(|(item, _)| item)
            .collect();
        for (cell, outcome) in cells.iter().zip(&mut placed).filter(|(_, outcome)| **outcome == Placed::Kept)
        {
            let belonging = || items.iter().filter(|item| belongs(item, cell));
            let kept = self.cells.kept.get(cell);
            if belonging().any(|item| !good.contains(&item))
                || belonging().next().is_none() && good.is_empty()
            {
                *outcome = Placed::Refused(Refusal::NotCurrent);
            } else if !kept.is_some_and(|kept| belonging().all(|item| kept.has(item))) {
                // Its party has placed many there already, and waits for its next turn.
                *outcome = Placed::Refused(Refusal::Busy);
            }
        }
        for cell in begun {
            if let Some(state) = self.cells.get_mut(cell) {
                if state.members.is_empty() && state.parts.is_empty() {
                    self.cells.forget(cell);
                    self.outputs.push(Output::Persist(Change::ForgetCell(cell.clone())));
                    let here = cells.iter().zip(&mut placed).filter(|(one, _)| *one == cell);
                    for (_, outcome) in here.filter(|(_, outcome)| **outcome == Placed::Kept) {
                        *outcome = Placed::Refused(Refusal::NotCurrent);
                    }
                } else if state.members.len() > self.keeping.split_above {
                    state.is_split = true;
                }
            }
        }
        // A word about the cells that lack nothing, and about what is in any of those that were named, or ends a view.
        let is_kept = |(_, outcome): &(&Cell, &Placed)| **outcome == Placed::Kept;
        let kept_cells = cells.iter().zip(&placed).filter(is_kept).map(|(cell, _)| cell.key()).collect();
        let is_told = |item: &&&Item| {
            let has = |cell: &Cell| self.cells.kept.get(cell).is_some_and(|kept| kept.has(item));
            let is_there = cells.iter().any(has);
            (is_there || matches!(item, Item::Tombstone(_))) && self.catalogue.holding(&item.id()).is_some()
        };
        let kept = good.iter().filter(is_told).map(|item| item.id()).collect();
        let receipt = Receipt::new(self.identity.node.public(), kept_cells, kept, now);
        Response::Stored { receipt: Signed::sign(receipt, &self.identity.node), cells: placed }
    }

    /// What becomes in one cell of those items that belong there.
    fn place_in(&mut self, cell: &Cell, items: &[Item]) -> Placed {
        let merge_below = self.keeping.merge_below;
        let Some(kept) = self.cells.get_mut(cell) else { return Placed::Refused(Refusal::Busy) };
        let mut outcome = Placed::Refused(Refusal::NotCurrent);
        for item in items {
            let Item::Summary(summary) = item else {
                if !matches!(outcome, Placed::Split(_)) {
                    outcome = Placed::Kept;
                }
                continue;
            };
            if !cell.covers(summary.body()) {
                continue;
            }
            let is_member = kept.members.contains(&(summary.body().expires(), summary.id()));
            outcome = match cell.path.child(summary.body()) {
                Some(part) if kept.is_split && !is_member => {
                    match (outcome, kept.send_on(part, summary.body(), merge_below)) {
                        (Placed::Split(mut all), Placed::Split(more)) => {
                            all.extend(more);
                            all.sort();
                            all.dedup();
                            Placed::Split(all)
                        }
                        (_, outcome) => outcome,
                    }
                }
                // That it is split is told of whatever else is there.
                _ if matches!(outcome, Placed::Split(_)) => continue,
                _ => Placed::Kept,
            };
        }
        outcome
    }

    /// Begins to keep a cell, with those members that are held already.
    pub(super) fn begin_cell(&mut self, now: Timestamp, cell: &Cell, lent: &Lent<'_>) -> bool {
        if self.cells.kept.len() >= CELLS_MAX {
            return false;
        }
        // Compared with the others soon, since whoever begins a cell has missed whoever was there before.
        let tend_at = now.plus_ms(self.jitter_ms(CELL_TEND_MS / 10));
        self.take_up(now, cell, tend_at, lent);
        self.outputs.push(Output::Persist(Change::KeepCell(cell.clone())));
        true
    }

    /// Takes a cell up whose members are held already, if any are.
    pub(super) fn take_up(&mut self, now: Timestamp, cell: &Cell, tend_at: Timestamp, lent: &Lent<'_>) {
        self.cells.keep(cell.clone(), tend_at);
        let Some(query) = holders_of(&cell.skill) else { return };
        let held = lent.index.nominate(&query, self.keeping.split_above, now).summaries;
        for summary in held.iter().filter(|summary| self.catalogue.is_alive(summary)) {
            if cell.covers(summary.body())
                && let Some(kept) = self.cells.get_mut(cell)
            {
                kept.members.insert((summary.body().expires(), summary.id()));
            }
        }
    }

    /// What the node says of a cell that it is asked for; `None` when it does not keep it.
    pub(super) fn describe(&self, now: Timestamp, cell: &Cell, lent: &Lent<'_>) -> Option<Descriptor> {
        let kept = self.cells.kept.get(cell).map(Kept::descriptor);
        if self.replica != Replica::Full || !is_in_time(cell.epoch, now) {
            return kept;
        }
        // Who keeps everything keeps every cell.
        let all = lent.index.nominate(&holders_of(&cell.skill)?, 0, now).matched;
        let parts = kept.map(|kept| kept.parts).unwrap_or_default();
        Some(Descriptor { count: u32::try_from(all).unwrap_or(u32::MAX), parts })
    }

    /// When [`Peer::review_replica`] may next change something.
    pub(super) fn review_at(&self) -> Option<Timestamp> {
        // Who was told to keep cells, and has no parts of them to watch, has nothing to decide.
        let is_watching = (self.replica == Replica::Cells && self.keeping.replica.is_none())
            || self.cells.kept.values().any(|kept| kept.is_split || !kept.parts.is_empty());
        is_watching.then_some(self.cells.review_at)
    }

    /// Keeps less when there is no room for everything, and everything again when there is.
    pub(super) fn review_replica(&mut self, now: Timestamp) {
        let is_full =
            self.replica == Replica::Full && self.catalogue.summaries() >= self.keeping.summaries_max;
        if now < self.cells.review_at && !(is_full && self.keeping.replica.is_none()) {
            return;
        }
        self.cells.review_at = now.plus_ms(REVIEW_MS);
        self.cells.expire(now);
        for kept in self.cells.kept.values_mut() {
            if kept.is_split && kept.members.len() + kept.sent_on.len() < self.keeping.merge_below {
                kept.is_split = false;
            }
        }
        if self.keeping.replica.is_some() {
            return;
        }
        let held = self.catalogue.summaries();
        // Not at once, so that nobody swings to and fro.
        let is_small = self.cells.total.is_some_and(|(total, at)| {
            at >= self.cells.narrowed.plus_ms(CELL_TEND_MS) && total < self.keeping.summaries_max / 10 * 7
        });
        match self.replica {
            Replica::Full if held >= self.keeping.summaries_max => {
                self.replica = Replica::Cells;
                self.cells.narrowed = now;
                self.let_go_of_the_rest();
                self.outputs.push(Output::Subscribe { topics: self.topics() });
            }
            Replica::Cells if is_small => {
                self.replica = Replica::Full;
                self.cells.total = None;
                self.outputs.push(Output::Subscribe { topics: self.topics() });
                for node in self.connected.clone() {
                    self.sessions.due(node, message::Scope::All, now);
                }
            }
            _ => {}
        }
    }

    /// Drops every summary that is in no cell kept here, but for the own one.
    pub(super) fn let_go_of_the_rest(&mut self) {
        let members = self.cells.kept.values().flat_map(|kept| kept.members.iter().map(|(_, id)| *id));
        let members: BTreeSet<Id> = members.collect();
        let own = self.identity.view.public();
        for (view, id) in self.catalogue.summaries_held() {
            if view != own && !members.contains(&id) {
                self.let_go(&view);
            }
        }
    }

    /// Drops the summary that is held of a view.
    pub(super) fn let_go(&mut self, view: &PublicKey) {
        if let Some(left) = self.catalogue.let_go(view) {
            self.outputs.push(Output::Persist(left.into()));
        }
        self.settle_departed();
    }

    /// Takes those out of their cells who are no longer held.
    pub(super) fn settle_departed(&mut self) {
        for (expires, id) in self.catalogue.take_departed() {
            self.cells.leave(expires, id);
        }
    }
}

/// Whether a node keeps cells of an epoch now: of the current one, with some grace for clocks that are late, and of the next one
/// shortly before it.
pub(super) fn is_in_time(epoch: Epoch, now: Timestamp) -> bool {
    let earliest = Epoch::of(now.minus_ms(CELL_GRACE_MS));
    let latest = Epoch::of(now.plus_ms(EPOCH_OVERLAP_MS + CLOCK_SKEW_MAX_MS));
    (earliest..=latest).contains(&epoch)
}

/// Whether an item is to be in a cell.
fn belongs(item: &Item, cell: &Cell) -> bool {
    matches!(item, Item::Summary(summary) if cell.covers(summary.body()))
}

/// Everybody who claims a skill.
fn holders_of(skill: &SkillId) -> Option<Query> {
    let term = SkillTerm { any_of: vec![skill.clone()], min: Level::MIN, max: Level::MAX };
    Query::new(Expr::Skill(term)).ok()
}
