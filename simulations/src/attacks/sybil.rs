//! Many identities of one attacker, each of which takes a place next to the victim and its neighbours, and gives nothing.

use knackmesh_protocol::peer::{Input, Output};

use super::{Behaviour, Stage, silence};

pub(super) struct Sybil;

impl Behaviour for Sybil {
    fn intercept(&mut self, stage: &mut Stage<'_>, input: &Input) -> Option<Vec<Output>> {
        silence::instead(stage, input)
    }
}
