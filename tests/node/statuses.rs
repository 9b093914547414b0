//! Status across two nodes: what a holder staples spares the issuer the question, and a seeker asks only when told to.

use std::{fs, thread::sleep, time::Duration};

use knackmesh_protocol::{credential::Format, time::Timestamp};
use serde_json::{Value, json};

use crate::harness::{
    Knack, finish,
    site::{Site, now},
    text, until,
};

const WEEK_MS: u64 = 7 * 86_400_000;

/// A holder who has published what the site awarded, fetched when it was imported, and a seeker who holds the summary.
fn scene(site: &Site) -> (Knack, Knack) {
    let [mut holder, mut seeker] = Knack::cast(["holder", "seeker"]);
    site.trusted_by(&holder);
    site.trusted_by(&seeker);
    seeker.up(&[]);
    holder.up(seeker.listen());
    let file = holder.file("award.json");
    fs::write(&file, site.award(&holder.did(), Format::Jcs).text()).expect("written");
    let imported = holder.json(&["import", &file, "--fetch"]);
    assert_eq!(imported[0]["imported"]["credential"]["verified"], true, "{imported:#}");
    holder.json(&["publish", "--present", "anyone"]);
    seeker.knows(1);
    (holder, seeker)
}

/// The one result of a search for Rust in which the holder's node has answered.
#[track_caller]
fn search(seeker: &Knack, more: &[&str]) -> (Value, Value) {
    let report = until("the holder presents", || {
        let args = [&["query", "rust", "--deadline", "20s", "--json"], more].concat();
        let report = finish(&mut seeker.command(&args)).json();
        (report["coverage"]["presented"] == 1).then_some(report)
    });
    (report["results"][0].clone(), report)
}

/// How a check of the one credential shown came out.
fn check<'a>(result: &'a Value, name: &str) -> &'a Value {
    &result["checks"][0][name]
}

fn reason(result: &Value, name: &str) -> String {
    let reasons = result["checks"][0]["reasons"].as_array().expect("reasons");
    reasons.iter().find(|r| r["check"] == name).map_or(String::new(), |r| text(&r["code"]))
}

#[test]
fn a_stapled_status_spares_the_issuer_the_question() {
    let site = Site::keyed();
    site.publish_status(false, now());
    let (holder, seeker) = scene(&site);
    let asked = site.asked().len();
    let (result, report) = search(&seeker, &[]);
    assert_eq!((check(&result, "unrevoked"), check(&result, "fresh")), (&json!("PASS"), &json!("PASS")));
    assert_eq!((&result["verified"], &result["holder"]), (&json!(true), &json!(holder.did())), "{report:#}");
    assert_eq!(report["fetched"], json!([]), "nothing was lacking");
    // Nor is anybody asked when it is allowed and there is no need.
    let (result, _) = search(&seeker, &["--fetch"]);
    assert_eq!(result["verified"], true);
    assert_eq!(site.asked().len(), asked, "{:?}", site.asked());

    // What the holder fetches anew is what its running node staples from then on.
    site.publish_status(true, now());
    assert_eq!(holder.json(&["credentials", "--fetch"])[0]["unrevoked"], "FAIL");
    let (result, report) = search(&seeker, &[]);
    assert_eq!(
        (check(&result, "unrevoked"), reason(&result, "unrevoked").as_str()),
        (&json!("FAIL"), "revoked")
    );
    assert_eq!(
        (&result["verified"], &result["claims"][0]["proven"]),
        (&json!(false), &json!(false)),
        "{report:#}"
    );
    let strict = seeker.query("rust tier:issuer");
    assert_eq!(strict["results"], json!([]), "{strict:#}");
    assert!(text(&strict["withheld"][0]["reason"]).contains("revoked"), "{strict:#}");
}

#[test]
fn a_stale_status_is_called_so_and_is_asked_for_when_the_seeker_allows_it() {
    let site = Site::keyed();
    site.publish_status(false, Timestamp::from_unix_ms(now().unix_ms() - WEEK_MS));
    let (_holder, seeker) = scene(&site);
    let asked = site.asked().len();
    let (result, report) = search(&seeker, &[]);
    assert_eq!(
        (check(&result, "fresh"), &result["verified"]),
        (&json!("STALE"), &json!(false)),
        "{report:#}"
    );
    assert_eq!(report["fetched"][0]["url"], site.server.url("/status"), "{report:#}");
    assert_eq!(report["fetched"][0]["problem"]["code"], "offline", "{report:#}");
    let said = seeker.run(&["query", "rust", "--deadline", "20s"]).ok().stdout;
    assert!(said.contains("add --fetch to ask localhost:"), "{said}");
    let strict = seeker.query("rust tier:issuer");
    assert!(text(&strict["withheld"][0]["reason"]).contains("older than accepted"), "{strict:#}");
    assert_eq!(site.asked().len(), asked, "{:?}", site.asked());

    let (result, report) = search(&seeker, &["--fetch"]);
    assert_eq!((check(&result, "fresh"), &result["verified"]), (&json!("PASS"), &json!(true)), "{report:#}");
    assert_eq!(report["fetched"][0]["from_cache"], false, "{report:#}");
    assert_eq!(site.asked()[asked..], ["/status".to_owned()]);
    // What was fetched is remembered, and nobody is asked again.
    let (result, report) = search(&seeker, &[]);
    assert_eq!((&result["verified"], &report["fetched"][0]["from_cache"]), (&json!(true), &json!(true)));
    assert_eq!(site.asked().len(), asked + 1);
}

#[test]
fn an_absent_status_is_asked_for_and_a_server_that_is_silent_is_told() {
    let mut site = Site::keyed();
    site.publish_status(false, now());
    let (mut holder, seeker) = scene(&site);
    // The holder's node forgets what it would staple.
    assert!(holder.stop().success());
    fs::remove_dir_all(holder.home().join("cache")).expect("a cache");
    holder.up(seeker.listen());
    let (result, _) = search(&seeker, &[]);
    assert_eq!(reason(&result, "unrevoked"), "status-not-checked", "{result:#}");
    site.publish_status(true, now());
    let (result, _) = search(&seeker, &["--fetch"]);
    assert_eq!((reason(&result, "unrevoked").as_str(), &result["verified"]), ("revoked", &json!(false)));

    fs::remove_dir_all(seeker.home().join("cache")).expect("a cache");
    site.server.stop();
    let (result, report) = search(&seeker, &["--fetch"]);
    assert_eq!(reason(&result, "unrevoked"), "status-not-checked", "{result:#}");
    assert_eq!(report["fetched"][0]["problem"]["code"], "unreachable", "{report:#}");
}

#[test]
fn the_keys_of_an_organisation_are_asked_for_only_when_the_seeker_allows_it() {
    let site = Site::new();
    site.publish_status(false, now());
    let (_holder, seeker) = scene(&site);
    let asked = site.asked().len();
    let (result, report) = search(&seeker, &[]);
    assert_eq!((check(&result, "untampered"), &result["verified"]), (&json!("NOT_CHECKED"), &json!(false)));
    assert_eq!(site.asked().len(), asked, "{report:#}");
    let (result, report) = search(&seeker, &["--fetch"]);
    assert_eq!(
        (check(&result, "untampered"), &result["verified"]),
        (&json!("PASS"), &json!(true)),
        "{report:#}"
    );
    assert_eq!(check(&result, "fresh"), "PASS", "{report:#}");
    let why = seeker.json(&["why"]);
    assert_eq!(why["result"]["verified"], true, "{why:#}");
}

#[test]
fn a_node_fetches_the_status_of_its_own_credentials_again_where_its_settings_say_so() {
    let site = Site::keyed();
    site.publish_status(false, now());
    let (mut holder, seeker) = scene(&site);
    let asked = site.asked().len();
    sleep(Duration::from_millis(1500));
    assert_eq!(site.asked().len(), asked, "never by default");
    assert!(holder.stop().success());
    site.trusted_with(&holder, "refresh_status = \"1s\"");
    holder.up(seeker.listen());
    site.publish_status(true, now());
    until("the node asks how its credential stands", || (site.asked().len() > asked).then_some(()));
    until("the node staples what it learnt", || {
        let (result, _) = search(&seeker, &[]);
        (reason(&result, "unrevoked") == "revoked").then_some(())
    });
}
