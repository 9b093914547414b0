//! A network that lives on: nodes stop and start again, people search, and in the end nobody is lost and memory has not grown.

use std::time::Duration;

use futures::future::join_all;
use knackmesh_protocol::{id::NodeId, vocabulary::Vocabulary};
use serde::Serialize;
use tokio::time::{Instant, sleep};

use super::{
    Mode, Progress, Settings, Started, failed,
    people::{Person, trial},
    questions::{self, Question},
    stages,
};
use crate::{
    bench::process::{Memory, Taken, resident_bytes},
    control::Refusal,
    node::Node,
    sim::{
        machine::{Machine, Program},
        statistics::{quantile, sorted},
        streams::{place, stream},
    },
};

/// How long a network may take until nobody is lost, before nodes come and go and after: three of the comparisons that a node makes
/// by itself.
const SETTLED_MAX: Duration = Duration::from_secs(6 * 60);
/// One node in so many may be down at once.
const DOWN_ONE_IN: usize = 8;
/// Between two rounds, in each of which a node stops or starts, and somebody asks.
const ROUND_MS: u64 = 1500;
const DEADLINE_MS: u64 = 20_000;
/// By how much memory may have grown, as a share of what it was in the second quarter of the time.
const GROWTH_MAX: f64 = 0.10;
/// The same in runs so short that what is remembered for minutes is still being filled.
const GROWTH_SHORT_MAX: f64 = 0.30;
const SHORT: Duration = Duration::from_secs(15 * 60);

/// What a soak showed.
#[derive(Clone, Debug, Serialize)]
pub struct Soak {
    /// The format of this document.
    pub format: &'static str,
    /// Of which program.
    pub program: Program,
    /// On what machine.
    pub machine: Machine,
    /// What that machine had to give.
    pub memory: Memory,
    /// What was run.
    pub settings: Settings,
    /// For how long nodes came and went, in seconds.
    pub lived_seconds: f64,
    /// How long the run took, in seconds, start and end included.
    pub seconds: f64,
    /// Times that a node was stopped.
    pub stops: usize,
    /// Times that one was started again.
    pub starts: usize,
    /// Queries asked meanwhile.
    pub queries: usize,
    /// People that they should have found.
    pub sought: usize,
    /// Those of them that were not found.
    pub unfound: usize,
    /// Summaries that are missing at the end: in full mode at each node, in cells mode of searches for every skill.
    pub lost: usize,
    /// Resident memory of all nodes together in the second quarter of that time, in bytes.
    pub resident_bytes_before: Option<f64>,
    /// In the last quarter.
    pub resident_bytes_after: Option<f64>,
    /// How much it may have grown by then, as a share.
    pub growth_max: f64,
}

impl Soak {
    /// How much memory has grown, as a share.
    pub fn growth(&self) -> Option<f64> {
        let (before, after) = self.resident_bytes_before.zip(self.resident_bytes_after)?;
        (before > 0.0).then(|| after / before - 1.0)
    }

    /// What did not come out as it must.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.lost > 0 {
            faults.push(format!("{} summaries are lost", self.lost));
        }
        // A node that goes down takes what it is asked with it; nothing else may be missed.
        if self.unfound * 100 > self.sought {
            faults.push(format!("{} of {} were not found meanwhile", self.unfound, self.sought));
        }
        if let Some(growth) = self.growth().filter(|growth| *growth > self.growth_max) {
            faults.push(format!("memory has grown by {:.0} %", 100.0 * growth));
        }
        if self.queries == 0 || self.stops == 0 {
            faults.push("nothing happened: the time was too short".to_owned());
        }
        faults
    }
}

/// Runs a network, once all have joined and published, for so long. `progress` is told how it goes.
///
/// # Errors
/// When a node fails.
pub async fn run(settings: &Settings, time: Duration, progress: &Progress<'_>) -> Result<Soak, Refusal> {
    let (vocabulary, machine, empty, begun) =
        (Vocabulary::embedded(), Memory::this(), Taken::now(), Instant::now());
    let mut started = super::start(settings, &vocabulary, progress).await?;
    stages::converge(&started, begun, &empty, progress).await?;
    for published in join_all(started.people.iter().map(Person::publish)).await {
        published?;
    }
    let unplaced = lost(&started, settings, &vocabulary).await?;
    if unplaced > 0 {
        progress(&format!(
            "{unplaced} summaries are not where they belong yet; nodes come and go all the same"
        ));
    }
    let mut soak = Soak {
        format: "knackmesh/bench-soak/1",
        program: Program::this(),
        machine: Machine::this(),
        memory: machine,
        settings: settings.clone(),
        lived_seconds: 0.0,
        seconds: 0.0,
        stops: 0,
        starts: 0,
        queries: 0,
        sought: 0,
        unfound: 0,
        lost: 0,
        resident_bytes_before: None,
        resident_bytes_after: None,
        growth_max: if time < SHORT { GROWTH_SHORT_MAX } else { GROWTH_MAX },
    };
    progress(&format!("{} people published after {:.0} s", settings.nodes, begun.elapsed().as_secs_f64()));
    let born = Instant::now();
    let samples = live(&mut started, settings, &vocabulary, &mut soak, born + time, progress).await?;
    soak.lived_seconds = born.elapsed().as_secs_f64();
    let quarter = |from: f64| {
        let at = |share: f64| (samples.len() as f64 * share) as usize;
        let some = samples.get(at(from)..at(from + 0.25)).unwrap_or_default();
        quantile(&sorted(some.iter().copied()), 0.5)
    };
    (soak.resident_bytes_before, soak.resident_bytes_after) = (quarter(0.25), quarter(0.75));
    soak.lost = lost(&started, settings, &vocabulary).await?;
    for node in started.people.iter_mut().filter_map(|person| person.node.take()) {
        node.stop().await?;
    }
    soak.seconds = begun.elapsed().as_secs_f64();
    Ok(soak)
}

/// Has nodes come and go while others ask; how much memory there was after each round.
async fn live(
    started: &mut Started,
    settings: &Settings,
    vocabulary: &Vocabulary,
    soak: &mut Soak,
    until: Instant,
    progress: &Progress<'_>,
) -> Result<Vec<f64>, Refusal> {
    let rng = &mut stream(settings.seed, 0, "soak");
    let (mut down, mut samples): (Vec<usize>, Vec<f64>) = (Vec::new(), Vec::new());
    let mut told = Instant::now();
    while Instant::now() < until {
        let next = Instant::now() + Duration::from_millis(ROUND_MS);
        // The first stays, so that whoever comes back finds somebody.
        if down.len() >= (settings.nodes / DOWN_ONE_IN).max(1) {
            let back = down.remove(0);
            restart(started, settings, back).await?;
            soak.starts += 1;
        } else {
            let one = 1 + place(rng, settings.nodes - 1);
            if let Some(node) = started.people[one].node.take() {
                node.stop().await?;
                down.push(one);
                soak.stops += 1;
            }
        }
        let kinds = Question::of(settings.mode);
        let question = kinds[place(rng, kinds.len())];
        let up: Vec<usize> = (0..settings.nodes).filter(|n| started.people[*n].node.is_some()).collect();
        let asker = up[place(rng, up.len())];
        let text = question.ask(&started.people, &started.skills, vocabulary, |len| place(rng, len));
        if let Some(text) = text {
            let (person, watch) = (&started.people[asker], &started.watch);
            let answer =
                questions::asked(person, &text, settings.nodes, DEADLINE_MS, watch, vocabulary).await?;
            soak.queries += 1;
            soak.sought += answer.relevant;
            soak.unfound += answer.relevant - answer.hits;
            if answer.hits < answer.relevant {
                let coverage = &answer.report.coverage;
                let cells = coverage.cells.as_ref().map_or(String::new(), |cells| {
                    let missing = cells.missing_estimate.map_or("?".into(), |missing| missing.to_string());
                    let (asked, answered, compared) = (cells.asked, cells.answered, cells.compared);
                    format!("; of {asked} cells {answered} answered, {compared} by both halves; {missing} may be missing")
                });
                progress(&format!(
                    "node {asker}, {text}: {} of {}; asked {} nodes: {} answered, {} unreachable{cells}",
                    answer.hits, answer.relevant, coverage.asked, coverage.answered, coverage.unreachable
                ));
            }
        }
        samples.extend(resident_bytes().map(|bytes| bytes as f64));
        if told.elapsed() > Duration::from_secs(20) {
            told = Instant::now();
            let mib = samples.last().copied().unwrap_or_default() / 1024.0 / 1024.0;
            progress(&format!(
                "{} stops, {} starts, {} queries; {} of {} unfound; {mib:.0} MiB",
                soak.stops, soak.starts, soak.queries, soak.unfound, soak.sought
            ));
        }
        tokio::time::sleep_until(next).await;
    }
    for back in down {
        restart(started, settings, back).await?;
        soak.starts += 1;
    }
    Ok(samples)
}

/// Starts a node that was stopped, from its home, on another port.
async fn restart(started: &mut Started, settings: &Settings, number: usize) -> Result<(), Refusal> {
    let entrance = started.people[0].node.as_ref().map(|node| node.listen.clone());
    let bootstrap = entrance.ok_or_else(|| failed(&"the first node has stopped"))?;
    let person = &mut started.people[number];
    let id = NodeId::of(&person.home.keys()?.node.public());
    let onlooker = started.watch.onlooker(u32::try_from(number).unwrap_or(u32::MAX), id, person.view, None);
    person.config.bootstrap = bootstrap;
    let node = Node::open(&person.home)?.measured(trial(settings), onlooker).start(&person.config).await?;
    person.node = Some(node);
    Ok(())
}

/// How many summaries are missing where all are up and had [`SETTLED_MAX`], or as soon as none is.
async fn lost(started: &Started, settings: &Settings, vocabulary: &Vocabulary) -> Result<usize, Refusal> {
    let until = Instant::now() + SETTLED_MAX;
    loop {
        let lost = match settings.mode {
            Mode::Full => started.held().map(|held| settings.nodes.saturating_sub(held)).sum(),
            Mode::Cells => missed(started, settings, vocabulary).await?,
        };
        if lost == 0 || Instant::now() > until {
            return Ok(lost);
        }
        sleep(Duration::from_millis(500)).await;
    }
}

async fn missed(started: &Started, settings: &Settings, vocabulary: &Vocabulary) -> Result<usize, Refusal> {
    let mut missed = 0;
    for (number, skill) in started.skills.common.iter().enumerate() {
        let asker = &started.people[number % started.people.len()];
        let (text, watch) = (questions::everybody(skill), &started.watch);
        let answer = questions::asked(asker, &text, settings.nodes, DEADLINE_MS, watch, vocabulary).await?;
        missed += answer.relevant - answer.hits;
    }
    Ok(missed)
}
