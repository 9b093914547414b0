//! What a run of the overlay is made of. Settings and a seed determine everything that follows.

use serde::{Deserialize, Serialize};

use super::places::Table;
use crate::lifetime::Lifetime;

/// Most nodes of a run.
pub const NODES_MAX: u32 = 4_000_000;
/// Largest bucket.
pub const K_MAX: u32 = 128;
/// Most requests under way in one path of a look-up.
pub const ALPHA_MAX: u32 = 32;
/// Most disjoint paths of a look-up.
pub const PATHS_MAX: u32 = 10;
/// Most look-ups of a run.
pub const LOOK_UPS_MAX: u32 = 10_000_000;
/// Longest run, time-out and latency, in milliseconds: 30 days.
pub const DURATION_MAX_MS: u64 = 30 * 86_400_000;

/// A run before it begins. [`Default`] is the workload that figures are published for, with 100,000 nodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How many nodes there are, at least 2.
    pub nodes: u32,
    /// Contacts of a bucket, of an answer, and of a look-up's result.
    pub k: u32,
    /// Requests under way at once, in each path of a look-up.
    pub alpha: u32,
    /// Disjoint paths of a look-up (S/Kademlia); 1 is Kademlia. In the manner of libp2p 1 or `alpha`.
    pub paths: u32,
    /// Whom a look-up asks next, and when it is over.
    pub manner: Manner,
    /// How many look-ups are begun, one in each of as many equal parts of the duration.
    pub look_ups: u32,
    /// For how long look-ups are begun, in milliseconds. The run goes on until the last has ended.
    pub duration_ms: u64,
    /// After how long a request without an answer is given up, in milliseconds.
    pub timeout_ms: u64,
    /// How long a message takes.
    pub latency: Latency,
    /// How many of a thousand messages are lost.
    pub loss_permille: u32,
    /// How many of a thousand honest nodes are in others' tables but never there.
    pub offline_permille: u32,
    /// What is in the tables when the run begins.
    pub bootstrap: Bootstrap,
    /// Whether tables change during the run: whoever asks or answers is added where there is room, whoever does not answer
    /// is removed.
    pub learn: bool,
    /// Nodes that leave and return.
    pub churn: Option<Churn>,
    /// Nodes that attack.
    pub attack: Option<Attack>,
}

/// Whom a look-up asks next, and when it is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Manner {
    /// Up to `alpha` at once of the `k` nearest that have not failed; over when all of these have answered.
    #[default]
    Kademlia,
    /// As rust-libp2p does it, which the node uses: up to `alpha` at once of all that it knows, up to `k` once as many as `alpha` answers
    /// in a row brought nobody among the `k` nearest; over when `k` have answered and nobody nearer is asked. It has one path.
    Libp2p,
}

/// How long one message takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Latency {
    /// Any whole number of milliseconds between two, each as likely as another and drawn anew for each message.
    Uniform {
        /// Shortest.
        min_ms: u32,
        /// Longest.
        max_ms: u32,
    },
    /// By where the two nodes are. Not written down: a table comes from elsewhere.
    #[serde(skip)]
    Table(Table),
}

/// What is in the tables when the run begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Bootstrap {
    /// Each bucket holds as many as fit of all the nodes that belong there, drawn evenly: what a network that has been up for long and
    /// refreshes its buckets comes to.
    Complete,
    /// Each node is told of some others at random and of its neighbours in order of identifiers, as PeerSim's Kademlia sets up its
    /// nodes. Most buckets have room then, and look-ups fill them.
    Introduced {
        /// At random.
        random: u32,
        /// Neighbours, half of them before and half of them after the node.
        near: u32,
    },
}

/// Nodes that leave and return: all but the attackers and those that are never there. The run begins in the steady state: some are
/// away, lifetimes have begun before, and the tables list those who are there. Sessions that end end their look-ups.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Churn {
    /// How long a node stays.
    pub session: Lifetime,
    /// How long it is away.
    pub absence: Lifetime,
    /// Whether a node that returns looks itself up, which tells it of its neighbours and them of it.
    pub rejoin: bool,
}

/// Nodes that attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Attack {
    /// How many of a thousand nodes.
    pub permille: u32,
    /// What they do when they are asked.
    pub behaviour: Behaviour,
}

/// What attackers do when they are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Behaviour {
    /// They do not answer.
    Drop,
    /// They answer with the `k` attackers nearest to the key, and only those.
    Eclipse,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            nodes: 100_000,
            k: 20,
            alpha: 3,
            paths: 1,
            manner: Manner::Kademlia,
            look_ups: 100_000,
            duration_ms: 3_600_000,
            timeout_ms: 1_000,
            latency: Latency::Uniform { min_ms: 20, max_ms: 200 },
            loss_permille: 0,
            offline_permille: 0,
            bootstrap: Bootstrap::Introduced { random: 100, near: 50 },
            learn: true,
            churn: None,
            attack: None,
        }
    }
}

impl Default for Churn {
    /// Sessions as those of IPFS. How long nodes are away is not known as well; as long as they stay, here, so that
    /// half of them are there at any time.
    fn default() -> Self {
        Self { session: Lifetime::IPFS, absence: Lifetime::IPFS, rejoin: true }
    }
}

/// A setting that no run can have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} is {value}, but must be {allowed}")]
pub struct Unfit {
    /// The setting, as the field is called.
    pub name: &'static str,
    /// What it is.
    pub value: String,
    /// What it may be.
    pub allowed: String,
}

impl Settings {
    /// What is wrong first, if anything is.
    pub fn validate(&self) -> Result<(), Unfit> {
        within("nodes", self.nodes, 2, NODES_MAX)?;
        within("k", self.k, 1, K_MAX)?;
        within("alpha", self.alpha, 1, ALPHA_MAX)?;
        within("paths", self.paths, 1, PATHS_MAX.min(self.k))?;
        // It has as many paths as requests at once, or one.
        if self.manner == Manner::Libp2p && self.paths > 1 {
            within("paths", self.paths, self.alpha, self.alpha)?;
        }
        within("look_ups", self.look_ups, 0, LOOK_UPS_MAX)?;
        within("duration_ms", self.duration_ms, 1, DURATION_MAX_MS)?;
        within("timeout_ms", self.timeout_ms, 1, DURATION_MAX_MS)?;
        match &self.latency {
            Latency::Uniform { min_ms, max_ms } => {
                within("latency.max_ms", u64::from(*max_ms), 0, DURATION_MAX_MS)?;
                within("latency.min_ms", *min_ms, 0, *max_ms)?;
            }
            Latency::Table(table) => {
                within("latency.jitter_ms", u64::from(table.jitter_ms), 0, DURATION_MAX_MS)?;
                within("latency.places", table.distances.hosts(), 1, u32::MAX)?;
            }
        }
        within("loss_permille", self.loss_permille, 0, 1000)?;
        within("offline_permille", self.offline_permille, 0, 1000)?;
        if let Bootstrap::Introduced { random, near } = self.bootstrap {
            within("bootstrap.random", random, 0, 10_000)?;
            within("bootstrap.near", near, 0, 10_000)?;
        }
        if let Some(Churn { session, absence, .. }) = self.churn {
            session.validate("churn.session")?;
            absence.validate("churn.absence")?;
        }
        if let Some(attack) = self.attack {
            within("attack.permille", attack.permille, 0, 1000)?;
        }
        Ok(())
    }
}

impl Lifetime {
    fn validate(self, name: &'static str) -> Result<(), Unfit> {
        match self {
            Self::Exponential { mean_ms } => within(name, mean_ms, 1, 1000 * DURATION_MAX_MS),
            Self::Weibull { shape, scale_ms } => {
                if !(0.2..=10.0).contains(&shape) {
                    let allowed = "of a shape from 0.2 to 10".to_owned();
                    return Err(Unfit { name, value: format!("of shape {shape}"), allowed });
                }
                within(name, scale_ms, 1, 1000 * DURATION_MAX_MS)
            }
        }
    }
}

fn within<T: PartialOrd + std::fmt::Display>(
    name: &'static str,
    value: T,
    min: T,
    max: T,
) -> Result<(), Unfit> {
    if value >= min && value <= max {
        return Ok(());
    }
    Err(Unfit { name, value: value.to_string(), allowed: format!("from {min} to {max}") })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(Settings::default().validate(), Ok(()));
        let wrong = |change: fn(&mut Settings)| {
            let mut settings = Settings::default();
            change(&mut settings);
            settings.validate().unwrap_err().to_string()
        };
        assert_eq!(wrong(|s| s.nodes = 1), "nodes is 1, but must be from 2 to 4000000");
        assert_eq!(wrong(|s| s.k = 0), "k is 0, but must be from 1 to 128");
        assert_eq!(wrong(|s| (s.k, s.paths) = (4, 5)), "paths is 5, but must be from 1 to 4");
        let latency = Latency::Uniform { min_ms: 9, max_ms: 8 };
        assert!(
            wrong(|s| s.latency = Latency::Uniform { min_ms: 9, max_ms: 8 }).contains("latency.min_ms is 9")
        );
        assert_ne!(latency, Settings::default().latency);
        let endless = Lifetime::Weibull { shape: f64::NAN, scale_ms: 1 };
        assert!(endless.validate("churn.session").unwrap_err().to_string().contains("of shape NaN"));
    }
}
