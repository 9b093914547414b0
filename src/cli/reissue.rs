//! `knack reissue`.

use std::{path::PathBuf, process::ExitCode};

use knackmesh_protocol::{
    credential::{
        Format, Verifier,
        identity::{self, Recipience},
    },
    key::Did,
};

use super::{Outcome, Screen, ask, issue::printed, mismatch, screen::short, source, writing::Written};
use crate::{
    control::{Exit, Refusal, Reply, Request, SignOrder},
    home::Home,
    node::{
        now, random_id,
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
    #[arg(long, value_name = "DID")]
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

    /// The file to write; stdout when absent
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Args {
    pub async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        let tell = |question: &Question<'_>| source::announce(question, screen);
        let asker = Asker::new(&source::fetcher(Some(home), self.offline)?, &tell);
        let opened = source::open(&self.badge, &asker).await?;
        let (trust, now) = (listed(source::trust_of(Some(home)).await?)?, now());
        let award = Award::verify(&opened, &Verifier::new(now, &trust), &asker).await?;
        self.check(&award, screen)?;
        let nonce = random_id()?;
        let order = SignOrder {
            document: award.original.document(&self.to, &nonce, now),
            format: Format::Jcs,
            algorithm: None,
            status: self.status,
            status_url: None,
        };
        let Reply::Issued(text) = ask(home, Request::Sign(order)).await? else { return Err(mismatch()) };
        let text = printed(&text)?;
        match &self.out {
            None => data!("{text}"),
            Some(path) => {
                std::fs::write(path, text + "\n").map_err(|e| {
                    let hint = "name a file that you may write";
                    Refusal::new(Exit::Failed, format!("{}: {e}", path.display()), hint)
                })?;
                let written = Written { file: path.display().to_string() };
                screen.show(&written, || screen.say(&format!("wrote {}", written.file)));
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

    /// Whether the badge is one to vouch for.
    fn check(&self, award: &Award, screen: &Screen) -> Result<(), Refusal> {
        let refuse = |exit, message: &str, hint: &str| Err(Refusal::new(exit, message, hint));
        if let Some(subject) = &award.subject {
            let message = format!("the badge is bound to {subject} already, which can prove to hold it");
            return refuse(Exit::Refused, &message, "its holder can use it as it is");
        }
        if !award.checks.verified {
            let reasons: Vec<&str> = award
                .checks
                .reasons
                .iter()
                .filter(|reason| !["trusted_issuer", "trusted_holder"].contains(&reason.check.as_str()))
                .map(|reason| reason.reason.as_str())
                .collect();
            let message =
                format!("the badge is not verified, so it is not issued anew: {}", reasons.join("; "));
            return refuse(
                Exit::NotVerified,
                &message,
                "ask its issuer; `knack verify BADGE` shows every check",
            );
        }
        let Some(email) = &self.email else {
            screen.say("it was not checked to whom the badge was awarded: you vouch for that too");
            return Ok(());
        };
        match identity::compare(&award.recipients, email) {
            Ok(Recipience::Matches) => Ok(()),
            Ok(Recipience::Unstated) => {
                screen.say("the badge does not say to whom it was awarded: you vouch for that too");
                Ok(())
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
