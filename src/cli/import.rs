//! `knack import`.

mod claims;

use std::{path::PathBuf, process::ExitCode};

use knackmesh_protocol::{
    credential::{
        Credential, Securing,
        clr::HeldCredential,
        cv,
        import::{Form, Opened},
        presentation,
    },
    limits::STATUS_AGE_DEFAULT_MS,
    text::shown,
    vocabulary::Vocabulary,
};
use serde::Serialize;

use self::claims::{Claims, command};
use super::{
    Outcome, Screen, ask, mismatch,
    screen::{BAD, GOOD, WEAK, print_checks, short},
    source,
};
use crate::{
    control::{Exit, ImportOrder, ImportedRow, Refusal, Reply, Request},
    fetch::Fetcher,
    home::Home,
    node::verifying::{Asker, Question},
};

/// Take in credentials and badges about you
///
/// What is authentic and about your DID is kept, each credential of a bundle by itself; nothing is published by importing.
/// Nobody is asked, unless you say --fetch. A badge that is bound to an e-mail address, which you name by --email, or to
/// nobody, is kept with its label and backs no claim. Of a curriculum vitae only names of skills are taken, and only once you confirm them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  knack import ~/Downloads/*.json
  knack import badge.png --fetch --email ada@example.org
  knack import resume.json --claim-all")]
pub struct Args {
    /// JSON, tokens, SD-JWT VC, badges baked into PNG or SVG, Open Badges 2.0, learner records (CLR 2.0), curricula (JSON Resume,
    /// Europass)
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    /// Ask issuers for what a verification needs; they learn that somebody verifies
    #[arg(long)]
    fetch: bool,

    /// An address of yours, to be compared with that of a badge; it is not kept
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    email: Option<String>,

    /// Take the skills that a curriculum vitae claims into your profile, as your own word
    #[arg(long)]
    claim_all: bool,
}

fn address(text: &str) -> Result<String, String> {
    let is_one = text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    is_one.then(|| text.to_owned()).ok_or_else(|| "an address has the form NAME@HOST".to_owned())
}

/// What became of a file, or of a credential in it.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Row {
    /// A credential or a badge is kept.
    Imported(Box<Imported>),
    /// A curriculum vitae claims skills.
    Claims(Claims),
    /// Nothing is kept.
    Refused { file: String, reason: Refusal },
}

#[derive(Serialize)]
struct Imported {
    file: String,
    #[serde(flatten)]
    row: ImportedRow,
    /// What the file held and is not kept.
    dropped: Vec<String>,
}

/// A part of a file that is imported by itself.
struct Part {
    name: String,
    text: String,
    dropped: Vec<String>,
}

impl Args {
    pub async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        let fetcher = if self.fetch { Some(source::fetcher(Some(home), false)?) } else { None };
        let mut rows = Vec::new();
        for path in &self.files {
            let file = path.display().to_string();
            match source::open_file(path) {
                Ok(opened) => rows.extend(self.opened(&file, opened, fetcher.as_ref(), home, screen).await),
                Err(reason) => rows.push(Row::Refused { file, reason }),
            }
        }
        let worst = rows.iter().filter_map(|row| match row {
            Row::Refused { reason, .. } => Some(reason.exit as u8),
            Row::Imported(_) | Row::Claims(_) => None,
        });
        let worst = worst.max();
        screen.show(&rows, || rows.iter().for_each(|row| print(row, screen)));
        Ok(worst.map_or(ExitCode::SUCCESS, ExitCode::from))
    }

    async fn opened(
        &self,
        file: &str,
        opened: Opened,
        fetcher: Option<&Fetcher>,
        home: &Home,
        screen: &Screen,
    ) -> Vec<Row> {
        if matches!(opened.form, Form::Curriculum(_)) {
            return vec![match self.claims(file, &opened.text, home).await {
                Ok(claims) => Row::Claims(claims),
                Err(reason) => Row::Refused { file: file.to_owned(), reason },
            }];
        }
        let (parts, mut rows) = parts(file, opened);
        for part in parts {
            rows.push(match self.import(&part, fetcher, home, screen).await {
                Ok(row) => {
                    Row::Imported(Box::new(Imported { file: part.name, row: *row, dropped: part.dropped }))
                }
                Err(reason) => Row::Refused { file: part.name, reason },
            });
        }
        rows
    }

    async fn import(
        &self,
        part: &Part,
        fetcher: Option<&Fetcher>,
        home: &Home,
        screen: &Screen,
    ) -> Result<Box<ImportedRow>, Refusal> {
        if let Some(fetcher) = fetcher {
            let tell = |question: &Question<'_>| source::announce(question, screen);
            let asker = Asker::new(fetcher, &tell);
            source::fetch(&part.text, STATUS_AGE_DEFAULT_MS, &asker).await?;
            for problem in asker.fetched().into_iter().filter_map(|row| row.problem) {
                screen.say(&problem.reason);
            }
        }
        let order =
            ImportOrder { name: part.name.clone(), text: part.text.clone(), email: self.email.clone() };
        match ask(home, Request::Import(order)).await? {
            Reply::Imported(row) => Ok(row),
            _ => Err(mismatch()),
        }
    }

    async fn claims(&self, file: &str, text: &str, home: &Home) -> Result<Claims, Refusal> {
        let curriculum = cv::read(text, &Vocabulary::embedded()).map_err(|e| {
            Refusal::new(Exit::NotVerified, format!("{file}: {e}"), "export the curriculum again")
        })?;
        let mut claims = Claims::new(file, curriculum);
        if self.claim_all {
            match ask(home, Request::Profile(claims.order())).await? {
                Reply::Profile(_) => claims.claimed = true,
                _ => return Err(mismatch()),
            }
        }
        Ok(claims)
    }
}

/// What of a file is imported by itself, and what of it cannot be.
fn parts(file: &str, opened: Opened) -> (Vec<Part>, Vec<Row>) {
    let image = opened.baked.map(|_| "the image".to_owned());
    let numbered = |texts: Vec<String>, dropped: &[String]| {
        let parts = texts.into_iter().zip(1..);
        let part = |(text, n)| Part { name: format!("{file}#{n}"), text, dropped: dropped.to_vec() };
        parts.map(part).collect::<Vec<_>>()
    };
    let refused = |reason: String, hint: &str| Row::Refused {
        file: file.to_owned(),
        reason: Refusal::new(Exit::NotVerified, format!("{file}: {reason}"), hint),
    };
    match opened.form {
        Form::Presentation => match presentation::credentials(&opened.text) {
            Ok(shown) => {
                // Without the key binding, which was made for somebody else as well.
                let unbound = |credential: &Credential| match (credential.securing(), credential.text()) {
                    (Securing::SdJwt(_), text) => text[..text.rfind('~').map_or(0, |at| at + 1)].to_owned(),
                    (_, text) => text.to_owned(),
                };
                let texts = shown.iter().map(unbound).collect();
                (
                    numbered(texts, &["the presentation, which was made for somebody else".to_owned()]),
                    Vec::new(),
                )
            }
            Err(e) => (Vec::new(), vec![refused(e.to_string(), "import the credentials themselves")]),
        },
        Form::LearnerRecord(_, record) => {
            let mut dropped: Vec<String> = image.into_iter().collect();
            dropped.push("the record around it".to_owned());
            if !record.associations.is_empty() {
                dropped.push(format!("{} associations between achievements", record.associations.len()));
            }
            let texts = record.credentials.iter().map(HeldCredential::text).map(str::to_owned).collect();
            let parts = numbered(texts, &dropped);
            let unread = match record.unread {
                1 => "one of the things it holds is no credential, or too long for one".to_owned(),
                n => format!("{n} of the things it holds are no credentials, or too long for one"),
            };
            let unread = (record.unread > 0).then(|| refused(unread, "ask their issuers for them"));
            let empty = (parts.is_empty() && record.unread == 0).then(|| {
                refused(
                    "it is a learner record, and holds no credentials".to_owned(),
                    "ask its publisher for another",
                )
            });
            (parts, unread.into_iter().chain(empty).collect())
        }
        _ => {
            let dropped = image.into_iter().collect();
            (vec![Part { name: file.to_owned(), text: opened.text, dropped }], Vec::new())
        }
    }
}

fn print(row: &Row, screen: &Screen) {
    match row {
        Row::Imported(imported) => print_imported(imported),
        Row::Claims(claims) => claims.print(),
        Row::Refused { file, reason } => {
            data!("{BAD}refused{BAD:#}  {}", shown(file));
            screen.advise(reason);
        }
    }
}

fn print_imported(imported: &Imported) {
    let Imported { file, row: ImportedRow { credential, suggestions }, dropped } = imported;
    let skills = credential.skills.iter().map(|s| format!("{} {}", s.label, s.level)).collect::<Vec<_>>();
    data!(
        "{GOOD}imported{GOOD:#} {}: {} by {} ({})",
        shown(file),
        credential.checks.credential,
        short(&credential.checks.issuer),
        if skills.is_empty() { "no skill is named by a URI".to_owned() } else { skills.join(", ") }
    );
    print_checks(&credential.checks);
    if !dropped.is_empty() {
        data!("  {WEAK}not kept: {}{WEAK:#}", dropped.join(", "));
    }
    if !suggestions.is_empty() {
        data!("  its texts name skills; claim those that are yours, with your level:");
        for s in suggestions {
            data!(
                "    {}  {WEAK}({} in its {}){WEAK:#}",
                command(&s.label, &s.skill, None),
                s.words,
                s.place
            );
        }
    }
}
