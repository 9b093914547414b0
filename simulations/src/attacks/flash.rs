//! Covert flash: as honest as anybody, with a place in everybody's mesh, until all of them give nothing at once.

use knackmesh_protocol::peer::{Input, Output};

use super::{Behaviour, Stage, silence};

pub(super) struct Flash;

impl Behaviour for Flash {
    fn intercept(&mut self, stage: &mut Stage<'_>, input: &Input) -> Option<Vec<Output>> {
        if stage.now < stage.aims.strike { None } else { silence::instead(stage, input) }
    }
}
