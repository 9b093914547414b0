//! Active contexts: what every term means at one place of a document.
//!
//! Source: W3C JSON-LD 1.1 Processing Algorithms and API, sections 4.1 (context processing), 4.2 (term
//! definitions) and 5.2 (IRI expansion). Stricter: nothing is left out with a warning, a term never stands
//! for a blank node, and there is no base IRI.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    RdfError,
    budget::Budget,
    keyword::Keyword,
    local::{Container, Direction, Entry, Local, Part, Terms},
    term::is_iri,
};
use crate::limits::RDF_TERM_CHAIN_MAX;

/// The definitions in force.
#[derive(Clone, Debug, Default)]
pub(super) struct Active {
    pub(super) terms: BTreeMap<Arc<str>, Arc<Definition>>,
    pub(super) vocab: Option<Arc<str>>,
    pub(super) language: Option<Arc<str>>,
    pub(super) direction: Option<Direction>,
    /// What is in force again in nodes below, when this one came with a type.
    pub(super) previous: Option<Arc<Active>>,
    /// Whether it came from bundled contexts alone.
    pub(super) is_bundled: bool,
}

/// What a term means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Definition {
    pub(super) name: Name,
    pub(super) is_reverse: bool,
    pub(super) is_prefix: bool,
    pub(super) is_protected: bool,
    pub(super) coercion: Coercion,
    pub(super) container: Container,
    pub(super) index: Option<Arc<str>>,
    pub(super) nest: Option<Arc<str>>,
    pub(super) language: Option<Option<Arc<str>>>,
    pub(super) direction: Option<Option<Direction>>,
    pub(super) scoped: Option<Arc<Local>>,
}

/// What a text stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Name {
    /// Nothing: it is unknown, relative, or defined as null.
    Nothing,
    Keyword(Keyword),
    /// An absolute IRI, or the label of a blank node with its `_:`.
    Iri(Arc<str>),
}

/// How a term's plain values are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Coercion {
    #[default]
    Absent,
    /// `@none`: as they are.
    Plain,
    /// As IRIs.
    Id,
    /// As IRIs or terms.
    Vocab,
    /// As JSON literals.
    Json,
    /// As literals of this datatype.
    Datatype(Arc<str>),
}

/// How a context is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    /// An `@context` in a document: it holds for everything below.
    Document,
    /// The context of a property: as above, and it may redefine protected terms.
    Property,
    /// The context of a type: it holds for one node's own properties.
    Type,
}

/// Where contexts that are named by URL come from, and who pays.
pub(super) trait Source {
    fn budget(&mut self) -> &mut Budget;

    /// `base` with the context that `url` stands for applied to it.
    fn apply(&mut self, base: &Arc<Active>, url: &str, scope: Scope) -> Result<Arc<Active>, RdfError>;
}

/// Whether `name` is the label of a blank node.
pub(super) fn is_blank(name: &str) -> bool {
    name.starts_with("_:")
}

impl Active {
    /// What `text` stands for where a term could be: as a key, a type, or a value of `@type: @vocab`.
    pub(super) fn expand(&self, text: &str, budget: &mut Budget) -> Result<Name, RdfError> {
        if let Some(definition) = self.terms.get(text) {
            return Ok(definition.name.clone());
        }
        match self.expand_reference(text, budget)? {
            Name::Nothing if !Keyword::is_reserved(text) => match &self.vocab {
                Some(vocab) => Ok(iri(budget.join(vocab, text)?)),
                None => Ok(Name::Nothing),
            },
            name => Ok(name),
        }
    }

    /// What `text` stands for where an IRI is due: terms mean nothing there, prefixes do.
    pub(super) fn expand_reference(&self, text: &str, budget: &mut Budget) -> Result<Name, RdfError> {
        if text.starts_with('@') {
            return Ok(Keyword::of(text).map_or(Name::Nothing, Name::Keyword));
        }
        if let Some((prefix, suffix)) = compact(text)
            && let Some(Definition { name: Name::Iri(start), is_prefix: true, .. }) =
                self.terms.get(prefix).map(|d| &**d)
        {
            return Ok(iri(budget.join(start, suffix)?));
        }
        Ok(absolute(text))
    }

    /// This context with `local` applied to it.
    ///
    /// # Errors
    /// [`RdfError`] names the rule that `local` breaks.
    pub(super) fn with(
        self: &Arc<Self>,
        local: &Local,
        scope: Scope,
        source: &mut dyn Source,
    ) -> Result<Arc<Active>, RdfError> {
        let mut current = self.clone();
        let propagates = local.propagate.unwrap_or(scope != Scope::Type);
        if !propagates && self.previous.is_none() {
            source.budget().terms(self.terms.len())?;
            current = Arc::new(Active { previous: Some(self.clone()), ..(**self).clone() });
        }
        // A URL within stands for what is there; it makes no scope of its own.
        let within = if scope == Scope::Property { Scope::Property } else { Scope::Document };
        for part in &local.parts {
            current = match part {
                Part::Url(url) => source.apply(&current, url, within)?,
                Part::Null => {
                    if scope != Scope::Property && current.terms.values().any(|d| d.is_protected) {
                        return Err(RdfError::ProtectedTerm("null".to_owned()));
                    }
                    let previous = if propagates { None } else { current.previous.clone() };
                    Arc::new(Active { previous, is_bundled: local.is_bundled, ..Active::default() })
                }
                Part::Terms(terms) => {
                    let mut next = Arc::unwrap_or_clone(current);
                    next.is_bundled &= local.is_bundled;
                    // Paid for before it is made: by what is copied, and by what comes along.
                    source.budget().terms(next.terms.len() + terms.entries.len() + 1)?;
                    next.define(terms, scope, source.budget())?;
                    Arc::new(next)
                }
            };
        }
        Ok(current)
    }

    fn define(&mut self, terms: &Terms, scope: Scope, budget: &mut Budget) -> Result<(), RdfError> {
        match &terms.vocab {
            None => {}
            Some(None) => self.vocab = None,
            Some(Some(vocab)) => match self.expand(vocab, budget)? {
                Name::Iri(iri) if !is_blank(&iri) => self.vocab = Some(iri),
                _ => return Err(RdfError::NotAnIri(RdfError::named(vocab))),
            },
        }
        if let Some(language) = &terms.language {
            self.language = language.clone();
        }
        if let Some(direction) = terms.direction {
            self.direction = direction;
        }
        let mut definer = Definer { active: self, terms, scope, budget, states: BTreeMap::new(), chain: 0 };
        terms.entries.keys().try_for_each(|term| definer.define(term))
    }
}

/// The parts of what may be a compact IRI.
fn compact(text: &str) -> Option<(&str, &str)> {
    let (prefix, suffix) = text.split_once(':')?;
    (!prefix.is_empty() && prefix != "_" && !suffix.starts_with("//")).then_some((prefix, suffix))
}

fn absolute(text: &str) -> Name {
    if is_iri(text) || (is_blank(text) && !text.contains(char::is_whitespace)) {
        Name::Iri(text.into())
    } else {
        Name::Nothing
    }
}

/// `text`, if it is an IRI or a blank node's label after all.
fn iri(text: Arc<str>) -> Name {
    if is_iri(&text) { Name::Iri(text) } else { absolute(&text) }
}

/// The definition of one context's terms, each of which may need others.
struct Definer<'a> {
    active: &'a mut Active,
    terms: &'a Terms,
    scope: Scope,
    budget: &'a mut Budget,
    states: BTreeMap<&'a str, State>,
    chain: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Begun,
    Done,
}

impl<'a> Definer<'a> {
    /// Defines `term`, which the context has.
    fn define(&mut self, term: &'a Arc<str>) -> Result<(), RdfError> {
        match self.states.insert(term, State::Begun) {
            Some(State::Begun) => return Err(RdfError::InvalidContext("terms are defined by each other")),
            Some(State::Done) => {
                self.states.insert(term, State::Done);
                return Ok(());
            }
            None => {}
        }
        self.chain += 1;
        if self.chain > RDF_TERM_CHAIN_MAX {
            return Err(RdfError::ContextTooLarge);
        }
        let entry = &self.terms.entries[term];
        let earlier = self.active.terms.remove(term);
        let name = self.name(term, entry)?;
        let is_protected = entry.protected.unwrap_or(self.terms.is_protected);
        let is_prefix = self.is_prefix(term, entry, &name)?;
        self.states.insert(term, State::Done);
        let mut definition = Definition {
            name,
            is_reverse: entry.reverse.is_some(),
            is_prefix,
            is_protected,
            coercion: self.coercion(entry)?,
            container: entry.container,
            index: entry.index.clone(),
            nest: entry.nest.clone(),
            language: entry.language.clone().filter(|_| entry.coercion.is_none()),
            direction: entry.direction.filter(|_| entry.coercion.is_none()),
            scoped: entry.scoped.clone(),
        };
        if let Some(earlier) = earlier
            && earlier.is_protected
            && self.scope != Scope::Property
        {
            definition.is_protected = true;
            if definition != *earlier {
                return Err(RdfError::ProtectedTerm(RdfError::named(term)));
            }
        }
        self.active.terms.insert(term.clone(), Arc::new(definition));
        self.chain -= 1;
        Ok(())
    }

    fn name(&mut self, term: &'a str, entry: &'a Entry) -> Result<Name, RdfError> {
        let absent = RdfError::InvalidContext("a term stands for no IRI");
        if let Some(reverse) = &entry.reverse {
            return match self.expand(reverse)? {
                Name::Iri(iri) if !is_blank(&iri) => Ok(Name::Iri(iri)),
                _ => Err(absent),
            };
        }
        match &entry.id {
            Some(None) => return Ok(Name::Nothing),
            Some(Some(id)) if **id != *term => {
                let name = self.expand(id)?;
                match &name {
                    Name::Keyword(Keyword::Context) => {
                        return Err(RdfError::InvalidContext("a term stands for @context"));
                    }
                    Name::Nothing => return Err(absent),
                    Name::Iri(iri) if is_blank(iri) => return Err(absent),
                    Name::Keyword(_) | Name::Iri(_) => {}
                }
                let has_form_of_iri = term.contains('/')
                    || term.char_indices().any(|(n, c)| c == ':' && n > 0 && n + 1 < term.len());
                if has_form_of_iri {
                    self.states.insert(term, State::Done);
                    if self.expand(term)? != name {
                        return Err(RdfError::InvalidContext("a term like an IRI stands for another"));
                    }
                }
                return Ok(name);
            }
            _ => {}
        }
        if term == "@type" {
            return Ok(Name::Keyword(Keyword::Type));
        }
        let name = match term.split_once(':') {
            Some((prefix, suffix)) if !prefix.is_empty() => {
                self.define_if_here(prefix)?;
                match self.active.terms.get(prefix).map(|d| &d.name) {
                    Some(Name::Iri(start)) => iri(self.budget.join(start, suffix)?),
                    Some(_) => Name::Nothing,
                    None => absolute(term),
                }
            }
            _ => match &self.active.vocab {
                Some(vocab) => iri(self.budget.join(vocab, term)?),
                None => Name::Nothing,
            },
        };
        match name {
            Name::Iri(ref iri) if !is_blank(iri) => Ok(name),
            _ => Err(absent),
        }
    }

    fn is_prefix(&self, term: &str, entry: &Entry, name: &Name) -> Result<bool, RdfError> {
        let ends_openly = |iri: &str| iri.ends_with([':', '/', '?', '#', '[', ']', '@']);
        match (entry.prefix, name) {
            (None, Name::Iri(iri)) => {
                let has_own_id = entry.id.as_ref().is_some_and(|id| id.as_deref() != Some(term));
                Ok(entry.is_simple && has_own_id && !term.contains([':', '/']) && ends_openly(iri))
            }
            (None, _) => Ok(false),
            (Some(_), _) if term.contains([':', '/']) => {
                Err(RdfError::InvalidContext("a term with a colon or slash has @prefix"))
            }
            (Some(_), Name::Keyword(_)) => Err(RdfError::InvalidContext("a keyword has @prefix")),
            (Some(is_prefix), _) => Ok(is_prefix),
        }
    }

    fn coercion(&mut self, entry: &'a Entry) -> Result<Coercion, RdfError> {
        let Some(text) = &entry.coercion else {
            return Ok(if entry.container.kind { Coercion::Id } else { Coercion::Absent });
        };
        match self.expand(text)? {
            Name::Keyword(Keyword::Id) => Ok(Coercion::Id),
            Name::Keyword(Keyword::Vocab) => Ok(Coercion::Vocab),
            Name::Keyword(Keyword::Json) => Ok(Coercion::Json),
            Name::Keyword(Keyword::None) => Ok(Coercion::Plain),
            Name::Iri(iri) if !is_blank(&iri) => Ok(Coercion::Datatype(iri)),
            _ => Err(RdfError::InvalidContext("a term's @type is no IRI or keyword for it")),
        }
    }

    /// What `text` stands for in the context being defined.
    fn expand(&mut self, text: &'a str) -> Result<Name, RdfError> {
        self.define_if_here(text)?;
        if let Some((prefix, _)) = compact(text).filter(|_| !self.active.terms.contains_key(text)) {
            self.define_if_here(prefix)?;
        }
        self.active.expand(text, self.budget)
    }

    fn define_if_here(&mut self, text: &'a str) -> Result<(), RdfError> {
        match self.terms.entries.get_key_value(text) {
            Some((term, _)) if self.states.get(text) != Some(&State::Done) => self.define(term),
            _ => Ok(()),
        }
    }
}
