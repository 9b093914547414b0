//! Nodes that keep only cells: everybody is found all the same, by few requests, however nodes come and go.

use knackmesh_protocol::{
    limits::{CELL_NODES_MAX, CELL_PARTY_BURST, CELL_PARTY_EVERY_MS, CELL_REPLICAS},
    message::Replica,
    peer::{CellCoverage, Keeping, Outcome},
    time::Timestamp,
};
use knackmesh_simulations::{
    attacks::Attack,
    scenario::{Crowd, START, Scenario},
    world::World,
};

use super::{HOUR_MS, MINUTE_MS, find_everyone, small, view, views};

fn celled(seed: u64) -> Scenario {
    let keeping = Keeping { replica: Some(Replica::Cells), ..Keeping::default() };
    Scenario { keeping, employers: 10, professionals: 90, skills: 40, ..small(seed) }
}

/// A world in which everyone has published and is placed.
fn placed(scenario: Scenario, lease_ms: u64) -> World {
    let mut world = World::new(scenario);
    world.run_for(8000).unwrap();
    world.publish_all(lease_ms);
    world.run_for(30_000).unwrap();
    world
}

fn skill(world: &World, n: usize) -> String {
    format!("<{}>", world.population().skills[n])
}

fn cells(outcome: &Outcome) -> &CellCoverage {
    outcome.coverage.cells.as_ref().unwrap()
}

#[test]
fn everybody_is_found_in_the_cells_of_the_rarest_skill_or_of_every_alternative() {
    let mut world = placed(celled(1), HOUR_MS);
    let held: Vec<usize> = (0..100).map(|n| world.node(n).peer.as_ref().unwrap().summaries()).collect();
    assert!(held.iter().max().unwrap() < &90, "a node keeps everything: {held:?}");
    assert!(world.records() >= 90 * 15, "the hash table keeps {} records", world.records());
    for number in world.scenario.professionals().collect::<Vec<u32>>() {
        let peer = world.node(number).peer.as_ref().unwrap();
        let short: Vec<_> = peer.placement().under_replicated().collect();
        assert!(peer.placement().at.is_some() && short.is_empty(), "node {number}: {short:?}");
    }
    let [a, b, c] = [0, 5, 20].map(|n| skill(&world, n));
    for (text, asked) in [
        (a.clone(), 1),
        (format!("{a} AND {b}"), 1),
        (format!("{b} OR {c}"), 2),
        (format!("{a} AND NOT {b}"), 1),
        (format!("{a} region:DE"), 1),
        (format!("({b} OR {c}) AND {a}"), 1),
    ] {
        let outcome = find_everyone(&mut world, 3, &text);
        let cells = cells(&outcome);
        assert!(cells.asked <= asked.max(2), "{text}: {cells:?}");
        assert_eq!((cells.answered, cells.unreached.len(), cells.cut), (cells.asked, 0, 0), "{text}");
        assert_eq!(cells.missing, Some(0), "{text}: {cells:?}");
        assert!(cells.requests <= 6 * cells.asked, "{text}: {cells:?}");
    }
}

#[test]
fn what_is_withdrawn_is_found_nowhere_and_what_replaces_it_is() {
    let mut world = placed(celled(2), HOUR_MS);
    let leaving: Vec<u32> = world.scenario.professionals().step_by(7).collect();
    for node in &leaving {
        world.withdraw(*node);
    }
    world.run_for(10_000).unwrap();
    for n in 0..6 {
        let text = skill(&world, n);
        let outcome = find_everyone(&mut world, 1, &text);
        assert!(leaving.iter().all(|node| !views(&outcome).contains(&view(&world, *node))));
    }
}

#[test]
fn a_third_of_the_nodes_dies_and_nobody_is_lost() {
    let mut world = placed(celled(3), HOUR_MS);
    // Holders stay, so that they are to be found; of the others as many die.
    let dying: Vec<u32> = (0..world.scenario.nodes()).filter(|n| n % 3 == 0 && *n != 3).collect();
    for node in &dying {
        world.crash(*node).unwrap();
    }
    world.run_for(MINUTE_MS).unwrap();
    for n in 0..6 {
        let text = skill(&world, n);
        let query = world.query(&text);
        let outcome = world.found(4, &query, "a search").unwrap();
        let everyone = world.all_seeing(&query);
        assert_eq!(views(&outcome), everyone, "{text}: {:?}", outcome.coverage);
    }
}

#[test]
fn the_next_day_everybody_is_found_where_the_cells_are_then_also_who_is_away() {
    let mut world = placed(celled(4), 24 * HOUR_MS);
    let away: Vec<u32> = world.scenario.professionals().step_by(5).collect();
    for node in &away {
        world.leave(*node).unwrap();
    }
    let midnight = Timestamp::from_unix_ms(START.unix_ms() / (24 * HOUR_MS) * 24 * HOUR_MS + 24 * HOUR_MS);
    world.run_until(midnight.plus_ms(20 * MINUTE_MS)).unwrap();
    for n in 0..6 {
        let text = skill(&world, n);
        let query = world.query(&text);
        let outcome = world.found(4, &query, "a search").unwrap();
        assert_eq!(views(&outcome), world.all_seeing(&query), "{text}: {:?}", outcome.coverage);
    }
}

#[test]
fn a_cell_that_holds_too_many_splits_by_country_and_then_by_bits_and_hides_nobody() {
    let scenario = celled(5);
    let keeping = Keeping { split_above: 4, merge_below: 2, ..scenario.keeping };
    let mut world = placed(Scenario { keeping, ..scenario }, HOUR_MS);
    // What was placed before the split stays above; what is placed anew goes into the parts.
    let again: Vec<u32> = world.scenario.professionals().collect();
    for node in &again {
        world.publish(*node, HOUR_MS);
        world.run_for(500).unwrap();
    }
    world.run_for(MINUTE_MS).unwrap();
    let depth = |world: &World| {
        let cells = (0..100).flat_map(|n| world.node(n).peer.iter().flat_map(|peer| peer.cells()));
        cells.map(|(cell, _)| cell.path.depth()).max().unwrap_or(0)
    };
    assert!(depth(&world) >= 2, "no cell was split twice");
    let text = skill(&world, 0);
    let outcome = find_everyone(&mut world, 2, &text);
    assert!(cells(&outcome).asked > 2 && cells(&outcome).cut == 0, "{:?}", cells(&outcome));
    // A query for one country goes into that country's part alone.
    let at_home = find_everyone(&mut world, 2, &format!("{text} region:DE"));
    assert!(cells(&at_home).asked < cells(&outcome).asked);
}

#[test]
fn whoever_has_no_room_for_everything_keeps_cells_and_finds_everybody_all_the_same() {
    let keeping = Keeping { summaries_max: 70, ..Keeping::default() };
    let mut world = placed(Scenario { keeping, ..celled(6) }, HOUR_MS);
    let replicas: Vec<Replica> =
        (0..100).map(|number| world.node(number).peer.as_ref().unwrap().replica()).collect();
    assert!(replicas.iter().filter(|replica| **replica == Replica::Cells).count() > 90, "{replicas:?}");
    for n in 0..6 {
        let text = skill(&world, n);
        find_everyone(&mut world, 1, &text);
    }
}

#[test]
fn one_keeper_in_five_hides_people_and_nearly_everybody_is_found() {
    let mut world =
        placed(Scenario { crowds: vec![Crowd::Permille(Attack::Censor, 250)], ..celled(7) }, HOUR_MS);
    let (mut found, mut all, mut differing) = (0, 0, 0);
    for n in 0..20 {
        let text = skill(&world, n);
        let query = world.query(&text);
        let outcome = world.found(4, &query, "a search").unwrap();
        let everyone = world.all_seeing(&query);
        found += views(&outcome).intersection(&everyone).count();
        all += everyone.len();
        differing += cells(&outcome).differing;
    }
    assert!(found * 100 >= all * 95, "{found} of {all}");
    assert!(differing > 0, "nobody noticed that somebody hides people");
}

#[test]
fn a_flood_from_one_subnet_gets_a_few_turns_in_a_cell_and_crowds_nobody_out() {
    let hostile = Scenario {
        crowds: vec![Crowd::Count(Attack::Flood, 10)],
        flood_per_s: 20,
        hostile_groups: Some(1),
        ..celled(7)
    };
    let mut world = placed(hostile, HOUR_MS);
    world.run_for(MINUTE_MS).unwrap();
    // Some 18,000 were invented, for the skills of ten people. A cell has 90 people at most, what the subnet placed there in its turns,
    // and what it placed in its turns with the others that this node compares the cell with.
    let turns = (CELL_PARTY_BURST + 90_000 / CELL_PARTY_EVERY_MS) as usize;
    let kept = (0..world.scenario.hostile(0)).flat_map(|n| world.node(n).peer.as_ref().unwrap().cells());
    let most = kept.map(|(_, descriptor)| descriptor.count as usize).max().unwrap();
    assert!(most > turns && most <= 90 + (1 + CELL_REPLICAS) * turns, "{most} in one cell");
    let (mut seen, mut all) = (0, 0);
    for n in 0..10 {
        let (more, of, _) = found(&mut world, n);
        (seen, all) = (seen + more, all + of);
    }
    // They are found, too, and a search has room for so many.
    assert!(seen * 100 >= all * 85, "{seen} of {all}");
}

/// Whom a search for a skill finds of those that there are, who there are, and how many others it finds.
fn found(world: &mut World, n: usize) -> (usize, usize, usize) {
    let text = skill(world, n);
    let query = world.query(&text);
    let outcome = world.found(4, &query, "a search").unwrap();
    let everyone = world.all_seeing(&query);
    let found = views(&outcome).intersection(&everyone).count();
    (found, everyone.len(), views(&outcome).len() - found)
}

#[test]
fn who_surrounds_both_halves_of_a_cell_hides_hardly_anybody_and_is_noticed() {
    for (sybils_a_half, groups) in [(CELL_NODES_MAX, None), (CELL_NODES_MAX, Some(1)), (3, None)] {
        let hostile = Scenario {
            crowds: vec![Crowd::Count(Attack::Sybil, 40)],
            hostile_groups: groups,
            sybils_a_half,
            ..celled(8)
        };
        let mut world = placed(hostile, HOUR_MS);
        let query = world.query(&skill(&world, 0));
        let outcome = world.found(4, &query, "a search").unwrap();
        let everyone = world.all_seeing(&query);
        let (seen, all) = (views(&outcome).intersection(&everyone).count(), everyone.len());
        assert!(all > 10 && seen * 100 >= all * 95, "{seen} of {all} who claim the commonest skill");
        // So few as three may be there by chance.
        assert!(cells(&outcome).crowded == 1 || sybils_a_half < CELL_NODES_MAX);
        let (mut seen, mut all) = (0, 0);
        for n in 1..15 {
            let (more, of, _) = found(&mut world, n);
            (seen, all) = (seen + more, all + of);
        }
        assert!(seen * 100 >= all * 90, "{seen} of {all} others");
    }
}

#[test]
fn invented_people_are_stored_in_cells_and_found_there() {
    let crowds = vec![Crowd::Count(Attack::Flood, 10)];
    let mut world = placed(Scenario { crowds, flood_per_s: 2, ..celled(9) }, HOUR_MS);
    let (seen, all, invented) = found(&mut world, 0);
    assert!(invented > 0, "nobody was invented");
    assert!(seen * 2 > all, "{seen} of {all}");
}
