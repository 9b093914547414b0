//! What a simulated minute of the whole world costs: full peers, gossip, reconciliation, searches. On one thread.
//!
//! `cargo bench -p knackmesh-simulations --bench world -- [NODES PROFESSIONALS MINUTES QUERIES] [SKILLS] [flood] [churn] [cells]`

#![allow(clippy::unwrap_used)]

use std::{collections::BTreeSet, time::Instant};

use knackmesh_protocol::{
    key::PublicKey,
    message::Replica,
    peer::{CommandId, Keeping, Reply},
};

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
    let replica = is_given("cells").then_some(Replica::Cells);
    let keeping = Keeping { replica, ..Keeping::default() };
    let skills = usize::try_from(of(4, 60)).unwrap();
    let scenario =
        Scenario { employers, professionals, gossip, churn, keeping, skills, ..Scenario::default() };

    let begun = Instant::now();
    let mut world = World::new(scenario);
    report("people", &begun, 0);
    world.run_for(SETTLED_MS + 20 * nodes).unwrap();
    report("connected", &begun, world.events());
    world.publish_all(LEASE_MS);
    world.run_for(10_000).unwrap();
    report("published", &begun, world.events());
    let end = world.now().plus_ms(minutes * 60_000);
    println!("memory: {} MB", resident_mb());
    let top = if is_given("cells") { 10 } else { 100 };
    let (mut asked, mut tally) = (Vec::new(), Tally::default());
    for n in 0..queries {
        let text = format!("<{}>", world.population().skills[(n % 20) as usize]);
        let query = world.query(&text);
        let seeker = u32::try_from(n).unwrap() % employers;
        if world.runs(seeker) {
            asked.push((world.search_for(seeker, &query, top), world.all_seeing(&query)));
            tally.take(&mut world, &mut asked, top);
        }
        world.run_for(minutes * 60_000 / queries.max(1)).unwrap();
    }
    world.run_until(end.plus_ms(10_000)).unwrap();
    report("ended", &begun, world.events());
    let rate = world.events() as f64 / begun.elapsed().as_secs_f64();
    spread(&world);
    tally.take(&mut world, &mut asked, top);
    tally.print();
    println!("memory: {} MB", resident_mb());
    println!(
        "{nodes} nodes, {professionals} professionals, {minutes} minutes, {queries} queries for the best {top}: {rate:.0} events a second"
    );
}

/// What searches came to.
#[derive(Default)]
struct Tally {
    found: usize,
    wanted: usize,
    requests: usize,
    differing: usize,
    elapsed_ms: Vec<u64>,
}

impl Tally {
    /// Takes in the answers that are there, so that nothing is kept of them: how many of those whom an all-seeing index knows were
    /// found, of the best that were asked for.
    fn take(&mut self, world: &mut World, asked: &mut Vec<(CommandId, BTreeSet<PublicKey>)>, top: usize) {
        asked.retain(|(id, everyone)| {
            let Some(Reply::Found(Ok(outcome))) = world.take_reply(*id) else { return true };
            let views = outcome.results.iter().map(|found| found.summary.body().view());
            self.found += views.filter(|view| everyone.contains(view)).count();
            self.wanted += everyone.len().min(top);
            let cells = outcome.coverage.cells.as_ref();
            self.requests += cells.map_or(outcome.coverage.asked, |cells| cells.requests);
            self.differing += cells.map_or(0, |cells| cells.differing);
            self.elapsed_ms.push(outcome.elapsed_ms);
            false
        });
    }

    fn print(mut self) {
        self.elapsed_ms.sort_unstable();
        let count = self.elapsed_ms.len();
        let at = |permille: usize| self.elapsed_ms.get(count * permille / 1000).copied().unwrap_or(0);
        println!(
            "{count} searches answered: {} of {} found, {:.1} requests each, {} halves differed, p50 {} ms, p95 {} ms",
            self.found,
            self.wanted,
            self.requests as f64 / count.max(1) as f64,
            self.differing,
            at(500),
            at(950)
        );
    }
}

/// Memory of this process, in megabytes.
fn resident_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
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
