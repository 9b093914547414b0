//! Files that commands write: whole, or not at all.

use std::{
    fs::{self, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use crate::control::{Exit, Refusal};

/// What `--json` prints of one file.
#[derive(serde::Serialize)]
pub(super) struct Written {
    pub file: String,
}

/// How the name of a file begins that is being written.
pub(super) const PARTIAL: &str = ".new-";

/// Makes a folder, and those above it.
pub(super) fn folder(dir: &Path) -> Result<(), Refusal> {
    fs::create_dir_all(dir).map_err(|e| refusal(dir, &e))
}

/// Writes a file, in place of what there was, and waits until it is on the disk.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Refusal> {
    write(path, bytes, true).map_err(|e| refusal(path, &e))
}

/// The same for a file that can be written again from what is kept elsewhere: it does not wait for the disk.
pub(super) fn write_copy(path: &Path, bytes: &[u8]) -> Result<(), Refusal> {
    write(path, bytes, false).map_err(|e| refusal(path, &e))
}

/// Writes a file in which there must be nothing yet.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Refusal> {
    vacant(path)?;
    // What is there is empty, or a device, and stays what it is.
    if path.exists() {
        fs::write(path, bytes).map_err(|e| refusal(path, &e))
    } else {
        write_whole(path, bytes)
    }
}

/// Whether [`write_new`] would find nothing in the file, for commands that must know before they act.
pub(super) fn vacant(path: &Path) -> Result<(), Refusal> {
    match fs::metadata(path) {
        Ok(found) if found.is_file() && found.len() > 0 => {
            let message = format!("{} is there already", path.display());
            Err(Refusal::new(
                Exit::Failed,
                message,
                "name another file with --out FILE, or move that one away",
            ))
        }
        _ => Ok(()),
    }
}

fn write(path: &Path, bytes: &[u8], durable: bool) -> io::Result<()> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(PARTIAL)
        // As far as the user's mask allows: what is exported is for others.
        .permissions(Permissions::from_mode(0o644))
        .tempfile_in(dir)?;
    file.write_all(bytes)?;
    if durable {
        file.as_file().sync_all()?;
    }
    file.persist(path).map_err(|e| e.error)?;
    Ok(())
}

fn refusal(path: &Path, e: &io::Error) -> Refusal {
    Refusal::new(Exit::Failed, format!("{}: {e}", path.display()), "name a place where you may write")
}
