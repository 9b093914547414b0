//! `knack verify`.

use std::{collections::BTreeSet, path::PathBuf, process::ExitCode};

use clap::builder::NonEmptyStringValueParser;
use knackmesh_protocol::{
    credential::Check,
    did::{Origin, web},
    key::Did,
    limits::STATUS_AGE_DEFAULT_MS,
    text::shown,
};

use super::{
    Outcome, Screen, duration_ms,
    screen::{BAD, GOOD, STRONG, WEAK, check_line, print_checks, print_fetched, short},
    source,
    trust::{scope, whose},
};
use crate::{
    control::{Exit, Refusal},
    home::Home,
    node::{
        now,
        verifying::{Asker, Examination, listed, trust_list},
    },
    report::{ChecksRow, OrganisationRow, PresentationRow, SourcesReport, TrustRow, VerificationReport},
};

/// Verify a credential, a badge, a learner record or a presentation
///
/// Six checks, each PASS, FAIL, STALE, NOT_CHECKED or NOT_APPLICABLE. What a verification needs of others (the keys of a
/// did:web, status lists) is fetched from those who publish it, who learn that somebody verifies; each is named before it
/// is asked. Exits 3 when anything is not verified, or its status is stale. Needs no home; with one, its trust list says
/// which issuers you recognise, and what was fetched is kept in it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  knack verify badge.json
  knack verify badge.png --offline
  knack verify https://school.example/awards/17 --max-status-age 1h
  knack verify shown.json --challenge 4fd1c0 --domain shop.example")]
pub struct Args {
    /// JSON, a token, an SD-JWT VC, a badge baked into PNG or SVG, or the https address of one
    #[arg(value_name = "FILE|URL")]
    file: String,

    /// Ask nobody: use copies that were kept, whatever their age
    #[arg(long)]
    offline: bool,

    /// The oldest status that counts; an older one is STALE
    #[arg(long, value_name = "DURATION", value_parser = duration_ms, default_value = "24h")]
    max_status_age: u64,

    /// Recognise the issuers on this list instead of those on the home's: signed, or as `knack trust list --json` prints it
    #[arg(long, value_name = "LIST")]
    trust: Option<PathBuf>,

    /// A status list that you have, by the credential's issuer; may be repeated
    #[arg(long, value_name = "FILE")]
    status_list: Vec<PathBuf>,

    /// The challenge that a presentation must answer
    #[arg(long, value_name = "TEXT", requires = "domain", value_parser = NonEmptyStringValueParser::new())]
    challenge: Option<String>,

    /// The domain that a presentation must be made for
    #[arg(long, value_name = "TEXT", requires = "challenge", value_parser = NonEmptyStringValueParser::new())]
    domain: Option<String>,

    /// The organisation that must have issued it, by its domain or did:web: its domain has to say that the issuer is its own
    #[arg(long, value_name = "DOMAIN|DID", value_parser = origin)]
    organisation: Option<Origin>,
}

fn origin(text: &str) -> Result<Origin, String> {
    let origin = match text.parse::<Did>() {
        Ok(did) => web::origin_of(&did).ok(),
        Err(_) if text.starts_with("https://") => text.parse().ok(),
        Err(_) => format!("https://{text}").parse().ok(),
    };
    origin.ok_or_else(|| "name a domain such as school.example, or a did:web".to_owned())
}

impl Args {
    pub async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        debug_assert_eq!(
            STATUS_AGE_DEFAULT_MS,
            24 * 3600 * 1000,
            "the default that is shown is that of the protocol"
        );
        let home = source::settled(home);
        let tell = |question: &crate::node::verifying::Question<'_>| source::announce(question, screen);
        let asker = Asker::new(&source::fetcher(home, self.offline)?, &tell);
        let now = now();
        let opened = source::open(&self.file, &asker).await?;
        let rows = match &self.trust {
            Some(path) => trust_list(&source::read(path)?, now, &asker).await?,
            None => source::trust_of(home).await?,
        };
        let trust = listed(rows.clone())?;
        let named = |path: &PathBuf| Ok((path.display().to_string(), source::read(path)?));
        let status_lists = self.status_list.iter().map(named).collect::<Result<Vec<_>, Refusal>>()?;
        let examination = Examination {
            now,
            trust: &trust,
            status_age_max_ms: self.max_status_age,
            status_lists: &status_lists,
            expected: self.challenge.as_deref().zip(self.domain.as_deref()),
            organisation: self.organisation.as_ref(),
        };
        let mut report = examination.examine(&opened, &asker).await?;
        let issuers: BTreeSet<String> = report.rows().map(|row| row.issuer.clone()).collect();
        let on_them = rows.into_iter().filter(|row| issuers.contains(row.issuer.as_str()));
        report.sources_mut().trust = on_them.collect();
        screen.show(&report, || print(&report));
        Ok(match report.passed() {
            true => ExitCode::SUCCESS,
            false => ExitCode::from(Exit::NotVerified as u8),
        })
    }
}

fn print(report: &VerificationReport) {
    match report {
        VerificationReport::Presentation(report) => {
            print_presentation(&report.presentation);
            report.credentials.iter().for_each(print_credential);
        }
        VerificationReport::Document(report) => {
            print_credential(&report.checks);
            report.credentials.iter().for_each(print_credential);
            for unread in &report.unread {
                data!("{BAD}not read{BAD:#} {}", shown(unread));
            }
        }
    }
    print_sources(report.sources());
}

fn print_credential(row: &ChecksRow) {
    data!("{STRONG}{}{STRONG:#} (issuer {}, {})", row.credential, short(&row.issuer), row.format);
    print_checks(row);
}

fn print_presentation(row: &PresentationRow) {
    let holder = row.holder.as_deref().map_or("nobody known".to_owned(), short);
    data!("{STRONG}presentation{STRONG:#} ({}) by {holder}", row.format);
    for (name, check) in [("signature", row.signature), ("binding", row.binding)] {
        let reason = row.reason.as_ref().filter(|reason| reason.check == name);
        let style = if check == Check::Pass { GOOD } else { BAD };
        let reason = reason.map_or("", |reason| reason.reason.as_str());
        check_line(name, style, check, reason);
    }
}

fn print_sources(sources: &SourcesReport) {
    print_trust(&sources.trust);
    for OrganisationRow { did, domain, linked, reason } in &sources.organisations {
        match (linked, reason) {
            (true, _) => data!("organisation: {domain} (domain linkage verified) is {}", short(did)),
            (false, reason) => {
                let reason = reason.as_ref().map_or("", |reason| reason.reason.as_str());
                data!("{WEAK}organisation: {domain} is not known to be {}: {reason}{WEAK:#}", short(did));
            }
        }
    }
    for unused in &sources.unused {
        data!("{BAD}not used{BAD:#} {}", unused.reason);
    }
    print_fetched(&sources.fetched);
}

/// What the trust list says of the issuers, and by whose word.
fn print_trust(rows: &[TrustRow]) {
    for row in rows {
        let standing = if row.distrusted {
            "distrusted".to_owned()
        } else {
            format!("recognised for {}", scope(&row.skills))
        };
        let name = row.name.as_ref().map_or(String::new(), |name| format!(" ({name})"));
        data!("trust: {}{name} is {standing}, {}", short(row.issuer.as_str()), whose(row));
    }
}
