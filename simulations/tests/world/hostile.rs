use std::collections::BTreeSet;

use knackmesh_protocol::{
    consent::Present,
    key::PublicKey,
    limits::RECONCILE_SESSIONS_MAX,
    peer::{Outcome, Proof},
};
use knackmesh_simulations::{attacks::Attack, scenario::Scenario, world::World};

use crate::{HOUR_MS, MINUTE_MS, find_everyone, settled, skill, small, view};

fn proof_of(outcome: &Outcome, view: PublicKey) -> &Proof {
    let found = outcome.results.iter().find(|found| found.summary.body().view() == view);
    &found.unwrap().proof
}

fn refusal(outcome: &Outcome, view: PublicKey) -> &str {
    match proof_of(outcome, view) {
        Proof::Refused(reason) => reason,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn among_every_attack_the_honest_are_found_and_no_promise_breaks() {
    // Those that have a victim, or invent people to be found, have tests of their own.
    let aside = |attack: &Attack| attack.captivates() || *attack == Attack::Flood;
    let attacks: Vec<Attack> = Attack::ALL.into_iter().filter(|attack| !aside(attack)).collect();
    let attacks = [attacks.as_slice(), &[Attack::Replay, Attack::Forge]].concat();
    let late = BTreeSet::from([0]);
    let mut world = settled(Scenario { professionals: 25, attacks, late, ..small(11) });
    world.withdraw(9);
    world.run_for(2 * MINUTE_MS).unwrap();
    world.start(0);
    world.run_for(2 * MINUTE_MS).unwrap();
    world.agreed().unwrap();
    for n in 0..4 {
        let text = skill(&world, n as usize);
        let outcome = find_everyone(&mut world, n, &text);
        assert!(outcome.results.iter().all(|found| found.summary.body().view() != view(&world, 9)));
    }
}

#[test]
fn an_answer_made_for_another_is_refused_by_name() {
    let mut world = settled(Scenario { professionals: 6, attacks: vec![Attack::Impostor], ..small(12) });
    let impostor = world.scenario.hostile(0);
    world.publish(impostor, HOUR_MS);
    world.run_for(2000).unwrap();
    let skill = world.node(impostor).person.awards.keys().next().cloned().unwrap();
    let query = world.query(&format!("<{skill}>"));
    let view = view(&world, impostor);
    let mut ask = |seeker, purpose| world.found(seeker, &query, purpose).unwrap();
    assert!(matches!(proof_of(&ask(0, "a post"), view), Proof::Presented(_)));
    assert_eq!(refusal(&ask(0, "a post"), view), "the answer carries another nonce: it is a replay");
    assert_eq!(refusal(&ask(0, "a project"), view), "the answer was made for another purpose");
    assert_eq!(refusal(&ask(1, "a post"), view), "the answer was made for another seeker");
}

#[test]
fn a_tampered_credential_proves_nothing() {
    let mut world = settled(Scenario { professionals: 6, attacks: vec![Attack::Tamper], ..small(13) });
    let forger = world.scenario.hostile(0);
    world.publish(forger, HOUR_MS);
    world.run_for(2000).unwrap();
    let text = skill(&world, 0);
    let outcome = find_everyone(&mut world, 0, &text);
    let found =
        outcome.results.iter().find(|found| found.summary.body().view() == view(&world, forger)).unwrap();
    assert!(!found.verified && found.standing.iter().all(|s| s.award.is_none()), "{found:?}");
    let query = world.query(&format!("{text} tier:issuer"));
    let outcome = world.found(0, &query, "a search").unwrap();
    let withheld = outcome.withheld.iter().find(|withheld| withheld.view == view(&world, forger)).unwrap();
    assert!(withheld.reason.contains("untampered"), "{}", withheld.reason);
}

#[test]
fn who_pries_gets_what_consent_allows_and_no_more() {
    let mut world = settled(Scenario { professionals: 12, attacks: vec![Attack::Pry], ..small(15) });
    world.run_for(5000).unwrap();
    for holder in world.scenario.professionals() {
        let node = world.node(holder);
        let shows = node.person.present == Present::Anyone;
        assert_eq!(node.store.disclosures > 0, shows, "node {holder}");
    }
}

/// Whoever is surrounded by nodes that never let a session end still learns of everybody.
#[test]
fn endless_sessions_do_not_keep_a_newcomer_blind() {
    let attacks = vec![Attack::Endless; 20];
    let mut world: World =
        settled(Scenario { professionals: 10, attacks, degree: 8, late: BTreeSet::from([0]), ..small(14) });
    world.start(0);
    world.run_for(2 * MINUTE_MS).unwrap();
    let hostile = world.node(0).links.iter().filter(|node| !world.node(**node).is_honest()).count();
    assert!(hostile >= RECONCILE_SESSIONS_MAX, "surrounded by {hostile}");
    world.agreed().unwrap();
    let text = skill(&world, 0);
    find_everyone(&mut world, 0, &text);
}
