//! At rest, honest nodes that are connected and keep everything hold the same summaries, and exactly those that are published.
//!
//! Not one of the checks that run by themselves: while news travels, nodes differ.

use std::collections::{BTreeMap, BTreeSet};

use knackmesh_protocol::{key::PublicKey, message::Replica};

use super::{Scene, ensure};
use crate::node::Node;

/// See the module.
///
/// # Errors
/// Names the first node that differs.
pub fn check(scene: &Scene<'_>) -> Result<(), String> {
    for component in components(scene.nodes) {
        let members = component.iter().map(|n| &scene.nodes[*n as usize]);
        let keeps_all = |node: &&Node| node.peer.as_ref().is_some_and(|p| p.replica() == Replica::Full);
        let members: Vec<&Node> = members.filter(keeps_all).collect();
        let published = scene.ledger.alive(scene.now).filter(|truth| component.contains(&truth.node));
        let expected: Held =
            published.map(|t| (t.summary.body().view(), t.summary.body().sequence())).collect();
        for node in members.iter().filter(|node| node.is_honest()) {
            let held = node.peer.iter().flat_map(|peer| peer.held());
            let held: Held = held.map(|(view, sequence, _)| (view, sequence)).collect();
            // What those hold on to who were cut off is known to some of us, and to be known to all.
            let first = members.iter().find(|n| n.is_honest()).and_then(|n| n.peer.as_ref());
            let shared: Held = first.iter().flat_map(|p| p.held()).map(|(v, s, _)| (v, s)).collect();
            ensure(held == shared, || difference(node, &held, &shared))?;
            let missing = expected.iter().find(|(view, sequence)| held.get(view) != Some(sequence));
            ensure(missing.is_none(), || format!("node {} lacks {missing:?}", node.number))?;
        }
    }
    Ok(())
}

type Held = BTreeMap<PublicKey, u64>;

fn difference(node: &Node, held: &Held, shared: &Held) -> String {
    let lacks = shared.iter().filter(|(view, sequence)| held.get(view) != Some(sequence)).count();
    let more = held.iter().filter(|(view, sequence)| shared.get(view) != Some(sequence)).count();
    format!("node {} lacks {lacks} and has {more} of its own", node.number)
}

/// Running nodes that reach each other over links.
fn components(nodes: &[Node]) -> Vec<BTreeSet<u32>> {
    let mut found = Vec::new();
    let mut left: BTreeSet<u32> = nodes.iter().filter(|n| n.peer.is_some()).map(|n| n.number).collect();
    while let Some(first) = left.pop_first() {
        let (mut component, mut frontier) = (BTreeSet::from([first]), vec![first]);
        while let Some(at) = frontier.pop() {
            for next in &nodes[at as usize].links {
                if left.remove(next) {
                    component.insert(*next);
                    frontier.push(*next);
                }
            }
        }
        found.push(component);
    }
    found
}
