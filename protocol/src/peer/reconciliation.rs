//! Reconciliation: two nodes compare all they hold and fetch what differs, so that who joins late, restarts or was
//! cut off is blind to nobody. Traffic is proportional to the difference (range-based set reconciliation).
//!
//! Each side pulls: it opens a session of its own. Both leave out what has expired by the session's `as_of`, so that
//! clocks that differ cause no difference in the sets. A session begins when a node connects, once more shortly after
//! (an item announced before gossip has formed would else be missed), and then with a random peer every two minutes.
//! What a session brings is kept at once, so that one that ends early loses nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use negentropy::{Negentropy, NegentropyStorageVector};
use rand_core::Rng;

use super::{Admission, Failure, Lent, Peer, Pending, RequestId, catalogue::Holding};
use crate::{
    id::{Id, NodeId},
    limits::{
        FETCH_IDS_MAX, LEADS_BYTES_MAX, RECONCILE_AGAIN_MS, RECONCILE_EVERY_MS, RECONCILE_FRAME_TARGET_BYTES,
        RECONCILE_NEED_MAX, RECONCILE_ROUNDS_MAX, RECONCILE_SESSION_MAX_MS, RECONCILE_SESSIONS_MAX,
        REFUSED_IDS_MAX,
    },
    message::{Frame, Item, Refusal, Request, Response},
    time::Timestamp,
};

struct Session {
    as_of: Timestamp,
    /// When it ends, finished or not, so that nobody holds a place for ever.
    deadline: Timestamp,
    /// The one request whose response goes on; that of an earlier session with the same node does not.
    awaiting: Option<RequestId>,
    /// What was held when it began.
    items: Arc<NegentropyStorageVector>,
    rounds: u32,
    need: BTreeSet<Id>,
    /// Ids of the last fetch, in the order in which they were asked.
    asked: Vec<Id>,
    /// Whether a bound ended the comparison before its time.
    cut: bool,
    /// Whether it brought anything new.
    useful: bool,
}

#[derive(Default)]
pub(super) struct Sessions {
    running: BTreeMap<NodeId, Session>,
    /// When to open a session with a connected node.
    due: BTreeMap<NodeId, Timestamp>,
    /// Nodes with which one session was completed since they connected.
    met: BTreeSet<NodeId>,
    /// When a session was last completed.
    completed: Option<Timestamp>,
    /// When to open the next periodic session.
    periodic: Option<Timestamp>,
    /// Ids that were fetched and refused: not to be fetched again and again.
    refused: BTreeSet<Id>,
    snapshot: Option<Snapshot>,
}

/// The catalogue sealed for comparison. Nodes that hold the same say the same, so what was said last is mostly said again.
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
    pub fn due(&mut self, node: NodeId, at: Timestamp) {
        self.due.insert(node, at);
    }

    pub fn end(&mut self, node: &NodeId) {
        self.running.remove(node);
        self.due.remove(node);
        self.met.remove(node);
    }

    pub fn completed(&self) -> Option<Timestamp> {
        self.completed
    }

    pub fn wake_at(&self) -> Option<Timestamp> {
        // While every place is taken, a response or a disconnection wakes us, not time.
        let due = self.due.values().min().copied().filter(|_| self.running.len() < RECONCILE_SESSIONS_MAX);
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
    pub(super) fn compare(&mut self, now: Timestamp, as_of: Timestamp, frame: &Frame) -> Response {
        if as_of > now.plus_ms(crate::limits::CLOCK_SKEW_MAX_MS) {
            return Response::Refused(Refusal::NotCurrent);
        }
        let snapshot = self.snapshot(as_of);
        if let Some((asked, answer)) = &snapshot.answered
            && asked == frame
        {
            return Response::Reconciled { frame: answer.clone() };
        }
        let answer = Negentropy::borrowed(&*snapshot.items, RECONCILE_FRAME_TARGET_BYTES)
            .and_then(|mut negentropy| negentropy.reconcile(frame.as_bytes()))
            .ok()
            .and_then(|bytes| Frame::new(bytes).ok());
        let Some(answer) = answer else { return Response::Refused(Refusal::Malformed) };
        snapshot.answered = Some((frame.clone(), answer.clone()));
        Response::Reconciled { frame: answer }
    }

    /// What is held as of an instant. Sealing sorts it all, so the last one is used again while it is the same.
    fn snapshot(&mut self, as_of: Timestamp) -> &mut Snapshot {
        let version = self.catalogue.version();
        let last = self.sessions.snapshot.take();
        let is_same = |s: &Snapshot| s.version == version && !self.catalogue.expires_between(s.as_of, as_of);
        let sealed = last.filter(is_same).unwrap_or_else(|| {
            let items = Arc::new(storage_of(self.catalogue.alive(as_of)));
            Snapshot { version, as_of, items, opening: None, answered: None }
        });
        self.sessions.snapshot.insert(sealed)
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
            return;
        }
        let periodic = *self.sessions.periodic.get_or_insert(now.plus_ms(RECONCILE_EVERY_MS));
        if periodic <= now {
            let at = self.rng.next_u32() as usize % self.connected.len();
            if let Some(node) = self.connected.iter().nth(at).cloned() {
                self.sessions.due(node, now);
            }
            self.sessions.periodic = Some(now.plus_ms(RECONCILE_EVERY_MS));
            // What was refused may be admissible by now.
            self.sessions.refused.clear();
        }
        let over = self.sessions.running.iter().filter(|(_, session)| session.deadline <= now);
        let over: Vec<(NodeId, bool)> = over.map(|(node, session)| (node.clone(), session.useful)).collect();
        for (node, useful) in over {
            self.sessions.end_running(&node);
            // More is to be had of a node that brought something; one that wasted its time waits for its turn.
            if useful {
                self.sessions.due(node, now.plus_ms(RECONCILE_AGAIN_MS));
            }
        }
        let due = self.sessions.due.iter().filter(|(_, at)| **at <= now);
        let mut due: Vec<(Timestamp, NodeId)> = due.map(|(node, at)| (*at, node.clone())).collect();
        // Who has waited longest goes first, whatever it is called.
        due.sort();
        for (_, node) in due {
            if self.sessions.running.len() >= RECONCILE_SESSIONS_MAX {
                break;
            }
            self.sessions.due.remove(&node);
            if !self.sessions.running.contains_key(&node) {
                self.open_session(now, node);
            }
        }
    }

    fn open_session(&mut self, now: Timestamp, with: NodeId) {
        let snapshot = self.snapshot(now);
        let Some(frame) = snapshot.opening() else { return };
        let items = snapshot.items.clone();
        let session = Session {
            as_of: now,
            deadline: now.plus_ms(RECONCILE_SESSION_MAX_MS),
            awaiting: None,
            items,
            rounds: 1,
            need: BTreeSet::new(),
            asked: Vec::new(),
            cut: false,
            useful: false,
        };
        self.sessions.running.insert(with.clone(), session);
        self.send_in_session(
            with.clone(),
            &Request::Reconcile { as_of: now, frame },
            Pending::Reconcile { with },
        );
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
    ) {
        let Sessions { running, refused, .. } = &mut self.sessions;
        let session = running.get_mut(&with).filter(|session| session.awaiting == Some(request));
        let Some(session) = session else { return };
        let Ok(Response::Reconciled { frame }) = response else {
            self.retry_session(now, &with);
            return;
        };
        let (mut have, mut need) = (Vec::new(), Vec::new());
        let compared = Negentropy::borrowed(&*session.items, RECONCILE_FRAME_TARGET_BYTES);
        let next = compared.and_then(|mut negentropy| {
            negentropy.set_initiator();
            negentropy.reconcile_with_ids(frame.as_bytes(), &mut have, &mut need)
        });
        let new = need.iter().map(|id| Id(id.to_bytes())).filter(|id| !refused.contains(id));
        session.need.extend(new.take(RECONCILE_NEED_MAX.saturating_sub(session.need.len())));
        session.rounds += 1;
        let as_of = session.as_of;
        match next {
            Ok(Some(bytes)) if session.rounds <= RECONCILE_ROUNDS_MAX => match Frame::new(bytes) {
                Ok(frame) => {
                    let request = Request::Reconcile { as_of, frame };
                    self.send_in_session(with.clone(), &request, Pending::Reconcile { with });
                }
                Err(_) => self.sessions.end_running(&with),
            },
            Ok(more) => {
                session.cut = more.is_some() || session.need.len() >= RECONCILE_NEED_MAX;
                self.fetch_next(now, with);
            }
            Err(_) => self.sessions.end_running(&with),
        }
    }

    fn fetch_next(&mut self, now: Timestamp, with: NodeId) {
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
            self.complete_session(now, with);
        }
    }

    pub(super) fn fetched(
        &mut self,
        now: Timestamp,
        with: NodeId,
        request: RequestId,
        response: Result<Response, Failure>,
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
        let admitted = self.admit_all(now, &items);
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
        self.fetch_next(now, with);
    }

    fn complete_session(&mut self, now: Timestamp, with: NodeId) {
        self.sessions.running.remove(&with);
        self.sessions.completed = Some(now);
        if self.sessions.met.insert(with.clone()) {
            self.sessions.due(with, now.plus_ms(RECONCILE_AGAIN_MS));
        }
    }

    /// A session that failed is opened again after a while, as long as the node stays connected.
    fn retry_session(&mut self, now: Timestamp, with: &NodeId) {
        self.sessions.end_running(with);
        if self.connected.contains(with) {
            self.sessions.due(with.clone(), now.plus_ms(RECONCILE_AGAIN_MS));
        }
    }
}

impl Sessions {
    fn end_running(&mut self, node: &NodeId) {
        self.running.remove(node);
    }
}
