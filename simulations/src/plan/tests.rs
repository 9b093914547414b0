#![allow(clippy::unwrap_used)]

use super::*;

const SMALL: &str = r#"
title = "Small"
duration = "1 min"

[population]
employers = 2
professionals = 4
skills = 8

[[publications]]
at = "5 s"

[[queries]]
rate = "6 /min"
from = "10 s"
ask = "{skill} AND {skill 1}"
"#;

fn refused(text: &str) -> String {
    Plan::read(text, &[]).unwrap_err().to_string()
}

fn changed(from: &str, to: &str) -> String {
    assert!(SMALL.contains(from), "{from}");
    refused(&SMALL.replace(from, to))
}

#[test]
fn a_plan_has_every_default_and_reads_back() {
    let plan = Plan::read(SMALL, &[]).unwrap();
    assert_eq!(plan.file.population.issuers, 5);
    assert_eq!(plan.file.publications[0].lease, Duration(3_600_000));
    assert_eq!(Plan::read(&plan.to_toml(), &[]).unwrap(), plan, "{}", plan.to_toml());
    assert_eq!(plan.scenario(7).professionals, 4);
}

#[test]
fn unknown_keys_are_refused_with_the_nearest_and_their_place() {
    let said = changed("employers", "emploiers");
    assert_eq!(said, "line 6, column 1: there is no `emploiers` here; did you mean `employers`?");
    assert!(changed("[population]", "[popluation]").contains("line 5, column 2"));
    assert!(refused("titel = 'x'").contains("line 1, column 1: there is no `titel`"));
    let said = refused(&format!("{SMALL}\n[adversaries]\nreply = 1"));
    assert!(said.contains("line 19") && said.contains("`replay`"), "{said}");
    let far = Plan::read(&SMALL.replace("title", "bandwidth"), &[]).unwrap_err();
    assert!(matches!(&far, PlanError::Unknown { nearest: None, .. }), "{far}");
    assert!(far.advice().contains("population"), "{}", far.advice());
}

#[test]
fn values_without_units_are_refused_with_their_place() {
    let said = changed("\"5 s\"", "5");
    assert!(said.starts_with("line 11, column 6: ") && said.contains("\"30 s\""), "{said}");
    let said = changed("6 /min", "6 per minute");
    assert!(said.contains("`6 per minute` is no rate: write"), "{said}");
    assert!(refused("title = \"").starts_with("line 1"));
}

#[test]
fn what_makes_no_sense_is_refused_with_its_place() {
    let said = changed("at = \"5 s\"", "at = \"2 min\"");
    assert_eq!(said, "line 11, column 1: publications.0.at: 2 min is after the end, which is at 1 min");
    assert!(changed("at = \"5 s\"", "").contains("say when"));
    assert!(changed("at = \"5 s\"", "at = \"5 s\"\nwho = \"employers\"").contains("nothing to publish"));
    assert!(changed("at = \"5 s\"", "at = \"5 s\"\nwho = \"professional 4\"").contains("there are 4"));
    assert!(changed("at = \"5 s\"", "at = \"5 s\"\nlease = \"8 d\"").contains("from 1 s to 7 d"));
    assert!(changed("{skill 1}", "{skill 9}").contains("only 8 skills"));
    assert!(changed("{skill 1}", "{skil}").contains("is no gap"));
    assert!(changed("{skill} AND", "AND").contains("queries.0.ask"));
    assert!(changed("employers = 2", "employers = 20000").contains("from 2 to 10000"));
    let loss = SMALL.replace("[population]", "[network]\nloss = \"0.05 %\"\n[population]");
    assert!(refused(&loss).contains("not modelled"), "{}", refused(&loss));
    let partitions = "[[partitions]]\nbegin = \"5 s\"\n[[partitions]]\nbegin = \"9 s\"";
    assert!(refused(&format!("{SMALL}\n{partitions}")).contains("has not healed"));
}

#[test]
fn settings_replace_what_the_file_says() {
    let read = |settings: &[&str]| {
        let settings: Vec<Assignment> = settings.iter().map(|s| s.parse().unwrap()).collect();
        Plan::read(SMALL, &settings)
    };
    let plan =
        read(&["population.professionals=9", "network.latency.far=70 ms", "queries.0.ask=rust"]).unwrap();
    assert_eq!(plan.file.population.professionals, 9);
    assert_eq!(plan.file.network.latency.far, Duration(70));
    assert_eq!(plan.file.queries[0].ask, "rust");
    let refused = |setting: &str| read(&[setting]).unwrap_err().to_string();
    assert!(refused("network.los=2 %").contains("--set network.los: there is no `los`"));
    assert!(refused("network.loss=2").contains("--set network.loss"));
    assert!(refused("queries.1.ask=rust").contains("counted from 0"));
    assert!(refused("title.x=1").contains("no parts"));
    assert!(refused("queries.0.rate=1 /s.").contains("--set queries.0.rate"));
    assert!(refused("duration=4 s").contains("is after the end"));
    assert!("network.loss".parse::<Assignment>().is_err());
}

#[test]
fn each_swept_value_must_make_sense() {
    let sweep = |line: &str| Plan::read(&format!("{SMALL}\n[sweep]\n{line}"), &[]);
    assert!(sweep("\"network.loss\" = [\"0 %\", \"2 %\"]\n\"population.professionals\" = [4, 8]").is_ok());
    let said = |line: &str| sweep(line).unwrap_err().to_string();
    assert!(said("\"network.loss\" = [\"0 %\", \"2\"]").contains("sweep.network.loss"));
    assert!(said("\"network.los\" = [\"0 %\"]").contains("did you mean `loss`"));
    assert!(said("\"network.loss\" = []").contains("0 combinations"));
}

#[test]
fn no_text_makes_reading_panic() {
    use proptest::prelude::*;
    proptest!(|(text in "[a-z\\[\\]=\". 0-9%{}\n]{0,200}")| {
        let _ = Plan::read(&text, &[]);
    });
}
