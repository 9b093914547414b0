//! From what a verification lacks to what is known: this server's own status lists, and, where the operator allows it, what
//! the web says.
//!
//! What cannot be had is left out, and the verification says so.

use std::{collections::BTreeSet, sync::Arc};

use knackmesh_protocol::{
    credential::{
        Credential, Format, Known, Need, TrustList, Verifier, presentation,
        status::{StatusList, StatusListError},
    },
    did::{Document, Documents},
    key::Did,
    limits::STATUS_AGE_DEFAULT_MS,
    time::Timestamp,
};
use tracing::{debug, info};

use super::{keeper::Keeper, problem::Problem, work::Work};
use crate::{
    control::{Reply, Request},
    fetch::{Fetched, Fetcher, Freshness, Kind},
    node::now,
};

/// What came of fetching may lack something itself: a list names who signed it. It ends here.
const ROUNDS_MAX: usize = 3;

/// How old a kept copy of a DID document may be, in milliseconds: rotated keys are to be noticed within the hour.
const DOCUMENT_AGE_MAX_MS: u64 = 3600 * 1000;

/// What is to be verified.
#[derive(Debug)]
pub(super) enum Shown {
    /// A credential.
    Credential(Box<Credential>),
    /// The text of a presentation.
    Presentation(String),
}

impl Shown {
    fn needs(&self, verifier: &Verifier<'_>) -> Vec<Need> {
        match self {
            Shown::Credential(credential) => credential.needs(verifier),
            Shown::Presentation(text) => presentation::needs(text, verifier),
        }
    }
}

/// Where knowledge comes from.
#[derive(Clone, Debug)]
pub(super) struct Sources {
    pub keeper: Keeper,
    /// The URLs below which this home's own status lists are, without a slash at their end.
    pub own_lists: Arc<[String]>,
    /// For what others publish; nothing of theirs is known without it.
    pub fetcher: Option<Fetcher>,
}

impl Sources {
    /// What a verification of `shown` needs to know, as far as it can be had.
    pub(super) async fn known(
        &self,
        shown: &Arc<Shown>,
        trust: &Arc<TrustList>,
        work: &Work,
    ) -> Result<Known, Problem> {
        let fetcher = self.fetcher.as_ref().map(Fetcher::for_verification);
        let (mut known, mut tried) = (Arc::new(Known::new()), BTreeSet::new());
        for _ in 0..ROUNDS_MAX {
            let (what, list, so_far) = (shown.clone(), trust.clone(), known.clone());
            let needs = work.run(move || what.needs(&Verifier::new(now(), &list).knowing(&so_far))).await?;
            let needs: Vec<Need> = needs.into_iter().filter(|need| !tried.contains(need)).collect();
            if needs.is_empty() {
                break;
            }
            let more = Arc::make_mut(&mut known);
            for need in needs {
                match &need {
                    Need::Document(did) => {
                        self.learn_document(did, fetcher.as_ref(), &mut more.documents).await
                    }
                    Need::StatusList(url) => self.learn_list(url, fetcher.as_ref(), more).await,
                }
                tried.insert(need);
            }
        }
        Ok(Arc::unwrap_or_clone(known))
    }

    async fn learn_list(&self, url: &str, fetcher: Option<&Fetcher>, known: &mut Known) {
        let Some((text, at)) = self.list(url, fetcher).await else { return };
        for did in signers(&text, known) {
            self.learn_document(&did, fetcher, &mut known.documents).await;
        }
        let list = StatusList::verify(&text, Some((url, at)), &known.documents);
        let learnt = list.and_then(|list| known.status_lists.insert(list));
        if let Err(e) = learnt {
            info!(url, code = code(&e), error = %e, "a status list is not used");
        }
    }

    /// The text of a status list, and when it was true.
    async fn list(&self, url: &str, fetcher: Option<&Fetcher>) -> Option<(String, Timestamp)> {
        let mut names = self.own_lists.iter().filter_map(|base| url.strip_prefix(&**base)?.strip_prefix('/'));
        if let Some(name) = names.next() {
            let request = Request::StatusList { name: name.to_owned(), format: Format::Jcs };
            return match self.keeper.ask(request).await {
                Ok(Reply::StatusList(text)) => Some((text, now())),
                Ok(_) => None,
                Err(e) => {
                    info!(url, error = %e, "a status list of our own is not there");
                    None
                }
            };
        }
        let fetched = fetch(url, Kind::StatusList, STATUS_AGE_DEFAULT_MS, fetcher?).await?;
        Some((String::from_utf8(fetched.bytes).ok()?, fetched.fetched))
    }

    async fn learn_document(&self, did: &Did, fetcher: Option<&Fetcher>, documents: &mut Documents) {
        let Some(fetcher) = fetcher else { return };
        let Ok(url) = knackmesh_protocol::did::web::url_of(did) else { return };
        let Some(fetched) = fetch(&url, Kind::DidDocument, DOCUMENT_AGE_MAX_MS, fetcher).await else {
            return;
        };
        let document = std::str::from_utf8(&fetched.bytes).map_err(|e| e.to_string());
        let document = document.and_then(|text| Document::read(text, did).map_err(|e| e.to_string()));
        match document {
            Ok(document) => drop(documents.insert(document, fetched.fetched)),
            Err(error) => info!(%did, error, "a DID document is not used"),
        }
    }
}

/// The DIDs whose documents a status list's signature needs.
fn signers(text: &str, known: &Known) -> Vec<Did> {
    let Ok(credential) = Credential::parse(text) else { return Vec::new() };
    let trust = TrustList::default();
    let needs = credential.needs(&Verifier::new(now(), &trust).knowing(known)).into_iter();
    needs
        .filter_map(|need| match need {
            Need::Document(did) => Some(did),
            Need::StatusList(_) => None,
        })
        .collect()
}

async fn fetch(url: &str, kind: Kind, max_age_ms: u64, fetcher: &Fetcher) -> Option<Fetched> {
    match fetcher.get(url, kind, Freshness { max_age_ms }).await {
        Ok(fetched) => {
            debug!(url, from_cache = fetched.from_cache, "fetched");
            Some(fetched)
        }
        Err(e) => {
            info!(url, error = %e, "not fetched");
            None
        }
    }
}

fn code(e: &StatusListError) -> &'static str {
    match e {
        StatusListError::Credential(e) => e.code(),
        StatusListError::Bits(e) => e.code(),
        StatusListError::Malformed(_) => "malformed",
        StatusListError::Unverified(_) => "unverified",
        StatusListError::WrongUrl => "wrong-url",
        StatusListError::TooMany => "too-many",
    }
}
