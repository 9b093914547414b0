//! Knackmesh's protocol: everything that decides, nothing that acts.
//!
//! Time, randomness and bytes are arguments. There is no clock, file, socket, thread or global state here,
//! and no map whose order is random, so that one run can be replayed from its inputs.
//!
//! Modules stand in order of dependency; a blank line is a layer, and code uses only layers above its own.

mod base58;
pub mod limits;
pub mod time;
pub mod wire;

pub mod json;
pub mod text;

pub mod id;
pub mod key;
pub mod signed;

pub mod skill;
pub mod terms;
pub mod vocabulary;

pub mod claim_path;
pub mod dcql;
pub mod did;
pub mod jose;
pub mod rdf;

pub mod credential;
pub mod query;

pub mod consent;
pub mod summary;

pub mod cell;
pub mod published;

pub mod inquiry;
pub mod ranking;

pub mod message;

pub mod peer;
