//! Knackmesh's acting half: a node that stores, indexes, talks and obeys what
//! [`knackmesh_protocol`] decides.
//!
//! Modules stand in order of dependency; a blank line is a layer, and code uses only layers above its own.

pub mod descriptors;
pub mod home;

pub mod fetch;
pub mod index;
pub mod network;
pub mod store;

pub mod report;

pub mod control;

pub mod batch;
pub mod node;

pub mod metrics;
pub mod vc_api;

pub mod demo;

pub mod sim;

pub mod bench;

pub mod cli;
