//! JSON-LD and its canonical N-Quads.
#![no_main]

use knackmesh_fuzz::texts;
use knackmesh_protocol::{
    json,
    limits::CREDENTIAL_BYTES_MAX,
    rdf::{Form, canonical_nquads},
};
use serde_json::Value;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some([text]) = texts(data) else { return };
    let Ok(Value::Object(document)) = json::parse(text, CREDENTIAL_BYTES_MAX) else { return };
    let any = canonical_nquads(&document, Form::Any);
    // Plain documents say what any do.
    if let Ok(plain) = canonical_nquads(&document, Form::Plain) {
        assert_eq!(Ok(plain), any);
    }
    // And the order of keys says nothing.
    let mut keys: Vec<(String, Value)> = document.into_iter().collect();
    keys.reverse();
    let reversed = canonical_nquads(&keys.into_iter().collect(), Form::Any);
    assert!(reversed == any || (reversed.is_err() && any.is_err()));
});
