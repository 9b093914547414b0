//! `knack present`.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{ValueEnum, builder::NonEmptyStringValueParser};
use knackmesh_protocol::{
    credential::{Credential, Format},
    id::Id,
};

use super::{
    Outcome, Screen, ask, mismatch,
    source::read,
    writing::{folder, write_copy},
};
use crate::{
    control::{Refusal, Reply, Request, ShowOrder, ShownRow},
    home::Home,
};

/// Show credentials of yours to a verifier, now
///
/// Makes a presentation for one verifier and its challenge, signed with your DID. Of an SD-JWT only what is asked for is
/// disclosed: by a DCQL query, or by naming skills. Nothing is sent: hand the output to the verifier, with the status lists
/// that --staple writes, so that it need not ask the issuer. `knack disclosures` lists what was shown to whom.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  knack present --challenge n-0S6_WzA2Mj --domain https://verifier.example --skill rust
  knack present --challenge n-0S6_WzA2Mj --domain https://verifier.example --dcql query.json --json
  knack present --challenge n-0S6_WzA2Mj --domain https://verifier.example --staple status
  knack present --challenge n-0S6_WzA2Mj --domain did:web:verifier.example --format vp-jwt")]
pub struct Args {
    /// The verifier's challenge, or nonce
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    challenge: String,

    /// The verifier's own name, as it expects it: a URL or a DID
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    domain: String,

    /// What the verifier asks for: a file with a DCQL query (OpenID4VP 1.0)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["skill", "format"])]
    dcql: Option<PathBuf>,

    /// Only credentials that state this skill, by URI or name; may be repeated
    #[arg(long, value_name = "URI|NAME")]
    skill: Vec<String>,

    /// Write the status lists known of what is shown into this folder, for `knack verify --status-list`
    #[arg(long, value_name = "DIR")]
    staple: Option<PathBuf>,

    /// Write each presentation to a file of its own in this folder, instead of printing it
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// The form of the presentation
    #[arg(long, value_enum, default_value_t = Form::EddsaJcs2022)]
    format: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// A W3C Verifiable Presentation, proof over canonical JSON
    #[value(name = "eddsa-jcs-2022")]
    EddsaJcs2022,
    /// A W3C Verifiable Presentation, proof over canonical RDF
    #[value(name = "eddsa-rdfc-2022")]
    EddsaRdfc2022,
    /// A W3C Verifiable Presentation as a token (vp+jwt)
    #[value(name = "vp-jwt")]
    VpJwt,
    /// Each SD-JWT VC by itself, with a key binding; what has another form is passed over
    #[value(name = "sd-jwt")]
    SdJwt,
}

impl Args {
    pub async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        let format = match self.format {
            Form::EddsaJcs2022 => Format::Jcs,
            Form::EddsaRdfc2022 => Format::Rdfc,
            Form::VpJwt => Format::VcJwt,
            Form::SdJwt => Format::SdJwt,
        };
        let dcql = self.dcql.as_deref().map(read).transpose()?;
        let order =
            ShowOrder { dcql, skills: self.skill, challenge: self.challenge, domain: self.domain, format };
        let Reply::Shown { rows, left_out } = ask(home, Request::Show(order)).await? else {
            return Err(mismatch());
        };
        for why in left_out {
            screen.say(&format!("left out {why}"));
        }
        if let Some(dir) = &self.staple {
            staple(&rows, dir, screen)?;
        }
        if let Some(dir) = &self.out {
            write_each(&rows, dir, screen)?;
        }
        screen.show(&rows, || {
            if self.out.is_some() {
                return;
            }
            if rows.len() > 1 {
                let count = rows.len();
                screen.say(&format!(
                    "{count} presentations, one a line; --out DIR writes each to a file of its own"
                ));
            }
            for row in &rows {
                let what = row.credentials.join(", ");
                let part = row.query.as_ref().map_or_else(String::new, |query| format!("for `{query}`: "));
                let disclosed = match row.disclosed.as_slice() {
                    [] => String::new(),
                    paths => format!("; disclosed: {}", paths.join(", ")),
                };
                screen.say(&format!("{part}{what}{disclosed}"));
                data!("{}", row.presentation);
            }
        });
        Ok(ExitCode::SUCCESS)
    }
}

/// Writes each presentation into a file of its own.
fn write_each(rows: &[ShownRow], dir: &Path, screen: &Screen) -> Result<(), Refusal> {
    folder(dir)?;
    for (row, number) in rows.iter().zip(1..) {
        let path = dir.join(format!("presentation-{number}"));
        write_copy(&path, row.presentation.as_bytes())?;
        screen.say(&format!("wrote {}: {}", path.display(), row.credentials.join(", ")));
    }
    Ok(())
}

/// The name of a list's file: the last part of its URL, and what tells it from others of that name. So what is written anew
/// takes the place of what was written before.
fn name_of(list: &str) -> String {
    let url =
        Credential::parse(list).ok().and_then(|list| Some(list.document().get("id")?.as_str()?.to_owned()));
    let url = url.unwrap_or_default();
    let part = url.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let part: String =
        part.chars().filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).take(64).collect();
    let digest: String = Id::of(url.as_bytes()).to_string().chars().take(8).collect();
    format!("{}-{digest}", if part.is_empty() { "status-list" } else { &part })
}

/// Writes the status lists of `rows` into the folder `dir`, each once.
fn staple(rows: &[ShownRow], dir: &Path, screen: &Screen) -> Result<(), Refusal> {
    let lists: BTreeSet<&String> = rows.iter().flat_map(|row| &row.status_lists).collect();
    if lists.is_empty() {
        screen.say("no status list is known of what is shown: `knack credentials --fetch` asks its issuer");
        return Ok(());
    }
    folder(dir)?;
    for text in lists {
        let path = dir.join(name_of(text));
        write_copy(&path, text.as_bytes())?;
        screen.say(&format!("stapled {}", path.display()));
    }
    Ok(())
}
