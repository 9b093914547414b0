//! One run, on this thread, against the clock on the wall.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use knackmesh_simulations::{
    plan::Plan,
    run::{QueryRow, Run, Spread},
    world::START,
};

use super::{
    machine::{Machine, Program, peak_memory_bytes, thread_cpu_seconds},
    metrics,
    record::{Ending, LoadLine, Manifest, MessageLine, QueryLine, RUN_FORMAT, Record, SpreadLine, TimeLine},
};

/// How often a run says how far it is, and looks whether it is to stop.
const TELL_EVERY: Duration = Duration::from_millis(100);
/// The longest piece of the world's time between two looks, in milliseconds.
const SLICE_MAX_MS: u64 = 60_000;

/// How far a run is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// The world's time, in milliseconds since the run began.
    pub now_ms: u64,
    /// When it ends.
    pub end_ms: u64,
    /// Inputs handled.
    pub events: u64,
    /// Inputs handled for each second on the wall clock.
    pub events_per_second: f64,
}

/// Runs a plan to its end, to a broken promise, or until `stop` is set; whatever came of it is recorded.
pub fn run(plan: &Plan, seed: u64, stop: &AtomicBool, mut tell: impl FnMut(Progress)) -> Record {
    let (began, cpu) = (Instant::now(), thread_cpu_seconds());
    let mut run = Run::new(plan, seed);
    let end_ms = plan.file.duration.0;
    let mut slice_ms = plan.file.metrics.resolution.0;
    let ending = loop {
        if run.is_over() {
            break Ending::Whole;
        }
        if stop.load(Ordering::Relaxed) {
            break Ending::Interrupted;
        }
        let before = Instant::now();
        if let Err(violation) = run.advance(run.now_ms() + slice_ms) {
            break violation.into();
        }
        // As long as it can be without keeping anybody waiting.
        slice_ms = match before.elapsed() {
            took if took < TELL_EVERY / 2 => (slice_ms * 2).min(SLICE_MAX_MS),
            took if took > TELL_EVERY => (slice_ms / 2).max(1),
            _ => slice_ms,
        };
        let events = run.world().events();
        let events_per_second = events as f64 / began.elapsed().as_secs_f64().max(1e-9);
        tell(Progress { now_ms: run.now_ms(), end_ms, events, events_per_second });
    };
    let wall_seconds = began.elapsed().as_secs_f64();
    let cpu_seconds = thread_cpu_seconds().zip(cpu).map(|(after, before)| after - before);
    record(plan, seed, &run, ending, (wall_seconds, cpu_seconds))
}

fn record(
    plan: &Plan,
    seed: u64,
    run: &Run,
    ending: Ending,
    (wall_seconds, cpu_seconds): (f64, Option<f64>),
) -> Record {
    let world = run.world();
    let manifest = Manifest {
        format: RUN_FORMAT.to_owned(),
        title: plan.file.title.clone(),
        seed,
        trace_hash: hex(&world.trace_hash()),
        partial: ending != Ending::Whole,
        ending,
        reached_ms: run.now_ms(),
        duration_ms: plan.file.duration.0,
        events: world.events(),
        nodes: world.scenario.nodes(),
        scenario: plan.file.clone(),
        program: Program::this(),
        machine: Machine::this(),
        wall_seconds,
        cpu_seconds,
        events_per_second: world.events() as f64 / wall_seconds.max(1e-9),
        peak_memory_bytes: peak_memory_bytes(),
    };
    let tally = world.tally();
    let messages = tally.by_kind().iter();
    let mut record = Record {
        manifest,
        summary: Default::default(),
        queries: run.observed().queries.iter().map(query_line).collect(),
        spreading: run.spread().iter().map(spread_line).collect(),
        messages: messages
            .map(|(kind, load)| MessageLine {
                kind: kind.clone(),
                messages: load.messages,
                bytes: load.bytes,
            })
            .collect(),
        load: (0..world.scenario.nodes())
            .map(|node| {
                let load = tally.by_node().get(&node).copied().unwrap_or_default();
                LoadLine { node, messages: load.messages, bytes: load.bytes }
            })
            .collect(),
        timeseries: run.observed().rows.iter().map(time_line).collect(),
    };
    record.summary = metrics::summary(&record);
    record
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn seconds(ms: u64) -> f64 {
    ms as f64 / 1000.0
}

fn query_line(row: &QueryRow) -> QueryLine {
    QueryLine {
        at_s: seconds(row.at_ms),
        node: row.node,
        query: row.text.clone(),
        outcome: row.asked.name().to_owned(),
        latency_ms: row.elapsed_ms,
        relevant: row.relevant,
        found: row.found,
        hits: row.hits,
        recall: row.recall(),
        withheld: row.withheld,
        presented: row.presented,
        asked: row.asked_nodes,
        answered: row.answered_nodes,
    }
}

fn spread_line(row: &Spread) -> SpreadLine {
    SpreadLine {
        what: row.what.name().to_owned(),
        node: row.node,
        observer: row.observer,
        since_s: seconds(row.since.since_ms(START)),
        after_s: row.known.map(|known| seconds(known.since_ms(row.since))),
    }
}

fn time_line(row: &knackmesh_simulations::run::Row) -> TimeLine {
    TimeLine {
        at_s: seconds(row.at_ms),
        running: row.running,
        published: row.published,
        coverage: row.coverage,
        stale: row.stale,
        events: row.events,
        messages: row.messages,
        bytes: row.bytes,
    }
}
