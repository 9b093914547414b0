//! Credentials of every form, and what verification says of them.
#![no_main]

use knackmesh_fuzz::{NOW, texts};
use knackmesh_protocol::{
    credential::{Check, CheckName, Credential, Shown, TrustList, Verifier, issuing, meaning},
    json,
    limits::{ALIGNMENTS_MAX, NEEDS_MAX, SHOWN_TEXT_BYTES_MAX},
};
use serde_json::Value;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some([text]) = texts(data) else { return };
    let Ok(credential) = Credential::parse(text) else { return };
    let nobody = TrustList::default();
    let verifier = Verifier::new(NOW, &nobody);
    let checks = credential.verify(&verifier);
    for name in CheckName::ALL {
        assert!(checks.get(name) == Check::Pass || checks.reason(name).is_some());
    }
    assert!(!checks.verdict(Shown::File).recognised);
    assert!(credential.needs(&verifier).len() <= NEEDS_MAX);
    let skills = credential.skills();
    assert!(skills.len() <= ALIGNMENTS_MAX);
    let shown = [credential.name(), credential.issuer_name()].into_iter().flatten();
    for text in shown.chain(skills.iter().map(|achieved| achieved.name.clone())) {
        assert!(text.len() <= SHOWN_TEXT_BYTES_MAX && !text.contains(char::is_control));
    }
    // However it is written, it is the same.
    let again = Credential::parse(credential.text()).expect("read once, read twice");
    assert_eq!(again, credential);
    if !text.trim_start().starts_with("ey") {
        let canonical = json::canonical(&Value::Object(credential.document().clone()));
        if credential.securing().token().is_none() {
            assert_eq!(Credential::parse(&canonical).expect("canonical JSON is JSON"), credential);
        }
    }
    let ids: Vec<_> = skills.into_iter().take(1).map(|achieved| achieved.skill).collect();
    assert_eq!(credential.disclosing(&ids), credential);
    let _ = (meaning::check(credential.document()), issuing::check(credential.document()));
});
