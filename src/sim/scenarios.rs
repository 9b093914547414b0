//! From what somebody names to a plan: a file, a shipped scenario, or the folder of a run.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use knackmesh_simulations::plan::{Assignment, Lending, Plan, PlanError, Shipped};

use super::{
    folder::{Folder, FolderError},
    inputs,
};

/// A text that was found, and what it is called.
#[derive(Clone, Debug)]
pub struct Named {
    /// The file's name without its ending, or the shipped scenario's.
    pub name: String,
    /// The scenario.
    pub text: String,
    origin: Origin,
}

/// Where a scenario is from, and with it the files that it names.
#[derive(Clone, Debug)]
enum Origin {
    /// This file; they are beside it.
    File(PathBuf),
    /// It ships, and they with it.
    Shipped(&'static Shipped),
    /// The folder of a run, which has copies.
    Run(BTreeMap<String, String>),
}

impl Named {
    /// Lends the files that the scenario names.
    pub fn lending(&self) -> Lending<'_> {
        match &self.origin {
            Origin::File(path) => Lending::new(|name| inputs::beside(path, name)),
            Origin::Shipped(shipped) => Lending::new(|name| shipped.lend(name)),
            Origin::Run(copies) => Lending::new(|name| {
                copies.get(name).cloned().ok_or_else(|| "the run was lent no such file".to_owned())
            }),
        }
    }
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
        error: Box<PlanError>,
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
            Ok(Named { name: stem.unwrap_or_default(), text, origin: Origin::File(path.to_owned()) })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound || path.is_dir() => {
            let shipped = Shipped::named(name).ok_or_else(|| ScenarioError::Missing {
                name: name.to_owned(),
                nearest: Shipped::nearest(name).map_or("first-steps", |shipped| shipped.name),
            })?;
            let (name, text) = (shipped.name.to_owned(), shipped.text.to_owned());
            Ok(Named { name, text, origin: Origin::Shipped(shipped) })
        }
        Err(error) => Err(ScenarioError::Unreadable { path: path.to_owned(), error }),
    }
}

/// The plan behind a file's path, a shipped scenario's name, or the folder of a run, whose seed is its own. Where a folder has the
/// name of a shipped scenario, as that of its results may, the scenario is meant.
///
/// # Errors
/// When there is none, or it is refused.
pub fn scenario(name: &str, settings: &[Assignment]) -> Result<(Named, Plan, Option<u64>), ScenarioError> {
    let (found, seed) = if Path::new(name).is_dir() && Shipped::named(name).is_none() {
        let folder = Folder::at(name);
        let manifest = folder.manifest()?;
        let text = Plan { file: manifest.scenario }.to_toml();
        let origin = Origin::Run(folder.inputs(&manifest.inputs)?);
        (Named { name: name.to_owned(), text, origin }, Some(manifest.seed))
    } else {
        (find(name)?, None)
    };
    let plan = Plan::read_lent(&found.text, settings, &found.lending())
        .map_err(|error| ScenarioError::Refused { name: name.to_owned(), error: error.into() })?;
    Ok((found, plan, seed))
}
