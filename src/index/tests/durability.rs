//! What outlives a process, a killed process, a damaged file and a full disk.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tantivy::{
    Directory,
    directory::{
        FileHandle, RamDirectory, WatchCallback, WatchHandle, WritePtr,
        error::{DeleteError, OpenReadError, OpenWriteError},
    },
};

use super::*;
use crate::index::{IndexError, SummaryIndex};

fn open(dir: &Path) -> SummaryIndex {
    SummaryIndex::open(dir, vocabulary()).unwrap()
}

fn matched(index: &SummaryIndex, source: &str) -> usize {
    index.nominate(&query(source), 100, now()).unwrap().matched
}

#[test]
fn the_newest_of_a_view_replaces_the_others() {
    let mut index = SummaryIndex::in_memory(vocabulary()).unwrap();
    index.put(&claiming(1, "urn:s:a", 1), 1).unwrap();
    index.put(&claiming(1, "urn:s:b", 1), 2).unwrap();
    assert_eq!((matched(&index, "<urn:s:b>"), index.serial()), (0, 0), "not before the commit");
    index.commit().unwrap();
    assert_eq!((matched(&index, "<urn:s:a>"), matched(&index, "<urn:s:b>"), index.serial()), (0, 1, 2));
    index.put(&claiming(1, "urn:s:c", 1), 3).unwrap();
    index.put(&claiming(2, "urn:s:c", 1), 4).unwrap();
    index.commit().unwrap();
    assert_eq!((matched(&index, "<urn:s:b>"), matched(&index, "<urn:s:c>"), index.summaries()), (0, 2, 2));
}

#[test]
fn what_is_removed_is_gone_after_the_commit() {
    let mut index = SummaryIndex::in_memory(vocabulary()).unwrap();
    let (one, two) = (claiming(1, "urn:s:a", 1), claiming(2, "urn:s:a", 1));
    index.put(&one, 1).unwrap();
    index.commit().unwrap();
    index.put(&two, 2).unwrap();
    index.remove(&one.view()).unwrap();
    index.remove(&two.view()).unwrap();
    index.remove(&claiming(3, "urn:s:a", 1).view()).unwrap();
    assert_eq!(index.summaries(), 1);
    index.commit().unwrap();
    assert_eq!((index.summaries(), matched(&index, "<urn:s:a>"), index.serial()), (0, 0, 2));
}

#[test]
fn an_index_is_found_again_as_it_was_committed() {
    let dir = tempfile::tempdir().unwrap();
    let mut index = open(dir.path());
    index.put(&claiming(1, "urn:s:a", 1), 7).unwrap();
    index.commit().unwrap();
    index.put(&claiming(2, "urn:s:a", 1), 8).unwrap();
    // Neither is anything committed on the way out.
    drop(index);
    let mut index = open(dir.path());
    assert_eq!((index.serial(), index.summaries(), matched(&index, "<urn:s:a>")), (7, 1, 1));
    index.put(&claiming(2, "urn:s:a", 1), 8).unwrap();
    index.commit().unwrap();
    assert_eq!((index.serial(), index.summaries()), (8, 2));
}

#[test]
fn a_killed_process_loses_only_what_it_did_not_commit() {
    let (dir, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut index = open(dir.path());
    index.put(&claiming(1, "urn:s:a", 1), 1).unwrap();
    index.commit().unwrap();
    index.put(&claiming(2, "urn:s:a", 1), 2).unwrap();
    // What a process killed now leaves behind: locks, half a segment, and no farewell.
    for entry in fs::read_dir(dir.path()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    let mut index = open(copy.path());
    assert_eq!((index.serial(), index.summaries()), (1, 1));
    index.put(&claiming(2, "urn:s:a", 1), 2).unwrap();
    index.commit().unwrap();
    assert_eq!((index.serial(), index.summaries()), (2, 2));
}

#[test]
fn an_open_index_is_locked() {
    let dir = tempfile::tempdir().unwrap();
    let mut index = open(dir.path());
    index.put(&claiming(1, "urn:s:a", 1), 1).unwrap();
    index.commit().unwrap();
    let refused = SummaryIndex::open(dir.path(), vocabulary()).err().unwrap();
    assert!(matches!(&refused, IndexError::Locked { place } if *place == dir.path().display().to_string()));
    drop(index);
    assert_eq!(open(dir.path()).serial(), 1);
}

#[test]
fn labels_of_another_vocabulary_are_not_searched() {
    let dir = tempfile::tempdir().unwrap();
    let mut index = open(dir.path());
    index.put(&claiming(1, "urn:s:a", 1), 1).unwrap();
    index.commit().unwrap();
    drop(index);
    let other = Arc::new(Vocabulary::from_tsv("urn:s:a\tKNACK\tA\t\t\t1").unwrap());
    let index = SummaryIndex::open(dir.path(), other).unwrap();
    assert_eq!((index.serial(), index.summaries()), (0, 0));
}

#[test]
fn a_foreign_index_is_replaced_and_foreign_files_are_left() {
    let dir = tempfile::tempdir().unwrap();
    let mut schema = tantivy::schema::Schema::builder();
    schema.add_text_field("title", tantivy::schema::TEXT);
    tantivy::Index::create_in_dir(dir.path(), schema.build()).unwrap();
    fs::write(dir.path().join("letter.txt"), "dear").unwrap();
    let mut index = open(dir.path());
    assert_eq!(index.serial(), 0);
    index.put(&claiming(1, "urn:s:a", 1), 1).unwrap();
    index.commit().unwrap();
    assert_eq!(fs::read_to_string(dir.path().join("letter.txt")).unwrap(), "dear");
}

/// Damages each file of an index in turn and opens it: it is sound, or new.
fn damaged(damage: impl Fn(&Path, &[u8]) -> bool) {
    let dir = tempfile::tempdir().unwrap();
    let mut index = open(dir.path());
    (1..9).for_each(|view| index.put(&claiming(view, "urn:s:a", 1), u64::from(view)).unwrap());
    index.commit().unwrap();
    index.remove(&claiming(1, "urn:s:a", 1).view()).unwrap();
    index.commit().unwrap();
    drop(index);
    let files: Vec<(PathBuf, Vec<u8>)> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter_map(|path| Some((path.clone(), fs::read(path).ok()?)))
        .collect();
    assert!(files.len() > 6);
    for (path, bytes) in &files {
        for (path, bytes) in &files {
            fs::write(path, bytes).unwrap();
        }
        if !damage(path, bytes) {
            continue;
        }
        let mut index = open(dir.path());
        let found = (index.serial(), index.summaries(), matched(&index, "<urn:s:a>"));
        assert!([(0, 0, 0), (8, 7, 7)].contains(&found), "{}: {found:?}", path.display());
        index.put(&claiming(20, "urn:s:b", 1), 9).unwrap();
        index.commit().unwrap();
        assert_eq!((index.serial(), matched(&index, "<urn:s:b>")), (9, 1));
    }
}

#[test]
fn truncated_files_are_noticed() {
    damaged(|path, bytes| fs::write(path, &bytes[..bytes.len() / 2]).is_ok());
}

#[test]
fn emptied_files_are_noticed() {
    damaged(|path, _| fs::write(path, b"").is_ok());
}

#[test]
fn missing_files_are_noticed() {
    damaged(|path, _| fs::remove_file(path).is_ok());
}

#[test]
fn flipped_bits_are_noticed() {
    for part in 0..8 {
        damaged(|path, bytes| {
            let mut bytes = bytes.to_vec();
            let at = bytes.len() * part / 8;
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 0x10;
            }
            fs::write(path, bytes).is_ok()
        });
    }
}

#[test]
fn no_change_to_the_list_of_segments_is_a_panic() {
    let dir = tempfile::tempdir().unwrap();
    let mut index = open(dir.path());
    (1..4).for_each(|view| index.put(&claiming(view, "urn:s:a", 1), u64::from(view)).unwrap());
    index.commit().unwrap();
    index.remove(&claiming(1, "urn:s:a", 1).view()).unwrap();
    index.commit().unwrap();
    drop(index);
    let files: Vec<(PathBuf, Vec<u8>)> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter_map(|path| Some((path.clone(), fs::read(path).ok()?)))
        .collect();
    let meta = dir.path().join("meta.json");
    let text = fs::read(&meta).unwrap();
    // The schema, which takes most of it, is compared as a whole.
    let digits = (0..text.len()).filter(|at| text[*at].is_ascii_digit());
    for at in digits {
        for (path, bytes) in &files {
            fs::write(path, bytes).unwrap();
        }
        let mut changed = text.clone();
        changed[at] = if text[at] == b'9' { b'8' } else { text[at] + 1 };
        fs::write(&meta, &changed).unwrap();
        let index = open(dir.path());
        let found = (index.serial(), index.summaries(), matched(&index, "<urn:s:a>"));
        assert!([(0, 0, 0), (3, 2, 2)].contains(&found), "{found:?}: {}", String::from_utf8_lossy(&changed));
    }
}

#[test]
fn a_place_that_cannot_hold_an_index_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let refused = SummaryIndex::open(&file, vocabulary()).err().unwrap();
    assert!(matches!(refused, IndexError::Storage { .. }), "{refused}");
    fs::create_dir(dir.path().join("meta.json")).unwrap();
    fs::write(dir.path().join(".managed.json"), "[]").unwrap();
    let refused = SummaryIndex::open(dir.path(), vocabulary()).err().unwrap();
    assert!(matches!(refused, IndexError::Storage { .. }), "{refused}");
}

#[test]
fn a_full_disk_is_an_error_and_the_serial_stands_still() {
    let disk = Disk { files: RamDirectory::create(), full: Arc::default() };
    let mut index = SummaryIndex::within(Box::new(disk.clone()), vocabulary()).unwrap();
    index.put(&claiming(1, "urn:s:a", 1), 1).unwrap();
    index.commit().unwrap();
    disk.full.store(true, Ordering::SeqCst);
    for serial in 2..5 {
        // The thread that indexes may notice before the commit does.
        let put = index.put(&claiming(2, "urn:s:a", 1), serial);
        let result = put.and_then(|()| index.commit());
        let Err(IndexError::Storage { reason, .. }) = result else { panic!("{result:?}") };
        assert!(!reason.is_empty());
        assert_eq!((index.serial(), matched(&index, "<urn:s:a>")), (1, 1));
    }
    disk.full.store(false, Ordering::SeqCst);
    index.put(&claiming(3, "urn:s:a", 1), 9).unwrap();
    index.commit().unwrap();
    assert_eq!(matched(&index, "<urn:s:a>"), 2);
    assert_eq!(index.serial(), 1, "what was lost must be put again");
}

/// A disk that can be full.
#[derive(Clone)]
struct Disk {
    files: RamDirectory,
    full: Arc<AtomicBool>,
}

impl Disk {
    fn room(&self) -> io::Result<()> {
        let full = self.full.load(Ordering::SeqCst);
        if full { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Disk")
    }
}

impl Directory for Disk {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        self.files.get_file_handle(path)
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        self.files.delete(path)
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        self.files.exists(path)
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        // Lock files take no room.
        if !path.to_string_lossy().starts_with('.') {
            self.room().map_err(|e| OpenWriteError::wrap_io_error(e, path.to_owned()))?;
        }
        self.files.open_write(path)
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        self.files.atomic_read(path)
    }

    fn atomic_write(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        self.room()?;
        self.files.atomic_write(path, data)
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.files.sync_directory()
    }

    fn watch(&self, callback: WatchCallback) -> tantivy::Result<WatchHandle> {
        self.files.watch(callback)
    }
}
