//! A verified result is verified: each one's presentation verified, every skill that counts is one that an issuer truly
//! awarded to that very person, and what was not proven counts as *claimed*. A score is the sum of its terms, and whoever
//! recomputes the statement gets the same.

use knackmesh_protocol::{
    credential::Shown,
    peer::{Found, Outcome, Output, Proof, Reply},
    query::Requirement,
    ranking::{Recognition, Recomputed, Standing},
    skill::Tier,
};

use super::{Check, Scene, ensure};
use crate::{ledger::Said, node::Node};

pub(super) struct Unverified;

impl Check for Unverified {
    fn name(&self) -> &'static str {
        "unverified"
    }

    fn output(
        &mut self,
        scene: &Scene<'_>,
        _node: &Node,
        output: &Output,
        _said: &Said<'_>,
    ) -> Result<(), String> {
        let Output::Reply(_, Reply::Found(Ok(outcome))) = output else { return Ok(()) };
        outcome.results.iter().try_for_each(|found| {
            score(scene, found)?;
            standing(scene, found)?;
            verdict(outcome, found)
        })
    }
}

fn score(scene: &Scene<'_>, found: &Found) -> Result<(), String> {
    let statement = found.statement.body();
    let sum: i64 = statement.terms.iter().map(|term| term.points).sum();
    ensure(sum == found.score.points && u64::try_from(sum) == Ok(statement.points), || {
        format!("terms sum to {sum}, the score is {}", found.score.points)
    })?;
    ensure(statement.standing == found.standing, || "the statement is about another standing".into())?;
    match statement.recompute(&found.summary, scene.vocabulary) {
        Ok(Recomputed::Same) => Ok(()),
        other => Err(format!("recomputing the statement gives {other:?}")),
    }
}

/// Whatever counts above *claimed* is true of the person behind the view.
fn standing(scene: &Scene<'_>, found: &Found) -> Result<(), String> {
    let Some(truth) = scene.ledger.published(&found.summary.id()) else {
        return Err("a result that nobody published".into());
    };
    let person = &scene.nodes[truth.node as usize].person;
    let counting = |s: &&Standing| s.tier > Tier::Claimed || s.award.is_some();
    for standing in found.standing.iter().filter(counting) {
        let Proof::Presented(proven) = &found.proof else {
            return Err(format!("{} counts without a presentation", standing.skill));
        };
        ensure(proven.holder == person.did, || "presented by another person".into())?;
        let claim = proven.claims.iter().find(|claim| claim.skill == standing.skill);
        let checked = claim.and_then(|claim| proven.credentials.get(claim.credential));
        let verified = checked.is_some_and(|(_, checks)| checks.verdict(Shown::Presentation).verified);
        ensure(verified, || format!("{} counts, and a check did not pass", standing.skill))?;
        let awarded = person.awards.get(&standing.skill);
        ensure(awarded.is_some_and(|(level, _)| standing.level <= *level), || {
            format!("{} at level {} was never awarded", standing.skill, standing.level)
        })?;
    }
    Ok(())
}

fn verdict(outcome: &Outcome, found: &Found) -> Result<(), String> {
    ensure(!found.recognised || found.verified, || "recognised, but not verified".into())?;
    if !found.verified {
        return Ok(());
    }
    ensure(matches!(found.proof, Proof::Presented(_)), || "verified without a presentation".into())?;
    for requirement in outcome.query.requirements() {
        let Requirement::Skill(term) = requirement else { continue };
        for standing in found.standing.iter().filter(|s| term.is_met_by(&s.skill, s.level)) {
            let award = standing.award.as_ref();
            ensure(award.is_some(), || format!("verified, but {} is not proven", standing.skill))?;
            let listed = award.is_some_and(|award| award.recognition == Recognition::Listed);
            ensure(!found.recognised || listed, || "recognised, but the issuer is not listed".into())?;
        }
    }
    Ok(())
}
