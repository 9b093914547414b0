//! A run once more, up to a moment, to look at the nodes.

use knackmesh_simulations::{
    overlay,
    plan::{File, Full, Overlay, Plan},
    run::Run,
    scenario::Role,
};
use serde::Serialize;

use super::{record::Ending, running::hex};

/// What there is to see at the moment.
#[derive(Debug, Serialize)]
pub struct Replayed {
    /// The seed.
    pub seed: u64,
    /// The moment, in milliseconds since the run began.
    pub at_ms: u64,
    /// How the replay ended: before the moment, if a promise was broken.
    pub ending: Ending,
    /// Inputs handled.
    pub events: u64,
    /// The history up to there.
    pub trace_hash: String,
    /// Every node.
    pub nodes: Vec<NodeRow>,
}

/// A node at that moment.
#[derive(Debug, Serialize)]
pub struct NodeRow {
    /// Its number.
    pub node: u32,
    /// `employer`, `professional`, or the name of its attack.
    pub role: String,
    /// Whether it runs.
    pub runs: bool,
    /// Where it is.
    pub region: u32,
    /// On which side of a partition.
    pub side: u8,
    /// Its neighbours.
    pub links: Vec<u32>,
    /// Views of which it holds a summary or a tombstone.
    pub holds: usize,
    /// Its pseudonym.
    pub view: String,
    /// Until when its person is published, in milliseconds since the run began.
    pub published_until_ms: Option<u64>,
    /// Presentations that its person gave.
    pub disclosures: u64,
}

/// Replays a run to a moment.
pub fn replay(plan: &Plan, seed: u64, until_ms: u64) -> Replayed {
    match &plan.file {
        File::Full(file) => replay_full(file, seed, until_ms),
        File::Overlay(file) => replay_overlay(file, seed, until_ms),
    }
}

/// A node of the overlay is its number: there are no nodes to be looked at.
fn replay_overlay(file: &Overlay, seed: u64, until_ms: u64) -> Replayed {
    let mut replayed = Replayed {
        seed,
        at_ms: 0,
        ending: Ending::Interrupted,
        events: 0,
        trace_hash: String::new(),
        nodes: Vec::new(),
    };
    // A plan's settings are fit.
    if let Ok(mut run) = overlay::Run::new(&file.engine(), seed) {
        if run.step_until(until_ms) {
            replayed.ending = Ending::Whole;
        }
        replayed.at_ms = run.now_ms();
        replayed.events = run.events();
        replayed.trace_hash = hex(&run.outcome().trace_hash);
    }
    replayed
}

fn replay_full(file: &Full, seed: u64, until_ms: u64) -> Replayed {
    let mut run = Run::new(file, seed);
    let ending = match run.advance(until_ms) {
        Ok(()) if run.is_over() => Ending::Whole,
        Ok(()) => Ending::Interrupted,
        Err(violation) => violation.into(),
    };
    let world = run.world();
    let published: std::collections::BTreeMap<u32, _> =
        world.published().map(|(node, _, until)| (node, until)).collect();
    let row = |number: u32| {
        let node = world.node(number);
        let role = match node.role {
            Role::Employer => "employer".to_owned(),
            Role::Professional => "professional".to_owned(),
            Role::Hostile(attack) => format!("{attack:?}").to_lowercase(),
        };
        NodeRow {
            node: number,
            role,
            runs: node.peer.is_some(),
            region: node.site.region,
            side: node.site.side,
            links: node.links.iter().copied().collect(),
            holds: node.store.items().count(),
            view: node.person.identity.view.public().to_string(),
            published_until_ms: published.get(&number).map(|until| until.since_ms(world.scenario.start)),
            disclosures: node.store.disclosures,
        }
    };
    Replayed {
        seed,
        at_ms: run.now_ms(),
        ending,
        events: world.events(),
        trace_hash: hex(&world.trace_hash()),
        nodes: (0..world.scenario.nodes()).map(row).collect(),
    }
}
