//! The cases of trust: what a verifier's own list says of an issuer, and lists that travel.

use serde_json::{Map, Value, json};

use super::{
    case::{Cases, and, expect},
    fixtures::{ISSUED, RUST, at, issuance, issuer, signed, stranger, unsigned, with},
};
use crate::{
    credential::{
        Format, Signer, TrustEntry, TrustList,
        open_badge::{AlignedSkill, Issuance},
        trust_document,
    },
    limits::TRUST_SCOPE_MAX,
};

const TEACHING: &str = "urn:example:skill:teaching";

pub(super) fn cases() -> Cases {
    let mut cases = Cases::of_credentials();
    scopes(&mut cases);
    cases.show("trust_list");
    lists(&mut cases);
    cases
}

fn scopes(cases: &mut Cases) {
    let listed = || expect(true, &[("trusted_issuer", "PASS", "")]);
    let out_of_scope = || expect(true, &[("trusted_issuer", "NOT_CHECKED", "issuer-out-of-scope")]);
    let distrusted = || expect(true, &[("trusted_issuer", "FAIL", "issuer-distrusted")]);
    let rust = || Value::Object(signed(unsigned()));
    let both = || {
        let teaching =
            AlignedSkill { skill: TEACHING.parse().unwrap(), label: "Teaching".into(), framework: None };
        let mut issuance = issuance();
        issuance.skills.push(teaching);
        issuance
    };
    let of = |issuance: Issuance| Value::Object(signed(issuance.document()));
    let trusted_for = |skills: Value| json!([{"did": issuer().did(), "skills": skills}]);
    cases
        .add("listed", "Listed without a scope: for every skill.", of(both()), listed())
        .trusting(trusted_for(json!([])));
    cases
        .add("in-scope", "Listed for the skill that the credential states.", rust(), listed())
        .trusting(trusted_for(json!([RUST])));
    cases
        .add("in-wider-scope", "Listed for both skills.", of(both()), listed())
        .trusting(trusted_for(json!([TEACHING, RUST])));
    cases
        .add("out-of-scope", "Listed for another skill.", rust(), out_of_scope())
        .trusting(trusted_for(json!([TEACHING])));
    cases
        .add("partly-out-of-scope", "Listed for one of the two skills it states.", of(both()), out_of_scope())
        .trusting(trusted_for(json!([RUST])));
    let sd_jwt = both().sign(&Signer::from(&issuer()), Format::SdJwt, at(ISSUED)).unwrap();
    cases
        .add(
            "partly-withheld",
            "Listed for the one of two skills that is shown.",
            sd_jwt.disclosing(&[RUST.parse().unwrap()]).text(),
            listed(),
        )
        .trusting(trusted_for(json!([RUST])));
    let none = with(|d| {
        drop(d["credentialSubject"]["achievement"].as_object_mut().unwrap().remove("alignment"));
    });
    cases
        .add("no-skills", "Listed for a skill; the credential states none.", none, listed())
        .trusting(trusted_for(json!([RUST])));
    cases
        .add("distrusted", "Distrust has no scope.", rust(), distrusted())
        .trusting(json!([{"did": issuer().did(), "distrusted": true, "skills": [TEACHING]}]));
    cases
        .add("another-listed", "Another is listed.", rust(), expect(true, &[]))
        .trusting(json!([{"did": stranger().did()}]));
}

fn lists(cases: &mut Cases) {
    let list = json!({
        "did:web:academy.example": {"name": "Academy", "skills": [RUST]},
        "did:web:mill.example": {"distrusted": true},
    });
    let document = trust_list();
    cases.add(
        "list",
        "A list that another keeps, signed.",
        Value::Object(signed(document.clone())),
        and(json!({"list": list}), "verified", true),
    );
    let with_entries = |entries: Value| {
        let mut document = document.clone();
        document["credentialSubject"]["entries"] = entries;
        Value::Object(signed(document))
    };
    cases.add(
        "list-empty",
        "A list of nobody.",
        with_entries(json!([])),
        json!({"list": {}, "verified": true}),
    );
    cases.add(
        "list-tampered",
        "An entry was added after signing: it states a list, and is not verified.",
        {
            let mut changed = signed(document.clone());
            let entries = changed["credentialSubject"]["entries"].as_array_mut().unwrap();
            entries.push(json!({"issuer": "did:web:other.example"}));
            Value::Object(changed)
        },
        json!({"verified": false}),
    );
    cases.add(
        "list-refused-type",
        "A credential that is no list.",
        Value::Object(signed(unsigned())),
        json!("trust-list-type"),
    );
    for (name, description, entry) in [
        ("text", "An entry that is a text.", json!("did:web:academy.example")),
        ("issuer", "An issuer that is no DID.", json!({"issuer": "https://academy.example/"})),
        (
            "skill",
            "A skill that is no URI.",
            json!({"issuer": "did:web:academy.example", "skills": ["Rust"]}),
        ),
        ("name", "A name that is no text.", json!({"issuer": "did:web:academy.example", "name": 7})),
        (
            "distrusted",
            "Distrust that is no boolean.",
            json!({"issuer": "did:web:academy.example", "distrusted": "yes"}),
        ),
        (
            "member",
            "A member that is not known: distrust by another name would be recognition.",
            json!({"issuer": "did:web:academy.example", "urn:knackmesh:trust-list#distrusted": true}),
        ),
    ] {
        cases.add(
            &format!("list-refused-{name}"),
            description,
            with_entries(json!([entry])),
            json!("trust-list-entry"),
        );
    }
    let skills: Vec<String> = (0..=TRUST_SCOPE_MAX).map(|n| format!("urn:s:{n}")).collect();
    cases.add(
        "list-refused-full",
        "An entry for more skills than are kept.",
        with_entries(json!([{"issuer": "did:web:academy.example", "skills": skills}])),
        json!("trust-list-full"),
    );
}

fn trust_list() -> Map<String, Value> {
    let mut list = TrustList::default();
    let scoped =
        TrustEntry { name: Some("Academy".into()), skills: vec![RUST.parse().unwrap()], distrusted: false };
    list.add("did:web:academy.example".parse().unwrap(), scoped).unwrap();
    let distrusted = TrustEntry { distrusted: true, ..TrustEntry::default() };
    list.add("did:web:mill.example".parse().unwrap(), distrusted).unwrap();
    trust_document::document(
        &list,
        &issuer().did(),
        "urn:uuid:51b2a9b5-6f1a-4f6b-8b0e-0a5d2e9f7c11",
        at(ISSUED),
        None,
    )
}
