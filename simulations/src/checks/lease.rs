//! Nothing is said or held past its lease.

use knackmesh_protocol::{
    message::{Item, Response},
    peer::{Change, Output},
    time::Timestamp,
};

use super::{Check, Scene, ensure};
use crate::{
    ledger::{Said, What},
    node::Node,
};

#[derive(Default)]
pub(super) struct Lease {
    /// For each node, an instant before which nothing that it keeps expires. So that not everything is gone through for
    /// every input: only when that instant has come.
    soonest: Vec<Option<Timestamp>>,
}

impl Lease {
    fn of(&mut self, node: &Node) -> &mut Option<Timestamp> {
        let at = node.number as usize;
        if self.soonest.len() <= at {
            self.soonest.resize(at + 1, None);
        }
        &mut self.soonest[at]
    }

    fn is_due(&self, node: &Node, now: Timestamp) -> bool {
        self.soonest.get(node.number as usize).is_some_and(|soonest| soonest.is_some_and(|at| at <= now))
    }

    fn note(&mut self, node: &Node) {
        let held = node.peer.iter().flat_map(|peer| peer.held()).map(|(_, _, expires)| expires);
        *self.of(node) = held.chain(node.store.items().map(Item::expires)).min();
    }
}

impl Check for Lease {
    fn name(&self) -> &'static str {
        "lease"
    }

    fn output(
        &mut self,
        scene: &Scene<'_>,
        node: &Node,
        output: &Output,
        said: &Said<'_>,
    ) -> Result<(), String> {
        if let Output::Persist(Change::Keep(item)) = output {
            let soonest = self.of(node);
            *soonest = Some(soonest.map_or(item.expires(), |at| at.min(item.expires())));
        }
        // An item that expires on its way from the index is the fetching node's to refuse.
        if let What::Response(Response::Items(_)) = &said.what {
            return Ok(());
        }
        for truth in said.summaries().iter().flatten().filter_map(|id| scene.ledger.published(id)) {
            ensure(scene.now < truth.expires(), || {
                format!("node {} hands out an expired summary", node.number)
            })?;
        }
        Ok(())
    }

    fn after(&mut self, scene: &Scene<'_>, node: &Node) -> Result<(), String> {
        if !self.is_due(node, scene.now) {
            return Ok(());
        }
        let held = node.peer.iter().flat_map(|peer| peer.held()).map(|(_, _, expires)| expires);
        current(node, held, scene.now)?;
        self.note(node);
        Ok(())
    }

    fn interval(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        // Whoever is to be woken in this very millisecond may not have been yet.
        let before = scene.now.minus_ms(1);
        let is_due = |soonest: &Option<Timestamp>| soonest.is_some_and(|at| at <= before);
        let due: Vec<usize> = self
            .soonest
            .iter()
            .enumerate()
            .filter(|(_, soonest)| is_due(soonest))
            .map(|(at, _)| at)
            .collect();
        for node in due.into_iter().filter_map(|number| scene.nodes.get(number)) {
            if node.is_honest() && node.peer.is_some() {
                current(node, node.store.items().map(Item::expires), before)?;
                self.note(node);
            }
        }
        Ok(())
    }
}

fn current(node: &Node, expiries: impl Iterator<Item = Timestamp>, now: Timestamp) -> Result<(), String> {
    match expiries.min().filter(|expires| *expires <= now) {
        Some(expires) => Err(format!("node {} holds what expired at {expires}", node.number)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::{messages::Memo, scenario::Scenario, world::World};

    #[test]
    fn who_holds_on_past_the_lease_is_caught_when_it_ends() {
        let mut world = World::new(Scenario { employers: 1, professionals: 1, ..Scenario::default() });
        world.run_for(1000).unwrap();
        world.publish(1, 60_000);
        world.run_for(1000).unwrap();
        let (scene, node) = (world.scene(), world.node(1));
        let item = node.store.items().next().unwrap().clone();
        let ends = item.expires();
        let (output, mut lease) = (Output::Persist(Change::Keep(item)), Lease::default());
        lease.output(&scene, node, &output, &Said::of(&output, &Memo::default())).unwrap();
        let at = |now: Timestamp| Scene { now, ..scene };
        // The node is not told that time passes, as though it had forgotten to look.
        lease.after(&at(ends.minus_ms(1)), node).unwrap();
        lease.interval(&at(ends)).unwrap();
        assert!(lease.after(&at(ends), node).is_err());
        assert!(lease.interval(&at(ends.plus_ms(1))).is_err());
    }
}
