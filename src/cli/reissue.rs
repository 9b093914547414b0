//! `knack reissue`.

use std::{path::PathBuf, process::ExitCode};

use knackmesh_protocol::{
    credential::{
        Format, Verifier,
        identity::{self, Recipience},
    },
    key::{Algorithm, Did},
};

use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Outcome, Screen, ask,
    issue::{Written, printed},
    mismatch,
    screen::short,
    sound_did, source,
    writing::{vacant, write_new},
};
use crate::{
    control::{Exit, Refusal, Reply, Request, SignOrder},
    home::Home,
    node::{
        now, random_id, signer,
        verifying::{Asker, Award, Question, listed},
    },
};

/// Issue a badge anew, to a DID
///
/// For issuers: a badge that is bound to an e-mail address, or to nobody, is verified and issued by you to the holder's DID,
/// with the same achievement and skills, and with the original as its evidence. From then on you vouch for it: make sure
/// that the DID is that of whom the badge was awarded to.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  knack reissue badge.png --to did:key:z6Mk... --email ada@example.org --out badge.json
  knack reissue badge.json --to did:key:z6Mk... --offline")]
pub struct Args {
    /// The badge: Open Badges 3.0 or 2.0, as JSON, a token, or baked into PNG or SVG; or its https address
    #[arg(value_name = "BADGE")]
    badge: String,

    /// The holder's DID
    #[arg(long, value_name = "DID", value_parser = sound_did)]
    to: Did,

    /// The holder's address, to be compared with the one that the badge was awarded to
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,

    /// Ask nobody: use copies that were kept
    #[arg(long)]
    offline: bool,

    /// Give it a status, so that it can be revoked and suspended
    #[arg(long)]
    status: bool,

    /// The file to write, which must not be there yet; stdout when absent
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What was issued anew, and what must be known of that.
#[derive(Serialize)]
struct Reissued {
    #[serde(flatten)]
    written: Written,
    /// Who awarded the original.
    original_issuer: String,
    warnings: Vec<&'static str>,
}

impl Args {
    pub async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        if let Some(path) = &self.out {
            vacant(path)?;
        }
        let tell = |question: &Question<'_>| source::announce(question, screen);
        let asker = Asker::new(&source::fetcher(Some(home), self.offline)?, &tell);
        let opened = source::open(&self.badge, &asker).await?;
        let (trust, now) = (listed(source::trust_of(Some(home)).await?)?, now());
        let award = Award::verify(&opened, &Verifier::new(now, &trust), &asker).await?;
        let warnings: Vec<&'static str> = self.check(&award)?.into_iter().collect();
        warnings.iter().for_each(|warning| screen.say(warning));
        let mut document = award.original.document(&self.to, &random_id()?, now);
        document.insert("issuer".into(), issuer(home)?);
        let order = SignOrder {
            document,
            format: Format::Jcs,
            algorithm: None,
            status: self.status,
            status_url: None,
        };
        let Reply::Issued(text) = ask(home, Request::Sign(order)).await? else { return Err(mismatch()) };
        let printed = printed(&text)?;
        match &self.out {
            None => data!("{printed}"),
            Some(path) => {
                write_new(path, (printed + "\n").as_bytes())?;
                let written = Written::new(path, &text, Format::Jcs, Algorithm::EdDsa)?;
                let original_issuer = award.original.issuer().to_owned();
                let reissued = Reissued { written, original_issuer, warnings };
                screen.show(&reissued, || screen.say(&format!("wrote {}", reissued.written.file)));
            }
        }
        screen.say(&format!(
            "you vouch for {} of {} from now on, and no longer {}",
            award.original.name(),
            short(self.to.as_str()),
            award.original.issuer()
        ));
        Ok(ExitCode::SUCCESS)
    }

    /// Whether the badge is one to vouch for; what remains unknown.
    fn check(&self, award: &Award) -> Result<Option<&'static str>, Refusal> {
        let refuse = |exit, message: &str, hint: &str| Err(Refusal::new(exit, message, hint));
        if let Some(subject) = &award.subject {
            let message = format!("the badge is bound to {subject} already, which can prove to hold it");
            return refuse(Exit::Refused, &message, "its holder can use it as it is");
        }
        if !award.checks.verified {
            let mut reasons: Vec<&str> = Vec::new();
            for row in &award.checks.reasons {
                let counts = !["trusted_issuer", "trusted_holder"].contains(&row.check.as_str());
                // Two checks can fail for one reason.
                if counts && !reasons.contains(&row.reason.as_str()) {
                    reasons.push(&row.reason);
                }
            }
            let message =
                format!("the badge is not verified, so it is not issued anew: {}", reasons.join("; "));
            return refuse(
                Exit::NotVerified,
                &message,
                "ask its issuer; `knack verify BADGE` shows every check",
            );
        }
        let Some(email) = &self.email else {
            return Ok(Some("it was not checked to whom the badge was awarded: you vouch for that too"));
        };
        match identity::compare(&award.recipients, email) {
            Ok(Recipience::Matches) => Ok(None),
            Ok(Recipience::Unstated) => {
                Ok(Some("the badge does not say to whom it was awarded: you vouch for that too"))
            }
            Ok(Recipience::Differs) => refuse(
                Exit::Refused,
                "the badge was awarded to another address",
                "ask its holder for the address",
            ),
            Err(e) => refuse(
                Exit::Refused,
                &e.to_string(),
                "leave --email out if you know otherwise whose badge it is",
            ),
        }
    }
}

/// This home as the issuer, with the name that it has in its settings.
fn issuer(home: &Home) -> Result<Value, Refusal> {
    let (root, settings) = (home.keys()?.root, home.config()?.issuer);
    let signer = signer(&root, &settings, None, Algorithm::EdDsa)?;
    let mut issuer = json!({"id": signer.controller(), "type": ["Profile"]});
    if let Some(name) = settings.name {
        issuer["name"] = json!(name);
    }
    Ok(issuer)
}
