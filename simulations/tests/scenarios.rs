//! Every shipped scenario runs, with a history that is known; and the schema says what the grammar is.
//! `KNACK_BLESS=1` rewrites what is known.

#![allow(clippy::unwrap_used)]

use std::{
    env, fs,
    path::PathBuf,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use knackmesh_simulations::{
    overlay,
    plan::{Assignment, File, Full, Overlay, Plan, SHIPPED, Shipped},
    run::{Asked, Run},
};
use serde_json::{Map, Value, json};

/// What makes a scenario small enough for a test.
fn small(fidelity: &str) -> Vec<Assignment> {
    let settings: &[&str] = match fidelity {
        "overlay" => &["population.nodes=1000", "look_ups=500"],
        _ => &["population.issuers=3", "metrics.every=30 s"],
    };
    settings.iter().map(|setting| setting.parse().unwrap()).collect()
}

fn here(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[track_caller]
fn known(path: &str, found: &Value) {
    let text = format!("{}\n", serde_json::to_string_pretty(found).unwrap());
    if env::var_os("KNACK_BLESS").is_some() {
        fs::write(here(path), &text).unwrap();
    }
    let known = fs::read_to_string(here(path)).unwrap_or_default();
    assert_eq!(known, text, "{path} changed; KNACK_BLESS=1 rewrites it");
}

#[test]
fn the_schema_is_current() {
    known("scenario.schema.json", &Plan::schema().to_value());
}

#[test]
fn every_scenario_file_ships() {
    let files = fs::read_dir(here("scenarios")).unwrap().map(|entry| entry.unwrap().path());
    let names = files.filter(|path| path.extension().is_some_and(|ending| ending == "toml"));
    let mut names: Vec<String> =
        names.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    let mut shipped: Vec<String> = SHIPPED.iter().map(|shipped| shipped.name.to_owned()).collect();
    names.sort();
    shipped.sort();
    assert_eq!(names, shipped);
}

#[test]
fn every_file_beside_the_scenarios_is_lent_to_one_that_says_how_it_was_made() {
    let files = fs::read_dir(here("scenarios")).unwrap().map(|entry| entry.unwrap().file_name());
    let files = files.map(|name| name.into_string().unwrap());
    let mut files: Vec<String> =
        files.filter(|name| !name.ends_with(".toml") && name != "baseline.json").collect();
    let mut lent: Vec<String> =
        SHIPPED.iter().flat_map(|shipped| shipped.files).map(|(name, _)| (*name).to_owned()).collect();
    files.sort();
    lent.sort();
    lent.dedup();
    assert_eq!(files, lent);
    for shipped in SHIPPED.iter().filter(|shipped| !shipped.files.is_empty()) {
        let plan = shipped.plan(&[]).unwrap();
        let inputs: Vec<_> = plan.file.inputs().into_iter().map(|input| input.name).collect();
        let names: Vec<_> = shipped.files.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(inputs, names, "{} names what it is lent", shipped.name);
        assert!(shipped.text.contains("made up"), "{}", shipped.name);
    }
}

#[test]
fn every_shipped_scenario_has_the_history_that_is_known() {
    // As many at once as the machine has room for; each is one thread.
    let next = AtomicUsize::new(0);
    let histories: Vec<Mutex<Value>> = SHIPPED.iter().map(|_| Mutex::default()).collect();
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((at, shipped)) = SHIPPED.iter().enumerate().nth(next.fetch_add(1, Relaxed)) {
                    *histories[at].lock().unwrap() = history(shipped);
                }
            });
        }
    });
    let names = SHIPPED.iter().map(|shipped| shipped.name.to_owned());
    let found: Map<String, Value> =
        names.zip(histories.into_iter().map(|history| history.into_inner().unwrap())).collect();
    known("scenarios/baseline.json", &Value::Object(found));
}

fn history(shipped: &Shipped) -> Value {
    let whole = shipped.plan(&[]).unwrap_or_else(|e| panic!("{}: {e}", shipped.name));
    let plan = shipped.plan(&small(whole.file.fidelity())).unwrap();
    match &plan.file {
        File::Full(file) => full(shipped.name, file),
        File::Overlay(file) => overlay(file),
    }
}

fn full(name: &str, file: &Full) -> Value {
    let mut run = Run::new(file, 1);
    run.advance(u64::MAX).unwrap_or_else(|e| panic!("{name}: {e}"));
    let (world, observed) = (run.world(), run.observed());
    let answered = observed.queries.iter().filter(|query| query.asked == Asked::Answered);
    json!({
        "trace_hash": hex(world.trace_hash()),
        "events": world.events(),
        "queries": observed.queries.len(),
        "answered": answered.clone().count(),
        "relevant": answered.clone().map(|query| query.relevant).sum::<usize>(),
        "hits": answered.map(|query| query.hits).sum::<usize>(),
        "spread": run.spread().len(),
        "known": run.spread().iter().filter(|spread| spread.known.is_some()).count(),
    })
}

fn overlay(file: &Overlay) -> Value {
    let mut run = overlay::Run::new(&file.engine(), 1).unwrap();
    run.step_until(u64::MAX);
    let outcome = run.outcome();
    json!({
        "trace_hash": hex(outcome.trace_hash),
        "events": outcome.events,
        "look_ups": outcome.records.len(),
        "found": outcome.ended(overlay::End::Found),
        "requests": outcome.messages.requests,
    })
}

fn hex(bytes: [u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn looking_and_pausing_change_nothing() {
    let plan = |resolution: &str| {
        let settings = ["duration=40 s", "queries.0.until=40 s", resolution];
        let settings: Vec<Assignment> = settings.iter().map(|setting| setting.parse().unwrap()).collect();
        match Plan::read(SHIPPED[0].text, &settings).unwrap().file {
            File::Full(file) => file,
            File::Overlay(_) => panic!("the first is a full one"),
        }
    };
    let mut whole = Run::new(&plan("metrics.resolution=10 s"), 3);
    whole.advance(u64::MAX).unwrap();
    let mut cut = Run::new(&plan("metrics.resolution=100 ms"), 3);
    let mut until = 0;
    while !cut.is_over() {
        until += 777;
        cut.advance(until).unwrap();
    }
    assert_eq!(whole.world().trace_hash(), cut.world().trace_hash());
    let mut other = Run::new(&plan("metrics.resolution=10 s"), 4);
    other.advance(u64::MAX).unwrap();
    assert_ne!(whole.world().trace_hash(), other.world().trace_hash());
}

#[test]
fn what_scrapers_have_learnt_is_a_part_of_what_was_published() {
    let scrape = SHIPPED.iter().find(|shipped| shipped.name == "attack-scrape").unwrap();
    let settings = ["publications.0.within=60 s", "duration=80 s", "metrics.every=10 s"];
    let settings: Vec<Assignment> = settings.iter().map(|setting| setting.parse().unwrap()).collect();
    let File::Full(file) = Plan::read(scrape.text, &settings).unwrap().file else { panic!("a full one") };
    let mut run = Run::new(&file, 1);
    run.advance(u64::MAX).unwrap();
    let scraped: Vec<_> = run.observed().rows.iter().map(|row| row.scraped.unwrap()).collect();
    assert_eq!(scraped.len(), 9);
    for (earlier, later) in scraped.iter().zip(&scraped[1..]) {
        assert!(earlier.published.people <= later.published.people, "{scraped:?}");
        assert!(earlier.by_queries.claims <= later.by_queries.claims, "what is known stays known");
    }
    for at in &scraped {
        assert!(at.by_either.people <= at.published.people && at.by_either.claims <= at.published.claims);
        assert!(
            at.by_queries.people <= at.by_either.people && at.by_replication.people <= at.by_either.people
        );
    }
    let (middle, end) = (scraped[3], scraped[8]);
    assert!(0 < middle.published.people && middle.published.people < 30, "{middle:?}");
    assert_eq!((end.published.people, end.by_either.people), (30, 30));
    assert_eq!(end.by_either.claims, end.published.claims);
    assert!(end.published.claims > 30, "{end:?}");
}
