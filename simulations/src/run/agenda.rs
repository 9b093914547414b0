//! The agenda: everything that a plan has happen, with its instant, drawn before the run begins.

use rand_chacha::ChaCha20Rng;

use crate::{
    lifetime::Lifetime,
    plan::{Ask, Duration, Full, Publications, Queries, Rate, Skill, Who, Withdrawals},
    population::Population,
    scenario::Scenario,
    streams::{below, entry, place},
};

/// Something that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// A person publishes.
    Publish {
        /// Whose.
        node: u32,
        /// For how long.
        lease_ms: u64,
    },
    /// A person withdraws.
    Withdraw(u32),
    /// A person searches.
    Search {
        /// Whose.
        node: u32,
        /// For what.
        query: String,
        /// How many candidates are wanted.
        top: u32,
    },
    /// A node starts.
    Start(u32),
    /// A node stops.
    Stop {
        /// Which.
        node: u32,
        /// Whether it says goodbye, or its neighbours notice its silence.
        goodbye: bool,
    },
    /// The network falls into parts.
    Part(Parts),
    /// The network is whole again.
    Heal,
}

/// Which nodes stay together when the network falls apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parts {
    /// Nodes are dealt out to so many parts by their numbers.
    Numbers(u8),
    /// Regions are, as listed; all that are not listed are a part of their own.
    Regions(Vec<Vec<u32>>),
}

impl Parts {
    /// The part of a node that is in a region.
    pub fn part(&self, node: u32, region: u32) -> u8 {
        match self {
            Parts::Numbers(parts) => (node % u32::from(*parts)) as u8,
            Parts::Regions(parts) => {
                let part = parts.iter().position(|regions| regions.contains(&region));
                u8::try_from(part.unwrap_or(parts.len())).unwrap_or(u8::MAX)
            }
        }
    }
}

/// When a deed is done, in milliseconds since the run began.
pub type Due = (u64, Deed);

/// The agenda of a plan for a seed, by time and, at one time, in the order of the file.
pub fn agenda(file: &Full, scenario: &Scenario, population: &Population) -> Vec<Due> {
    let mut drawing = Drawing { file, scenario, due: Vec::new() };
    drawing.comings_and_goings();
    drawing.people(population);
    let mut due = drawing.due;
    let end = file.duration.0;
    due.retain(|(at, _)| *at <= end);
    due.sort_by_key(|(at, _)| *at);
    due
}

struct Drawing<'a> {
    file: &'a Full,
    scenario: &'a Scenario,
    due: Vec<Due>,
}

/// When something happens, as three kinds of entries say it.
struct Timing<'a> {
    who: &'a Who,
    at: Option<Duration>,
    within: Option<Duration>,
    rate: Option<Rate>,
    from: Option<Duration>,
    until: Option<Duration>,
}

impl Drawing<'_> {
    fn comings_and_goings(&mut self) {
        let seed = self.scenario.seed;
        let file = self.file;
        for partition in &file.partitions {
            let parts = match partition.sides {
                Some(sides) => Parts::Numbers(sides),
                None => Parts::Regions(partition.regions.clone()),
            };
            self.due.push((partition.begin.0, Deed::Part(parts)));
            self.due.extend(partition.heal.map(|heal| (heal.0, Deed::Heal)));
        }
        for (n, arrival) in file.arrivals.iter().enumerate() {
            let nodes = arrival.who.nodes(self.scenario, &mut entry(seed, "arrivals", n));
            self.due.extend(nodes.into_iter().map(|node| (arrival.at.0, Deed::Start(node))));
        }
        for (n, outage) in file.outages.iter().enumerate() {
            for node in outage.who.nodes(self.scenario, &mut entry(seed, "outages", n)) {
                self.due.push((outage.at.0, Deed::Stop { node, goodbye: outage.goodbye }));
                let back = outage.lasts.map(|lasts| outage.at.0.saturating_add(lasts.0));
                self.due.extend(back.map(|at| (at, Deed::Start(node))));
            }
        }
    }

    fn people(&mut self, population: &Population) {
        let file = self.file;
        for (n, publications) in file.publications.iter().enumerate() {
            let Publications { who, at, within, rate, from, until, lease } = publications;
            let timing = Timing { who, at: *at, within: *within, rate: *rate, from: *from, until: *until };
            self.draw("publications", n, &timing, |node, _| Deed::Publish { node, lease_ms: lease.0 });
        }
        for (n, withdrawals) in file.withdrawals.iter().enumerate() {
            let Withdrawals { who, at, within, rate, from, until } = withdrawals;
            let timing = Timing { who, at: *at, within: *within, rate: *rate, from: *from, until: *until };
            self.draw("withdrawals", n, &timing, |node, _| Deed::Withdraw(node));
        }
        for (n, queries) in file.queries.iter().enumerate() {
            let Queries { who, at, within, rate, from, until, ask, top } = queries;
            let timing = Timing { who, at: *at, within: *within, rate: *rate, from: *from, until: *until };
            // A plan's queries were read when it was.
            let Ok(ask) = ask.parse::<Ask>() else { continue };
            self.draw("queries", n, &timing, |node, rng| {
                let mut together = Vec::new();
                if ask.together() > 0 {
                    together = population.skills_together(ask.together(), rng);
                }
                let query = ask.fill(|skill| match skill {
                    Skill::Drawn => population.skill(rng),
                    Skill::Rank(rank) => population.skills[rank as usize - 1].clone(),
                    // As many were drawn as there are gaps, unless nobody has an occupation, which a plan refuses.
                    Skill::OfOccupation => together.pop().unwrap_or_else(|| population.skill(rng)),
                });
                Deed::Search { node, query, top: *top }
            });
        }
    }

    fn draw(
        &mut self,
        kind: &str,
        n: usize,
        timing: &Timing<'_>,
        mut deed: impl FnMut(u32, &mut ChaCha20Rng) -> Deed,
    ) {
        let rng = &mut entry(self.scenario.seed, kind, n);
        let nodes = timing.who.nodes(self.scenario, rng);
        if let Some(at) = timing.at {
            let within = u32::try_from(timing.within.map_or(0, |within| within.0)).unwrap_or(u32::MAX);
            for node in nodes {
                let at = at.0 + u64::from(below(rng, within.saturating_add(1)));
                self.due.push((at, deed(node, rng)));
            }
        } else if let Some(mean) = timing.rate.and_then(Rate::mean_ms)
            && !nodes.is_empty()
        {
            let end = timing.until.unwrap_or(self.file.duration).0;
            // What passes between two events of a Poisson process.
            let gap = Lifetime::Exponential { mean_ms: mean };
            let mut at = timing.from.unwrap_or_default().0 + gap.draw(rng);
            while at < end {
                let node = nodes[place(rng, nodes.len())];
                self.due.push((at, deed(node, rng)));
                at += gap.draw(rng);
            }
        }
    }
}
