//! `knack revoke`, and what it has in common with `knack suspend` and `knack reinstate`.

use std::{path::Path, process::ExitCode};

use knackmesh_protocol::credential::{Credential, status::Purpose};
use serde::Serialize;

use super::{Outcome, Screen, ask, mismatch, source};
use crate::{
    control::{Exit, Refusal, Reply, Request, StatusOrder},
    home::Home,
    node::id_of,
    report::IssuedRow,
};

/// Revoke a credential that this home issued, for good
///
/// It must have been issued with --status. Others learn of it from the status list, which must be published again: by
/// `knack status-list export`, or by a server that serves it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  knack revoke urn:uuid:5f0c6b0e-... --reason 'issued to the wrong person'
  knack revoke rust.json")]
pub struct Args {
    #[command(flatten)]
    which: Which,

    /// Why, for your own memory; it is not published
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// One credential that this home issued.
#[derive(Debug, clap::Args)]
pub(super) struct Which {
    /// The credential's id, which `knack issued` lists, or its file
    #[arg(value_name = "ID|FILE")]
    credential: String,
}

/// A change of status, as it is reported.
#[derive(Serialize)]
struct Report {
    changed: bool,
    #[serde(flatten)]
    row: IssuedRow,
    list: String,
}

impl Args {
    pub async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        change(home, screen, self.which, (Purpose::Revocation, true), self.reason).await
    }
}

/// Changes the status of a credential, and says which list says so.
pub(super) async fn change(
    home: &Home,
    screen: &Screen,
    which: Which,
    (purpose, set): (Purpose, bool),
    reason: Option<String>,
) -> Outcome {
    let id = id(which.credential)?;
    let order = StatusOrder { id, purpose, set, reason };
    let reply = ask(home, Request::SetStatus(order)).await?;
    let Reply::StatusSet { changed, row, list } = reply else { return Err(mismatch()) };
    let report = Report { changed, row: *row, list };
    screen.show(&report, || {
        let row = &report.row;
        data!("{}: {} ({})", row.standing, row.id, row.name.as_deref().unwrap_or("without a name"));
        if report.changed {
            screen.say(&format!("publish the status list {} again, so that others learn of it", report.list));
            screen.say("`knack status-list export --out DIR` writes it for a web server");
        } else {
            screen.say("nothing was changed: it was so already");
        }
    });
    Ok(ExitCode::SUCCESS)
}

/// The id that a person names, or that of the file.
fn id(named: String) -> Result<String, Refusal> {
    let path = Path::new(&named);
    if !path.is_file() {
        return Ok(named);
    }
    let credential = Credential::parse(&source::text(path)?).map_err(|e| {
        let message = format!("{named}: not a credential that knack reads: {e}");
        Refusal::new(Exit::Failed, message, "name the credential by its id, which `knack issued` lists")
    })?;
    Ok(id_of(&credential))
}
