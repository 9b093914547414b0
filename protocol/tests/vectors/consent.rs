//! Consent records: what is legal, and when one covers an instant.

use knackmesh_protocol::{consent::Consent, limits::LEASE_MAX_MS, signed::Signed, time::Timestamp};
use serde_json::{Value, json};

use super::{Case, cbor::Cbor, fixtures::*, hex, illegal, signed::refusal, unhex};

pub fn outcome(case: &Value) -> Value {
    match Signed::<Consent>::decode(&unhex(&case["envelope"])) {
        Ok(signed) => {
            let consent = signed.body();
            let at: Timestamp = case["now"].as_str().unwrap().parse().unwrap();
            json!({
                "id": signed.id().to_string(),
                "view": consent.view().did(),
                "purpose": consent.purpose(),
                "audience": consent.audience(),
                "present": consent.present(),
                "issued": consent.issued().to_string(),
                "expires": consent.expires().to_string(),
                "claims": consent.content().claims().len(),
                "covers": consent.covers(at),
            })
        }
        Err(error) => refusal(&error),
    }
}

pub fn cases() -> Vec<Case> {
    let body = Cbor::read(consent().bytes());
    let from = |ms: u64| Cbor::Unsigned(now().unix_ms() + ms);
    let edited = |name, description: &str, edit: Cbor, expect: Value| {
        let envelope = hex(signed_by(Who::View, "consent", &edit));
        (name, json!({"description": description, "now": NOW, "envelope": envelope, "expect": expect}))
    };
    let at = |name, description: &str, instant: Timestamp| {
        let envelope = hex(consent().encode());
        (name, json!({"description": description, "now": instant.to_string(), "envelope": envelope}))
    };
    let (start, end) = (consent().body().issued(), consent().body().expires());
    vec![
        at("good", "It covers the instant at which it was given.", start),
        at("good-last-instant", "It covers the last millisecond before its end.", end.minus_ms(1)),
        at("good-ended", "It does not cover its end.", end),
        at("good-not-begun", "It does not cover what lies before it was given.", start.minus_ms(1)),
        edited("lease-zero", "it ends when it begins", body.clone().with("expires", from(0)), illegal()),
        edited(
            "lease-too-long",
            "a millisecond longer than LEASE_MAX_MS",
            body.clone().with("expires", from(LEASE_MAX_MS + 1)),
            illegal(),
        ),
        edited(
            "purpose-unknown",
            "a purpose that this version does not know",
            body.clone().with("purpose", Cbor::text("research")),
            illegal(),
        ),
        edited(
            "audience-unknown",
            "an audience that this version does not know",
            body.clone().with("audience", Cbor::text("world")),
            illegal(),
        ),
        edited(
            "present-unknown",
            "a policy that this version does not know",
            body.clone().with("present", Cbor::text("friends")),
            illegal(),
        ),
        edited("no-content", "consent to nothing", body.clone().without("", "content"), illegal()),
        edited(
            "no-claims",
            "content without a claim",
            body.clone().with("content.claims", Cbor::Array(vec![])),
            illegal(),
        ),
        edited(
            "signed-by-another",
            "the view is not who signed",
            body.with("view", Cbor::Bytes(Who::Stranger.key().public().as_bytes().to_vec())),
            json!({"error": "signature"}),
        ),
    ]
}
