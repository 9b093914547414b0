//! What this home has issued: a record of each credential, and its place in the status lists.
//!
//! Places come in pages. A page has one status list for each purpose, and a credential has the same place in each of
//! them. A place says nothing of when it was given, since it is drawn at random, and is never given again.
//!
//! A record and its place are written together or not at all. Statuses are kept by place, so a list is made of them
//! without any record.

use std::collections::BTreeMap;

use knackmesh_protocol::{
    credential::{Format, status::Purpose},
    id::Id,
    key::{Algorithm, Did},
    limits::{ISSUED_MAX, STATUS_ENTRIES_MIN},
    time::Timestamp,
    wire,
};
use serde::{Deserialize, Serialize};
use sled::{
    Transactional,
    transaction::{ConflictableTransactionError, TransactionError},
};

use super::{StoreError, decode};

/// The trees of what was issued.
pub struct Issued {
    /// Records by number, in the order in which they were issued.
    records: sled::Tree,
    /// The number of a record by the hash of the credential's id.
    numbers: sled::Tree,
    /// Pages by number.
    pages: sled::Tree,
    /// Places that were given: page, index.
    places: sled::Tree,
    /// Statuses that are set: purpose, page, index.
    marks: sled::Tree,
    /// How many places of a page were given, once that was counted.
    given: BTreeMap<u32, u64>,
}

/// A credential that was issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedRecord {
    /// Its `id`; what identifies its text when it has none.
    pub id: String,
    /// What it is called.
    pub name: Option<String>,
    /// Whom it is about, when that is one DID.
    pub subject: Option<Did>,
    /// Who signed it.
    pub issuer: String,
    /// In which form.
    pub format: Format,
    /// With a key for which algorithm; not known of what earlier versions issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<Algorithm>,
    /// When it was issued.
    pub issued: Timestamp,
    /// When it ceases to hold.
    pub valid_until: Option<Timestamp>,
    /// Its place in the status lists, when it has one.
    pub place: Option<Place>,
    /// The credential, where it must be given out again when it is asked for again.
    pub text: Option<String>,
}

/// A place in the status lists of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The page's number, from 1.
    pub page: u32,
    /// The index in each of its lists.
    pub index: u64,
}

/// What the lists of a page have in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The URL below which they are published.
    pub base: String,
    /// Who signs them: the issuer of the credentials.
    pub issuer: Did,
    /// With which of the issuer's keys.
    pub algorithm: Algorithm,
}

/// A status that is set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// When it was set.
    pub at: Timestamp,
    /// Why, for the issuer's own memory.
    pub reason: Option<String>,
}

impl Issued {
    pub(super) fn open(db: &sled::Db) -> Result<Self, StoreError> {
        Ok(Issued {
            records: db.open_tree("issued")?,
            numbers: db.open_tree("issued_numbers")?,
            pages: db.open_tree("status_pages")?,
            places: db.open_tree("status_places")?,
            marks: db.open_tree("status_marks")?,
            given: BTreeMap::new(),
        })
    }

    /// A free place in a page that is like `page`; a new page when all such pages are half full, so that finding a free
    /// place takes two draws. `draw` gives uniformly random numbers.
    ///
    /// The place is taken by [`Issued::put`]; whoever chooses again before gets a place that may be the same.
    ///
    /// # Errors
    /// When the disk or `draw` refuses.
    pub fn choose<E: From<StoreError>>(
        &mut self,
        page: &Page,
        mut draw: impl FnMut() -> Result<u64, E>,
    ) -> Result<Place, E> {
        let pages = self.pages()?;
        let number = match pages.iter().rev().find(|(_, own)| own == page) {
            Some((number, _)) if self.given(*number)? < STATUS_ENTRIES_MIN / 2 => *number,
            _ => pages.last().map_or(1, |(number, _)| number + 1),
        };
        loop {
            let place = Place { page: number, index: draw()? % STATUS_ENTRIES_MIN };
            if !self.places.contains_key(place.key()).map_err(StoreError::from)? {
                return Ok(place);
            }
        }
    }

    /// Keeps a record, with its place and the page of that, in place of an earlier record of the same id.
    ///
    /// # Errors
    /// When there are too many, or the disk refuses.
    pub fn put(&mut self, record: &IssuedRecord, page: Option<&Page>) -> Result<(), StoreError> {
        let number = match self.records.last()? {
            Some((last, _)) => number_of(&last)?.saturating_add(1),
            None => 0,
        };
        if number >= ISSUED_MAX as u64 {
            return Err(StoreError::IssuedFull);
        }
        let (id, number) = (Id::of(record.id.as_bytes()), number.to_be_bytes());
        let bytes = wire::encode(record);
        let trees = (&self.records, &self.numbers, &self.pages, &self.places);
        let done = trees.transaction(|(records, numbers, pages, places)| {
            if let Some(earlier) = numbers.insert(&id.0, &number)? {
                records.remove(earlier)?;
            }
            records.insert(&number, bytes.as_slice())?;
            if let (Some(place), Some(page)) = (&record.place, page) {
                pages.insert(&place.page.to_be_bytes(), wire::encode(page))?;
                places.insert(&place.key(), &[])?;
            }
            Ok::<(), ConflictableTransactionError<()>>(())
        });
        match done {
            Ok(()) => {
                if let Some(given) = record.place.and_then(|place| self.given.get_mut(&place.page)) {
                    *given += 1;
                }
                Ok(())
            }
            Err(TransactionError::Storage(e)) => Err(e.into()),
            Err(TransactionError::Abort(())) => unreachable!("nothing aborts it"),
        }
    }

    /// The record of the credential with this id.
    ///
    /// # Errors
    /// When the entry is damaged.
    pub fn get(&self, id: &str) -> Result<Option<IssuedRecord>, StoreError> {
        let Some(number) = self.numbers.get(Id::of(id.as_bytes()).0)? else { return Ok(None) };
        self.records.get(number)?.map(|bytes| decode(&bytes, "issued")).transpose()
    }

    /// At most `max` records from number `from` on, in the order in which they were issued, with their numbers.
    ///
    /// # Errors
    /// When an entry is damaged.
    pub fn records(&self, from: u64, max: usize) -> Result<Vec<(u64, IssuedRecord)>, StoreError> {
        let entries = self.records.range(from.to_be_bytes()..).take(max);
        let record = |entry: sled::Result<(sled::IVec, sled::IVec)>| {
            let (number, bytes) = entry?;
            Ok((number_of(&number)?, decode(&bytes, "issued")?))
        };
        entries.map(record).collect()
    }

    /// A page by its number.
    ///
    /// # Errors
    /// When the entry is damaged.
    pub fn page(&self, number: u32) -> Result<Option<Page>, StoreError> {
        self.pages.get(number.to_be_bytes())?.map(|bytes| decode(&bytes, "status_pages")).transpose()
    }

    /// All pages, oldest first.
    ///
    /// # Errors
    /// When an entry is damaged.
    pub fn pages(&self) -> Result<Vec<(u32, Page)>, StoreError> {
        let page = |entry: sled::Result<(sled::IVec, sled::IVec)>| {
            let (number, bytes) = entry?;
            let number =
                <[u8; 4]>::try_from(number.as_ref()).map_err(|_| StoreError::Damaged("status_pages"))?;
            Ok((u32::from_be_bytes(number), decode(&bytes, "status_pages")?))
        };
        self.pages.iter().map(page).collect()
    }

    /// How many places of a page were given.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn given(&mut self, page: u32) -> Result<u64, StoreError> {
        if let Some(given) = self.given.get(&page) {
            return Ok(*given);
        }
        let mut count = 0;
        for entry in self.places.scan_prefix(page.to_be_bytes()).keys() {
            entry?;
            count += 1;
        }
        self.given.insert(page, count);
        Ok(count)
    }

    /// The status of a place; `None` when it is not set.
    ///
    /// # Errors
    /// When the entry is damaged.
    pub fn mark(&self, purpose: &Purpose, place: Place) -> Result<Option<Mark>, StoreError> {
        let mark = self.marks.get(mark_key(purpose, place))?;
        mark.map(|bytes| decode(&bytes, "status_marks")).transpose()
    }

    /// Sets or, with `None`, resets the status of a place.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn set_mark(&self, purpose: &Purpose, place: Place, mark: Option<&Mark>) -> Result<(), StoreError> {
        let key = mark_key(purpose, place);
        match mark {
            Some(mark) => self.marks.insert(key, wire::encode(mark))?,
            None => self.marks.remove(key)?,
        };
        Ok(())
    }

    /// The indices of a page at which a status is set.
    ///
    /// # Errors
    /// When an entry is damaged.
    pub fn marked(&self, purpose: &Purpose, page: u32) -> Result<Vec<u64>, StoreError> {
        let index = |key: sled::Result<sled::IVec>| {
            let index = key?.last_chunk::<8>().copied().ok_or(StoreError::Damaged("status_marks"))?;
            Ok(u64::from_be_bytes(index))
        };
        self.marks.scan_prefix(page_prefix(purpose, page)).keys().map(index).collect()
    }
}

impl Place {
    fn key(self) -> [u8; 12] {
        let mut key = [0; 12];
        key[..4].copy_from_slice(&self.page.to_be_bytes());
        key[4..].copy_from_slice(&self.index.to_be_bytes());
        key
    }
}

/// No name of a purpose holds the zero that ends it here.
fn page_prefix(purpose: &Purpose, page: u32) -> Vec<u8> {
    [purpose.name().as_bytes(), &[0], &page.to_be_bytes()].concat()
}

fn mark_key(purpose: &Purpose, place: Place) -> Vec<u8> {
    [page_prefix(purpose, place.page).as_slice(), &place.index.to_be_bytes()].concat()
}

fn number_of(key: &[u8]) -> Result<u64, StoreError> {
    key.try_into().map(u64::from_be_bytes).map_err(|_| StoreError::Damaged("issued"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{collections::BTreeSet, path::Path, thread, time::Duration};

    use knackmesh_protocol::key::SecretKey;

    use super::{super::Store, *};

    fn page(base: &str) -> Page {
        let issuer = SecretKey::from_seed([1; 32]).did();
        Page { base: base.into(), issuer, algorithm: Algorithm::EdDsa }
    }

    fn record(id: &str, place: Option<Place>) -> IssuedRecord {
        IssuedRecord {
            id: id.into(),
            name: Some("Rust".into()),
            subject: None,
            issuer: "did:web:school.example".into(),
            format: Format::Jcs,
            algorithm: None,
            issued: Timestamp::EPOCH,
            valid_until: None,
            place,
            text: None,
        }
    }

    /// Numbers that repeat, so that a free place must be looked for.
    fn draws() -> impl FnMut() -> Result<u64, StoreError> {
        let mut n = 0;
        move || {
            n += 1;
            Ok(n / 2)
        }
    }

    /// A store that was open a moment ago: until a thread of the database has ended, it is locked still.
    fn reopened(dir: &Path) -> Store {
        let opened = (0..50).find_map(|_| match Store::open(dir) {
            Err(StoreError::Locked(_)) => {
                thread::sleep(Duration::from_millis(20));
                None
            }
            opened => Some(opened.unwrap()),
        });
        opened.expect("locked for a second")
    }

    #[test]
    fn a_place_is_given_once_and_survives_reopening() {
        let dir = tempfile::tempdir().unwrap();
        let mut given = BTreeSet::new();
        for opened in 0..3 {
            let mut store = reopened(dir.path());
            let mut draw = draws();
            for n in 0..20 {
                let place = store.issued.choose(&page("https://a"), &mut draw).unwrap();
                assert_eq!(place.page, 1);
                assert!(given.insert(place.index), "{place:?}");
                store
                    .issued
                    .put(&record(&format!("{opened} {n}"), Some(place)), Some(&page("https://a")))
                    .unwrap();
            }
            store.flush().unwrap();
        }
        let mut store = reopened(dir.path());
        assert_eq!(store.issued.given(1).unwrap(), 60);
        let records = store.issued.records(0, 100).unwrap();
        assert_eq!(records.len(), 60);
        assert_eq!(records[59].1.id, "2 19", "in the order in which they were issued");
        assert_eq!(store.issued.records(58, 100).unwrap().len(), 2);
        assert_eq!(store.issued.get("1 7").unwrap().unwrap().id, "1 7");
    }

    #[test]
    fn another_url_and_a_half_full_page_begin_a_new_page() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::open(dir.path()).unwrap();
        let next = |store: &mut Store, base: &str| {
            let place = store.issued.choose(&page(base), draws()).unwrap();
            store.issued.put(&record(&format!("{base} {place:?}"), Some(place)), Some(&page(base))).unwrap();
            place.page
        };
        assert_eq!([next(&mut store, "https://a"), next(&mut store, "https://b")], [1, 2]);
        assert_eq!([next(&mut store, "https://a"), next(&mut store, "https://b")], [1, 2]);
        store.issued.given.insert(1, STATUS_ENTRIES_MIN / 2);
        assert_eq!([next(&mut store, "https://a"), next(&mut store, "https://a")], [3, 3]);
        assert_eq!(next(&mut store, "https://b"), 2);
    }

    #[test]
    fn marks_are_of_a_purpose_and_a_place() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let place = |page, index| Place { page, index };
        let mark = Mark { at: Timestamp::EPOCH, reason: Some("left".into()) };
        for (purpose, at) in [
            (Purpose::Revocation, place(1, 5)),
            (Purpose::Revocation, place(1, 131_071)),
            (Purpose::Revocation, place(2, 6)),
            (Purpose::Suspension, place(1, 7)),
        ] {
            store.issued.set_mark(&purpose, at, Some(&mark)).unwrap();
        }
        assert_eq!(store.issued.marked(&Purpose::Revocation, 1).unwrap(), [5, 131_071]);
        assert_eq!(store.issued.marked(&Purpose::Suspension, 1).unwrap(), [7]);
        assert_eq!(store.issued.mark(&Purpose::Revocation, place(1, 5)).unwrap(), Some(mark));
        store.issued.set_mark(&Purpose::Revocation, place(1, 5), None).unwrap();
        assert_eq!(store.issued.marked(&Purpose::Revocation, 1).unwrap(), [131_071]);
    }

    #[test]
    fn a_later_record_of_the_same_id_takes_the_place_of_the_earlier() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::open(dir.path()).unwrap();
        for name in ["one", "two", "one"] {
            store.issued.put(&record(name, None), None).unwrap();
        }
        let ids: Vec<_> = store.issued.records(0, 9).unwrap().into_iter().map(|(_, r)| r.id).collect();
        assert_eq!(ids, ["two", "one"]);
    }
}
