//! The cases of credentials with proofs over canonical JSON, and of what holds for every form.

use serde_json::{Value, json};

use super::{
    case::{Cases, UNTAMPERED, and, expect, fails, unchecked},
    fixtures::{
        Edit, RUST, holder, issuer, p256, signed, signed_by, signed_with, sorted_backwards, stranger,
        tampered, unsigned, with, with_proof,
    },
};
use crate::{
    credential::{Credential, Signer, data_integrity::suites::ECDSA_JCS_2019},
    limits::PROOFS_MAX,
};

/// A key on P-384 (did:key method, test vectors).
const P384: &str = "z82Lm1MpAkeJcix9K8TMiLd5NMAhnwkjjCBeWHXyu3U4oT2MVJJKXkcVBgjGhnLBn2Kaau9";

pub(super) fn cases() -> Cases {
    let mut cases = Cases::of_credentials();
    trust_and_time(&mut cases);
    forms(&mut cases);
    what_is_read(&mut cases);
    status(&mut cases);
    contexts(&mut cases);
    tampering(&mut cases);
    bad_proofs(&mut cases);
    unsupported_proofs(&mut cases);
    p256_keys(&mut cases);
    proof_sets(&mut cases);
    no_credentials(&mut cases);
    cases
}

fn trust_and_time(cases: &mut Cases) {
    let skills = json!([{"skill": RUST, "name": "Rust", "level": 4}]);
    let listed = json!([{"did": issuer().did()}]);
    let passes = and(expect(true, &[("trusted_issuer", "PASS", "")]), "tier", json!("issuer"));
    cases.add("good", "Signed by a listed issuer.", good(), and(passes, "skills", skills)).trusting(listed);
    let fails = |code| expect(false, &[("unexpired", "FAIL", code)]);
    cases
        .add("valid-first-instant", "A credential holds from validFrom on.", good(), expect(true, &[]))
        .at("2026-01-01T00:00:00Z");
    cases
        .add("valid-not-yet", "One millisecond before validFrom.", good(), fails("not-yet-valid"))
        .at("2025-12-31T23:59:59.999Z");
    cases
        .add("valid-last-instant", "One millisecond before validUntil.", good(), expect(true, &[]))
        .at("2027-12-31T23:59:59.999Z");
    cases
        .add("valid-no-more", "At validUntil it has ceased to hold.", good(), fails("expired"))
        .at("2028-01-01T00:00:00Z");

    let distrusted = json!([{"did": issuer().did(), "distrusted": true}]);
    let fails = expect(true, &[("trusted_issuer", "FAIL", "issuer-distrusted")]);
    cases
        .add(
            "issuer-distrusted",
            "Verified, since it is what the issuer signed; not recognised.",
            good(),
            fails,
        )
        .trusting(distrusted);
}

fn forms(cases: &mut Cases) {
    let id = Credential::parse(&good().to_string()).unwrap().id().to_string();
    cases.add(
        "issuer-unlisted",
        "Verified and not recognised.",
        good(),
        and(expect(true, &[]), "id", json!(id)),
    );
    let reformatted = json!(format!("{:#}", sorted_backwards(&good())));
    cases.add(
        "text-reformatted",
        "White space and the order of keys change neither outcome nor id.",
        reformatted,
        and(expect(true, &[]), "id", json!(id)),
    );
    cases.add(
        "dates-absent",
        "No validity period: it holds always.",
        with(|d| {
            d.remove("validFrom");
            d.remove("validUntil");
        }),
        expect(true, &[]),
    );
    cases.add(
        "subject-array",
        "One subject in an array.",
        with(|d| {
            d["credentialSubject"] = json!([d["credentialSubject"].clone()]);
        }),
        expect(true, &[]),
    );
    cases.add(
        "subject-without-did",
        "Bound to an e-mail address: authentic, its holder cannot be proven.",
        with(|d| d["credentialSubject"]["id"] = json!("mailto:a@example.org")),
        expect(true, &[]),
    );
    cases.add(
        "issuer-url",
        "An issuer that is no DID: nobody can be known to have signed for it.",
        with(|d| d["issuer"]["id"] = json!("https://example.com/issuers/876543")),
        expect(
            false,
            &[
                (UNTAMPERED, "NOT_CHECKED", "proof-key-unbound"),
                ("trusted_issuer", "NOT_CHECKED", "issuer-not-a-did"),
            ],
        ),
    );
    cases.add(
        "subjects-several",
        "Several subjects: what is said of one is not said of another, so holding it cannot be proven.",
        with(|d| {
            let subject = d["credentialSubject"].clone();
            d["credentialSubject"] = json!([subject, {"id": "urn:a"}]);
        }),
        expect(true, &[]),
    );
    cases.add(
        "issuer-plain",
        "The issuer as a plain DID.",
        with(|d| d["issuer"] = json!(issuer().did())),
        expect(true, &[]),
    );
}

fn what_is_read(cases: &mut Cases) {
    cases.add(
        "tier-claimed",
        "Issued to oneself.",
        with(|d| d["credentialSubject"]["id"] = json!(issuer().did())),
        and(expect(true, &[]), "tier", json!("claimed")),
    );
    let endorsement = with(|d| {
        d["type"] = json!(["VerifiableCredential", "EndorsementCredential"]);
        let alignment = d["credentialSubject"]["achievement"]["alignment"].clone();
        d["credentialSubject"] = json!({
            "id": holder().did(), "type": ["EndorsementSubject"], "alignment": alignment,
            "endorsementComment": "We wrote it together.",
        });
    });
    let skills = json!([{"skill": RUST, "name": "Rust", "level": 1}]);
    cases.add(
        "tier-peer",
        "An endorsement; its alignment states a skill and no level.",
        endorsement,
        and(and(expect(true, &[]), "tier", json!("peer")), "skills", skills),
    );
    let names = with(|d| {
        d["credentialSubject"]["achievement"]["alignment"][0]["targetName"] = json!("\u{202e}Rust\u{7}\n")
    });
    let skills = json!([{"skill": RUST, "name": "Rust", "level": 4}]);
    cases.add(
        "text-shown",
        "Control characters and direction marks are not shown.",
        names,
        and(expect(true, &[]), "skills", skills),
    );
}

fn status(cases: &mut Cases) {
    let status = json!({"id": "https://a.example/status/1#94567", "type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "94567", "statusListCredential": "https://a.example/status/1"});
    cases.add(
        "status-not-checked",
        "The issuer offers a status, and it was not consulted.",
        with(|d| {
            d.insert("credentialStatus".into(), status);
        }),
        expect(
            false,
            &[
                ("unrevoked", "NOT_CHECKED", "status-not-checked"),
                ("fresh", "NOT_CHECKED", "status-not-checked"),
            ],
        ),
    );
}

fn contexts(cases: &mut Cases) {
    cases.add(
        "proof-without-context",
        "A proof without @context signs the document's own.",
        with_proof(|p| {
            p.remove("@context");
        }),
        expect(true, &[]),
    );
    cases.add(
        "proof-context-appended",
        "Contexts appended after signing are outside the signature.",
        tampered(|d| d["@context"].as_array_mut().unwrap().push(json!("https://example.org/more"))),
        expect(true, &[]),
    );
    cases.add(
        "proof-context-not-prefix",
        "The document lost a context that was signed.",
        tampered(|d| {
            d["@context"].as_array_mut().unwrap().pop();
        }),
        fails("proof-context-not-prefix"),
    );
    cases.add(
        "proof-context-empty",
        "A proof that signs no context.",
        with_proof(|p| p["@context"] = json!([])),
        fails("proof-context-not-prefix"),
    );
}

fn tampering(cases: &mut Cases) {
    cases.add(
        "tampered-name",
        "The name was changed after signing.",
        tampered(|d| d["name"] = json!("Systems Programming")),
        fails("proof-bad-signature"),
    );
    cases.add(
        "tampered-level",
        "The level was changed after signing.",
        tampered(|d| {
            let levels =
                &d["credentialSubject"]["achievement"]["resultDescription"][0]["rubricCriterionLevel"];
            d["credentialSubject"]["result"][0]["achievedLevel"] = levels[4]["id"].clone();
        }),
        fails("proof-bad-signature"),
    );
    cases.add(
        "tampered-member",
        "A member was added after signing.",
        tampered(|d| {
            d.insert("evidence".into(), json!({"type": "Evidence"}));
        }),
        fails("proof-bad-signature"),
    );
    cases.add(
        "tampered-proof",
        "The proof's date was changed after signing.",
        tampered(|d| d["proof"]["created"] = json!("2026-01-01T00:00:01Z")),
        fails("proof-bad-signature"),
    );
}

fn bad_proofs(cases: &mut Cases) {
    cases.add(
        "proof-value-short",
        "A proof value of 63 bytes.",
        tampered(|d| d["proof"]["proofValue"] = json!(format!("z{}", bs58::encode([1; 63]).into_string()))),
        fails("proof-malformed"),
    );
    cases.add(
        "proof-value-base64url",
        "A proof value in another multibase.",
        tampered(|d| d["proof"]["proofValue"] = json!("uAAAA")),
        fails("proof-malformed"),
    );
    cases.add(
        "proof-date-malformed",
        "The proof's created is a date without a time.",
        with_proof(|p| p["created"] = json!("2026-01-01")),
        fails("proof-malformed"),
    );
    cases.add(
        "proof-wrong-purpose",
        "Signed for authentication.",
        with_proof(|p| p["proofPurpose"] = json!("authentication")),
        fails("proof-wrong-purpose"),
    );
    cases.add(
        "proof-expired",
        "The proof has ended; the signature holds.",
        with_proof(|p| {
            p.insert("expires".into(), json!("2026-06-01T12:00:00Z"));
        }),
        expect(false, &[("unexpired", "FAIL", "proof-expired")]),
    );
    cases.add(
        "proof-not-the-issuers",
        "Signed by another than the issuer it names.",
        Value::Object(signed_by(&stranger(), unsigned())),
        fails("proof-not-the-issuers"),
    );
    cases.add(
        "proof-method-mismatch",
        "The fragment names another key than the DID.",
        with_proof(|p| {
            p["verificationMethod"] = json!(format!("{}#{}", issuer().did(), stranger().public().multibase()))
        }),
        fails("proof-bad-method"),
    );
    cases.add(
        "proof-method-p256",
        "A did:key of another kind.",
        with_proof(|p| {
            p["verificationMethod"] = json!(
                "did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169#zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169"
            )
        }),
        fails("proof-wrong-key-kind"),
    );
}

fn unsupported_proofs(cases: &mut Cases) {
    cases.add(
        "proof-key-unresolved",
        "The issuer's key is at a did:web, which nobody asks here.",
        with(|d| d["issuer"]["id"] = json!("did:web:academy.example"))
            .edited(|d| d["proof"]["verificationMethod"] = json!("did:web:academy.example#key-1")),
        unchecked("proof-key-unresolved"),
    );
    cases.add(
        "proof-unknown-suite",
        "A suite that is not implemented: not checked, hence not verified.",
        tampered(|d| d["proof"]["cryptosuite"] = json!("bbs-2023")),
        unchecked("proof-unknown-suite"),
    );
    cases.add(
        "proof-unknown-type",
        "A proof type that is not implemented.",
        tampered(|d| d["proof"] = json!({"type": "Ed25519Signature2018"})),
        unchecked("proof-unknown-suite"),
    );
    cases.add(
        "proof-chain-broken",
        "A proof over another that the document does not carry.",
        tampered(|d| {
            d["proof"]["previousProof"] = json!("urn:uuid:26329423-bec9-4b2e-88cb-a7c7d9dc4544");
        }),
        fails("proof-chain-broken"),
    );
    cases.add("proof-missing", "Not signed at all.", Value::Object(unsigned()), unchecked("proof-missing"));
    cases.add(
        "proof-missing-empty",
        "An empty set of proofs.",
        tampered(|d| d["proof"] = json!([])),
        unchecked("proof-missing"),
    );
    cases.add(
        "proof-not-an-object",
        "A proof that is a text.",
        tampered(|d| d["proof"] = json!("z")),
        fails("proof-malformed"),
    );
}

fn p256_keys(cases: &mut Cases) {
    let signer = Signer::of_key(p256(4));
    let document = unsigned().edited(|d| d["issuer"]["id"] = json!(signer.controller()));
    let good = || Value::Object(signed_with(&ECDSA_JCS_2019, &signer, document.clone()));
    cases.add("p256-good", "ecdsa-jcs-2019, with a key on P-256.", good(), expect(true, &[]));
    cases.add(
        "p256-tampered",
        "The name was changed after signing.",
        good().edited(|d| d["name"] = json!("Systems Programming")),
        fails("proof-bad-signature"),
    );
    cases.add(
        "p256-suite-of-another-kind",
        "A suite of Ed25519, with a key on P-256.",
        good().edited(|d| d["proof"]["cryptosuite"] = json!("eddsa-jcs-2022")),
        fails("proof-wrong-key-kind"),
    );
    cases.add(
        "p256-key-p384",
        "A key on P-384, which no suite here verifies with: not checked.",
        good().edited(|d| d["proof"]["verificationMethod"] = json!(format!("did:key:{P384}#{P384}"))),
        unchecked("proof-key-unresolved"),
    );
}

fn proof_sets(cases: &mut Cases) {
    let both = || signed_by(&stranger(), signed(unsigned()));
    cases.add("proof-set", "Signed by the issuer and by another.", Value::Object(both()), expect(true, &[]));
    cases.add(
        "proof-set-one-invalid",
        "The issuer's proof holds, the other does not.",
        Value::Object(both()).edited(|d| d["proof"][1]["created"] = json!("2026-01-02T00:00:00Z")),
        fails("proof-bad-signature"),
    );
    cases.add(
        "proof-set-one-unknown",
        "The issuer's proof holds; that of another suite is told and counts for nothing.",
        Value::Object(both()).edited(|d| d["proof"][1] = json!({"type": "SomeProofType"})),
        expect(true, &[(UNTAMPERED, "PASS", "proof-unknown-suite")]),
    );
    cases.add(
        "proof-set-issuers-unknown",
        "Another's proof holds, and one was not checked.",
        Value::Object(both()).edited(|d| d["proof"][0]["cryptosuite"] = json!("bbs-2023")),
        unchecked("proof-unknown-suite"),
    );
    cases.add(
        "proof-too-many",
        "More proofs than are read.",
        tampered(|d| d["proof"] = json!(vec![d["proof"].clone(); PROOFS_MAX + 1])),
        fails("proof-too-many"),
    );
}

fn no_credentials(cases: &mut Cases) {
    cases.add("refused-array", "JSON, but not an object.", json!("[]"), json!("not-an-object"));
    cases.add(
        "refused-syntax",
        "Text after the object.",
        json!(format!("{} {{}}", good())),
        json!("json-syntax"),
    );
    cases.add(
        "refused-repeated-key",
        "A key twice: two readers could see two issuers.",
        json!(good().to_string().replacen('{', "{\"issuer\":\"did:web:a.example\",", 1)),
        json!("json-repeated-key"),
    );
    cases.add(
        "refused-lone-surrogate",
        "Half a character.",
        json!(r#"{"name":"\ud83d"}"#),
        json!("json-syntax"),
    );
    cases.add(
        "refused-inexact-integer",
        "An integer that canonical JSON would round.",
        json!(r#"{"n":9007199254740993}"#),
        json!("json-inexact-integer"),
    );
    cases.add(
        "refused-too-deep",
        "Nested too deeply.",
        json!(format!("{}{}", "[".repeat(33), "]".repeat(33))),
        json!("json-too-deep"),
    );
    cases.add(
        "refused-data-model-1-without-date",
        "A credential of the data model 1.1 states when it was issued.",
        with(|d| d["@context"][0] = json!("https://www.w3.org/2018/credentials/v1")),
        json!("date"),
    );
    cases.add(
        "refused-context-order",
        "The data model's context is not first.",
        with(|d| d["@context"].as_array_mut().unwrap().reverse()),
        json!("context"),
    );
    cases.add(
        "refused-context-text",
        "A context that is not a list.",
        with(|d| d["@context"] = json!("https://www.w3.org/ns/credentials/v2")),
        json!("context"),
    );
    cases.add(
        "refused-type",
        "Not a verifiable credential.",
        with(|d| d["type"] = json!(["OpenBadgeCredential"])),
        json!("type"),
    );
    cases.add(
        "refused-id",
        "An id that is not a URL.",
        with(|d| d["id"] = json!("3732")),
        json!("id-not-a-url"),
    );
    cases.add(
        "refused-issuer",
        "An issuer that is no URL.",
        with(|d| d["issuer"]["id"] = json!("Example Academy")),
        json!("issuer"),
    );
    cases.add(
        "refused-empty-subject",
        "A subject of which nothing is said.",
        with(|d| d["credentialSubject"] = json!([{"id": "urn:a"}, {}])),
        json!("subject"),
    );
    cases.add(
        "refused-no-subject",
        "No subject.",
        with(|d| {
            d.remove("credentialSubject");
        }),
        json!("subject"),
    );
    cases.add(
        "refused-date",
        "A date without time and offset.",
        with(|d| d["validFrom"] = json!("2026-01-01")),
        json!("date"),
    );
    cases.add(
        "refused-validity-reversed",
        "It would end before it begins.",
        with(|d| d["validUntil"] = json!("2025-01-01T00:00:00Z")),
        json!("validity-reversed"),
    );
    cases.add(
        "refused-status-null",
        "A status that is nothing: absent is the way to offer none.",
        with(|d| {
            d.insert("credentialStatus".into(), Value::Null);
        }),
        json!("status"),
    );
    cases.add(
        "refused-status-empty",
        "A status without an entry.",
        with(|d| {
            d.insert("credentialStatus".into(), json!([]));
        }),
        json!("status"),
    );
}

fn good() -> Value {
    Value::Object(signed(unsigned()))
}
