//! Huge and adversarial reconciliation frames, and requests over every bound.

use knackmesh_protocol::{
    limits::{MESSAGE_BYTES_MAX, RECONCILE_FRAME_BYTES_MAX},
    message::{Frame, Request},
    peer::Output,
    time::Timestamp,
};
use rand_core::Rng;

use super::{Behaviour, Stage};
use crate::streams::{below, place};

/// Negentropy's protocol version 1, and its modes.
const VERSION: u8 = 0x61;
const FINGERPRINT: u8 = 1;
const ID_LIST: u8 = 2;

pub(super) struct Frames;

impl Frames {
    /// As many ranges with a wrong fingerprint as fit: each asks the other side to split.
    fn ranges(stage: &mut Stage<'_>) -> Vec<u8> {
        let mut frame = vec![VERSION];
        while frame.len() + 19 < RECONCILE_FRAME_BYTES_MAX {
            // The bound: one millisecond on, no id.
            frame.extend([2, 0, FINGERPRINT]);
            let at = frame.len();
            frame.resize(at + 16, 0);
            stage.rng.fill_bytes(&mut frame[at..]);
        }
        frame
    }

    /// One range over everything, with as many ids as fit.
    fn ids(stage: &mut Stage<'_>) -> Vec<u8> {
        let count: u16 = 2000;
        let mut frame = vec![VERSION, 0, 0, ID_LIST, 0x80 | (count >> 7) as u8, (count & 0x7f) as u8];
        let at = frame.len();
        frame.resize(at + usize::from(count) * 32, 0);
        stage.rng.fill_bytes(&mut frame[at..]);
        frame
    }
}

impl Behaviour for Frames {
    fn act(&mut self, stage: &mut Stage<'_>) -> Vec<Output> {
        let neighbours = stage.neighbours;
        if neighbours.is_empty() {
            return Vec::new();
        }
        let to = &neighbours[place(stage.rng, neighbours.len())];
        let now = stage.now;
        let (as_of, frame) = match below(stage.rng, 5) {
            0 => (now, Self::ranges(stage)),
            1 => (Timestamp::EPOCH, Self::ids(stage)),
            2 => (now.plus_ms(u64::MAX), vec![VERSION]),
            3 => (now, vec![0xff; RECONCILE_FRAME_BYTES_MAX]),
            _ => return vec![stage.send(to, vec![0xa1; MESSAGE_BYTES_MAX + 1])],
        };
        let frame = Frame::new(frame).ok();
        frame.map(|frame| stage.send(to, Request::reconcile(as_of, frame).encode())).into_iter().collect()
    }
}
