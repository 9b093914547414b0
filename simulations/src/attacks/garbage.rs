//! Random bytes, and honest bytes with one bit flipped, on every channel.

use knackmesh_protocol::{
    peer::{Input, Output},
    time::Timestamp,
};
use rand_core::Rng;

use super::{Behaviour, Stage};
use crate::streams::below;

#[derive(Default)]
pub(super) struct Garbage {
    /// The last honest bytes that came by.
    heard: Vec<u8>,
}

impl Garbage {
    fn bytes(&self, stage: &mut Stage<'_>) -> Vec<u8> {
        if self.heard.is_empty() || below(stage.rng, 2) == 0 {
            let mut bytes = vec![0; below(stage.rng, 3000) as usize];
            stage.rng.fill_bytes(&mut bytes);
            return bytes;
        }
        let mut bytes = self.heard.clone();
        let at = crate::streams::place(stage.rng, bytes.len());
        bytes[at] ^= 1 << below(stage.rng, 8);
        bytes
    }
}

impl Behaviour for Garbage {
    fn intercept(&mut self, stage: &mut Stage<'_>, input: &Input) -> Option<Vec<Output>> {
        match input {
            Input::Gossip { bytes, .. } if !bytes.is_empty() => self.heard.clone_from(bytes),
            Input::Request { channel, bytes, .. } => {
                if !bytes.is_empty() {
                    self.heard.clone_from(bytes);
                }
                return Some(vec![Output::Respond { channel: *channel, bytes: self.bytes(stage) }]);
            }
            _ => {}
        }
        None
    }

    fn act(&mut self, stage: &mut Stage<'_>) -> Vec<Output> {
        let mut outputs = Vec::new();
        for to in stage.neighbours {
            let bytes = self.bytes(stage);
            outputs.push(stage.send(to, bytes));
        }
        outputs.push(Output::Gossip { topic: "/knack/1/announce/0".into(), bytes: self.bytes(stage) });
        let (key, value) = (self.bytes(stage), self.bytes(stage));
        outputs.push(Output::PutRecord { key, value, expires: Timestamp::EPOCH });
        outputs
    }
}
