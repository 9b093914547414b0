//! `knack peers`.

use std::{process::ExitCode, time::Duration};

use super::{Outcome, Screen, ask, mismatch, screen::table};
use crate::{
    control::{Reply, Request},
    home::Home,
    report::PeerRow,
};

/// List the connected nodes
///
/// Of each: its address, who dialled, whether a relay is in between, how long a ping takes, what it says it is, since when, and
/// what it does: `server` or `client` of the hash table, and in how many gossip meshes of this node it is.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  knack peers\n  knack peers --json")]
pub struct Args {}

impl Args {
    pub async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        let Reply::Peers(peers) = ask(home, Request::Peers).await? else { return Err(mismatch()) };
        screen.show(&peers, || {
            let columns = ["peer id", "address", "dialled by", "path", "ping", "agent", "since", "role"];
            let mut rows = table(columns);
            for peer in &peers {
                rows.add_row(row(peer));
            }
            data!("{rows}");
        });
        Ok(ExitCode::SUCCESS)
    }
}

fn row(peer: &PeerRow) -> [String; 8] {
    let by = if peer.outbound { "us" } else { "them" };
    let path = if peer.relayed { "relay" } else { "direct" };
    let role = if peer.serves { "server" } else { "client" };
    let since = humantime::format_duration(Duration::from_secs(peer.connected_seconds));
    [
        peer.peer_id.clone(),
        peer.address.clone(),
        by.to_owned(),
        path.to_owned(),
        peer.rtt_ms.map_or_else(|| "-".to_owned(), |ms| format!("{ms:.1} ms")),
        format!("{} {}", peer.agent, peer.protocol),
        since.to_string(),
        format!("{role}, {} meshes", peer.meshes),
    ]
}
