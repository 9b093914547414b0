//! Nothing is said or held past its lease.

use knackmesh_protocol::{
    message::{Item, Response},
    peer::Output,
    time::Timestamp,
};

use super::{Check, Scene, ensure};
use crate::{ledger::Said, node::Node};

pub(super) struct Lease;

impl Check for Lease {
    fn name(&self) -> &'static str {
        "lease"
    }

    fn output(
        &mut self,
        scene: &Scene<'_>,
        node: &Node,
        _output: &Output,
        said: &Said,
    ) -> Result<(), String> {
        // An item that expires on its way from the index is the fetching node's to refuse.
        if let Said::Response(Response::Items(_)) = said {
            return Ok(());
        }
        for truth in said.summaries().into_iter().flatten().filter_map(|id| scene.ledger.published(&id)) {
            ensure(scene.now < truth.expires(), || {
                format!("node {} hands out an expired summary", node.number)
            })?;
        }
        Ok(())
    }

    fn after(&mut self, scene: &Scene<'_>, node: &Node) -> Result<(), String> {
        let held = node.peer.iter().flat_map(|peer| peer.held()).map(|(_, _, expires)| expires);
        current(node, held, scene.now)
    }

    fn interval(&mut self, scene: &Scene<'_>, node: &Node) -> Result<(), String> {
        if node.peer.is_none() {
            return Ok(());
        }
        // Whoever is to be woken in this very millisecond may not have been yet.
        let stored = node.store.items().map(Item::expires);
        current(node, stored, scene.now.minus_ms(1))
    }
}

fn current(node: &Node, expiries: impl Iterator<Item = Timestamp>, now: Timestamp) -> Result<(), String> {
    match expiries.min().filter(|expires| *expires <= now) {
        Some(expires) => Err(format!("node {} holds what expired at {expires}", node.number)),
        None => Ok(()),
    }
}
