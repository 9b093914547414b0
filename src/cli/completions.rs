//! `knack completions`.

use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;
use serde::Serialize;

use super::{Cli, Outcome, Screen};

/// Print completions for a shell
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  knack completions bash > ~/.local/share/bash-completion/completions/knack"
)]
pub struct Args {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

#[derive(Serialize)]
struct Report {
    shell: String,
    script: String,
}

impl Args {
    pub fn run(self, screen: &Screen) -> Outcome {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "knack", &mut script);
        let script = String::from_utf8_lossy(&script).into_owned();
        let report = Report { shell: self.shell.to_string(), script };
        screen.show(&report, || data!("{}", report.script.trim_end()));
        Ok(ExitCode::SUCCESS)
    }
}
