//! Many identities of one attacker, each of which takes a place next to the victim and its neighbours, and gives nothing. Where nodes
//! keep cells, those places are in the hash table instead: some next to each half of a cell, of the commonest skill first. Ids that
//! fall there are a matter of trying, and the places hold for a day.

use knackmesh_protocol::{
    cell::{Cell, Epoch, Half, Path},
    id::NodeId,
    key::SecretKey,
    limits::CELL_NODES_MAX,
    peer::{Input, Output, place_in_table},
};

use super::{Behaviour, Stage, silence};
use crate::{
    population::Population,
    scenario::Scenario,
    streams::{bytes, stream},
};

pub(super) struct Sybil;

/// How far from a key the first, the second and further ones stay, in hundredths of the mean distance between nodes, so that no peer
/// suspects that they crowd (`protocol/spec/cell.md`, "Crowds", and a tenth more, since peers only estimate that distance).
const APART: [u64; 8] = [0, 11, 38, 74, 119, 170, 226, 283];

/// The key of the `n`th of them, which is node `number`: tried until its id is so near to a cell that hardly an honest one is nearer.
pub(crate) fn node_key(population: &Population, scenario: &Scenario, n: usize, number: u32) -> SecretKey {
    let near = scenario.sybils_a_half.max(1);
    let a_half = near + scenario.sybils_beside;
    let (group, rank) = (n / a_half, n % a_half);
    let skill = population.skills[group / 2 % population.skills.len()].clone();
    let cell = Cell { skill, path: Path::ALL, half: Half::BOTH[group % 2], epoch: Epoch::of(scenario.start) };
    let leading = |place: [u8; 32]| place.iter().take(8).fold(0, |bits, byte| bits << 8 | u64::from(*byte));
    let there: u64 = leading(place_in_table(&cell.key().0));
    let spacing = u64::MAX / u64::from(scenario.hostile(0).max(1));
    let (nearest, farthest) = if rank >= near {
        beside(spacing)
    } else if scenario.sybils_apart {
        let nearest = spacing / 100 * APART[rank.min(APART.len() - 1)];
        (nearest, nearest + spacing / 10)
    } else {
        (0, spacing / 4)
    };
    let mut rng = stream(scenario.seed, number, "sought node key");
    loop {
        let key = SecretKey::from_seed(bytes(&mut rng));
        let place: u64 = leading(place_in_table(NodeId::of(&key.public()).as_bytes()));
        if (nearest..farthest).contains(&(place ^ there)) {
            return key;
        }
    }
}

/// How far from a key nodes are that share with it as many leading bits as some twenty nodes do: where peers look first beside a crowd.
fn beside(spacing: u64) -> (u64, u64) {
    let wide = spacing.saturating_mul(CELL_NODES_MAX as u64).checked_next_power_of_two().unwrap_or(u64::MAX);
    (wide / 2, wide)
}

impl Behaviour for Sybil {
    fn intercept(&mut self, stage: &mut Stage<'_>, input: &Input) -> Option<Vec<Output>> {
        silence::instead(stage, input)
    }
}
