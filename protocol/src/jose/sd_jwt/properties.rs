//! Properties of whatever is issued, selected or sent by a stranger.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use serde_json::{Map, Value, json};

use super::{
    super::{Header, Jws, encode},
    ExpectedBinding, HashAlgorithm, Issuance, KeyBinding, SdJwt,
    vc::SdJwtVc,
};
use crate::{
    claim_path::{ClaimPath, Step},
    key::{SecretKey, SigningKey},
    limits::{JSON_DEPTH_MAX, SD_JWT_BYTES_MAX, SD_JWT_DISCLOSURES_MAX},
    time::Timestamp,
};

const BINDING: KeyBinding<'static> =
    KeyBinding { audience: "seeker", nonce: "nonce", issued: Timestamp::from_unix_ms(1_790_000_000_000) };
const EXPECTED: ExpectedBinding<'static> = ExpectedBinding {
    audience: Some(BINDING.audience),
    nonce: Some(BINDING.nonce),
    now: BINDING.issued,
    age_max_ms: 1000,
};

fn issuer() -> SigningKey {
    SecretKey::from_seed([1; 32]).into()
}

fn holder() -> SigningKey {
    SecretKey::from_seed([2; 32]).into()
}

fn random() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([3; 32])
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn issuance(claims: Value, disclosable: &[ClaimPath]) -> Issuance {
    Issuance {
        claims: object(claims),
        disclosable: disclosable.iter().cloned().collect(),
        ..Issuance::default()
    }
}

fn path(first: &str) -> ClaimPath {
    ClaimPath::default().member(first)
}

/// A credential in which claims nest, as its holder gets it.
fn credential() -> SdJwtVc {
    let claims = json!({
        "vct": "urn:skill",
        "iss": "did:web:issuer.example",
        "exp": 1_800_000_000,
        "name": "Ada",
        "skills": ["Rust", {"name": "C", "level": 4}],
    });
    let skills = path("skills");
    let disclosable =
        [path("name"), skills.clone(), skills.clone().element(0), skills.element(1).member("level")];
    let issuance = Issuance {
        holder: Some(holder().public()),
        digests_multiple: 4,
        hash: HashAlgorithm::Sha384,
        ..issuance(claims, &disclosable)
    };
    let header = Header { kid: Some("did:web:issuer.example#0".into()), ..Header::default() };
    SdJwtVc::issue(issuance, header, &issuer(), &mut random()).unwrap()
}

fn refusal(issuance: Issuance) -> &'static str {
    issuance.sign(&Header::default(), &issuer(), &mut random()).unwrap_err().code()
}

#[test]
fn what_is_issued_states_what_was_asked_for() {
    let credential = credential();
    let issued = credential.sd_jwt();
    assert_eq!(issued.token().typ(), Some("dc+sd-jwt"));
    assert_eq!(issued.holder_key().unwrap(), Some(holder().public()));
    assert_eq!(credential.valid_until().unwrap().unix_ms(), 1_800_000_000_000);
    assert_eq!((credential.subject(), credential.issued(), credential.status()), (None, None, None));
    // At the top `name` and `skills`, of the skills the first, in the second `level`: each filled up to four.
    assert_eq!((issued.disclosures().len(), issued.withheld()), (4, 2 + 3 + 3));
    let signed = issued.token().claims().unwrap();
    let digests: Vec<&str> = signed["_sd"].as_array().unwrap().iter().map(|d| d.as_str().unwrap()).collect();
    assert!(digests.len() == 4 && digests.is_sorted());
    assert_eq!(signed["_sd_alg"], "sha-384");
    let salts = issued.disclosures().iter().map(|d| d.text()[..20].to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(salts.len(), 4, "each disclosure has a salt of its own");
}

#[test]
fn an_array_tells_no_more_than_roughly_how_many_elements_it_has() {
    for (count, filled) in [(0, 0), (1, 4), (3, 4), (4, 4), (5, 8)] {
        let claims = json!({"list": (0..count).collect::<Vec<_>>()});
        let disclosable: Vec<ClaimPath> = (0..count).map(|n| path("list").element(n)).collect();
        let issuance = Issuance { digests_multiple: 4, ..issuance(claims, &disclosable) };
        let issued = issuance.sign(&Header::default(), &issuer(), &mut random()).unwrap();
        let signed = issued.token().claims().unwrap();
        let elements = signed["list"].as_array().unwrap();
        assert!(elements.iter().all(|element| element["..."].is_string()));
        assert_eq!((elements.len(), issued.disclosures().len()), (filled, count));
        // Wallets that count decoys among the elements find each at its place.
        for (element, disclosure) in elements.iter().zip(issued.disclosures()) {
            assert_eq!(element["..."], HashAlgorithm::Sha256.digest(disclosure.text()));
        }
    }
}

#[test]
fn selecting_a_claim_shows_it_whole_and_where_it_is() {
    let credential = credential();
    let issued = credential.sd_jwt();
    let shown = |paths: &[ClaimPath]| {
        let mut claims = SdJwt::parse(issued.select_paths(paths).text()).unwrap().claims().clone();
        for always in ["vct", "iss", "exp", "cnf"] {
            claims.remove(always).unwrap();
        }
        Value::Object(claims)
    };
    let skills = path("skills");
    assert_eq!(shown(&[]), json!({}));
    assert_eq!(shown(&[path("name")]), json!({"name": "Ada"}));
    assert_eq!(shown(&[path("skills")]), json!({"skills": ["Rust", {"name": "C", "level": 4}]}));
    assert_eq!(shown(&[skills.clone().element(0)]), json!({"skills": ["Rust", {"name": "C"}]}));
    assert_eq!(
        shown(&[skills.clone().element(1).member("level")]),
        json!({"skills": [{"name": "C", "level": 4}]})
    );
    assert_eq!(shown(&[skills.element(1).member("name")]), json!({"skills": [{"name": "C"}]}));
    let by_level = issued.select(|d| d.path().to_string() == "skills[1].level");
    assert_eq!(
        SdJwt::parse(by_level.text()).unwrap().disclosures().len(),
        2,
        "the level, and the skills around it"
    );
}

#[test]
fn what_cannot_be_issued_is_refused_by_name() {
    let claims = json!({"vct": "urn:skill", "iss": "x", "list": [1, 2]});
    for (issuance, code) in [
        (issuance(claims.clone(), &[path("name")]), "no-such-claim"),
        (issuance(claims.clone(), &[path("list").element(2)]), "no-such-claim"),
        (issuance(claims.clone(), &[ClaimPath::default()]), "no-such-claim"),
        (issuance(json!({"_sd": []}), &[]), "reserved-name"),
        (issuance(json!({"a": [{"...": "x"}]}), &[]), "reserved-name"),
        (issuance(json!({"a": {"_sd_alg": "sha-256"}}), &[]), "reserved-name"),
        (Issuance { holder: Some(holder().public()), ..issuance(json!({"cnf": {}}), &[]) }, "claim-repeated"),
        (
            Issuance {
                digests_multiple: SD_JWT_DISCLOSURES_MAX + 2,
                ..issuance(claims.clone(), &[path("list")])
            },
            "too-many-disclosures",
        ),
        (issuance(json!({"a": "x".repeat(SD_JWT_BYTES_MAX)}), &[]), "too-long"),
        (
            issuance(json!({"a": (0..JSON_DEPTH_MAX).fold(json!(1), |inner, _| json!([inner]))}), &[]),
            "json-too-deep",
        ),
    ] {
        assert_eq!(refusal(issuance), code);
    }
    let many: Vec<ClaimPath> = (0..=SD_JWT_DISCLOSURES_MAX).map(|n| path("list").element(n)).collect();
    assert_eq!(refusal(issuance(json!({"list": vec![0; many.len()]}), &many)), "too-many-disclosures");
    let credential = |claims: Value, disclosable: &[ClaimPath]| {
        let issuance = issuance(claims, disclosable);
        SdJwtVc::issue(issuance, Header::default(), &issuer(), &mut random()).map_err(|e| e.code())
    };
    assert!(credential(claims.clone(), &[path("list")]).is_ok());
    assert_eq!(credential(claims.clone(), &[path("iss")]).unwrap_err(), "vc-claim-hidden");
    assert_eq!(credential(claims, &[path("vct")]).unwrap_err(), "vc-claim-hidden");
    assert_eq!(credential(json!({"iss": "x"}), &[]).unwrap_err(), "vc-claim");
    assert_eq!(SdJwt::parse(&"~".repeat(SD_JWT_BYTES_MAX + 1)).unwrap_err().code(), "too-long");
}

#[test]
fn every_changed_character_is_refused() {
    let credential = credential();
    let presentation = credential.sd_jwt().select_paths(&[path("skills").element(0)]);
    let text = presentation.bind(&BINDING, &holder()).unwrap();
    let verified = |text: &str| {
        let sd_jwt = SdJwt::parse(text).ok()?;
        sd_jwt.verify(&issuer().public()).ok()?;
        let key = sd_jwt.holder_key().ok()??;
        sd_jwt.verify_key_binding(&key, &EXPECTED).ok()
    };
    assert!(verified(&text).is_some());
    for (at, c) in text.char_indices() {
        let next = char::from_u32(u32::from(c) + 1).unwrap().to_string();
        for replacement in ["", "A", "~", ".", &next].into_iter().filter(|r| *r != c.to_string()) {
            let changed = format!("{}{replacement}{}", &text[..at], &text[at + 1..]);
            assert!(verified(&changed).is_none(), "{changed}");
        }
    }
}

/// Claims of any shape that do not use reserved names.
fn any_claims() -> impl Strategy<Value = Map<String, Value>> {
    let name = prop_oneof![4 => "[a-d]", 1 => "\\PC{0,6}"]
        .prop_filter("not reserved", |name| !["_sd", "_sd_alg", "...", "cnf"].contains(&name.as_str()));
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-9i64..9).prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    let members = |name: BoxedStrategy<String>, value: BoxedStrategy<Value>| {
        prop::collection::vec((name, value), 0..5)
            .prop_map(|members| members.into_iter().collect::<Map<_, _>>())
    };
    let name = name.boxed();
    let inner_name = name.clone();
    let value = leaf.prop_recursive(4, 30, 5, move |inner| {
        let object = members(inner_name.clone(), inner.clone().boxed()).prop_map(Value::Object);
        prop_oneof![object, prop::collection::vec(inner, 0..4).prop_map(Value::from)]
    });
    members(name, value.boxed())
}

/// The paths of everything inside `value`.
fn paths(value: &Value, at: &ClaimPath, found: &mut Vec<ClaimPath>) {
    let mut inside = |step: Step, inner: &Value| {
        let mut path = at.clone();
        path.push(step);
        paths(inner, &path, found);
        found.push(path);
    };
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(k, inner)| inside(Step::Member(k.clone()), inner))
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, inner)| inside(Step::Element(n), inner))
        }
        _ => {}
    }
}

/// What is left of `value` when what stands at `hidden` is taken out.
fn without(value: &Value, at: &ClaimPath, hidden: &BTreeSet<ClaimPath>) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.iter().map(|(name, inner)| (name, at.clone().member(name), inner));
            let kept = kept.filter(|(_, path, _)| !hidden.contains(path));
            kept.map(|(name, path, inner)| (name.clone(), without(inner, &path, hidden)))
                .collect::<Map<_, _>>()
                .into()
        }
        Value::Array(items) => {
            let kept = items.iter().enumerate().map(|(n, inner)| (at.clone().element(n), inner));
            let kept = kept.filter(|(path, _)| !hidden.contains(path));
            kept.map(|(path, inner)| without(inner, &path, hidden)).collect::<Vec<_>>().into()
        }
        plain => plain.clone(),
    }
}

proptest! {
    #[test]
    fn any_selection_verifies_and_shows_exactly_itself(
        claims in any_claims(),
        disclosable in any::<u64>(),
        chosen in any::<u64>(),
        digests_multiple in 0..5usize,
    ) {
        let claims = Value::Object(claims);
        let mut all = Vec::new();
        paths(&claims, &ClaimPath::default(), &mut all);
        let bit = |mask: u64, n: usize| mask >> (n % 64) & 1 == 1;
        let disclosable: BTreeSet<ClaimPath> =
            all.into_iter().enumerate().filter(|(n, _)| bit(disclosable, *n)).map(|(_, path)| path).collect();
        let issuance = Issuance {
            claims: object(claims.clone()),
            disclosable: disclosable.clone(),
            holder: Some(holder().public()),
            digests_multiple,
            hash: HashAlgorithm::Sha256,
        };
        let issued = issuance.sign(&Header::default(), &issuer(), &mut random()).unwrap();
        prop_assert_eq!(issued.disclosures().len(), disclosable.len());

        let wanted: BTreeSet<&ClaimPath> =
            disclosable.iter().enumerate().filter(|(n, _)| bit(chosen, *n)).map(|(_, path)| path).collect();
        let text = issued.select(|d| wanted.contains(d.path())).bind(&BINDING, &holder()).unwrap();
        let presented = SdJwt::parse(&text).unwrap();
        presented.verify(&issuer().public()).unwrap();
        let key = presented.holder_key().unwrap().unwrap();
        presented.verify_key_binding(&key, &EXPECTED).unwrap();

        let shown = |path: &&ClaimPath| wanted.iter().any(|wanted| wanted.starts_with(path));
        let hidden: BTreeSet<ClaimPath> = disclosable.iter().filter(|path| !shown(path)).cloned().collect();
        let mut expected = object(without(&claims, &ClaimPath::default(), &hidden));
        expected.insert("cnf".into(), json!({"jwk": holder().public().to_jwk()}));
        prop_assert_eq!(presented.claims(), &expected);
        for disclosure in presented.disclosures() {
            prop_assert!(disclosure.path().find(presented.claims()).is_some());
        }
    }

    #[test]
    fn arbitrary_text_never_panics(text in "\\PC{0,200}|[~.A-Za-z0-9_=-]{0,80}") {
        let _ = Jws::parse(&text);
        let _ = SdJwtVc::parse(&text);
    }

    #[test]
    fn arbitrary_disclosures_never_panic(
        payload in any_claims(),
        contents in prop::collection::vec(any_claims(), 0..4),
        digests in prop::collection::vec(0..6usize, 0..6),
        nested in any::<bool>(),
    ) {
        let disclosures: Vec<String> = contents.into_iter().map(|content| {
            encode(json!(["salt", "name", content]).to_string())
        }).collect();
        let digest = |n: &usize| disclosures.get(*n).map_or(format!("{n}"), |d| HashAlgorithm::Sha256.digest(d));
        let mut payload = payload;
        let list = json!(digests.iter().map(digest).collect::<Vec<_>>());
        payload.insert("_sd".into(), if nested { json!({"a": list}) } else { list });
        let token = Jws::sign(&Header::default(), Value::Object(payload).to_string().as_bytes(), &issuer());
        let text = format!("{token}~{}", disclosures.iter().map(|d| format!("{d}~")).collect::<String>());
        if let Ok(parsed) = SdJwt::parse(&text) {
            let again = SdJwt::parse(parsed.select(|_| true).text()).unwrap();
            prop_assert_eq!(again.claims(), parsed.claims());
        }
    }
}
