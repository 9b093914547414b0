//! Single-use keys, copies bound to them, and proofs that are published once.

use std::fs;

use serde_json::Value;

use crate::harness::{Knack, text};

fn strings(value: &Value) -> Vec<String> {
    value.as_array().expect("a list").iter().map(text).collect()
}

/// A holder with two copies of one credential, and the credential itself where `own` says so.
fn holder_with_copies(own: bool) -> (Knack, Knack) {
    let [school, holder] = Knack::cast(["school", "holder"]);
    let keys = strings(&holder.json(&["keys", "--single-use", "2"]));
    let file = school.file("keys.txt");
    fs::write(&file, keys.join("\n") + "\n").expect("written");
    let out = school.file("rust.jwt");
    let did = holder.did();
    let written = school.json(&[
        "issue",
        "--to",
        &did,
        "--skill",
        "rust",
        "--level",
        "4",
        "--format",
        "sd-jwt",
        "--copies",
        "2",
        "--copy-to",
        &file,
        "--out",
        &out,
    ]);
    let copies = strings(&written["copies"]);
    assert_eq!(copies.len(), 2);
    let texts: Vec<String> = copies.iter().map(|file| fs::read_to_string(file).expect("written")).collect();
    assert_ne!(texts[0].split('~').nth(1), texts[1].split('~').nth(1), "each has its own salts");
    for (copy, key) in texts.iter().zip(&keys) {
        assert!(!copy.contains(&did) && !key.contains(&did));
    }
    for file in copies.iter().chain(own.then_some(&out)) {
        holder.run(&["import", file]).ok();
    }
    (school, holder)
}

#[test]
fn single_use_keys_are_never_given_out_twice() {
    let [home] = Knack::cast(["home"]);
    let first = home.run(&["keys", "--single-use", "3"]).ok().stdout;
    let second = home.run(&["keys", "--single-use", "3"]).ok().stdout;
    let mut all: Vec<&str> = first.lines().chain(second.lines()).collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 6);
    assert!(all.iter().all(|did| did.starts_with("did:key:z6Mk") && *did != home.did()));
    let refused = home.run(&["keys", "--single-use", "5000"]);
    assert_eq!(refused.code, Some(2));
}

#[test]
fn each_copy_is_published_once() {
    let (_school, holder) = holder_with_copies(true);
    let preview = holder.json(&["preview", "--proofs"]);
    assert_eq!(preview["content"]["proofs"].as_array().map(Vec::len), Some(1), "{preview}");
    assert_eq!(preview["content"]["claims"][0]["proof"], 0);
    assert_eq!(preview["linked"], false);
    assert!(holder.json(&["preview"])["content"].get("proofs").is_none());

    let published = || holder.json(&["publish", "--proofs"]);
    for _ in 0..2 {
        let report = published();
        assert_eq!((&report["proofs"], &report["linked"]), (&1.into(), &false.into()), "{report}");
    }
    let copies = holder.json(&["credentials"]);
    let used = copies.as_array().expect("a list").iter().filter(|c| c["copy"] == "used").count();
    assert_eq!(used, 2);

    let report = published();
    assert_eq!(report["proofs"], 0);
    assert!(text(&report["left_out"][0]).contains("--linkable"), "{report}");
    let linked = holder.run(&["publish", "--proofs", "--linkable"]).ok();
    assert!(
        linked.stdout.contains("with 1 proof") && linked.stderr.contains("link your pseudonym"),
        "{linked:?}"
    );
}

#[test]
fn who_finds_a_published_proof_needs_not_ask() {
    let (_school, holder) = holder_with_copies(false);
    holder.run(&["publish", "--proofs"]).ok();
    let found = holder.query("rust>=4");
    let result = &found["results"][0];
    assert_eq!(
        (&result["verified"], &result["claims"][0]["proven"]),
        (&true.into(), &true.into()),
        "{found}"
    );
    assert!(text(&result["claims"][0]["published"]).starts_with("proof published"));
    assert!(result["checks"].as_array().is_some_and(Vec::is_empty));
    // A copy alone is nothing to publish without --proofs.
    assert_eq!(holder.run(&["publish"]).code, Some(4));
}
