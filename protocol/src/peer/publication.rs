//! Publication and withdrawal: from consent to a signed summary, and back.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    Change, CommandId, Contact, Failure, Lent, Output, Peer, Pending, Reply, admission::Source, party::Party,
};
use crate::{
    consent::{Consent, ConsentError, Present},
    id::NodeId,
    limits::{WITHDRAWAL_NODES_MAX, WITHDRAWAL_WAIT_MS},
    message::{Acknowledgement, Item, Refusal, Request, Response},
    published::{self, ProofRejection},
    signed::Signed,
    summary::{Content, Opening, Reach, Summary, SummaryError, Tombstone},
    time::Timestamp,
};

/// What a holder has published: the consent, the summary made from it, and what opens its commitments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publication {
    /// What the holder agreed to. Never leaves the machine.
    pub consent: Signed<Consent>,
    /// What the network sees.
    pub summary: Signed<Summary>,
    /// What a presentation shows.
    pub openings: Vec<Opening>,
}

/// A publication was made durable and handed to the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The signed summary.
    pub summary: Signed<Summary>,
    /// Nodes connected at that moment; others learn of it by reconciliation.
    pub peers: usize,
}

/// Why nothing was published.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The consent is not legal.
    #[error(transparent)]
    Consent(#[from] ConsentError),
    /// The summary is not legal.
    #[error(transparent)]
    Summary(#[from] SummaryError),
    /// A proof in it does not hold, so that no node would keep it.
    #[error(transparent)]
    Proof(#[from] ProofRejection),
}

/// A withdrawal was made durable and handed to the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawn {
    /// The signed tombstone.
    pub tombstone: Signed<Tombstone>,
    /// Nodes asked at once.
    pub asked: usize,
    /// Those that signed that they deleted: promises, not proofs.
    pub acknowledgements: Vec<Signed<Acknowledgement>>,
}

pub(super) struct Withdrawal {
    pub deadline: Timestamp,
    waiting: BTreeSet<NodeId>,
    withdrawn: Withdrawn,
}

impl Peer {
    /// Takes up after a start. The process may have been killed between two changes, and time has passed.
    pub(super) fn resume(&mut self, now: Timestamp) {
        if let Some(publication) = &self.publication {
            let summary = publication.summary.clone();
            let expired = summary.body().expires() <= now;
            let superseded = matches!(
                self.admit(now, &Item::Summary(summary), &Source::OWN),
                Err(super::Rejection::Withdrawn | super::Rejection::Outdated)
            );
            if expired || superseded {
                self.publication = None;
                self.persist_publication();
            } else {
                self.places.begin(now);
            }
        }
    }

    pub(super) fn publish(
        &mut self,
        now: Timestamp,
        id: CommandId,
        content: Content,
        openings: Vec<Opening>,
        present: Present,
        lease_ms: u64,
    ) {
        let published = self.try_publish(now, content, openings, present, lease_ms);
        self.outputs.push(Output::Reply(id, Reply::Published(published)));
    }

    fn try_publish(
        &mut self,
        now: Timestamp,
        content: Content,
        openings: Vec<Opening>,
        present: Present,
        lease_ms: u64,
    ) -> Result<Published, PublishError> {
        let view = &self.identity.view;
        let consent = Signed::sign(Consent::give(view.public(), content, present, now, lease_ms)?, view);
        // What the catalogue holds of our view counts as well: a home restored from a copy may remember less.
        let last = self.last_sequence.max(self.catalogue.sequence(&view.public()));
        let sequence = now.unix_ms().max(last.saturating_add(1));
        let reach = Reach::Direct(self.identity.node_id.clone());
        let summary = Summary::new(&consent, sequence, reach, now)?;
        published::verify(&summary)?;
        let summary = Signed::sign(summary, view);
        let outlived =
            self.publication.take().filter(|p| p.summary.body().expires() > summary.body().expires());
        if let Some(outlived) = outlived {
            self.retract(now, &outlived);
        }
        self.last_sequence = sequence;
        self.greatest_expiry = self.greatest_expiry.max(summary.body().expires());
        self.publication = Some(Publication { consent, summary: summary.clone(), openings });
        self.persist_publication();
        self.announce(now, Item::Summary(summary.clone()));
        self.places.begin(now);
        Ok(Published { summary, peers: self.connected.len() })
    }

    /// Withdraws a publication that would outlive the one that replaces it: once that has ended, whoever replayed the
    /// earlier one would be believed.
    fn retract(&mut self, now: Timestamp, outlived: &Publication) {
        let tombstone = Tombstone::new(outlived.summary.body(), self.greatest_expiry, now);
        let item = Item::Tombstone(Signed::sign(tombstone, &self.identity.view));
        self.keep_own(now, &item);
        self.outputs.push(Output::Gossip { topic: item.topic(), bytes: item.encode() });
    }

    pub(super) fn withdraw(&mut self, now: Timestamp, id: CommandId) {
        // After a long sleep the command may come before the wake that ends the lease.
        self.tend_publication(now);
        let Some(publication) = self.publication.take() else {
            self.outputs.push(Output::Reply(id, Reply::Withdrawn(None)));
            return;
        };
        let tombstone = Tombstone::new(publication.summary.body(), self.greatest_expiry, now);
        let tombstone = Signed::sign(tombstone, &self.identity.view);
        // The tombstone first: killed in between, the next start finds it and ends the publication. The other way round
        // it would find a summary that nobody can withdraw.
        self.announce(now, Item::Tombstone(tombstone.clone()));
        self.persist_publication();
        self.places.end();
        let mut waiting = self.connected.clone();
        waiting.extend(self.places.keepers().take(WITHDRAWAL_NODES_MAX).cloned());
        self.places.forget_keepers();
        for node in &waiting {
            let pending = Pending::Withdraw { command: id, to: node.clone() };
            self.send(node.clone(), &Request::Withdraw(tombstone.clone()), pending);
        }
        let withdrawn = Withdrawn { tombstone, asked: waiting.len(), acknowledgements: Vec::new() };
        let deadline = now.plus_ms(WITHDRAWAL_WAIT_MS);
        self.withdrawals.insert(id, Withdrawal { deadline, waiting, withdrawn });
    }

    /// Another node's withdrawal, asked of us directly.
    pub(super) fn delete(
        &mut self,
        now: Timestamp,
        tombstone: Signed<Tombstone>,
        from: &Contact,
        lent: &Lent<'_>,
    ) -> Response {
        let id = tombstone.id();
        match self.admit(now, &Item::Tombstone(tombstone), &Source::told(Party::of(from), lent)) {
            Ok(_) | Err(super::Rejection::Outdated) => {
                let node = self.identity.node.public();
                let word = Acknowledgement { node, tombstone: id, at: now };
                Response::Deleted(Signed::sign(word, &self.identity.node))
            }
            Err(super::Rejection::Full) => Response::Refused(Refusal::Busy),
            Err(_) => Response::Refused(Refusal::NotCurrent),
        }
    }

    pub(super) fn acknowledged(
        &mut self,
        command: CommandId,
        from: &NodeId,
        response: Result<Response, Failure>,
    ) {
        let Some(withdrawal) = self.withdrawals.get_mut(&command) else { return };
        withdrawal.waiting.remove(from);
        if let Ok(Response::Deleted(word)) = response
            && word.body().tombstone == withdrawal.withdrawn.tombstone.id()
            && NodeId::of(&word.body().node) == *from
        {
            withdrawal.withdrawn.acknowledgements.push(word);
        }
    }

    /// Ends what has expired, repeats the record, and answers withdrawals that have waited long enough.
    pub(super) fn tend_publication(&mut self, now: Timestamp) {
        if self.publication.as_ref().is_some_and(|p| p.summary.body().expires() <= now) {
            self.publication = None;
            self.record_due = None;
            self.places.end();
            self.persist_publication();
        }
        if !self.connected.is_empty() && self.record_due.is_some_and(|due| due <= now) {
            self.record_due = None;
            let withdrawn = || self.catalogue.tombstone(&self.identity.view.public()).cloned();
            let newest = match &self.publication {
                Some(publication) => Some(Item::Summary(publication.summary.clone())),
                None => withdrawn().map(Item::Tombstone),
            };
            if let Some(item) = newest {
                self.put_record(&item);
            }
        }
        let done = |w: &Withdrawal| w.waiting.is_empty() || w.deadline <= now;
        let finished: Vec<CommandId> =
            self.withdrawals.iter().filter(|(_, w)| done(w)).map(|(id, _)| *id).collect();
        for id in finished {
            if let Some(withdrawal) = self.withdrawals.remove(&id) {
                self.outputs.push(Output::Reply(id, Reply::Withdrawn(Some(withdrawal.withdrawn))));
            }
        }
    }

    /// Keeps our own item like anybody's, and hands it to gossip and hash table.
    fn announce(&mut self, now: Timestamp, item: Item) {
        self.keep_own(now, &item);
        self.outputs.push(Output::Gossip { topic: item.topic(), bytes: item.encode() });
        if self.connected.is_empty() {
            self.record_due = Some(now);
        } else {
            self.put_record(&item);
        }
    }

    /// What is refused, because the catalogue is full or a copy of this home said something newer, is announced all the
    /// same.
    fn keep_own(&mut self, now: Timestamp, item: &Item) {
        let _ = self.admit(now, item, &Source::OWN);
    }

    fn put_record(&mut self, item: &Item) {
        let (key, value, expires) = (item.record_key(), item.encode(), item.expires());
        self.outputs.push(Output::PutRecord { key, value, expires });
        self.record_due = None;
    }

    fn persist_publication(&mut self) {
        self.outputs.push(Output::Persist(Change::Publication {
            publication: self.publication.clone().map(Box::new),
            last_sequence: self.last_sequence,
            greatest_expiry: self.greatest_expiry,
        }));
    }
}
