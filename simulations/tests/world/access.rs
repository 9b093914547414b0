use knackmesh_simulations::{
    access::{Line, Nat},
    latency::Latency,
    scenario::Scenario,
    world::World,
};

use crate::{HOUR_MS, small};

/// A world in which one has published, and when the others received it, in milliseconds.
fn published(scenario: Scenario) -> (World, Vec<u32>) {
    let mut world = World::new(scenario);
    world.run_for(20_000).unwrap();
    world.publish(10, HOUR_MS);
    world.run_for(20_000).unwrap();
    let mut after: Vec<u32> = world.messages()[0].receipts.iter().map(|(_, after_ms)| *after_ms).collect();
    after.sort_unstable();
    (world, after)
}

#[test]
fn latency_is_what_the_scenario_says() {
    let uniform = Latency::Uniform { least_ms: 700, most_ms: 700 };
    let (_, after) = published(Scenario { latency: uniform, ..small(30) });
    assert_eq!((after.len(), after[0]), (39, 700));
    assert!(after.iter().all(|ms| ms % 700 == 0), "{after:?}");
    // Two halves of the world, a second apart: whoever is not next to the publisher waits for it.
    let matrix = Latency::Matrix { one_way_ms: vec![vec![5, 1000], vec![1000, 5]], jitter_ms: 0 };
    let (world, _) = published(Scenario { latency: matrix, ..small(30) });
    for (node, after_ms) in &world.messages()[0].receipts {
        assert_eq!(*after_ms >= 1000, node % 2 == 1, "node {node} after {after_ms} ms");
    }
}

#[test]
fn behind_nats_some_speak_over_relays_and_without_relays_nobody_does() {
    let steady = Latency::Uniform { least_ms: 100, most_ms: 100 };
    let behind = |behind_permille, punched_permille| {
        let nat = Nat { behind_permille, punched_permille };
        published(Scenario { nat, latency: steady.clone(), ..small(31) })
    };
    let (_, open) = behind(0, 0);
    let (world, relayed) = behind(700, 0);
    assert_eq!((open.len(), relayed.len()), (39, 39));
    let hidden = world.scenario.nodes();
    let hidden = (0..hidden).filter(|node| world.node(*node).site.behind_nat).count();
    assert!((20..36).contains(&hidden), "{hidden} of 40");
    assert!(relayed.iter().sum::<u32>() > open.iter().sum(), "a relay costs a hop");
    let (world, nobody) = behind(1000, 0);
    assert_eq!((nobody.len(), world.connections()), (0, 0));
    let (_, punched) = behind(1000, 1000);
    assert_eq!(punched.len(), 39);
}

#[test]
fn a_narrow_line_makes_everybody_wait() {
    let steady = Latency::Uniform { least_ms: 10, most_ms: 10 };
    let lines = |up_kbit_s| {
        let line = Line { share_permille: 1000, up_kbit_s, down_kbit_s: 100_000 };
        published(Scenario { lines: vec![line], latency: steady.clone(), ..small(32) }).1
    };
    let (wide, narrow) = (lines(100_000), lines(32));
    assert_eq!((wide.len(), narrow.len()), (39, 39));
    // A kilobyte at 32 kbit/s takes a quarter of a second, and each neighbour waits for the one before.
    assert!(narrow[0] > 200 && wide[0] < 20, "{} and {}", narrow[0], wide[0]);
    assert!(narrow.last() > wide.last().map(|ms| ms * 10).as_ref());
}

#[test]
fn dials_that_fail_are_tried_again() {
    let failing = |dial_failing_permille| {
        let scenario = Scenario { dial_failing_permille, dial_timeout_ms: 3000, ..small(33) };
        let mut world = World::new(scenario);
        world.run_for(60_000).unwrap();
        world
    };
    let (never, often) = (failing(0), failing(500));
    assert_eq!(never.dials_failed(), 0);
    let share = often.dials_failed() * 100 / often.dials();
    assert!((35..65).contains(&share), "{share} % of {}", often.dials());
    for node in 0..40 {
        assert!(often.node(node).links.len() >= often.scenario.degree, "node {node} gave up");
    }
}
