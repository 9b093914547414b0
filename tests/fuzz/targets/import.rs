//! Files of any kind, as somebody brings them.
#![no_main]

use std::sync::OnceLock;

use knackmesh_fuzz::NOW;
use knackmesh_protocol::{
    credential::{
        Credential, identity,
        import::{Form, form, open},
        reissue::Original,
        suggestion,
    },
    key::SecretKey,
    limits::{ALIGNMENTS_MAX, IMPORT_BYTES_MAX, SUGGESTIONS_MAX},
    vocabulary::Vocabulary,
};
use serde_json::{Value, json};

static VOCABULARY: OnceLock<Vocabulary> = OnceLock::new();

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let opened = match open(data) {
        Ok(opened) => opened,
        Err(e) => return assert!(!e.code().is_empty() && !e.to_string().is_empty()),
    };
    assert!(opened.text.len() <= IMPORT_BYTES_MAX);
    // What is kept can be opened again, and is the same kind of thing.
    let again = form(&opened.text).expect("opened once, opened twice");
    assert_eq!(std::mem::discriminant(&again), std::mem::discriminant(&opened.form));
    let credential = match opened.form {
        Form::Credential(credential) => *credential,
        Form::LearnerRecord(credential, _) => match *credential {
            Ok(credential) => credential,
            Err(_) => return,
        },
        _ => return,
    };
    let recipients = identity::recipients(&credential);
    assert!(recipients.len() <= ALIGNMENTS_MAX);
    let _ = identity::compare(&recipients, "someone@example.org");
    let vocabulary = VOCABULARY.get_or_init(Vocabulary::embedded);
    let suggestions = suggestion::suggest(&suggestion::texts(&credential), vocabulary);
    assert!(suggestions.len() <= SUGGESTIONS_MAX);
    assert!(suggestions.iter().all(|suggestion| vocabulary.get(&suggestion.skill).is_some()));
    if let Some(original) = Original::of_credential(&credential) {
        let [issuer, subject] = [1, 2].map(|seed| SecretKey::from_seed([seed; 32]).did());
        let mut document = original.document(&subject, &[7; 16], NOW);
        document.insert("issuer".into(), json!(issuer));
        // It is refused where the original has ended, or is too long for what is added.
        if let Ok(reissued) = Credential::parse(&Value::Object(document).to_string()) {
            assert_eq!((reissued.issuer_did(), reissued.subject()), (Some(&issuer), Some(&subject)));
        }
    }
});
