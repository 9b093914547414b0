//! One node: a person, a peer while it runs, what survives a restart, and its place in the network.

use std::collections::BTreeSet;

use knackmesh_protocol::{
    credential::Known,
    id::NodeId,
    message::Replica,
    peer::{Contact, GossipId, Group, Input, Keeping, Lent, Output, Peer, place_in_table},
    time::Timestamp,
    vocabulary::Vocabulary,
};
use rand_chacha::ChaCha20Rng;

use crate::{
    access::{Line, Queue},
    attacks::{self, Aims, Behaviour, Reach, Stage},
    index::Store,
    mesh::{Gossip, Mesh, Router},
    population::Person,
    scenario::{Role, Scenario},
    streams::{below, bytes, stream},
    traffic::Traffic,
};

/// What each message to a node looks at, and counts: in memory it stands together, since ten thousand nodes are far more than
/// a processor keeps at hand.
#[repr(C, align(64))]
pub struct Site {
    /// Where it is.
    pub region: u32,
    /// On which side of a partition it is.
    pub side: u8,
    /// Whether its peer runs.
    pub runs: bool,
    /// Whether it reads announcements by gossip.
    pub reads_announcements: bool,
    /// Whether only those reach it whom it called, or with whom it finds a way.
    pub behind_nat: bool,
    /// Its line; `None` is one without a limit.
    pub line: Option<Line>,
    /// What it sent and received.
    pub traffic: Traffic,
}

/// See the module.
pub struct Node {
    /// What each message to it looks at.
    pub site: Site,
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
    /// Those of them that this node dialled.
    pub outbound: BTreeSet<u32>,
    /// Connections that it has yet to make since it came.
    pub seeks: usize,
    /// Whether it has had a neighbour since it came.
    pub introduced: bool,
    /// Newcomers that have joined by it since it came.
    pub introduces: usize,
    /// Whom it dials, or has just asked for more nodes.
    pub dialling: BTreeSet<u32>,
    /// Until when its line is busy upwards.
    pub up: Queue,
    /// Until when it is busy downwards.
    pub down: Queue,
    /// The hash of its id, its place in the hash table.
    pub place_on_ring: [u8; 32],
    /// Its part in the gossip mesh.
    pub router: Router,
    /// When after the full interval its heartbeats are, in milliseconds.
    pub phase_ms: u64,
    /// When it is woken next.
    pub wake: Option<Timestamp>,
    /// Draws latencies and losses of what it sends.
    pub network: ChaCha20Rng,
    /// Draws whom it dials.
    pub dial: ChaCha20Rng,
    /// Draws with whom it gossips.
    pub gossip: ChaCha20Rng,
    /// Draws when it comes and goes.
    pub churn: ChaCha20Rng,
    /// The gossip message under validation: for the verdict, the neighbour that forwarded it, its number in this world.
    pub validating: Option<(GossipId, u32, u32)>,
    group: Group,
    keeping: Keeping,
    hostile: Option<Box<Hostile>>,
    starts: u32,
}

/// What a hostile node has besides.
struct Hostile {
    behaviour: Box<dyn Behaviour>,
    aims: Aims,
    whims: ChaCha20Rng,
    requests: u64,
}

impl Node {
    /// A node that does not run yet.
    pub fn new(scenario: &Scenario, number: u32, person: Person, store: Store) -> Self {
        let role = scenario.role(number);
        let named = |purpose| stream(scenario.seed, number, purpose);
        let hostile = match role {
            Role::Hostile(attack) => Some(Box::new(Hostile {
                behaviour: attacks::behaviour(attack),
                aims: Aims {
                    strike: scenario.start.plus_ms(scenario.strike_ms),
                    flood_per_s: scenario.flood_per_s,
                    in_cells: scenario.keeping.replica == Some(Replica::Cells),
                },
                whims: named("behaviour"),
                requests: 0,
            })),
            Role::Employer | Role::Professional => None,
        };
        let mut gossip = named("gossip");
        let heartbeat_ms = match scenario.gossip {
            Gossip::Mesh(mesh) => mesh.heartbeat_ms,
            Gossip::Flood => Mesh::LIBP2P.heartbeat_ms,
        };
        let place_on_ring = place_in_table(person.identity.node_id.as_bytes());
        let site = Site {
            region: scenario.latency.place(number, scenario.regions, &mut named("place")),
            side: 0,
            runs: false,
            reads_announcements: false,
            behind_nat: below(&mut named("nat"), 1000) < scenario.nat.behind_permille,
            line: Line::of(&scenario.lines, &mut named("line")),
            traffic: Traffic::default(),
        };
        Node {
            site,
            number,
            role,
            person,
            store,
            peer: None,
            links: BTreeSet::new(),
            outbound: BTreeSet::new(),
            seeks: 0,
            introduced: false,
            introduces: 0,
            dialling: BTreeSet::new(),
            up: Queue::default(),
            down: Queue::default(),
            place_on_ring,
            router: Router::default(),
            phase_ms: u64::from(below(&mut gossip, u32::try_from(heartbeat_ms).unwrap_or(u32::MAX))),
            wake: None,
            network: named("network"),
            dial: named("dial"),
            gossip,
            churn: named("churn"),
            validating: None,
            group: group(scenario, number),
            keeping: scenario.keeping,
            hostile,
            starts: 0,
        }
    }

    /// Its peer id.
    pub fn id(&self) -> &NodeId {
        &self.person.identity.node_id
    }

    /// It, as look-ups name it.
    pub fn contact(&self) -> Contact {
        Contact { node: self.id().clone(), group: self.group }
    }

    /// Whether it plays by the rules.
    pub fn is_honest(&self) -> bool {
        self.hostile.is_none()
    }

    /// Starts a peer from what the store holds.
    pub fn start(&mut self, seed: u64, now: Timestamp) {
        let fresh = bytes(&mut stream(seed, self.number, &format!("peer, start {}", self.starts)));
        self.starts += 1;
        self.site.runs = true;
        let peer = Peer::new(self.person.identity.clone(), fresh, self.store.memory(), now);
        let peer = peer.keeping(self.keeping);
        self.site.reads_announcements = reads_announcements(&peer);
        self.peer = Some(peer);
    }

    /// Ends the peer; only the store is left.
    pub fn stop(&mut self) {
        self.peer = None;
        self.site.runs = false;
        self.wake = None;
        self.validating = None;
        self.seeks = 0;
        self.introduced = false;
        self.introduces = 0;
        self.dialling.clear();
        self.router = Router::default();
    }

    /// Whom it dials.
    pub fn reach(&self) -> Reach {
        match self.role {
            Role::Hostile(attack) => attack.reach(),
            Role::Employer | Role::Professional => Reach::Anybody,
        }
    }

    /// Whether it is one of those whom the victim takes for the whole network.
    pub fn captivates(&self) -> bool {
        matches!(self.role, Role::Hostile(attack) if attack.captivates())
    }

    /// What a hostile node has found out about the network, if that is what it is after.
    pub fn learnt(&self) -> Option<&attacks::Learnt> {
        self.hostile.as_ref().and_then(|hostile| hostile.behaviour.learnt())
    }

    /// Lets the peer, or the behaviour in its place, handle an input; a node that does not run does nothing.
    pub fn handle(
        &mut self,
        now: Timestamp,
        input: Input,
        neighbours: &[NodeId],
        vocabulary: &Vocabulary,
    ) -> Vec<Output> {
        let Node { peer: Some(peer), store, person, hostile, .. } = self else {
            return Vec::new();
        };
        store.now = now;
        let mut staged = hostile.as_mut().map(|hostile| hostile.stage(now, person, neighbours));
        if let Some((behaviour, stage)) = &mut staged
            && let Some(instead) = behaviour.intercept(stage, &input)
        {
            return instead;
        }
        let known = &Known::new();
        let lent = Lent { index: store, wallet: &person.purse, trust: &person.trust, known, vocabulary };
        let mut outputs = peer.handle(now, input, &lent);
        if let Some((behaviour, stage)) = &mut staged {
            behaviour.amend(stage, &mut outputs);
        }
        outputs
    }

    /// Lets the behaviour of a hostile node that runs act.
    pub fn act(&mut self, now: Timestamp, neighbours: &[NodeId]) -> Vec<Output> {
        match (&self.peer, &mut self.hostile) {
            (Some(_), Some(hostile)) => {
                let (behaviour, mut stage) = hostile.stage(now, &self.person, neighbours);
                behaviour.act(&mut stage)
            }
            _ => Vec::new(),
        }
    }
}

impl Hostile {
    fn stage<'a>(
        &'a mut self,
        now: Timestamp,
        person: &'a Person,
        neighbours: &'a [NodeId],
    ) -> (&'a mut dyn Behaviour, Stage<'a>) {
        let Hostile { behaviour, aims, whims, requests } = self;
        let content = person.content.as_ref().map(|(content, _)| content);
        let identity = &person.identity;
        let stage = Stage { now, identity, content, aims: *aims, neighbours, rng: whims, requests };
        (behaviour.as_mut(), stage)
    }
}

/// Whether a peer reads announcements by gossip.
pub fn reads_announcements(peer: &Peer) -> bool {
    peer.replica() == Replica::Full
}

/// Each node has a group of addresses of its own, but attackers that share theirs.
fn group(scenario: &Scenario, number: u32) -> Group {
    let first = scenario.hostile(0);
    let of = match (number.checked_sub(first), scenario.hostile_groups) {
        (Some(n), Some(groups)) => first + n % groups.max(1),
        _ => number,
    };
    let [a, b, c, d] = of.to_be_bytes();
    let mut address = [0; 16];
    [address[2], address[3], address[4], address[5]] = [a, b, c, d];
    Group::v6(address)
}
