//! Deterministic CBOR: bytes that are one item in its one form, and each way not to be.

use knackmesh_protocol::{limits::CBOR_DEPTH_MAX, wire::check_canonical};
use serde_json::{Value, json};

use super::{Case, refused, unhex};

pub fn outcome(case: &Value) -> Value {
    match check_canonical(&unhex(&case["bytes"])) {
        Ok(()) => json!({"canonical": true}),
        Err(error) => refused(&error),
    }
}

pub fn cases() -> Vec<Case> {
    let deep = |levels: usize| json!([{"repeat": "81", "times": levels}, "00"]);
    vec![
        good(
            "good-integers",
            "[0, 23, 24, 255, 256, 65536, 4294967296, -1, -25]",
            json!("890017181818ff1901001a000100001b0000000100000000203818"),
        ),
        good("good-strings", r#"[h'', h'00ff', "", "ü"]"#, json!("84404200ff6062c3bc")),
        good("good-simple", "[false, true, null]", json!("83f4f5f6")),
        good("good-map-shorter-key-first", r#"{"b": 1, "aa": 2}"#, json!("a261620162616102")),
        good("good-map-integer-key-before-text", r#"{10: 0, -1: 1, "a": 2}"#, json!("a30a002001616102")),
        good("good-empty", "[[], {}]", json!("8280a0")),
        good("good-deepest", "arrays nested as deeply as allowed", deep(CBOR_DEPTH_MAX)),
        bad("indefinite-array", "an array of indefinite length", "9fff", 0, "an indefinite length"),
        bad("indefinite-text", "a text of indefinite length", "7f6161ff", 0, "an indefinite length"),
        bad("break-alone", "a break outside any item", "ff", 0, "an indefinite length"),
        bad("reserved-length", "additional information 28", "1c", 0, "a reserved length"),
        bad("integer-one-byte", "5 in two bytes", "1805", 0, "an integer not in its shortest form"),
        bad("integer-two-bytes", "255 in three", "1900ff", 0, "an integer not in its shortest form"),
        bad("integer-four-bytes", "65535 in five", "1a0000ffff", 0, "an integer not in its shortest form"),
        bad("integer-eight-bytes", "in nine", "1b00000000ffffffff", 0, "an integer not in its shortest form"),
        bad(
            "length-not-shortest",
            "a length of 1 in two bytes",
            "780161",
            0,
            "an integer not in its shortest form",
        ),
        bad("keys-unsorted", r#"{"b": 1, "a": 1}"#, "a2616201616101", 4, "map keys unsorted or repeated"),
        bad(
            "keys-longer-first",
            r#"{"aa": 1, "b": 1}"#,
            "a262616101616201",
            5,
            "map keys unsorted or repeated",
        ),
        bad("keys-repeated", r#"{"a": 1, "a": 1}"#, "a2616101616101", 4, "map keys unsorted or repeated"),
        bad(
            "keys-unsorted-inside",
            r#"[{"b": 1, "a": 1}]"#,
            "81a2616201616101",
            5,
            "map keys unsorted or repeated",
        ),
        bad("float-half", "0.0 in half precision", "f90000", 0, "a tag, a float or an unassigned value"),
        bad(
            "float-double",
            "1.5 in double precision",
            "fb3ff8000000000000",
            0,
            "a tag, a float or an unassigned value",
        ),
        bad("tag", "a date with its tag", "c060", 0, "a tag, a float or an unassigned value"),
        bad("undefined", "undefined", "f7", 0, "a tag, a float or an unassigned value"),
        bad(
            "simple-in-two-bytes",
            "a simple value in two bytes",
            "f820",
            0,
            "a tag, a float or an unassigned value",
        ),
        bad("text-not-utf8", "a byte that no UTF-8 has", "61ff", 2, "text that is not UTF-8"),
        bad("trailing", "two items", "0101", 1, "bytes after the item"),
        bad("empty", "no item", "", 0, "ends early"),
        bad("array-ends-early", "an array of 2^64 - 1 items", "9bffffffffffffffff", 9, "ends early"),
        bad("bytes-end-early", "a byte string of 2^64 - 1 bytes", "5bffffffffffffffff", 9, "ends early"),
        bad("head-ends-early", "a head without its argument", "19ff", 1, "ends early"),
        (
            "too-deep",
            json!({
                "description": "arrays nested one deeper than allowed",
                "bytes": deep(CBOR_DEPTH_MAX + 1),
                "expect": refusal(CBOR_DEPTH_MAX + 1, "nested too deeply"),
            }),
        ),
    ]
}

fn good(name: &'static str, description: &str, bytes: Value) -> Case {
    (name, json!({"description": description, "bytes": bytes, "expect": {"canonical": true}}))
}

fn bad(name: &'static str, description: &str, bytes: &str, offset: usize, reason: &str) -> Case {
    (name, json!({"description": description, "bytes": bytes, "expect": refusal(offset, reason)}))
}

fn refusal(offset: usize, reason: &str) -> Value {
    json!({"error": "not-canonical", "offset": offset, "reason": reason})
}
