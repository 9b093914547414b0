//! Tokens with disclosures, and what of them can be shown.
#![no_main]

use knackmesh_fuzz::{NOW, texts};
use knackmesh_protocol::{
    jose::sd_jwt::{ExpectedBinding, SdJwt, vc::SdJwtVc},
    json,
    key::{SecretKey, SigningKey},
    limits::SD_JWT_BYTES_MAX,
};
use serde_json::Value;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some([text]) = texts(data) else { return };
    let Ok(token) = SdJwt::parse(text) else { return };
    // Claims are strict JSON, however disclosures nest.
    let claims = Value::Object(token.claims().clone()).to_string();
    if claims.len() <= SD_JWT_BYTES_MAX {
        json::parse(&claims, SD_JWT_BYTES_MAX).expect("strict JSON");
    }
    for keep in 0..=token.disclosures().len().min(8) {
        let wanted = |disclosure: &_| token.disclosures().iter().position(|d| d == disclosure) < Some(keep);
        let part =
            SdJwt::parse(token.select(wanted).text()).expect("a selection has places for all it shows");
        assert!(part.disclosures().len() <= token.disclosures().len());
    }
    for disclosure in token.disclosures() {
        let path = disclosure.path().clone();
        let part = SdJwt::parse(token.select_paths(std::slice::from_ref(&path)).text()).expect("likewise");
        assert!(part.disclosures().iter().any(|shown| shown.text() == disclosure.text()));
    }
    let holder = SigningKey::from(SecretKey::from_seed([7; 32])).public();
    let expected = ExpectedBinding { audience: None, nonce: None, now: NOW, age_max_ms: u64::MAX };
    assert!(token.verify_key_binding(&holder, &expected).is_err(), "nobody signs with this key");
    let _ = (token.holder_key(), SdJwtVc::try_from(token).map(|vc| vc.issuer().map(str::to_owned)));
});
