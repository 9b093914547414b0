//! `knack sim sweep`.

use std::{
    path::PathBuf,
    process::ExitCode,
    sync::{Arc, atomic::Ordering},
};

use indicatif::ProgressStyle;
use serde::Serialize;

use super::{Outcome, Screen, Source, apart, fault, out_or, run::number, stop_on_interrupt};
use crate::{
    cli::screen::{counted, table},
    control::{Exit, Refusal},
    sim::{Folder, Seeds, Swept, jobs, scenario, sweep, write_report},
};

/// Run a scenario with many seeds, and with each value that its `[sweep]` names
///
/// One run is one thread. Plots show means with bands of 95 % confidence over the seeds.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  knack sim sweep loss --seeds 1..20
  knack sim sweep mine.toml --seeds 1,2,3 -j 2 --out results")]
pub struct Args {
    #[command(flatten)]
    source: Source,

    /// Which seeds: 1..20 (both included) or 3,5,8
    #[arg(long, value_name = "SEEDS", default_value = "1..5")]
    seeds: Seeds,

    /// Runs side by side [default: one for each core]
    #[arg(short = 'j', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,

    /// The folder for the results, which must be new or empty [default: SCENARIO-sweep]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// How far a sweep is.
const RUNNING: &str = "{msg} {wide_bar} {percent} % ({elapsed}, {eta} left)";
/// Parts of a run that are told apart in the bar.
const PARTS: u64 = 1000;

/// Metrics in the table; all are in `runs.csv`.
const SHOWN: [&str; 7] = [
    "recall_mean",
    "discoverable_p50_s",
    "messages_per_query",
    "messages_per_publication",
    "found_share",
    "messages_per_look_up",
    "bytes_per_node",
];

#[derive(Serialize)]
struct Report<'a> {
    out: String,
    keys: &'a [String],
    seeds: &'a [u64],
    runs: &'a [crate::sim::SweepRow],
}

impl Args {
    pub async fn run(self, screen: &Screen) -> Outcome {
        let (named, plan, _) = scenario(&self.source.scenario, &self.source.settings)?;
        let seeds = self.seeds;
        let jobs = jobs(&named, &plan, &self.source.settings, &seeds)?;
        let folder = Folder::new(out_or(self.out, || format!("{}-sweep", named.name)))?;
        let threads = self
            .jobs
            .map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from);
        let stop = stop_on_interrupt();
        let all = jobs.len();
        let bar = screen.progress(&format!("0 of {}, setting up", counted(all, "run")));
        bar.set_length(all as u64 * PARTS);
        let (told, within) = (bar.clone(), folder.clone());
        let stopping = Arc::clone(&stop);
        let tell = move |swept: Swept| {
            if let Ok(style) = ProgressStyle::with_template(RUNNING) {
                told.set_style(style);
            }
            told.set_position((swept.parts * PARTS as f64) as u64);
            let rate = swept.events_per_second;
            told.set_message(format!("{} of {}, {rate:.0} events/s", swept.runs, counted(all, "run")));
        };
        let work = move || sweep(&plan, &jobs, &seeds, threads, &within, &stopping, &tell);
        let done = apart(work).await;
        bar.finish_and_clear();
        let (swept, records) = done??;
        let bar = screen.progress("writing and drawing");
        write_report(&folder)?;
        bar.finish_and_clear();
        // Interrupted runs stop because of a broken promise, if there is one: that is what to say.
        let broken = records.iter().zip(&swept.runs).find_map(|(record, run)| {
            let manifest = &record.manifest;
            let is_broken = matches!(manifest.ending, crate::sim::Ending::Violation { .. });
            let at = (manifest.reached_ms, manifest.duration_ms);
            is_broken.then(|| fault(&manifest.ending, run.seed, at.0, at.1, &folder.within(&run.folder)))?
        });
        if let Some(refusal) = broken {
            return Err(refusal);
        }
        if stop.load(Ordering::Relaxed) && swept.partial {
            let whole = swept.runs.iter().filter(|run| !run.partial).count();
            let out = folder.path().display();
            let message = format!(
                "interrupted after {whole} of {}: {out} holds what was measured",
                counted(all, "run")
            );
            let hint = format!("`knack sim report {out}` to see it, or sweep again into another folder");
            return Err(Refusal::new(Exit::Failed, message, hint));
        }
        let report = Report {
            out: folder.path().display().to_string(),
            keys: &swept.keys,
            seeds: &swept.seeds,
            runs: &swept.runs,
        };
        screen.show(&report, || {
            // What either fidelity has to show, as far as it was measured.
            let shown: Vec<&str> = SHOWN
                .into_iter()
                .filter(|name| {
                    swept.runs.iter().any(|run| run.summary.get(*name).copied().flatten().is_some())
                })
                .collect();
            let mut table = table(["VALUES", "SEED"]);
            table.set_header(["VALUES", "SEED"].iter().chain(&shown));
            for run in &swept.runs {
                let value =
                    |name: &&str| run.summary.get(*name).copied().flatten().map_or("-".to_owned(), number);
                let head = [run.values.join(", "), run.seed.to_string()];
                table.add_row(head.into_iter().chain(shown.iter().map(value)));
            }
            data!("{table}");
            screen.say(&format!("wrote {0}; look at {0}/report.html", report.out));
        });
        Ok(ExitCode::SUCCESS)
    }
}
