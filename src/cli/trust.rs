//! `knack trust`.

use std::{path::PathBuf, process::ExitCode};

use clap::Subcommand;
use knackmesh_protocol::{
    credential::{
        Format, TrustEntry,
        import::Form,
        trust_document::{self, TrustDocumentError},
    },
    key::Did,
    limits::STATUS_AGE_DEFAULT_MS,
    skill::SkillId,
    vocabulary::Vocabulary,
};

use super::{
    Outcome, Screen, ask,
    issue::{Token, formats, is_token, printed},
    lasting_ms, mismatch,
    screen::{GOOD, STRONG, WEAK, instant, short, table},
    sound_did, source,
    writing::{Written, write_whole},
};
use crate::{
    control::{Change, Exit, FollowOrder, FollowReport, Refusal, Reply, Request, TrustOrder},
    home::Home,
    node::verifying::{Asker, Question},
    report::{TrustReport, TrustRow},
};

/// How lists are signed: their entries are plain JSON, of which RDF would say less.
const LISTS: [Format; 2] = [Format::Jcs, Format::VcJwt];

/// How many skills a line names; the others it counts.
const SKILLS_SHOWN: usize = 4;

/// Keep the list of issuers that you recognise
///
/// A verified credential of a listed issuer is recognised. One of an unlisted issuer is verified all the same, and ranks lower.
/// You can follow lists that others signed. Your own entries stand whatever those say, and distrust outweighs recognition.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  knack trust add did:key:z6Mk... --name 'Technical University'
  knack trust add did:key:z6Mk... --skill welding --skill 'metal working'
  knack trust add did:key:z6Mk... --distrust
  knack trust export --name 'Chamber of Crafts' --out list.json
  knack trust import list.json --from did:key:z6Mk...
  knack trust list")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Add an issuer, or change its entry
    ///
    /// Of an entry that you made before, the name and the skills stay unless new ones are named. To recognise the issuer for every
    /// skill again, or to drop its name, remove it and add it anew. Without --distrust, an issuer that you distrusted is recognised.
    #[command(after_help = "\
Examples:
  knack trust add did:key:z6Mk... --name 'Technical University'
  knack trust add did:key:z6Mk... --skill welding --skill 'metal working'
  knack trust add did:web:diploma-mill.example --distrust
  knack trust remove did:key:z6Mk... && knack trust add did:key:z6Mk...")]
    Add {
        /// The issuer
        #[arg(value_name = "DID", value_parser = sound_did)]
        issuer: Did,
        /// What you call it
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// Recognise it for this skill alone; may be repeated. Replaces the skills named before
        #[arg(long, value_name = "URI|NAME", conflicts_with = "distrust")]
        skill: Vec<String>,
        /// Distrust it: its credentials fail `trusted_issuer`
        #[arg(long)]
        distrust: bool,
    },
    /// Remove an issuer, or all that came from somebody's list
    #[command(after_help = "\
Examples:
  knack trust remove did:key:z6Mk...
  knack trust remove --from did:web:chamber.example")]
    Remove {
        /// The issuer
        #[arg(value_name = "DID", required_unless_present = "from", conflicts_with = "from")]
        issuer: Option<Did>,
        /// Stop following this one's list, and forget its entries
        #[arg(long, value_name = "DID")]
        from: Option<Did>,
    },
    /// Show the list, and by whose word each entry is on it
    #[command(after_help = "Examples:\n  knack trust list\n  knack trust list --json > trust.json")]
    List,
    /// Sign your own entries as a list that others can follow
    ///
    /// Whoever has the list sees whom you recognise and distrust, and what you call them. Entries that came from others' lists are
    /// left out.
    #[command(after_help = "Example:\n  knack trust export --name 'Chamber of Crafts' --out list.json")]
    Export {
        /// The file to write; stdout when absent
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// What the list is called
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// How it is signed
        #[arg(long, value_name = "FORMAT", default_value_t = Format::Jcs, value_parser = formats(&LISTS))]
        format: Format,
        /// How long it holds for those who follow it
        #[arg(long, value_name = "DURATION", value_parser = lasting_ms, default_value = "365d")]
        expires: u64,
    },
    /// Follow a list that somebody signed
    ///
    /// Shows who signed it and what it changes. It is followed when --from names who signed it, or when you follow them already;
    /// a newer list replaces the older. Exits 3 when it is not verified, or signed by another, and 5 when nobody was named.
    #[command(after_help = "\
Examples:
  knack trust import list.json
  knack trust import https://chamber.example/list.json --from did:web:chamber.example")]
    Import {
        /// A list as `knack trust export` signs it, or the https address of one
        #[arg(value_name = "FILE|URL")]
        file: String,
        /// Who must have signed it
        #[arg(long, value_name = "DID")]
        from: Option<Did>,
        /// Show what it would change, and change nothing
        #[arg(long)]
        dry_run: bool,
        /// Ask nobody for the keys of who signed it: use copies that were kept
        #[arg(long)]
        offline: bool,
    },
}

impl Args {
    pub async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        let order = match self.action {
            Action::Add { issuer, name, skill, distrust } => {
                TrustOrder::Add { issuer, name, distrusted: distrust, skills: skill }
            }
            Action::Remove { issuer: Some(issuer), .. } => TrustOrder::Remove { issuer },
            Action::Remove { from: Some(keeper), .. } => TrustOrder::Unfollow { keeper },
            Action::Remove { .. } => {
                return Err(Refusal::new(Exit::Usage, "nobody is named", "see `knack trust remove --help`"));
            }
            Action::List => TrustOrder::List,
            Action::Export { out, name, format, expires } => {
                let order = TrustOrder::Export { name, format, valid_for_ms: expires };
                return export(home, screen, order, format, out).await;
            }
            Action::Import { file, from, dry_run, offline } => {
                return follow(home, screen, &file, from, dry_run, offline).await;
            }
        };
        let added = match &order {
            TrustOrder::Add { issuer, distrusted: true, .. } => Some(issuer.clone()),
            _ => None,
        };
        let Reply::Trust(report) = ask(home, Request::Trust(order)).await? else { return Err(mismatch()) };
        screen.show(&report.entries, || print(&report, screen));
        for list in &report.followed {
            let keeper = &list.keeper;
            if let Some(until) = list.until.filter(|_| !list.current) {
                let until = instant(until);
                screen.say(&format!(
                    "the list of {keeper} ended at {until} and counts no longer; import its newest"
                ));
            }
            if added.as_ref() == Some(keeper) {
                screen.say(&format!(
                    "you still follow its list: `knack trust remove --from {keeper}` ends that"
                ));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// For what an issuer is recognised, in words.
pub(super) fn scope(skills: &[SkillId]) -> String {
    if skills.is_empty() {
        return "every skill".to_owned();
    }
    let vocabulary = Vocabulary::embedded();
    let labels: Vec<&str> = skills.iter().take(SKILLS_SHOWN).map(|skill| vocabulary.label(skill)).collect();
    match skills.len() - labels.len() {
        0 => format!("{} alone", labels.join(", ")),
        more => format!("{} and {more} more alone", labels.join(", ")),
    }
}

/// By whose word an entry is on the list.
pub(super) fn whose(row: &TrustRow) -> String {
    let lists = row.from.iter().map(|voucher| match &voucher.list {
        Some(name) => format!("{} ({name})", short(voucher.keeper.as_str())),
        None => short(voucher.keeper.as_str()),
    });
    let lists = lists.collect::<Vec<_>>().join(" and ");
    match (row.own, lists.is_empty()) {
        (true, true) => "by your own entry".to_owned(),
        (true, false) => format!("by your own entry, whatever is said by the list of {lists}"),
        (false, true) => "by the list that you named".to_owned(),
        (false, false) => format!("by the list of {lists}"),
    }
}

fn print(report: &TrustReport, screen: &Screen) {
    if report.entries.is_empty() {
        screen.say("the trust list is empty: `knack trust add DID` recognises an issuer");
        return;
    }
    let mut rows = table(["issuer", "name", "as", "for", "by"]);
    for row in &report.entries {
        let (standing, scope) = match row.distrusted {
            true => ("distrusted", "-".to_owned()),
            false => ("recognised", scope(&row.skills)),
        };
        let name = row.name.as_deref().unwrap_or("-");
        rows.add_row([row.issuer.as_str(), name, standing, &scope, &whose(row)]);
    }
    data!("{rows}");
}

async fn export(
    home: &Home,
    screen: &Screen,
    order: TrustOrder,
    format: Format,
    out: Option<PathBuf>,
) -> Outcome {
    let Reply::Issued(text) = ask(home, Request::Trust(order)).await? else { return Err(mismatch()) };
    let printed = printed(&text)?;
    match out {
        None if screen.json && is_token(&text) => screen.show(&Token { format, credential: &text }, || {}),
        None => data!("{printed}"),
        Some(path) => {
            write_whole(&path, (printed + "\n").as_bytes())?;
            let written = Written { file: path.display().to_string() };
            screen.show(&written, || screen.say(&format!("wrote {}", written.file)));
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn follow(
    home: &Home,
    screen: &Screen,
    file: &str,
    from: Option<Did>,
    dry: bool,
    offline: bool,
) -> Outcome {
    let tell = |question: &Question<'_>| source::announce(question, screen);
    let asker = Asker::new(&source::fetcher(Some(home), offline)?, &tell);
    const HINT: &str = "name a list as `knack trust export` signs it";
    let opened = source::open(file, &asker).await.map_err(|refusal| match refusal.exit {
        Exit::NotVerified => Refusal { hint: HINT.into(), ..refusal },
        _ => refusal,
    })?;
    // Nobody is asked about what is no list.
    match &opened.form {
        Form::Credential(credential) if trust_document::is_one(credential) => {}
        _ => {
            let message = format!("{file}: {}", TrustDocumentError::Type);
            return Err(Refusal::new(Exit::NotVerified, message, HINT));
        }
    }
    source::fetch(&opened.text, STATUS_AGE_DEFAULT_MS, &asker).await?;
    let order = FollowOrder { text: opened.text, from, dry };
    let reply = ask(home, Request::Trust(TrustOrder::Follow(order))).await?;
    let Reply::TrustFollowed(report) = reply else { return Err(mismatch()) };
    screen.show(&report, || print_list(&report));
    if report.followed || dry {
        return Ok(ExitCode::SUCCESS);
    }
    screen.advise(&Refusal::new(
        Exit::Refused,
        "nothing was changed: you follow no list of who signed this one",
        format!(
            "if you know whose DID that is and mean to follow it, repeat this with `--from {}`",
            report.keeper
        ),
    ));
    Ok(ExitCode::from(Exit::Refused as u8))
}

fn print_list(report: &FollowReport) {
    let name = report.name.as_deref().unwrap_or("a trust list without a name");
    data!("{STRONG}{name}{STRONG:#} ({})", report.format);
    data!("  signed by  {}", report.keeper);
    data!("  holds from {}", report.signed.map_or("no instant that it states".to_owned(), instant));
    data!("  until      {}", report.until.map_or("its keeper says otherwise".to_owned(), instant));
    if report.changes.is_empty() {
        data!("it names nobody");
    } else {
        let mut rows = table(["issuer", "name", "change", "before", "with the list"]);
        for row in &report.changes {
            let change = match row.change {
                Change::Added => "added",
                Change::Changed => "changed",
                Change::Removed => "removed",
                Change::Unchanged => "none",
                Change::OwnStands => "none: your own entry stands",
            };
            let name = row.after.as_ref().or(row.before.as_ref()).and_then(|entry| entry.name.as_deref());
            let [before, after] = [&row.before, &row.after].map(|entry| opinion(entry.as_ref()));
            rows.add_row([row.issuer.as_str(), name.unwrap_or("-"), change, &before, &after]);
        }
        data!("{rows}");
    }
    match report.followed {
        true => data!("{GOOD}followed{GOOD:#}: {} entries", report.entries),
        false => data!("{WEAK}nothing was changed{WEAK:#}"),
    }
}

fn opinion(entry: Option<&TrustEntry>) -> String {
    match entry {
        None => "-".to_owned(),
        Some(entry) if entry.distrusted => "distrusted".to_owned(),
        Some(entry) => format!("recognised for {}", scope(&entry.skills)),
    }
}
