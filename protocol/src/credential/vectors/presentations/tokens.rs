//! The cases of presentations as tokens: `vp+jwt`.

use serde_json::{Value, json};

use super::{
    super::{
        case::{Cases, UNTAMPERED},
        fixtures::{
            CHALLENGE, Edit, NOW, ON_THE_WEB, at, badge_token, did_document, holder, issuer, p256, parts,
            signer_on_the_web, stranger, token, with,
        },
    },
    add, expect, good, shown,
};
use crate::{
    credential::{Credential, Format, Signer, data_integrity::Binding, enveloped, presentation},
    limits::CLOCK_SKEW_MAX_MS,
};

pub(super) fn cases(cases: &mut Cases) {
    good_ones(cases);
    whose(cases);
    wrong_bindings(cases);
    time(cases);
    tampering(cases);
    no_presentations(cases);
}

fn good_ones(cases: &mut Cases) {
    let one = || expect(&[shown(true, &[])]);
    add(cases, "token-good", "A vp+jwt by the subject of the credential in it.", present(), one());
    let key = p256(5);
    let others = with(|d| d["credentialSubject"]["id"] = json!(key.did()));
    let others = Credential::parse(&others.to_string()).unwrap();
    add(
        cases,
        "token-good-es256",
        "A holder with a key on P-256.",
        present_by(&Signer::of_key(key.clone()), &[&others]),
        json!({"holder": key.did(), "credentials": [shown(true, &[])]}),
    );
    let tokens = [
        Credential::parse(&badge_token()).unwrap(),
        super::issuance().sign(&Signer::from(&issuer()), Format::SdJwt, at(NOW)).unwrap(),
    ];
    add(
        cases,
        "token-enveloped",
        "The credentials in it are tokens, in envelopes.",
        present_by(&(&holder()).into(), &[&tokens[0], &tokens[1]]),
        expect(&[shown(true, &[]), shown(true, &[])]),
    );
    let envelope = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": format!("data:application/vp+jwt,{}", present()),
        "type": "EnvelopedVerifiablePresentation",
    });
    add(
        cases,
        "token-in-envelope",
        "The token in an EnvelopedVerifiablePresentation.",
        envelope.clone(),
        one(),
    );
    add(
        cases,
        "refused-envelope",
        "An envelope of another media type.",
        envelope.edited(|p| p["id"] = json!(format!("data:text/plain,{}", present()))),
        json!("malformed"),
    );
    add(
        cases,
        "token-audience-list",
        "The audience as a list of one.",
        changed(|_| {}, |c| c["aud"] = json!([c["aud"].clone()])),
        one(),
    );
}

fn whose(cases: &mut Cases) {
    let one = || expect(&[shown(true, &[])]);
    add(
        cases,
        "token-issuer",
        "The holder is named by `iss` alone.",
        changed(
            |_| {},
            |c| {
                c["iss"] = c["holder"].clone();
                without_holder(c);
            },
        ),
        one(),
    );
    add(
        cases,
        "token-holder-absent",
        "It names no holder: whoever's key signed is the holder.",
        changed(|_| {}, without_holder),
        one(),
    );
    add(
        cases,
        "token-issuer-differs",
        "`iss` is not the holder.",
        changed(|_| {}, |c| c["iss"] = json!(issuer().did())),
        json!("proof-not-the-holders"),
    );
    add(
        cases,
        "token-of-another",
        "Signed by another than the holder it names.",
        by_stranger(|h| h["kid"] = json!(Signer::from(&stranger()).method())),
        json!("proof-not-the-holders"),
    );
    add(
        cases,
        "token-kid-of-the-holder",
        "Signed by another, who names the holder's key.",
        by_stranger(|_| {}),
        json!("jws-signature"),
    );
    let (header, claims) = parts(&changed(|_| {}, without_holder));
    add(
        cases,
        "token-key-unnamed",
        "It names neither holder nor key.",
        token(&header.edited(|h| drop(h.as_object_mut().unwrap().remove("kid"))), &claims, &holder().into()),
        json!("key-unnamed"),
    );
    let web = signer_on_the_web(&holder());
    let own = with(|d| d["credentialSubject"]["id"] = json!(ON_THE_WEB));
    let own = Credential::parse(&own.to_string()).unwrap();
    add(
        cases,
        "token-key-unresolved",
        "A holder whose key is at a did:web that is not known.",
        present_by(&web, &[&own]),
        json!("key-unresolved"),
    );
    add(
        cases,
        "token-did-web",
        "A holder whose key is at a did:web that is known.",
        present_by(&web, &[&own]),
        json!({"holder": ON_THE_WEB, "credentials": [shown(true, &[])]}),
    )
    .knowing_document(did_document(&holder().into()), NOW);
    add(
        cases,
        "token-key-not-for-authentication",
        "The holder's document lists the key for assertion alone.",
        present_by(&web, &[&own]),
        json!("did-not-authorised"),
    )
    .knowing_document(did_document(&holder().into()).edited(|d| d["authentication"] = json!([])), NOW);
}

fn wrong_bindings(cases: &mut Cases) {
    for (name, description, claim, value, code) in [
        ("wrong-nonce", "An answer to another nonce.", "nonce", json!("other"), "proof-wrong-challenge"),
        ("no-nonce", "An answer to no nonce.", "nonce", Value::Null, "proof-wrong-challenge"),
        ("wrong-audience", "Made for another verifier.", "aud", json!(issuer().did()), "proof-wrong-domain"),
        ("no-audience", "Made for nobody.", "aud", json!([]), "proof-wrong-domain"),
        (
            "wrong-audience-list",
            "Made for this verifier and another.",
            "aud",
            json!([stranger().did(), issuer().did()]),
            "proof-wrong-domain",
        ),
    ] {
        add(cases, &format!("token-{name}"), description, changed(|_| {}, |c| c[claim] = value), json!(code));
    }
}

fn time(cases: &mut Cases) {
    let newest = at(NOW).plus_ms(CLOCK_SKEW_MAX_MS).unix_ms() / 1000;
    let now = at(NOW).unix_ms() / 1000;
    let one = || expect(&[shown(true, &[])]);
    for (name, description, claim, seconds, outcome) in [
        ("clock-ahead", "Made in the future, as far as clocks may differ.", "iat", newest, one()),
        ("in-future", "Made a second further in the future.", "iat", newest + 1, json!("created-in-future")),
        ("nbf-in-future", "It holds only later.", "nbf", newest + 1, json!("created-in-future")),
        ("expired", "`exp` has come.", "exp", now, json!("proof-expired")),
        ("expires", "`exp` comes in a second.", "exp", now + 1, one()),
    ] {
        add(
            cases,
            &format!("token-{name}"),
            description,
            changed(|_| {}, |c| c[claim] = json!(seconds)),
            outcome,
        );
    }
    add(
        cases,
        "token-exp-text",
        "An `exp` that is a text.",
        changed(|_| {}, |c| c["exp"] = json!("2030")),
        json!("jwt-date"),
    );
}

fn tampering(cases: &mut Cases) {
    let text = present();
    let (head, signature) = text.rsplit_once('.').unwrap();
    let other = changed(|_| {}, |c| c["verifiableCredential"] = json!([]));
    let (other_head, _) = other.rsplit_once('.').unwrap();
    add(
        cases,
        "token-tampered",
        "The credential was taken away after signing.",
        format!("{other_head}.{signature}"),
        json!("jws-signature"),
    );
    add(cases, "token-unsigned", "No signature.", format!("{head}."), json!("jws-signature"));
    add(
        cases,
        "token-alg-of-another-key",
        "ES256, with a key of Ed25519.",
        changed(|h| h["alg"] = json!("ES256"), |_| {}),
        json!("alg-of-another-key"),
    );
    add(
        cases,
        "token-alg-none",
        "Nobody signed it.",
        changed(|h| h["alg"] = json!("none"), |_| {}),
        json!("alg-none"),
    );
    let (header, claims) = parts(&badge_token());
    let forged = token(&header, &claims, &stranger().into());
    add(
        cases,
        "token-credential-forged",
        "The holder signs a credential that the issuer did not.",
        changed(
            |_| {},
            |c| c["verifiableCredential"] = json!([enveloped::credential("application/vc+jwt", &forged)]),
        ),
        expect(&[shown(false, &[(UNTAMPERED, "FAIL", "jws-signature")])]),
    );
    let others = with(|d| d["credentialSubject"]["id"] = json!(stranger().did()));
    add(
        cases,
        "token-credential-of-another",
        "The second credential is another's.",
        changed(|_| {}, |c| c["verifiableCredential"].as_array_mut().unwrap().push(others)),
        expect(&[shown(true, &[]), shown(false, &[("trusted_holder", "FAIL", "not-the-subject")])]),
    );
}

fn no_presentations(cases: &mut Cases) {
    add(
        cases,
        "token-refused-typ",
        "A token of another type.",
        changed(|h| h["typ"] = json!("JWT"), |_| {}),
        json!("malformed"),
    );
    add(
        cases,
        "token-refused-credential",
        "A credential is no presentation.",
        badge_token(),
        json!("malformed"),
    );
    add(
        cases,
        "token-refused-type",
        "A payload that is no presentation.",
        changed(|_| {}, |c| c["type"] = json!(["Other"])),
        json!("malformed"),
    );
    add(
        cases,
        "token-refused-vp",
        "As the data model 1.1 had it, with a claim `vp`.",
        token(
            &parts(&present()).0,
            &json!({"iss": holder().did(), "nonce": CHALLENGE, "vp": {"type": ["VerifiablePresentation"]}}),
            &holder().into(),
        ),
        json!("malformed"),
    );
}

/// The holder's presentation of the badge.
fn present() -> String {
    let credential = Credential::parse(&good().to_string()).unwrap();
    present_by(&(&holder()).into(), &[&credential])
}

fn present_by(holder: &Signer, credentials: &[&Credential]) -> String {
    let domain = stranger().did().to_string();
    let expected = Binding::presentation(CHALLENGE, &domain);
    presentation::sign(holder, credentials, &expected, Format::VcJwt, at(NOW)).unwrap()
}

/// The same, with header and claims changed before signing.
fn changed(header: impl FnOnce(&mut Value), claims: impl FnOnce(&mut Value)) -> String {
    let (own_header, own_claims) = parts(&present());
    token(&own_header.edited(header), &own_claims.edited(claims), &holder().into())
}

fn without_holder(claims: &mut Value) {
    claims.as_object_mut().unwrap().remove("holder");
}

/// The same, signed by another than the holder.
fn by_stranger(header: impl FnOnce(&mut Value)) -> String {
    let (own_header, claims) = parts(&present());
    token(&own_header.edited(header), &claims, &stranger().into())
}
