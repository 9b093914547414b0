//! Who looks on: what enters and leaves every peer, from which everything that is counted is taken.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use knackmesh_protocol::{
    id::{Id, NodeId},
    key::PublicKey,
    message::Item,
    peer::{Change, Input, Output},
    signed::Signed,
    summary::Summary,
};
use tokio::time::Instant;

use super::hostile::Turned;
use crate::{
    node::Witness,
    sim::{Count, Kind, validating::counters::Received},
};

/// What all witnesses of a network have seen.
#[derive(Default)]
pub struct Log {
    nodes: BTreeMap<NodeId, u32>,
    /// Messages of gossip by the hash of their bytes: who published them.
    published: BTreeMap<Id, u32>,
    /// For each of them, who had it first from whom.
    first: BTreeMap<Id, BTreeMap<u32, NodeId>>,
    /// When each node kept the newest summary of a view.
    kept: BTreeMap<PublicKey, BTreeMap<u32, Instant>>,
    /// Every holder's own summary: what somebody who sees all would know.
    truth: BTreeMap<PublicKey, Signed<Summary>>,
    /// Requests, responses and records received.
    received: BTreeMap<Kind, Count>,
}

/// A log that nodes write to.
#[derive(Clone, Default)]
pub struct Watch(Arc<Mutex<Log>>);

impl Watch {
    /// What was seen so far.
    pub fn log(&self) -> MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The witness of one node, which may be hostile.
    pub fn onlooker(
        &self,
        number: u32,
        node: NodeId,
        view: PublicKey,
        turned: Option<Turned>,
    ) -> Box<dyn Witness> {
        self.log().nodes.insert(node, number);
        Box::new(Onlooker { number, view, received: Received::default(), turned, watch: self.clone() })
    }
}

impl Log {
    /// What matches, as only somebody who sees all can know.
    pub fn holders(&self, matches: impl Fn(&Summary) -> bool) -> BTreeSet<PublicKey> {
        self.truth.values().map(Signed::body).filter(|s| matches(s)).map(Summary::view).collect()
    }

    /// Somebody who publishes through no node of the network is known as well.
    pub fn publishes(&mut self, summary: Signed<Summary>) {
        self.truth.insert(summary.body().view(), summary);
    }

    /// When each node kept what a view published.
    pub fn kept(&self, view: &PublicKey) -> BTreeMap<u32, Instant> {
        self.kept.get(view).cloned().unwrap_or_default()
    }

    /// What was received so far besides gossip, which libp2p counts.
    pub fn received(&self) -> BTreeMap<Kind, Count> {
        self.received.clone()
    }

    /// How many times each message was passed on before each node had it.
    pub fn hops(&self) -> Vec<f64> {
        let mut all = Vec::new();
        for (message, publisher) in &self.published {
            let Some(first) = self.first.get(message) else { continue };
            for receiver in first.keys().filter(|receiver| *receiver != publisher) {
                let (mut at, mut hops) = (*receiver, 0_u32);
                while at != *publisher && hops as usize <= first.len() {
                    hops += 1;
                    let from = first.get(&at).and_then(|from| self.nodes.get(from));
                    // Somebody who had it by a comparison and then passed it on.
                    let Some(from) = from else { break };
                    at = *from;
                }
                if at == *publisher {
                    all.push(f64::from(hops));
                }
            }
        }
        all
    }
}

struct Onlooker {
    number: u32,
    view: PublicKey,
    received: Received,
    turned: Option<Turned>,
    watch: Watch,
}

impl Witness for Onlooker {
    fn enters(&mut self, input: &Input) {
        if let Some((kind, count)) = self.received.enters(input) {
            *self.watch.log().received.entry(kind).or_default() += count;
        }
        if let Input::Gossip { from, bytes, .. } = input {
            let mut log = self.watch.log();
            log.first.entry(Id::of(bytes)).or_default().insert(self.number, from.node.clone());
        }
    }

    fn instead(&mut self, input: &Input) -> Option<Vec<Output>> {
        self.turned.as_mut()?.instead(input)
    }

    fn amends(&mut self, outputs: &mut Vec<Output>) {
        if let Some(turned) = &mut self.turned {
            turned.amends(outputs);
        }
    }

    fn leaves(&mut self, output: &Output) {
        self.received.leaves(output);
        if let Output::Gossip { bytes, .. } = output {
            self.watch.log().published.insert(Id::of(bytes), self.number);
        }
    }

    fn changed(&mut self, change: &Change) {
        let Change::Keep(Item::Summary(summary)) = change else { return };
        let view = summary.body().view();
        let mut log = self.watch.log();
        log.kept.entry(view).or_default().insert(self.number, Instant::now());
        if view == self.view {
            log.publishes(summary.clone());
        }
    }
}
