//! What is wrong with a query, where, and what to write instead.

/// Why a query's text was not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at byte {at}: {found}{}", sentence(.expected, .hint))]
pub struct QueryError {
    /// The kind of mistake.
    pub kind: QueryErrorKind,
    /// Where it begins, in bytes of the query's text.
    pub at: usize,
    /// How many bytes it spans; 0 at the end of the text.
    pub length: usize,
    /// What was found there.
    pub found: String,
    /// What could stand there instead.
    pub expected: Vec<String>,
    /// What to try; empty when `expected` says it all.
    pub hint: String,
}

/// Kinds of mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum QueryErrorKind {
    /// The text does not follow the grammar.
    Syntax,
    /// A value of a filter or a comparison that does not exist.
    Value,
    /// A name with a level that no known skill has.
    UnknownSkill,
    /// A name that several skills have.
    AmbiguousSkill,
    /// No such filter.
    UnknownFilter,
    /// A protected attribute, which this language cannot express by design.
    Protected,
    /// The query, or one of its alternatives, only excludes.
    NothingPositive,
    /// A bound of the language.
    TooLarge,
}

impl QueryErrorKind {
    /// A stable code, for programs.
    pub const fn code(self) -> &'static str {
        match self {
            QueryErrorKind::Syntax => "syntax",
            QueryErrorKind::Value => "value",
            QueryErrorKind::UnknownSkill => "unknown_skill",
            QueryErrorKind::AmbiguousSkill => "ambiguous_skill",
            QueryErrorKind::UnknownFilter => "unknown_filter",
            QueryErrorKind::Protected => "protected",
            QueryErrorKind::NothingPositive => "nothing_positive",
            QueryErrorKind::TooLarge => "too_large",
        }
    }
}

/// Characters of the query that are shown before and after the mistake.
const CONTEXT_CHARS: usize = 60;
/// Carets under the mistake, at most.
const CARETS_MAX: usize = 60;

impl QueryError {
    /// Several lines for a terminal: the mistake, the query with carets under it, what was expected, and what
    /// to try. `source` is the text that was parsed; columns are counted in characters.
    pub fn render(&self, source: &str) -> String {
        let before = source.get(..self.at).unwrap_or(source);
        let marked = source.get(self.at..self.at.saturating_add(self.length)).unwrap_or_default();
        let column = before.chars().count();
        let skipped = column.saturating_sub(CONTEXT_CHARS);
        let carets = marked.chars().count().clamp(1, CARETS_MAX);
        let lead = if skipped > 0 { "…" } else { "" };
        let shown: String = source
            .chars()
            .skip(skipped)
            .take(column - skipped + carets + CONTEXT_CHARS)
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let rest = if source.chars().count() > skipped + shown.chars().count() { "…" } else { "" };
        let indent = " ".repeat(column - skipped + lead.chars().count());
        let mut out = format!("{}\n  {lead}{shown}{rest}\n  {indent}{}\n", self.found, "^".repeat(carets));
        if !self.expected.is_empty() {
            out += &format!("expected: {}\n", self.expected.join(", "));
        }
        if !self.hint.is_empty() {
            out += &format!("try: {}\n", self.hint);
        }
        out
    }
}

fn sentence(expected: &[String], hint: &str) -> String {
    let mut out = String::new();
    if !expected.is_empty() {
        out += &format!("; expected {}", expected.join(", "));
    }
    if !hint.is_empty() {
        out += &format!("; try: {hint}");
    }
    out
}
