use knackmesh_simulations::{
    mesh::{Gossip, Mesh},
    scenario::Scenario,
    traffic::Kind,
    world::World,
};

use crate::{HOUR_MS, MINUTE_MS, small};

const MESH: Gossip = Gossip::Mesh(Mesh::LIBP2P);

/// 60 nodes with some twenty connections each, of which one publishes once all have been connected for a while.
fn published(scenario: Scenario) -> World {
    let mut world = World::new(Scenario { employers: 50, professionals: 10, degree: 10, ..scenario });
    world.run_for(20_000).unwrap();
    world.publish(55, HOUR_MS);
    world.run_for(10_000).unwrap();
    world
}

#[test]
fn a_mesh_reaches_everybody_with_fewer_duplicates_than_a_flood() {
    let mesh = published(Scenario { gossip: MESH, ..small(20) });
    let flood = published(small(20));
    for world in [&mesh, &flood] {
        let message = &world.messages()[0];
        assert_eq!((message.from, message.receipts.len()), (55, 59));
        assert!(message.receipts.iter().all(|(_, after_ms)| (10..2000).contains(after_ms)), "{message:?}");
    }
    let [few, many] = [&mesh, &flood].map(|world| world.messages()[0].duplicates);
    assert!(few * 3 < many * 2, "{few} and {many}");
    for node in 0..60 {
        let in_mesh = mesh.node(node).router.mesh.len();
        assert!((4..=12).contains(&in_mesh), "node {node} has {in_mesh} in its mesh");
        let mutual = |other: &u32| mesh.node(*other).router.mesh.contains(&node);
        assert!(mesh.node(node).router.mesh.iter().all(mutual), "one side of the mesh of node {node}");
    }
}

#[test]
fn what_the_mesh_loses_is_fetched_from_others() {
    // A message may be lost on all ways out of its publisher, so that one seed says little.
    let lossy = |gossip: Mesh| {
        let gossip = Gossip::Mesh(Mesh { flood_publish: false, ..gossip });
        let world = |seed| published(Scenario { gossip, loss_permille: 700, ..small(seed) });
        (22..25).map(|seed| world(seed).messages()[0].receipts.len()).sum::<usize>()
    };
    let without = lossy(Mesh { lazy: 0, lazy_permille: 0, ..Mesh::default() });
    let with = lossy(Mesh::default());
    assert!(with > without, "{with} received it with lazy pull, {without} without");
}

#[test]
fn idle_nodes_cost_no_heartbeats() {
    let mut world = published(Scenario { gossip: MESH, ..small(22) });
    world.run_for(3 * MINUTE_MS).unwrap();
    let before = world.traffic_total().sent(Kind::Control);
    let events = world.steps();
    world.run_for(MINUTE_MS).unwrap();
    assert_eq!(world.traffic_total().sent(Kind::Control), before);
    // Sixty nodes with one comparison each in two minutes; their heartbeats would be 3,600.
    assert!(world.steps() - events < 1200, "{} steps", world.steps() - events);
}

#[test]
fn bytes_are_counted_by_kind_and_node() {
    let mut world = published(Scenario { gossip: MESH, ..small(23) });
    world.withdraw(55);
    world.run_for(5000).unwrap();
    let total = world.traffic_total();
    for kind in [Kind::Announcement, Kind::Withdrawal, Kind::Reconciliation, Kind::Record, Kind::Control] {
        assert!(total.sent(kind).messages > 0, "{kind:?}");
        assert_eq!(total.sent(kind), total.received(kind), "nothing is lost here: {kind:?}");
        let of_nodes: u64 = (0..60).map(|node| world.traffic(node).sent(kind).bytes).sum();
        assert_eq!(of_nodes, total.sent(kind).bytes);
    }
    let announced = &world.messages()[0];
    let copies = announced.receipts.len() as u64 + announced.duplicates;
    assert_eq!(total.sent(Kind::Announcement).messages, copies);
    assert_eq!(total.sent(Kind::Other).messages, 0);
    let of_kinds: u64 = Kind::ALL.iter().map(|kind| total.sent(*kind).messages).sum();
    assert_eq!(total.sent_total().messages, of_kinds);
}
