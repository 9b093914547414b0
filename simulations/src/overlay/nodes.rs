//! Who takes part: a node's place on the ring of identifiers, whether it is reachable, whether it attacks.
//!
//! A node has a *number*, which names its random streams and stays when others are added, and an index, which is its place in order of
//! identifiers. Inside the overlay a node is its index: neighbours on the ring are then neighbours in memory, and who shares
//! a prefix is a range.
//!
//! An identifier is the first 64 bits of what would be 256. Only prefixes and the order of distances matter to a look-up, and those
//! differ only if two nodes share 64 bits; identifiers are made by a bijection of the numbers, so no two do.

use super::settings::Settings;
use crate::streams::{Draws, Purpose};

/// Up to how many draws find an honest reachable node; only a network almost without any needs more.
const DRAWS_MAX: usize = 10_000;

const ONLINE: u8 = 1;
const ATTACKER: u8 = 2;
const CHURNS: u8 = 4;

/// See the module.
pub struct Nodes {
    identifiers: Purpose,
    ids: Vec<u64>,
    numbers: Vec<u32>,
    /// The index of each number.
    indexes: Vec<u32>,
    flags: Vec<u8>,
    attackers: Vec<u32>,
}

impl Nodes {
    pub fn new(settings: &Settings, seed: u64) -> Self {
        let (ids, away) = (Purpose::new(seed, "identifier"), Purpose::new(seed, "offline"));
        let attackers = Purpose::new(seed, "attacker");
        let attackers_permille = settings.attack.map_or(0, |attack| attack.permille);
        let mut all: Vec<(u64, u32)> = (0..settings.nodes).map(|n| (ids.key_of(n), n)).collect();
        all.sort_unstable();
        let mut nodes = Self {
            identifiers: ids,
            ids: all.iter().map(|(id, _)| *id).collect(),
            numbers: all.iter().map(|(_, number)| *number).collect(),
            indexes: vec![0; all.len()],
            flags: vec![0; all.len()],
            attackers: Vec::new(),
        };
        for (index, (_, number)) in (0..).zip(&all) {
            nodes.indexes[*number as usize] = index;
            if attackers.of(*number).permille(attackers_permille) {
                nodes.flags[index as usize] = ONLINE | ATTACKER;
                nodes.attackers.push(index);
            } else if !away.of(*number).permille(settings.offline_permille) {
                nodes.flags[index as usize] = if settings.churn.is_some() { ONLINE | CHURNS } else { ONLINE };
            }
        }
        nodes
    }

    pub fn len(&self) -> u32 {
        self.ids.len() as u32
    }

    pub fn id(&self, node: u32) -> u64 {
        self.ids[node as usize]
    }

    pub fn number(&self, node: u32) -> u32 {
        self.numbers[node as usize]
    }

    pub fn is_online(&self, node: u32) -> bool {
        self.flags[node as usize] & ONLINE != 0
    }

    pub fn is_attacker(&self, node: u32) -> bool {
        self.flags[node as usize] & ATTACKER != 0
    }

    /// Whether it leaves and returns.
    pub fn churns(&self, node: u32) -> bool {
        self.flags[node as usize] & CHURNS != 0
    }

    /// A node leaves or returns.
    pub fn set_online(&mut self, node: u32, online: bool) {
        let flags = &mut self.flags[node as usize];
        *flags = if online { *flags | ONLINE } else { *flags & !ONLINE };
    }

    /// Whether tables list it when the run begins: all but those that churn and are away.
    pub fn is_listed(&self, node: u32) -> bool {
        self.flags[node as usize] & (ONLINE | CHURNS) != CHURNS
    }

    /// The identifier of a number, which needs no memory.
    pub fn id_of_number(&self, number: u32) -> u64 {
        self.identifiers.key_of(number)
    }

    /// The index of a number.
    pub fn index_of(&self, number: u32) -> u32 {
        self.indexes[number as usize]
    }

    /// The number of any node, the same if another is added.
    pub fn draw_number(&self, draws: &mut Draws) -> u32 {
        draws.stable_below(self.len())
    }

    /// An honest reachable node, the same if another is added.
    pub fn draw(&self, draws: &mut Draws) -> Option<u32> {
        let mut drawn = (0..DRAWS_MAX).map(|_| self.index_of(self.draw_number(draws)));
        drawn.find(|node| self.flags[*node as usize] & (ONLINE | ATTACKER) == ONLINE)
    }

    /// How many nodes attack.
    pub fn attackers(&self) -> u32 {
        self.attackers.len() as u32
    }

    /// The `count` attackers nearest to a key, in no order.
    pub fn attackers_near(&self, key: u64, count: usize, out: &mut Vec<u32>) {
        // The longest prefix of the key that so many attackers share holds the nearest; the rest of that range is cut off.
        let (mut from, mut to) = (0, self.attackers.len());
        for bits in 0..64 {
            let one = key << bits >> 63;
            let within = &self.attackers[from..to];
            let middle = from + within.partition_point(|node| self.id(*node) << bits >> 63 == 0);
            let half = if one == 1 { middle..to } else { from..middle };
            if half.len() < count {
                break;
            }
            (from, to) = (half.start, half.end);
        }
        let start = out.len();
        out.extend_from_slice(&self.attackers[from..to]);
        out[start..].sort_unstable_by_key(|node| self.id(*node) ^ key);
        out.truncate(start + count);
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.ids.capacity() * 8
            + (self.numbers.capacity() + self.indexes.capacity() + self.attackers.capacity()) * 4
            + self.flags.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::overlay::settings::{Attack, Behaviour};

    #[test]
    fn attackers_near_are_the_nearest_of_all() {
        let attack = Some(Attack { permille: 200, behaviour: Behaviour::Eclipse });
        let nodes = Nodes::new(&Settings { nodes: 1000, attack, ..Settings::default() }, 1);
        assert!((150..250).contains(&nodes.attackers.len()));
        let mut draws = Purpose::new(1, "keys").of(0);
        for count in [1, 20, 500] {
            let key = draws.bits();
            let mut expected = nodes.attackers.clone();
            expected.sort_unstable_by_key(|node| nodes.id(*node) ^ key);
            expected.truncate(count);
            let mut found = Vec::new();
            nodes.attackers_near(key, count, &mut found);
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn identifiers_are_in_order_and_numbers_name_them() {
        let nodes = Nodes::new(&Settings { nodes: 1000, ..Settings::default() }, 1);
        assert!(nodes.ids.is_sorted_by(|a, b| a < b));
        for (number, index) in (0..).zip(&nodes.indexes) {
            assert_eq!(nodes.number(*index), number);
        }
        // One more leaves the others as they were.
        let more = Nodes::new(&Settings { nodes: 1001, ..Settings::default() }, 1);
        assert!((0..1000).all(|n| nodes.id(nodes.indexes[n]) == more.id(more.indexes[n])));
    }
}
