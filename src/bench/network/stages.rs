//! The stages of a measurement, one after the other.

use std::time::Duration;

use futures::future::join_all;
use knackmesh_protocol::vocabulary::Vocabulary;
use tokio::time::{Instant, sleep, timeout};

use super::{
    Asked, CONNECTED_MIN, CONVERGED_MAX, Idle, Mode, PerDeed, Progress, Publishing, Question, Settings,
    Spread, Start, Started, Traffic, failed, mismatch,
    people::Person,
    questions::{self, Answer},
};
use crate::{
    bench::process::{Taken, cpu_percent},
    control::{Refusal, Reply, Request},
    sim::{
        statistics::mean,
        streams::{place, stream},
    },
};

/// How long a network is left to itself before anything is measured: connections too many are closed at ten seconds of age.
const SETTLE: Duration = Duration::from_secs(12);
/// How long a publication may take until it is found.
const FOUND_MAX: Duration = Duration::from_secs(60);
/// Between two publications; the more nodes share the machine, the longer: the look-ups of each connect most of them.
const PUBLISH_EVERY_MS: u64 = 200;
/// The longest that a query may take.
const DEADLINE_MS: u64 = 20_000;

/// Waits until every node has enough others.
pub(super) async fn converge(
    started: &Started,
    begun: Instant,
    empty: &Taken,
    progress: &Progress<'_>,
) -> Result<(Start, Taken), Refusal> {
    let enough = CONNECTED_MIN.min(started.people.len() - 1) as f64;
    let converged = async {
        loop {
            let connected = started.connected().await?;
            let lacking = connected.iter().filter(|count| **count < enough).count();
            if lacking == 0 {
                return Ok::<_, Refusal>(connected);
            }
            progress(&format!("{lacking} nodes have fewer than {enough} others"));
            sleep(Duration::from_millis(500)).await;
        }
    };
    let connected = timeout(CONVERGED_MAX, converged).await;
    let connected = connected.map_err(|_| failed(&"the nodes do not find each other"))??;
    let now = Taken::now();
    let start = Start {
        converged_seconds: begun.elapsed().as_secs_f64(),
        cpu_seconds: now.cpu_seconds.zip(empty.cpu_seconds).map(|(now, before)| now - before),
        connected: connected.iter().sum::<f64>() / connected.len() as f64,
        connected_least: connected.iter().copied().fold(f64::INFINITY, f64::min),
        connected_most: connected.iter().copied().fold(0.0, f64::max),
        descriptors: now.descriptors,
    };
    sleep(SETTLE).await;
    Ok((start, Taken::now()))
}

/// Looks at what the network takes while nobody does anything.
pub(super) async fn leave_alone(
    started: &Started,
    settings: &Settings,
    empty: &Taken,
    before: Taken,
    progress: &Progress<'_>,
) -> Result<Idle, Refusal> {
    progress("left alone");
    sleep(Duration::from_millis(settings.idle_ms)).await;
    let after = Taken::now();
    let nodes = started.people.len() as f64;
    let seconds = after.at.duration_since(before.at).as_secs_f64();
    let over_loopback = after.loopback_bytes.zip(before.loopback_bytes);
    let grown = after.resident_bytes.zip(empty.resident_bytes);
    Ok(Idle {
        seconds,
        cpu_percent_each: cpu_percent(&before, &after).map(|percent| percent / nodes),
        resident_bytes_each: grown.map(|(now, before)| now.saturating_sub(before) as f64 / nodes),
        resident_bytes: after.resident_bytes,
        connected: mean(&started.connected().await?).map(|mean| mean.mean).unwrap_or_default(),
        loopback_bytes_per_second_each: over_loopback
            .map(|(after, before)| after.saturating_sub(before) as f64 / seconds / nodes),
    })
}

/// Lets everybody publish, one after the other.
pub(super) async fn publish(
    started: &Started,
    settings: &Settings,
    idle: &Idle,
    vocabulary: &Vocabulary,
    progress: &Progress<'_>,
) -> Result<Publishing, Refusal> {
    let people = &started.people;
    // Where searches show when somebody is found, they are not among what a publication costs.
    let alone = match settings.mode {
        Mode::Full => people.len(),
        Mode::Cells => people.len().div_ceil(2),
    };
    let (before, taken) = (started.traffic().await?, Taken::now());
    let mut ordered = Vec::new();
    let every = between_publications(settings, people.len());
    for (number, person) in people.iter().take(alone).enumerate() {
        let next = Instant::now() + every;
        ordered.push(Instant::now());
        person.publish().await?;
        if (number + 1).is_multiple_of(25) {
            progress(&format!("{} of {} people published", number + 1, people.len()));
        }
        tokio::time::sleep_until(next).await;
    }
    if settings.mode == Mode::Full {
        started.all_hold(people.len(), FOUND_MAX).await;
    }
    placed(started).await?;
    let each = cost(alone, idle, people.len(), (&before, &taken), (&started.traffic().await?, &Taken::now()));
    let (mut times, mut missed) = (Vec::new(), 0);
    for (number, person) in people.iter().enumerate() {
        if number < alone && settings.mode == Mode::Full {
            let kept = started.watch.log().kept(&person.view);
            let since = ordered[number];
            let others = kept.iter().filter(|(node, _)| **node as usize != number);
            times.extend(others.map(|(_, at)| at.saturating_duration_since(since).as_secs_f64() * 1000.0));
            missed += people.len() - kept.len().min(people.len());
        }
        if number >= alone {
            let observer = &people[(number * 7 + 3) % alone];
            let found = searched_for(started, person, observer, vocabulary).await?;
            match found {
                Some(ms) => times.push(ms),
                None => missed += 1,
            }
            if (number + 1).is_multiple_of(25) {
                progress(&format!("{} of {} people published", number + 1, people.len()));
            }
        }
    }
    let under_replicated = placed(started).await?;
    Ok(Publishing {
        publications: people.len(),
        discoverable_ms: Spread::of(times),
        missed,
        under_replicated,
        hops: Spread::of(started.watch.log().hops()),
        each,
    })
}

/// So that the machine is not busy all the time, and times are those of the network.
fn between_publications(settings: &Settings, nodes: usize) -> Duration {
    let each_ms = match settings.mode {
        Mode::Full => 16,
        Mode::Cells => 8,
    };
    Duration::from_millis(PUBLISH_EVERY_MS.max(each_ms * nodes as u64))
}

/// Lets everybody publish once more; how many people are kept by too few nodes.
pub(super) async fn publish_again(
    started: &Started,
    settings: &Settings,
    progress: &Progress<'_>,
) -> Result<usize, Refusal> {
    let every = between_publications(settings, started.people.len());
    for (number, person) in started.people.iter().enumerate() {
        let next = Instant::now() + every;
        person.publish().await?;
        if (number + 1).is_multiple_of(25) {
            progress(&format!("{} of {} people published again", number + 1, started.people.len()));
        }
        tokio::time::sleep_until(next).await;
    }
    placed(started).await
}

/// Publishes for one person while another searches, over and over; when it was found, in milliseconds.
async fn searched_for(
    started: &Started,
    person: &Person,
    observer: &Person,
    vocabulary: &Vocabulary,
) -> Result<Option<f64>, Refusal> {
    let skills: Vec<String> = person.skills.iter().map(|skill| format!("<{skill}>")).collect();
    let (text, top) = (skills.join(" AND "), started.people.len());
    let since = Instant::now();
    let found = async {
        person.publish().await?;
        loop {
            let answer =
                questions::asked(observer, &text, top, DEADLINE_MS, &started.watch, vocabulary).await?;
            let view = person.view.did().to_string();
            if answer.report.results.iter().any(|row| row.view == view) {
                return Ok::<_, Refusal>(since.elapsed().as_secs_f64() * 1000.0);
            }
        }
    };
    timeout(FOUND_MAX, found).await.ok().transpose()
}

/// Waits until nobody's summary is on its way into cells; how many people are kept by too few nodes.
async fn placed(started: &Started) -> Result<usize, Refusal> {
    let until = Instant::now() + FOUND_MAX;
    loop {
        let (mut under_way, mut short) = (0, 0);
        for answer in join_all(started.people.iter().map(|person| person.ask(&Request::Status))).await {
            let Reply::Status(status) = answer? else { return Err(mismatch()) };
            let Some(placement) = status.placement else { continue };
            under_way += usize::from(placement.in_progress);
            short += usize::from(!placement.under_replicated.is_empty());
        }
        if under_way == 0 || Instant::now() > until {
            return Ok(short);
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// Asks queries of every kind, one after the other: before hostile nodes began, if there are any, or after that.
pub(super) async fn ask(
    started: &Started,
    settings: &Settings,
    idle: &Idle,
    is_after: bool,
    vocabulary: &Vocabulary,
    progress: &Progress<'_>,
) -> Result<(Vec<Asked>, PerDeed), Refusal> {
    let people = &started.people;
    let (before, taken) = (started.traffic().await?, Taken::now());
    let rng = &mut stream(settings.seed, 0, "questions");
    let (mut all, mut count) = (Vec::new(), 0);
    for question in Question::of(settings.mode) {
        let mut answers: Vec<Answer> = Vec::new();
        for _ in 0..settings.queries {
            let asker = asker(settings, place(rng, people.len()), is_after);
            let Some(text) = question.ask(people, &started.skills, vocabulary, |len| place(rng, len)) else {
                continue;
            };
            let answer = questions::asked(
                &people[asker],
                &text,
                people.len(),
                DEADLINE_MS,
                &started.watch,
                vocabulary,
            );
            answers.push(answer.await?);
        }
        count += answers.len();
        let asked = summarised(*question, &answers);
        progress(&format!("{} asked: a recall of {:?}", question.name(), asked.recall));
        all.push(asked);
    }
    let each = cost(count, idle, people.len(), (&before, &taken), (&started.traffic().await?, &Taken::now()));
    Ok((all, each))
}

/// Asks for everybody with the skill that hostile nodes are after, from one node after the other.
pub(super) async fn ask_everybody(
    started: &Started,
    settings: &Settings,
    idle: &Idle,
    is_after: bool,
    vocabulary: &Vocabulary,
) -> Result<(Asked, PerDeed), Refusal> {
    let skill = started.sought();
    let people = &started.people;
    let (before, taken) = (started.traffic().await?, Taken::now());
    let (text, mut answers) = (questions::everybody(skill), Vec::new());
    for number in 0..settings.queries {
        let asker = &people[asker(settings, (number * 7 + 3) % people.len(), is_after)];
        let (top, watch) = (people.len(), &started.watch);
        answers.push(questions::asked(asker, &text, top, DEADLINE_MS, watch, vocabulary).await?);
    }
    let after = (&started.traffic().await?, &Taken::now());
    let each = cost(answers.len(), idle, people.len(), (&before, &taken), after);
    Ok((summarised(Question::Everybody, &answers), each))
}

/// Who asks instead of a node that was drawn. Where nodes turn hostile, those that asked before remember whom to ask, so others ask
/// afterwards; hostile ones ask nothing.
fn asker(settings: &Settings, drawn: usize, is_after: bool) -> usize {
    let asker = match settings.hostile {
        None => drawn,
        Some(_) => drawn - drawn % 2 + usize::from(is_after),
    };
    let asker = asker.min(settings.nodes - 1);
    if settings.withholds(asker) { asker - 2 } else { asker }
}

fn summarised(question: Question, answers: &[Answer]) -> Asked {
    let average = |of: &dyn Fn(&Answer) -> usize| {
        let values: Vec<f64> = answers.iter().map(|answer| of(answer) as f64).collect();
        mean(&values).map(|mean| mean.mean).unwrap_or_default()
    };
    let recalls: Vec<f64> = answers.iter().filter_map(Answer::recall).collect();
    Asked {
        question,
        queries: answers.len(),
        relevant: average(&|answer| answer.relevant),
        recall: mean(&recalls).map(|mean| mean.mean),
        recall_least: recalls.iter().copied().min_by(f64::total_cmp),
        surplus: answers.iter().map(|answer| answer.surplus).sum(),
        ms: Spread::of(answers.iter().map(|answer| answer.report.elapsed_ms as f64)),
        asked: average(&|answer| answer.report.coverage.asked),
        inquired: average(&|answer| answer.report.coverage.inquired),
        presented: average(&|answer| answer.report.coverage.presented),
    }
}

/// What one of so many deeds cost, from looks before and after all of them.
fn cost(
    deeds: usize,
    idle: &Idle,
    nodes: usize,
    before: (&Traffic, &Taken),
    after: (&Traffic, &Taken),
) -> PerDeed {
    let ((traffic, taken), (traffic_after, taken_after)) = (before, after);
    let of = deeds.max(1) as f64;
    let seconds = taken_after.at.duration_since(taken.at).as_secs_f64();
    let background = seconds * nodes as f64;
    let mut each = PerDeed { of: deeds, ..PerDeed::default() };
    for (kind, count) in &traffic_after.received {
        let before = traffic.received.get(kind).copied().unwrap_or_default();
        if count.messages > before.messages {
            each.messages.insert(kind.name(), (count.messages - before.messages) as f64 / of);
            each.bytes.insert(kind.name(), (count.bytes - before.bytes) as f64 / of);
        }
    }
    each.duplicates = (traffic_after.duplicates - traffic.duplicates) as f64 / of;
    each.look_up_requests = (traffic_after.look_up_requests - traffic.look_up_requests) as f64 / of;
    let over_loopback = taken_after.loopback_bytes.zip(taken.loopback_bytes);
    each.loopback_bytes =
        over_loopback.zip(idle.loopback_bytes_per_second_each).map(|((after, before), rate)| {
            (after.saturating_sub(before) as f64 - rate * background).max(0.0) / of
        });
    let busy = taken_after.cpu_seconds.zip(taken.cpu_seconds);
    each.cpu_seconds = busy
        .zip(idle.cpu_percent_each)
        .map(|((after, before), percent)| (after - before - percent / 100.0 * background).max(0.0) / of);
    each
}
