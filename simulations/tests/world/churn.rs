use std::collections::BTreeSet;

use knackmesh_simulations::{
    churn::{Churn, Renewal, Stay},
    lifetime::Lifetime,
    scenario::Scenario,
    world::{START, World},
};

use crate::{HOUR_MS, MINUTE_MS, find_everyone, settled, skill, small, views};

#[test]
fn who_comes_late_or_comes_back_finds_everyone() {
    let (late, restarted) = (0, 1);
    let mut world = settled(Scenario { late: BTreeSet::from([late]), ..small(3) });
    world.stop(restarted).unwrap();
    // A holder publishes, another withdraws, while neither of the two is there.
    world.publish(6, 2 * HOUR_MS);
    world.withdraw(7);
    world.run_for(5000).unwrap();
    world.start(late);
    world.start(restarted);
    world.run_for(10_000).unwrap();
    world.agreed().unwrap();
    for node in [late, restarted] {
        for n in 0..3 {
            let text = skill(&world, n);
            find_everyone(&mut world, node, &text);
        }
    }
}

#[test]
fn a_restarted_holder_is_still_found_and_keeps_its_sequence() {
    let mut world = settled(small(4));
    let before = world.node(8).peer.as_ref().unwrap().publication().cloned();
    world.stop(8).unwrap();
    world.run_for(5000).unwrap();
    world.start(8);
    world.run_for(10_000).unwrap();
    assert_eq!(world.node(8).peer.as_ref().unwrap().publication().cloned(), before);
    world.publish(8, HOUR_MS);
    world.run_for(3000).unwrap();
    let after = world.node(8).peer.as_ref().unwrap().publication().cloned();
    assert!(after.unwrap().summary.body().sequence() > before.unwrap().summary.body().sequence());
    world.agreed().unwrap();
    let text = skill(&world, 0);
    find_everyone(&mut world, 0, &text);
}

#[test]
fn two_halves_that_heal_agree() {
    let mut world = settled(small(5));
    world.partition(|node| u8::from(node % 2 == 0)).unwrap();
    world.run_for(2000).unwrap();
    // Each half hears only of its own.
    world.publish(10, 2 * HOUR_MS);
    world.publish(11, 2 * HOUR_MS);
    world.withdraw(12);
    world.withdraw(13);
    world.run_for(MINUTE_MS).unwrap();
    world.agreed().unwrap();
    let held = |node| world.node(node).peer.as_ref().unwrap().held().collect::<Vec<_>>();
    assert_ne!(held(0), held(1), "each half knows its own");
    world.heal();
    world.run_for(3 * MINUTE_MS).unwrap();
    world.agreed().unwrap();
    let text = skill(&world, 0);
    for node in 0..2 {
        find_everyone(&mut world, node, &text);
    }
}

/// Sessions of two minutes and gaps of one, on average.
fn restless(crash_permille: u32) -> Churn {
    Churn::Renewal(Renewal {
        session: Lifetime::Exponential { mean_ms: 2 * MINUTE_MS },
        gap: Lifetime::Exponential { mean_ms: MINUTE_MS },
        churning_permille: 700,
        crash_permille,
        from_ms: 15_000,
    })
}

#[test]
fn nodes_come_and_go_and_those_that_stay_still_find_everybody() {
    let mut world = settled(Scenario { churn: restless(500), ask_every: 0, ..small(40) });
    world.run_for(8 * MINUTE_MS).unwrap();
    assert!(world.departures() > 60, "{} departures", world.departures());
    assert!((15..38).contains(&world.running()), "{} run", world.running());
    let stays = |node: &u32| world.runs(*node) && world.node(*node).peer.as_ref().unwrap().summaries() > 0;
    let seeker = (0..40).find(stays).unwrap();
    let query = world.query(&skill(&world, 0));
    let everyone = world.all_seeing(&query);
    let outcome = world.found(seeker, &query, "a search").unwrap();
    let found = everyone.intersection(&views(&outcome)).count();
    assert!(found * 10 >= everyone.len() * 9, "{found} of {}", everyone.len());
}

#[test]
fn churn_has_one_history_and_who_is_spared_stays() {
    let history = |churn| {
        let mut world = World::new(Scenario { churn, employers: 5, professionals: 10, ..small(41) });
        world.run_for(5 * MINUTE_MS).unwrap();
        (world.trace_hash(), world.departures(), world.running())
    };
    assert_eq!(history(restless(500)), history(restless(500)));
    assert_ne!(history(restless(500)).0, history(restless(0)).0);
    let spared = Renewal { churning_permille: 0, ..Renewal::default() };
    assert_eq!(history(Churn::Renewal(spared)).1, 0);
}

#[test]
fn a_trace_is_followed() {
    let stay = |start_ms, stop_ms| Stay { node: 3, start_ms, stop_ms };
    let stays = vec![stay(5000, 20_000), stay(40_000, 50_000)];
    let churn = Churn::Trace { stays, crash_permille: 0 };
    let mut world = World::new(Scenario { churn, employers: 5, professionals: 10, ..small(42) });
    for (until_ms, runs) in [
        (4999, false),
        (5000, true),
        (19_999, true),
        (20_000, false),
        (39_000, false),
        (45_000, true),
        (60_000, false),
    ] {
        world.run_until(START.plus_ms(until_ms)).unwrap();
        assert_eq!(world.runs(3), runs, "at {until_ms} ms");
        assert!(world.runs(4) || until_ms == 4999);
    }
}

#[test]
fn a_goodbye_is_noticed_at_once_and_a_crash_after_silence() {
    let mut world = settled(Scenario { employers: 5, professionals: 10, ..small(43) });
    let believers =
        |world: &World, node: u32| (0..15).filter(|other| world.node(*other).links.contains(&node)).count();
    assert!(believers(&world, 6) > 0 && believers(&world, 7) > 0);
    world.leave(6).unwrap();
    world.crash(7).unwrap();
    world.run_for(1000).unwrap();
    assert_eq!(believers(&world, 6), 0);
    assert!(believers(&world, 7) > 0, "nobody can know yet");
    world.run_for(8990).unwrap();
    assert!(believers(&world, 7) > 0);
    world.run_for(20).unwrap();
    assert_eq!(believers(&world, 7), 0);
    // One that is back before it was missed is connected like any other.
    world.crash(8).unwrap();
    world.run_for(3000).unwrap();
    world.start(8);
    world.run_for(20_000).unwrap();
    assert!(world.node(8).links.iter().all(|other| world.node(*other).links.contains(&8)));
    assert_eq!(believers(&world, 8), world.node(8).links.len());
    world.agreed().unwrap();
}
