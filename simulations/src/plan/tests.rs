#![allow(clippy::unwrap_used)]

mod files;
mod people;

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

fn full(plan: &Plan) -> &Full {
    match &plan.file {
        File::Full(full) => full,
        File::Overlay(_) => panic!("an overlay"),
    }
}

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
    assert_eq!(full(&plan).population.issuers, 5);
    assert_eq!(full(&plan).publications[0].lease, Duration(3_600_000));
    assert_eq!(Plan::read(&plan.to_toml(), &[]).unwrap(), plan, "{}", plan.to_toml());
    assert_eq!(full(&plan).scenario(7).professionals, 4);
}

#[test]
fn unknown_keys_are_refused_with_the_nearest_and_their_place() {
    let said = changed("employers", "emploiers");
    assert_eq!(said, "line 6, column 1: there is no `emploiers` here; did you mean `employers`?");
    assert!(changed("[population]", "[popluation]").contains("line 5, column 2"));
    assert!(refused("titel = 'x'").contains("line 1, column 1: there is no `titel`"));
    let said = refused(&format!("{SMALL}\n[adversaries]\nreply = 1"));
    assert!(said.contains("line 19") && said.contains("`replay`"), "{said}");
    let far = Plan::read(&SMALL.replace("title", "weather"), &[]).unwrap_err();
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
fn an_overlay_is_another_grammar_and_says_what_it_does_not_model() {
    const LOOK_UPS: &str = "title = \"x\"\nfidelity = \"overlay\"\nduration = \"1 h\"\nlook_ups = 100\n";
    let plan = Plan::read(LOOK_UPS, &[]).unwrap();
    assert_eq!(Plan::read(&plan.to_toml(), &[]).unwrap(), plan);
    let File::Overlay(overlay) = &plan.file else { panic!("not an overlay") };
    let engine = overlay.engine();
    let like = Settings { look_ups: 100, duration_ms: 3_600_000, ..Settings::default() };
    assert_eq!(engine, like, "the grammar's defaults are the engine's");
    let said = refused(&format!("{LOOK_UPS}[[queries]]\nat = \"1 s\""));
    assert_eq!(said, "line 5, column 3: `queries` is not modelled in fidelity overlay");
    let said = refused(&format!("{SMALL}\n[kademlia]\nk = 20"));
    assert!(said.contains("`kademlia` is not modelled in fidelity full"), "{said}");
    assert!(refused(&LOOK_UPS.replace("overlay", "overlai")).contains("did you mean `overlay`"));
    let said = refused(&format!("{LOOK_UPS}[kademlia]\nk = 0"));
    assert!(said.contains("line 6, column 1: kademlia.k: 0 is not from 1 to 128"), "{said}");
    let churn = "[churn]\nsession = { weibull = { shape = 0.61, scale = \"3.7 h\" } }";
    let plan = Plan::read(&format!("{LOOK_UPS}{churn}"), &[]).unwrap();
    assert_eq!(Plan::read(&plan.to_toml(), &[]).unwrap(), plan);
    let said = refused(&format!("{LOOK_UPS}{}", churn.replace("0.61", "0.01")));
    assert!(said.contains("churn.session: a shape of 0.01"), "{said}");
}

#[test]
fn what_the_world_models_is_taken_over() {
    let text = format!(
        "{SMALL}
[network]
gossip = \"flood\"
latency.regions = {{ shares = [\"60 %\", \"40 %\"], one_way = [[\"5 ms\", \"50 ms\"], [\"50 ms\", \"8 ms\"]] }}
[nat]
behind = \"60 %\"
[[lines]]
share = \"100 %\"
up = \"10 Mbit/s\"
down = \"100 Mbit/s\"
[churn]
[adversaries]
replay = 2
sybil = \"50 %\"
"
    );
    let plan = Plan::read(&text, &[]).unwrap();
    assert_eq!(Plan::read(&plan.to_toml(), &[]).unwrap(), plan, "{}", plan.to_toml());
    let scenario = full(&plan).scenario(1);
    assert_eq!(
        (scenario.nodes(), scenario.nat.behind_permille, scenario.nat.punched_permille),
        (11, 600, 700)
    );
    assert_eq!(scenario.lines[0].up_kbit_s, 10_000);
    let renewal = crate::churn::Renewal::default();
    assert_eq!(scenario.churn, crate::churn::Churn::Renewal(renewal), "the defaults are the world's");
    let bad = text.replace("\"40 %\"", "\"30 %\"");
    assert!(refused(&bad).contains("the shares together are not 100 %"), "{}", refused(&bad));
    assert!(refused(&text.replace("sybil = \"50 %\"", "sybil = \"many\"")).contains("a number of nodes"));
    assert!(refused(&text.replace("10 Mbit/s", "10 MB/s")).contains("100 Mbit/s"));
}

#[test]
fn settings_replace_what_the_file_says() {
    let read = |settings: &[&str]| {
        let settings: Vec<Assignment> = settings.iter().map(|s| s.parse().unwrap()).collect();
        Plan::read(SMALL, &settings)
    };
    let plan = read(&["population.professionals=9", "network.latency.line.far=70 ms", "queries.0.ask=rust"])
        .unwrap();
    assert_eq!(full(&plan).population.professionals, 9);
    assert!(matches!(&full(&plan).network.latency, Latency::Line(line) if line.far == Duration(70)));
    assert_eq!(full(&plan).queries[0].ask, "rust");
    let aims = ["aims.sybils_a_half=4", "aims.sybils_apart=true", "aims.sybils_beside=9"];
    let aims = full(&read(&aims).unwrap()).aims.clone();
    assert!(aims.sybils_apart && aims.sybils_beside == Some(9));
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
