//! Proofs that a holder published, on another node: what was proven when the summary was admitted needs no inquiry.

use std::fs;

use knackmesh_protocol::credential::Format;
use serde_json::{Value, json};

use crate::harness::{
    Knack, finish,
    site::{Site, now},
    text, until,
};

/// The result and the whole report of a search for Rust that another node has answered.
#[track_caller]
fn search(seeker: &Knack, more: &[&str]) -> (Value, Value) {
    let report = until("another node answers", || {
        let args = [&["query", "rust", "--deadline", "20s", "--json"], more].concat();
        let report = finish(&mut seeker.command(&args)).json();
        (report["coverage"]["answered"] == 1).then_some(report)
    });
    (report["results"][0].clone(), report)
}

#[test]
fn a_published_proof_is_verified_by_the_node_that_finds_it_and_nobody_is_inquired() {
    let [school, mut holder, mut seeker] = Knack::cast(["school", "holder", "seeker"]);
    let key = text(&holder.json(&["keys", "--single-use", "1"])[0]);
    let (keys, out) = (school.file("keys.txt"), school.file("rust.jwt"));
    fs::write(&keys, key + "\n").expect("written");
    let did = holder.did();
    let what = ["issue", "--to", &did, "--skill", "rust", "--level", "4", "--format", "sd-jwt"];
    let written = school.json(&[&what[..], &["--copies", "1", "--copy-to", &keys, "--out", &out]].concat());
    holder.json(&["import", &text(&written["copies"][0])]);
    seeker.json(&["trust", "add", &school.did()]);
    seeker.up(&[]);
    holder.up(seeker.listen());
    let published = holder.json(&["publish", "--proofs"]);
    assert_eq!((&published["proofs"], &published["linked"]), (&json!(1), &json!(false)), "{published:#}");
    seeker.knows(1);

    let (result, report) = search(&seeker, &[]);
    assert_eq!((&result["verified"], &result["recognised"]), (&json!(true), &json!(true)), "{report:#}");
    let claim = &result["claims"][0];
    assert_eq!(
        (&claim["proven"], &claim["level"], &claim["tier"]),
        (&json!(true), &json!(4), &json!("issuer"))
    );
    assert_eq!(claim["issuer"], school.did(), "{report:#}");
    assert!(text(&claim["published"]).starts_with("proof published, held by"), "{report:#}");
    // Nobody was asked, and nobody was named: the holder is her pseudonym.
    assert_eq!((&report["coverage"]["inquired"], &result["checks"]), (&json!(0), &json!([])), "{report:#}");
    assert_eq!(result["holder"], holder.view(), "{report:#}");
    assert!(!report.to_string().contains(&did), "{report:#}");
    assert_eq!(holder.json(&["disclosures"]), json!([]));
}

#[test]
fn a_published_proof_of_an_organisation_proves_nothing_until_its_key_and_the_status_are_known() {
    let site = Site::new();
    site.publish_status(false, now());
    let [mut holder, mut seeker] = Knack::cast(["holder", "seeker"]);
    site.trusted_by(&holder);
    site.trusted_by(&seeker);
    let key = text(&holder.json(&["keys", "--single-use", "1"])[0]);
    let file = holder.file("rust.jwt");
    fs::write(&file, site.award(&key, Format::SdJwt).text()).expect("written");
    holder.json(&["import", &file, "--fetch"]);
    seeker.up(&[]);
    holder.up(seeker.listen());
    let published = holder.json(&["publish", "--proofs"]);
    assert_eq!(published["proofs"], 1, "{published:#}");
    let asked = site.asked().len();
    // It is admitted: whether it is legal does not depend on what a node knows.
    seeker.knows(1);
    let (result, report) = search(&seeker, &[]);
    assert_eq!((&result["verified"], site.asked().len()), (&json!(false), asked), "{report:#}");
    assert!(
        text(&result["claims"][0]["published"]).contains("the issuer's key is not known here"),
        "{report:#}"
    );
    let said = seeker.run(&["query", "rust tier:issuer", "--deadline", "20s"]).ok().stdout;
    assert!(said.contains("the issuer's key is not known here") && said.contains("add --fetch"), "{said}");

    let (result, report) = search(&seeker, &["--fetch"]);
    assert_eq!(
        (&result["verified"], &result["claims"][0]["proven"]),
        (&json!(true), &json!(true)),
        "{report:#}"
    );
    assert_eq!(report["fetched"].as_array().map(Vec::len), Some(2), "{report:#}");
    assert_eq!(report["coverage"]["inquired"], 0, "{report:#}");

    // Once it is revoked, it proves nothing to whoever asks.
    site.publish_status(true, now());
    fs::remove_dir_all(seeker.home().join("cache")).expect("a cache");
    let (result, report) = search(&seeker, &["--fetch"]);
    assert_eq!(result["verified"], false, "{report:#}");
    assert!(text(&result["claims"][0]["published"]).contains("revoked"), "{report:#}");
}
