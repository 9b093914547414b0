//! A credential that was changed after it was signed, at the door and over the network.

use std::fs;

use knackmesh::store::{KeptCredential, Store};

use crate::harness::{Knack, finish, text};

/// The credential with its achieved level set to the highest of its rubric.
fn raised(credential: &str) -> String {
    let mut credential: serde_json::Value = serde_json::from_str(credential).expect("a credential");
    let subject = &mut credential["credentialSubject"];
    let best = subject["achievement"]["resultDescription"][0]["rubricCriterionLevel"][4]["id"].clone();
    assert!(best.is_string());
    subject["result"][0]["achievedLevel"] = best;
    credential.to_string()
}

#[test]
fn an_import_of_a_tampered_credential_is_refused_by_name() {
    let [school, grace] = Knack::cast(["school", "grace"]);
    let file = school.issue(&grace, "rust", 2);
    let tampered = grace.file("tampered.json");
    fs::write(&tampered, raised(&fs::read_to_string(&file).expect("issued"))).expect("written");
    for command in ["import", "verify"] {
        let outcome = grace.run(&[command, &tampered]);
        assert_eq!(outcome.code, Some(3), "{outcome:?}");
        let said = outcome.stdout + &outcome.stderr;
        assert!(said.contains("untampered") && said.contains("FAIL"), "{said}");
    }
    assert_eq!(grace.status()["credentials"], 0);
    let checks = finish(grace.command(&["verify", &tampered]).arg("--json")).json();
    assert_eq!(checks["untampered"], "FAIL", "{checks:#}");
    assert_eq!(checks["verified"], false, "{checks:#}");
    // The original is taken, and nobody else's is.
    grace.json(&["import", &file]);
    let other = school.run(&["import", &file]);
    assert_eq!(other.code, Some(3), "{other:?}");
    assert!(other.stderr.contains("not about you"), "{other:?}");
}

#[test]
fn a_credential_tampered_with_after_publication_is_withheld_from_the_seeker_by_name() {
    let [mut school, mut seeker, mut grace] = Knack::cast(["school", "seeker", "grace"]);
    school.award(&grace, "rust", 2);
    school.up(&[]);
    let bootstrap = school.listen().to_vec();
    seeker.up(&bootstrap);
    grace.up(&bootstrap);
    grace.json(&["publish", "--present", "anyone"]);
    seeker.knows(1);
    assert_eq!(seeker.query("rust tier:issuer")["results"][0]["verified"], true);

    grace.stop();
    let store = Store::open(&grace.home().join("store")).expect("nobody has it open");
    for (id, kept) in store.credentials().expect("credentials") {
        let text = raised(&kept.text);
        store.put_credential(&id, &KeptCredential { text, ..kept }).expect("kept");
    }
    store.flush().expect("flushed");
    drop(store);
    grace.up(&bootstrap);
    crate::harness::until("grace is connected again", || {
        let report = seeker.query("rust tier:issuer");
        assert!(report["results"].as_array().expect("results").is_empty(), "{report:#}");
        let withheld = report["withheld"].as_array().expect("withheld");
        let reason = text(&withheld.first()?["reason"]);
        reason.contains("untampered").then_some(())
    });
}
