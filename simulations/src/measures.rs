//! What can be measured of a world. Nothing here changes it.

use crate::{messages::Message, traffic::Traffic, world::World};

impl World {
    /// Everything that has happened, inputs of peers or not: what a simulator is asked to do many of in a second.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// How many nodes run.
    pub fn running(&self) -> usize {
        self.network.online()
    }

    /// Connections, each counted once.
    pub fn connections(&self) -> usize {
        let both = |node: u32, other: u32| node < other && self.node(other).links.contains(&node);
        let of = |node: u32| self.node(node).links.iter().filter(|other| both(node, **other)).count();
        (0..self.scenario.nodes()).map(of).sum()
    }

    /// How often nodes have stopped, for whatever reason.
    pub fn departures(&self) -> u64 {
        self.departures
    }

    /// Connections that nodes sought.
    pub fn dials(&self) -> u64 {
        self.network.dials
    }

    /// How many of them failed, and how many requests went to nodes that cannot be reached.
    pub fn dials_failed(&self) -> u64 {
        self.network.dials_failed
    }

    /// What a node sent and received.
    pub fn traffic(&self, node: u32) -> &Traffic {
        &self.node(node).site.traffic
    }

    /// What all of them together sent and received.
    pub fn traffic_total(&self) -> Traffic {
        let mut total = Traffic::default();
        self.nodes.iter().for_each(|node| total += &node.site.traffic);
        total
    }

    /// Every gossip message so far, with whom it reached when.
    pub fn messages(&self) -> &[Message] {
        self.network.messages.all()
    }
}
