//! Disclosure: whether, and with which credentials, an inquiry is answered. Consent decides, nothing else.

use std::collections::BTreeSet;

use super::{Change, Lent, Output, Peer};
use crate::{
    consent::Present,
    credential::Credential,
    id::Id,
    inquiry::{Disclosure, Inquiry},
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
        let shown: Vec<&Credential> = credentials.iter().map(|(_, c)| c).collect();
        let disclosure =
            Disclosure::answer(inquiry, &self.identity.root, &self.identity.view, &shown, openings, now)
                .ok()?;
        self.outputs.push(Output::Persist(Change::Disclosed {
            seeker: asked.seeker(),
            purpose: asked.undertaking().purpose.clone(),
            credentials: credentials.iter().map(|(id, _)| *id).collect(),
            at: now,
        }));
        Some(disclosure)
    }
}
