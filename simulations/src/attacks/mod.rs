//! Attacks: what a hostile node does besides, or instead of, running an honest peer. One file each, and a line in
//! [`behaviour`].
//!
//! A hostile node has keys, a person and a peer like any other. Its behaviour sees each input first and may answer in the
//! peer's place, may change what the peer says, and acts of its own accord once a second.

pub mod censor;
mod cold_boot;
mod eclipse;
mod endless;
mod flash;
mod flood;
pub mod forge;
mod frames;
mod garbage;
mod impostor;
mod pry;
mod replay;
mod scrape;
mod silence;
pub(crate) mod sybil;

use std::collections::{BTreeMap, BTreeSet};

use knackmesh_protocol::{
    cell::{Cell, Receipt},
    id::{Id, NodeId},
    key::PublicKey,
    message::{Item, Placed, Response},
    peer::{self, Identity, Input, LookUpId, Output, RequestId},
    signed::Signed,
    skill::SkillId,
    summary::{Content, Summary},
    time::Timestamp,
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

/// Names an attack.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Attack {
    /// Random bytes, and honest bytes with one bit flipped, on every channel.
    Garbage,
    /// Keeps every summary it ever saw, ignores withdrawals, and hands the old ones out again.
    Replay,
    /// Summaries and tombstones in others' names, signed with its own key.
    Forge,
    /// Answers every inquiry with the first answer that it ever gave.
    Impostor,
    /// Presents a credential that was changed after it was signed.
    Tamper,
    /// Huge and adversarial reconciliation frames, and requests over every bound.
    Frames,
    /// Reconciliation sessions that never end, each step as late as a time-out allows.
    Endless,
    /// Asks every holder it hears of for every credential, whatever consent says.
    Pry,
    /// Takes places next to the victim, with many identities, and gives nothing.
    Sybil,
    /// Has all of the victim's connections, and gives nothing.
    Eclipse,
    /// Is all that the victim knows when it starts, and gives nothing.
    ColdBoot,
    /// Leaves out half of all people.
    Censor,
    /// Publishes people who do not exist.
    Flood,
    /// Is honest until the scenario's strike, then gives nothing.
    Flash,
    /// Asks for everybody.
    Scrape,
}

impl Attack {
    /// Every attack.
    pub const ALL: [Attack; 15] = [
        Attack::Garbage,
        Attack::Replay,
        Attack::Forge,
        Attack::Impostor,
        Attack::Tamper,
        Attack::Frames,
        Attack::Endless,
        Attack::Pry,
        Attack::Sybil,
        Attack::Eclipse,
        Attack::ColdBoot,
        Attack::Censor,
        Attack::Flood,
        Attack::Flash,
        Attack::Scrape,
    ];

    /// Whom such a node dials.
    pub const fn reach(self) -> Reach {
        match self {
            Attack::Eclipse | Attack::ColdBoot => Reach::Victim,
            Attack::Sybil => Reach::Neighbourhood,
            _ => Reach::Anybody,
        }
    }

    /// Whether the victim knows such nodes alone.
    pub const fn captivates(self) -> bool {
        matches!(self, Attack::Eclipse | Attack::ColdBoot)
    }
}

/// Whom a node dials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Whoever runs.
    Anybody,
    /// The scenario's victim.
    Victim,
    /// The victim and its neighbours.
    Neighbourhood,
}

/// What a hostile node has found out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Learnt {
    /// What its queries brought.
    pub by_queries: Known,
    /// What reconciliation and gossip brought, as they do to every node.
    pub by_replication: Known,
    /// Queries asked.
    pub queries: u64,
}

/// People, by view, and the skills that they were seen to claim. What was known once stays known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known(BTreeMap<PublicKey, BTreeSet<SkillId>>);

impl Known {
    /// Takes note of a summary.
    pub fn hear(&mut self, summary: &Summary) {
        let skills = summary.content().claims().iter().map(|claim| claim.skill().clone());
        self.0.entry(summary.view()).or_default().extend(skills);
    }

    /// How many people are known.
    pub fn people(&self) -> usize {
        self.0.len()
    }

    /// Whether somebody is known.
    pub fn knows(&self, view: &PublicKey) -> bool {
        self.0.contains_key(view)
    }

    /// Whether it is known that somebody claims a skill.
    pub fn knows_claim(&self, view: &PublicKey, skill: &SkillId) -> bool {
        self.0.get(view).is_some_and(|skills| skills.contains(skill))
    }
}

/// Time between two acts of a behaviour, in milliseconds.
pub const ACT_EVERY_MS: u64 = 1000;

/// What a scenario tells its attackers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aims {
    /// When those strike that behave until then.
    pub strike: Timestamp,
    /// Messages a second of a node that floods.
    pub flood_per_s: u32,
    /// Whether nodes keep only cells, so that nobody reads announcements.
    pub in_cells: bool,
}

/// What a behaviour can see and draw on.
pub struct Stage<'a> {
    /// Now.
    pub now: Timestamp,
    /// Its keys.
    pub identity: &'a Identity,
    /// What its person would publish.
    pub content: Option<&'a Content>,
    /// What the scenario tells it.
    pub aims: Aims,
    /// Nodes it is connected to.
    pub neighbours: &'a [NodeId],
    /// Its own stream.
    pub rng: &'a mut ChaCha20Rng,
    /// Numbers its requests.
    pub requests: &'a mut u64,
}

impl Stage<'_> {
    /// A request of the behaviour; its number is none that the honest peer uses.
    pub fn send(&mut self, to: &NodeId, bytes: Vec<u8>) -> Output {
        *self.requests += 1;
        Output::Send { request: RequestId(1 << 63 | *self.requests), to: to.clone(), bytes }
    }

    /// A look-up of the behaviour, for the nodes nearest to a cell; its number is none that the honest peer uses.
    pub fn look_up(&mut self, cell: &Cell) -> (LookUpId, Output) {
        *self.requests += 1;
        let look_up = LookUpId(1 << 63 | *self.requests);
        (look_up, Output::Closest { look_up, key: cell.key().0.to_vec(), reach: peer::Reach::Network })
    }

    /// A receipt for all that somebody wants kept, whether it is or not.
    pub fn receipt(&self, cells: &[Cell], items: &[Item]) -> Response {
        let (keys, ids) = (cells.iter().map(Cell::key), items.iter().map(Item::id));
        let node = &self.identity.node;
        let word = Receipt::new(node.public(), keys.collect(), ids.collect(), self.now);
        Response::Stored { receipt: Signed::sign(word, node), cells: vec![Placed::Kept; cells.len()] }
    }
}

/// What a hostile node does.
pub trait Behaviour: Send + Sync {
    /// Sees an input before the peer does; what it returns is done in the peer's place.
    fn intercept(&mut self, _stage: &mut Stage<'_>, _input: &Input) -> Option<Vec<Output>> {
        None
    }

    /// Changes what the peer would do.
    fn amend(&mut self, _stage: &mut Stage<'_>, _outputs: &mut Vec<Output>) {}

    /// What it has found out, if that is what it is after.
    fn learnt(&self) -> Option<&Learnt> {
        None
    }

    /// Acts of its own accord, every [`ACT_EVERY_MS`].
    fn act(&mut self, _stage: &mut Stage<'_>) -> Vec<Output> {
        Vec::new()
    }
}

/// A tampered credential is a matter of what a person holds; the node behaves honestly.
struct Honest;

impl Behaviour for Honest {}

/// The behaviour behind a name.
pub fn behaviour(attack: Attack) -> Box<dyn Behaviour> {
    match attack {
        Attack::Garbage => Box::<garbage::Garbage>::default(),
        Attack::Replay => Box::<replay::Replay>::default(),
        Attack::Forge => Box::<forge::Forge>::default(),
        Attack::Impostor => Box::<impostor::Impostor>::default(),
        Attack::Tamper => Box::new(Honest),
        Attack::Frames => Box::new(frames::Frames),
        Attack::Endless => Box::<endless::Endless>::default(),
        Attack::Pry => Box::<pry::Pry>::default(),
        Attack::Sybil => Box::new(sybil::Sybil),
        Attack::Eclipse => Box::new(eclipse::Eclipse),
        Attack::ColdBoot => Box::new(cold_boot::ColdBoot),
        Attack::Censor => Box::new(censor::Censor),
        Attack::Flood => Box::<flood::Flood>::default(),
        Attack::Flash => Box::new(flash::Flash),
        Attack::Scrape => Box::<scrape::Scrape>::default(),
    }
}

/// A behaviour around the peer of a real node, which does what it is told by inputs but nothing of its own accord.
pub struct Around {
    behaviour: Box<dyn Behaviour>,
    identity: Identity,
    in_cells: bool,
    rng: ChaCha20Rng,
    requests: u64,
}

impl Around {
    /// Around the peer of these keys, in a network where nodes keep only cells, or everything.
    pub fn new(attack: Attack, identity: Identity, in_cells: bool) -> Self {
        let rng = ChaCha20Rng::from_seed(Id::of(identity.node_id.as_bytes()).0);
        Around { behaviour: behaviour(attack), identity, in_cells, rng, requests: 0 }
    }

    /// What is done in the peer's place; `None` leaves an input to the peer.
    pub fn intercept(&mut self, now: Timestamp, input: &Input) -> Option<Vec<Output>> {
        let (behaviour, mut stage) = self.stage(now);
        behaviour.intercept(&mut stage, input)
    }

    /// Changes what the peer would do.
    pub fn amend(&mut self, now: Timestamp, outputs: &mut Vec<Output>) {
        let (behaviour, mut stage) = self.stage(now);
        behaviour.amend(&mut stage, outputs);
    }

    fn stage(&mut self, now: Timestamp) -> (&mut dyn Behaviour, Stage<'_>) {
        let stage = Stage {
            now,
            identity: &self.identity,
            content: None,
            aims: Aims { strike: now, flood_per_s: 0, in_cells: self.in_cells },
            neighbours: &[],
            rng: &mut self.rng,
            requests: &mut self.requests,
        };
        (&mut *self.behaviour, stage)
    }
}
