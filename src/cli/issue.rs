//! `knack issue`.

use std::{path::PathBuf, process::ExitCode};

use clap::ValueEnum;
use knackmesh_protocol::{key::Did, skill::Level};
use serde::Serialize;

use super::{Outcome, Screen, ask, duration_ms, level, mismatch};
use crate::{
    control::{Exit, IssueOrder, Refusal, Reply, Request},
    home::Home,
};

/// Sign a credential for somebody: an Open Badge 3.0
///
/// The credential is a W3C Verifiable Credential, signed with this home's DID. Anybody can verify it without asking you.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  knack issue --to did:key:z6Mk... --skill rust --level 4 --out rust.json
  knack issue --to did:key:z6Mk... --skill python --skill SQL --level 3 --achievement 'Data course' --expires 2y")]
pub struct Args {
    /// The holder's DID, which `knack init` and `knack status` print
    #[arg(long, value_name = "DID")]
    to: Did,

    /// A skill, by its URI or name; may be repeated
    #[arg(long, value_name = "URI|NAME", required = true)]
    skill: Vec<String>,

    /// How well it is mastered, 1 (novice) to 5 (expert)
    #[arg(long, value_name = "N", value_parser = level)]
    level: Level,

    /// The achievement's name [default: the skills' names]
    #[arg(long, value_name = "NAME")]
    achievement: Option<String>,

    /// The issuer's name, shown in the credential
    #[arg(long, value_name = "NAME")]
    issuer_name: Option<String>,

    /// How it is signed
    #[arg(long, value_enum, default_value_t = Format::EddsaJcs2022)]
    format: Format,

    /// How long it is valid [default: without end]
    #[arg(long, value_name = "DURATION", value_parser = duration_ms)]
    expires: Option<u64>,

    /// The file to write; stdout when absent
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// W3C Data Integrity, JSON Canonicalization Scheme
    #[value(name = "eddsa-jcs-2022")]
    EddsaJcs2022,
}

#[derive(Serialize)]
struct Written {
    file: String,
}

impl Args {
    pub async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        let Format::EddsaJcs2022 = self.format;
        let order = IssueOrder {
            achievement: self.achievement,
            issuer_name: self.issuer_name,
            valid_for_ms: self.expires,
            ..IssueOrder::new(self.to, self.skill, self.level)
        };
        let Reply::Issued(text) = ask(home, Request::Issue(Box::new(order))).await? else {
            return Err(mismatch());
        };
        let value: serde_json::Value = serde_json::from_str(&text).map_err(|_| mismatch())?;
        let pretty = serde_json::to_string_pretty(&value).map_err(|_| mismatch())?;
        match &self.out {
            None => data!("{pretty}"),
            Some(path) => {
                std::fs::write(path, pretty + "\n").map_err(|e| {
                    let hint = "name a file that you may write";
                    Refusal::new(Exit::Failed, format!("{}: {e}", path.display()), hint)
                })?;
                let written = Written { file: path.display().to_string() };
                screen.show(&written, || screen.say(&format!("wrote {}", written.file)));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
