//! What an issuer does: forms and keys, statuses and the lists that publish them.

use std::fs;

use knackmesh_protocol::{
    credential::{Check, Credential, Known, TrustList, Verifier, status::StatusList},
    did::Documents,
    time::Timestamp,
};
use serde_json::Value;

use crate::harness::{Knack, finish, text};

const URL: &str = "https://school.example/status";
const ADA: &str = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK";

/// A home that publishes status lists.
fn school() -> Knack {
    let school = Knack::new("school");
    let config = format!("[issuer]\nname = \"School\"\nstatus_url = \"{URL}\"\n");
    fs::write(school.home().join("config.toml"), config).expect("written");
    school
}

fn issue(school: &Knack, name: &str, more: &[&str]) -> String {
    let file = school.file(name);
    // What is there is not replaced.
    let _ = fs::remove_file(&file);
    let args = ["issue", "--to", ADA, "--skill", "rust", "--level", "4", "--out", &file];
    school.json(&[&args[..], more].concat());
    file
}

fn read(file: &str) -> Credential {
    Credential::parse(&fs::read_to_string(file).expect("a file")).expect("a credential")
}

/// What a verifier finds who fetched the exported lists.
fn unrevoked(file: &str, lists: &Value) -> Check {
    let now = Timestamp::from_unix_ms(
        u64::try_from(std::time::UNIX_EPOCH.elapsed().expect("after 1970").as_millis()).expect("soon"),
    );
    let mut known = Known::default();
    for list in lists.as_array().expect("lists") {
        let signed = fs::read_to_string(text(&list["file"])).expect("a list");
        let url = text(&list["url"]);
        let list = StatusList::verify(&signed, Some((&url, now)), &Documents::new()).expect("it verifies");
        known.status_lists.insert(list).expect("room");
    }
    read(file).verify(&Verifier::new(now, &TrustList::default()).knowing(&known)).unrevoked
}

#[test]
fn each_form_and_key_is_issued_and_read_back() {
    let school = school();
    for (format, alg, begins) in [
        ("eddsa-jcs-2022", "EdDSA", "{"),
        ("eddsa-jcs-2022", "ES256", "{"),
        ("eddsa-rdfc-2022", "EdDSA", "{"),
        ("eddsa-rdfc-2022", "ES256", "{"),
        ("vc-jwt", "EdDSA", "ey"),
        ("vc-jwt", "ES256", "ey"),
        ("sd-jwt", "EdDSA", "ey"),
        ("sd-jwt", "ES256", "ey"),
    ] {
        let file = issue(&school, "one", &["--format", format, "--alg", alg, "--status"]);
        let written = fs::read_to_string(&file).expect("written");
        assert!(written.starts_with(begins), "{format} {alg}: {written}");
        let credential = read(&file);
        assert_eq!(credential.issuer_did().map(ToString::to_string) == Some(school.did()), alg == "EdDSA");
        let checks = credential.verify(&Verifier::new(Timestamp::EPOCH, &TrustList::default()));
        assert_eq!(checks.untampered, Check::Pass, "{format} {alg}");
        assert_eq!(checks.unrevoked, Check::NotChecked, "{format} {alg}: it has a status");
    }
    let token = ["issue", "--to", ADA, "--skill", "rust", "--level", "4", "--format", "vc-jwt"];
    let json = school.json(&token);
    assert_eq!(json["format"], "vc-jwt");
    assert!(text(&json["credential"]).starts_with("ey"));
    assert!(school.run(&token).ok().stdout.starts_with("ey"));
    let standing = school.json(&["issued"]);
    assert_eq!(standing.as_array().map(Vec::len), Some(10));
    assert_eq!(standing[0]["standing"], "good");
    assert_eq!(standing[9]["standing"], "no_status");
}

#[test]
fn what_is_revoked_or_suspended_fails_by_the_exported_lists() {
    let school = school();
    let [kept, revoked, suspended] =
        ["kept.json", "revoked.json", "suspended.json"].map(|name| issue(&school, name, &["--status"]));
    let out = school.file("status");
    let export = || school.json(&["status-list", "export", "--out", &out]);
    let lists = export();
    for file in [&kept, &revoked, &suspended] {
        assert_eq!(unrevoked(file, &lists), Check::Pass);
    }

    let id = text(&read(&revoked).document()["id"]);
    let report = school.json(&["revoke", &id, "--reason", "the wrong person"]);
    assert_eq!((&report["changed"], &report["standing"]), (&true.into(), &"revoked".into()), "{report:#}");
    assert_eq!(report["list"], format!("{URL}/revocation-1"));
    assert_eq!(school.json(&["suspend", &suspended])["standing"], "suspended");
    assert_eq!(unrevoked(&revoked, &lists), Check::Pass, "others learn of it from the new list only");
    let lists = export();
    assert_eq!([&lists[0]["set"], &lists[1]["set"]], [1, 1]);
    assert_eq!(lists[0]["file"], format!("{out}/revocation-1"));
    assert_eq!(
        [&kept, &revoked, &suspended].map(|file| unrevoked(file, &lists)),
        [Check::Pass, Check::Fail, Check::Fail]
    );
    let [first, second] = [0, 1].map(|n| text(&lists[n]["file"]));
    for (file, code) in [(&kept, 0), (&revoked, 3), (&suspended, 3)] {
        let outcome = school.run(&["verify", file, "--status-list", &first, "--status-list", &second]);
        assert_eq!(outcome.code, Some(code), "{outcome:?}");
    }
    let published = fs::read_to_string(text(&lists[0]["file"])).expect("a list");
    assert!(!published.contains("wrong person"), "reasons stay here");

    assert_eq!(school.json(&["reinstate", &suspended])["standing"], "good");
    assert_eq!(unrevoked(&suspended, &export()), Check::Pass);
    let again = school.json(&["reinstate", &suspended]);
    assert_eq!(again["changed"], false);
    let listed = school.json(&["issued", "--standing", "revoked"]);
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
    assert_eq!(listed[0]["status"][0]["reason"], "the wrong person");
    let shown = school.run(&["issued"]).ok();
    assert!(shown.stdout.contains("revoked") && shown.stdout.contains("good"), "{shown:?}");
}

#[test]
fn what_cannot_be_done_is_refused_with_what_to_do() {
    let school = school();
    let check = |args: &[&str], code: i32, said: &str| {
        let outcome = school.run(args);
        assert_eq!(outcome.code, Some(code), "{args:?}: {outcome:?}");
        assert!(outcome.stderr.contains(said) && outcome.stderr.contains("try:"), "{args:?}: {outcome:?}");
        let json = finish(school.command(args).arg("--json")).json();
        assert!(json["error"]["hint"].is_string(), "{json:#}");
    };
    let plain = issue(&school, "plain.json", &[]);
    let revoked = issue(&school, "revoked.json", &["--status"]);
    school.json(&["revoke", &revoked]);
    check(&["revoke", &plain], 5, "--status");
    check(&["revoke", "urn:uuid:unknown"], 1, "knack issued");
    check(&["reinstate", &revoked], 5, "for good");
    check(&["suspend", &revoked], 5, "for good");
    check(&["revoke", &revoked, "--reason", &"x".repeat(300)], 2, "reason");
    fs::write(school.file("no.json"), "{}").expect("written");
    check(&["revoke", &school.file("no.json")], 1, "knack issued");

    let bare = Knack::new("bare");
    let outcome = bare.run(&["issue", "--to", ADA, "--skill", "rust", "--level", "4", "--status"]);
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert!(outcome.stderr.contains("status_url"), "{outcome:?}");
    assert_eq!(bare.json(&["status-list", "export", "--out", &bare.file("out")]), serde_json::json!([]));
    assert_eq!(bare.json(&["issued"]), serde_json::json!([]));
    let outcome = bare.run(&["issue", "--skill", "rust"]);
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    let ada = ["issue", "--to", ADA, "--skill", "rust", "--level", "4"];
    for more in [&["--expires", "0s"][..], &["--to", "did:key:z6Mkfoo"], &["--to", "did:jwk:abc"]] {
        let args = if more[0] == "--to" {
            [&["issue"], more, &ada[3..]].concat()
        } else {
            [&ada[..], more].concat()
        };
        let outcome = bare.run(&args);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""), "{outcome:?}");
    }
    assert_eq!(bare.run(&["keys", "--single-use", "0"]).code, Some(2));
    assert_eq!(bare.json(&["issued"]), serde_json::json!([]));
}

#[test]
fn what_was_issued_is_told_and_replaces_nothing() {
    let school = school();
    let out = school.file("rust.json");
    let args = ["issue", "--to", ADA, "--skill", "rust", "--level", "4", "--alg", "ES256", "--expires", "2y"];
    let args = [&args[..], &["--status", "--out", &out]].concat();
    let written = school.json(&args);
    let credential = read(&out);
    assert_eq!(
        (text(&written["file"]), text(&written["id"])),
        (out.clone(), text(&credential.document()["id"]))
    );
    assert_eq!(
        (text(&written["issuer"]), text(&written["subject"])),
        (credential.issuer().to_owned(), ADA.to_owned())
    );
    assert_eq!(
        (&written["format"], &written["status"]),
        (&"ecdsa-jcs-2019".into(), &true.into()),
        "{written:#}"
    );
    assert!(text(&written["valid_until"]).starts_with("20"), "{written:#}");
    assert_eq!(school.json(&["issued"])[0]["format"], "ecdsa-jcs-2019");

    let before = fs::read(&out).expect("a file");
    let refused = school.run(&args);
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""), "{refused:?}");
    assert!(refused.stderr.contains("is there already"), "{refused:?}");
    assert_eq!(fs::read(&out).expect("a file"), before);
    assert_eq!(school.json(&["issued"]).as_array().map(Vec::len), Some(1), "nothing was issued for nothing");
    let none = school.run(&["issued", "--standing", "revoked"]).ok();
    assert!(none.stderr.contains("1 credential issued, and the standing of none is: revoked"), "{none:?}");
    // What is empty is no loss, and a device stays one.
    fs::write(school.file("empty"), "").expect("written");
    for place in [school.file("empty").as_str(), "/dev/null"] {
        school.json(&["issue", "--to", ADA, "--skill", "rust", "--level", "4", "--out", place]);
    }
    assert!(fs::metadata(school.file("empty")).is_ok_and(|file| file.len() > 0));
}

#[test]
fn a_running_node_issues_and_revokes_as_well() {
    let mut school = school();
    school.up(&[]);
    let file = issue(&school, "one.json", &["--status"]);
    school.json(&["revoke", &file]);
    // What was confirmed is kept, whatever happens.
    school.kill();
    assert_eq!(school.json(&["issued"])[0]["standing"], "revoked");
    school.up(&[]);
    assert_eq!(school.json(&["issued"])[0]["standing"], "revoked");
    let lists = school.json(&["status-list", "export", "--out", &school.file("status")]);
    assert_eq!(unrevoked(&file, &lists), Check::Fail);
}

#[test]
fn a_domain_says_which_keys_are_its_own_and_credentials_of_it_verify() {
    let school = Knack::new("school");
    for key in ["", "key = \"key-1\"\np256_key = \"key-2\"\n"] {
        let config = format!("[issuer]\ndid = \"did:web:school.example:it\"\n{key}");
        fs::write(school.home().join("config.toml"), config).expect("written");
        let web = school.json(&["did", "web", "school.example/it"]);
        assert_eq!(web["did"], "did:web:school.example:it");
        assert_eq!(web["did_document"]["url"], "https://school.example/it/did.json");
        let did = text(&web["did"]).parse().expect("a DID");
        let document = web["did_document"]["content"].to_string();
        let document = knackmesh_protocol::did::Document::read(&document, &did).expect("a document");
        assert_eq!(document.methods().count(), 2);
        let mut known = Known::default();
        known.documents.insert(document, Timestamp::EPOCH).expect("room");

        let now = Timestamp::from_unix_ms(
            u64::try_from(std::time::UNIX_EPOCH.elapsed().expect("after 1970").as_millis()).expect("soon"),
        );
        let url = text(&web["did_configuration"]["url"]);
        assert_eq!(url, "https://school.example/.well-known/did-configuration.json");
        let configuration = web["did_configuration"]["content"].to_string();
        let origin = "https://school.example".parse().expect("an origin");
        let links = knackmesh_protocol::did::linkage::read(&configuration, &origin, now).expect("a list");
        assert!(links.iter().all(|link| link.as_ref().is_ok_and(|link| link.did == did)), "{links:?}");

        for alg in ["EdDSA", "ES256"] {
            for format in ["eddsa-jcs-2022", "vc-jwt", "sd-jwt"] {
                let file = issue(&school, "one", &["--alg", alg, "--format", format]);
                let trust = TrustList::default();
                let checks = read(&file).verify(&Verifier::new(now, &trust).knowing(&known));
                assert_eq!(checks.untampered, Check::Pass, "{key} {alg} {format}: {checks:?}");
            }
        }
    }
    let out = school.file("www");
    let web = school.json(&["did", "web", "other.example:8443", "--out", &out]);
    assert_eq!(web["did"], "did:web:other.example%3A8443");
    for (part, name) in [("did_document", "did.json"), ("did_configuration", "did-configuration.json")] {
        let file = text(&web[part]["file"]);
        assert_eq!(file, format!("{out}/.well-known/{name}"));
        let written: Value = serde_json::from_str(&fs::read_to_string(file).expect("written")).expect("JSON");
        assert_eq!(written, web[part]["content"]);
    }
    let folder = school.file("www/.well-known");
    let file = |name: &str| format!("{folder}/{name}");
    let configuration = || -> Value {
        serde_json::from_str(&fs::read_to_string(file("did-configuration.json")).expect("a file"))
            .expect("JSON")
    };
    let own = configuration()["linked_dids"][0].clone();
    let another = serde_json::json!({"issuer": "did:web:another.example", "proof": {}});
    let mut both = configuration();
    both["linked_dids"] = serde_json::json!([another, own]);
    fs::write(file("did-configuration.json"), both.to_string()).expect("written");
    let again = ["did", "web", "other.example:8443", "--out", &out];
    school.json(&again);
    let linked = configuration()["linked_dids"].clone();
    assert_eq!((linked.as_array().map(Vec::len), &linked[0]), (Some(2), &another), "{linked:#}");
    // What is another's stays, unless it is told to go; and then nothing else is changed either.
    for (name, text) in
        [("did.json", "{\"id\": \"did:web:mine.example\"}"), ("did-configuration.json", "mine")]
    {
        let before = fs::read(file(name)).expect("a file");
        fs::write(file(name), text).expect("written");
        let refused = school.run(&again);
        assert_eq!(refused.code, Some(5), "{refused:?}");
        assert!(refused.stderr.contains("--replace"), "{refused:?}");
        assert_eq!(fs::read_to_string(file(name)).expect("a file"), text);
        if name == "did.json" {
            assert_eq!(configuration()["linked_dids"], linked);
            fs::write(file(name), before).expect("written");
        }
    }
    school.json(&[&again[..], &["--replace"]].concat());
    assert_eq!(configuration()["linked_dids"].as_array().map(Vec::len), Some(1));

    let shown = school.json(&["did", "show"]);
    assert_eq!(shown["issuer"], "did:web:school.example:it");
    assert_eq!(shown["ed25519"], school.did());
    for bad in ["", "1.2.3.4", "a b", "did:key:z6Mk", "school.example/../x"] {
        assert_eq!(school.run(&["did", "web", bad]).code, Some(2), "{bad}");
    }
}
