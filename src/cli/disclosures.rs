//! `knack disclosures`.

use std::process::ExitCode;

use knackmesh_protocol::text::shown;

use super::{
    Outcome, Screen, ask, mismatch,
    screen::{instant, short, table},
};
use crate::{
    control::{Reply, Request},
    home::Home,
};

/// List to whom this home showed credentials
///
/// Every presentation is recorded here before it is given: what your node answered to inquiries, and what you made with
/// `knack present`. Nobody but you can read it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  knack disclosures\n  knack disclosures --newest 1000 --json")]
pub struct Args {
    /// At most so many, the newest
    #[arg(long, value_name = "N", default_value_t = 100)]
    newest: usize,
}

impl Args {
    pub async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        let reply = ask(home, Request::Disclosures { newest: self.newest }).await?;
        let Reply::Disclosures(rows) = reply else { return Err(mismatch()) };
        screen.show(&rows, || {
            if rows.is_empty() {
                screen.say("nothing was shown to anybody");
                return;
            }
            let mut lines = table(["when", "to", "because of", "for", "credentials"]);
            for row in &rows {
                let names =
                    row.credentials.iter().map(|shown| shown.name.clone().unwrap_or(shown.id.clone()));
                lines.add_row([
                    instant(row.at),
                    row.to.as_deref().map_or_else(|| "-".to_owned(), |to| short(&shown(to))),
                    row.occasion.to_string(),
                    row.purpose.as_deref().map_or_else(|| "-".to_owned(), shown),
                    names.collect::<Vec<_>>().join(", "),
                ]);
            }
            data!("{lines}");
        });
        Ok(ExitCode::SUCCESS)
    }
}
