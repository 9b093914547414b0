//! `knack demo`.

use std::process::ExitCode;

use super::{
    Outcome, Screen,
    screen::{STRONG, print_query, print_why, short},
};
use crate::demo::{self, Report};

/// The whole job on this machine: issuers, professionals, an employer, each a real node
///
/// Starts 16 nodes on loopback, each with its own keys, home and sockets; issues and imports credentials, publishes, withdraws,
/// asks, verifies and ranks. Leaves nothing behind.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  knack demo\n  knack demo --json")]
pub struct Args {}

impl Args {
    pub async fn run(self, screen: &Screen) -> Outcome {
        let bar = screen.progress("starting 16 nodes");
        let say = |line: &str| {
            bar.suspend(|| screen.say(&format!("- {line}")));
            bar.set_message("working");
        };
        let result = demo::run(say).await;
        bar.finish_and_clear();
        let report = result?;
        screen.show(&report, || print(&report));
        Ok(ExitCode::SUCCESS)
    }
}

fn print(report: &Report) {
    let mut query = report.query.clone();
    query.withheld.clear();
    let name = |key: &str| report.names.get(key).copied().unwrap_or("?");
    data!("");
    print_query(&query);
    let cast: Vec<String> =
        query.results.iter().map(|r| format!("{} is {}", short(&r.holder), name(&r.holder))).collect();
    data!("{}", cast.join(", "));
    if let Some(first) = query.results.first() {
        data!("\n{STRONG}why {} is first{STRONG:#}", name(&first.holder));
        print_why(first);
    }
    data!("\n{STRONG}not shown{STRONG:#}");
    for one in &report.not_shown {
        let found = one
            .found
            .as_deref()
            .map_or(String::new(), |f| format!("\n           the employer's node found: {f}"));
        data!("  {:<8} {}{found}", one.name, one.because);
    }
}
