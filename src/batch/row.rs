//! Rows: what the node is asked to issue for each.

use std::collections::BTreeMap;

use knackmesh_protocol::{
    did,
    id::Id,
    key::{Did, NotADid},
    limits::CSV_FAULTS_MAX,
    skill::Level,
    text::shown,
    time::Timestamp,
};
use serde_json::json;

use super::{
    Fault, Table, Template,
    table::Cells,
    template::{DID, EMAIL, Pattern},
};
use crate::control::IssueOrder;

/// The longest name of a file, in bytes, without what is added to it.
const STEM_BYTES_MAX: usize = 100;

/// A good row.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its line.
    pub line: u64,
    /// What the node is asked for.
    pub order: IssueOrder,
    /// The name of its file without an extension. Rows may have the same.
    pub stem: String,
    /// Columns whose cells are in the credential, and the cells.
    used: Vec<(String, String)>,
}

impl Row {
    /// What the node says of it, as a fault of the cell that it names.
    pub fn fault(&self, message: &str) -> Fault {
        let quotes = |cell: &str| cell.split(';').any(|part| message.contains(&format!("`{}`", part.trim())));
        match self.used.iter().find(|(_, cell)| !cell.is_empty() && quotes(cell)) {
            Some((column, _)) => Fault::at(self.line, column, message),
            None => Fault::of_line(self.line, message),
        }
    }
}

/// The rows of a table that are good as far as can be told without the node, and the faults of the others, at most
/// [`CSV_FAULTS_MAX`].
pub fn rows(table: &Table, template: &Template, now: Timestamp) -> (Vec<Row>, Vec<Fault>) {
    let has = |column: &str| table.columns().iter().any(|name| name == column);
    let needed = [DID].into_iter().chain(template.columns());
    let lacking: Vec<Fault> =
        needed.filter(|column| !has(column)).map(|column| Fault::of_line(1, lacks(table, column))).collect();
    if !lacking.is_empty() {
        return (Vec::new(), lacking);
    }
    let (mut rows, mut faults) = (Vec::new(), constant_faults(template, now));
    let mut lines = BTreeMap::new();
    for (line, cells) in table.rows() {
        match order(line, cells, template, now) {
            Ok(order) => {
                let name = order.once.clone().unwrap_or_default();
                if let Some(first) = lines.insert(name, line) {
                    faults.push(Fault::at(line, DID, format!("the same credential as of line {first}")));
                }
                let stem = stem(&order.to, cells.get(EMAIL));
                let used = template.columns().into_iter();
                let used = used.map(|column| (column.to_owned(), cells.get(column).to_owned())).collect();
                rows.push(Row { line, order, stem, used });
            }
            Err(found) => faults.extend(found),
        }
        if faults.len() >= CSV_FAULTS_MAX {
            faults.truncate(CSV_FAULTS_MAX);
            break;
        }
    }
    (rows, faults)
}

/// That a column is missing, and which one is meant for it, perhaps.
fn lacks(table: &Table, column: &str) -> String {
    let plain = |name: &str| {
        let letters = name.chars().filter(|c| c.is_alphanumeric());
        letters.flat_map(char::to_lowercase).collect::<String>()
    };
    let near = table.columns().iter().find(|name| plain(name) == plain(column));
    let is_one = table.columns().len() == 1;
    let apart = match table.columns().first() {
        Some(name) if is_one && name.contains('\t') => Some("tabs"),
        Some(name) if is_one && name.contains('|') => Some("vertical bars"),
        _ => None,
    };
    let hint = match (near, apart) {
        (Some(near), _) => format!("; did you mean `{}`? Write `{}`", shown(near), shown(column)),
        (None, Some(apart)) => format!("; did you mean the {apart} to separate columns? Write commas"),
        (None, None) => String::new(),
    };
    format!("there is no column `{}`{hint}", shown(column))
}

/// What is wrong with texts of the template that are the same in every row.
fn constant_faults(template: &Template, now: Timestamp) -> Vec<Fault> {
    let constant = |pattern: &Pattern| pattern.columns().next().is_none().then(|| pattern.fill(|_| ""));
    let level = constant(&template.level).and_then(|text| level(text.trim()).err());
    let expires = template.expires.as_ref().and_then(constant);
    let expires = expires.and_then(|text| valid_for_ms(text.trim(), now).err());
    let faults = [level, expires].into_iter().flatten();
    faults.map(|message| Fault::of_all(format!("the template: {message}"))).collect()
}

fn level(text: &str) -> Result<Level, String> {
    let number = text.parse::<u8>().ok().and_then(|n| Level::try_from(n).ok());
    number.ok_or_else(|| format!("`{}` is no level, a whole number from 1 to 5", shown(text)))
}

/// What a row asks for. Faults of the template alone are not among those that it has: they are told once.
fn order(line: u64, cells: Cells<'_>, template: &Template, now: Timestamp) -> Result<IssueOrder, Vec<Fault>> {
    let mut faults = Vec::new();
    for column in template.columns().into_iter().filter(|column| cells.get(column).is_empty()) {
        faults.push(Fault::at(line, column, "empty, and the template has a place for it"));
    }
    let to = subject(cells.get(DID)).map_err(|message| faults.push(Fault::at(line, DID, message)));
    let fill = |pattern: &Pattern| pattern.fill(|column| cells.get(column)).trim().to_owned();
    let optional = |pattern: &Option<Pattern>| pattern.as_ref().map(fill);
    let of = |pattern: &Pattern, message: &String| {
        pattern.columns().next().map(|column| Fault::at(line, column, message))
    };
    let level = level(&fill(&template.level));
    if let (Err(message), true) = (&level, faults.is_empty()) {
        faults.extend(of(&template.level, message));
    }
    let expires = optional(&template.expires);
    let valid_for = expires.as_deref().map(|text| valid_for_ms(text, now)).transpose();
    if let (Err(message), Some(pattern), true) = (&valid_for, &template.expires, faults.is_empty()) {
        faults.extend(of(pattern, message));
    }
    let (Ok(to), Ok(level), Ok(valid_for_ms), true) = (to, level, valid_for, faults.is_empty()) else {
        return Err(faults);
    };
    let skills = template.skills.iter().map(fill);
    let skills = skills.flat_map(|text| text.split(';').map(|s| s.trim().to_owned()).collect::<Vec<_>>());
    let skills = skills.filter(|skill| !skill.is_empty()).collect();
    let mut order = IssueOrder {
        achievement: Some(fill(&template.achievement)),
        description: optional(&template.description),
        criteria: optional(&template.criteria),
        issuer_name: optional(&template.issuer_name),
        valid_for_ms: None,
        format: template.format,
        algorithm: Some(template.algorithm),
        status: template.status,
        ..IssueOrder::new(to, skills, level)
    };
    // The same words make the same name, whenever they are read, and by whatever version of this program.
    let name = json!([
        "knackmesh/1 batch",
        template.batch,
        order.to,
        order.achievement,
        order.description,
        order.criteria,
        order.skills,
        order.level,
        expires,
        order.issuer_name,
        order.format,
        order.algorithm,
        order.status,
    ])
    .to_string();
    order.once = Some(Id::of(name.as_bytes()).to_string());
    order.valid_for_ms = valid_for_ms;
    Ok(order)
}

/// The DID that a cell names.
fn subject(cell: &str) -> Result<Did, String> {
    if cell.is_empty() {
        return Err("empty".to_owned());
    }
    let did: Did = cell.parse().map_err(|e: NotADid| e.to_string())?;
    did::check(&did).map_err(|e| e.to_string())?;
    Ok(did)
}

/// A duration, or the time until an instant, in milliseconds.
fn valid_for_ms(text: &str, now: Timestamp) -> Result<u64, String> {
    if let Ok(until) = text.parse::<Timestamp>() {
        let left = until.since_ms(now);
        return if left > 0 { Ok(left) } else { Err(format!("{until} has passed")) };
    }
    let duration = humantime::parse_duration(text).ok().and_then(|d| u64::try_from(d.as_millis()).ok());
    duration.filter(|ms| *ms > 0).ok_or_else(|| {
        format!(
            "`{}` is no end: write a duration (2y, 90d) or an instant (2030-12-31T23:59:59Z)",
            shown(text)
        )
    })
}

/// A name for a row's file: the address before any other, with what a file system might take amiss replaced.
fn stem(did: &Did, email: &str) -> String {
    let whole = if email.is_empty() { did.as_str() } else { email };
    let safe =
        |c: char| if c.is_ascii_alphanumeric() || "@._-+".contains(c) { c.to_ascii_lowercase() } else { '-' };
    // DIDs differ at their ends.
    let skipped = whole.chars().count().saturating_sub(STEM_BYTES_MAX);
    let name: String = whole.chars().skip(skipped).map(safe).collect();
    let name = name.trim_start_matches('.').to_owned();
    if name.is_empty() { "credential".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_ms(1_790_000_000_000);
    const TEMPLATE: &str =
        "achievement = \"{course}\"\nskills = [\"{skills}\"]\nlevel = \"{level}\"\nexpires = \"{end}\"\n";

    fn read(table: &str) -> Result<Vec<Row>, Vec<Fault>> {
        let template = Template::read(TEMPLATE).unwrap();
        let (rows, faults) = rows(&Table::read(table.as_bytes()).0, &template, NOW);
        if faults.is_empty() { Ok(rows) } else { Err(faults) }
    }

    fn names(rows: &[Row]) -> Vec<String> {
        rows.iter().map(|row| row.order.once.clone().unwrap()).collect()
    }

    #[test]
    fn a_row_is_known_again_by_what_it_says() {
        let a = "did:web:a.example,Rust,rust; c,3,2y,a@x.org\n";
        let b = "did:web:b.example,Rust,rust,3,2030-01-01T00:00:00Z,b@x.org\n";
        let head = "did,course,skills,level,end,email\n";
        let rows = read(&format!("{head}{a}{b}")).unwrap();
        assert_eq!(rows[0].order.skills, ["rust", "c"]);
        assert_eq!(rows[0].order.valid_for_ms, Some(63_115_200_000));
        assert_eq!(rows[0].stem, "a@x.org");
        let mut other = names(&read(&format!("{head}{b}{a}")).unwrap());
        other.reverse();
        assert_eq!(names(&rows), other, "in whatever order");
        let readdressed = read(&format!("{head}{}", a.replace("a@x.org", "ada@x.org"))).unwrap();
        assert_eq!(names(&readdressed)[0], names(&rows)[0], "an address says nothing");
        let renamed = read(&format!("{head}{}", a.replace("Rust,", "Rost,"))).unwrap();
        assert_ne!(names(&renamed)[0], names(&rows)[0]);
    }

    #[test]
    fn every_fault_is_told_with_its_place() {
        let table = "did,course,skills,level,end\n\
                     did:web:a.example,Rust,rust,6,2y\n\
                     Ada,Rust,rust,3,2y\n\
                     did:web:a.example,,rust,3,2y\n\
                     did:web:a.example,Rust,rust,3,2001-01-01T00:00:00Z\n\
                     did:web:a.example,Rust,rust,3,soon\n\
                     did:web:a.example,Rust,rust,3,2y\n\
                     did:web:a.example,Rust,rust,3,2y\n\
                     ,Rust,rust,3,2y\n";
        let faults = read(table).unwrap_err();
        let places: Vec<_> = faults.iter().map(|f| (f.line.unwrap(), f.column.clone().unwrap())).collect();
        let expected =
            [(2, "level"), (3, "did"), (4, "course"), (5, "end"), (6, "end"), (8, "did"), (9, "did")];
        assert_eq!(places, expected.map(|(line, column)| (line, column.to_owned())), "{faults:?}");
        assert!(faults[5].message.contains("line 7"), "{faults:?}");
        let lacking = read("did,course\na,b\n").unwrap_err();
        assert_eq!(lacking.len(), 3, "{lacking:?}");
    }

    #[test]
    fn a_column_that_is_nearly_named_is_pointed_out() {
        let check = |table: &str, said: &str| {
            let faults = read(table).unwrap_err();
            assert!(faults[0].message.contains(said), "{table}: {faults:?}");
        };
        check("DID,course,skills,level,end\na,b,c,d,e\n", "did you mean `DID`? Write `did`");
        check("did,Course ,skills,level,end\na,b,c,d,e\n", "did you mean `Course`? Write `course`");
        check("did\tcourse\na\tb\n", "did you mean the tabs");
        check("did,name\na,b\n", "no column `course`");
    }

    #[test]
    fn what_is_wrong_in_every_row_is_told_once() {
        let text = "achievement = \"x\"\nskills = [\"rust\"]\nlevel = 9\nexpires = \"soon\"\n";
        let table = Table::read(b"did\ndid:web:a.example\nAda\ndid:web:b.example\n").0;
        let (rows, mut faults) = rows(&table, &Template::read(text).unwrap(), NOW);
        faults.sort();
        let places: Vec<_> = faults.iter().map(|f| (f.line, f.column.as_deref())).collect();
        assert_eq!(places, [(None, None), (None, None), (Some(3), Some("did"))], "{faults:?}");
        assert!(rows.is_empty());
    }

    #[test]
    fn a_did_without_a_key_in_it_is_no_subject() {
        for did in ["did:key:z6Mkfoo", "did:jwk:abc"] {
            let faults = read(&format!("did,course,skills,level,end\n{did},Rust,rust,3,2y\n")).unwrap_err();
            assert_eq!((faults[0].line, faults[0].column.as_deref()), (Some(2), Some("did")), "{faults:?}");
        }
    }

    #[test]
    fn a_fault_that_the_node_finds_is_of_the_cell_that_it_names() {
        let rows = read("did,course,skills,level,end\ndid:web:a.example,Rust,rust; ruzt,3,2y\n").unwrap();
        assert_eq!(rows[0].fault("no skill is called `ruzt`").column.as_deref(), Some("skills"));
        assert_eq!(rows[0].fault("no status list").column, None);
    }

    #[test]
    fn files_have_names_that_any_system_takes() {
        let did: Did = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK".parse().unwrap();
        let name = |email: &str| stem(&did, email);
        assert_eq!(name("Ada@X.org"), "ada@x.org");
        assert_eq!(name("ada~2@x.org"), "ada-2@x.org");
        assert_eq!(name("../../etc/passwd"), "-..-etc-passwd");
        assert_eq!(name("..."), "credential");
        assert_eq!(name(""), "did-key-z6mkhaxgbzdvotdkl5257faiztigic2qtklgpbnnegta2dok");
        assert!(name(&"é".repeat(500)).len() <= STEM_BYTES_MAX);
    }
}
