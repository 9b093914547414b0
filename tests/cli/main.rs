//! The command line as its users meet it: help, errors, exit codes, JSON, completions, sockets, hostile files.

#[path = "../harness/mod.rs"]
mod harness;

mod badges;
mod batch;
mod benching;
mod contract;
mod errors;
mod files;
mod help;
mod importing;
mod issuing;
mod presenting;
mod proofs;
mod reissuing;
mod running;
mod simulating;
mod trusting;
mod verifying;
mod watching;
