//! Being there and giving nothing: gossip ends here, searches find nobody, also in cells, for which receipts are signed all the same,
//! and a comparison shows no difference. What sybil, eclipse, cold boot and covert flash attacks come down to once they have their
//! place.

use knackmesh_protocol::{
    cell::Descriptor,
    message::{Frame, Leads, Request, Response},
    peer::{Input, Output, Verdict},
};

use super::Stage;

/// Negentropy's version byte alone: nothing is left to compare.
const NOTHING_LEFT: [u8; 1] = [0x61];

/// What is done in the peer's place.
pub(super) fn instead(stage: &Stage<'_>, input: &Input) -> Option<Vec<Output>> {
    match input {
        Input::Gossip { message, .. } => Some(vec![Output::Verdict(*message, Verdict::Ignore)]),
        Input::Request { channel, bytes, .. } => {
            let response = match Request::decode(bytes).ok()? {
                Request::Find { cell, .. } => {
                    // Who does not keep the cell would be replaced by the next; who says that it is empty is believed, or not.
                    let cell = cell.map(|_| Descriptor::default());
                    Response::Leads(Leads { reconciled: Some(stage.now), cell, ..Leads::default() })
                }
                Request::Store { cells, items } => stage.receipt(&cells, &items),
                Request::Reconcile { .. } => Response::reconciled(Frame::new(NOTHING_LEFT.to_vec()).ok()?),
                Request::Fetch { .. } => Response::Items(Vec::new()),
                _ => Response::Received,
            };
            Some(vec![Output::Respond { channel: *channel, bytes: response.encode() }])
        }
        Input::RecordOffered { .. } => Some(Vec::new()),
        _ => None,
    }
}
