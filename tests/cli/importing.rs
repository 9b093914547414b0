//! `knack import` of each form: what is kept, with which label, what backs a claim, and what is refused.

use std::fs;

use knackmesh_protocol::{
    credential::{
        Credential, Format, Securing, Signer,
        baked::{self, Baked, Version},
        data_integrity::{self, Binding, ProofOptions, suites::EDDSA_JCS_2022},
        presentation,
    },
    jose::sd_jwt::KeyBinding,
    key::SecretKey,
};
use serde_json::{Value, json};

use crate::{
    harness::site::{Site, issuance, now, signed},
    harness::{Knack, Outcome, finish, text},
};

/// A PNG of one pixel.
const PNG: &str = "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c63606060f80f0001040100\
                   5fe5c34b0000000049454e44ae426082";
const SVG: &str = r#"<svg xmlns="http://www.w3.org/2000/svg"><circle r="4"/></svg>"#;

pub fn write(home: &Knack, name: &str, bytes: impl AsRef<[u8]>) -> String {
    let file = home.file(name);
    fs::write(&file, bytes).expect("written");
    file
}

fn import(home: &Knack, args: &[&str]) -> (Option<i32>, Value) {
    let outcome = finish(home.command(&[&["import"], args].concat()).arg("--json"));
    (outcome.code, outcome.json())
}

/// The credential that was imported as the only one.
#[track_caller]
pub fn imported(home: &Knack, args: &[&str]) -> Value {
    let (code, rows) = import(home, args);
    assert_eq!((code, rows.as_array().map(Vec::len)), (Some(0), Some(1)), "{rows:#}");
    rows[0]["imported"].clone()
}

/// The command refuses, says `why`, and keeps nothing.
#[track_caller]
pub fn refused(home: &Knack, args: &[&str], why: &str) -> Outcome {
    let before = home.status()["credentials"].clone();
    let outcome = home.run(&[&["import"], args].concat());
    assert_eq!(outcome.code, Some(3), "{outcome:?}");
    assert!(outcome.stderr.contains(why) && outcome.stderr.contains("try:"), "{why}: {outcome:?}");
    assert_eq!(home.status()["credentials"], before, "{outcome:?}");
    outcome
}

/// A credential of the key of seed 1 for this home.
fn award(home: &Knack, format: Format) -> Credential {
    let key = SecretKey::from_seed([1; 32]);
    issuance(key.did(), &home.did(), Vec::new()).sign(&(&key).into(), format, now()).expect("issued")
}

fn unhex(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).expect("digits"), 16).expect("hex");
    digits.chunks(2).map(pair).collect()
}

#[test]
fn each_form_of_a_credential_is_kept_and_read_again() {
    for (format, name) in
        [(Format::Jcs, "eddsa-jcs-2022"), (Format::VcJwt, "vc+jwt"), (Format::SdJwt, "dc+sd-jwt")]
    {
        let home = Knack::new(name);
        let row = imported(&home, &[&write(&home, "award", award(&home, format).text())]);
        assert_eq!(
            (&row["credential"]["format"], &row["credential"]["verified"]),
            (&json!(name), &json!(true))
        );
        assert_eq!(row["credential"]["skills"][0]["level"], 4, "{row:#}");
        assert_eq!((&row["suggestions"], &row["dropped"]), (&json!([]), &json!([])));
        let kept = home.json(&["credentials"]);
        assert_eq!((&kept[0]["format"], &kept[0]["verified"]), (&json!(name), &json!(true)), "{kept:#}");
        let preview = home.json(&["preview"]);
        assert_eq!(preview["content"]["claims"].as_array().map(Vec::len), Some(1), "{preview:#}");
    }
}

#[test]
fn a_badge_comes_out_of_the_image_that_shows_it() {
    for format in [Format::Jcs, Format::VcJwt] {
        let home = Knack::new("home");
        let text = award(&home, format).text().to_owned();
        let badge = Baked { version: Version::OpenBadges3, text };
        let png = baked::bake_png(&unhex(PNG), &badge).expect("baked");
        let svg = baked::bake_svg(SVG, &badge).expect("baked");
        for (name, bytes) in [("badge.png", png), ("badge.svg", svg.into_bytes())] {
            let row = imported(&home, &[&write(&home, name, &bytes)]);
            assert_eq!(row["dropped"], json!(["the image"]), "{row:#}");
            assert_eq!(home.json(&["verify", &home.file(name)])["verified"], true);
        }
        assert_eq!(home.json(&["credentials"]).as_array().map(Vec::len), Some(1), "both are the same");
    }
}

#[test]
fn a_bundle_is_taken_apart() {
    let home = Knack::new("home");
    let (whole, token) = (award(&home, Format::Jcs), award(&home, Format::VcJwt));
    let others =
        issuance(SecretKey::from_seed([1; 32]).did(), SecretKey::from_seed([3; 32]).did().as_str(), vec![]);
    let others = others.sign(&(&SecretKey::from_seed([1; 32])).into(), Format::Jcs, now()).expect("issued");
    let record = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential", "ClrCredential"],
        "credentialSubject": {
            "id": home.did(), "type": ["ClrSubject"],
            "verifiableCredential": [whole.document(), token.text(), others.document(), 7],
            "association": [{"associationType": "isChildOf", "sourceId": "urn:a", "targetId": "urn:b"}],
        },
    });
    let Value::Object(document) = record else { panic!("an object") };
    let file = write(&home, "record.json", signed(document, 5).text());
    let (code, rows) = import(&home, &[&file]);
    assert_eq!(code, Some(3), "one is about another: {rows:#}");
    let rows = rows.as_array().expect("rows");
    let kept: Vec<&Value> = rows.iter().filter_map(|row| row.get("imported")).collect();
    let names: Vec<String> = kept.iter().map(|row| text(&row["file"])).collect();
    assert_eq!(names, [format!("{file}#1"), format!("{file}#2")], "{rows:#?}");
    let dropped = kept[0]["dropped"].to_string();
    assert!(dropped.contains("the record around it") && dropped.contains("1 associations"), "{dropped}");
    let refusals: Vec<String> = rows
        .iter()
        .filter_map(|row| row["refused"]["reason"]["message"].as_str())
        .map(str::to_owned)
        .collect();
    assert_eq!(refusals.len(), 2, "{refusals:?}");
    assert!(
        refusals.iter().any(|r| r.contains("not about you"))
            && refusals.iter().any(|r| r.contains("one of the things it holds is no credential"))
    );

    // A tilde in JSON is no end of anything.
    let key = SecretKey::from_seed([1; 32]);
    let mut tilde = issuance(key.did(), &home.did(), Vec::new());
    tilde.description = "See https://school.example/~ada/".into();
    let whole = tilde.sign(&(&key).into(), Format::Jcs, now()).expect("issued");
    let holder = Signer::of_key(SecretKey::from_seed([8; 32]).into());
    let shown = presentation::sign(&holder, &[&whole], &Binding::ANY_PRESENTATION, Format::Jcs, now())
        .expect("signed");
    let row = imported(&home, &[&write(&home, "shown.json", shown)]);
    assert!(row["dropped"].to_string().contains("the presentation"), "{row:#}");
}

#[test]
fn a_did_web_issuer_is_asked_only_when_the_holder_says_so() {
    let (site, home) = (Site::new(), Knack::new("home"));
    site.trusted_by(&home);
    site.publish_status(false, now());
    let file = write(&home, "award.json", site.award(&home.did(), Format::Jcs).text());
    let outcome = refused(&home, &[&file], "NOT_CHECKED");
    assert!(outcome.stderr.contains("add --fetch"), "{outcome:?}");
    assert_eq!(site.asked(), Vec::<String>::new());
    let row = imported(&home, &[&file, "--fetch"]);
    assert_eq!(
        (&row["credential"]["verified"], &row["credential"]["fresh"]),
        (&json!(true), &json!("PASS")),
        "{row:#}"
    );
    // The node reads what was fetched, and backs a claim with it.
    let asked = site.asked().len();
    assert_eq!(home.json(&["credentials"])[0]["verified"], true);
    assert_eq!(home.json(&["preview"])["content"]["claims"][0]["tier"], "issuer");
    assert_eq!(site.asked().len(), asked, "nobody was asked again");

    // Asked again, the issuer says otherwise; until then the home knows what it was told.
    site.publish_status(true, now());
    assert_eq!(home.json(&["credentials"])[0]["unrevoked"], "PASS");
    assert_eq!(home.json(&["credentials", "--fetch"])[0]["unrevoked"], "FAIL");
    assert_eq!(home.run(&["preview"]).code, Some(4), "a revoked credential backs no claim");

    let other = Knack::new("other");
    site.trusted_by(&other);
    let file = write(&other, "award.json", site.award(&other.did(), Format::Jcs).text());
    refused(&other, &[&file, "--fetch"], "its issuer revoked it");
}

#[test]
fn a_presented_sd_jwt_is_kept_without_what_bound_it() {
    let home = Knack::new("home");
    let key = SecretKey::from_seed([2; 32]);
    let issued = issuance(SecretKey::from_seed([1; 32]).did(), key.did().as_str(), Vec::new());
    let issued = issued.sign(&(&SecretKey::from_seed([1; 32])).into(), Format::SdJwt, now()).expect("issued");
    let Securing::SdJwt(vc) = issued.securing() else { panic!("no SD-JWT") };
    let binding = KeyBinding { audience: "shop.example", nonce: "1", issued: now() };
    let bound = vc.sd_jwt().select(|_| true).bind(&binding, &key.into()).expect("bound");
    // It is another's, which is said of the credential and not of the presentation.
    refused(&home, &[&write(&home, "shown", bound)], "not about you");
}

#[test]
fn what_nothing_ties_to_its_issuer_is_kept_and_backs_no_claim() {
    let home = Knack::new("home");
    let mut document = award(&home, Format::Jcs).document().clone();
    document.remove("proof");
    document["issuer"]["id"] = json!("https://academy.example/issuers/7");
    let signer: Signer = (&SecretKey::from_seed([1; 32])).into();
    let options = ProofOptions::new(Binding::ASSERTION, now());
    let badge = data_integrity::sign(document, &EDDSA_JCS_2022, &signer, &options).expect("signed");
    let mut changed = Value::Object(badge.clone());
    changed["name"] = json!("Medicine");
    refused(&home, &[&write(&home, "changed.json", changed.to_string())], "the signature does not verify");

    let kept = imported(&home, &[&write(&home, "badge.json", Value::Object(badge).to_string())]);
    let row = &kept["credential"];
    assert_eq!((&row["untampered"], &row["verified"]), (&json!("NOT_CHECKED"), &json!(false)), "{kept:#}");
    assert!(row["reasons"].to_string().contains("proof-key-unbound"), "{kept:#}");
    assert_eq!(home.json(&["credentials"])[0]["verified"], false);
    let preview = finish(home.command(&["preview"]).arg("--json"));
    assert!(!preview.stdout.contains("commitment"), "no claim is backed by it: {preview:?}");
}

#[test]
fn what_is_about_nobody_is_refused_and_what_is_kept_can_be_forgotten() {
    let (site, home) = (Site::keyed(), Knack::new("home"));
    let list = write(&home, "list.json", site.publish_status(false, now()));
    refused(&home, &[&list], "it is a status list, and about nobody");
    let file = write(&home, "award", award(&home, Format::Jcs).text());
    let kept = imported(&home, &[&file]);
    let id = text(&kept["credential"]["id"]);
    let unknown = home.run(&["forget", &id[..8], "ffff0000"]);
    assert_eq!(unknown.code, Some(1), "{unknown:?}");
    assert_eq!(home.json(&["credentials"]).as_array().map(Vec::len), Some(1), "all, or none");
    assert_eq!(home.json(&["forget", &id[..8]])[0]["id"], id);
    assert_eq!(home.json(&["credentials"]), json!([]));
    assert_eq!(home.run(&["forget", &id]).code, Some(1));
    assert_eq!(home.run(&["import", &file, "--email", "ada"]).code, Some(2));
}

#[test]
fn published_badges_are_read() {
    let vectors = concat!(env!("CARGO_MANIFEST_DIR"), "/protocol/vectors/credential/");
    let home = Knack::new("home");
    for (file, format, code) in [
        ("baked/simple-json.png", "eddsa-rdfc-2022", 3),
        ("baked/simple-json.svg", "eddsa-rdfc-2022", 3),
        ("baked/simple-jwt.png", "vc+jwt", 3),
        ("baked/simple-badge.png", "open-badges-2-hosted", 3),
        ("ob2/simple.jwt", "open-badges-2-signed", 3),
        ("ob3/simple.json", "eddsa-rdfc-2022", 3),
    ] {
        let outcome =
            finish(home.command(&["verify", "--offline", &format!("{vectors}{file}")]).arg("--json"));
        assert_eq!(
            (outcome.code, &outcome.json()["format"]),
            (Some(code), &json!(format)),
            "{file}: {outcome:?}"
        );
        assert_eq!(home.run(&["import", &format!("{vectors}{file}")]).code, Some(3), "{file}");
    }
    assert_eq!(home.status()["credentials"], 0);
}

#[test]
fn of_a_curriculum_only_confirmed_skills_are_claimed() {
    let home = Knack::new("home");
    let resume = json!({
        "basics": {"name": "Ada Example", "email": "ada@example.org"},
        "work": [{"name": "Secret Employer"}],
        "skills": [{"name": "Rust", "level": "Expert"}, {"name": "Kubernetes"}, {"name": "Juggling with fire"}],
    });
    let file = write(&home, "resume.json", resume.to_string());
    let said = home.run(&["import", &file]).ok().stdout;
    assert!(said.contains("knack profile --claim 'Rust=5'"), "{said}");
    assert!(
        said.contains("knack profile --claim 'Kubernetes=LEVEL'") && said.contains("--claim-all"),
        "{said}"
    );
    assert!(said.contains("Juggling with fire") && said.contains("basics, work"), "{said}");
    assert_eq!(home.json(&["profile"])["claims"], json!([]), "nothing is claimed by itself");
    let (code, rows) = import(&home, &[&file, "--claim-all"]);
    let claims = &rows[0]["claims"];
    assert_eq!(
        (code, &claims["labels"], &claims["claimed"]),
        (Some(0), &json!(["claimed-only"]), &json!(true))
    );
    assert_eq!((&claims["format"], &claims["dropped"]), (&json!("json-resume"), &json!(["basics", "work"])));
    let profile = home.json(&["profile"]);
    let claimed: Vec<(String, u64)> = profile["claims"]
        .as_array()
        .expect("claims")
        .iter()
        .map(|c| (text(&c["label"]), c["level"].as_u64().expect("a level")))
        .collect();
    assert_eq!(claimed, [("Rust".to_owned(), 5), ("Kubernetes".to_owned(), 1)], "{profile:#}");
    assert_eq!(home.status()["credentials"], 0);
    assert_eq!(
        finish(home.command(&["verify", &file]).arg("--json")).code,
        Some(3),
        "there is nothing to verify"
    );
    let europass = json!({"SkillsPassport": {"LearnerInfo": {"Skills": {"Computer": {"Description": "<b>Kubernetes</b>"}}}}});
    let (code, rows) = import(&home, &[&write(&home, "europass.json", europass.to_string())]);
    assert_eq!((code, &rows[0]["claims"]["format"]), (Some(0), &json!("europass")), "{rows:#}");
}

#[test]
fn wrong_files_are_refused_by_what_they_are() {
    let home = Knack::new("home");
    let bomb = {
        // A mebibyte of zeros in a compressed text chunk that claims to be a badge.
        let mut body = b"openbadgecredential\0\x01\0\0\0".to_vec();
        body.extend(deflated_zeros());
        chunked(&body)
    };
    for (name, bytes, why) in [
        ("a.pdf", b"%PDF-1.7 ...".to_vec(), "a PDF document"),
        ("a.zip", b"PK\x03\x04...".to_vec(), "a ZIP archive"),
        ("a.json.gz", b"\x1f\x8b\x08...".to_vec(), "a compressed file"),
        ("a.html", b"<!DOCTYPE html><html></html>".to_vec(), "a page or a document in XML"),
        ("plain.png", unhex(PNG), "no badge is baked"),
        ("cut.png", unhex(&PNG[..60]), "cut off"),
        ("bomb.png", bomb, "longer than"),
        ("huge.txt", vec![b'x'; 2_000_000], "more than the"),
        (
            "class.json",
            br#"{"@context":"https://w3id.org/openbadges/v2","type":"BadgeClass"}"#.to_vec(),
            "awards nothing",
        ),
    ] {
        let file = write(&home, name, &bytes);
        refused(&home, &[&file], why);
        let verified = home.run(&["verify", &file]);
        assert_eq!((verified.code, verified.stderr.contains(why)), (Some(3), true), "{verified:?}");
    }
}

/// The header of [`PNG`], a text chunk with this body, and nothing else.
fn chunked(body: &[u8]) -> Vec<u8> {
    let mut png = unhex(&PNG[..66]);
    png.extend(u32::try_from(body.len()).expect("short").to_be_bytes());
    let typed = [b"iTXt", body].concat();
    png.extend(&typed);
    let mut crc = u32::MAX;
    for byte in typed {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    png.extend((!crc).to_be_bytes());
    png
}

/// Zlib data of a mebibyte of zeros: fixed codes (RFC 1951, section 3.2.6) for one zero and many times 258 of the last byte.
fn deflated_zeros() -> Vec<u8> {
    let mut bits: Vec<bool> = [true, true, false].to_vec();
    let mut code = |value: u32, length: u32| bits.extend((0..length).rev().map(|at| value >> at & 1 == 1));
    code(0b0011_0000, 8);
    for _ in 0..4064 {
        code(0b1100_0101, 8);
        code(0, 5);
    }
    code(0, 7);
    let byte = |bits: &[bool]| bits.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
    [vec![0x78, 0x9c], bits.chunks(8).map(byte).collect(), vec![0; 4]].concat()
}
