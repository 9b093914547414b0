//! What a run is made of. A scenario and its seed determine everything that follows.

use std::collections::BTreeSet;

use crate::attacks::Attack;

/// A world before it begins. Nodes are numbered: employers first, then professionals, then one for each attack, so that
/// a further professional takes nobody's number unless there are attacks.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Names the run.
    pub seed: u64,
    /// Nodes whose people only search.
    pub employers: u32,
    /// Nodes whose people hold credentials.
    pub professionals: u32,
    /// Signers of credentials. They run no node; every employer lists all of them but the last.
    pub issuers: u32,
    /// One hostile node each.
    pub attacks: Vec<Attack>,
    /// How many skills there are, the commonest of the embedded vocabulary; their use follows Zipf's law.
    pub skills: usize,
    /// Every so many professionals decide on each inquiry themselves, all others present to anyone; 0 is none.
    pub ask_every: u32,
    /// Connections that a node seeks for itself; with those it accepts it has at most three times as many.
    pub degree: usize,
    /// Regions of the world, at least one, over which nodes are spread.
    pub regions: u32,
    /// How long messages take.
    pub latency: Latency,
    /// How many of a thousand transmissions are lost.
    pub loss_permille: u32,
    /// Nodes that do not start with the others, but when they are told to.
    pub late: BTreeSet<u32>,
}

/// How long one transmission takes, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Latency {
    /// Within a region.
    pub near_ms: u64,
    /// Between neighbouring regions; regions lie on a line.
    pub far_ms: u64,
    /// At most so much more, uniformly.
    pub jitter_ms: u32,
}

impl Default for Scenario {
    /// 20 employers and 100 professionals in four regions, without loss and without attacks.
    fn default() -> Self {
        Scenario {
            seed: 1,
            employers: 20,
            professionals: 100,
            issuers: 5,
            attacks: Vec::new(),
            skills: 60,
            ask_every: 3,
            degree: 4,
            regions: 4,
            latency: Latency { near_ms: 10, far_ms: 45, jitter_ms: 20 },
            loss_permille: 0,
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
        self.employers + self.professionals + u32::try_from(self.attacks.len()).unwrap_or(u32::MAX)
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
        let attack = node.checked_sub(self.employers + self.professionals);
        match attack.and_then(|n| self.attacks.get(n as usize)) {
            Some(attack) => Role::Hostile(*attack),
            None if node < self.employers => Role::Employer,
            None => Role::Professional,
        }
    }
}
