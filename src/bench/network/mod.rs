//! A network of many real nodes in this process: how soon what is published is found, what that and a search cost, and whether
//! everybody is found; and whether it stays so ([`soak`]).
//!
//! The nodes are asked through their control sockets. What they hold and send is taken from what enters and leaves their
//! peers ([`crate::node::Witness`]) and from libp2p's counters; who should be found, from a list of all that is published.

mod crowd;
mod hostile;
mod people;
mod questions;
mod report;
pub mod soak;
mod stages;
mod watch;

use std::{
    fmt::Display,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use knackmesh_protocol::{cell::Epoch, limits, vocabulary::Vocabulary};
use serde::Serialize;
use tempfile::TempDir;
use tokio::time::{Instant, sleep, sleep_until, timeout};

pub use self::{
    crowd::Crowd,
    hostile::{Attacked, Hostile},
    questions::Question,
    report::{Asked, Idle, PerDeed, Publishing, Report, Spread, Start},
};
use self::{
    people::{Person, Skills, prepare, trial},
    watch::Watch,
};
use super::process::{Memory, Taken};
use crate::{
    control::{Exit, Refusal},
    home::{Config, Home, ReplicaSetting},
    node::Node,
    sim::{Count, Kind, machine, validating::counters},
};

/// Nodes by which all others join.
const ENTRANCES: usize = 4;
/// Connected nodes that are enough.
const CONNECTED_MIN: usize = limits::PEERS_LOW;
/// Nodes that start as fast as they can be started.
const STARTED_AT_ONCE: usize = 50;
/// How long each later one is given, for each that is there: the first look-ups of a newcomer reach all of some hundred nodes, and a
/// connection takes some six milliseconds of processor. Nodes that start while the machine is busy with that only dial each other.
const START_EACH: Duration = Duration::from_millis(8);
/// How long a network may take until every node has them.
const CONVERGED_MAX: Duration = Duration::from_secs(300);

/// What is measured.
#[derive(Clone, Debug, Serialize)]
pub struct Settings {
    /// Nodes.
    pub nodes: usize,
    /// How much each keeps.
    pub mode: Mode,
    /// Over what they talk.
    pub transport: Transport,
    /// Decides who has which skills, and what is asked.
    pub seed: u64,
    /// Queries of each kind.
    pub queries: usize,
    /// People with one and the same skill, published by few nodes; none is not measured.
    pub crowd: usize,
    /// Who is hostile, once everything was measured without.
    pub hostile: Option<Hostile>,
    /// Connections of its own that a node keeps at most; as many as nodes have in use when `None`.
    pub connections: Option<usize>,
    /// How long the network is left alone to see what it takes then, in milliseconds.
    pub idle_ms: u64,
}

impl Settings {
    /// How a node is run whose addresses are in a subnet of its own, if addresses are to be told apart at all.
    pub fn config(&self, subnet: usize) -> Config {
        let mut config = Config { listen: vec![self.listen(subnet, 1)], ..Config::default() };
        config.network.count_loopback = self.tells_apart();
        config.network.metrics = true;
        config.keeping.replica = self.mode.replica();
        config
    }

    /// Where to listen.
    pub fn listen(&self, subnet: usize, host: usize) -> String {
        let ip = match self.tells_apart() {
            true => format!("127.{}.{}.{host}", 1 + subnet / 250, subnet % 250),
            false => "127.0.0.1".to_owned(),
        };
        self.transport.listen(&ip)
    }

    /// libp2p dials by TCP from whatever address the system chooses, which is one for all of loopback.
    fn tells_apart(&self) -> bool {
        self.hostile.is_some() && self.transport == Transport::Quic
    }
}

/// How much each node keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Everything.
    Full,
    /// The cells that the network places on it.
    Cells,
}

impl Mode {
    fn replica(self) -> ReplicaSetting {
        match self {
            Mode::Full => ReplicaSetting::Full,
            Mode::Cells => ReplicaSetting::Cells,
        }
    }

    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Full => "full",
            Mode::Cells => "cells",
        }
    }
}

/// Over what nodes talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// TCP: two descriptors a connection, since both its ends are here.
    Tcp,
    /// QUIC: one descriptor a node, and more memory a connection.
    Quic,
}

impl Transport {
    fn listen(self, ip: &str) -> String {
        match self {
            Transport::Tcp => format!("/ip4/{ip}/tcp/0"),
            Transport::Quic => format!("/ip4/{ip}/udp/0/quic-v1"),
        }
    }
}

/// Is told what is being done.
pub type Progress<'a> = dyn Fn(&str) + Send + Sync + 'a;

/// A network that runs.
pub struct Started {
    people: Vec<Person>,
    skills: Skills,
    watch: Watch,
    /// Where to join.
    entrances: Vec<String>,
    /// Set once nodes turn hostile that are.
    begun: Arc<AtomicBool>,
    /// Dropped last.
    dir: TempDir,
}

/// Runs the network and measures it. `progress` is told of each step.
///
/// # Errors
/// When a node fails or the nodes do not find each other; what is found or missed is no error.
pub async fn run(settings: &Settings, progress: &Progress<'_>) -> Result<Report, Refusal> {
    if settings.nodes < 2 {
        return Err(Refusal::new(Exit::Usage, "a network has two nodes at least", "name more with --nodes"));
    }
    if settings.hostile == Some(Hostile::Withhold)
        && !(0..settings.nodes).any(|node| settings.withholds(node))
    {
        let message = format!("of {} nodes none would withhold: one in five does", settings.nodes);
        return Err(Refusal::new(Exit::Usage, message, "name five at least with --nodes"));
    }
    let vocabulary = Vocabulary::embedded();
    let machine = Memory::this();
    let empty = Taken::now();
    let begun = Instant::now();
    let overlapped = days_overlap();
    if overlapped {
        progress(
            "the day (UTC) ends within the hour: everything is placed for the next one as well, at several times the work",
        );
    }
    let started = start(settings, &vocabulary, progress).await?;
    let (start, settled) = stages::converge(&started, begun, &empty, progress).await?;
    let idle = stages::leave_alone(&started, settings, &empty, settled, progress).await?;
    let publishing = stages::publish(&started, settings, &idle, &vocabulary, progress).await?;
    let (queries, per_query) = stages::ask(&started, settings, &idle, false, &vocabulary, progress).await?;
    let crowd = match settings.crowd {
        0 => None,
        _ => Some(crowd::measure(&started, settings, &vocabulary, progress).await?),
    };
    let hostile = match settings.hostile {
        None => None,
        Some(who) => Some(hostile::measure(&started, settings, who, &idle, &vocabulary, progress).await?),
    };
    let end = Taken::now();
    let peak_bytes = machine::peak_memory_bytes();
    progress("stopping");
    let stopping = started.people.into_iter().filter_map(|person| person.node).map(|node| node.stop());
    for stopped in futures::future::join_all(stopping).await {
        stopped?;
    }
    Ok(Report {
        format: "knackmesh/bench-network/1",
        program: machine::Program::this(),
        machine: machine::Machine::this(),
        memory: machine,
        settings: settings.clone(),
        start,
        idle,
        publishing,
        queries,
        per_query,
        crowd,
        hostile,
        peak_bytes,
        end_bytes: end.resident_bytes,
        cpu_seconds: end.cpu_seconds.zip(empty.cpu_seconds).map(|(end, begin)| end - begin),
        seconds: begun.elapsed().as_secs_f64(),
        days_overlap: overlapped || days_overlap(),
    })
}

/// Whether cells have the places of two days now.
fn days_overlap() -> bool {
    let now = crate::node::now();
    Epoch::of(now).is_ending(now)
}

/// Sets all homes up, then starts their nodes one after the other.
async fn start(
    settings: &Settings,
    vocabulary: &Vocabulary,
    progress: &Progress<'_>,
) -> Result<Started, Refusal> {
    let dir = TempDir::with_prefix("knack-bench-").map_err(|e| {
        Refusal::new(Exit::Failed, format!("no temporary folder: {e}"), "free some disk space")
    })?;
    let skills = Skills::of(vocabulary)?;
    let academy = Home::find(Some(dir.path().join("academy")))?;
    academy.init()?;
    let mut issuer = Node::open(&academy)?;
    let (watch, begun) = (Watch::default(), Arc::default());
    let (mut people, mut entrances): (Vec<Person>, Vec<String>) = (Vec::new(), Vec::new());
    for number in (0..).take(settings.nodes) {
        let mut prepared = prepare(dir.path(), number, settings, &skills, &mut issuer).await?;
        let person = &mut prepared.person;
        person.config.bootstrap = entrances.clone();
        let turned = settings.turned(number as usize, &person.home, &begun)?;
        let onlooker = watch.onlooker(number, prepared.id, person.view, turned);
        let next = Instant::now() + START_EACH * number;
        let node = prepared.node.measured(trial(settings), onlooker).start(&person.config).await?;
        if entrances.len() < ENTRANCES {
            entrances.extend(node.listen.iter().cloned());
        }
        person.node = Some(node);
        people.push(prepared.person);
        if people.len().is_multiple_of(25) {
            progress(&format!("{} of {} nodes started", people.len(), settings.nodes));
        }
        if people.len() > STARTED_AT_ONCE {
            sleep_until(next).await;
        }
    }
    Ok(Started { people, skills, watch, entrances, begun, dir })
}

/// What all nodes have received so far, and what look-ups took.
#[derive(Clone, Debug, Default)]
struct Traffic {
    received: std::collections::BTreeMap<Kind, Count>,
    duplicates: i64,
    look_up_requests: u64,
}

impl Started {
    /// The home of one more node.
    fn home(&self, name: &str) -> Result<Home, Refusal> {
        Ok(Home::find(Some(self.dir.path().join(name)))?)
    }

    /// What all nodes have received so far by requests.
    fn received(&self) -> Count {
        let mut all = Count::default();
        self.watch.log().received().into_values().for_each(|count| all += count);
        all
    }

    async fn traffic(&self) -> Result<Traffic, Refusal> {
        let mut traffic = Traffic { received: self.watch.log().received(), ..Traffic::default() };
        for network in self.people.iter().filter_map(|person| person.node.as_ref()?.network.as_ref()) {
            let text = network.snapshot().await.map_err(|e| failed(&e))?.counters;
            counters::gossip(&text, |kind, count, more_duplicates| {
                *traffic.received.entry(kind).or_default() += count;
                traffic.duplicates += more_duplicates;
            });
            traffic.look_up_requests += counters::look_up_requests(&text);
        }
        Ok(traffic)
    }

    /// Connected nodes of each node.
    async fn connected(&self) -> Result<Vec<f64>, Refusal> {
        let mut all = Vec::new();
        for network in self.people.iter().filter_map(|person| person.node.as_ref()?.network.as_ref()) {
            all.push(network.snapshot().await.map_err(|e| failed(&e))?.peers.len() as f64);
        }
        Ok(all)
    }

    /// Summaries that each node can answer with.
    fn held(&self) -> impl Iterator<Item = usize> {
        let nodes = self.people.iter().filter_map(|person| person.node.as_ref());
        nodes.map(|node| *node.summaries.borrow())
    }

    /// Waits until every node holds so many; false when one does not in time.
    async fn all_hold(&self, count: usize, patience: Duration) -> bool {
        let all = async {
            while self.held().any(|held| held < count) {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(patience, all).await.is_ok()
    }
}

/// A measurement that came to no end.
fn failed(what: &dyn Display) -> Refusal {
    let hint =
        "fewer nodes with --nodes, or a machine that has less to do; RUST_LOG=info shows what a node says";
    Refusal::new(Exit::Failed, what.to_string(), hint)
}

/// A node answered another kind of question: our own mistake.
fn mismatch() -> Refusal {
    Refusal::new(Exit::Failed, "a node answered another question", "report this")
}
