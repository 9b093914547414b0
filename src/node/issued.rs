//! What a home has issued: how each credential stands, and the status lists that say so to others.
//!
//! A status is durable before it is confirmed. It is published by whoever serves or exports the lists.

use knackmesh_protocol::{
    credential::{
        Format,
        bitstring::Bitstring,
        issuing,
        status::{Publication, Purpose},
    },
    key::Algorithm,
    limits::{
        ISSUED_ROWS_MAX, STATUS_ENTRIES_MIN, STATUS_LIST_TTL_MS, STATUS_LIST_VALID_MS,
        STATUS_REASON_BYTES_MAX,
    },
    text::shown,
};

use super::{
    Node,
    issuing::{is_p256_key, refusal},
    now,
    service::Answer,
};
use crate::{
    control::{Exit, IssuedPage, Refusal, Reply, StatusListRow, StatusOrder},
    report::{IssuedRow, Standing, StatusRow},
    store::{IssuedRecord, Mark},
};

/// What a credential with a status can be: each has a list of its own.
pub(super) const PURPOSES: [Purpose; 2] = [Purpose::Revocation, Purpose::Suspension];

impl Node {
    pub(super) fn issued(&self, from: u64) -> Answer {
        let records = self.shelf.store.issued.records(from, ISSUED_ROWS_MAX)?;
        let full = records.len() == ISSUED_ROWS_MAX;
        let next = records.last().filter(|_| full).map(|(number, _)| number + 1);
        let rows = records.into_iter().map(|(_, record)| self.row(record)).collect::<Result<_, _>>()?;
        Ok(Reply::IssuedList(IssuedPage { rows, next }))
    }

    /// Revokes, suspends or reinstates. What is revoked stays so.
    pub(super) fn set_status(&mut self, order: StatusOrder) -> Answer {
        let issued = &self.shelf.store.issued;
        let Some(record) = issued.get(&order.id)? else {
            let message = format!("this home has issued no credential with the id {}", order.id);
            return Err(Refusal::new(Exit::Failed, message, "see `knack issued`"));
        };
        let Some(place) = record.place else {
            let message = "it was issued without a status, so nobody would learn of it";
            return Err(Refusal::new(
                Exit::Refused,
                message,
                "issue with --status what you may have to revoke",
            ));
        };
        if !PURPOSES.contains(&order.purpose) {
            let message = format!("its status says nothing of {}", order.purpose);
            return Err(Refusal::new(Exit::Refused, message, "it can be revoked or suspended"));
        }
        if order.reason.as_ref().is_some_and(|reason| reason.len() > STATUS_REASON_BYTES_MAX) {
            let message = format!("the reason is over {STATUS_REASON_BYTES_MAX} bytes");
            return Err(Refusal::new(Exit::Usage, message, "shorten it"));
        }
        let revoked = issued.mark(&Purpose::Revocation, place)?;
        if let Some(mark) = revoked.filter(|_| order.purpose != Purpose::Revocation || !order.set) {
            let message = format!("it was revoked on {}, and that is for good", mark.at.to_rfc3339_seconds());
            return Err(Refusal::new(Exit::Refused, message, "issue a new credential"));
        }
        let changed = issued.mark(&order.purpose, place)?.is_some() != order.set;
        if changed {
            let mark = order.set.then(|| Mark { at: now(), reason: order.reason });
            issued.set_mark(&order.purpose, place, mark.as_ref())?;
            self.shelf.store.flush()?;
        }
        let row = self.row(record)?;
        let list = row.status.iter().find(|status| status.purpose == order.purpose);
        let list = list.map(|status| status.list.clone()).unwrap_or_default();
        Ok(Reply::StatusSet { changed, row: Box::new(row), list })
    }

    pub(super) fn status_list(&mut self, name: &str, format: Format) -> Answer {
        for (page, purpose) in self.status_lists()? {
            if name_of(&purpose, page) == name {
                return Ok(Reply::StatusList(self.sign_list(page, &purpose, format)?.text));
            }
        }
        Err(Refusal::new(
            Exit::Failed,
            format!("this home has no status list {}", shown(name)),
            "see `knack status-list export`",
        ))
    }

    pub(super) fn all_status_lists(&mut self, format: Format) -> Answer {
        let lists = self.status_lists()?.into_iter();
        let rows = lists.map(|(page, purpose)| self.sign_list(page, &purpose, format));
        Ok(Reply::StatusLists(rows.collect::<Result<_, _>>()?))
    }

    fn status_lists(&self) -> Result<Vec<(u32, Purpose)>, Refusal> {
        let pages = self.shelf.store.issued.pages()?.into_iter();
        Ok(pages.flat_map(|(page, _)| PURPOSES.map(|purpose| (page, purpose))).collect())
    }

    /// The list as it is now, signed by the issuer of the credentials in it.
    fn sign_list(
        &mut self,
        number: u32,
        purpose: &Purpose,
        format: Format,
    ) -> Result<StatusListRow, Refusal> {
        let settings = self.home.config()?.issuer;
        let issued = &mut self.shelf.store.issued;
        let page = issued.page(number)?.ok_or_else(no_page)?;
        let (marked, credentials) = (issued.marked(purpose, number)?, issued.given(number)?);
        let mut bits = Bitstring::new(STATUS_ENTRIES_MIN, 1).map_err(damaged)?;
        for index in &marked {
            bits.set(*index, 1).map_err(damaged)?;
        }
        let signer = self.signer(&settings, Some(&page.issuer), page.algorithm)?;
        let (name, at) = (name_of(purpose, number), now());
        let url = format!("{}/{name}", page.base);
        let list = Publication {
            url: &url,
            issuer: &page.issuer,
            purpose,
            bits: &bits,
            valid_from: at,
            valid_until: Some(at.plus_ms(STATUS_LIST_VALID_MS)),
            ttl_ms: Some(STATUS_LIST_TTL_MS),
        };
        let signed = issuing::sign(list.document(), format, &signer, at).map_err(refusal)?;
        let set = marked.len() as u64;
        let text = signed.text().to_owned();
        Ok(StatusListRow { name, url, purpose: purpose.clone(), credentials, set, text })
    }

    fn row(&self, record: IssuedRecord) -> Result<IssuedRow, Refusal> {
        let issued = &self.shelf.store.issued;
        let mut status = Vec::new();
        let is_p256 = record.algorithm.is_none() && is_p256_key(&record.issuer);
        let mut algorithm =
            record.algorithm.unwrap_or(if is_p256 { Algorithm::Es256 } else { Algorithm::EdDsa });
        if let Some(place) = record.place {
            let page = issued.page(place.page)?.ok_or_else(no_page)?;
            algorithm = page.algorithm;
            for purpose in PURPOSES {
                let mark = issued.mark(&purpose, place)?;
                status.push(StatusRow {
                    list: format!("{}/{}", page.base, name_of(&purpose, place.page)),
                    index: place.index,
                    set: mark.is_some(),
                    since: mark.as_ref().map(|mark| mark.at),
                    reason: mark.and_then(|mark| mark.reason),
                    purpose,
                });
            }
        }
        let set = |purpose: Purpose| status.iter().any(|s: &StatusRow| s.set && s.purpose == purpose);
        Ok(IssuedRow {
            standing: match () {
                () if status.is_empty() => Standing::NoStatus,
                () if set(Purpose::Revocation) => Standing::Revoked,
                () if set(Purpose::Suspension) => Standing::Suspended,
                () => Standing::Good,
            },
            id: record.id,
            name: record.name,
            subject: record.subject.map(String::from),
            issuer: record.issuer,
            format: record.format.name_with(algorithm).to_owned(),
            issued: record.issued,
            valid_until: record.valid_until,
            status,
        })
    }
}

/// The name of a page's list, the last part of its URL.
pub(super) fn name_of(purpose: &Purpose, page: u32) -> String {
    format!("{purpose}-{page}")
}

fn no_page() -> Refusal {
    damaged("a page of status lists is missing")
}

fn damaged(what: impl ToString) -> Refusal {
    Refusal::new(Exit::Failed, what.to_string(), "restore the home's `store` folder from a backup")
}
