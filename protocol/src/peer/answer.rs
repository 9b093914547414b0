//! Answering another node's search from the own index.

use super::{Lent, Peer};
use crate::{
    cell::Cell,
    limits::LEADS_BYTES_MAX,
    message::{Envelope, Leads, Refusal, Response},
    query::Query,
    time::Timestamp,
};

impl Peer {
    /// Asked for a cell, a node answers from all that it holds: what belongs there is among it, and the query decides.
    pub(super) fn answer(
        &self,
        now: Timestamp,
        query: &Query,
        skip: u16,
        limit: u16,
        cell: Option<&Cell>,
        lent: &Lent<'_>,
    ) -> Response {
        let described = match cell.map(|cell| self.describe(now, cell, lent)) {
            Some(None) => return Response::Refused(Refusal::NotKept),
            Some(described) => described,
            None => None,
        };
        let (skip, limit) = (usize::from(skip), usize::from(limit));
        let nominated = lent.index.nominate(query, skip + limit, now);
        let mut room = LEADS_BYTES_MAX;
        let mut summaries = Vec::new();
        for summary in nominated.summaries.iter().skip(skip).filter(|s| s.body().is_current(now)) {
            let envelope = summary.encode();
            if envelope.len() > room {
                break;
            }
            room -= envelope.len();
            summaries.push(Envelope(envelope));
        }
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Response::Leads(Leads {
            summaries,
            matched: count(nominated.matched),
            held: count(self.summaries()),
            reconciled: self.reconciled(),
            replica: self.replica,
            cell: described,
        })
    }
}
