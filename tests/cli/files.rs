//! Hostile files for `knack import` and `knack verify`: a reason and exit 3 or 1, never a panic, never a credential kept.

use std::{fs, time::Instant};

use crate::harness::{Knack, PATIENCE, finish, knack};

/// Both commands refuse the file with a reason.
#[track_caller]
fn refused(home: &Knack, name: &str, bytes: &[u8]) {
    let file = home.file("hostile.json");
    fs::write(&file, bytes).expect("written");
    for command in ["import", "verify"] {
        let began = Instant::now();
        let outcome = home.run(&[command, &file]);
        assert!(outcome.code == Some(3) || outcome.code == Some(1), "{command} {name}: {outcome:?}");
        let said = format!("{}{}", outcome.stdout, outcome.stderr);
        let reasons = ["error:", "not verified"];
        assert!(reasons.iter().any(|r| said.contains(r)), "{command} {name}: no reason: {said}");
        assert!(said.len() < 20_000, "{command} {name}: {} bytes of talk", said.len());
        assert!(!said.chars().any(|c| c.is_control() && c != '\n'), "{command} {name}: {said:?}");
        assert!(began.elapsed() < PATIENCE);
    }
}

#[test]
fn hostile_files_are_refused_with_a_reason() {
    let [school, home] = Knack::cast(["school", "home"]);
    let valid = fs::read_to_string(school.issue(&home, "rust", 3)).expect("issued");
    let deep =
        |open: &str, close: &str| format!("{}{}", open.repeat(50_000), close.repeat(50_000)).into_bytes();
    let with = |from: &str, to: &str| {
        assert!(valid.contains(from), "{from}");
        valid.replacen(from, to, 1).into_bytes()
    };
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("a byte order mark alone", b"\xef\xbb\xbf".to_vec()),
        ("binary", (0..=255).cycle().take(5_000).collect()),
        ("not UTF-8", [valid.as_bytes(), b"\xff"].concat()),
        ("huge", vec![b' '; 3_000_000]),
        ("a huge text", format!("\"{}\"", "a".repeat(900_000)).into_bytes()),
        ("a large number of values", format!("[{}1]", "1,".repeat(300_000)).into_bytes()),
        ("deep arrays", deep("[", "]")),
        ("deep objects", deep("{\"a\":", "}")),
        ("truncated", valid.as_bytes()[..valid.len() / 2].to_vec()),
        ("two values", [valid.as_bytes(), valid.as_bytes()].concat()),
        ("null", b"null".to_vec()),
        ("an array", format!("[{valid}]").into_bytes()),
        ("a number", b"1e999999".to_vec()),
        ("a duplicate key", with("\"issuer\"", "\"issuer\": \"did:key:x\", \"issuer\"")),
        ("a key twice with an escape", with("\"issuer\"", "\"\\u0069ssuer\": 1, \"issuer\"")),
        ("a lone surrogate", with("\"name\": \"", "\"name\": \"\\ud800")),
        ("a control character", with("\"name\": \"", "\"name\": \"\\u001b[31m")),
        ("a NUL", with("\"name\": \"", "\"name\": \"\\u0000")),
        ("text direction overridden", with("\"name\": \"", "\"name\": \"\\u202e")),
        (
            "a subject of the wrong type",
            with("\"credentialSubject\": {", "\"credentialSubject\": 7, \"x\": {"),
        ),
        ("a proof of the wrong type", with("\"proof\": {", "\"proof\": \"none\", \"x\": {")),
        ("no proof", with("\"proof\": {", "\"x\": {")),
        ("an endless list of proofs", {
            let value: serde_json::Value = serde_json::from_str(&valid).expect("JSON");
            let mut many = value.clone();
            many["proof"] = vec![value["proof"].clone(); 300].into();
            many.to_string().into_bytes()
        }),
        ("a date that is none", with("\"validFrom\": \"2", "\"validFrom\": \"X2")),
        ("a proof value that is none", with("\"proofValue\": \"z", "\"proofValue\": \"z0OIl")),
    ];
    for (name, bytes) in cases {
        refused(&home, name, &bytes);
    }
    for path in ["/dev/zero", "/dev/null", "/proc/self/mem", home.home().to_str().expect("UTF-8")] {
        for command in ["import", "verify"] {
            let outcome = home.run(&[command, path]);
            assert!(matches!(outcome.code, Some(1 | 3)), "{command} {path}: {outcome:?}");
        }
    }
    let large = home.file("large");
    fs::File::create(&large).and_then(|file| file.set_len(100 << 20)).expect("made");
    let outcome = home.run(&["verify", &large]);
    assert!(outcome.code == Some(3) && outcome.stderr.contains("more than 16 MiB"), "{outcome:?}");
    assert_eq!(home.status()["credentials"], 0);
}

/// A small generator, so that the changes are the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % sides
    }
}

#[test]
fn no_change_of_a_valid_credential_passes_or_panics() {
    let [school, home] = Knack::cast(["school", "home"]);
    let valid = fs::read(school.issue(&home, "rust", 3)).expect("issued");
    let dice = &mut Dice(7);
    for round in 0..40 {
        let mut bytes = valid.clone();
        for _ in 0..=dice.roll(3) {
            let at = dice.roll(bytes.len());
            match dice.roll(5) {
                0 => bytes[at] ^= 1 << dice.roll(7),
                1 => bytes.truncate(at.max(1)),
                2 => bytes.insert(at, b"{}[]\",:\\0e-\x00"[dice.roll(12)]),
                3 => drop(bytes.drain(at..(at + 1 + dice.roll(20)).min(bytes.len()))),
                _ => {
                    let piece = bytes[at..(at + 40).min(bytes.len())].to_vec();
                    bytes.splice(at..at, piece);
                }
            }
            if bytes.is_empty() {
                bytes.push(b'?');
            }
        }
        // White space and the escaping of text are not signed, only what they say.
        let says = |b: &[u8]| serde_json::from_slice::<serde_json::Value>(b).ok();
        if says(&bytes).is_some() && says(&bytes) == says(&valid) {
            continue;
        }
        refused(&home, &format!("change {round}"), &bytes);
    }
    assert_eq!(home.status()["credentials"], 0);
}

#[test]
fn a_credential_is_verified_without_a_home() {
    let [issuer, holder] = Knack::cast(["issuer", "holder"]);
    let file = issuer.issue(&holder, "rust", 3);
    let nowhere = issuer.file("no-such-home");
    let outcome = finish(knack().args(["--home", &nowhere, "verify", &file, "--json"])).ok();
    assert_eq!(outcome.json()["verified"], true);
    assert!(!std::path::Path::new(&nowhere).exists(), "verifying sets nothing up");
}
