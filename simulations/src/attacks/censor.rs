//! Leaves out half of all people, always the same half: from its leads, from what it hands over, from the gossip that it
//! forwards, from the records and in the cells that it keeps, for which it signs receipts all the same. In every other way it is
//! honest.

use knackmesh_protocol::{
    id::Id,
    key::PublicKey,
    message::{Envelope, Item, Request, Response},
    peer::{Input, Output, Verdict},
    signed::Signed,
    summary::Summary,
};

use super::{Behaviour, Stage};

pub(super) struct Censor;

/// Whether censors leave a view out.
pub fn is_censored(view: &PublicKey) -> bool {
    Id::of(view.as_bytes()).0[31] & 1 == 1
}

fn passes(Envelope(summary): &Envelope) -> bool {
    Signed::<Summary>::decode(summary).is_ok_and(|summary| !is_censored(&summary.body().view()))
}

impl Behaviour for Censor {
    fn intercept(&mut self, stage: &mut Stage<'_>, input: &Input) -> Option<Vec<Output>> {
        if let Input::Request { channel, bytes, .. } = input {
            let Ok(Request::Store { cells, items }) = Request::decode(bytes) else { return None };
            let kept = items.iter().any(|item| !is_censored(&item.view()));
            return (!kept).then(|| {
                let response = stage.receipt(&cells, &items);
                vec![Output::Respond { channel: *channel, bytes: response.encode() }]
            });
        }
        let (bytes, instead) = match input {
            Input::Gossip { message, bytes, .. } => (bytes, vec![Output::Verdict(*message, Verdict::Ignore)]),
            Input::RecordOffered { value, .. } => (value, Vec::new()),
            _ => return None,
        };
        let item = Item::decode(bytes).ok()?;
        is_censored(&item.view()).then_some(instead)
    }

    fn amend(&mut self, _stage: &mut Stage<'_>, outputs: &mut Vec<Output>) {
        for output in outputs {
            let Output::Respond { bytes, .. } = output else { continue };
            match Response::decode(bytes) {
                Ok(Response::Leads(mut leads)) => {
                    leads.summaries.retain(passes);
                    leads.matched = u32::try_from(leads.summaries.len()).unwrap_or(u32::MAX);
                    *bytes = Response::Leads(leads).encode();
                }
                Ok(Response::Items(mut items)) => {
                    items.retain(|item| !is_censored(&item.view()));
                    *bytes = Response::Items(items).encode();
                }
                _ => {}
            }
        }
    }
}
