//! Answering another node's search from the own index.

use super::{Lent, Peer};
use crate::{
    limits::LEADS_BYTES_MAX,
    message::{Envelope, Leads, Response},
    query::Query,
    time::Timestamp,
};

impl Peer {
    pub(super) fn answer(&self, now: Timestamp, query: &Query, limit: u16, lent: &Lent<'_>) -> Response {
        let nominated = lent.index.nominate(query, usize::from(limit), now);
        let mut room = LEADS_BYTES_MAX;
        let mut summaries = Vec::new();
        for summary in nominated.summaries.iter().filter(|s| s.body().is_current(now)) {
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
        })
    }
}
