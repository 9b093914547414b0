//! `knack import`.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    process::ExitCode,
};

use knackmesh_protocol::limits::IMPORT_BYTES_MAX;
use serde::Serialize;

use super::{
    Outcome, Screen, ask, mismatch,
    screen::{BAD, GOOD, print_checks, short},
};
use crate::{
    control::{Exit, Refusal, Reply, Request},
    home::Home,
    report::CredentialRow,
};

/// Take in credentials about you
///
/// Each file is verified offline before it is kept. Nothing is published by importing.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  knack import ~/Downloads/*.json")]
pub struct Args {
    /// Credentials: W3C Verifiable Credentials 2.0 or Open Badges 3.0 in JSON
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Row {
    Imported { file: String, credential: Box<CredentialRow> },
    Refused { file: String, reason: Refusal },
}

impl Args {
    pub async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        let mut rows = Vec::new();
        let mut worst: Option<u8> = None;
        for path in &self.files {
            let file = path.display().to_string();
            match import(home, path).await {
                Ok(credential) => rows.push(Row::Imported { file, credential }),
                Err(reason) => {
                    worst = worst.max(Some(reason.exit as u8));
                    rows.push(Row::Refused { file, reason });
                }
            }
        }
        screen.show(&rows, || rows.iter().for_each(|row| print(row, screen)));
        Ok(worst.map_or(ExitCode::SUCCESS, ExitCode::from))
    }
}

async fn import(home: &Home, path: &Path) -> Result<Box<CredentialRow>, Refusal> {
    let request = Request::Import { name: path.display().to_string(), text: read(path)? };
    match ask(home, request).await? {
        Reply::Imported(credential) => Ok(credential),
        _ => Err(mismatch()),
    }
}

fn print(row: &Row, screen: &Screen) {
    match row {
        Row::Imported { file, credential } => {
            let skills = credential.skills.iter().map(|s| format!("{} {}", s.label, s.level));
            data!(
                "{GOOD}imported{GOOD:#} {file}: {} by {} ({})",
                credential.checks.credential,
                short(&credential.checks.issuer),
                skills.collect::<Vec<_>>().join(", ")
            );
            print_checks(&credential.checks);
        }
        Row::Refused { file, reason } => {
            data!("{BAD}refused{BAD:#}  {file}");
            screen.advise(reason);
        }
    }
}

/// Reads a file that a user names, up to the bound.
pub(super) fn read(path: &Path) -> Result<String, Refusal> {
    let fail = |e: std::io::Error| {
        Refusal::new(Exit::Failed, format!("{}: {e}", path.display()), "name a text file that you may read")
    };
    let mut text = String::new();
    let mut file = File::open(path).map_err(fail)?.take(IMPORT_BYTES_MAX as u64 + 1);
    file.read_to_string(&mut text).map_err(fail)?;
    if text.len() > IMPORT_BYTES_MAX {
        let message =
            format!("{}: over {} KiB, too large for a credential", path.display(), IMPORT_BYTES_MAX / 1024);
        return Err(Refusal::new(Exit::Failed, message, "import the credential alone, not a bundle"));
    }
    Ok(text)
}
