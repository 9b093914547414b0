//! Summaries and tombstones: what is legal, when they are current, and what derives from a view's keys.

use knackmesh_protocol::{
    id::Id,
    limits::{CLAIMS_MAX, HEADLINE_BYTES_MAX, LANGUAGES_MAX, LEASE_MAX_MS, SKILL_ID_BYTES_MAX},
    message::Item,
    signed::Signed,
    summary::{Salt, Summary, Tombstone},
    time::Timestamp,
};
use serde_json::{Value, json};

use super::{Case, cbor::Cbor, fixtures::*, hex, illegal, proofs, signed::refusal, unhex};

pub fn outcome(case: &Value) -> Value {
    if let Some(envelope) = case.get("summary") {
        let at: Timestamp = case["now"].as_str().unwrap().parse().unwrap();
        return match Signed::<Summary>::decode(&unhex(envelope)) {
            Ok(signed) if signed.body().content().proofs().is_empty() => summary_outcome(signed, at),
            Ok(signed) => match proofs::outcome(signed.body(), at) {
                Ok(published) => {
                    let mut stated = summary_outcome(signed, at);
                    stated["proofs"] = published;
                    stated
                }
                Err(refused) => refused,
            },
            Err(error) => refusal(&error),
        };
    }
    if let Some(envelope) = case.get("tombstone") {
        let at: Timestamp = case["now"].as_str().unwrap().parse().unwrap();
        return match Signed::<Tombstone>::decode(&unhex(envelope)) {
            Ok(signed) => tombstone_outcome(signed, at),
            Err(error) => refusal(&error),
        };
    }
    let seed: [u8; 32] = unhex(&case["view_secret"]).try_into().unwrap();
    let view = knackmesh_protocol::key::SecretKey::from_seed(seed);
    let credential: Id = case["credential"].as_str().unwrap().parse().unwrap();
    let salt = Salt::of(&view, credential);
    json!({"salt": hex(salt.0), "commitment": salt.commit(credential).to_string()})
}

fn summary_outcome(signed: Signed<Summary>, at: Timestamp) -> Value {
    let body = signed.body();
    let (id, current) = (signed.id().to_string(), body.is_current(at));
    let claims: Vec<Value> = body
        .content()
        .claims()
        .iter()
        .map(|c| {
            json!({
                "skill": c.skill(),
                "level": c.level(),
                "tier": c.tier(),
                "issuer": c.backing().map(|b| &b.issuer),
                "awarded": c.backing().map(|b| b.awarded),
                "commitment": c.backing().map(|b| b.commitment.to_string()),
            })
        })
        .collect();
    let terms = body.content().terms();
    let stated = json!({
        "id": id,
        "view": body.view().did(),
        "sequence": body.sequence(),
        "issued": body.issued().to_string(),
        "expires": body.expires().to_string(),
        "headline": body.content().headline(),
        "claims": claims,
        "languages": terms.languages,
        "region": terms.region,
        "modes": terms.modes,
        "available": terms.available.map(|day| day.to_string()),
        "node": body.reach().node().to_string(),
        "present": body.present(),
        "consent": body.consent().to_string(),
        "current": current,
    });
    with_item(stated, &Item::Summary(signed))
}

fn tombstone_outcome(signed: Signed<Tombstone>, at: Timestamp) -> Value {
    let body = signed.body();
    let stated = json!({
        "id": signed.id().to_string(),
        "view": body.view().did(),
        "ceiling": body.ceiling(),
        "issued": body.issued().to_string(),
        "kept_until": body.kept_until().to_string(),
        "current": body.is_current(at),
    });
    with_item(stated, &Item::Tombstone(signed))
}

fn with_item(mut stated: Value, item: &Item) -> Value {
    stated["topic"] = json!(item.topic());
    stated["record_key"] = json!(String::from_utf8(item.record_key()).unwrap());
    stated
}

pub fn cases() -> Vec<Case> {
    let mut cases = summaries();
    cases.extend(tombstones());
    cases.extend(proofs::cases());
    let credential = credential().id().to_string();
    for (name, who) in [("commitment", Who::View), ("commitment-of-another-view", Who::SecondView)] {
        cases.push((
            name,
            json!({
                "description": "The salt of a credential in a view, and the commitment to it.",
                "view_secret": hex(who.key().seed()),
                "credential": credential,
            }),
        ));
    }
    cases
}

fn summaries() -> Vec<Case> {
    let body = Cbor::read(summary().bytes());
    let claim = |uri: &str| body.clone().at("content.claims.1").clone().with("skill", Cbor::text(uri));
    let claims = |n: usize| Cbor::Array((0..n).map(|i| claim(&format!("urn:s:{i}"))).collect());
    let texts = |texts: &[&str]| Cbor::Array(texts.iter().map(|t| Cbor::text(t)).collect());
    let from = |ms: u64| Cbor::Unsigned(now().unix_ms() + ms);
    let at = |name, description: &str, instant: Timestamp| {
        let envelope = hex(summary().encode());
        (name, json!({"description": description, "now": instant.to_string(), "summary": envelope}))
    };
    let mut cases = vec![
        at("good", "A proven claim, a bare one, and every term.", now()),
        at("good-clock-behind", "Issued as far ahead as clocks may differ.", now().minus_ms(120_000)),
        at("good-issued-too-far-ahead", "Issued a millisecond further ahead.", now().minus_ms(120_001)),
        at("good-last-instant", "The last millisecond of the lease.", summary().body().expires().minus_ms(1)),
        at("good-expired", "The lease has ended.", summary().body().expires()),
        (
            "good-least",
            json!({
                "description": "One bare claim and nothing else.",
                "now": NOW,
                "summary": hex(small_summary(Who::SecondView, 1, now(), 1000).encode()),
            }),
        ),
    ];
    let good = |name, description: &str, edit: Cbor| {
        let envelope = hex(signed_by(Who::View, "summary", &edit));
        (name, json!({"description": description, "now": NOW, "summary": envelope}))
    };
    let bad = |name, description: &str, edit: Cbor| {
        let envelope = hex(signed_by(Who::View, "summary", &edit));
        (name, json!({"description": description, "now": NOW, "summary": envelope, "expect": illegal()}))
    };
    cases.extend([
        good(
            "good-most-claims",
            "CLAIMS_MAX claims",
            body.clone().with("content.claims", claims(CLAIMS_MAX)),
        ),
        good("good-longest-lease", "LEASE_MAX_MS", body.clone().with("expires", from(LEASE_MAX_MS))),
        good(
            "good-backed-and-claimed",
            "a credential that the subject issued to itself backs a claim of tier claimed",
            body.clone().with("content.claims.0.tier", Cbor::text("claimed")),
        ),
        good("good-no-headline", "an empty headline", body.clone().with("content.headline", Cbor::text(""))),
        bad("no-claims", "nothing to be found by", body.clone().with("content.claims", claims(0))),
        bad(
            "too-many-claims",
            "more than CLAIMS_MAX",
            body.clone().with("content.claims", claims(CLAIMS_MAX + 1)),
        ),
        bad(
            "skill-twice",
            "two claims of one skill",
            body.clone().with("content.claims.1.skill", Cbor::text(RUST)),
        ),
        bad(
            "unbacked",
            "a tier above claimed with nothing behind it",
            body.clone().without("content.claims.0", "backing"),
        ),
        bad(
            "backing-null",
            "null in place of an absent field",
            body.clone().and("content.claims.1", "backing", Cbor::NULL),
        ),
        bad(
            "backing-without-issuer",
            "no issuer",
            body.clone().without("content.claims.0.backing", "issuer"),
        ),
        bad(
            "commitment-short",
            "31 bytes",
            body.clone().with("content.claims.0.backing.commitment", Cbor::Bytes(vec![0; 31])),
        ),
        bad(
            "awarded-month-13",
            "no month",
            body.clone().with("content.claims.0.backing.awarded", Cbor::text("2026-13")),
        ),
        bad(
            "awarded-a-day",
            "finer than a month",
            body.clone().with("content.claims.0.backing.awarded", Cbor::text("2026-01-15")),
        ),
        bad(
            "level-0",
            "below the lowest level",
            body.clone().with("content.claims.0.level", Cbor::Unsigned(0)),
        ),
        bad(
            "level-6",
            "above the highest level",
            body.clone().with("content.claims.0.level", Cbor::Unsigned(6)),
        ),
        bad("tier-unknown", "no tier", body.clone().with("content.claims.0.tier", Cbor::text("Issuer"))),
        bad(
            "skill-not-a-uri",
            "a name instead of a URI",
            body.clone().with("content.claims.1.skill", Cbor::text("rust")),
        ),
        bad(
            "skill-too-long",
            "a URI longer than SKILL_ID_BYTES_MAX",
            body.clone().with(
                "content.claims.1.skill",
                Cbor::Text(format!("urn:{}", "x".repeat(SKILL_ID_BYTES_MAX - 3))),
            ),
        ),
        bad(
            "issuer-not-a-did",
            "a URL instead of a DID",
            body.clone().with("content.claims.0.backing.issuer", Cbor::text("https://example.org")),
        ),
        bad(
            "headline-too-long",
            "a byte longer than HEADLINE_BYTES_MAX",
            body.clone().with("content.headline", Cbor::Text("x".repeat(HEADLINE_BYTES_MAX + 1))),
        ),
        bad("headline-control", "a line feed", body.clone().with("content.headline", Cbor::text("a\nb"))),
        bad("language-twice", "de, de", body.clone().with("content.terms.languages", texts(&["de", "de"]))),
        bad(
            "language-upper-case",
            "DE is not the one spelling of de",
            body.clone().with("content.terms.languages", texts(&["DE"])),
        ),
        bad(
            "languages-empty",
            "an empty list in place of an absent field",
            body.clone().with("content.terms.languages", texts(&[])),
        ),
        bad(
            "too-many-languages",
            "more than LANGUAGES_MAX",
            body.clone().with(
                "content.terms.languages",
                texts(&["aa", "ab", "ac", "ad", "ae", "af", "ag", "ah", "ai"]),
            ),
        ),
        bad(
            "mode-twice",
            "remote, remote",
            body.clone().with("content.terms.modes", texts(&["remote", "remote"])),
        ),
        bad("mode-unknown", "no mode of work", body.clone().with("content.terms.modes", texts(&["office"]))),
        bad(
            "region-lower-case",
            "de is not the one spelling of DE",
            body.clone().with("content.terms.region", Cbor::text("de")),
        ),
        bad(
            "available-too-late",
            "after 9999-12-30",
            body.clone().with("content.terms.available", Cbor::Unsigned(2_932_896)),
        ),
        bad("lease-zero", "it ends when it begins", body.clone().with("expires", from(0))),
        bad(
            "lease-too-long",
            "longer than LEASE_MAX_MS",
            body.clone().with("expires", from(LEASE_MAX_MS + 1)),
        ),
        bad(
            "issued-after-9999",
            "no instant",
            body.clone().with("issued", Cbor::Unsigned(253_402_128_000_001)),
        ),
        bad(
            "reach-unknown",
            "a way to be reached that this version does not know",
            body.clone().with("reach", Cbor::variant("delegate", Cbor::Bytes(vec![0]))),
        ),
        bad("node-empty", "a peer id without bytes", body.clone().with("reach.direct", Cbor::Bytes(vec![]))),
        bad(
            "node-too-long",
            "a peer id of 65 bytes",
            body.clone().with("reach.direct", Cbor::Bytes(vec![0; 65])),
        ),
        bad(
            "a-name",
            "a field for a person's name: no schema has one",
            body.clone().and("content", "name", Cbor::text("A. Person")),
        ),
        bad("no-consent", "no consent record", body.without("", "consent")),
    ]);
    assert_eq!(LANGUAGES_MAX, 8);
    cases
}

fn tombstones() -> Vec<Case> {
    let tombstone = tombstone();
    let body = Cbor::read(tombstone.bytes());
    let end = tombstone.body().kept_until();
    let at = |name, description: &str, instant: Timestamp| {
        let envelope = hex(tombstone.encode());
        (name, json!({"description": description, "now": instant.to_string(), "tombstone": envelope}))
    };
    let issued = tombstone.body().issued().unix_ms();
    let edited = |until: u64| {
        hex(signed_by(Who::View, "tombstone", &body.clone().with("until", Cbor::Unsigned(until))))
    };
    vec![
        at("tombstone", "It is kept until the greatest signed expiry and ten minutes more.", now()),
        at("tombstone-last-instant", "The last millisecond.", end.minus_ms(1)),
        at("tombstone-ended", "No longer needed: everything that it withdraws has expired.", end),
        (
            "tombstone-until-too-late",
            json!({
                "description": "until is more than LEASE_MAX_MS after issued",
                "now": NOW,
                "tombstone": edited(issued + LEASE_MAX_MS + 1),
                "expect": illegal(),
            }),
        ),
        (
            "tombstone-of-the-expired",
            json!({
                "description": "until may lie before issued: what it withdraws has expired, but for slow clocks.",
                "now": NOW,
                "tombstone": edited(issued - 1),
            }),
        ),
        (
            "tombstone-negative-ceiling",
            json!({
                "description": "a ceiling below zero",
                "now": NOW,
                "tombstone": hex(signed_by(Who::View, "tombstone", &body.clone().with("ceiling", Cbor::Negative(0)))),
                "expect": illegal(),
            }),
        ),
    ]
}
