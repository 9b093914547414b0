//! Many credentials from one table: a template says what a credential states, a row of a CSV file who gets it and what
//! differs.
//!
//! A row is good or has faults, each with its line and column. What a good row comes to has a name by which the node
//! issues it once: the same row under the same template is the same credential, in whatever order the rows stand and
//! however often they are read.

mod row;
mod table;
mod template;

pub use self::{
    row::{Row, rows},
    table::Table,
    template::{Template, template_text},
};
use serde::Serialize;

/// What is wrong with a table, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Fault {
    /// The line of the file, from 1; nothing when it is no line's fault but the template's, or the home's.
    pub line: Option<u64>,
    /// The column, when it is one cell's fault.
    pub column: Option<String>,
    /// What is wrong.
    pub message: String,
}

impl Fault {
    /// A fault of a cell.
    fn at(line: u64, column: &str, message: impl Into<String>) -> Self {
        Fault { line: Some(line), column: Some(column.to_owned()), message: message.into() }
    }

    /// A fault of a line.
    pub fn of_line(line: u64, message: impl Into<String>) -> Self {
        Fault { line: Some(line), column: None, message: message.into() }
    }

    /// A fault that has nothing to do with any line.
    pub fn of_all(message: impl Into<String>) -> Self {
        Fault { line: None, column: None, message: message.into() }
    }
}
