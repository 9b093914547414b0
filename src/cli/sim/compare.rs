//! `knack sim compare`.

use std::{path::PathBuf, process::ExitCode};

use super::{Outcome, Screen, run::number};
use crate::{
    cli::screen::table,
    sim::{Folder, compare},
};

/// Compare two results, metric by metric
///
/// Of two sweeps, also whether chance explains the difference: by the 95 % interval of Welch's test over the seeds.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  knack sim compare before after\n  knack sim compare before after --json"
)]
pub struct Args {
    /// A folder of results
    #[arg(value_name = "A")]
    a: PathBuf,

    /// Another
    #[arg(value_name = "B")]
    b: PathBuf,
}

impl Args {
    pub fn run(self, screen: &Screen) -> Outcome {
        let comparison = compare(&Folder::at(&self.a), &Folder::at(&self.b))?;
        screen.show(&comparison, || {
            let mut table = table(["METRIC", "A", "B", "B - A", "95 %", "DIFFERS"]);
            for one in &comparison.differences {
                let name = if one.values.is_empty() {
                    one.metric.to_owned()
                } else {
                    format!("{} ({})", one.metric, one.values.join(", "))
                };
                let half =
                    one.change.half_width.map_or("-".to_owned(), |half| format!("+- {}", number(half)));
                let differs = match one.differs {
                    Some(true) => "yes",
                    Some(false) => "no",
                    None => "unknown",
                };
                let (a, b, change) = (one.a.mean, one.b.mean, one.change.mean);
                let [a, b, change] = [a, b, change].map(number);
                table.add_row([name, a, b, change, half, differs.to_owned()]);
            }
            data!("{table}");
            if comparison.same_history {
                screen.say("both have the same history, event for event");
            } else if comparison.one_seed {
                screen
                    .say("one seed is not enough to conclude from: compare two results of `knack sim sweep`");
            }
        });
        Ok(ExitCode::SUCCESS)
    }
}
