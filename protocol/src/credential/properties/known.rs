//! Properties of whatever a verifier may know from others.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{
    super::{
        Check, CheckName, Credential, Format, Known, Shown, Signer, TrustList, Verifier,
        bitstring::Bitstring,
        data_integrity::{self, Binding, ProofOptions, suites::EDDSA_JCS_2022},
        issuing,
        open_badge::Issuance,
        status::{Purpose, StatusEntry, StatusList},
    },
    NOW, any_json, credential, pointers,
};
use crate::{
    did::Document,
    key::{Did, SecretKey},
    time::Timestamp,
};

const URLS: [&str; 2] = ["https://a.example/status/1", "https://a.example/status/2"];
const DAY_MS: u64 = 24 * 3600 * 1000;

/// A status list as somebody makes it, and how it came here.
#[derive(Clone, Debug)]
struct Made {
    url: &'static str,
    by: u8,
    purpose: &'static str,
    set: BTreeSet<u64>,
    days_old: u64,
    fetched_days_ago: Option<u64>,
    has_ended: bool,
    is_tampered: bool,
}

impl Made {
    fn text(&self) -> String {
        let key = SecretKey::from_seed([self.by; 32]);
        let created = NOW.minus_ms(self.days_old * DAY_MS);
        let mut bits = Bitstring::new(0, 1).unwrap();
        self.set.iter().for_each(|index| bits.set(*index, 1).unwrap());
        let mut document = json!({
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "id": self.url,
            "type": ["VerifiableCredential", "BitstringStatusListCredential"],
            "issuer": key.did(),
            "validFrom": created.to_rfc3339_seconds(),
            "credentialSubject": {
                "type": "BitstringStatusList", "statusPurpose": self.purpose, "encodedList": bits.encode(),
            },
        });
        if self.has_ended {
            document["validUntil"] = json!(NOW.to_rfc3339_seconds());
        }
        let Value::Object(document) = document else { unreachable!("an object") };
        let options = ProofOptions::new(Binding::ASSERTION, created);
        let mut signed = data_integrity::sign(document, &EDDSA_JCS_2022, &(&key).into(), &options).unwrap();
        if self.is_tampered {
            signed["credentialSubject"]["encodedList"] = json!(Bitstring::new(0, 1).unwrap().encode());
            signed["credentialSubject"]["tampered"] = json!(true);
        }
        Value::Object(signed).to_string()
    }

    /// Adds the list to what is known, if it is one.
    fn add_to(&self, known: &mut Known) -> bool {
        let fetched = self.fetched_days_ago.map(|days| (self.url, NOW.minus_ms(days * DAY_MS)));
        match StatusList::verify(&self.text(), fetched, &known.documents) {
            Ok(list) => known.status_lists.insert(list).is_ok(),
            Err(_) => false,
        }
    }

    /// Whether it can be what lets `entry` pass at `now`.
    fn supports(&self, entry: &StatusEntry, now: Timestamp, age_max_ms: u64) -> bool {
        let days = self.fetched_days_ago.map_or(self.days_old, |fetched| fetched.min(self.days_old));
        !self.is_tampered
            && self.url == entry.list
            && (self.by == 1 || self.fetched_days_ago.is_some())
            && self.purpose == entry.purpose.name()
            && (!self.set.contains(&entry.index) || matches!(entry.purpose, Purpose::Other(_)))
            && !self.has_ended
            && now.since_ms(NOW.minus_ms(days * DAY_MS)) <= age_max_ms
    }
}

fn any_purpose() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["revocation", "revocation", "suspension", "message"])
}

fn any_list() -> impl Strategy<Value = Made> {
    (
        prop::sample::select(URLS.to_vec()),
        prop::sample::select(vec![1, 1, 1, 9]),
        any_purpose(),
        prop::collection::btree_set(0..3u64, 0..3),
        0..4u64,
        proptest::option::of(0..4u64),
        (any::<u8>().prop_map(|n| n < 32), any::<u8>().prop_map(|n| n < 32)),
    )
        .prop_map(|(url, by, purpose, set, days_old, fetched_days_ago, (has_ended, is_tampered))| Made {
            url,
            by,
            purpose,
            set,
            days_old,
            fetched_days_ago,
            has_ended,
            is_tampered,
        })
}

fn any_entry() -> impl Strategy<Value = StatusEntry> {
    (any_purpose(), 0..4u64, prop::sample::select(URLS.to_vec())).prop_map(|(purpose, index, list)| {
        StatusEntry { purpose: Purpose::of(purpose), index, list: list.into(), size: 1 }
    })
}

/// The badge with these statuses, which does not end.
fn badge(status: Vec<StatusEntry>) -> Credential {
    let signer = Signer::from(&SecretKey::from_seed([1; 32]));
    let issuance = Issuance { status, valid_until: None, ..super::issuance() };
    issuance.sign(&signer, Format::Jcs, NOW).unwrap()
}

/// The parts of a DID document of `did` that lists the key of the seed 1.
fn document_of(did: &str) -> Value {
    let key = SecretKey::from_seed([1; 32]).public().multibase();
    let method = format!("{did}#key-1");
    json!({
        "id": did,
        "verificationMethod": [
            {"id": method, "type": "Multikey", "controller": did, "publicKeyMultibase": key},
        ],
        "assertionMethod": [method],
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_status_passes_only_by_a_list_that_says_so(
        entries in prop::collection::vec(any_entry(), 1..3),
        lists in prop::collection::vec(any_list(), 0..5),
        days in 0..4u64,
        age_days in 0..4u64,
    ) {
        let mut known = Known::new();
        for list in &lists {
            prop_assert_eq!(list.add_to(&mut known), !list.is_tampered);
        }
        let nobody = TrustList::default();
        let mut verifier = Verifier::new(NOW.plus_ms(days * DAY_MS), &nobody).knowing(&known);
        verifier.status_age_max_ms = age_days * DAY_MS;
        let badge = badge(entries.clone());
        let checks = badge.verify(&verifier);
        prop_assert_eq!(checks.untampered, Check::Pass);
        let supported = |entry: &StatusEntry| {
            lists.iter().any(|list| list.supports(entry, verifier.now, verifier.status_age_max_ms))
        };
        if checks.unrevoked == Check::Pass {
            prop_assert_eq!(checks.fresh, Check::Pass);
            prop_assert!(entries.iter().all(supported), "{:?} {:?}", entries, lists);
        }
        prop_assert!(checks.unrevoked != Check::NotApplicable && checks.fresh != Check::Fail);
        prop_assert_eq!(checks.verdict(Shown::File).verified, checks.unrevoked == Check::Pass);
        // What is revoked stays so, and what is stale does not get fresh, by time alone.
        let later = badge.verify(&Verifier { now: verifier.now.plus_ms(DAY_MS), ..verifier });
        prop_assert!(checks.unrevoked != Check::Fail || later.unrevoked == Check::Fail);
        prop_assert!(checks.fresh != Check::Stale || later.fresh != Check::Pass);
        // Nor does a list change anything that a stranger signed and somebody staples.
        let fine = Made {
            url: URLS[0], by: 9, purpose: "revocation", set: BTreeSet::new(), days_old: 0,
            fetched_days_ago: None, has_ended: false, is_tampered: false,
        };
        let mut more = known.clone();
        prop_assert!(fine.add_to(&mut more));
        prop_assert_eq!(badge.verify(&verifier.knowing(&more)), checks);
    }

    #[test]
    fn a_key_on_the_web_counts_only_where_its_document_states_it(
        at in any::<prop::sample::Index>(), part in any_json(), fetched in 0..2u64,
    ) {
        let did = "did:web:a.example";
        let mut document = document_of(did);
        let mut places = Vec::new();
        pointers(&document, "", &mut places);
        let place = at.get(&places);
        let before = document.pointer_mut(place).unwrap();
        let is_same = *before == part;
        *before = part;
        let owner: Did = did.parse().unwrap();
        let signer = Signer::of_document(owner.clone(), "key-1", SecretKey::from_seed([1; 32]).into());
        let mut unsigned = credential().document().clone();
        unsigned.remove("proof");
        issuing::name_issuer(&mut unsigned, &owner);
        let badge = issuing::sign(unsigned, Format::Jcs, &signer, NOW).unwrap();
        let mut known = Known::new();
        if let Ok(document) = Document::read(&document.to_string(), &owner) {
            known.documents.insert(document, NOW.minus_ms(fetched)).unwrap();
        }
        let nobody = TrustList::default();
        let checks = badge.verify(&Verifier::new(NOW, &nobody).knowing(&known));
        // The type could become another of the same kind of key, the controller be left out; nothing else can be spared.
        let spared = ["/verificationMethod/0/type", "/verificationMethod/0/controller"];
        prop_assert!(
            checks.untampered != Check::Pass || is_same || spared.contains(&place.as_str()),
            "{}: {}", place, document
        );
        prop_assert!(checks.untampered == Check::Pass || checks.reason(CheckName::Untampered).is_some());
    }

    #[test]
    fn arbitrary_documents_and_lists_never_panic(document in any_json(), list in any_json(), text in ".{0,80}") {
        let did: Did = "did:web:a.example".parse().unwrap();
        let mut known = Known::new();
        let mut object = document.as_object().cloned().unwrap_or_else(Map::new);
        object.insert("id".into(), json!(did));
        for text in [document.to_string(), Value::Object(object).to_string(), text] {
            if let Ok(document) = Document::read(&text, &did) {
                known.documents.insert(document, NOW).unwrap();
            }
            let _ = StatusList::verify(&text, Some((URLS[0], NOW)), &known.documents);
        }
        let signer = Signer::from(&SecretKey::from_seed([1; 32]));
        let signed = Made {
            url: URLS[0], by: 1, purpose: "revocation", set: BTreeSet::new(), days_old: 0,
            fetched_days_ago: None, has_ended: false, is_tampered: false,
        };
        let Value::Object(mut odd) = serde_json::from_str(&signed.text()).unwrap() else { unreachable!() };
        odd.remove("proof");
        odd["credentialSubject"]["encodedList"] = list.clone();
        odd["credentialSubject"]["statusPurpose"] = list;
        if let Ok(odd) = issuing::sign(odd, Format::Jcs, &signer, NOW)
            && let Ok(list) = StatusList::verify(odd.text(), None, &known.documents)
        {
            known.status_lists.insert(list).unwrap();
        }
        let nobody = TrustList::default();
        let verifier = Verifier::new(NOW, &nobody).knowing(&known);
        let entry = StatusEntry { purpose: Purpose::Revocation, index: 7, list: URLS[0].into(), size: 1 };
        for credential in [credential(), badge(vec![entry])] {
            let _ = (credential.verify(&verifier), credential.needs(&verifier));
        }
    }
}
