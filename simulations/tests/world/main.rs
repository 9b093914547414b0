//! The world as a test: more than a hundred peers in virtual time, watched by every check.

#![allow(clippy::unwrap_used, missing_docs)]

mod access;
mod cells;
mod churn;
mod ending;
mod gossip;
mod hostile;
mod inputs;
mod replay;
mod search;
mod whole;

use std::collections::BTreeSet;

use knackmesh_protocol::{key::PublicKey, peer::Outcome};
use knackmesh_simulations::{scenario::Scenario, world::World};

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;

/// A world in which everyone has published for an hour and the news has spread.
fn settled(scenario: Scenario) -> World {
    let mut world = World::new(scenario);
    world.run_for(8000).unwrap();
    world.publish_all(HOUR_MS);
    world.run_for(3000).unwrap();
    world
}

/// A smaller one, for tests that need no crowd.
fn small(seed: u64) -> Scenario {
    Scenario { seed, employers: 5, professionals: 35, skills: 12, ..Scenario::default() }
}

/// A query for the `n`th commonest skill, from 0.
fn skill(world: &World, n: usize) -> String {
    format!("<{}>", world.population().skills[n])
}

fn view(world: &World, node: u32) -> PublicKey {
    world.node(node).person.identity.view.public()
}

fn views(outcome: &Outcome) -> BTreeSet<PublicKey> {
    outcome.results.iter().map(|found| found.summary.body().view()).collect()
}

/// Searches from `node`, and requires that exactly those are found whom an all-seeing index would find.
fn find_everyone(world: &mut World, node: u32, text: &str) -> Outcome {
    let query = world.query(text);
    let everyone = world.all_seeing(&query);
    let outcome = world.found(node, &query, "a search").unwrap();
    assert_eq!(views(&outcome), everyone, "node {node} asks {text}: {:?}", outcome.coverage);
    outcome
}
