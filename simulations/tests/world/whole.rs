//! Attacks on the network as a whole, and on one node's view of it.

use std::collections::BTreeSet;

use knackmesh_protocol::key::PublicKey;
use knackmesh_simulations::{
    attacks::{Attack, censor::is_censored},
    mesh::{Gossip, Mesh},
    scenario::{Crowd, Role, Scenario},
    traffic::Kind,
    world::World,
};

use crate::{HOUR_MS, MINUTE_MS, find_everyone, settled, skill, small, views};

/// A small world with so many of a kind of attacker.
fn with(seed: u64, attack: Attack, count: u32) -> Scenario {
    Scenario {
        professionals: 20,
        gossip: Gossip::Mesh(Mesh::default()),
        crowds: vec![Crowd::Count(attack, count)],
        ..small(seed)
    }
}

/// Views that `node` finds for the commonest skill, and those that there are.
fn search(world: &mut World, node: u32) -> (BTreeSet<PublicKey>, BTreeSet<PublicKey>) {
    let query = world.query(&skill(world, 0));
    let everyone = world.all_seeing(&query);
    let outcome = world.found(node, &query, "a search").unwrap();
    (views(&outcome), everyone)
}

fn hostile_links(world: &World, node: u32) -> (usize, usize) {
    let links = &world.node(node).links;
    (links.iter().filter(|other| !world.node(**other).is_honest()).count(), links.len())
}

#[test]
fn crowds_are_counted_or_shares() {
    let crowds = vec![Crowd::Count(Attack::Censor, 3), Crowd::Permille(Attack::Sybil, 200)];
    let scenario = Scenario { attacks: vec![Attack::Garbage], crowds, ..small(50) };
    assert_eq!(scenario.nodes(), 40 + 1 + 3 + 8);
    assert_eq!(scenario.role(40), Role::Hostile(Attack::Garbage));
    assert_eq!(scenario.attackers(Attack::Censor).collect::<Vec<_>>(), [41, 42, 43]);
    assert_eq!(scenario.attackers(Attack::Sybil).count(), 8);
    assert_eq!(World::new(scenario).node(51).role, Role::Hostile(Attack::Sybil));
}

#[test]
fn a_victim_among_sybils_is_still_told_of_everybody() {
    let mut world = settled(with(51, Attack::Sybil, 20));
    let (hostile, all) = hostile_links(&world, 0);
    assert!(hostile >= 4 && hostile < all, "{hostile} of {all} neighbours are hostile");
    world.run_for(3 * MINUTE_MS).unwrap();
    let (found, everyone) = search(&mut world, 0);
    assert_eq!(found, everyone);
}

#[test]
fn an_eclipsed_node_finds_nobody_and_the_others_find_everybody() {
    let mut world = settled(with(52, Attack::Eclipse, 6));
    world.run_for(3 * MINUTE_MS).unwrap();
    let (hostile, all) = hostile_links(&world, 0);
    assert!(hostile == all && all > 0, "{hostile} of {all}");
    let (found, everyone) = search(&mut world, 0);
    assert!(found.is_empty() && !everyone.is_empty());
    let text = skill(&world, 0);
    find_everyone(&mut world, 1, &text);
}

#[test]
fn a_cold_boot_ends_when_somebody_honest_calls() {
    let late = BTreeSet::from([0]);
    let mut world = settled(Scenario { victim: 0, late, ..with(53, Attack::ColdBoot, 6) });
    world.start(0);
    world.run_for(15_000).unwrap();
    assert_eq!(hostile_links(&world, 0).0, world.node(0).outbound.len());
    assert!(world.node(0).outbound.iter().all(|node| !world.node(*node).is_honest()));
    let before = hostile_links(&world, 0);
    // Nodes that restart look for neighbours, and some find the victim.
    for node in 1..25 {
        world.stop(node).unwrap();
        world.start(node);
    }
    world.run_for(MINUTE_MS).unwrap();
    let (hostile, all) = hostile_links(&world, 0);
    assert!(hostile < all, "{hostile} of {all}, before {before:?}");
    let (found, everyone) = search(&mut world, 0);
    assert_eq!(found, everyone);
}

#[test]
fn censors_hide_people_only_from_those_who_ask_them_alone() {
    let mut world = settled(with(54, Attack::Censor, 5));
    for censor in world.scenario.attackers(Attack::Censor) {
        let held: Vec<PublicKey> =
            world.node(censor).peer.as_ref().unwrap().held().map(|(v, ..)| v).collect();
        assert!(!held.is_empty() && !held.iter().any(is_censored), "a censor took note");
    }
    world.run_for(3 * MINUTE_MS).unwrap();
    world.agreed().unwrap();
    let text = skill(&world, 0);
    find_everyone(&mut world, 0, &text);
    let professionals = world.scenario.professionals().map(|node| crate::view(&world, node));
    let censored: Vec<PublicKey> = professionals.filter(is_censored).collect();
    assert!((5..16).contains(&censored.len()), "{} of 20", censored.len());
    // Alone with censors, a newcomer learns of the others only.
    let mut world = World::new(Scenario { late: BTreeSet::from([0]), ..with(54, Attack::Censor, 5) });
    world.run_for(8000).unwrap();
    world.publish_all(HOUR_MS);
    world.run_for(3 * MINUTE_MS).unwrap();
    for honest in 1..25 {
        world.stop(honest).unwrap();
    }
    world.start(0);
    world.run_for(MINUTE_MS).unwrap();
    let held: Vec<PublicKey> = world.node(0).peer.as_ref().unwrap().held().map(|(view, ..)| view).collect();
    assert!(!held.is_empty() && !held.iter().any(is_censored), "{} are held", held.len());
}

#[test]
fn a_flood_of_nobodies_fills_indices_and_the_top_of_every_search() {
    let mut world = settled(Scenario { flood_per_s: 5, ..with(55, Attack::Flood, 2) });
    let (found, everyone) = search(&mut world, 0);
    assert!(everyone.is_subset(&found) && found.len() > everyone.len(), "while there is room for all");
    world.run_for(20_000).unwrap();
    let held = world.node(0).peer.as_ref().unwrap().summaries();
    assert!((200..400).contains(&held), "{held} summaries are held: 20, and ten a second");
    let (found, everyone) = search(&mut world, 0);
    assert!(found.len() == 100 && !everyone.is_subset(&found), "nothing tells them from people yet");
}

#[test]
fn when_a_third_falls_silent_at_once_news_still_comes_through() {
    let mut world = settled(Scenario { strike_ms: 30_000, ..with(56, Attack::Flash, 12) });
    let held = |world: &World, node: u32| world.node(node).peer.as_ref().unwrap().summaries();
    let forwarded = |world: &World| -> u64 {
        let flash = world.scenario.attackers(Attack::Flash);
        flash.map(|node| world.traffic(node).sent(Kind::Announcement).messages).sum()
    };
    assert!(forwarded(&world) > 0, "honest until then");
    world.run_for(30_000).unwrap();
    let before = forwarded(&world);
    world.withdraw(10);
    world.publish(11, 2 * HOUR_MS);
    world.run_for(3 * MINUTE_MS).unwrap();
    assert_eq!(forwarded(&world), before);
    assert_eq!(held(&world, 0), 19);
    world.agreed().unwrap();
    let text = skill(&world, 0);
    find_everyone(&mut world, 0, &text);
}

#[test]
fn a_scraper_learns_of_everybody() {
    let mut world = settled(with(57, Attack::Scrape, 1));
    let scraper = world.scenario.hostile(0);
    world.run_for(MINUTE_MS).unwrap();
    let learnt = world.node(scraper).learnt().unwrap();
    // Full replicas hide nothing from whoever takes part: that is what the figures are for.
    assert_eq!((learnt.by_replication.people(), learnt.by_queries.people()), (20, 20), "{learnt:?}");
    assert!(learnt.queries > 20);
    assert_eq!(world.node(0).learnt(), None);
}
