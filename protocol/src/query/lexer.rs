//! A query's text as tokens, each with its place.

use super::error::{QueryError, QueryErrorKind};

/// A piece of the text, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub at: usize,
    pub length: usize,
}

impl Span {
    pub(super) const fn end(self) -> usize {
        self.at + self.length
    }

    /// From the beginning of this to the end of `last`.
    pub(super) const fn through(self, last: Span) -> Span {
        Span { at: self.at, length: last.end().saturating_sub(self.at) }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'a> {
    pub kind: TokenKind<'a>,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind<'a> {
    Open,
    Close,
    And,
    Or,
    /// `NOT`, or a dash right before a term.
    Not,
    /// `~` right before a skill.
    Tilde,
    Word(&'a str),
    /// The text between quotation marks.
    Phrase(&'a str),
    /// The text between angle brackets.
    Uri(&'a str),
    Compare(Comparison),
    /// `key:value`; the value may be a phrase.
    Filter {
        key: &'a str,
        value: &'a str,
        value_span: Span,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    AtLeast,
    Above,
    Equal,
    AtMost,
    Below,
}

/// Reads the whole text.
pub(super) fn tokens(source: &str) -> Result<Vec<Token<'_>>, QueryError> {
    let mut lexer = Lexer { source, at: 0 };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next()? {
        tokens.push(token);
    }
    Ok(tokens)
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.source[self.at..]
    }

    fn next(&mut self) -> Result<Option<Token<'a>>, QueryError> {
        self.at = self.source.len() - self.rest().trim_start().len();
        let start = self.at;
        let rest = self.rest();
        let mut chars = rest.chars();
        let (Some(first), second) = (chars.next(), chars.next()) else { return Ok(None) };
        let kind = match first {
            '(' => self.take(1, TokenKind::Open),
            ')' => self.take(1, TokenKind::Close),
            '-' if second.is_some_and(|c| !c.is_whitespace()) => self.take(1, TokenKind::Not),
            '-' => return Err(syntax(self.span(1), "a dash alone", "-java, or NOT java")),
            '~' => self.take(1, TokenKind::Tilde),
            '"' => TokenKind::Phrase(self.enclosed('"')?),
            // A URI begins with a letter, a level does not.
            '<' if second.is_some_and(|c| c.is_ascii_alphabetic()) => TokenKind::Uri(self.enclosed('>')?),
            '<' if second == Some('=') => self.take(2, TokenKind::Compare(Comparison::AtMost)),
            '<' => self.take(1, TokenKind::Compare(Comparison::Below)),
            '>' if second == Some('=') => self.take(2, TokenKind::Compare(Comparison::AtLeast)),
            '>' => self.take(1, TokenKind::Compare(Comparison::Above)),
            '=' => self.take(1, TokenKind::Compare(Comparison::Equal)),
            ',' | ';' => {
                return Err(syntax(self.span(1), "a comma is no operator", "rust AND go, or rust OR go"));
            }
            '“' | '”' | '„' => {
                let found = "a curly quotation mark";
                return Err(syntax(
                    self.span(first.len_utf8()),
                    found,
                    "straight ones, as in \"machine learning\"",
                ));
            }
            _ => self.word()?,
        };
        Ok(Some(Token { kind, span: Span { at: start, length: self.at - start } }))
    }

    fn span(&self, length: usize) -> Span {
        Span { at: self.at, length }
    }

    fn take(&mut self, bytes: usize, kind: TokenKind<'a>) -> TokenKind<'a> {
        self.at += bytes;
        kind
    }

    /// The text up to `close`, which stands one byte after the opening mark or later.
    fn enclosed(&mut self, close: char) -> Result<&'a str, QueryError> {
        let inside = &self.rest()[1..];
        match inside.find(close) {
            Some(length) => {
                self.at += 1 + length + 1;
                Ok(&inside[..length])
            }
            None if close == '"' => {
                Err(syntax(self.span(1), "a quotation mark that is never closed", "\"machine learning\""))
            }
            None => Err(syntax(
                self.span(1),
                "an angle bracket that is never closed",
                "<URI of a skill>, or rust<3",
            )),
        }
    }

    fn word(&mut self) -> Result<TokenKind<'a>, QueryError> {
        let rest = self.rest();
        let length =
            rest.find(|c: char| c.is_whitespace() || "()\"<>=,;“”„".contains(c)).unwrap_or(rest.len());
        let word = &rest[..length];
        let start = self.at;
        self.at += length;
        match word {
            "AND" => return Ok(TokenKind::And),
            "OR" => return Ok(TokenKind::Or),
            "NOT" => return Ok(TokenKind::Not),
            _ => {}
        }
        let Some((key, value)) = word.split_once(':').filter(|(key, _)| !key.is_empty()) else {
            return Ok(TokenKind::Word(word));
        };
        let value_at = start + key.len() + 1;
        if value.is_empty() && self.rest().starts_with('"') {
            let value = self.enclosed('"')?;
            let value_span = Span { at: value_at, length: self.at - value_at };
            return Ok(TokenKind::Filter { key, value, value_span });
        }
        Ok(TokenKind::Filter { key, value, value_span: Span { at: value_at, length: value.len() } })
    }
}

fn syntax(span: Span, found: &str, hint: &str) -> QueryError {
    QueryError {
        kind: QueryErrorKind::Syntax,
        at: span.at,
        length: span.length,
        found: found.into(),
        expected: Vec::new(),
        hint: hint.into(),
    }
}
