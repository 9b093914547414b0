//! The model held against real nodes: the same plan carried out by both, and what they show laid side by side.

mod comparison;
pub mod look_ups;
mod measured;
mod people;

pub use self::{
    comparison::{Row, rows},
    measured::{Measured, model},
    people::people,
};
