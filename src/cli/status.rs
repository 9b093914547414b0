//! `knack status`.

use std::process::ExitCode;

use knackmesh_protocol::message::Replica;

use super::{
    Outcome, Screen, ask, mismatch,
    screen::{self, counted},
};
use crate::{
    control::{Reply, Request},
    home::Home,
};

/// Show the state of this home's node
///
/// A stopped node answers too, with `running`: false.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  knack status --json")]
pub struct Args {}

impl Args {
    pub async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        let Reply::Status(status) = ask(home, Request::Status).await? else { return Err(mismatch()) };
        screen.show(&status, || {
            let until = status
                .published_until
                .map_or("not published".to_owned(), |t| format!("published until {}", screen::instant(t)));
            data!("node       {}", if status.running { "running" } else { "stopped" });
            data!("did        {}", status.did);
            data!("view       {}", status.view);
            data!("peer id    {}", status.peer_id);
            for address in &status.listen {
                data!("listening  {address}");
            }
            data!("peers      {}", status.peers);
            let kept = match status.index.replica {
                Replica::Full => "keeps all it learns of",
                Replica::Cells => "keeps cells",
                Replica::None => "keeps only your own",
            };
            let cells = counted(status.index.cells, "cell");
            data!("index      {} summaries; {kept}, {cells} placed on it", status.index.summaries);
            data!("holder     {} credentials, {until}", status.credentials);
            if let Some(placement) = &status.placement {
                data!("placed     {}", screen::placed(placement));
            }
        });
        Ok(ExitCode::SUCCESS)
    }
}
