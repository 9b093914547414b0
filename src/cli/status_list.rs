//! `knack status-list`.

use std::{path::PathBuf, process::ExitCode};

use clap::Subcommand;
use knackmesh_protocol::{
    credential::{Format, status::Purpose},
    limits::STATUS_LIST_VALID_MS,
};
use serde::Serialize;

use super::{
    Outcome, Screen, Session,
    issue::formats,
    mismatch,
    screen::table,
    writing::{folder, write_whole},
};
use crate::{
    control::{Reply, Request},
    home::Home,
};

/// How lists are signed.
const LISTS: [Format; 3] = [Format::Jcs, Format::Rdfc, Format::VcJwt];

/// Publish which of your credentials are revoked or suspended
///
/// Each list is signed when it is exported and holds for 30 days, so export at least once a month, and after each change.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  knack status-list export --out /var/www/school.example/status")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Write the signed lists as files for any web server
    #[command(after_help = "\
Examples:
  knack status-list export --out /var/www/school.example/status
  knack status-list export --out status --format vc-jwt")]
    Export {
        /// The folder to write into
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// How they are signed
        #[arg(long, value_name = "FORMAT", default_value_t = Format::Jcs, value_parser = formats(&LISTS))]
        format: Format,
    },
}

#[derive(Serialize)]
struct Row {
    name: String,
    url: String,
    file: String,
    purpose: Purpose,
    credentials: u64,
    set: u64,
}

impl Args {
    pub async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        let Action::Export { out, format } = self.action;
        let mut session = Session::new(home);
        let bar = screen.progress("signing status lists");
        let reply = session.ask(&Request::StatusLists { format }).await;
        bar.finish_and_clear();
        let Reply::StatusLists(lists) = reply? else { return Err(mismatch()) };
        if !lists.is_empty() {
            folder(&out)?;
        }
        let mut rows = Vec::new();
        for list in lists {
            let file = out.join(&list.name);
            write_whole(&file, list.text.as_bytes())?;
            let file = file.display().to_string();
            let (name, url, purpose) = (list.name, list.url, list.purpose);
            rows.push(Row { name, url, file, purpose, credentials: list.credentials, set: list.set });
        }
        screen.show(&rows, || {
            if rows.is_empty() {
                screen.say("there is no status list: `knack issue --status` begins one");
                return;
            }
            let mut lines = table(["file", "must appear at", "credentials", "set"]);
            for row in &rows {
                let counts = [row.credentials.to_string(), row.set.to_string()];
                lines.add_row([row.file.clone(), row.url.clone()].into_iter().chain(counts));
            }
            data!("{lines}");
            let kind = if format == Format::VcJwt { "application/vc+jwt" } else { "application/vc" };
            screen.say(&format!("serve them as {kind}"));
            let days = STATUS_LIST_VALID_MS / 86_400_000;
            screen.say(&format!("export them again within {days} days, and whenever a status changes"));
        });
        Ok(ExitCode::SUCCESS)
    }
}
