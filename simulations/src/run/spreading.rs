//! How news spreads: from a publication, or a withdrawal, to the moment at which an observer's own index knows of it.

use std::collections::BTreeSet;

use knackmesh_protocol::{
    key::PublicKey,
    message::Item,
    peer::{CommandId, Index, Reply},
    time::Timestamp,
};

use crate::{plan::Metrics, scenario::Scenario, world::World};

/// What spreads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A summary, until an observer holds it.
    Publication,
    /// A tombstone, until an observer that held the summary has dropped it.
    Withdrawal,
}

impl What {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            What::Publication => "publication",
            What::Withdrawal => "withdrawal",
        }
    }
}

/// One piece of news and one observer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spread {
    /// What.
    pub what: What,
    /// Whose.
    pub node: u32,
    /// Who watches.
    pub observer: u32,
    /// When it was ordered.
    pub since: Timestamp,
    /// When the observer was first seen to know; `None` when it was not while the news counted.
    pub known: Option<Timestamp>,
}

/// See the module.
pub(super) struct Spreading {
    observers: Vec<u32>,
    rows: Vec<Spread>,
    /// Rows that wait to be known.
    watched: Vec<(usize, Watched)>,
}

/// The publication that a row is about.
#[derive(Clone, Copy)]
enum Watched {
    /// Not made yet.
    Ordered { view: PublicKey, command: CommandId },
    /// Made, and ended if the row is about a withdrawal.
    Known { view: PublicKey, sequence: u64, until: Timestamp },
}

impl Spreading {
    pub fn new(metrics: &Metrics, scenario: &Scenario) -> Self {
        let observers = (0..scenario.employers.min(metrics.observers)).collect();
        Spreading { observers, rows: Vec::new(), watched: Vec::new() }
    }

    pub fn rows(&self) -> &[Spread] {
        &self.rows
    }

    /// A publication was ordered: every observer is to know.
    pub fn publish(&mut self, now: Timestamp, command: CommandId, node: u32, view: PublicKey) {
        for observer in self.observers.clone() {
            self.watch(What::Publication, now, node, observer, Watched::Ordered { view, command });
        }
    }

    /// A withdrawal was ordered: every observer that holds the summary is to drop it.
    pub fn withdraw(&mut self, world: &World, node: u32) {
        let Some(publication) = world.node(node).peer.as_ref().and_then(|peer| peer.publication()) else {
            return;
        };
        let summary = publication.summary.body();
        let (view, sequence) = (summary.view(), summary.sequence());
        for observer in self.observers.clone() {
            if world.node(observer).peer.is_some() && world.node(observer).store.summary(&view).is_some() {
                let watched = Watched::Known { view, sequence, until: summary.expires() };
                self.watch(What::Withdrawal, world.now(), node, observer, watched);
            }
        }
    }

    fn watch(&mut self, what: What, since: Timestamp, node: u32, observer: u32, watched: Watched) {
        if observer != node {
            self.watched.push((self.rows.len(), watched));
            self.rows.push(Spread { what, node, observer, since, known: None });
        }
    }

    /// Sees who knows by now.
    pub fn look(&mut self, world: &World) {
        let now = world.now();
        let rows = &mut self.rows;
        self.watched.retain_mut(|(row, watched)| {
            let row = &mut rows[*row];
            let Some((view, sequence, until)) = watched.learn(world) else {
                return watched.is_open(world);
            };
            let observer = world.node(row.observer);
            let held = observer.store.summary(&view).map(|summary| summary.body().sequence());
            let known = match row.what {
                What::Publication => held.is_some_and(|held| held >= sequence),
                What::Withdrawal => held.is_none_or(|held| held > sequence),
            };
            // Whoever drops a summary because its lease is over has not learnt of its withdrawal.
            if known && observer.peer.is_some() && now < until {
                row.known = Some(now);
            }
            row.known.is_none() && now < until
        });
    }

    /// The share of what is published that an observer holds, on average over those that run.
    pub fn coverage(&self, world: &World) -> Option<f64> {
        let published: Vec<(u32, PublicKey)> =
            world.published().map(|(node, view, _)| (node, view)).collect();
        self.average(world, |observer| {
            let others = published.iter().filter(|(node, _)| *node != observer);
            let holds = |(_, view): &&(u32, PublicKey)| world.node(observer).store.summary(view).is_some();
            let held = others.clone().filter(holds).count();
            let all = others.count();
            (all > 0).then(|| held as f64 / all as f64)
        })
    }

    /// Summaries that an observer holds though nobody publishes them now, on average over those that run.
    pub fn stale(&self, world: &World) -> Option<f64> {
        let published: BTreeSet<PublicKey> = world.published().map(|(_, view, _)| view).collect();
        self.average(world, |observer| {
            let now = world.now();
            let held = world.node(observer).store.items().filter(|item| {
                matches!(item, Item::Summary(_)) && now < item.expires() && !published.contains(&item.view())
            });
            Some(held.count() as f64)
        })
    }

    fn average(&self, world: &World, of: impl Fn(u32) -> Option<f64>) -> Option<f64> {
        let running = self.observers.iter().filter(|observer| world.node(**observer).peer.is_some());
        let values: Vec<f64> = running.filter_map(|observer| of(*observer)).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }
}

impl Watched {
    /// View, sequence and end of the publication that this is about, once it was made.
    fn learn(&mut self, world: &World) -> Option<(PublicKey, u64, Timestamp)> {
        if let Watched::Ordered { view, command } = self
            && let Some(Reply::Published(Ok(published))) = world.reply(*command)
        {
            let summary = published.summary.body();
            *self = Watched::Known { view: *view, sequence: summary.sequence(), until: summary.expires() };
        }
        match self {
            Watched::Known { view, sequence, until } => Some((*view, *sequence, *until)),
            Watched::Ordered { .. } => None,
        }
    }

    /// Whether the order has yet to be answered.
    fn is_open(&self, world: &World) -> bool {
        matches!(self, Watched::Ordered { command, .. } if world.reply(*command).is_none())
    }
}
