//! Walks `protocol/vectors`, and writes it: each module below states its cases, and says what comes of one that is
//! read back from its file. `KNACK_BLESS=1` rewrites the files, otherwise they are compared.

#![allow(clippy::unwrap_used)]

mod cbor;
mod consent;
mod fixtures;
mod inquiry;
mod limits;
mod message;
mod peer;
mod proofs;
mod ranking;
mod schema;
mod signed;
mod summary;
mod wire;

use std::{collections::BTreeMap, env, fs, path::PathBuf, sync::LazyLock};

use knackmesh_protocol::wire::WireError;
use serde_json::{Value, json};

/// A case: its file's name without the ending, and its content.
type Case = (&'static str, Value);

/// A folder of vectors: the cases that are written to it, and what comes of a case read from it.
struct Folder {
    name: &'static str,
    cases: fn() -> Vec<Case>,
    outcome: fn(&Value) -> Value,
}

const FOLDERS: &[Folder] = &[
    Folder { name: "wire", cases: wire::cases, outcome: wire::outcome },
    Folder { name: "signed", cases: signed::cases, outcome: signed::outcome },
    Folder { name: "consent", cases: consent::cases, outcome: consent::outcome },
    Folder { name: "summary", cases: summary::cases, outcome: summary::outcome },
    Folder { name: "inquiry", cases: inquiry::cases, outcome: inquiry::outcome },
    Folder { name: "ranking", cases: ranking::cases, outcome: ranking::outcome },
    Folder { name: "message", cases: message::cases, outcome: message::outcome },
    Folder { name: "peer", cases: peer::cases, outcome: peer::outcome },
];

fn path(folder: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors").join(folder)
}

/// Rewrites the files once, before any test reads them.
static BLESSED: LazyLock<()> = LazyLock::new(|| {
    if env::var_os("KNACK_BLESS").is_none() {
        return;
    }
    for folder in FOLDERS {
        // A case that is no longer written goes.
        let _ = fs::remove_dir_all(path(folder.name));
        fs::create_dir_all(path(folder.name)).unwrap();
        for (name, text) in written(folder) {
            fs::write(path(folder.name).join(format!("{name}.json")), text).unwrap();
        }
    }
});

/// Every case of a folder, by name. A folder without any is a mistake.
fn read(folder: &str) -> BTreeMap<String, String> {
    LazyLock::force(&BLESSED);
    let files = fs::read_dir(path(folder)).unwrap().map(|entry| entry.unwrap().path());
    let cases: BTreeMap<String, String> = files
        .filter(|file| file.extension().is_some_and(|e| e == "json"))
        .map(|file| {
            let text = fs::read_to_string(&file).unwrap();
            (file.file_stem().unwrap().to_string_lossy().into_owned(), text)
        })
        .collect();
    assert!(!cases.is_empty(), "no vectors in {folder}");
    cases
}

/// A case as it is written: one that states no expectation gets the one that comes of it, to be read by a person
/// before it is committed.
fn written(folder: &Folder) -> BTreeMap<String, String> {
    let mut written = BTreeMap::new();
    for (name, mut case) in (folder.cases)() {
        if case.get("expect").is_none() {
            case["expect"] = (folder.outcome)(&case);
            let error = case["expect"].get("error");
            assert_eq!(error, None, "{}/{name} fails, and does not say that it should", folder.name);
        }
        let twice = written.insert(name.to_owned(), format!("{case:#}\n"));
        assert!(twice.is_none(), "{}/{name} is written twice", folder.name);
    }
    written
}

#[test]
fn the_files_are_those_that_are_written_here() {
    for folder in FOLDERS {
        let written = written(folder);
        let found = read(folder.name);
        assert_eq!(
            found.keys().collect::<Vec<_>>(),
            written.keys().collect::<Vec<_>>(),
            "{}; KNACK_BLESS=1 rewrites them",
            folder.name
        );
        for (name, text) in written {
            assert_eq!(found[&name], text, "{}/{name} changed; KNACK_BLESS=1 rewrites it", folder.name);
        }
    }
}

#[test]
fn each_case_has_the_outcome_it_states() {
    for folder in FOLDERS {
        for (name, text) in read(folder.name) {
            let case: Value = serde_json::from_str(&text).unwrap();
            assert!(case["description"].is_string(), "{}/{name} says not what it is about", folder.name);
            let outcome = (folder.outcome)(&case);
            assert_eq!(outcome, case["expect"], "{}/{name}: {}", folder.name, case["description"]);
        }
    }
}

/// What comes of bytes that are refused. Where in the bytes and for what reason is part of the outcome only for bytes
/// that are not canonical, since there the specification fixes which offence is the first.
fn refused(error: &WireError) -> Value {
    match error {
        WireError::TooLong { .. } => json!({"error": "too-long"}),
        WireError::NotCanonical { offset, reason } => {
            json!({"error": "not-canonical", "offset": offset, "reason": reason})
        }
        WireError::Illegal { .. } => json!({"error": "illegal"}),
    }
}

fn illegal() -> Value {
    json!({"error": "illegal"})
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|b| format!("{b:02x}")).collect()
}

/// Bytes as a case states them: hexadecimal digits, or a list of these and of `{"repeat": digits, "times": n}`.
fn unhex(value: &Value) -> Vec<u8> {
    match value {
        Value::String(digits) => digits
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect(),
        Value::Array(parts) => parts.iter().flat_map(unhex).collect(),
        part => {
            let times = usize::try_from(part["times"].as_u64().unwrap()).unwrap();
            unhex(&part["repeat"]).repeat(times)
        }
    }
}
