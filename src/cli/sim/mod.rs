//! `knack sim`.

mod compare;
mod new;
mod replay;
mod report;
mod run;
mod sweep;
mod validate;

use std::{
    path::PathBuf,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use clap::Subcommand;

use super::{Outcome, Screen};
use crate::{
    control::{Exit, Refusal},
    sim::{Assignment, Duration, Ending, Folder, FolderError, ScenarioError},
};

/// Simulate networks of peers: scenarios, runs, sweeps, reports
///
/// A scenario is a TOML file that says who is there, what happens and what goes wrong. The peers are those of this program,
/// unchanged, in virtual time; every promise of the protocol is checked at every step. The same scenario and seed have the
/// same history everywhere.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  knack sim run first-steps --seed 7 --out results
  knack sim new partition mine.toml && knack sim run mine.toml --set network.loss='2 %'
  knack sim sweep loss --seeds 1..20 -j 2 --out losses
  knack sim replay results --until '43 s'")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    New(new::Args),
    Run(run::Args),
    Sweep(sweep::Args),
    Compare(compare::Args),
    Report(report::Args),
    Replay(replay::Args),
    Validate(validate::Args),
}

impl Args {
    pub async fn run(self, screen: &Screen) -> Outcome {
        match self.action {
            Action::New(args) => args.run(screen),
            Action::Run(args) => args.run(screen).await,
            Action::Sweep(args) => args.run(screen).await,
            Action::Compare(args) => args.run(screen),
            Action::Report(args) => args.run(screen),
            Action::Replay(args) => args.run(screen),
            Action::Validate(args) => args.run(screen).await,
        }
    }
}

/// Which scenario, and what replaces what it says.
#[derive(Debug, clap::Args)]
struct Source {
    /// A scenario file, or the name of one that ships (see `knack sim new`)
    #[arg(value_name = "SCENARIO")]
    scenario: String,

    /// Replace a value of the scenario; again for more
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<Assignment>,
}

impl From<ScenarioError> for Refusal {
    fn from(error: ScenarioError) -> Self {
        let exit = match error {
            // What was written is wrong, like any argument.
            ScenarioError::Missing { .. } | ScenarioError::Refused { .. } => Exit::Usage,
            _ => Exit::Failed,
        };
        Refusal::new(exit, error.to_string(), error.advice())
    }
}

impl From<FolderError> for Refusal {
    fn from(error: FolderError) -> Self {
        Refusal::new(Exit::Failed, error.to_string(), error.advice())
    }
}

/// A flag that Ctrl-C sets. A second Ctrl-C ends the program at once.
fn stop_on_interrupt() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = stop.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            flag.store(true, Ordering::Relaxed);
        }
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(130);
        }
    });
    stop
}

/// Runs what takes long on a thread of its own.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(work).await.map_err(|e| {
        Refusal::new(Exit::Failed, format!("the run ended early: {e}"), "report this as a fault")
    })
}

/// Why a run that did not end well failed, and the command that shows the moment before.
fn fault(ending: &Ending, seed: u64, reached_ms: u64, duration_ms: u64, folder: &Folder) -> Option<Refusal> {
    let folder = folder.path().display();
    match ending {
        Ending::Whole => None,
        Ending::Interrupted => Some(Refusal::new(
            Exit::Failed,
            format!(
                "interrupted {} into {}: {folder} holds what was measured until then, marked as partial",
                Duration(reached_ms),
                Duration(duration_ms)
            ),
            format!("`knack sim report {folder}` to see it, or run it again into another folder"),
        )),
        Ending::Violation { check, at_ms, detail } => Some(Refusal::new(
            Exit::Failed,
            format!("seed {seed}, time {at_ms} ms: {check}: {detail}"),
            format!("knack sim replay {folder} --until {}ms", at_ms.saturating_sub(1)),
        )),
    }
}

/// Opens a file with whatever opens such files here.
fn open(path: &std::path::Path) -> Result<(), Refusal> {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let opened = Command::new(opener).arg(path).status();
    if opened.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    let message = format!("{opener} does not open {}", path.display());
    Err(Refusal::new(Exit::Failed, message, "open the file with a browser"))
}

/// Where results go when nobody says.
fn out_or(out: Option<PathBuf>, otherwise: impl FnOnce() -> String) -> PathBuf {
    out.unwrap_or_else(|| PathBuf::from(otherwise()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_broken_promise_names_seed_and_time_and_the_command_that_shows_the_moment_before() {
        let ending = Ending::Violation {
            check: "withdrawn".into(),
            at_ms: 240_394,
            detail: "node 13 has did:key:z6Mk back, which was withdrawn".into(),
        };
        let refusal = fault(&ending, 8, 240_394, 600_000, &Folder::at("results")).unwrap();
        assert_eq!(
            refusal.message,
            "seed 8, time 240394 ms: withdrawn: node 13 has did:key:z6Mk back, which was withdrawn"
        );
        assert_eq!(refusal.hint, "knack sim replay results --until 240393ms");
        assert_eq!(refusal.exit as u8, 1);
        assert!(fault(&Ending::Whole, 8, 1, 1, &Folder::at("results")).is_none());
    }
}
