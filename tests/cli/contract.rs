//! What scripts read: the fields of `--json`, by name and kind.

use serde_json::Value;

use crate::harness::{Knack, finish, knack, until};

/// What a field must be.
type Kind = fn(&Value) -> bool;

/// Each path exists in `value` and is of its kind.
#[track_caller]
fn check(value: &Value, fields: &[(&str, Kind)]) {
    for (path, is) in fields {
        let pointer = format!("/{}", path.replace('.', "/"));
        let found = value.pointer(&pointer);
        assert!(found.is_some_and(is), "{path}: {found:?} in {value:#}");
    }
}

fn instant(v: &Value) -> bool {
    v.as_str().is_some_and(|t| t.parse::<knackmesh_protocol::time::Timestamp>().is_ok())
}

#[test]
fn the_objects_of_query_and_status_have_the_agreed_fields() {
    let [mut school, mut ada] = Knack::cast(["school", "ada"]);
    let stopped = school.status();
    check(
        &stopped,
        &[
            ("running", |v| v == false),
            ("did", Value::is_string),
            ("peer_id", Value::is_string),
            ("listen", |v| v.as_array().is_some_and(Vec::is_empty)),
            ("peers", |v| v == 0),
            ("index.summaries", |v| v == 0),
            ("published_until", Value::is_null),
            ("protocols.kad", Value::is_string),
        ],
    );
    school.award(&ada, "rust", 4);
    school.up(&[]);
    ada.up(school.listen());
    let published = ada.json(&["publish", "--present", "anyone"]);
    check(&published, &[("published_until", instant), ("view", Value::is_string)]);
    let running = ada.status();
    check(
        &running,
        &[
            ("running", |v| v == true),
            ("listen.0", Value::is_string),
            ("published_until", instant),
            ("index.summaries", |v| v == 1),
        ],
    );
    school.knows(1);
    let report = until("school asks ada", || {
        let report = finish(&mut school.command(&["query", "rust", "--json"]));
        (report.code == Some(0)).then(|| report.json())
    });
    check(
        &report,
        &[
            ("query", |v| v == "rust"),
            ("results.0.rank", |v| v == 1),
            ("results.0.holder", Value::is_string),
            ("results.0.score", Value::is_i64),
            ("results.0.verified", |v| v == true),
            ("results.0.recognised", |v| v == false),
            ("results.0.claims.0", Value::is_object),
            ("results.0.expires", instant),
            ("results.0.explanation.0.term", Value::is_string),
            ("results.0.explanation.0.points", Value::is_i64),
            ("coverage.asked", Value::is_u64),
            ("coverage.answered", Value::is_u64),
            ("coverage.unreachable", Value::is_u64),
            ("coverage.index_age_seconds", |v| v.is_null() || v.is_u64()),
            ("elapsed_ms", Value::is_u64),
        ],
    );
    let word = |v: &Value| {
        v.as_str().is_some_and(|v| ["PASS", "FAIL", "STALE", "NOT_CHECKED", "NOT_APPLICABLE"].contains(&v))
    };
    for check_name in ["untampered", "trusted_issuer", "trusted_holder", "unrevoked", "unexpired", "fresh"] {
        assert!(word(&report["results"][0]["checks"][0][check_name]), "{check_name}: {report:#}");
    }
    assert!(report["results"][0]["checks"][0]["credential"].is_string());
    let terms = report["results"][0]["explanation"].as_array().expect("terms");
    let sum: i64 = terms.iter().filter_map(|t| t["points"].as_i64()).sum();
    assert_eq!(report["results"][0]["score"], sum, "the terms sum to the score");
    let why = school.json(&["why", "1"]);
    assert_eq!(why["result"]["score"], report["results"][0]["score"]);
    let peers = school.json(&["peers"]);
    check(&peers, &[("0.peer_id", Value::is_string), ("0.address", Value::is_string)]);
}

#[test]
fn every_command_prints_one_json_value() {
    let home = Knack::new("home");
    let [other] = Knack::cast(["other"]);
    home.json(&["init"]);
    let file = other.issue(&home, "rust", 3);
    assert!(other.json(&["issue", "--to", &home.did(), "--skill", "rust", "--level", "3"]).is_object());
    assert!(home.json(&["import", &file]).is_array());
    assert!(home.json(&["verify", &file]).is_object());
    assert!(home.json(&["credentials"]).is_array());
    assert!(home.json(&["profile", "--region", "DE", "--language", "de", "--mode", "remote"]).is_object());
    assert!(home.json(&["preview"]).is_object());
    assert!(home.json(&["publish"]).is_object());
    assert!(home.json(&["peers"]).is_array());
    assert!(home.json(&["disclosures"]).is_array());
    assert!(home.json(&["status"]).is_object());
    assert!(home.json(&["trust", "add", &other.did()]).is_array());
    assert!(home.json(&["trust", "list"]).is_array());
    assert!(home.json(&["trust", "remove", &other.did()]).is_array());
    home.query("rust");
    assert!(home.json(&["why"]).is_object());
    assert!(home.json(&["withdraw"]).is_object());
    // Several files, of which one fails: still one value, and its exit code.
    let mixed = finish(&mut home.command(&["import", &file, "/nonexistent", "--json"]));
    assert_eq!(mixed.code, Some(1), "{mixed:?}");
    assert_eq!(mixed.json().as_array().map(Vec::len), Some(2));
}

#[test]
fn the_demonstration_tells_everything_in_one_object() {
    let report = finish(knack().args(["demo", "--json"])).ok().json();
    check(
        &report,
        &[
            ("query", Value::is_string),
            ("results.0.holder", Value::is_string),
            ("coverage.answered", |v| v.as_u64() > Some(0)),
            ("network.nodes", |v| v.as_u64() >= Some(8)),
            ("network.professionals", Value::is_u64),
            ("network.issuers", Value::is_u64),
            ("withheld.0.because", Value::is_string),
            ("timings_ms.query", Value::is_u64),
        ],
    );
}
