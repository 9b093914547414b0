//! Settings and a seed have one history, however it is stepped through.

use knackmesh_simulations::overlay::{Bootstrap, Run, Settings};

use crate::{run, small};

#[test]
fn the_same_seed_has_the_same_history_and_another_has_another() {
    let first = run(&small(), 7);
    let again = run(&small(), 7);
    assert_eq!(first.trace_hash, again.trace_hash);
    assert_eq!(first.records, again.records);
    assert_ne!(first.trace_hash, run(&small(), 8).trace_hash);
}

/// The same on every machine: if this changes, the version must.
#[test]
fn a_history_has_its_known_name() {
    let hash = run(&small(), 7).trace_hash;
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, "012675d26385c524ff30f1d17b86ae172f97e2a710fcc0958ccc92ed63f52bc9");
}

#[test]
fn a_run_in_slices_is_the_same_run() {
    let whole = run(&small(), 7);
    let mut sliced = Run::new(&small(), 7).unwrap();
    let mut until_ms = 0;
    while !sliced.step_until(until_ms) {
        assert!(sliced.now_ms() <= until_ms);
        until_ms += 777;
    }
    assert_eq!(sliced.outcome().trace_hash, whole.trace_hash);

    let mut counted = Run::new(&small(), 7).unwrap();
    while !counted.step(u64::MAX, 100) {
        assert!(counted.events().is_multiple_of(100));
    }
    assert_eq!(counted.outcome().trace_hash, whole.trace_hash);
    assert_eq!(counted.begun(), 600);
}

#[test]
fn one_more_node_leaves_the_draws_of_the_others() {
    let one_more = Settings { nodes: 1001, bootstrap: Bootstrap::Complete, ..small() };
    let settings = Settings { nodes: 1000, ..one_more.clone() };
    let (before, after) = (run(&settings, 7).records, run(&one_more, 7).records);
    let same = before
        .iter()
        .zip(&after)
        .filter(|(a, b)| (a.began_ms, a.from, a.target) == (b.began_ms, b.from, b.target));
    // Those for which the new number was drawn are drawn anew.
    let same = same.count();
    assert!(same >= before.len() - 10, "{same}");
}
