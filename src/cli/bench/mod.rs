//! `knack bench`.

mod network;
mod soak;

use clap::Subcommand;

use super::{Outcome, Screen};

/// Measure real nodes on this machine
///
/// What is counted (who is found, messages, bytes) holds anywhere; times, memory and processor time hold for this machine and
/// what else it did, which the report names.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  knack bench network --nodes 24
  knack bench network --nodes 200 --mode cells --json > cells.json
  knack bench soak --minutes 2 --nodes 16")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Network(network::Args),
    Soak(soak::Args),
}

impl Args {
    pub async fn run(self, screen: &Screen) -> Outcome {
        match self.action {
            Action::Network(args) => args.run(screen).await,
            Action::Soak(args) => args.run(screen).await,
        }
    }
}
