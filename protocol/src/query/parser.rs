//! From text to a query: names become URIs here, and nowhere later.
//!
//! Recursive descent that goes no deeper than [`QUERY_DEPTH_MAX`] parentheses.

use super::{
    Expr, IllegalQuery, Query, SkillTerm,
    error::{QueryError, QueryErrorKind},
    filter::{self, shown},
    lexer::{self, Comparison, Span, Token, TokenKind},
    simplify::is_positive,
};
use crate::{
    limits::{QUERY_BYTES_MAX, QUERY_DEPTH_MAX, QUERY_EXPANSION_MAX, QUERY_NODES_MAX},
    skill::{Level, SkillId},
    time::Timestamp,
    vocabulary::{Resolution, Vocabulary},
};

/// What [`parse`] made of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// The query.
    pub query: Query,
    /// How each term was understood, in order.
    pub notes: Vec<String>,
    /// Whether some `~skill` has more narrower skills than [`QUERY_EXPANSION_MAX`], so that some were left out.
    pub cut: bool,
}

/// Reads a query. `now` is the day that `available:now` means.
///
/// # Errors
/// [`QueryError`] says what is wrong, where, and what to try.
pub fn parse(source: &str, vocabulary: &Vocabulary, now: Timestamp) -> Result<Parsed, QueryError> {
    let whole = Span { at: 0, length: source.len() };
    if source.len() > QUERY_BYTES_MAX {
        return Err(too_large(whole, format!("a query of more than {QUERY_BYTES_MAX} bytes")));
    }
    let tokens = lexer::tokens(source)?;
    let end = source.trim_end().len();
    let mut parser = Parser {
        tokens: &tokens,
        next: 0,
        end: Span { at: end, length: 0 },
        vocabulary,
        now,
        terms: 0,
        notes: Vec::new(),
        cut: false,
        nested_constraint: None,
    };
    let alternatives = parser.alternatives(0)?;
    if let Some(token) = parser.peek() {
        return Err(match token.kind {
            TokenKind::Close => error(token.span, "a closing parenthesis that nothing opened", &[], ""),
            _ => parser.unexpected(&OPERATORS),
        });
    }
    if let Some((_, span)) = alternatives.iter().find(|(expr, _)| !is_positive(expr)) {
        return Err(QueryError {
            kind: QueryErrorKind::NothingPositive,
            ..error(*span, "this only excludes: it would ask for everyone else", &[], "rust -java")
        });
    }
    let nested_constraint = parser.nested_constraint.unwrap_or(whole);
    let (notes, cut) = (parser.notes, parser.cut);
    let query = Query::new(one_of(alternatives)).map_err(|illegal| match illegal {
        IllegalQuery::BindsNothing => error(
            nested_constraint,
            "this binds the skills in its own parentheses, and there are none",
            &[],
            "rust tier:issuer, (rust issuer:A) OR (rust tier:peer), or issuer:A|B",
        ),
        other => too_large(whole, other.to_string()),
    })?;
    Ok(Parsed { query, notes, cut })
}

const TERMS: [&str; 4] = ["a skill", "a filter such as region:DE", "text in quotation marks", "("];
const OPERATORS: [&str; 3] = ["AND", "OR", "another term"];

struct Parser<'a> {
    tokens: &'a [Token<'a>],
    next: usize,
    /// The end of the text, where an error about something missing points.
    end: Span,
    vocabulary: &'a Vocabulary,
    now: Timestamp,
    terms: usize,
    notes: Vec<String>,
    cut: bool,
    /// The first tier or issuer in parentheses.
    nested_constraint: Option<Span>,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<Token<'a>> {
        self.tokens.get(self.next).copied()
    }

    fn advance_if(&mut self, kind: TokenKind<'_>) -> Option<Span> {
        let token = self.peek().filter(|token| token.kind == kind)?;
        self.next += 1;
        Some(token.span)
    }

    /// Where the next token is, or the end.
    fn here(&self) -> Span {
        self.peek().map_or(self.end, |token| token.span)
    }

    fn unexpected(&self, expected: &[&str]) -> QueryError {
        let Some(token) = self.peek() else {
            let found = if self.tokens.is_empty() { "the query is empty" } else { "the query ends here" };
            return error(self.end, found, expected, "rust>=3 AND kubernetes region:DE");
        };
        match token.kind {
            TokenKind::Compare(_) if self.next == 0 => {
                error(token.span, "a comparison without a skill before it", expected, "rust>=3")
            }
            TokenKind::Compare(_) => error(
                token.span,
                "a comparison that follows no skill",
                expected,
                "rust>=3, or a range: rust=2..4",
            ),
            TokenKind::Close => error(token.span, "a closing parenthesis", expected, ""),
            TokenKind::And | TokenKind::Or => error(
                token.span,
                "an operator with nothing before it",
                expected,
                "rust OR go; lower case is a word",
            ),
            _ => error(token.span, "this does not belong here", expected, ""),
        }
    }

    /// `conjunction { OR conjunction }`
    fn alternatives(&mut self, depth: usize) -> Result<Vec<(Expr, Span)>, QueryError> {
        let mut found = vec![self.conjunction(depth)?];
        while self.advance_if(TokenKind::Or).is_some() {
            found.push(self.conjunction(depth)?);
        }
        Ok(found)
    }

    /// `term { [AND] term }`
    fn conjunction(&mut self, depth: usize) -> Result<(Expr, Span), QueryError> {
        let start = self.here();
        let mut parts = vec![self.term(depth)?];
        loop {
            let explicit = self.advance_if(TokenKind::And).is_some();
            let ends = matches!(self.peek().map(|t| t.kind), None | Some(TokenKind::Or | TokenKind::Close));
            let compares = matches!(self.peek().map(|t| t.kind), Some(TokenKind::Compare(_)));
            if !explicit && ends {
                break;
            }
            if !explicit && compares {
                return Err(self.unexpected(&OPERATORS));
            }
            parts.push(self.term(depth)?);
        }
        let last = self.tokens.get(self.next.saturating_sub(1)).map_or(start, |token| token.span);
        let expr = if parts.len() == 1 { parts.remove(0) } else { Expr::And(parts) };
        Ok((expr, start.through(last)))
    }

    /// `{ NOT } ( parentheses | skill | text | filter )`
    fn term(&mut self, depth: usize) -> Result<Expr, QueryError> {
        let mut negated = false;
        while self.advance_if(TokenKind::Not).is_some() {
            negated = !negated;
        }
        let expr = self.positive_term(depth)?;
        Ok(if negated { Expr::Not(Box::new(expr)) } else { expr })
    }

    fn positive_term(&mut self, depth: usize) -> Result<Expr, QueryError> {
        let Some(token) = self.peek() else { return Err(self.unexpected(&TERMS)) };
        self.terms += 1;
        if self.terms > QUERY_NODES_MAX {
            return Err(too_large(token.span, format!("more than {QUERY_NODES_MAX} terms")));
        }
        self.next += 1;
        match token.kind {
            TokenKind::Open => self.parentheses(token.span, depth + 1),
            TokenKind::Tilde => self.expanded_skill(token.span),
            TokenKind::Word(name) => self.named(name, token.span),
            TokenKind::Phrase(name) => self.named(name, token.span),
            TokenKind::Uri(list) => {
                let any_of = read_uris(list, token.span)?;
                let note = match any_of.as_slice() {
                    [one] => format!("the skill {}", self.vocabulary.label(one)),
                    more => format!("one of {} skills", more.len()),
                };
                self.skill(any_of, note)
            }
            TokenKind::Filter { key, value, value_span } => {
                let (expr, note) = filter::read(key, value, token.span, value_span, self.now)?;
                if depth > 0 && expr.constrains_claims() {
                    self.nested_constraint.get_or_insert(token.span);
                }
                self.notes.push(note);
                Ok(expr)
            }
            TokenKind::Close | TokenKind::And | TokenKind::Or | TokenKind::Not | TokenKind::Compare(_) => {
                self.next -= 1;
                Err(self.unexpected(&TERMS))
            }
        }
    }

    fn parentheses(&mut self, opened: Span, depth: usize) -> Result<Expr, QueryError> {
        if depth > QUERY_DEPTH_MAX {
            return Err(too_large(
                opened,
                format!("more than {QUERY_DEPTH_MAX} parentheses inside each other"),
            ));
        }
        // They are no term of their own: what stands in them counts.
        self.terms -= 1;
        let alternatives = self.alternatives(depth)?;
        match self.advance_if(TokenKind::Close) {
            Some(_) => Ok(one_of(alternatives)),
            None if self.peek().is_none() => {
                Err(error(opened, "a parenthesis that is never closed", &[], "(rust OR go)"))
            }
            None => Err(self.unexpected(&OPERATORS)),
        }
    }

    /// A bare word or a phrase: a skill where the vocabulary knows one, text otherwise.
    fn named(&mut self, name: &str, span: Span) -> Result<Expr, QueryError> {
        let nearest = match self.vocabulary.resolve(name) {
            Resolution::Unique(id) => {
                let note = format!("`{}`: the skill {} <{id}>", shown(name), self.vocabulary.label(&id));
                return self.skill(vec![id], note);
            }
            Resolution::Ambiguous(ids) => return Err(self.ambiguous(name, span, &ids)),
            Resolution::Unknown { nearest } => nearest,
        };
        if matches!(self.peek().map(|t| t.kind), Some(TokenKind::Compare(_))) {
            return Err(unknown(name, span, nearest));
        }
        let words = name
            .parse()
            .map_err(|e| error(span, &format!("{e}"), &TERMS, "AND, OR and NOT are the operators"))?;
        self.notes.push(match name {
            "and" | "or" | "not" => {
                format!("`{name}` is matched as a word; the operator is written {}", name.to_uppercase())
            }
            _ if nearest.is_empty() => format!("`{}`: no known skill, so matched as text", shown(name)),
            _ => format!(
                "`{}`: no known skill, so matched as text; similar: {}",
                shown(name),
                nearest.join(", ")
            ),
        });
        Ok(Expr::Text(words))
    }

    /// What follows `~`: a skill and those below it.
    fn expanded_skill(&mut self, tilde: Span) -> Result<Expr, QueryError> {
        let token = self.peek().filter(|token| token.span.at == tilde.end());
        let (name, id) = match token.map(|token| (token.kind, token.span)) {
            Some((TokenKind::Word(name) | TokenKind::Phrase(name), span)) => {
                match self.vocabulary.resolve(name) {
                    Resolution::Unique(id) => (name, id),
                    Resolution::Ambiguous(ids) => return Err(self.ambiguous(name, span, &ids)),
                    Resolution::Unknown { nearest } => return Err(unknown(name, span, nearest)),
                }
            }
            Some((TokenKind::Uri(list), span)) => match read_uris(list, span)?.as_slice() {
                [id] => (list, id.clone()),
                _ => return Err(error(span, "several skills after ~", &["one skill"], "(~rust OR ~go)")),
            },
            _ => {
                return Err(error(
                    tilde,
                    "~ without a skill right after it",
                    &[],
                    "~\"computer programming\"",
                ));
            }
        };
        self.next += 1;
        let (any_of, cut) = self.vocabulary.narrower(&id, QUERY_EXPANSION_MAX);
        self.cut |= cut;
        let narrower = any_of.len().saturating_sub(1);
        let more = if cut { "; it has more, which are left out" } else { "" };
        let label = self.vocabulary.label(&id);
        let note =
            format!("`~{}`: the skill {label} or one of {narrower} narrower skills{more}", shown(name));
        self.skill(any_of, note)
    }

    fn skill(&mut self, any_of: Vec<SkillId>, note: String) -> Result<Expr, QueryError> {
        let (min, max) = self.levels()?;
        self.notes.push(match (min, max) {
            (Level::MIN, Level::MAX) => note,
            (min, Level::MAX) => format!("{note} at level {min} or above"),
            (min, max) if min == max => format!("{note} at level {min}"),
            (min, max) => format!("{note} at level {min} to {max}"),
        });
        Ok(Expr::Skill(SkillTerm { any_of, min, max }))
    }

    /// `[ comparison level ]`
    fn levels(&mut self) -> Result<(Level, Level), QueryError> {
        let Some(Token { kind: TokenKind::Compare(comparison), span }) = self.peek() else {
            return Ok((Level::MIN, Level::MAX));
        };
        self.next += 1;
        let Some(Token { kind: TokenKind::Word(text), span: level_span }) = self.peek() else {
            let at = if self.peek().is_some() { self.here() } else { span };
            return Err(no_level(at, "a comparison without a level"));
        };
        let range = match (comparison, text.split_once("..")) {
            (Comparison::Equal, Some((min, max))) => read_digit(min).zip(read_digit(max)),
            (_, Some(_)) => None,
            (_, None) => read_digit(text).map(|n| match comparison {
                Comparison::AtLeast => (n, 5),
                Comparison::Above => (n + 1, 5),
                Comparison::Equal => (n, n),
                Comparison::AtMost => (1, n),
                Comparison::Below => (1, n.saturating_sub(1)),
            }),
        };
        let levels = range.and_then(|(min, max)| Level::try_from(min).ok().zip(Level::try_from(max).ok()));
        match levels.filter(|(min, max)| min <= max) {
            Some(levels) => {
                self.next += 1;
                Ok(levels)
            }
            None => Err(no_level(level_span, &format!("`{}` leaves no level", shown(text)))),
        }
    }

    fn ambiguous(&self, name: &str, span: Span, ids: &[SkillId]) -> QueryError {
        let choices = ids.iter().take(Vocabulary::NEAREST_MAX);
        QueryError {
            kind: QueryErrorKind::AmbiguousSkill,
            expected: choices.map(|id| format!("<{id}> ({})", self.vocabulary.label(id))).collect(),
            ..error(
                span,
                &format!("`{}` is the name of {} skills", shown(name), ids.len()),
                &[],
                "one of these",
            )
        }
    }
}

fn one_of(alternatives: Vec<(Expr, Span)>) -> Expr {
    let mut parts: Vec<Expr> = alternatives.into_iter().map(|(expr, _)| expr).collect();
    if parts.len() == 1 { parts.remove(0) } else { Expr::Or(parts) }
}

fn read_uris(list: &str, span: Span) -> Result<Vec<SkillId>, QueryError> {
    if list.split('|').count() > QUERY_EXPANSION_MAX {
        return Err(too_large(span, format!("more than {QUERY_EXPANSION_MAX} skills in one term")));
    }
    list.split('|').map(str::parse).collect::<Result<_, _>>().map_err(|e| {
        let expected = ["the URI of a skill"];
        QueryError {
            kind: QueryErrorKind::Value,
            ..error(span, &format!("{e}"), &expected, "<urn:example:skill>")
        }
    })
}

/// One decimal digit.
fn read_digit(text: &str) -> Option<u8> {
    match text.as_bytes() {
        [digit @ b'0'..=b'9'] => Some(digit - b'0'),
        _ => None,
    }
}

fn error(span: Span, found: &str, expected: &[&str], hint: &str) -> QueryError {
    QueryError {
        kind: QueryErrorKind::Syntax,
        at: span.at,
        length: span.length,
        found: found.into(),
        expected: expected.iter().map(|e| (*e).to_owned()).collect(),
        hint: hint.into(),
    }
}

fn no_level(span: Span, found: &str) -> QueryError {
    let expected = ["a level from 1 (novice) to 5 (expert)"];
    QueryError { kind: QueryErrorKind::Value, ..error(span, found, &expected, "rust>=3, or rust=2..4") }
}

fn too_large(span: Span, found: String) -> QueryError {
    QueryError { kind: QueryErrorKind::TooLarge, ..error(span, &found, &[], "several smaller queries") }
}

fn unknown(name: &str, span: Span, nearest: Vec<String>) -> QueryError {
    if filter::is_protected(name) {
        return filter::refuse_protected(name, span);
    }
    let hint = if filter::is_key(name) {
        format!("{}: with a colon", name.to_ascii_lowercase())
    } else if let Some(first) = nearest.first() {
        format!("\"{first}\"")
    } else {
        "a known skill's name, or its URI in angle brackets".into()
    };
    let found = format!("`{}` is no known skill", shown(name));
    QueryError { kind: QueryErrorKind::UnknownSkill, expected: nearest, ..error(span, &found, &[], &hint) }
}
