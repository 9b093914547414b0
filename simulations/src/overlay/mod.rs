//! The lean mode: Kademlia's look-ups and nothing else, for up to a million nodes and more.
//!
//! Where [`crate::world`] runs whole peers, here a node is its identifier and its routing table. What is
//! measured is what routing costs and what it withstands: how many messages a look-up takes, how long, whether it finds its
//! target, who carries the load, with nodes that leave, nodes that lie, and messages that are lost.
//!
//! Time is in whole milliseconds; events of one millisecond come in the order in which they were scheduled. One run is one thread.
//! The same settings, seed and version have one history on every machine, which [`Outcome::trace_hash`] names.
//!
//! ```
//! use knackmesh_simulations::overlay::{Run, Settings};
//!
//! let mut run = Run::new(&Settings { nodes: 1000, look_ups: 10, ..Settings::default() }, 7)?;
//! run.step_until(u64::MAX);
//! assert_eq!(run.outcome().found(), Some(1.0));
//! # Ok::<(), knackmesh_simulations::overlay::Unfit>(())
//! ```

mod places;

mod settings;

mod lifetime;
mod nodes;
mod outcome;
mod trace;

mod churn;
mod look_up;
mod tables;

mod run;

pub use crate::lifetime::Lifetime;
pub use outcome::{End, Memory, Messages, Outcome, Record};
pub use places::Table;
pub use run::Run;
pub use settings::{
    ALPHA_MAX, Attack, Behaviour, Bootstrap, Churn, DURATION_MAX_MS, K_MAX, LOOK_UPS_MAX, Latency, Manner,
    NODES_MAX, PATHS_MAX, Settings, Unfit,
};
