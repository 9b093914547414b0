#![allow(clippy::unwrap_used)]

use std::{fs, path::PathBuf};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn vectors() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors/credential/ob2")
}

pub(super) fn vector(name: &str) -> String {
    fs::read_to_string(vectors().join(name)).unwrap()
}

/// What the world of the published samples serves at an address.
fn served(url: &str) -> String {
    let name = url.rsplit('/').next().unwrap();
    let name = if name == "beths-robotics-badge.json" { "../basic-assertion.json" } else { name };
    vector(&format!("assets/{}.json", name.trim_end_matches(".json")))
}

/// Fetches everything that is wanted, from the samples or, for the assertion itself, from where it came. Several
/// samples share one id that is not where they are: what was fetched is served there again.
pub(super) fn gathered(mut dossier: Dossier, own: &str) -> Result<Dossier, AssertionError> {
    let mut last = String::new();
    for _ in 0..20 {
        let wanted = dossier.wanted()?;
        if wanted.is_empty() {
            return Ok(dossier);
        }
        for document in wanted {
            if document.kind == DocumentKind::Assertion {
                last = own.to_owned();
            } else if document.url.ends_with(".json") {
                last = served(&document.url);
            }
            dossier.take(&document, &last)?;
        }
    }
    panic!("no end");
}

/// What becomes of a published assertion, hosted or signed: on what it rests, or the code of its refusal.
fn outcome(name: &str) -> String {
    let text = vector(name);
    let judged = || {
        let dossier = if name.ends_with(".jwt") {
            Dossier::signed(&SignedAssertion::parse(&text)?)?
        } else {
            Dossier::hosted(Assertion::parse(&text)?)?
        };
        Ok(match gathered(dossier, &text)?.backing()? {
            Backing::Hosted => "hosted".to_owned(),
            Backing::Signed(keys) => format!("signed by {}", keys[0].id),
        })
    };
    judged().unwrap_or_else(|e: AssertionError| e.code().to_owned())
}

#[test]
fn published_assertions_stand_as_they_should() {
    for (name, expected) in [
        ("basic-assertion.json", "hosted"),
        ("basic-assertion-with-language.json", "hosted"),
        ("assertion-with-data-image.json", "hosted"),
        ("basic-assertion-in-future.json", "hosted"),
        ("basic-assertion-expired.json", "hosted"),
        ("basic-assertion-expired-before-issued.json", "validity-reversed"),
        ("basic-assertion-invalid-context.json", "context"),
        ("basic-assertion-invalid-type.json", "type"),
        ("basic-assertion-no-public-key.json", "hosted"),
        ("basic-assertion-with-allowed-origins.json", "hosted"),
        ("basic-assertion-with-allowed-origins-valid-starts-with.json", "hosted"),
        ("basic-assertion-with-allowed-origins-valid-multiple-starts-with.json", "hosted"),
        ("basic-assertion-with-allowed-origins-invalid-starts-with.json", "out-of-scope"),
        ("basic-assertion-with-allowed-origins-invalid-multiple-starts-with.json", "out-of-scope"),
        ("warning-issuer-non-http.json", "not-fetchable"),
        ("warning-with-redirection.json", "hosted"),
        ("assertion-with-multiple-extensions.json", "hosted"),
        ("assertion-with-endorsements.json", "hosted"),
        ("simple.jwt", "signed by http://example.org/key1.json"),
        ("simple-not-revoked.jwt", "signed by http://example.org/key2.json"),
        ("simple-revoked.jwt", "revoked"),
    ] {
        assert_eq!(outcome(name), expected, "{name}");
    }
}

#[test]
fn a_published_assertion_is_read() {
    let assertion = Assertion::parse(&vector("basic-assertion.json")).unwrap();
    assert_eq!(assertion.id, "https://example.org/beths-robotics-badge.json");
    assert_eq!(assertion.badge, Reference::Id("https://example.org/robotics-badge.json".into()));
    assert_eq!(assertion.issued_on.to_string(), "2016-12-31T23:59:59Z");
    assert_eq!(assertion.expires, None);
    assert_eq!(assertion.evidence, ["https://example.org/beths-robot-work.html"]);
    assert_eq!(assertion.recipient.kind, RecipientKind::Email);
    assert_eq!(assertion.recipient.matches("nobody@example.org"), Ok(true));
    assert_eq!(assertion.recipient.matches(" Nobody@Example.org"), Ok(true));
    assert_eq!(assertion.recipient.matches("beth@example.org"), Ok(false));

    let signed = SignedAssertion::parse(&vector("simple.jwt")).unwrap();
    assert_eq!((signed.algorithm.as_str(), signed.signature.len()), ("RS256", 256));
    assert!(vector("simple.jwt").starts_with(&format!("{}.", signed.signing_input)));

    let badge = BadgeClass::parse(&served("robotics-badge")).unwrap();
    assert_eq!(badge.name, "Awesome Robotics Badge");
    assert_eq!(badge.criteria_url.as_deref(), Some("https://example.org/badgecriteria.json"));
    assert_eq!(badge.texts().len(), 3);
    assert_eq!(Profile::parse(&served("issuer-invalid-type")).unwrap_err().code(), "type");
}

/// A small world: an issuer, a badge class, and an assertion that is changed by `change`.
fn assertion(change: impl FnOnce(&mut Value)) -> String {
    let mut assertion = json!({
        "@context": "https://w3id.org/openbadges/v2",
        "type": "Assertion",
        "id": "https://a.example/1",
        "recipient": {"type": "email", "hashed": false, "identity": "Bea@a.example"},
        "issuedOn": "2020-01-01T00:00:00+01:00",
        "verification": {"type": "HostedBadge"},
        "badge": badge("https://a.example/badge", json!("https://a.example/issuer")),
    });
    change(&mut assertion);
    assertion.to_string()
}

fn badge(id: &str, issuer: Value) -> Value {
    json!({
        "type": "BadgeClass", "id": id, "name": "Rust \u{202e}badge", "description": "Knows Rust",
        "criteria": {"narrative": "Passed"}, "issuer": issuer, "tags": "rust",
        "alignment": [
            {"targetUrl": "urn:skill:rust", "targetName": "Rust"}, {"targetUrl": "urn:skill:rust"}, 7,
            {"targetName": "nowhere"}, {"targetUrl": "not a uri", "targetName": "x"},
        ],
    })
}

fn profile(id: &str) -> Value {
    json!({"type": ["Issuer", "https://a.example/x"], "id": id, "name": "A", "email": "a@a.example"})
}

#[test]
fn a_badge_class_names_skills() {
    let text = badge("https://a.example/badge", json!("https://a.example/issuer")).to_string();
    let badge = BadgeClass::parse(&text).unwrap();
    assert_eq!(badge.skills(), [("urn:skill:rust".parse().unwrap(), "Rust".to_owned())]);
    assert_eq!(badge.name, "Rust badge");
    assert_eq!((badge.criteria.as_str(), badge.criteria_url), ("Passed", None));
    assert_eq!(badge.tags, ["rust"]);
}

#[test]
fn what_an_assertion_embeds_is_fetched_from_its_address() {
    let mut dossier = Dossier::hosted(Assertion::parse(&assertion(|_| {})).unwrap()).unwrap();
    let mut asked = Vec::new();
    let world = |url: &str| match url {
        "https://a.example/1" => assertion(|a| a["badge"] = json!("https://a.example/badge")),
        "https://a.example/badge" => {
            let mut embedded = profile("https://a.example/issuer");
            embedded["verification"] = json!({"allowedOrigins": "evil.example"});
            badge(url, embedded).to_string()
        }
        _ => profile(url).to_string(),
    };
    assert_eq!(dossier.backing(), Err(AssertionError::Incomplete));
    while let Some(document) = dossier.wanted().unwrap().first().cloned() {
        asked.push(document.url.clone());
        dossier.take(&document, &world(&document.url)).unwrap();
    }
    assert_eq!(asked, ["https://a.example/1", "https://a.example/badge", "https://a.example/issuer"]);
    assert_eq!(dossier.backing(), Ok(Backing::Hosted));
    assert_eq!(dossier.issuer().unwrap().scope, None);
    let stale = Wanted { kind: DocumentKind::Issuer, url: "https://a.example/issuer".into() };
    assert_eq!(dossier.take(&stale, "{}").unwrap_err().code(), "not-wanted");
}

#[test]
fn a_document_that_is_another_one_leads_there_but_not_forever() {
    let mut dossier = Dossier::hosted(Assertion::parse(&assertion(|_| {})).unwrap()).unwrap();
    let mut refusal = None;
    for n in 2..9 {
        let wanted = dossier.wanted().unwrap().remove(0);
        let text = assertion(|a| a["id"] = json!(format!("https://a.example/{n}")));
        match dossier.take(&wanted, &text) {
            Ok(()) => assert_eq!(dossier.wanted().unwrap()[0].url, format!("https://a.example/{n}")),
            Err(e) => {
                refusal = Some(e.code());
                break;
            }
        }
    }
    assert_eq!(refusal, Some("other-id"));
}

#[test]
fn a_signed_assertion_needs_a_key_of_its_issuer() {
    let signed = |creator: Value| {
        let text = assertion(|a| {
            a["verification"] = json!({"type": "signed", "creator": creator});
            a["badge"] = badge("urn:uuid:1", json!("https://a.example/issuer"));
        });
        let part =
            |text: &str| base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, text);
        let jws = format!("{}.{}.{}", part(r#"{"alg":"RS256"}"#), part(&text), part("signature"));
        Dossier::signed(&SignedAssertion::parse(&jws).unwrap()).unwrap()
    };
    let key = |id: &str, owner: &str| json!({"id": id, "owner": owner, "publicKeyPem": "PEM"});
    let judged = |creator: Value, keys: Value| {
        let mut dossier = signed(creator);
        let wanted = dossier.wanted()?.remove(0);
        assert_eq!(
            wanted.kind,
            DocumentKind::Issuer,
            "a badge class without an address is part of what is signed"
        );
        let mut issuer = profile("https://a.example/issuer");
        issuer["publicKey"] = keys;
        dossier.take(&wanted, &issuer.to_string())?;
        for wanted in dossier.wanted()? {
            dossier.take(&wanted, &key(&wanted.url, "https://a.example/issuer").to_string())?;
        }
        dossier.backing().map(|backing| match backing {
            Backing::Signed(keys) => keys.iter().map(|key| key.id.clone()).collect::<Vec<_>>().join(" "),
            Backing::Hosted => "hosted".into(),
        })
    };
    let (one, two) = ("https://a.example/k1", "https://a.example/k2");
    let own = "https://a.example/issuer";
    assert_eq!(judged(json!(one), json!([one, two])).unwrap(), one);
    assert_eq!(judged(Value::Null, json!([one, two])).unwrap(), format!("{one} {two}"));
    assert_eq!(judged(Value::Null, json!([key("urn:k", own), one])).unwrap(), format!("urn:k {one}"));
    for (creator, keys, code) in [
        (json!("https://evil.example/k"), json!([one]), "key-not-the-issuers"),
        (Value::Null, json!([]), "key-not-the-issuers"),
        (Value::Null, json!(key("urn:k", "https://b.example/issuer")), "key-not-the-issuers"),
        (Value::Null, json!("urn:k"), "not-fetchable"),
        (Value::Null, json!([7]), "property"),
    ] {
        assert_eq!(judged(creator, keys).unwrap_err().code(), code);
    }
}

#[test]
fn scope_is_told_by_hosts_and_beginnings() {
    let allows = |verification: Value, assertion: &str, badge: &str| {
        let mut issuer = profile("https://a.example/issuer");
        issuer["verification"] = verification;
        Profile::parse(&issuer.to_string()).unwrap().allows(assertion, badge)
    };
    let there = "https://b.example:8443/1";
    for (verification, assertion, badge, expected) in [
        (json!(null), "http://A.example/1", "https://a.example/b", true),
        (json!(null), "https://a.example/1", "urn:uuid:1", true),
        (json!(null), "https://a.example/1", "https://b.example/b", false),
        (json!(null), there, "https://a.example/b", false),
        (json!(null), "https://a.example.evil.example/1", "https://a.example/b", false),
        (json!(null), "https://a.example@evil.example/1", "https://a.example/b", false),
        (json!(null), "https://a.example\\@evil.example/1", "https://a.example/b", false),
        (json!({"allowedOrigins": "B.example"}), there, "https://c.example/b", true),
        (json!({"allowedOrigins": ["c.example", "b.example:8443"]}), there, "https://c.example/b", true),
        (json!({"allowedOrigins": "https://b.example:8443"}), there, "https://c.example/b", true),
        (json!({"allowedOrigins": "b.example:1"}), there, "https://c.example/b", false),
        (json!({"allowedOrigins": "example"}), there, "https://c.example/b", false),
        (json!({"startsWith": "https://a.example/x/"}), "https://a.example/x/1", "https://a.example/b", true),
        (
            json!({"startsWith": ["https://a.example/x/"]}),
            "https://a.example/y",
            "https://a.example/b",
            false,
        ),
        (json!({"startsWith": "https://b.example"}), there, "https://a.example/b", false),
    ] {
        assert_eq!(
            allows(verification.clone(), assertion, badge),
            expected,
            "{verification} {assertion} {badge}"
        );
    }
    let nowhere = Profile::parse(&profile("urn:uuid:1").to_string()).unwrap();
    assert!(!nowhere.allows("https://a.example/1", "https://a.example/b"));
}

#[test]
fn recipients_match_by_their_kind() {
    let recipient = |object: Value| Recipient::read(object.as_object().unwrap()).unwrap();
    let plain = recipient(json!({"type": "schema:email", "identity": "Bea@a.example"}));
    assert_eq!(plain.matches("bea@A.example"), Ok(true));
    let url = recipient(json!({"type": "url", "hashed": false, "identity": "https://a.example/Bea"}));
    assert_eq!(
        (url.matches("https://a.example/Bea"), url.matches("https://a.example/bea")),
        (Ok(true), Ok(false))
    );
    // SHA-256 of "abc", from FIPS 180-4's examples.
    let hash = "sha256$BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD";
    let hashed = recipient(json!({"type": "url", "identity": hash, "salt": "bc"}));
    assert_eq!((hashed.matches("a"), hashed.matches("A")), (Ok(true), Ok(false)));
    let md5 = recipient(json!({"type": "email", "hashed": true, "identity": "md5$00"}));
    assert_eq!(md5.matches("a").unwrap_err().code(), "recipient-hash");
    let unnamed = recipient(json!({"type": "email", "hashed": true, "identity": "00"}));
    assert_eq!(unnamed.matches("a").unwrap_err().code(), "recipient-hash");
    assert_eq!(recipient(json!({"type": "did", "identity": "x"})).kind, RecipientKind::Other);
    assert!(Recipient::read(json!({"type": "email"}).as_object().unwrap()).is_none());
}

#[test]
fn older_ways_of_writing_are_understood() {
    let old = assertion(|a| {
        a["@context"] = json!("https://w3id.org/openbadges/v1");
        a["verify"] = json!({"type": "hosted", "url": "https://a.example/old"});
        for gone in ["id", "verification"] {
            a.as_object_mut().unwrap().remove(gone);
        }
        a["issuedOn"] = json!(1_500_000_000);
        a["expires"] = json!("2030-01-31");
    });
    let old = Assertion::parse(&old).unwrap();
    assert_eq!(old.id, "https://a.example/old");
    assert_eq!(old.issued_on.unix_ms(), 1_500_000_000_000);
    assert_eq!(old.expires.unwrap().to_string(), "2030-01-31T00:00:00Z");
    for date in ["2020-01-01T10:00:00+0200", "2020-01-01T10:00Z", "2020-01-01T10:00:00.123456Z"] {
        assert!(Assertion::parse(&assertion(|a| a["issuedOn"] = json!(date))).is_ok(), "{date}");
    }
}

#[test]
fn each_departure_is_refused_by_name() {
    let without = |name: &str| assertion(|a| drop(a.as_object_mut().unwrap().remove(name)));
    let with = |name: &str, value: Value| assertion(|a| a[name] = value);
    let cases = [
        ("[]".to_owned(), "not-an-object"),
        ("{".to_owned(), "json-syntax"),
        (" ".repeat(CREDENTIAL_BYTES_MAX + 1), "too-long"),
        (without("@context"), "context"),
        (with("@context", json!({"@vocab": "x"})), "context"),
        (without("type"), "type"),
        (without("id"), "property"),
        (with("id", json!(" ")), "property"),
        (without("recipient"), "property"),
        (without("badge"), "property"),
        (with("badge", json!([])), "property"),
        (with("badge", json!({"type": "Badge"})), "type"),
        (without("verification"), "property"),
        (with("verification", json!({"type": "other"})), "property"),
        (without("issuedOn"), "date"),
        (with("issuedOn", json!("2020-01-01T10:00:00")), "date"),
        (with("issuedOn", json!(-1)), "date"),
        (with("expires", json!(null)), "date"),
        (with("expires", json!("2019-12-31")), "validity-reversed"),
        (with("revoked", json!(true)), "revoked"),
        (
            r#"{"@context":"https://w3id.org/openbadges/v2","type":"Assertion","id":"x","revoked":true}"#
                .into(),
            "revoked",
        ),
    ];
    for (text, code) in cases {
        assert_eq!(Assertion::parse(&text).unwrap_err().code(), code, "{}", shown(&text));
    }
    let jws = vector("simple.jwt");
    let [header, payload, signature] = jws.trim().split('.').collect::<Vec<_>>()[..] else { panic!() };
    let crit = "eyJhbGciOiJSUzI1NiIsImNyaXQiOlsiYiJdfQ";
    for (text, code) in [
        (format!("{header}.{payload}"), "jws"),
        (format!("{header}.{payload}.{signature}.x"), "jws"),
        (format!("{header}.{payload}.{signature}="), "jws"),
        (format!("!.{payload}.{signature}"), "jws"),
        (format!("{crit}.{payload}.{signature}"), "jws-header"),
        (format!("e30.{payload}.{signature}"), "jws-header"),
        (format!("{header}.e30.{signature}"), "context"),
        (format!("{header}.{}.{signature}", "A".repeat(2 * CREDENTIAL_BYTES_MAX)), "jws"),
    ] {
        assert_eq!(SignedAssertion::parse(&text).unwrap_err().code(), code);
    }
    let hosted = Assertion::parse(&assertion(|_| {})).unwrap();
    let signed = SignedAssertion::parse(&jws).unwrap();
    assert_eq!(Dossier::hosted(signed.assertion.clone()).unwrap_err().code(), "verification-kind");
    let mismatched = SignedAssertion { assertion: hosted, ..signed };
    assert_eq!(Dossier::signed(&mismatched).unwrap_err().code(), "verification-kind");
}

#[test]
fn an_assertion_is_told_by_context_and_type() {
    let is_meant = |text: &str| Assertion::is_meant(&object(text).unwrap());
    assert!(is_meant(&vector("basic-assertion.json")));
    assert!(!is_meant(&vector("assets/robotics-badge.json")));
    assert!(!is_meant(
        r#"{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiableCredential"]}"#
    ));
}

/// JSON made of the words that badges are made of.
fn any_json() -> impl Strategy<Value = Value> {
    let words = prop::sample::select(vec![
        "@context",
        "@value",
        "type",
        "id",
        "recipient",
        "identity",
        "hashed",
        "salt",
        "badge",
        "verification",
        "verify",
        "url",
        "issuedOn",
        "expires",
        "evidence",
        "issuer",
        "publicKey",
        "owner",
        "publicKeyPem",
        "alignment",
        "targetUrl",
        "tags",
        "criteria",
        "narrative",
        "startsWith",
        "allowedOrigins",
        "revocationList",
        "revokedAssertions",
        "uid",
        "name",
        "creator",
        "Assertion",
        "BadgeClass",
        "Issuer",
        "RevocationList",
        "hosted",
        "signed",
        "email",
        "https://w3id.org/openbadges/v2",
        "https://a.example/1",
        "2020-01-01",
        "sha256$00",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        words.clone().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((words.clone(), inner), 0..6).prop_map(|members| {
                members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>().into()
            }),
        ]
    })
}

fn read(text: &str) {
    if let Ok(assertion) = Assertion::parse(text) {
        assert!(assertion.evidence.len() <= ALIGNMENTS_MAX);
        let _ = assertion.recipient.matches("a@a.example");
        if let Ok(mut dossier) = Dossier::hosted(assertion) {
            for _ in 0..4 {
                for wanted in dossier.wanted().unwrap_or_default() {
                    let _ = dossier.take(&wanted, text);
                }
                let _ = dossier.backing();
            }
        }
    }
    if let Ok(badge) = BadgeClass::parse(text) {
        assert!(badge.skills().len() <= ALIGNMENTS_MAX && badge.tags.len() <= ALIGNMENTS_MAX);
    }
    if let Ok(profile) = Profile::parse(text) {
        profile.allows("https://a.example/1", "https://a.example/2");
    }
    let _ = PublicKey::parse(text);
    let _ = RevocationList::parse(text);
    let _ = SignedAssertion::parse(text);
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[A-Za-z0-9_=-]{0,20}(\\.[A-Za-z0-9_=-]{0,20}){0,3}|.{0,60}") {
        read(&text);
    }

    #[test]
    fn any_json_is_read_or_refused(value in any_json()) {
        read(&value.to_string());
    }

    #[test]
    fn any_part_may_be_anything(name in "[a-z@A-Z]{1,12}", at in any::<prop::sample::Index>(), part in any_json()) {
        let mut document: Value = serde_json::from_str(&assertion(|_| {})).unwrap();
        let keys: Vec<String> = document.as_object().unwrap().keys().cloned().chain([name]).collect();
        document[at.get(&keys)] = part.clone();
        read(&document.to_string());
        let mut document = badge("https://a.example/badge", profile("https://a.example/issuer"));
        let keys: Vec<String> = document.as_object().unwrap().keys().cloned().collect();
        document[at.get(&keys)] = part;
        read(&document.to_string());
    }
}
