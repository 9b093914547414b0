//! `knack suspend`.

use knackmesh_protocol::credential::status::Purpose;

use super::{
    Outcome, Screen,
    revoke::{Which, change},
};
use crate::home::Home;

/// Suspend a credential that this home issued, until it is reinstated
///
/// It must have been issued with --status. Others learn of it from the status list, which must be published again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  knack suspend rust.json --reason 'under review'")]
pub struct Args {
    #[command(flatten)]
    which: Which,

    /// Why, for your own memory; it is not published
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl Args {
    pub async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        change(home, screen, self.which, (Purpose::Suspension, true), self.reason).await
    }
}
