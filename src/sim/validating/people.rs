//! Real nodes that carry a plan out: the same people as in the model, each with a home, a store, an index and sockets of its
//! own, over connections that have the length which the model gives them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use knackmesh_protocol::{
    credential::TrustList,
    id::Id,
    key::PublicKey,
    message::Item,
    peer::{Change, Input, Output, Wallet},
    query::{Query, parse},
    ranking,
    signed::Signed,
    summary::Summary,
    vocabulary::Vocabulary,
    wire,
};
use knackmesh_simulations::{
    plan::Full,
    population::{Person, Population},
    run::{Deed, agenda},
    scenario::Scenario,
    streams::stream,
    traffic::{Count, Kind},
};
use tempfile::TempDir;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

use super::{
    counters::{self, Received, kind_of},
    failed,
    measured::{Measured, SETTLED_MS},
};
use crate::{
    control::{Exit, ImportOrder, ProfileOrder, QueryOrder, Refusal, Reply, Request, TrustOrder},
    home::{Config, Home},
    network::{Lag, Trial},
    node::{Node, Running, Witness, now},
};

/// Time between the starts of two nodes, as in the model.
const START_EVERY: Duration = Duration::from_millis(20);
/// As the model's searches have it.
const DEADLINE_MS: u64 = 5000;

/// What all witnesses of a run have seen.
#[derive(Default)]
struct Log {
    /// Messages by the hash of their bytes: who published them, and when.
    published: BTreeMap<Id, Instant>,
    /// Those of them that announce a summary.
    announcements: BTreeSet<Id>,
    /// First receipts.
    receipts: Vec<(Id, Instant)>,
    /// What nodes hold from when on, and what they no longer hold.
    changes: Vec<(u32, PublicKey, bool, Instant)>,
    /// Every holder's own summary, as long as it is published.
    truth: BTreeMap<PublicKey, Signed<Summary>>,
    /// Requests, responses and records received.
    received: BTreeMap<Kind, Count>,
}

/// The witness of one node.
struct Onlooker {
    node: u32,
    view: PublicKey,
    received: Received,
    log: Arc<Mutex<Log>>,
}

impl Onlooker {
    fn log(&self) -> std::sync::MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Witness for Onlooker {
    fn enters(&mut self, input: &Input) {
        if let Some((kind, count)) = self.received.enters(input) {
            *self.log().received.entry(kind).or_default() += count;
        }
        if let Input::Gossip { bytes, .. } = input {
            self.log().receipts.push((Id::of(bytes), Instant::now()));
        }
    }

    fn leaves(&mut self, output: &Output) {
        self.received.leaves(output);
        if let Output::Gossip { topic, bytes } = output {
            let (id, mut log) = (Id::of(bytes), self.log());
            log.published.entry(id).or_insert_with(Instant::now);
            if kind_of(topic) == Kind::Announcement {
                log.announcements.insert(id);
            }
        }
    }

    fn changed(&mut self, change: &Change) {
        let (view, holds) = match change {
            Change::Keep(item) => (item.view(), matches!(item, Item::Summary(_))),
            Change::Forget(view) => (*view, false),
            Change::KeepCell(_)
            | Change::ForgetCell(_)
            | Change::Publication { .. }
            | Change::Disclosed { .. } => return,
        };
        let mut log = self.log();
        log.changes.push((self.node, view, holds, Instant::now()));
        if view == self.view {
            match change {
                Change::Keep(Item::Summary(summary)) => drop(log.truth.insert(view, summary.clone())),
                _ => drop(log.truth.remove(&view)),
            }
        }
    }
}

/// Lets real nodes carry a plan out, in real time.
///
/// # Errors
/// When a node fails.
pub async fn people(plan: &Full, seed: u64) -> Result<Measured, Refusal> {
    let scenario = plan.scenario(seed);
    let population = Population::new(&scenario);
    let dir = TempDir::with_prefix("knack-validate-").map_err(|e| {
        Refusal::new(Exit::Failed, format!("no temporary folder: {e}"), "free some disk space")
    })?;
    let log = Arc::new(Mutex::new(Log::default()));
    let persons: Vec<Person> =
        (0..scenario.nodes()).map(|node| population.person(&scenario, node, now())).collect();
    let mut prepared = Vec::new();
    for (node, person) in (0..).zip(&persons) {
        prepared.push(prepare(&dir.path().join(node.to_string()), person).await?);
    }
    let nodes = start(prepared, &persons, &scenario, &log).await?;
    let epoch = Instant::now();
    let mut measured = Measured::default();
    let mut doing = JoinSet::new();
    let mut ordered: Vec<(PublicKey, bool, Instant)> = Vec::new();
    sleep_until(epoch + Duration::from_millis(SETTLED_MS)).await;
    let settled = counted(&nodes, &log).await?;
    for (at, deed) in agenda(plan, &scenario, &population) {
        sleep_until(epoch + Duration::from_millis(at)).await;
        match deed {
            Deed::Publish { node, lease_ms } => {
                let person = &persons[node as usize];
                ordered.push((person.identity.view.public(), true, Instant::now()));
                let request =
                    Request::Publish { lease_ms, present: person.present, proofs: Default::default() };
                ask(&mut doing, &nodes[node as usize], request, None);
            }
            Deed::Withdraw(node) => {
                ordered.push((persons[node as usize].identity.view.public(), false, Instant::now()));
                ask(&mut doing, &nodes[node as usize], Request::Withdraw, None);
            }
            Deed::Search { node, query, top } => {
                let Ok(parsed) = parse(&query, &population.vocabulary, now()) else { continue };
                let relevant = relevant(&log, &parsed.query, &population.vocabulary);
                let order = QueryOrder {
                    query,
                    top: top as usize,
                    deadline_ms: DEADLINE_MS,
                    purpose: "a search".to_owned(),
                    retention_days: 30,
                    contact: "privacy@example.org".to_owned(),
                    fetch: false,
                };
                ask(&mut doing, &nodes[node as usize], Request::Query(order), Some(relevant));
            }
            // A plan that can be validated has none of these.
            Deed::Start(_) | Deed::Stop { .. } | Deed::Part(_) | Deed::Heal => {}
        }
    }
    sleep_until(epoch + Duration::from_millis(plan.duration.0)).await;
    let total = counted(&nodes, &log).await?;
    measured.connections = connections(&nodes).await?;
    for kind in Kind::ALL {
        let (before, after) = (of(&settled, kind), of(&total, kind));
        let count =
            Count { messages: after.0.messages - before.0.messages, bytes: after.0.bytes - before.0.bytes };
        measured.receive(kind, count);
        if kind == Kind::Announcement {
            measured.duplicates += (after.1 - before.1) as f64;
        }
    }
    while let Some(done) = doing.join_next().await {
        let done = done.map_err(|e| failed(&e))??;
        if let (Reply::Found(report), Some(relevant)) = done {
            measured.search.push(report.elapsed_ms as f64);
            let found: BTreeSet<&str> = report.results.iter().map(|row| row.view.as_str()).collect();
            let hits = relevant.iter().filter(|view| found.contains(view.did().as_str())).count();
            if !relevant.is_empty() {
                measured.recall.push(hits as f64 / relevant.len() as f64);
            }
        }
    }
    for node in nodes {
        node.stop().await.map_err(Refusal::from)?;
    }
    let observers = scenario.employers.min(plan.metrics.observers);
    let log = log.lock().unwrap_or_else(PoisonError::into_inner);
    conclude(&mut measured, &log, &ordered, observers);
    Ok(measured)
}

/// A home with the person's keys and credentials, whose node has not joined the network.
async fn prepare(dir: &Path, person: &Person) -> Result<(Node, Config), Refusal> {
    let home = Home::find(Some(dir.to_path_buf()))?;
    let keys = dir.join("keys");
    let write = |name: &str, seed: [u8; 32]| {
        fs::create_dir_all(&keys).and_then(|()| fs::write(keys.join(name), wire::hex(&seed)))
    };
    let identity = &person.identity;
    let named = [("root", &identity.root), ("view", &identity.view), ("node", &identity.node)];
    for (name, key) in named {
        write(name, key.seed()).map_err(|e| failed(&e))?;
    }
    home.init()?;
    let mut node = Node::open(&home)?;
    for (issuer, _) in person.trust.iter() {
        let (issuer, name, skills) = (issuer.clone(), None, Vec::new());
        node.execute(Request::Trust(TrustOrder::Add { issuer, name, distrusted: false, skills })).await?;
    }
    if let Some((content, openings)) = &person.content {
        let ids: BTreeSet<Id> = openings.iter().map(|opening| opening.credential).collect();
        for credential in ids.iter().filter_map(|id| person.purse.credential(id)) {
            let (name, text) = ("credential.json".to_owned(), credential.text().to_owned());
            node.execute(Request::Import(ImportOrder { name, text, email: None })).await?;
        }
        let bare = content.claims().iter().filter(|claim| claim.backing().is_none());
        let claim = bare.map(|claim| (claim.skill().to_string(), claim.level())).collect();
        let terms = Some(content.terms().clone());
        node.execute(Request::Profile(ProfileOrder { terms, claim, drop: Vec::new() })).await?;
    }
    let config = Config { listen: vec!["/ip4/127.0.0.1/tcp/0".to_owned()], ..Config::default() };
    Ok((node, config))
}

/// Starts them one after the other; all join by the first.
async fn start(
    prepared: Vec<(Node, Config)>,
    persons: &[Person],
    scenario: &Scenario,
    log: &Arc<Mutex<Log>>,
) -> Result<Vec<Running>, Refusal> {
    // Nodes by the ports that they listen on.
    let ports: Arc<Mutex<BTreeMap<String, u32>>> = Arc::default();
    let mut nodes: Vec<Running> = Vec::new();
    for (number, (node, config)) in (0..).zip(prepared) {
        let (latency, regions, seed) = (scenario.latency.clone(), scenario.regions, scenario.seed);
        let at = Arc::clone(&ports);
        let lag = Lag::new(move |address| {
            let place = |node| latency.place(node, regions, &mut stream(seed, node, "place"));
            let ports = at.lock().unwrap_or_else(PoisonError::into_inner);
            let other = ports.get(&port(address)).copied().unwrap_or(number);
            Duration::from_millis(latency.least_ms(place(number), place(other)))
        });
        let witness = Onlooker {
            node: number,
            view: persons[number as usize].identity.view.public(),
            received: Received::default(),
            log: Arc::clone(log),
        };
        let trial = Trial { lag: Some(lag), counters: true, ..Trial::default() };
        let bootstrap = nodes.first().map(|first| first.listen.clone()).unwrap_or_default();
        let node = node.measured(trial, Box::new(witness));
        let running = node.start(&Config { bootstrap, ..config }).await.map_err(Refusal::from)?;
        let listens = running.listen.iter().map(|address| (port(address), number));
        ports.lock().unwrap_or_else(PoisonError::into_inner).extend(listens);
        nodes.push(running);
        sleep(START_EVERY).await;
    }
    Ok(nodes)
}

/// The port in a multiaddr.
fn port(address: &str) -> String {
    address.split('/').nth(4).unwrap_or_default().to_owned()
}

type Done = Result<(Reply, Option<BTreeSet<PublicKey>>), Refusal>;

fn ask(doing: &mut JoinSet<Done>, node: &Running, request: Request, relevant: Option<BTreeSet<PublicKey>>) {
    let handle = node.handle.clone();
    doing.spawn(async move { handle.ask(request).await.map(|reply| (reply, relevant)) });
}

/// Who matches a query, as only somebody who sees all can know.
fn relevant(log: &Arc<Mutex<Log>>, query: &Query, vocabulary: &Vocabulary) -> BTreeSet<PublicKey> {
    let trust = TrustList::default();
    let log = log.lock().unwrap_or_else(PoisonError::into_inner);
    let summaries = log.truth.values().map(Signed::body);
    let matching = summaries
        .filter(|summary| ranking::matches(query, summary, &ranking::stated(summary, &trust), vocabulary));
    matching.map(Summary::view).collect()
}

/// Messages received so far by kind, and those of gossip that were duplicates.
type Counts = BTreeMap<Kind, (Count, i64)>;

fn of(counts: &Counts, kind: Kind) -> (Count, i64) {
    counts.get(&kind).copied().unwrap_or_default()
}

async fn counted(nodes: &[Running], log: &Arc<Mutex<Log>>) -> Result<Counts, Refusal> {
    let mut counts: Counts = BTreeMap::new();
    for (kind, count) in &log.lock().unwrap_or_else(PoisonError::into_inner).received {
        counts.entry(*kind).or_default().0 += *count;
    }
    for node in nodes {
        let Some(network) = &node.network else { continue };
        let text = network.snapshot().await.map_err(|e| failed(&e))?.counters;
        counters::gossip(&text, |kind, count, more_duplicates| {
            let (counted, duplicates) = counts.entry(kind).or_default();
            *counted += count;
            *duplicates += more_duplicates;
        });
    }
    Ok(counts)
}

async fn connections(nodes: &[Running]) -> Result<f64, Refusal> {
    let mut sum = 0;
    for node in nodes {
        let Some(network) = &node.network else { continue };
        sum += network.snapshot().await.map_err(|e| failed(&e))?.peers.len();
    }
    Ok(sum as f64 / nodes.len() as f64)
}

/// Takes from the log what is left to be said.
fn conclude(measured: &mut Measured, log: &Log, ordered: &[(PublicKey, bool, Instant)], observers: u32) {
    let ms = |from: Instant, to: Instant| to.saturating_duration_since(from).as_secs_f64() * 1000.0;
    measured.messages = log.published.len() as f64;
    measured.announcements = log.announcements.len() as f64;
    measured.delivery =
        log.receipts.iter().filter_map(|(id, at)| Some(ms(*log.published.get(id)?, *at))).collect();
    for (view, publishes, since) in ordered {
        for observer in 0..observers {
            let known = log.changes.iter().find(|(node, of, holds, at)| {
                *node == observer && of == view && holds == publishes && at >= since
            });
            let Some((_, _, _, at)) = known else { continue };
            let times = if *publishes { &mut measured.discoverable } else { &mut measured.forgotten };
            times.push(ms(*since, *at));
        }
    }
}
