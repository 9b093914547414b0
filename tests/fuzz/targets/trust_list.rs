//! Trust lists that travel.
#![no_main]

use knackmesh_fuzz::{NOW, texts};
use knackmesh_protocol::{
    credential::{Credential, Recognition, trust_document},
    key::SecretKey,
    limits::{TRUST_ENTRIES_MAX, TRUST_NAME_BYTES_MAX, TRUST_SCOPE_MAX},
};
use serde_json::Value;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some([text]) = texts(data) else { return };
    let Ok(list) = Credential::parse(text).map(|credential| trust_document::read(&credential)) else {
        return;
    };
    let list = match list {
        Ok(list) => list,
        Err(e) => return assert!(e.code().starts_with("trust-list-")),
    };
    assert!(list.iter().count() <= TRUST_ENTRIES_MAX);
    for (issuer, entry) in list.iter() {
        assert!(entry.skills.len() <= TRUST_SCOPE_MAX);
        if let Some(name) = &entry.name {
            assert!((1..=TRUST_NAME_BYTES_MAX).contains(&name.len()) && !name.contains(char::is_control));
        }
        let elsewhere = list.recognition(issuer, &"urn:s:not-named-by-any".parse().expect("a skill"));
        assert_eq!(elsewhere == Recognition::Distrusted, entry.distrusted);
    }
    // It says the same when somebody passes it on.
    let keeper = SecretKey::from_seed([7; 32]).did();
    let document = Value::Object(trust_document::document(&list, &keeper, "urn:uuid:1", NOW, None));
    if let Ok(passed_on) = Credential::parse(&document.to_string()) {
        assert_eq!(trust_document::read(&passed_on), Ok(list));
    }
});
