//! `knack index`.

use std::process::ExitCode;

use super::{Outcome, Screen, screen::counted};
use crate::{home::Home, node::Node};

/// Look after the search index
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  knack index rebuild")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Rebuild(Rebuild),
}

/// Make the index anew from the store
///
/// For an index that was damaged, as by a disk that lost a page. Nothing is lost with it: all that it knows is in the store. The
/// node must not be running.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  knack index rebuild\n  knack index rebuild --json")]
struct Rebuild {}

impl Args {
    pub async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        let Command::Rebuild(Rebuild {}) = self.command;
        let progress = screen.progress("making the index anew from the store");
        let report = Node::rebuild_index(home)?;
        progress.finish_and_clear();
        screen.show(&report, || data!("the index holds {}", counted(report.summaries, "summary")));
        Ok(ExitCode::SUCCESS)
    }
}
