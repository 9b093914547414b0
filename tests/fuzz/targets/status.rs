//! A credential, a status list and a DID document, with a zero byte between them.
#![no_main]

use knackmesh_fuzz::{NOW, texts};
use knackmesh_protocol::{
    credential::{Check, Credential, Known, TrustList, Verifier, status::StatusList},
    did::Document,
    key::Did,
};

const URL: &str = "https://academy.example/status/1";

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some([credential, list, document]) = texts(data) else { return };
    let did: Did = "did:web:academy.example".parse().expect("a DID");
    let mut known = Known::new();
    if let Ok(document) = Document::read(document, &did) {
        known.documents.insert(document, NOW).expect("the first has room");
    }
    for fetched in [None, Some((URL, NOW))] {
        if let Ok(list) = StatusList::verify(list, fetched, &known.documents) {
            assert!(fetched.is_none() || list.url() == URL);
            known.status_lists.insert(list).expect("the first two have room");
        }
    }
    let Ok(credential) = Credential::parse(credential) else { return };
    let nobody = TrustList::default();
    let checks = credential.verify(&Verifier::new(NOW, &nobody).knowing(&known));
    let offers = credential.status().is_some();
    assert!(offers || checks.unrevoked == Check::NotApplicable);
    assert!(checks.fresh != Check::Fail && checks.unrevoked != Check::NotApplicable || !offers);
    let _ = credential.needs(&Verifier::new(NOW, &nobody).knowing(&known));
});
