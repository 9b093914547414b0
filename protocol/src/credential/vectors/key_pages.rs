//! The cases of issuers that are no DIDs and whose keys are published at `https:` URLs.

use serde_json::{Value, json};

use super::{
    case::{Cases, and, expect, fails, unchecked},
    fixtures::{Edit, ISSUED, NOW, at, badge_token, issuer, p256, parts, stranger, token, unsigned},
};
use crate::{
    credential::{
        Signer,
        data_integrity::{Binding, ProofOptions, prove, sign, suites::EDDSA_JCS_2022},
    },
    key::{SigningKey, VerifyingKey},
};

const FETCHED: &str = "2026-06-01T08:00:00Z";
const ISSUER: &str = "https://academy.example/issuers/7";
const ITS_KEY: &str = "https://academy.example/issuers/7/key";
const ELSEWHERE: &str = "https://academy.example/keys/1";

pub(super) fn cases() -> Cases {
    let mut cases = Cases::of_credentials();
    good(&mut cases);
    unbound(&mut cases);
    refused(&mut cases);
    cases
}

/// Nobody can list an issuer that is no DID.
fn verified() -> Value {
    expect(true, &[("trusted_issuer", "NOT_CHECKED", "issuer-not-a-did")])
}

fn not_listed(mut expectation: Value) -> Value {
    expectation["checks"]["trusted_issuer"] = json!("NOT_CHECKED");
    expectation["reasons"]["trusted_issuer"] = json!("issuer-not-a-did");
    expectation
}

fn good(cases: &mut Cases) {
    cases
        .add(
            "good-jwk",
            "An Open Badge as a token, whose kid is the URL of a JWK below the issuer's.",
            badge(ITS_KEY),
            verified(),
        )
        .knowing_page(ITS_KEY, jwk(&issuer().into(), None), FETCHED);
    let set = json!({"keys": [jwk(&stranger().into(), Some("a")), jwk(&issuer().into(), Some("b"))]});
    let well_known = "https://academy.example/.well-known/jwks.json";
    cases
        .add(
            "good-jwk-set",
            "The kid is the name of a key in the JWK set of the issuer's origin.",
            badge(&format!("{well_known}#b")),
            verified(),
        )
        .knowing_page(well_known, set, FETCHED);
    cases
        .add(
            "good-document",
            "The issuer's own URL is that of a controlled identifier document; the kid is a fragment.",
            badge("key-1"),
            verified(),
        )
        .knowing_page(ISSUER, document(&issuer().into()), FETCHED);
    cases
        .add("good-proof", "The same, for a proof.", proven(&format!("{ISSUER}#key-1")), verified())
        .knowing_page(ISSUER, document(&issuer().into()), FETCHED);
    cases
        .add(
            "good-named",
            "The key is elsewhere; the issuer's own document lists it for assertions.",
            proven(ELSEWHERE),
            verified(),
        )
        .knowing_page(ISSUER, json!({"id": ISSUER, "assertionMethod": [ELSEWHERE]}), FETCHED)
        .knowing_page(ELSEWHERE, method(ELSEWHERE, &issuer().into()), FETCHED);
}

fn unbound(cases: &mut Cases) {
    cases.add(
        "unknown",
        "The key has to be fetched.",
        badge(ITS_KEY),
        and(not_listed(unchecked("key-unresolved")), "needs", json!([{"key_page": ITS_KEY}])),
    );
    cases.add(
        "unknown-elsewhere",
        "Whether a key elsewhere is the issuer's only its own document can say, which has to be fetched first.",
        proven(ELSEWHERE),
        and(not_listed(unchecked("proof-key-unresolved")), "needs", json!([{"key_page": ISSUER}])),
    );
    cases
        .add(
            "same-origin-alone",
            "A key of the same origin, where others may write: the signature holds, and nothing ties it to the issuer.",
            badge(ELSEWHERE),
            and(not_listed(unchecked("proof-key-unbound")), "needs", json!([{"key_page": ISSUER}])),
        )
        .knowing_page(ELSEWHERE, jwk(&issuer().into(), None), FETCHED);
    let of_another = method(ITS_KEY, &issuer().into())
        .edited(|m| m["controller"] = json!("https://academy.example/issuers/8"));
    cases
        .add(
            "of-another-controller",
            "The key says that it is another's.",
            proven(ITS_KEY),
            not_listed(unchecked("proof-key-unbound")),
        )
        .knowing_page(ITS_KEY, of_another, FETCHED);
    let unusable = method(ITS_KEY, &issuer().into()).edited(|m| m["type"] = json!("SomeKeyOf2040"));
    cases
        .add(
            "key-of-another-kind",
            "A key of a kind that is not known: not checked.",
            badge(ITS_KEY),
            and(not_listed(unchecked("key-unresolved")), "needs", json!([])),
        )
        .knowing_page(ITS_KEY, unusable, FETCHED);
    let of_did = signed(unsigned(), ITS_KEY);
    cases
        .add(
            "issuer-is-a-did",
            "The issuer is a DID, whose keys are in its own document and nowhere else.",
            of_did,
            fails("proof-not-the-issuers"),
        )
        .knowing_page(ITS_KEY, method(ITS_KEY, &issuer().into()), FETCHED);
}

fn refused(cases: &mut Cases) {
    let failing = |code| not_listed(fails(code));
    cases
        .add("tampered", "The name was changed after signing.", tampered(), failing("jws-signature"))
        .knowing_page(ITS_KEY, jwk(&issuer().into(), None), FETCHED);
    cases
        .add("another-key", "Another key is published there.", badge(ITS_KEY), failing("jws-signature"))
        .knowing_page(ITS_KEY, jwk(&stranger().into(), None), FETCHED);
    cases
        .add("another-kind", "A key on P-256 is.", badge(ITS_KEY), failing("alg-of-another-key"))
        .knowing_page(ITS_KEY, jwk(&p256(4), None), FETCHED);
    cases
        .add(
            "no-such-key",
            "The document has keys, and not this one.",
            badge("key-2"),
            failing("did-method-unknown"),
        )
        .knowing_page(ISSUER, document(&issuer().into()), FETCHED);
    let listed_for_nothing = document(&issuer().into()).edited(|d| d["assertionMethod"] = json!(["#key-2"]));
    cases
        .add(
            "not-for-assertion",
            "The document has the key, and does not list it for assertions.",
            badge("key-1"),
            failing("did-not-authorised"),
        )
        .knowing_page(ISSUER, listed_for_nothing, FETCHED);
    let revoked =
        document(&issuer().into()).edited(|d| d["verificationMethod"][0]["revoked"] = json!(FETCHED));
    cases
        .add(
            "revoked-when-fetched",
            "When the document was fetched the key had been revoked.",
            badge("key-1"),
            failing("did-key-revoked"),
        )
        .knowing_page(ISSUER, revoked, FETCHED);
    let ending = document(&issuer().into()).edited(|d| d["verificationMethod"][0]["expires"] = json!(NOW));
    let ended = not_listed(expect(false, &[("unexpired", "FAIL", "proof-expired")]));
    cases
        .add("key-expired-since", "The key has expired since it was fetched.", badge("key-1"), ended)
        .knowing_page(ISSUER, ending, FETCHED);
}

fn jwk(key: &SigningKey, kid: Option<&str>) -> Value {
    let mut jwk = Value::Object(VerifyingKey::to_jwk(&key.public()));
    if let Some(kid) = kid {
        jwk["kid"] = json!(kid);
    }
    jwk
}

fn method(id: &str, key: &SigningKey) -> Value {
    let multikey = key.public().multikey().unwrap();
    json!({"id": id, "type": "Multikey", "controller": ISSUER, "publicKeyMultibase": multikey})
}

fn document(key: &SigningKey) -> Value {
    json!({
        "@context": "https://www.w3.org/ns/cid/v1",
        "id": ISSUER,
        "verificationMethod": [method(&format!("{ISSUER}#key-1"), key)],
        "assertionMethod": ["#key-1"],
    })
}

/// The badge as a token whose header names its key so.
fn badge(kid: &str) -> String {
    let (mut header, mut claims) = parts(&badge_token());
    header["kid"] = json!(kid);
    claims["issuer"]["id"] = json!(ISSUER);
    if claims.get("iss").is_some() {
        claims["iss"] = json!(ISSUER);
    }
    token(&header, &claims, &issuer().into())
}

fn tampered() -> String {
    let (header, claims) = parts(&badge(ITS_KEY));
    let other = token(&header, &claims.edited(|c| c["name"] = json!("Medicine")), &issuer().into());
    let good = badge(ITS_KEY);
    let (signed, _) = other.rsplit_once('.').unwrap();
    format!("{signed}.{}", good.rsplit_once('.').unwrap().1)
}

/// The badge with a proof by the key at that URL.
fn proven(method: &str) -> Value {
    let mut document = unsigned();
    document["issuer"]["id"] = json!(ISSUER);
    signed(document, method)
}

fn signed(document: serde_json::Map<String, Value>, method: &str) -> Value {
    let signer = Signer::from(&issuer());
    let options = ProofOptions::new(Binding::ASSERTION, at(ISSUED));
    let signed = sign(document.clone(), &EDDSA_JCS_2022, &signer, &options).unwrap();
    let mut options = signed["proof"].as_object().unwrap().clone();
    options.remove("proofValue");
    options.insert("verificationMethod".into(), json!(method));
    Value::Object(prove(document, options, &EDDSA_JCS_2022, &signer).unwrap())
}
