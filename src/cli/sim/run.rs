//! `knack sim run`.

use std::{path::PathBuf, process::ExitCode};

use indicatif::ProgressStyle;
use serde::Serialize;

use super::{Outcome, Screen, Source, apart, fault, out_or, stop_on_interrupt};
use crate::{
    control::Refusal,
    sim::{self, Duration, Folder, METRICS, Progress, Record, scenario, write_report},
};

/// Run a scenario with one seed
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  knack sim run first-steps
  knack sim run mine.toml --seed 7 --out results
  knack sim run partition --set population.professionals=200 --set network.loss='2 %'

Ctrl-C ends the run; what was measured until then is kept, and marked as partial.")]
pub struct Args {
    #[command(flatten)]
    source: Source,

    /// Names the run: the same scenario and seed have the same history
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// The folder for the results, which must be new or empty [default: SCENARIO-seed-N]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// How far a run is.
const RUNNING: &str = "{msg} {wide_bar} {percent} % ({elapsed}, {eta} left)";

#[derive(Serialize)]
struct Report<'a> {
    out: String,
    seed: u64,
    trace_hash: &'a str,
    reached_ms: u64,
    events: u64,
    events_per_second: f64,
    summary: &'a std::collections::BTreeMap<String, Option<f64>>,
}

impl Args {
    pub async fn run(self, screen: &Screen) -> Outcome {
        let (named, plan, _) = scenario(&self.source.scenario, &self.source.settings)?;
        let seed = self.seed;
        let folder = Folder::new(out_or(self.out, || format!("{}-seed-{seed}", named.name)))?;
        folder.write_inputs(&plan.file.inputs())?;
        let stop = stop_on_interrupt();
        // Millions of nodes take a while before anything happens.
        let bar = screen.progress(&format!("seed {seed}, setting up"));
        bar.set_length(plan.file.duration().0.max(1));
        let told = bar.clone();
        let mut is_set_up = false;
        let tell = move |progress: Progress| {
            if !is_set_up && let Ok(style) = ProgressStyle::with_template(RUNNING) {
                told.set_style(style);
                // What is left is told by what has been done since now.
                told.reset_eta();
            }
            is_set_up = true;
            told.set_position(progress.now_ms);
            let whole_seconds = Duration(progress.now_ms / 1000 * 1000);
            told.set_message(format!(
                "seed {seed}, {whole_seconds}, {:.0} events/s",
                progress.events_per_second
            ));
        };
        let record = apart(move || sim::run(&plan, seed, &stop, tell)).await;
        bar.finish_and_clear();
        let record = record?;
        let bar = screen.progress("writing and drawing");
        folder.write_record(&record)?;
        write_report(&folder)?;
        bar.finish_and_clear();
        conclude(&record, &folder, screen)
    }
}

fn conclude(record: &Record, folder: &Folder, screen: &Screen) -> Outcome {
    let manifest = &record.manifest;
    if let Some(refusal) =
        fault(&manifest.ending, manifest.seed, manifest.reached_ms, manifest.duration_ms, folder)
    {
        return Err::<ExitCode, Refusal>(refusal);
    }
    let report = Report {
        out: folder.path().display().to_string(),
        seed: manifest.seed,
        trace_hash: &manifest.trace_hash,
        reached_ms: manifest.reached_ms,
        events: manifest.events,
        events_per_second: manifest.events_per_second,
        summary: &record.summary,
    };
    screen.show(&report, || {
        data!(
            "{}: {} events in {:.1} s, trace {}",
            manifest.title,
            manifest.events,
            manifest.wall_seconds,
            &manifest.trace_hash[..16]
        );
        for metric in METRICS {
            if let Some(value) = record.summary.get(metric.name).copied().flatten() {
                data!("  {:<58} {}", metric.label, number(value));
            }
        }
        screen.say(&format!("wrote {0}; look at {0}/report.html", report.out));
    });
    Ok(ExitCode::SUCCESS)
}

/// A number with as many digits as it is worth.
pub(super) fn number(value: f64) -> String {
    let text = if value.abs() >= 100.0 { format!("{value:.0}") } else { format!("{value:.3}") };
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}
