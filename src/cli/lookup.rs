//! `knack lookup`.

use std::process::ExitCode;

use knackmesh_protocol::key::Did;

use super::{Outcome, Screen, ask, mismatch, screen::instant};
use crate::{
    control::{Exit, Reply, Request},
    home::Home,
};

/// Look a view's newest record up in the distributed hash table
///
/// Exits 4 when the holder has withdrawn, 1 when there is no record.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  knack lookup did:key:z6Mk...")]
pub struct Args {
    /// The view's pseudonym, as query results show it
    #[arg(value_name = "VIEW")]
    view: Did,
}

impl Args {
    pub async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        let bar = screen.progress("asking the hash table");
        let answer = ask(home, Request::Lookup { view: self.view }).await;
        bar.finish_and_clear();
        let Reply::Record(record) = answer? else { return Err(mismatch()) };
        screen.show(&record, || match (&record.record, record.expires) {
            (Some(kind), Some(expires)) => {
                let headline = record.content.as_ref().map_or("", |c| c.headline());
                data!("{kind} until {}: {headline}", instant(expires));
            }
            _ => data!("no record"),
        });
        Ok(match record.record.as_deref() {
            Some("tombstone") => ExitCode::from(Exit::NoConsent as u8),
            Some(_) => ExitCode::SUCCESS,
            None => ExitCode::from(Exit::Failed as u8),
        })
    }
}
