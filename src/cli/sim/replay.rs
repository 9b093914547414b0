//! `knack sim replay`.

use std::{path::Path, process::ExitCode};

use super::{Outcome, Screen, Source};
use crate::{
    cli::screen::{short, table, yes},
    control::{Exit, Refusal},
    sim::{Duration, Ending, File, Folder, Replayed, replay, scenario},
};

/// Run a scenario, or a result's run, again up to a moment, and look at its nodes
///
/// A result is replayed with its own seed and settings. Replayed to its end, it must have the history that it had.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  knack sim replay results --until 240393ms
  knack sim replay partition --seed 8 --until '90 s' --json")]
pub struct Args {
    #[command(flatten)]
    source: Source,

    /// The moment, counted from the begin of the run: 240393ms, '90 s', '2 min' [default: where the result, or the scenario, ends]
    #[arg(long, value_name = "TIME")]
    until: Option<Duration>,

    /// The seed [default: the result's, or 1]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

impl Args {
    pub fn run(self, screen: &Screen) -> Outcome {
        let (named, plan, own_seed) = scenario(&self.source.scenario, &self.source.settings)?;
        let manifest = match own_seed {
            Some(_) => Some(Folder::at(Path::new(&named.name)).manifest()?),
            None => None,
        };
        let seed = self.seed.or(own_seed).unwrap_or(1);
        // Look-ups of the overlay end after the last was begun.
        let scenario_end_ms = match plan.file {
            File::Full(_) => plan.file.duration().0,
            File::Overlay(_) => u64::MAX,
        };
        let end_ms = manifest.as_ref().map_or(scenario_end_ms, |manifest| manifest.reached_ms);
        let until_ms = self.until.map_or(end_ms, |until| until.0);
        let bar = screen.progress("replaying");
        let replayed = replay(&plan, seed, until_ms);
        bar.finish_and_clear();
        if let Some(manifest) = manifest
            && manifest.seed == seed
            && manifest.scenario == plan.file
            && replayed.at_ms == manifest.reached_ms
            && replayed.trace_hash != manifest.trace_hash
        {
            let message = format!(
                "this is not what happened: the trace hash is {}, and was {}",
                replayed.trace_hash, manifest.trace_hash
            );
            let hint = "use the version of knack, and the Cargo.lock, that the result's manifest names";
            return Err(Refusal::new(Exit::Failed, message, hint));
        }
        if let Ending::Violation { check, at_ms, detail } = &replayed.ending {
            let before = at_ms.saturating_sub(1);
            return Err(Refusal::new(
                Exit::Failed,
                format!("seed {seed}, time {at_ms} ms: {check}: {detail}"),
                format!("knack sim replay {} --seed {seed} --until {before}ms", self.source.scenario),
            ));
        }
        screen.show(&replayed, || print(&replayed));
        Ok(ExitCode::SUCCESS)
    }
}

fn print(replayed: &Replayed) {
    data!(
        "seed {}, time {} ms: {} events, trace {}",
        replayed.seed,
        replayed.at_ms,
        replayed.events,
        &replayed.trace_hash[..16]
    );
    let mut table =
        table(["NODE", "ROLE", "RUNS", "REGION", "SIDE", "LINKS", "HOLDS", "PUBLISHED UNTIL", "VIEW"]);
    for node in &replayed.nodes {
        let until =
            node.published_until_ms.map_or("-".to_owned(), |ms| format!("{:.1} s", ms as f64 / 1000.0));
        table.add_row([
            node.node.to_string(),
            node.role.clone(),
            yes(node.runs).to_owned(),
            node.region.to_string(),
            node.side.to_string(),
            node.links.len().to_string(),
            node.holds.to_string(),
            until,
            short(&node.view),
        ]);
    }
    data!("{table}");
}
