//! `knack bench`: real nodes that are measured. What depends on the machine is not looked at.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{finish, knack};

/// A network of seven with a small crowd; the report.
#[track_caller]
fn measured(mode: &str) -> Value {
    let dir = TempDir::new().expect("a folder");
    let out = dir.path().join("out");
    let mut command = knack();
    command.args(["bench", "network", "--nodes", "7", "--queries", "4", "--crowd", "230", "--idle", "1s"]);
    command.args(["--mode", mode, "--json", "--out"]).arg(&out);
    let report = finish(&mut command).ok().json();
    let written = fs::read_to_string(out.join("report.json")).expect("a report");
    assert_eq!(serde_json::from_str::<Value>(&written).expect("JSON"), report);
    report
}

#[track_caller]
fn holds(report: &Value, questions: usize, carriers: usize) {
    let publishing = &report["publishing"];
    assert_eq!(publishing["publications"], 7, "{publishing:#}");
    for nothing in ["missed", "under_replicated"] {
        assert_eq!(publishing[nothing], 0, "{publishing:#}");
    }
    let queries = report["queries"].as_array().expect("queries");
    assert_eq!(queries.len(), questions);
    for asked in queries {
        assert_eq!(asked["queries"], 4, "{asked:#}");
        assert_eq!(asked["recall_least"], 1.0, "{asked:#}");
        assert_eq!(asked["surplus"], 0, "{asked:#}");
    }
    let crowd = &report["crowd"];
    assert_eq!((&crowd["people"], &crowd["carriers"]), (&230.into(), &carriers.into()), "{crowd:#}");
    assert_eq!(crowd["found"], serde_json::json!([230, 230, 230]));
    for each in [&publishing["each"], &report["per_query"]] {
        let bytes = each["bytes"].as_object().expect("kinds");
        assert!(bytes.values().all(|count| count.as_f64().is_some_and(|count| count > 0.0)), "{each:#}");
    }
}

#[test]
fn full_replicas_find_everybody_by_every_kind_of_query() {
    let report = measured("full");
    holds(&report, 5, 2);
    // All six others have a summary by gossip, the nearest of them at first hand.
    assert_eq!(report["publishing"]["discoverable_ms"]["samples"], 42);
    assert!(report["publishing"]["each"]["messages"]["announcement"].as_f64().is_some_and(|n| n >= 6.0));
    assert!(report["per_query"]["messages"]["search"].as_f64().is_some_and(|n| n >= 12.0), "{report:#}");
}

#[test]
fn nodes_that_keep_cells_find_everybody_who_has_a_skill() {
    let report = measured("cells");
    // Each key may place sixteen at once.
    holds(&report, 4, 15);
    let each = &report["publishing"]["each"]["messages"];
    assert!(each["placement"].as_f64().is_some_and(|n| n > 0.0), "{each:#}");
    assert!(each["announcement"].is_null(), "nobody reads announcements: {each:#}");
}

/// One of seven nodes withholds: its half of the people are found at the others that keep their cells.
#[test]
fn who_withholds_hides_nobody_among_seven() {
    let mut command = knack();
    command.args(["bench", "network", "--nodes", "7", "--queries", "3", "--idle", "1s", "--mode", "cells"]);
    let report = finish(command.args(["--hostile", "withhold", "--json"])).ok().json();
    let attacked = &report["hostile"];
    assert_eq!((&attacked["who"], &attacked["nodes"]), (&"withhold".into(), &1.into()), "{attacked:#}");
    let queries = attacked["queries"].as_array().expect("queries");
    assert_eq!(queries.len(), 4);
    let everybody = [&attacked["everybody_before"], &attacked["everybody"]];
    for asked in queries.iter().chain(everybody) {
        assert_eq!((&asked["queries"], &asked["recall_least"]), (&3.into(), &1.0.into()), "{asked:#}");
    }
}

#[test]
fn a_network_too_small_is_refused() {
    let outcome = finish(knack().args(["bench", "network", "--nodes", "1"]));
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert!(outcome.stderr.contains("two nodes at least"), "{outcome:?}");
    let outcome = finish(knack().args(["bench", "network", "--nodes", "4", "--hostile", "withhold"]));
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert!(outcome.stderr.contains("none would withhold"), "{outcome:?}");
}
