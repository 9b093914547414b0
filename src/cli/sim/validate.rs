//! `knack sim validate`.

use std::{path::PathBuf, process::ExitCode};

use super::{Outcome, Screen, out_or, run::number};
use crate::{
    cli::screen::table,
    control::{Exit, Refusal},
    sim::{
        Assignment, Folder, Seeds, scenario,
        validating::{Row, Validation, Verdict, can_be_validated, validate},
        write_validation,
    },
};

/// Hold the model against real nodes on this machine
///
/// Lets real nodes, with homes, stores, indexes and sockets of their own, do in real time what the model does in virtual time,
/// and compares what both show: times within 10 %, counts within 5 %. Lines have the length that the scenario gives them.
/// Takes about a minute a seed; a machine that has other work to do delays real nodes, and so spoils the comparison.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  knack sim validate --out validation
  knack sim validate validation --seeds 1..3 --set population.professionals=15

Exit code 3: something differs and it is not known why.")]
pub struct Args {
    /// Scenario files, or names of those that ship [default: validation and validation-look-ups]
    #[arg(value_name = "SCENARIO")]
    scenarios: Vec<String>,

    /// Replace a value of the scenarios; again for more
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<Assignment>,

    /// Which seeds: 1..20 (both included) or 3,5,8
    #[arg(long, value_name = "SEEDS", default_value = "1..10")]
    seeds: Seeds,

    /// The folder for the results, which must be new or empty [default: validation]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Args {
    pub async fn run(self, screen: &Screen) -> Outcome {
        let names = match self.scenarios.as_slice() {
            [] => ["validation-look-ups", "validation"].map(str::to_owned).to_vec(),
            named => named.to_vec(),
        };
        let mut plans = Vec::new();
        for name in &names {
            let (named, plan, _) = scenario(name, &self.settings)?;
            can_be_validated(&named.name, &plan)?;
            plans.push((named.name, plan));
        }
        let folder = Folder::new(out_or(self.out, || "validation".to_owned()))?;
        let mut parts = Vec::new();
        for (name, plan) in &plans {
            let bar = screen.counter(&format!("{name}: seeds"), self.seeds.0.len());
            let mut begun = 0;
            let part = validate(name, plan, &self.seeds.0, |_| {
                bar.set_position(begun);
                begun += 1;
            });
            let part = part.await;
            bar.finish_and_clear();
            parts.push(part?);
        }
        let validation = Validation::of(parts);
        write_validation(&folder, &validation)?;
        screen.show(&validation, || {
            for part in &validation.parts {
                let mut table = table(["WHAT", "MODEL", "REAL NODES", "RATIO", "VERDICT"]);
                for row in &part.rows {
                    table.add_row(cells(row));
                }
                screen.say(&format!("{}: {}", part.name, part.title));
                data!("{table}");
                for row in part.rows.iter().filter(|row| row.verdict == Verdict::Explained) {
                    screen.say(&format!("{}: {}", row.what, row.because.unwrap_or_default()));
                }
            }
            screen.say(&format!("wrote {0}; look at {0}/report.html", folder.path().display()));
        });
        let differing: Vec<&str> = validation.unexplained().map(|row| row.what.as_str()).collect();
        if differing.is_empty() {
            return Ok(ExitCode::SUCCESS);
        }
        Err(Refusal::new(
            Exit::NotVerified,
            format!("the model differs from real nodes: {}", differing.join("; ")),
            "run it again on a machine that has nothing else to do",
        ))
    }
}

fn cells(row: &Row) -> [String; 5] {
    let value = |mean: f64, half_width: Option<f64>| {
        let half = half_width.map_or(String::new(), |half| format!(" +- {}", number(half)));
        format!("{}{half} {}", number(mean), row.unit).trim_end().to_owned()
    };
    [
        row.what.clone(),
        value(row.model.mean, row.model.half_width),
        value(row.real.mean, row.real.half_width),
        row.ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.3}")),
        row.verdict.name().to_owned(),
    ]
}
