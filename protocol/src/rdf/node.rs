//! Expanded documents: every name is an absolute IRI, every value a literal, a node or a list. And their quads.
//!
//! Source: W3C JSON-LD 1.1 Processing Algorithms and API, sections 7.2 (node map generation) and 8.1 (object
//! to RDF). Since quads are a set, nodes need not be merged first.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    RdfError,
    active::is_blank,
    term::{Literal, Quad, Resource, Term},
};
use crate::limits::{RDF_BYTES_MAX, RDF_QUADS_MAX};

const RDF_FIRST: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#first";
const RDF_NIL: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#nil";
const RDF_REST: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#rest";
const RDF_TYPE: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type";

/// A value of a property.
#[derive(Debug)]
pub(super) enum Item {
    Literal(Literal),
    Node(Node),
    List(Vec<Item>),
}

impl Item {
    /// The nodes that it is or lists.
    fn nodes(&self) -> Box<dyn Iterator<Item = &Node> + '_> {
        match self {
            Item::Literal(_) => Box::new(std::iter::empty()),
            Item::Node(node) => Box::new(std::iter::once(node)),
            Item::List(items) => Box::new(items.iter().flat_map(Item::nodes)),
        }
    }
}

/// A thing with properties. Names are absolute IRIs or labels of blank nodes.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) id: Option<Arc<str>>,
    /// `None` without an `@type`, which may be empty.
    pub(super) types: Option<Vec<Arc<str>>>,
    pub(super) properties: Vec<(Arc<str>, Vec<Item>)>,
    /// Properties of which this node is the value.
    pub(super) reverse: Vec<(Arc<str>, Vec<Node>)>,
    /// What stands in the graph of this node's name.
    pub(super) graph: Option<Vec<Item>>,
    /// Nodes that stand here for no other reason than that they must stand somewhere.
    pub(super) included: Option<Vec<Node>>,
    pub(super) has_index: bool,
}

impl Node {
    /// Whether it says nothing, but perhaps a name, types and an index.
    pub(super) fn is_bare(&self) -> bool {
        self.properties.is_empty()
            && self.reverse.is_empty()
            && self.graph.is_none()
            && self.included.is_none()
    }

    /// Whether it says nothing but perhaps a name. Where it is no property's value, it would be lost.
    pub(super) fn is_only_named(&self) -> bool {
        self.is_bare() && self.types.is_none() && !self.has_index
    }

    /// Whether anything within it says something of `name`.
    pub(super) fn describes(&self, name: &str) -> bool {
        let items = self.properties.iter().flat_map(|(_, items)| items).chain(self.graph.iter().flatten());
        let nodes = self.reverse.iter().flat_map(|(_, nodes)| nodes).chain(self.included.iter().flatten());
        let is_about =
            |node: &Node| (node.id.as_deref() == Some(name) && !node.is_only_named()) || node.describes(name);
        items.flat_map(Item::nodes).chain(nodes).any(is_about)
    }

    /// The items of a document that is this node: a graph without a name and nothing else is the default graph.
    pub(super) fn into_document(mut self) -> Vec<Item> {
        match self.graph.take() {
            Some(graph) if self.id.is_none() && self.is_only_named() => graph,
            graph => vec![Item::Node(Node { graph, ..self })],
        }
    }
}

/// The quads of a document.
///
/// # Errors
/// [`RdfError::TooManyQuads`] and [`RdfError::TooLong`].
pub(super) fn quads(items: Vec<Item>) -> Result<Vec<Quad>, RdfError> {
    let mut dataset = Dataset::default();
    for item in items {
        dataset.item(item, None)?;
    }
    Ok(dataset.quads)
}

/// The quads so far, and the numbers of the blank nodes.
#[derive(Default)]
struct Dataset {
    quads: Vec<Quad>,
    bytes: usize,
    labels: BTreeMap<Arc<str>, u32>,
    blanks: u32,
}

impl Dataset {
    fn item(&mut self, item: Item, graph: Option<&Resource>) -> Result<Term, RdfError> {
        match item {
            Item::Literal(literal) => Ok(Term::Literal(literal)),
            Item::Node(node) => self.node(node, graph).map(Term::Resource),
            Item::List(items) => self.list(items, graph).map(Term::Resource),
        }
    }

    fn node(&mut self, node: Node, graph: Option<&Resource>) -> Result<Resource, RdfError> {
        let subject = match node.id {
            Some(name) => self.resource(name),
            None => self.blank(),
        };
        for name in node.types.into_iter().flatten() {
            let object = Term::Resource(self.resource(name));
            self.push(&subject, RDF_TYPE.into(), object, graph)?;
        }
        for (predicate, items) in node.properties {
            for item in items {
                let object = self.item(item, graph)?;
                self.push(&subject, predicate.clone(), object, graph)?;
            }
        }
        for (predicate, nodes) in node.reverse {
            for other in nodes {
                let other = self.node(other, graph)?;
                self.push(&other, predicate.clone(), Term::Resource(subject.clone()), graph)?;
            }
        }
        for item in node.graph.into_iter().flatten() {
            self.item(item, Some(&subject))?;
        }
        for included in node.included.into_iter().flatten() {
            self.node(included, graph)?;
        }
        Ok(subject)
    }

    fn list(&mut self, items: Vec<Item>, graph: Option<&Resource>) -> Result<Resource, RdfError> {
        let mut rest = Resource::Iri(RDF_NIL.into());
        for item in items.into_iter().rev() {
            let cell = self.blank();
            let first = self.item(item, graph)?;
            self.push(&cell, RDF_FIRST.into(), first, graph)?;
            self.push(&cell, RDF_REST.into(), Term::Resource(rest), graph)?;
            rest = cell;
        }
        Ok(rest)
    }

    fn resource(&mut self, name: Arc<str>) -> Resource {
        if !is_blank(&name) {
            return Resource::Iri(name);
        }
        match self.labels.get(&name) {
            Some(number) => Resource::Blank(*number),
            None => {
                let blank = self.blank();
                self.labels.insert(name, self.blanks);
                blank
            }
        }
    }

    fn blank(&mut self) -> Resource {
        self.blanks += 1;
        Resource::Blank(self.blanks)
    }

    fn push(
        &mut self,
        subject: &Resource,
        predicate: Arc<str>,
        object: Term,
        graph: Option<&Resource>,
    ) -> Result<(), RdfError> {
        let quad = Quad { subject: subject.clone(), predicate, object, graph: graph.cloned() };
        self.bytes += quad.len();
        self.quads.push(quad);
        if self.quads.len() > RDF_QUADS_MAX {
            return Err(RdfError::TooManyQuads);
        }
        if self.bytes > RDF_BYTES_MAX { Err(RdfError::TooLong) } else { Ok(()) }
    }
}
