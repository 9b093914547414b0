//! The folder that a batch is issued into: a file for each credential, a journal, and at the end a list of them.
//!
//! The journal says which batch the folder is of, from before the first credential until after the last. What was
//! issued, the home itself knows; so a folder that a crash left can always be completed.
//!
//! Invariant: a file that holds a credential is never replaced by another credential. Of which credential a file is, it says
//! itself; the list is only believed on files that are gone.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

use knackmesh_protocol::{credential::Credential, id::Id, limits::CREDENTIAL_BYTES_MAX};
use serde::{Deserialize, Serialize};

use crate::{
    cli::writing::{PARTIAL, write_copy, write_whole},
    control::{Exit, Refusal},
    home::private_dir,
    node::id_of,
};

const JOURNAL: &str = "batch.json";

/// The list of what a batch issued.
pub(super) const MANIFEST: &str = "issued.csv";

/// The columns of the list.
const COLUMNS: [&str; 4] = ["line", "did", "id", "file"];

/// What credentials' files end with.
const EXTENSIONS: [&str; 3] = ["json", "jwt", "sd-jwt"];

/// A folder that is of a batch, or will be.
pub(super) struct Folder {
    dir: PathBuf,
    journal: Journal,
    /// Whose file is whose, by name.
    files: BTreeMap<String, Held>,
    /// The names, by credential.
    names: BTreeMap<String, String>,
}

/// Which credential a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Held {
    id: String,
    did: String,
    /// The line of the table that is being issued; nothing when it is of another table.
    line: Option<u64>,
}

/// A name for a credential's file.
pub(super) struct Name {
    /// The name.
    pub file: String,
    /// Whether the name that it would have had is another credential's, of an earlier run.
    pub is_evaded: bool,
}

/// Which batch a folder is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Journal {
    /// The hash of what the template says.
    template: String,
    /// The hash of the table that was issued last.
    table: String,
    /// How many credentials the folder has, of all tables.
    rows: usize,
    finished: bool,
}

impl Folder {
    /// Looks at `dir`, whether the batch can be issued into it, and changes nothing. With `resume` it must have been begun, with
    /// the same table.
    pub fn look(dir: &Path, template: &str, table: &[u8], resume: bool) -> Result<Self, Refusal> {
        let hash = |bytes: &[u8]| Id::of(bytes).to_string();
        let journal =
            Journal { template: hash(template.as_bytes()), table: hash(table), rows: 0, finished: false };
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
            None if dir.exists() && !dir.is_dir() => {
                return Err(Refusal::new(
                    Exit::Failed,
                    format!("{shown} is no folder"),
                    "name a new or an empty folder with --out DIR",
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
        let mut files = listed(dir)?;
        files.extend(held(dir));
        let names = files.iter().map(|(file, held)| (held.id.clone(), file.clone())).collect();
        Ok(Folder { dir: dir.to_owned(), journal, files, names })
    }

    /// The name of the file of the credential `id`, which is about `did` and of a line of the table: the one that it has, or
    /// `stem` with a number where another credential has that name.
    pub fn name(&mut self, id: &str, did: &str, line: u64, stem: &str, extension: &str) -> Name {
        let holds = |line| Held { id: id.to_owned(), did: did.to_owned(), line };
        if let Some(file) = self.names.get(id) {
            self.files.insert(file.clone(), holds(Some(line)));
            return Name { file: file.clone(), is_evaded: false };
        }
        let (mut file, mut number, mut is_evaded) = (format!("{stem}.{extension}"), 1, false);
        while let Some(other) = self.files.get(&file) {
            is_evaded |= other.line.is_none();
            number += 1;
            // No stem has a tilde.
            file = format!("{stem}~{number}.{extension}");
        }
        self.names.insert(id.to_owned(), file.clone());
        self.files.insert(file.clone(), holds(Some(line)));
        Name { file, is_evaded }
    }

    /// Begins the batch, or goes on with it.
    pub fn begin(&mut self) -> Result<(), Refusal> {
        // What is in it is about people.
        private_dir(&self.dir)?;
        self.journal.rows = self.files.len();
        self.write_journal()
    }

    /// Writes a credential. The home can give it out again.
    pub fn write(&self, name: &str, text: &str) -> Result<(), Refusal> {
        let path = self.dir.join(name);
        match fs::read(&path) {
            Ok(written) if written == text.as_bytes() => Ok(()),
            _ => write_copy(&path, text.as_bytes()),
        }
    }

    /// Ends the batch: the list of all that the folder holds, and no half-written files.
    pub fn finish(mut self) -> Result<(), Refusal> {
        write_whole(&self.dir.join(MANIFEST), self.manifest()?.as_bytes())?;
        for entry in fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(PARTIAL) {
                let _ = fs::remove_file(entry.path());
            }
        }
        self.journal.finished = true;
        self.write_journal()
    }

    /// The lines of this table first, in their order.
    fn manifest(&self) -> Result<String, Refusal> {
        let failed = |e: String| Refusal::new(Exit::Failed, format!("{MANIFEST}: {e}"), "report this");
        let mut rows: Vec<(&String, &Held)> = self.files.iter().collect();
        rows.sort_by_key(|(_, held)| held.line.unwrap_or(u64::MAX));
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(COLUMNS).map_err(|e| failed(e.to_string()))?;
        for (file, Held { id, did, line }) in rows {
            let line = line.map(|line| line.to_string()).unwrap_or_default();
            writer.write_record([&line, did, id, file]).map_err(|e| failed(e.to_string()))?;
        }
        let bytes = writer.into_inner().map_err(|e| failed(e.to_string()))?;
        String::from_utf8(bytes).map_err(|e| failed(e.to_string()))
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

/// What the list says that earlier runs wrote.
fn listed(dir: &Path) -> Result<BTreeMap<String, Held>, Refusal> {
    let path = dir.join(MANIFEST);
    let Ok(bytes) = fs::read(&path) else { return Ok(BTreeMap::new()) };
    let refuse = || {
        let message = format!("{} is not as it was written, and would be replaced", path.display());
        Refusal::new(Exit::Failed, message, "move it out of the folder, and run the command again")
    };
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    if reader.headers().map_err(|_| refuse())? != COLUMNS.as_slice() {
        return Err(refuse());
    }
    let row = |record: csv::Result<csv::StringRecord>| {
        let record = record.map_err(|_| refuse())?;
        let [_, did, id, file] = [0, 1, 2, 3].map(|at| record.get(at).unwrap_or_default().to_owned());
        Ok((file, Held { id, did, line: None }))
    };
    reader.records().map(row).collect()
}

/// The credentials in the folder. A file that holds none is what a crash left, and may be replaced.
fn held(dir: &Path) -> impl Iterator<Item = (String, Held)> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        let path = entry.path();
        let is_meant = path.extension().is_some_and(|own| EXTENSIONS.iter().any(|one| own == *one));
        if !is_meant || path.ends_with(JOURNAL) {
            return None;
        }
        let mut text = String::new();
        // What is printed in lines is longer than what was signed.
        let read = File::open(&path).ok()?.take(4 * CREDENTIAL_BYTES_MAX as u64).read_to_string(&mut text);
        let credential = read.ok().and_then(|_| Credential::parse(text.trim()).ok())?;
        let did = credential.subject().map(ToString::to_string).unwrap_or_default();
        let file = entry.file_name().into_string().ok()?;
        Some((file, Held { id: id_of(&credential), did, line: None }))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_name_is_one_credentials_and_stays_so() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(JOURNAL), "{\"template\":\"t\"}").unwrap();
        assert!(Folder::look(dir.path(), "t", b"", false).is_err(), "no journal");
        fs::remove_file(dir.path().join(JOURNAL)).unwrap();
        let look = |table: &[u8]| Folder::look(dir.path(), "t", table, false).unwrap();
        let named = |folder: &mut Folder, id: &str, line, stem: &str| {
            let Name { file, is_evaded } = folder.name(id, "did:web:a.example", line, stem, "json");
            (file, is_evaded)
        };
        let mut first = look(b"first");
        assert_eq!(named(&mut first, "urn:a", 2, "ada"), ("ada.json".to_owned(), false));
        assert_eq!(named(&mut first, "urn:b", 3, "ada"), ("ada~2.json".to_owned(), false));
        first.begin().unwrap();
        first.finish().unwrap();

        // Another table, in which others come first.
        let mut second = look(b"second");
        assert_eq!(named(&mut second, "urn:c", 2, "ada"), ("ada~3.json".to_owned(), true));
        assert_eq!(named(&mut second, "urn:b", 3, "ada"), ("ada~2.json".to_owned(), false));
        second.begin().unwrap();
        second.finish().unwrap();
        let manifest = fs::read_to_string(dir.path().join(MANIFEST)).unwrap();
        let expected = "line,did,id,file\n2,did:web:a.example,urn:c,ada~3.json\n\
                        3,did:web:a.example,urn:b,ada~2.json\n,did:web:a.example,urn:a,ada.json\n";
        assert_eq!(manifest, expected);

        fs::write(dir.path().join(MANIFEST), "line;did;id;file\n").unwrap();
        let refused = Folder::look(dir.path(), "t", b"second", false).err().unwrap();
        assert!(refused.message.contains("would be replaced"), "{refused:?}");
    }
}
