//! Local contexts as they are written: the syntax is checked, nothing is resolved.
//!
//! What a context means depends on the one that it is applied to; that is [`super::active`].
//!
//! Source: W3C JSON-LD 1.1 Processing Algorithms and API, sections 4.1 and 4.2, where they check syntax.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Map, Value};

use super::{RdfError, keyword::Keyword};
use crate::limits::JSON_DEPTH_MAX;

/// The value of an `@context`.
#[derive(Debug)]
pub(super) struct Local {
    pub(super) parts: Vec<Part>,
    pub(super) propagate: Option<bool>,
    /// Whether it is one of the bundled contexts, or within one: it lives as long as the program.
    pub(super) is_bundled: bool,
}

/// An element of an `@context`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Forget everything.
    Null,
    /// The context at this URL.
    Url(Arc<str>),
    /// These definitions.
    Terms(Box<Terms>),
}

/// A context's entries. An outer `None` is an absent entry, an inner one an explicit null.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) vocab: Option<Option<Arc<str>>>,
    pub(super) language: Option<Option<Arc<str>>>,
    pub(super) direction: Option<Option<Direction>>,
    pub(super) is_protected: bool,
    pub(super) entries: BTreeMap<Arc<str>, Entry>,
}

/// What a context says of one term.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) id: Option<Option<Arc<str>>>,
    /// The entry was a text, which may serve as a prefix.
    pub(super) is_simple: bool,
    pub(super) reverse: Option<Arc<str>>,
    pub(super) coercion: Option<Arc<str>>,
    pub(super) container: Container,
    pub(super) index: Option<Arc<str>>,
    pub(super) nest: Option<Arc<str>>,
    pub(super) prefix: Option<bool>,
    pub(super) protected: Option<bool>,
    pub(super) language: Option<Option<Arc<str>>>,
    pub(super) direction: Option<Option<Direction>>,
    pub(super) scoped: Option<Arc<Local>>,
}

/// How the values of a term are held together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Container {
    pub(super) list: bool,
    pub(super) set: bool,
    pub(super) graph: bool,
    pub(super) language: bool,
    pub(super) index: bool,
    pub(super) id: bool,
    pub(super) kind: bool,
}

/// The base direction of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    LeftToRight,
    RightToLeft,
}

/// Where it came from makes no difference.
impl PartialEq for Local {
    fn eq(&self, other: &Self) -> bool {
        (&self.parts, self.propagate) == (&other.parts, other.propagate)
    }
}

impl Eq for Local {}

impl Local {
    /// Reads the value of an `@context`.
    ///
    /// # Errors
    /// What is wrong with its syntax, or [`RdfError::Unsupported`].
    pub(super) fn parse(value: &Value, is_bundled: bool) -> Result<Self, RdfError> {
        parse_local(value, is_bundled, 0)
    }

    /// Whether it consists of URLs that pass `test`, and of nothing else.
    pub(super) fn is_all(&self, test: impl Fn(&str) -> bool) -> bool {
        self.parts.iter().all(|part| matches!(part, Part::Url(url) if test(url)))
    }
}

impl Direction {
    pub(super) fn of(value: &Value) -> Result<Option<Self>, RdfError> {
        match value {
            Value::Null => Ok(None),
            Value::String(text) if text == "ltr" => Ok(Some(Direction::LeftToRight)),
            Value::String(text) if text == "rtl" => Ok(Some(Direction::RightToLeft)),
            _ => Err(RdfError::InvalidContext("@direction is neither \"ltr\" nor \"rtl\"")),
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Direction::LeftToRight => "ltr",
            Direction::RightToLeft => "rtl",
        }
    }
}

/// A language tag in lower case, as literals are compared; `None` for what has not the form of one (BCP 47).
pub(super) fn language_tag(text: &str) -> Option<Arc<str>> {
    let is_tag = text.split('-').enumerate().all(|(n, part)| {
        let fits = |b: u8| b.is_ascii_alphabetic() || (n > 0 && b.is_ascii_digit());
        (1..=8).contains(&part.len()) && part.bytes().all(fits)
    });
    is_tag.then(|| text.to_ascii_lowercase().into())
}

fn parse_local(value: &Value, is_bundled: bool, depth: usize) -> Result<Local, RdfError> {
    if depth > JSON_DEPTH_MAX {
        return Err(RdfError::TooDeep);
    }
    let elements = match value {
        Value::Array(elements) => elements.as_slice(),
        element => std::slice::from_ref(element),
    };
    let mut local = Local { parts: Vec::with_capacity(elements.len()), propagate: None, is_bundled };
    for (n, element) in elements.iter().enumerate() {
        local.parts.push(match element {
            Value::Null => Part::Null,
            Value::String(url) => Part::Url(url.as_str().into()),
            Value::Object(members) => {
                match members.get("@propagate") {
                    None => {}
                    Some(Value::Bool(propagate)) if n == 0 => local.propagate = Some(*propagate),
                    Some(_) => return Err(RdfError::InvalidContext("@propagate is misplaced or no boolean")),
                }
                Part::Terms(Box::new(terms(members, is_bundled, depth)?))
            }
            _ => return Err(RdfError::InvalidContext("an element is no URL, object or null")),
        });
    }
    Ok(local)
}

fn terms(members: &Map<String, Value>, is_bundled: bool, depth: usize) -> Result<Terms, RdfError> {
    let mut terms = Terms::default();
    for (key, value) in members {
        match key.as_str() {
            "@version" if value.as_f64() == Some(1.1) => {}
            "@version" => return Err(RdfError::InvalidContext("@version is not 1.1")),
            "@base" if value.is_null() => {}
            "@base" => return Err(RdfError::Unsupported("@base")),
            "@import" => return Err(RdfError::Unsupported("@import")),
            "@propagate" => {}
            "@vocab" => terms.vocab = Some(optional_text(value, "@vocab is no text or null")?),
            "@language" => terms.language = Some(language(value)?),
            "@direction" => terms.direction = Some(Direction::of(value)?),
            "@protected" => terms.is_protected = boolean(value, "@protected is no boolean")?,
            "" => return Err(RdfError::InvalidContext("a term is empty")),
            "@type" => {
                let entry = entry(value, is_bundled, depth)?;
                terms.entries.insert("@type".into(), type_entry(entry)?);
            }
            term if Keyword::is_reserved(term) => {
                return Err(RdfError::InvalidContext("a term has the form of a keyword"));
            }
            term => {
                terms.entries.insert(term.into(), entry(value, is_bundled, depth)?);
            }
        }
    }
    Ok(terms)
}

/// The only thing that can be said of `@type` is that it is a set, and protected.
fn type_entry(entry: Entry) -> Result<Entry, RdfError> {
    let Entry { container, protected, .. } = entry;
    let set = Container { set: true, ..Container::default() };
    let allowed = Entry { container, protected, ..Entry::default() };
    let says_something = protected.is_some() || container == set;
    if entry == allowed && says_something && (container == set || container == Container::default()) {
        Ok(entry)
    } else {
        Err(RdfError::InvalidContext("@type is redefined"))
    }
}

fn entry(value: &Value, is_bundled: bool, depth: usize) -> Result<Entry, RdfError> {
    let members = match value {
        Value::Null => return Ok(Entry { id: Some(None), is_simple: true, ..Entry::default() }),
        Value::String(iri) => {
            return Ok(Entry { id: Some(Some(iri.as_str().into())), is_simple: true, ..Entry::default() });
        }
        Value::Object(members) => members,
        _ => return Err(RdfError::InvalidContext("a term's definition is no text, object or null")),
    };
    let mut entry = Entry::default();
    for (key, value) in members {
        match key.as_str() {
            "@id" => entry.id = Some(optional_text(value, "a term's @id is no text or null")?),
            "@reverse" => entry.reverse = Some(text(value, "a term's @reverse is no text")?),
            "@type" => entry.coercion = Some(text(value, "a term's @type is no text")?),
            "@container" => entry.container = container(value)?,
            "@index" => entry.index = Some(text(value, "a term's @index is no text")?),
            "@nest" => entry.nest = Some(text(value, "a term's @nest is no text")?),
            "@prefix" => entry.prefix = Some(boolean(value, "a term's @prefix is no boolean")?),
            "@protected" => entry.protected = Some(boolean(value, "a term's @protected is no boolean")?),
            "@language" => entry.language = Some(language(value)?),
            "@direction" => entry.direction = Some(Direction::of(value)?),
            "@context" => entry.scoped = Some(Arc::new(parse_local(value, is_bundled, depth + 1)?)),
            _ => return Err(RdfError::InvalidContext("a term's definition has an unknown entry")),
        }
    }
    check(&entry)?;
    Ok(entry)
}

/// What the parts of a term's definition demand of each other.
fn check(entry: &Entry) -> Result<(), RdfError> {
    let Container { list, graph, language, id, kind, .. } = entry.container;
    if entry.reverse.is_some() {
        if entry.id.is_some() || entry.nest.is_some() {
            return Err(RdfError::InvalidContext("a reverse property has an @id or @nest"));
        }
        if list || graph || language || id || kind {
            return Err(RdfError::InvalidContext("a reverse property's @container is not @set or @index"));
        }
    }
    if kind && !matches!(entry.coercion.as_deref(), None | Some("@id" | "@vocab")) {
        return Err(RdfError::InvalidContext("a @type container's @type is not @id or @vocab"));
    }
    if entry.index.as_ref().is_some_and(|index| !entry.container.index || index.starts_with('@')) {
        return Err(RdfError::InvalidContext("a term's @index is a keyword, or without such a container"));
    }
    if entry.nest.as_ref().is_some_and(|nest| nest.starts_with('@') && &**nest != "@nest") {
        return Err(RdfError::InvalidContext("a term's @nest is a keyword"));
    }
    Ok(())
}

fn container(value: &Value) -> Result<Container, RdfError> {
    let error = RdfError::InvalidContext("a term's @container is none");
    let names = match value {
        Value::Null => return Ok(Container::default()),
        Value::Array(names) => names.as_slice(),
        name => std::slice::from_ref(name),
    };
    let mut container = Container::default();
    for name in names {
        *match name.as_str() {
            Some("@list") => &mut container.list,
            Some("@set") => &mut container.set,
            Some("@graph") => &mut container.graph,
            Some("@language") => &mut container.language,
            Some("@index") => &mut container.index,
            Some("@id") => &mut container.id,
            Some("@type") => &mut container.kind,
            _ => return Err(error),
        } = true;
    }
    let Container { list, set, graph, language, index, id, kind } = container;
    let maps = [language, index, id, kind].into_iter().filter(|is| *is).count();
    let is_valid = maps <= 1 && !(list && (set || graph || maps > 0)) && !(graph && (language || kind));
    if is_valid { Ok(container) } else { Err(error) }
}

fn language(value: &Value) -> Result<Option<Arc<str>>, RdfError> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => match language_tag(text) {
            Some(tag) => Ok(Some(tag)),
            None => Err(RdfError::InvalidContext("@language is no language tag")),
        },
        _ => Err(RdfError::InvalidContext("@language is no text or null")),
    }
}

fn text(value: &Value, error: &'static str) -> Result<Arc<str>, RdfError> {
    value.as_str().map(Arc::from).ok_or(RdfError::InvalidContext(error))
}

fn optional_text(value: &Value, error: &'static str) -> Result<Option<Arc<str>>, RdfError> {
    if value.is_null() { Ok(None) } else { text(value, error).map(Some) }
}

fn boolean(value: &Value, error: &'static str) -> Result<bool, RdfError> {
    value.as_bool().ok_or(RdfError::InvalidContext(error))
}
