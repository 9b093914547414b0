//! `knack reinstate`.

use knackmesh_protocol::credential::status::Purpose;

use super::{
    Outcome, Screen,
    revoke::{Which, change},
};
use crate::home::Home;

/// End the suspension of a credential
///
/// A revoked credential stays revoked: issue a new one. The status list must be published again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  knack reinstate urn:uuid:5f0c6b0e-...")]
pub struct Args {
    #[command(flatten)]
    which: Which,
}

impl Args {
    pub async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        change(home, screen, self.which, (Purpose::Suspension, false), None).await
    }
}
