//! What is asked in a search: a query with gaps. `{skill}` is a skill drawn by Zipf's law, `{skill 1}` the commonest,
//! `{occupation skill}` one of an occupation, the same occupation for all gaps of a search.

use std::str::FromStr;

use knackmesh_protocol::skill::SkillId;

/// A query with gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Gap(Skill),
}

/// The skill for a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skill {
    /// Drawn anew for each gap of each search.
    Drawn,
    /// The one that is so common, counted from 1.
    Rank(u32),
    /// One of an occupation that is drawn for the search by the shares, another for each gap.
    OfOccupation,
}

/// A gap that cannot be filled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no gap: write {{skill}} for a drawn skill, {{skill 1}} for the commonest, or {{occupation skill}} for one of an occupation"
)]
pub struct NotAsked(String);

impl FromStr for Ask {
    type Err = NotAsked;

    fn from_str(text: &str) -> Result<Self, NotAsked> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (gap, after) = after.split_once('}').ok_or_else(|| NotAsked(format!("{{{after}")))?;
            let not = || NotAsked(format!("{{{gap}}}"));
            let skill = match gap {
                "skill" => Skill::Drawn,
                "occupation skill" => Skill::OfOccupation,
                rank => match rank.strip_prefix("skill ").and_then(|rank| rank.parse().ok()) {
                    Some(rank) if rank > 0 => Skill::Rank(rank),
                    _ => return Err(not()),
                },
            };
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Gap(skill));
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Ask(parts))
    }
}

impl Ask {
    /// The query, its gaps filled with what `skill` gives.
    pub fn fill(&self, mut skill: impl FnMut(Skill) -> SkillId) -> String {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Gap(gap) => text.push_str(&format!("<{}>", skill(*gap))),
            }
        }
        text
    }

    /// How many gaps are for skills of one occupation.
    pub fn together(&self) -> usize {
        self.0.iter().filter(|part| **part == Part::Gap(Skill::OfOccupation)).count()
    }

    /// The rarest skill that a gap names.
    pub fn rank_max(&self) -> Option<u32> {
        let rank = |part: &Part| if let Part::Gap(Skill::Rank(rank)) = part { Some(*rank) } else { None };
        self.0.iter().filter_map(rank).max()
    }
}
