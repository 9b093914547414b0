//! Checks: promises that must hold whatever happens. One file each, and a line in [`all`].
//!
//! A check sees what goes into an honest node, each output that comes out, and the node afterwards. It knows the truth
//! from the [`Ledger`]. What it reports stops the run.

pub mod agreement;
mod bounds;
mod clock;
mod consent;
mod lease;
mod unverified;
mod withdrawn;

use knackmesh_protocol::{
    peer::{Input, Output},
    time::Timestamp,
    vocabulary::Vocabulary,
};

use crate::{
    ledger::{Ledger, Said},
    node::Node,
};

/// A broken promise, and how to see it again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("seed {seed}, time {at_ms} ms: {check}: {detail}")]
pub struct Violation {
    /// The scenario's seed.
    pub seed: u64,
    /// Milliseconds since the run began.
    pub at_ms: u64,
    /// Which promise.
    pub check: &'static str,
    /// What happened.
    pub detail: String,
}

/// What a check can see.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// Now.
    pub now: Timestamp,
    /// The truth.
    pub ledger: &'a Ledger,
    /// Every node.
    pub nodes: &'a [Node],
    /// Labels and weights.
    pub vocabulary: &'a Vocabulary,
}

/// One promise. Every method is about honest nodes.
pub trait Check {
    /// The promise's name.
    fn name(&self) -> &'static str;

    /// An input is about to be handled.
    fn before(&mut self, _scene: &Scene<'_>, _node: &Node, _input: &Input) {}

    /// An output was made.
    ///
    /// # Errors
    /// What is wrong with it.
    fn output(
        &mut self,
        _scene: &Scene<'_>,
        _node: &Node,
        _output: &Output,
        _said: &Said<'_>,
    ) -> Result<(), String> {
        Ok(())
    }

    /// An input was handled and its outputs were carried out.
    ///
    /// # Errors
    /// What is wrong with the node.
    fn after(&mut self, _scene: &Scene<'_>, _node: &Node) -> Result<(), String> {
        Ok(())
    }

    /// Some time has passed; sees nodes to which nothing happened.
    ///
    /// # Errors
    /// What is wrong with one of them.
    fn interval(&mut self, _scene: &Scene<'_>) -> Result<(), String> {
        Ok(())
    }
}

/// Every check that runs by itself.
pub fn all() -> Vec<Box<dyn Check>> {
    vec![
        Box::new(bounds::Bounds::default()),
        Box::new(clock::Clock),
        Box::new(consent::Consent),
        Box::new(lease::Lease::default()),
        Box::new(withdrawn::Withdrawn::default()),
        Box::new(unverified::Unverified),
    ]
}

/// `Err` with the words unless `holds`.
fn ensure(holds: bool, words: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(words()) }
}
