//! From publishing to being discoverable: 50 real nodes on loopback in one process, each with keys, store, index and sockets
//! of its own. Each node publishes in turn; a sample is the time from the start of `publish` until one other node can
//! answer a query with the new summary. So each publication gives 49 samples.

use std::time::{Duration, Instant};

use futures::future::join_all;
use knackmesh::{
    control::{ProfileOrder, Request},
    home::{Config, Home},
    node::{Node, Running},
};
use knackmesh_protocol::{consent::Present, skill::Level};
use tokio::sync::watch;

const NODES: usize = 50;
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let begun = Instant::now();
    let mut nodes: Vec<Running> = Vec::new();
    for n in 0..NODES {
        let bootstrap = nodes.first().map(|n| n.listen.clone()).unwrap_or_default();
        nodes.push(start(dir.path().join(n.to_string()), bootstrap).await);
    }
    tokio::time::sleep(Duration::from_secs(8)).await;
    println!("{NODES} nodes on loopback, settled after {:.1} s", begun.elapsed().as_secs_f64());

    let mut samples: Vec<Duration> = Vec::new();
    let mut missed = 0;
    for (n, node) in nodes.iter().enumerate() {
        let others = nodes.iter().enumerate().filter(|(other, _)| *other != n);
        let watchers: Vec<_> = others.map(|(_, other)| other.summaries.clone()).collect();
        let since = Instant::now();
        node.handle
            .ask(Request::Publish {
                lease_ms: 3_600_000,
                present: Present::Anyone,
                proofs: Default::default(),
            })
            .await
            .expect("the node publishes");
        let seen = join_all(watchers.into_iter().map(|w| discoverable(w, n + 1, since))).await;
        missed += seen.iter().filter(|s| s.is_none()).count();
        samples.extend(seen.into_iter().flatten());
    }
    samples.sort();
    let at = |p: f64| samples[((samples.len() - 1) as f64 * p) as usize].as_secs_f64() * 1000.0;
    println!("| samples | missed | p50 | p90 | p99 | max |");
    println!("|---|---|---|---|---|---|");
    println!(
        "| {} | {missed} | {:.0} ms | {:.0} ms | {:.0} ms | {:.0} ms |",
        samples.len(),
        at(0.50),
        at(0.90),
        at(0.99),
        at(1.0)
    );
    join_all(nodes.into_iter().map(Running::stop)).await;
}

async fn start(dir: std::path::PathBuf, bootstrap: Vec<String>) -> Running {
    let home = Home::find(Some(dir)).expect("a folder");
    home.init().expect("a home");
    let listen = vec!["/ip4/127.0.0.1/udp/0/quic-v1".to_owned()];
    let node = Node::open(&home).expect("a store");
    let node = node.start(&Config { listen, bootstrap, ..Config::default() }).await.expect("a network");
    let claim = vec![("rust".to_owned(), Level::MAX)];
    node.handle
        .ask(Request::Profile(ProfileOrder { terms: None, claim, drop: Vec::new() }))
        .await
        .expect("a profile");
    node
}

async fn discoverable(mut held: watch::Receiver<usize>, count: usize, since: Instant) -> Option<Duration> {
    let wait = held.wait_for(|held| *held >= count);
    match tokio::time::timeout(PATIENCE, wait).await {
        Ok(Ok(_)) => Some(since.elapsed()),
        _ => None,
    }
}
