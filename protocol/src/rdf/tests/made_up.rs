//! Documents made up from a tape of random numbers: of the bundled contexts' words, and in contexts of their own.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::super::BUNDLED_CONTEXTS;

const V1: &str = "https://www.w3.org/2018/credentials/v1";
const V2: &str = "https://www.w3.org/ns/credentials/v2";
const EXAMPLES: &str = "https://www.w3.org/ns/credentials/examples/v2";
const BADGES: &str = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json";
const BADGES_1: &str = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json";
const RECORDS: &str = "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json";
const ED25519: &str = "https://w3id.org/security/suites/ed25519-2020/v1";

const CONTEXTS: [&[&str]; 6] = [
    &[V2, BADGES],
    &[V2, EXAMPLES],
    &[V2, BADGES, RECORDS],
    &[V1, BADGES_1, ED25519],
    &["https://w3id.org/openbadges/v2"],
    &["https://w3id.org/security/v2"],
];
const IRIS: [&str; 6] = ["http://a.example/x", "urn:uuid:1", "did:key:z6", "_:b", "ex:compact", "mailto:x@y"];

/// The numbers that choices are made by; when they end, the first choice is always taken.
pub(super) struct Tape(std::vec::IntoIter<u16>);

/// A strategy for tapes.
pub(super) fn tape() -> impl Strategy<Value = Vec<u16>> {
    proptest::collection::vec(any::<u16>(), 0..160)
}

impl Tape {
    pub(super) fn new(numbers: Vec<u16>) -> Self {
        Tape(numbers.into_iter())
    }

    fn below(&mut self, end: usize) -> usize {
        usize::from(self.0.next().unwrap_or(0)) % end
    }

    fn pick<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == n - 1
    }

    fn scalar(&mut self) -> Value {
        match self.below(9) {
            0 => json!("text"),
            1 => json!(self.pick(&IRIS)),
            2 => json!(self.below(50)),
            3 => json!(self.below(99) as f64 / 8.0),
            4 => json!(true),
            5 => json!("line\n\"quoted\" \\ \u{1} é"),
            6 => json!("2026-01-01T00:00:00Z"),
            7 => json!(1e21),
            _ => Value::Null,
        }
    }
}

/// The terms of a bundled context: its own, and those of each of its types.
struct Words {
    own: Vec<String>,
    types: BTreeMap<String, Vec<String>>,
}

impl Words {
    fn of(urls: &[&str]) -> Self {
        let mut own = BTreeSet::new();
        let mut types = BTreeMap::new();
        for bundled in BUNDLED_CONTEXTS.iter().filter(|bundled| urls.contains(&bundled.url)) {
            let document: Value = serde_json::from_str(bundled.text).unwrap();
            let parts = match &document["@context"] {
                Value::Array(parts) => parts.clone(),
                part => vec![part.clone()],
            };
            for (term, definition) in parts.iter().filter_map(Value::as_object).flatten() {
                let scoped = definition.get("@context").and_then(Value::as_object);
                if term.starts_with(char::is_uppercase) {
                    let terms = scoped.into_iter().flat_map(Map::keys).cloned();
                    let terms = terms.filter(|term| term.starts_with(char::is_lowercase)).collect();
                    types.insert(term.clone(), terms);
                } else if !term.starts_with('@') {
                    own.insert(term.clone());
                }
            }
        }
        Words { own: own.into_iter().collect(), types }
    }

    fn node(&self, tape: &mut Tape, depth: usize) -> Map<String, Value> {
        let names: Vec<&String> = self.types.keys().collect();
        let kind = tape.pick(&names);
        let mut terms: Vec<&String> = self.types[kind].iter().collect();
        if terms.is_empty() || tape.one_in(5) {
            terms = self.own.iter().collect();
        }
        let mut node = Map::new();
        // Of two types that have contexts, the implementation that this is compared with applies one.
        let plain: Vec<&String> =
            names.iter().filter(|name| self.types[**name].is_empty()).copied().collect();
        let both = !plain.is_empty() && tape.one_in(4);
        node.insert("type".into(), if both { json!([kind, tape.pick(&plain)]) } else { json!(kind) });
        if tape.one_in(2) {
            node.insert("id".into(), json!(tape.pick(&IRIS)));
        }
        for _ in 0..=tape.below(4) {
            let term = tape.pick(&terms);
            if term != "id" && term != "type" {
                node.insert(term.clone(), self.value(tape, depth));
            }
        }
        node
    }

    fn value(&self, tape: &mut Tape, depth: usize) -> Value {
        match tape.below(6) {
            4 if depth < 4 => Value::Object(self.node(tape, depth + 1)),
            5 if depth < 4 => (0..=tape.below(3)).map(|_| self.element(tape, depth + 1)).collect(),
            _ => tape.scalar(),
        }
    }

    fn element(&self, tape: &mut Tape, depth: usize) -> Value {
        if tape.one_in(3) { Value::Object(self.node(tape, depth)) } else { tape.scalar() }
    }
}

/// A document in bundled contexts.
pub(super) fn credential(tape: &mut Tape) -> Map<String, Value> {
    let urls = tape.pick(&CONTEXTS);
    let mut document = Words::of(urls).node(tape, 0);
    document.insert("@context".into(), json!(urls));
    document
}

const TERMS: [&str; 10] = ["a", "b", "c", "d", "e", "Ta", "Tb", "id", "type", "none"];

/// A document in a context of its own, with keywords in likely and unlikely places.
pub(super) fn stranger(tape: &mut Tape) -> Map<String, Value> {
    let mut document = object(tape, 0);
    document.insert("@context".into(), context(tape, 0));
    document
}

fn object(tape: &mut Tape, depth: usize) -> Map<String, Value> {
    let mut object = Map::new();
    for _ in 0..=tape.below(4) {
        let key = match tape.below(8) {
            0..=3 => tape.pick(&TERMS),
            4 => tape.pick(&["ex:k", "http://k.example/", "unknown:k"]),
            5 => tape.pick(&["@id", "type"]),
            _ => {
                tape.pick(&["@graph", "@list", "@set", "@reverse", "@included", "@nest", "@value", "@index"])
            }
        };
        let value = match key {
            "@id" | "id" => json!(tape.pick(&IRIS)),
            "type" => json!(tape.pick(&["Ta", "Tb", "ex:T"])),
            _ => value(tape, depth),
        };
        object.insert(key.into(), value);
    }
    if depth > 0 && tape.one_in(12) {
        object.insert("@context".into(), context(tape, 1));
    }
    object
}

fn value(tape: &mut Tape, depth: usize) -> Value {
    match tape.below(9) {
        5 if depth < 4 => Value::Object(object(tape, depth + 1)),
        6 if depth < 4 => (0..tape.below(4)).map(|_| value(tape, depth + 1)).collect(),
        7 if depth < 4 => {
            let keys = ["en", "@none", "Ta", "http://i.example/", "_:i"];
            let mut entry = |_| (tape.pick(&keys).to_owned(), value(tape, depth + 1));
            Value::Object((0..2).map(&mut entry).collect())
        }
        8 => match tape.below(3) {
            0 => json!({"@value": "x", "@language": "en"}),
            1 => json!({"@value": tape.scalar(), "@type": tape.pick(&["ex:D", "@json"])}),
            _ => json!({"@value": tape.scalar()}),
        },
        _ => tape.scalar(),
    }
}

fn context(tape: &mut Tape, depth: usize) -> Value {
    let mut context = Map::new();
    if depth == 0 {
        for (term, meaning) in
            [("ex", "http://ex.example/"), ("id", "@id"), ("type", "@type"), ("none", "@none")]
        {
            context.insert(term.into(), json!(meaning));
        }
        context.insert("@vocab".into(), json!("http://v.example/"));
    }
    if tape.one_in(8) {
        context.insert("@language".into(), json!("fr-CA"));
    }
    if tape.one_in(12) {
        context.insert("@protected".into(), json!(true));
    }
    if depth > 0 && tape.one_in(8) {
        context.insert("@propagate".into(), json!(tape.one_in(2)));
    }
    for _ in 0..=tape.below(5) {
        let term = tape.pick(&TERMS[..7]);
        let mut definition = Map::new();
        definition.insert("@id".into(), json!(format!("http://t.example/{}", tape.pick(&["p", "q", "r"]))));
        if term.starts_with(char::is_lowercase) {
            // No list of JSON literals: the implementation that this is compared with makes none.
            match tape.below(6) {
                0 | 1 => {}
                2 => drop(definition.insert("@type".into(), json!("@json"))),
                3 => drop(definition.insert("@type".into(), json!(tape.pick(&["@id", "@vocab", "ex:D"])))),
                _ => {
                    let containers = ["@list", "@set", "@graph", "@language", "@index", "@id", "@type"];
                    if tape.one_in(2) {
                        definition.insert("@type".into(), json!(tape.pick(&["@id", "@vocab"])));
                    }
                    definition.insert("@container".into(), json!(tape.pick(&containers)));
                }
            }
        }
        if depth < 2 && tape.one_in(3) {
            definition.insert("@context".into(), context_or_null(tape, depth + 1));
        }
        context.insert(term.into(), Value::Object(definition));
    }
    Value::Object(context)
}

fn context_or_null(tape: &mut Tape, depth: usize) -> Value {
    if tape.one_in(12) { Value::Null } else { context(tape, depth) }
}
