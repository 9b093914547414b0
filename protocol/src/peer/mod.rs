//! The peer as a state machine: `handle(now, input)` in, outputs out.
//!
//! A peer decides and never acts. The node lends it what is local and quick (the index, the wallet, the trust list, the
//! vocabulary); everything remote or slow is an [`Output`] that comes back as an [`Input`]. The simulator drives the same
//! type in virtual time. Two promises to whoever drives it:
//!
//! - Outputs are carried out in their order; a [`Output::Persist`] of what the holder did is durable before a later [`Output::Reply`] is sent,
//!   and before a later message leaves, so that nothing confirmed is lost.
//! - [`Peer::wake_at`] names the next instant at which [`Input::Wake`] would change anything.
//!
//! Specification: `spec/peer.md`.

mod admission;
mod answer;
mod budget;
mod catalogue;
mod cells;
mod contact;
mod coverage;
mod crowding;
mod disclosure;
mod joining;
mod lent;
mod look_ups;
mod party;
mod placing;
mod publication;
mod reconciliation;
mod room;
mod routing;
mod search;
mod tending;

use std::collections::{BTreeMap, BTreeSet};

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

pub use catalogue::{Admission, Rejection};
pub use cells::Keeping;
pub use contact::{Contact, Group, LookUpId, Reach, place_in_table};
pub use coverage::{CellCoverage, Coverage};
pub use lent::{Index, Lent, Nominated, Wallet};
pub use placing::Placement;
pub use publication::{Publication, PublishError, Published, Withdrawn};
pub use search::{Found, Outcome, Proof, SearchError, Specification, Withheld};

use self::{
    budget::Budgets,
    catalogue::Catalogue,
    cells::Cells,
    crowding::Census,
    joining::Joining,
    look_ups::UnderWay,
    party::{Party, Turns},
    placing::Places,
    publication::Withdrawal,
    reconciliation::Sessions,
    room::Origin,
    routing::{Asked, Routes},
    search::Search,
};
use crate::{
    cell::Cell,
    consent::Present,
    credential::Need,
    id::{Id, NodeId},
    key::{PublicKey, SecretKey},
    limits::{CELL_TEND_MS, RECONCILE_SUMMARIES_PER_REQUEST, STORED_PER_REQUEST},
    message::{Item, Refusal, Replica, Request, Response},
    summary::{Content, Opening},
    time::Timestamp,
};

/// The keys of one home. They are unrelated to each other.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Subject of the holder's credentials; signs presentations, inquiries and, for issuers, credentials.
    pub root: SecretKey,
    /// The pseudonym of the one view.
    pub view: SecretKey,
    /// The node's key on the network; signs acknowledgements.
    pub node: SecretKey,
    /// The node's peer id.
    pub node_id: NodeId,
}

macro_rules! handles {
    ($($(#[$doc:meta])* $name:ident)*) => {
        $($(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u64);)*
    };
}

handles! {
    /// Names a command of the operator, and its reply.
    CommandId
    /// Names a request of ours, and its response.
    RequestId
    /// Names a request of another node, and our response.
    ChannelId
    /// Names a gossip message, and our verdict on it.
    GossipId
}

/// What the operator asks of the peer.
#[derive(Clone, Debug)]
pub enum Command {
    /// Publish what the holder consented to.
    Publish {
        /// The exact content.
        content: Content,
        /// How its commitments are opened; kept, not published.
        openings: Vec<Opening>,
        /// Who gets a presentation at once.
        present: Present,
        /// For how long, in milliseconds.
        lease_ms: u64,
    },
    /// End the publication everywhere.
    Withdraw,
    /// Ask the network.
    Search(Specification),
}

/// Why a request of ours got no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failure {
    /// The node could not be reached.
    Unreachable,
    /// It did not answer in time.
    Timeout,
}

/// What happens to a peer.
#[derive(Clone, Debug)]
pub enum Input {
    /// The operator wants something.
    Command(CommandId, Command),
    /// A node that speaks our protocol is connected.
    Connected(NodeId),
    /// It no longer is.
    Disconnected(NodeId),
    /// A gossip message, forwarded by `from`.
    Gossip {
        /// For the verdict.
        message: GossipId,
        /// The neighbour that forwarded it.
        from: Contact,
        /// On which topic.
        topic: String,
        /// What it carries.
        bytes: Vec<u8>,
    },
    /// A request of another node.
    Request {
        /// Who asks.
        from: Contact,
        /// For the response.
        channel: ChannelId,
        /// What it carries.
        bytes: Vec<u8>,
    },
    /// The response to a request of ours.
    Response {
        /// Which request.
        request: RequestId,
        /// What came back.
        result: Result<Vec<u8>, Failure>,
    },
    /// Another node offers a record of the hash table for keeping.
    RecordOffered {
        /// Its key.
        key: Vec<u8>,
        /// Its value.
        value: Vec<u8>,
    },
    /// A look-up came to an end; also when it found nobody.
    Closest {
        /// Which.
        look_up: LookUpId,
        /// The nodes nearest to the key that anybody can reach and that speak our protocol, nearest first, without this one.
        nodes: Vec<Contact>,
        /// How many of them are nearer to the key than this node.
        place: usize,
    },
    /// What was to be obtained for a search has been, as far as it could be had: it is now among what is lent.
    Obtained {
        /// The command that began the search.
        search: CommandId,
        /// What was asked for.
        needs: Vec<Need>,
    },
    /// Time has passed.
    Wake,
}

/// A verdict on a gossip message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Valid and new: forward it.
    Accept,
    /// Known or outdated: do not forward it, blame nobody.
    Ignore,
    /// Illegal: whoever forwarded it should have refused it.
    Reject,
}

/// A change that must outlive the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Keep and index an item; it replaces what is held of its view.
    Keep(Item),
    /// Forget what is held of a view.
    Forget(PublicKey),
    /// This cell is kept from now on.
    KeepCell(Cell),
    /// It no longer is.
    ForgetCell(Cell),
    /// Our own publication, or that there is none. `last_sequence` and `greatest_expiry` outlive it.
    Publication {
        /// What is published now.
        publication: Option<Box<Publication>>,
        /// The view's last sequence.
        last_sequence: u64,
        /// The greatest expiry the view ever signed.
        greatest_expiry: Timestamp,
    },
    /// We showed credentials to a seeker.
    Disclosed {
        /// Who asked.
        seeker: PublicKey,
        /// For what.
        purpose: String,
        /// Which credentials.
        credentials: Vec<Id>,
        /// When.
        at: Timestamp,
    },
}

/// What a peer wants done.
#[derive(Clone, Debug)]
pub enum Output {
    /// Make a change durable.
    Persist(Change),
    /// Answer the operator.
    Reply(CommandId, Reply),
    /// Spread an item by gossip.
    Gossip {
        /// The topic.
        topic: String,
        /// An encoded [`Item`].
        bytes: Vec<u8>,
    },
    /// Judge a gossip message.
    Verdict(GossipId, Verdict),
    /// Send a request; its response comes back as [`Input::Response`].
    Send {
        /// For the response.
        request: RequestId,
        /// To whom.
        to: NodeId,
        /// An encoded [`Request`].
        bytes: Vec<u8>,
    },
    /// Answer a request.
    Respond {
        /// Which.
        channel: ChannelId,
        /// An encoded [`Response`].
        bytes: Vec<u8>,
    },
    /// Obtain what a verification lacks, from the web or from what was fetched earlier; it comes back as [`Input::Obtained`].
    /// Only searches of the operator cause it, and only the operator allows that servers are asked, which others chose and
    /// which learn that somebody verifies. Whoever drives the peer may decline by saying at once that it is done.
    Obtain {
        /// The command that began the search.
        search: CommandId,
        /// What is lacking.
        needs: Vec<Need>,
    },
    /// Look for the nodes nearest to a key; comes back as [`Input::Closest`], always.
    Closest {
        /// For the answer.
        look_up: LookUpId,
        /// The key, as the hash table takes it: its place there is its SHA-256.
        key: Vec<u8>,
        /// How far to look.
        reach: Reach,
    },
    /// Read these topics of gossip and no others.
    Subscribe {
        /// Their names.
        topics: Vec<String>,
    },
    /// Put a record into the hash table, at the nodes nearest to its key.
    PutRecord {
        /// Its key.
        key: Vec<u8>,
        /// An encoded [`Item`].
        value: Vec<u8>,
        /// When it ends.
        expires: Timestamp,
    },
    /// Keep a record that was offered: it is valid and not outdated.
    KeepRecord {
        /// Its key.
        key: Vec<u8>,
        /// Its value.
        value: Vec<u8>,
        /// When it ends.
        expires: Timestamp,
    },
}

/// The answer to a command.
#[derive(Clone, Debug)]
pub enum Reply {
    /// To `Publish`.
    Published(Result<Published, PublishError>),
    /// To `Withdraw`; `None` when nothing was published.
    Withdrawn(Option<Withdrawn>),
    /// To `Search`.
    Found(Result<Box<Outcome>, SearchError>),
}

/// What a peer remembers from before it was started.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// Its publication.
    pub publication: Option<Publication>,
    /// Its view's last sequence.
    pub last_sequence: u64,
    /// The greatest expiry its view ever signed.
    pub greatest_expiry: Timestamp,
    /// Every item it keeps.
    pub items: Vec<Item>,
    /// Cells it keeps.
    pub cells: Vec<Cell>,
}

/// What a request of ours was for.
#[derive(Clone, Debug)]
enum Pending {
    Find {
        search: CommandId,
    },
    Inquire {
        search: CommandId,
        view: PublicKey,
    },
    Withdraw {
        command: CommandId,
        to: NodeId,
    },
    Reconcile {
        with: NodeId,
    },
    Fetch {
        with: NodeId,
    },
    Give {
        with: NodeId,
    },
    Place {
        to: NodeId,
        cells: Vec<Cell>,
        item: Id,
    },
    Seek(Asked),
    /// A node was told what replaces something that it keeps; nothing follows from its answer.
    Told,
}

/// The state of one peer.
pub struct Peer {
    identity: Identity,
    rng: ChaCha20Rng,
    connected: BTreeSet<NodeId>,
    catalogue: Catalogue,
    publication: Option<Publication>,
    last_sequence: u64,
    greatest_expiry: Timestamp,
    /// When the hash table is next given our newest item, if there is one.
    record_due: Option<Timestamp>,
    withdrawals: BTreeMap<CommandId, Withdrawal>,
    /// Boxed, as what is pending and sessions are: a map has room for eleven of a thing as soon as there is one.
    searches: BTreeMap<CommandId, Box<Search>>,
    joining: Joining,
    sessions: Sessions,
    keeping: Keeping,
    replica: Replica,
    cells: Cells,
    /// Cells that were kept before the start, until they are taken up.
    recalled: Option<Vec<Cell>>,
    places: Places,
    routes: Routes,
    look_ups: BTreeMap<LookUpId, UnderWay>,
    census: Census,
    next_look_up: u64,
    budgets: Budgets,
    /// What each party forwarded by gossip lately.
    gossip: Turns,
    pending: BTreeMap<RequestId, Box<Pending>>,
    next_request: u64,
    outputs: Vec<Output>,
}

impl Peer {
    /// A peer with its keys, random `seed` (secret and fresh: salts and nonces come from it) and memory.
    pub fn new(identity: Identity, seed: [u8; 32], memory: Memory, now: Timestamp) -> Self {
        let mut catalogue = Catalogue::default();
        let mut outputs = Vec::new();
        for item in &memory.items {
            // What expired while nothing ran is forgotten like what expires while something does.
            // Who brought it is forgotten: it stands for itself.
            let origin = Origin::brought(Party::view(&item.view()));
            if catalogue.admit(item, now, &origin).is_err() && item.expires() <= now {
                outputs.push(Output::Persist(Change::Forget(item.view())));
            }
        }
        let mut peer = Peer {
            identity,
            rng: ChaCha20Rng::from_seed(seed),
            connected: BTreeSet::new(),
            catalogue,
            publication: memory.publication,
            last_sequence: memory.last_sequence,
            greatest_expiry: memory.greatest_expiry,
            record_due: Some(now),
            withdrawals: BTreeMap::new(),
            searches: BTreeMap::new(),
            joining: Joining::default(),
            sessions: Sessions::default(),
            keeping: Keeping::default(),
            replica: Replica::default(),
            cells: Cells::default(),
            recalled: Some(memory.cells),
            places: Places::default(),
            routes: Routes::default(),
            look_ups: BTreeMap::new(),
            census: Census::default(),
            next_look_up: 0,
            budgets: Budgets::default(),
            gossip: Turns::default(),
            pending: BTreeMap::new(),
            next_request: 0,
            outputs,
        };
        peer.resume(now);
        peer
    }

    /// Takes one input and returns what is to be done, in order.
    pub fn handle(&mut self, now: Timestamp, input: Input, lent: &Lent<'_>) -> Vec<Output> {
        if let Some(cells) = self.recalled.take() {
            for cell in cells {
                if self.replica == Replica::None {
                    self.outputs.push(Output::Persist(Change::ForgetCell(cell)));
                    continue;
                }
                let tend_at = now.plus_ms(self.jitter_ms(CELL_TEND_MS / 10));
                self.take_up(now, &cell, tend_at, lent);
            }
            if self.replica != Replica::Full {
                self.let_go_of_the_rest();
            }
        }
        match input {
            Input::Command(id, Command::Publish { content, openings, present, lease_ms }) => {
                self.publish(now, id, content, openings, present, lease_ms);
            }
            Input::Command(id, Command::Withdraw) => self.withdraw(now, id),
            Input::Command(id, Command::Search(specification)) => {
                self.start_search(now, id, specification, lent)
            }
            Input::Connected(node) => self.connected(now, node),
            Input::Disconnected(node) => {
                self.connected.remove(&node);
                self.sessions.end(&node);
            }
            Input::Gossip { message, from, topic, bytes } => {
                let verdict = self.gossiped(now, &from, &topic, &bytes, lent);
                self.outputs.push(Output::Verdict(message, verdict));
            }
            Input::Request { from, channel, bytes } => {
                let response = self.respond(now, &from, &bytes, lent);
                self.outputs.push(Output::Respond { channel, bytes: response.encode() });
            }
            Input::Response { request, result } => self.response(now, request, result, lent),
            Input::RecordOffered { key, value } => self.record_offered(now, key, value, lent),
            Input::Closest { look_up, nodes, place } => self.closest(now, look_up, &nodes, place, lent),
            Input::Obtained { search, needs } => self.obtained(now, search, &needs, lent),
            Input::Wake => {}
        }
        self.pass_time(now, lent);
        std::mem::take(&mut self.outputs)
    }

    /// The next instant at which time alone changes something.
    pub fn wake_at(&self) -> Option<Timestamp> {
        let searches = self.searches.values().map(|search| search.wake_at());
        let withdrawals = self.withdrawals.values().map(|w| w.deadline);
        let publication = self.publication.as_ref().map(|p| p.summary.body().expires());
        let is_connected = !self.connected.is_empty();
        let record = self.record_due.filter(|_| is_connected);
        let placing = self.places.due().filter(|_| is_connected && !self.is_placing());
        let cells = [self.tend_cells_at(), self.review_at()];
        let joining = self.joining.wake_at();
        [self.catalogue.next_expiry(), publication, record, placing, joining, self.sessions.wake_at()]
            .into_iter()
            .chain(cells)
            .flatten()
            .chain(searches)
            .chain(withdrawals)
            .min()
    }

    /// Summaries held.
    pub fn summaries(&self) -> usize {
        self.catalogue.summaries()
    }

    /// What is published now.
    pub fn publication(&self) -> Option<&Publication> {
        self.publication.as_ref()
    }

    /// Connected nodes.
    pub fn peers(&self) -> &BTreeSet<NodeId> {
        &self.connected
    }

    /// When the catalogue was last compared with another node's to the end.
    pub fn reconciled(&self) -> Option<Timestamp> {
        self.sessions.completed()
    }

    /// Whether nothing is under way: no search, session, request or withdrawal.
    pub fn is_quiescent(&self) -> bool {
        self.searches.is_empty()
            && self.joining.is_empty()
            && self.pending.is_empty()
            && self.withdrawals.is_empty()
    }

    /// The pseudonym.
    pub fn view(&self) -> PublicKey {
        self.identity.view.public()
    }

    /// Views held, for checks of a simulation.
    pub fn held(&self) -> impl Iterator<Item = (PublicKey, u64, Timestamp)> + '_ {
        self.catalogue.held()
    }

    fn connected(&mut self, now: Timestamp, node: NodeId) {
        if node != self.identity.node_id && self.connected.insert(node.clone()) {
            let scope = self.common_scope(&node);
            let at = self.sessions.first_at(&scope, now);
            self.sessions.due(node, scope, at);
        }
    }

    /// Requests of other nodes, within their budgets.
    fn respond(&mut self, now: Timestamp, from: &Contact, bytes: &[u8], lent: &Lent<'_>) -> Response {
        // Charged before it is decoded, since decoding verifies signatures.
        if !self.budgets.take(from, 1, now) {
            return Response::Refused(Refusal::Busy);
        }
        let request = lent.request(bytes);
        let more = match &request {
            // To compare, all that is held is gone through.
            Ok(Request::Reconcile { .. }) => self.summaries() / RECONCILE_SUMMARIES_PER_REQUEST,
            // To begin a cell, the index is asked who of those held belongs there; items have signatures.
            Ok(Request::Store { cells, items }) => (cells.len() + items.len()) / STORED_PER_REQUEST,
            _ => 0,
        };
        if !self.budgets.take(from, more as u64, now) {
            return Response::Refused(Refusal::Busy);
        }
        match request {
            Ok(Request::Find { query, limit, skip, cell }) => {
                self.answer(now, &query, skip, limit, cell.as_deref(), lent)
            }
            Ok(Request::Inquire(inquiry)) => self.disclose(now, &inquiry, lent),
            Ok(Request::Withdraw(tombstone)) => self.delete(now, tombstone, from, lent),
            Ok(Request::Reconcile { as_of, frame, scope }) => self.compare(now, as_of, &frame, &scope),
            Ok(Request::Fetch { ids }) => self.fetch(&ids, lent),
            Ok(Request::Store { cells, items }) => self.store(now, from, &cells, &items, lent),
            Err(_) => Response::Refused(Refusal::Malformed),
        }
    }

    /// Responses to our requests. A response that is illegal, or of another kind than asked for, counts as none.
    fn response(
        &mut self,
        now: Timestamp,
        request: RequestId,
        result: Result<Vec<u8>, Failure>,
        lent: &Lent<'_>,
    ) {
        let Some(pending) = self.pending.remove(&request) else { return };
        let response = result.and_then(|bytes| lent.response(&bytes).map_err(|_| Failure::Unreachable));
        match *pending {
            Pending::Find { search } => self.leads(now, search, response, lent),
            Pending::Inquire { search, view } => self.answered(now, search, view, response, lent),
            Pending::Withdraw { command, to } => self.acknowledged(command, &to, response),
            Pending::Reconcile { with } => self.compared(now, with, request, response, lent),
            Pending::Fetch { with } => self.fetched(now, with, request, response, lent),
            Pending::Give { with } => self.given(now, with, request, response, lent),
            Pending::Place { to, cells, item } => self.stored(now, &to, &cells, item, response),
            Pending::Seek(asked) => self.sought(now, asked, response, lent),
            Pending::Told => {}
        }
    }

    fn pass_time(&mut self, now: Timestamp, lent: &Lent<'_>) {
        for left in self.catalogue.expire(now) {
            self.outputs.push(Output::Persist(left.into()));
        }
        self.settle_departed();
        self.review_replica(now);
        self.tend_publication(now);
        self.tend_placing(now);
        self.tend_cells(now);
        self.tend_sessions(now);
        self.tend_joining(now, lent);
        self.tend_searches(now, lent);
    }

    fn send(&mut self, to: NodeId, request: &Request, pending: Pending) -> RequestId {
        let id = RequestId(self.next_request);
        self.next_request += 1;
        self.pending.insert(id, Box::new(pending));
        self.outputs.push(Output::Send { request: id, to, bytes: request.encode() });
        id
    }

    fn random<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.rng.fill_bytes(&mut bytes);
        bytes
    }
}
