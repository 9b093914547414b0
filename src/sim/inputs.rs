//! The files that a scenario names, as a folder of results keeps them: copies in `inputs/`, whose hashes are in the manifest.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use knackmesh_simulations::plan::{Input, LENT_BYTES_MAX};

use super::folder::{Folder, FolderError};

const INPUTS: &str = "inputs";

/// Hashes of files by their names, BLAKE3 in hexadecimal.
pub fn hashes(inputs: &[Input]) -> BTreeMap<String, String> {
    inputs.iter().map(|input| (input.name.clone(), hash(&input.text))).collect()
}

impl Folder {
    /// Keeps copies of files, so that the results can be replayed where these are not.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write_inputs(&self, inputs: &[Input]) -> Result<(), FolderError> {
        inputs
            .iter()
            .try_for_each(|input| self.write(&format!("{INPUTS}/{}", input.name), input.text.as_bytes()))
    }

    /// The copies, if they are what the hashes say. A run of a sweep shares those of the sweep, two folders above its own.
    ///
    /// # Errors
    /// When one is missing, or is another than it was.
    pub fn inputs(&self, hashes: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, FolderError> {
        let mut inputs = BTreeMap::new();
        for (name, known) in hashes {
            let own = self.path().join(INPUTS).join(name);
            let shared = self.path().join("../..").join(INPUTS).join(name);
            let path = if own.exists() || !shared.exists() { own } else { shared };
            let text = read(&path)
                .map_err(|error| FolderError::Input { path: path.clone(), message: error.to_string() })?;
            if hash(&text) != *known {
                let message = "this is not the file that the run was lent: its hash is another".to_owned();
                return Err(FolderError::Input { path, message });
            }
            inputs.insert(name.clone(), text);
        }
        Ok(inputs)
    }
}

/// A file beside a scenario.
///
/// # Errors
/// When it cannot be read, with what to say of it.
pub fn beside(scenario: &Path, name: &str) -> Result<String, String> {
    let path: PathBuf = scenario.parent().unwrap_or(Path::new("")).join(name);
    read(&path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!("there is no {}", path.display()),
        _ => format!("{}: {error}", path.display()),
    })
}

fn read(path: &Path) -> io::Result<String> {
    if fs::metadata(path)?.len() > LENT_BYTES_MAX as u64 {
        return Err(io::Error::other("longer than 128 MiB"));
    }
    fs::read_to_string(path)
}

fn hash(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}
