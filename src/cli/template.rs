//! `knack template`.

use std::{path::PathBuf, process::ExitCode};

use super::{
    Outcome, Screen,
    writing::{Written, write_new},
};
use crate::{
    batch::template_text,
    control::{Exit, Refusal},
};
use clap::Subcommand;

/// Write a template of a credential, for `knack issue batch`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  knack template new 'Rust course' --out course.toml
  knack issue batch people.csv --template course.toml --dry-run")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Begin a template: a file with explanations, to be changed as you need it
    #[command(
        override_usage = "knack template new [OPTIONS] <NAME>\n       knack template new [OPTIONS] --out <FILE> [NAME]",
        after_help = "\
Examples:
  knack template new 'Rust course'
  knack template new 'Rust course' --out course.toml"
    )]
    New {
        /// The achievement's name, required without --out: the file is then NAME.toml
        #[arg(value_name = "NAME", required_unless_present = "out")]
        name: Option<String>,
        /// The file to write
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

impl Args {
    pub fn run(self, screen: &Screen) -> Outcome {
        let Action::New { name, out } = self.action;
        let file = match (out, &name) {
            (Some(file), _) => file,
            (None, Some(name)) if !name.contains(['/', '\0']) => PathBuf::from(format!("{name}.toml")),
            (None, _) => {
                let message = "that name cannot be the name of a file";
                return Err(Refusal::new(Exit::Usage, message, "name the file with --out FILE"));
            }
        };
        let name = name.as_deref().unwrap_or("Name of the achievement");
        write_new(&file, template_text(name).as_bytes())?;
        let written = Written { file: file.display().to_string() };
        screen.show(&written, || {
            screen.say(&format!("wrote {}; change it, then try it:", written.file));
            screen.say(&format!("knack issue batch people.csv --template '{}' --dry-run", written.file));
        });
        Ok(ExitCode::SUCCESS)
    }
}
