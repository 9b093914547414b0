//! What a node knows from others about credentials.
//!
//! What is known of the home's own credentials stays. What was obtained for searches is of credentials that strangers chose, so
//! it lasts no longer than the searches do, and takes no room from the rest; a later search finds it among what was fetched.

use knackmesh_protocol::credential::Known;

/// Documents and status lists, those of strangers apart.
#[derive(Debug, Default)]
pub(super) struct Knowledge {
    own: Known,
    /// All of it, while a search runs for which something was obtained.
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

    /// Adds what is about the credentials of others.
    pub fn learn_for_searches(&mut self, known: Known) {
        self.searching.get_or_insert_with(|| self.own.clone()).learn(known);
    }

    /// Forgets what is about the credentials of others.
    pub fn end_searches(&mut self) {
        self.searching = None;
    }
}
