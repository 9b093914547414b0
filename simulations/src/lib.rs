//! A deterministic world that drives Knackmesh's peers in virtual time, and doubts what they say.
//!
//! The peers are those of `knackmesh_protocol::peer`, unchanged. The world around them is a model: a clock that jumps
//! from event to event, a network with latency, jitter, loss and partitions, people with credentials, and nodes that
//! attack. Checks look at every output and stop the run with the seed and the instant at which a promise was broken.
//!
//! [`overlay`] is the lean mode beside it: hash-table look-ups alone, for a million nodes.
//!
//! Invariants: one scenario has one history, byte for byte, which [`World::trace_hash`](world::World::trace_hash)
//! names; whatever is random comes from a stream named by seed, node and purpose, so that one node more leaves the others
//! as they were; nothing iterates in an order that the run did not fix.
//!
//! Modules stand in order of dependency; a blank line is a layer, and code uses only layers above its own.

pub mod lifetime;
pub mod streams;
pub mod wheel;

pub mod overlay;

pub mod access;
pub mod attacks;
pub mod churn;
pub mod latency;
pub mod mesh;
pub mod sightings;
pub mod traffic;

pub mod scenario;

pub mod messages;

pub mod index;
pub mod population;
pub mod trace;

pub mod ledger;
pub mod node;

pub mod checks;

mod queue;
pub mod world;

mod coming;
mod measures;
mod network;

pub mod plan;

pub mod run;
