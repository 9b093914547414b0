//! Public keys as texts: Multikeys, JWKs, PEM, DIDs that are keys.
#![no_main]

use knackmesh_fuzz::texts;
use knackmesh_protocol::{
    json,
    key::{Did, VerifyingKey},
    limits::IMPORT_BYTES_MAX,
};
use serde_json::Value;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some([text]) = texts(data) else { return };
    let jwk = match json::parse(text, IMPORT_BYTES_MAX) {
        Ok(Value::Object(jwk)) => VerifyingKey::from_jwk(&jwk).ok(),
        _ => None,
    };
    let keys = [VerifyingKey::from_multikey(text), jwk, VerifyingKey::from_pem(text).ok()];
    for key in keys.into_iter().flatten() {
        // A key is the same key however it is written.
        assert_eq!(VerifyingKey::from_jwk(&key.to_jwk()).as_ref(), Ok(&key));
        assert_eq!(key.thumbprint().len(), 43);
        if let Some(multikey) = key.multikey() {
            assert_eq!(VerifyingKey::from_multikey(&multikey).as_ref(), Some(&key));
            let did = key.did_key().expect("what has a Multikey has a did:key");
            assert_eq!(did.as_str(), format!("did:key:{multikey}"));
        }
        assert!(key.verify(b"message", &[0; 64]).is_err(), "nobody signed this");
    }
    if let Some(key) = text.parse::<Did>().ok().and_then(|did| did.public_key()) {
        assert_eq!(key.did().as_str(), text, "a key has one did:key");
    }
});
