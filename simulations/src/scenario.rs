//! What a run is made of. A scenario and its seed determine everything that follows.

use std::collections::BTreeSet;

use knackmesh_protocol::{limits::CELL_NODES_MAX, peer::Keeping, skill::SkillId, time::Timestamp};

use crate::{
    access::{Line, Nat},
    attacks::Attack,
    churn::Churn,
    latency::Latency,
    mesh::Gossip,
};

/// When a run begins unless its scenario says otherwise: 2026-09-21T14:13:20Z.
pub const START: Timestamp = Timestamp::from_unix_ms(1_790_000_000_000);

/// A world before it begins. Nodes are numbered: employers first, then professionals, then one for each attack, then
/// the crowds, so that a further professional takes nobody's number unless there are attacks.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Names the run.
    pub seed: u64,
    /// When it begins. Cells are in other places each day ([`Cell::key`](knackmesh_protocol::cell::Cell::key)), so that what
    /// placements and look-ups come to differs from one to the next.
    pub start: Timestamp,
    /// Nodes whose people only search.
    pub employers: u32,
    /// Nodes whose people hold credentials.
    pub professionals: u32,
    /// Signers of credentials. They run no node; every employer lists all of them but the last.
    pub issuers: u32,
    /// One hostile node each.
    pub attacks: Vec<Attack>,
    /// Further hostile nodes, many of a kind.
    pub crowds: Vec<Crowd>,
    /// The node that attacks are aimed at which need a victim.
    pub victim: u32,
    /// When those strike that behave until then, in milliseconds since the run began.
    pub strike_ms: u64,
    /// Messages a second of a node that floods.
    pub flood_per_s: u32,
    /// Groups of addresses that all attackers have together; `None` is one each.
    pub hostile_groups: Option<u32>,
    /// Nodes that sybils put next to each half of a cell, before they go on to the next.
    pub sybils_a_half: usize,
    /// Whether they stay so far apart that nobody suspects them of crowding.
    pub sybils_apart: bool,
    /// Further ones of each half, which fill the space where peers look beside a crowd.
    pub sybils_beside: usize,
    /// How many skills there are, the commonest of the embedded vocabulary; their use follows Zipf's law.
    pub skills: usize,
    /// The exponent of that law, in thousandths: the skill of rank `r` is used as often as `1 / r^s` says.
    pub zipf_thousandths: u32,
    /// How many of a thousand credentials are of each level; `None` is as many of one as of another.
    pub levels_permille: Option<[u32; 5]>,
    /// People whose skills go together; all others have theirs by Zipf's law.
    pub occupations: Vec<Occupation>,
    /// Every so many professionals decide on each inquiry themselves, all others present to anyone; 0 is none.
    pub ask_every: u32,
    /// Connections that a node seeks for itself; with those it accepts it has at most three times as many.
    pub degree: usize,
    /// How gossip spreads over them.
    pub gossip: Gossip,
    /// How many of a thousand dials fail; the node tries again.
    pub dial_failing_permille: u32,
    /// How long a dial to a node that does not answer takes, in milliseconds; 0 has a failed request come back after a round
    /// trip, and a failed connection after a second.
    pub dial_timeout_ms: u64,
    /// Who comes and goes when.
    pub churn: Churn,
    /// Who is behind a NAT.
    pub nat: Nat,
    /// Kinds of lines; none is no limit.
    pub lines: Vec<Line>,
    /// Regions of the world, at least one, where latency puts them on a line.
    pub regions: u32,
    /// How long messages take.
    pub latency: Latency,
    /// How many of a thousand transmissions are lost.
    pub loss_permille: u32,
    /// How much each node keeps.
    pub keeping: Keeping,
    /// Nodes that do not start with the others, but when they are told to.
    pub late: BTreeSet<u32>,
}

/// People of one trade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occupation {
    /// How many of a thousand people who hold credentials have it; which, each node's own stream decides.
    pub share_permille: u32,
    /// Of what they have skills, each as likely as another; at least one.
    pub skills: Vec<SkillId>,
}

/// Hostile nodes of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crowd {
    /// So many.
    Count(Attack, u32),
    /// So many for each thousand honest nodes, rounded up.
    Permille(Attack, u32),
}

impl Default for Scenario {
    /// 20 employers and 100 professionals in four regions, without loss and without attacks.
    fn default() -> Self {
        Scenario {
            seed: 1,
            start: START,
            employers: 20,
            professionals: 100,
            issuers: 5,
            attacks: Vec::new(),
            crowds: Vec::new(),
            victim: 0,
            strike_ms: 60_000,
            flood_per_s: 20,
            hostile_groups: None,
            sybils_a_half: CELL_NODES_MAX,
            sybils_apart: false,
            sybils_beside: 0,
            skills: 60,
            zipf_thousandths: 1000,
            levels_permille: None,
            occupations: Vec::new(),
            ask_every: 3,
            degree: 4,
            gossip: Gossip::Flood,
            dial_failing_permille: 0,
            dial_timeout_ms: 0,
            churn: Churn::None,
            nat: Nat::default(),
            lines: Vec::new(),
            regions: 4,
            latency: Latency::default(),
            loss_permille: 0,
            keeping: Keeping::default(),
            late: BTreeSet::new(),
        }
    }
}

/// What a node's person does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Searches.
    Employer,
    /// Publishes.
    Professional,
    /// Attacks.
    Hostile(Attack),
}

impl Scenario {
    /// How many nodes there are.
    pub fn nodes(&self) -> u32 {
        let crowds: u32 = self.crowds.iter().map(|crowd| self.members(*crowd)).sum();
        self.hostile(0) + self.single_attacks() + crowds
    }

    /// Numbers of the professionals.
    pub fn professionals(&self) -> impl Iterator<Item = u32> + use<> {
        self.employers..self.employers + self.professionals
    }

    /// Number of the `n`th attack's node.
    pub fn hostile(&self, n: u32) -> u32 {
        self.employers + self.professionals + n
    }

    /// What `node` does.
    pub fn role(&self, node: u32) -> Role {
        let Some(mut n) = node.checked_sub(self.hostile(0)) else {
            return if node < self.employers { Role::Employer } else { Role::Professional };
        };
        if let Some(attack) = self.attacks.get(n as usize) {
            return Role::Hostile(*attack);
        }
        n -= self.single_attacks();
        for crowd in &self.crowds {
            let (Crowd::Count(attack, _) | Crowd::Permille(attack, _)) = *crowd;
            match n.checked_sub(self.members(*crowd)) {
                Some(left) => n = left,
                None => return Role::Hostile(attack),
            }
        }
        Role::Professional
    }

    /// Numbers of the nodes that attack in this way.
    pub fn attackers(&self, attack: Attack) -> impl Iterator<Item = u32> + '_ {
        (self.hostile(0)..self.nodes()).filter(move |node| self.role(*node) == Role::Hostile(attack))
    }

    fn members(&self, crowd: Crowd) -> u32 {
        match crowd {
            Crowd::Count(_, count) => count,
            Crowd::Permille(_, permille) => self.hostile(0).saturating_mul(permille).div_ceil(1000),
        }
    }

    fn single_attacks(&self) -> u32 {
        u32::try_from(self.attacks.len()).unwrap_or(u32::MAX)
    }
}
