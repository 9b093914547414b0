//! The cases of issuers whose key is in a DID document that the verifier knows, or does not.

use serde_json::{Value, json};

use super::{
    case::{Cases, and, expect, fails, unchecked},
    fixtures::{
        Edit, ISSUED, NOW, ON_THE_WEB, at, did_document, issuance, issuer, p256, signed_with,
        signer_on_the_web, stranger, unsigned,
    },
};
use crate::{
    credential::{Format, data_integrity::suites::EDDSA_JCS_2022, open_badge::Issuance},
    key::VerifyingKey,
};

const FETCHED: &str = "2026-06-01T08:00:00Z";

pub(super) fn cases() -> Cases {
    let mut cases = Cases::of_credentials();
    known(&mut cases);
    not_known(&mut cases);
    not_authorised(&mut cases);
    ended(&mut cases);
    cases
}

fn known(cases: &mut Cases) {
    for format in [Format::Jcs, Format::Rdfc, Format::VcJwt] {
        let name = format!("good-{format}");
        cases
            .add(&name, "The known document lists the key.", badge(format), expect(true, &[]))
            .knowing_document(document(), FETCHED);
    }
    let relative = document().edited(|d| {
        d["verificationMethod"][0]["id"] = json!("#key-1");
        d["assertionMethod"] = json!("#key-1");
    });
    cases
        .add("good-relative", "It names the key by a fragment alone.", badge(Format::Jcs), expect(true, &[]))
        .knowing_document(relative, FETCHED);
    let embedded = document().edited(|d| {
        d["assertionMethod"] = d["verificationMethod"].take();
        d.as_object_mut().unwrap().remove("verificationMethod");
    });
    cases
        .add("good-embedded", "It states the key where it lists it.", badge(Format::Jcs), expect(true, &[]))
        .knowing_document(embedded, FETCHED);
    let jwk = document().edited(|d| {
        let method = &mut d["verificationMethod"][0];
        method["type"] = json!("JsonWebKey");
        method["publicKeyJwk"] = Value::Object(VerifyingKey::from(issuer().public()).to_jwk());
        method.as_object_mut().unwrap().remove("publicKeyMultibase");
    });
    cases
        .add("good-jwk", "It states the key as a JWK.", badge(Format::VcJwt), expect(true, &[]))
        .knowing_document(jwk, FETCHED);
    let recognised = expect(true, &[("trusted_issuer", "PASS", "")]);
    cases
        .add("good-listed", "The issuer is listed.", badge(Format::Jcs), recognised)
        .knowing_document(document(), FETCHED)
        .trusting(json!([{"did": ON_THE_WEB}]));
}

fn not_known(cases: &mut Cases) {
    let needs = json!([{"document": ON_THE_WEB}]);
    cases.add(
        "unknown",
        "The document is not known: it has to be fetched.",
        badge(Format::Jcs),
        and(unchecked("proof-key-unresolved"), "needs", needs.clone()),
    );
    cases.add(
        "unknown-token",
        "The same for a token.",
        badge(Format::VcJwt),
        and(unchecked("key-unresolved"), "needs", needs.clone()),
    );
    let other = |d: Value| {
        let text = d.to_string().replace(ON_THE_WEB, "did:web:other.example");
        serde_json::from_str(&text).unwrap()
    };
    cases
        .add(
            "unknown-but-another",
            "Another's document is known.",
            badge(Format::Jcs),
            and(unchecked("proof-key-unresolved"), "needs", needs),
        )
        .knowing_document(other(document()), FETCHED);
    let unusable = document().edited(|d| d["verificationMethod"][0]["type"] = json!("SomeKeyOf2040"));
    cases
        .add(
            "key-of-another-kind",
            "A key of a kind that is not known: not checked.",
            badge(Format::Jcs),
            and(unchecked("proof-key-unresolved"), "needs", json!([])),
        )
        .knowing_document(unusable, FETCHED);
}

fn not_authorised(cases: &mut Cases) {
    let mut add = |name: &str, description: &str, code, document: Value| {
        cases
            .add(name, description, badge(Format::Jcs), fails("proof-bad-method"))
            .knowing_document(document.clone(), FETCHED);
        cases
            .add(&format!("{name}-token"), description, badge(Format::VcJwt), fails(code))
            .knowing_document(document, FETCHED);
    };
    add(
        "not-for-assertion",
        "The document lists the key for authentication alone.",
        "did-not-authorised",
        document().edited(|d| d["assertionMethod"] = json!([])),
    );
    add(
        "of-another-controller",
        "The document says that the key is another's.",
        "did-not-authorised",
        document().edited(|d| d["verificationMethod"][0]["controller"] = json!(stranger().did())),
    );
    add(
        "method-unknown",
        "The document has no such key.",
        "did-method-unknown",
        document().edited(|d| {
            for place in ["/verificationMethod/0/id", "/assertionMethod/0", "/authentication/0"] {
                *d.pointer_mut(place).unwrap() = json!(format!("{ON_THE_WEB}#key-2"));
            }
        }),
    );
    add(
        "revoked-when-fetched",
        "When the document was fetched the key had been revoked.",
        "did-key-revoked",
        ending("revoked", FETCHED),
    );
    cases
        .add(
            "another-key",
            "The document lists another key under that name.",
            badge(Format::Jcs),
            fails("proof-bad-signature"),
        )
        .knowing_document(did_document(&stranger().into()), FETCHED);
    cases
        .add(
            "another-kind",
            "The document lists a key on P-256 under that name.",
            badge(Format::Jcs),
            fails("proof-wrong-key-kind"),
        )
        .knowing_document(did_document(&p256(4)), FETCHED);
    cases
        .add("another-kind-token", "The same for a token.", badge(Format::VcJwt), fails("alg-of-another-key"))
        .knowing_document(did_document(&p256(4)), FETCHED);
}

fn ended(cases: &mut Cases) {
    let ended = expect(false, &[("unexpired", "FAIL", "proof-expired")]);
    cases
        .add(
            "key-expired-since",
            "The key has expired since the document was fetched: nothing signed with it counts.",
            badge(Format::Jcs),
            ended.clone(),
        )
        .knowing_document(ending("expires", NOW), FETCHED);
    cases
        .add("key-expired-since-token", "The same for a token.", badge(Format::VcJwt), ended)
        .knowing_document(ending("expires", NOW), FETCHED);
    cases
        .add("key-expires-later", "The key expires in a second.", badge(Format::Jcs), expect(true, &[]))
        .knowing_document(ending("expires", "2026-06-01T12:00:01Z"), FETCHED);
    let signer = signer_on_the_web(&issuer());
    cases
        .add(
            "not-the-issuers",
            "The key is in the did:web's document; the issuer is the key's did:key, which is another.",
            Value::Object(signed_with(&EDDSA_JCS_2022, &signer, unsigned())),
            fails("proof-not-the-issuers"),
        )
        .knowing_document(document(), FETCHED);
}

fn document() -> Value {
    did_document(&issuer().into())
}

/// The document whose key ends then.
fn ending(name: &str, at: &str) -> Value {
    document().edited(|d| d["verificationMethod"][0][name] = json!(at))
}

/// The badge, by the issuer on the web.
fn badge(format: Format) -> Value {
    let signer = signer_on_the_web(&issuer());
    let issuance = Issuance { issuer: signer.controller().clone(), ..issuance() };
    let signed = issuance.sign(&signer, format, at(ISSUED)).unwrap();
    match format {
        Format::Jcs | Format::Rdfc => Value::Object(signed.document().clone()),
        Format::VcJwt | Format::SdJwt => json!(signed.text()),
    }
}
