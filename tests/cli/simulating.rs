//! `knack sim`: scenarios, results, and what is said when they are wrong.

use std::{fs, path::Path, process::Stdio};

use knackmesh::node::now;
use knackmesh_protocol::cell::Epoch;

use crate::harness::{finish, knack, until};

const SMALL: &str = r#"
title = "Small"
duration = "20 s"

[population]
employers = 2
professionals = 6
skills = 8

[[publications]]
at = "5 s"

[[queries]]
at = "10 s"
within = "2 s"
"#;

/// A folder with a small scenario in it, in which commands run.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let dir = tempfile::TempDir::with_prefix("knack-test-").expect("a temporary folder");
        fs::write(dir.path().join("small.toml"), SMALL).expect("written");
        Desk(dir)
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn sim(&self, args: &[&str]) -> std::process::Command {
        let mut command = knack();
        command.current_dir(self.0.path()).arg("sim").args(args);
        command
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    fn json(&self, name: &str) -> serde_json::Value {
        serde_json::from_str(&self.read(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// The command fails with `code`; stderr says each of `said`.
    #[track_caller]
    fn fails(&self, args: &[&str], code: i32, said: &[&str]) {
        let outcome = finish(&mut self.sim(args));
        assert_eq!(outcome.code, Some(code), "{args:?}: {outcome:?}");
        assert!(said.iter().all(|said| outcome.stderr.contains(said)), "{args:?}: {outcome:?}");
        assert!(outcome.stderr.contains("try"), "{outcome:?}");
        assert_eq!(outcome.stdout, "", "{args:?}");
        let json = finish(self.sim(args).arg("--json")).json();
        assert!(json["error"]["hint"].is_string(), "{json:#}");
    }
}

fn is_png(path: &Path) -> bool {
    fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"\x89PNG") && bytes.len() > 5000)
}

#[test]
fn a_run_leaves_tables_plots_and_a_report_and_has_one_history() {
    let desk = Desk::new();
    let ran =
        finish(desk.sim(&["run", "small.toml", "--seed", "7", "--out", "a", "--json"]).env("NO_COLOR", "1"));
    let report = ran.ok().json();
    assert_eq!(report["seed"], 7);
    assert_eq!(report["summary"]["queries"], 2.0);
    let manifest = desk.json("a/manifest.json");
    assert_eq!(manifest["trace_hash"], report["trace_hash"]);
    assert_eq!(manifest["partial"], false);
    assert_eq!(manifest["scenario"]["population"]["issuers"], 5, "with every default");
    for part in ["program", "machine", "wall_seconds", "events_per_second", "events"] {
        assert!(!manifest[part].is_null(), "{part}: {manifest:#}");
    }
    let program = &manifest["program"];
    assert_eq!(program["cargo_lock"].as_str().map(str::len), Some(64));
    // Null where the build has no git to ask.
    let commit = program["commit"].as_str().map(|commit| commit.trim_end_matches("-dirty"));
    assert!(commit.is_none_or(|commit| commit.len() == 40), "{program}");
    assert_eq!(desk.read("a/queries.csv").lines().count(), 3);
    assert_eq!(desk.read("a/spreading.csv").lines().count(), 1 + 6 * 2);
    for table in ["messages", "load", "timeseries"] {
        assert!(desk.read(&format!("a/{table}.csv")).lines().count() > 2, "{table}");
    }
    for plot in ["recall", "latency", "discoverability", "coverage", "load", "traffic", "messages", "bytes"] {
        assert!(is_png(&desk.path(&format!("a/plots/{plot}.png"))), "{plot}");
        assert!(desk.read(&format!("a/plots/{plot}.svg")).starts_with("<svg"), "{plot}");
    }
    let page = desk.read("a/report.html");
    assert!(page.contains("one seed, which is not enough"));
    for fetches in ["<script", "<link", "src=", "url("] {
        assert!(!page.contains(fetches), "the report needs no network: {fetches}");
    }

    let again = finish(&mut desk.sim(&["replay", "a", "--json"])).ok().json();
    assert_eq!(again["trace_hash"], report["trace_hash"]);
    let earlier = finish(&mut desk.sim(&["replay", "a", "--until", "9 s", "--json"])).ok().json();
    assert_eq!(earlier["at_ms"], 9000);
    assert_eq!(earlier["nodes"].as_array().map(Vec::len), Some(8));
    assert_ne!(earlier["trace_hash"], report["trace_hash"]);
    let outcome = finish(&mut desk.sim(&["report", "a"])).ok();
    assert_eq!(outcome.stdout.trim(), "a/report.html");
    desk.fails(&["run", "small.toml", "--out", "a"], 1, &["a: there is something already", "--out DIR"]);
    fs::write(
        desk.path("a/manifest.json"),
        desk.read("a/manifest.json").replace(r#""seed": 7"#, r#""seed": 8"#),
    )
    .expect("written");
    desk.fails(&["replay", "a"], 1, &["this is not what happened"]);
}

#[test]
fn what_is_wrong_with_a_scenario_is_named_with_its_place() {
    let desk = Desk::new();
    let wrong = |from: &str, to: &str, said: &[&str]| {
        fs::write(desk.path("wrong.toml"), SMALL.replace(from, to)).expect("written");
        desk.fails(&["run", "wrong.toml", "--out", "x"], 2, said);
        assert!(!desk.path("x").exists(), "nothing was begun");
    };
    wrong("skills", "skils", &["wrong.toml: line 8, column 1: there is no `skils`", "write `skills`"]);
    wrong("\"20 s\"", "\"20 sec\"", &["line 3, column 12", "`20 sec` is no duration: write \"20 ms\""]);
    wrong("\"5 s\"", "5", &["line 11, column 6", "a duration with its unit"]);
    wrong("\"5 s\"", "\"30 s\"", &["publications.0.at: 30 s is after the end, which is at 20 s"]);
    wrong(
        "duration",
        "fidelity = \"overlay\"\nlook_ups = 9\nduration",
        &["line 8, column 1: `employers` is not modelled in fidelity overlay"],
    );
    wrong("title = \"Small\"", "title = \"", &["wrong.toml: line 2"]);
    desk.fails(&["run", "first-step"], 2, &["there is no such file", "write `first-steps`"]);
    desk.fails(
        &["run", "small.toml", "--set", "network.los=2 %"],
        2,
        &["--set network.los", "did you mean `loss`"],
    );
    desk.fails(&["run", "small.toml", "--set", "network.loss"], 2, &["KEY=VALUE"]);
    desk.fails(&["sweep", "small.toml", "--seeds", "9..1"], 2, &["1..20"]);
    desk.fails(&["compare", ".", "."], 1, &["no results of `knack sim run`"]);
    desk.fails(&["report", "nowhere"], 1, &["no results"]);
    desk.fails(&["new", "first-step"], 2, &["write `first-steps`"]);
}

#[test]
fn a_scenario_that_ships_is_a_beginning() {
    let desk = Desk::new();
    let list = finish(&mut desk.sim(&["new", "--json"])).ok().json();
    let names: Vec<&str> =
        list.as_array().expect("a list").iter().filter_map(|row| row["name"].as_str()).collect();
    assert!(names.contains(&"first-steps") && names.contains(&"kademlia-lookups"), "{names:?}");
    finish(&mut desk.sim(&["new", "kademlia-lookups", "mine.toml"])).ok();
    desk.fails(&["new", "kademlia-lookups", "mine.toml"], 1, &["is there already"]);
    let args =
        ["run", "mine.toml", "--set", "population.nodes=300", "--set", "look_ups=50", "--out", "o", "--json"];
    let report = finish(&mut desk.sim(&args)).ok().json();
    assert_eq!(report["summary"]["look_ups"], 50.0);
    assert_eq!(desk.read("o/look_ups.csv").lines().count(), 51);
    assert!(desk.read("o/timeseries.csv").lines().count() > 100, "an interval for each 120th of an hour");
    assert!(desk.read("o/load.csv").lines().skip(1).all(|line| !line.ends_with(',')), "bytes by node");
    assert!(is_png(&desk.path("o/plots/hops.png")));
    finish(&mut desk.sim(&["new", "churn-trace"])).ok();
    assert!(desk.read("stays.csv").contains("node,start,stop"), "what it names is beside it");
    fs::write(desk.path("stays.csv"), "mine").expect("written");
    desk.fails(&["new", "churn-trace", "other.toml"], 1, &["stays.csv is there already"]);
    assert!(!desk.path("other.toml").exists(), "nothing was written");
    let schema = finish(&mut desk.sim(&["new", "--schema"])).ok().json();
    assert_eq!(schema["title"], "Knackmesh scenario");
}

#[test]
fn files_that_a_scenario_names_are_beside_it_and_kept_with_the_results() {
    let desk = Desk::new();
    let scenario = format!("{SMALL}\n[churn]\ntrace = \"data/stays.csv\"\n");
    fs::create_dir_all(desk.path("there/data")).expect("made");
    fs::write(desk.path("there/mine.toml"), scenario).expect("written");
    desk.fails(
        &["run", "there/mine.toml", "--out", "x"],
        2,
        &["churn.trace: data/stays.csv: there is no there/data/stays.csv", "beside the scenario"],
    );
    let stays = "node,start,stop\n3,0,12\n4,6 s,\n";
    fs::write(desk.path("there/data/stays.csv"), stays.replace("12", "never")).expect("written");
    desk.fails(
        &["run", "there/mine.toml", "--out", "x"],
        2,
        &["data/stays.csv, line 2: `never` is no duration", "correct data/stays.csv"],
    );
    fs::write(desk.path("there/data/stays.csv"), stays).expect("written");
    let report = finish(&mut desk.sim(&["run", "there/mine.toml", "--out", "a", "--json"])).ok().json();
    assert_eq!(desk.read("a/inputs/data/stays.csv"), stays);
    let manifest = desk.json("a/manifest.json");
    assert_eq!(manifest["inputs"]["data/stays.csv"].as_str().map(str::len), Some(64));
    let args = ["sweep", "there/mine.toml", "--seeds", "1..2", "--out", "s", "--json"];
    let swept = finish(&mut desk.sim(&args)).ok().json();
    assert_eq!(swept["runs"][0]["trace_hash"], report["trace_hash"]);

    fs::remove_dir_all(desk.path("there")).expect("removed");
    for folder in ["a", "s/runs/0000"] {
        let again = finish(&mut desk.sim(&["replay", folder, "--json"])).ok().json();
        assert_eq!(again["trace_hash"], report["trace_hash"], "{folder}");
    }
    let early = finish(&mut desk.sim(&["replay", "a", "--until", "5 s", "--json"])).ok().json();
    let runs: Vec<bool> = (2..6).map(|node| early["nodes"][node]["runs"] == true).collect();
    assert_eq!(runs, [true, true, false, true]);
    fs::write(desk.path("a/inputs/data/stays.csv"), stays.replace("12", "13")).expect("written");
    desk.fails(&["replay", "a"], 1, &["a/inputs/data/stays.csv: this is not the file", "put back"]);
    fs::remove_file(desk.path("a/inputs/data/stays.csv")).expect("removed");
    desk.fails(&["replay", "a"], 1, &["a/inputs/data/stays.csv", "put back"]);
}

#[test]
fn a_sweep_runs_each_value_with_each_seed_and_is_compared() {
    let desk = Desk::new();
    let sweep = format!("{SMALL}\n[sweep]\n\"network.loss\" = [\"0 %\", \"20 %\"]\n");
    fs::write(desk.path("sweep.toml"), sweep).expect("written");
    let swept =
        finish(&mut desk.sim(&["sweep", "sweep.toml", "--seeds", "1..3", "-j2", "--out", "s", "--json"]));
    let report = swept.ok().json();
    let runs = report["runs"].as_array().expect("runs");
    assert_eq!(runs.len(), 6);
    assert_eq!(runs[5]["values"][0], "20 %");
    assert_eq!(desk.read("s/runs.csv").lines().count(), 7);
    // Measures against what is swept, and lines of runs averaged over seeds.
    for plot in ["recall_mean", "messages_per_query", "mean-recall", "mean-coverage", "mean-load"] {
        assert!(is_png(&desk.path(&format!("s/plots/{plot}.png"))), "{plot}");
    }
    let page = desk.read("s/report.html");
    assert!(page.contains("95 % intervals") && page.contains("bands of 95 % confidence"));
    let alone = finish(&mut desk.sim(&[
        "run",
        "sweep.toml",
        "--seed",
        "3",
        "--set",
        "network.loss=20 %",
        "--out",
        "r",
    ]));
    alone.ok();
    assert_eq!(
        desk.json("r/manifest.json")["trace_hash"],
        runs[5]["trace_hash"],
        "threads change no history"
    );
    let compared = finish(&mut desk.sim(&["compare", "s", "s", "--json"])).ok().json();
    assert_eq!(compared["same_history"], true);
    assert_eq!(compared["one_seed"], false);
    assert_eq!(compared["differences"][0]["change"]["mean"], 0.0);
    let single = finish(&mut desk.sim(&["compare", "r", "s/runs/0000"])).ok();
    assert!(single.stderr.contains("one seed is not enough"), "{single:?}");
}

#[test]
fn sizes_are_on_an_axis_of_nodes_and_attackers_on_one_of_shares() {
    let desk = Desk::new();
    let plots = |key: &str, values: &str, out: &str| {
        fs::write(desk.path("sweep.toml"), format!("{SMALL}\n[sweep]\n\"{key}\" = {values}\n"))
            .expect("written");
        finish(&mut desk.sim(&["sweep", "sweep.toml", "--seeds", "1..2", "--out", out])).ok();
    };
    plots("population.professionals", "[4, 24]", "size");
    let costs = desk.read("size/plots/messages-against-size.svg");
    for said in ["nodes (by population.professionals)", "a search", "a publication"] {
        assert!(costs.contains(said), "{said}");
    }
    plots("adversaries.censor", "[0, 8]", "hostile");
    let recall = desk.read("hostile/plots/recall_mean.svg");
    assert!(recall.contains("hostile nodes, of all nodes (%; by adversaries.censor)"));
    assert_eq!(desk.json("hostile/manifest.json")["runs"][3]["attackers"], 8);
}

/// What a command says that is interrupted as soon as it has come to what `until_there` waits for.
#[track_caller]
fn interrupted(command: &mut std::process::Command, until_there: impl FnOnce()) -> String {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    until_there();
    let interrupted = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(interrupted.is_ok_and(|status| status.success()));
    let output = child.wait_with_output().expect("it ends");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(!stderr.contains('\r'), "no progress where there is no terminal: {stderr}");
    stderr
}

#[test]
fn an_interrupted_run_leaves_what_it_measured_marked_as_partial() {
    let desk = Desk::new();
    let args = ["run", "first-steps", "--out", "p", "--set", "duration=20 h"];
    let stderr = interrupted(&mut desk.sim(&args), || {
        until("the folder is there", || desk.path("p").exists().then_some(()));
        std::thread::sleep(std::time::Duration::from_secs(2));
    });
    assert!(stderr.contains("interrupted") && stderr.contains("marked as partial"), "{stderr}");
    let manifest = desk.json("p/manifest.json");
    assert_eq!(manifest["partial"], true);
    assert_eq!(manifest["ending"], "interrupted");
    assert!(desk.read("p/report.html").contains("This run is partial"));
}

#[test]
fn an_interrupted_sweep_leaves_whole_runs_and_says_which_are_not() {
    let desk = Desk::new();
    // The first value is over in no time, the second never.
    let sweep = format!("{SMALL}\n[sweep]\nduration = [\"20 s\", \"20 d\"]\n");
    fs::write(desk.path("sweep.toml"), sweep).expect("written");
    let args = ["sweep", "sweep.toml", "--seeds", "1..2", "-j1", "--out", "s"];
    let stderr = interrupted(&mut desk.sim(&args), || {
        until("both short runs are over", || desk.path("s/runs/0001/manifest.json").exists().then_some(()));
        std::thread::sleep(std::time::Duration::from_millis(500));
    });
    assert!(stderr.contains("interrupted after 2 of 4 runs: s holds what was measured"), "{stderr}");
    assert!(stderr.contains("knack sim report s"), "{stderr}");
    let manifest = desk.json("s/manifest.json");
    assert_eq!(manifest["partial"], true);
    let runs = manifest["runs"].as_array().expect("runs");
    let partial: Vec<bool> = runs.iter().filter_map(|run| run["partial"].as_bool()).collect();
    assert_eq!(partial, [false, false, true]);
    assert_eq!(desk.json("s/runs/0002/manifest.json")["ending"], "interrupted");
    // The folder can be read as any other, and its means are those of whole runs.
    finish(&mut desk.sim(&["report", "s"])).ok();
    let page = desk.read("s/report.html");
    assert!(page.contains("This sweep is partial. 2 runs are whole"), "{page}");
    assert!(is_png(&desk.path("s/plots/recall_mean.png")));
    let compared = finish(&mut desk.sim(&["compare", "s", "s", "--json"])).ok().json();
    let differences = compared["differences"].as_array().expect("differences");
    assert!(!differences.is_empty());
    assert!(differences.iter().all(|difference| difference["values"][0] == "20 s"), "{compared:#}");
}

/// A handful of real nodes for half a minute, all else being as it ships.
const FEW: [&str; 12] = [
    "--seeds",
    "3",
    "--set",
    "population.employers=2",
    "--set",
    "population.professionals=5",
    "--set",
    "network.degree=6",
    "--set",
    "duration=25 s",
    "--set",
    "publications.0.within=2 s",
];

#[test]
fn real_nodes_do_what_the_model_does_and_are_laid_beside_it() {
    let desk = Desk::new();
    let mut text = include_str!("../../simulations/scenarios/validation.toml").to_owned();
    // All is done within nine seconds, and nobody withdraws while somebody asks.
    for (from, to) in [
        ("professionals 0-9", "professionals 0-1"),
        ("at = \"36 s\"", "at = \"23 s\""),
        ("within = \"8 s\"", "within = \"100 ms\""),
        ("rate = \"60 /min\"", "rate = \"240 /min\""),
        ("from = \"20 s\"", "from = \"19 s\""),
        ("until = \"44 s\"", "until = \"21 s\""),
    ] {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    fs::write(desk.path("few.toml"), text).expect("written");
    let days_overlap = || Epoch::of(now()).is_ending(now());
    let had_days_overlapped = days_overlap();
    let validated =
        finish(desk.sim(&["validate", "few.toml", "--out", "held", "--json"]).args(FEW).env("NO_COLOR", "1"));
    // Whether times hold depends on what else the machine does; what is counted does not.
    assert!(matches!(validated.code, Some(0 | 3)), "{validated:?}");
    let held = desk.json("held/validation.json");
    let row = |what: &str| {
        let rows = held["parts"][0]["rows"].as_array().expect("rows");
        rows.iter().find(|row| row["what"] == what).unwrap_or_else(|| panic!("{what}: {held:#}"))
    };
    let mut counted = vec!["receipts of a message", "recall of a search"];
    // In a day's last hour keepers hand on what they keep, at moments that they draw; else all are looked for in one day's places.
    if !had_days_overlapped && !days_overlap() {
        counted.push("placement: messages");
    }
    for what in counted {
        assert_eq!(row(what)["verdict"], "holds", "{what}: {:#}", row(what));
    }
    for world in ["model", "real"] {
        assert_eq!(row("receipts of a message")[world]["mean"], 6.0, "all others");
        assert_eq!(row("recall of a search")[world]["mean"], 1.0);
        assert!(row("gossip delivery, p50")[world]["mean"].as_f64().is_some_and(|ms| ms >= 40.0), "{held:#}");
    }
    assert!(is_png(&desk.path("held/plots/delivery.png")));
    assert!(desk.read("held/report.html").contains("real nodes"));
}

#[test]
fn what_real_nodes_cannot_do_is_refused_before_anything_runs() {
    let desk = Desk::new();
    desk.fails(&["validate", "churn"], 2, &["churn", "real nodes cannot do this: coming and going"]);
    desk.fails(
        &["validate", "validation", "--set", "network.loss=1 %"],
        2,
        &["real nodes cannot do this: loss, and dials that fail"],
    );
    assert!(!desk.path("validation").exists());
    // Results from before, of the same name.
    fs::create_dir(desk.path("validation")).expect("made");
    fs::write(desk.path("validation/report.html"), "").expect("written");
    desk.fails(&["validate", "--set", "network.loss=1 %"], 2, &["real nodes cannot do this"]);
    desk.fails(&["validate"], 1, &["validation"]);
}
