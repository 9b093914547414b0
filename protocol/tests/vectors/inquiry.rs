//! Inquiries, and disclosures by the name under which each is refused.

use knackmesh_protocol::{
    credential::{TrustEntry, TrustList, Verifier},
    inquiry::{Disclosure, DisclosureError, Inquiry, Link, challenge},
    limits::{
        CLAIMS_MAX, CONTACT_BYTES_MAX, INQUIRY_AGE_MAX_MS, MESSAGE_BYTES_MAX, PURPOSE_BYTES_MAX,
        RETENTION_DAYS_MAX,
    },
    published::Published,
    ranking::standing,
    signed::Signed,
    summary::{Opening, Salt, Summary},
    time::Timestamp,
    wire,
};
use serde_json::{Value, json};

use super::{Case, cbor::Cbor, fixtures::*, hex, illegal, refused, signed::refusal, unhex};

pub fn outcome(case: &Value) -> Value {
    let at: Timestamp = case["now"].as_str().unwrap().parse().unwrap();
    let inquiry = match Signed::<Inquiry>::decode(&unhex(&case["inquiry"])) {
        Ok(inquiry) => inquiry,
        Err(error) => return refusal(&error),
    };
    let Some(bytes) = case.get("disclosure") else {
        return json!({
            "id": inquiry.id().to_string(),
            "seeker": inquiry.body().seeker().did(),
            "view": inquiry.body().view().did(),
            "summary": inquiry.body().summary().to_string(),
            "skills": inquiry.body().skills(),
            "challenge": challenge(inquiry.id()),
            "domain": inquiry.body().seeker().did(),
            "current": inquiry.body().is_current(at),
        });
    };
    let summary = Signed::<Summary>::decode(&unhex(&case["summary"])).unwrap();
    let mut trust = TrustList::default();
    for did in case["trust"].as_array().unwrap() {
        trust.add(did.as_str().unwrap().parse().unwrap(), TrustEntry::default()).unwrap();
    }
    let disclosure = match wire::decode::<Disclosure>(&unhex(bytes), MESSAGE_BYTES_MAX) {
        Ok(disclosure) => disclosure,
        Err(error) => return refused(&error),
    };
    match disclosure.verify(&inquiry, summary.body(), &Verifier::new(at, &trust)) {
        Err(error) => json!({"error": code(&error)}),
        Ok(proven) => json!({
            "holder": proven.holder,
            "claims": proven.claims.iter().map(|c| json!({
                "skill": c.skill,
                "credential": c.credential,
                "level": c.level,
            })).collect::<Vec<_>>(),
            "failures": proven.failures(),
            "standing": standing(summary.body(), Some(&proven), &Published::default(), &trust),
        }),
    }
}

fn code(error: &DisclosureError) -> &'static str {
    match error {
        DisclosureError::WrongSeeker => "wrong-seeker",
        DisclosureError::WrongPurpose => "wrong-purpose",
        DisclosureError::WrongNonce => "wrong-nonce",
        DisclosureError::WrongInquiry => "wrong-inquiry",
        DisclosureError::WrongView => "wrong-view",
        DisclosureError::WrongHolder => "wrong-holder",
        DisclosureError::Presentation(error) => error.code(),
    }
}

pub fn cases() -> Vec<Case> {
    let mut cases = inquiries();
    cases.extend(disclosures());
    cases
}

fn inquiries() -> Vec<Case> {
    let body = Cbor::read(inquiry().bytes());
    let texts = |n: usize| Cbor::Array((0..n).map(|i| Cbor::Text(format!("urn:s:{i}"))).collect());
    let from = |ms: u64| Cbor::Unsigned(now().unix_ms() + ms);
    let at = |name, description: &str, instant: Timestamp| {
        let envelope = hex(inquiry().encode());
        (name, json!({"description": description, "now": instant.to_string(), "inquiry": envelope}))
    };
    let bad = |name, description: &str, edit: Cbor| {
        let envelope = hex(signed_by(Who::Seeker, "inquiry", &edit));
        (name, json!({"description": description, "now": NOW, "inquiry": envelope, "expect": illegal()}))
    };
    let reply_by = now().plus_ms(5000);
    vec![
        at("good", "The challenge is the inquiry's id in base64url, the domain the seeker's DID.", now()),
        at("good-within-skew", "Answered late by less than clocks may differ.", reply_by.plus_ms(119_999)),
        at("good-too-late", "Too late.", reply_by.plus_ms(120_000)),
        bad("purpose-empty", "no purpose", body.clone().with("undertaking.purpose", Cbor::text(""))),
        bad(
            "purpose-too-long",
            "longer than PURPOSE_BYTES_MAX",
            body.clone().with("undertaking.purpose", Cbor::Text("x".repeat(PURPOSE_BYTES_MAX + 1))),
        ),
        bad(
            "purpose-control",
            "an escape character",
            body.clone().with("undertaking.purpose", Cbor::text("a\u{1b}[2J")),
        ),
        bad(
            "contact-too-long",
            "longer than CONTACT_BYTES_MAX",
            body.clone().with("undertaking.contact", Cbor::Text("x".repeat(CONTACT_BYTES_MAX + 1))),
        ),
        bad(
            "retention-too-long",
            "kept a day longer than RETENTION_DAYS_MAX",
            body.clone()
                .with("undertaking.retention_days", Cbor::Unsigned(u64::from(RETENTION_DAYS_MAX) + 1)),
        ),
        bad("no-skill", "proof of nothing", body.clone().with("skills", texts(0))),
        bad("too-many-skills", "more than a summary has", body.clone().with("skills", texts(CLAIMS_MAX + 1))),
        bad("deadline-zero", "to be answered when it is issued", body.clone().with("reply_by", from(0))),
        bad(
            "deadline-too-late",
            "later than INQUIRY_AGE_MAX_MS after it",
            body.clone().with("reply_by", from(INQUIRY_AGE_MAX_MS + 1)),
        ),
        bad("nonce-short", "16 bytes", body.clone().with("nonce", Cbor::Bytes(vec![8; 16]))),
    ]
}

/// What a case of a disclosure consists of.
struct Answer {
    inquiry: Vec<u8>,
    summary: Vec<u8>,
    disclosure: Disclosure,
}

impl Answer {
    fn good() -> Answer {
        Answer { inquiry: inquiry().encode(), summary: summary().encode(), disclosure: disclosure() }
    }

    fn openings(edit: impl FnOnce(&mut Vec<Opening>)) -> Answer {
        let mut answer = Answer::good();
        edit(&mut answer.disclosure.openings);
        answer
    }

    /// The link with one edit, signed anew by the view that it then names.
    fn link(who: Who, edit: impl FnOnce(Link) -> Link) -> Answer {
        let mut answer = Answer::good();
        answer.disclosure.link = Signed::sign(edit(answer.disclosure.link.body().clone()), &who.key());
        answer
    }

    fn case(&self, name: &'static str, description: &str) -> Case {
        (
            name,
            json!({
                "description": description,
                "now": NOW,
                "trust": [Who::Issuer.key().did()],
                "inquiry": hex(&self.inquiry),
                "summary": hex(&self.summary),
                "disclosure": hex(wire::encode(&self.disclosure)),
            }),
        )
    }

    fn bad(&self, name: &'static str, description: &str, error: &str) -> Case {
        let (name, mut case) = self.case(name, description);
        case["expect"] = json!({"error": error});
        (name, case)
    }
}

fn disclosures() -> Vec<Case> {
    let other_nonce = {
        let edited = Cbor::read(inquiry().bytes()).with("nonce", Cbor::Bytes(vec![9; 32]));
        signed_by(Who::Seeker, "inquiry", &edited)
    };
    // A presentation that answers another inquiry in a link that answers this one.
    let replayed = {
        let other = Signed::<Inquiry>::decode(&other_nonce).unwrap();
        let (root, view) = (Who::Root.key(), Who::View.key());
        let answer = Disclosure::answer(&other, &root, &view, &[&credential()], content().1, now()).unwrap();
        let presentation = answer.presentation;
        Answer { disclosure: Disclosure { presentation, ..disclosure() }, ..Answer::good() }
    };
    let edited_inquiry = |path: &str, item: Cbor| {
        signed_by(Who::Seeker, "inquiry", &Cbor::read(inquiry().bytes()).with(path, item))
    };
    // The holder shows what it has instead of what it committed to.
    let shown_instead = |shown: knackmesh_protocol::credential::Credential| {
        let (root, view) = (Who::Root.key(), Who::View.key());
        let id = shown.id();
        let openings = vec![Opening { skill: skill(RUST), credential: id, salt: Salt::of(&view, id) }];
        let disclosure = Disclosure::answer(&inquiry(), &root, &view, &[&shown], openings, now()).unwrap();
        Answer { disclosure, ..Answer::good() }
    };
    // A summary that commits to a credential of a lower level than it states.
    let overstated = {
        let edited = Cbor::read(summary().bytes()).with("content.claims.0.level", Cbor::Unsigned(5));
        let summary = signed_by(Who::View, "summary", &edited);
        answered(summary, &credential())
    };
    let other_issuer_stated = {
        let path = "content.claims.0.backing.issuer";
        let did = Cbor::Text(Who::Stranger.key().did().to_string());
        let edited = Cbor::read(summary().bytes()).with(path, did);
        answered(signed_by(Who::View, "summary", &edited), &credential())
    };
    let stranger = Who::Stranger.key().public();
    vec![
        Answer::good().case("disclosure", "The credential behind the first claim."),
        Answer { inquiry: other_nonce, ..Answer::good() }.bad(
            "disclosure-wrong-nonce",
            "the answer to an earlier inquiry",
            "wrong-nonce",
        ),
        Answer::link(Who::View, |link| Link { seeker: stranger, ..link }).bad(
            "disclosure-wrong-seeker",
            "made for another seeker",
            "wrong-seeker",
        ),
        Answer::link(Who::View, |link| Link { purpose: "research".into(), ..link }).bad(
            "disclosure-wrong-purpose",
            "made for another purpose",
            "wrong-purpose",
        ),
        Answer {
            inquiry: edited_inquiry("reply_by", Cbor::Unsigned(now().unix_ms() + 6000)),
            ..Answer::good()
        }
        .bad("disclosure-wrong-inquiry", "the same nonce, another inquiry", "wrong-inquiry"),
        Answer::link(Who::View, |link| Link { summary: link.inquiry, ..link }).bad(
            "disclosure-wrong-summary",
            "about another summary",
            "wrong-inquiry",
        ),
        Answer::link(Who::Stranger, |link| Link { view: stranger, ..link }).bad(
            "disclosure-wrong-view",
            "signed by another view",
            "wrong-view",
        ),
        Answer::link(Who::View, |link| Link { subject: Who::Stranger.key().did(), ..link }).bad(
            "disclosure-wrong-holder",
            "the view names another person than presents",
            "wrong-holder",
        ),
        replayed.bad(
            "disclosure-replayed",
            "a presentation made for another inquiry",
            "proof-wrong-challenge",
        ),
        Answer { disclosure: Disclosure { presentation: "{}".into(), ..disclosure() }, ..Answer::good() }
            .bad("disclosure-no-presentation", "JSON that is no presentation", "malformed"),
        Answer::openings(Vec::clear).case("disclosure-unopened", "Shown and not opened: it proves no claim."),
        Answer::openings(|o| o[0].salt = Salt([0; 32]))
            .case("disclosure-wrong-salt", "Another salt than the commitment's."),
        Answer::openings(|o| o[0].skill = skill(NOMAD))
            .case("disclosure-no-such-claim", "The summary has no such claim."),
        Answer::openings(|o| o[0].skill = skill(KUBERNETES))
            .case("disclosure-bare-claim", "The claim names no credential."),
        Answer::openings(|o| o.push(o[0].clone()))
            .case("disclosure-opened-twice", "The second opening is told and counts for nothing."),
        Answer::openings(|o| o[0].credential = inquiry().id())
            .case("disclosure-not-shown", "The opening is of a credential that is not there."),
        shown_instead(credential_of(RUST, 5, Who::Stranger, Who::Root))
            .case("disclosure-other-credential", "Another credential than the one committed to."),
        answered(summary().encode(), &credential_of(KUBERNETES, 4, Who::Issuer, Who::Root))
            .case("disclosure-other-skill-committed", "Committed to, and it states another skill."),
        answered(summary().encode(), &credential_of(RUST, 4, Who::Issuer, Who::Stranger)).case(
            "disclosure-of-another",
            "The credential of another person: it is shown, and proves nothing.",
        ),
        other_issuer_stated
            .case("disclosure-issuer-misstated", "The summary names another issuer than the credential."),
        overstated.case(
            "disclosure-level-overstated",
            "The summary states a higher level: the credential's counts.",
        ),
    ]
}

/// An answer about a summary, made to commit to `shown` in its first claim.
fn answered(summary: Vec<u8>, shown: &knackmesh_protocol::credential::Credential) -> Answer {
    let (root, view) = (Who::Root.key(), Who::View.key());
    let salt = Salt::of(&view, shown.id());
    let summary = Signed::<Summary>::decode(&summary).unwrap();
    let commitment = Cbor::Bytes(salt.commit(shown.id()).0.to_vec());
    let edited = Cbor::read(summary.bytes()).with("content.claims.0.backing.commitment", commitment);
    let summary = Signed::<Summary>::decode(&signed_by(Who::View, "summary", &edited)).unwrap();
    let edited = Cbor::read(inquiry().bytes()).with("summary", Cbor::Bytes(summary.id().0.to_vec()));
    let inquiry = Signed::<Inquiry>::decode(&signed_by(Who::Seeker, "inquiry", &edited)).unwrap();
    let openings = vec![Opening { skill: skill(RUST), credential: shown.id(), salt }];
    let disclosure = Disclosure::answer(&inquiry, &root, &view, &[shown], openings, now()).unwrap();
    Answer { inquiry: inquiry.encode(), summary: summary.encode(), disclosure }
}
