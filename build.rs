//! Tells the program which commit it is built from, for the manifests of results: `KNACK_COMMIT`, from the environment of the
//! build or else from git, with `-dirty` where sources differ from it. Where neither knows, there is none; no build fails for it.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

/// What makes the program. Editing anything else does not make it another one.
const SOURCES: [&str; 9] = [
    "build.rs",
    "Cargo.toml",
    "Cargo.lock",
    "src",
    "protocol/Cargo.toml",
    "protocol/src",
    "simulations/Cargo.toml",
    "simulations/src",
    "simulations/scenarios",
];

fn main() {
    println!("cargo::rerun-if-env-changed=KNACK_COMMIT");
    // A file that is missing would have this run for every build.
    let sources = SOURCES.iter().map(PathBuf::from);
    for path in sources.chain(head()).filter(|path| path.exists()) {
        println!("cargo::rerun-if-changed={}", path.display());
    }
    if let Some(commit) = env::var("KNACK_COMMIT").ok().filter(|given| !given.is_empty()).or_else(commit) {
        println!("cargo::rustc-env=KNACK_COMMIT={commit}");
    }
}

/// The commit of this very work tree. Sources that were unpacked within another project's are not of its commit.
fn commit() -> Option<String> {
    if !Path::new(".git").exists() {
        return None;
    }
    let commit = git(&["rev-parse", "--verify", "HEAD"])?;
    let mut status = vec!["status", "--porcelain", "--"];
    status.extend(SOURCES);
    let is_dirty = !git(&status)?.is_empty();
    Some(if is_dirty { format!("{commit}-dirty") } else { commit })
}

/// What changes when another commit is checked out, or made: which branch it is, and the log of where it stood. A work tree
/// of its own has both in a folder that `.git` names. The index is no sign: looking at the status writes it.
fn head() -> Vec<PathBuf> {
    let paths = ["HEAD", "logs/HEAD"].iter().filter_map(|name| git(&["rev-parse", "--git-path", name]));
    paths.map(PathBuf::from).collect()
}

fn git(args: &[&str]) -> Option<String> {
    // Without this, looking would write the index.
    let output = Command::new("git").env("GIT_OPTIONAL_LOCKS", "0").args(args).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
