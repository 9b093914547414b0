//! What the model and real nodes are both asked, and what the model answers.

use std::collections::BTreeMap;

use knackmesh_protocol::time::Timestamp;
use knackmesh_simulations::{
    plan::Full,
    run::{Run, What},
    traffic::{Count, Kind},
};
use serde::{Deserialize, Serialize};

/// When a network has settled: traffic is counted, and deeds begin, from this time after the start on.
pub const SETTLED_MS: u64 = 15_000;

/// What one run showed, of either world. Times are in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// From the publication of a message by gossip to its first receipt, for each message and node that it reached.
    pub delivery: Vec<f64>,
    /// Messages published by gossip.
    pub messages: f64,
    /// Those of them that announce a summary.
    pub announcements: f64,
    /// Receipts of announcements that were not the node's first.
    pub duplicates: f64,
    /// From the order to publish until an observer's index had the summary.
    pub discoverable: Vec<f64>,
    /// From the order to withdraw until an observer's index had dropped it.
    pub forgotten: Vec<f64>,
    /// How long searches took.
    pub search: Vec<f64>,
    /// Of those that matched at the moment of asking, the share that was found.
    pub recall: Vec<f64>,
    /// Received messages and their bytes by kind, since the network had settled.
    pub received: BTreeMap<String, (f64, f64)>,
    /// How long look-ups in the hash table took.
    pub look_up: Vec<f64>,
    /// Whom each of them asked.
    pub requests: Vec<f64>,
    /// Contacts in a node's routing table, on average.
    pub contacts: f64,
    /// Connections of a node, on average at the end.
    pub connections: f64,
}

impl Measured {
    /// Notes what was received of a kind, if anything was.
    pub fn receive(&mut self, kind: Kind, count: Count) {
        if count.messages > 0 {
            let count = (count.messages as f64, count.bytes as f64);
            self.received.insert(kind.name().to_owned(), count);
        }
    }
}

/// Lets the model carry a plan out, from a moment on: that at which real nodes begin, since cells are in other places each day, and
/// with them who is asked to keep what.
///
/// # Errors
/// The promise that it broke.
pub fn model(
    plan: &Full,
    seed: u64,
    start: Timestamp,
) -> Result<Measured, knackmesh_simulations::checks::Violation> {
    let mut run = Run::beginning(plan, seed, start);
    run.advance(SETTLED_MS)?;
    let settled = run.world().traffic_total();
    let nodes = run.world().scenario.nodes();
    run.advance(plan.duration.0)?;
    let connections: usize = (0..nodes).map(|node| run.world().node(node).links.len()).sum();
    let mut measured = Measured { connections: connections as f64 / f64::from(nodes), ..Measured::default() };
    let total = run.world().traffic_total();
    for kind in Kind::ALL {
        let (before, after) = (settled.received(kind), total.received(kind));
        let count = Count { messages: after.messages - before.messages, bytes: after.bytes - before.bytes };
        measured.receive(kind, count);
    }
    for message in run.world().messages() {
        measured.messages += 1.0;
        if message.kind == Kind::Announcement {
            measured.announcements += 1.0;
            measured.duplicates += message.duplicates as f64;
        }
        measured.delivery.extend(message.receipts.iter().map(|(_, after_ms)| f64::from(*after_ms)));
    }
    for spread in run.spread() {
        let Some(known) = spread.known else { continue };
        let after_ms = known.since_ms(start) as f64 - spread.since.since_ms(start) as f64;
        match spread.what {
            What::Publication => measured.discoverable.push(after_ms),
            What::Withdrawal => measured.forgotten.push(after_ms),
        }
    }
    for query in &run.observed().queries {
        measured.search.extend(query.elapsed_ms.map(|ms| ms as f64));
        if query.elapsed_ms.is_some() && query.relevant > 0 {
            measured.recall.push(query.hits as f64 / query.relevant as f64);
        }
    }
    Ok(measured)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use knackmesh_simulations::{
        plan::{File, Shipped},
        scenario::START,
    };

    use super::*;

    #[test]
    fn the_model_is_of_the_day_that_it_is_told() {
        let plan = Shipped::named("validation").unwrap().plan(&[]).unwrap();
        let File::Full(file) = plan.file else { panic!("people") };
        let on = |day: u64| model(&file, 1, START.plus_ms(day * 24 * 3600 * 1000)).unwrap();
        let (today, tomorrow) = (on(0), on(1));
        let searches = |day: &Measured| day.received.get(Kind::Search.name()).copied();
        assert_eq!(searches(&today), searches(&tomorrow));
        assert_eq!(
            (today.messages, today.discoverable.len()),
            (tomorrow.messages, tomorrow.discoverable.len())
        );
        assert!(tomorrow.discoverable.iter().all(|ms| (1.0..1000.0).contains(ms)), "since the day began");
        let placed = |day: &Measured| day.received.get(Kind::Placement.name()).copied();
        assert_ne!(placed(&today), placed(&tomorrow), "cells are elsewhere");
    }
}
