//! Expansion: a document with its contexts resolved.
//!
//! Source: W3C JSON-LD 1.1 Processing Algorithms and API, sections 5.1 (expansion) and 5.3 (value
//! expansion). What that leaves out with or without a warning is an error here, but for `null` values and
//! `@index`, which say nothing.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    Form, RdfError,
    active::{Active, Coercion, Definition, Name, Scope, is_blank},
    bundled::{Contexts, Session},
    keyword::Keyword,
    literal,
    local::{Direction, Local, language_tag},
    node::{Item, Node},
    term::Literal,
};
use crate::limits::JSON_DEPTH_MAX;

/// One document's expansion.
pub(super) struct Expander {
    contexts: &'static Contexts,
    form: Form,
    pub(super) session: Session,
    depth: usize,
}

/// What a value expands to: not the same as nothing, one, or several items, since an empty array is something.
#[derive(Debug)]
pub(super) enum Expanded {
    Null,
    One(Item),
    Many(Vec<Item>),
}

/// Where a value stands.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    /// The document itself, or an element of it.
    Top,
    /// `@graph`.
    Graph,
    /// `@reverse`.
    Reverse,
    /// A property, by its key, with its definition in the context there.
    Property(&'a str, Option<&'a Definition>),
}

/// The entries of an object, expanded.
#[derive(Default)]
struct Object<'v> {
    node: Node,
    /// `@type` is `@json`.
    is_json: bool,
    value: Option<&'v Value>,
    list: Option<Vec<Item>>,
    set: Option<Vec<Item>>,
    language: Option<Arc<str>>,
    direction: Option<Direction>,
}

/// The contexts in force for an object.
struct Scopes<'a> {
    /// For its keys.
    active: &'a Arc<Active>,
    /// For its types, which do not change what they themselves mean.
    types: &'a Arc<Active>,
}

impl Expanded {
    pub(super) fn into_items(self) -> Vec<Item> {
        match self {
            Expanded::Null => Vec::new(),
            Expanded::One(item) => vec![item],
            Expanded::Many(items) => items,
        }
    }
}

impl<'a> Place<'a> {
    fn definition(self) -> Option<&'a Definition> {
        match self {
            Place::Property(_, definition) => definition,
            Place::Top | Place::Graph | Place::Reverse => None,
        }
    }

    /// Whether what has no properties is lost here.
    fn is_loose(self) -> bool {
        matches!(self, Place::Top | Place::Graph) || self.definition().is_some_and(|d| d.container.graph)
    }
}

impl Expander {
    pub(super) fn new(contexts: &'static Contexts, form: Form) -> Self {
        Expander { contexts, form, session: Session::new(contexts), depth: 0 }
    }

    /// What `document` says.
    pub(super) fn document(&mut self, document: &Map<String, Value>) -> Result<Vec<Item>, RdfError> {
        match self.object(self.contexts.initial(), Place::Top, document, false)? {
            Expanded::One(Item::Node(node)) => {
                if let Some(name) = node.id.as_deref().filter(|name| self.is_plain() && node.describes(name))
                {
                    return Err(RdfError::NotPlain(RdfError::named(name)));
                }
                Ok(node.into_document())
            }
            expanded => Ok(expanded.into_items()),
        }
    }

    /// The value of `place`. `in_list` when it is the value of an `@list`; `from_map` when it is an entry of
    /// an index, id or type map.
    pub(super) fn expand(
        &mut self,
        active: &Arc<Active>,
        place: Place<'_>,
        value: &Value,
        in_list: bool,
        from_map: bool,
    ) -> Result<Expanded, RdfError> {
        match value {
            Value::Null => Ok(Expanded::Null),
            Value::Object(members) => {
                self.nested(|expander| expander.object(active, place, members, from_map))
            }
            Value::Array(values) => self.nested(|expander| {
                let is_list = place.definition().is_some_and(|d| d.container.list);
                let mut items = Vec::with_capacity(values.len());
                for value in values {
                    match expander.expand(active, place, value, false, from_map)? {
                        Expanded::Null => {}
                        Expanded::One(item) => items.push(item),
                        Expanded::Many(inner) if is_list => items.push(Item::List(inner)),
                        Expanded::Many(_) if in_list => {
                            // A list or a part of this one: processors differ.
                            return Err(RdfError::Unsupported("an array or @set within an @list"));
                        }
                        Expanded::Many(inner) => items.extend(inner),
                    }
                }
                Ok(Expanded::Many(items))
            }),
            Value::String(_) | Value::Number(_) | Value::Bool(_) => {
                let Place::Property(key, definition) = place else {
                    return Err(RdfError::Dropped("a value without a property"));
                };
                match definition.and_then(|d| d.scoped.as_ref()) {
                    None => self.scalar(active, definition, value),
                    Some(scoped) => {
                        let active = self.session.derive(active, scoped, Scope::Property)?;
                        self.scalar(&active, active.terms.get(key).map(|d| &**d), value)
                    }
                }
                .map(Expanded::One)
            }
        }
    }

    fn is_plain(&self) -> bool {
        self.form == Form::Plain
    }

    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, RdfError>) -> Result<T, RdfError> {
        if self.depth == JSON_DEPTH_MAX {
            return Err(RdfError::TooDeep);
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    /// Value expansion: a text, number or boolean as its property has it read.
    pub(super) fn scalar(
        &mut self,
        active: &Arc<Active>,
        definition: Option<&Definition>,
        value: &Value,
    ) -> Result<Item, RdfError> {
        let coercion = definition.map_or(&Coercion::Absent, |d| &d.coercion);
        match (coercion, value) {
            (Coercion::Id, Value::String(text)) => Ok(reference(self.reference(active, text)?)),
            (Coercion::Vocab, Value::String(text)) => match active.expand(text, &mut self.session.budget)? {
                Name::Iri(iri) => Ok(reference(iri)),
                Name::Keyword(_) | Name::Nothing => Err(RdfError::NotAnIri(RdfError::named(text))),
            },
            (Coercion::Json, _) => literal::json(value).map(Item::Literal),
            (Coercion::Datatype(datatype), _) => literal::plain(value, Some(datatype)).map(Item::Literal),
            (_, Value::String(text)) => {
                let language = definition.and_then(|d| d.language.as_ref()).unwrap_or(&active.language);
                let direction = definition.and_then(|d| d.direction).unwrap_or(active.direction);
                Ok(Item::Literal(literal::text(text, language.as_ref(), direction)))
            }
            _ => literal::plain(value, None).map(Item::Literal),
        }
    }

    fn object(
        &mut self,
        active: &Arc<Active>,
        place: Place<'_>,
        members: &Map<String, Value>,
        from_map: bool,
    ) -> Result<Expanded, RdfError> {
        let mut active = active.clone();
        if let Some(previous) = active.previous.clone().filter(|_| !from_map)
            && !self.keeps_type_scope(&active, members)?
        {
            active = previous;
        }
        if let Some(scoped) = place.definition().and_then(|d| d.scoped.as_ref()) {
            active = self.session.derive(&active, scoped, Scope::Property)?;
        }
        if let Some(context) = members.get("@context") {
            let local = Arc::new(Local::parse(context, false)?);
            if self.is_plain() && !local.is_all(|url| self.contexts.is_plain(url)) {
                return Err(RdfError::NotPlain("@context".to_owned()));
            }
            active = self.session.derive(&active, &local, Scope::Document)?;
        }
        let types = active.clone();
        let is_json = self.apply_type_scopes(&mut active, members)?;
        let mut object = Object { is_json, ..Object::default() };
        self.entries(&Scopes { active: &active, types: &types }, place, members, &mut object)?;
        object.finish(place)
    }

    /// Whether a value object or a mere reference keeps the context that came with a type around it.
    fn keeps_type_scope(
        &mut self,
        active: &Arc<Active>,
        members: &Map<String, Value>,
    ) -> Result<bool, RdfError> {
        for key in members.keys() {
            match active.expand(key, &mut self.session.budget)? {
                Name::Keyword(Keyword::Value) => return Ok(true),
                Name::Keyword(Keyword::Id) if members.len() == 1 => return Ok(true),
                _ => {}
            }
        }
        Ok(false)
    }

    /// Applies the contexts of an object's types, in the order of the types' names. Returns whether the first
    /// type is `@json`.
    fn apply_type_scopes(
        &mut self,
        active: &mut Arc<Active>,
        members: &Map<String, Value>,
    ) -> Result<bool, RdfError> {
        let scope = active.clone();
        let is_type = |active: &Active, key: &str| match active.terms.get(key) {
            Some(definition) => definition.name == Name::Keyword(Keyword::Type),
            None => key == "@type",
        };
        let mut keys: Vec<&String> = members.keys().filter(|key| is_type(&scope, key)).collect();
        keys.sort_unstable();
        for key in &keys {
            let mut names: Vec<&str> = texts(&members[key.as_str()]).collect();
            names.sort_unstable();
            for name in names {
                if let Some(scoped) = scope.terms.get(name).and_then(|d| d.scoped.as_ref()) {
                    *active = self.session.derive(active, scoped, Scope::Type)?;
                }
            }
        }
        let first = keys.first().and_then(|key| texts(&members[key.as_str()]).next());
        match first {
            None => Ok(false),
            Some(name) => Ok(active.expand(name, &mut self.session.budget)? == Name::Keyword(Keyword::Json)),
        }
    }

    fn entries<'v>(
        &mut self,
        scopes: &Scopes<'_>,
        place: Place<'_>,
        members: &'v Map<String, Value>,
        object: &mut Object<'v>,
    ) -> Result<(), RdfError> {
        for (key, value) in members.iter().filter(|(key, _)| *key != "@context") {
            let definition = scopes.active.terms.get(key.as_str()).map(|d| &**d);
            let name = match definition {
                Some(definition) => definition.name.clone(),
                None => scopes.active.expand(key, &mut self.session.budget)?,
            };
            if self.is_plain() && name != Name::Nothing && !is_plain(key, &name, members, scopes) {
                return Err(RdfError::NotPlain(RdfError::named(key)));
            }
            match name {
                Name::Nothing => return Err(RdfError::UndefinedTerm(RdfError::named(key))),
                Name::Iri(iri) if is_blank(&iri) => {
                    return Err(RdfError::Dropped("a property named by a blank node"));
                }
                Name::Keyword(keyword) => {
                    if matches!(place, Place::Reverse) {
                        return Err(RdfError::Invalid("a keyword within @reverse"));
                    }
                    self.keyword(scopes, place, keyword, (key, value), object)?;
                }
                Name::Iri(iri) => {
                    let place = Place::Property(key, definition);
                    let items = match self.property(scopes.active, key, definition, value)? {
                        Expanded::Null => continue,
                        expanded => contained(expanded, place)?,
                    };
                    if definition.is_some_and(|d| d.is_reverse) {
                        object.node.reverse.push((iri, nodes(items)?));
                    } else {
                        object.node.properties.push((iri, items));
                    }
                }
            }
        }
        Ok(())
    }

    fn keyword<'v>(
        &mut self,
        scopes: &Scopes<'_>,
        place: Place<'_>,
        keyword: Keyword,
        (key, value): (&str, &'v Value),
        object: &mut Object<'v>,
    ) -> Result<(), RdfError> {
        let twice = RdfError::Invalid("an object has a keyword twice");
        match keyword {
            Keyword::Id => {
                let text = value.as_str().ok_or(RdfError::Invalid("an @id is no text"))?;
                let name = self.reference(scopes.active, text)?;
                object.node.id.replace(name).map_or(Ok(()), |_| Err(twice))
            }
            Keyword::Type => self.types(scopes.types, value, object),
            Keyword::Index if !value.is_string() => Err(RdfError::Invalid("an @index is no text")),
            Keyword::Index if object.node.has_index => Err(twice),
            Keyword::Index => {
                object.node.has_index = true;
                Ok(())
            }
            Keyword::Value => object.value.replace(value).map_or(Ok(()), |_| Err(twice)),
            Keyword::Language => {
                if value.is_null() {
                    return Ok(());
                }
                let tag = value.as_str().and_then(language_tag);
                let tag = tag.ok_or(RdfError::Invalid("an @language is no language tag"))?;
                object.language.replace(tag).map_or(Ok(()), |_| Err(twice))
            }
            Keyword::Direction => match Direction::of(value) {
                Ok(Some(direction)) => object.direction.replace(direction).map_or(Ok(()), |_| Err(twice)),
                Ok(None) | Err(_) => Err(RdfError::Invalid("an @direction is neither \"ltr\" nor \"rtl\"")),
            },
            Keyword::Graph => {
                if !(value.is_object() || value.is_array()) {
                    return Err(RdfError::Invalid("an @graph is neither object nor array"));
                }
                let items = self.expand(scopes.active, Place::Graph, value, false, false)?.into_items();
                object.node.graph.replace(items).map_or(Ok(()), |_| Err(twice))
            }
            Keyword::Included => {
                if value.is_null() {
                    return Err(RdfError::Invalid("an @included is null"));
                }
                let items = self.expand(scopes.active, place, value, false, false)?.into_items();
                object.node.included.get_or_insert_default().extend(nodes(items)?);
                Ok(())
            }
            Keyword::List => {
                if !matches!(place, Place::Property(..)) {
                    return Err(RdfError::Dropped("a list without a property"));
                }
                let items = self.expand(scopes.active, place, value, true, false)?.into_items();
                object.list.replace(items).map_or(Ok(()), |_| Err(twice))
            }
            Keyword::Set => {
                let items = self.expand(scopes.active, place, value, false, false)?.into_items();
                object.set.replace(items).map_or(Ok(()), |_| Err(twice))
            }
            Keyword::Reverse => self.reverse(scopes.active, value, object),
            Keyword::Nest => self.nest(scopes, place, key, value, object),
            Keyword::Context | Keyword::Json | Keyword::None | Keyword::Vocab | Keyword::Elsewhere => {
                Err(RdfError::Dropped("a keyword that an object cannot have"))
            }
        }
    }

    fn types(
        &mut self,
        active: &Arc<Active>,
        value: &Value,
        object: &mut Object<'_>,
    ) -> Result<(), RdfError> {
        let types = object.node.types.get_or_insert_default();
        let names = match value {
            Value::Array(names) => names.as_slice(),
            name => std::slice::from_ref(name),
        };
        for name in names {
            let name = name.as_str().ok_or(RdfError::Invalid("an @type is no text"))?;
            match active.expand(name, &mut self.session.budget)? {
                Name::Iri(iri) => types.push(iri),
                Name::Keyword(Keyword::Json) if object.is_json && names.len() == 1 => {}
                Name::Keyword(_) | Name::Nothing => return Err(RdfError::NotAnIri(RdfError::named(name))),
            }
        }
        Ok(())
    }

    fn reverse(
        &mut self,
        active: &Arc<Active>,
        value: &Value,
        object: &mut Object<'_>,
    ) -> Result<(), RdfError> {
        let Value::Object(members) = value else {
            return Err(RdfError::Invalid("an @reverse is no object"));
        };
        let expanded = self.nested(|expander| expander.object(active, Place::Reverse, members, false))?;
        for node in nodes(expanded.into_items())? {
            for (property, items) in node.properties {
                object.node.reverse.push((property, nodes(items)?));
            }
            // Reversed twice.
            for (property, nodes) in node.reverse {
                object.node.properties.push((property, nodes.into_iter().map(Item::Node).collect()));
            }
        }
        Ok(())
    }

    /// Entries of `value` that count as the object's own.
    fn nest<'v>(
        &mut self,
        scopes: &Scopes<'_>,
        place: Place<'_>,
        key: &str,
        value: &'v Value,
        object: &mut Object<'v>,
    ) -> Result<(), RdfError> {
        if scopes.active.terms.get(key).is_some_and(|d| d.scoped.is_some()) {
            return Err(RdfError::Unsupported("a context of an @nest"));
        }
        let values = match value {
            Value::Array(values) => values.as_slice(),
            value => std::slice::from_ref(value),
        };
        for value in values {
            let Value::Object(members) = value else {
                return Err(RdfError::Invalid("an @nest is no object"));
            };
            for key in members.keys() {
                if scopes.active.expand(key, &mut self.session.budget)? == Name::Keyword(Keyword::Value) {
                    return Err(RdfError::Invalid("an @nest has an @value"));
                }
            }
            self.nested(|expander| expander.entries(scopes, place, members, object))?;
        }
        Ok(())
    }

    /// The value of a property, before its container says what to make of it.
    fn property(
        &mut self,
        active: &Arc<Active>,
        key: &str,
        definition: Option<&Definition>,
        value: &Value,
    ) -> Result<Expanded, RdfError> {
        if let Some(definition) = definition {
            let container = definition.container;
            if let Value::Object(members) = value {
                if container.language {
                    return self.language_map(active, definition, members);
                }
                if container.index || container.id || container.kind {
                    return self.nested(|expander| expander.map(active, key, definition, members));
                }
            }
            if definition.coercion == Coercion::Json {
                return literal::json(value).map(|json| Expanded::One(Item::Literal(json)));
            }
        }
        self.expand(active, Place::Property(key, definition), value, false, false)
    }

    /// The IRI that `text` is.
    pub(super) fn reference(&mut self, active: &Active, text: &str) -> Result<Arc<str>, RdfError> {
        match active.expand_reference(text, &mut self.session.budget)? {
            Name::Iri(iri) => Ok(iri),
            Name::Keyword(_) | Name::Nothing => Err(RdfError::NotAnIri(RdfError::named(text))),
        }
    }
}

/// Whether a reader of plain JSON knows what `key`, which stands for `name`, says.
fn is_plain(key: &str, name: &Name, members: &Map<String, Value>, scopes: &Scopes<'_>) -> bool {
    let is_value = members.contains_key("@value");
    // What is no term and yet stands for something is an IRI, or comes from an @vocab.
    let is_word = |active: &Active, text: &str| active.terms.contains_key(text) || !text.contains(':');
    match name {
        Name::Iri(_) => {
            is_word(scopes.active, key) && scopes.active.terms.get(key).is_none_or(|d| !d.is_reverse)
        }
        Name::Keyword(Keyword::Id) => key == "id",
        Name::Keyword(Keyword::Type) if is_value => key == "@type",
        Name::Keyword(Keyword::Type) => {
            key == "type" && texts(&members[key]).all(|text| is_word(scopes.types, text))
        }
        Name::Keyword(Keyword::Value) => key == "@value",
        Name::Keyword(Keyword::Language) => key == "@language" && is_value,
        Name::Keyword(Keyword::Direction) => key == "@direction" && is_value,
        Name::Keyword(_) | Name::Nothing => false,
    }
}

impl Object<'_> {
    /// What the entries make together: a value, a list, a set or a node.
    fn finish(self, place: Place<'_>) -> Result<Expanded, RdfError> {
        let Object { node, is_json, value, list, set, language, direction } = self;
        let is_bare = node.id.is_none() && node.is_bare();
        match (value, list, set) {
            (Some(_), None, None) if is_bare && place.is_loose() => {
                Err(RdfError::Dropped("a value without a property"))
            }
            (Some(value), None, None) if is_bare => {
                let types = node.types.as_deref();
                value_object(value, is_json, types, language, direction).map(Item::Literal).map(Expanded::One)
            }
            (Some(_), ..) => Err(RdfError::Invalid("a value object has other entries")),
            _ if language.is_some() || direction.is_some() => {
                Err(RdfError::Dropped("an @language or @direction without an @value"))
            }
            (None, Some(items), None) if is_bare && node.types.is_none() => {
                Ok(Expanded::One(Item::List(items)))
            }
            (None, None, Some(items)) if is_bare && node.types.is_none() => Ok(Expanded::Many(items)),
            (None, None, None) if is_json => Err(RdfError::Invalid("a node is of type @json")),
            (None, None, None) if place.is_loose() && node.is_only_named() => {
                Err(RdfError::Dropped("an object without properties"))
            }
            (None, None, None) => Ok(Expanded::One(Item::Node(node))),
            _ => Err(RdfError::Invalid("a list or set has other entries")),
        }
    }
}

fn value_object(
    value: &Value,
    is_json: bool,
    types: Option<&[Arc<str>]>,
    language: Option<Arc<str>>,
    direction: Option<Direction>,
) -> Result<Literal, RdfError> {
    let is_plain = language.is_none() && direction.is_none();
    match (types, value) {
        (Some([]), _) if is_json && is_plain => literal::json(value),
        (_, Value::Null) if !is_json => Err(RdfError::Dropped("an @value of null")),
        (None, Value::String(text)) => Ok(literal::text(text, language.as_ref(), direction)),
        (None, _) if is_plain => literal::plain(value, None),
        (None, _) => Err(RdfError::Invalid("a value with @language or @direction is no text")),
        (Some([datatype]), _) if is_plain && !is_json && !is_blank(datatype) => {
            literal::plain(value, Some(datatype))
        }
        _ => Err(RdfError::Invalid("a value object has no one datatype")),
    }
}

/// What the container of a property makes of its values.
fn contained(expanded: Expanded, place: Place<'_>) -> Result<Vec<Item>, RdfError> {
    let container = place.definition().map(|d| d.container).unwrap_or_default();
    if container.list {
        return Ok(match expanded {
            Expanded::One(Item::List(items)) => vec![Item::List(items)],
            expanded => vec![Item::List(expanded.into_items())],
        });
    }
    let items = expanded.into_items();
    if container.graph && !container.id && !container.index {
        return items.into_iter().map(graph).collect();
    }
    Ok(items)
}

/// A graph without a name that holds `item`.
pub(super) fn graph(item: Item) -> Result<Item, RdfError> {
    match &item {
        Item::Node(node) if node.is_only_named() => Err(RdfError::Dropped("an object without properties")),
        Item::Node(_) => Ok(Item::Node(Node { graph: Some(vec![item]), ..Node::default() })),
        Item::Literal(_) | Item::List(_) => Err(RdfError::Dropped("a value that stands for a graph")),
    }
}

fn nodes(items: Vec<Item>) -> Result<Vec<Node>, RdfError> {
    let node = |item| match item {
        Item::Node(node) => Ok(node),
        Item::Literal(_) | Item::List(_) => Err(RdfError::Invalid("a value stands where a node must")),
    };
    items.into_iter().map(node).collect()
}

/// A node of which only the name is said.
fn reference(name: Arc<str>) -> Item {
    Item::Node(Node { id: Some(name), ..Node::default() })
}

/// The texts of a value that should be one or several.
fn texts(value: &Value) -> impl Iterator<Item = &str> {
    let values = match value {
        Value::Array(values) => values.as_slice(),
        value => std::slice::from_ref(value),
    };
    values.iter().filter_map(Value::as_str)
}
