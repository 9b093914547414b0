//! Many identities of one attacker, each of which takes a place next to the victim and its neighbours, and gives nothing. Where nodes
//! keep cells, those places are in the hash table instead: as many next to each half of a cell as a look-up finds, of the commonest
//! skill first. Ids that fall there are a matter of trying, and the places hold for a day.

use knackmesh_protocol::{
    cell::{Cell, Epoch, Half, Path},
    limits::CELL_NODES_MAX,
    peer::{Input, Output, place_in_table},
};

use super::{Behaviour, Stage, silence};
use crate::{population::Population, scenario::START};

pub(super) struct Sybil;

/// The place in the hash table of the `n`th of them.
pub(crate) fn place(population: &Population, n: usize) -> [u8; 32] {
    let (cell, half) = (n / CELL_NODES_MAX / 2, n / CELL_NODES_MAX % 2);
    let skill = population.skills[cell % population.skills.len()].clone();
    let cell = Cell { skill, path: Path::ALL, half: Half::BOTH[half], epoch: Epoch::of(START) };
    let mut place = place_in_table(&cell.key().0);
    // So near that no honest node is nearer, and each for itself.
    for (last, byte) in place.iter_mut().rev().zip(n.to_le_bytes()) {
        *last ^= byte;
    }
    place
}

impl Behaviour for Sybil {
    fn intercept(&mut self, stage: &mut Stage<'_>, input: &Input) -> Option<Vec<Output>> {
        silence::instead(stage, input)
    }
}
