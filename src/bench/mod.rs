//! Performance shown: real nodes on this machine, measured while they do what people do.
//!
//! Each node has a home, a store, an index and sockets of its own, and is asked through its control socket as the command
//! line asks it. Nothing is modelled and nothing is judged but what does not depend on the machine: who is found.

pub mod network;
pub mod process;
