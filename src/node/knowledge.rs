//! What a node knows from others about credentials.
//!
//! What is known of the home's own credentials stays. What was obtained for searches is of credentials that strangers chose, so
//! it lasts no longer than the searches do, and takes no room from the rest; a later search finds it among what was fetched.

use knackmesh_protocol::{credential::Known, time::Timestamp};

use super::verifying::DOCUMENT_AGE_MAX_MS;

/// Documents and status lists, those of strangers apart.
#[derive(Debug, Default)]
pub(super) struct Knowledge {
    own: Known,
    /// All of it, while a search runs.
    searching: Option<Known>,
}

impl Knowledge {
    /// What is known of the home's own credentials.
    pub fn own(&self) -> &Known {
        &self.own
    }

    /// What the peer is lent.
    pub fn lent(&self) -> &Known {
        self.searching.as_ref().unwrap_or(&self.own)
    }

    /// Adds what is about the home's own credentials.
    pub fn learn(&mut self, known: Known) {
        if let Some(searching) = &mut self.searching {
            searching.learn(known.clone());
        }
        self.own.learn(known);
    }

    /// A search begins. Documents that are so old that a key may have been replaced have to be obtained again for it.
    pub fn begin_search(&mut self, now: Timestamp) {
        if self.searching.is_none() {
            let documents = self.own.documents.since(now.minus_ms(DOCUMENT_AGE_MAX_MS));
            self.searching = Some(Known { documents, status_lists: self.own.status_lists.clone() });
        }
    }

    /// Adds what is about the credentials of others, if a search runs.
    pub fn learn_for_searches(&mut self, known: Known) {
        if let Some(searching) = &mut self.searching {
            searching.learn(known);
        }
    }

    /// Forgets what is about the credentials of others.
    pub fn end_searches(&mut self) {
        self.searching = None;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use knackmesh_protocol::{
        did::{Document, Documents, web},
        key::{Did, SecretKey},
    };

    use super::*;

    fn knowing(did: &Did, fetched: Timestamp) -> Known {
        let key = SecretKey::from_seed([1; 32]).public().into();
        let document = serde_json::Value::Object(web::document(did, &[key], &[]).unwrap()).to_string();
        let mut documents = Documents::new();
        documents.insert(Document::read(&document, did).unwrap(), fetched).unwrap();
        Known { documents, ..Known::new() }
    }

    #[test]
    fn what_strangers_made_known_is_forgotten_and_what_is_old_is_obtained_again() {
        let now = Timestamp::from_unix_ms(1_800_000_000_000);
        let [old, new, others]: [Did; 3] =
            ["old", "new", "others"].map(|name| format!("did:web:{name}.example").parse().unwrap());
        let mut knowledge = Knowledge::default();
        knowledge.learn(knowing(&old, now.minus_ms(DOCUMENT_AGE_MAX_MS + 1)));
        knowledge.learn(knowing(&new, now.minus_ms(DOCUMENT_AGE_MAX_MS)));
        let knows = |knowledge: &Knowledge| {
            [&old, &new, &others].map(|did| knowledge.lent().documents.get(did).is_some())
        };
        knowledge.learn_for_searches(knowing(&others, now));
        assert_eq!(knows(&knowledge), [true, true, false], "no search runs");
        knowledge.begin_search(now);
        assert_eq!(knows(&knowledge), [false, true, false]);
        knowledge.learn_for_searches(knowing(&others, now));
        knowledge.begin_search(now);
        assert_eq!(knows(&knowledge), [false, true, true], "another search takes nothing away");
        knowledge.learn(knowing(&old, now));
        assert_eq!(knows(&knowledge), [true, true, true]);
        knowledge.end_searches();
        assert_eq!(knows(&knowledge), [true, true, false]);
    }
}
