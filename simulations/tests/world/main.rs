//! The world as a test: more than a hundred peers in virtual time, watched by every check.

#![allow(clippy::unwrap_used, missing_docs)]

mod search;

use std::collections::BTreeSet;

use knackmesh_protocol::{
    key::PublicKey,
    peer::Outcome,
    skill::SkillId,
};
use knackmesh_simulations::world::World;

const HOUR_MS: u64 = 3_600_000;

/// A query for one skill, named by its URI.
fn asking(skill: &SkillId) -> String {
    format!("<{skill}>")
}

fn views(outcome: &Outcome) -> BTreeSet<PublicKey> {
    outcome.results.iter().map(|found| found.summary.body().view()).collect()
}

/// Searches from `node`, and requires that everybody is found whom an all-seeing index would find.
fn find_everyone(world: &mut World, node: u32, text: &str) -> Outcome {
    let query = world.query(text);
    let everyone = world.all_seeing(&query);
    let outcome = world.found(node, &query, "a search").unwrap();
    assert_eq!(views(&outcome), everyone, "node {node} asks {text}: {:?}", outcome.coverage);
    outcome
}
