//! `knack peers`.

use std::process::ExitCode;

use super::{Outcome, Screen, ask, mismatch, screen::table};
use crate::{
    control::{Reply, Request},
    home::Home,
};

/// List the connected nodes
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  knack peers")]
pub struct Args {}

impl Args {
    pub async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        let Reply::Peers(peers) = ask(home, Request::Peers).await? else { return Err(mismatch()) };
        screen.show(&peers, || {
            let mut rows = table(["peer id", "address", "dialled by"]);
            for peer in &peers {
                let by = if peer.outbound { "us" } else { "them" };
                rows.add_row([peer.peer_id.as_str(), peer.address.as_str(), by]);
            }
            data!("{rows}");
        });
        Ok(ExitCode::SUCCESS)
    }
}
