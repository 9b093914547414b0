//! What was fetched, kept on disk. All of it can be fetched again.
//!
//! A file is an entry, named by the hash of kind and URL: the hash of what follows, in hexadecimal; a line of JSON about
//! it; the bytes. What does not read back as it was written is no entry. Several processes may use one folder.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use knackmesh_protocol::{
    id::Id,
    limits::{
        CACHE_BYTES_MAX, CACHE_ENTRIES_MAX, CLOCK_SKEW_MAX_MS, FETCH_MEDIA_TYPE_BYTES_MAX,
        FETCH_URL_BYTES_MAX,
    },
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use super::Kind;

/// How the name of a file begins that is still being written.
const PARTIAL: &str = ".new-";

/// The most that precedes the bytes in a file, with room for the names of its parts.
const HEAD_BYTES_MAX: usize = FETCH_URL_BYTES_MAX + FETCH_MEDIA_TYPE_BYTES_MAX + 512;

/// A folder of entries.
#[derive(Debug)]
pub(super) struct Cache {
    dir: PathBuf,
    entries_max: usize,
    bytes_max: u64,
}

/// Something that was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub fetched: Timestamp,
    pub content_type: Option<String>,
    pub bytes: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct Head {
    url: String,
    kind: String,
    fetched: Timestamp,
    content_type: Option<String>,
}

impl Cache {
    /// The entries in `dir`, which need not exist.
    pub fn new(dir: PathBuf) -> Self {
        Cache { dir, entries_max: CACHE_ENTRIES_MAX, bytes_max: CACHE_BYTES_MAX }
    }

    /// The entry of a URL, unless it is damaged or from the future, by which its age could not be told.
    pub fn get(&self, url: &str, kind: Kind, now: Timestamp) -> Option<Entry> {
        let bytes_max = (HEAD_BYTES_MAX + kind.bytes_max()) as u64;
        let mut bytes = Vec::new();
        File::open(self.path(url, kind)).ok()?.take(bytes_max + 1).read_to_end(&mut bytes).ok()?;
        let (hash, rest) = split_line(&bytes)?;
        if hash != Id::of(rest).to_string().as_bytes() {
            return None;
        }
        let (head, content) = split_line(rest)?;
        let head: Head = serde_json::from_slice(head).ok()?;
        let told = head.fetched <= now.plus_ms(CLOCK_SKEW_MAX_MS);
        (head.url == url && head.kind == kind.name() && told && content.len() <= kind.bytes_max()).then(
            || Entry { fetched: head.fetched, content_type: head.content_type, bytes: content.to_vec() },
        )
    }

    /// Keeps an entry in place of what there was, and as many others as there is room for, the newest.
    ///
    /// # Errors
    /// What the file system says; what was kept before is kept still.
    pub fn put(&self, url: &str, kind: Kind, entry: &Entry) -> io::Result<()> {
        crate::home::private_dir(&self.dir).map_err(io::Error::other)?;
        let head = Head {
            url: url.to_owned(),
            kind: kind.name().to_owned(),
            fetched: entry.fetched,
            content_type: entry.content_type.clone(),
        };
        let mut rest = serde_json::to_vec(&head)?;
        rest.push(b'\n');
        rest.extend_from_slice(&entry.bytes);
        let mut file = tempfile::Builder::new().prefix(PARTIAL).tempfile_in(&self.dir)?;
        writeln!(file, "{}", Id::of(&rest))?;
        file.write_all(&rest)?;
        file.persist(self.path(url, kind)).map_err(|e| e.error)?;
        self.make_room()
    }

    fn path(&self, url: &str, kind: Kind) -> PathBuf {
        self.dir.join(Id::of(format!("{} {url}", kind.name()).as_bytes()).to_string())
    }

    /// Removes the oldest of our files, those that a killed process left half written included.
    fn make_room(&self) -> io::Result<()> {
        let mut files = Vec::new();
        for file in fs::read_dir(&self.dir)? {
            let file = file?;
            // Another process may have removed it just now.
            let Ok(about) = file.metadata() else { continue };
            if about.is_file() && is_ours(&file.path()) {
                files.push((about.modified()?, about.len(), file.path()));
            }
        }
        files.sort_by(|a, b| b.cmp(a));
        let mut bytes = 0;
        for (at, (_, len, path)) in files.into_iter().enumerate() {
            bytes += len;
            if at >= self.entries_max || bytes > self.bytes_max {
                let _ = fs::remove_file(path);
            }
        }
        Ok(())
    }
}

fn is_ours(path: &Path) -> bool {
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
    name.starts_with(PARTIAL) || name.parse::<Id>().is_ok()
}

/// The first line without its end, and what follows it.
fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|b| *b == b'\n')?;
    Some((&bytes[..end], &bytes[end + 1..]))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use tempfile::TempDir;

    use super::*;

    const KIND: Kind = Kind::DidDocument;
    const NOW: Timestamp = Timestamp::from_unix_ms(1_795_453_200_000);

    fn entry(bytes: &[u8]) -> Entry {
        Entry { fetched: NOW, content_type: Some("application/did+json".into()), bytes: bytes.to_vec() }
    }

    fn cache() -> (TempDir, Cache) {
        let dir = TempDir::new().unwrap();
        let cache = Cache::new(dir.path().join("cache"));
        (dir, cache)
    }

    fn files(cache: &Cache) -> Vec<PathBuf> {
        fs::read_dir(&cache.dir).unwrap().map(|f| f.unwrap().path()).collect()
    }

    #[test]
    fn an_entry_is_of_a_url_and_a_kind() {
        let (_dir, cache) = cache();
        assert_eq!(cache.get("https://a/", KIND, NOW), None);
        cache.put("https://a/", KIND, &entry(b"one\ntwo\n")).unwrap();
        assert_eq!(cache.get("https://a/", KIND, NOW), Some(entry(b"one\ntwo\n")));
        assert_eq!(cache.get("https://b/", KIND, NOW), None);
        assert_eq!(cache.get("https://a/", Kind::StatusList, NOW), None);
        cache.put("https://a/", KIND, &entry(b"")).unwrap();
        assert_eq!(cache.get("https://a/", KIND, NOW), Some(entry(b"")));
        assert_eq!(files(&cache).len(), 1);
    }

    #[test]
    fn only_the_owner_can_look_in() {
        use std::os::unix::fs::PermissionsExt;
        let (_dir, cache) = cache();
        cache.put("https://a/", KIND, &entry(b"one")).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&cache.dir), 0o700);
        assert_eq!(mode(&files(&cache)[0]), 0o600);
    }

    #[test]
    fn a_damaged_entry_is_none() {
        let (_dir, cache) = cache();
        cache.put("https://a/", KIND, &entry(b"one")).unwrap();
        let path = files(&cache).remove(0);
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            fs::write(&path, &changed).unwrap();
            assert_eq!(cache.get("https://a/", KIND, NOW), None, "byte {at}");
            fs::write(&path, &whole[..at]).unwrap();
            assert_eq!(cache.get("https://a/", KIND, NOW), None, "cut at {at}");
        }
        fs::write(&path, &whole).unwrap();
        assert!(cache.get("https://a/", KIND, NOW).is_some());
        fs::rename(&path, cache.path("https://b/", KIND)).unwrap();
        assert_eq!(cache.get("https://b/", KIND, NOW), None, "under another's name");
    }

    #[test]
    fn an_entry_from_the_future_is_none() {
        let (_dir, cache) = cache();
        cache.put("https://a/", KIND, &entry(b"one")).unwrap();
        assert!(cache.get("https://a/", KIND, NOW.minus_ms(CLOCK_SKEW_MAX_MS)).is_some());
        assert!(cache.get("https://a/", KIND, NOW.minus_ms(CLOCK_SKEW_MAX_MS + 1)).is_none());
    }

    #[test]
    fn the_oldest_entries_make_room_and_other_files_stay() {
        let (_dir, mut cache) = cache();
        cache.entries_max = 3;
        fs::create_dir(&cache.dir).unwrap();
        fs::write(cache.dir.join("of-the-owner"), "kept").unwrap();
        fs::write(cache.dir.join(".new-left"), "half").unwrap();
        let url = |i: usize| format!("https://a/{i}");
        let put = |cache: &Cache, i: usize| {
            std::thread::sleep(std::time::Duration::from_millis(10));
            cache.put(&url(i), KIND, &entry(&[b'x'; 1000])).unwrap();
        };
        let held = |cache: &Cache| -> Vec<usize> {
            (0..9).filter(|i| cache.get(&url(*i), KIND, NOW).is_some()).collect()
        };
        (0..5).for_each(|i| put(&cache, i));
        assert_eq!(held(&cache), [2, 3, 4]);
        assert_eq!(files(&cache).len(), 4);
        cache.bytes_max = 2500;
        put(&cache, 5);
        assert_eq!(held(&cache), [4, 5]);
        assert!(cache.dir.join("of-the-owner").exists());
    }

    #[test]
    fn where_nothing_can_be_written_nothing_is_kept() {
        let dir = TempDir::new().unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        let cache = Cache::new(dir.path().join("file").join("cache"));
        assert!(cache.put("https://a/", KIND, &entry(b"one")).is_err());
        assert_eq!(cache.get("https://a/", KIND, NOW), None);
    }
}
