//! `knack verify`.

use std::{path::PathBuf, process::ExitCode};

use knackmesh_protocol::credential::TrustList;

use super::{
    Outcome, Screen, ask,
    import::read,
    mismatch,
    screen::{print_checks, short},
};
use crate::{
    control::{Exit, Reply, Request},
    home::{Home, HomeError},
    node::check,
};

/// Verify a credential, offline
///
/// Six checks, each PASS, FAIL, STALE, NOT_CHECKED or NOT_APPLICABLE. Nobody is asked, the issuer included. Exits 3 when the
/// credential is not verified. Needs no home; with one, its trust list says which issuers you recognise.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  knack verify badge.json")]
pub struct Args {
    /// A W3C Verifiable Credential 2.0 or Open Badge 3.0 in JSON
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Args {
    pub async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        let text = read(&self.file)?;
        // Verification needs nobody's permission, nor a home: without one, no issuer is listed.
        let checks = if matches!(home.keys(), Err(HomeError::Missing(_))) {
            check(&text, &TrustList::default())?
        } else {
            match ask(home, Request::Verify { text }).await? {
                Reply::Verified(checks) => *checks,
                _ => return Err(mismatch()),
            }
        };
        screen.show(&checks, || {
            data!("{} (issuer {})", checks.credential, short(&checks.issuer));
            print_checks(&checks);
        });
        Ok(if checks.verified { ExitCode::SUCCESS } else { ExitCode::from(Exit::NotVerified as u8) })
    }
}
