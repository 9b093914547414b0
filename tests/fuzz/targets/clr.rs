//! Learner records.
#![no_main]

use knackmesh_fuzz::texts;
use knackmesh_protocol::{
    credential::{Credential, clr::LearnerRecord},
    limits::{CLR_ASSOCIATIONS_MAX, CLR_CREDENTIALS_MAX},
};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some([text]) = texts(data) else { return };
    let Ok(record) = LearnerRecord::parse(text) else { return };
    assert!(record.credentials.len() <= CLR_CREDENTIALS_MAX);
    assert!(record.associations.len() <= CLR_ASSOCIATIONS_MAX);
    for held in record.credentials.iter().take(4) {
        let _ = Credential::parse(held.text());
    }
});
