//! Figures of a network without faults.

use knackmesh_simulations::overlay::{Bootstrap, End, Latency, Settings};

use crate::{run, small};

#[test]
fn without_faults_all_is_found_in_a_few_rounds() {
    let complete = Settings { bootstrap: Bootstrap::Complete, ..small() };
    let outcome = run(&complete, 1);
    assert_eq!(outcome.ended(End::Found), 600);
    for record in &outcome.records {
        assert_eq!(record.timeouts, 0);
        // The k nearest are asked and a few on the way.
        assert!((20..40).contains(&record.requests), "{record:?}");
        assert!((1..=4).contains(&record.hops), "{record:?}");
        assert!((7 * 40..7 * 2 * 400).contains(&record.latency_ms), "{record:?}");
    }
    let messages = outcome.messages;
    assert_eq!(messages.requests, messages.responses);
    assert_eq!(messages.contacts, messages.responses * 20);
    assert_eq!(messages.requests, outcome.records.iter().map(|r| u64::from(r.requests)).sum::<u64>());
    assert_eq!(outcome.events, 600 + messages.total());
    assert_eq!(messages.total(), outcome.handled.iter().map(|handled| u64::from(*handled)).sum::<u64>());
    let bytes = messages.request_bytes() + messages.response_bytes();
    assert_eq!(bytes, outcome.handled_bytes.iter().sum::<u64>());
    assert_eq!(messages.lost + messages.undelivered + messages.dropped + messages.upkeep, 0);
}

#[test]
fn hops_grow_like_the_logarithm() {
    let hops = |nodes| {
        let settings = Settings { nodes, k: 4, bootstrap: Bootstrap::Complete, ..small() };
        let outcome = run(&settings, 1);
        outcome.records.iter().map(|record| f64::from(record.hops)).sum::<f64>() / 600.0
    };
    let (small, middle, large) = (hops(64), hops(512), hops(4096));
    assert!(middle - small > 0.5 && large - middle > 0.5, "{small} {middle} {large}");
    assert!(((large - middle) - (middle - small)).abs() < 0.5, "{small} {middle} {large}");
}

#[test]
fn latency_is_that_of_the_rounds() {
    let latency = Latency::Uniform { min_ms: 100, max_ms: 100 };
    let outcome = run(&Settings { latency, bootstrap: Bootstrap::Complete, ..small() }, 1);
    for record in &outcome.records {
        assert_eq!(record.latency_ms % 200, 0);
        assert!(record.latency_ms >= record.requests.div_ceil(3) * 200);
    }
}

#[test]
fn a_node_takes_less_than_three_kilobytes() {
    let outcome = run(&Settings { nodes: 10_000, look_ups: 10, ..small() }, 1);
    assert!(outcome.bytes_per_node() < 3000.0, "{:?}", outcome.memory);
}

#[test]
fn the_smallest_networks_run() {
    for (nodes, k, paths) in [(2, 1, 1), (2, 20, 8), (3, 2, 2), (17, 1, 1), (40, 2, 2)] {
        for bootstrap in [Bootstrap::Complete, Bootstrap::Introduced { random: 3, near: 3 }] {
            let outcome = run(&Settings { nodes, k, paths, bootstrap, look_ups: 50, ..small() }, 1);
            assert_eq!(outcome.records.len(), 50);
            assert_eq!(outcome.ended(End::Open), 0);
        }
    }
    assert_eq!(run(&Settings { look_ups: 0, ..small() }, 1).events, 0);
}
