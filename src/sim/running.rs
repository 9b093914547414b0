//! One run, on this thread, against the clock on the wall.

mod full;
mod overlay;

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use knackmesh_simulations::plan::{File, Plan};

use super::{
    inputs,
    machine::{Machine, Program, peak_memory_bytes, thread_cpu_seconds},
    metrics,
    record::{Ending, Manifest, RUN_FORMAT, Record},
};

/// How often a run says how far it is, and looks whether it is to stop.
const TELL_EVERY: Duration = Duration::from_millis(100);

/// How far a run is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// The world's time, in milliseconds since the run began.
    pub now_ms: u64,
    /// Inputs handled.
    pub events: u64,
    /// Inputs handled for each second on the wall clock since everything was set up.
    pub events_per_second: f64,
}

/// An engine at work.
trait Engine {
    /// Whether everything has happened.
    fn is_over(&self) -> bool;
    /// Where it is, in milliseconds of the world's time.
    fn now_ms(&self) -> u64;
    /// Inputs or events handled.
    fn events(&self) -> u64;
    /// Does a part of the work; `size` says how large, and is doubled or halved until a part takes as long as it may.
    fn part(&mut self, size: u64) -> Result<(), Ending>;
    /// Fills the tables of the record.
    fn tables(&self, record: &mut Record);
    /// One hash over everything that happened, in hexadecimal.
    fn trace_hash(&self) -> String;
}

/// Runs a plan to its end, to a broken promise, or until `stop` is set; whatever came of it is recorded.
pub fn run(plan: &Plan, seed: u64, stop: &AtomicBool, tell: impl FnMut(Progress)) -> Record {
    match &plan.file {
        File::Full(file) => drive(plan, seed, || full::engine(file, seed), stop, tell),
        File::Overlay(file) => drive(plan, seed, || overlay::engine(file, seed), stop, tell),
    }
}

fn drive<E: Engine>(
    plan: &Plan,
    seed: u64,
    engine: impl FnOnce() -> E,
    stop: &AtomicBool,
    mut tell: impl FnMut(Progress),
) -> Record {
    let (began, cpu) = (Instant::now(), thread_cpu_seconds());
    let mut engine = engine();
    let set_up = Instant::now();
    let mut size = 100;
    let ending = loop {
        if engine.is_over() {
            break Ending::Whole;
        }
        if stop.load(Ordering::Relaxed) {
            break Ending::Interrupted;
        }
        let before = Instant::now();
        if let Err(ending) = engine.part(size) {
            break ending;
        }
        // As large as it can be without keeping anybody waiting.
        size = match before.elapsed() {
            took if took < TELL_EVERY / 2 => size.saturating_mul(2).min(1 << 40),
            took if took > TELL_EVERY => (size / 2).max(1),
            _ => size,
        };
        let events = engine.events();
        let events_per_second = events as f64 / set_up.elapsed().as_secs_f64().max(1e-9);
        tell(Progress { now_ms: engine.now_ms(), events, events_per_second });
    };
    let wall_seconds = began.elapsed().as_secs_f64();
    let cpu_seconds = thread_cpu_seconds().zip(cpu).map(|(after, before)| after - before);
    let manifest = Manifest {
        format: RUN_FORMAT.to_owned(),
        title: plan.file.title().to_owned(),
        seed,
        trace_hash: engine.trace_hash(),
        partial: ending != Ending::Whole,
        ending,
        reached_ms: engine.now_ms(),
        duration_ms: plan.file.duration().0,
        events: engine.events(),
        nodes: 0,
        attackers: 0,
        orders: None,
        scenario: plan.file.clone(),
        inputs: inputs::hashes(&plan.file.inputs()),
        program: Program::this(),
        machine: Machine::this(),
        wall_seconds,
        setup_seconds: (set_up - began).as_secs_f64(),
        cpu_seconds,
        events_per_second: engine.events() as f64 / wall_seconds.max(1e-9),
        peak_memory_bytes: peak_memory_bytes(),
    };
    let mut record = Record::new(manifest);
    engine.tables(&mut record);
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
