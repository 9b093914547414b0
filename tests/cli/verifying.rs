//! `knack verify` of each form, with what issuers publish, and without.

use std::{thread::sleep, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use knackmesh_protocol::{
    credential::{
        Credential, Format, Securing, Signer, data_integrity::Binding, presentation, trust_document,
    },
    credential::{TrustEntry, TrustList},
    jose::sd_jwt::KeyBinding,
    key::{SecretKey, SigningKey, VerifyingKey},
    time::Timestamp,
};
use serde_json::{Map, Value, json};

use crate::{
    harness::site::{Site, issuance, now, signed},
    harness::{Knack, Outcome, finish, knack, text},
    importing::write,
};

const HOLDER: u8 = 2;

fn holder() -> SigningKey {
    SecretKey::from_seed([HOLDER; 32]).into()
}

fn ada() -> String {
    holder().did().to_string()
}

/// Runs `knack verify --json`; its exit code and what it printed.
#[track_caller]
fn verify(home: &Knack, args: &[&str]) -> (Option<i32>, Value) {
    let outcome = finish(home.command(&[&["verify"], args].concat()).arg("--json"));
    (outcome.code, outcome.json())
}

fn reason(row: &Value, check: &str) -> String {
    let reasons = row["reasons"].as_array().expect("reasons");
    let found = reasons.iter().find(|reason| reason["check"] == check);
    found.map_or(String::new(), |reason| text(&reason["code"]))
}

/// A site that has awarded Ada a credential, the file that holds it, and a home that fetches from there.
fn scene(format: Format) -> (Site, Knack, String) {
    let (site, home) = (Site::new(), Knack::new("home"));
    site.trusted_by(&home);
    let file = write(&home, "award", site.award(&ada(), format).text());
    (site, home, file)
}

#[test]
fn what_a_credential_needs_is_fetched_and_told() {
    for (format, name) in
        [(Format::Jcs, "eddsa-jcs-2022"), (Format::VcJwt, "vc+jwt"), (Format::SdJwt, "dc+sd-jwt")]
    {
        let (site, home, file) = scene(format);
        site.publish_status(false, now());
        let outcome = finish(home.command(&["verify", &file]).arg("--json"));
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        let report = outcome.json();
        assert_eq!((&report["kind"], &report["format"]), (&json!("credential"), &json!(name)), "{report:#}");
        for check in ["untampered", "unrevoked", "unexpired", "fresh"] {
            assert_eq!(report[check], "PASS", "{check}: {report:#}");
        }
        assert_eq!((&report["verified"], &report["recognised"]), (&json!(true), &json!(false)));
        assert_eq!(reason(&report, "trusted_issuer"), "issuer-unlisted");
        // Whom it asked, before and after.
        assert!(outcome.stderr.contains("asking localhost:"), "{outcome:?}");
        assert!(outcome.stderr.contains("learns that somebody verifies"), "{outcome:?}");
        let fetched = report["fetched"].as_array().expect("a list");
        let kinds: Vec<String> = fetched.iter().map(|row| text(&row["kind"])).collect();
        assert_eq!(kinds, ["did-document", "status-list", "did-configuration"], "{report:#}");
        assert!(fetched[1]["age_seconds"].as_u64().is_some_and(|age| age < 60), "{report:#}");
        assert_eq!(site.asked().len(), 3);
        // Copies are fresh enough: the issuer is asked no more for what it publishes.
        let (code, again) = verify(&home, &[&file]);
        assert_eq!((code, &again["fetched"][1]["from_cache"]), (Some(0), &json!(true)), "{again:#}");
    }
}

#[test]
fn a_revoked_credential_is_not_verified() {
    let (site, home, file) = scene(Format::Jcs);
    site.publish_status(true, now());
    let (code, report) = verify(&home, &[&file]);
    assert_eq!((code, &report["unrevoked"]), (Some(3), &json!("FAIL")), "{report:#}");
    assert_eq!(reason(&report, "unrevoked"), "revoked");
    assert!(home.run(&["verify", &file]).stdout.contains("its issuer revoked it"));
}

#[test]
fn a_status_is_asked_for_again_as_soon_as_its_issuer_wants() {
    let (site, home, file) = scene(Format::Jcs);
    site.publish_status_for(false, now(), Some(1000));
    assert_eq!(verify(&home, &[&file]).0, Some(0));
    site.publish_status_for(true, now(), Some(1000));
    sleep(Duration::from_millis(1100));
    let (code, report) = verify(&home, &[&file]);
    assert_eq!((code, reason(&report, "unrevoked").as_str()), (Some(3), "revoked"), "{report:#}");
    assert_eq!(report["fetched"].as_array().map(Vec::len), Some(3), "each thing is told once: {report:#}");
}

#[test]
fn a_server_that_is_down_leaves_a_status_of_its_true_age() {
    let (mut site, home, file) = scene(Format::Jcs);
    site.publish_status(false, now());
    assert_eq!(verify(&home, &[&file]).0, Some(0));
    site.server.stop();
    sleep(Duration::from_millis(2100));
    let (code, report) = verify(&home, &[&file, "--max-status-age", "1s"]);
    assert_eq!(code, Some(3), "{report:#}");
    assert_eq!((&report["fresh"], &report["unrevoked"]), (&json!("STALE"), &json!("STALE")));
    let list = &report["fetched"][1];
    assert_eq!((&list["kind"], &list["from_cache"]), (&json!("status-list"), &json!(true)), "{report:#}");
    assert!(list["age_seconds"].as_u64().is_some_and(|age| (2..60).contains(&age)), "{list}");
    assert_eq!(list["problem"]["code"], "unreachable", "{list}");
    // Within the age that is accepted, the copy counts; offline, nobody is asked.
    assert_eq!(verify(&home, &[&file]).0, Some(0));
    let offline = home.run(&["verify", &file, "--offline", "--max-status-age", "1s"]);
    assert_eq!(offline.code, Some(3), "{offline:?}");
    assert!(offline.stdout.contains("STALE") && !offline.stderr.contains("asking"), "{offline:?}");
}

#[test]
fn offline_asks_nobody_and_passes_nothing_that_was_not_checked() {
    let (site, home, file) = scene(Format::Jcs);
    site.publish_status(false, now());
    let (code, report) = verify(&home, &[&file, "--offline"]);
    assert_eq!((code, &report["untampered"]), (Some(3), &json!("NOT_CHECKED")), "{report:#}");
    assert_eq!(report["fresh"], "NOT_CHECKED");
    assert_eq!(site.asked(), Vec::<String>::new());
}

#[test]
fn a_status_list_that_one_has_counts_by_its_own_age() {
    let (site, home, file) = scene(Format::Jcs);
    let fresh = write(&home, "fresh.json", site.publish_status(false, now()));
    let week = Timestamp::from_unix_ms(now().unix_ms() - 7 * 86_400_000);
    let old = write(&home, "old.json", site.publish_status(false, week));
    site.answer("/status", crate::harness::https::Answer::status(500));
    let (code, report) = verify(&home, &[&file, "--status-list", &fresh]);
    assert_eq!((code, &report["fresh"]), (Some(0), &json!("PASS")), "{report:#}");
    let (code, report) = verify(&home, &[&file, "--status-list", &old]);
    assert_eq!((code, &report["fresh"]), (Some(3), &json!("STALE")), "{report:#}");
    let longer = verify(&home, &[&file, "--status-list", &old, "--max-status-age", "30d"]);
    assert_eq!(longer.0, Some(0), "{:#}", longer.1);
    let none = finish(home.command(&["verify", &file, "--status-list", &file]).arg("--json"));
    assert_eq!(none.code, Some(3), "{none:?}");
    assert_eq!(none.json()["unused"][0]["code"], "status-list-malformed", "{none:?}");
}

#[test]
fn an_organisation_is_who_its_domain_says() {
    let (site, home, file) = scene(Format::Jcs);
    site.publish_status(false, now());
    let domain = site.did().as_str().trim_start_matches("did:web:").replace("%3A", ":");
    let (code, report) = verify(&home, &[&file]);
    assert_eq!((code, &report["organisations"][0]["linked"]), (Some(0), &json!(false)), "{report:#}");
    assert_eq!(verify(&home, &[&file, "--organisation", &domain]).0, Some(3));
    site.link(&site.signer());
    let (code, report) = verify(&home, &[&file, "--organisation", &domain]);
    assert_eq!((code, &report["organisations"][0]["linked"]), (Some(0), &json!(true)), "{report:#}");
    assert_eq!(report["organisations"][0]["domain"], domain);
    let said = home.run(&["verify", &file, "--organisation", site.did().as_str()]).ok().stdout;
    assert!(said.contains(&format!("organisation: {domain} (domain linkage verified)")), "{said}");
    // A did:key can be the organisation's as well, and only the one that its domain names.
    let own = issuance(holder().did(), &ada(), Vec::new());
    let own = own.sign(&Signer::of_key(holder()), Format::Jcs, now()).expect("issued");
    let own = write(&home, "own.json", own.text());
    assert_eq!(verify(&home, &[&own, "--organisation", &domain, "--max-status-age", "1h"]).0, Some(3));
    assert_eq!(home.run(&["verify", &file, "--organisation", "no domain"]).code, Some(2));
}

#[test]
fn what_is_served_at_an_address_is_verified() {
    let (site, home, _) = scene(Format::Jcs);
    site.publish_status(false, now());
    site.put("/awards/17", site.award(&ada(), Format::VcJwt).text());
    let (code, report) = verify(&home, &[&site.server.url("/awards/17")]);
    assert_eq!((code, &report["format"]), (Some(0), &json!("vc+jwt")), "{report:#}");
    for (url, code) in [
        (site.server.url("/awards/18"), 6),
        ("http://school.example/award".to_owned(), 2),
        ("https://127.0.0.1:1/award".to_owned(), 6),
    ] {
        let outcome = home.run(&["verify", &url]);
        assert_eq!(outcome.code, Some(code), "{url}: {outcome:?}");
        assert!(outcome.stderr.contains("try:"), "{outcome:?}");
    }
}

/// Credentials of Ada's, presented for `challenge` and `domain`.
fn present(home: &Knack, credentials: &[&Credential], format: Format, name: &str) -> String {
    let binding = Binding::presentation("4fd1c0", "shop.example");
    let signer = Signer::of_key(holder());
    let text = match (format, credentials) {
        (Format::SdJwt, [credential]) => {
            let Securing::SdJwt(vc) = credential.securing() else { panic!("no SD-JWT") };
            let binding = KeyBinding { audience: "shop.example", nonce: "4fd1c0", issued: now() };
            vc.sd_jwt().select(|_| true).bind(&binding, &holder()).expect("bound")
        }
        _ => presentation::sign(&signer, credentials, &binding, format, now()).expect("signed"),
    };
    write(home, name, &text)
}

#[test]
fn a_presentation_is_verified_with_its_binding_or_says_that_it_was_not() {
    let (site, home, _) = scene(Format::Jcs);
    site.publish_status(false, now());
    for (format, name) in
        [(Format::Jcs, "eddsa-jcs-2022"), (Format::VcJwt, "vp+jwt"), (Format::SdJwt, "dc+sd-jwt+kb")]
    {
        let file = present(&home, &[&site.award(&ada(), format)], format, "shown");
        let bound = ["--challenge", "4fd1c0", "--domain", "shop.example"];
        let (code, report) = verify(&home, &[&[file.as_str()], &bound[..]].concat());
        assert_eq!((code, &report["kind"]), (Some(0), &json!("presentation")), "{report:#}");
        let row = &report["presentation"];
        assert_eq!((&row["binding"], &row["format"]), (&json!("PASS"), &json!(name)), "{report:#}");
        assert_eq!(row["holder"], ada());
        assert_eq!(report["credentials"][0]["trusted_holder"], "PASS", "{report:#}");
        // Without, it is told, and nothing is said of who holds it.
        let (code, report) = verify(&home, &[&file]);
        assert_eq!(
            (code, &report["presentation"]["binding"]),
            (Some(0), &json!("NOT_CHECKED")),
            "{report:#}"
        );
        let credential = &report["credentials"][0];
        assert_eq!(credential["trusted_holder"], "NOT_APPLICABLE");
        assert_eq!(reason(credential, "trusted_holder"), "binding-not-checked");
        assert!(credential["labels"].as_array().expect("labels").contains(&json!("binding-not-checked")));
        for wrong in [["4fd1c1", "shop.example"], ["4fd1c0", "shop.test"]] {
            let (code, report) = verify(&home, &[&file, "--challenge", wrong[0], "--domain", wrong[1]]);
            assert_eq!((code, &report["verified"]), (Some(3), &json!(false)), "{report:#}");
            assert_eq!(report["presentation"]["binding"], "FAIL", "{report:#}");
        }
    }
}

#[test]
fn a_presentation_of_what_is_anothers_or_revoked_is_not_verified() {
    let (site, home, bare) = scene(Format::Jcs);
    site.publish_status(false, now());
    let others = site.award(SecretKey::from_seed([4; 32]).did().as_str(), Format::Jcs);
    let own = site.award(&ada(), Format::Jcs);
    let file = present(&home, &[&own, &others], Format::Jcs, "mixed");
    let bound = ["--challenge", "4fd1c0", "--domain", "shop.example"];
    for more in [&bound[..], &[]] {
        let (code, report) = verify(&home, &[&[file.as_str()], more].concat());
        assert_eq!(code, Some(3), "{report:#}");
        assert_eq!(report["credentials"][0]["verified"], true, "{report:#}");
        assert_eq!(reason(&report["credentials"][1], "trusted_holder"), "not-the-subject", "{report:#}");
    }
    // Whoever expects a presentation is not content with a copy of a credential.
    let outcome = home.run(&[&["verify", bare.as_str()], &bound[..]].concat());
    assert_eq!(outcome.code, Some(3), "{outcome:?}");
    assert!(outcome.stderr.contains("a presentation was expected"), "{outcome:?}");
    assert_eq!(home.run(&["verify", &bare, "--challenge", "4fd1c0"]).code, Some(2));
    // A revoked one in a presentation fails, whoever holds it.
    let fresh = Knack::new("another verifier");
    site.trusted_by(&fresh);
    site.publish_status(true, now());
    let file = present(&home, &[&own], Format::Jcs, "revoked");
    assert_eq!(verify(&fresh, &[&[file.as_str()], &bound[..]].concat()).0, Some(3));
}

/// A learner record of these credentials, by the key of seed 5.
fn record(held: Vec<Value>) -> Credential {
    let document = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential", "ClrCredential"],
        "name": "Transcript",
        "credentialSubject": {"id": ada(), "type": ["ClrSubject"], "verifiableCredential": held},
    });
    let Value::Object(document) = document else { panic!("an object") };
    signed(document, 5)
}

#[test]
fn a_learner_record_is_verified_one_by_one() {
    let (site, home, _) = scene(Format::Jcs);
    site.publish_status(false, now());
    let (whole, token) = (site.award(&ada(), Format::Jcs), site.award(&ada(), Format::VcJwt));
    let good = record(vec![Value::Object(whole.document().clone()), json!(token.text())]);
    let (code, report) = verify(&home, &[&write(&home, "record.json", good.text())]);
    assert_eq!((code, &report["kind"]), (Some(0), &json!("learner_record")), "{report:#}");
    let inner: Vec<&Value> = report["credentials"].as_array().expect("rows").iter().collect();
    assert_eq!(
        inner.iter().map(|row| text(&row["format"])).collect::<Vec<_>>(),
        ["eddsa-jcs-2022", "vc+jwt"]
    );
    let mut changed = whole.document().clone();
    changed.insert("name".into(), json!("Everything"));
    let bad = record(vec![Value::Object(changed), json!("no credential")]);
    let (code, report) = verify(&home, &[&write(&home, "bad.json", bad.text())]);
    assert_eq!(
        (code, &report["verified"]),
        (Some(3), &json!(true)),
        "the record itself is as signed: {report:#}"
    );
    assert_eq!(report["credentials"][0]["untampered"], "FAIL");
    assert_eq!(report["unread"].as_array().map(Vec::len), Some(1), "{report:#}");
}

/// An Open Badge as a token for Ada, by an issuer and a key that are URLs, as badge platforms make them.
fn badge_of_urls(issuer: &str, kid: &str) -> String {
    let key: SigningKey = SecretKey::from_seed([1; 32]).into();
    let mut claims = issuance(key.did(), &ada(), Vec::new()).document();
    claims["issuer"]["id"] = json!(issuer);
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = json!({"alg": "EdDSA", "typ": "vc+jwt", "kid": kid});
    let input = format!("{}.{}", part(header), part(Value::Object(claims)));
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(key.sign(input.as_bytes())))
}

#[test]
fn a_key_at_a_url_is_fetched_and_is_the_issuers_where_the_issuer_says_so() {
    let (site, home) = (Site::new(), Knack::new("home"));
    site.trusted_by(&home);
    let key = SecretKey::from_seed([1; 32]);
    let jwk = Value::Object(VerifyingKey::from(key.public()).to_jwk());
    let issuer = site.server.url("/issuers/7");
    site.put("/issuers/7/key", &jwk.to_string());
    site.put("/keys/1", &jwk.to_string());
    let own = write(&home, "own", badge_of_urls(&issuer, &format!("{issuer}/key")));

    let (code, offline) = verify(&home, &[&own, "--offline"]);
    assert_eq!((code, reason(&offline, "untampered").as_str()), (Some(3), "key-unresolved"), "{offline:#}");
    assert_eq!(site.asked(), Vec::<String>::new());

    let (code, report) = verify(&home, &[&own]);
    assert_eq!((code, &report["untampered"], &report["verified"]), (Some(0), &json!("PASS"), &json!(true)));
    assert_eq!(
        reason(&report, "trusted_issuer"),
        "issuer-not-a-did",
        "verified is not recognised: {report:#}"
    );
    assert_eq!(report["fetched"][0]["kind"], "keys", "{report:#}");
    assert_eq!(site.asked(), ["/issuers/7/key"]);

    // A key elsewhere on the host could be anybody's, until the issuer's own page names it.
    let elsewhere = site.server.url("/keys/1");
    let other = write(&home, "other", badge_of_urls(&issuer, &elsewhere));
    let (code, report) = verify(&home, &[&other]);
    assert_eq!((code, reason(&report, "untampered").as_str()), (Some(3), "key-unresolved"), "{report:#}");
    assert!(!site.asked().contains(&"/keys/1".to_owned()), "{:?}", site.asked());
    site.put("/issuers/7", &json!({"id": issuer, "type": "Profile", "jwks_uri": elsewhere}).to_string());
    let (code, report) = verify(&home, &[&other]);
    assert_eq!((code, &report["verified"]), (Some(0), &json!(true)), "{report:#}");

    // Another key is published in its place: the badge is no longer what its issuer signs.
    let swapped = Value::Object(holder().public().to_jwk());
    site.put("/issuers/8/key", &swapped.to_string());
    let issuer = site.server.url("/issuers/8");
    let forged = write(&home, "forged", badge_of_urls(&issuer, &format!("{issuer}/key")));
    let (code, report) = verify(&home, &[&forged]);
    assert_eq!((code, reason(&report, "untampered").as_str()), (Some(3), "jws-signature"), "{report:#}");
}

#[test]
fn a_trust_list_is_followed_when_it_is_verified() {
    let (site, home, file) = scene(Format::Jcs);
    site.publish_status(false, now());
    let mut list = TrustList::default();
    list.add(site.did(), TrustEntry::default()).expect("room");
    let keeper = SecretKey::from_seed([6; 32]);
    let document = trust_document::document(&list, &keeper.did(), "urn:uuid:1", now(), None);
    let kept = signed(document, 6);
    let recognises = |name: &str, text: &str| {
        let file = [file.as_str(), "--trust", &write(&home, name, text)].map(str::to_owned);
        let args: Vec<&str> = file.iter().map(String::as_str).collect();
        let outcome = finish(home.command(&[&["verify"], args.as_slice()].concat()).arg("--json"));
        (outcome.code, outcome.json()["recognised"].clone())
    };
    assert_eq!(recognises("signed.json", kept.text()), (Some(0), json!(true)));
    let mut other: Map<String, Value> = kept.document().clone();
    other["credentialSubject"]["entries"][0]["name"] = json!("Another");
    assert_eq!(recognises("changed.json", &Value::Object(other).to_string()).0, Some(3));
    assert_eq!(recognises("none.json", "[1]").0, Some(1));
    home.json(&["trust", "add", site.did().as_str()]);
    let listed = home.json(&["trust", "list"]);
    home.json(&["trust", "remove", site.did().as_str()]);
    assert_eq!(recognises("listed.json", &listed.to_string()), (Some(0), json!(true)));
    // The home's own list is used where none is named.
    home.json(&["trust", "add", site.did().as_str()]);
    assert_eq!(verify(&home, &[&file]).1["recognised"], true);
}

#[test]
fn without_a_home_nothing_is_kept_and_verification_works() {
    let credential = issuance(holder().did(), &ada(), Vec::new());
    let credential = credential.sign(&Signer::of_key(holder()), Format::Jcs, now()).expect("issued");
    let home = Knack::new("elsewhere");
    let file = write(&home, "own.json", credential.text());
    let nowhere = home.file("nowhere");
    let run = |args: &[&str]| -> Outcome { finish(knack().args(["--home", &nowhere]).args(args)) };
    let own = run(&["verify", &file, "--json"]).ok().json();
    assert_eq!(own["labels"], json!(["claimed-only"]), "one's own word: {own:#}");
    let (_site, _other, award) = scene(Format::Jcs);
    let offline = run(&["verify", &award, "--offline"]);
    assert_eq!(offline.code, Some(3), "{offline:?}");
    // The rules for strangers' URLs hold: this machine is not asked.
    let loopback = run(&["verify", &award]);
    assert_eq!(loopback.code, Some(3), "{loopback:?}");
    assert!(!std::path::Path::new(&nowhere).exists());
}
