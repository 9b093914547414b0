//! RDF Dataset Canonicalization (RDFC-1.0): names for blank nodes that depend on nothing but the dataset,
//! so that two ways to write it have one text.
//!
//! A blank node is named by a hash of the quads around it. Nodes that have one hash are told apart by the
//! nodes around them, which can take time exponential in their number ("poison" datasets): that part has a
//! budget, [`RDF_WORK_MAX`], of which the largest sample credential takes 1 in 250.
//!
//! Source: W3C RDF Dataset Canonicalization 1.0, section 4; names of functions and variables are its own.

use std::collections::BTreeMap;

use sha2::Digest;

use super::{
    RdfError,
    term::{Quad, Resource, Term},
};
use crate::limits::{RDF_NAMING_DEPTH_MAX, RDF_WORK_MAX};

/// A place of a quad where a blank node can stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Position {
    Subject,
    Object,
    Graph,
}

impl Position {
    const fn letter(self) -> &'static str {
        match self {
            Position::Subject => "s",
            Position::Object => "o",
            Position::Graph => "g",
        }
    }
}

/// A blank node in a line of N-Quads, to be written at a byte of the line's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Blank {
    at: usize,
    node: u32,
    position: Position,
}

/// A quad as canonical N-Quads, but for the labels of its blank nodes.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Line<'q> {
    text: String,
    blanks: Vec<Blank>,
    predicate: &'q str,
}

/// Blank nodes with the names they were given, in order.
#[derive(Clone, Default)]
struct Issuer {
    issued: Vec<u32>,
    names: BTreeMap<u32, usize>,
}

/// The canonical N-Quads of `quads`, with names from hashes by `D`; RDFC-1.0 fixes SHA-256 unless another is
/// agreed on. A quad that occurs twice counts once.
///
/// # Errors
/// [`RdfError::TooComplex`] when telling its blank nodes apart exceeds [`RDF_WORK_MAX`].
pub(super) fn canonicalize<D: Digest>(quads: &[Quad]) -> Result<String, RdfError> {
    let mut lines: Vec<Line<'_>> = quads.iter().map(Line::new).collect();
    lines.sort_unstable();
    lines.dedup();
    let canonical = issue::<D>(&lines)?;
    Ok(sorted_text(lines.iter(), |line, text| {
        line.write(text, |node, text| canonical.write("_:c14n", node, text))
    }))
}

/// The canonical names of the blank nodes in `lines`, of which no two are the same.
fn issue<D: Digest>(lines: &[Line<'_>]) -> Result<Issuer, RdfError> {
    let mentions = mentions(lines);
    let mut naming = Naming {
        lines,
        mentions: &mentions,
        first_degree: BTreeMap::new(),
        canonical: Issuer::default(),
        work: 0,
    };
    naming.name_all::<D>()?;
    Ok(naming.canonical)
}

/// The state of one canonicalisation.
struct Naming<'l, 'q> {
    lines: &'l [Line<'q>],
    mentions: &'l BTreeMap<u32, Vec<usize>>,
    /// The hash of each node's own lines, in hexadecimal.
    first_degree: BTreeMap<u32, String>,
    canonical: Issuer,
    work: usize,
}

/// For each blank node the lines in which it stands.
fn mentions(lines: &[Line<'_>]) -> BTreeMap<u32, Vec<usize>> {
    let mut mentions: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (n, line) in lines.iter().enumerate() {
        for blank in &line.blanks {
            let mentioned = mentions.entry(blank.node).or_default();
            if mentioned.last() != Some(&n) {
                mentioned.push(n);
            }
        }
    }
    mentions
}

impl Naming<'_, '_> {
    /// Section 4.4.3.
    fn name_all<D: Digest>(&mut self) -> Result<(), RdfError> {
        let mut by_hash: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        for (&node, mentioned) in self.mentions {
            let hash = self.hash_first_degree::<D>(node, mentioned);
            self.first_degree.insert(node, hash.clone());
            by_hash.entry(hash).or_default().push(node);
        }
        for nodes in by_hash.values() {
            if let [node] = nodes[..] {
                self.canonical.issue(node);
            }
        }
        for nodes in by_hash.values().filter(|nodes| nodes.len() > 1) {
            let mut paths = Vec::new();
            for &node in nodes {
                if !self.canonical.has(node) {
                    let mut issuer = Issuer::default();
                    issuer.issue(node);
                    paths.push(self.hash_n_degree::<D>(node, issuer, 0)?);
                }
            }
            paths.sort_by(|(a, _), (b, _)| a.cmp(b));
            for (_, issuer) in paths {
                for node in issuer.issued {
                    self.canonical.issue(node);
                }
            }
        }
        Ok(())
    }

    /// Section 4.6.3.
    fn hash_first_degree<D: Digest>(&self, node: u32, mentioned: &[usize]) -> String {
        let label = |other: u32, text: &mut String| text.push_str(if other == node { "_:a" } else { "_:z" });
        let lines = mentioned.iter().map(|&n| &self.lines[n]);
        hexadecimal::<D>(&sorted_text(lines, |line, text| line.write(text, label)))
    }

    /// Section 4.7.3.
    fn hash_related<D: Digest>(&self, blank: Blank, line: &Line<'_>, issuer: &Issuer) -> String {
        let mut input = String::from(blank.position.letter());
        if blank.position != Position::Graph {
            input.extend(["<", line.predicate, ">"]);
        }
        if self.canonical.has(blank.node) {
            self.canonical.write("_:c14n", blank.node, &mut input);
        } else if issuer.has(blank.node) {
            issuer.write("_:b", blank.node, &mut input);
        } else {
            input.push_str(&self.first_degree[&blank.node]);
        }
        hexadecimal::<D>(&input)
    }

    /// Section 4.8.3.
    fn hash_n_degree<D: Digest>(
        &mut self,
        node: u32,
        mut issuer: Issuer,
        depth: usize,
    ) -> Result<(String, Issuer), RdfError> {
        if depth > RDF_NAMING_DEPTH_MAX {
            return Err(RdfError::TooComplex);
        }
        let mut related: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        let (lines, mentions) = (self.lines, self.mentions);
        for line in mentions[&node].iter().map(|&n| &lines[n]) {
            for blank in line.blanks.iter().filter(|blank| blank.node != node) {
                // A hash takes longer the longer the property's name is.
                self.spend(1 + line.predicate.len() / 64)?;
                let hash = self.hash_related::<D>(*blank, line, &issuer);
                related.entry(hash).or_default().push(blank.node);
            }
        }
        let mut data = String::new();
        for (hash, mut nodes) in related {
            nodes.sort_unstable();
            let mut chosen: Option<(String, Issuer)> = None;
            loop {
                self.spend(nodes.len() + issuer.issued.len() / 8)?;
                let best = chosen.as_ref().map(|(path, _)| path.as_str());
                if let Some(path) = self.path::<D>(&nodes, issuer.clone(), best, depth)? {
                    chosen = Some(path);
                }
                if !next_permutation(&mut nodes) {
                    break;
                }
            }
            if let Some((path, next)) = chosen {
                data.extend([hash, path]);
                issuer = next;
            }
        }
        Ok((hexadecimal::<D>(&data), issuer))
    }

    /// Steps 5.4.1 to 5.4.6 of section 4.8.3: the path of one permutation, unless `best` is before it.
    fn path<D: Digest>(
        &mut self,
        nodes: &[u32],
        mut issuer: Issuer,
        best: Option<&str>,
        depth: usize,
    ) -> Result<Option<(String, Issuer)>, RdfError> {
        let is_worse = |path: &str| best.is_some_and(|best| path.len() >= best.len() && path > best);
        let mut path = String::new();
        let mut unnamed = Vec::new();
        for &node in nodes {
            if self.canonical.has(node) {
                self.canonical.write("_:c14n", node, &mut path);
            } else {
                if !issuer.has(node) {
                    unnamed.push(node);
                    issuer.issue(node);
                }
                issuer.write("_:b", node, &mut path);
            }
            if is_worse(&path) {
                return Ok(None);
            }
        }
        for node in unnamed {
            let (hash, next) = self.hash_n_degree::<D>(node, issuer.clone(), depth + 1)?;
            issuer.write("_:b", node, &mut path);
            path.extend(["<", &hash, ">"]);
            issuer = next;
            if is_worse(&path) {
                return Ok(None);
            }
        }
        Ok(best.is_none_or(|best| path.as_str() < best).then_some((path, issuer)))
    }

    fn spend(&mut self, work: usize) -> Result<(), RdfError> {
        self.work += work;
        if self.work > RDF_WORK_MAX { Err(RdfError::TooComplex) } else { Ok(()) }
    }
}

impl Issuer {
    fn has(&self, node: u32) -> bool {
        self.names.contains_key(&node)
    }

    /// Names `node` with the next number, unless it has one.
    fn issue(&mut self, node: u32) {
        let next = self.issued.len();
        if *self.names.entry(node).or_insert(next) == next {
            self.issued.push(node);
        }
    }

    /// Appends the name of `node`, which was issued.
    fn write(&self, prefix: &str, node: u32, out: &mut String) {
        let mut buffer = [0; 20];
        let mut at = buffer.len();
        let mut number = self.names[&node];
        loop {
            at -= 1;
            buffer[at] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        out.push_str(prefix);
        out.extend(buffer[at..].iter().map(|digit| char::from(*digit)));
    }
}

impl<'q> Line<'q> {
    fn new(quad: &'q Quad) -> Self {
        let mut line = Line {
            text: String::with_capacity(quad.len() + 32),
            blanks: Vec::new(),
            predicate: &quad.predicate,
        };
        line.resource(&quad.subject, Position::Subject);
        line.text.extend([" <", &quad.predicate, "> "]);
        match &quad.object {
            Term::Resource(resource) => line.resource(resource, Position::Object),
            Term::Literal(literal) => literal.write(&mut line.text),
        }
        if let Some(graph) = &quad.graph {
            line.text.push(' ');
            line.resource(graph, Position::Graph);
        }
        line.text.push_str(" .\n");
        line
    }

    fn resource(&mut self, resource: &Resource, position: Position) {
        match resource {
            Resource::Iri(iri) => self.text.extend(["<", iri, ">"]),
            Resource::Blank(node) => {
                self.blanks.push(Blank { at: self.text.len(), node: *node, position });
            }
        }
    }

    /// Appends the line with the blank nodes as `label` writes them.
    fn write(&self, out: &mut String, label: impl Fn(u32, &mut String)) {
        let mut written = 0;
        for blank in &self.blanks {
            out.push_str(&self.text[written..blank.at]);
            label(blank.node, out);
            written = blank.at;
        }
        out.push_str(&self.text[written..]);
    }
}

/// The lines that `write` appends, in code point order.
fn sorted_text<'a, 'q: 'a>(
    lines: impl Iterator<Item = &'a Line<'q>>,
    write: impl Fn(&Line<'q>, &mut String),
) -> String {
    let mut text = String::new();
    let mut ends = Vec::new();
    for line in lines {
        let start = text.len();
        write(line, &mut text);
        ends.push(start..text.len());
    }
    ends.sort_unstable_by(|a, b| text[a.clone()].cmp(&text[b.clone()]));
    let mut sorted = String::with_capacity(text.len());
    sorted.extend(ends.into_iter().map(|line| &text[line]));
    sorted
}

fn hexadecimal<D: Digest>(text: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digest = D::digest(text);
    let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// The next order in lexicographic sequence, if there is one. Of nodes that are the same, no order counts twice.
fn next_permutation(nodes: &mut [u32]) -> bool {
    let Some(last_rise) = nodes.windows(2).rposition(|pair| pair[0] < pair[1]) else { return false };
    let greater = nodes.iter().rposition(|node| *node > nodes[last_rise]);
    nodes.swap(last_rise, greater.unwrap_or(last_rise));
    nodes[last_rise + 1..].reverse();
    true
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{fs, path::Path};

    use serde_json::Value;
    use sha2::{Sha256, Sha384};

    use super::{super::nquads, *};

    #[test]
    fn the_published_tests() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/rdf/rdf-canon");
        let read = |name: &Value| fs::read_to_string(root.join(name.as_str().unwrap())).unwrap();
        let manifest: Value = serde_json::from_str(&read(&"manifest.jsonld".into())).unwrap();
        let mut seen = [0; 3];
        for test in manifest["entries"].as_array().unwrap() {
            let (quads, labels) = nquads::parse(&read(&test["action"]));
            let [text, names] = match test["hashAlgorithm"].as_str() {
                Some("SHA384") => [canonicalize::<Sha384>(&quads), names::<Sha384>(&quads, &labels)],
                other => {
                    assert_eq!(other, None);
                    [canonicalize::<Sha256>(&quads), names::<Sha256>(&quads, &labels)]
                }
            };
            let id = &test["id"];
            match test["type"].as_str().unwrap() {
                "rdfc:RDFC10EvalTest" => {
                    assert_eq!(text.unwrap(), read(&test["result"]), "{id}");
                    seen[0] += 1;
                }
                "rdfc:RDFC10MapTest" => {
                    let expected: Value = serde_json::from_str(&read(&test["result"])).unwrap();
                    let names: Value = serde_json::from_str(&names.unwrap()).unwrap();
                    assert_eq!(names, expected, "{id}");
                    seen[1] += 1;
                }
                "rdfc:RDFC10NegativeEvalTest" => {
                    assert_eq!(text, Err(RdfError::TooComplex), "{id}");
                    seen[2] += 1;
                }
                other => panic!("{id}: {other}"),
            }
        }
        assert_eq!(seen, [64, 21, 1]);
    }

    /// The canonical names by the labels of the input, as JSON.
    fn names<D: Digest>(quads: &[Quad], labels: &[String]) -> Result<String, RdfError> {
        let mut lines: Vec<Line<'_>> = quads.iter().map(Line::new).collect();
        lines.sort_unstable();
        lines.dedup();
        let issuer = issue::<D>(&lines)?;
        let names = issuer.names.iter().map(|(node, n)| format!("{:?}:\"c14n{n}\"", labels[*node as usize]));
        Ok(format!("{{{}}}", names.collect::<Vec<_>>().join(",")))
    }
}
