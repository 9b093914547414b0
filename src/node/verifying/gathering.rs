//! From what a verification lacks to what is known: what it needs is fetched, until nothing more is needed.
//!
//! Rounds and fetches are bounded, and each thing is asked for once. What cannot be had is left out, so that the check that
//! needs it says so; it is remembered why ([`Asker::fetched`]).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

use futures::future::join_all;
use knackmesh_protocol::{
    credential::{Credential, Known, Need, Verifier, status::StatusList},
    did::{Document, Documents, KeyPage, web},
    key::Did,
    limits::{STATUS_LISTS_MAX, VERIFICATION_ROUNDS_MAX},
    time::Timestamp,
};

use crate::{
    fetch::{FetchError, Fetched, Fetcher, Freshness, Kind},
    node::now,
    report::{FetchedRow, ReasonRow},
};

/// How old a kept copy of a DID document, or of another's page about keys, may be, in milliseconds: a key that was replaced is to be noticed within the hour.
pub const DOCUMENT_AGE_MAX_MS: u64 = 3600 * 1000;

/// Asks others for one verification, and remembers what came of it.
pub struct Asker<'a> {
    fetcher: Fetcher,
    tell: &'a (dyn Fn(&Question<'_>) + Sync),
    fetched: Mutex<Vec<FetchedRow>>,
}

/// Something that a server is about to be asked for. It learns that somebody verifies.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// What it is asked for.
    pub kind: Kind,
    /// The URL.
    pub url: &'a str,
}

impl Question<'_> {
    /// The name of the server.
    pub fn host(&self) -> &str {
        let rest = self.url.split_once("://").map_or(self.url, |(_, rest)| rest);
        &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())]
    }
}

impl<'a> Asker<'a> {
    /// Asks by `fetcher`, within the bounds of one verification, and calls `tell` before each time.
    pub fn new(fetcher: &Fetcher, tell: &'a (dyn Fn(&Question<'_>) + Sync)) -> Self {
        Asker { fetcher: fetcher.for_verification(), tell, fetched: Mutex::new(Vec::new()) }
    }

    /// What `url` gives, or a kept copy; an older one than that only when nothing newer can be had.
    ///
    /// # Errors
    /// [`FetchError`] when there is nothing at all.
    pub async fn get(&self, url: &str, kind: Kind, max_age_ms: u64) -> Result<Fetched, FetchError> {
        let at = self.place(url, kind);
        let tell = || (self.tell)(&Question { kind, url });
        let result = self.fetcher.get_telling(url, kind, Freshness { max_age_ms }, tell).await;
        let problem = |e: &FetchError| ReasonRow::new(kind.name(), e.code(), e.to_string());
        if let Some(row) = self.rows().get_mut(at) {
            row.fetched = result.as_ref().ok().map(|fetched| fetched.fetched);
            row.age_seconds = result.as_ref().ok().map(|fetched| fetched.age_ms(now()) / 1000);
            row.from_cache = result.as_ref().is_ok_and(|fetched| fetched.from_cache);
            row.problem = match &result {
                Ok(fetched) => fetched.outage.as_ref().map(problem),
                Err(e) => Some(problem(e)),
            };
        }
        result
    }

    /// The place of the row about this, which is the last when it is asked for the first time.
    fn place(&self, url: &str, kind: Kind) -> usize {
        let mut rows = self.rows();
        let same = |row: &FetchedRow| row.url == url && row.kind == kind.name();
        rows.iter().position(same).unwrap_or_else(|| {
            rows.push(FetchedRow {
                kind: kind.name().to_owned(),
                url: url.to_owned(),
                fetched: None,
                age_seconds: None,
                from_cache: false,
                problem: None,
            });
            rows.len() - 1
        })
    }

    /// What was asked for, in that order.
    pub fn fetched(&self) -> Vec<FetchedRow> {
        self.rows().clone()
    }

    /// Remembers that what came was of no use.
    fn useless(&self, url: &str, code: &str, reason: String) {
        if let Some(row) = self.rows().iter_mut().find(|row| row.url == url) {
            row.problem = Some(ReasonRow::new(&row.kind, code, reason));
        }
    }

    fn rows(&self) -> std::sync::MutexGuard<'_, Vec<FetchedRow>> {
        // Whoever panicked while holding it has left a whole list behind.
        self.fetched.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// What a verification needs to know, besides what `verifier` knows already: `needs` says what, given a verifier who knows
/// what was had until then.
pub async fn gather(
    needs: &(dyn Fn(&Verifier<'_>) -> Vec<Need> + Sync),
    verifier: &Verifier<'_>,
    asker: &Asker<'_>,
) -> Known {
    let mut gathering =
        Gathering { known: verifier.known.clone(), unread: Vec::new(), asked: BTreeMap::new() };
    for _ in 0..VERIFICATION_ROUNDS_MAX {
        let knowing = verifier.knowing(&gathering.known);
        let mut wanted: BTreeSet<Need> = needs(&knowing).into_iter().collect();
        wanted.extend(gathering.unread.iter().flat_map(|list| documents_for(&list.text, &knowing)));
        wanted.retain(|need| gathering.may_ask(need));
        let wanted: BTreeSet<Need> = wanted.into_iter().take(STATUS_LISTS_MAX).collect();
        if wanted.is_empty() {
            break;
        }
        let answers = join_all(wanted.iter().map(|need| ask(need, &gathering, verifier, asker))).await;
        for (need, answer) in wanted.into_iter().zip(answers) {
            gathering.take(need, answer, asker);
        }
        gathering.read_lists(verifier, asker);
    }
    gathering.known
}

/// What `credentials` need, for [`gather`].
pub fn needs_of(credentials: &[Credential]) -> impl Fn(&Verifier<'_>) -> Vec<Need> + Sync {
    |verifier| credentials.iter().flat_map(|credential| credential.needs(verifier)).collect()
}

/// What of `needs` is lacking still, for [`gather`].
pub fn lacking(needs: &[Need]) -> impl Fn(&Verifier<'_>) -> Vec<Need> + Sync {
    |verifier| needs.iter().filter(|need| !need.is_met(verifier)).cloned().collect()
}

/// The documents of the DIDs that sign `lists`, which are status lists that somebody named.
pub async fn signers(lists: &[String], verifier: &Verifier<'_>, asker: &Asker<'_>) -> Documents {
    let needs =
        |verifier: &Verifier<'_>| lists.iter().flat_map(|list| documents_for(list, verifier)).collect();
    gather(&needs, verifier, asker).await.documents
}

struct Gathering {
    known: Known,
    /// Status lists that wait for the document of who signed them.
    unread: Vec<Unread>,
    /// What was asked for, and whether asking again could help: a copy was returned that its issuer calls too old.
    asked: BTreeMap<Need, bool>,
}

struct Unread {
    url: String,
    text: String,
    fetched: Timestamp,
}

async fn ask(
    need: &Need,
    gathering: &Gathering,
    verifier: &Verifier<'_>,
    asker: &Asker<'_>,
) -> Option<Fetched> {
    let (url, kind, max_age_ms) = match need {
        Need::Document(did) => (web::url_of(did).ok()?, Kind::DidDocument, DOCUMENT_AGE_MAX_MS),
        Need::KeyPage(url) => (url.clone(), Kind::Keys, DOCUMENT_AGE_MAX_MS),
        Need::StatusList(url) => (url.clone(), Kind::StatusList, verifier.status_age_max_ms),
    };
    let max_age_ms = if gathering.asked.contains_key(need) { 0 } else { max_age_ms };
    asker.get(&url, kind, max_age_ms).await.ok()
}

impl Gathering {
    fn may_ask(&self, need: &Need) -> bool {
        self.asked.get(need).is_none_or(|again| *again)
    }

    fn take(&mut self, need: Need, answer: Option<Fetched>, asker: &Asker<'_>) {
        let is_copy = answer.as_ref().is_some_and(|a| a.from_cache && a.outage.is_none());
        let again = is_copy && !self.asked.contains_key(&need);
        if let Some(answer) = answer {
            match &need {
                Need::Document(did) => self.take_document(did, answer, asker),
                Need::KeyPage(url) => self.take_page(url, answer, asker),
                Need::StatusList(url) => self.take_list(url, answer, asker),
            }
        }
        self.asked.insert(need, again);
    }

    fn take_document(&mut self, did: &Did, answer: Fetched, asker: &Asker<'_>) {
        let Ok(url) = web::url_of(did) else { return };
        let Ok(text) = String::from_utf8(answer.bytes) else {
            return asker.useless(&url, "not-utf-8", "the document is not UTF-8".to_owned());
        };
        match Document::read(&text, did) {
            // Without room, the key stays unknown, and the check that needs it says so.
            Ok(document) => drop(self.known.documents.insert(document, answer.fetched)),
            Err(e) => asker.useless(&url, e.code(), e.to_string()),
        }
    }

    fn take_page(&mut self, url: &str, answer: Fetched, asker: &Asker<'_>) {
        let Ok(text) = String::from_utf8(answer.bytes) else {
            return asker.useless(url, "not-utf-8", "what it gives about keys is not UTF-8".to_owned());
        };
        match KeyPage::read(&text, url) {
            Ok(page) => drop(self.known.documents.insert_page(page, answer.fetched)),
            Err(e) => asker.useless(url, e.code(), e.to_string()),
        }
    }

    fn take_list(&mut self, url: &str, answer: Fetched, asker: &Asker<'_>) {
        match String::from_utf8(answer.bytes) {
            Ok(text) => self.unread.push(Unread { url: url.to_owned(), text, fetched: answer.fetched }),
            Err(_) => asker.useless(url, "not-utf-8", "the status list is not UTF-8".to_owned()),
        }
    }

    /// Reads the lists whose signers are known, as far as they can be.
    fn read_lists(&mut self, verifier: &Verifier<'_>, asker: &Asker<'_>) {
        for list in std::mem::take(&mut self.unread) {
            let missing = documents_for(&list.text, &verifier.knowing(&self.known));
            if missing.iter().any(|need| self.may_ask(need)) {
                self.unread.push(list);
                continue;
            }
            let read = StatusList::verify(&list.text, Some((&list.url, list.fetched)), &self.known.documents);
            if let Err(e) = read.and_then(|list| self.known.status_lists.insert(list)) {
                asker.useless(&list.url, e.code(), e.to_string());
            }
        }
    }
}

/// What verifying the signature of a status list lacks.
fn documents_for(list: &str, verifier: &Verifier<'_>) -> Vec<Need> {
    let needs = Credential::parse(list).map(|credential| credential.needs(verifier)).unwrap_or_default();
    needs.into_iter().filter(|need| matches!(need, Need::Document(_) | Need::KeyPage(_))).collect()
}
