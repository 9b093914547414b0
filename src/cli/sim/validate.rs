//! `knack sim validate`.

use std::{path::PathBuf, process::ExitCode};

use knackmesh_simulations::plan::File;

use super::{Outcome, Screen, Source, run::number};
use crate::{
    cli::screen::table,
    control::{Exit, Refusal},
    sim::{Seeds, scenario, validating},
};

/// Hold the model against real nodes on this machine
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    source: Source,

    /// Which seeds: 1..20 (both included) or 3,5,8
    #[arg(long, value_name = "SEEDS", default_value = "1..10")]
    seeds: Seeds,

    /// The folder for the results, which must be new or empty [default: validation]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Args {
    pub async fn run(self, screen: &Screen) -> Outcome {
        let (_, plan, _) = scenario(&self.source.scenario, &self.source.settings)?;
        let (mut model, mut real) = (Vec::new(), Vec::new());
        for seed in self.seeds.0 {
            screen.say(&format!("seed {seed}"));
            match &plan.file {
                File::Full(full) => {
                    model.push(
                        validating::model(full, seed).map_err(|e| {
                            Refusal::new(Exit::Failed, e.to_string(), "report this as a fault")
                        })?,
                    );
                    real.push(validating::people(full, seed).await?);
                }
                File::Overlay(overlay) => {
                    model.push(validating::look_ups::model(&overlay.engine(), seed)?);
                    real.push(validating::look_ups::networks(&overlay.engine(), seed).await?);
                }
            }
        }
        let rows = validating::rows(&model, &real);
        screen.show(&rows, || {
            let mut table = table(["WHAT", "MODEL", "REAL", "RATIO", "HOLDS"]);
            for row in &rows {
                table.add_row([
                    row.what.clone(),
                    number(row.model.mean),
                    number(row.real.mean),
                    row.ratio.map_or("-".into(), |r| format!("{r:.3}")),
                    row.holds.to_string(),
                ]);
            }
            data!("{table}");
        });
        Ok(ExitCode::SUCCESS)
    }
}
