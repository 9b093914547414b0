//! Open Badges 2.0: assertions, what they refer to, and signed ones.
#![no_main]

use knackmesh_fuzz::texts;
use knackmesh_protocol::credential::open_badge_2::{
    Assertion, BadgeClass, Dossier, Profile, SignedAssertion,
};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some([assertion, badge, issuer]) = texts(data) else { return };
    for text in [badge, issuer] {
        let _ = (BadgeClass::parse(text).map(|badge| badge.skills()), Profile::parse(text));
    }
    if let Ok(signed) = SignedAssertion::parse(assertion) {
        let _ = Dossier::signed(&signed).map(|dossier| dossier.wanted().is_ok());
    }
    let Ok(assertion) = Assertion::parse(assertion) else { return };
    let _ = assertion.recipient.matches("someone@example.org");
    let Ok(mut dossier) = Dossier::hosted(assertion) else { return };
    for text in [badge, issuer, badge, issuer] {
        let Ok(wanted) = dossier.wanted() else { return };
        for document in wanted {
            let _ = dossier.take(&document, text);
        }
    }
    let _ = dossier.backing();
});
