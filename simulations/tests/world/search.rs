use std::rc::Rc;

use knackmesh_protocol::{
    consent::Present,
    credential::{Known, TrustList},
    inquiry::Undertaking,
    message::{Leads, Replica, Response},
    peer::{
        Command, CommandId, Input, Lent, Memory, Outcome, Output, Peer, Proof, Reply, RequestId,
        Specification,
    },
    query::parse,
    skill::Tier,
    vocabulary::Vocabulary,
};
use knackmesh_simulations::{
    index::Store,
    population::{Purse, identity},
    scenario::{START, Scenario},
    traffic::Kind,
    world::World,
};

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

#[test]
fn a_full_replica_waits_a_second_for_those_who_are_silent_and_counts_them() {
    let vocabulary = Rc::new(Vocabulary::embedded());
    let index = Store::new(vocabulary.clone(), START);
    let (wallet, trust, known) = (Purse::default(), TrustList::default(), Known::default());
    let lent = Lent { index: &index, wallet: &wallet, trust: &trust, known: &known, vocabulary: &vocabulary };
    let mut peer = Peer::new(identity(1, 0), [7; 32], Memory::default(), START);
    for node in [1, 2] {
        peer.handle(START, Input::Connected(identity(1, node).node_id), &lent);
    }
    let specification = Specification {
        query: parse("rust", &vocabulary, START).unwrap().query,
        top: 10,
        deadline_ms: 20_000,
        undertaking: Undertaking { purpose: "a search".into(), retention_days: 1, contact: "a@b.c".into() },
    };
    let begun = peer.handle(START, Input::Command(CommandId(1), Command::Search(specification)), &lent);
    let asked: Vec<RequestId> = begun
        .iter()
        .filter_map(|output| match output {
            Output::Send { request, bytes, .. } if Kind::of_request(bytes) == Kind::Search => Some(*request),
            _ => None,
        })
        .collect();
    assert_eq!(asked.len(), 2);
    let found = |outputs: Vec<Output>| {
        outputs.into_iter().find_map(|output| match output {
            Output::Reply(_, Reply::Found(Ok(outcome))) => Some(outcome),
            _ => None,
        })
    };
    let leads = Leads {
        summaries: Vec::new(),
        matched: 0,
        held: 0,
        reconciled: None,
        replica: Replica::Full,
        cell: None,
    };
    let answered = START.plus_ms(400);
    let result = Ok(Response::Leads(leads).encode());
    assert!(found(peer.handle(answered, Input::Response { request: asked[0], result }, &lent)).is_none());
    let patience_ends = answered.plus_ms(1000);
    assert!(found(peer.handle(patience_ends.minus_ms(1), Input::Wake, &lent)).is_none());
    assert!(peer.wake_at().is_some_and(|at| at <= patience_ends), "{:?}", peer.wake_at());
    let outcome = found(peer.handle(patience_ends, Input::Wake, &lent)).unwrap();
    assert_eq!((outcome.elapsed_ms, outcome.coverage.answered, outcome.coverage.unreachable), (1400, 1, 1));
}
