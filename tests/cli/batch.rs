//! `knack issue batch`: all rows or none, and none twice.

use std::{collections::BTreeSet, fs, path::Path, process::Stdio};

use knackmesh_protocol::key::SecretKey;
use serde_json::Value;

use crate::harness::{Knack, finish, text, until};

const TEMPLATE: &str =
    "achievement = \"{course}\"\nskills = [\"{skill}\"]\nlevel = \"{level}\"\nstatus = true\n";

fn school(template: &str) -> Knack {
    let school = Knack::new("school");
    let config = "[issuer]\nstatus_url = \"https://school.example/status\"\n";
    fs::write(school.home().join("config.toml"), config).expect("written");
    fs::write(school.file("course.toml"), template).expect("written");
    school
}

fn did(n: usize) -> String {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&(n as u64).to_be_bytes());
    SecretKey::from_seed(seed).did().to_string()
}

/// A table of `people` good rows.
fn people(school: &Knack, people: usize) -> String {
    let mut table = "did,email,course,skill,level\n".to_owned();
    for n in 0..people {
        table += &format!("{},person{n}@example.org,Course {},rust,{}\n", did(n), n % 3, n % 5 + 1);
    }
    write(school, &table)
}

fn write(school: &Knack, table: &str) -> String {
    let file = school.file("people.csv");
    fs::write(&file, table).expect("written");
    file
}

fn args<'a>(table: &'a str, template: &'a str, out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["issue", "batch", table, "--template", template, "--out", out][..], more].concat()
}

fn credentials(dir: &str) -> Vec<Value> {
    let files = fs::read_dir(dir).into_iter().flatten().map(|file| file.expect("an entry").path());
    let credentials = files.filter(|f| is_credential(f)).map(|f| fs::read_to_string(f).expect("a file"));
    credentials.map(|text| serde_json::from_str(&text).expect("whole")).collect()
}

fn is_credential(file: &Path) -> bool {
    file.extension().is_some_and(|e| e == "json") && !file.ends_with("batch.json")
}

#[test]
fn a_table_is_issued_once_however_often_it_is_run() {
    let school = school(TEMPLATE);
    let (table, template, out) = (people(&school, 5), school.file("course.toml"), school.file("out"));
    let dry = school.json(&args(&table, &template, &out, &["--dry-run"]));
    assert_eq!((&dry["would_issue"], &dry["issued"]), (&5.into(), &0.into()), "{dry:#}");
    assert_eq!(dry["dry_run"], true);
    assert_eq!(dry["credentials"][1]["achievement"], "Course 1");
    assert!(!Path::new(&out).exists() && school.json(&["issued"]) == serde_json::json!([]));
    let shown = school.run(&args(&table, &template, &out, &["--dry-run"])).ok();
    assert!(shown.stdout.contains("Course 2") && shown.stderr.contains("nothing was issued"), "{shown:?}");

    let first = school.json(&args(&table, &template, &out, &[]));
    assert_eq!((&first["issued"], &first["issued_before"]), (&5.into(), &0.into()), "{first:#}");
    for (line, promised) in
        first["credentials"].as_array().unwrap().iter().zip(dry["credentials"].as_array().unwrap())
    {
        assert_eq!(line["id"], promised["id"]);
        let written: Value = serde_json::from_str(
            &fs::read_to_string(format!("{out}/{}", text(&line["file"]))).expect("written"),
        )
        .unwrap();
        assert_eq!(written["id"], line["id"]);
        assert_eq!(written["credentialSubject"]["id"], line["did"]);
        assert!(!written.to_string().contains("@example.org"), "addresses stay out of credentials");
    }
    let manifest = fs::read_to_string(text(&first["manifest"])).expect("a list");
    assert_eq!(manifest.lines().count(), 6, "{manifest}");
    assert!(manifest.starts_with("line,did,id,file\n2,"), "{manifest}");

    let before = credentials(&out);
    for more in [&[][..], &["--resume"]] {
        let again = school.json(&args(&table, &template, &out, more));
        assert_eq!((&again["issued"], &again["issued_before"]), (&0.into(), &5.into()), "{again:#}");
    }
    let elsewhere = school.file("elsewhere");
    school.json(&args(&table, &template, &elsewhere, &[]));
    let key = |c: &Value| c["id"].to_string();
    let sorted = |mut all: Vec<Value>| {
        all.sort_by_key(key);
        all
    };
    assert_eq!(sorted(before), sorted(credentials(&elsewhere)), "they are given out again as they were");
    assert_eq!(school.json(&["issued"]).as_array().map(Vec::len), Some(5));

    let longer = fs::read_to_string(&table).expect("read") + &format!("{},,Course 9,rust,1\n", did(9));
    let table = write(&school, &longer);
    let refused = school.run(&args(&table, &template, &out, &["--resume"]));
    assert_eq!(refused.code, Some(1), "{refused:?}");
    let longer = school.json(&args(&table, &template, &out, &[]));
    assert_eq!((&longer["issued"], &longer["issued_before"]), (&1.into(), &5.into()), "{longer:#}");
}

#[test]
fn a_folder_takes_another_table_and_loses_nothing() {
    let school = school(TEMPLATE);
    let (table, template, out) = (people(&school, 20), school.file("course.toml"), school.file("out"));
    school.json(&args(&table, &template, &out, &[]));
    let of =
        |all: &[Value], n: usize| all.iter().any(|one| one["credentialSubject"]["id"] == did(n).as_str());
    let head = "did,email,course,skill,level\n";

    // Somebody else with an address that is there, and one who is there with another address.
    let other = format!("{head}{},person1@example.org,Course 1,rust,2\n", did(77));
    let again = format!("{},new@example.org,Course 2,rust,3\n", did(2));
    let table = write(&school, &(other + &again));
    let dry = school.json(&args(&table, &template, &out, &["--dry-run"]));
    assert_eq!(dry["credentials"][0]["file"], "person1@example.org~2.json", "{dry:#}");
    let outcome = school.run(&args(&table, &template, &out, &[])).ok();
    assert!(outcome.stderr.contains("person1@example.org~2.json"), "it says which: {outcome:?}");
    let held = credentials(&out);
    assert_eq!(held.len(), 21);
    assert!((0..20).chain([77]).all(|n| of(&held, n)), "everybody's is there");
    let manifest = fs::read_to_string(format!("{out}/issued.csv")).expect("a list");
    assert_eq!(manifest.lines().count(), 22, "{manifest}");
    let row = |n: usize| manifest.lines().find(|line| line.contains(&did(n))).expect("a row").to_owned();
    assert!(row(77).starts_with("2,") && row(77).ends_with(",person1@example.org~2.json"), "{manifest}");
    assert!(row(2).starts_with("3,") && row(2).ends_with(",person2@example.org.json"), "{manifest}");
    assert!(row(1).starts_with(',') && row(1).ends_with(",person1@example.org.json"), "{manifest}");
    let journal: Value =
        serde_json::from_str(&fs::read_to_string(format!("{out}/batch.json")).expect("a journal")).unwrap();
    assert_eq!(journal["rows"], 21, "{journal:#}");

    // What was sent and moved away stays on the list; what lost its list is listed by what it holds.
    fs::remove_file(format!("{out}/person5@example.org.json")).expect("removed");
    school.json(&args(&table, &template, &out, &[]));
    assert_eq!(fs::read_to_string(format!("{out}/issued.csv")).expect("a list"), manifest);
    fs::remove_file(format!("{out}/issued.csv")).expect("removed");
    school.json(&args(&table, &template, &out, &[]));
    let rebuilt = fs::read_to_string(format!("{out}/issued.csv")).expect("a list");
    assert_eq!(rebuilt.lines().count(), 21, "{rebuilt}");
}

#[test]
fn what_is_wrong_in_every_row_is_told_once() {
    let school = Knack::new("school");
    let (table, template, out) = (people(&school, 3), school.file("course.toml"), school.file("out"));
    for (content, said) in [
        (TEMPLATE.to_owned(), "status_url"),
        (TEMPLATE.replace("{level}", "9"), "`9` is no level"),
        (TEMPLATE.replace("{skill}", "ruzt").replace("status = true", ""), "`ruzt`"),
    ] {
        fs::write(&template, content).expect("written");
        let outcome = finish(school.command(&args(&table, &template, &out, &[])).arg("--json"));
        let report = outcome.json();
        let of_none =
            report["faults"].as_array().expect("faults").iter().filter(|fault| fault["line"].is_null());
        let of_none: Vec<String> = of_none.map(|fault| text(&fault["message"])).collect();
        assert_eq!(of_none.iter().filter(|message| message.contains(said)).count(), 1, "{report:#}");
        assert!(text(&report["error"]["hint"]).contains("what is named"), "{report:#}");
        assert_eq!(outcome.stderr.matches(said).count(), 1, "{outcome:?}");
    }
}

#[test]
fn one_bad_row_and_nothing_is_issued() {
    let school = school(TEMPLATE);
    let (template, out) = (school.file("course.toml"), school.file("out"));
    let (a, b) = (did(1), did(2));
    let check = |table: String, expected: &[(u64, Option<&str>, &str)]| {
        let file = write(&school, &table);
        let outcome = finish(school.command(&args(&file, &template, &out, &[])).arg("--json"));
        assert_eq!(outcome.code, Some(1), "{outcome:?}");
        let report = outcome.json();
        assert!(report["error"]["hint"].is_string(), "{report:#}");
        let faults = report["faults"].as_array().expect("faults");
        assert_eq!(faults.len(), expected.len(), "{report:#}");
        for (fault, (line, column, said)) in faults.iter().zip(expected) {
            assert_eq!(
                (fault["line"].as_u64(), fault["column"].as_str()),
                (Some(*line), *column),
                "{fault:#}"
            );
            assert!(text(&fault["message"]).contains(said), "{fault:#}");
            assert!(outcome.stderr.contains(&format!("people.csv:{line}: ")), "{outcome:?}");
        }
        let text = school.run(&args(&file, &template, &out, &[]));
        assert_eq!((text.code, text.stdout.as_str()), (Some(1), ""), "{text:?}");
        assert!(!Path::new(&out).exists(), "nothing was begun");
        assert_eq!(school.json(&["issued"]), serde_json::json!([]));
    };
    let head = "did,course,skill,level\n";
    check(format!("{head}{a},Rust,rust,3\nAda,Rust,rust,3\n"), &[(3, Some("did"), "not a DID")]);
    check(
        format!("{head}{a},Rust,ruzt,3\n{b},Rust,rust,3\n{b},Rust,no such skill,3\n"),
        &[(2, Some("skill"), "did you mean Rust"), (4, Some("skill"), "no skill")],
    );
    check(
        format!("{head}{a},Rust,ruzt,3\nAda,Rust,rust,3\n{b},Rust,rust\n"),
        &[(2, Some("skill"), "did you mean Rust"), (3, Some("did"), "not a DID"), (4, None, "3 cells")],
    );
    check(
        format!("{head}{a},,rust,9\n{a},Rust,rust,9\n{b},Rust,rust\n"),
        &[(2, Some("course"), "empty"), (3, Some("level"), "1 to 5"), (4, None, "3 cells")],
    );
    check(
        format!("{head}{a},,rust,3\n{a},Rust,rust,9\n{b},Rust,rust,3\n{b},Rust,rust,3\n"),
        &[(2, Some("course"), "empty"), (3, Some("level"), "1 to 5"), (5, Some("did"), "line 4")],
    );
    check(format!("{head}did:key:z6Mkfoo,Rust,rust,3\n"), &[(2, Some("did"), "no key")]);
    check(format!("DID,course,skill,level\n{a},Rust,rust,3\n"), &[(1, None, "did you mean `DID`")]);
    check("did,course\na,b\n".to_owned(), &[(1, None, "level"), (1, None, "skill")]);
    check(String::new(), &[(1, None, "names of the columns")]);
    check(format!("{head}{a},{},rust,3\n", "x".repeat(3000)), &[(2, Some("course"), "bytes")]);
}

#[test]
fn a_template_or_a_folder_that_will_not_do_is_named() {
    let school = school(TEMPLATE);
    let (table, template, out) = (people(&school, 2), school.file("course.toml"), school.file("out"));
    let check = |more: &[&str], template: &str, out: &str, code: i32, said: &str| {
        let outcome = school.run(&args(&table, template, out, more));
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(code), ""), "{outcome:?}");
        assert!(outcome.stderr.contains(said), "{said}: {outcome:?}");
    };
    check(&["--resume"], &template, &out, 1, "no batch was begun");
    check(&[], "/nonexistent.toml", &out, 1, "nonexistent");
    fs::write(school.file("email.toml"), TEMPLATE.replace("{course}", "{email}")).expect("written");
    check(&[], &school.file("email.toml"), &out, 2, "address");
    fs::create_dir(school.file("full")).expect("made");
    fs::write(school.file("full/thesis.txt"), "mine").expect("written");
    check(&[], &template, &school.file("full"), 1, "other files");
    check(&["--dry-run"], &template, &school.file("full"), 1, "other files");
    check(&["--dry-run"], &template, &school.file("full/thesis.txt"), 1, "no folder");
    school.json(&args(&table, &template, &out, &[]));
    fs::write(school.file("other.toml"), TEMPLATE.replace("{course}", "{course}!")).expect("written");
    check(&[], &school.file("other.toml"), &out, 1, "another batch");
}

#[test]
fn a_template_to_begin_with_is_issued_from() {
    let school = Knack::new("school");
    let file = school.file("course.toml");
    let args_new = ["template", "new", "Rust course", "--out", &file];
    assert_eq!(school.json(&args_new)["file"], file.as_str());
    let again = school.run(&args_new);
    assert_eq!(again.code, Some(1), "{again:?}");
    let table = write(&school, &format!("did\n{}\n", did(1)));
    let out = school.file("out");
    let report = school.json(&args(&table, &file, &out, &[]));
    assert_eq!(report["issued"], 1);
    assert_eq!(credentials(&out)[0]["name"], "Rust course");
    assert_eq!(school.run(&["template", "new"]).code, Some(2));
    assert_eq!(school.run(&["template", "new", "a/b"]).code, Some(2));
}

/// Killed at any moment and run again, a batch issues everything once and leaves every file whole.
#[test]
fn a_batch_that_was_killed_is_completed() {
    const PEOPLE: usize = 600;
    for node in [false, true] {
        let mut school = school(TEMPLATE);
        let (table, template, out) =
            (people(&school, PEOPLE), school.file("course.toml"), school.file("out"));
        if node {
            school.up(&[]);
        }
        let files = || {
            fs::read_dir(&out).into_iter().flatten().flatten().filter(|f| is_credential(&f.path())).count()
        };
        let mut interrupted = 0;
        for some in [1, 100, 300] {
            let mut command = school.command(&args(&table, &template, &out, &[]));
            let mut batch = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it runs");
            until("some files", || {
                (files() >= some || batch.try_wait().expect("our child").is_some()).then_some(())
            });
            batch.kill().expect("killed");
            interrupted += u32::from(!batch.wait().expect("our child").success());
            if node {
                school.kill();
                school.up(&[]);
            }
        }
        assert!(interrupted > 0, "too fast to be killed");
        let begun = school.json(&["issued"]).as_array().map_or(0, Vec::len);
        assert!((1..=PEOPLE).contains(&begun), "{begun}");
        let report = school.json(&args(&table, &template, &out, &["--resume"]));
        assert_eq!(report["issued_before"], begun, "what was issued before is not issued again");
        assert_eq!(report["issued"], PEOPLE - begun);

        let written = credentials(&out);
        let distinct = |of: &dyn Fn(&Value) -> String| written.iter().map(of).collect::<BTreeSet<_>>().len();
        assert_eq!(written.len(), PEOPLE);
        assert_eq!(distinct(&|c| text(&c["id"])), PEOPLE);
        assert_eq!(distinct(&|c| text(&c["credentialSubject"]["id"])), PEOPLE);
        assert_eq!(
            distinct(&|c| text(&c["credentialStatus"][0]["id"])),
            PEOPLE,
            "each has a place of its own"
        );
        assert_eq!(school.json(&["issued"]).as_array().map(Vec::len), Some(PEOPLE));
        let others = fs::read_dir(&out).expect("a folder").flatten().filter(|f| !is_credential(&f.path()));
        assert_eq!(others.count(), 2, "the journal and the list");
    }
}
