//! `knack present`, and the record of it that the holder keeps.

use serde_json::{Value, json};

use crate::harness::{Knack, text};

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
