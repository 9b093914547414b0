use std::rc::Rc;

use knackmesh_protocol::{
    consent::Present,
    credential::{Known, TrustList},
    inquiry::Undertaking,
    message::{Leads, Replica, Response},
    peer::{
        Command, CommandId, Failure, Input, Lent, Memory, Outcome, Output, Peer, Proof, Reply, RequestId,
        Specification,
    },
    query::parse,
    skill::Tier,
    time::Timestamp,
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

/// A peer without anybody, and what it is lent.
struct Alone {
    vocabulary: Rc<Vocabulary>,
    index: Store,
    wallet: Purse,
    trust: TrustList,
    known: Known,
    peer: Peer,
}

impl Alone {
    fn new() -> Self {
        let vocabulary = Rc::new(Vocabulary::embedded());
        Alone {
            index: Store::new(vocabulary.clone(), START),
            wallet: Purse::default(),
            trust: TrustList::default(),
            known: Known::default(),
            peer: Peer::new(identity(1, 0), [7; 32], Memory::default(), START),
            vocabulary,
        }
    }

    fn handle(&mut self, now: Timestamp, input: Input) -> Vec<Output> {
        let Alone { vocabulary, index, wallet, trust, known, peer } = self;
        let lent = Lent { index, wallet, trust, known, vocabulary };
        peer.handle(now, input, &lent)
    }

    fn connected(&mut self, now: Timestamp, node: u32) -> Vec<Output> {
        self.handle(now, Input::Connected(identity(1, node).node_id))
    }

    /// Searches for 20 seconds at most.
    fn search(&mut self, now: Timestamp, id: u64) -> Vec<Output> {
        let undertaking =
            Undertaking { purpose: "a search".into(), retention_days: 1, contact: "a@b.c".into() };
        let query = parse("rust", &self.vocabulary, START).unwrap().query;
        let specification = Specification { query, top: 10, deadline_ms: 20_000, undertaking };
        self.handle(now, Input::Command(CommandId(id), Command::Search(specification)))
    }
}

/// Requests for leads.
fn asked(outputs: &[Output]) -> Vec<RequestId> {
    let request = |output: &Output| match output {
        Output::Send { request, bytes, .. } if Kind::of_request(bytes) == Kind::Search => Some(*request),
        _ => None,
    };
    outputs.iter().filter_map(request).collect()
}

fn found(outputs: Vec<Output>) -> Option<Box<Outcome>> {
    outputs.into_iter().find_map(|output| match output {
        Output::Reply(_, Reply::Found(Ok(outcome))) => Some(outcome),
        _ => None,
    })
}

#[test]
fn a_full_replica_waits_a_second_for_those_who_are_silent_and_counts_them() {
    let mut alone = Alone::new();
    for node in [1, 2] {
        alone.connected(START, node);
    }
    let asked = asked(&alone.search(START, 1));
    assert_eq!(asked.len(), 2);
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
    assert!(found(alone.handle(answered, Input::Response { request: asked[0], result })).is_none());
    let patience_ends = answered.plus_ms(1000);
    assert!(found(alone.handle(patience_ends.minus_ms(1), Input::Wake)).is_none());
    assert!(alone.peer.wake_at().is_some_and(|at| at <= patience_ends), "{:?}", alone.peer.wake_at());
    let outcome = found(alone.handle(patience_ends, Input::Wake)).unwrap();
    assert_eq!((outcome.elapsed_ms, outcome.coverage.answered, outcome.coverage.unreachable), (1400, 1, 1));
}

/// Whoever asks in the moment after the start is not told that there is nobody.
#[test]
fn a_search_waits_for_the_first_to_be_connected_while_somebody_is_expected() {
    let joining = || {
        let mut alone = Alone::new();
        alone.peer = alone.peer.joining(START.plus_ms(6000));
        alone
    };
    let at = |ms| START.plus_ms(ms);
    let mut alone = joining();
    assert!(asked(&alone.search(START, 1)).is_empty() && found(alone.handle(at(1), Input::Wake)).is_none());
    assert_eq!(asked(&alone.connected(at(1500), 1)).len(), 1);
    let answered = at(1600);
    let (request, result) = (asked(&alone.search(at(1500), 2))[0], Err(Failure::Unreachable));
    let second = found(alone.handle(answered, Input::Response { request, result })).unwrap();
    assert_eq!((second.elapsed_ms, second.coverage.asked), (100, 1), "by then nobody waits");
    let first = found(alone.handle(at(2500), Input::Wake)).unwrap();
    assert_eq!((first.elapsed_ms, first.coverage.asked), (2500, 1), "since it was asked");

    // Nobody comes: not longer than a quarter of the deadline, nor than somebody is expected.
    let mut alone = joining();
    alone.search(at(500), 1);
    assert_eq!(alone.peer.wake_at(), Some(at(5500)));
    assert!(found(alone.handle(at(5499), Input::Wake)).is_none());
    alone.search(at(4000), 2);
    let outcome = found(alone.handle(at(5500), Input::Wake)).unwrap();
    assert_eq!((outcome.elapsed_ms, outcome.coverage.asked), (5000, 0));
    assert!(found(alone.handle(at(5999), Input::Wake)).is_none());
    assert!(found(alone.handle(at(6000), Input::Wake)).is_some());
    assert!(found(alone.search(at(6000), 3)).is_some(), "expected no longer");
    assert!(found(Alone::new().search(START, 1)).is_some(), "nobody was expected");
}
