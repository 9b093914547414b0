//! The cases of presentations.

mod tokens;

use serde_json::{Map, Value, json};

use super::{
    case::{Case, Cases, UNTAMPERED, and, expect as expect_checks},
    fixtures::{
        CHALLENGE, Edit, ISSUED, NOW, ON_THE_WEB, RUST, at, badge_token, did_document, holder, issuance,
        issuer, p256, parts, signed, signer_on_the_web, stranger, tampered, token, unsigned, with,
    },
};
use crate::{
    credential::{
        Format, Signer,
        data_integrity::{
            self, Binding, ProofOptions, Purpose, Suite, prove,
            suites::{ECDSA_JCS_2019, EDDSA_JCS_2022, EDDSA_RDFC_2022},
        },
        enveloped, presentation,
    },
    limits::{CLOCK_SKEW_MAX_MS, PRESENTED_CREDENTIALS_MAX},
};

pub(super) fn cases() -> Cases {
    let mut cases = Cases::of_credentials();
    cases.show("presentation");
    good_ones(&mut cases);
    other_keys(&mut cases);
    several_proofs(&mut cases);
    wrong_bindings(&mut cases);
    tampered_ones(&mut cases);
    no_presentations(&mut cases);
    credentials_inside(&mut cases);
    enveloped_ones(&mut cases);
    tokens::cases(&mut cases);
    cases
}

fn good_ones(cases: &mut Cases) {
    let domain = stranger().did();
    add(
        cases,
        "good",
        "The subject shows its credential now.",
        present(vec![good()], |_, _| {}),
        expect(&[shown(true, &[])]),
    );
    add(
        cases,
        "good-none",
        "Nothing is shown: the holder only proves itself.",
        present(vec![], |_, _| {}),
        expect(&[]),
    );
    add(
        cases,
        "good-holder-absent",
        "It names no holder: who signed is the holder.",
        present(vec![good()], |d, _| {
            d.remove("holder");
        }),
        expect(&[shown(true, &[])]),
    );
    add(
        cases,
        "good-single",
        "One credential, not in an array.",
        present(vec![good()], |d, _| d["verifiableCredential"] = good()),
        expect(&[shown(true, &[])]),
    );
    add(
        cases,
        "good-holder-object",
        "The holder as an object.",
        present(vec![good()], |d, _| d["holder"] = json!({"id": holder().did()})),
        expect(&[shown(true, &[])]),
    );
    add(
        cases,
        "good-domain-set",
        "The domain as a set of one.",
        present(vec![good()], |_, p| p["domain"] = json!([domain])),
        expect(&[shown(true, &[])]),
    );
    let skewed = at(NOW).plus_ms(CLOCK_SKEW_MAX_MS).to_string();
    add(
        cases,
        "good-clock-ahead",
        "Made in the future, as far as clocks may differ.",
        present(vec![good()], |_, p| p["created"] = json!(skewed)),
        expect(&[shown(true, &[])]),
    );
}

fn other_keys(cases: &mut Cases) {
    let key = p256(5);
    let signer = Signer::of_key(key.clone());
    let others = with(|d| d["credentialSubject"]["id"] = json!(key.did()));
    add(
        cases,
        "good-p256",
        "A holder with a key on P-256.",
        present_by(&signer, &ECDSA_JCS_2019, vec![others], |_, _| {}),
        json!({"holder": key.did(), "credentials": [shown(true, &[])]}),
    );
    add(
        cases,
        "good-rdfc",
        "Signed over canonical RDF.",
        present_by(&(&holder()).into(), &EDDSA_RDFC_2022, vec![good()], |_, p| drop(p.remove("@context"))),
        expect(&[shown(true, &[])]),
    );
    add(
        cases,
        "rdfc-undefined-term",
        "A member that no context defines.",
        present_by(&(&holder()).into(), &EDDSA_RDFC_2022, vec![good()], |_, p| drop(p.remove("@context")))
            .edited(|p| p["remark"] = json!("With best regards")),
        json!("rdf-undefined-term"),
    );
    let web = signer_on_the_web(&holder());
    let present_by_web = || {
        let own = with(|d| d["credentialSubject"]["id"] = json!(ON_THE_WEB));
        present_by(&web, &EDDSA_JCS_2022, vec![own], |_, _| {})
    };
    let document = || did_document(&holder().into());
    add(
        cases,
        "good-did-web",
        "A holder whose key is at a did:web that is known.",
        present_by_web(),
        json!({"holder": ON_THE_WEB, "credentials": [shown(true, &[])]}),
    )
    .knowing_document(document(), NOW);
    add(
        cases,
        "key-unresolved",
        "A holder whose key is at a did:web that is not known.",
        present_by_web(),
        json!("proof-key-unresolved"),
    );
    add(
        cases,
        "key-not-for-authentication",
        "The holder's document lists the key for assertion alone.",
        present_by_web(),
        json!("proof-bad-method"),
    )
    .knowing_document(document().edited(|d| d["authentication"] = json!([])), NOW);
    let ended = document().edited(|d| d["verificationMethod"][0]["expires"] = json!(NOW));
    add(
        cases,
        "key-expired",
        "The holder's key has expired since its document was fetched.",
        present_by_web(),
        json!("proof-expired"),
    )
    .knowing_document(ended, ISSUED);
}

fn several_proofs(cases: &mut Cases) {
    let domain = stranger().did().to_string();
    let countersigned = |presentation: Value| {
        let options = ProofOptions::new(Binding::presentation(CHALLENGE, &domain), at(NOW));
        let Value::Object(document) = presentation else { panic!("an object") };
        let both = data_integrity::sign(document, &EDDSA_JCS_2022, &(&issuer()).into(), &options);
        Value::Object(both.unwrap())
    };
    let anonymous = || present(vec![good()], |d, _| drop(d.remove("holder")));
    let named = || countersigned(present(vec![good()], |_, _| {}));
    add(
        cases,
        "good-proof-set",
        "Signed by the holder that it names and by another.",
        named(),
        expect(&[shown(true, &[])]),
    );
    add(
        cases,
        "proof-set-one-invalid",
        "The holder's proof holds, the other does not.",
        named().edited(|p| p["proof"][1]["created"] = json!("2026-06-01T12:00:01Z")),
        json!("proof-bad-signature"),
    );
    add(
        cases,
        "proof-set-one-unknown",
        "The holder's proof holds; that of another suite counts for nothing.",
        named().edited(|p| p["proof"][1]["cryptosuite"] = json!("bbs-2023")),
        expect(&[shown(true, &[])]),
    );
    add(
        cases,
        "proof-set-holders-unknown",
        "Another's proof holds, and the holder's was not checked.",
        named().edited(|p| p["proof"][0]["cryptosuite"] = json!("bbs-2023")),
        json!("proof-unknown-suite"),
    );
    add(
        cases,
        "proof-set-anonymous",
        "It names no holder, and two signed: it is nobody's.",
        countersigned(anonymous()),
        json!("proof-not-the-holders"),
    );
}

fn wrong_bindings(cases: &mut Cases) {
    let late = at(NOW).plus_ms(CLOCK_SKEW_MAX_MS + 1).to_string();
    let domain = stranger().did();
    add(
        cases,
        "created-in-future",
        "Made further in the future than clocks may differ.",
        present(vec![good()], |_, p| p["created"] = json!(late)),
        json!("created-in-future"),
    );
    add(
        cases,
        "proof-expired",
        "The proof has ended.",
        present(vec![good()], |_, p| {
            p.insert("expires".into(), json!(NOW));
        }),
        json!("proof-expired"),
    );
    add(
        cases,
        "wrong-challenge",
        "An answer to another challenge.",
        present(vec![good()], |_, p| p["challenge"] = json!("other")),
        json!("proof-wrong-challenge"),
    );
    add(
        cases,
        "no-challenge",
        "An answer to no challenge.",
        present(vec![good()], |_, p| {
            p.remove("challenge");
        }),
        json!("proof-wrong-challenge"),
    );
    add(
        cases,
        "wrong-domain",
        "Made for another verifier.",
        present(vec![good()], |_, p| p["domain"] = json!(issuer().did())),
        json!("proof-wrong-domain"),
    );
    add(
        cases,
        "wrong-domain-set",
        "Made for this verifier and another.",
        present(vec![good()], |_, p| p["domain"] = json!([domain, issuer().did()])),
        json!("proof-wrong-domain"),
    );
    add(
        cases,
        "wrong-purpose",
        "An assertion, as one signs credentials.",
        present(vec![good()], |_, p| p["proofPurpose"] = json!("assertionMethod")),
        json!("proof-wrong-purpose"),
    );
    add(
        cases,
        "not-the-holders",
        "Signed by another than the holder it names.",
        present(vec![good()], |d, _| d["holder"] = json!(issuer().did())),
        json!("proof-not-the-holders"),
    );
}

fn tampered_ones(cases: &mut Cases) {
    add(
        cases,
        "tampered-credential-added",
        "A credential was added after signing.",
        present(vec![good()], |_, _| {})
            .edited(|p| p["verifiableCredential"].as_array_mut().unwrap().push(good())),
        json!("proof-bad-signature"),
    );
    add(
        cases,
        "tampered-holder",
        "The holder was changed after signing.",
        present(vec![good()], |_, _| {}).edited(|p| p["holder"] = json!(issuer().did())),
        json!("proof-bad-signature"),
    );
    add(
        cases,
        "unknown-suite",
        "A suite that is not implemented.",
        present(vec![good()], |_, _| {}).edited(|p| p["proof"]["cryptosuite"] = json!("bbs-2023")),
        json!("proof-unknown-suite"),
    );
    add(
        cases,
        "proof-missing",
        "Not signed at all.",
        present(vec![good()], |_, _| {}).edited(|p| {
            p.as_object_mut().unwrap().remove("proof");
        }),
        json!("proof-missing"),
    );
}

fn no_presentations(cases: &mut Cases) {
    add(
        cases,
        "refused-type",
        "Not a presentation.",
        present(vec![good()], |d, _| d["type"] = json!(["Other"])),
        json!("malformed"),
    );
    add(
        cases,
        "refused-context",
        "Without the data model's context.",
        present(vec![good()], |d, _| d["@context"] = json!([])),
        json!("malformed"),
    );
    add(
        cases,
        "refused-holder",
        "A holder who is not a DID.",
        present(vec![good()], |d, _| d["holder"] = json!("https://holder.example/")),
        json!("malformed"),
    );
    add(
        cases,
        "refused-too-many",
        "More credentials than are read.",
        present(vec![json!({}); PRESENTED_CREDENTIALS_MAX + 1], |_, _| {}),
        json!("too-many-credentials"),
    );
    add(
        cases,
        "refused-credential",
        "A credential inside is none.",
        present(vec![good(), json!({"@context": []})], |_, _| {}),
        json!("context"),
    );
    add(
        cases,
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
    add(
        cases,
        "credential-of-another",
        "Each credential stands on its own: the second is another's.",
        present(vec![good(), others], |_, _| {}),
        expect(&[shown(true, &[]), shown(false, &[("trusted_holder", "FAIL", "not-the-subject")])]),
    );
    let unbound = with(|d| d["credentialSubject"]["id"] = json!("mailto:a@example.org"));
    add(
        cases,
        "credential-unbound",
        "Authentic, but bound to no DID.",
        present(vec![unbound], |_, _| {}),
        expect(&[shown(false, &[("trusted_holder", "FAIL", "no-subject")])]),
    );
    let forged = tampered(|d| d["name"] = json!("Everything"));
    add(
        cases,
        "credential-tampered",
        "The holder signs a credential that was changed.",
        present(vec![forged], |_, _| {}),
        expect(&[shown(false, &[(UNTAMPERED, "FAIL", "proof-bad-signature")])]),
    );
}

/// Adds a presentation to a verifier who lists the issuer.
fn add<'a>(
    cases: &'a mut Cases,
    name: &str,
    description: &str,
    presentation: impl Into<Value>,
    expect: Value,
) -> &'a mut Case {
    cases.add(name, description, presentation, expect).trusting(json!([{"did": issuer().did()}]))
}

fn enveloped_ones(cases: &mut Cases) {
    let vc_jwt = || enveloped::credential("application/vc+jwt", &badge_token());
    let sd_jwt = || {
        let credential = issuance().sign(&Signer::from(&issuer()), Format::SdJwt, at(ISSUED)).unwrap();
        enveloped::credential("application/dc+sd-jwt", credential.disclosing(&[]).text())
    };
    let skills = json!([{"skill": RUST, "name": "Rust", "level": 4}]);
    add(
        cases,
        "enveloped-vc-jwt",
        "A credential that is a token, in an envelope.",
        present(vec![vc_jwt()], |_, _| {}),
        expect(&[and(shown(true, &[]), "skills", skills)]),
    );
    add(
        cases,
        "enveloped-sd-jwt",
        "A credential that withholds its skill, in an envelope.",
        present(vec![sd_jwt()], |_, _| {}),
        expect(&[and(shown(true, &[]), "skills", json!([]))]),
    );
    add(
        cases,
        "enveloped-mixed",
        "Three forms of one credential.",
        present(vec![good(), vc_jwt(), sd_jwt()], |_, _| {}),
        expect(&[shown(true, &[]), shown(true, &[]), shown(true, &[])]),
    );
    let (header, claims) = parts(&badge_token());
    let forged = token(&header, &claims, &stranger().into());
    add(
        cases,
        "enveloped-forged",
        "The holder signs a token that the issuer did not.",
        present(vec![enveloped::credential("application/vc+jwt", &forged)], |_, _| {}),
        expect(&[shown(false, &[(UNTAMPERED, "FAIL", "jws-signature")])]),
    );
    add(
        cases,
        "enveloped-replaced",
        "The token was changed after the holder signed.",
        present(vec![vc_jwt()], |_, _| {}).edited(|p| p["verifiableCredential"][0] = sd_jwt()),
        json!("proof-bad-signature"),
    );
    let broken = enveloped::credential("application/vc+jwt", "eyJhbGciOiJub25lIn0.e30.");
    add(
        cases,
        "refused-enveloped-token",
        "An envelope whose token is signed by nobody.",
        present(vec![broken], |_, _| {}),
        json!("alg-none"),
    );
}

fn good() -> Value {
    Value::Object(signed(unsigned()))
}

/// A verified credential of a listed issuer, shown by its subject, but for the checks that differ.
fn shown(verified: bool, differing: &[(&'static str, &'static str, &'static str)]) -> Value {
    let mut all = vec![("trusted_issuer", "PASS", ""), ("trusted_holder", "PASS", "")];
    all.extend(differing);
    expect_checks(verified, &all)
}

fn expect(credentials: &[Value]) -> Value {
    json!({"holder": holder().did(), "credentials": credentials})
}

/// A presentation of `credentials` by the holder, with its document and proof options changed before signing.
fn present(
    credentials: Vec<Value>,
    change: impl FnOnce(&mut Map<String, Value>, &mut Map<String, Value>),
) -> Value {
    present_by(&(&holder()).into(), &EDDSA_JCS_2022, credentials, change)
}

fn present_by(
    holder: &Signer,
    suite: &Suite,
    credentials: Vec<Value>,
    change: impl FnOnce(&mut Map<String, Value>, &mut Map<String, Value>),
) -> Value {
    let domain = stranger().did().to_string();
    let expected = Binding::presentation(CHALLENGE, &domain);
    let text = presentation::sign(holder, &[], &expected, Format::Jcs, at(NOW)).unwrap();
    let Value::Object(mut document) = serde_json::from_str(&text).unwrap() else { panic!("an object") };
    let Some(Value::Object(mut options)) = document.remove("proof") else { panic!("one proof") };
    assert_eq!(options["proofPurpose"], Purpose::Authentication.name());
    options.remove("proofValue");
    options["cryptosuite"] = json!(suite.cryptosuite);
    document["verifiableCredential"] = json!(credentials);
    change(&mut document, &mut options);
    if let (Some(_), Some(context)) = (options.get("@context"), document.get("@context")) {
        options.insert("@context".into(), context.clone());
    }
    Value::Object(prove(document, options, suite, holder).unwrap())
}
