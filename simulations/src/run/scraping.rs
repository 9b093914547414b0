//! What scrapers have learnt of what was published.

use std::collections::BTreeSet;

use knackmesh_protocol::{key::PublicKey, skill::SkillId};

use super::observed::{Learning, Scraped};
use crate::{
    attacks::{Known, Learnt},
    world::World,
};

/// What all scrapers have learnt, as though each told the others; `None` when there are none.
pub(super) fn scraped(world: &World) -> Option<Scraped> {
    let numbers = 0..world.scenario.nodes();
    let scrapers = numbers.filter_map(|number| Some((number, world.node(number).learnt()?)));
    let (scrapers, learnt): (BTreeSet<u32>, Vec<&Learnt>) = scrapers.unzip();
    if learnt.is_empty() {
        return None;
    }
    let others = world.ever_published().filter(|truth| !scrapers.contains(&truth.node));
    let published: Vec<Published<'_>> = others
        .map(|truth| {
            let summary = truth.summary.body();
            // Several credentials may back the same skill.
            let skills = summary.content().claims().iter().map(|claim| claim.skill()).collect();
            Published { view: summary.view(), skills }
        })
        .collect();
    let by_queries: Vec<&Known> = learnt.iter().map(|learnt| &learnt.by_queries).collect();
    let by_replication: Vec<&Known> = learnt.iter().map(|learnt| &learnt.by_replication).collect();
    let by_either = [by_queries.as_slice(), &by_replication].concat();
    Some(Scraped {
        published: Learning {
            people: count(published.iter()),
            claims: count(published.iter().flat_map(|person| &person.skills)),
        },
        by_queries: known(&published, &by_queries),
        by_replication: known(&published, &by_replication),
        by_either: known(&published, &by_either),
    })
}

/// What there is to learn of a person.
struct Published<'a> {
    view: PublicKey,
    skills: BTreeSet<&'a SkillId>,
}

fn known(published: &[Published<'_>], by: &[&Known]) -> Learning {
    let knows = |person: &&Published<'_>| by.iter().any(|known| known.knows(&person.view));
    let claims = published.iter().flat_map(|person| {
        let knows = |skill: &&&SkillId| by.iter().any(|known| known.knows_claim(&person.view, skill));
        person.skills.iter().filter(knows)
    });
    Learning { people: count(published.iter().filter(knows)), claims: count(claims) }
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}
