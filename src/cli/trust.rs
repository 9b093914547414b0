//! `knack trust`.

use std::process::ExitCode;

use clap::Subcommand;
use knackmesh_protocol::{credential::TrustEntry, key::Did};

use super::{Outcome, Screen, ask, mismatch, screen::table};
use crate::{
    control::{Reply, Request, TrustOrder},
    home::Home,
};

/// Keep the list of issuers that you recognise
///
/// A verified credential of a listed issuer is recognised. One of an unlisted issuer is verified all the same, and ranks lower.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  knack trust add did:key:z6Mk... --name 'Technical University'
  knack trust add did:key:z6Mk... --distrust
  knack trust list")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Add an issuer, or change its entry
    Add {
        /// The issuer
        #[arg(value_name = "DID")]
        issuer: Did,
        /// What you call it
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// Distrust it: its credentials fail `trusted_issuer`
        #[arg(long)]
        distrust: bool,
    },
    /// Remove an issuer
    Remove {
        /// The issuer
        #[arg(value_name = "DID")]
        issuer: Did,
    },
    /// Show the list
    List,
}

impl Args {
    pub async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        let order = match self.action {
            Action::Add { issuer, name, distrust } => TrustOrder::Add {
                issuer,
                entry: TrustEntry { name, distrusted: distrust, ..TrustEntry::default() },
            },
            Action::Remove { issuer } => TrustOrder::Remove { issuer },
            Action::List => TrustOrder::List,
        };
        let Reply::Trust(list) = ask(home, Request::Trust(order)).await? else { return Err(mismatch()) };
        screen.show(&list, || {
            if list.is_empty() {
                screen.say("the trust list is empty: `knack trust add DID` recognises an issuer");
                return;
            }
            let mut rows = table(["issuer", "name", "as"]);
            for entry in &list {
                let standing = if entry.distrusted { "distrusted" } else { "recognised" };
                rows.add_row([entry.issuer.as_str(), entry.name.as_deref().unwrap_or("-"), standing]);
            }
            data!("{rows}");
        });
        Ok(ExitCode::SUCCESS)
    }
}
