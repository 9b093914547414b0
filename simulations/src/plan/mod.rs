//! Scenario files: from a text to a plan that an engine can run, or to a refusal that says where and why.
//!
//! A plan is never half true. Each key does something in the engine that the file names, or is refused: an unknown key with
//! the nearest one that is known, a value without its unit, a node that is not there, a time after the end. Reading needs no
//! clock and opens no file: those that a scenario names are lent to it. The same text, files and settings give the same plan.

mod ask;
mod error;
mod exponent;
mod file;
mod full;
mod lent;
mod overlay;
mod sense;
mod settings;
mod shipped;
mod units;
mod who;
mod world;

pub use self::{
    ask::{Ask, NotAsked, Skill},
    error::{PlanError, Position},
    exponent::Exponent,
    file::{Exponential, File, Lifetime, Setting, Weibull},
    full::{
        Aims, Amount, Arrival, Churn, Full, Gossip, Graph, Latency, Line, Matrix, Measured, Mesh, Metrics,
        Nat, Network, Occupation, Outage, Partition, Population, Publications, Queries, Regions, Regular,
        Replica, Uniform, Withdrawals,
    },
    lent::{
        Attached, GRAPH_EDGES_MAX, GRAPH_NODES_MAX, HOSTS_MAX, Input, LENT_BYTES_MAX, Lending, STAYS_MAX,
        Stays,
    },
    overlay::Overlay,
    settings::{Assignment, NotAnAssignment},
    shipped::{SHIPPED, Shipped},
    units::{Bandwidth, Duration, Rate, Share, UnitError},
    who::{Kind, NotWho, Which, Who},
};
use crate::{overlay::Settings, scenario::Scenario};

/// Longest scenario file, in bytes.
pub const FILE_BYTES_MAX: usize = 256 * 1024;

/// What an engine runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The file, with every default filled in and every setting applied.
    pub file: File,
}

impl Plan {
    /// Reads a scenario file that names no others, with settings that replace what it says.
    ///
    /// # Errors
    /// The first thing that is wrong, with the place in the text where it stands there.
    pub fn read(text: &str, settings: &[Assignment]) -> Result<Self, PlanError> {
        Plan::read_lent(text, settings, &Lending::nothing())
    }

    /// As [`Plan::read`], with the files that the scenario names.
    ///
    /// # Errors
    /// The first thing that is wrong, with the place in the text, or in a file that it names, where it stands there.
    pub fn read_lent(text: &str, settings: &[Assignment], lending: &Lending<'_>) -> Result<Self, PlanError> {
        if text.len() > FILE_BYTES_MAX {
            return Err(PlanError::TooLong);
        }
        // The text by itself comes first: only it has lines.
        let mut file = settings::read(text)?;
        if !settings.is_empty() {
            file = settings::apply(text, settings)?;
        }
        sense::complete(&mut file, lending).map_err(|refused| refused.located(text, settings))?;
        Ok(Plan { file })
    }

    /// The plan as a file that reads back to it.
    pub fn to_toml(&self) -> String {
        // Keys and values of the grammar have a TOML form.
        toml::to_string(&self.file).unwrap_or_default()
    }

    /// The JSON Schema of scenario files.
    pub fn schema() -> schemars::Schema {
        let mut schema = schemars::schema_for!(File);
        schema.insert("$id".to_owned(), "scenario.schema.json".into());
        schema
    }
}

impl Full {
    /// The world of a seed.
    pub fn scenario(&self, seed: u64) -> Scenario {
        world::scenario(self, seed)
    }
}

impl Overlay {
    /// What the engine runs.
    pub fn engine(&self) -> Settings {
        self.settings()
    }
}

#[cfg(test)]
mod tests;
