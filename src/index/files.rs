//! The index's directory: who may use it, whether what is in it can be used, and how it is emptied.
//!
//! Only files of this index are ever removed, whatever directory a user may have named.

use std::{fs, io, path::Path, sync::Arc};

use tantivy::{
    Index, SegmentReader, TantivyError,
    directory::{
        Directory, DirectoryLock, Lock,
        error::{LockError, OpenDirectoryError, OpenReadError},
    },
    index::SegmentComponent,
};

use super::{
    IndexError,
    directory::{TEMPORARY, Unforced},
    schema::{Fields, Views},
    storage,
};

/// The file whose lock says that the index is open. The operating system frees it when the process ends, however it does.
const LOCK: &str = ".knack-index.lock";
const META: &str = "meta.json";
const MANAGED: &str = ".managed.json";
/// The files that every segment has.
const COMPONENTS: [SegmentComponent; 6] = [
    SegmentComponent::Postings,
    SegmentComponent::Positions,
    SegmentComponent::FastFields,
    SegmentComponent::FieldNorms,
    SegmentComponent::Terms,
    SegmentComponent::Store,
];

/// Creates the directory `dir` if need be and claims it.
pub(super) fn lock(dir: &Path, place: &str) -> Result<(Unforced, DirectoryLock), IndexError> {
    fs::create_dir_all(dir).map_err(|e| storage(place, "created", &e))?;
    let directory = Unforced::open(dir).map_err(|e| storage(place, "opened", &e))?;
    match directory.acquire_lock(&Lock { filepath: LOCK.into(), is_blocking: false }) {
        Ok(lock) => Ok((directory, lock)),
        Err(LockError::LockBusy) => Err(IndexError::Locked { place: place.to_owned() }),
        Err(LockError::IoError(e)) => Err(storage(place, "locked", &e)),
    }
}

/// The index in `dir` and the serial of its last commit; `None` when there is none that can be used.
///
/// # Errors
/// When the system refuses, which says nothing about the index.
pub(super) fn read(
    dir: &Path,
    directory: Unforced,
    fields: &Fields,
    payload: &dyn Fn(u64) -> String,
) -> Result<Option<(Index, u64)>, TantivyError> {
    match try_read(dir, directory, fields, payload) {
        Err(e) if !is_refusal(&e) => Ok(None),
        other => other,
    }
}

fn try_read(
    dir: &Path,
    directory: Unforced,
    fields: &Fields,
    payload: &dyn Fn(u64) -> String,
) -> Result<Option<(Index, u64)>, TantivyError> {
    if !dir.join(META).try_exists()? || !dir.join(MANAGED).try_exists()? {
        return Ok(None);
    }
    let index = Index::open(directory)?;
    if index.schema() != fields.schema {
        return Ok(None);
    }
    let meta = index.load_metas()?;
    let serial = match &meta.payload {
        None => meta.segments.is_empty().then_some(0),
        Some(text) => text.split(' ').next().and_then(|n| n.parse().ok()).filter(|n| payload(*n) == *text),
    };
    let Some(serial) = serial else { return Ok(None) };
    // Checksums first: tantivy trusts the content of its files.
    if !files_are_sound(&index)? {
        return Ok(None);
    }
    for segment in index.searchable_segments()? {
        if !agrees_with_meta(&SegmentReader::open(&segment)?)? {
            return Ok(None);
        }
    }
    Ok(Some((index, serial)))
}

/// Whether every file of every segment is there and has the checksum that its end states.
fn files_are_sound(index: &Index) -> Result<bool, TantivyError> {
    for segment in index.searchable_segment_metas()? {
        let deleted = segment.has_deletes().then_some(SegmentComponent::Delete);
        for component in COMPONENTS.into_iter().chain(deleted) {
            if !index.directory().validate_checksum(&segment.relative_path(component))? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// `meta.json` has no checksum: its counts are compared with the segment itself.
fn agrees_with_meta(segment: &SegmentReader) -> tantivy::Result<bool> {
    let written = Views::open(segment)?.map_or(0, |views| views.documents());
    let alive = segment.alive_bitset().map_or(written as usize, |alive| alive.num_alive_docs());
    Ok(written == segment.max_doc() && alive == segment.num_docs() as usize)
}

/// Whether the operating system refused, as opposed to files that hold something else than they should.
fn is_refusal(error: &TantivyError) -> bool {
    let io_error: &Arc<io::Error> = match error {
        TantivyError::IoError(e)
        | TantivyError::OpenReadError(OpenReadError::IoError { io_error: e, .. })
        | TantivyError::OpenDirectoryError(OpenDirectoryError::IoError { io_error: e, .. })
        | TantivyError::LockFailure(LockError::IoError(e), _) => e,
        _ => return false,
    };
    io_error.raw_os_error().is_some() && io_error.kind() != io::ErrorKind::NotFound
}

/// Removes every file that is, by its name, part of an index.
pub(super) fn clear(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(is_ours) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// The two lists, files being written, and a segment's files: 32 hexadecimal digits and an extension.
fn is_ours(name: &str) -> bool {
    let of_segment = |(id, _): (&str, &str)| id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit());
    name == META
        || name == MANAGED
        || name.starts_with(TEMPORARY)
        || name.split_once('.').is_some_and(of_segment)
}
