#![allow(clippy::unwrap_used)]

use std::{collections::BTreeMap, fs, path::Path};

use super::*;
use crate::key::SecretKey;

fn keys() -> [SigningKey; 2] {
    [SecretKey::from_seed([7; 32]).into(), SigningKey::p256([7; 32]).unwrap()]
}

/// A token with this header, signed as the algorithm of `key` would be.
fn token(header: &str, payload: &[u8]) -> String {
    let input = format!("{}.{}", encode(header), encode(payload));
    let signature = keys()[0].sign(input.as_bytes());
    format!("{input}.{}", encode(signature))
}

fn refusal(header: &str) -> &'static str {
    Jws::parse(&token(header, b"{}")).unwrap_err().code()
}

#[test]
fn the_published_examples() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/jose");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut outcomes = BTreeMap::new();
    for file in files.filter(|file| file.extension().is_some_and(|e| e == "json")) {
        let case: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let text = case["token"].as_str().unwrap();
        let parsed = Jws::parse(text);
        let outcome = match case.get("expect") {
            None => parsed.unwrap_err().code(),
            Some(expect) => {
                let jws = parsed.unwrap();
                let key = VerifyingKey::from_jwk(case["jwk"].as_object().unwrap()).unwrap();
                jws.verify(&key).unwrap();
                assert_eq!(expect["alg"], jws.algorithm().name(), "{name}");
                assert_eq!(expect["payload"], str::from_utf8(jws.payload()).unwrap(), "{name}");
                if let Some(seed) = case.get("secret").and_then(Value::as_str).and_then(decode) {
                    let key = SigningKey::from(SecretKey::from_seed(seed.try_into().unwrap()));
                    assert_eq!(Jws::sign(&Header::default(), jws.payload(), &key), text, "{name}");
                }
                "good"
            }
        };
        assert_eq!(outcome, case.get("expect_error").and_then(Value::as_str).unwrap_or("good"), "{name}");
        outcomes.insert(name, outcome);
    }
    assert_eq!(outcomes.len(), 8);
    assert_eq!(outcomes.values().filter(|o| **o == "good").count(), 3);
}

#[test]
fn what_is_signed_is_read_back() {
    for key in keys() {
        let header = Header {
            typ: Some("application/KB+JWT".into()),
            cty: Some("json".into()),
            kid: Some("key 1".into()),
            jwk: Some(key.public()),
        };
        let jws = Jws::parse(&Jws::sign(&header, br#"{"a":1}"#, &key)).unwrap();
        jws.verify(&key.public()).unwrap();
        assert_eq!((jws.typ(), jws.kid(), jws.jwk()), (Some("kb+jwt"), Some("key 1"), Some(&key.public())));
        assert_eq!(jws.algorithm(), key.public().algorithm());
        assert_eq!(jws.claims().unwrap()["a"], 1);
        assert_eq!(jws.header()["cty"], "json");
        assert!(jws.text().starts_with(jws.signing_input()));
        let [one, other] = keys().map(|key| key.public());
        let other = if one == key.public() { other } else { one };
        assert_eq!(jws.verify(&other).unwrap_err().code(), "alg-of-another-key");
    }
    let stranger = SigningKey::from(SecretKey::from_seed([8; 32]));
    let jws = Jws::parse(&Jws::sign(&Header::default(), b"", &stranger)).unwrap();
    assert_eq!(jws.verify(&keys()[0].public()).unwrap_err().code(), "jws-signature");
    assert_eq!((jws.typ(), jws.kid(), jws.payload()), (None, None, &b""[..]));
}

#[test]
fn each_departure_is_refused_by_name() {
    for (header, code) in [
        ("", "json-syntax"),
        ("[]", "not-an-object"),
        ("{}", "header-member"),
        (r#"{"alg":"EdDSA","alg":"ES256"}"#, "json-repeated-key"),
        (r#"{"alg":"EdDSA","\u0061lg":"none"}"#, "json-repeated-key"),
        (r#"{"alg":["EdDSA"]}"#, "header-member"),
        (r#"{"alg":"none"}"#, "alg-none"),
        (r#"{"alg":"nOnE"}"#, "alg-none"),
        (r#"{"alg":"HS256"}"#, "alg-unsupported"),
        (r#"{"alg":"eddsa"}"#, "alg-unsupported"),
        (r#"{"alg":"EdDSA","b64":false,"crit":["b64"]}"#, "b64-false"),
        (r#"{"alg":"EdDSA","b64":0}"#, "header-member"),
        (r#"{"alg":"EdDSA","crit":["exp"],"exp":1}"#, "crit-unsupported"),
        (r#"{"alg":"EdDSA","crit":[]}"#, "crit-unsupported"),
        (r#"{"alg":"EdDSA","typ":1}"#, "header-member"),
        (r#"{"alg":"EdDSA","kid":null}"#, "header-member"),
        (r#"{"alg":"EdDSA","jwk":"x"}"#, "header-member"),
        (r#"{"alg":"EdDSA","jwk":{"kty":"oct","k":""}}"#, "jwk-unsupported"),
        (r#"{"alg":"EdDSA","jwk":{"kty":"OKP","crv":"Ed25519"}}"#, "jwk-member"),
        (r#"{"alg":"EdDSA","jwk":{"kty":"OKP","crv":"Ed25519","x":"","d":""}}"#, "jwk-private"),
    ] {
        assert_eq!(refusal(header), code, "{header}");
    }
    let long = format!(r#"{{"alg":"EdDSA","x":"{}"}}"#, "x".repeat(JWT_HEADER_BYTES_MAX));
    assert_eq!(refusal(&long), "too-long");
    let good = token(r#"{"alg":"Ed25519","b64":true,"typ":"a/b/c"}"#, b"not claims");
    let jws = Jws::parse(&good).unwrap();
    jws.verify(&keys()[0].public()).unwrap();
    assert_eq!(jws.typ(), Some("a/b/c"));
    assert_eq!(jws.claims().unwrap_err().code(), "json-syntax");
    let claims = |payload: &[u8]| Jws::parse(&token(r#"{"alg":"EdDSA"}"#, payload)).unwrap().claims();
    assert_eq!(claims(b"\"\xff\"").unwrap_err().code(), "json-syntax");
    assert_eq!(claims(b"1").unwrap_err().code(), "not-an-object");
    assert_eq!(claims(br#"{"a":1,"a":2}"#).unwrap_err().code(), "json-repeated-key");
    let parts: Vec<&str> = good.split('.').collect();
    for (text, code) in [
        (String::new(), "jws-form"),
        (parts[..2].join("."), "jws-form"),
        (format!("{good}.{}", parts[2]), "jws-form"),
        (format!("{}=.{}.{}", parts[0], parts[1], parts[2]), "jws-base64"),
        (format!("{}.{} .{}", parts[0], parts[1], parts[2]), "jws-base64"),
        (format!("{}.{}.{}+/", parts[0], parts[1], parts[2]), "jws-base64"),
        // One byte in two digits leaves four bits, which must not be set: QQ is `A`, and so would be QR.
        (format!("{}.QR.{}", parts[0], parts[2]), "jws-base64"),
        ("é".repeat(JWT_BYTES_MAX), "too-long"),
    ] {
        assert_eq!(Jws::parse(&text).unwrap_err().code(), code, "{}", shown(&text));
    }
}

#[test]
fn every_changed_character_is_refused() {
    for key in keys() {
        let text = Jws::sign(&Header::default(), br#"{"iss":"x"}"#, &key);
        for (at, c) in text.char_indices() {
            for replacement in
                ["", "A", "B", "-", ".", "~", "=", "\n"].into_iter().filter(|r| *r != c.to_string())
            {
                let changed = format!("{}{replacement}{}", &text[..at], &text[at + 1..]);
                let outcome = Jws::parse(&changed).and_then(|jws| jws.verify(&key.public()));
                assert!(outcome.is_err(), "{changed}");
            }
        }
    }
}
