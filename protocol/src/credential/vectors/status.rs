//! The cases of credentials whose issuer offers a status.

use serde_json::{Map, Value, json};

use super::{
    case::{Cases, and, expect},
    fixtures::{
        Edit, ISSUED, NOW, at, did_document, holder, issuance, issuer, signed_by, signer_on_the_web,
        stranger, with,
    },
};
use crate::{
    credential::{
        Format, Signer,
        bitstring::Bitstring,
        data_integrity::{self, Binding, ProofOptions, suites::EDDSA_JCS_2022},
        open_badge::Issuance,
        status::{Purpose, StatusEntry},
    },
    key::SecretKey,
    limits::{CLOCK_SKEW_MAX_MS, STATUS_AGE_DEFAULT_MS, STATUS_ENTRIES_MAX, STATUS_ENTRIES_MIN},
    time::Timestamp,
};

const LIST: &str = "https://academy.example/status/1";
const OTHER_LIST: &str = "https://academy.example/status/2";
const INDEX: u64 = 94_567;
const AN_HOUR_AGO: &str = "2026-06-01T11:00:00Z";
const A_MONTH_AGO: &str = "2026-05-01T12:00:00Z";

pub(super) fn cases() -> Cases {
    let mut cases = Cases::of_credentials();
    known(&mut cases);
    withdrawn(&mut cases);
    ages(&mut cases);
    newer_and_older(&mut cases);
    of_whom(&mut cases);
    not_checked(&mut cases);
    refused(&mut cases);
    wide(&mut cases);
    several(&mut cases);
    forms(&mut cases);
    cases
}

fn known(cases: &mut Cases) {
    cases.add(
        "not-known",
        "The list is not known: it has to be fetched.",
        badge(entry("revocation")),
        and(unclear("status-not-checked"), "needs", json!([{"status_list": LIST}])),
    );
    cases
        .add(
            "good-stapled",
            "The issuer's list was handed over with it, signed an hour ago.",
            badge(entry("revocation")),
            and(good(), "needs", json!([])),
        )
        .stapled(list("revocation", &[], AN_HOUR_AGO));
    cases
        .add(
            "good-fetched",
            "The list was signed a month ago, and fetched an hour ago.",
            badge(entry("revocation")),
            and(good(), "needs", json!([])),
        )
        .fetched(list("revocation", &[], A_MONTH_AGO), LIST, AN_HOUR_AGO);
    cases
        .add("good-others-revoked", "Its neighbours are revoked.", badge(entry("revocation")), good())
        .stapled(list("revocation", &[INDEX - 1, INDEX + 1], AN_HOUR_AGO));
    let number = entry("revocation").edited(|e| e["statusListIndex"] = json!(INDEX));
    cases
        .add("good-index-number", "The index as a number rather than a text.", badge(number), good())
        .stapled(list("revocation", &[], AN_HOUR_AGO));
}

fn withdrawn(cases: &mut Cases) {
    for (purpose, code) in [("revocation", "revoked"), ("suspension", "suspended")] {
        cases.add(code, "The list says so.", badge(entry(purpose)), fails(code)).stapled(list(
            purpose,
            &[INDEX],
            AN_HOUR_AGO,
        ));
        cases
            .add(
                &format!("{code}-long-ago"),
                "An old list says so: that it is old does not make it better.",
                badge(entry(purpose)),
                expect(false, &[("unrevoked", "FAIL", code), ("fresh", "STALE", "status-stale")]),
            )
            .stapled(list(purpose, &[INDEX], A_MONTH_AGO));
    }
    cases
        .add("message", "A purpose that takes nothing from the credential.", badge(entry("message")), good())
        .stapled(list("message", &[INDEX], AN_HOUR_AGO));
    cases
        .add(
            "two-purposes",
            "A list for two purposes of which the entry has one.",
            badge(entry("revocation")),
            fails("revoked"),
        )
        .stapled(list_with(&[INDEX], AN_HOUR_AGO, |d| {
            d["credentialSubject"]["statusPurpose"] = json!(["suspension", "revocation"]);
        }));
}

fn ages(cases: &mut Cases) {
    let badge = || badge(entry("revocation"));
    let oldest = at(NOW).minus_ms(STATUS_AGE_DEFAULT_MS);
    let signed_at = |instant: Timestamp| list("revocation", &[], &instant.to_string());
    let needs = json!([{"status_list": LIST}]);
    cases
        .add("oldest", "As old as is accepted.", badge(), and(good(), "needs", json!([])))
        .stapled(signed_at(oldest));
    cases
        .add("stale", "A second older.", badge(), and(stale("status-stale"), "needs", needs.clone()))
        .stapled(signed_at(oldest.minus_ms(1000)));
    cases
        .add("stale-accepted", "A month old, and the verifier accepts two.", badge(), good())
        .stapled(list("revocation", &[], A_MONTH_AGO))
        .accepting_age(60 * 24 * 3600 * 1000);
    cases
        .add(
            "stale-unaccepted",
            "An hour old, and the verifier accepts half of one.",
            badge(),
            stale("status-stale"),
        )
        .stapled(list("revocation", &[], AN_HOUR_AGO))
        .accepting_age(1800 * 1000);
    cases.add("stale-fetched", "Fetched a month ago, signed then.", badge(), stale("status-stale")).fetched(
        list("revocation", &[], A_MONTH_AGO),
        LIST,
        A_MONTH_AGO,
    );
    let short_lived = list_with(&[], AN_HOUR_AGO, |d| d["credentialSubject"]["ttl"] = json!(1000));
    cases
        .add(
            "short-lived",
            "Older than its issuer lets it be kept, not than the verifier accepts: it is fresh, and worth fetching.",
            badge(),
            and(good(), "needs", needs),
        )
        .stapled(short_lived);
    let until = |until: &'static str| {
        list_with(&[], AN_HOUR_AGO, move |d| drop(d.insert("validUntil".into(), json!(until))))
    };
    cases
        .add("list-expired", "At validUntil the list has ended.", badge(), stale("status-list-expired"))
        .stapled(until(NOW));
    cases
        .add("list-last-instant", "The list ends in a second.", badge(), good())
        .stapled(until("2026-06-01T12:00:01Z"));
    cases
        .add(
            "list-proof-expired",
            "The proof on the list has ended, and the list with it.",
            badge(),
            stale("status-list-expired"),
        )
        .stapled(Value::Object(expiring(unsigned_list("revocation", &[]), NOW)));
    let newest = at(NOW).plus_ms(CLOCK_SKEW_MAX_MS);
    cases
        .add("list-clock-ahead", "As far in the future as clocks may differ.", badge(), good())
        .stapled(signed_at(newest));
    cases
        .add("list-in-future", "A second further.", badge(), unclear("status-list-not-yet-valid"))
        .stapled(signed_at(newest.plus_ms(1000)));
    let later = list_with(&[], AN_HOUR_AGO, |d| d["validFrom"] = json!("2026-06-02T00:00:00Z"));
    cases
        .add(
            "list-not-yet-valid",
            "The list holds from tomorrow on.",
            badge(),
            unclear("status-list-not-yet-valid"),
        )
        .stapled(later);
}

fn newer_and_older(cases: &mut Cases) {
    let badge = || badge(entry("revocation"));
    let (fine, revoked) = (|at| list("revocation", &[], at), |at| list("revocation", &[INDEX], at));
    cases
        .add("newer-says-revoked", "Of two lists the newer counts.", badge(), fails("revoked"))
        .stapled(revoked(AN_HOUR_AGO))
        .stapled(fine(A_MONTH_AGO));
    cases
        .add("newer-says-reinstated", "The same the other way round.", badge(), good())
        .stapled(revoked(A_MONTH_AGO))
        .stapled(fine(AN_HOUR_AGO));
    cases
        .add(
            "stapled-later-than-fetched",
            "One was fetched, and one handed over that is newer.",
            badge(),
            fails("revoked"),
        )
        .fetched(fine(A_MONTH_AGO), LIST, "2026-06-01T10:00:00Z")
        .stapled(revoked(AN_HOUR_AGO));
    cases
        .add(
            "fetched-later-than-stapled",
            "One was handed over, and one fetched since.",
            badge(),
            fails("revoked"),
        )
        .fetched(revoked(A_MONTH_AGO), LIST, "2026-06-01T11:30:00Z")
        .stapled(fine(AN_HOUR_AGO));
    let countersigned = signed_by_at(&holder(), fine(A_MONTH_AGO).as_object().unwrap().clone(), AN_HOUR_AGO);
    cases
        .add(
            "countersigned",
            "An old list to which the holder added a new proof: it is as old as the issuer's.",
            badge(),
            stale("status-stale"),
        )
        .stapled(Value::Object(countersigned));
}

fn of_whom(cases: &mut Cases) {
    let badge = || badge(entry("revocation"));
    let of_stranger = || {
        let document = unsigned_list("revocation", &[]).edited(|d| d["issuer"] = json!(stranger().did()));
        Value::Object(signed_by_at(&stranger(), document, AN_HOUR_AGO))
    };
    cases
        .add(
            "stapled-of-another",
            "A list handed over that is another's: anybody can sign a list for any URL.",
            badge(),
            unclear("status-not-checked"),
        )
        .stapled(of_stranger());
    cases
        .add(
            "fetched-of-another",
            "A list that is another's, fetched from the URL that the issuer named.",
            badge(),
            good(),
        )
        .fetched(of_stranger(), LIST, AN_HOUR_AGO);
    cases
        .add(
            "stapled-for-another-url",
            "The issuer's list of another URL.",
            badge(),
            unclear("status-not-checked"),
        )
        .stapled(list_with(&[], AN_HOUR_AGO, |d| d["id"] = json!(OTHER_LIST)));
    cases.add("fetched-unnamed", "A list without a name, from the URL.", badge(), good()).fetched(
        list_with(&[], AN_HOUR_AGO, |d| drop(d.remove("id"))),
        LIST,
        AN_HOUR_AGO,
    );
}

fn not_checked(cases: &mut Cases) {
    cases
        .add(
            "wrong-purpose",
            "The list is for another purpose than the entry.",
            badge(entry("revocation")),
            unclear("status-purpose-mismatch"),
        )
        .stapled(list("suspension", &[], AN_HOUR_AGO));
    let indexed = |index: Value| badge(entry("revocation").edited(|e| e["statusListIndex"] = index));
    cases
        .add(
            "out-of-range",
            "One place behind the last of the list.",
            indexed(json!(STATUS_ENTRIES_MIN.to_string())),
            unclear("status-out-of-range"),
        )
        .stapled(list("revocation", &[], AN_HOUR_AGO));
    cases
        .add(
            "last-place",
            "The last place of the list.",
            indexed(json!((STATUS_ENTRIES_MIN - 1).to_string())),
            good(),
        )
        .stapled(list("revocation", &[], AN_HOUR_AGO));
    for (name, description, change) in [
        ("malformed-index", "An index that is no number.", json!({"statusListIndex": "first"})),
        ("malformed-index-negative", "A negative index.", json!({"statusListIndex": "-1"})),
        ("malformed-purpose", "No purpose.", json!({"statusPurpose": null})),
        ("malformed-list", "No list.", json!({"statusListCredential": null})),
        ("malformed-size", "Entries of more bits than eight.", json!({"statusSize": 9})),
    ] {
        let mut changed = entry("revocation");
        changed.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        cases.add(name, description, badge(changed), unclear("status-malformed"));
    }
    let other = json!({"id": "https://academy.example/revocations", "type": "1EdTechRevocationList"});
    cases.add(
        "unsupported",
        "A status of a type that is not read.",
        badge(other),
        and(unclear("status-type-unsupported"), "needs", json!([])),
    );
}

fn refused(cases: &mut Cases) {
    let mut add = |name: &str, description: &str, code: &str, text: Value| {
        cases
            .add(name, description, badge(entry("revocation")), unclear("status-not-checked"))
            .stapled(text)
            .refused(code);
    };
    add(
        "list-tampered",
        "The list was changed after signing.",
        "status-list-unverified",
        list("revocation", &[INDEX], AN_HOUR_AGO)
            .edited(|d| d["credentialSubject"]["encodedList"] = json!(bits(1, &[]).encode())),
    );
    add(
        "list-unsigned",
        "The list is not signed.",
        "status-list-unverified",
        Value::Object(unsigned_list("revocation", &[])),
    );
    add(
        "list-not-the-issuers",
        "The list was signed by another than it names.",
        "status-list-unverified",
        Value::Object(signed_by(&stranger(), unsigned_list("revocation", &[]))),
    );
    add(
        "list-too-short",
        "A list that could tell by its length whom it is about.",
        "status-list-too-short",
        // A GZIP member of eight zero bytes.
        list_with(&[], AN_HOUR_AGO, |d| {
            d["credentialSubject"]["encodedList"] = json!("uH4sIAAAAAAAC_2NggAAAad8iZQgAAAA");
        }),
    );
    add(
        "list-malformed",
        "A list without bits.",
        "status-list-malformed",
        list_with(&[], AN_HOUR_AGO, |d| {
            drop(d["credentialSubject"].as_object_mut().unwrap().remove("encodedList"));
        }),
    );
    add(
        "list-damaged",
        "Bits that are no GZIP.",
        "status-list-gzip",
        list_with(&[], AN_HOUR_AGO, |d| d["credentialSubject"]["encodedList"] = json!("uAAAA")),
    );
    add("list-of-another-type", "A credential that is no list.", "status-list-malformed", with(|_| {}));
    add("list-no-credential", "No credential at all.", "not-an-object", json!([]));
    add(
        "list-unnamed",
        "A list that was handed over and bears no name.",
        "status-list-malformed",
        list_with(&[], AN_HOUR_AGO, |d| drop(d.remove("id"))),
    );
    cases
        .add(
            "list-wrong-url",
            "What is at the URL says that it is another's list.",
            badge(entry("revocation")),
            unclear("status-not-checked"),
        )
        .fetched(list_with(&[], AN_HOUR_AGO, |d| d["id"] = json!(OTHER_LIST)), LIST, AN_HOUR_AGO)
        .refused("status-list-wrong-url");
}

/// Entries of two bits.
fn wide(cases: &mut Cases) {
    let badge = || badge(entry("revocation").edited(|e| e["statusSize"] = json!(2)));
    let of = |set: &[(u64, u8)], entries: u64, size: u8| {
        let mut bits = Bitstring::new(entries, size).unwrap();
        set.iter().for_each(|(index, value)| bits.set(*index, *value).unwrap());
        list_with(&[], AN_HOUR_AGO, |d| d["credentialSubject"]["encodedList"] = json!(bits.encode()))
    };
    cases.add("wide-good", "Entries of two bits, between two that are set.", badge(), good()).stapled(of(
        &[(INDEX - 1, 3), (INDEX + 1, 3)],
        STATUS_ENTRIES_MIN,
        2,
    ));
    for value in [1, 2, 3] {
        cases
            .add(
                &format!("wide-revoked-{value}"),
                "Entries of two bits, of which one is set or both are.",
                badge(),
                fails("revoked"),
            )
            .stapled(of(&[(INDEX, value)], STATUS_ENTRIES_MIN, 2));
    }
    cases
        .add(
            "wide-too-short",
            "A list long enough for entries of one bit, and not for these.",
            badge(),
            unclear("status-list-too-short"),
        )
        .stapled(of(&[], STATUS_ENTRIES_MIN, 1));
}

fn several(cases: &mut Cases) {
    let both = || {
        let other = entry("suspension").edited(|e| e["statusListCredential"] = json!(OTHER_LIST));
        badge(json!([entry("revocation"), other]))
    };
    let suspensions = |set: &[u64], at| {
        list_with(set, at, |d| {
            d["id"] = json!(OTHER_LIST);
            d["credentialSubject"]["statusPurpose"] = json!("suspension");
        })
    };
    let revocations = |set: &[u64], at| list("revocation", set, at);
    cases
        .add("several", "Two statuses, neither of which says anything.", both(), good())
        .stapled(revocations(&[], AN_HOUR_AGO))
        .stapled(suspensions(&[], AN_HOUR_AGO));
    cases
        .add("several-one-suspended", "The second says that it is suspended.", both(), fails("suspended"))
        .stapled(revocations(&[], AN_HOUR_AGO))
        .stapled(suspensions(&[INDEX], AN_HOUR_AGO));
    cases
        .add("several-one-stale", "The second's list is old.", both(), stale("status-stale"))
        .stapled(revocations(&[], AN_HOUR_AGO))
        .stapled(suspensions(&[], A_MONTH_AGO));
    cases
        .add(
            "several-one-unknown",
            "The first's list is not known.",
            both(),
            and(unclear("status-not-checked"), "needs", json!([{"status_list": LIST}])),
        )
        .stapled(suspensions(&[], AN_HOUR_AGO));
    cases
        .add(
            "several-unknown-and-suspended",
            "The first's list is not known; the second says that it is suspended.",
            both(),
            expect(
                false,
                &[("unrevoked", "FAIL", "suspended"), ("fresh", "NOT_CHECKED", "status-not-checked")],
            ),
        )
        .stapled(suspensions(&[INDEX], AN_HOUR_AGO));
    cases
        .add(
            "several-too-many",
            "More statuses than are read.",
            badge(json!(vec![entry("revocation"); STATUS_ENTRIES_MAX + 1])),
            unclear("status-too-many"),
        )
        .stapled(revocations(&[], AN_HOUR_AGO));
}

/// Credentials and lists in other forms.
fn forms(cases: &mut Cases) {
    let entry = StatusEntry { purpose: Purpose::Revocation, index: INDEX, list: LIST.into(), size: 1 };
    let in_form = |format, status| {
        let issuance = Issuance { status, ..issuance() };
        issuance.sign(&Signer::from(&issuer()), format, at(ISSUED)).unwrap().text().to_owned()
    };
    for format in Format::ALL {
        cases
            .add(
                &format!("form-{format}"),
                "A credential in this form, and its status.",
                in_form(format, vec![entry.clone()]),
                fails("revoked"),
            )
            .stapled(list("revocation", &[INDEX], AN_HOUR_AGO));
    }
    let signer = Signer::from(&issuer());
    let token = |change: &dyn Fn(&mut Value)| {
        let header = json!({"alg": "EdDSA", "typ": "vc+jwt", "kid": signer.method()});
        let claims = Value::Object(unsigned_list("revocation", &[INDEX])).edited(change);
        super::fixtures::token(&header, &claims, &issuer().into())
    };
    cases
        .add(
            "list-token",
            "The list as a vc+jwt, signed at `iat`.",
            badge(entry.to_value()),
            fails("revoked"),
        )
        .stapled(token(&|c| c["iat"] = json!(at(AN_HOUR_AGO).unix_ms() / 1000)));
    cases
        .add(
            "list-token-undated",
            "The list as a vc+jwt that does not say when it was signed: it is as old as it holds.",
            badge(entry.to_value()),
            expect(false, &[("unrevoked", "FAIL", "revoked"), ("fresh", "STALE", "status-stale")]),
        )
        .stapled(token(&|_| {}));
    let web = signer_on_the_web(&issuer());
    let by_web = |mut document: Map<String, Value>| {
        document["issuer"] = json!(web.controller());
        let options = ProofOptions::new(Binding::ASSERTION, at(AN_HOUR_AGO));
        Value::Object(data_integrity::sign(document, &EDDSA_JCS_2022, &web, &options).unwrap())
    };
    let badge_by_web = || {
        let document =
            Issuance { issuer: web.controller().clone(), status: vec![entry.clone()], ..issuance() };
        by_web(document.document().edited(|d| {
            d["issuer"] = json!(web.controller());
        }))
    };
    cases
        .add("list-did-web", "Credential and list are by a did:web that is known.", badge_by_web(), good())
        .knowing_document(did_document(&issuer().into()), AN_HOUR_AGO)
        .stapled(by_web(unsigned_list("revocation", &[])));
    let ending =
        did_document(&issuer().into()).edited(|d| d["verificationMethod"][0]["expires"] = json!(NOW));
    cases
        .add(
            "list-key-ended",
            "The key of credential and list has ended since its document was fetched.",
            badge_by_web(),
            expect(
                false,
                &[
                    ("unexpired", "FAIL", "proof-expired"),
                    ("unrevoked", "STALE", "status-list-expired"),
                    ("fresh", "STALE", "status-list-expired"),
                ],
            ),
        )
        .knowing_document(ending, AN_HOUR_AGO)
        .stapled(by_web(unsigned_list("revocation", &[])));
}

fn good() -> Value {
    expect(true, &[("unrevoked", "PASS", ""), ("fresh", "PASS", "")])
}

fn fails(code: &'static str) -> Value {
    expect(false, &[("unrevoked", "FAIL", code), ("fresh", "PASS", "")])
}

fn stale(code: &'static str) -> Value {
    expect(false, &[("unrevoked", "STALE", code), ("fresh", "STALE", code)])
}

fn unclear(code: &'static str) -> Value {
    expect(false, &[("unrevoked", "NOT_CHECKED", code), ("fresh", "NOT_CHECKED", code)])
}

fn badge(status: Value) -> Value {
    with(|d| drop(d.insert("credentialStatus".into(), status)))
}

fn entry(purpose: &str) -> Value {
    json!({
        "id": format!("{LIST}#{INDEX}"),
        "type": "BitstringStatusListEntry",
        "statusPurpose": purpose,
        "statusListIndex": INDEX.to_string(),
        "statusListCredential": LIST,
    })
}

fn bits(size: u8, set: &[u64]) -> Bitstring {
    let mut bits = Bitstring::new(0, size).unwrap();
    set.iter().for_each(|index| bits.set(*index, 1).unwrap());
    bits
}

/// The issuer's list for `purpose` in which `set` are set.
fn unsigned_list(purpose: &str, set: &[u64]) -> Map<String, Value> {
    let document = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": LIST,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": issuer().did(),
        "validFrom": ISSUED,
        "credentialSubject": {
            "id": format!("{LIST}#list"),
            "type": "BitstringStatusList",
            "statusPurpose": purpose,
            "encodedList": bits(1, set).encode(),
        },
    });
    document.as_object().unwrap().clone()
}

/// The same, signed then.
fn list(purpose: &str, set: &[u64], at: &str) -> Value {
    Value::Object(signed_by_at(&issuer(), unsigned_list(purpose, set), at))
}

/// A list for revocation, with `change` made before signing.
fn list_with(set: &[u64], at: &str, change: impl FnOnce(&mut Map<String, Value>)) -> Value {
    Value::Object(signed_by_at(&issuer(), unsigned_list("revocation", set).edited(change), at))
}

fn signed_by_at(key: &SecretKey, document: Map<String, Value>, created: &str) -> Map<String, Value> {
    let options = ProofOptions::new(Binding::ASSERTION, at(created));
    data_integrity::sign(document, &EDDSA_JCS_2022, &key.into(), &options).unwrap()
}

/// The document with a proof by the issuer that ends then.
fn expiring(document: Map<String, Value>, end: &str) -> Map<String, Value> {
    let options =
        ProofOptions { expires: Some(at(end)), ..ProofOptions::new(Binding::ASSERTION, at(AN_HOUR_AGO)) };
    data_integrity::sign(document, &EDDSA_JCS_2022, &(&issuer()).into(), &options).unwrap()
}
