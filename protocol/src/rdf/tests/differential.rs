//! What another implementation makes of the same documents and datasets.
//!
//! The other reads more documents, since it leaves out what it does not understand, and refuses a few that it need
//! not; where both read one, they must read the same. Where the two are known to differ, a third (jsonld.js) was
//! asked, said what is said here, and the case is not made up: two types or two keys for types with contexts, lists
//! of JSON literals, arrays within arrays where a type has a context, and blank nodes that are tied twice, as by one
//! statement in two graphs.

use std::{cell::Cell, collections::BTreeSet, fs, path::Path};

use oxjsonld::{JsonLdParser, JsonLdRemoteDocument};
use oxrdf::{
    Dataset,
    dataset::{CanonicalizationAlgorithm, CanonicalizationHashAlgorithm},
};
use proptest::{
    prelude::{ProptestConfig, Strategy},
    test_runner::{TestRng, TestRunner},
};
use serde_json::{Map, Value};
use sha2::Sha256;

use super::{
    super::{BUNDLED_CONTEXTS, Form, canonical, canonical_nquads, nquads},
    made_up::{Tape, credential, stranger, tape},
    object,
};

/// The canonical N-Quads of what the other reads.
fn theirs(document: &Map<String, Value>) -> Option<String> {
    let text = serde_json::to_vec(document).unwrap();
    let parser = JsonLdParser::new().for_slice(&text).with_load_document_callback(|url, _| {
        let bundled = BUNDLED_CONTEXTS.iter().find(|bundled| bundled.url == url).ok_or("unknown")?;
        Ok(JsonLdRemoteDocument { document: bundled.text.into(), document_url: url.to_owned() })
    });
    let quads: BTreeSet<String> =
        parser.map(|quad| Some(format!("{} .\n", quad.ok()?))).collect::<Option<_>>()?;
    let quads: String = quads.into_iter().collect();
    Some(canonical::canonicalize::<Sha256>(&nquads::parse(&quads).0).unwrap())
}

/// Whether both read the document, and then alike.
#[track_caller]
fn read_alike(document: &Map<String, Value>) -> bool {
    let (Ok(ours), Some(theirs)) = (canonical_nquads(document, Form::Any), theirs(document)) else {
        return false;
    };
    assert_eq!(ours, theirs, "{document:?}");
    true
}

#[test]
fn published_samples() {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    let mut same = 0;
    for folder in ["credential/ob3", "rdf/vcdm2", "rdf/bitstring-status-list"] {
        for sample in fs::read_dir(vectors.join(folder)).unwrap() {
            let sample = sample.unwrap().path();
            if sample.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let text = fs::read_to_string(&sample).unwrap();
            // The other leaves directions out.
            if text.contains("@direction") {
                continue;
            }
            let mut document = object(&text);
            for _ in 0..2 {
                if let Ok(ours) = canonical_nquads(&document, Form::Any) {
                    assert_eq!(Some(ours), theirs(&document), "{}", sample.display());
                    same += 1;
                }
                document.remove("proof");
            }
        }
    }
    assert!(same >= 60, "{same}");
}

/// The same cases on every run: those in which the other errs are many, and would fail some run or other.
#[track_caller]
fn for_each<T: std::fmt::Debug>(cases: u32, strategy: impl Strategy<Value = T>, test: impl Fn(T)) {
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let rng = TestRng::deterministic_rng(config.rng_algorithm);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let outcome = runner.run(&strategy, |value| {
        test(value);
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn made_up_documents() {
    for (make, read_min) in [(credential as fn(&mut Tape) -> Map<String, Value>, 300), (stranger, 300)] {
        let read = Cell::new(0);
        for_each(1000, tape(), |numbers| {
            read.set(read.get() + u32::from(read_alike(&make(&mut Tape::new(numbers)))));
        });
        assert!(read.get() >= read_min, "{read:?}");
    }
}

#[test]
fn made_up_blank_nodes() {
    for_each(1000, proptest::collection::vec((0..4_u8, 0..2_u8, 0..5_u8), 0..9), |quads| {
        let node = |n: u8| if n == 4 { "\"text\"".to_owned() } else { format!("_:b{n}") };
        let line = |(s, p, o): &(u8, u8, u8)| format!("{} <http://p/{p}> {} .\n", node(*s), node(*o));
        let (quads, _) = nquads::parse(&quads.iter().map(line).collect::<String>());
        let mut dataset = Dataset::new();
        for quad in &quads {
            dataset.insert(&as_oxrdf(quad));
        }
        dataset.canonicalize(CanonicalizationAlgorithm::Rdfc10 {
            hash_algorithm: CanonicalizationHashAlgorithm::Sha256,
        });
        let mut theirs: Vec<String> = dataset.iter().map(|quad| format!("{quad} .\n")).collect();
        theirs.sort();
        assert_eq!(canonical::canonicalize::<Sha256>(&quads).unwrap(), theirs.concat());
    });
}

fn as_oxrdf(quad: &super::super::term::Quad) -> oxrdf::Quad {
    use super::super::term::{Resource, Term};
    let blank = |node: u32| oxrdf::BlankNode::new(format!("b{node}")).unwrap();
    let named = |iri: &str| oxrdf::NamedNode::new(iri).unwrap();
    let subject = |resource: &Resource| match resource {
        Resource::Iri(iri) => oxrdf::NamedOrBlankNode::from(named(iri)),
        Resource::Blank(node) => blank(*node).into(),
    };
    let object = match &quad.object {
        Term::Resource(resource) => subject(resource).into(),
        Term::Literal(literal) => oxrdf::Term::from(oxrdf::Literal::new_simple_literal(&*literal.text)),
    };
    let graph = quad.graph.as_ref().map_or(oxrdf::GraphName::DefaultGraph, |graph| subject(graph).into());
    oxrdf::Quad::new(subject(&quad.subject), named(&quad.predicate), object, graph)
}
