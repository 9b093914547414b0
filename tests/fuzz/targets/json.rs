//! Strict JSON and its canonical form.
#![no_main]

use knackmesh_fuzz::texts;
use knackmesh_protocol::{json, limits::CREDENTIAL_BYTES_MAX};
use serde_json::Value;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some([text]) = texts(data) else { return };
    let Ok(value) = json::parse(text, CREDENTIAL_BYTES_MAX) else { return };
    // A lax reader reads the same.
    assert_eq!(serde_json::from_str::<Value>(text).expect("strict JSON is JSON"), value);
    let canonical = json::canonical(&value);
    // Numbers may be written longer than they were, so the bound is another.
    let again = json::parse(&canonical, usize::MAX).expect("canonical JSON is strict JSON");
    assert_eq!(json::canonical(&again), canonical);
});
