//! What is to happen, against who is there and how long there is.

use std::collections::BTreeSet;

use knackmesh_protocol::{
    limits::{LEASE_MAX_MS, LEASE_MIN_MS},
    query::parse,
    vocabulary::Vocabulary,
};

use super::Senseless;
use crate::{
    plan::{
        ask::Ask,
        full::{Full, Occupation, Partition, Publications, Queries, Withdrawals},
        units::{Duration, Rate},
        who::{Kind, Who},
    },
    scenario::{START, Scenario},
};

/// Most parts into which the network falls.
const SIDES_MAX: u8 = 8;
/// Most events that a Poisson process may be expected to have.
const DRAWN_MAX: u64 = 1_000_000;
/// Most candidates that a search may want.
const TOP_MAX: u32 = 1000;

/// What is to happen, against who is there and how long there is.
pub(super) struct Agenda<'a> {
    pub file: &'a Full,
    pub scenario: &'a Scenario,
}

impl Agenda<'_> {
    /// # Errors
    /// The first thing that makes no sense.
    pub fn check(&self) -> Result<(), Senseless> {
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
        for (n, Queries { who, at, within, rate, from, until, ask, top }) in file.queries.iter().enumerate() {
            let key = format!("queries.{n}");
            self.timing(&key, &Timing { who, at, within, rate, from, until })?;
            super::within(&format!("{key}.top"), *top, 1, TOP_MAX)?;
            let refuse = |message| Senseless { key: format!("{key}.ask"), message };
            let asked: Ask = ask.parse().map_err(|e| refuse(format!("{e}")))?;
            let most = self.scenario.skills;
            if asked.rank_max().is_some_and(|rank| rank as usize > most) {
                return Err(refuse(format!("`{ask}`: only {most} skills are in use")));
            }
            self.together(&asked).map_err(|message| refuse(format!("`{ask}`: {message}")))?;
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

    /// Whether there are as many skills of one occupation as are asked for.
    fn together(&self, asked: &Ask) -> Result<(), String> {
        let count = asked.together();
        let occupations = &self.file.population.occupations;
        if count > 0 && occupations.is_empty() {
            return Err("there are no `population.occupations`".to_owned());
        }
        match occupations.iter().find(|occupation| occupation.skills.len() < count) {
            Some(Occupation { name, skills, .. }) => {
                Err(format!("`{name}` has only {} skills", skills.len()))
            }
            None => Ok(()),
        }
    }

    fn partitions(&self) -> Result<(), Senseless> {
        let mut free = Some(Duration(0));
        for (n, partition) in self.file.partitions.iter().enumerate() {
            let wrong =
                |key: &str, message: String| Err(Senseless { key: format!("partitions.{n}.{key}"), message });
            self.time(format!("partitions.{n}.begin"), partition.begin)?;
            if let Some(sides) = partition.sides
                && !(2..=SIDES_MAX).contains(&sides)
            {
                return wrong("sides", format!("{sides} is not from 2 to {SIDES_MAX}"));
            }
            if let Err(message) = self.regions(partition) {
                return wrong("regions", message);
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

    fn regions(&self, Partition { sides, regions, .. }: &Partition) -> Result<(), String> {
        if regions.is_empty() {
            return Ok(());
        }
        if sides.is_some() {
            return Err("either `sides`, by number, or `regions`".to_owned());
        }
        if regions.len() >= usize::from(SIDES_MAX) {
            return Err(format!(
                "{} parts; {} at most, and those that are not named",
                regions.len(),
                SIDES_MAX - 1
            ));
        }
        let places = self.scenario.latency.places(self.scenario.regions);
        let mut named = BTreeSet::new();
        for region in regions.iter().flatten() {
            if *region >= places {
                return Err(format!(
                    "there is no region {region}: `network.latency` has {places}, counted from 0"
                ));
            }
            if !named.insert(*region) {
                return Err(format!("region {region} is named twice"));
            }
        }
        if regions.iter().any(Vec::is_empty) {
            return Err("a part without regions".to_owned());
        }
        if regions.len() == 1 && named.len() == places as usize {
            return Err("all regions stay together".to_owned());
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
