//! `knack issue`.

use std::{path::PathBuf, process::ExitCode};

use clap::ValueEnum;
use knackmesh_protocol::{credential, key::Did, skill::Level};
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
  knack issue --to did:key:z6Mk... --skill python --skill SQL --level 3 --achievement 'Data course' --expires 2y
  knack issue --to did:key:z6Mk... --skill rust --level 4 --format sd-jwt --copies 10 --copy-to keys.txt --out rust.jwt")]
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

    /// Besides it, copies that its holder can publish: so many, each bound to a key that is used once
    #[arg(long, value_name = "N", requires = "copy_to")]
    copies: Option<usize>,

    /// A file with the keys of the copies, one did:key a line, as the holder's `knack keys` prints them
    #[arg(long, value_name = "FILE", requires = "copies")]
    copy_to: Option<PathBuf>,

    /// The file to write, and for copies FILE.1, FILE.2 and so on; stdout when absent, one a line
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// W3C Data Integrity, JSON Canonicalization Scheme
    #[value(name = "eddsa-jcs-2022")]
    EddsaJcs2022,
    /// SD-JWT VC, whose holder can withhold some of what it says
    #[value(name = "sd-jwt")]
    SdJwt,
}

#[derive(Serialize)]
struct Written {
    file: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    copies: Vec<String>,
}

impl Args {
    pub async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        let keys = self.copy_keys()?;
        let order = IssueOrder {
            achievement: self.achievement,
            issuer_name: self.issuer_name,
            valid_for_ms: self.expires,
            format: match self.format {
                Format::EddsaJcs2022 => credential::Format::Jcs,
                Format::SdJwt => credential::Format::SdJwt,
            },
            ..IssueOrder::new(self.to, self.skill, self.level)
        };
        let copy = |to: &Did| IssueOrder { to: to.clone(), ..order.clone() };
        let orders: Vec<IssueOrder> = std::iter::once(order.clone()).chain(keys.iter().map(copy)).collect();
        let Reply::IssuedMany(issued) = ask(home, Request::IssueMany { orders, dry: false }).await? else {
            return Err(mismatch());
        };
        let texts = issued.into_iter().map(|one| one.map(|one| readable(&one.text)));
        let texts = texts.collect::<Result<Vec<String>, Refusal>>()?;
        let Some(path) = &self.out else {
            texts.iter().for_each(|text| data!("{text}"));
            return Ok(ExitCode::SUCCESS);
        };
        let mut files = Vec::new();
        for (n, text) in texts.into_iter().enumerate() {
            let file = match n {
                0 => path.clone(),
                n => PathBuf::from(format!("{}.{n}", path.display())),
            };
            std::fs::write(&file, text + "\n").map_err(|e| {
                let hint = "name a file that you may write";
                Refusal::new(Exit::Failed, format!("{}: {e}", file.display()), hint)
            })?;
            files.push(file.display().to_string());
        }
        let copies = files.split_off(1);
        let written = Written { file: files.concat(), copies };
        screen.show(&written, || {
            screen.say(&format!("wrote {}", written.file));
            if !written.copies.is_empty() {
                screen.say(&format!("and {} copies beside it", written.copies.len()));
            }
        });
        Ok(ExitCode::SUCCESS)
    }

    /// The keys that copies are bound to, each once.
    fn copy_keys(&self) -> Result<Vec<Did>, Refusal> {
        let (Some(copies), Some(path)) = (self.copies, &self.copy_to) else { return Ok(Vec::new()) };
        let refuse = |message: String, hint: &str| Err(Refusal::new(Exit::Usage, message, hint));
        if self.format != Format::SdJwt {
            return refuse("copies are SD-JWT VCs".into(), "add --format sd-jwt");
        }
        let mut keys: Vec<Did> = Vec::new();
        for line in super::import::read(path)?.lines().map(str::trim).filter(|line| !line.is_empty()) {
            match line.parse::<Did>() {
                Ok(did) if did.method() == "key" && did != self.to && !keys.contains(&did) => keys.push(did),
                _ => {
                    let message = format!("{}: not a did:key, or one twice: {line}", path.display());
                    return refuse(message, "the holder makes them with `knack keys --single-use N`");
                }
            }
        }
        if copies == 0 || keys.len() < copies {
            let message = format!("{copies} copies of {} keys in {}", keys.len(), path.display());
            return refuse(message, "ask the holder for more: `knack keys --single-use N`");
        }
        keys.truncate(copies);
        Ok(keys)
    }
}

/// JSON in lines; a token as it is.
fn readable(text: &str) -> String {
    let value = serde_json::from_str::<serde_json::Value>(text);
    value.and_then(|value| serde_json::to_string_pretty(&value)).unwrap_or_else(|_| text.to_owned())
}
