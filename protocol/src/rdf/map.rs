//! Maps: values of a property held together by language, index, name or type.
//!
//! Source: W3C JSON-LD 1.1 Processing Algorithms and API, section 5.1, steps 13.7 and 13.8.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    RdfError,
    active::{Active, Definition, Name, Scope},
    expand::{Expanded, Expander, Place, graph},
    keyword::Keyword,
    literal,
    local::language_tag,
    node::{Item, Node},
};

impl Expander {
    /// Texts by their languages.
    pub(super) fn language_map(
        &mut self,
        active: &Arc<Active>,
        definition: &Definition,
        members: &Map<String, Value>,
    ) -> Result<Expanded, RdfError> {
        let scoped = match &definition.scoped {
            None => active.clone(),
            Some(scoped) => self.session.derive(active, scoped, Scope::Property)?,
        };
        let direction = definition.direction.unwrap_or(scoped.direction);
        let mut items = Vec::new();
        for (key, value) in members {
            let language = if self.is_none(&scoped, key)? {
                None
            } else {
                Some(language_tag(key).ok_or(RdfError::Invalid("a language map has no language as a key"))?)
            };
            for value in elements(value) {
                match value {
                    Value::Null => {}
                    Value::String(text) => {
                        items.push(Item::Literal(literal::text(text, language.as_ref(), direction)));
                    }
                    _ => return Err(RdfError::Invalid("a language map's value is no text")),
                }
            }
        }
        Ok(Expanded::Many(items))
    }

    /// Values by an index, a name or a type.
    pub(super) fn map(
        &mut self,
        active: &Arc<Active>,
        key: &str,
        definition: &Definition,
        members: &Map<String, Value>,
    ) -> Result<Expanded, RdfError> {
        let container = definition.container;
        let outer = active.previous.as_ref().filter(|_| container.id || container.kind).unwrap_or(active);
        let mut all = Vec::new();
        for (index, value) in members {
            let mut scope = outer.clone();
            if container.kind
                && let Some(scoped) = outer.terms.get(index.as_str()).and_then(|d| d.scoped.as_ref())
            {
                scope = self.session.derive(outer, scoped, Scope::Type)?;
            }
            let place = Place::Property(key, scope.terms.get(key).map(|d| &**d));
            let mut items = Vec::new();
            for value in elements(value) {
                items.extend(self.expand(&scope, place, value, false, true)?.into_items());
            }
            if container.graph {
                items = items.into_iter().map(as_graph).collect::<Result<_, _>>()?;
            }
            if !self.is_none(active, index)? {
                for item in &mut items {
                    self.mark(active, definition, index, item)?;
                }
            }
            all.append(&mut items);
        }
        Ok(Expanded::Many(all))
    }

    /// Adds to `item` what its place in the map says of it.
    fn mark(
        &mut self,
        active: &Arc<Active>,
        definition: &Definition,
        index: &str,
        item: &mut Item,
    ) -> Result<(), RdfError> {
        let container = definition.container;
        let node = match (item, &definition.index) {
            (Item::Node(node), _) => node,
            // An index says nothing in RDF.
            (_, None) if container.index => return Ok(()),
            _ => return Err(RdfError::Invalid("a value stands in a map for nodes")),
        };
        if container.id {
            if node.id.is_none() {
                node.id = Some(self.reference(active, index)?);
            }
        } else if container.kind {
            match active.expand(index, &mut self.session.budget)? {
                Name::Iri(name) => node.types.get_or_insert_default().insert(0, name),
                Name::Keyword(_) | Name::Nothing => return Err(RdfError::NotAnIri(RdfError::named(index))),
            }
        } else if let Some(property) = &definition.index {
            let Name::Iri(name) = active.expand(property, &mut self.session.budget)? else {
                return Err(RdfError::InvalidContext("a term's @index is no property"));
            };
            let value = Value::String(index.to_owned());
            let item = self.scalar(active, active.terms.get(property).map(|d| &**d), &value)?;
            node.properties.push((name, vec![item]));
        } else {
            node.has_index = true;
        }
        Ok(())
    }

    fn is_none(&mut self, active: &Active, key: &str) -> Result<bool, RdfError> {
        Ok(active.expand(key, &mut self.session.budget)? == Name::Keyword(Keyword::None))
    }
}

/// A graph that holds `item`, unless it is one already.
fn as_graph(item: Item) -> Result<Item, RdfError> {
    match item {
        Item::Node(Node {
            graph: Some(_), types: None, included: None, ref properties, ref reverse, ..
        }) if properties.is_empty() && reverse.is_empty() => Ok(item),
        _ => graph(item),
    }
}

fn elements(value: &Value) -> &[Value] {
    match value {
        Value::Array(values) => values,
        value => std::slice::from_ref(value),
    }
}
