//! `knack forget`.

use std::process::ExitCode;

use super::{Outcome, Screen, ask, mismatch};
use crate::{
    control::{Reply, Request},
    home::Home,
};

/// Remove credentials from this home
///
/// Nothing that was published changes by it: `knack publish` anew, or `knack withdraw`, does that. Keep the files that you
/// imported if you may want them again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  knack credentials        # shows the ids\n  knack forget 4f1c9a02")]
pub struct Args {
    /// The id of a credential, or the beginning of it
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
}

impl Args {
    pub async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        let Reply::Forgotten(rows) = ask(home, Request::Forget { names: self.ids }).await? else {
            return Err(mismatch());
        };
        screen.show(&rows, || {
            for row in &rows {
                data!(
                    "forgot {} {}",
                    &row.id[..row.id.len().min(8)],
                    row.name.as_deref().unwrap_or_default()
                );
            }
        });
        Ok(ExitCode::SUCCESS)
    }
}
