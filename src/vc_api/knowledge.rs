//! From what a verification lacks to what is known: this server's own status lists, and, where the operator allows it, what
//! the web says.
//!
//! What cannot be had is left out, and the verification says so. This is looked up on the threads that serve connections; the
//! verification itself is [`super::work`].

use std::sync::Arc;

use knackmesh_protocol::{
    credential::{Credential, Format, Known, Need, TrustList, Verifier, presentation, status::StatusList},
    time::Timestamp,
};
use tracing::{debug, info};

use super::keeper::Keeper;
use crate::{
    control::{Reply, Request},
    fetch::Fetcher,
    node::{
        now,
        verifying::{Asker, Question, gather, signers},
    },
};

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
    pub(super) async fn known(&self, shown: &Shown, trust: &TrustList) -> Known {
        let verifier = Verifier::new(now(), trust);
        let own = self.own_lists(shown.needs(&verifier)).await;
        let tell = |question: &Question<'_>| debug!(url = question.url, "asked for");
        let asker = self.fetcher.as_ref().map(|fetcher| Asker::new(fetcher, &tell));
        let mut known = Known::new();
        if let Some(asker) = &asker {
            let texts: Vec<String> = own.iter().map(|list| list.text.clone()).collect();
            known.documents = signers(&texts, &verifier, asker).await;
        }
        for OwnList { url, text, at } in own {
            let list = StatusList::verify(&text, Some((&url, at)), &known.documents);
            if let Err(e) = list.and_then(|list| known.status_lists.insert(list)) {
                info!(url, error = %e, "a status list of our own is not used");
            }
        }
        match &asker {
            Some(asker) => gather(&|verifier| shown.needs(verifier), &verifier.knowing(&known), asker).await,
            None => known,
        }
    }

    /// The lists of `needs` that are this home's own, signed now.
    async fn own_lists(&self, needs: Vec<Need>) -> Vec<OwnList> {
        let mut lists = Vec::new();
        for need in needs {
            let Need::StatusList(url) = need else { continue };
            let mut names =
                self.own_lists.iter().filter_map(|base| url.strip_prefix(&**base)?.strip_prefix('/'));
            let Some(name) = names.next() else { continue };
            let request = Request::StatusList { name: name.to_owned(), format: Format::Jcs };
            match self.keeper.ask(request).await {
                Ok(Reply::StatusList(text)) => lists.push(OwnList { url, text, at: now() }),
                Ok(_) => {}
                Err(e) => info!(url, error = %e, "a status list of our own is not there"),
            }
        }
        lists
    }
}

struct OwnList {
    url: String,
    text: String,
    at: Timestamp,
}
