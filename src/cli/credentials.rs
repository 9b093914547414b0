//! `knack credentials`.

use std::process::ExitCode;

use super::{
    Outcome, Screen, ask, mismatch,
    screen::{short, table, yes},
};
use crate::{
    control::{Reply, Request},
    home::Home,
};

/// List the credentials in this home
///
/// The checks are made anew each time, against the clock and your trust list.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  knack credentials --json")]
pub struct Args {}

impl Args {
    pub async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        let Reply::Credentials(credentials) = ask(home, Request::Credentials).await? else {
            return Err(mismatch());
        };
        screen.show(&credentials, || {
            if credentials.is_empty() {
                screen.say("no credential yet: `knack import FILE` takes one in");
                return;
            }
            let mut rows = table(["credential", "skills", "issuer", "verified", "valid until"]);
            for c in &credentials {
                let skills = c.skills.iter().map(|s| format!("{} {}", s.label, s.level)).collect::<Vec<_>>();
                rows.add_row([
                    c.checks.credential.clone(),
                    skills.join(", "),
                    short(&c.checks.issuer),
                    yes(c.checks.verified).to_owned(),
                    c.valid_until.map_or("-".to_owned(), super::screen::instant),
                ]);
            }
            data!("{rows}");
        });
        Ok(ExitCode::SUCCESS)
    }
}
