//! `knack keys`.

use std::process::ExitCode;

use super::{Outcome, Screen, ask, mismatch};
use crate::{
    control::{Reply, Request},
    home::Home,
};

/// Make keys that are used once, for an issuer to bind copies of a credential to
///
/// Each line is a did:key that no other line, and nothing else of this home, has anything in common with. Give them to an
/// issuer, who makes one copy for each (`knack issue --copies N --copy-to FILE`); `knack publish --proofs` shows each copy
/// once. The keys derive from the root key, so that a backup of it holds them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  knack keys --single-use 10 > keys.txt")]
pub struct Args {
    /// How many new ones
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    single_use: u32,
}

impl Args {
    pub async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        let request = Request::SingleUseKeys { count: self.single_use };
        let Reply::SingleUseKeys(dids) = ask(home, request).await? else { return Err(mismatch()) };
        screen.show(&dids, || dids.iter().for_each(|did| data!("{did}")));
        Ok(ExitCode::SUCCESS)
    }
}
