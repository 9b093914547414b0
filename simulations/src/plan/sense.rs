//! Whether a file that follows the grammar makes sense: what the types cannot say.

use std::collections::BTreeSet;

use knackmesh_protocol::{
    limits::{LEASE_MAX_MS, LEASE_MIN_MS},
    query::parse,
    vocabulary::Vocabulary,
};

use super::{
    Ask, Assignment, Duration, File, Kind, PlanError, Position, Publications, Queries, Rate, Who, Withdrawals,
};
use crate::{
    scenario::{Latency, Scenario},
    streams::entry,
    world::START,
};

/// Most nodes with a full peer each.
const NODES_MAX: u32 = 10_000;
/// Most events that a Poisson process may be expected to have.
const DRAWN_MAX: u64 = 1_000_000;
/// Most values of all swept keys together.
const SWEPT_MAX: usize = 1000;

/// What is wrong, and with which key.
pub(super) struct Senseless {
    key: String,
    message: String,
}

impl Senseless {
    /// With its place in the text, unless a setting is to blame.
    pub(super) fn located(self, text: &str, settings: &[Assignment]) -> PlanError {
        let Senseless { key, message } = self;
        let set = settings.iter().any(|setting| setting.key == key);
        if set {
            return PlanError::Setting { key, message };
        }
        PlanError::Senseless { position: position(text, &key), key, message }
    }
}

/// Where the value of a key stands; where the key is not there, its table.
fn position(text: &str, key: &str) -> Option<Position> {
    use toml::de::{DeTable, DeValue};
    let parsed = DeTable::parse(text).ok()?;
    let mut parts = key.split('.');
    let (name, mut value) = parsed.get_ref().get_key_value(parts.next()?)?;
    let mut at = name.span();
    for part in parts {
        value = match value.get_ref() {
            DeValue::Table(table) => match table.get_key_value(part) {
                Some((name, value)) => {
                    at = name.span();
                    value
                }
                None => break,
            },
            DeValue::Array(list) => match part.parse().ok().and_then(|n: usize| list.get(n)) {
                Some(value) => {
                    at = value.span();
                    value
                }
                None => break,
            },
            _ => break,
        };
    }
    Some(Position::of(text, at.start))
}

/// The world of a file and a seed.
pub(super) fn scenario(file: &File, seed: u64) -> Scenario {
    let (population, network) = (&file.population, &file.network);
    let mut scenario = Scenario {
        seed,
        employers: population.employers,
        professionals: population.professionals,
        issuers: population.issuers,
        attacks: file
            .adversaries
            .iter()
            .flat_map(|(attack, count)| std::iter::repeat_n(*attack, *count as usize))
            .collect(),
        skills: population.skills as usize,
        ask_every: population.ask_every,
        degree: network.degree as usize,
        regions: network.regions,
        latency: Latency {
            near_ms: network.latency.near.0,
            far_ms: network.latency.far.0,
            jitter_ms: u32::try_from(network.latency.jitter.0).unwrap_or(u32::MAX),
        },
        loss_permille: network.loss.0 / 1000,
        late: BTreeSet::new(),
    };
    // Which nodes are meant is drawn as the agenda draws it.
    for (n, arrival) in file.arrivals.iter().enumerate() {
        let nodes = arrival.who.nodes(&scenario, &mut entry(seed, "arrivals", n));
        scenario.late.extend(nodes);
    }
    scenario
}

/// # Errors
/// The first thing that makes no sense.
pub(super) fn check(file: &File) -> Result<(), Senseless> {
    let wrong = |key: &str, message: String| Err(Senseless { key: key.to_owned(), message });
    let population = &file.population;
    if file.duration.0 == 0 {
        return wrong("duration", "nothing happens in no time".to_owned());
    }
    let hostile = file.adversaries.values().fold(0, |sum: u32, n| sum.saturating_add(*n));
    let nodes = population.employers.saturating_add(population.professionals).saturating_add(hostile);
    if !(2..=NODES_MAX).contains(&nodes) {
        return wrong("population", format!("{nodes} nodes; fidelity full runs from 2 to {NODES_MAX}"));
    }
    let counts = [
        ("population.issuers", population.issuers, 1, 1000),
        ("population.skills", population.skills, 4, 100_000),
        ("network.degree", file.network.degree, 1, 100),
        ("network.regions", file.network.regions, 1, 1000),
        ("metrics.recall_at", file.metrics.recall_at, 1, 100),
        ("metrics.observers", file.metrics.observers, 0, NODES_MAX),
    ];
    for (key, count, least, most) in counts {
        if !(least..=most).contains(&count) {
            return wrong(key, format!("{count} is not from {least} to {most}"));
        }
    }
    if !file.network.loss.0.is_multiple_of(1000) {
        return wrong(
            "network.loss",
            format!("{} is not modelled: loss has steps of 0.1 %", file.network.loss),
        );
    }
    let latency = &file.network.latency;
    for (key, delay) in [("near", latency.near), ("far", latency.far), ("jitter", latency.jitter)] {
        if delay.0 > 60_000 {
            return wrong(&format!("network.latency.{key}"), format!("{delay} is more than a minute"));
        }
    }
    if file.metrics.resolution.0 == 0 || file.metrics.every.0 == 0 {
        return wrong("metrics", "there is no looking all the time; the least is 1 ms".to_owned());
    }
    let scenario = scenario(file, 0);
    Agenda { file, scenario: &scenario }.check()?;
    swept(file)
}

/// What is to happen, against who is there and how long there is.
struct Agenda<'a> {
    file: &'a File,
    scenario: &'a Scenario,
}

impl Agenda<'_> {
    fn check(&self) -> Result<(), Senseless> {
        let file = self.file;
        for (n, arrival) in file.arrivals.iter().enumerate() {
            self.who(&format!("arrivals.{n}"), &arrival.who)?;
            self.time(format!("arrivals.{n}.at"), arrival.at)?;
        }
        for (n, Publications { who, at, within, rate, from, until, lease }) in
            file.publications.iter().enumerate()
        {
            let key = format!("publications.{n}");
            self.timing(&key, &Timing { who, at, within, rate, from, until })?;
            if matches!(who.kind, Kind::Employer | Kind::Node) {
                return Err(Senseless {
                    key: format!("{key}.who"),
                    message: "employers have nothing to publish".into(),
                });
            }
            if !(LEASE_MIN_MS..=LEASE_MAX_MS).contains(&lease.0) {
                let (least, most) = (Duration(LEASE_MIN_MS), Duration(LEASE_MAX_MS));
                let message = format!("{lease} is not from {least} to {most}");
                return Err(Senseless { key: format!("{key}.lease"), message });
            }
        }
        for (n, Withdrawals { who, at, within, rate, from, until }) in file.withdrawals.iter().enumerate() {
            self.timing(&format!("withdrawals.{n}"), &Timing { who, at, within, rate, from, until })?;
        }
        let vocabulary = Vocabulary::embedded();
        for (n, Queries { who, at, within, rate, from, until, ask }) in file.queries.iter().enumerate() {
            let key = format!("queries.{n}");
            self.timing(&key, &Timing { who, at, within, rate, from, until })?;
            let refuse = |message| Senseless { key: format!("{key}.ask"), message };
            let asked: Ask = ask.parse().map_err(|e| refuse(format!("{e}")))?;
            let most = self.scenario.skills;
            if asked.rank_max().is_some_and(|rank| rank as usize > most) {
                return Err(refuse(format!("`{ask}`: only {most} skills are in use")));
            }
            // Any skill does: whether it is a query does not depend on which.
            let Some(any) = vocabulary.skills().first() else { continue };
            parse(&asked.fill(|_| any.id.clone()), &vocabulary, START)
                .map_err(|e| refuse(format!("`{ask}`: {e}")))?;
        }
        for (n, outage) in file.outages.iter().enumerate() {
            self.who(&format!("outages.{n}"), &outage.who)?;
            self.time(format!("outages.{n}.at"), outage.at)?;
        }
        self.partitions()
    }

    fn partitions(&self) -> Result<(), Senseless> {
        let mut free = Some(Duration(0));
        for (n, partition) in self.file.partitions.iter().enumerate() {
            let wrong =
                |key: &str, message: String| Err(Senseless { key: format!("partitions.{n}.{key}"), message });
            self.time(format!("partitions.{n}.begin"), partition.begin)?;
            if !(2..=8).contains(&partition.sides) {
                return wrong("sides", format!("{} is not from 2 to 8", partition.sides));
            }
            if free.is_none_or(|free| partition.begin < free) {
                return wrong("begin", "the partition before has not healed by then".into());
            }
            if partition.heal.is_some_and(|heal| heal <= partition.begin) {
                return wrong("heal", "a partition heals after it began".into());
            }
            free = partition.heal;
        }
        Ok(())
    }

    fn timing(&self, key: &str, timing: &Timing<'_>) -> Result<(), Senseless> {
        let wrong = |part: &str, message: &str| {
            Err(Senseless { key: format!("{key}.{part}"), message: message.to_owned() })
        };
        self.who(key, timing.who)?;
        match (timing.at, timing.rate) {
            (None, None) => return wrong("at", "say when: `at` a time, or at a `rate`"),
            (Some(_), Some(_)) => return wrong("rate", "either `at` a time or at a `rate`"),
            (Some(_), None) if timing.from.or(*timing.until).is_some() => {
                return wrong("from", "`from` and `until` go with a `rate`");
            }
            (None, Some(_)) if timing.within.is_some() => return wrong("within", "`within` goes with `at`"),
            _ => {}
        }
        let parts = [("at", timing.at), ("from", timing.from), ("until", timing.until)];
        for (part, time) in parts.into_iter().filter_map(|(part, time)| Some((part, (*time)?))) {
            self.time(format!("{key}.{part}"), time)?;
        }
        if let (Some(at), Some(within)) = (timing.at, timing.within) {
            self.time(format!("{key}.within"), Duration(at.0.saturating_add(within.0)))?;
        }
        let (from, until) = (timing.from.unwrap_or_default(), timing.until.unwrap_or(self.file.duration));
        if until <= from {
            return wrong("until", "it ends before it begins");
        }
        let expected = timing.rate.and_then(Rate::mean_ms).map(|mean| (until.0 - from.0) / mean.max(1));
        if expected.is_some_and(|expected| expected > DRAWN_MAX) {
            return wrong("rate", "that is more than a million events");
        }
        Ok(())
    }

    fn who(&self, key: &str, who: &Who) -> Result<(), Senseless> {
        match who.lacking(self.scenario) {
            Some(message) => Err(Senseless { key: format!("{key}.who"), message }),
            None => Ok(()),
        }
    }

    fn time(&self, key: String, time: Duration) -> Result<(), Senseless> {
        if time > self.file.duration {
            let message = format!("{time} is after the end, which is at {}", self.file.duration);
            return Err(Senseless { key, message });
        }
        Ok(())
    }
}

/// When something happens, as three kinds of entries say it.
struct Timing<'a> {
    who: &'a Who,
    at: &'a Option<Duration>,
    within: &'a Option<Duration>,
    rate: &'a Option<Rate>,
    from: &'a Option<Duration>,
    until: &'a Option<Duration>,
}

/// Each value of each swept key can be set.
fn swept(file: &File) -> Result<(), Senseless> {
    let runs = file.sweep.values().fold(1, |runs: usize, values| runs.saturating_mul(values.len()));
    if !file.sweep.is_empty() && !(1..=SWEPT_MAX).contains(&runs) {
        let message = format!("{runs} combinations of values; from 1 to {SWEPT_MAX} are run");
        return Err(Senseless { key: "sweep".into(), message });
    }
    let mut plain = file.clone();
    plain.sweep.clear();
    let text = toml::to_string(&plain).unwrap_or_default();
    for (key, values) in &file.sweep {
        for value in values {
            let setting = Assignment { key: key.clone(), value: value.clone() };
            let refuse = |e: &PlanError| {
                let message = e.to_string();
                let message = message.strip_prefix("--set ").unwrap_or(&message).to_owned();
                Senseless { key: format!("sweep.{key}"), message }
            };
            let changed = super::settings::apply(&text, &[setting]).map_err(|e| refuse(&e))?;
            check(&changed).map_err(|e| Senseless {
                key: format!("sweep.{key}"),
                message: format!("{value}: {}: {}", e.key, e.message),
            })?;
        }
    }
    Ok(())
}
