//! `did:jwk`: the identifier is a JSON Web Key, in base64url.
//!
//! Its document has one verification method, `#0`. A JWK of more than 378 bytes of JSON makes a DID longer than
//! [`DID_BYTES_MAX`], which is no DID here: of RSA, keys of 2048 bits just fit, with no other members. One key has many such
//! DIDs, since JSON can be written in many ways; the DID is what counts.
//!
//! Source: did:jwk Method Specification (quartzjer/did-jwk).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use super::{
    DidMethod, Document, KeylessDid, Options, ResolutionError, ResolveError, Source, document::key_of_jwk,
};
use crate::{
    json,
    key::{Did, JwkError, VerifyingKey},
    limits::DID_BYTES_MAX,
};

/// The method, for the list of methods.
pub(super) const METHOD: DidMethod =
    DidMethod { name: "jwk", source: Source::Computed { document, expand, check } };

/// The `did:jwk` of `key`; `None` when it would be longer than [`DID_BYTES_MAX`], as those of RSA keys of more
/// than 2048 bits are.
pub fn did_jwk(key: &VerifyingKey) -> Option<Did> {
    format!("did:jwk:{}", URL_SAFE_NO_PAD.encode(Value::Object(key.to_jwk()).to_string())).parse().ok()
}

/// The JWK of a key of Curve25519 (RFC 8037 section 2).
pub(super) fn okp(curve: &str, point: &[u8; 32]) -> Map<String, Value> {
    let members = [("crv", json!(curve)), ("kty", json!("OKP")), ("x", json!(URL_SAFE_NO_PAD.encode(point)))];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What verification reads of the document: one key for every use.
fn document(did: &Did) -> Result<Document, ResolveError> {
    let jwk = decode(did).ok_or(ResolveError::Malformed("it is no did:jwk of a JWK in base64url"))?;
    if VerifyingKey::from_jwk(&jwk) == Err(JwkError::Private) {
        return Err(ResolveError::Malformed("it states a private key; treat that key as lost"));
    }
    let key = key_of_jwk(&jwk).ok_or(ResolveError::UnsupportedKey)?;
    Ok(Document::of_key(did.clone(), "0", key))
}

/// Whether the identifier is a JWK of a public key, as far as keys of its kind are known.
fn check(did: &Did) -> Result<(), KeylessDid> {
    let jwk = decode(did).ok_or(KeylessDid("it is no JWK in base64url"))?;
    match VerifyingKey::from_jwk(&jwk) {
        Ok(_) => Ok(()),
        Err(JwkError::Unsupported) if jwk.get("kty").is_some_and(Value::is_string) => Ok(()),
        Err(JwkError::Private) => Err(KeylessDid("the key is a private one; treat it as lost")),
        Err(_) => Err(KeylessDid("its JWK is of no key")),
    }
}

/// The whole document ("To create the DID document").
fn expand(did: &Did, _: &Options<'_>) -> Result<Value, ResolutionError> {
    let jwk = decode(did).ok_or(ResolutionError::InvalidDid)?;
    VerifyingKey::from_jwk(&jwk).map_err(|e| match e {
        JwkError::Private => ResolutionError::InvalidDid,
        JwkError::Unsupported => ResolutionError::UnsupportedPublicKeyType,
        JwkError::Member(_) | JwkError::Invalid => ResolutionError::InvalidPublicKey,
    })?;
    let id = format!("{did}#0");
    let mut document = json!({
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/suites/jws-2020/v1"],
        "id": did,
        "verificationMethod": [{"id": id, "type": "JsonWebKey2020", "controller": did, "publicKeyJwk": jwk}],
    });
    let usage = jwk.get("use").and_then(Value::as_str);
    let signs = ["assertionMethod", "authentication", "capabilityInvocation", "capabilityDelegation"];
    let signs = signs.into_iter().filter(|_| usage != Some("enc"));
    for name in signs.chain((usage != Some("sig")).then_some("keyAgreement")) {
        document[name] = json!([id]);
    }
    Ok(document)
}

/// The JWK in the identifier.
fn decode(did: &Did) -> Option<Map<String, Value>> {
    let bytes = URL_SAFE_NO_PAD.decode(did.as_str().strip_prefix("did:jwk:")?).ok()?;
    match json::parse(std::str::from_utf8(&bytes).ok()?, DID_BYTES_MAX) {
        Ok(Value::Object(jwk)) => Some(jwk),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::{
        did::{Documents, Relationship, resolve, verification_key},
        key::{SecretKey, SigningKey},
    };

    /// The example of the specification, section "P-256".
    const PUBLISHED: &str = "did:jwk:eyJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwieCI6ImFjYklRaXVNczNpOF91c3pFakoydHBUdFJNNEVVM3l6OTFQSDZDZEgyVjAiLCJ5IjoiX0tjeUxqOXZXTXB0bm1LdG00NkdxRHo4d2Y3NEk1TEtncmwyR3pIM25TRSJ9";

    fn did_of(jwk: &str) -> String {
        format!("did:jwk:{}", URL_SAFE_NO_PAD.encode(jwk))
    }

    fn asserts(did: &str) -> Result<VerifyingKey, &'static str> {
        let method = format!("{did}#0");
        let resolved = verification_key(&method, Relationship::AssertionMethod, &Documents::new());
        resolved.map(|resolved| resolved.key).map_err(|e| e.code())
    }

    #[test]
    fn the_published_example() {
        let method = format!("{PUBLISHED}#0");
        let jwk = json!({
            "crv": "P-256",
            "kty": "EC",
            "x": "acbIQiuMs3i8_uszEjJ2tpTtRM4EU3yz91PH6CdH2V0",
            "y": "_KcyLj9vWMptnmKtm46GqDz8wf74I5LKgrl2GzH3nSE",
        });
        let expected = json!({
            "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/suites/jws-2020/v1"],
            "id": PUBLISHED,
            "verificationMethod": [
                {"id": method, "type": "JsonWebKey2020", "controller": PUBLISHED, "publicKeyJwk": jwk},
            ],
            "assertionMethod": [method],
            "authentication": [method],
            "capabilityInvocation": [method],
            "capabilityDelegation": [method],
            "keyAgreement": [method],
        });
        assert_eq!(resolve(PUBLISHED, &Options::default()).document, Ok(expected));
        let key = asserts(PUBLISHED).unwrap();
        assert_eq!(did_jwk(&key).unwrap().as_str(), PUBLISHED);
    }

    #[test]
    fn keys_of_each_kind() {
        for key in [SigningKey::from(SecretKey::from_seed([7; 32])), SigningKey::p256([7; 32]).unwrap()] {
            let did = did_jwk(&key.public()).unwrap();
            assert_eq!(asserts(did.as_str()), Ok(key.public()));
        }
        let rsa = |bytes| VerifyingKey::from_rsa(&vec![0xff; bytes], &[1, 0, 1]).unwrap();
        let did = did_jwk(&rsa(256)).unwrap();
        assert_eq!((asserts(did.as_str()), did.as_str().len()), (Ok(rsa(256)), 506));
        assert_eq!(did_jwk(&rsa(384)), None, "longer than a DID may be");
    }

    #[test]
    fn what_is_no_key_to_verify_with_is_refused() {
        const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        let jwk = |more: &str| did_of(&format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{X}"{more}}}"#));
        for (did, expected, error) in [
            (jwk(""), Ok(()), None),
            (jwk(r#","use":"sig","alg":"EdDSA","kid":"a""#), Ok(()), None),
            (jwk(r#","use":"enc""#), Err("did-key-unsupported"), None),
            (jwk(r#","alg":"ES256""#), Err("did-key-unsupported"), None),
            (jwk(r#","d":"AA""#), Err("did-malformed"), Some("invalidDid")),
            (jwk(r#","x":"AA""#), Err("did-malformed"), Some("invalidDid")),
            (
                did_of(r#"{"kty":"EC","crv":"secp256k1"}"#),
                Err("did-key-unsupported"),
                Some("unsupportedPublicKeyType"),
            ),
            (
                did_of(r#"{"kty":"OKP","crv":"Ed25519","x":"AA"}"#),
                Err("did-key-unsupported"),
                Some("invalidPublicKey"),
            ),
            (did_of("[]"), Err("did-malformed"), Some("invalidDid")),
            ("did:jwk:e30=".to_owned(), Err("did-malformed"), Some("invalidDid")),
            ("did:jwk:_w".to_owned(), Err("did-malformed"), Some("invalidDid")),
        ] {
            assert_eq!(asserts(&did).map(|_| ()), expected, "{did}");
            let answer = resolve(&did, &Options::default()).document;
            assert_eq!(answer.map_err(ResolutionError::code).err(), error, "{did}");
        }
        let other = format!("{PUBLISHED}#1");
        let refused = verification_key(&other, Relationship::AssertionMethod, &Documents::new());
        assert_eq!(refused.unwrap_err().code(), "did-method-unknown");
    }

    #[test]
    fn use_limits_the_relationships() {
        const KEY: &str = r#""kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#;
        for (usage, signs, agrees) in [("sig", true, false), ("enc", false, true)] {
            let did = did_of(&format!(r#"{{{KEY},"use":"{usage}"}}"#));
            let document = resolve(&did, &Options::default()).document.unwrap();
            assert_eq!(document.get("assertionMethod").is_some(), signs);
            assert_eq!(document.get("keyAgreement").is_some(), agrees);
        }
    }
}
