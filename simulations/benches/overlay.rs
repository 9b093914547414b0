//! What the overlay's look-ups cost: the published workload (k = 20, alpha = 3, 100,000 look-ups in an hour, 20 to 200 ms) on one
//! thread, with nodes introduced to each other and with complete tables.
//!
//! The rate is given twice: by the clock, and by the time that the processor was ours, which is what other work on the machine does
//! not change (from Linux's `/proc`; elsewhere it is left out). Setting up is timed by the latter.
//!
//! 10,000 and 100,000 nodes, unless numbers of nodes are given: `cargo bench --bench overlay -- 1000000`, or `-- 1000000 rounds=1`.

#![allow(clippy::unwrap_used)]

use std::{hint::black_box, time::Instant};

use knackmesh_simulations::overlay::{Bootstrap, Outcome, Run, Settings};

/// Of each line, unless told otherwise; the machine is rarely alone with us.
const ROUNDS: usize = 5;

fn main() {
    let given: Vec<u32> = std::env::args().skip(1).filter_map(|arg| arg.parse().ok()).collect();
    let sizes = if given.is_empty() { vec![10_000, 100_000] } else { given };
    let rounds = std::env::args()
        .find_map(|arg| arg.strip_prefix("rounds=")?.parse().ok())
        .filter(|rounds| *rounds > 0)
        .unwrap_or(ROUNDS);
    println!("best and median of {rounds} runs of one seed, each on one thread; setting up is timed apart");
    println!(
        "| nodes | tables | set up, s of own time | events | events/s, best | median | of own time, best | median | messages | latency, ms | found, % | hops | bytes a node |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    for nodes in sizes {
        for bootstrap in [Settings::default().bootstrap, Bootstrap::Complete] {
            line(&Settings { nodes, bootstrap, ..Settings::default() }, rounds);
        }
    }
}

fn line(settings: &Settings, rounds: usize) {
    let (mut set_up, mut rates, mut own_rates) = (Vec::new(), Vec::new(), Vec::new());
    let mut last: Option<Outcome> = None;
    for _ in 0..rounds {
        let own_begun = own_seconds();
        let mut run = Run::new(black_box(settings), 1).unwrap();
        set_up.push(own_seconds() - own_begun);
        let (begun, own_begun) = (Instant::now(), own_seconds());
        assert!(run.step_until(u64::MAX));
        rates.push(run.events() as f64 / begun.elapsed().as_secs_f64());
        own_rates.push(run.events() as f64 / (own_seconds() - own_begun));
        let outcome = run.outcome();
        assert!(last.as_ref().is_none_or(|last| last.trace_hash == outcome.trace_hash));
        last = Some(outcome);
    }
    set_up.sort_by(f64::total_cmp);
    rates.sort_by(f64::total_cmp);
    own_rates.sort_by(f64::total_cmp);
    let outcome = last.unwrap();
    let hops: u64 = outcome.records.iter().map(|record| u64::from(record.hops)).sum();
    println!(
        "| {} | {} | {:.2} | {} | {:.0} | {:.0} | {:.0} | {:.0} | {} | {:.0} | {:.1} | {:.2} | {:.0} |",
        settings.nodes,
        match settings.bootstrap {
            Bootstrap::Complete => "complete".to_owned(),
            Bootstrap::Introduced { random, near } => format!("{random} + {near}"),
        },
        set_up[0],
        outcome.events,
        rates[rounds - 1],
        rates[rounds / 2],
        own_rates[rounds - 1],
        own_rates[rounds / 2],
        outcome.messages.total(),
        outcome.latency_mean_ms().unwrap(),
        outcome.found().unwrap() * 100.0,
        hops as f64 / outcome.records.len() as f64,
        outcome.bytes_per_node()
    );
}

/// For how long a processor has worked for this thread; not a number where that is not known.
fn own_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|word| word.parse::<f64>().ok());
    nanoseconds.map_or(f64::NAN, |nanoseconds| nanoseconds / 1e9)
}
