//! Whom a home recognises: for which skills, and by whose word.

use knackmesh_protocol::{
    credential::{Format, TrustEntry, TrustList, issuing, trust_document},
    key::SecretKey,
    limits::TRUST_NAME_BYTES_MAX,
    time::Timestamp,
};
use serde_json::{Value, json};

use crate::{
    harness::{
        Knack, finish,
        site::{Site, now, signed},
        text, until,
    },
    importing::write,
};

const ACADEMY: &str = "did:web:academy.example";
const MILL: &str = "did:web:diploma-mill.example";

/// A command in JSON, whatever comes of it.
fn tell(home: &Knack, args: &[&str]) -> (Option<i32>, Value) {
    let outcome = finish(home.command(args).arg("--json"));
    (outcome.code, outcome.json())
}

fn import(home: &Knack, args: &[&str]) -> (Option<i32>, Value) {
    tell(home, &[&["trust", "import"], args].concat())
}

fn list(home: &Knack) -> Value {
    home.json(&["trust", "list"])
}

fn export(home: &Knack, name: &str, more: &[&str]) -> String {
    let file = home.file(name);
    home.json(&[&["trust", "export", "--out", &file], more].concat());
    file
}

/// A list of the keeper with key `seed`, as signed at `from`.
fn list_of(seed: u8, from: Timestamp, until: Option<Timestamp>, entries: &[(&str, TrustEntry)]) -> String {
    let mut list = TrustList::default();
    for (issuer, entry) in entries {
        list.add(issuer.parse().expect("a DID"), entry.clone()).expect("room");
    }
    let keeper = SecretKey::from_seed([seed; 32]).did();
    signed(trust_document::document(&list, &keeper, "urn:uuid:1", from, until), seed).text().to_owned()
}

fn distrusted() -> TrustEntry {
    TrustEntry { distrusted: true, ..TrustEntry::default() }
}

/// What `knack verify` says of an award, as people see it and as scripts do.
fn verified(home: &Knack, award: &str, more: &[&str]) -> (String, Value) {
    let args = [&["verify", award], more].concat();
    let report = finish(home.command(&args).arg("--json")).ok().json();
    (home.run(&args).ok().stdout, report)
}

#[test]
fn an_issuer_is_recognised_for_the_skills_that_a_followed_list_names() {
    let [school, chamber, employer] = Knack::cast(["school", "chamber", "employer"]);
    let [rust, sql] = ["rust", "sql"].map(|skill| school.issue(&employer, skill, 4));
    chamber.json(&["trust", "add", &school.did(), "--name", "School", "--skill", "rust", "--skill", "Rust"]);
    chamber.json(&["trust", "add", MILL, "--distrust"]);
    let file = export(&chamber, "list.json", &["--name", "Chamber of Crafts"]);
    let keeper = chamber.did();

    // Nobody has said that this keeper is to be followed.
    let (code, report) = import(&employer, &[&file]);
    assert_eq!((code, &report["accepted"], &report["followed"]), (Some(5), &json!(false), &json!(false)));
    assert_eq!(
        (&report["keeper"], &report["name"]),
        (&json!(keeper), &json!("Chamber of Crafts")),
        "{report:#}"
    );
    assert_eq!(list(&employer), json!([]));
    let refused = employer.run(&["trust", "import", &file]);
    assert!(refused.stderr.contains(&format!("--from {keeper}")), "it says what to do: {refused:?}");
    let (code, report) = import(&employer, &[&file, "--from", &keeper, "--dry-run"]);
    assert_eq!((code, &report["accepted"], &report["followed"]), (Some(0), &json!(true), &json!(false)));
    assert_eq!(report["changes"].as_array().map(Vec::len), Some(2), "{report:#}");
    assert_eq!(list(&employer), json!([]), "it was dry");

    let (code, report) = import(&employer, &[&file, "--from", &keeper]);
    assert_eq!((code, &report["followed"], &report["entries"]), (Some(0), &json!(true), &json!(2)));
    assert!(report["changes"].as_array().expect("rows").iter().all(|row| row["change"] == "added"));
    let rows = list(&employer);
    let row = rows.as_array().expect("rows").iter().find(|row| row["issuer"] == school.did().as_str());
    let row = row.expect("the school is listed");
    assert_eq!(row["skills"].as_array().map(Vec::len), Some(1), "{row:#}");
    assert_eq!((&row["name"], &row["own"]), (&json!("School"), &json!(false)));
    assert_eq!(
        (&row["from"][0]["keeper"], &row["from"][0]["list"]),
        (&json!(keeper), &json!("Chamber of Crafts"))
    );
    assert!(text(&row["from"][0]["imported"]).starts_with("20"), "{row:#}");
    let shown = employer.run(&["trust", "list"]).ok().stdout;
    for said in ["Chamber of Crafts", "Rust alone", "recognised", "distrusted"] {
        assert!(shown.contains(said), "{said}: {shown}");
    }

    let (shown, report) = verified(&employer, &rust, &[]);
    assert_eq!(report["recognised"], true, "{report:#}");
    assert_eq!(report["trust"][0]["from"][0]["keeper"], keeper.as_str(), "{report:#}");
    assert!(
        shown.contains("recognised for Rust alone, by the list of") && shown.contains("(Chamber of Crafts)"),
        "{shown}"
    );
    let (shown, report) = verified(&employer, &sql, &[]);
    assert_eq!((&report["verified"], &report["recognised"]), (&json!(true), &json!(false)), "{report:#}");
    assert!(
        report["reasons"].as_array().expect("reasons").iter().any(|r| r["code"] == "issuer-out-of-scope")
    );
    assert!(shown.contains("but not for all that it states"), "{shown}");
    assert!(shown.contains("recognised for Rust alone, by the list of"), "{shown}");

    // With the list named on the command line it is the same, and with what the home prints.
    let printed = write(&employer, "rows.json", list(&employer).to_string());
    let other = Knack::new("other");
    for (named, whose) in [(&file, "by the list of"), (&printed, "by the list that you named")] {
        for (award, recognised) in [(&rust, true), (&sql, false)] {
            let (shown, report) = verified(&other, award, &["--trust", named]);
            assert_eq!(report["recognised"], recognised, "{named}: {report:#}");
            assert!(shown.contains(&format!("recognised for Rust alone, {whose}")), "{shown}");
        }
    }

    // What came from the keeper goes with it, and nothing else does.
    employer.json(&["trust", "add", ACADEMY]);
    let left = employer.json(&["trust", "remove", "--from", &keeper]);
    assert_eq!(
        left.as_array().map(|rows| rows.iter().map(|row| text(&row["issuer"])).collect()),
        Some(vec![ACADEMY.to_owned()])
    );
    assert_eq!(verified(&employer, &rust, &[]).1["recognised"], false);
    let (code, error) = tell(&employer, &["trust", "remove", "--from", &keeper]);
    assert_eq!(code, Some(1));
    assert!(text(&error["error"]["message"]).contains("no list of"), "{error}");
}

#[test]
fn each_form_of_a_list_is_followed() {
    let [chamber, employer] = Knack::cast(["chamber", "employer"]);
    chamber.json(&["trust", "add", ACADEMY, "--skill", "rust"]);
    let keeper = chamber.did();
    for format in ["eddsa-jcs-2022", "vc-jwt"] {
        let file = export(&chamber, format, &["--format", format]);
        let (code, report) = import(&employer, &[&file, "--from", &keeper]);
        assert_eq!((code, &report["followed"]), (Some(0), &json!(true)), "{format}: {report:#}");
        employer.json(&["trust", "remove", "--from", &keeper]);
    }
    let printed = chamber.json(&["trust", "export"]);
    assert_eq!(printed["issuer"], keeper.as_str(), "without a file it is printed: {printed:#}");
    assert_eq!(chamber.json(&["trust", "export", "--format", "vc-jwt"])["format"], "vc-jwt");
    let (code, error) = tell(&employer, &["trust", "export"]);
    assert_eq!(code, Some(1), "there is nothing to export: {error}");
}

#[test]
fn only_what_its_keeper_signed_is_followed() {
    let home = Knack::new("home");
    let keeper = SecretKey::from_seed([6; 32]).did();
    let (hour, at) = (3_600_000, now());
    let good = list_of(6, at, None, &[(ACADEMY, TrustEntry::default())]);
    let mut changed: Value = serde_json::from_str(&good).expect("JSON");
    changed["credentialSubject"]["entries"][0]["issuer"] = json!(MILL);
    let mut unsigned: Value = serde_json::from_str(&good).expect("JSON");
    unsigned.as_object_mut().expect("an object").remove("proof");
    let mut award: Value = serde_json::from_str(&good).expect("JSON");
    award["type"] = json!(["VerifiableCredential"]);
    award.as_object_mut().expect("an object").remove("proof");
    let award = signed(award.as_object().expect("an object").clone(), 6);
    let another = SecretKey::from_seed([7; 32]).did();
    for (name, list, from, reason) in [
        ("changed", changed.to_string(), &keeper, "not verified"),
        ("unsigned", unsigned.to_string(), &keeper, "not verified"),
        ("ended", list_of(6, minus(at, 2 * hour), Some(minus(at, hour)), &[]), &keeper, "expired"),
        ("another kind", award.text().to_owned(), &keeper, "no trust list"),
        ("rows", list(&home).to_string(), &keeper, "object is expected"),
        ("another's", good.clone(), &another, "not by"),
    ] {
        let file = write(&home, "list.json", list);
        for more in [&["--dry-run"][..], &[]] {
            let (code, error) = import(&home, &[&[file.as_str(), "--from", from.as_str()], more].concat());
            assert_eq!(code, Some(3), "{name}: {error}");
            assert!(text(&error["error"]["message"]).contains(reason), "{name}: {error}");
        }
        assert_eq!(list_rows(&home), 0, "{name}");
    }
    home.json(&["trust", "add", keeper.as_str(), "--distrust"]);
    let file = write(&home, "list.json", good);
    assert_eq!(import(&home, &[&file, "--from", keeper.as_str()]).0, Some(5), "its keeper is distrusted");
    home.json(&["trust", "remove", keeper.as_str()]);
    assert_eq!(import(&home, &[&file, "--from", keeper.as_str()]).0, Some(0));
}

#[test]
fn a_list_is_followed_from_the_address_where_its_keeper_publishes_it() {
    let (site, home) = (Site::new(), Knack::new("home"));
    site.trusted_by(&home);
    let (keeper, url) = (site.did(), site.server.url("/list.json"));
    let publish = |at: Timestamp, entry: TrustEntry| {
        let mut list = TrustList::default();
        list.add(ACADEMY.parse().expect("a DID"), entry).expect("room");
        let document = trust_document::document(&list, &keeper, "urn:uuid:1", at, None);
        let signed = issuing::sign(document, Format::VcJwt, &site.signer(), at).expect("signed");
        site.put("/list.json", signed.text());
    };
    publish(minus(now(), 5000), TrustEntry::default());
    let (code, report) = import(&home, &[&url, "--from", keeper.as_str()]);
    assert_eq!((code, &report["keeper"]), (Some(0), &json!(keeper.as_str())), "{report:#}");
    assert!(site.asked().contains(&"/.well-known/did.json".to_owned()), "the keys are its own to publish");
    publish(now(), distrusted());
    assert_eq!(import(&home, &[&url, "--offline"]).0, Some(0), "a copy that was kept");
    assert_eq!(list(&home)[0]["distrusted"], false);
    assert_eq!(import(&home, &[&url]).0, Some(0));
    assert_eq!(list(&home)[0]["distrusted"], true);
}

#[test]
fn the_owners_entry_stands_and_a_newer_list_replaces_the_older() {
    let mut home = Knack::new("home");
    let keeper = SecretKey::from_seed([6; 32]).did();
    let at = minus(now(), 10_000);
    home.json(&["trust", "add", MILL, "--distrust"]);
    let both = [(ACADEMY, TrustEntry::default()), (MILL, TrustEntry::default())];
    let first = write(&home, "first.json", list_of(6, at, None, &both));
    let (code, report) = import(&home, &[&first, "--from", keeper.as_str()]);
    assert_eq!(code, Some(0));
    let changes: Vec<String> =
        report["changes"].as_array().expect("rows").iter().map(|row| text(&row["change"])).collect();
    assert_eq!(changes, ["added", "own_stands"], "{report:#}");
    let standing = |home: &Knack, issuer: &str| {
        let rows = list(home);
        rows.as_array()
            .expect("rows")
            .iter()
            .find(|row| row["issuer"] == issuer)
            .map(|row| row["distrusted"].clone())
    };
    assert_eq!(standing(&home, MILL), Some(json!(true)), "the owner distrusts it");
    let (code, error) = tell(&home, &["trust", "remove", ACADEMY]);
    assert_eq!(code, Some(1), "it is not the owner's to remove: {error}");
    assert!(text(&error["error"]["hint"]).contains("--from"), "{error}");

    // From now on its keeper need not be named, whether a node runs or not.
    home.up(&[]);
    let second = [(ACADEMY, distrusted())];
    let second = write(&home, "second.json", list_of(6, minus(now(), 5000), None, &second));
    let (code, report) = import(&home, &[&second]);
    assert_eq!((code, &report["followed"]), (Some(0), &json!(true)), "{report:#}");
    assert_eq!(standing(&home, ACADEMY), Some(json!(true)));
    let (code, error) = import(&home, &[&first, "--from", keeper.as_str()]);
    assert_eq!(code, Some(5), "an older list could hide that: {error}");
    assert!(text(&error["error"]["message"]).contains("older"), "{error}");
    home.json(&["trust", "add", ACADEMY, "--name", "Academy"]);
    assert_eq!(standing(&home, ACADEMY), Some(json!(false)), "the owner knows better");
    home.stop();
    assert_eq!(standing(&home, ACADEMY), Some(json!(false)));
    home.json(&["trust", "remove", ACADEMY]);
    assert_eq!(standing(&home, ACADEMY), Some(json!(true)), "the list counts again");
}

#[test]
fn a_list_counts_until_it_ends_also_in_a_node_that_runs() {
    let mut home = Knack::new("home");
    let keeper = SecretKey::from_seed([6; 32]).did();
    home.up(&[]);
    let end = now().plus_ms(8000);
    let text = list_of(6, minus(now(), 5000), Some(end), &[(ACADEMY, TrustEntry::default())]);
    let file = write(&home, "list.json", text);
    assert_eq!(import(&home, &[&file, "--from", keeper.as_str()]).0, Some(0));
    assert_eq!(list_rows(&home), 1);
    until("the list has ended", || (list_rows(&home) == 0).then_some(()));
    let said = home.run(&["trust", "list"]).ok().stderr;
    assert!(said.contains("ended at") && said.contains(keeper.as_str()), "{said}");
}

#[test]
fn what_is_not_named_stays_as_it_was() {
    let home = Knack::new("home");
    let of = |home: &Knack| list(home)[0].clone();
    home.json(&["trust", "add", ACADEMY, "--name", "Academy", "--skill", "rust"]);
    home.json(&["trust", "add", ACADEMY, "--skill", "sql"]);
    let row = of(&home);
    assert_eq!(
        (&row["name"], row["skills"].as_array().map(Vec::len)),
        (&json!("Academy"), Some(1)),
        "{row:#}"
    );
    assert!(home.run(&["trust", "list"]).ok().stdout.contains("SQL alone"), "{row:#}");
    home.json(&["trust", "add", ACADEMY, "--name", "The Academy"]);
    let renamed = of(&home);
    assert_eq!(
        (&renamed["name"], &renamed["skills"]),
        (&json!("The Academy"), &row["skills"]),
        "{renamed:#}"
    );
    home.json(&["trust", "add", ACADEMY, "--distrust"]);
    let distrusted = of(&home);
    assert_eq!(
        (&distrusted["name"], &distrusted["distrusted"], &distrusted["skills"]),
        (&json!("The Academy"), &json!(true), &json!(null))
    );
    home.json(&["trust", "remove", ACADEMY]);
    home.json(&["trust", "add", ACADEMY]);
    assert_eq!(of(&home)["name"], json!(null), "it was begun anew");
}

#[test]
fn nobody_is_asked_about_what_is_no_list() {
    let site = Site::new();
    let home = Knack::new("home");
    site.trusted_by(&home);
    let award = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"], "type": ["VerifiableCredential"],
        "issuer": site.did(), "credentialSubject": {"id": ACADEMY},
        "proof": {"type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "proofPurpose": "assertionMethod",
                  "verificationMethod": format!("{}#key-1", site.did()), "proofValue": "z1"},
    });
    let file = write(&home, "award.json", award.to_string());
    let outcome = home.run(&["trust", "import", &file]);
    assert_eq!(outcome.code, Some(3), "{outcome:?}");
    assert!(outcome.stderr.contains("no trust list") && !outcome.stderr.contains("asking"), "{outcome:?}");
    assert_eq!(site.asked(), Vec::<String>::new());
}

#[test]
fn what_cannot_be_meant_is_a_usage_error() {
    let home = Knack::new("home");
    let long = "x".repeat(TRUST_NAME_BYTES_MAX + 1);
    for args in [
        &["trust", "add", ACADEMY, "--skill", "quantum basket weaving"][..],
        &["trust", "add", ACADEMY, "--skill", "rust", "--distrust"],
        &["trust", "add", ACADEMY, "--name", &long],
        &["trust", "add", ACADEMY, "--name", "two\nlines"],
        &["trust", "add", "did:key:z6Mkfoo"],
        &["trust", "add", "did:jwk:abc"],
        &["trust", "export", "--expires", "0s"],
        &["trust", "remove"],
        &["trust", "remove", ACADEMY, "--from", MILL],
        &["trust", "export", "--format", "eddsa-rdfc-2022"],
    ] {
        assert_eq!(home.run(args).code, Some(2), "{args:?}");
    }
    assert_eq!(list_rows(&home), 0);
    assert_eq!(import(&home, &[&home.file("none.json")]).0, Some(1), "no such file");
}

fn list_rows(home: &Knack) -> usize {
    list(home).as_array().expect("rows").len()
}

/// Lists state whole seconds.
fn minus(at: Timestamp, ms: u64) -> Timestamp {
    Timestamp::from_unix_ms(at.unix_ms() - ms)
}
