//! Ranking in integers: a score that the candidate can recompute, and an explanation whose terms sum to it.
//!
//! A million points are shared among the parts of a query by weight: an AND shares out what it has, an OR gives all of
//! it to the branch in which the candidate does best. A skill weighs its inverse document frequency, so that rarer skills
//! count for more. Who meets a skill earns its share, and the [`signals`] multiply it in turn by factors in thousandths,
//! rounding down. The explanation lists the share and what each signal added or took away, so the terms telescope to the
//! score exactly. No floating point, no randomness, no attribute of a person other than what the signed summary states.
//!
//! Specification: `spec/ranking.md`.

pub mod signals;
mod statement;

use serde::{Deserialize, Serialize};

pub use statement::{Recomputed, ScoreStatement, StatementError};

pub use crate::credential::Recognition;
use crate::{
    credential::TrustList,
    inquiry::Proven,
    key::Did,
    published::Published,
    query::{ClaimFacts, Expr, Profile, Query, SkillTerm, Words},
    skill::{Level, SkillId, Tier},
    summary::{Month, Summary},
    time::Timestamp,
    vocabulary::{IDF_UNKNOWN, Vocabulary},
};

/// The version of weights and signals. Any change of a figure in this module is a new version.
pub const WEIGHTS_VERSION: u32 = 1;

/// Points that a query has to give, before the signals.
pub const SCALE: u64 = 1_000_000;

/// A claim as it counts: what was proven, or else the holder's word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standing {
    /// The skill.
    pub skill: SkillId,
    /// The level that counts.
    pub level: Level,
    /// The tier that counts.
    pub tier: Tier,
    /// What stands behind it, when it is more than the holder's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub award: Option<Award>,
}

/// Who awarded a skill and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Award {
    /// The credential's issuer.
    pub issuer: Did,
    /// How the seeker knows the issuer.
    pub recognition: Recognition,
    /// The month of award.
    pub awarded: Month,
}

/// Every claim as it is stated: an upper bound, by which leads are chosen before anything is proven.
pub fn stated(summary: &Summary, trust: &TrustList) -> Vec<Standing> {
    as_stated(summary, |issuer, skill| trust.recognition(issuer, skill))
}

/// Every claim as it is stated, with every issuer recognised. An index nominates by this, since it does not know who of the
/// seekers recognises whom: no seeker's score is higher.
pub fn stated_for_anyone(summary: &Summary) -> Vec<Standing> {
    as_stated(summary, |_, _| Recognition::Listed)
}

fn as_stated(summary: &Summary, recognition: impl Fn(&Did, &SkillId) -> Recognition) -> Vec<Standing> {
    let award = |claim: &crate::summary::Claim| {
        claim.backing().map(|b| Award {
            issuer: b.issuer.clone(),
            recognition: recognition(&b.issuer, claim.skill()),
            awarded: b.awarded,
        })
    };
    let claims = summary.content().claims().iter();
    claims
        .map(|c| Standing { skill: c.skill().clone(), level: c.level(), tier: c.tier(), award: award(c) })
        .collect()
}

/// Every claim as it counts: proven ones with what their credentials state, the others as *claimed*. What proves more counts,
/// be it a presentation or a published proof; of equals the presentation.
pub fn standing(
    summary: &Summary,
    proven: Option<&Proven>,
    published: &Published,
    trust: &TrustList,
) -> Vec<Standing> {
    let one = |claim: &crate::summary::Claim| {
        let skill = claim.skill();
        let award = |issuer: &Did, awarded| Award {
            issuer: issuer.clone(),
            recognition: trust.recognition(issuer, skill),
            awarded,
        };
        let presented = proven.and_then(|p| p.verified_claim(skill)).map(|proof| Standing {
            skill: skill.clone(),
            level: proof.level,
            tier: claim.tier().min(proof.credential.tier()),
            award: Some(award(
                proof.issuer,
                Month::of(proof.credential.valid_from().unwrap_or(Timestamp::EPOCH)),
            )),
        });
        let published = published.proven(skill).map(|proof| Standing {
            skill: skill.clone(),
            level: proof.level,
            tier: proof.tier,
            award: Some(award(&proof.issuer, proof.awarded)),
        });
        match (presented, published) {
            (Some(a), Some(b)) => {
                if (b.tier, b.level) > (a.tier, a.level) {
                    b
                } else {
                    a
                }
            }
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => {
                Standing { skill: skill.clone(), level: claim.level(), tier: Tier::Claimed, award: None }
            }
        }
    };
    summary.content().claims().iter().map(one).collect()
}

/// Whether `query` holds for a summary whose claims count as `standing`.
pub fn matches(query: &Query, summary: &Summary, standing: &[Standing], vocabulary: &Vocabulary) -> bool {
    let claims: Vec<ClaimFacts<'_>> = standing
        .iter()
        .map(|s| ClaimFacts {
            skill: &s.skill,
            level: s.level,
            tier: s.tier,
            issuer: s.award.as_ref().map(|a| &a.issuer),
        })
        .collect();
    let terms = summary.content().terms();
    // Most queries ask for skills, and every label is looked up.
    let texts = if query.reads_texts() { texts(summary, vocabulary) } else { Vec::new() };
    query.matches(&Profile {
        claims,
        texts,
        region: terms.region.as_ref(),
        languages: &terms.languages,
        modes: &terms.modes,
        available: terms.available,
    })
}

/// The texts that words of a query are looked for in: the headline and the label of each skill.
pub fn texts<'a>(summary: &'a Summary, vocabulary: &'a Vocabulary) -> Vec<&'a str> {
    let labels = summary.content().claims().iter().map(|c| vocabulary.label(c.skill()));
    std::iter::once(summary.content().headline()).chain(labels).collect()
}

/// One line of an explanation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// What the points are for.
    pub term: String,
    /// Points added or, when negative, taken away.
    pub points: i64,
}

/// A score and its explanation. Invariant: the terms sum to `points`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// The sum of all terms.
    pub points: i64,
    /// Why.
    pub terms: Vec<Term>,
}

impl Score {
    fn add(&mut self, term: String, points: i64) {
        self.points += points;
        self.terms.push(Term { term, points });
    }
}

/// Scores one candidate.
pub fn score(
    query: &Query,
    summary: &Summary,
    standing: &[Standing],
    vocabulary: &Vocabulary,
    now: Timestamp,
) -> Score {
    let scorer = Scorer { standing, summary, vocabulary, now: Month::of(now) };
    scorer.score(&Shares::of(query, vocabulary))
}

/// How the points of a query are shared among what it asks for: what does not depend on a candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shares<'q> {
    /// A skill, and the points that meeting it is worth before the signals.
    Skill(&'q SkillTerm, u64),
    /// Words, and the points that finding them is worth.
    Text(&'q Words, u64),
    /// Every part counts.
    Sum(Vec<Shares<'q>>),
    /// The part counts in which a candidate does best, the first of equals.
    Best(Vec<Shares<'q>>),
}

impl<'q> Shares<'q> {
    /// Shares [`SCALE`] points among the parts of `query`.
    pub fn of(query: &'q Query, vocabulary: &Vocabulary) -> Self {
        share_out(query.expr(), SCALE, vocabulary)
    }
}

fn share_out<'q>(expr: &'q Expr, share: u64, vocabulary: &Vocabulary) -> Shares<'q> {
    match expr {
        Expr::Skill(term) => Shares::Skill(term, share),
        Expr::Text(words) => Shares::Text(words, share),
        Expr::And(parts) => {
            let total = weight(expr, vocabulary).max(1);
            let part = |p| share_out(p, share * weight(p, vocabulary) / total, vocabulary);
            Shares::Sum(parts.iter().map(part).collect())
        }
        Expr::Or(parts) => Shares::Best(parts.iter().map(|p| share_out(p, share, vocabulary)).collect()),
        _ => Shares::Sum(Vec::new()),
    }
}

/// What a part of a query weighs: a skill as much as it is rare, an AND as much as its parts together, an OR as much as
/// its heaviest branch. Filters and exclusions weigh nothing: who fails them is no candidate.
fn weight(expr: &Expr, vocabulary: &Vocabulary) -> u64 {
    match expr {
        Expr::And(parts) => parts.iter().map(|p| weight(p, vocabulary)).sum(),
        Expr::Or(parts) => parts.iter().map(|p| weight(p, vocabulary)).max().unwrap_or(0),
        Expr::Skill(term) => {
            term.any_of.iter().map(|s| vocabulary.idf(s)).max().unwrap_or(IDF_UNKNOWN).into()
        }
        Expr::Text(_) => IDF_UNKNOWN.into(),
        _ => 0,
    }
}

struct Scorer<'a> {
    standing: &'a [Standing],
    summary: &'a Summary,
    vocabulary: &'a Vocabulary,
    now: Month,
}

impl Scorer<'_> {
    fn score(&self, shares: &Shares<'_>) -> Score {
        match shares {
            Shares::Sum(parts) => {
                let mut score = Score::default();
                for scored in parts.iter().map(|p| self.score(p)) {
                    score.points += scored.points;
                    score.terms.extend(scored.terms);
                }
                score
            }
            Shares::Best(parts) => {
                let better = |best: Score, next: Score| if next.points > best.points { next } else { best };
                parts.iter().map(|p| self.score(p)).fold(Score::default(), better)
            }
            Shares::Skill(term, share) => {
                let context = |s| signals::Context { standing: s, asked: term.min, now: self.now };
                let meets = self.standing.iter().filter(|s| term.is_met_by(&s.skill, s.level));
                let best = meets.max_by_key(|s| signals::apply(*share, &context(s)));
                best.map_or_else(Score::default, |best| {
                    explain(*share, self.vocabulary.label(&best.skill), &context(best))
                })
            }
            Shares::Text(words, share) => {
                let mut score = Score::default();
                let texts = texts(self.summary, self.vocabulary);
                if texts.iter().any(|text| words.occur_in(text)) {
                    score.add(format!("text {words}"), points(*share));
                }
                score
            }
        }
    }
}

/// Points as the explanation states them; a share is at most [`SCALE`].
fn points(share: u64) -> i64 {
    i64::try_from(share).unwrap_or(i64::MAX)
}

/// Lists the share and each signal's difference: they telescope to the product.
fn explain(share: u64, label: &str, context: &signals::Context<'_>) -> Score {
    let mut score = Score::default();
    score.add(format!("{label}: covered"), points(share));
    let mut left = share;
    for signal in signals::ALL {
        let next = signal.scale(left, context);
        if next != left {
            score.add(format!("{label}: {}", (signal.reason)(context)), points(next) - points(left));
        }
        left = next;
    }
    score
}

/// Orders candidates of equal score without favour: by a hash of the search's seed and the view.
pub fn tie_break(seed: &[u8; 32], summary: &Summary) -> [u8; 32] {
    *blake3::keyed_hash(seed, summary.view().as_bytes()).as_bytes()
}
