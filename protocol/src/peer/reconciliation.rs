//! Reconciliation: two nodes compare all they hold and fetch what differs, so that who joins late, restarts or was
//! cut off is blind to nobody. Traffic is proportional to the difference (range-based set reconciliation).
//!
//! A session is about all that is held, about tombstones alone where one of the two keeps only cells, or about one cell; then
//! whoever opened it also gives what the other lacks.
//!
//! Otherwise each side pulls: it opens a session of its own. Both leave out what has expired by the session's `as_of`, so that
//! clocks that differ cause no difference in the sets. A session begins when a node connects, once more shortly after
//! (an item announced before gossip has formed would else be missed), and then with a random peer every two minutes. Who compares
//! tombstones alone, and has done so lately, waits for the connection to last: look-ups connect a hundred nodes for ten seconds.
//! What a session brings is kept at once, so that one that ends early loses nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use negentropy::{Negentropy, NegentropyStorageVector};
use rand_core::Rng;

use super::{
    Admission, Contact, Failure, Group, Lent, Peer, Pending, RequestId,
    admission::{Source, Way},
    catalogue::Holding,
    cells::is_in_time,
    party::Party,
};
use crate::{
    cell::Cell,
    id::{Id, NodeId},
    limits::{
        CELLS_MAX, FETCH_IDS_MAX, FULL_REPLICA_BELIEVED_MS, LEADS_BYTES_MAX, RECONCILE_AGAIN_MS,
        RECONCILE_EVERY_MS, RECONCILE_FRAME_TARGET_BYTES, RECONCILE_LASTING_MS, RECONCILE_NEED_MAX,
        RECONCILE_ROUNDS_MAX, RECONCILE_SESSION_MAX_MS, RECONCILE_SESSIONS_MAX, REFUSED_IDS_MAX,
        STORE_ITEMS_MAX,
    },
    message::{Frame, Item, Placed, Refusal, Replica, Request, Response, Scope},
    time::Timestamp,
};

struct Session {
    scope: Scope,
    as_of: Timestamp,
    /// When it ends, finished or not, so that nobody holds a place for ever.
    deadline: Timestamp,
    /// The one request whose response goes on; that of an earlier session with the same node does not.
    awaiting: Option<RequestId>,
    /// What was held when it began.
    items: Arc<NegentropyStorageVector>,
    rounds: u32,
    need: BTreeSet<Id>,
    /// What the other lacks, of a cell.
    give: BTreeSet<Id>,
    /// Ids of the last fetch, in the order in which they were asked.
    asked: Vec<Id>,
    /// Whether a bound ended the comparison before its time.
    cut: bool,
    /// Whether it brought anything new.
    useful: bool,
}

#[derive(Default)]
pub(super) struct Sessions {
    running: BTreeMap<NodeId, Box<Session>>,
    /// When to open a session with a node, and about what.
    due: BTreeMap<(NodeId, Scope), Timestamp>,
    /// Nodes with which one session was completed since they connected.
    met: BTreeSet<NodeId>,
    /// Connected nodes that do not keep everything.
    partial: BTreeSet<NodeId>,
    /// Nodes that said lately that they keep everything, and so have every cell, and until when that is believed.
    full: BTreeMap<NodeId, Timestamp>,
    /// When a session was last completed.
    completed: Option<Timestamp>,
    /// When to open the next periodic session.
    periodic: Option<Timestamp>,
    /// Ids that were fetched and refused: not to be fetched again and again.
    refused: BTreeSet<Id>,
    snapshots: BTreeMap<Scope, Box<Snapshot>>,
    /// Where the nodes are that were chosen to compare cells with.
    groups: BTreeMap<NodeId, Group>,
}

/// Time in which a budget of requests is full again, about.
const BUDGET_REFILL_MS: u64 = 60_000;

/// Nodes whose groups are remembered; a cell is compared with few.
const GROUPS_MAX: usize = 256;

/// Snapshots that are remembered.
const SNAPSHOTS_MAX: usize = 8;

/// The catalogue, or a part of it, sealed for comparison. Nodes that hold the same say the same, so what was said last is mostly said again.
struct Snapshot {
    /// The catalogue's version, and an instant, that it is of.
    version: u64,
    as_of: Timestamp,
    items: Arc<NegentropyStorageVector>,
    /// The frame that opens a session.
    opening: Option<Frame>,
    /// The frame that was compared last, and what was answered.
    answered: Option<(Frame, Frame)>,
}

impl Sessions {
    pub fn due(&mut self, node: NodeId, scope: Scope, at: Timestamp) {
        if self.due.len() < CELLS_MAX || !matches!(scope, Scope::Cell(_)) {
            self.due.insert((node, scope), at);
        }
    }

    /// Has a cell compared with a node that was chosen for it.
    pub fn due_of_cell(&mut self, contact: Contact, cell: &Cell, at: Timestamp) {
        if contact.group != Group::UNGROUPED {
            if self.groups.len() >= GROUPS_MAX {
                self.groups.clear();
            }
            self.groups.insert(contact.node.clone(), contact.group);
        }
        self.due(contact.node, Scope::Cell(Box::new(cell.clone())), at);
    }

    /// A node is no longer connected. What is due about cells goes on without a lasting connection.
    pub fn end(&mut self, node: &NodeId) {
        self.running.remove(node);
        for scope in [Scope::All, Scope::Withdrawals] {
            self.due.remove(&(node.clone(), scope));
        }
        self.met.remove(node);
        self.partial.remove(node);
    }

    /// When to open the first session with a node that has just connected.
    pub fn first_at(&self, scope: &Scope, now: Timestamp) -> Timestamp {
        let is_recent = |at: Timestamp| now.since_ms(at) < RECONCILE_EVERY_MS;
        match scope {
            Scope::Withdrawals if self.completed.is_some_and(is_recent) => now.plus_ms(RECONCILE_LASTING_MS),
            _ => now,
        }
    }

    /// Whether a node is believed to keep everything.
    pub fn is_full(&self, node: &NodeId, now: Timestamp) -> bool {
        self.full.get(node).is_some_and(|until| now < *until)
    }

    pub fn note_full(&mut self, node: &NodeId, now: Timestamp) {
        self.full.retain(|_, until| now < *until);
        if self.full.len() < CELLS_MAX {
            self.full.insert(node.clone(), now.plus_ms(FULL_REPLICA_BELIEVED_MS));
        }
    }

    pub fn completed(&self) -> Option<Timestamp> {
        self.completed
    }

    pub fn wake_at(&self) -> Option<Timestamp> {
        // While every place is taken, a response or a disconnection wakes us, not time.
        let free = self.due.iter().filter(|((node, _), _)| !self.running.contains_key(node));
        let due = free.map(|(_, at)| *at).min().filter(|_| self.running.len() < RECONCILE_SESSIONS_MAX);
        let deadline = self.running.values().map(|session| session.deadline).min();
        [due, deadline, self.periodic].into_iter().flatten().min()
    }
}

impl Snapshot {
    fn opening(&mut self) -> Option<Frame> {
        if self.opening.is_none() {
            let negentropy = Negentropy::borrowed(&*self.items, RECONCILE_FRAME_TARGET_BYTES);
            let frame = negentropy.and_then(|mut negentropy| negentropy.initiate()).ok()?;
            self.opening = Frame::new(frame).ok();
        }
        self.opening.clone()
    }
}

/// Our own storage is sealed and our frames are within bounds, so the library has no reason to refuse them.
fn storage_of(items: impl Iterator<Item = (Timestamp, Id)>) -> NegentropyStorageVector {
    let mut storage = NegentropyStorageVector::new();
    for (expires, id) in items {
        let inserted = storage.insert(expires.unix_ms(), negentropy::Id::from_byte_array(id.0));
        debug_assert!(inserted.is_ok());
    }
    let sealed = storage.seal();
    debug_assert!(sealed.is_ok());
    storage
}

impl Peer {
    /// The answering side: stateless but for a cached snapshot.
    pub(super) fn compare(
        &mut self,
        now: Timestamp,
        as_of: Timestamp,
        frame: &Frame,
        scope: &Scope,
    ) -> Response {
        if as_of > now.plus_ms(crate::limits::CLOCK_SKEW_MAX_MS) {
            return Response::Refused(Refusal::NotCurrent);
        }
        let replica = self.replica;
        let is_kept = match scope {
            Scope::All => replica == Replica::Full,
            Scope::Withdrawals => true,
            Scope::Cell(cell) if !is_in_time(cell.epoch, now) => {
                return Response::Refused(Refusal::NotCurrent);
            }
            // Who does not keep the cell yet has nothing in it, and is given what it lacks.
            Scope::Cell(_) => replica != Replica::None,
        };
        if !is_kept {
            return Response::Refused(Refusal::NotKept);
        }
        let parts = match scope {
            Scope::Cell(cell) => self.cells.descriptor(cell).parts,
            _ => Vec::new(),
        };
        let held =
            (*scope == Scope::Withdrawals).then(|| u32::try_from(self.summaries()).unwrap_or(u32::MAX));
        let snapshot = self.snapshot(as_of, scope);
        if let Some((asked, answer)) = &snapshot.answered
            && asked == frame
        {
            return Response::Reconciled { frame: answer.clone(), replica, held, parts };
        }
        let answer = Negentropy::borrowed(&*snapshot.items, RECONCILE_FRAME_TARGET_BYTES)
            .and_then(|mut negentropy| negentropy.reconcile(frame.as_bytes()))
            .ok()
            .and_then(|bytes| Frame::new(bytes).ok());
        let Some(answer) = answer else { return Response::Refused(Refusal::Malformed) };
        snapshot.answered = Some((frame.clone(), answer.clone()));
        Response::Reconciled { frame: answer, replica, held, parts }
    }

    /// What is held as of an instant. Sealing sorts it all, so the last one is used again while it is the same.
    fn snapshot(&mut self, as_of: Timestamp, scope: &Scope) -> &mut Snapshot {
        let version = self.catalogue.version();
        let last = self.sessions.snapshots.remove(scope);
        let is_same = |s: &Snapshot| s.version == version && !self.catalogue.expires_between(s.as_of, as_of);
        let sealed = last.filter(|last| is_same(last)).unwrap_or_else(|| {
            let items = Arc::new(match scope {
                Scope::All => storage_of(self.catalogue.alive(as_of)),
                Scope::Withdrawals => storage_of(self.catalogue.withdrawals(as_of)),
                Scope::Cell(cell) => storage_of(self.cells.alive(cell, as_of).into_iter().flatten()),
            });
            Box::new(Snapshot { version, as_of, items, opening: None, answered: None })
        });
        while self.sessions.snapshots.len() >= SNAPSHOTS_MAX {
            self.sessions.snapshots.pop_first();
        }
        self.sessions.snapshots.entry(scope.clone()).or_insert(sealed)
    }

    /// Items by their ids, as many as fit.
    pub(super) fn fetch(&self, ids: &[Id], lent: &Lent<'_>) -> Response {
        let mut room = LEADS_BYTES_MAX;
        let mut items = Vec::new();
        for id in ids {
            let item = match self.catalogue.holding(id) {
                Some(Holding::Tombstone(tombstone)) => Item::Tombstone(tombstone.clone()),
                Some(Holding::Summary(view)) => match lent.index.summary(&view) {
                    Some(summary) if summary.id() == *id => Item::Summary(summary),
                    _ => continue,
                },
                None => continue,
            };
            let bytes = item.encode().len();
            if bytes > room {
                break;
            }
            room -= bytes;
            items.push(item);
        }
        Response::Items(items)
    }

    /// Opens the sessions that are due.
    pub(super) fn tend_sessions(&mut self, now: Timestamp) {
        if self.connected.is_empty() {
            self.sessions.periodic = None;
            self.sessions.running.clear();
            self.sessions.due.clear();
            return;
        }
        let periodic = *self.sessions.periodic.get_or_insert(now.plus_ms(RECONCILE_EVERY_MS));
        if periodic <= now {
            let at = self.rng.next_u32() as usize % self.connected.len();
            if let Some(node) = self.connected.iter().nth(at).cloned() {
                let scope = self.common_scope(&node);
                self.sessions.due(node, scope, now);
            }
            self.sessions.periodic = Some(now.plus_ms(RECONCILE_EVERY_MS));
            // What was refused may be admissible by now.
            self.sessions.refused.clear();
        }
        self.open_due(now);
    }

    /// Ends sessions whose time is over, and opens those that are due.
    fn open_due(&mut self, now: Timestamp) {
        let over = self.sessions.running.iter().filter(|(_, session)| session.deadline <= now);
        let over: Vec<(NodeId, Scope, bool)> =
            over.map(|(node, session)| (node.clone(), session.scope.clone(), session.useful)).collect();
        for (node, scope, useful) in over {
            self.sessions.end_running(&node);
            // More is to be had of a node that brought something; one that wasted its time waits for its turn.
            if useful {
                self.sessions.due(node, scope, now.plus_ms(RECONCILE_AGAIN_MS));
            }
        }
        let due = self.sessions.due.iter().filter(|(_, at)| **at <= now);
        let mut due: Vec<(Timestamp, (NodeId, Scope))> = due.map(|(what, at)| (*at, what.clone())).collect();
        // Who has waited longest goes first, whatever it is called.
        due.sort();
        for (_, (node, scope)) in due {
            if self.sessions.running.len() >= RECONCILE_SESSIONS_MAX {
                break;
            }
            // One session a node; what else is due with it waits.
            if !self.sessions.running.contains_key(&node) {
                self.sessions.due.remove(&(node.clone(), scope.clone()));
                self.open_session(now, node, scope);
            }
        }
    }

    /// What this node and a connected one can compare.
    pub(super) fn common_scope(&self, node: &NodeId) -> Scope {
        if self.replica == Replica::Full && !self.sessions.partial.contains(node) {
            Scope::All
        } else {
            Scope::Withdrawals
        }
    }

    fn open_session(&mut self, now: Timestamp, with: NodeId, scope: Scope) {
        let snapshot = self.snapshot(now, &scope);
        let Some(frame) = snapshot.opening() else { return };
        let items = snapshot.items.clone();
        let session = Session {
            scope: scope.clone(),
            as_of: now,
            deadline: now.plus_ms(RECONCILE_SESSION_MAX_MS),
            awaiting: None,
            items,
            rounds: 1,
            need: BTreeSet::new(),
            give: BTreeSet::new(),
            asked: Vec::new(),
            cut: false,
            useful: false,
        };
        self.sessions.running.insert(with.clone(), Box::new(session));
        let request = Request::Reconcile { as_of: now, frame, scope };
        self.send_in_session(with.clone(), &request, Pending::Reconcile { with });
    }

    fn send_in_session(&mut self, to: NodeId, request: &Request, pending: Pending) {
        let id = self.send(to.clone(), request, pending);
        if let Some(session) = self.sessions.running.get_mut(&to) {
            session.awaiting = Some(id);
        }
    }

    pub(super) fn compared(
        &mut self,
        now: Timestamp,
        with: NodeId,
        request: RequestId,
        response: Result<Response, Failure>,
        lent: &Lent<'_>,
    ) {
        if let Ok(Response::Reconciled { replica: Replica::Full, held, .. }) = &response {
            self.sessions.note_full(&with, now);
            if let Some(held) = held {
                self.cells.learn_total(*held as usize, now);
            }
        }
        let Sessions { running, refused, .. } = &mut self.sessions;
        let session = running.get_mut(&with).filter(|session| session.awaiting == Some(request));
        let Some(session) = session else { return };
        let frame = match response {
            Ok(Response::Reconciled { frame, parts, .. }) => {
                if let Scope::Cell(cell) = &session.scope {
                    self.cells.learn_parts(cell, &parts);
                }
                frame
            }
            Ok(Response::Refused(Refusal::NotKept)) => {
                self.narrow_session(now, with);
                return;
            }
            _ => {
                self.retry_session(now, &with);
                return;
            }
        };
        let (mut have, mut need) = (Vec::new(), Vec::new());
        let compared = Negentropy::borrowed(&*session.items, RECONCILE_FRAME_TARGET_BYTES);
        let next = compared.and_then(|mut negentropy| {
            negentropy.set_initiator();
            negentropy.reconcile_with_ids(frame.as_bytes(), &mut have, &mut need)
        });
        let catalogue = &self.catalogue;
        let is_lacking = |id: &Id| !refused.contains(id) && catalogue.holding(id).is_none();
        let new = need.iter().map(|id| Id(id.to_bytes())).filter(is_lacking);
        session.need.extend(new.take(RECONCILE_NEED_MAX.saturating_sub(session.need.len())));
        if matches!(session.scope, Scope::Cell(_)) {
            session.give.extend(have.iter().map(|id| Id(id.to_bytes())));
        }
        session.rounds += 1;
        let (as_of, scope) = (session.as_of, session.scope.clone());
        match next {
            Ok(Some(bytes)) if session.rounds <= RECONCILE_ROUNDS_MAX => match Frame::new(bytes) {
                Ok(frame) => {
                    let request = Request::Reconcile { as_of, frame, scope };
                    self.send_in_session(with.clone(), &request, Pending::Reconcile { with });
                }
                Err(_) => self.sessions.end_running(&with),
            },
            Ok(more) => {
                session.cut = more.is_some() || session.need.len() >= RECONCILE_NEED_MAX;
                self.fetch_next(now, with, lent);
            }
            Err(_) => self.sessions.end_running(&with),
        }
    }

    fn fetch_next(&mut self, now: Timestamp, with: NodeId, lent: &Lent<'_>) {
        let Some(session) = self.sessions.running.get_mut(&with) else { return };
        let mut ids = Vec::new();
        while ids.len() < FETCH_IDS_MAX {
            let Some(id) = session.need.pop_first() else { break };
            ids.push(id);
        }
        if !ids.is_empty() {
            session.asked.clone_from(&ids);
            self.send_in_session(with.clone(), &Request::Fetch { ids }, Pending::Fetch { with });
        } else if session.cut {
            self.retry_session(now, &with);
        } else {
            self.give_next(now, with, lent);
        }
    }

    /// Gives of a cell what the other lacks, some at a time.
    fn give_next(&mut self, now: Timestamp, with: NodeId, lent: &Lent<'_>) {
        let Some(session) = self.sessions.running.get_mut(&with) else { return };
        let Scope::Cell(cell) = &session.scope else {
            self.complete_session(now, with);
            return;
        };
        let cells = vec![Cell::clone(cell)];
        let (mut items, mut room) = (Vec::new(), LEADS_BYTES_MAX);
        while items.len() < STORE_ITEMS_MAX
            && let Some(id) = session.give.pop_first()
        {
            if let Some(Holding::Summary(view)) = self.catalogue.holding(&id)
                && let Some(summary) = lent.index.summary(&view).filter(|summary| summary.id() == id)
            {
                let bytes = summary.bytes().len() + 128;
                if bytes > room {
                    session.give.insert(id);
                    break;
                }
                room -= bytes;
                items.push(Item::Summary(summary));
            }
        }
        if items.is_empty() {
            self.complete_session(now, with);
        } else {
            let request = Request::Store { cells, items };
            self.send_in_session(with.clone(), &request, Pending::Give { with });
        }
    }

    pub(super) fn given(
        &mut self,
        now: Timestamp,
        with: NodeId,
        request: RequestId,
        response: Result<Response, Failure>,
        lent: &Lent<'_>,
    ) {
        let session = self.sessions.running.get(&with).filter(|session| session.awaiting == Some(request));
        if session.is_none() {
            return;
        }
        match response {
            Ok(Response::Stored { cells, .. })
                if cells.iter().any(|placed| !matches!(placed, Placed::Refused(_))) =>
            {
                self.give_next(now, with, lent);
            }
            Ok(Response::Refused(Refusal::Busy)) => {
                // Its budget for us is spent: the rest when that has been refilled.
                if let Some(session) = self.sessions.running.remove(&with) {
                    self.sessions.due(with, session.scope, now.plus_ms(BUDGET_REFILL_MS));
                }
            }
            // It takes no more of this cell; another is found when the cell is next looked at.
            _ => self.sessions.end_running(&with),
        }
    }

    /// The other keeps no such thing: it keeps only cells, or none.
    fn narrow_session(&mut self, now: Timestamp, with: NodeId) {
        let scope = self.sessions.running.remove(&with).map(|session| session.scope);
        if scope == Some(Scope::All) && self.connected.contains(&with) {
            self.sessions.partial.insert(with.clone());
            self.sessions.due(with, Scope::Withdrawals, now);
        }
    }

    pub(super) fn fetched(
        &mut self,
        now: Timestamp,
        with: NodeId,
        request: RequestId,
        response: Result<Response, Failure>,
        lent: &Lent<'_>,
    ) {
        let session =
            self.sessions.running.get_mut(&with).filter(|session| session.awaiting == Some(request));
        let Some(session) = session else { return };
        let Ok(Response::Items(items)) = response else {
            self.retry_session(now, &with);
            return;
        };
        // An answer ends where the next item would not have fit. What was asked after its last item is asked again; what
        // was asked before it and did not come is not held there any more.
        let asked = std::mem::take(&mut session.asked);
        let last = items.iter().filter_map(|item| asked.iter().position(|id| *id == item.id())).max();
        if let Some(last) = last {
            session.need.extend(asked.into_iter().skip(last + 1));
        }
        let mut useful = false;
        let is_of_cell = matches!(session.scope, Scope::Cell(_));
        let group = self.sessions.groups.get(&with).copied().unwrap_or(Group::UNGROUPED);
        let from = Contact { node: with.clone(), group };
        let source = match is_of_cell {
            true => Source::into_cells(Way::Handed, &from, lent),
            false => Source::told(Party::of(&from), lent),
        };
        let admitted = self.admit_all(now, &items, &source);
        for (item, admitted) in items.iter().zip(admitted) {
            match admitted {
                Ok(admission) => useful |= admission == Admission::New,
                Err(_) if self.sessions.refused.len() < REFUSED_IDS_MAX => {
                    self.sessions.refused.insert(item.id());
                }
                Err(_) => {}
            }
        }
        if let Some(session) = self.sessions.running.get_mut(&with) {
            session.useful |= useful;
        }
        self.fetch_next(now, with, lent);
    }

    fn complete_session(&mut self, now: Timestamp, with: NodeId) {
        let Some(session) = self.sessions.running.remove(&with) else { return };
        if !matches!(session.scope, Scope::Cell(_)) {
            // Who keeps everything has compared everything only with another that does.
            if session.scope == Scope::All || self.replica != Replica::Full {
                self.sessions.completed = Some(now);
            }
            if self.sessions.met.insert(with.clone()) {
                self.sessions.due(with, session.scope, now.plus_ms(RECONCILE_AGAIN_MS));
            }
        }
    }

    /// A session that failed is opened again after a while, as long as the node stays connected.
    fn retry_session(&mut self, now: Timestamp, with: &NodeId) {
        let Some(session) = self.sessions.running.remove(with) else { return };
        if self.connected.contains(with) {
            self.sessions.due(with.clone(), session.scope, now.plus_ms(RECONCILE_AGAIN_MS));
        }
    }
}

impl Sessions {
    fn end_running(&mut self, node: &NodeId) {
        self.running.remove(node);
    }
}
