//! Records of what was never observed, for tests.

#![allow(clippy::unwrap_used)]

use knackmesh_simulations::plan::Plan;

use crate::sim::{
    machine::{Machine, Program},
    record::{Ending, Manifest, RUN_FORMAT, Record, SpreadLine, TimeLine},
};

/// A whole run of 100 s with this in its scenario, in which nothing was observed.
pub fn record(scenario: &str) -> Record {
    let text = format!("title = \"Made up\"\nduration = \"100 s\"\n{scenario}\n");
    Record::new(Manifest {
        format: RUN_FORMAT.to_owned(),
        title: "Made up".to_owned(),
        seed: 1,
        trace_hash: String::new(),
        partial: false,
        ending: Ending::Whole,
        reached_ms: 100_000,
        duration_ms: 100_000,
        events: 0,
        nodes: 10,
        attackers: 0,
        orders: None,
        scenario: Plan::read(&text, &[]).unwrap().file,
        inputs: Default::default(),
        program: Program::this(),
        machine: Machine::this(),
        wall_seconds: 1.0,
        setup_seconds: 0.0,
        cpu_seconds: None,
        events_per_second: 0.0,
        peak_memory_bytes: None,
    })
}

/// A moment at which observers hold this share of what is published.
pub fn moment(at_s: f64, coverage: f64) -> TimeLine {
    TimeLine {
        at_s,
        running: 10,
        published: 5,
        coverage: Some(coverage),
        stale: None,
        events: 0,
        messages: 0,
        bytes: 0,
        people_ever: None,
        claims_ever: None,
        scraped_people: None,
        scraped_claims: None,
        scraped_people_asking: None,
        scraped_claims_asking: None,
        scraped_people_gossip: None,
        scraped_claims_gossip: None,
    }
}

/// News that an observer learnt so long after it was ordered.
pub fn news(what: &str, after_s: Option<f64>) -> SpreadLine {
    SpreadLine { what: what.to_owned(), node: 1, observer: 0, since_s: 5.0, after_s }
}
