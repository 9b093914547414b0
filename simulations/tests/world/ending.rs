use knackmesh_protocol::peer::Reply;
use knackmesh_simulations::{attacks::Attack, scenario::Scenario, world::World};

use crate::{HOUR_MS, MINUTE_MS, find_everyone, settled, small, view};

/// Honest nodes that hold a summary of `holder`.
fn holding(world: &World, holder: u32) -> usize {
    let view = view(world, holder);
    let holds =
        |node: u32| world.node(node).peer.iter().flat_map(|p| p.held()).any(|(held, ..)| held == view);
    let honest = (0..world.scenario.nodes()).filter(|node| world.node(*node).is_honest());
    honest.filter(|node| holds(*node)).count()
}

/// A query that finds `holder`.
fn query_for(world: &World, holder: u32) -> String {
    let content = world.node(holder).person.content.as_ref().unwrap();
    format!("<{}>", content.0.claims()[0].skill())
}

#[test]
fn what_is_withdrawn_vanishes_and_comes_back_only_by_its_holder() {
    let mut world = settled(small(6));
    let (holder, everyone) = (9, 40);
    assert_eq!(holding(&world, holder), everyone);
    let text = query_for(&world, holder);
    let command = world.withdraw(holder);
    world.run_for(5000).unwrap();
    assert_eq!(holding(&world, holder), 0);
    match world.reply(command) {
        Some(Reply::Withdrawn(Some(withdrawn))) => {
            assert_eq!(withdrawn.acknowledgements.len(), withdrawn.asked);
            assert!(withdrawn.asked > 0);
        }
        other => panic!("{other:?}"),
    }
    let outcome = find_everyone(&mut world, 0, &text);
    assert!(outcome.results.iter().all(|found| found.summary.body().view() != view(&world, holder)));
    world.publish(holder, HOUR_MS);
    world.run_for(3000).unwrap();
    assert_eq!(holding(&world, holder), everyone);
    let outcome = find_everyone(&mut world, 0, &text);
    assert!(outcome.results.iter().any(|found| found.summary.body().view() == view(&world, holder)));
}

#[test]
fn a_lease_ends_everywhere() {
    let mut world = World::new(small(7));
    world.run_for(5000).unwrap();
    world.publish_all(MINUTE_MS);
    world.run_for(MINUTE_MS - 1).unwrap();
    assert_eq!(holding(&world, 9), 40);
    world.run_for(1).unwrap();
    assert!(world.scenario.professionals().all(|holder| holding(&world, holder) == 0));
    let text = query_for(&world, 9);
    let outcome = find_everyone(&mut world, 0, &text);
    assert!(outcome.results.is_empty());
}

#[test]
fn nothing_replayed_outlives_what_replaced_it() {
    let attacks = vec![Attack::Replay; 3];
    let mut world = settled(Scenario { professionals: 20, attacks, ..small(8) });
    let (withdrawn, shortened) = (9, 10);
    // One withdraws and publishes again for a minute; another only shortens its lease.
    world.withdraw(withdrawn);
    world.run_for(2000).unwrap();
    world.publish(withdrawn, MINUTE_MS);
    world.publish(shortened, MINUTE_MS);
    world.run_for(2000).unwrap();
    assert_eq!((holding(&world, withdrawn), holding(&world, shortened)), (25, 25));
    // Long enough for duplicate suppression to forget, so that gossip replays as well.
    world.run_for(12 * MINUTE_MS).unwrap();
    assert_eq!((holding(&world, withdrawn), holding(&world, shortened)), (0, 0));
    let text = query_for(&world, withdrawn);
    find_everyone(&mut world, 0, &text);
    world.agreed().unwrap();
}
