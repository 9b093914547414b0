use std::collections::BTreeSet;

use knackmesh_simulations::scenario::Scenario;

use crate::{HOUR_MS, MINUTE_MS, find_everyone, settled, skill, small};

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
