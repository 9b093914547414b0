//! New identities without end, each with a summary that is legal in every way: who it is about does not exist, which no
//! signature can tell.

use knackmesh_protocol::{
    key::SecretKey,
    message::Item,
    peer::{Input, Output},
    summary::Content,
};

use super::{ACT_EVERY_MS, Behaviour, Stage, forge};
use crate::streams::bytes;

#[derive(Default)]
pub(super) struct Flood {
    /// What an honest summary says.
    example: Option<Content>,
}

impl Behaviour for Flood {
    fn intercept(&mut self, _stage: &mut Stage<'_>, input: &Input) -> Option<Vec<Output>> {
        if let (None, Input::Gossip { bytes, .. }) = (&self.example, input)
            && let Ok(Item::Summary(summary)) = Item::decode(bytes)
        {
            self.example = Some(summary.body().content().clone());
        }
        None
    }

    fn act(&mut self, stage: &mut Stage<'_>) -> Vec<Output> {
        let Some(content) = &self.example else { return Vec::new() };
        let count = u64::from(stage.aims.flood_per_s) * ACT_EVERY_MS / 1000;
        let invented = (0..count).filter_map(|_| {
            let nobody = SecretKey::from_seed(bytes(stage.rng));
            let bytes = forge::of_nobody(stage, &nobody, content);
            let topic = Item::decode(&bytes).ok()?.topic();
            Some(Output::Gossip { topic, bytes })
        });
        invented.collect()
    }
}
