//! What a simulated minute of the whole world costs: full peers, gossip, reconciliation, searches. On one thread.
//!
//! `cargo bench -p knackmesh-simulations --bench world -- [NODES PROFESSIONALS MINUTES QUERIES] [flood] [churn]`

#![allow(clippy::unwrap_used)]

use std::time::Instant;

use knackmesh_simulations::{
    churn::{Churn, Renewal},
    lifetime::Lifetime,
    mesh::{Gossip, Mesh},
    scenario::Scenario,
    traffic::Kind,
    world::World,
};

const LEASE_MS: u64 = 24 * 3_600_000;
/// Everybody has started and is connected after so long, in milliseconds, beyond 20 for each node.
const SETTLED_MS: u64 = 10_000;

fn main() {
    let numbers: Vec<u64> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let of = |at: usize, default: u64| numbers.get(at).copied().unwrap_or(default);
    let (nodes, professionals, minutes, queries) = (of(0, 1000), of(1, 200), of(2, 10), of(3, 50));
    let employers = u32::try_from(nodes.saturating_sub(professionals)).unwrap();
    let professionals = u32::try_from(professionals).unwrap();
    let is_given = |word: &str| std::env::args().any(|argument| argument == word);
    let gossip = if is_given("flood") { Gossip::Flood } else { Gossip::Mesh(Mesh::default()) };
    let renewal = Renewal { session: Lifetime::IPFS, ..Renewal::default() };
    let churn = if is_given("churn") { Churn::Renewal(renewal) } else { Churn::None };
    let scenario = Scenario { employers, professionals, gossip, churn, ..Scenario::default() };

    let begun = Instant::now();
    let mut world = World::new(scenario);
    report("people", &begun, 0);
    world.run_for(SETTLED_MS + 20 * nodes).unwrap();
    report("connected", &begun, world.events());
    world.publish_all(LEASE_MS);
    world.run_for(10_000).unwrap();
    report("published", &begun, world.events());
    let end = world.now().plus_ms(minutes * 60_000);
    for n in 0..queries {
        let text = format!("<{}>", world.population().skills[(n % 20) as usize]);
        let query = world.query(&text);
        world.search(u32::try_from(n).unwrap() % employers, &query, "a search");
        world.run_for(minutes * 60_000 / queries.max(1)).unwrap();
    }
    world.run_until(end).unwrap();
    report("ended", &begun, world.events());
    let rate = world.events() as f64 / begun.elapsed().as_secs_f64();
    spread(&world);
    println!(
        "{nodes} nodes, {professionals} professionals, {minutes} minutes, {queries} queries: {rate:.0} events a second"
    );
}

fn report(what: &str, begun: &Instant, events: u64) {
    println!("{what}: {:.1} s, {events} events", begun.elapsed().as_secs_f64());
}

/// How far and how fast gossip went, and what it all weighed.
fn spread(world: &World) {
    let mut delays: Vec<u32> =
        world.messages().iter().flat_map(|m| m.receipts.iter().map(|(_, after_ms)| *after_ms)).collect();
    delays.sort_unstable();
    let at = |permille: usize| delays.get(delays.len() * permille / 1000).copied().unwrap_or(0);
    let duplicates: u64 = world.messages().iter().map(|message| message.duplicates).sum();
    println!(
        "{} messages, {} receipts, p50 {} ms, p99 {} ms, {:.1} duplicates a receipt; {} nodes run, {} departures",
        world.messages().len(),
        delays.len(),
        at(500),
        at(990),
        duplicates as f64 / delays.len().max(1) as f64,
        world.running(),
        world.departures(),
    );
    let total = world.traffic_total();
    for kind in Kind::ALL {
        let sent = total.sent(kind);
        println!("{}: {} messages, {} bytes", kind.name(), sent.messages, sent.bytes);
    }
}
