//! The index of admitted summaries: full text and skills in one, the only place that knows tantivy.
//!
//! It nominates and the peer decides. What it finds is what `Query::matches` finds among claims as stated, and its order
//! is that of `ranking::score` for a seeker who recognises every issuer: an upper bound for every other seeker.
//!
//! Everything in it can be made again from the store. Hence a damaged or foreign index, or one made under another
//! vocabulary (labels are text to search in), is replaced by an empty one, and [`SummaryIndex::serial`] tells the caller
//! from which change on to put things again. Work happens in calls: when none is made, its threads sleep.

mod directory;
mod files;
mod plan;
mod schema;
mod score;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use knackmesh_protocol::{
    id::Id, key::PublicKey, query::Query, summary::Summary, time::Timestamp, vocabulary::Vocabulary,
};
use tantivy::{
    Directory, Index, IndexReader, IndexSettings, IndexWriter, ReloadPolicy, TantivyError,
    directory::{DirectoryLock, RamDirectory},
    indexer::{IndexWriterOptions, LogMergePolicy},
    query::EnableScoring,
};

pub use self::score::Shuffle;
use self::{
    schema::{Fields, Views},
    score::{Best, Scoring},
};

/// The share of deleted summaries at which a part of the index is rewritten without them. Leases end, so all of it is
/// replaced within days.
const DELETED_MAX: f32 = 0.5;

/// For how long equals keep their order, so that the pages of one search fit together; those of one at the turn of a day may not.
const DAY_MS: u64 = 24 * 3600 * 1000;

/// Why the index could not be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// Another process, or another part of this one, has it open.
    #[error("the index in {place} is in use; stop the other node of this home, or use another home")]
    Locked {
        /// Where it is.
        place: String,
    },
    /// It could not be read or written: no space, no permission, too many open files, a failing disk.
    #[error("the index in {place} could not be {attempt}: {reason}")]
    Storage {
        /// Where it is.
        place: String,
        /// What was attempted.
        attempt: &'static str,
        /// What the system said.
        reason: String,
    },
}

/// What the index nominates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidates {
    /// Views whose summaries match, best first.
    pub views: Vec<PublicKey>,
    /// How many match in all.
    pub matched: usize,
}

/// An index of summaries, one a view.
pub struct SummaryIndex {
    place: String,
    vocabulary: Arc<Vocabulary>,
    fields: Fields,
    index: Index,
    reader: IndexReader,
    /// `None` after a failed write, until the next one.
    writer: Option<IndexWriter>,
    /// Views put since the last commit: what `reader` cannot know of.
    uncommitted: BTreeSet<PublicKey>,
    /// Views put or removed since then, by the first eight bytes of their keys: what `reader` has of them is over.
    outdated: BTreeMap<u64, BTreeSet<PublicKey>>,
    /// Whether anything changed since the last commit.
    changed: bool,
    /// The serial of the last commit.
    committed: u64,
    /// The highest serial put so far.
    highest: u64,
    /// Whether a write failed, so that changes above `committed` may be missing.
    lossy: bool,
    /// So that no key can be made that stands first among equals.
    salt: u64,
    /// Dropped last, after the writer.
    _lock: Option<DirectoryLock>,
}

impl SummaryIndex {
    /// Opens the index in the directory `dir`, which is created if need be. What is there and cannot be used is removed,
    /// and [`SummaryIndex::serial`] is then 0.
    ///
    /// # Errors
    /// [`IndexError::Locked`] when it is open elsewhere, [`IndexError::Storage`] when the system refuses.
    pub fn open(dir: &Path, vocabulary: Arc<Vocabulary>) -> Result<SummaryIndex, IndexError> {
        let place = dir.display().to_string();
        let (directory, lock) = files::lock(dir, &place)?;
        let fields = Fields::new();
        let usable = files::read(dir, directory.clone(), &fields, &|serial| payload(serial, &vocabulary));
        let (index, committed) = match usable {
            Ok(Some(found)) => found,
            Ok(None) => {
                files::clear(dir).map_err(|e| storage(&place, "made anew", &e))?;
                (create(Box::new(directory), &fields).map_err(|e| storage(&place, "created", &e))?, 0)
            }
            Err(e) => return Err(storage(&place, "opened", &e)),
        };
        Self::over(index, committed, place, fields, vocabulary, Some(lock))
    }

    /// An index that lives in memory and ends with the process.
    ///
    /// # Errors
    /// [`IndexError::Storage`] when no thread can be started.
    pub fn in_memory(vocabulary: Arc<Vocabulary>) -> Result<SummaryIndex, IndexError> {
        Self::within(Box::new(RamDirectory::create()), vocabulary)
    }

    fn within(
        directory: Box<dyn Directory>,
        vocabulary: Arc<Vocabulary>,
    ) -> Result<SummaryIndex, IndexError> {
        let (place, fields) = ("memory".to_owned(), Fields::new());
        let index = create(directory, &fields).map_err(|e| storage(&place, "created", &e))?;
        Self::over(index, 0, place, fields, vocabulary, None)
    }

    fn over(
        mut index: Index,
        committed: u64,
        place: String,
        fields: Fields,
        vocabulary: Arc<Vocabulary>,
        lock: Option<DirectoryLock>,
    ) -> Result<SummaryIndex, IndexError> {
        index.set_tokenizers(Fields::tokenizers());
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into();
        let reader = reader.map_err(|e| storage(&place, "read", &e))?;
        let writer = Some(write(&index).map_err(|e| storage(&place, "written", &e))?);
        Ok(SummaryIndex {
            place,
            vocabulary,
            fields,
            index,
            reader,
            writer,
            uncommitted: BTreeSet::new(),
            outdated: BTreeMap::new(),
            changed: false,
            committed,
            highest: committed,
            lossy: false,
            // Without randomness of the system the order can be foreseen, which costs an honest holder nothing.
            salt: getrandom::u64().unwrap_or_default(),
            _lock: lock,
        })
    }

    /// Puts a summary in the place of what its view had, which searches no longer see; they see it after
    /// [`SummaryIndex::commit`]. `serial` numbers the change in the store, ascending.
    ///
    /// # Errors
    /// [`IndexError::Storage`]; then everything since the last commit is lost, and [`SummaryIndex::serial`] stands still
    /// until the index is opened again, so that it is put again then. What is put meanwhile is found nevertheless.
    pub fn put(&mut self, summary: &Summary, serial: u64) -> Result<(), IndexError> {
        self.try_put(summary).map_err(|e| self.lose(&e))?;
        self.highest = self.highest.max(serial);
        Ok(())
    }

    /// Removes what a view has, if anything; searches no longer see it.
    ///
    /// # Errors
    /// As for [`SummaryIndex::put`].
    pub fn remove(&mut self, view: &PublicKey) -> Result<(), IndexError> {
        self.forget(view).map_err(|e| self.lose(&e))
    }

    /// Makes every change visible to searches, and has it outlive the process.
    ///
    /// # Errors
    /// As for [`SummaryIndex::put`].
    pub fn commit(&mut self) -> Result<(), IndexError> {
        if !self.changed {
            return Ok(());
        }
        let serial = if self.lossy { self.committed } else { self.highest };
        self.try_commit(serial).map_err(|e| self.lose(&e))?;
        self.committed = serial;
        // Should this fail, `changed` and `uncommitted` stay as they are: the next commit tries again.
        self.reader.reload().map_err(|e| storage(&self.place, "read", &e))?;
        self.uncommitted.clear();
        self.outdated.clear();
        self.changed = false;
        Ok(())
    }

    /// The serial of the last commit; 0 when the index is new. Everything up to it is in the index.
    pub fn serial(&self) -> u64 {
        self.committed
    }

    /// Summaries in the index, as of the last commit.
    pub fn summaries(&self) -> usize {
        usize::try_from(self.reader.searcher().num_docs()).unwrap_or(usize::MAX)
    }

    /// The best `limit` of the views whose summaries match `query` as stated, by the score that a seeker who recognises
    /// every issuer gives them at `now`. Equal scores stand in an order that nobody can foresee, another for each query and
    /// day, and the same while somebody reads on page by page: see [`SummaryIndex::shuffle`].
    ///
    /// # Errors
    /// [`IndexError::Storage`] when the index cannot be read.
    pub fn nominate(&self, query: &Query, limit: usize, now: Timestamp) -> Result<Candidates, IndexError> {
        self.try_nominate(query, limit, now).map_err(|e| storage(&self.place, "searched", &e))
    }

    fn try_nominate(&self, query: &Query, limit: usize, now: Timestamp) -> tantivy::Result<Candidates> {
        let searcher = self.reader.searcher();
        let search = plan::search(query, &self.fields);
        let weight = search.weight(EnableScoring::disabled_from_searcher(&searcher))?;
        let mut scoring = Scoring::new(query, &self.vocabulary, &self.fields, &searcher, now)?;
        let mut best = Best::new(limit.min(self.summaries()), self.shuffle(query, now));
        let mut matched = 0;
        let mut views: Vec<Option<Views>> = Vec::new();
        for (ordinal, segment) in (0..).zip(searcher.segment_readers()) {
            views.push(Views::open(segment)?);
            let Some(Some(views)) = views.last() else { continue };
            let mut scoring = scoring.of_segment(segment)?;
            let alive = segment.alive_bitset();
            weight.for_each_no_score(segment, &mut |documents| {
                for document in documents {
                    let alive = alive.is_none_or(|alive| alive.is_alive(*document));
                    if alive && !self.is_outdated(views, *document) {
                        matched += 1;
                        best.offer(scoring.score(*document), ordinal, *document, views);
                    }
                }
            })?;
        }
        Ok(Candidates { views: best.into_views(&views), matched })
    }

    /// The order of equals: another for each query, day and index.
    pub fn shuffle(&self, query: &Query, now: Timestamp) -> Shuffle {
        let day = now.unix_ms() / DAY_MS;
        let Id(hash) = Id::of(format!("{query} {day} {}", self.salt).as_bytes());
        Shuffle(hash.iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte)))
    }

    fn is_outdated(&self, views: &Views, document: u32) -> bool {
        !self.outdated.is_empty()
            && self
                .outdated
                .get(&views.prefix(document))
                .is_some_and(|outdated| outdated.contains(&views.key(document)))
    }

    fn try_put(&mut self, summary: &Summary) -> tantivy::Result<()> {
        let view = summary.view();
        let document = self.fields.document(summary, &self.vocabulary);
        self.forget(&view)?;
        self.changed = true;
        self.writer()?.add_document(document)?;
        self.uncommitted.insert(view);
        Ok(())
    }

    /// Deletes what the view has. tantivy looks for each deletion in every part of the index, so none is made in vain.
    fn forget(&mut self, view: &PublicKey) -> tantivy::Result<()> {
        let key = self.fields.key(view);
        let committed = self.reader.searcher().doc_freq(&key)? > 0;
        if self.uncommitted.contains(view) || committed {
            self.changed = true;
            self.writer()?.delete_term(key);
        }
        if committed {
            self.outdated.entry(schema::prefix_of(view)).or_default().insert(*view);
        }
        Ok(())
    }

    fn try_commit(&mut self, serial: u64) -> tantivy::Result<()> {
        let payload = payload(serial, &self.vocabulary);
        let mut prepared = self.writer()?.prepare_commit()?;
        prepared.set_payload(&payload);
        prepared.commit()?;
        Ok(())
    }

    fn writer(&mut self) -> tantivy::Result<&mut IndexWriter> {
        match &mut self.writer {
            Some(writer) => Ok(writer),
            missing => Ok(missing.insert(write(&self.index)?)),
        }
    }

    /// After a failed write: what was not committed is gone, and tantivy's writer with it. It must not be used again, for
    /// it would wait forever on threads that have ended.
    fn lose(&mut self, error: &TantivyError) -> IndexError {
        self.writer = None;
        self.uncommitted.clear();
        self.outdated.clear();
        self.changed = false;
        self.highest = self.committed;
        self.lossy = true;
        storage(&self.place, "written", error)
    }
}

/// One thread that indexes, with the smallest buffer there is, and one that merges.
fn write(index: &Index) -> tantivy::Result<IndexWriter> {
    let options = IndexWriterOptions::builder().num_worker_threads(1).num_merge_threads(1).build();
    let writer = index.writer_with_options(options)?;
    let mut policy = LogMergePolicy::default();
    policy.set_del_docs_ratio_before_merge(DELETED_MAX);
    writer.set_merge_policy(Box::new(policy));
    Ok(writer)
}

fn create(directory: Box<dyn Directory>, fields: &Fields) -> tantivy::Result<Index> {
    // Nothing is stored, so a thread that compresses it would be one too many.
    let settings = IndexSettings { docstore_compress_dedicated_thread: false, ..IndexSettings::default() };
    Index::create(directory, fields.schema.clone(), settings)
}

/// What a commit says of itself: its serial, and a checksum over it, the form of the index and the vocabulary.
fn payload(serial: u64, vocabulary: &Vocabulary) -> String {
    let version = schema::VERSION;
    let sum = Id::of(format!("knackmesh index {version} {serial} {}", vocabulary.digest()).as_bytes());
    format!("{serial} {}", sum.short())
}

fn storage(place: &str, attempt: &'static str, reason: &dyn std::fmt::Display) -> IndexError {
    IndexError::Storage { place: place.to_owned(), attempt, reason: reason.to_string() }
}
