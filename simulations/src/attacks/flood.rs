//! New identities without end, each with a summary that is legal in every way: who it is about does not exist, which no
//! signature can tell. By gossip; or, where nobody reads that, stored in the cells of one skill at a time.

use std::collections::BTreeMap;

use knackmesh_protocol::{
    cell::{Cell, Epoch, Half, Path},
    key::SecretKey,
    limits::{CELL_REPLICAS, STORE_ITEMS_MAX},
    message::{Item, Request},
    peer::{Contact, Input, LookUpId, Output},
    summary::Content,
};

use super::{ACT_EVERY_MS, Behaviour, Stage, forge};
use crate::streams::{bytes, place};

#[derive(Default)]
pub(super) struct Flood {
    /// What an honest summary says.
    example: Option<Content>,
    /// Whom to store in a cell, when it is known where that is.
    placing: BTreeMap<LookUpId, (Cell, Vec<Item>)>,
}

impl Flood {
    /// As many people as there are to be in one act.
    fn invent(stage: &mut Stage<'_>, content: &Content) -> Vec<Vec<u8>> {
        let count = u64::from(stage.aims.flood_per_s) * ACT_EVERY_MS / 1000;
        let invent = |_| {
            let nobody = SecretKey::from_seed(bytes(stage.rng));
            forge::of_nobody(stage, &nobody, content)
        };
        (0..count).map(invent).collect()
    }

    /// Stores people in both halves of the cell of one skill that they claim.
    fn place(&mut self, stage: &mut Stage<'_>, content: &Content) -> Vec<Output> {
        let claims = content.claims();
        if claims.is_empty() {
            return Vec::new();
        }
        let skill = claims[place(stage.rng, claims.len())].skill().clone();
        let invented = Self::invent(stage, content);
        let items: Vec<Item> = invented.iter().filter_map(|bytes| Item::decode(bytes).ok()).collect();
        let look = |half| {
            let cell = Cell { skill: skill.clone(), path: Path::ALL, half, epoch: Epoch::of(stage.now) };
            let (look_up, output) = stage.look_up(&cell);
            self.placing.insert(look_up, (cell, items.clone()));
            output
        };
        Half::BOTH.into_iter().map(look).collect()
    }

    fn store(stage: &mut Stage<'_>, nodes: &[Contact], cell: &Cell, items: &[Item]) -> Vec<Output> {
        let mut outputs = Vec::new();
        for contact in nodes.iter().take(CELL_REPLICAS) {
            for items in items.chunks(STORE_ITEMS_MAX) {
                let request = Request::Store { cells: vec![cell.clone()], items: items.to_vec() };
                outputs.push(stage.send(&contact.node, request.encode()));
            }
        }
        outputs
    }
}

impl Behaviour for Flood {
    fn intercept(&mut self, stage: &mut Stage<'_>, input: &Input) -> Option<Vec<Output>> {
        if let Input::Closest { look_up, nodes, .. } = input {
            let (cell, items) = self.placing.remove(look_up)?;
            return Some(Self::store(stage, nodes, &cell, &items));
        }
        if let (None, Input::Gossip { bytes, .. }) = (&self.example, input)
            && let Ok(Item::Summary(summary)) = Item::decode(bytes)
        {
            self.example = Some(summary.body().content().clone());
        }
        None
    }

    fn act(&mut self, stage: &mut Stage<'_>) -> Vec<Output> {
        if stage.aims.in_cells {
            let content = stage.content.cloned();
            return content.map_or_else(Vec::new, |content| self.place(stage, &content));
        }
        let Some(content) = self.example.clone() else { return Vec::new() };
        let invented = Self::invent(stage, &content).into_iter().filter_map(|bytes| {
            let topic = Item::decode(&bytes).ok()?.topic();
            Some(Output::Gossip { topic, bytes })
        });
        invented.collect()
    }
}
