//! Reconciliation sessions that never end: every comparison finds a difference and names ids that do not exist, and each
//! answer comes as late as the time-out allows.

use std::collections::BTreeMap;

use knackmesh_protocol::{
    limits::REQUEST_TIMEOUT_MS,
    message::{Frame, Request, Response},
    peer::{ChannelId, Input, Output},
    time::Timestamp,
};
use rand_core::Rng;

use super::{Behaviour, Stage};

const DELAY_MS: u64 = REQUEST_TIMEOUT_MS - 1500;
const IDS: u8 = 100;

#[derive(Default)]
pub(super) struct Endless {
    held_back: BTreeMap<(Timestamp, u64), Response>,
}

/// A list of ids up to the first millisecond, then a wrong fingerprint of everything after it.
fn frame(stage: &mut Stage<'_>) -> Vec<u8> {
    let mut frame = vec![0x61, 2, 0, 2, IDS];
    let at = frame.len();
    frame.resize(at + usize::from(IDS) * 32, 0);
    stage.rng.fill_bytes(&mut frame[at..]);
    frame.extend([0, 0, 1]);
    let at = frame.len();
    frame.resize(at + 16, 0);
    stage.rng.fill_bytes(&mut frame[at..]);
    frame
}

impl Behaviour for Endless {
    fn intercept(&mut self, stage: &mut Stage<'_>, input: &Input) -> Option<Vec<Output>> {
        let Input::Request { channel, bytes, .. } = input else { return None };
        let response = match Request::decode(bytes).ok()? {
            Request::Reconcile { .. } => Response::reconciled(Frame::new(frame(stage)).ok()?),
            Request::Fetch { .. } => Response::Items(Vec::new()),
            _ => return None,
        };
        self.held_back.insert((stage.now.plus_ms(DELAY_MS), channel.0), response);
        Some(Vec::new())
    }

    fn act(&mut self, stage: &mut Stage<'_>) -> Vec<Output> {
        let later = self.held_back.split_off(&(stage.now, u64::MAX));
        let due = std::mem::replace(&mut self.held_back, later);
        let respond = |((_, channel), response): ((Timestamp, u64), Response)| Output::Respond {
            channel: ChannelId(channel),
            bytes: response.encode(),
        };
        due.into_iter().map(respond).collect()
    }
}
