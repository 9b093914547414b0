//! New identities without end, each with a summary that is legal in every way: who it is about does not exist, which no
//! signature can tell. They are told by gossip and, once it is known who keeps the cells of a skill, placed there.

use knackmesh_protocol::{
    cell::{Cell, Epoch, Half, Path},
    key::SecretKey,
    limits::STORE_ITEMS_MAX,
    message::{Item, Request},
    peer::{Contact, Input, LookUpId, Output, Reach},
    summary::Content,
};

use super::{ACT_EVERY_MS, Behaviour, Stage, forge};
use crate::streams::bytes;

/// Nodes of each half of a cell that are given what was invented.
const PLACES: usize = 3;

#[derive(Default)]
pub(super) struct Flood {
    /// What an honest summary says.
    example: Option<Content>,
    /// Who keeps the two halves of the cell of its first skill, once that was looked up.
    keepers: [Option<Vec<Contact>>; 2],
    has_looked: bool,
}

/// None that the honest peer uses.
const fn look_up(half: usize) -> LookUpId {
    LookUpId(1 << 63 | half as u64)
}

impl Flood {
    fn learn(&mut self, item: &Item) {
        if let (None, Item::Summary(summary)) = (&self.example, item) {
            self.example = Some(summary.body().content().clone());
        }
    }

    fn cell(&self, stage: &Stage<'_>, half: Half) -> Option<Cell> {
        let skill = self.example.as_ref()?.claims().first()?.skill().clone();
        Some(Cell { skill, path: Path::ALL, half, epoch: Epoch::of(stage.now) })
    }

    fn look_for_keepers(&mut self, stage: &Stage<'_>) -> Vec<Output> {
        self.has_looked = true;
        let asked = Half::BOTH.into_iter().enumerate().filter_map(|(at, half)| {
            let key = self.cell(stage, half)?.key();
            Some(Output::Closest { look_up: look_up(at), key, reach: Reach::Network })
        });
        asked.collect()
    }

    fn place(&self, stage: &mut Stage<'_>, items: &[Item]) -> Vec<Output> {
        let mut outputs = Vec::new();
        for (half, keepers) in Half::BOTH.into_iter().zip(&self.keepers) {
            let Some(cell) = self.cell(stage, half) else { continue };
            for keeper in keepers.iter().flatten().take(PLACES) {
                for items in items.chunks(STORE_ITEMS_MAX) {
                    let request = Request::Store { cells: vec![cell.clone()], items: items.to_vec() };
                    outputs.push(stage.send(&keeper.node, request.encode()));
                }
            }
        }
        outputs
    }
}

impl Behaviour for Flood {
    fn intercept(&mut self, _stage: &mut Stage<'_>, input: &Input) -> Option<Vec<Output>> {
        match input {
            Input::Gossip { bytes, .. } if self.example.is_none() => self.learn(&Item::decode(bytes).ok()?),
            // Where only cells are kept, nobody is heard of by gossip.
            Input::Request { bytes, .. } if self.example.is_none() => {
                if let Ok(Request::Store { items, .. }) = Request::decode(bytes) {
                    items.iter().for_each(|item| self.learn(item));
                }
            }
            Input::Closest { look_up: of, nodes, .. } => {
                let half = (0..2).find(|half| look_up(*half) == *of)?;
                *self.keepers.get_mut(half)? = Some(nodes.clone());
                return Some(Vec::new());
            }
            _ => {}
        }
        None
    }

    fn act(&mut self, stage: &mut Stage<'_>) -> Vec<Output> {
        let Some(content) = &self.example else { return Vec::new() };
        if !self.has_looked {
            return self.look_for_keepers(stage);
        }
        let count = u64::from(stage.aims.flood_per_s) * ACT_EVERY_MS / 1000;
        let invented = (0..count).filter_map(|_| {
            let nobody = SecretKey::from_seed(bytes(stage.rng));
            Item::decode(&forge::of_nobody(stage, &nobody, content)).ok()
        });
        let invented: Vec<Item> = invented.collect();
        let told = invented.iter().map(|item| Output::Gossip { topic: item.topic(), bytes: item.encode() });
        let mut outputs: Vec<Output> = told.collect();
        outputs.extend(self.place(stage, &invented));
        outputs
    }
}
