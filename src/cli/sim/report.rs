//! `knack sim report`.

use std::{path::PathBuf, process::ExitCode};

use super::{Outcome, Screen, open};
use crate::{
    cli::writing::Written,
    sim::{Folder, write_report},
};

/// Draw the plots of a result anew, and write its report: one file, which needs no network
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  knack sim report results\n  knack sim report results --open")]
pub struct Args {
    /// A folder of results
    #[arg(value_name = "DIR")]
    dir: PathBuf,

    /// Open the report
    #[arg(long)]
    open: bool,
}

impl Args {
    pub fn run(self, screen: &Screen) -> Outcome {
        write_report(&Folder::at(&self.dir))?;
        let file = self.dir.join("report.html");
        let written = Written { file: file.display().to_string() };
        screen.show(&written, || data!("{}", written.file));
        if self.open {
            open(&file)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
