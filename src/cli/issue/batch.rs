//! `knack issue batch`.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    process::ExitCode,
};

use knackmesh_protocol::{
    credential::Format,
    limits::{CSV_BYTES_MAX, CSV_FAULTS_MAX, ISSUE_AT_ONCE_MAX, TEMPLATE_BYTES_MAX},
    skill::Level,
};
use serde::Serialize;

use super::{
    super::{
        Outcome, Screen, Session, mismatch,
        screen::{short, table},
    },
    folder::{Folder, MANIFEST, Name},
    printed,
};
use crate::{
    batch::{Fault, Row, Table, Template, rows},
    control::{Exit, Issued, Refusal, Reply, Request},
    home::Home,
    node::now,
};

/// Issue credentials to everybody in a table
///
/// Every row is checked first, and unless all are good nothing is issued. A row that was issued before is not issued
/// again: after an interruption, run the same command once more. A folder can take several tables of one template: what is in
/// it stays, and issued.csv lists it all.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The table names its columns in its first line. `did` is required, `email` only names files, the others fill the template.

Examples:
  knack template new 'Rust course' --out course.toml
  knack issue batch people.csv --template course.toml --dry-run
  knack issue batch people.csv --template course.toml --out badges")]
pub struct Args {
    /// The people: CSV in UTF-8
    #[arg(value_name = "CSV")]
    people: PathBuf,

    /// What the credentials state; `knack template new` begins one
    #[arg(long, value_name = "FILE")]
    template: PathBuf,

    /// The folder to write into [default: the table's name with -issued]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Show what would be issued, and issue nothing
    #[arg(long)]
    dry_run: bool,

    /// Only go on with a batch that was begun in the folder, with the same table
    #[arg(long, conflicts_with = "dry_run")]
    resume: bool,
}

#[derive(Serialize)]
struct Report {
    out: String,
    dry_run: bool,
    /// Credentials that were issued now; none when it was dry.
    issued: usize,
    /// Those that would be, when it was dry.
    #[serde(skip_serializing_if = "Option::is_none")]
    would_issue: Option<usize>,
    /// Those that were issued in an earlier run.
    issued_before: usize,
    manifest: Option<String>,
    credentials: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    line: u64,
    did: String,
    achievement: String,
    skills: Vec<String>,
    level: Level,
    id: String,
    file: String,
    issued_before: bool,
}

/// A table that will not do, as `--json` tells it.
#[derive(Serialize)]
struct Faulty<'a> {
    error: &'a Refusal,
    faults: &'a [Fault],
}

impl Args {
    pub async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        let (template, bytes) = (self.template()?, read(&self.people, CSV_BYTES_MAX)?);
        let out = self.out();
        let (table, mut faults) = Table::read(&bytes);
        // Without a table there are no columns to speak of.
        let (rows, found) =
            if table.columns().is_empty() { Default::default() } else { rows(&table, &template, now()) };
        faults.extend(found);
        let mut session = Session::new(home);
        let dry = ask(&mut session, &rows, true, screen).await?;
        faults.extend(faults_of(&rows, &dry));
        if !faults.is_empty() {
            faults.sort();
            faults.truncate(CSV_FAULTS_MAX);
            return Ok(self.faulty(&faults, screen));
        }
        let mut folder = Folder::look(&out, &template.content(), &bytes, self.resume)?;
        let names = names(&mut folder, &rows, &dry, extension(template.format()));
        if self.dry_run {
            let report = report(&out, &rows, dry, &names, true)?;
            screen.show(&report, || preview(&report, screen));
            evaded(&names, screen);
            return Ok(ExitCode::SUCCESS);
        }
        folder.begin()?;
        let bar = screen.counter("issuing", rows.len());
        let mut issued = Vec::new();
        for (some, names) in rows.chunks(ISSUE_AT_ONCE_MAX).zip(names.chunks(ISSUE_AT_ONCE_MAX)) {
            for (name, one) in names.iter().zip(ask_some(&mut session, some, false).await?) {
                let one = one?;
                folder.write(&name.file, &(printed(&one.text)? + "\n"))?;
                issued.push(Ok(one));
            }
            bar.inc(some.len() as u64);
        }
        bar.finish_and_clear();
        let mut report = report(&out, &rows, issued, &names, false)?;
        folder.finish()?;
        report.manifest = Some(out.join(MANIFEST).display().to_string());
        screen.show(&report, || {
            data!("issued {} credentials into {}", report.issued, report.out);
            if report.issued_before > 0 {
                screen.say(&format!(
                    "{} more had been issued before, and were not again",
                    report.issued_before
                ));
            }
            screen.say(&format!("{} lists them all", out.join(MANIFEST).display()));
        });
        evaded(&names, screen);
        Ok(ExitCode::SUCCESS)
    }

    fn template(&self) -> Result<Template, Refusal> {
        let text = read(&self.template, TEMPLATE_BYTES_MAX)?;
        let text = String::from_utf8(text).map_err(|_| "not UTF-8".to_owned());
        text.and_then(|text| Template::read(&text).map_err(|e| e.to_string())).map_err(|e| {
            let message = format!("{}: {e}", self.template.display());
            Refusal::new(
                Exit::Usage,
                message,
                "`knack template new NAME` writes a template with explanations",
            )
        })
    }

    fn out(&self) -> PathBuf {
        let named = || {
            let stem = self.people.file_stem().unwrap_or_default().to_string_lossy();
            PathBuf::from(format!("{stem}-issued"))
        };
        self.out.clone().unwrap_or_else(named)
    }

    /// Tells what is wrong with the table.
    fn faulty(&self, faults: &[Fault], screen: &Screen) -> ExitCode {
        let people = self.people.display();
        let count = match faults.len() {
            1 => "1 fault".to_owned(),
            CSV_FAULTS_MAX.. => format!("{CSV_FAULTS_MAX} faults or more"),
            n => format!("{n} faults"),
        };
        let (message, hint) = match faults.iter().filter(|fault| fault.line.is_some()).count() {
            0 => (
                format!("the template or the home's settings have {count}; nothing was issued"),
                "mend what is named, and run the command again",
            ),
            of_lines if of_lines < faults.len() => (
                format!("{people}, the template and the home's settings have {count}; nothing was issued"),
                "mend what is named, and run the command again",
            ),
            _ => (
                format!("{people} has {count}; nothing was issued"),
                "mend the lines named, and run the command again",
            ),
        };
        let error = Refusal::new(Exit::Failed, message, hint);
        screen.show(&Faulty { error: &error, faults }, || {});
        for Fault { line, column, message } in faults {
            let column = column.as_ref().map_or_else(String::new, |column| format!("{column}: "));
            match line {
                Some(line) => screen.say(&format!("{people}:{line}: {column}{message}")),
                None => screen.say(&format!("every row: {message}")),
            }
        }
        screen.advise(&error);
        ExitCode::from(error.exit as u8)
    }
}

async fn ask(
    session: &mut Session,
    rows: &[Row],
    dry: bool,
    screen: &Screen,
) -> Result<Vec<Result<Issued, Refusal>>, Refusal> {
    let bar = screen.counter("checking", rows.len());
    let mut all = Vec::new();
    for some in rows.chunks(ISSUE_AT_ONCE_MAX) {
        all.extend(ask_some(session, some, dry).await?);
        bar.inc(some.len() as u64);
    }
    bar.finish_and_clear();
    Ok(all)
}

async fn ask_some(
    session: &mut Session,
    rows: &[Row],
    dry: bool,
) -> Result<Vec<Result<Issued, Refusal>>, Refusal> {
    let orders = rows.iter().map(|row| row.order.clone()).collect();
    match session.ask(&Request::IssueMany { orders, dry }).await? {
        Reply::IssuedMany(all) if all.len() == rows.len() => Ok(all),
        _ => Err(mismatch()),
    }
}

/// What the node says is wrong. What it says of every row and of no cell is told once: the template or the home's settings are
/// at fault.
fn faults_of(rows: &[Row], dry: &[Result<Issued, Refusal>]) -> Vec<Fault> {
    let fault = |(row, one): (&Row, &Result<Issued, Refusal>)| {
        let refusal = one.as_ref().err()?;
        Some(row.fault(&format!("{} ({})", refusal.message, refusal.hint)))
    };
    let faults: Vec<Fault> = rows.iter().zip(dry).filter_map(fault).collect();
    match faults.as_slice() {
        [first, others @ ..]
            if faults.len() == rows.len()
                && first.column.is_none()
                && others.iter().all(|other| other.column.is_none() && other.message == first.message) =>
        {
            vec![Fault::of_all(&first.message)]
        }
        _ => faults,
    }
}

/// The names of the rows' files.
fn names(folder: &mut Folder, rows: &[Row], dry: &[Result<Issued, Refusal>], extension: &str) -> Vec<Name> {
    let issued = dry.iter().flatten();
    let name = |(row, one): (&Row, &Issued)| {
        folder.name(&one.id, row.order.to.as_str(), row.line, &row.stem, extension)
    };
    rows.iter().zip(issued).map(name).collect()
}

/// Says which files have other names than they would have, since other credentials have those.
fn evaded(names: &[Name], screen: &Screen) {
    let evaded: Vec<&str> =
        names.iter().filter(|name| name.is_evaded).map(|name| name.file.as_str()).collect();
    if let [first, others @ ..] = evaded.as_slice() {
        let more = if others.is_empty() { String::new() } else { format!(" and {} more", others.len()) };
        screen.say(&format!(
            "a number is in the name of {first}{more}: the name without it is another credential's, which stays"
        ));
    }
}

fn report(
    out: &Path,
    rows: &[Row],
    issued: Vec<Result<Issued, Refusal>>,
    names: &[Name],
    dry_run: bool,
) -> Result<Report, Refusal> {
    let mut credentials = Vec::new();
    for ((row, one), name) in rows.iter().zip(issued).zip(names) {
        let one = one?;
        credentials.push(Line {
            line: row.line,
            did: row.order.to.to_string(),
            achievement: row.order.achievement.clone().unwrap_or_default(),
            skills: row.order.skills.clone(),
            level: row.order.level,
            id: one.id,
            file: name.file.clone(),
            issued_before: one.before,
        });
    }
    let issued_before = credentials.iter().filter(|line| line.issued_before).count();
    let new = credentials.len() - issued_before;
    let (issued, would_issue) = if dry_run { (0, Some(new)) } else { (new, None) };
    let out = out.display().to_string();
    Ok(Report { out, dry_run, issued, would_issue, issued_before, manifest: None, credentials })
}

fn preview(report: &Report, screen: &Screen) {
    let mut lines = table(["line", "did", "achievement", "skills", "level", "file", ""]);
    for line in &report.credentials {
        lines.add_row([
            line.line.to_string(),
            short(&line.did),
            line.achievement.clone(),
            line.skills.join(", "),
            line.level.to_string(),
            line.file.clone(),
            if line.issued_before { "issued before" } else { "" }.to_owned(),
        ]);
    }
    data!("{lines}");
    let count = report.would_issue.unwrap_or_default();
    screen.say(&format!("{count} credentials would be issued into {}", report.out));
    screen.say("nothing was issued; leave --dry-run out to issue them");
}

fn extension(format: Format) -> &'static str {
    match format {
        Format::Jcs | Format::Rdfc => "json",
        Format::VcJwt => "jwt",
        Format::SdJwt => "sd-jwt",
    }
}

/// Reads a file, up to one byte over the bound, which the reader of its content refuses.
fn read(path: &Path, bytes_max: usize) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(bytes_max as u64 + 1).read_to_end(&mut bytes));
    read.map_err(|e| {
        Refusal::new(Exit::Failed, format!("{}: {e}", path.display()), "name a file that you may read")
    })?;
    Ok(bytes)
}
