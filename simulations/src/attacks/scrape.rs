//! Walks the whole index: asks every neighbour for every skill that anybody claims, as fast as budgets allow, and counts whom
//! that brings. Beside it, whom the honest peer of the same node learns of by gossip and reconciliation, as every node does.

use std::collections::{BTreeMap, BTreeSet};

use knackmesh_protocol::{
    limits::LEADS_MAX,
    message::{Envelope, Item, Request, Response},
    peer::{Change, Input, Output, RequestId},
    query::{Expr, Query, SkillTerm},
    signed::Signed,
    skill::{Level, SkillId},
    summary::Summary,
};

use super::{Behaviour, Learnt, Stage};

/// Requests in one act: ten neighbours' budgets of twenty a second are not used up.
const ASKED_MAX: usize = 100;

#[derive(Default)]
pub(super) struct Scrape {
    /// How many acts have asked for each skill.
    skills: BTreeMap<SkillId, u64>,
    asked: BTreeSet<RequestId>,
    learnt: Learnt,
}

impl Scrape {
    fn hear(&mut self, summary: &Signed<Summary>) {
        for claim in summary.body().content().claims() {
            self.skills.entry(claim.skill().clone()).or_default();
        }
    }

    /// The query for a skill at any level.
    fn query(skill: &SkillId) -> Option<Query> {
        let term = SkillTerm { any_of: vec![skill.clone()], min: Level::MIN, max: Level::MAX };
        Query::new(Expr::Skill(term)).ok()
    }
}

impl Behaviour for Scrape {
    fn intercept(&mut self, _stage: &mut Stage<'_>, input: &Input) -> Option<Vec<Output>> {
        let Input::Response { request, result } = input else { return None };
        if !self.asked.remove(request) {
            return None;
        }
        if let Ok(bytes) = result
            && let Ok(Response::Leads(leads)) = Response::decode(bytes)
        {
            for Envelope(envelope) in &leads.summaries {
                if let Ok(summary) = Signed::<Summary>::decode(envelope) {
                    self.learnt.by_queries.hear(summary.body());
                    self.hear(&summary);
                }
            }
        }
        Some(Vec::new())
    }

    fn amend(&mut self, _stage: &mut Stage<'_>, outputs: &mut Vec<Output>) {
        for output in outputs {
            if let Output::Persist(Change::Keep(Item::Summary(summary))) = output {
                self.learnt.by_replication.hear(summary.body());
                self.hear(summary);
            }
        }
    }

    fn act(&mut self, stage: &mut Stage<'_>) -> Vec<Output> {
        let Some(least) = self.skills.values().min().copied() else { return Vec::new() };
        let per_skill = stage.neighbours.len().max(1);
        let next = self.skills.iter_mut().filter(|(_, asked)| **asked == least);
        let mut outputs = Vec::new();
        for (skill, asked) in next.take(ASKED_MAX / per_skill + 1) {
            *asked += 1;
            let Some(query) = Scrape::query(skill) else { continue };
            let limit = u16::try_from(LEADS_MAX).unwrap_or(u16::MAX);
            let request = Request::find(query, limit).encode();
            for neighbour in stage.neighbours {
                let output = stage.send(neighbour, request.clone());
                if let Output::Send { request, .. } = &output {
                    self.asked.insert(*request);
                }
                self.learnt.queries += 1;
                outputs.push(output);
            }
        }
        outputs
    }

    fn learnt(&self) -> Option<&Learnt> {
        Some(&self.learnt)
    }
}
