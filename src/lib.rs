//! Knackmesh's node: everything that acts on what the protocol decides.

pub mod index;
