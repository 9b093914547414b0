//! N-Quads as input, for tests.

use std::collections::BTreeMap;

use super::term::{Literal, LiteralKind, Quad, Resource, Term};

/// The quads of a well-formed text, and the labels of its blank nodes by their numbers.
pub(super) fn parse(text: &str) -> (Vec<Quad>, Vec<String>) {
    let mut parser = Parser { labels: BTreeMap::new(), names: Vec::new() };
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let quads = lines.map(|line| parser.quad(line)).collect();
    (quads, parser.names)
}

struct Parser {
    labels: BTreeMap<String, u32>,
    names: Vec<String>,
}

impl Parser {
    fn quad(&mut self, mut rest: &str) -> Quad {
        let Term::Resource(subject) = self.term(&mut rest) else { panic!("{rest}") };
        let Term::Resource(Resource::Iri(predicate)) = self.term(&mut rest) else { panic!("{rest}") };
        let object = self.term(&mut rest);
        let graph = match rest.trim_start() {
            end if end.starts_with('.') => None,
            _ => match self.term(&mut rest) {
                Term::Resource(graph) => Some(graph),
                Term::Literal(_) => panic!("{rest}"),
            },
        };
        assert!(rest.trim_start().starts_with('.'), "{rest}");
        Quad { subject, predicate, object, graph }
    }

    fn term(&mut self, rest: &mut &str) -> Term {
        *rest = rest.trim_start();
        if let Some(iri) = rest.strip_prefix('<') {
            let (iri, after) = iri.split_once('>').unwrap();
            *rest = after;
            Term::Resource(Resource::Iri(unescaped(iri).into()))
        } else if let Some(label) = rest.strip_prefix("_:") {
            let end = label.find([' ', '\t', '<']).unwrap_or(label.len());
            *rest = &label[end..];
            let next = self.names.len() as u32;
            let node = *self.labels.entry(label[..end].to_owned()).or_insert(next);
            if node == next {
                self.names.push(label[..end].to_owned());
            }
            Term::Resource(Resource::Blank(node))
        } else {
            let text = rest.strip_prefix('"').unwrap();
            let bytes = text.as_bytes();
            let mut end = 0;
            while bytes[end] != b'"' {
                end += if bytes[end] == b'\\' { 2 } else { 1 };
            }
            *rest = &text[end + 1..];
            let kind = if let Some(tag) = rest.strip_prefix('@') {
                let end = tag.find(|c: char| !c.is_alphanumeric() && c != '-').unwrap();
                *rest = &tag[end..];
                LiteralKind::Language(tag[..end].into())
            } else if rest.starts_with("^^") {
                *rest = &rest[2..];
                let Term::Resource(Resource::Iri(iri)) = self.term(rest) else { panic!("{rest}") };
                LiteralKind::of(iri)
            } else {
                LiteralKind::Text
            };
            Term::Literal(Literal { text: unescaped(&text[..end]).into(), kind })
        }
    }
}

fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let code = |chars: &mut std::str::Chars<'_>, digits| {
            let hex: String = chars.take(digits).collect();
            char::from_u32(u32::from_str_radix(&hex, 16).unwrap()).unwrap()
        };
        out.push(match chars.next().unwrap() {
            't' => '\t',
            'b' => '\u{8}',
            'n' => '\n',
            'r' => '\r',
            'f' => '\u{c}',
            'u' => code(&mut chars, 4),
            'U' => code(&mut chars, 8),
            other => other,
        });
    }
    out
}
