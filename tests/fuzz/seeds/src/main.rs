//! Writes what the targets begin with, from the vectors: a file for each input, and the words of all of them.
//!
//! `seeds VECTORS CORPUS`: reads below the first folder, writes `CORPUS/TARGET/...` and `CORPUS/words.dict`.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

/// Where a target's seeds come from: a folder of vectors, and the member of each case; the file itself where there is none.
const SOURCES: &[(&str, &str, &str)] = &[
    ("credential", "credential", "credential"),
    ("credential", "credential/did_web", "credential"),
    ("credential", "credential/jwt", "credential"),
    ("credential", "credential/rdfc", "credential"),
    ("credential", "credential/sd_jwt", "credential"),
    ("credential", "credential/status", "credential"),
    ("credential", "credential/trust", "credential"),
    ("trust_list", "credential/trust", "trust_list"),
    ("import", "credential/baked", ""),
    ("import", "credential/jwt", "credential"),
    ("import", "credential/ob2", ""),
    ("import", "credential/ob3", ""),
    ("import", "credential/presentation", "presentation"),
    ("import", "credential/sd_jwt", "credential"),
    ("json", "credential/rdfc", "credential"),
    ("json", "credential/rfc8785-jcs/input", ""),
    ("json", "credential/rfc8785-jcs/output", ""),
    ("key", "did", "method"),
    ("key", "did", "did"),
    ("proof", "sd_jwt", "token"),
    ("proof", "credential/sd_jwt", "presentation"),
    ("credential", "credential/ob3", ""),
    ("credential", "rdf/vcdm2", ""),
    ("presentation", "credential/presentation", "presentation"),
    ("presentation", "credential/sd_jwt", "presentation"),
    ("rdf", "credential/rdfc", "credential"),
    ("rdf", "rdf/vcdm2", ""),
    ("rdf", "rdf/bitstring-status-list", ""),
    ("rdf", "credential/ob3", ""),
    ("token", "credential/jwt", "credential"),
    ("token", "jose", "token"),
    ("sd_jwt", "sd_jwt", "token"),
    ("sd_jwt", "credential/sd_jwt", "credential"),
    ("sd_jwt", "credential/sd_jwt", "presentation"),
    ("did", "did", "document"),
    ("did", "did", "configuration"),
    ("did", "did", "method"),
    ("did", "did", "did"),
    ("baked", "credential/baked", ""),
    ("open_badge_2", "credential/ob2", ""),
    ("open_badge_2", "credential/ob2/assets", ""),
    ("clr", "credential", "credential"),
    ("message", "message", "request"),
    ("message", "message", "response"),
    ("message", "message", "item"),
    ("message", "wire", "bytes"),
    ("message", "signed", "envelope"),
    ("message", "consent", "envelope"),
    ("message", "summary", "summary"),
    ("message", "summary", "tombstone"),
    ("message", "query", "cbor"),
    ("query", "query", "query"),
];

/// Targets whose seeds are bytes, which vectors write in hexadecimal digits.
const OF_BYTES: &str = "message";

/// Longer seeds slow a target down, and longer words help nobody.
const SEED_BYTES_MAX: usize = 64 * 1024;
const WORD_BYTES_MAX: usize = 40;
const WORDS_MAX: usize = 1500;

fn main() {
    let arguments: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    let [vectors, corpus] = &arguments[..] else { panic!("usage: seeds VECTORS CORPUS") };
    let mut words = BTreeSet::new();
    let mut seeds = 0;
    for (target, folder, member) in SOURCES {
        for (name, input) in inputs(&vectors.join(folder), member, *target == OF_BYTES) {
            let name = format!("{}-{member}-{name}", folder.replace('/', "-"));
            seeds += usize::from(write(corpus, target, &name, &input));
            if let Ok(value) = serde_json::from_slice(&input) {
                collect(&value, &mut words);
            }
        }
    }
    for (name, case) in cases(&vectors.join("credential/status")) {
        seeds += usize::from(write(corpus, "status", &name, &with_status(&case)));
    }
    for (name, case) in cases(&vectors.join("credential/did_web")) {
        seeds += usize::from(write(corpus, "status", &name, &with_status(&case)));
    }
    for (name, case) in cases(&vectors.join("dcql")) {
        let claims = case.pointer("/candidates/0/claims").map(text_of).unwrap_or_default();
        let input = format!("{}\0{claims}", text_of(&case["query"]));
        seeds += usize::from(write(corpus, "dcql", &name, input.as_bytes()));
    }
    for (name, text) in LISTS {
        seeds += usize::from(write(corpus, "bitstring", name, text.as_bytes()));
    }
    for (name, text) in DOCUMENTS {
        seeds += usize::from(write(corpus, name, "written-by-hand", text.as_bytes()));
    }
    // At the bounds, which mutation takes long to reach.
    let named = LONG_NAME.replace("NAME", &"x".repeat(201));
    seeds += usize::from(write(corpus, "trust_list", "long-name", named.as_bytes()));
    let lines: String = words.iter().take(WORDS_MAX).map(|word| format!("\"{word}\"\n")).collect();
    fs::create_dir_all(corpus)
        .and_then(|()| fs::write(corpus.join("words.dict"), lines))
        .expect("the corpus can be written");
    println!("{seeds} seeds, {} words", words.len().min(WORDS_MAX));
}

/// A list of 131,072 bits, whole and damaged, with the size of its entries before it.
const LISTS: [(&str, &str); 3] = [
    ("whole", "\u{1}uH4sIAAAAAAAC_-3BMQEAAADCoPVPbQsvoAAAAAAAAAAAAAAAAP4GcwM92tQwAAA"),
    ("published", "\u{1}uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA"),
    ("former", "\u{1}H4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA"),
];

/// Of formats that have no vectors.
const DOCUMENTS: &[(&str, &str)] = &[
    (
        "key",
        r#"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}"#,
    ),
    ("key", r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#),
    ("key", "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"),
    ("key", "zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169"),
    (
        "vocabulary",
        "urn:s:a\tKNACK\tprogramming\tcoding|coder\t\t1000\n# between\nurn:s:b\tESCO\tRust\t\turn:s:a\t2000\nurn:s:c\tONET\tJava\t\turn:s:a|urn:s:b\t1\n",
    ),
    (
        "cv",
        r#"{"basics":{"name":"A","summary":"I write Rust."},"skills":[{"name":"Programming","level":"Expert","keywords":["Rust","Python"]}],"work":[{"name":"B","highlights":["SQL"]}],"languages":[{"language":"English","fluency":"native"}]}"#,
    ),
    (
        "cv",
        r#"{"SkillsPassport":{"LearnerInfo":{"Skills":{"Computer":{"Description":"Rust"},"Linguistic":{"MotherTongue":[{"Description":{"Label":"Greek"}}]}},"WorkExperience":[{"Activities":"SQL"}]}}}"#,
    ),
    (
        "clr",
        r#"{"@context":["https://www.w3.org/ns/credentials/v2","https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json"],"type":["VerifiableCredential","ClrCredential"],"issuer":"did:web:a.example","credentialSubject":{"type":["ClrSubject"],"verifiableCredential":[{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiableCredential"],"issuer":"did:web:a.example","credentialSubject":{"id":"urn:a"}},"eyJhbGciOiJFZERTQSJ9.e30.AA"],"association":[{"type":"Association","associationType":"isChildOf","sourceId":"urn:a","targetId":"urn:b"}]}}"#,
    ),
];

/// A trust list with a name that is to be left out.
const LONG_NAME: &str = r#"{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiableCredential","TrustListCredential"],"issuer":"did:web:a.example","credentialSubject":{"entries":[{"issuer":"did:web:b.example","name":"NAME"}]}}"#;

/// The cases of a folder, by name.
fn cases(folder: &Path) -> Vec<(String, Value)> {
    let files = files(folder).into_iter();
    files.filter_map(|(name, bytes)| Some((name, serde_json::from_slice(&bytes).ok()?))).collect()
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let paths = entries.map(|entry| entry.expect("a folder can be listed").path());
    let mut paths: Vec<PathBuf> = paths.filter(|path| path.is_file()).collect();
    paths.sort();
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    paths.into_iter().map(|path| (name(&path), fs::read(&path).expect("a file can be read"))).collect()
}

fn inputs(folder: &Path, member: &str, of_bytes: bool) -> Vec<(String, Vec<u8>)> {
    if member.is_empty() {
        return files(folder);
    }
    let inputs = cases(folder).into_iter().filter_map(|(name, case)| {
        let value = case.get(member)?;
        let input = if of_bytes { bytes_of(value)? } else { text_of(value).into_bytes() };
        Some((name, input))
    });
    inputs.collect()
}

/// The text itself, or any JSON text of the value.
fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Digits, or a list of them and of what is repeated.
fn bytes_of(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::String(digits) => (0..digits.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok())
            .collect(),
        Value::Array(parts) => Some(parts.iter().map(bytes_of).collect::<Option<Vec<_>>>()?.concat()),
        Value::Object(repeated) => {
            let times = usize::try_from(repeated.get("times")?.as_u64()?).ok()?;
            Some(bytes_of(repeated.get("repeat")?)?.repeat(times.min(SEED_BYTES_MAX)))
        }
        _ => None,
    }
}

/// A credential, the first list and the first document that its verifier knows.
fn with_status(case: &Value) -> Vec<u8> {
    let known = |path: &str| case.pointer(path).map(text_of).unwrap_or_default();
    let [list, document] = ["/known/status_lists/0/list", "/known/documents/0/document"].map(known);
    format!("{}\0{list}\0{document}", text_of(&case["credential"])).into_bytes()
}

fn write(corpus: &Path, target: &str, name: &str, input: &[u8]) -> bool {
    if input.len() > SEED_BYTES_MAX {
        return false;
    }
    let folder = corpus.join(target);
    fs::create_dir_all(&folder).expect("the corpus can be written");
    let hash = input.iter().fold(0u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(u32::from(*byte)));
    fs::write(folder.join(format!("{name}-{hash:08x}")), input).expect("the corpus can be written");
    true
}

/// The names of members, and short texts without blanks.
fn collect(value: &Value, words: &mut BTreeSet<String>) {
    let mut keep = |word: &str| {
        let is_plain = word.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\');
        if is_plain && (2..=WORD_BYTES_MAX).contains(&word.len()) {
            words.insert(word.to_owned());
        }
    };
    match value {
        Value::String(text) => keep(text),
        Value::Object(members) => {
            members.keys().for_each(|key| keep(key));
            members.values().for_each(|inner| collect(inner, words));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, words)),
        _ => {}
    }
}
