//! Who does something: `employers`, `professional 3`, `professionals 3-7`, `25 % of professionals`.

use std::{borrow::Cow, fmt, ops::RangeInclusive, str::FromStr};

use rand_chacha::ChaCha20Rng;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::units::Share;
use crate::{scenario::Scenario, streams::place};

/// Some of the nodes of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// Of which kind.
    pub kind: Kind,
    /// Which of them.
    pub which: Which,
}

/// Kinds of nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Those whose people search.
    Employer,
    /// Those whose people publish.
    Professional,
    /// Those that attack.
    Adversary,
    /// Every node.
    Node,
}

/// Which nodes of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// All.
    All,
    /// Those with these numbers, counted from 0 within the kind.
    Numbers(RangeInclusive<u32>),
    /// So many of them, drawn.
    Share(Share),
}

/// Names of one and of many, by kind.
const KINDS: [(Kind, &str, &str); 4] = [
    (Kind::Employer, "employer", "employers"),
    (Kind::Professional, "professional", "professionals"),
    (Kind::Adversary, "adversary", "adversaries"),
    (Kind::Node, "node", "nodes"),
];

/// The text names nobody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` names nobody: write `employers`, `professionals`, `adversaries` or `nodes`, one of them as `professional 0`, \
     some as `professionals 3-7` or `25 % of professionals`"
)]
pub struct NotWho(String);

impl Who {
    /// Everybody of a kind.
    pub fn all(kind: Kind) -> Self {
        Who { kind, which: Which::All }
    }

    /// Numbers of the nodes meant, in ascending order; `rng` draws where a share is meant.
    pub fn nodes(&self, scenario: &Scenario, rng: &mut ChaCha20Rng) -> Vec<u32> {
        let kind = range(self.kind, scenario);
        match &self.which {
            Which::All => kind.collect(),
            Which::Numbers(numbers) => {
                let last = kind.end.min(kind.start.saturating_add(*numbers.end()).saturating_add(1));
                (kind.start.saturating_add(*numbers.start())..last).collect()
            }
            Which::Share(share) => {
                let mut left: Vec<u32> = kind.collect();
                let wanted = share.of(left.len());
                let mut drawn: Vec<u32> =
                    (0..wanted).map(|_| left.swap_remove(place(rng, left.len()))).collect();
                drawn.sort_unstable();
                drawn
            }
        }
    }

    /// Why there are no such nodes, where there are none.
    pub fn lacking(&self, scenario: &Scenario) -> Option<String> {
        let count = range(self.kind, scenario).len();
        let name = KINDS.iter().find(|(kind, ..)| *kind == self.kind).map_or("nodes", |(.., many)| many);
        match &self.which {
            _ if count == 0 => Some(format!("`{self}`: there are no {name}")),
            Which::Numbers(numbers) if *numbers.end() as usize >= count => {
                Some(format!("`{self}`: there are {count} {name}, numbered from 0"))
            }
            Which::Share(share) if share.of(count) == 0 => {
                Some(format!("`{self}` is nobody: there are {count} {name}"))
            }
            _ => None,
        }
    }
}

fn range(kind: Kind, scenario: &Scenario) -> std::ops::Range<u32> {
    let (professionals, adversaries) = (scenario.employers, scenario.hostile(0));
    match kind {
        Kind::Employer => 0..professionals,
        Kind::Professional => professionals..adversaries,
        Kind::Adversary => adversaries..scenario.nodes(),
        Kind::Node => 0..scenario.nodes(),
    }
}

impl FromStr for Who {
    type Err = NotWho;

    fn from_str(text: &str) -> Result<Self, NotWho> {
        let not = || NotWho(text.to_owned());
        let many = |name: &str| KINDS.iter().find(|(.., many)| *many == name).map(|(kind, ..)| *kind);
        let one = |name: &str| KINDS.iter().find(|(_, one, _)| *one == name).map(|(kind, ..)| *kind);
        if let Some((share, name)) = text.split_once(" of ") {
            let share = share.parse().map_err(|_| not())?;
            return Ok(Who { kind: many(name.trim()).ok_or_else(not)?, which: Which::Share(share) });
        }
        let number = |text: &str| text.trim().parse::<u32>().map_err(|_| not());
        match text.trim().split_once(' ') {
            None => Ok(Who::all(many(text.trim()).ok_or_else(not)?)),
            Some((name, numbers)) => {
                let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
                let (first, last) = (number(first)?, number(last)?);
                let kind = if first == last { one(name).or_else(|| many(name)) } else { many(name) };
                if first > last {
                    return Err(not());
                }
                Ok(Who { kind: kind.ok_or_else(not)?, which: Which::Numbers(first..=last) })
            }
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (one, many) = KINDS
            .iter()
            .find(|(kind, ..)| *kind == self.kind)
            .map_or(("node", "nodes"), |(_, one, many)| (one, many));
        match &self.which {
            Which::All => f.write_str(many),
            Which::Numbers(numbers) if numbers.start() == numbers.end() => {
                write!(f, "{one} {}", numbers.start())
            }
            Which::Numbers(numbers) => write!(f, "{many} {}-{}", numbers.start(), numbers.end()),
            Which::Share(share) => write!(f, "{share} of {many}"),
        }
    }
}

impl Serialize for Who {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Who {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Who {
    fn schema_name() -> Cow<'static, str> {
        "Who".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "Some of the nodes of one kind, counted from 0: `employers`, `professional 0`, `professionals 3-7`, `25 % of nodes`",
            "pattern": "^(([0-9.]+ ?% of )?(employers|professionals|adversaries|nodes)|(employer|professional|adversary|node) [0-9]+|(employers|professionals|adversaries|nodes) [0-9]+-[0-9]+)$",
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::streams::stream;

    fn nodes(text: &str) -> Vec<u32> {
        let scenario = Scenario { employers: 2, professionals: 8, ..Scenario::default() };
        text.parse::<Who>().unwrap().nodes(&scenario, &mut stream(1, 0, "test"))
    }

    #[test]
    fn nodes_are_counted_within_their_kind() {
        assert_eq!(nodes("employers"), [0, 1]);
        assert_eq!(nodes("professional 0"), [2]);
        assert_eq!(nodes("professionals 3-5"), [5, 6, 7]);
        assert_eq!(nodes("nodes").len(), 10);
        assert_eq!(nodes("25 % of professionals").len(), 2);
        assert_eq!(nodes("adversaries"), [0_u32; 0]);
    }

    #[test]
    fn what_is_printed_reads_back() {
        for text in ["employers", "professional 0", "professionals 3-5", "12.5 % of nodes", "adversary 1"] {
            assert_eq!(text.parse::<Who>().unwrap().to_string(), text);
        }
        for text in
            ["", "everybody", "employer", "professionals 5-3", "3 % of employer", "nodes x", "node -1"]
        {
            assert!(text.parse::<Who>().is_err(), "{text}");
        }
    }

    #[test]
    fn who_is_not_there_is_said() {
        let scenario = Scenario { employers: 2, professionals: 8, ..Scenario::default() };
        let lacking = |text: &str| text.parse::<Who>().unwrap().lacking(&scenario);
        assert_eq!(lacking("professionals 3-7"), None);
        assert!(lacking("professional 8").unwrap().contains("there are 8 professionals"));
        assert!(lacking("adversaries").unwrap().contains("no adversaries"));
        assert!(lacking("1 % of employers").unwrap().contains("nobody"));
    }
}
