//! A plan carried out: commands at their instants, and what there is to measure. The world stays the judge; this only looks.
//!
//! Looking changes nothing: a run has the same trace hash however often it is looked at, and however its time is cut.

mod agenda;
mod observed;
mod scraping;
mod spreading;

use std::collections::VecDeque;

use knackmesh_protocol::{
    peer::{CommandId, Outcome, Proof, Reply},
    query::parse,
    time::Timestamp,
};

use self::spreading::Spreading;
pub use self::{
    agenda::{Deed, Due, Parts, agenda},
    observed::{Asked, Learning, Observed, QueryRow, Row, Scraped},
    spreading::{Spread, What},
};
use crate::{
    checks::Violation,
    plan::Full,
    scenario::{START, Scenario},
    world::World,
};

/// See the module.
pub struct Run {
    file: Full,
    world: World,
    agenda: VecDeque<Due>,
    open: Vec<Open>,
    spreading: Spreading,
    look_ms: u64,
    sample_ms: u64,
    observed: Observed,
}

/// A search without its answer.
struct Open {
    id: CommandId,
    row: usize,
    /// The views that match, as only the world can know.
    relevant: std::collections::BTreeSet<knackmesh_protocol::key::PublicKey>,
}

impl Run {
    /// A run in which no time has passed.
    pub fn new(file: &Full, seed: u64) -> Self {
        Run::beginning(file, seed, START)
    }

    /// A run that begins at another moment than others do.
    pub fn beginning(file: &Full, seed: u64, start: Timestamp) -> Self {
        let world = World::new(Scenario { start, ..file.scenario(seed) });
        let agenda = agenda(file, &world.scenario, world.population()).into();
        let spreading = Spreading::new(&file.metrics, &world.scenario);
        let file = file.clone();
        Run {
            file,
            world,
            agenda,
            open: Vec::new(),
            spreading,
            look_ms: 0,
            sample_ms: 0,
            observed: Observed::default(),
        }
    }

    /// The world, to be looked at.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Milliseconds since the run began.
    pub fn now_ms(&self) -> u64 {
        self.world.elapsed_ms()
    }

    /// What was observed so far.
    pub fn observed(&self) -> &Observed {
        &self.observed
    }

    /// How each publication and withdrawal spread, as far as it has.
    pub fn spread(&self) -> &[Spread] {
        self.spreading.rows()
    }

    /// Whether the plan's time is over.
    pub fn is_over(&self) -> bool {
        self.now_ms() >= self.file.duration.0
    }

    /// Lets time pass until `until_ms`, or to the plan's end if that is earlier.
    ///
    /// # Errors
    /// The first promise that is broken ends the run; what was observed stays.
    pub fn advance(&mut self, until_ms: u64) -> Result<(), Violation> {
        let until_ms = until_ms.min(self.file.duration.0);
        loop {
            let due = self.agenda.front().map_or(u64::MAX, |(at, _)| *at);
            let next = due.min(self.look_ms).min(self.sample_ms).min(until_ms);
            self.world.run_until(self.world.at(next))?;
            if next == self.look_ms {
                self.look();
                self.look_ms += self.file.metrics.resolution.0;
            }
            if next == self.sample_ms {
                self.sample();
                self.sample_ms += self.file.metrics.every.0;
            }
            while self.agenda.front().is_some_and(|(at, _)| *at == next)
                && let Some((_, deed)) = self.agenda.pop_front()
            {
                self.carry_out(deed)?;
            }
            if next == until_ms {
                self.look();
                return Ok(());
            }
        }
    }

    fn carry_out(&mut self, deed: Deed) -> Result<(), Violation> {
        match deed {
            Deed::Publish { node, lease_ms } => {
                if self.world.runs(node) && self.world.node(node).person.content.is_some() {
                    let id = self.world.publish(node, lease_ms);
                    let view = self.world.node(node).person.identity.view.public();
                    self.spreading.publish(self.world.now(), id, node, view);
                    self.observed.publications += 1;
                } else {
                    self.observed.undone += 1;
                }
            }
            Deed::Withdraw(node) => {
                if self.world.runs(node) {
                    self.spreading.withdraw(&self.world, node);
                    self.world.withdraw(node);
                    self.observed.withdrawals += 1;
                } else {
                    self.observed.undone += 1;
                }
            }
            Deed::Search { node, query, top } => self.search(node, query, top as usize),
            Deed::Start(node) => self.world.start(node),
            Deed::Stop { node, goodbye: true } => self.world.leave(node)?,
            Deed::Stop { node, goodbye: false } => self.world.crash(node)?,
            Deed::Part(parts) => {
                let nodes = 0..self.world.scenario.nodes();
                let sides: Vec<u8> = nodes.map(|n| parts.part(n, self.world.node(n).site.region)).collect();
                self.world.partition(|node| sides[node as usize])?;
            }
            Deed::Heal => self.world.heal(),
        }
        Ok(())
    }

    fn search(&mut self, node: u32, text: String, top: usize) {
        // A plan's queries were read when it was.
        let Ok(parsed) = parse(&text, &self.world.population().vocabulary, self.world.now()) else { return };
        let relevant = self.world.all_seeing(&parsed.query);
        let mut row = QueryRow::new(self.now_ms(), node, text, relevant.len());
        if self.world.runs(node) {
            let id = self.world.search_for(node, &parsed.query, top);
            self.open.push(Open { id, row: self.observed.queries.len(), relevant });
        } else {
            row.asked = Asked::NotRunning;
        }
        self.observed.queries.push(row);
    }

    /// Takes in the answers that have come, and sees how far news has spread.
    fn look(&mut self) {
        let (world, observed, k) = (&mut self.world, &mut self.observed, self.file.metrics.recall_at);
        self.open.retain(|open| {
            let Some(row) = observed.queries.get_mut(open.row) else { return false };
            match world.take_reply(open.id) {
                Some(Reply::Found(Ok(outcome))) => answer(row, &outcome, open, k as usize),
                Some(_) => row.asked = Asked::Refused,
                None => return true,
            }
            false
        });
        self.spreading.look(&self.world);
    }

    fn sample(&mut self) {
        let received = self.world.traffic_total().received_total();
        let row = Row {
            at_ms: self.now_ms(),
            running: self.world.running(),
            published: self.world.published().count(),
            coverage: self.spreading.coverage(&self.world),
            stale: self.spreading.stale(&self.world),
            events: self.world.events(),
            messages: received.messages,
            bytes: received.bytes,
            scraped: scraping::scraped(&self.world),
        };
        self.observed.rows.push(row);
    }
}

fn answer(row: &mut QueryRow, outcome: &Outcome, open: &Open, k: usize) {
    let found: Vec<_> = outcome.results.iter().map(|found| found.summary.body().view()).collect();
    let hits = |of: &[_]| of.iter().filter(|view| open.relevant.contains(view)).count();
    row.asked = Asked::Answered;
    row.elapsed_ms = Some(outcome.elapsed_ms);
    row.found = found.len();
    row.hits = hits(&found);
    row.best_hits = hits(&found[..found.len().min(k)]);
    row.best_possible = k.min(open.relevant.len());
    row.presented = outcome.coverage.presented;
    row.refused = outcome.results.iter().filter(|found| matches!(found.proof, Proof::Refused(_))).count();
    row.asked_nodes = outcome.coverage.asked;
    row.answered_nodes = outcome.coverage.answered;
    row.withheld = outcome.withheld.len();
}
