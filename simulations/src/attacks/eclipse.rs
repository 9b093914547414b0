//! A victim whose every connection leads to an attacker. How it comes about is not modelled: the victim dials, and lets in,n//! attackers alone.

use knackmesh_protocol::peer::{Input, Output};

use super::{Behaviour, Stage, silence};

pub(super) struct Eclipse;

impl Behaviour for Eclipse {
    fn intercept(&mut self, stage: &mut Stage<'_>, input: &Input) -> Option<Vec<Output>> {
        silence::instead(stage, input)
    }
}
