//! Presentations of every form.
#![no_main]

use knackmesh_fuzz::{NOW, texts};
use knackmesh_protocol::credential::{TrustList, Verifier, data_integrity::Binding, presentation};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some([text]) = texts(data) else { return };
    let nobody = TrustList::default();
    let verifier = Verifier::new(NOW, &nobody);
    let any = presentation::verify(text, &Binding::ANY_PRESENTATION, &verifier);
    let bound =
        presentation::verify(text, &Binding::presentation("challenge", "did:web:a.example"), &verifier);
    // What is bound to one is a presentation to any.
    assert!(any.is_ok() || bound.is_err());
    let credentials = presentation::credentials(text);
    assert!(any.is_err() || credentials.is_ok());
});
