//! RDF terms and quads, and how canonical N-Quads writes them.
//!
//! Sources: RDF 1.1 Concepts; RDF Dataset Canonicalization 1.0, section 5 (canonical N-Quads form).

use std::sync::Arc;

/// The datatype of a literal that states none.
const XSD_STRING: &str = "http://www.w3.org/2001/XMLSchema#string";

/// What a quad is about, or in: an IRI or a blank node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// An absolute IRI, as it is written.
    Iri(Arc<str>),
    /// A blank node, by a number that means nothing outside its dataset.
    Blank(u32),
}

/// A text with a datatype, or in a language.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Literal {
    /// The lexical form.
    pub text: Arc<str>,
    /// What kind of text it is.
    pub kind: LiteralKind,
}

/// What kind of text a literal is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LiteralKind {
    /// A text and no more: `xsd:string`.
    Text,
    /// Of this datatype, another IRI.
    Datatype(Arc<str>),
    /// In the language of this tag.
    Language(Arc<str>),
}

/// The object of a quad.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Term {
    /// An IRI or a blank node.
    Resource(Resource),
    /// A literal.
    Literal(Literal),
}

/// A statement in a graph.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quad {
    /// What it is about.
    pub subject: Resource,
    /// The property, an IRI.
    pub predicate: Arc<str>,
    /// The property's value.
    pub object: Term,
    /// The graph that it stands in; `None` is the default graph.
    pub graph: Option<Resource>,
}

/// Whether `text` is an absolute IRI that N-Quads can write as it is: a scheme, a colon, and none of the
/// characters that no IRI has. Laxer than RFC 3987 in the same way as other JSON-LD processors.
pub(super) fn is_iri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let is_scheme = scheme.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    let is_foreign = |c: char| c <= ' ' || c.is_whitespace() || c.is_control() || "<>\"{}|^`\\".contains(c);
    is_scheme && !rest.chars().any(is_foreign)
}

/// Appends `text` as it stands between the quotes of a literal.
pub(super) fn write_escaped(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|b| b < 0x20 || matches!(b, b'"' | b'\\' | 0x7f)) {
        let (plain, special) = rest.split_at(at);
        out.push_str(plain);
        match special.as_bytes()[0] {
            0x08 => out.push_str("\\b"),
            b'\t' => out.push_str("\\t"),
            b'\n' => out.push_str("\\n"),
            0x0c => out.push_str("\\f"),
            b'\r' => out.push_str("\\r"),
            quoted @ (b'"' | b'\\') => out.extend(['\\', char::from(quoted)]),
            control => out.push_str(&format!("\\u{control:04X}")),
        }
        rest = &special[1..];
    }
    out.push_str(rest);
}

impl LiteralKind {
    /// That of a datatype.
    pub(super) fn of(datatype: Arc<str>) -> Self {
        if &*datatype == XSD_STRING { LiteralKind::Text } else { LiteralKind::Datatype(datatype) }
    }
}

impl Literal {
    /// Bytes of its parts.
    pub(super) fn len(&self) -> usize {
        match &self.kind {
            LiteralKind::Text => self.text.len(),
            LiteralKind::Datatype(kind) | LiteralKind::Language(kind) => self.text.len() + kind.len(),
        }
    }

    /// Appends it as N-Quads writes it.
    pub(super) fn write(&self, out: &mut String) {
        out.push('"');
        write_escaped(&self.text, out);
        out.push('"');
        match &self.kind {
            LiteralKind::Text => {}
            LiteralKind::Datatype(iri) => out.extend(["^^<", iri, ">"]),
            LiteralKind::Language(tag) => out.extend(["@", tag]),
        }
    }
}

impl Resource {
    /// Bytes of its name.
    pub(super) fn len(&self) -> usize {
        match self {
            Resource::Iri(iri) => iri.len(),
            Resource::Blank(_) => size_of::<u32>(),
        }
    }
}

impl Quad {
    /// Bytes of its parts.
    pub(super) fn len(&self) -> usize {
        let object = match &self.object {
            Term::Resource(resource) => resource.len(),
            Term::Literal(literal) => literal.len(),
        };
        self.subject.len() + self.predicate.len() + object + self.graph.as_ref().map_or(0, Resource::len)
    }
}
