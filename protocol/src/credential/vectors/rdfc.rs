//! The cases of proofs over canonical RDF: `eddsa-rdfc-2022`, `ecdsa-rdfc-2019`, and what came before them.

use serde_json::{Map, Value, json};

use super::{
    case::{Cases, UNTAMPERED, and, expect, fails, unchecked},
    fixtures::{
        Edit, ISSUED, NOW, RUST, at, issuer, p256, signed_with, sorted_backwards, stranger, unsigned,
    },
};
use crate::{
    credential::{
        Credential, Signer,
        data_integrity::{
            self, Binding, ProofOptions, Suite, prove,
            suites::{ECDSA_RDFC_2019, ED25519_SIGNATURE_2020, EDDSA_2022, EDDSA_JCS_2022, EDDSA_RDFC_2022},
        },
    },
    limits::RDF_TERM_CHAIN_MAX,
};

const EXAMPLES: &str = "https://www.w3.org/ns/credentials/examples/v2";

pub(super) fn cases() -> Cases {
    let mut cases = Cases::of_credentials();
    what_is_the_same(&mut cases);
    tampering(&mut cases);
    unbound(&mut cases);
    what_cannot_be_read(&mut cases);
    what_is_beyond_us(&mut cases);
    disguises(&mut cases);
    other_suites(&mut cases);
    sets(&mut cases);
    chains(&mut cases);
    cases
}

fn what_is_the_same(cases: &mut Cases) {
    let id = Credential::parse(&good().to_string()).unwrap().id().to_string();
    let skills = json!([{"skill": RUST, "name": "Rust", "level": 4}]);
    let expected = and(and(expect(true, &[]), "id", id), "skills", skills);
    cases.add("good", "eddsa-rdfc-2022 by the issuer.", good(), expected.clone());
    cases.add(
        "good-reordered",
        "White space and the order of keys change neither outcome nor id.",
        format!("{:#}", sorted_backwards(&good())),
        expected,
    );
    cases.add(
        "good-set-reordered",
        "Types are a set: in another order they state the same, though the text is another.",
        good().edited(|d| d["type"].as_array_mut().unwrap().reverse()),
        expect(true, &[]),
    );
    cases.add(
        "good-context-appended",
        "A context that changes the meaning of nothing changes nothing that is signed.",
        good().edited(|d| d["@context"].as_array_mut().unwrap().push(json!(EXAMPLES))),
        expect(true, &[]),
    );
    cases.add(
        "good-context-in-proof",
        "A proof may state contexts that the document begins with; it is read in the document's.",
        with_proof(|p| drop(p.insert("@context".into(), unsigned()["@context"].clone()))),
        expect(true, &[]),
    );
    cases.add(
        "proof-context-not-prefix",
        "The proof states another context.",
        with_proof(|p| drop(p.insert("@context".into(), json!([EXAMPLES])))),
        fails("proof-context-not-prefix"),
    );
}

/// As some platforms sign: the issuer and its key have URLs, and the key's says which key it is.
fn unbound(cases: &mut Cases) {
    let url = "https://academy.example/issuers/7";
    let signed = || {
        let method = format!("{url}#{}", issuer().public().multibase());
        let mut options = good()["proof"].as_object().unwrap().clone();
        options.remove("proofValue");
        options.insert("verificationMethod".into(), json!(method));
        let document = unsigned().edited(|d| d["issuer"]["id"] = json!(url));
        Value::Object(prove(document, options, &EDDSA_RDFC_2022, &Signer::from(&issuer())).unwrap())
    };
    let expected = |check, code| {
        let issuers = ("trusted_issuer", "NOT_CHECKED", "issuer-not-a-did");
        expect(false, &[(UNTAMPERED, check, code), issuers])
    };
    cases.add(
        "key-unbound",
        "The key has a URL that says which it is: as it was signed, and nothing shows by whom.",
        signed(),
        expected("NOT_CHECKED", "proof-key-unbound"),
    );
    cases.add(
        "key-unbound-tampered",
        "The same, and the name was changed after signing.",
        signed().edited(|d| d["name"] = json!("Systems Programming")),
        expected("FAIL", "proof-bad-signature"),
    );
}

fn tampering(cases: &mut Cases) {
    cases.add(
        "tampered-name",
        "The name was changed after signing.",
        good().edited(|d| d["name"] = json!("Systems Programming")),
        fails("proof-bad-signature"),
    );
    cases.add(
        "tampered-member",
        "A member that a context defines was added after signing.",
        good().edited(|d| d["awardedDate"] = json!(NOW)),
        fails("proof-bad-signature"),
    );
    cases.add(
        "tampered-proof",
        "The proof's date was changed after signing.",
        good().edited(|d| d["proof"]["created"] = json!(NOW)),
        fails("proof-bad-signature"),
    );
    cases.add(
        "tampered-meaning",
        "A context that was appended after signing gives a member another meaning.",
        with_contexts(&[json!({"motto": "https://example.org/motto"})], |d| d["motto"] = json!("Try."))
            .edited(|d| {
                let contexts = d["@context"].as_array_mut().unwrap();
                contexts.push(json!({"motto": "https://example.org/warning"}));
            }),
        fails("proof-bad-signature"),
    );
    cases.add(
        "signed-by-another-suite",
        "Signed over canonical JSON, said to be over canonical RDF.",
        signed(&EDDSA_JCS_2022, unsigned()).edited(|d| d["proof"]["cryptosuite"] = json!("eddsa-rdfc-2022")),
        fails("proof-bad-signature"),
    );
    cases.add(
        "not-the-issuers",
        "Signed by another than the issuer it names.",
        Value::Object(signed_with(&EDDSA_RDFC_2022, &(&stranger()).into(), unsigned())),
        fails("proof-not-the-issuers"),
    );
}

/// What says something that would not be signed. No signer signs such; the members are put in afterwards.
fn what_cannot_be_read(cases: &mut Cases) {
    let achievement = |d: &mut Value, name: &str, value: Value| {
        d["credentialSubject"]["achievement"][name] = value;
    };
    cases.add(
        "undefined-term",
        "A member that no context defines: it would be outside the signature.",
        good().edited(|d| achievement(d, "grade", json!("A"))),
        fails("rdf-undefined-term"),
    );
    cases.add(
        "undefined-term-in-proof",
        "The same, in the proof.",
        good().edited(|d| d["proof"]["remark"] = json!("Well done")),
        fails("rdf-undefined-term"),
    );
    cases.add(
        "protected-term",
        "A context that gives a name of the data model another meaning.",
        in_context(json!({"name": "https://example.org/name"})),
        fails("rdf-protected-term"),
    );
    cases.add(
        "protected-term-forgotten",
        "A context that forgets the data model's.",
        good().edited(|d| achievement(d, "@context", Value::Null)),
        fails("rdf-protected-term"),
    );
    cases.add(
        "invalid-context",
        "A context that makes a term a relative IRI.",
        in_context(json!({"motto": "motto"})),
        fails("rdf-invalid-context"),
    );
    cases.add(
        "not-an-iri",
        "An achievement whose id is relative to nothing.",
        good().edited(|d| achievement(d, "id", json!("systems-programming"))),
        fails("rdf-not-an-iri"),
    );
    cases.add(
        "dropped",
        "A value that JSON-LD leaves out.",
        good().edited(|d| achievement(d, "description", json!({"@value": null}))),
        fails("rdf-dropped"),
    );
    cases.add(
        "invalid",
        "A type that is no text.",
        good().edited(|d| achievement(d, "type", json!([7]))),
        fails("rdf-invalid"),
    );
}

/// What may be sound, and is not checked.
fn what_is_beyond_us(cases: &mut Cases) {
    cases.add(
        "unknown-context",
        "A context that is not among those known here; none is fetched.",
        in_context(json!("https://example.org/context")),
        unchecked("rdf-unknown-context"),
    );
    cases.add(
        "unsupported",
        "A context with a base, which is not implemented.",
        in_context(json!({"@base": "https://example.org/"})),
        unchecked("rdf-unsupported"),
    );
    let chain = (0..=RDF_TERM_CHAIN_MAX).map(|n| (format!("t{n}"), json!(format!("t{}:x", n + 1))));
    let end = (format!("t{}", RDF_TERM_CHAIN_MAX + 1), json!("https://example.org/"));
    cases.add(
        "context-too-large",
        "Terms that are defined by one another, further than is followed.",
        in_context(Value::Object(chain.chain([end]).collect())),
        unchecked("rdf-context-too-large"),
    );
    let node = |n: usize| format!("_:b{n}");
    let everybody = |n| (0..10).filter(|other| *other != n).map(node).collect::<Vec<_>>();
    let nodes = (0..10).map(|n| json!({"id": node(n), "knows": everybody(n)}));
    cases.add(
        "poison-graph",
        "Nodes of which each is like every other: telling them apart would take too long.",
        in_context(json!({"knows": {"@id": "https://example.org/knows", "@type": "@id"}}))
            .edited(|d| d["credentialSubject"]["knows"] = nodes.collect()),
        unchecked("rdf-too-complex"),
    );
}

/// What was written anew by its holder. All of these state what the issuer signed, so that the signature would verify; and each
/// would hide something from whoever reads JSON.
fn disguises(cases: &mut Cases) {
    let status = json!({
        "id": "https://academy.example/status/1#7", "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation", "statusListIndex": "7",
        "statusListCredential": "https://academy.example/status/1",
    });
    let revocable = || {
        let mut document = unsigned();
        document.insert("credentialStatus".into(), status.clone());
        signed(&EDDSA_RDFC_2022, document)
    };
    let renamed = |mut object: Value, from: &str, to: &str| {
        let value = object.as_object_mut().unwrap().shift_remove(from).unwrap();
        object[to] = value;
        object
    };
    let in_context = |mut object: Value, context: Value| {
        object["@context"].as_array_mut().unwrap().push(context);
        object
    };
    let mut add = |name: &str, description: &str, disguised: Value| {
        cases.add(name, description, disguised, unchecked("rdf-not-plain"));
    };
    const ENDS: &str = "https://www.w3.org/2018/credentials#validUntil";
    let typed = json!({
        "@type": "http://www.w3.org/2001/XMLSchema#dateTime", "@value": "2028-01-01T00:00:00Z",
    });
    add(
        "disguised-end",
        "`validUntil` under its IRI.",
        good().edited(|d| {
            d.as_object_mut().unwrap().remove("validUntil");
            d[ENDS] = typed;
        }),
    );
    add(
        "disguised-end-by-a-term",
        "`validUntil` under another term, which a context makes.",
        in_context(
            renamed(good(), "validUntil", "until"),
            json!({"until": {"@id": ENDS, "@type": "http://www.w3.org/2001/XMLSchema#dateTime"}}),
        ),
    );
    add(
        "disguised-end-by-a-prefix",
        "`validUntil` as a prefix and the rest.",
        in_context(
            renamed(good(), "validUntil", "cred:validUntil"),
            json!({
                "cred": {"@id": "https://www.w3.org/2018/credentials#", "@prefix": true},
                "cred:validUntil": {"@id": ENDS, "@type": "http://www.w3.org/2001/XMLSchema#dateTime"},
            }),
        ),
    );
    add(
        "disguised-status",
        "`credentialStatus` under its IRI.",
        renamed(revocable(), "credentialStatus", "https://www.w3.org/2018/credentials#credentialStatus"),
    );
    let id = unsigned()["id"].clone();
    let elsewhere = |mut object: Value| {
        let status = object.as_object_mut().unwrap().remove("credentialStatus").unwrap();
        (object, json!({"id": id, "type": unsigned()["type"], "credentialStatus": status}))
    };
    let (mut included, statement) = elsewhere(revocable());
    included["@included"] = json!([statement]);
    add(
        "disguised-status-included",
        "The status stated of the same thing in another object, included.",
        included,
    );
    let (mut nested, statement) = elsewhere(revocable());
    nested["more"] = json!({"credentialStatus": statement["credentialStatus"]});
    add(
        "disguised-status-nested",
        "The status nested in a member that means nothing.",
        in_context(nested, json!({"more": "@nest"})),
    );
    let mut document = unsigned();
    document.insert("credentialStatus".into(), status.clone());
    document["credentialSubject"]["achievement"]["related"] = json!([{"id": id}]);
    let (mut related, statement) = elsewhere(signed(&EDDSA_RDFC_2022, document));
    related["credentialSubject"]["achievement"]["related"][0] = statement;
    add("disguised-status-elsewhere", "The status stated of the same thing where it is mentioned.", related);
    let mut several = unsigned();
    let levels = &several["credentialSubject"]["achievement"]["resultDescription"][0]["rubricCriterionLevel"];
    let low = json!({
        "type": ["Result"], "id": "urn:uuid:0f5c2b0e-8f0e-4b3b-9d1c-3a2f7c1d5e6a",
        "achievedLevel": levels[0]["id"],
        "resultDescription": several["credentialSubject"]["result"][0]["resultDescription"],
    });
    several["credentialSubject"]["result"].as_array_mut().unwrap().push(low.clone());
    let two_results = || signed(&EDDSA_RDFC_2022, several.clone());
    let halves = json!([
        {"id": low["id"], "type": ["Result"], "achievedLevel": low["achievedLevel"]},
        {"id": low["id"], "type": ["Result"], "resultDescription": low["resultDescription"]},
    ]);
    add(
        "disguised-result-halved",
        "A low result in two halves, neither of which is one.",
        two_results().edited(|d| {
            let results = d["credentialSubject"]["result"].as_array_mut().unwrap();
            results.pop();
            results.extend(halves.as_array().unwrap().iter().cloned());
        }),
    );
    let expiring =
        ProofOptions { expires: Some(at(NOW)), ..ProofOptions::new(Binding::ASSERTION, at(ISSUED)) };
    let expiring =
        data_integrity::sign(unsigned(), &EDDSA_RDFC_2022, &(&issuer()).into(), &expiring).unwrap();
    let mut disguised = Value::Object(expiring);
    let end = disguised["proof"].as_object_mut().unwrap().remove("expires").unwrap();
    disguised["proof"]["https://w3id.org/security#expiration"] =
        json!({"@type": "http://www.w3.org/2001/XMLSchema#dateTime", "@value": end});
    add("disguised-proof-end", "The proof's `expires` under its IRI.", disguised);
    let mut endorsement = unsigned();
    endorsement["type"] = json!(["VerifiableCredential", "EndorsementCredential"]);
    add(
        "disguised-type",
        "The type of an endorsement as an IRI, so that it passes for more than a peer's word.",
        signed(&EDDSA_RDFC_2022, endorsement).edited(|d| {
            d["type"][1] = json!("https://purl.imsglobal.org/spec/vc/ob/vocab.html#EndorsementCredential");
        }),
    );
    // This one is read, and hides nothing: what is not read as a level counts as the lowest.
    cases.add(
        "disguised-level",
        "A low level as an object, which states the same and is no text.",
        two_results().edited(|d| {
            let level = &mut d["credentialSubject"]["result"][1]["achievedLevel"];
            *level = json!({"@type": "https://www.w3.org/2001/XMLSchema#anyURI", "@value": level.take()});
        }),
        and(expect(true, &[]), "skills", json!([{"skill": RUST, "name": "Rust", "level": 1}])),
    );
}

fn other_suites(cases: &mut Cases) {
    let p256 = Signer::of_key(p256(4));
    let ecdsa = || {
        let document = unsigned().edited(|d| d["issuer"]["id"] = json!(p256.controller()));
        Value::Object(signed_with(&ECDSA_RDFC_2019, &p256, document))
    };
    cases.add("ecdsa-good", "ecdsa-rdfc-2019, with a key on P-256.", ecdsa(), expect(true, &[]));
    cases.add(
        "ecdsa-tampered",
        "The name was changed after signing.",
        ecdsa().edited(|d| d["name"] = json!("Systems Programming")),
        fails("proof-bad-signature"),
    );
    cases.add(
        "ecdsa-with-ed25519",
        "ecdsa-rdfc-2019, with a key of Ed25519.",
        good().edited(|d| d["proof"]["cryptosuite"] = json!("ecdsa-rdfc-2019")),
        fails("proof-wrong-key-kind"),
    );
    cases.add(
        "eddsa-with-p256",
        "eddsa-rdfc-2022, with a key on P-256.",
        ecdsa().edited(|d| d["proof"]["cryptosuite"] = json!("eddsa-rdfc-2022")),
        fails("proof-wrong-key-kind"),
    );

    let draft = || signed(&EDDSA_2022, unsigned());
    cases.add(
        "draft-good",
        "eddsa-2022, as eddsa-rdfc-2022 was called in drafts.",
        draft(),
        expect(true, &[]),
    );
    cases.add(
        "draft-renamed",
        "The suite's name is signed with the rest.",
        draft().edited(|d| d["proof"]["cryptosuite"] = json!("eddsa-rdfc-2022")),
        fails("proof-bad-signature"),
    );

    let former = || signed(&ED25519_SIGNATURE_2020, of_version_1());
    let skills = json!([{"skill": RUST, "name": "Rust", "level": 4}]);
    cases.add(
        "former-good",
        "Ed25519Signature2020, of a credential of the data model 1.1.",
        former(),
        and(expect(true, &[]), "skills", skills),
    );
    cases.add(
        "former-tampered",
        "The date was changed after signing.",
        former().edited(|d| d["issuanceDate"] = json!("2026-01-02T00:00:00Z")),
        fails("proof-bad-signature"),
    );
    cases.add(
        "former-without-context",
        "Without the suite's own context its name means nothing.",
        former().edited(|d| drop(d["@context"].as_array_mut().unwrap().pop())),
        fails("rdf-not-an-iri"),
    );
    cases
        .add(
            "former-expired",
            "expirationDate ends it.",
            former(),
            expect(false, &[("unexpired", "FAIL", "expired")]),
        )
        .at("2028-01-01T00:00:00Z");
}

fn sets(cases: &mut Cases) {
    let add = |suite: &Suite, document: Value| {
        let Value::Object(document) = document else { panic!("an object") };
        Value::Object(signed_with(suite, &(&stranger()).into(), document))
    };
    let both = || add(&EDDSA_RDFC_2022, good());
    cases.add("set", "Signed by the issuer and by another.", both(), expect(true, &[]));
    cases.add(
        "set-of-two-suites",
        "By the issuer over canonical RDF, by another over canonical JSON.",
        add(&EDDSA_JCS_2022, good()),
        expect(true, &[]),
    );
    cases.add(
        "set-one-invalid",
        "The issuer's proof holds, the other does not.",
        both().edited(|d| d["proof"][1]["created"] = json!(NOW)),
        fails("proof-bad-signature"),
    );
    cases.add(
        "set-one-unknown",
        "The issuer's proof holds; that of another suite is told and counts for nothing.",
        both().edited(|d| d["proof"][1]["cryptosuite"] = json!("bbs-2023")),
        expect(true, &[(UNTAMPERED, "PASS", "proof-unknown-suite")]),
    );
}

fn chains(cases: &mut Cases) {
    let first = "urn:uuid:26329423-bec9-4b2e-88cb-a7c7d9dc4544";
    let sign = |document: Map<String, Value>, signer: &Signer, id, previous: &[&str]| {
        let options = ProofOptions { id, previous, ..ProofOptions::new(Binding::ASSERTION, at(ISSUED)) };
        data_integrity::sign(document, &EDDSA_RDFC_2022, signer, &options).unwrap()
    };
    let issuers = sign(unsigned(), &(&issuer()).into(), Some(first), &[]);
    let chain = || Value::Object(sign(issuers.clone(), &(&stranger()).into(), None, &[first]));
    cases.add(
        "chain",
        "Another signed over the credential with the issuer's proof.",
        chain(),
        expect(true, &[]),
    );
    cases.add(
        "chain-without-its-first",
        "The proof that the other depends on was taken away.",
        chain().edited(|d| drop(d["proof"].as_array_mut().unwrap().remove(0))),
        fails("proof-chain-broken"),
    );
    cases.add(
        "chain-first-twice",
        "Two proofs have the name that the other depends on.",
        chain().edited(|d| {
            let first = d["proof"][0].clone();
            d["proof"].as_array_mut().unwrap().push(first);
        }),
        fails("proof-chain-broken"),
    );
    let later = ProofOptions { id: Some(first), ..ProofOptions::new(Binding::ASSERTION, at(NOW)) };
    let again = data_integrity::sign(unsigned(), &EDDSA_RDFC_2022, &(&issuer()).into(), &later).unwrap();
    cases.add(
        "chain-first-replaced",
        "The issuer signed again under the same name: that is not what the other signed.",
        chain().edited(|d| d["proof"][0] = again["proof"].clone()),
        fails("proof-bad-signature"),
    );
    cases.add(
        "chain-untied",
        "The other's proof no longer says what it depends on.",
        chain().edited(|d| drop(d["proof"][1].as_object_mut().unwrap().remove("previousProof"))),
        fails("proof-bad-signature"),
    );
}

fn signed(suite: &Suite, document: Map<String, Value>) -> Value {
    Value::Object(signed_with(suite, &(&issuer()).into(), document))
}

fn good() -> Value {
    signed(&EDDSA_RDFC_2022, unsigned())
}

/// The badge with proof options that were changed before signing.
fn with_proof(change: impl FnOnce(&mut Map<String, Value>)) -> Value {
    let mut options = good()["proof"].as_object().unwrap().clone();
    options.remove("proofValue");
    change(&mut options);
    Value::Object(prove(unsigned(), options, &EDDSA_RDFC_2022, &Signer::from(&issuer())).unwrap())
}

/// The badge with contexts that were appended, and `change` made, before signing.
fn with_contexts(contexts: &[Value], change: impl FnOnce(&mut Map<String, Value>)) -> Value {
    let mut document = unsigned();
    document["@context"].as_array_mut().unwrap().extend_from_slice(contexts);
    document.insert("motto".into(), Value::Null);
    change(&mut document);
    signed(&EDDSA_RDFC_2022, document)
}

/// The signed badge with a context that was appended after signing.
fn in_context(context: Value) -> Value {
    good().edited(|d| d["@context"].as_array_mut().unwrap().push(context))
}

/// The badge as the data model 1.1 has it.
fn of_version_1() -> Map<String, Value> {
    let mut document = unsigned();
    document["@context"] = json!([
        "https://www.w3.org/2018/credentials/v1",
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json",
        "https://w3id.org/security/suites/ed25519-2020/v1",
    ]);
    for (name, former) in [("validFrom", "issuanceDate"), ("validUntil", "expirationDate")] {
        let date = document.remove(name).unwrap();
        document.insert(former.into(), date);
    }
    document
}
