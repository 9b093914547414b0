//! Properties of whatever a stranger may send.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{
    super::{Form, RdfError, canonical_nquads},
    made_up::{Tape, credential, stranger, tape},
};

/// Any JSON, with keys and texts that mean something to JSON-LD.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        proptest::sample::select(
            &[
                "@context",
                "@id",
                "@type",
                "@value",
                "@list",
                "@set",
                "@graph",
                "@language",
                "@direction",
                "@index",
                "@reverse",
                "@included",
                "@nest",
                "@none",
                "@json",
                "@vocab",
                "@base",
                "@version",
                "@container",
                "@protected",
                "@propagate",
                "@prefix",
                "@import",
                "id",
                "type",
                "a",
                "b:c",
                "_:d",
                "http://e/",
                "https://www.w3.org/ns/credentials/v2",
                "en",
                "",
            ][..]
        )
        .prop_map(str::to_owned),
        ".{0,6}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((word.clone(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// The same document with its members in the opposite order.
fn reversed(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            Value::Object(members.iter().rev().map(|(key, value)| (key.clone(), reversed(value))).collect())
        }
        Value::Array(values) => values.iter().map(reversed).collect(),
        other => other.clone(),
    }
}

proptest! {
    #[test]
    fn anything_has_an_outcome(members in proptest::collection::vec((".{0,8}|@context|@graph|@id", any_json()), 0..5)) {
        let document: Map<String, Value> = members.into_iter().collect();
        let outcome = canonical_nquads(&document, Form::Any);
        prop_assert_eq!(&outcome, &canonical_nquads(&document, Form::Any));
        if let Ok(text) = outcome {
            prop_assert!(text.is_empty() || text.ends_with(" .\n"));
            prop_assert!(text.lines().is_sorted_by(|a, b| a < b));
        }
    }

    #[test]
    fn the_order_of_members_means_nothing(numbers in tape(), is_credential in any::<bool>()) {
        let tape = &mut Tape::new(numbers);
        let document = if is_credential { credential(tape) } else { stranger(tape) };
        let reversed = reversed(&Value::Object(document.clone()));
        let [one, other] = [&document, reversed.as_object().unwrap()].map(|document| canonical_nquads(document, Form::Any));
        prop_assert_eq!(one.is_ok(), other.is_ok());
        if one.is_ok() {
            prop_assert_eq!(one, other);
        }
    }

    #[test]
    fn a_name_that_no_context_defines_is_never_left_out(numbers in tape()) {
        let mut document = credential(&mut Tape::new(numbers));
        let was_read = canonical_nquads(&document, Form::Any).is_ok();
        let defines_everything = document["@context"].to_string().contains("examples");
        document.insert("notDefined".into(), json!({"at": "all"}));
        match canonical_nquads(&document, Form::Any) {
            Ok(_) => prop_assert!(defines_everything),
            Err(e) => prop_assert!(!was_read || e == RdfError::UndefinedTerm("notDefined".into())),
        }
    }
}

#[test]
fn poison_ends_quickly() {
    let node = |n: usize| json!({"@id": format!("_:{n}")});
    let graph = |nodes: usize, links: &dyn Fn(usize) -> Vec<usize>| {
        let statements = |n| json!({"@id": format!("_:{n}"), "http://p/": links(n).into_iter().map(node).collect::<Vec<_>>()});
        json!({"@graph": (0..nodes).map(statements).collect::<Vec<_>>()})
    };
    for (name, document, is_poison) in [
        ("clique", graph(60, &|n| (0..60).filter(|m| *m != n).collect()), true),
        ("circle", graph(4000, &|n| vec![(n + 1) % 4000]), true),
        ("torus", graph(900, &|n| vec![(n + 1) % 900, (n + 30) % 900]), true),
        ("star of circles", graph(3000, &|n| vec![n / 3 * 3 + (n + 1) % 3]), false),
        ("many empty nodes", json!({"http://p/": vec![json!({}); 5000]}), false),
        ("two hubs", graph(4002, &|n| if n < 2 { (2..4002).collect() } else { vec![] }), true),
    ] {
        let started = Instant::now();
        let outcome = canonical_nquads(document.as_object().unwrap(), Form::Any);
        assert_eq!(outcome.is_err(), is_poison, "{name}: {outcome:?}");
        // A debug build takes a tenth of this, a release build a hundredth.
        assert!(started.elapsed() < Duration::from_secs(20), "{name}: {:?}", started.elapsed());
    }
}
