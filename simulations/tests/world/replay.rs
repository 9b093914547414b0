use knackmesh_simulations::{population::identity, scenario::Scenario, world::World};

use crate::{MINUTE_MS, settled, skill, small};

fn history(scenario: Scenario) -> (u64, [u8; 32]) {
    let mut world = settled(scenario);
    let text = skill(&world, 0);
    let query = world.query(&text);
    world.found(0, &query, "a search").unwrap();
    world.withdraw(10);
    world.stop(11).unwrap();
    world.run_for(MINUTE_MS).unwrap();
    (world.events(), world.trace_hash())
}

#[test]
fn one_seed_has_one_history() {
    let scenario = |seed| Scenario { employers: 2, professionals: 18, loss_permille: 20, ..small(seed) };
    let first = history(scenario(7));
    assert_eq!(first, history(scenario(7)));
    assert_ne!(first.1, history(scenario(8)).1);
}

#[test]
fn one_node_more_leaves_the_others_as_they_were() {
    let less = World::new(small(7));
    let more = World::new(Scenario { professionals: 36, ..small(7) });
    for number in 0..less.scenario.nodes() {
        let (a, b) = (&less.node(number).person, &more.node(number).person);
        assert_eq!(a.identity.view.seed(), b.identity.view.seed());
        assert_eq!(a.identity.root.seed(), identity(7, number).root.seed());
        assert_eq!(a.identity.node_id, b.identity.node_id);
        assert_eq!(a.content, b.content);
    }
    assert_ne!(less.node(3).id(), less.node(4).id());
    assert_ne!(less.node(3).id(), World::new(small(8)).node(3).id());
}
