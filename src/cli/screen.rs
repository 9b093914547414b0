//! What a person sees: tables, short names, advice. Colour only on a terminal, and not with `NO_COLOR`.

use std::{fmt, io, io::Write, time::Duration};

use anstyle::{AnsiColor, Style};
use comfy_table::{ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use knackmesh_protocol::{credential::Check, text::shown, time::Timestamp};
use serde::Serialize;

use crate::{
    control::Refusal,
    report::{ChecksRow, CoverageRow, FetchedRow, PlacementRow, QueryReport, ResultRow},
};

/// Good.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// Bad.
pub const BAD: Style = AnsiColor::Red.on_default();
/// Weak.
pub const WEAK: Style = Style::new().dimmed();
/// Strong.
pub const STRONG: Style = Style::new().bold();

/// Where output goes, and in which form.
pub struct Screen {
    /// One JSON value on stdout instead of text.
    pub json: bool,
}

impl Screen {
    /// Prints `value` as JSON, or what `text` says.
    pub fn show<T: Serialize>(&self, value: &T, text: impl FnOnce()) {
        if self.json {
            match serde_json::to_string_pretty(value) {
                Ok(json) => data!("{json}"),
                Err(e) => self.say(&format!("the answer has no JSON form: {e}")),
            }
        } else {
            text();
        }
    }

    /// Prints why a command failed, and what to try.
    pub fn refuse(&self, refusal: &Refusal) {
        if self.json {
            #[derive(Serialize)]
            struct Envelope<'a> {
                error: &'a Refusal,
            }
            self.show(&Envelope { error: refusal }, || {});
        }
        self.advise(refusal);
    }

    /// Why, and what to try, on stderr.
    pub fn advise(&self, refusal: &Refusal) {
        self.say(&format!("{BAD}error:{BAD:#} {}", refusal.message));
        self.say(&format!("{STRONG}try:{STRONG:#} {}", refusal.hint));
    }

    /// A line of talk. Who closed stderr does not want it.
    pub fn say(&self, line: &str) {
        let _ = writeln!(anstream::stderr(), "{line}");
    }

    /// A sign of life on stderr while something takes long; nothing when stderr is no terminal.
    pub fn progress(&self, message: &str) -> ProgressBar {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style.tick_chars("-\\|/ "));
        }
        bar.set_message(message.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }

    /// How far something is that has so many parts, on stderr; nothing when stderr is no terminal.
    pub fn counter(&self, message: &str, parts: usize) -> ProgressBar {
        let bar = ProgressBar::new(parts as u64);
        if let Ok(style) = ProgressStyle::with_template("{msg} {pos} of {len} ({elapsed}, {eta} left)") {
            bar.set_style(style);
        }
        bar.set_message(message.to_owned());
        bar
    }
}

/// Prints a line of data. A reader that has read enough (`knack query ... | head -1`) ends the program in silence; a full
/// disk ends it with an error.
pub fn write_line(line: fmt::Arguments<'_>) {
    let mut out = anstream::stdout().lock();
    let written = out.write_fmt(line).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush());
    match written {
        Ok(()) => {}
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        Err(e) => {
            let _ = writeln!(anstream::stderr(), "{BAD}error:{BAD:#} stdout: {e}");
            std::process::exit(1);
        }
    }
}

/// The narrowest terminal that a table is fitted to. What is narrower does not say how wide it is.
const WIDTH_MIN: u16 = 20;

/// A table with the given columns, as wide as the terminal.
pub fn table<const N: usize>(columns: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_BORDERS_ONLY_CONDENSED);
    let is_known = table.width().is_none_or(|width| width >= WIDTH_MIN);
    table.set_content_arrangement(match is_known {
        true => ContentArrangement::Dynamic,
        false => ContentArrangement::Disabled,
    });
    table.set_header(columns);
    table
}

/// A DID or peer id short enough for a table, still to be told apart.
pub fn short(name: &str) -> String {
    // What names a place on the web says who it is only as a whole.
    if name.starts_with("did:web:") || name.starts_with("https:") || name.starts_with("http:") {
        return knackmesh_protocol::text::shown(name);
    }
    let body = name.strip_prefix("did:key:").unwrap_or(name);
    let count = body.chars().count();
    if count <= 16 {
        return body.to_owned();
    }
    let head: String = body.chars().take(8).collect();
    let tail: String = body.chars().skip(count - 6).collect();
    format!("{head}..{tail}")
}

/// An instant without fractions.
pub fn instant(t: Timestamp) -> String {
    t.to_rfc3339_seconds()
}

/// So many of something: `1 claim`, `2 claims`.
pub fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// `yes` or `no`.
pub fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

/// One check, with the reason where there is one.
pub fn check_line(name: &str, style: Style, check: Check, reason: &str) {
    let outcome = check.to_string();
    let gap = if reason.is_empty() { 0 } else { 15usize.saturating_sub(outcome.len()) };
    data!("  {name:<15} {style}{outcome}{style:#}{:gap$}{reason}", "");
}

/// The six checks of a credential, a line each.
pub fn print_checks(row: &ChecksRow) {
    let reason = |name: &str| row.reasons.iter().find(|r| r.check == name).map_or("", |r| r.reason.as_str());
    for (name, check) in [
        ("untampered", row.untampered),
        ("trusted_issuer", row.trusted_issuer),
        ("trusted_holder", row.trusted_holder),
        ("unrevoked", row.unrevoked),
        ("unexpired", row.unexpired),
        ("fresh", row.fresh),
    ] {
        let style = match check {
            Check::Pass => GOOD,
            Check::Fail | Check::Stale => BAD,
            Check::NotChecked | Check::NotApplicable => WEAK,
        };
        check_line(name, style, check, reason(name));
    }
    let style = if row.verified { GOOD } else { BAD };
    let because = |code: &str| row.reasons.iter().any(|reason| reason.code == code);
    let verdict = match (row.verified, row.recognised) {
        (true, true) => "verified and recognised",
        (true, false) if because("issuer-out-of-scope") => {
            "verified; its issuer is on your trust list, but not for all that it states"
        }
        (true, false) if because("issuer-distrusted") => "verified; its issuer is distrusted",
        (true, false) => "verified; its issuer is not on your trust list",
        (false, _) => "not verified",
    };
    data!("  {style}{verdict}{style:#}");
    for label in &row.labels {
        data!("  {WEAK}note: {}{WEAK:#}", label.meaning());
    }
}

/// A query's table, withheld candidates and coverage.
pub fn print_query(report: &QueryReport) {
    if report.results.is_empty() {
        data!("nobody found");
    } else {
        let mut rows = table(["#", "holder", "score", "verified", "recognised", "skills", "where"]);
        for r in &report.results {
            rows.add_row([
                r.rank.to_string(),
                short(&r.holder),
                points(r.score),
                yes(r.verified).to_owned(),
                yes(r.recognised).to_owned(),
                skills(r),
                place(r),
            ]);
        }
        data!("{rows}");
        data!("{WEAK}skills marked ? are the holder's word, not proven{WEAK:#}");
    }
    if !report.withheld.is_empty() {
        data!("{STRONG}withheld{STRONG:#} (matched as stated, not as proven)");
        for w in &report.withheld {
            data!("  {}  {}", short(&w.view), w.reason);
        }
    }
    print_fetched(&report.fetched);
    print_coverage(&report.coverage, report.elapsed_ms);
}

fn print_coverage(c: &CoverageRow, elapsed_ms: u64) {
    let age = c
        .index_age_seconds
        .map_or("never compared with another".to_owned(), |s| format!("compared {s} s ago"));
    data!(
        "{STRONG}coverage{STRONG:#} asked {} nodes: {} answered, {} unreachable, {} refused; own index {} summaries, {age}; \
         {} matched as stated, {} asked for proof, {} presented; {elapsed_ms} ms",
        c.asked,
        c.answered,
        c.unreachable,
        c.refused,
        c.index_summaries,
        c.matched,
        c.inquired,
        c.presented
    );
    let Some(cells) = &c.cells else { return };
    let missing = match cells.missing_estimate {
        Some(0) => "nobody seems to be missing".to_owned(),
        Some(n) => format!("about {n} may be missing"),
        None => "who may be missing cannot be told".to_owned(),
    };
    data!(
        "  cells: asked {}, {} answered, {} compared, {} of them differed; {} requests; {missing}",
        cells.asked,
        cells.answered,
        cells.compared,
        cells.differing,
        cells.requests,
    );
    if cells.crowded > 0 {
        let crowded = cells.crowded;
        data!(
            "  {WEAK}around {crowded} of them more nodes crowd than chance explains: somebody may want to hide who is there; nodes beside them were \
             asked, too{WEAK:#}"
        );
    }
    for cell in &cells.unreached {
        data!("  {WEAK}not reached: {cell}{WEAK:#}");
    }
    if cells.cut > 0 {
        data!("  {WEAK}{} more cells were not asked; narrow the query{WEAK:#}", cells.cut);
    }
}

/// How well a summary is placed, in a line.
pub fn placed(placement: &PlacementRow) -> String {
    let short = placement.under_replicated.len();
    let crowded = match placement.crowded.as_slice() {
        [] => String::new(),
        skills => format!("; nodes crowd around {}, so it is kept beside them, too", skills.join(", ")),
    };
    let placed = match (placement.in_progress, placement.replicated + short) {
        (true, 0) => "nodes to keep it are being looked for".to_owned(),
        (false, 0) => "nowhere yet: it is placed once other nodes are connected".to_owned(),
        (_, all) if short == 0 => format!("in the cells of all {all} skills"),
        (_, all) => format!(
            "in the cells of {} of {all} skills; under-replicated, and tried again: {}",
            placement.replicated,
            placement.under_replicated.join(", ")
        ),
    };
    placed + &crowded
}

/// What was needed of others, and how it was had.
pub fn print_fetched(rows: &[FetchedRow]) {
    for FetchedRow { kind, url, fetched, age_seconds, from_cache, problem } in rows {
        let age = match (fetched, age_seconds) {
            (Some(at), Some(age)) if *from_cache => format!("a copy of {at}, {age} s old"),
            (Some(_), _) => "just now".to_owned(),
            (None, _) => "not there".to_owned(),
        };
        match (fetched, problem) {
            // The reason names the URL.
            (None, Some(problem)) => data!("{WEAK}{kind}: {}{WEAK:#}", problem.reason),
            (_, Some(problem)) => data!("{WEAK}{kind} {}: {age}; {}{WEAK:#}", shown(url), problem.reason),
            (_, None) => data!("{WEAK}{kind} {}: {age}{WEAK:#}", shown(url)),
        }
    }
}

/// The explanation of a result.
pub fn print_why(result: &ResultRow) {
    data!("{STRONG}#{} {}{STRONG:#}", result.rank, result.holder);
    for term in &result.explanation {
        data!("  {:>10}  {}", points(term.points), term.term);
    }
    data!("  {:>10}  {STRONG}score{STRONG:#}, the sum of the above", points(result.score));
    data!("presentation: {}", result.presentation);
    for claim in &result.claims {
        if let Some(published) = &claim.published {
            data!("{}: {published}", claim.label);
        }
    }
    for checks in &result.checks {
        data!("{} (issuer {})", checks.credential, short(&checks.issuer));
        print_checks(checks);
    }
}

/// Points with a sign for what takes away, in groups of three digits.
fn points(points: i64) -> String {
    let digits = points.unsigned_abs().to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if points < 0 { format!("-{grouped}") } else { grouped }
}

fn skills(result: &ResultRow) -> String {
    let one =
        |c: &crate::report::ClaimRow| format!("{} {}{}", c.label, c.level, if c.proven { "" } else { "?" });
    let mut shown: Vec<String> = result.claims.iter().take(4).map(one).collect();
    if result.claims.len() > 4 {
        shown.push(format!("+{}", result.claims.len() - 4));
    }
    shown.join(", ")
}

fn place(result: &ResultRow) -> String {
    let region = result.terms.region.iter().map(ToString::to_string);
    region.chain(result.terms.modes.iter().map(|m| m.to_string())).collect::<Vec<_>>().join(" ")
}
