//! Scenario files: from a text to a plan that an engine can run, or to a refusal that says where and why.
//!
//! A plan is never half true. Each key does something in the engine that the file names, or is refused: an unknown key with
//! the nearest one that is known, a value without its unit, a node that is not there, a time after the end. Reading needs no
//! file and no clock; the same text and settings give the same plan.

mod ask;
mod error;
mod file;
mod sense;
mod settings;
mod shipped;
mod units;
mod who;

pub use self::{
    ask::{Ask, NotAsked, Skill},
    error::{PlanError, Position},
    file::{
        Arrival, Fidelity, File, Latency, Metrics, Network, Outage, Partition, Population, Publications,
        Queries, Setting, Withdrawals,
    },
    settings::{Assignment, NotAnAssignment},
    shipped::{SHIPPED, Shipped},
    units::{Duration, Rate, Share, UnitError},
    who::{Kind, NotWho, Which, Who},
};
use crate::scenario::Scenario;

/// Longest scenario file, in bytes.
pub const FILE_BYTES_MAX: usize = 256 * 1024;

/// What an engine runs.
#[derive(Clone, Debug, PartialEq, Eq)]
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
        let mut file: File = toml::from_str(text).map_err(|e| error::of_toml(text, &e))?;
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

    /// The world of a seed.
    pub fn scenario(&self, seed: u64) -> Scenario {
        sense::scenario(&self.file, seed)
    }

    /// The JSON Schema of scenario files.
    pub fn schema() -> schemars::Schema {
        let mut schema = schemars::schema_for!(File);
        schema.insert("$id".to_owned(), "scenario.schema.json".into());
        schema
    }
}

#[cfg(test)]
mod tests;
