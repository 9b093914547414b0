//! Why a scenario file is refused, and where.

use std::fmt;

/// A place in a text, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character in the line.
    pub column: usize,
}

impl Position {
    /// Where a byte of a text stands.
    pub(super) fn of(text: &str, at: usize) -> Self {
        let before = text.get(..at).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |rest| rest.chars().count()) + 1;
        Position { line, column }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Longer than [`super::FILE_BYTES_MAX`].
    #[error("the scenario is longer than 256 KiB")]
    TooLong,
    /// No TOML, or a value of the wrong type or without its unit.
    #[error("{}{message}", place(.position))]
    Malformed {
        /// Where.
        position: Option<Position>,
        /// Why.
        message: String,
    },
    /// A key or a name that the grammar does not have.
    #[error("{}there is no `{name}` here{}", place(.position), meant(.nearest.as_ref()))]
    Unknown {
        /// Where.
        position: Option<Position>,
        /// What was written.
        name: String,
        /// What is nearest to it.
        nearest: Option<String>,
        /// What could stand there.
        known: Vec<String>,
    },
    /// A key that the file's fidelity does nothing with.
    #[error("{}`{key}` is not modelled in fidelity {fidelity}", place(.position))]
    NotModelled {
        /// Where.
        position: Option<Position>,
        /// Which key.
        key: String,
        /// Which fidelity.
        fidelity: &'static str,
    },
    /// A value that makes no sense with the rest.
    #[error("{}{key}: {message}", place(.position))]
    Senseless {
        /// Where.
        position: Option<Position>,
        /// Whose value.
        key: String,
        /// Why.
        message: String,
    },
    /// A file that the scenario names and nobody lends.
    #[error("{}{key}: {file}: {message}", place(.position))]
    FileAbsent {
        /// Where it is named.
        position: Option<Position>,
        /// The key that names it.
        key: String,
        /// Its name.
        file: String,
        /// Why.
        message: String,
    },
    /// A file that the scenario names and that does not say what it should.
    #[error("{}{key}: {file}{}: {message}", place(.position), line.map_or(String::new(), |line| format!(", line {line}")))]
    FileRefused {
        /// Where it is named.
        position: Option<Position>,
        /// The key that names it.
        key: String,
        /// Its name.
        file: String,
        /// Where in it, counted from 1.
        line: Option<usize>,
        /// Why.
        message: String,
    },
    /// A setting that cannot be applied.
    #[error("--set {key}: {message}")]
    Setting {
        /// Which.
        key: String,
        /// Why.
        message: String,
    },
}

impl PlanError {
    /// A stable name of the kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            PlanError::TooLong => "too-long",
            PlanError::Malformed { .. } => "malformed",
            PlanError::Unknown { .. } => "unknown-key",
            PlanError::NotModelled { .. } => "not-modelled",
            PlanError::Senseless { .. } => "senseless",
            PlanError::FileAbsent { .. } => "file-absent",
            PlanError::FileRefused { .. } => "file-refused",
            PlanError::Setting { .. } => "setting",
        }
    }

    /// What to try.
    pub fn advice(&self) -> String {
        match self {
            PlanError::Unknown { nearest: Some(nearest), .. } => format!("write `{nearest}`"),
            PlanError::Unknown { known, .. } => format!("write one of {}", known.join(", ")),
            PlanError::NotModelled { .. } => "leave the key out, or choose the other fidelity".to_owned(),
            PlanError::FileAbsent { file, .. } => {
                format!("put {file} beside the scenario: its name is relative to the scenario's folder")
            }
            PlanError::FileRefused { file, .. } => format!("correct {file}, or name another file"),
            PlanError::Setting { .. } => {
                "name a key of the file, such as --set network.loss='2 %'".to_owned()
            }
            _ => "change the file; `knack sim new` lists scenarios that run".to_owned(),
        }
    }
}

fn place(position: &Option<Position>) -> String {
    position.map_or(String::new(), |position| format!("{position}: "))
}

fn meant(name: Option<&String>) -> String {
    name.map_or(String::new(), |name| format!("; did you mean `{name}`?"))
}

/// What the TOML reader says, in our words where it is about names.
pub(super) fn of_toml(text: &str, error: &toml::de::Error) -> PlanError {
    let position = error.span().map(|span| Position::of(text, span.start));
    let message = error.message();
    unknown(message, position).unwrap_or_else(|| PlanError::Malformed { position, message: tidy(message) })
}

/// An unknown key or name, when that is what a reader complains of: it lists in backticks what it read and what it knows.
pub(super) fn unknown(message: &str, position: Option<Position>) -> Option<PlanError> {
    let rest = message.strip_prefix("unknown field ").or_else(|| message.strip_prefix("unknown variant "))?;
    let (read, expected) = rest.split_once(", ")?;
    let name = read.trim_matches('`').to_owned();
    let known: Vec<String> = expected.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    Some(unknown_name(position, name, known))
}

/// A name that is none of those known.
pub(super) fn unknown_name(position: Option<Position>, name: String, known: Vec<String>) -> PlanError {
    let near = |known: &&String| strsim::damerau_levenshtein(known, &name);
    let nearest = known.iter().min_by_key(near).filter(|known| near(known) <= 2.max(name.len() / 3)).cloned();
    PlanError::Unknown { position, name, nearest, known }
}

fn tidy(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}
