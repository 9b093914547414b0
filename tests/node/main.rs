//! Real nodes as separate processes on loopback, and the promises that only they can break.

#[path = "../harness/mod.rs"]
mod harness;

mod consent;
mod crash;
mod network;
mod obtaining;
mod people;
mod presentation;
mod proofs;
mod statuses;
mod tampering;
mod vc_api;
mod wire;
