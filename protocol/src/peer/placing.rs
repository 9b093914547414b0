//! Placing the own summary in the cells of its skills: look-ups for the nearest nodes, requests to keep it, and receipts.
//!
//! In each half of a cell a summary is stored on [`CELL_REPLICAS`](crate::limits::CELL_REPLICAS) nodes, no two of one group of addresses, and where nodes crowd
//! around its key also on [`CROWD_REPLICAS`](crate::limits::CROWD_REPLICAS) beside them. A node that
//! refuses or does not answer is replaced by the next nearest. Where a cell is split, the summary goes into its part. What is
//! *under-replicated* is told to the holder and tried again; the nodes that keep a cell see to it otherwise.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{
    Contact, Failure, Peer, Pending,
    contact::{Group, Reach},
    crowding::{Crowd, Neighbourhood},
    look_ups::LookUp,
};
use crate::{
    cell::{Cell, Epoch, Half, Path},
    id::{Id, NodeId},
    limits::{
        EPOCH_OVERLAP_MS, PLACE_AGAIN_MS, PLACE_LOOKUPS_MAX, PLACE_REFRESH_MS, RECEIPTS_MIN, STORE_CELLS_MAX,
    },
    message::{Item, Placed, Request, Response},
    signed::Signed,
    skill::SkillId,
    summary::Summary,
    time::Timestamp,
};

/// How well the own summary is placed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placement {
    /// For each skill, how many nodes signed that they keep the summary in its cell.
    pub receipts: BTreeMap<SkillId, usize>,
    /// Skills around whose cells more nodes crowd than chance explains: somebody may want to hide who is there. The summary was
    /// stored beside them, too.
    pub crowded: BTreeSet<SkillId>,
    /// When that was so; `None` while it is being placed for the first time.
    pub at: Option<Timestamp>,
}

impl Placement {
    /// Skills whose cells too few nodes keep the summary in: those who ask a cell alone may not find it.
    pub fn under_replicated(&self) -> impl Iterator<Item = (&SkillId, usize)> {
        self.receipts.iter().map(|(skill, count)| (skill, *count)).filter(|(_, count)| *count < RECEIPTS_MIN)
    }
}

/// One half of a cell in which the summary is to be.
#[derive(Default)]
struct Target {
    /// Nodes not asked yet, nearest first; none before they were looked up.
    candidates: VecDeque<Contact>,
    /// How many are to keep it.
    replicas: usize,
    crowd: Crowd,
    keepers: Vec<Contact>,
    pending: Vec<Contact>,
    /// It is in parts of the cell instead.
    is_split: bool,
}

impl Target {
    fn lacks(&self) -> usize {
        if self.is_split {
            return 0;
        }
        self.replicas.saturating_sub(self.keepers.len() + self.pending.len())
    }

    fn groups(&self) -> impl Iterator<Item = Group> {
        self.keepers.iter().chain(&self.pending).map(|contact| contact.group)
    }
}

/// A summary that is being placed.
struct Placing {
    summary: Signed<Summary>,
    targets: BTreeMap<Cell, Target>,
    /// Cells to be looked up.
    waiting: VecDeque<Cell>,
    looking: usize,
    asking: usize,
}

/// See the module.
#[derive(Default)]
pub(super) struct Places {
    placing: Option<Placing>,
    placement: Placement,
    /// Which nodes were asked to keep something of the view, and in which cells: they are told what replaces it.
    keepers: BTreeMap<NodeId, BTreeSet<Cell>>,
    due: Option<Timestamp>,
    failures: u32,
}

impl Places {
    /// Has the summary placed as soon as somebody is connected.
    pub fn begin(&mut self, now: Timestamp) {
        (self.placing, self.failures, self.due) = (None, 0, Some(now));
        self.placement = Placement::default();
    }

    pub fn end(&mut self) {
        (self.placing, self.due) = (None, None);
        self.placement = Placement::default();
    }

    pub fn due(&self) -> Option<Timestamp> {
        self.due
    }

    /// Nodes that may keep something of the view.
    pub fn keepers(&self) -> impl Iterator<Item = &NodeId> {
        self.keepers.keys()
    }

    pub fn forget_keepers(&mut self) {
        self.keepers.clear();
    }

    pub fn is_placing(&self) -> bool {
        self.placing.is_some()
    }
}

impl Peer {
    /// How well the own summary is placed.
    pub fn placement(&self) -> &Placement {
        &self.places.placement
    }

    /// Whether the own summary is being placed.
    pub fn is_placing(&self) -> bool {
        self.places.is_placing()
    }

    /// Begins to place the own summary when it is time, and goes on with it.
    pub(super) fn tend_placing(&mut self, now: Timestamp) {
        let is_due = self.places.due.is_some_and(|due| due <= now) && !self.connected.is_empty();
        if is_due
            && self.places.placing.is_none()
            && let Some(summary) = self.publication.as_ref().map(|publication| publication.summary.clone())
        {
            self.places.due = None;
            let mut epochs = vec![Epoch::of(now)];
            if epochs.iter().any(|epoch| epoch.is_ending(now)) {
                epochs.extend(epochs.first().map(|epoch| epoch.next()));
            }
            let skills = summary.body().content().claims().iter().map(|claim| claim.skill());
            let cells = skills.flat_map(|skill| {
                let halves =
                    Half::BOTH.iter().flat_map(|half| epochs.iter().map(move |epoch| (*half, *epoch)));
                halves.map(|(half, epoch)| Cell { skill: skill.clone(), path: Path::ALL, half, epoch })
            });
            let waiting: VecDeque<Cell> = cells.collect();
            let targets = waiting.iter().map(|cell| (cell.clone(), Target::default())).collect();
            self.places.placing = Some(Placing { summary, targets, waiting, looking: 0, asking: 0 });
        }
        self.look_for_places(now);
        self.ask_places(now);
    }

    fn look_for_places(&mut self, now: Timestamp) {
        let Some(placing) = &mut self.places.placing else { return };
        let room = PLACE_LOOKUPS_MAX.saturating_sub(placing.looking).min(placing.waiting.len());
        let next: Vec<Cell> = placing.waiting.drain(..room).collect();
        placing.looking += next.len();
        for cell in next {
            self.look_up(now, &cell, Reach::Network, LookUp::Place(cell.clone()));
        }
    }

    /// The nodes nearest to a cell of the own summary are known.
    pub(super) fn found_place(&mut self, now: Timestamp, cell: &Cell, found: &Neighbourhood) {
        let Some(placing) = &mut self.places.placing else { return };
        placing.looking = placing.looking.saturating_sub(1);
        if let Some(target) = placing.targets.get_mut(cell) {
            let own = &self.identity.node_id;
            (target.replicas, target.crowd) = (found.replicas(), found.crowd);
            target.candidates = found.beginning_with(&found.keepers(), own);
        }
        self.look_for_places(now);
        self.ask_places(now);
    }

    /// When everything is looked up: asks as many nodes as are lacking, each once for all cells that it is to keep.
    fn ask_places(&mut self, now: Timestamp) {
        let Some(placing) = &mut self.places.placing else { return };
        if placing.looking > 0 || !placing.waiting.is_empty() {
            return;
        }
        let mut asked: BTreeMap<NodeId, Vec<Cell>> = BTreeMap::new();
        for (cell, target) in &mut placing.targets {
            let lacking = target.lacks();
            if lacking == 0 || target.candidates.is_empty() {
                continue;
            }
            let candidates: Vec<Contact> = target.candidates.iter().cloned().collect();
            let taken: Vec<Group> = target.groups().collect();
            for contact in Contact::diverse(&candidates, &taken, lacking) {
                target.candidates.retain(|one| one.node != contact.node);
                asked.entry(contact.node.clone()).or_default().push(cell.clone());
                target.pending.push(contact);
            }
        }
        let item = Item::Summary(placing.summary.clone());
        let mut requests = Vec::new();
        for (node, cells) in asked {
            self.places.keepers.entry(node.clone()).or_default().extend(cells.iter().cloned());
            for cells in cells.chunks(STORE_CELLS_MAX) {
                requests.push((node.clone(), cells.to_vec()));
            }
        }
        placing.asking += requests.len();
        if placing.asking == 0 {
            self.settle_placement(now);
            return;
        }
        for (to, cells) in requests {
            let request = Request::Store { cells: cells.clone(), items: vec![item.clone()] };
            self.send(to.clone(), &request, Pending::Place { to, cells, item: item.id() });
        }
    }

    /// A node's answer to a request to keep the own summary.
    pub(super) fn stored(
        &mut self,
        now: Timestamp,
        to: &NodeId,
        cells: &[Cell],
        item: Id,
        response: Result<Response, Failure>,
    ) {
        let Some(placing) = self.places.placing.as_mut().filter(|placing| placing.summary.id() == item)
        else {
            return;
        };
        placing.asking = placing.asking.saturating_sub(1);
        let (receipt, outcomes) = match response {
            Ok(Response::Stored { receipt, cells })
                if NodeId::of(receipt.body().node()) == *to && receipt.body().items().contains(&item) =>
            {
                (Some(receipt), cells)
            }
            // A node that only says in which parts of the cells the summary belongs keeps no item.
            Ok(Response::Stored { cells, .. }) => (None, cells),
            _ => (None, Vec::new()),
        };
        for (place, cell) in cells.iter().enumerate() {
            let Some(target) = placing.targets.get_mut(cell) else { continue };
            let Some(at) = target.pending.iter().position(|contact| contact.node == *to) else { continue };
            let contact = target.pending.swap_remove(at);
            match outcomes.get(place) {
                Some(Placed::Kept)
                    if receipt.as_ref().is_some_and(|word| word.body().cells().contains(&cell.key())) =>
                {
                    target.keepers.push(contact);
                }
                // Where it belongs follows from the summary; that the cell is split is the node's word.
                Some(Placed::Split(_)) => {
                    target.is_split = true;
                    let part = cell.path.child(placing.summary.body()).map(|path| cell.at(path));
                    if let Some(part) = part.filter(|part| !placing.targets.contains_key(part)) {
                        placing.targets.insert(part.clone(), Target::default());
                        placing.waiting.push_back(part);
                    }
                }
                _ => {}
            }
        }
        self.look_for_places(now);
        self.ask_places(now);
    }

    /// Nobody is left to be asked.
    fn settle_placement(&mut self, now: Timestamp) {
        let Some(placing) = self.places.placing.take() else { return };
        let mut receipts: BTreeMap<SkillId, usize> = BTreeMap::new();
        let mut crowded = BTreeSet::new();
        let current = Epoch::of(now);
        for (cell, target) in placing.targets.iter().filter(|(cell, _)| cell.epoch == current) {
            *receipts.entry(cell.skill.clone()).or_default() += target.keepers.len();
            if target.crowd == Crowd::Evident {
                crowded.insert(cell.skill.clone());
            }
        }
        self.places.placement = Placement { receipts, crowded, at: Some(now) };
        let is_short = self.places.placement.under_replicated().next().is_some();
        let wait_ms = if is_short {
            let doubled = PLACE_AGAIN_MS << self.places.failures.min(6);
            self.places.failures += 1;
            doubled
        } else {
            self.places.failures = 0;
            PLACE_REFRESH_MS
        };
        // In good time for the next epoch, and not everybody at once.
        let overlap = current.ends().minus_ms(EPOCH_OVERLAP_MS);
        let turn = overlap.plus_ms(self.jitter_ms(EPOCH_OVERLAP_MS / 2));
        let again = now.plus_ms(wait_ms);
        let is_placed_ahead = placing.targets.keys().any(|cell| cell.epoch > current);
        self.places.due = Some(if is_placed_ahead || turn <= now { again } else { again.min(turn) });
        self.tell_former_keepers(&placing);
    }

    /// Nodes that keep what the view published before, in cells where the new summary is not: what they have is outdated.
    fn tell_former_keepers(&mut self, placing: &Placing) {
        let current = Epoch::of(placing.summary.body().issued());
        let mut outdated: Vec<(NodeId, Vec<Cell>)> = Vec::new();
        for (node, cells) in &mut self.places.keepers {
            cells.retain(|cell| cell.epoch >= current);
            let is_former = |cell: &&Cell| !cell.covers(placing.summary.body());
            let former: Vec<Cell> = cells.iter().filter(is_former).take(STORE_CELLS_MAX).cloned().collect();
            cells.retain(|cell| !former.contains(cell));
            if !former.is_empty() {
                outdated.push((node.clone(), former));
            }
        }
        self.places.keepers.retain(|_, cells| !cells.is_empty());
        for (to, cells) in outdated {
            let request = Request::Store { cells, items: vec![Item::Summary(placing.summary.clone())] };
            self.send(to, &request, Pending::Told);
        }
    }
}
