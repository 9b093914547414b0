//! `knack credentials`.

use std::process::ExitCode;

use super::{
    Outcome, Screen, ask, mismatch,
    screen::{short, table, yes},
    source,
};
use crate::{
    control::{Refusal, Reply, Request},
    home::Home,
    node::verifying::{Asker, Question},
};

/// List the credentials in this home
///
/// The checks are made anew each time, against the clock, your trust list, and what was fetched before. A status that is too
/// old backs no claim: --fetch asks for it again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  knack credentials --json\n  knack credentials --fetch")]
pub struct Args {
    /// Ask issuers how your credentials stand; they learn that somebody verifies
    #[arg(long)]
    fetch: bool,
}

impl Args {
    pub async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        if self.fetch {
            self.ask_issuers(home, screen).await?;
        }
        let Reply::Credentials(credentials) = ask(home, Request::Credentials).await? else {
            return Err(mismatch());
        };
        screen.show(&credentials, || {
            if credentials.is_empty() {
                screen.say("no credential yet: `knack import FILE` takes one in");
                return;
            }
            let mut rows = table(["id", "credential", "skills", "issuer", "verified", "valid until"]);
            for c in &credentials {
                let skills = c.skills.iter().map(|s| format!("{} {}", s.label, s.level)).collect::<Vec<_>>();
                rows.add_row([
                    c.checks.id.chars().take(8).collect(),
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

    async fn ask_issuers(&self, home: &Home, screen: &Screen) -> Result<(), Refusal> {
        let Reply::Texts(texts) = ask(home, Request::Texts).await? else { return Err(mismatch()) };
        let fetcher = source::fetcher(Some(home), false)?;
        let tell = |question: &Question<'_>| source::announce(question, screen);
        for text in texts {
            let asker = Asker::new(&fetcher, &tell);
            if let Err(refusal) = source::fetch(&text, 0, &asker).await {
                screen.advise(&refusal);
            }
            for problem in asker.fetched().into_iter().filter_map(|row| row.problem) {
                screen.say(&problem.reason);
            }
        }
        Ok(())
    }
}
