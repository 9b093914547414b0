//! The rules of the house: which way dependencies point, what `protocol/` may know, who may name which library.
//!
//! Each rule is a function from sources to what breaks it. It is applied to the project, and to made-up files that
//! break it once, so that a rule that catches nothing is noticed.

#[path = "architecture/source.rs"]
mod source;

use std::{collections::BTreeSet, fs, path::Path};

use source::Source;

/// Longest source file, in lines.
const LINES_MAX: usize = 700;

/// What the protocol may depend on, and the features it may ask for. A crate with a clock, a socket or a random
/// generator of its own among its features comes without its default features.
const PROTOCOL_DEPENDENCIES: [(&str, &[&str]); 19] = [
    ("base64", &["alloc"]),
    ("blake3", &["pure"]),
    ("cbor4ii", &["serde1", "use_std"]),
    ("curve25519-dalek", &["alloc", "precomputed-tables"]),
    ("ed25519-dalek", &[]),
    ("flate2", &["rust_backend"]),
    ("jiff", &["alloc"]),
    ("negentropy", &[]),
    ("p256", &["alloc", "ecdsa"]),
    ("rand_chacha", &[]),
    ("rand_core", &[]),
    ("roxmltree", &["std"]),
    ("rsa", &["encoding", "pkcs1v15"]),
    ("serde", &["derive"]),
    ("serde_json", &["preserve_order"]),
    ("serde_json_canonicalizer", &[]),
    ("sha2", &["oid"]),
    ("thiserror", &[]),
    ("x25519-dalek", &["static_secrets"]),
];
const WITHOUT_DEFAULTS: [&str; 10] = [
    "base64",
    "curve25519-dalek",
    "flate2",
    "jiff",
    "negentropy",
    "p256",
    "rand_chacha",
    "rand_core",
    "roxmltree",
    "rsa",
];

/// Crates that act. Neither the protocol nor the simulations name them.
const ACTING_CRATES: [&str; 9] =
    ["knackmesh", "tokio", "libp2p", "sled", "tantivy", "getrandom", "tempfile", "reqwest", "ureq"];

/// Parts of the standard library that read or change the world.
const ACTING_STD: [&str; 7] = ["fs", "net", "env", "thread", "process", "os", "io"];

/// Names that bring in a clock, an order that differs from run to run, or randomness from the system.
const IMPURE_NAMES: [&str; 9] = [
    "SystemTime",
    "Instant",
    "HashMap",
    "HashSet",
    "RandomState",
    "OsRng",
    "SysRng",
    "ThreadRng",
    "thread_rng",
];

/// Third-party crates that one adapter alone may name.
const OWNED: [(&str, &str); 11] = [
    ("sled", "store"),
    ("tantivy", "index"),
    ("libp2p", "network"),
    ("rustix", "descriptors"),
    ("ureq", "fetch"),
    ("axum", "vc_api"),
    ("axum_server", "vc_api"),
    ("rcgen", "vc_api"),
    ("plotters", "sim"),
    ("png", "sim"),
    ("knackmesh_simulations", "sim"),
];

/// Layers as a `lib.rs` declares them: modules between blank lines.
fn layers(lib: &str) -> Vec<Vec<String>> {
    let mut layers = vec![Vec::new()];
    for line in lib.lines().map(str::trim) {
        let declared = line.strip_prefix("pub ").unwrap_or(line).strip_prefix("mod ");
        match declared.and_then(|name| name.strip_suffix(';')) {
            Some(name) => layers.last_mut().expect("never empty").push(name.to_owned()),
            None if line.is_empty() => layers.push(Vec::new()),
            None => {}
        }
    }
    layers.retain(|layer| !layer.is_empty());
    layers
}

/// Who may use modules of the own layer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Siblings {
    Known,
    Unknown,
}

/// A module uses modules of earlier layers, and of its own where siblings may know each other.
fn upward_uses(layers: &[Vec<String>], sources: &[Source], siblings: Siblings) -> Vec<String> {
    let layer_of = |module: &String| layers.iter().position(|layer| layer.contains(module));
    let mut broken = Vec::new();
    for source in sources {
        let Some(module) = source.module.first() else { continue };
        let Some(own) = layer_of(module) else {
            broken.push(format!("{}: the root does not declare the module `{module}`", source.file));
            continue;
        };
        for used in source.own_modules().iter().filter(|used| *used != module) {
            let Some(layer) = layer_of(used) else { continue };
            if layer > own || (layer == own && siblings == Siblings::Unknown) {
                broken.push(format!(
                    "{}: `{module}` uses `{used}`, which is not in a layer above it",
                    source.file
                ));
            }
        }
    }
    broken
}

/// Each of the big libraries is named by its adapter alone.
fn foreign_names(sources: &[Source]) -> Vec<String> {
    let mut broken = Vec::new();
    for (name, owner) in OWNED {
        for source in sources.iter().filter(|s| s.module.first().is_none_or(|m| m != owner)) {
            if source.names_crate(name) {
                broken.push(format!("{}: names `{name}`, which only `{owner}` may", source.file));
            }
        }
    }
    broken
}

/// No clock, file, socket, thread, environment, system randomness or random order.
fn impurities(sources: &[Source]) -> Vec<String> {
    let mut broken = Vec::new();
    for source in sources {
        let mut found: Vec<String> = Vec::new();
        found.extend(ACTING_CRATES.iter().filter(|c| source.names_crate(c)).map(|c| (*c).to_owned()));
        for part in source.names_of("std") {
            if ACTING_STD.contains(&part.as_str()) {
                found.push(format!("std::{part}"));
            }
        }
        let impure = |t: &&String| IMPURE_NAMES.contains(&t.as_str());
        found.extend(source.tokens.iter().filter(impure).cloned());
        let reads_a_clock = source.tokens.windows(3).any(|w| w[0] == "::" && w[1] == "now" && w[2] == "(");
        found.extend(reads_a_clock.then(|| "a clock's `now()`".to_owned()));
        broken.extend(found.into_iter().map(|what| format!("{}: {what}", source.file)));
    }
    broken
}

/// The dependencies of a manifest, with what they inherit from the workspace: name, features, default features.
fn dependencies(manifest: &str, workspace: &str) -> Vec<(String, Vec<String>, bool)> {
    let parse = |text: &str| text.parse::<toml::Table>().expect("a manifest is TOML");
    let (manifest, workspace) = (parse(manifest), parse(workspace));
    let mut found = Vec::new();
    let inherited = |name: &str| workspace.get("workspace")?.get("dependencies")?.get(name).cloned();
    let own = manifest.get("dependencies").and_then(|d| d.as_table()).cloned().unwrap_or_default();
    let build = manifest.get("build-dependencies").and_then(|d| d.as_table()).cloned().unwrap_or_default();
    let by_target = manifest.get("target").map(|_| ("a dependency by target".to_owned(), true.into()));
    for (name, value) in own.into_iter().chain(build).chain(by_target) {
        let base = inherited(&name).filter(|_| value.get("workspace").is_some());
        let features = [Some(&value), base.as_ref()].into_iter().flatten().filter_map(|v| v.get("features"));
        let features = features.filter_map(|f| f.as_array()).flatten();
        let features = features.filter_map(|f| f.as_str()).map(str::to_owned).collect();
        let defaults = base.as_ref().unwrap_or(&value).get("default-features");
        found.push((name, features, defaults.and_then(toml::Value::as_bool).unwrap_or(true)));
    }
    found
}

/// The protocol depends on what is on the list, with the features on the list.
fn impure_dependencies(manifest: &str, workspace: &str) -> Vec<String> {
    let mut broken = Vec::new();
    for (name, features, defaults) in dependencies(manifest, workspace) {
        let Some((_, allowed)) = PROTOCOL_DEPENDENCIES.iter().find(|(n, _)| *n == name) else {
            broken.push(format!("`{name}` is not on the list of what the protocol may depend on"));
            continue;
        };
        for feature in features.iter().filter(|f| !allowed.contains(&f.as_str())) {
            broken.push(format!("`{name}` with its feature `{feature}`"));
        }
        if defaults && WITHOUT_DEFAULTS.contains(&name.as_str()) {
            broken.push(format!("`{name}` with its default features"));
        }
    }
    broken
}

/// Of this workspace, the simulations know the protocol alone; of the world, nothing that acts.
fn simulations_dependencies(manifest: &str, workspace: &str) -> Vec<String> {
    let names = dependencies(manifest, workspace).into_iter().map(|(name, ..)| name);
    names
        .filter(|n| ACTING_CRATES.contains(&n.as_str()))
        .map(|n| format!("simulations depend on `{n}`"))
        .collect()
}

fn over_long(files: &[(String, usize)]) -> Vec<String> {
    let long = files.iter().filter(|(_, lines)| *lines > LINES_MAX);
    long.map(|(file, lines)| format!("{file}: {lines} lines, {LINES_MAX} at most")).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

#[track_caller]
fn none(broken: Vec<String>) {
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

/// The made-up file breaks the rule, and what is said of it names `culprit`.
#[track_caller]
fn caught(broken: Vec<String>, culprit: &str) {
    assert_eq!(broken.len(), 1, "{broken:?}");
    assert!(broken[0].contains(culprit), "{broken:?}");
}

fn made_up(files: &[(&str, &str)]) -> Vec<Source> {
    source::parse(files.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())))
}

#[test]
fn in_src_dependencies_point_upwards_and_adapters_do_not_know_each_other() {
    let layers = layers(&read("src/lib.rs"));
    let at = |module: &str| layers.iter().position(|l| l.contains(&module.to_owned())).unwrap_or(usize::MAX);
    let order = ["home", "store", "report", "control", "node", "vc_api", "demo", "sim", "cli"];
    assert!(order.is_sorted_by_key(|module| at(module)), "{layers:?}");
    let adapters = ["store", "index", "network", "fetch"];
    assert!(adapters.iter().all(|adapter| at(adapter) == at("store")), "{layers:?}");
    none(upward_uses(&layers, &source::load(&root().join("src")), Siblings::Unknown));
}

#[test]
fn in_the_protocol_dependencies_point_upwards() {
    let layers = layers(&read("protocol/src/lib.rs"));
    none(upward_uses(&layers, &source::load(&root().join("protocol/src")), Siblings::Known));
}

#[test]
fn each_library_is_named_by_its_adapter_alone() {
    none(foreign_names(&source::load(&root().join("src"))));
}

#[test]
fn the_protocol_and_the_simulations_are_pure() {
    none(impurities(&source::load(&root().join("protocol/src"))));
    let mut simulations = source::load(&root().join("simulations/src"));
    // The simulations' program reads scenarios and writes reports; their world does not.
    simulations.retain(|s| !(s.file == "main.rs" || s.file.starts_with("bin/")));
    let acting = |broken: &String| ACTING_CRATES.iter().any(|c| broken.ends_with(&format!(": {c}")));
    none(impurities(&simulations).into_iter().filter(acting).collect());
}

#[test]
fn the_protocol_depends_on_nothing_that_acts() {
    none(impure_dependencies(&read("protocol/Cargo.toml"), &read("Cargo.toml")));
    none(simulations_dependencies(&read("simulations/Cargo.toml"), &read("Cargo.toml")));
}

#[test]
fn no_source_file_is_over_long() {
    let mut files = Vec::new();
    for dir in ["src", "protocol/src", "simulations/src", "tests"] {
        for source in source::load(&root().join(dir)) {
            let path = format!("{dir}/{}", source.file);
            files.push((path.clone(), read(&path).lines().count()));
        }
    }
    assert!(files.len() > 50, "the sources were found");
    none(over_long(&files));
}

#[test]
fn a_dependency_that_points_the_wrong_way_is_caught() {
    let layers = layers("//! Doc.\n\npub mod home;\n\npub mod store;\npub mod index;\n\npub mod node;\n");
    let check = |file: &str, text: &str| upward_uses(&layers, &made_up(&[(file, text)]), Siblings::Unknown);
    caught(check("home.rs", "use crate::node::Node;"), "`home` uses `node`");
    caught(check("store/mod.rs", "use crate::{home::Home, node};"), "`store` uses `node`");
    caught(check("store/mod.rs", "use super::node::Node;"), "`store` uses `node`");
    caught(check("store/tree.rs", "fn f() { super::super::node::run() }"), "`store` uses `node`");
    caught(check("store/mod.rs", "use crate::index::Index;"), "`store` uses `index`");
    caught(check("home.rs", "fn f() { println!(\"{}\", crate::node::NAME) }"), "`home` uses `node`");
    caught(check("stray.rs", ""), "`stray`");
    none(check("node/mod.rs", "use crate::{home::Home, index::Index, store::Store};"));
    none(check("home.rs", "//! [`crate::node`]\n// crate::node\nconst A: &str = \"crate::node\";"));
    none(check("home.rs", "#[cfg(test)]\nmod tests { use crate::node::Node; fn f() {} }"));
}

#[test]
fn an_adapter_that_imports_another_library_is_caught() {
    let check = |file: &str, text: &str| foreign_names(&made_up(&[(file, text)]));
    caught(check("node/mod.rs", "use libp2p::PeerId;"), "`libp2p`");
    caught(check("index/mod.rs", "fn f() -> sled::Db { todo!() }"), "`sled`");
    caught(check("report.rs", "use tantivy as engine;"), "`tantivy`");
    caught(check("cli/verify.rs", "fn f() { ureq::get(URL) }"), "`ureq`");
    none(check("store/mod.rs", "use sled::Db;"));
    none(check("node/mod.rs", "use crate::store::Store; // not sled::Db"));
    // A module for tests in a file of its own is no part of the adapter.
    let with_tests = [("node/mod.rs", "#[cfg(test)]\nmod tests;"), ("node/tests.rs", "use libp2p::PeerId;")];
    none(foreign_names(&made_up(&with_tests)));
}

#[test]
fn a_protocol_that_reads_a_clock_or_acts_is_caught() {
    let check = |text: &str| impurities(&made_up(&[("peer.rs", text)]));
    caught(check("fn f() { tokio::spawn(async {}); }"), "tokio");
    caught(check("use std::{collections::BTreeMap, fs};"), "std::fs");
    caught(check("fn f() -> u64 { std::time::SystemTime::UNIX_EPOCH }"), "SystemTime");
    caught(check("fn f() { let t = jiff::Timestamp::now(); }"), "now()");
    caught(check("use std::time::Instant;"), "Instant");
    caught(check("use std::collections::HashMap;"), "HashMap");
    caught(check("fn f() { getrandom::fill(&mut b); }"), "getrandom");
    caught(check("use rand_core::OsRng;"), "OsRng");
    caught(check("use knackmesh::node;"), "knackmesh");
    none(check("use std::time::Duration; fn f(now: u64) { g(now); } /* HashMap */"));
    none(check("#[cfg(test)] mod tests { use std::{fs, collections::HashMap}; }\nfn f() {}"));
    none(check(
        "fn f() { let c = '\"'; let r = r#\"std::fs::read \"# ; let l: &'static str = \"\\\"HashMap\"; }",
    ));
}

#[test]
fn an_impure_dependency_is_caught() {
    let workspace = "[workspace.dependencies]\nsha2 = \"0.11\"\n\
                     rand_core = { version = \"0.10\", default-features = false }\n";
    let check = |text: &str| impure_dependencies(text, workspace);
    caught(check("[dependencies]\ntokio = \"1\""), "`tokio`");
    caught(check("[build-dependencies]\ncc = \"1\""), "`cc`");
    caught(check("[target.'cfg(unix)'.dependencies]\nlibc = \"0.2\""), "by target");
    caught(check("[dependencies]\njiff = \"1\""), "default features");
    caught(check("[dependencies]\nrand_core = { workspace = true, features = [\"os_rng\"] }"), "`os_rng`");
    none(check("[dependencies]\nsha2.workspace = true\nrand_core.workspace = true"));
    none(check("[dev-dependencies]\ntempfile = \"3\""));
    let depends = |text: &str| simulations_dependencies(text, "");
    caught(depends("[dependencies]\nknackmesh = { path = \"..\" }"), "`knackmesh`");
    none(depends("[dependencies]\nknackmesh-protocol = { path = \"../protocol\" }"));
}

#[test]
fn an_over_long_file_is_caught() {
    caught(over_long(&[("a.rs".to_owned(), LINES_MAX + 1), ("b.rs".to_owned(), LINES_MAX)]), "a.rs");
}

#[test]
fn the_lists_name_each_thing_once() {
    let names: BTreeSet<&str> = PROTOCOL_DEPENDENCIES.iter().map(|(name, _)| *name).collect();
    assert_eq!(names.len(), PROTOCOL_DEPENDENCIES.len());
    assert!(WITHOUT_DEFAULTS.iter().all(|name| names.contains(name)));
}
