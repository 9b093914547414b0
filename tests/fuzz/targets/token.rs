//! Signed tokens, and their claims.
#![no_main]

use knackmesh_fuzz::texts;
use knackmesh_protocol::{
    jose::{Jws, jwt},
    key::{SecretKey, SigningKey},
};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some([text]) = texts(data) else { return };
    let Ok(token) = Jws::parse(text) else { return };
    assert_eq!(token.text(), text);
    assert!(text.starts_with(token.signing_input()));
    for key in [SigningKey::from(SecretKey::from_seed([7; 32])), SigningKey::p256([7; 32]).expect("a key")] {
        assert!(token.verify(&key.public()).is_err(), "nobody signs with this key");
    }
    if let Some(key) = token.jwk() {
        let _ = token.verify(key);
    }
    if let Ok(claims) = token.claims() {
        for name in ["iat", "nbf", "exp"] {
            let _ = jwt::date(&claims, name);
        }
    }
});
