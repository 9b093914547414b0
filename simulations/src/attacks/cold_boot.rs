//! A node that starts with attackers as its only known peers. It dials nobody else; whoever finds it is let in.

use knackmesh_protocol::peer::{Input, Output};

use super::{Behaviour, Stage, silence};

pub(super) struct ColdBoot;

impl Behaviour for ColdBoot {
    fn intercept(&mut self, stage: &mut Stage<'_>, input: &Input) -> Option<Vec<Output>> {
        silence::instead(stage, input)
    }
}
