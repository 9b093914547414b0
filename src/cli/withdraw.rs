//! `knack withdraw`.

use std::process::ExitCode;

use serde::Serialize;

use super::{Outcome, Screen, ask, mismatch};
use crate::{
    control::{Reply, Request},
    home::Home,
};

/// End your publication everywhere
///
/// Spreads a signed withdrawal and counts the signed acknowledgements. An acknowledgement is that node's promise, not a proof
/// of erasure.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  knack withdraw")]
pub struct Args {}

#[derive(Serialize)]
struct Report {
    was_published: bool,
    asked: usize,
    acknowledged: usize,
    announced: bool,
}

impl Args {
    pub async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        let bar = screen.progress("withdrawing");
        let answer = ask(home, Request::Withdraw).await;
        bar.finish_and_clear();
        let Reply::Withdrawn { was_published, asked, acknowledged, announced } = answer? else {
            return Err(mismatch());
        };
        let report = Report { was_published, asked, acknowledged, announced };
        screen.show(&report, || {
            if !was_published {
                data!("nothing is published");
                return;
            }
            data!("withdrawn; {acknowledged} of {asked} connected nodes signed that they deleted it");
            if !announced {
                screen.say(
                    "no node runs for this home: the withdrawal spreads when you start one with `knack up`",
                );
            }
        });
        Ok(ExitCode::SUCCESS)
    }
}
