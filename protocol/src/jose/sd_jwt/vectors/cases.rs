//! Cases of our own. An expectation is stated beside what it is expected of.

use serde_json::{Value, json};

use super::super::{
    super::{Header, Jws, encode},
    HashAlgorithm,
};
use crate::{
    key::{SecretKey, SigningKey},
    limits::{JSON_DEPTH_MAX, SD_JWT_BYTES_MAX, SD_JWT_DISCLOSURES_MAX},
};

const NOW: u64 = 1_780_315_200;
const AUDIENCE: &str = "did:web:seeker.example";
const NONCE: &str = "qWvSGZsTR4ZVqZCvIkHcZj0ux6lHoCkVnwJ2Yx8m9b4";

fn issuer() -> SigningKey {
    SecretKey::from_seed([1; 32]).into()
}

fn holder() -> SigningKey {
    SigningKey::p256([2; 32]).unwrap()
}

/// A disclosure with a salt of its own, which need not be secret here.
fn disclosure(content: &[Value]) -> String {
    let salt = encode(blake3::hash(json!(content).to_string().as_bytes()).as_bytes());
    let mut whole = vec![json!(salt[..22])];
    whole.extend_from_slice(content);
    encode(json!(whole).to_string())
}

fn member(name: &str, value: Value) -> String {
    disclosure(&[json!(name), value])
}

fn element(value: Value) -> String {
    disclosure(&[value])
}

fn digest(disclosure: &str) -> String {
    HashAlgorithm::Sha256.digest(disclosure)
}

fn signed(typ: &str, claims: &Value, key: &SigningKey) -> String {
    let header = Header { typ: Some(typ.into()), ..Header::default() };
    Jws::sign(&header, claims.to_string().as_bytes(), key)
}

/// The issuer's token over `payload`, with these disclosures.
fn token(payload: &Value, disclosures: &[&String]) -> String {
    let mut text = signed("dc+sd-jwt", payload, &issuer());
    text.push('~');
    for disclosure in disclosures {
        text.push_str(disclosure);
        text.push('~');
    }
    text
}

/// A list in a list, and so on, `depth` of them.
fn nested(depth: usize) -> Value {
    (1..depth).fold(json!([]), |inner, _| json!([inner]))
}

pub(super) fn all() -> Vec<(&'static str, Value)> {
    [good(), refused(), bindings(), credentials()].concat()
}

fn expecting(description: &str, token: &str, claims: Value, disclosures: Value, withheld: usize) -> Value {
    let (paths, parents): (Vec<Value>, Vec<Value>) =
        disclosures.as_array().unwrap().iter().map(|d| (d[0].clone(), d[1].clone())).unzip();
    json!({
        "description": description,
        "issuer": issuer().public().to_jwk(),
        "token": token,
        "expect": {"claims": claims, "paths": paths, "parents": parents, "withheld": withheld},
    })
}

fn refusing(description: &str, token: &str, code: &str) -> Value {
    json!({
        "description": description,
        "issuer": issuer().public().to_jwk(),
        "token": token,
        "expect_error": code,
    })
}

fn good() -> Vec<(&'static str, Value)> {
    let name = member("name", json!("Ada"));
    let born = member("born", json!({"year": 1815}));
    let rust = element(json!("Rust"));
    let null = element(json!(null));
    let skills = member("skills", json!([{"...": digest(&rust)}, "C", {"...": digest(&null)}]));
    let sha_512 = HashAlgorithm::Sha512.digest(&name);
    let flat = json!({"_sd": [digest(&name), digest(&born)], "_sd_alg": "sha-256", "iss": "x"});
    let recursive = json!({"_sd": [digest(&skills)], "iss": "x"});
    vec![
        (
            "good-flat",
            expecting(
                "two members, of which one is withheld",
                &token(&flat, &[&born]),
                json!({"iss": "x", "born": {"year": 1815}}),
                json!([["born", null]]),
                1,
            ),
        ),
        (
            "good-recursive",
            expecting(
                "elements inside a member; an element that is null is shown; the order of disclosures is free",
                &token(&recursive, &[&null, &skills, &rust]),
                json!({"iss": "x", "skills": ["Rust", "C", null]}),
                json!([["skills[2]", 1], ["skills", null], ["skills[0]", 1]]),
                0,
            ),
        ),
        (
            "good-recursive-withheld",
            expecting(
                "elements that are withheld leave no place; those behind move up",
                &token(&recursive, &[&skills, &null]),
                json!({"iss": "x", "skills": ["C", null]}),
                json!([["skills", null], ["skills[1]", 0]]),
                1,
            ),
        ),
        (
            "good-all-withheld",
            expecting(
                "an object of which all is withheld is empty; what is inside a withheld member is not counted",
                &token(&json!({"address": {"_sd": [digest("a"), digest(&skills)]}}), &[]),
                json!({"address": {}}),
                json!([]),
                2,
            ),
        ),
        (
            "good-sha-512",
            expecting(
                "another hash function",
                &token(&json!({"_sd": [sha_512], "_sd_alg": "sha-512"}), &[&name]),
                json!({"name": "Ada"}),
                json!([["name", null]]),
                0,
            ),
        ),
        (
            "good-nothing-disclosable",
            expecting(
                "a token without digests; an empty list of them is the same",
                &token(&json!({"a": 1, "b": {"_sd": []}}), &[]),
                json!({"a": 1, "b": {}}),
                json!([]),
                0,
            ),
        ),
        (
            "good-deepest",
            expecting(
                "as deep as JSON may be, counted with the disclosure in its place",
                &{
                    let deep = member("a", nested(JSON_DEPTH_MAX - 1));
                    token(&json!({"_sd": [digest(&deep)]}), &[&deep])
                },
                json!({"a": nested(JSON_DEPTH_MAX - 1)}),
                json!([["a", null]]),
                0,
            ),
        ),
    ]
}

fn refused() -> Vec<(&'static str, Value)> {
    let name = member("name", json!("Ada"));
    let again = disclosure(&[json!("name"), json!("Ida")]);
    let rust = element(json!("Rust"));
    let of = |digests: &[&String]| json!({"_sd": digests.iter().map(|d| digest(d)).collect::<Vec<_>>()});
    let one = of(&[&name]);
    // What one disclosure says, with the others at hand: the refusal that comes of `[salt, name, value]`.
    let with = |content: &[u8]| {
        let disclosure = encode(content);
        token(&of(&[&disclosure]), &[&disclosure])
    };
    let parent = member("outer", json!({"_sd": [digest(&name)]}));
    let deep = member("b", nested(JSON_DEPTH_MAX - 1));
    let bomb: Vec<String> = (0..3).map(|n| member(&format!("m{n}"), json!(vec![0; 9_000]))).collect();
    let many: Vec<String> = (0..=SD_JWT_DISCLOSURES_MAX).map(|n| element(json!(n))).collect();
    let elements = json!({"a": many.iter().map(|d| json!({"...": digest(d)})).collect::<Vec<_>>()});
    let stranger = SecretKey::from_seed([9; 32]).into();
    let forged = format!("{}~{name}~", signed("dc+sd-jwt", &one, &stranger));
    let cases: Vec<(&str, &str, String, &str)> = vec![
        (
            "refused-no-tilde",
            "a signed token without `~`",
            signed("dc+sd-jwt", &one, &issuer()),
            "sd-jwt-form",
        ),
        (
            "refused-empty-disclosure",
            "two `~` in a row",
            token(&one, &[&String::new()]),
            "disclosure-malformed",
        ),
        ("refused-forged", "signed by another", forged, "jws-signature"),
        ("refused-not-claims", "a payload that is no object", token(&json!([1]), &[]), "not-an-object"),
        (
            "refused-hash-unknown",
            "a hash function that is not supported",
            token(&json!({"_sd_alg": "sha3-256"}), &[]),
            "sd-alg-unsupported",
        ),
        (
            "refused-hash-upper-case",
            "names of hash functions are case-sensitive",
            token(&json!({"_sd_alg": "SHA-256"}), &[]),
            "sd-alg-unsupported",
        ),
        (
            "refused-hash-nested",
            "the hash function may be named at the top only",
            token(&json!({"a": {"_sd_alg": "sha-256"}}), &[]),
            "reserved-name",
        ),
        ("refused-not-json", "a disclosure that is no JSON", with(b"[\"s\",\"a\""), "disclosure-malformed"),
        ("refused-no-list", "a disclosure that is no list", with(b"{\"s\":1}"), "disclosure-malformed"),
        ("refused-salt-only", "a disclosure of a salt alone", with(b"[\"s\"]"), "disclosure-malformed"),
        ("refused-four-parts", "a disclosure of four", with(b"[\"s\",\"a\",1,2]"), "disclosure-malformed"),
        ("refused-salt-number", "a salt that is no text", with(b"[1,\"a\",1]"), "disclosure-malformed"),
        ("refused-name-number", "a name that is no text", with(b"[\"s\",1,1]"), "disclosure-malformed"),
        (
            "refused-repeated-key",
            "a value with a key that is repeated",
            with(b"[\"s\",\"a\",{\"b\":1,\"b\":2}]"),
            "disclosure-malformed",
        ),
        (
            "refused-not-utf-8",
            "a disclosure that is not UTF-8",
            with(b"[\"s\",\"a\",\"\xff\"]"),
            "disclosure-malformed",
        ),
        (
            "refused-padding",
            "a disclosure with padding",
            token(&one, &[&format!("{name}=")]),
            "disclosure-malformed",
        ),
        (
            "refused-disclosure-twice",
            "a disclosure twice",
            token(&one, &[&name, &name]),
            "disclosure-repeated",
        ),
        (
            "refused-unreferenced",
            "a disclosure that the issuer did not sign",
            token(&one, &[&name, &again]),
            "disclosure-unreferenced",
        ),
        (
            "refused-orphan",
            "a disclosure without the one that it is inside of",
            token(&of(&[&parent]), &[&name]),
            "disclosure-unreferenced",
        ),
        (
            "refused-element-in-object",
            "a disclosure without a name in an object",
            token(&of(&[&rust]), &[&rust]),
            "disclosure-misplaced",
        ),
        (
            "refused-member-in-array",
            "a disclosure with a name in an array",
            token(&json!({"a": [{"...": digest(&name)}]}), &[&name]),
            "disclosure-misplaced",
        ),
        (
            "refused-digest-twice",
            "a digest twice in one list, withheld",
            token(&of(&[&name, &name]), &[]),
            "digest-repeated",
        ),
        (
            "refused-digest-twice-apart",
            "a digest in two places, shown",
            token(&json!({"a": of(&[&name]), "b": of(&[&name])}), &[&name]),
            "digest-repeated",
        ),
        (
            "refused-digest-twice-disclosed",
            "a digest again inside a disclosure",
            token(&of(&[&name, &parent]), &[&name, &parent]),
            "digest-repeated",
        ),
        (
            "refused-digests-text",
            "`_sd` that is no list",
            token(&json!({"_sd": "x"}), &[]),
            "digests-malformed",
        ),
        (
            "refused-digests-number",
            "`_sd` with a number",
            token(&json!({"_sd": [1]}), &[]),
            "digests-malformed",
        ),
        (
            "refused-digest-and-more",
            "`...` beside another member in an array",
            token(&json!({"a": [{"...": "x", "b": 1}]}), &[]),
            "digests-malformed",
        ),
        (
            "refused-digest-number",
            "`...` with a number in an array",
            token(&json!({"a": [{"...": 1}]}), &[]),
            "digests-malformed",
        ),
        (
            "refused-digest-in-object",
            "`...` as a member of an object",
            token(&json!({"a": {"...": "x"}}), &[]),
            "reserved-name",
        ),
        (
            "refused-disclosed-digests",
            "a disclosed claim called `_sd`",
            with(b"[\"s\",\"_sd\",[\"x\"]]"),
            "reserved-name",
        ),
        (
            "refused-disclosed-dots",
            "a disclosed claim called `...`",
            with(b"[\"s\",\"...\",1]"),
            "reserved-name",
        ),
        (
            "refused-disclosed-hash",
            "a disclosed claim called `_sd_alg`",
            with(b"[\"s\",\"_sd_alg\",\"sha-256\"]"),
            "reserved-name",
        ),
        (
            "refused-claim-replaced",
            "a disclosed claim with the name of a visible one",
            token(&json!({"name": "Eve", "_sd": [digest(&name)]}), &[&name]),
            "claim-repeated",
        ),
        (
            "refused-claim-twice",
            "two disclosed claims with one name",
            token(&of(&[&name, &again]), &[&name, &again]),
            "claim-repeated",
        ),
        (
            "refused-too-deep",
            "one level deeper than JSON may be, counted with the disclosure in its place",
            token(&json!({"a": of(&[&deep])}), &[&deep]),
            "json-too-deep",
        ),
        (
            "refused-too-many-values",
            "more values than JSON may have, none of the disclosures alone",
            token(&of(&bomb.iter().collect::<Vec<_>>()), &bomb.iter().collect::<Vec<_>>()),
            "json-too-many-values",
        ),
        (
            "refused-too-many-disclosures",
            "one disclosure more than allowed",
            token(&elements, &many.iter().collect::<Vec<_>>()),
            "too-many-disclosures",
        ),
        (
            "refused-kb-malformed",
            "a key binding that is no signed token",
            format!("{}x", token(&one, &[&name])),
            "jws-form",
        ),
    ];
    let mut cases: Vec<(&'static str, Value)> =
        cases.into_iter().map(|(name, what, token, code)| (name, refusing(what, &token, code))).collect();
    let mut issued = refusing("a holder is handed what was presented to somebody", "", "kb-unexpected");
    issued["token"] = json!(bound(&token(&one, &[&name]), binding(), "kb+jwt", &holder()));
    issued["profile"] = json!("issued");
    cases.push(("refused-issued-bound", issued));
    assert!(cases.iter().all(|(_, case)| case["token"].as_str().unwrap().len() < SD_JWT_BYTES_MAX));
    cases
}

fn binding() -> Value {
    json!({"iat": NOW, "aud": AUDIENCE, "nonce": NONCE})
}

/// `unbound` with a key binding of these claims, and of its hash where they state none.
fn bound(unbound: &str, mut claims: Value, typ: &str, key: &SigningKey) -> String {
    let members = claims.as_object_mut().unwrap();
    if !members.contains_key("sd_hash") {
        members.insert("sd_hash".into(), json!(HashAlgorithm::Sha256.digest(unbound)));
    }
    format!("{unbound}{}", signed(typ, &claims, key))
}

fn bindings() -> Vec<(&'static str, Value)> {
    let name = member("name", json!("Ada"));
    let claims = json!({"_sd": [digest(&name)], "cnf": {"jwk": holder().public().to_jwk()}});
    let unbound = token(&claims, &[&name]);
    let changed = |member: &str, value: Value| {
        let mut claims = binding();
        claims[member] = value;
        bound(&unbound, claims, "kb+jwt", &holder())
    };
    let good = bound(&unbound, binding(), "kb+jwt", &holder());
    let fewer = good.replace(&format!("~{name}~"), "~");
    let mut without_nonce = binding();
    without_nonce.as_object_mut().unwrap().remove("nonce");
    let no_key = bound(&token(&json!({"cnf": {"kid": "x"}}), &[]), binding(), "kb+jwt", &holder());
    let skew = 120;
    let cases: Vec<(&str, &str, String, &str)> = vec![
        ("kb-good", "a key binding made now", good.clone(), "good"),
        ("kb-good-oldest", "as old as allowed", changed("iat", json!(NOW - 300 - skew)), "good"),
        (
            "kb-good-newest",
            "as far in the future as clocks may differ",
            changed("iat", json!(NOW + skew)),
            "good",
        ),
        ("kb-missing", "no key binding", unbound.clone(), "kb-missing"),
        ("kb-typ", "a token of another kind", bound(&unbound, binding(), "JWT", &holder()), "kb-typ"),
        ("kb-no-nonce", "no nonce", bound(&unbound, without_nonce, "kb+jwt", &holder()), "kb-claims"),
        ("kb-audience-list", "a list of audiences", changed("aud", json!([AUDIENCE])), "kb-claims"),
        ("kb-iat-text", "a time that is no number", changed("iat", json!("now")), "kb-claims"),
        (
            "kb-bad-signature",
            "signed with another key",
            bound(&unbound, binding(), "kb+jwt", &SigningKey::p256([3; 32]).unwrap()),
            "kb-bad-signature",
        ),
        (
            "kb-bad-algorithm",
            "signed with a key of another kind",
            bound(&unbound, binding(), "kb+jwt", &issuer()),
            "kb-bad-signature",
        ),
        ("kb-wrong-audience", "for another verifier", changed("aud", json!("x")), "kb-wrong-audience"),
        ("kb-wrong-nonce", "for another nonce", changed("nonce", json!("x")), "kb-wrong-nonce"),
        ("kb-too-old", "older than allowed", changed("iat", json!(NOW - 301 - skew)), "kb-too-old"),
        ("kb-expired", "expired", changed("exp", json!(NOW - skew)), "kb-too-old"),
        (
            "kb-in-future",
            "made later than clocks may differ",
            changed("iat", json!(NOW + 1 + skew)),
            "kb-in-future",
        ),
        ("kb-not-yet", "does not hold yet", changed("nbf", json!(NOW + 1 + skew)), "kb-in-future"),
        ("kb-wrong-hash", "a disclosure removed", fewer, "kb-wrong-hash"),
        ("kb-no-holder-key", "the holder's key is not in the token", no_key, "holder-key"),
    ];
    let expected = json!({
        "audience": AUDIENCE,
        "nonce": NONCE,
        "now": "2026-06-01T12:00:00Z",
        "age_max_ms": 300_000,
    });
    let with_expected = |(case_name, what, token, code): (&'static str, &str, String, &str)| {
        let mut case = match code {
            "good" => expecting(
                what,
                &token,
                json!({"cnf": claims["cnf"], "name": "Ada"}),
                json!([["name", null]]),
                0,
            ),
            code => refusing(what, &token, code),
        };
        case["binding"] = expected.clone();
        (case_name, case)
    };
    cases.into_iter().map(with_expected).collect()
}

fn credentials() -> Vec<(&'static str, Value)> {
    let sub = member("sub", json!("did:example:1"));
    let iat = member("iat", json!(NOW));
    let exp = member("exp", json!(NOW));
    let status = member("status_list", json!({"idx": 1, "uri": "https://issuer.example/1"}));
    let vct = "https://issuer.example/skill";
    let claims = json!({"vct": vct, "iss": "https://issuer.example", "_sd": [digest(&sub), digest(&iat)]});
    let bare = |claims: Value| token(&claims, &[]);
    let of_type = |typ: &str| format!("{}~{sub}~{iat}~", signed(typ, &claims, &issuer()));
    let cases: Vec<(&str, &str, String, &str)> = vec![
        ("vc-good", "subject and time of issue may be withheld", of_type("dc+sd-jwt"), "good"),
        (
            "vc-good-media-type",
            "the whole media type, in another case",
            of_type("application/DC+SD-JWT"),
            "good",
        ),
        ("vc-good-former-type", "the media type until November 2024", of_type("vc+sd-jwt"), "good"),
        ("vc-typ", "another kind of token", of_type("JWT"), "vc-typ"),
        ("vc-no-vct", "no `vct`", bare(json!({"iss": "x"})), "vc-claim"),
        ("vc-vct-list", "`vct` that is no text", bare(json!({"vct": [vct]})), "vc-claim"),
        ("vc-iss-object", "`iss` that is no text", bare(json!({"vct": vct, "iss": {"id": "x"}})), "vc-claim"),
        (
            "vc-status-text",
            "`status` that is no object",
            bare(json!({"vct": vct, "status": "x"})),
            "vc-claim",
        ),
        ("vc-exp-text", "`exp` that is no number", bare(json!({"vct": vct, "exp": "2026"})), "jwt-date"),
        (
            "vc-exp-hidden",
            "`exp` in a disclosure",
            token(&json!({"vct": vct, "_sd": [digest(&exp)]}), &[&exp]),
            "vc-claim-hidden",
        ),
        (
            "vc-status-hidden",
            "part of `status` in a disclosure",
            token(&json!({"vct": vct, "status": {"_sd": [digest(&status)]}}), &[&status]),
            "vc-claim-hidden",
        ),
    ];
    let with_profile = |(case_name, what, token, code): (&'static str, &str, String, &str)| {
        let mut case = match code {
            "good" => expecting(
                what,
                &token,
                json!({"vct": vct, "iss": "https://issuer.example", "sub": "did:example:1", "iat": NOW}),
                json!([["sub", null], ["iat", null]]),
                0,
            ),
            code => refusing(what, &token, code),
        };
        case["profile"] = json!("vc");
        (case_name, case)
    };
    cases.into_iter().map(with_profile).collect()
}
