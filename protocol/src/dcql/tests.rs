//! Walks the vectors of `vectors/dcql`, and tries whatever a stranger may send.

#![allow(clippy::unwrap_used)]

use std::{fs, path::Path};

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::limits::DCQL_SELECTED_MAX;

/// A candidate as a vector states it.
struct Held {
    format: Format,
    types: Vec<String>,
    bound: bool,
    claims: Map<String, Value>,
}

impl Held {
    fn read(value: &Value) -> Self {
        let types = value["types"].as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned());
        Held {
            format: Format::from_name(value["format"].as_str().unwrap()),
            types: types.collect(),
            bound: value["bound"].as_bool().unwrap(),
            claims: value["claims"].as_object().unwrap().clone(),
        }
    }

    fn candidate(&self) -> Candidate<'_> {
        Candidate { format: self.format.clone(), claims: &self.claims, types: &self.types, bound: self.bound }
    }
}

/// The selection in the form in which vectors state it.
fn outcome(query: &Query, held: &[Held]) -> Value {
    let candidates: Vec<Candidate<'_>> = held.iter().map(Held::candidate).collect();
    let selection = query.evaluate(&candidates);
    let answer = |answer: &Answer<'_>| {
        let one = |found: &Match| {
            let disclose: Vec<String> = found.disclose.iter().map(ToString::to_string).collect();
            json!({"candidate": found.candidate, "disclose": disclose})
        };
        let matches: Vec<Value> = answer.matches.iter().map(one).collect();
        json!({"query": answer.query.id(), "required": answer.required, "matches": matches})
    };
    let miss = |miss: &Miss<'_>| {
        let why = match &miss.why {
            Missing::Claims(lacking) => format!("no-claims: {}", lacking.join(", ")),
            other => other.code().to_owned(),
        };
        (miss.id.to_owned(), Value::String(why))
    };
    json!({
        "answers": selection.answers.iter().map(answer).collect::<Vec<_>>(),
        "misses": selection.misses.iter().map(miss).collect::<Map<_, _>>(),
        "unmet_sets": selection.unmet_sets,
        "satisfied": selection.is_satisfied(),
        "unexamined": query.unexamined().collect::<Vec<_>>(),
    })
}

#[test]
fn each_case_has_the_outcome_it_states() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/dcql");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (mut good, mut refused) = (0, 0);
    for file in files.filter(|file| file.extension().is_some_and(|e| e == "json")) {
        let name = file.display();
        let case: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        let query = Query::parse(&case["query"].to_string());
        match (query, case.get("expect"), case.get("expect_error")) {
            (Ok(query), Some(expect), None) => {
                let held: Vec<Held> = case["candidates"].as_array().unwrap().iter().map(Held::read).collect();
                assert_eq!(outcome(&query, &held), *expect, "{name}");
                good += 1;
            }
            (Err(e), None, Some(code)) => {
                assert_eq!(e.code(), code, "{name}: {e}");
                refused += 1;
            }
            (query, ..) => panic!("{name}: {query:?}"),
        }
    }
    assert!(good > 30 && refused > 30, "{good} answered, {refused} refused");
}

#[test]
fn a_path_that_leads_to_too_much_leads_nowhere() {
    let query = json!({"credentials": [{
        "id": "c", "format": "dc+sd-jwt", "meta": {}, "claims": [{"path": ["list", null, null]}],
    }]});
    let query = Query::from_value(&query).unwrap();
    let of = |inner: usize| {
        let list = vec![vec![0; inner]; 32];
        let held = json!({"format": "dc+sd-jwt", "types": [], "bound": true, "claims": {"list": list}});
        outcome(&query, &[Held::read(&held)])["satisfied"] == json!(true)
    };
    assert!(of(DCQL_SELECTED_MAX / 32));
    assert!(!of(DCQL_SELECTED_MAX / 32 + 1));
}

#[test]
fn a_query_says_what_it_asks_for() {
    let query = Query::parse(
        r#"{"credentials":[{"id":"c","format":"mso_mdoc","meta":{},"multiple":true,
            "claims":[{"path":["a",null,2,"\u202eb"]}]}]}"#,
    )
    .unwrap();
    let [credential] = query.credentials() else { panic!("one credential") };
    assert_eq!((credential.id(), credential.format().name()), ("c", "mso_mdoc"));
    assert!(credential.multiple() && credential.holder_binding());
    assert_eq!(credential.claims()[0].to_string(), "a[*][2].b");
    assert_eq!(Query::parse("{").unwrap_err().code(), "json-syntax");
    assert_eq!(Query::parse(&" ".repeat(DCQL_BYTES_MAX + 1)).unwrap_err().code(), "too-long");
}

/// JSON made of the words that queries are made of.
fn any_query() -> impl Strategy<Value = Value> {
    let words = prop::sample::select(vec![
        "credentials",
        "credential_sets",
        "id",
        "format",
        "dc+sd-jwt",
        "ldp_vc",
        "meta",
        "vct_values",
        "type_values",
        "claims",
        "claim_sets",
        "path",
        "values",
        "options",
        "required",
        "a",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-1i64..3).prop_map(Value::from),
        words.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((words.clone().prop_map(String::from), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in "\\PC{0,200}") {
        let _ = Query::parse(&text);
    }

    #[test]
    fn arbitrary_parts_never_panic_and_select_what_is_there(
        part in any_query(),
        path in prop::collection::vec(prop::sample::select(vec![json!("a"), json!(null), json!(0), json!(1)]), 0..4),
        claims in any_query(),
    ) {
        let _ = Query::from_value(&part);
        let mut path = path;
        path.insert(0, json!("claims"));
        let query = json!({"credentials": [{"id": "c", "format": "ldp_vc", "meta": {}, "claims": [{"path": path}]}]});
        let mut query = query;
        if let Some(members) = part.as_object() {
            for (name, value) in members {
                let legal = query.clone();
                query["credentials"][0][name.as_str()] = value.clone();
                if Query::from_value(&query).is_err() {
                    query = legal;
                }
            }
        }
        let query = Query::from_value(&query).unwrap();
        let claims = Map::from_iter([("claims".to_owned(), claims)]);
        let candidate = Candidate { format: Format::LdpVc, claims: &claims, types: &[], bound: true };
        for answer in query.evaluate(&[candidate]).answers {
            for path in answer.matches.iter().flat_map(|found| &found.disclose) {
                prop_assert!(path.find(&claims).is_some(), "{}", path);
            }
        }
    }
}
