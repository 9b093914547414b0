//! Whether a summary matches a query: nothing but the summary is consulted, so every peer agrees.

use super::{Expr, Query};
use crate::{
    key::Did,
    skill::{Level, SkillId, Tier},
    terms::{Availability, Language, Region, WorkMode},
};

/// What a query can ask about a person.
#[derive(Clone, Debug, Default)]
pub struct Profile<'a> {
    /// The claims.
    pub claims: Vec<ClaimFacts<'a>>,
    /// The headline and the labels of the claimed skills, each a text of its own.
    pub texts: Vec<&'a str>,
    /// Where the person lives.
    pub region: Option<&'a Region>,
    /// Languages spoken.
    pub languages: &'a [Language],
    /// Modes of work that suit the person.
    pub modes: &'a [WorkMode],
    /// The first day on which the person can start; `None` when unstated, which matches no filter.
    pub available: Option<Availability>,
}

/// What a query can ask about a claim.
#[derive(Clone, Copy, Debug)]
pub struct ClaimFacts<'a> {
    /// The skill.
    pub skill: &'a SkillId,
    /// The level.
    pub level: Level,
    /// The tier as it is established, not as it is stated: without a verified proof, `claimed`.
    pub tier: Tier,
    /// Who backs the claim.
    pub issuer: Option<&'a Did>,
}

impl Query {
    /// Whether the person matches.
    ///
    /// A `tier:` or `issuer:` binds every skill asked for in the AND that it stands in, also in parentheses
    /// within, but nothing under a NOT. In an AND that asks for no skill, some claim must satisfy them all.
    pub fn matches(&self, profile: &Profile<'_>) -> bool {
        holds(&self.0, profile, &Scope::default())
    }
}

/// Which claims count.
#[derive(Clone, Default)]
struct Scope<'q> {
    tier: Option<Tier>,
    issuers: Vec<&'q [Did]>,
}

impl<'q> Scope<'q> {
    fn narrowed_by(&self, parts: &'q [Expr]) -> Scope<'q> {
        let mut scope = self.clone();
        for part in parts {
            match part {
                Expr::Tier(tier) => scope.tier = scope.tier.max(Some(*tier)),
                Expr::Issuer(issuers) => scope.issuers.push(issuers),
                _ => {}
            }
        }
        scope
    }

    fn admits(&self, claim: &ClaimFacts<'_>) -> bool {
        self.tier.is_none_or(|least| claim.tier >= least)
            && self.issuers.iter().all(|list| claim.issuer.is_some_and(|did| list.contains(did)))
    }
}

fn holds(expr: &Expr, profile: &Profile<'_>, scope: &Scope<'_>) -> bool {
    match expr {
        Expr::And(parts) => {
            let scope = scope.narrowed_by(parts);
            let constrained = parts.iter().any(Expr::constrains_claims);
            let bound = !constrained || expr.asks_for_skill();
            (bound || profile.claims.iter().any(|claim| scope.admits(claim)))
                && parts.iter().filter(|p| !p.constrains_claims()).all(|p| holds(p, profile, &scope))
        }
        Expr::Or(parts) => parts.iter().any(|part| holds(part, profile, scope)),
        Expr::Not(part) => !holds(part, profile, &Scope::default()),
        Expr::Skill(term) => {
            profile.claims.iter().any(|c| term.is_met_by(c.skill, c.level) && scope.admits(c))
        }
        Expr::Tier(_) | Expr::Issuer(_) => {
            let scope = scope.narrowed_by(std::slice::from_ref(expr));
            profile.claims.iter().any(|claim| scope.admits(claim))
        }
        Expr::Text(words) => profile.texts.iter().any(|text| words.occur_in(text)),
        Expr::Region(region) => profile.region.is_some_and(|home| region.contains(home)),
        Expr::Language(language) => profile.languages.contains(language),
        Expr::Mode(mode) => profile.modes.contains(mode),
        Expr::Available(day) => profile.available.is_some_and(|first| first <= *day),
    }
}
