//! `knack present`, and the record of it that the holder keeps.

use knackmesh_protocol::credential::Format;
use serde_json::{Value, json};

use crate::{
    harness::{
        Knack, finish,
        site::{Site, now},
        text,
    },
    importing::write,
};

const VERIFIER: &str = "https://verifier.example";

/// A credential of the school for the holder, in this form, imported.
fn award(school: &Knack, holder: &Knack, skill: &str, format: &str) {
    let file = holder.file(&format!("{skill}-{format}"));
    let did = holder.did();
    let what = ["issue", "--to", &did, "--skill", skill, "--level", "4", "--format", format, "--out", &file];
    school.json(&what);
    holder.json(&["import", &file]);
}

const FOR_VERIFIER: [&str; 5] = ["present", "--challenge", "n-0S6", "--domain", VERIFIER];

fn present(holder: &Knack, more: &[&str]) -> Value {
    holder.json(&[&FOR_VERIFIER[..], more].concat())
}

#[test]
fn a_presentation_of_sd_jwts_passes_over_what_is_none() {
    let [school, holder] = Knack::cast(["school", "holder"]);
    award(&school, &holder, "rust", "eddsa-jcs-2022");
    let refused = holder.run(&[&FOR_VERIFIER[..], &["--skill", "rust", "--format", "sd-jwt"]].concat());
    assert_eq!(refused.code, Some(5), "{refused:?}");
    assert!(refused.stderr.contains("no credential about you that states that is an SD-JWT"), "{refused:?}");
    assert_eq!(holder.json(&["disclosures"]), json!([]), "nothing was shown");

    award(&school, &holder, "rust", "sd-jwt");
    award(&school, &holder, "haskell", "sd-jwt");
    let shown = present(&holder, &["--skill", "rust", "--format", "sd-jwt"]);
    assert_eq!(shown.as_array().map(Vec::len), Some(1), "{shown:#}");
    assert!(text(&shown[0]["presentation"]).starts_with("ey"), "{shown:#}");
    let all = present(&holder, &["--format", "sd-jwt"]);
    assert_eq!(all.as_array().map(Vec::len), Some(2), "{all:#}");

    // Each stands for itself: printed, they are one a line, which is said of the file that they are put into.
    let printed = holder.run(&[&FOR_VERIFIER[..], &["--format", "sd-jwt"]].concat()).ok();
    assert!(printed.stderr.contains("2 presentations, one a line"), "{printed:?}");
    let both = write(&holder, "both", &printed.stdout);
    let refused = holder.run(&["verify", &both, "--offline"]);
    assert!(refused.stderr.contains("it holds 2 tokens, one a line"), "{refused:?}");
    let folder = holder.file("shown");
    holder.run(&[&FOR_VERIFIER[..], &["--format", "sd-jwt", "--out", &folder]].concat()).ok();
    for number in 1..=2 {
        let file = format!("{folder}/presentation-{number}");
        let report =
            holder.json(&["verify", &file, "--challenge", "n-0S6", "--domain", VERIFIER, "--offline"]);
        assert_eq!((&report["passed"], &report["verified"]), (&json!(true), &json!(true)), "{report:#}");
    }
    let nobody = holder.run(&["present", "--challenge", "", "--domain", VERIFIER]);
    assert_eq!(nobody.code, Some(2), "{nobody:?}");
}

#[test]
fn what_was_shown_to_whom_is_recorded_before_it_is_given() {
    let [school, mut holder] = Knack::cast(["school", "holder"]);
    award(&school, &holder, "rust", "sd-jwt");
    award(&school, &holder, "haskell", "eddsa-jcs-2022");
    let ids: Vec<Value> =
        holder.json(&["credentials"]).as_array().expect("a list").iter().map(|c| c["id"].clone()).collect();
    present(&holder, &[]);
    let query = holder.file("query.json");
    let dcql = json!({"credentials": [{"id": "rust", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:knackmesh:vct:achievement:1"]}}]});
    std::fs::write(&query, dcql.to_string()).expect("written");
    holder.up(&[]);
    present(&holder, &["--dcql", &query]);
    present(&holder, &["--skill", "haskell"]);
    // What was given is on the disk, whatever happens next.
    holder.kill();
    let rows = holder.json(&["disclosures"]);
    let rows = rows.as_array().expect("a list");
    let shown = |row: &Value| -> Vec<Value> {
        row["credentials"].as_array().expect("credentials").iter().map(|c| c["name"].clone()).collect()
    };
    let [last, by_query, first] = rows.as_slice() else { panic!("{rows:#?}") };
    assert_eq!((shown(last), shown(by_query)), (vec![json!("Haskell")], vec![json!("Rust")]), "{rows:#?}");
    assert_eq!(shown(first).len(), 2, "{rows:#?}");
    for row in rows {
        assert_eq!(
            (&row["to"], &row["occasion"], &row["purpose"]),
            (&json!(VERIFIER), &json!("presentation"), &Value::Null)
        );
        assert!(row["credentials"].as_array().expect("credentials").iter().all(|c| ids.contains(&c["id"])));
        assert!(row["at"].is_string());
    }
    let newest = holder.run(&["disclosures", "--newest", "1"]).ok().stdout;
    assert!(newest.contains("Haskell") && newest.contains(VERIFIER) && !newest.contains("Rust"), "{newest}");
}

#[test]
fn with_stapled_lists_the_verifier_asks_nobody() {
    let site = Site::keyed();
    site.publish_status(false, now());
    let [holder, verifier] = Knack::cast(["holder", "verifier"]);
    site.trusted_by(&holder);
    let award = write(&holder, "award", site.award(&holder.did(), Format::SdJwt).text());
    holder.json(&["import", &award, "--fetch"]);
    let asked = site.asked().len();

    let folder = holder.file("status");
    let shown = holder.run(&[&FOR_VERIFIER[..], &["--format", "sd-jwt", "--staple", &folder]].concat()).ok();
    assert!(shown.stderr.contains("stapled"), "{shown:?}");
    let presentation = write(&holder, "shown.txt", &shown.stdout);
    let lists: Vec<_> =
        std::fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("a file")).collect();
    let [list] = lists.as_slice() else { panic!("{lists:?}") };
    let list = list.path().display().to_string();
    assert!(list.contains("/status-"), "named as the list is: {list}");
    let verify = ["verify", &presentation, "--challenge", "n-0S6", "--domain", VERIFIER, "--offline"];
    let alone = finish(&mut verifier.command(&[&verify[..], &["--json"]].concat()));
    assert_eq!((alone.code, &alone.json()["credentials"][0]["fresh"]), (Some(3), &json!("NOT_CHECKED")));
    let with_it = verifier.json(&[&verify[..], &["--status-list", &list]].concat());
    let credential = &with_it["credentials"][0];
    assert_eq!(
        (&credential["unrevoked"], &credential["fresh"]),
        (&json!("PASS"), &json!("PASS")),
        "{with_it:#}"
    );
    assert_eq!(with_it["verified"], true, "{with_it:#}");
    assert_eq!(site.asked().len(), asked, "{:?}", site.asked());

    // A list that is of no use leaves the rest as it was.
    let useless = finish(&mut verifier.command(
        &[&verify[..], &["--status-list", &presentation, "--status-list", &list, "--json"]].concat(),
    ));
    assert_eq!((useless.code, &useless.json()["verified"]), (Some(0), &json!(true)), "{useless:?}");
    assert!(useless.json()["unused"][0]["reason"].to_string().contains("shown.txt"), "{useless:?}");

    // Another challenge says nothing of the signature.
    let other =
        ["verify", &presentation, "--challenge", "other", "--domain", VERIFIER, "--offline", "--json"];
    let other = finish(&mut verifier.command(&other));
    let row = &other.json()["presentation"];
    assert_eq!((other.code, &row["binding"]), (Some(3), &json!("FAIL")), "{other:?}");
    assert_eq!(row["signature"], "NOT_CHECKED", "{other:?}");

    // What is known to be revoked is told by the list, and not shown any more.
    site.publish_status(true, now());
    holder.json(&["credentials", "--fetch"]);
    write(&verifier, "newer", site.publish_status(true, now()));
    let newer = verifier.file("newer");
    let revoked =
        finish(&mut verifier.command(&[&verify[..], &["--status-list", &newer, "--json"]].concat()));
    assert_eq!((revoked.code, &revoked.json()["credentials"][0]["unrevoked"]), (Some(3), &json!("FAIL")));
    let refused = holder.run(&[&FOR_VERIFIER[..], &["--format", "sd-jwt"]].concat());
    assert_eq!(refused.code, Some(5), "{refused:?}");
    assert!(refused.stderr.contains("left out") && refused.stderr.contains("revoked it"), "{refused:?}");
}
