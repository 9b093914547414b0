//! The help of every command, word for word. `KNACK_BLESS=1` writes the golden files anew.

use std::{collections::BTreeSet, fs, path::PathBuf};

use crate::harness::{finish, knack};

fn golden() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "cli", "golden"].iter().collect()
}

/// Every command, as the help itself lists them: with its path, such as `trust add`.
fn commands() -> Vec<Vec<String>> {
    let mut known = vec![Vec::new()];
    let mut at = 0;
    while at < known.len() {
        let path: Vec<String> = known[at].clone();
        let lines = help(&path);
        let listed = lines.lines().skip_while(|l| *l != "Commands:").skip(1).take_while(|l| !l.is_empty());
        for line in listed.filter(|l| l.starts_with("  ") && !l.starts_with("   ")) {
            let name = line.split_whitespace().next().expect("a name").to_owned();
            if name != "help" {
                known.push(path.iter().cloned().chain([name]).collect());
            }
        }
        at += 1;
    }
    known
}

fn help(path: &[String]) -> String {
    let outcome = finish(knack().args(path).arg("--help").env("COLUMNS", "110")).ok();
    assert_eq!(outcome.stderr, "", "help is data");
    outcome.stdout
}

#[test]
fn the_help_of_every_command_is_as_agreed() {
    let bless = std::env::var_os("KNACK_BLESS").is_some();
    let mut expected = BTreeSet::new();
    let mut changed = Vec::new();
    for path in commands() {
        let name = if path.is_empty() { "knack".to_owned() } else { path.join("-") };
        let file = golden().join(format!("{name}.txt"));
        let text = help(&path);
        if bless {
            fs::write(&file, &text).expect("written");
        } else if fs::read_to_string(&file).ok().as_ref() != Some(&text) {
            changed.push(format!("--- {}\n{text}", file.display()));
        }
        expected.insert(file);
    }
    let found = fs::read_dir(golden()).expect("the folder").map(|e| e.expect("an entry").path());
    for stray in found.filter(|f| !expected.contains(f)) {
        if bless {
            fs::remove_file(&stray).expect("removed");
        } else {
            changed.push(format!("--- {} is of no command", stray.display()));
        }
    }
    assert!(changed.is_empty(), "KNACK_BLESS=1 accepts this:\n{}", changed.join("\n"));
    assert!(expected.len() > 15, "the commands were found");
}

#[test]
fn every_command_shows_an_example_and_says_what_it_is_for() {
    for path in commands().into_iter().filter(|p| p.len() == 1) {
        let text = help(&path);
        assert!(text.contains("Example"), "{path:?} has no example");
        assert!(text.lines().next().is_some_and(|l| l.len() > 10), "{path:?}");
    }
}

#[test]
fn completions_exist_for_each_shell_and_know_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let script = finish(knack().args(["completions", shell])).ok().stdout;
        for path in commands().into_iter().filter(|p| p.len() == 1) {
            assert!(script.contains(&path[0]), "{shell}: {path:?}");
        }
        let json = finish(knack().args(["completions", shell, "--json"])).ok().json();
        assert_eq!(json["shell"], shell);
        assert_eq!(json["script"].as_str().map(str::trim_end), Some(script.trim_end()));
    }
    let bash = finish(knack().args(["completions", "bash"])).ok().stdout;
    let mut check = std::process::Command::new("bash");
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), bash).expect("written");
    if let Ok(status) = check.arg("-n").arg(file.path()).status() {
        assert!(status.success(), "bash reads its completions");
    }
}
