//! `knack init`.

use std::process::ExitCode;

use serde::Serialize;

use super::{Outcome, Screen};
use crate::home::Home;

/// Set up a home: keys, settings, an empty store
///
/// Nothing is sent anywhere. The keys are made here and never leave.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  knack --home ~/work-identity init")]
pub struct Args {}

#[derive(Serialize)]
struct Report {
    home: String,
    did: String,
    created: bool,
}

impl Args {
    pub async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        let created = home.init()?;
        let did = home.keys()?.root.did().to_string();
        let report = Report { home: home.dir().display().to_string(), did, created };
        screen.show(&report, || {
            data!("{}", report.did);
            if created {
                screen.say(&format!(
                    "set up {}; give the DID above to those who issue credentials to you",
                    report.home
                ));
                screen.say("next: `knack up` runs a node, `knack import FILE` takes in a credential");
            } else {
                screen.say(&format!("{} is set up already; nothing was changed", report.home));
            }
        });
        Ok(ExitCode::SUCCESS)
    }
}
