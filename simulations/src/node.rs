//! One node: a person, a peer while it runs, what survives a restart, and its place in the network.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    rc::Rc,
};

use knackmesh_protocol::{
    credential::Known,
    id::NodeId,
    peer::{GossipId, Input, Lent, Output, Peer},
    time::Timestamp,
    vocabulary::Vocabulary,
};
use rand_chacha::ChaCha20Rng;

use crate::{
    attacks::{self, Behaviour, Stage},
    index::Store,
    population::Person,
    scenario::{Role, Scenario},
    streams::{bytes, stream},
};

/// How long a gossip message is remembered as seen, in milliseconds.
const SEEN_MS: u64 = 5 * 60 * 1000;

/// See the module.
pub struct Node {
    /// Its number.
    pub number: u32,
    /// What its person does.
    pub role: Role,
    /// Its person.
    pub person: Person,
    /// What survives a restart.
    pub store: Store,
    /// Its peer, while it runs.
    pub peer: Option<Peer>,
    /// Neighbours.
    pub links: BTreeSet<u32>,
    /// Where it is.
    pub region: u32,
    /// On which side of a partition it is.
    pub side: u8,
    /// When it is woken next.
    pub wake: Option<Timestamp>,
    /// Draws latencies and losses of what it sends.
    pub network: ChaCha20Rng,
    /// Draws whom it dials.
    pub dial: ChaCha20Rng,
    /// The gossip message under validation: its number, the neighbour that forwarded it, its bytes.
    pub validating: Option<(GossipId, u32, Rc<[u8]>)>,
    seen: BTreeMap<[u8; 32], Timestamp>,
    seen_order: VecDeque<[u8; 32]>,
    behaviour: Option<Box<dyn Behaviour>>,
    whims: ChaCha20Rng,
    requests: u64,
    starts: u32,
}

impl Node {
    /// A node that does not run yet.
    pub fn new(scenario: &Scenario, number: u32, person: Person, store: Store) -> Self {
        let role = scenario.role(number);
        let behaviour = match role {
            Role::Hostile(attack) => Some(attacks::behaviour(attack)),
            Role::Employer | Role::Professional => None,
        };
        let named = |purpose| stream(scenario.seed, number, purpose);
        Node {
            number,
            role,
            person,
            store,
            peer: None,
            links: BTreeSet::new(),
            region: number % scenario.regions.max(1),
            side: 0,
            wake: None,
            network: named("network"),
            dial: named("dial"),
            validating: None,
            seen: BTreeMap::new(),
            seen_order: VecDeque::new(),
            behaviour,
            whims: named("behaviour"),
            requests: 0,
            starts: 0,
        }
    }

    /// Its peer id.
    pub fn id(&self) -> &NodeId {
        &self.person.identity.node_id
    }

    /// Whether it plays by the rules.
    pub fn is_honest(&self) -> bool {
        self.behaviour.is_none()
    }

    /// Starts a peer from what the store holds.
    pub fn start(&mut self, seed: u64, now: Timestamp) {
        let fresh = bytes(&mut stream(seed, self.number, &format!("peer, start {}", self.starts)));
        self.starts += 1;
        self.peer = Some(Peer::new(self.person.identity.clone(), fresh, self.store.memory(), now));
    }

    /// Ends the peer; only the store is left.
    pub fn stop(&mut self) {
        self.peer = None;
        self.wake = None;
        self.validating = None;
        self.seen.clear();
        self.seen_order.clear();
    }

    /// Whether a gossip message is new, and from now on seen.
    pub fn sees(&mut self, now: Timestamp, bytes: &[u8]) -> bool {
        while let Some(oldest) = self.seen_order.front()
            && self.seen.get(oldest).is_some_and(|at| now.since_ms(*at) >= SEEN_MS)
        {
            self.seen.remove(oldest);
            self.seen_order.pop_front();
        }
        let id = *blake3::hash(bytes).as_bytes();
        let new = !self.seen.contains_key(&id);
        if new {
            self.seen.insert(id, now);
            self.seen_order.push_back(id);
        }
        new
    }

    /// Lets the peer, or the behaviour in its place, handle an input; a node that does not run does nothing.
    pub fn handle(
        &mut self,
        now: Timestamp,
        input: Input,
        neighbours: &[NodeId],
        vocabulary: &Vocabulary,
    ) -> Vec<Output> {
        let Node { peer: Some(peer), store, person, behaviour, whims, requests, .. } = self else {
            return Vec::new();
        };
        store.now = now;
        let identity = &person.identity;
        let mut stage = Stage { now, identity, neighbours, rng: whims, requests };
        if let Some(instead) = behaviour.as_mut().and_then(|b| b.intercept(&mut stage, &input)) {
            return instead;
        }
        let known = &Known::new();
        let lent = Lent { index: store, wallet: &person.purse, trust: &person.trust, known, vocabulary };
        let mut outputs = peer.handle(now, input, &lent);
        if let Some(behaviour) = behaviour {
            behaviour.amend(&mut stage, &mut outputs);
        }
        outputs
    }

    /// Lets the behaviour of a hostile node that runs act.
    pub fn act(&mut self, now: Timestamp, neighbours: &[NodeId]) -> Vec<Output> {
        match (&self.peer, &mut self.behaviour) {
            (Some(_), Some(behaviour)) => {
                let (rng, requests) = (&mut self.whims, &mut self.requests);
                behaviour.act(&mut Stage { now, identity: &self.person.identity, neighbours, rng, requests })
            }
            _ => Vec::new(),
        }
    }
}
