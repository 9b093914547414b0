//! GML as keys with values: words, texts, and blocks of further keys.

use std::iter::Peekable;

use super::Wrong;

/// How deep blocks may be within each other.
const DEPTH_MAX: usize = 16;

/// A key with its value, and the line in which it stands.
pub(super) struct Pair {
    pub key: String,
    pub line: usize,
    pub value: Value,
}

#[derive(PartialEq)]
pub(super) enum Value {
    Word(String),
    Text(String),
    Block(Vec<Pair>),
}

impl PartialEq for Pair {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && self.value == other.value
    }
}

enum Token {
    Open,
    Close,
    Word(String),
    Text(String),
}

/// The pairs of a file.
pub(super) fn top(text: &str) -> Result<Vec<Pair>, Wrong> {
    let tokens = tokens(text)?;
    let mut tokens = tokens.into_iter().peekable();
    let pairs = pairs(&mut tokens, 0)?;
    match tokens.next() {
        Some((line, _)) => Err((Some(line), "a `]` that closes nothing".to_owned())),
        None => Ok(pairs),
    }
}

/// The pairs of a block.
pub(super) fn block(pair: &Pair) -> Result<&[Pair], Wrong> {
    match &pair.value {
        Value::Block(pairs) => Ok(pairs),
        Value::Word(_) | Value::Text(_) => {
            Err((Some(pair.line), format!("`{}` is no block: write `{0} [ ... ]`", pair.key)))
        }
    }
}

/// Pairs up to the end of their block, which is left.
fn pairs(
    tokens: &mut Peekable<impl Iterator<Item = (usize, Token)>>,
    depth: usize,
) -> Result<Vec<Pair>, Wrong> {
    let mut pairs = Vec::new();
    while let Some((line, token)) = tokens.next_if(|(_, token)| !matches!(token, Token::Close)) {
        let Token::Word(key) = token else {
            return Err((Some(line), "a value without a key before it".to_owned()));
        };
        let value = match tokens.next() {
            Some((_, Token::Word(word))) => Value::Word(word),
            Some((_, Token::Text(text))) => Value::Text(text),
            Some((line, Token::Open)) => {
                if depth == DEPTH_MAX {
                    return Err((Some(line), format!("blocks deeper than {DEPTH_MAX}")));
                }
                let within = self::pairs(tokens, depth + 1)?;
                if tokens.next().is_none() {
                    return Err((Some(line), format!("this `{key} [` has no `]`")));
                }
                Value::Block(within)
            }
            Some((_, Token::Close)) | None => return Err((Some(line), format!("`{key}` has no value"))),
        };
        pairs.push(Pair { key, line, value });
    }
    Ok(pairs)
}

fn tokens(text: &str) -> Result<Vec<(usize, Token)>, Wrong> {
    let mut tokens = Vec::new();
    let mut line = 1;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after = &rest[first.len_utf8()..];
        rest = match first {
            '\n' => {
                line += 1;
                after
            }
            '[' | ']' => {
                tokens.push((line, if first == '[' { Token::Open } else { Token::Close }));
                after
            }
            '#' => &after[after.find('\n').unwrap_or(after.len())..],
            '"' => {
                let (text, after) = after
                    .split_once('"')
                    .ok_or_else(|| (Some(line), "a text that has no end: a `\"` is missing".to_owned()))?;
                tokens.push((line, Token::Text(text.to_owned())));
                line += text.matches('\n').count();
                after
            }
            white if white.is_whitespace() => after,
            _ => {
                let ends = |c: char| c.is_whitespace() || matches!(c, '[' | ']' | '"' | '#');
                let (word, after) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
                tokens.push((line, Token::Word(word.to_owned())));
                after
            }
        };
    }
    Ok(tokens)
}
