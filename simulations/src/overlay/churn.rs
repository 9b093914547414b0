//! When nodes leave and return.

use super::{nodes::Nodes, settings::Churn};
use crate::streams::{Draws, Purpose};

/// The turns of all nodes: each stay and each absence is one.
pub struct Turns {
    churn: Churn,
    purpose: Purpose,
    rejoins: Purpose,
    /// How many turns of each node are over.
    over: Vec<u32>,
}

impl Turns {
    /// Decides who is there when the run begins.
    pub fn new(churn: Churn, seed: u64, nodes: &mut Nodes) -> Self {
        let turns = Self {
            churn,
            purpose: Purpose::new(seed, "churn"),
            rejoins: Purpose::new(seed, "rejoin"),
            over: vec![0; nodes.len() as usize],
        };
        let (stays, absences) = (churn.session.mean_ms(), churn.absence.mean_ms());
        for node in (0..nodes.len()).filter(|node| nodes.churns(*node)).collect::<Vec<_>>() {
            let online = turns.draws(nodes, node).unit() <= stays / (stays + absences);
            nodes.set_online(node, online);
        }
        turns
    }

    /// How long the turn lasts in which a node is when the run begins, in milliseconds.
    pub fn first_ms(&self, nodes: &Nodes, node: u32) -> u64 {
        let mut draws = self.draws(nodes, node);
        draws.unit();
        let lifetime = if nodes.is_online(node) { self.churn.session } else { self.churn.absence };
        lifetime.draw_rest_ms(&mut draws)
    }

    /// A node leaves or returns; how long its next turn lasts, in milliseconds.
    pub fn next_ms(&mut self, nodes: &mut Nodes, node: u32) -> u64 {
        let online = !nodes.is_online(node);
        nodes.set_online(node, online);
        self.over[node as usize] += 1;
        let lifetime = if online { self.churn.session } else { self.churn.absence };
        lifetime.draw_ms(&mut self.draws(nodes, node))
    }

    /// Where the look-up that a node makes as it returns draws from, if it makes one.
    pub fn rejoin(&self, nodes: &Nodes, node: u32) -> Option<Draws> {
        let occasion = self.over[node as usize];
        self.churn.rejoin.then(|| self.rejoins.of_occasion(nodes.number(node), occasion))
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.over.capacity() * 4
    }

    fn draws(&self, nodes: &Nodes, node: u32) -> Draws {
        self.purpose.of_occasion(nodes.number(node), self.over[node as usize])
    }
}
