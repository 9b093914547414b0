//! The cases of presentations.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    Binding, CHALLENGE, EDDSA_JCS_2022, Edit, Format, NOW, Signer, UNTAMPERED, at, holder, issuer, signed,
    stranger, tampered, unsigned, with,
};
use crate::{
    credential::{
        data_integrity::{Purpose, prove},
        presentation,
    },
    limits::{CLOCK_SKEW_MAX_MS, PRESENTED_CREDENTIALS_MAX},
};

pub(super) fn cases() -> BTreeMap<String, Value> {
    let mut cases = Cases::default();
    good_ones(&mut cases);
    wrong_bindings(&mut cases);
    tampered_ones(&mut cases);
    no_presentations(&mut cases);
    credentials_inside(&mut cases);
    cases.0
}

#[derive(Default)]
struct Cases(BTreeMap<String, Value>);

impl Cases {
    /// A presentation and what it comes out as, or the code of its refusal.
    fn add(&mut self, name: &str, description: &str, presentation: Value, expect: Value) {
        let key = if expect.is_string() { "expect_error" } else { "expect" };
        let case = json!({
            "description": description, "now": NOW, "challenge": CHALLENGE, "domain": stranger().did(),
            "trust": [{"did": issuer().did()}], "presentation": presentation, key: expect,
        });
        assert!(self.0.insert(name.to_owned(), case).is_none(), "{name} twice");
    }
}

fn good_ones(cases: &mut Cases) {
    let domain = stranger().did();
    cases.add(
        "good",
        "The subject shows its credential now.",
        present(vec![good()], |_, _| {}),
        expect(&[shown(true, &[])]),
    );
    cases.add(
        "good-none",
        "Nothing is shown: the holder only proves itself.",
        present(vec![], |_, _| {}),
        expect(&[]),
    );
    cases.add(
        "good-holder-absent",
        "It names no holder: who signed is the holder.",
        present(vec![good()], |d, _| {
            d.remove("holder");
        }),
        expect(&[shown(true, &[])]),
    );
    cases.add(
        "good-single",
        "One credential, not in an array.",
        present(vec![good()], |d, _| d["verifiableCredential"] = good()),
        expect(&[shown(true, &[])]),
    );
    cases.add(
        "good-holder-object",
        "The holder as an object.",
        present(vec![good()], |d, _| d["holder"] = json!({"id": holder().did()})),
        expect(&[shown(true, &[])]),
    );
    cases.add(
        "good-domain-set",
        "The domain as a set of one.",
        present(vec![good()], |_, p| p["domain"] = json!([domain])),
        expect(&[shown(true, &[])]),
    );
    let skewed = at(NOW).plus_ms(CLOCK_SKEW_MAX_MS).to_string();
    cases.add(
        "good-clock-ahead",
        "Made in the future, as far as clocks may differ.",
        present(vec![good()], |_, p| p["created"] = json!(skewed)),
        expect(&[shown(true, &[])]),
    );
}

fn wrong_bindings(cases: &mut Cases) {
    let late = at(NOW).plus_ms(CLOCK_SKEW_MAX_MS + 1).to_string();
    let domain = stranger().did();
    cases.add(
        "created-in-future",
        "Made further in the future than clocks may differ.",
        present(vec![good()], |_, p| p["created"] = json!(late)),
        json!("created-in-future"),
    );
    cases.add(
        "proof-expired",
        "The proof has ended.",
        present(vec![good()], |_, p| {
            p.insert("expires".into(), json!(NOW));
        }),
        json!("proof-expired"),
    );
    cases.add(
        "wrong-challenge",
        "An answer to another challenge.",
        present(vec![good()], |_, p| p["challenge"] = json!("other")),
        json!("proof-wrong-challenge"),
    );
    cases.add(
        "no-challenge",
        "An answer to no challenge.",
        present(vec![good()], |_, p| {
            p.remove("challenge");
        }),
        json!("proof-wrong-challenge"),
    );
    cases.add(
        "wrong-domain",
        "Made for another verifier.",
        present(vec![good()], |_, p| p["domain"] = json!(issuer().did())),
        json!("proof-wrong-domain"),
    );
    cases.add(
        "wrong-domain-set",
        "Made for this verifier and another.",
        present(vec![good()], |_, p| p["domain"] = json!([domain, issuer().did()])),
        json!("proof-wrong-domain"),
    );
    cases.add(
        "wrong-purpose",
        "An assertion, as one signs credentials.",
        present(vec![good()], |_, p| p["proofPurpose"] = json!("assertionMethod")),
        json!("proof-wrong-purpose"),
    );
    cases.add(
        "not-the-holders",
        "Signed by another than the holder it names.",
        present(vec![good()], |d, _| d["holder"] = json!(issuer().did())),
        json!("proof-not-the-holders"),
    );
}

fn tampered_ones(cases: &mut Cases) {
    cases.add(
        "tampered-credential-added",
        "A credential was added after signing.",
        present(vec![good()], |_, _| {})
            .edited(|p| p["verifiableCredential"].as_array_mut().unwrap().push(good())),
        json!("proof-bad-signature"),
    );
    cases.add(
        "tampered-holder",
        "The holder was changed after signing.",
        present(vec![good()], |_, _| {}).edited(|p| p["holder"] = json!(issuer().did())),
        json!("proof-bad-signature"),
    );
    cases.add(
        "unknown-suite",
        "A suite that is not implemented.",
        present(vec![good()], |_, _| {}).edited(|p| p["proof"]["cryptosuite"] = json!("bbs-2023")),
        json!("proof-unknown-suite"),
    );
    cases.add(
        "proof-missing",
        "Not signed at all.",
        present(vec![good()], |_, _| {}).edited(|p| {
            p.as_object_mut().unwrap().remove("proof");
        }),
        json!("proof-missing"),
    );
}

fn no_presentations(cases: &mut Cases) {
    cases.add(
        "refused-type",
        "Not a presentation.",
        present(vec![good()], |d, _| d["type"] = json!(["Other"])),
        json!("malformed"),
    );
    cases.add(
        "refused-context",
        "Without the data model's context.",
        present(vec![good()], |d, _| d["@context"] = json!([])),
        json!("malformed"),
    );
    cases.add(
        "refused-holder",
        "A holder who is not a DID.",
        present(vec![good()], |d, _| d["holder"] = json!("https://holder.example/")),
        json!("malformed"),
    );
    cases.add(
        "refused-too-many",
        "More credentials than are read.",
        present(vec![json!({}); PRESENTED_CREDENTIALS_MAX + 1], |_, _| {}),
        json!("too-many-credentials"),
    );
    cases.add(
        "refused-credential",
        "A credential inside is none.",
        present(vec![good(), json!({"@context": []})], |_, _| {}),
        json!("context"),
    );
    cases.add(
        "refused-enveloped",
        "An envelope that holds no token.",
        present(
            vec![
                json!({"@context": ["https://www.w3.org/ns/credentials/v2"], "id": "data:application/vc+cose,e30", "type": "EnvelopedVerifiableCredential"}),
            ],
            |_, _| {},
        ),
        json!("envelope"),
    );
}

fn credentials_inside(cases: &mut Cases) {
    let others = with(|d| d["credentialSubject"]["id"] = json!(stranger().did()));
    cases.add(
        "credential-of-another",
        "Each credential stands on its own: the second is another's.",
        present(vec![good(), others], |_, _| {}),
        expect(&[shown(true, &[]), shown(false, &[("trusted_holder", "FAIL", "not-the-subject")])]),
    );
    let unbound = with(|d| d["credentialSubject"]["id"] = json!("mailto:a@example.org"));
    cases.add(
        "credential-unbound",
        "Authentic, but bound to no DID.",
        present(vec![unbound], |_, _| {}),
        expect(&[shown(false, &[("trusted_holder", "FAIL", "no-subject")])]),
    );
    let forged = tampered(|d| d["name"] = json!("Everything"));
    cases.add(
        "credential-tampered",
        "The holder signs a credential that was changed.",
        present(vec![forged], |_, _| {}),
        expect(&[shown(false, &[(UNTAMPERED, "FAIL", "proof-bad-signature")])]),
    );
}

fn good() -> Value {
    Value::Object(signed(unsigned()))
}

/// A verified credential of a listed issuer, shown by its subject, but for the checks that differ.
fn shown(verified: bool, differing: &[(&'static str, &'static str, &'static str)]) -> Value {
    let mut all = vec![("trusted_issuer", "PASS", ""), ("trusted_holder", "PASS", "")];
    all.extend(differing);
    super::expect(verified, &all)
}

fn expect(credentials: &[Value]) -> Value {
    json!({"holder": holder().did(), "credentials": credentials})
}

/// A presentation of `credentials` by the holder, with its document and proof options changed before
/// signing.
fn present(
    credentials: Vec<Value>,
    change: impl FnOnce(&mut Map<String, Value>, &mut Map<String, Value>),
) -> Value {
    let domain = stranger().did().to_string();
    let expected = Binding::presentation(CHALLENGE, &domain);
    let text = presentation::sign(&Signer::from(&holder()), &[], &expected, Format::Jcs, at(NOW)).unwrap();
    let Value::Object(mut document) = serde_json::from_str(&text).unwrap() else { panic!("an object") };
    let Some(Value::Object(mut options)) = document.remove("proof") else { panic!("one proof") };
    assert_eq!(options["proofPurpose"], Purpose::Authentication.name());
    options.remove("proofValue");
    document["verifiableCredential"] = json!(credentials);
    change(&mut document, &mut options);
    if let (Some(_), Some(context)) = (options.get("@context"), document.get("@context")) {
        options.insert("@context".into(), context.clone());
    }
    Value::Object(prove(document, options, &EDDSA_JCS_2022, &Signer::from(&holder())).unwrap())
}
