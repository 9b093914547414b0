//! `knack did`.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Subcommand;
use knackmesh_protocol::{
    credential::Signer,
    did::{
        linkage::{self, ConfigurationError, Entry, Statement},
        method_of, web,
    },
    jose::{Header, Jws},
    json,
    key::{Algorithm, Did},
    limits::DID_DOCUMENT_BYTES_MAX,
    text::shown,
};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    Outcome, Screen, source,
    writing::{folder, write_whole},
};
use crate::{
    control::{Exit, Refusal},
    home::{Home, IssuerSettings},
    node::{now, signer},
};

/// How long the statement that a domain and a DID are in the same hands holds: a year.
const LINKAGE_MS: u64 = 365 * 24 * 3600 * 1000;

/// The DIDs of this home, and the documents that put one of them on your domain
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  knack did show
  knack did web school.example
  knack did web school.example --out /var/www/school.example")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show the DIDs that this home issues with
    #[command(after_help = "Example:\n  knack did show --json")]
    Show,
    /// Print did.json for did:web:DOMAIN with this home's keys, and did-configuration.json, which links DOMAIN with it
    ///
    /// With --out both are written. Entries of other DIDs in a did-configuration.json that is there stay; a did.json of another
    /// DID, and what is no such document, is not replaced without --replace.
    #[command(after_help = "\
Examples:
  knack did web school.example
  knack did web school.example/department --out /var/www/school.example")]
    Web {
        /// A host, with a port and a path where there are any, or the did:web itself
        #[arg(value_name = "DOMAIN")]
        domain: String,
        /// The folder that the web server serves, to write both files into
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// Replace a did.json of another DID, and files that are no such documents
        #[arg(long, requires = "out")]
        replace: bool,
    },
}

#[derive(Serialize)]
struct Shown {
    /// As whom this home issues.
    issuer: String,
    /// The `did:key` of the Ed25519 key.
    ed25519: String,
    /// The `did:key` of the P-256 key, for ES256.
    p256: String,
}

#[derive(Serialize)]
struct Web {
    did: Did,
    did_document: Place,
    did_configuration: Place,
}

/// A document, and where it must appear.
#[derive(Serialize)]
struct Place {
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    content: Map<String, Value>,
}

impl Args {
    pub fn run(self, home: &Home, screen: &Screen) -> Outcome {
        let (root, settings) = (home.keys()?.root, home.config()?.issuer);
        let as_key = |algorithm| signer(&root, &IssuerSettings::default(), None, algorithm);
        match self.action {
            Action::Show => {
                let shown = Shown {
                    issuer: signer(&root, &settings, None, Algorithm::EdDsa)?.controller().to_string(),
                    ed25519: as_key(Algorithm::EdDsa)?.controller().to_string(),
                    p256: as_key(Algorithm::Es256)?.controller().to_string(),
                };
                screen.show(&shown, || {
                    data!("issuer   {}", shown.issuer);
                    data!("Ed25519  {}", shown.ed25519);
                    data!("P-256    {}", shown.p256);
                });
            }
            Action::Web { domain, out, replace } => {
                let did = did_of(&domain)?;
                // Fragments are named as the settings have it for this DID; for another they mean nothing.
                let named = settings.did.as_ref() == Some(&did);
                let settings = if named { settings } else { IssuerSettings::default() };
                let signers = [
                    signer(&root, &settings, Some(&did), Algorithm::EdDsa)?,
                    signer(&root, &settings, Some(&did), Algorithm::Es256)?,
                ];
                let mut web = documents(&did, &signers)?;
                if let Some(dir) = out {
                    let files = [&web.did_document, &web.did_configuration].map(|place| place.below(&dir));
                    // Both are looked at before either is written.
                    if !replace {
                        check_document(&files[0], &did)?;
                    }
                    web.did_configuration.content = merged(&files[1], &web, replace)?;
                    for (place, file) in
                        [&mut web.did_document, &mut web.did_configuration].into_iter().zip(files)
                    {
                        folder(file.parent().unwrap_or(&dir))?;
                        write_whole(&file, (pretty(&place.content) + "\n").as_bytes())?;
                        place.file = Some(file.display().to_string());
                    }
                }
                screen.show(&web, || print(&web, named, screen));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Place {
    /// The file below the folder that a web server serves.
    fn below(&self, dir: &Path) -> PathBuf {
        dir.join(self.url.splitn(4, '/').nth(3).unwrap_or_default())
    }
}

/// Refuses to replace what is not the document of `did`.
fn check_document(file: &Path, did: &Did) -> Result<(), Refusal> {
    let Some(text) = found(file)? else { return Ok(()) };
    let document = json::parse(&text, DID_DOCUMENT_BYTES_MAX).ok();
    match document.as_ref().and_then(|document| document.get("id")?.as_str()) {
        Some(id) if id == did.as_str() => Ok(()),
        Some(id) => Err(not_replaced(file, &format!("the document of {}", shown(id)))),
        None => Err(not_replaced(file, "no DID document")),
    }
}

/// The configuration with the entries of other DIDs that the file has; with `replace`, what is no configuration goes.
fn merged(file: &Path, web: &Web, replace: bool) -> Result<Map<String, Value>, Refusal> {
    let Some(text) = found(file)? else { return Ok(web.did_configuration.content.clone()) };
    let own = web.did_configuration.content.get("linked_dids").and_then(Value::as_array);
    let own = own
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.as_str().map(|token| Entry::Jwt(token.to_owned())))
        .collect();
    match linkage::with_entries(&text, &web.did, own) {
        Ok(merged) => Ok(merged),
        Err(e @ ConfigurationError::TooMany) => {
            let message = format!("{}: {e}", file.display());
            Err(Refusal::new(Exit::Refused, message, "remove entries of DIDs that are no longer in use"))
        }
        Err(_) if replace => Ok(web.did_configuration.content.clone()),
        Err(e) => Err(not_replaced(file, &format!("no list of linked DIDs ({e})"))),
    }
}

/// What a file holds; nothing when there is none, or nothing in it.
fn found(file: &Path) -> Result<Option<String>, Refusal> {
    match file.exists() {
        true => Ok(Some(source::read(file)?).filter(|text| !text.trim().is_empty())),
        false => Ok(None),
    }
}

fn not_replaced(file: &Path, what: &str) -> Refusal {
    let message = format!("{} is {what}, and is not replaced", file.display());
    Refusal::new(Exit::Refused, message, "name another folder with --out DIR, or add --replace")
}

fn print(web: &Web, named: bool, screen: &Screen) {
    for place in [&web.did_document, &web.did_configuration] {
        match &place.file {
            Some(file) => screen.say(&format!("wrote {file}, which must appear at {}", place.url)),
            None => {
                screen.say(&format!("at {}:", place.url));
                data!("{}", pretty(&place.content));
            }
        }
    }
    if !named {
        screen.say(&format!(
            "to issue as {0}, set `did = \"{0}\"` under [issuer] in the home's config.toml",
            web.did
        ));
    }
}

/// The DID that a person means by a domain.
fn did_of(domain: &str) -> Result<Did, Refusal> {
    let refuse = |e: String| {
        let hint = "name a host that you control, such as school.example, or school.example/department";
        Refusal::new(Exit::Usage, format!("`{}`: {e}", knackmesh_protocol::text::shown(domain)), hint)
    };
    let text = if domain.starts_with("did:") {
        domain.to_owned()
    } else {
        let bare = domain.strip_prefix("https://").unwrap_or(domain).trim_end_matches('/');
        format!("did:web:{}", bare.replace(':', "%3A").replace('/', ":"))
    };
    let did: Did = text.parse().map_err(|e: knackmesh_protocol::key::NotADid| refuse(e.to_string()))?;
    web::url_of(&did).map_err(|e| refuse(e.to_string()))?;
    Ok(did)
}

fn documents(did: &Did, signers: &[Signer]) -> Result<Web, Refusal> {
    let refuse = |e: web::WebError| Refusal::new(Exit::Usage, e.to_string(), "name a host that you control");
    let origin = web::origin_of(did).map_err(refuse)?;
    let keys: Vec<_> = signers.iter().map(|signer| signer.key().public()).collect();
    let mut document = web::document(did, &keys, std::slice::from_ref(&origin)).map_err(refuse)?;
    for (signer, key) in signers.iter().zip(&keys) {
        document.values_mut().for_each(|value| rename(value, &method_of(did, key), signer.method()));
    }
    let statement = Statement {
        did: did.clone(),
        origin: origin.clone(),
        valid_from: now(),
        valid_until: now().plus_ms(LINKAGE_MS),
    };
    let entries = signers.iter().take(1).map(|signer| {
        // The specification wants `alg` and `kid` in the header, and nothing else.
        let header = Header { kid: Some(signer.method().to_owned()), ..Header::default() };
        let claims = Value::Object(statement.claims()).to_string();
        Entry::Jwt(Jws::sign(&header, claims.as_bytes(), signer.key()))
    });
    let configuration = linkage::configuration(entries.collect());
    Ok(Web {
        did: did.clone(),
        did_document: Place { url: web::url_of(did).map_err(refuse)?, file: None, content: document },
        did_configuration: Place { url: origin.configuration_url(), file: None, content: configuration },
    })
}

/// Replaces a text wherever it stands.
fn rename(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::String(text) if text == from => *text = to.to_owned(),
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, from, to)),
        Value::Object(members) => members.values_mut().for_each(|member| rename(member, from, to)),
        _ => {}
    }
}

fn pretty(document: &Map<String, Value>) -> String {
    serde_json::to_string_pretty(document).unwrap_or_default()
}
