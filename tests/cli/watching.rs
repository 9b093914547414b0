//! What an owner sees of a node: `peers`, `doctor`, metrics.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::Stdio,
};

use serde_json::Value;

use crate::harness::{Knack, finish, until};

/// The state of a check by its name.
fn state(report: &Value, check: &str) -> String {
    let checks = report["checks"].as_array().expect("checks");
    let found = checks.iter().find(|row| row["check"] == check);
    found.unwrap_or_else(|| panic!("no check {check}: {report:#}"))["state"]
        .as_str()
        .expect("a state")
        .to_owned()
}

#[test]
fn peers_and_doctor_tell_how_two_nodes_stand() {
    let [mut ada, mut ben] = Knack::cast(["ada", "ben"]);
    let stopped = ada.json(&["doctor"]);
    assert_eq!((&stopped["healthy"], state(&stopped, "network").as_str()), (&true.into(), "skipped"));
    ada.up(&[]);
    let alone = finish(ada.command(&["doctor"]).arg("--json"));
    assert_eq!((alone.code, state(&alone.json(), "peers").as_str()), (Some(1), "wrong"));
    ben.up(ada.listen());
    let peers = until("ada pings ben", || {
        let peers = ada.json(&["peers"]);
        peers[0]["rtt_ms"].is_number().then_some(peers)
    });
    let peer = &peers[0];
    assert_eq!(
        (&peer["outbound"], &peer["relayed"], &peer["serves"]),
        (&false.into(), &false.into(), &true.into())
    );
    assert!(peer["agent"].as_str().is_some_and(|agent| agent.starts_with("knackmesh/")), "{peer}");
    let report = until("ben is healthy", || {
        let report = finish(ben.command(&["doctor"]).arg("--json"));
        let report = (report.code == Some(0)).then(|| report.json())?;
        (state(&report, "gossip") == "good").then_some(report)
    });
    for check in ["home", "store", "index", "listening", "bootstrap", "peers", "versions", "reachability"] {
        assert_eq!(state(&report, check), "good", "{report:#}");
    }
    // A damaged home is told apart, and what to do is said.
    assert!(ben.stop().success());
    std::fs::write(ben.home().join("keys").join("root"), "lost").expect("written");
    let damaged = finish(ben.command(&["doctor"]).arg("--json"));
    assert_eq!((damaged.code, state(&damaged.json(), "home").as_str()), (Some(1), "wrong"));
    assert!(damaged.json()["checks"][0]["try"].as_str().is_some_and(|hint| !hint.is_empty()));
}

#[test]
fn metrics_are_served_on_this_machine_alone_and_name_nobody() {
    let ada = Knack::new("ada");
    let refused = finish(&mut ada.command(&["up", "--metrics", "0.0.0.0:0"]));
    assert_eq!(refused.code, Some(2), "{refused:?}");
    let mut command = ada.command(&["up", "--listen", "/ip4/127.0.0.1/tcp/0", "--metrics", "127.0.0.1:0"]);
    let mut node = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program runs");
    let mut stderr = BufReader::new(node.stderr.take().expect("piped"));
    let mut line = String::new();
    stderr.read_line(&mut line).expect("a line");
    let address = line.trim().strip_prefix("metrics at http://").and_then(|l| l.strip_suffix("/metrics"));
    let address = address.unwrap_or_else(|| panic!("no address: {line}")).to_owned();
    let get = |path: &str| {
        let mut stream = TcpStream::connect(&address).expect("it listens");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    };
    finish(&mut ada.command(&["query", "rust"]));
    let answer = get("/metrics");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let figures = ["knack_searches_total 1", "knack_reachable 1", "knack_peers 0", "libp2p_", "# EOF"];
    for figure in figures {
        assert!(answer.contains(figure), "{figure}: {answer}");
    }
    let peer_id = ada.status()["peer_id"].as_str().expect("an id").to_owned();
    assert!(!answer.contains("rust") && !answer.contains(&peer_id), "{answer}");
    assert!(get("/").starts_with("HTTP/1.1 404 "));
    node.kill().expect("our child");
    node.wait().expect("our child");
}
