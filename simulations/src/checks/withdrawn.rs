//! Withdrawn stays withdrawn: a node that has learned of a withdrawal neither keeps nor hands out a summary at or below
//! its ceiling, whatever comes afterwards, until the last of them would have expired anyway.

use std::collections::BTreeMap;

use knackmesh_protocol::{
    key::PublicKey,
    message::{Item, Request},
    peer::{Input, Output},
    signed::Signed,
    summary::Tombstone,
    time::Timestamp,
};

use super::{Check, Scene, ensure};
use crate::{
    ledger::{Said, What},
    node::Node,
};

#[derive(Default)]
pub(super) struct Withdrawn {
    /// For each node and view, ceiling and end of the highest withdrawal learned of.
    learned: BTreeMap<u32, BTreeMap<PublicKey, (u64, Timestamp)>>,
    /// Whether what is held is gone through after this input: it taught of a withdrawal, or the node may just have started.
    /// What comes in between is seen as it is kept.
    look: bool,
}

impl Withdrawn {
    fn learn(&mut self, now: Timestamp, node: &Node, tombstone: &Tombstone) {
        if tombstone.is_current(now) {
            let learned = self.learned.entry(node.number).or_default().entry(tombstone.view()).or_default();
            *learned = (*learned).max((tombstone.ceiling(), tombstone.kept_until()));
            self.look = true;
        }
    }

    fn refuse(&self, now: Timestamp, node: &Node, view: PublicKey, sequence: u64) -> Result<(), String> {
        let learned = self.learned.get(&node.number).and_then(|learned| learned.get(&view));
        let returned = learned.is_some_and(|(ceiling, until)| sequence <= *ceiling && now < *until);
        ensure(!returned, || format!("node {} has {view} back, which was withdrawn", node.number))
    }
}

impl Check for Withdrawn {
    fn name(&self) -> &'static str {
        "withdrawn"
    }

    fn before(&mut self, scene: &Scene<'_>, node: &Node, input: &Input) {
        self.look = matches!(input, Input::Wake);
        let heard: Option<Signed<Tombstone>> = match input {
            Input::Gossip { bytes, .. } if is_a(bytes, "tombstone") => match Item::decode(bytes) {
                Ok(Item::Tombstone(tombstone)) => Some(tombstone),
                _ => None,
            },
            Input::Request { bytes, .. } if is_a(bytes, "withdraw") => match Request::decode(bytes) {
                Ok(Request::Withdraw(tombstone)) => Some(tombstone),
                _ => None,
            },
            _ => None,
        };
        if let Some(tombstone) = heard {
            self.learn(scene.now, node, tombstone.body());
        }
    }

    fn output(
        &mut self,
        scene: &Scene<'_>,
        node: &Node,
        _output: &Output,
        said: &Said<'_>,
    ) -> Result<(), String> {
        if let What::Item(item) = &said.what
            && let Item::Tombstone(tombstone) = &**item
        {
            self.learn(scene.now, node, tombstone.body());
        }
        for truth in said.summaries().iter().flatten().filter_map(|id| scene.ledger.published(id)) {
            let summary = truth.summary.body();
            self.refuse(scene.now, node, summary.view(), summary.sequence())?;
        }
        Ok(())
    }

    fn after(&mut self, scene: &Scene<'_>, node: &Node) -> Result<(), String> {
        if !self.look || !self.learned.contains_key(&node.number) {
            return Ok(());
        }
        let mut held = node.peer.iter().flat_map(|peer| peer.held());
        held.try_for_each(|(view, sequence, _)| self.refuse(scene.now, node, view, sequence))
    }
}

/// Whether bytes begin as a message of this kind does: a map of one entry under its name. Saves verifying the others.
fn is_a(bytes: &[u8], kind: &str) -> bool {
    bytes.get(2..).is_some_and(|rest| rest.starts_with(kind.as_bytes()))
}
