//! Scenario files: from a text to a plan that an engine can run, or to a refusal that says where and why.
//!
//! A plan is never half true. Each key does something in the engine that the file names, or is refused: an unknown key with
//! the nearest one that is known, a value without its unit, a node that is not there, a time after the end. Reading needs no
//! file and no clock; the same text and settings give the same plan.

mod ask;
mod error;
mod file;
mod full;
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
    file::{Exponential, File, Lifetime, Setting, Weibull},
    full::{
        Aims, Amount, Arrival, Churn, Full, Gossip, Latency, Line, Metrics, Nat, Network, Outage, Partition,
        Population, Publications, Queries, Regions, Regular, Uniform, Withdrawals,
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
    /// Reads a scenario file, with settings that replace what it says.
    ///
    /// # Errors
    /// The first thing that is wrong, with the place in the text where it stands there.
    pub fn read(text: &str, settings: &[Assignment]) -> Result<Self, PlanError> {
        if text.len() > FILE_BYTES_MAX {
            return Err(PlanError::TooLong);
        }
        // The text by itself comes first: only it has lines.
        let mut file = settings::read(text)?;
        if !settings.is_empty() {
            file = settings::apply(text, settings)?;
        }
        sense::check(&file).map_err(|sense| sense.located(text, settings))?;
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
