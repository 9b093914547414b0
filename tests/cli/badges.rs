//! Badges that are bound to an address: kept with their label, never backing a claim.

use std::fs;

use knackmesh_protocol::credential::Credential;
use serde_json::{Value, json};

use crate::{
    harness::site::{Site, signed},
    harness::{Knack, finish, https::Answer, text},
    importing::{imported, refused, write},
};

/// The SHA-256 of `ada@example.orgsalt`.
const ADA_HASHED: &str = "sha256$a014001d5b097167917a72429dd5a82f1753a805174e3d74f47086d6459b96a1";
pub const ADA: &str = "ada@example.org";

/// The subject of a badge that is bound to the hash of Ada's address.
pub fn hashed(achievement: Value) -> Value {
    json!({
        "type": ["AchievementSubject"], "achievement": achievement,
        "identifier": [{
            "type": "IdentityObject", "hashed": true, "identityHash": ADA_HASHED, "identityType": "emailAddress",
            "salt": "salt",
        }],
    })
}

pub fn badge(subject: Value) -> Credential {
    let document = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],
        "id": "https://school.example/awards/1",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": "Container course",
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": subject,
    });
    let Value::Object(document) = document else { panic!("an object") };
    signed(document, 1)
}

#[test]
fn a_badge_that_is_bound_to_an_address_is_kept_and_backs_no_claim() {
    let home = Knack::new("home");
    let achievement = json!({
        "id": "urn:uuid:1", "type": ["Achievement"], "name": "Containers",
        "description": "Ran services on Kubernetes", "criteria": {"narrative": "An exam"},
        "tag": ["rust"],
    });
    let file = write(&home, "badge.json", badge(hashed(achievement)).text());
    assert!(refused(&home, &[&file], "bound to an address").stderr.contains("--email"));
    refused(&home, &[&file, "--email", "bob@example.org"], "another address");
    let row = imported(&home, &[&file, "--email", " Ada@example.org"]);
    assert_eq!(row["credential"]["labels"], json!(["holder-not-proven"]), "{row:#}");
    assert_eq!(
        (&row["credential"]["untampered"], &row["credential"]["skills"]),
        (&json!("PASS"), &json!([]))
    );
    // Skills that its texts name are suggested, with where they stand, and never claimed.
    let suggested: Vec<(String, String)> = row["suggestions"]
        .as_array()
        .expect("suggestions")
        .iter()
        .map(|s| (text(&s["label"]), text(&s["place"])))
        .collect();
    assert!(suggested.contains(&("Kubernetes".into(), "description".into())), "{suggested:?}");
    let said = home.run(&["import", &file, "--email", ADA]).ok().stdout;
    assert!(said.contains("knack profile --claim 'Kubernetes=LEVEL'"), "{said}");
    assert_eq!(home.json(&["profile"])["claims"], json!([]));
    assert_eq!(home.json(&["credentials"])[0]["labels"], json!(["holder-not-proven"]));
    assert_eq!(home.run(&["preview"]).code, Some(4), "it backs no claim");
    home.json(&["profile", "--claim", "haskell=3"]);
    let left_out = home.json(&["preview"])["left_out"].to_string();
    assert!(left_out.contains("bound to no DID"), "{left_out}");
    // The address is nowhere in the home.
    let leaked = std::process::Command::new("grep")
        .args(["-ril", "ada@example"])
        .arg(home.home())
        .output()
        .expect("grep");
    assert_eq!(String::from_utf8_lossy(&leaked.stdout), "");
}

#[test]
fn a_badge_that_is_bound_to_nobody_needs_no_address() {
    let home = Knack::new("home");
    let subject = json!({"type": ["AchievementSubject"], "achievement": {"name": "Rust"}});
    let row = imported(&home, &[&write(&home, "badge.json", badge(subject).text())]);
    assert_eq!(row["credential"]["labels"], json!(["holder-not-proven"]), "{row:#}");
}

/// A site that awards a hosted badge of Open Badges 2.0 to Ada, and the assertion.
pub fn open_badge_2(site: &Site) -> Value {
    let url = |path: &str| site.server.url(path);
    let context = "https://w3id.org/openbadges/v2";
    let assertion = json!({
        "@context": context, "type": "Assertion", "id": url("/assertion"),
        "recipient": {
            "type": "email", "hashed": true, "salt": "salt",
            "identity": ADA_HASHED,
        },
        "issuedOn": "2020-01-01T00:00:00Z", "badge": url("/class"), "verification": {"type": "hosted"},
    });
    let class = json!({
        "@context": context, "type": "BadgeClass", "id": url("/class"), "name": "Robotics",
        "description": "Built a robot", "criteria": {"narrative": "It moves"}, "issuer": url("/issuer"),
        "alignment": [{
            "targetName": "Rust", "targetUrl": "https://www.onetonline.org/search/tech/example?e=Rust&j=15",
            "targetFramework": "O*NET", "targetCode": "43232402",
        }],
    });
    let issuer = json!({
        "@context": context, "type": "Issuer", "id": url("/issuer"), "name": "School", "url": url("/"),
        "email": "office@school.example",
    });
    for (path, page) in [("/assertion", &assertion), ("/class", &class), ("/issuer", &issuer)] {
        site.put(path, &page.to_string());
    }
    assertion
}

#[test]
fn an_open_badge_2_is_kept_as_the_weaker_thing_that_it_is() {
    let (mut site, home) = (Site::new(), Knack::new("home"));
    site.trusted_by(&home);
    let assertion = open_badge_2(&site);
    let file = write(&home, "badge.json", assertion.to_string());
    assert!(refused(&home, &[&file, "--email", ADA], "not known here").stderr.contains("--fetch"));
    assert_eq!(site.asked(), Vec::<String>::new());
    refused(&home, &[&file, "--fetch"], "bound to an address");
    let row = imported(&home, &[&file, "--fetch", "--email", ADA]);
    let credential = &row["credential"];
    assert_eq!(credential["labels"], json!(["weaker", "holder-not-proven"]), "{row:#}");
    assert_eq!(
        (&credential["format"], &credential["verified"]),
        (&json!("open-badges-2-hosted"), &json!(true))
    );
    assert_eq!(credential["recognised"], false);
    assert_eq!(credential["skills"][0]["skill"], "urn:knackmesh:onet:43232402:rust", "{row:#}");
    let said = home.run(&["verify", &file]).ok().stdout;
    assert!(said.contains("not verifiable to the same standard"), "{said}");
    assert_eq!(home.run(&["preview"]).code, Some(4), "it backs no claim");
    // It is read again, by a node that runs as well, without asking anybody.
    let kept = home.json(&["credentials"]);
    assert_eq!(
        (&kept[0]["credential"], &kept[0]["labels"][0]),
        (&json!("Robotics"), &json!("weaker")),
        "{kept:#}"
    );
    // The same badge in another file is the same badge.
    let other = write(&home, "again.json", format!("{assertion:#}"));
    imported(&home, &[&other, "--fetch", "--email", ADA]);
    assert_eq!(home.json(&["credentials"]).as_array().map(Vec::len), Some(1));
    site.server.stop();
    fs::remove_dir_all(home.home().join("cache")).expect("forgotten");
    let forgotten = home.json(&["credentials"]);
    assert_eq!(
        (&forgotten[0]["credential"], &forgotten[0]["untampered"]),
        (&json!("Robotics"), &json!("NOT_CHECKED"))
    );
    assert_eq!(home.run(&["verify", &file, "--offline"]).code, Some(3));
}

#[test]
fn an_open_badge_2_that_is_gone_or_served_otherwise_is_refused() {
    let (site, home) = (Site::new(), Knack::new("home"));
    site.trusted_by(&home);
    let assertion = open_badge_2(&site);
    let file = write(&home, "badge.json", assertion.to_string());
    let mut image = assertion.clone();
    image["recipient"] = json!({"type": "email", "hashed": false, "identity": "mallory@example.org"});
    let forged = write(&home, "forged.json", image.to_string());
    refused(&home, &[&forged, "--fetch", "--email", "mallory@example.org"], "another address");
    site.answer("/assertion", Answer::status(410));
    fs::remove_dir_all(home.home().join("cache")).expect("forgotten");
    refused(&home, &[&file, "--fetch", "--email", ADA], "untampered");
    let (code, report) = {
        let outcome = finish(home.command(&["verify", &file]).arg("--json"));
        (outcome.code, outcome.json())
    };
    assert_eq!((code, &report["unrevoked"]), (Some(3), &json!("FAIL")), "{report:#}");
}
