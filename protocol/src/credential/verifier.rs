//! What a verifier brings to a verification: the time, its own opinions, and what it knows from others.
//!
//! Nothing is fetched here. What a verification lacks is a [`Need`], for whoever may ask the network; what came of it, or was
//! stapled to a presentation, goes into [`Known`], and the verification is made again.

use super::{
    TrustList,
    status::{StatusList, StatusLists},
};
use crate::{
    did::Documents,
    key::Did,
    limits::{STAPLED_LISTS_MAX, STATUS_AGE_DEFAULT_MS},
    time::Timestamp,
};

/// A verifier, for one verification.
#[derive(Clone, Copy, Debug)]
pub struct Verifier<'a> {
    /// When it is.
    pub now: Timestamp,
    /// Whom it recognises.
    pub trust: &'a TrustList,
    /// What it knows from others.
    pub known: &'a Known,
    /// The oldest status that it still calls fresh, in milliseconds.
    pub status_age_max_ms: u64,
}

/// What a verifier knows from others: DID documents and status lists, each with its age.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// DID documents.
    pub documents: Documents,
    /// Status lists.
    pub status_lists: StatusLists,
}

/// Nothing, for whoever verifies offline.
static NOTHING: Known = Known::new();

/// Something that a verification lacks and that can be fetched.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// The document of a `did:web`.
    Document(Did),
    /// What is published about keys at an `https:` URL: a key's, or that of an issuer who is no DID.
    KeyPage(String),
    /// The status list at a URL.
    StatusList(String),
}

impl Known {
    /// Nothing.
    pub const fn new() -> Self {
        Known { documents: Documents::new(), status_lists: StatusLists::new() }
    }
}

impl Need {
    /// Whether `verifier` knows it, from where it is published and recently enough.
    pub fn is_met(&self, verifier: &Verifier<'_>) -> bool {
        match self {
            Need::Document(did) => verifier.known.documents.get(did).is_some(),
            Need::KeyPage(url) => verifier.known.documents.page(url).is_some(),
            Need::StatusList(url) => {
                verifier.known.status_lists.get(url, None).is_some_and(|list| !list.is_due(verifier))
            }
        }
    }
}

impl Known {
    /// Adds what `others` holds, as far as there is room; the newer of two stays.
    pub fn learn(&mut self, others: Known) {
        self.documents.learn(others.documents);
        self.status_lists.learn(others.status_lists);
    }

    /// The same, and what is stapled to a presentation: status lists that come from anybody. One that does not verify is
    /// passed over, as if it had not come.
    pub fn with_stapled<'t>(&self, lists: impl IntoIterator<Item = &'t str>) -> Known {
        let mut known = self.clone();
        for text in lists.into_iter().take(STAPLED_LISTS_MAX) {
            if let Ok(list) = StatusList::verify(text, None, &known.documents) {
                // Where there is no room for more, what is there already is of more use.
                let _ = known.status_lists.insert(list);
            }
        }
        known
    }
}

impl<'a> Verifier<'a> {
    /// A verifier who knows nothing from others and wants statuses of at most [`STATUS_AGE_DEFAULT_MS`].
    pub fn new(now: Timestamp, trust: &'a TrustList) -> Self {
        Verifier { now, trust, known: &NOTHING, status_age_max_ms: STATUS_AGE_DEFAULT_MS }
    }

    /// The same, who knows `known`.
    pub fn knowing(self, known: &'a Known) -> Self {
        Verifier { known, ..self }
    }
}
