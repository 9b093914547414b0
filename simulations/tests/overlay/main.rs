//! The overlay keeps what it promises: one history for one seed, sane figures without faults, worse ones with faults.

#![allow(clippy::unwrap_used)]

mod determinism;
mod faults;
mod figures;

use knackmesh_simulations::overlay::{Outcome, Run, Settings};

/// A thousand nodes, a look-up each second for ten minutes.
fn small() -> Settings {
    Settings { nodes: 1000, look_ups: 600, duration_ms: 600_000, ..Settings::default() }
}

fn run(settings: &Settings, seed: u64) -> Outcome {
    let mut run = Run::new(settings, seed).unwrap();
    assert!(run.step_until(u64::MAX));
    run.outcome()
}
