//! What a seeker asks for: the text a person types, and the expression that peers receive.
//!
//! Names are resolved to URIs by whoever asks, so that a peer needs no vocabulary to answer. A [`Query`] is
//! legal by construction, however it came to be: bounded, flattened, and in each of its alternatives asking
//! for something. No term can name a protected attribute.
//!
//! Specification: `spec/query.md`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    key::Did,
    limits::{QUERY_BYTES_MAX, QUERY_DEPTH_MAX, QUERY_EXPANSION_MAX, QUERY_NODES_MAX},
    skill::{Level, SkillId, Tier},
    terms::{Availability, Language, Region, WorkMode},
};

mod error;
mod filter;
mod lexer;
mod matching;
mod parser;
mod simplify;
mod words;

pub use error::{QueryError, QueryErrorKind};
pub use matching::{ClaimFacts, Profile};
pub use parser::{Parsed, parse};
pub use words::{NotWords, Words};

/// A legal query. Its text form is canonical and reads back as the same query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Expr", into = "Expr")]
pub struct Query(Expr);

/// An expression over one person's summary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Expr {
    /// All of these, at least two.
    And(Vec<Expr>),
    /// One of these, at least two.
    Or(Vec<Expr>),
    /// Not this.
    Not(Box<Expr>),
    /// A claim of a skill.
    Skill(SkillTerm),
    /// Words in the headline or in a claimed skill's label.
    Text(Words),
    /// Lives in this region.
    Region(Region),
    /// Speaks this language.
    Language(Language),
    /// The claims that count have at least this tier.
    Tier(Tier),
    /// The claims that count come from one of these issuers; sorted, at least one.
    Issuer(Vec<Did>),
    /// Works in this mode.
    Mode(WorkMode),
    /// Can start on this day or earlier.
    Available(Availability),
}

/// A claim of one of several skills, within a range of levels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SkillTerm {
    /// The skill asked for, then those that count for it as well, sorted: at most [`QUERY_EXPANSION_MAX`].
    pub any_of: Vec<SkillId>,
    /// The least level.
    pub min: Level,
    /// The greatest level, not below the least.
    pub max: Level,
}

impl SkillTerm {
    /// Whether a claim of `skill` at `level` satisfies the term.
    pub fn is_met_by(&self, skill: &SkillId, level: Level) -> bool {
        (self.min..=self.max).contains(&level) && self.any_of.contains(skill)
    }
}

/// What a query asks for beyond filters, in the order in which it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requirement<'a> {
    /// A claim of a skill.
    Skill(&'a SkillTerm),
    /// Words.
    Text(&'a Words),
}

/// Why an expression is no query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IllegalQuery {
    /// Too many terms and operators.
    #[error("more than {QUERY_NODES_MAX} terms and operators")]
    TooManyNodes,
    /// Operators inside operators.
    #[error("nested more than {QUERY_DEPTH_MAX} deep")]
    TooDeep,
    /// The canonical text is too long.
    #[error("longer than {QUERY_BYTES_MAX} bytes in canonical form")]
    TooLong,
    /// An operator or a term with nothing in it.
    #[error("an empty list")]
    Empty,
    /// Too many skills in one term.
    #[error("more than {QUERY_EXPANSION_MAX} skills in one term")]
    TooManySkills,
    /// The greatest level is below the least.
    #[error("a range of levels that holds none")]
    NoLevel,
    /// The query, or one of its alternatives, only excludes.
    #[error("an alternative that only excludes: each must ask for something")]
    NothingPositive,
    /// A tier or an issuer in parentheses that hold no skill for it to bind.
    #[error("a tier or an issuer in parentheses without a skill that it could bind")]
    BindsNothing,
}

impl Query {
    /// The query that `expr` stands for, flattened and without repetitions.
    ///
    /// # Errors
    /// [`IllegalQuery`] when it breaks a bound or excludes without asking.
    pub fn new(expr: Expr) -> Result<Query, IllegalQuery> {
        simplify::simplified(expr).map(Query)
    }

    /// The expression, in simplest form.
    pub fn expr(&self) -> &Expr {
        &self.0
    }

    /// What the query asks for, in order and without what stands under a NOT: the terms that rank.
    pub fn requirements(&self) -> Vec<Requirement<'_>> {
        let mut found = Vec::new();
        self.0.collect_requirements(&mut found);
        found
    }

    /// The skills that the query asks for, in order, each once.
    pub fn skills(&self) -> Vec<&SkillId> {
        let mut found: Vec<&SkillId> = Vec::new();
        for requirement in self.requirements() {
            if let Requirement::Skill(term) = requirement {
                for skill in &term.any_of {
                    if !found.contains(&skill) {
                        found.push(skill);
                    }
                }
            }
        }
        found
    }

    /// Skills of which every match claims at least one: of an AND the operand whose least rare skill is
    /// the rarest by `idf`, of an OR those of every operand. `None` when some alternative asks for no skill.
    pub fn covering_skills(&self, idf: impl Fn(&SkillId) -> u32) -> Option<Vec<&SkillId>> {
        let mut cover = self.0.cover(&idf)?;
        cover.sort();
        cover.dedup();
        Some(cover)
    }
}

impl Query {
    /// The country in which everybody lives who matches, if the query asks for one.
    pub fn country(&self) -> Option<&str> {
        self.0.country()
    }

    /// Whether [`matching::Profile::texts`] make a difference.
    pub(crate) fn reads_texts(&self) -> bool {
        self.0.reads_texts()
    }
}

impl TryFrom<Expr> for Query {
    type Error = IllegalQuery;

    fn try_from(expr: Expr) -> Result<Self, IllegalQuery> {
        Query::new(expr)
    }
}

impl From<Query> for Expr {
    fn from(query: Query) -> Expr {
        query.0
    }
}

impl Expr {
    fn collect_requirements<'a>(&'a self, found: &mut Vec<Requirement<'a>>) {
        match self {
            Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|p| p.collect_requirements(found)),
            Expr::Skill(term) => found.push(Requirement::Skill(term)),
            Expr::Text(words) => found.push(Requirement::Text(words)),
            _ => {}
        }
    }

    fn cover(&self, idf: &impl Fn(&SkillId) -> u32) -> Option<Vec<&SkillId>> {
        match self {
            Expr::Skill(term) => Some(term.any_of.iter().collect()),
            Expr::Or(parts) => {
                parts.iter().map(|part| part.cover(idf)).collect::<Option<Vec<_>>>().map(|all| all.concat())
            }
            Expr::And(parts) => parts.iter().filter_map(|part| part.cover(idf)).max_by_key(|cover| {
                let rarity = cover.iter().map(|skill| idf(skill)).min();
                (rarity, std::cmp::Reverse(cover.len()))
            }),
            _ => None,
        }
    }

    fn country(&self) -> Option<&str> {
        match self {
            Expr::Region(region) => Some(region.country()),
            Expr::And(parts) => parts.iter().find_map(Expr::country),
            Expr::Or(parts) => {
                let mut countries = parts.iter().map(Expr::country);
                let first = countries.next()??;
                countries.all(|country| country == Some(first)).then_some(first)
            }
            _ => None,
        }
    }

    /// Whether it looks for words, be it to exclude them.
    fn reads_texts(&self) -> bool {
        match self {
            Expr::Text(_) => true,
            Expr::And(parts) | Expr::Or(parts) => parts.iter().any(Expr::reads_texts),
            Expr::Not(part) => part.reads_texts(),
            _ => false,
        }
    }

    /// Whether a skill is asked for in it.
    fn asks_for_skill(&self) -> bool {
        match self {
            Expr::Skill(_) => true,
            Expr::And(parts) | Expr::Or(parts) => parts.iter().any(Expr::asks_for_skill),
            _ => false,
        }
    }

    /// Whether it narrows which claims count.
    const fn constrains_claims(&self) -> bool {
        matches!(self, Expr::Tier(_) | Expr::Issuer(_))
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expr::And(parts) => join(f, parts, " AND ", |part| matches!(part, Expr::And(_) | Expr::Or(_))),
            Expr::Or(parts) => join(f, parts, " OR ", |part| matches!(part, Expr::Or(_))),
            Expr::Not(part) => {
                f.write_str("NOT ")?;
                join(f, std::slice::from_ref(&**part), "", |part| matches!(part, Expr::And(_) | Expr::Or(_)))
            }
            Expr::Skill(term) => term.fmt(f),
            Expr::Text(words) => write!(f, "text:\"{words}\""),
            Expr::Region(region) => write!(f, "region:{region}"),
            Expr::Language(language) => write!(f, "lang:{language}"),
            Expr::Tier(tier) => write!(f, "tier:{tier}"),
            Expr::Issuer(issuers) => {
                f.write_str("issuer:")?;
                join(f, issuers, "|", |_| false)
            }
            Expr::Mode(mode) => write!(f, "mode:{mode}"),
            Expr::Available(day) => write!(f, "available:{day}"),
        }
    }
}

impl fmt::Display for SkillTerm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<")?;
        join(f, &self.any_of, "|", |_| false)?;
        f.write_str(">")?;
        match (self.min, self.max) {
            (Level::MIN, Level::MAX) => Ok(()),
            (min, Level::MAX) => write!(f, ">={min}"),
            (min, max) if min == max => write!(f, "={min}"),
            (Level::MIN, max) => write!(f, "<={max}"),
            (min, max) => write!(f, "={min}..{max}"),
        }
    }
}

fn join<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    parts: &[T],
    between: &str,
    in_parentheses: impl Fn(&T) -> bool,
) -> fmt::Result {
    for (i, part) in parts.iter().enumerate() {
        if i > 0 {
            f.write_str(between)?;
        }
        if in_parentheses(part) { write!(f, "({part})")? } else { write!(f, "{part}")? }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
