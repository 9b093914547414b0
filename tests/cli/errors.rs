//! Mistakes that people make: what failed, what to try, and the exit code that scripts rely on.

use std::{fs, process::Stdio};

use crate::harness::{Knack, Outcome, finish, knack, text};

const SOMEBODY: &str = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK";

/// The command fails with `code`; stderr says `said`; with `--json` stdout is one value that says it too.
#[track_caller]
fn check(home: &Knack, args: &[&str], code: i32, said: &str) {
    let outcome = home.run(args);
    assert_eq!(outcome.code, Some(code), "{args:?}: {outcome:?}");
    assert!(outcome.stderr.contains(said), "{args:?}: {outcome:?}");
    assert_eq!(outcome.stdout, "", "{args:?}: stdout carries data only");
    let json = finish(home.command(args).arg("--json"));
    assert_eq!(json.code, Some(code), "{args:?}: {json:?}");
    let error = &json.json()["error"];
    for part in ["exit", "message", "hint"] {
        assert!(error[part].as_str().is_some_and(|p| !p.is_empty()), "{args:?}: {part}: {json:?}");
    }
}

#[test]
fn usage_errors_exit_2_and_say_what_was_expected() {
    let home = Knack::new("home");
    check(&home, &["qurey", "rust"], 2, "query");
    check(&home, &["query"], 2, "QUERY");
    check(&home, &["status", "--bogus"], 2, "--bogus");
    check(&home, &["publish", "--for", "soon"], 2, "24h");
    check(&home, &["publish", "--present", "everybody"], 2, "everybody");
    check(&home, &["issue", "--to", SOMEBODY, "--skill", "rust", "--level", "9"], 2, "1 to 5");
    check(&home, &["issue", "--to", "Ada", "--skill", "rust", "--level", "3"], 2, "Ada");
    check(&home, &["issue", "--to", SOMEBODY, "--skill", "ruzt", "--level", "3"], 2, "did you mean Rust");
    check(&home, &["profile", "--claim", "rust"], 2, "SKILL=LEVEL");
    check(&home, &["profile", "--region", "Atlantis"], 2, "DE-BE");
    check(&home, &["query", "rust AND"], 2, "rust AND\n");
    check(&home, &["query", "((rust)"], 2, "try:");
    check(&home, &["query", "rust>=9"], 2, "try:");
    check(&home, &["query", &"a ".repeat(20_000)], 2, "try:");
    check(&home, &["query", "rust", "--top", "0"], 2, "--top");
    check(&home, &["query", "rust", "--deadline", "1h"], 2, "--deadline");
    check(&home, &["up", "--listen", "localhost:4001"], 2, "/ip4/");
    check(&home, &["up", "--bootstrap", "localhost:4001"], 2, "/ip4/");
    check(&home, &["completions", "tcsh"], 2, "tcsh");
    check(&home, &["verify", "ftp://a.example/badge.json"], 2, "ftp is not fetched, https is");
    let named = finish(home.command(&["verify"]).arg("--json")).json();
    assert!(text(&named["error"]["message"]).contains("<FILE|URL>"), "{named:#}");
    assert!(text(&named["error"]["hint"]).contains("knack verify"), "{named:#}");
    let tip = finish(home.command(&["qurey"]).arg("--json")).json();
    assert!(text(&tip["error"]["hint"]).contains("'query'"), "{tip:#}");
}

#[test]
fn failures_exit_with_the_code_of_their_kind() {
    let home = Knack::new("home");
    check(&home, &["why"], 1, "knack query");
    let import = home.run(&["import", "/nonexistent.json"]);
    assert_eq!(import.code, Some(1), "{import:?}");
    assert!(import.stdout.contains("refused") && import.stderr.contains("No such file"), "{import:?}");
    check(&home, &["verify", "/nonexistent.json"], 1, "No such file");
    check(&home, &["trust", "remove", SOMEBODY], 1, "not on your trust list");
    check(&home, &["publish"], 4, "nothing to publish");
    check(&home, &["preview"], 4, "nothing to publish");
    check(&home, &["lookup", SOMEBODY], 6, "knack up");
    home.json(&["profile", "--claim", "rust=3"]);
    check(&home, &["publish", "--for", "8d"], 5, "7 days");
    check(&home, &["publish", "--for", "10ms"], 5, "1 second");
}

#[test]
fn a_home_that_is_not_there_or_damaged_is_named_with_what_to_do() {
    let home = Knack::new("home");
    let nowhere = home.file("nowhere");
    let outcome = finish(knack().args(["--home", &nowhere, "status"]));
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains(&format!("knack --home {nowhere} init")), "{outcome:?}");
    let without = finish(knack().args(["status"]).env_remove("HOME"));
    assert!(without.stderr.contains("--home"), "{without:?}");

    // A variable that is set to nothing is not set; and one that is set makes the flag no part of the usage.
    let user = tempfile::tempdir().expect("a folder");
    let empty = finish(knack().args(["init"]).env("KNACK_HOME", "").env("HOME", user.path()));
    assert!(empty.code == Some(0) && user.path().join(".knackmesh").exists(), "{empty:?}");
    let usage = finish(knack().args(["verify"]).env("KNACK_HOME", home.home()));
    assert!(usage.code == Some(2) && !usage.stderr.contains("--home"), "{usage:?}");

    fs::write(home.home().join("config.toml"), "listen = 3\nlissten = []\n").expect("written");
    check(&home, &["up"], 1, "config.toml");
    fs::write(home.home().join("keys/view"), "not a key").expect("written");
    check(&home, &["status"], 1, "backup");
}

#[test]
fn a_query_without_a_node_exits_6_and_prints_what_the_own_index_holds() {
    let home = Knack::new("home");
    home.json(&["profile", "--claim", "rust=3"]);
    home.json(&["publish"]);
    let outcome = home.run(&["query", "rust"]);
    assert_eq!(outcome.code, Some(6), "{outcome:?}");
    assert!(outcome.stdout.contains("Rust 3"), "{outcome:?}");
    assert!(outcome.stderr.contains("knack up --bootstrap"), "{outcome:?}");
    let report = finish(home.command(&["query", "rust"]).arg("--json")).json();
    assert_eq!(report["results"][0]["view"], home.view(), "{report:#}");
    assert_eq!(report["coverage"]["answered"], 0);
}

#[test]
fn a_damaged_index_is_made_anew_from_the_store() {
    let home = Knack::new("home");
    home.json(&["profile", "--claim", "rust=3"]);
    home.json(&["publish"]);
    let index = home.home().join("index");
    for file in fs::read_dir(&index).expect("an index").map(|file| file.expect("a file").path()) {
        let length = fs::metadata(&file).expect("its length").len() as usize;
        fs::write(&file, vec![0x5a; length]).expect("damaged");
    }
    let rebuilt = home.json(&["index", "rebuild"]);
    assert_eq!(rebuilt["summaries"], 1);
    let report = finish(home.command(&["query", "rust"]).arg("--json")).json();
    assert_eq!(report["results"][0]["view"], home.view(), "{report:#}");
    // Also where nothing is left of it.
    fs::remove_dir_all(&index).expect("removed");
    assert_eq!(home.run(&["index", "rebuild"]).stdout, "the index holds 1 summary\n");
    check(&Knack::new("bare"), &["index"], 2, "knack index");
}

#[test]
fn colour_appears_only_where_it_is_wanted() {
    let home = Knack::new("home");
    let escape = |outcome: &Outcome| outcome.stdout.contains('\x1b') || outcome.stderr.contains('\x1b');
    for args in [&["why"][..], &["query", "rust"], &["--help"], &["qurey"]] {
        assert!(!escape(&home.run(args)), "{args:?}: no terminal, no colour");
        let forced = finish(home.command(args).env("CLICOLOR_FORCE", "1"));
        assert!(escape(&forced), "{args:?}: {forced:?}");
        let without = finish(home.command(args).env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1"));
        assert!(!escape(&without), "{args:?}: NO_COLOR wins: {without:?}");
    }
    let json = finish(home.command(&["query", "rust", "--json"]).env("CLICOLOR_FORCE", "1"));
    assert!(!json.stdout.contains('\x1b'), "JSON has no colour");
}

#[test]
fn a_reader_that_goes_away_or_a_full_disk_is_no_panic() {
    let home = Knack::new("home");
    for args in
        [&["status"][..], &["status", "--json"], &["completions", "bash"], &["--help"], &["trust", "list"]]
    {
        let mut child =
            home.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!stderr.contains("panicked"), "{args:?}: {stderr}");
        if let Ok(full) = fs::File::options().write(true).open("/dev/full") {
            let output = home.command(args).stdout(full).stderr(Stdio::piped()).output().expect("it runs");
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert!(!stderr.contains("panicked"), "{args:?}: {stderr}");
            let silent = args == ["trust", "list"];
            assert_eq!(output.status.success(), silent, "{args:?}: {stderr}");
        }
    }
}
