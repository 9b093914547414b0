use knackmesh_simulations::{scenario::Scenario, world::World};

use crate::{HOUR_MS, asking, find_everyone};

/// The commonest skills, a rare one, and holders of either of two.
fn queries(world: &World) -> Vec<String> {
    let skills = &world.population().skills;
    let [a, b, c] = [asking(&skills[0]), asking(&skills[3]), asking(&skills[20])];
    vec![a.clone(), c.clone(), format!("{a} OR {b}"), format!("{b} OR {c}"), format!("{a} AND {b}"), format!("{a}>=3")]
}

#[test]
fn without_loss_everyone_is_found_at_once() {
    let mut world = World::new(Scenario::default());
    world.run_for(8000).unwrap();
    world.publish_all(HOUR_MS);
    world.run_for(3000).unwrap();
    world.agreed().unwrap();
    for (node, text) in (0..).zip(queries(&world)) {
        find_everyone(&mut world, node, &text);
    }
    eprintln!("events {}", world.events());
}
