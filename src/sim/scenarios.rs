//! From what somebody names to a plan: a file, a shipped scenario, or the folder of a run.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use knackmesh_simulations::plan::{Assignment, Plan, PlanError, Shipped};

use super::folder::{Folder, FolderError};

/// A text that was found, and what it is called.
#[derive(Clone, Debug)]
pub struct Named {
    /// The file's name without its ending, or the shipped scenario's.
    pub name: String,
    /// The scenario.
    pub text: String,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// Neither a file nor a shipped scenario.
    #[error("{name}: there is no such file, and no scenario of that name ships")]
    Missing {
        /// What was named.
        name: String,
        /// The shipped scenario that is nearest.
        nearest: &'static str,
    },
    /// The file cannot be read.
    #[error("{}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The file is no plan.
    #[error("{name}: {error}")]
    Refused {
        /// The file.
        name: String,
        /// Why.
        error: PlanError,
    },
    /// The folder holds no run.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

impl ScenarioError {
    /// What to try.
    pub fn advice(&self) -> String {
        match self {
            ScenarioError::Missing { nearest, .. } => {
                format!("write `{nearest}`, or a file's path; `knack sim new` lists the scenarios that ship")
            }
            ScenarioError::Unreadable { .. } => "name a file that you may read".to_owned(),
            ScenarioError::Refused { error, .. } => error.advice(),
            ScenarioError::Folder(error) => error.advice(),
        }
    }
}

/// The text behind a file's path or a shipped scenario's name.
///
/// # Errors
/// When there is none.
pub fn find(name: &str) -> Result<Named, ScenarioError> {
    let path = Path::new(name);
    match fs::read_to_string(path) {
        Ok(text) => {
            let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
            Ok(Named { name: stem.unwrap_or_default(), text })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let shipped = Shipped::named(name).ok_or_else(|| ScenarioError::Missing {
                name: name.to_owned(),
                nearest: Shipped::nearest(name).map_or("first-steps", |shipped| shipped.name),
            })?;
            Ok(Named { name: shipped.name.to_owned(), text: shipped.text.to_owned() })
        }
        Err(error) => Err(ScenarioError::Unreadable { path: path.to_owned(), error }),
    }
}

/// The plan behind a file's path, a shipped scenario's name, or the folder of a run, whose seed is its own.
///
/// # Errors
/// When there is none, or it is refused.
pub fn scenario(name: &str, settings: &[Assignment]) -> Result<(Named, Plan, Option<u64>), ScenarioError> {
    let (found, seed) = if Path::new(name).is_dir() {
        let manifest = Folder::at(name).manifest()?;
        let text = Plan { file: manifest.scenario }.to_toml();
        (Named { name: name.to_owned(), text }, Some(manifest.seed))
    } else {
        (find(name)?, None)
    };
    let plan = Plan::read(&found.text, settings)
        .map_err(|error| ScenarioError::Refused { name: name.to_owned(), error })?;
    Ok((found, plan, seed))
}
