//! `knack issue`.

mod batch;
mod copies;
mod folder;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use knackmesh_protocol::{
    credential::{Credential, Format},
    key::{Algorithm, Did},
    skill::Level,
    time::Timestamp,
};
use serde::Serialize;

use super::{
    Outcome, Screen, ask, lasting_ms, level, mismatch, sound_did,
    writing::{vacant, write_new},
};
use crate::{
    control::{Exit, IssueOrder, Refusal, Reply, Request},
    home::Home,
    node::id_of,
    report::rfc3339,
};

/// Sign a credential for somebody: an Open Badge 3.0
///
/// The credential is a W3C Verifiable Credential, signed with this home's DID. Anybody can verify it without asking you.
/// `knack issue batch` issues to many people at once.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "\
Examples:
  knack issue --to did:key:z6Mk... --skill rust --level 4 --out rust.json
  knack issue --to did:key:z6Mk... --skill python --skill SQL --level 3 --achievement 'Data course' --expires 2y
  knack issue --to did:key:z6Mk... --skill rust --level 4 --format sd-jwt --alg ES256 --status --out rust.sd-jwt
  knack issue --to did:key:z6Mk... --skill rust --level 4 --format sd-jwt --copies 10 --copy-to keys.txt --out rust.jwt
  knack issue batch people.csv --template course.toml --dry-run"
)]
pub struct Args {
    #[command(subcommand)]
    many: Option<Many>,

    #[command(flatten)]
    one: Option<One>,
}

#[derive(Debug, clap::Subcommand)]
enum Many {
    Batch(batch::Args),
}

#[derive(Debug, clap::Args)]
struct One {
    /// The holder's DID, which `knack init` and `knack status` print
    #[arg(long, value_name = "DID", value_parser = sound_did)]
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

    /// The issuer's name, shown in the credential [default: that of config.toml]
    #[arg(long, value_name = "NAME")]
    issuer_name: Option<String>,

    /// How it is signed: Data Integrity over canonical JSON or over canonical RDF, or a token
    #[arg(long, value_name = "FORMAT", default_value_t = Format::Jcs, value_parser = formats(&Format::ALL))]
    format: Format,

    /// With which key: Ed25519, or the P-256 key, whose did:key is another
    #[arg(long, value_name = "ALG", default_value = "EdDSA", value_parser = algorithms())]
    alg: Algorithm,

    /// Give it a status, so that it can be revoked and suspended
    #[arg(long)]
    status: bool,

    /// How long it is valid [default: without end]
    #[arg(long, value_name = "DURATION", value_parser = lasting_ms)]
    expires: Option<u64>,

    /// So many copies besides, each for a key that the holder uses once, in SD-JWT form
    #[arg(long, value_name = "N", requires = "copy_to")]
    copies: Option<usize>,

    /// The file with the holder's keys, a did:key a line, as `knack keys --single-use` prints them
    #[arg(long, value_name = "FILE", requires = "copies")]
    copy_to: Option<PathBuf>,

    /// The file to write, which must not be there yet; stdout when absent
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What was issued, and where it was written.
#[derive(Serialize)]
pub(super) struct Written {
    pub(super) file: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    copies: Vec<String>,
    id: String,
    issuer: String,
    subject: Option<String>,
    format: &'static str,
    /// Whether it can be revoked and suspended.
    status: bool,
    #[serde(with = "rfc3339::optional")]
    valid_until: Option<Timestamp>,
}

impl Written {
    /// A credential that was issued as `text`.
    pub(super) fn new(
        path: &Path,
        text: &str,
        format: Format,
        algorithm: Algorithm,
    ) -> Result<Self, Refusal> {
        let credential = Credential::parse(text).map_err(|_| mismatch())?;
        Ok(Written {
            file: path.display().to_string(),
            copies: Vec::new(),
            id: id_of(&credential),
            issuer: credential.issuer().to_owned(),
            subject: credential.subject().map(ToString::to_string),
            format: format.name_with(algorithm),
            status: credential.status().is_some(),
            valid_until: credential.valid_until(),
        })
    }
}

/// A token has no JSON form of its own.
#[derive(Serialize)]
pub(super) struct Token<'a> {
    pub(super) format: Format,
    pub(super) credential: &'a str,
}

impl Args {
    pub async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        match (self.many, self.one) {
            (Some(Many::Batch(args)), _) => args.run(home, screen).await,
            (None, Some(one)) => one.run(home, screen).await,
            (None, None) => Err(Refusal::new(Exit::Usage, "nobody is named", "see `knack issue --help`")),
        }
    }
}

impl One {
    async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        let keys = match (self.copies, &self.copy_to) {
            (Some(copies), Some(path)) => copies::keys(copies, path, self.format, &self.to)?,
            _ => Vec::new(),
        };
        let order = IssueOrder {
            achievement: self.achievement,
            issuer_name: self.issuer_name,
            valid_for_ms: self.expires,
            format: self.format,
            algorithm: Some(self.alg),
            status: self.status,
            ..IssueOrder::new(self.to, self.skill, self.level)
        };
        if let Some(path) = &self.out {
            vacant(path)?;
        }
        if !keys.is_empty() {
            return copies::issue(home, screen, order, &keys, self.out.as_deref()).await;
        }
        let reply = ask(home, Request::Issue(Box::new(order))).await?;
        let Reply::Issued(text) = reply else { return Err(mismatch()) };
        let printed = printed(&text)?;
        match &self.out {
            None if screen.json && is_token(&text) => {
                screen.show(&Token { format: self.format, credential: &text }, || {});
            }
            None => data!("{printed}"),
            Some(path) => {
                write_new(path, (printed + "\n").as_bytes())?;
                let written = Written::new(path, &text, self.format, self.alg)?;
                screen.show(&written, || screen.say(&format!("wrote {}", written.file)));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A credential as it is written into a file: JSON in lines, a token as it is.
pub(super) fn printed(text: &str) -> Result<String, Refusal> {
    if is_token(text) {
        return Ok(text.to_owned());
    }
    let value: serde_json::Value = serde_json::from_str(text).map_err(|_| mismatch())?;
    serde_json::to_string_pretty(&value).map_err(|_| mismatch())
}

pub(super) fn is_token(text: &str) -> bool {
    !text.starts_with('{')
}

/// The names of formats.
pub(super) fn formats(formats: &[Format]) -> impl TypedValueParser<Value = Format> + use<> {
    let names: Vec<&'static str> = formats.iter().map(|format| format.name()).collect();
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Format>())
}

/// The names of algorithms by which credentials are signed here.
fn algorithms() -> impl TypedValueParser<Value = Algorithm> {
    let names = [Algorithm::EdDsa, Algorithm::Es256].map(Algorithm::name);
    let parser = PossibleValuesParser::new(names);
    parser.try_map(|name| Algorithm::from_name(&name).ok_or("it is EdDSA or ES256"))
}
