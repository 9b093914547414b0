//! A table of people: CSV (RFC 4180) in UTF-8, whose first line names the columns.

use knackmesh_protocol::{
    limits::{CSV_BYTES_MAX, CSV_CELL_BYTES_MAX, CSV_COLUMNS_MAX, CSV_FAULTS_MAX, CSV_ROWS_MAX},
    text::shown,
};

use super::Fault;

/// What spreadsheets put before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A table of whose rows each has its columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The columns' names, each once.
    columns: Vec<String>,
    /// Line and cells of each row.
    rows: Vec<(u64, Vec<String>)>,
}

impl Table {
    /// Reads a table of at least one row, and finds its faults, at most [`CSV_FAULTS_MAX`]: rows that have any are left out.
    /// Where the first line has semicolons and no comma, as spreadsheets of some languages write it, semicolons separate.
    /// Cells are trimmed; empty lines are passed over.
    pub fn read(bytes: &[u8]) -> (Self, Vec<Fault>) {
        let mut faults = Vec::new();
        let table = Self::read_rows(bytes, &mut faults).unwrap_or_else(|fault| {
            faults.push(fault);
            Table { columns: Vec::new(), rows: Vec::new() }
        });
        faults.truncate(CSV_FAULTS_MAX);
        (table, faults)
    }

    fn read_rows(bytes: &[u8], faults: &mut Vec<Fault>) -> Result<Self, Fault> {
        if bytes.len() > CSV_BYTES_MAX {
            return Err(Fault::of_line(1, format!("the file has over {} MiB", CSV_BYTES_MAX >> 20)));
        }
        let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
        let first = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
        let delimiter = if first.contains(&b';') && !first.contains(&b',') { b';' } else { b',' };
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .delimiter(delimiter)
            .from_reader(bytes);
        let mut columns: Option<Vec<String>> = None;
        let mut rows = Vec::new();
        let mut lines = Lines { bytes, at: 0, line: 1 };
        for record in reader.byte_records() {
            let record = match record {
                Ok(record) => record,
                Err(e) => {
                    faults.push(Fault::of_line(1, format!("not CSV: {}", shown(&e.to_string()))));
                    break;
                }
            };
            let line = lines.at(record.position().map_or(0, csv::Position::byte));
            match &columns {
                None => columns = Some(header(line, &record)?),
                Some(_) if rows.len() == CSV_ROWS_MAX => {
                    faults.push(Fault::of_line(line, format!("more than {CSV_ROWS_MAX} rows")));
                    break;
                }
                Some(columns) => match cells(line, &record, columns) {
                    Ok(cells) => rows.push((line, cells)),
                    Err(found) => faults.extend(found),
                },
            }
            if faults.len() >= CSV_FAULTS_MAX {
                break;
            }
        }
        match columns {
            Some(columns) if !(rows.is_empty() && faults.is_empty()) => Ok(Table { columns, rows }),
            None if !faults.is_empty() => Ok(Table { columns: Vec::new(), rows }),
            _ => Err(Fault::of_line(
                1,
                "a line with the names of the columns and at least one row are expected",
            )),
        }
    }

    /// The columns' names.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Each row's line, and its cells by column.
    pub(super) fn rows(&self) -> impl Iterator<Item = (u64, Cells<'_>)> {
        self.rows.iter().map(|(line, cells)| (*line, Cells { columns: &self.columns, cells }))
    }
}

/// The cells of a row.
#[derive(Clone, Copy)]
pub(super) struct Cells<'a> {
    columns: &'a [String],
    cells: &'a [String],
}

impl<'a> Cells<'a> {
    /// The cell of a column, empty when there is no such column.
    pub fn get(&self, column: &str) -> &'a str {
        let at = self.columns.iter().position(|name| name == column);
        at.and_then(|at| self.cells.get(at)).map_or("", String::as_str)
    }
}

/// Counts lines, as an editor does.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line of the record that begins after `start`, where the one before it ended: empty lines may come between.
    fn at(&mut self, start: u64) -> u64 {
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        while let Some(byte) = self.bytes.get(self.at) {
            if self.at >= start && !matches!(byte, b'\r' | b'\n') {
                break;
            }
            self.line += u64::from(*byte == b'\n');
            self.at += 1;
        }
        self.line
    }
}

fn header(line: u64, record: &csv::ByteRecord) -> Result<Vec<String>, Fault> {
    if record.len() > CSV_COLUMNS_MAX {
        return Err(Fault::of_line(line, format!("more than {CSV_COLUMNS_MAX} columns")));
    }
    let mut columns: Vec<String> = Vec::new();
    for (at, cell) in record.iter().enumerate() {
        let refuse = |why: &str| Fault::of_line(line, format!("column {}: {why}", at + 1));
        let name = text(cell).map_err(|why| refuse(&why))?;
        if name.is_empty() {
            return Err(refuse("it has no name"));
        }
        if columns.contains(&name) {
            return Err(refuse("it is named as one before"));
        }
        columns.push(name);
    }
    Ok(columns)
}

fn cells(line: u64, record: &csv::ByteRecord, columns: &[String]) -> Result<Vec<String>, Vec<Fault>> {
    if record.len() != columns.len() {
        let message = format!("{} cells, where the first line names {} columns", record.len(), columns.len());
        return Err(vec![Fault::of_line(line, message)]);
    }
    let (mut cells, mut faults) = (Vec::new(), Vec::new());
    for (cell, column) in record.iter().zip(columns) {
        match text(cell) {
            Ok(text) => cells.push(text),
            Err(why) => faults.push(Fault::at(line, column, why)),
        }
    }
    if faults.is_empty() { Ok(cells) } else { Err(faults) }
}

fn text(cell: &[u8]) -> Result<String, String> {
    if cell.len() > CSV_CELL_BYTES_MAX {
        return Err(format!("over {CSV_CELL_BYTES_MAX} bytes"));
    }
    let text = std::str::from_utf8(cell).map_err(|_| "not UTF-8; save the table as UTF-8".to_owned())?;
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t' && c != '\r') {
        return Err("a control character".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[track_caller]
    fn faults(text: &[u8], expected: &[(u64, Option<&str>, &str)]) {
        let (_, found) = Table::read(text);
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (fault, (line, column, said)) in found.iter().zip(expected) {
            assert_eq!((fault.line, fault.column.as_deref()), (Some(*line), *column), "{fault:?}");
            assert!(fault.message.contains(said), "{fault:?}");
        }
    }

    #[test]
    fn tables_of_spreadsheets_are_read() {
        for text in [
            &b"did,name\na,Ada\n\nb,\"Ben, junior\"\n"[..],
            b"\xef\xbb\xbfdid;name\r\na;Ada\r\nb;Ben, junior",
            b" did , name \n a , Ada \nb,\"Ben, junior\"",
        ] {
            let (table, faults) = Table::read(text);
            assert_eq!(faults, []);
            assert_eq!(table.columns(), ["did", "name"]);
            let names: Vec<_> = table.rows().map(|(_, cells)| cells.get("name")).collect();
            assert_eq!(names, ["Ada", "Ben, junior"]);
            assert_eq!(table.rows().last().unwrap().1.get("level"), "");
        }
        let lines: Vec<_> = Table::read(b"did\na\n\n\"b\nb\"\nc").0.rows().map(|(l, _)| l).collect();
        assert_eq!(lines, [2, 4, 6], "as an editor counts them");
    }

    #[test]
    fn every_fault_is_told_with_its_place() {
        faults(b"", &[(1, None, "names of the columns")]);
        faults(b"did,name\n", &[(1, None, "at least one row")]);
        faults(b"did,,x\na,b,c", &[(1, None, "column 2: it has no name")]);
        faults(b"did,did\na,b", &[(1, None, "column 2: it is named")]);
        faults(b"did,name\na\nb,c,d\ne,f", &[(2, None, "1 cells"), (3, None, "3 cells")]);
        faults(b"did,name\na,\xff\n\x07,b", &[(2, Some("name"), "UTF-8"), (3, Some("did"), "control")]);
        let long = format!("did,name\na,{}\n", "x".repeat(CSV_CELL_BYTES_MAX + 1));
        faults(long.as_bytes(), &[(2, Some("name"), "bytes")]);
        let wide = vec!["x"; CSV_COLUMNS_MAX + 1].join(",");
        faults(wide.as_bytes(), &[(1, None, "columns")]);
        let tall = format!("did\n{}", "a\n".repeat(CSV_ROWS_MAX + 1));
        faults(tall.as_bytes(), &[(CSV_ROWS_MAX as u64 + 2, None, "rows")]);
        let many = format!("did,name\n{}", "a\n".repeat(CSV_FAULTS_MAX * 2));
        assert_eq!(Table::read(many.as_bytes()).1.len(), CSV_FAULTS_MAX);
        faults(&vec![b'a'; CSV_BYTES_MAX + 1], &[(1, None, "MiB")]);
    }
}
