use knackmesh_simulations::{
    access::{Line, Nat},
    attacks::Attack,
    churn::{Churn, Renewal},
    lifetime::Lifetime,
    mesh::{Gossip, Mesh},
    population::identity,
    scenario::{Crowd, Scenario},
    world::World,
};

use crate::{MINUTE_MS, settled, skill, small};

fn history(scenario: Scenario) -> (u64, [u8; 32]) {
    let mut world = settled(scenario);
    let text = skill(&world, 0);
    let query = world.query(&text);
    world.search(0, &query, "a search");
    world.run_for(6000).unwrap();
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
fn a_world_with_everything_in_it_has_one_history() {
    let everything = |seed| Scenario {
        employers: 2,
        professionals: 18,
        loss_permille: 20,
        gossip: Gossip::Mesh(Mesh::default()),
        churn: Churn::Renewal(Renewal {
            session: Lifetime::Exponential { mean_ms: 60_000 },
            ..Renewal::default()
        }),
        nat: Nat { behind_permille: 500, ..Nat::default() },
        lines: vec![Line { share_permille: 1000, up_kbit_s: 1000, down_kbit_s: 10_000 }],
        dial_failing_permille: 100,
        attacks: Attack::ALL.to_vec(),
        flood_per_s: 1,
        crowds: vec![Crowd::Permille(Attack::Censor, 100)],
        ..small(seed)
    };
    assert_eq!(history(everything(9)), history(everything(9)));
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
