//! The specification's table of bounds is the code's.

use knackmesh_protocol::limits::TABLE;

#[test]
fn the_specification_states_every_bound() {
    let chapter = include_str!("../../spec/limits.md");
    let rows: Vec<(String, u64)> = chapter.lines().filter_map(row).collect();
    let code: Vec<(String, u64)> = TABLE.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    for (name, value) in &code {
        assert!(rows.contains(&(name.clone(), *value)), "spec/limits.md lacks | `{name}` | {value} |");
    }
    for (name, value) in &rows {
        assert!(code.contains(&(name.clone(), *value)), "the code has no bound {name} of {value}");
    }
    assert_eq!(rows.len(), code.len(), "a bound is stated twice");
}

/// The name and the value of a line of the table, `| NAME | value | unit | meaning |`; digits may be grouped by commas.
fn row(line: &str) -> Option<(String, u64)> {
    let mut cells = line.strip_prefix("| `")?.split(" | ");
    let name = cells.next()?.strip_suffix('`')?.to_owned();
    let value = cells.next()?.trim().replace(',', "").parse().unwrap_or_else(|_| panic!("no value: {line}"));
    assert_eq!(cells.count(), 2, "a unit and a meaning: {line}");
    Some((name, value))
}
