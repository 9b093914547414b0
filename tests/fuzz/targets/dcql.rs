//! Queries of verifiers, and the claims of a credential that is to answer them, with a zero byte between them.
#![no_main]

use knackmesh_fuzz::texts;
use knackmesh_protocol::{
    dcql::{Candidate, Query},
    json,
    limits::CREDENTIAL_BYTES_MAX,
};
use serde_json::{Map, Value};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some([text, claims]) = texts(data) else { return };
    let Ok(query) = Query::parse(text) else { return };
    assert!(!query.credentials().is_empty());
    let claims = match json::parse(claims, CREDENTIAL_BYTES_MAX) {
        Ok(Value::Object(claims)) => claims,
        _ => Map::new(),
    };
    let types: Vec<String> =
        claims.get("vct").and_then(Value::as_str).map(str::to_owned).into_iter().collect();
    let formats = query.credentials().iter().map(|part| part.format().clone());
    let candidate = |format| Candidate { format, claims: &claims, types: &types, bound: true };
    let candidates: Vec<Candidate<'_>> = formats.map(candidate).collect();
    let _ = query.unexamined().count();
    let selection = query.evaluate(&candidates);
    if !selection.is_satisfied() {
        assert!(selection.answers.is_empty(), "nothing is shown where something is missing");
    }
    for found in selection.answers.iter().flat_map(|answer| &answer.matches) {
        for path in &found.disclose {
            assert!(path.find(candidates[found.candidate].claims).is_some(), "what is disclosed is there");
        }
    }
});
