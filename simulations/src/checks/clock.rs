//! A peer that was just called has nothing left to do now: whoever wakes it when it asks never spins.

use super::{Check, Scene, ensure};
use crate::node::Node;

pub(super) struct Clock;

impl Check for Clock {
    fn name(&self) -> &'static str {
        "clock"
    }

    fn after(&mut self, scene: &Scene<'_>, node: &Node) -> Result<(), String> {
        let wake = node.peer.as_ref().and_then(|peer| peer.wake_at());
        ensure(wake.is_none_or(|at| at > scene.now), || {
            format!("node {} asks to be woken in the past", node.number)
        })
    }
}
