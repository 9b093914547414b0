//! The folder that a batch is issued into: a file for each credential, a journal, and at the end a list of them.
//!
//! The journal says which batch the folder is of, from before the first credential until after the last. What was
//! issued, the home itself knows; so a folder that a crash left can always be completed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use knackmesh_protocol::id::Id;
use serde::{Deserialize, Serialize};

use crate::{
    cli::writing::{PARTIAL, write_copy, write_whole},
    control::{Exit, Refusal},
    home::private_dir,
};

const JOURNAL: &str = "batch.json";

/// The list of what a batch issued.
pub(super) const MANIFEST: &str = "issued.csv";

/// A folder that is of a batch.
pub(super) struct Folder {
    dir: PathBuf,
    journal: Journal,
}

/// Which batch a folder is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Journal {
    /// The hash of what the template says.
    template: String,
    /// The hash of the table.
    table: String,
    rows: usize,
    finished: bool,
}

impl Folder {
    /// Begins a batch in `dir`, or goes on with it; with `resume` only goes on, with the same table.
    pub fn begin(
        dir: &Path,
        template: &str,
        table: &[u8],
        rows: usize,
        resume: bool,
    ) -> Result<Self, Refusal> {
        let hash = |bytes: &[u8]| Id::of(bytes).to_string();
        let journal =
            Journal { template: hash(template.as_bytes()), table: hash(table), rows, finished: false };
        let found = read(dir)?;
        let shown = dir.display();
        match &found {
            Some(found) if found.template != journal.template => {
                return Err(Refusal::new(
                    Exit::Failed,
                    format!("{shown} is of another batch: its template says something else"),
                    "name another folder with --out DIR",
                ));
            }
            Some(found) if resume && found.table != journal.table => {
                return Err(Refusal::new(
                    Exit::Failed,
                    format!("the table is not the one of the batch in {shown}"),
                    "without --resume, the rows that are new are issued as well",
                ));
            }
            None if resume => {
                return Err(Refusal::new(
                    Exit::Failed,
                    format!("no batch was begun in {shown}"),
                    "leave --resume out to begin it, or name its folder with --out DIR",
                ));
            }
            None if fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some()) => {
                return Err(Refusal::new(
                    Exit::Failed,
                    format!("{shown} holds other files"),
                    "name a new or an empty folder with --out DIR",
                ));
            }
            _ => {}
        }
        // What is in it is about people.
        private_dir(dir)?;
        let begun = Folder { dir: dir.to_owned(), journal };
        begun.write_journal()?;
        Ok(begun)
    }

    /// Writes a credential. The home can give it out again.
    pub fn write(&self, name: &str, text: &str) -> Result<(), Refusal> {
        let path = self.dir.join(name);
        match fs::read(&path) {
            Ok(written) if written == text.as_bytes() => Ok(()),
            _ => write_copy(&path, text.as_bytes()),
        }
    }

    /// Ends the batch: the list of what was issued, and no half-written files.
    pub fn finish(mut self, manifest: &str) -> Result<(), Refusal> {
        write_whole(&self.dir.join(MANIFEST), manifest.as_bytes())?;
        for entry in fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(PARTIAL) {
                let _ = fs::remove_file(entry.path());
            }
        }
        self.journal.finished = true;
        self.write_journal()
    }

    fn write_journal(&self) -> Result<(), Refusal> {
        let text = serde_json::to_string_pretty(&self.journal).unwrap_or_default();
        write_whole(&self.dir.join(JOURNAL), text.as_bytes())
    }
}

fn read(dir: &Path) -> Result<Option<Journal>, Refusal> {
    let path = dir.join(JOURNAL);
    let Ok(text) = fs::read_to_string(&path) else { return Ok(None) };
    let journal = serde_json::from_str(&text).map_err(|_| {
        let message = format!("{} is not the journal of a batch", path.display());
        Refusal::new(Exit::Failed, message, "name another folder with --out DIR")
    })?;
    Ok(Some(journal))
}
