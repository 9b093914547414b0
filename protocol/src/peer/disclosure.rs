//! Disclosure: whether, and with which credentials, an inquiry is answered. Consent decides, nothing else.

use std::collections::BTreeSet;

use super::{Change, Lent, Output, Peer};
use crate::{
    consent::Present,
    credential::Credential,
    id::Id,
    inquiry::{Disclosure, Inquiry},
    limits::{STAPLED_BYTES_MAX, STAPLED_LISTS_MAX},
    message::Response,
    signed::Signed,
    summary::Opening,
    time::Timestamp,
};

impl Peer {
    /// A presentation where consent says *anyone*; in every other case the same word, so that hidden, pending, declined
    /// and unknown cannot be told apart.
    pub(super) fn disclose(
        &mut self,
        now: Timestamp,
        inquiry: &Signed<Inquiry>,
        lent: &Lent<'_>,
    ) -> Response {
        match self.try_disclose(now, inquiry, lent) {
            Some(disclosure) => Response::Disclosed(disclosure),
            None => Response::Received,
        }
    }

    fn try_disclose(
        &mut self,
        now: Timestamp,
        inquiry: &Signed<Inquiry>,
        lent: &Lent<'_>,
    ) -> Option<Disclosure> {
        let asked = inquiry.body();
        let publication = self.publication.as_ref()?;
        let consent = publication.consent.body();
        let about_us = asked.view() == consent.view() && asked.summary() == publication.summary.id();
        if !about_us || !asked.is_current(now) || !consent.covers(now) || consent.present() != Present::Anyone
        {
            return None;
        }
        let wanted = |o: &&Opening| asked.skills().contains(&o.skill);
        let mut openings: Vec<Opening> = publication.openings.iter().filter(wanted).cloned().collect();
        let ids: BTreeSet<Id> = openings.iter().map(|o| o.credential).collect();
        let credentials: Vec<(Id, Credential)> =
            ids.into_iter().filter_map(|id| Some((id, lent.wallet.credential(&id)?))).collect();
        openings.retain(|o| credentials.iter().any(|(id, _)| *id == o.credential));
        if openings.is_empty() {
            return None;
        }
        // Of a credential that allows it, nothing but the skills asked for is shown.
        let reduced: Vec<Credential> =
            credentials.iter().map(|(_, c)| c.disclosing(asked.skills())).collect();
        let shown: Vec<&Credential> = reduced.iter().collect();
        let mut disclosure =
            Disclosure::answer(inquiry, &self.identity.root, &self.identity.view, &shown, openings, now)
                .ok()?;
        let known = &lent.known.status_lists;
        let staples: BTreeSet<&str> = shown.iter().flat_map(|credential| credential.staples(known)).collect();
        let mut room = STAPLED_BYTES_MAX;
        for text in staples.into_iter().take(STAPLED_LISTS_MAX) {
            // A list that does not fit is left out; the seeker can fetch it.
            if let Some(left) = room.checked_sub(text.len()) {
                room = left;
                disclosure.status_lists.push(text.to_owned());
            }
        }
        self.outputs.push(Output::Persist(Change::Disclosed {
            seeker: asked.seeker(),
            purpose: asked.undertaking().purpose.clone(),
            credentials: credentials.iter().map(|(id, _)| *id).collect(),
            at: now,
        }));
        Some(disclosure)
    }
}
