//! `knack why`.

use std::process::ExitCode;

use serde::Serialize;

use super::{Outcome, Screen, ask, mismatch, screen::print_why};
use crate::{
    control::{Reply, Request},
    home::Home,
    report::ResultRow,
};

/// Explain a result of the last query
///
/// The terms sum to the score exactly; the checks are those of the presentation.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  knack why 2")]
pub struct Args {
    /// The result's rank
    #[arg(value_name = "RANK", default_value_t = 1)]
    rank: usize,
}

#[derive(Serialize)]
struct Report {
    query: String,
    result: Box<ResultRow>,
}

impl Args {
    pub async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        let Reply::Why { query, result } = ask(home, Request::Why { rank: self.rank }).await? else {
            return Err(mismatch());
        };
        let report = Report { query, result };
        screen.show(&report, || {
            screen.say(&format!("query: {}", report.query));
            print_why(&report.result);
        });
        Ok(ExitCode::SUCCESS)
    }
}
