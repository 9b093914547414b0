use knackmesh_protocol::{
    consent::Present,
    peer::{Outcome, Proof},
    skill::Tier,
};
use knackmesh_simulations::{scenario::Scenario, world::World};

use crate::{MINUTE_MS, find_everyone, settled, skill, views};

/// The commonest skills, a rare one, combinations, and a level.
fn queries(world: &World) -> Vec<String> {
    let [a, b, c] = [skill(world, 0), skill(world, 3), skill(world, 20)];
    let queries =
        [a.clone(), c.clone(), format!("{b} OR {c}"), format!("{a} AND {b}"), format!("{a}>=3 region:DE")];
    queries.into_iter().collect()
}

#[test]
fn without_loss_everyone_is_found_at_once_and_only_the_proven_are_verified() {
    let mut world = settled(Scenario::default());
    world.agreed().unwrap();
    for (employer, text) in (0..).zip(queries(&world)) {
        let outcome = find_everyone(&mut world, employer, &text);
        assert!(outcome.withheld.is_empty(), "{:?}", outcome.withheld);
    }
    let [a, b] = [skill(&world, 0), skill(&world, 3)];
    let either = find_everyone(&mut world, 0, &format!("{a} OR {b}"));
    for alone in [&a, &b] {
        let query = world.query(alone);
        assert!(world.all_seeing(&query).is_subset(&views(&either)) && !world.all_seeing(&query).is_empty());
    }
    let outcome = find_everyone(&mut world, 1, &a);
    only_the_proven_are_verified(&world, &outcome, &a);
    a_tier_withholds_the_unproven(&mut world, &a);
}

/// Every holder is found; verified are those whose consent says *anyone* and whose credential states the skill.
fn only_the_proven_are_verified(world: &World, outcome: &Outcome, text: &str) {
    let query = world.query(text);
    let asked = query.skills()[0];
    let mut kinds = [0; 3];
    for found in &outcome.results {
        let summary = found.summary.body();
        let claim = summary.content().claim(asked).unwrap();
        let kind = match (claim.backing(), summary.present()) {
            (Some(_), Present::Anyone) => 0,
            (Some(_), _) => 1,
            (None, _) => 2,
        };
        kinds[kind] += 1;
        assert_eq!(found.verified, kind == 0, "{claim:?}: {:?}", found.proof);
        assert_eq!(found.holder.is_some(), kind == 0);
        assert!(kind != 1 || matches!(found.proof, Proof::Awaited("the holder decides on each inquiry")));
        assert!(kind != 2 || matches!(found.proof, Proof::NotAsked(_)));
    }
    assert!(kinds.iter().all(|n| *n > 0), "every kind must occur: {kinds:?}");
    assert!(
        outcome.results.iter().any(|f| f.recognised)
            && outcome.results.iter().any(|f| f.verified && !f.recognised)
    );
}

fn a_tier_withholds_the_unproven(world: &mut World, text: &str) {
    let query = world.query(&format!("{text} tier:issuer"));
    let stated = world.all_seeing(&query);
    let outcome = world.found(2, &query, "a search").unwrap();
    assert!(
        outcome
            .results
            .iter()
            .all(|found| found.verified && found.standing.iter().any(|s| s.tier == Tier::Issuer))
    );
    assert!(!outcome.withheld.is_empty());
    for withheld in &outcome.withheld {
        assert_eq!(withheld.reason, "not proven: the holder decides on each inquiry");
    }
    let mut all = views(&outcome);
    all.extend(outcome.withheld.iter().map(|withheld| withheld.view));
    assert_eq!(all, stated, "nobody is dropped in silence");
}

#[test]
fn with_loss_reconciliation_leaves_nobody_out() {
    // Few connections, so that gossip alone cannot make up for what is lost.
    let mut world = settled(Scenario { seed: 2, loss_permille: 50, degree: 2, ..Scenario::default() });
    assert!(world.agreed().is_err(), "gossip alone reached everybody: nothing is tested");
    world.run_for(4 * MINUTE_MS).unwrap();
    world.agreed().unwrap();
    for (employer, text) in (0..).zip(queries(&world)) {
        find_everyone(&mut world, employer, &text);
    }
}
