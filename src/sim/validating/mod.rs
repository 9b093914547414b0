//! The model held against real nodes: the same plan carried out by both, and what they show laid side by side.
//!
//! Real nodes run in this process, each with a home, sockets, a store and an index of its own. On one machine they have no
//! distance, so their lines are given the length that the model gives them (`network::Trial`). What they show is taken
//! from what enters and leaves their peers (`node::Witness`) and from libp2p's own counters.

mod comparison;
pub mod counters;
mod fitness;
mod look_ups;
mod measured;
mod people;

use knackmesh_simulations::plan::{File, Plan};
use serde::Serialize;

pub use self::comparison::{Row, Verdict};
use self::{comparison::rows, measured::Measured};
use super::{
    machine::{Machine, Program},
    plots::{Chart, overlaid},
};
use crate::{
    control::{Exit, Refusal},
    node::now,
};

/// What one plan showed, in both worlds.
#[derive(Clone, Debug, Serialize)]
pub struct Part {
    /// The scenario's name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// The seeds; each was run once in each world.
    pub seeds: Vec<u64>,
    /// The whole scenario.
    pub scenario: File,
    /// What was compared.
    pub rows: Vec<Row>,
    #[serde(skip)]
    model: Vec<Measured>,
    #[serde(skip)]
    real: Vec<Measured>,
}

/// Everything that was held against real nodes.
#[derive(Clone, Debug, Serialize)]
pub struct Validation {
    /// The format of this document.
    pub format: &'static str,
    /// Of which program.
    pub program: Program,
    /// On what machine.
    pub machine: Machine,
    /// By plan.
    pub parts: Vec<Part>,
}

impl Validation {
    /// What was found by this program on this machine.
    pub fn of(parts: Vec<Part>) -> Self {
        Validation {
            format: "knackmesh/validation/1",
            program: Program::this(),
            machine: Machine::this(),
            parts,
        }
    }

    /// Rows that neither hold nor are explained.
    pub fn unexplained(&self) -> impl Iterator<Item = &Row> {
        self.parts.iter().flat_map(|part| &part.rows).filter(|row| row.verdict == Verdict::Differs)
    }
}

/// Whether real nodes on one machine can carry a plan out.
///
/// # Errors
/// What they cannot do.
pub fn can_be_validated(name: &str, plan: &Plan) -> Result<(), Refusal> {
    fitness::check(&plan.file).map_err(|unfit| {
        Refusal::new(Exit::Usage, format!("{name}: {unfit}"), "begin with `knack sim new validation`")
    })
}

/// Carries a plan out in both worlds, once for each seed. `tell` hears of each run before it begins.
///
/// # Errors
/// When real nodes cannot do what the plan says, or one fails.
pub async fn validate(
    name: &str,
    plan: &Plan,
    seeds: &[u64],
    mut tell: impl FnMut(u64),
) -> Result<Part, Refusal> {
    can_be_validated(name, plan)?;
    let (mut model, mut real) = (Vec::new(), Vec::new());
    for seed in seeds {
        tell(*seed);
        match &plan.file {
            File::Full(file) => {
                model.push(measured::model(file, *seed, now()).map_err(|violation| {
                    let hint = format!("knack sim run {name} --seed {seed}");
                    Refusal::new(Exit::Failed, violation.to_string(), hint)
                })?);
                real.push(people::people(file, *seed).await?);
            }
            File::Overlay(file) => {
                model.push(look_ups::model(&file.engine(), *seed)?);
                real.push(look_ups::networks(&file.engine(), *seed).await?);
            }
        }
    }
    let rows = rows(&model, &real);
    let (title, scenario) = (plan.file.title().to_owned(), plan.file.clone());
    Ok(Part { name: name.to_owned(), title, seeds: seeds.to_vec(), scenario, rows, model, real })
}

impl Part {
    /// Distributions, the model's over those of real nodes.
    pub fn charts(&self) -> Vec<Chart> {
        type Of = fn(&Measured) -> &Vec<f64>;
        let things: [(&str, &str, &str, Of); 6] = [
            ("delivery", "Gossip: from publication to receipt", "time (ms)", |run| &run.delivery),
            ("discoverable", "From the order to publish until found", "time (ms)", |run| &run.discoverable),
            ("forgotten", "From the order to withdraw until forgotten", "time (ms)", |run| &run.forgotten),
            ("search", "How long searches take", "time (ms)", |run| &run.search),
            ("look-up", "How long look-ups take", "time (ms)", |run| &run.look_up),
            ("look-up-requests", "Whom a look-up asks", "requests", |run| &run.requests),
        ];
        let all = |runs: &[Measured], of: Of| runs.iter().flat_map(of).copied().collect::<Vec<f64>>();
        let chart = |(name, what, label, of): (&str, &str, &str, Of)| {
            overlaid(name, what, label, &all(&self.model, of), &all(&self.real, of))
        };
        things.into_iter().filter_map(chart).collect()
    }
}

/// A run of real nodes that came to no end.
fn failed(what: &dyn std::fmt::Display) -> Refusal {
    let hint = "run it again when the machine has less to do; RUST_LOG=info shows what a node says";
    Refusal::new(Exit::Failed, what.to_string(), hint)
}
