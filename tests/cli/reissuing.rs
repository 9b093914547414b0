//! `knack reissue`: an issuer vouches anew for a badge that is bound to no DID.

use std::fs;

use serde_json::{Value, json};

use crate::{
    badges::{ADA, badge, hashed, open_badge_2},
    harness::Knack,
    harness::site::Site,
    importing::write,
};

#[test]
fn a_badge_becomes_a_credential_of_the_new_issuer() {
    let [school, holder] = Knack::cast(["school", "holder"]);
    fs::write(school.home().join("config.toml"), "[issuer]\nname = \"School\"\n").expect("written");
    let achievement = json!({
        "id": "urn:uuid:1", "type": ["Achievement"], "name": "Rust", "description": "Wrote Rust",
        "criteria": {"narrative": "An exam"},
        "alignment": [{"type": ["Alignment"], "targetUrl": "urn:knackmesh:onet:43232402:rust", "targetName": "Rust"}],
    });
    let file = write(&school, "badge.json", badge(hashed(achievement)).text());
    let (did, out) = (holder.did(), school.file("anew.json"));
    let outcome = school.run(&["reissue", &file, "--to", &did, "--email", ADA, "--out", &out]).ok();
    assert!(outcome.stderr.contains("you vouch for Container course"), "{outcome:?}");
    let anew: Value = serde_json::from_str(&fs::read_to_string(&out).expect("written")).expect("JSON");
    assert_eq!((&anew["issuer"]["id"], &anew["issuer"]["name"]), (&json!(school.did()), &json!("School")));
    assert_eq!(anew["credentialSubject"]["id"], did);
    assert_eq!(anew["evidence"][0]["id"], "https://school.example/awards/1");
    assert!(anew["evidence"][0]["digestSRI"].as_str().is_some_and(|digest| digest.starts_with("sha256-")));
    holder.json(&["import", &out]);
    let preview = holder.json(&["preview"]);
    assert_eq!(preview["content"]["claims"][0]["skill"], "urn:knackmesh:onet:43232402:rust", "{preview:#}");

    // Without an address the issuer is told what it vouches for; with another nothing is issued.
    let bare = school.run(&["reissue", &file, "--to", &did]).ok();
    assert!(bare.stderr.contains("not checked to whom"), "{bare:?}");
    let printed: Value = serde_json::from_str(&bare.stdout).expect("one JSON value");
    assert_ne!(printed["id"], anew["id"]);
    let told = school.json(&["reissue", &file, "--to", &did, "--out", &school.file("told.json")]);
    assert_eq!((&told["subject"], &told["format"]), (&json!(did), &json!("eddsa-jcs-2022")), "{told:#}");
    assert!(
        told["warnings"][0].as_str().is_some_and(|said| said.contains("not checked to whom")),
        "{told:#}"
    );
    let again = school.run(&["reissue", &file, "--to", &did, "--out", &out]);
    assert!(again.code == Some(1) && again.stderr.contains("is there already"), "{again:?}");
    let other = school.run(&["reissue", &file, "--to", &did, "--email", "bob@example.org"]);
    assert_eq!((other.code, other.stdout.as_str()), (Some(5), ""), "{other:?}");
    // What is bound to a DID needs nobody else's word.
    let bound = school.run(&["reissue", &out, "--to", &school.did()]);
    assert_eq!(bound.code, Some(5), "{bound:?}");
    let changed = fs::read_to_string(&file).expect("a file").replace("Wrote Rust", "Wrote C");
    let changed = school.run(&["reissue", &write(&school, "changed.json", &changed), "--to", &did]);
    assert_eq!((changed.code, changed.stdout.as_str()), (Some(3), ""), "{changed:?}");
}

#[test]
fn an_open_badge_2_becomes_a_credential() {
    let site = Site::new();
    let [school, holder] = Knack::cast(["school", "holder"]);
    site.trusted_by(&school);
    let file = write(&school, "badge.json", open_badge_2(&site).to_string());
    let offline = school.run(&["reissue", &file, "--to", &holder.did(), "--offline"]);
    assert_eq!(offline.code, Some(3), "{offline:?}");
    let out = school.file("anew.json");
    school.json(&["reissue", &file, "--to", &holder.did(), "--email", ADA, "--out", &out]);
    holder.json(&["import", &out]);
    let kept = holder.json(&["credentials"]);
    assert_eq!((&kept[0]["credential"], &kept[0]["labels"]), (&json!("Robotics"), &json!([])), "{kept:#}");
    assert_eq!(kept[0]["skills"][0]["skill"], "urn:knackmesh:onet:43232402:rust", "{kept:#}");
}
