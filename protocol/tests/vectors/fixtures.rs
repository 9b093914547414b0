//! The people, keys and statements that the cases are about.

use std::sync::LazyLock;

use knackmesh_protocol::{
    consent::{Consent, Present},
    credential::{
        Credential, Format, TrustEntry, TrustList, Verifier,
        open_badge::{AlignedSkill, Issuance},
    },
    id::NodeId,
    inquiry::{Disclosure, Inquiry, Nonce, Undertaking},
    key::SecretKey,
    signed::Signed,
    skill::{Level, SkillId},
    summary::{Content, Opening, Reach, Summary, Terms, Tombstone},
    terms::{Availability, WorkMode},
    time::Timestamp,
    vocabulary::Vocabulary,
};

use crate::cbor::Cbor;

pub const NOW: &str = "2026-11-23T17:00:00Z";
pub const DAY_MS: u64 = 24 * 3600 * 1000;
pub const RUST: &str = "urn:knackmesh:onet:43232402:rust";
pub const KUBERNETES: &str = "urn:knackmesh:onet:43232701:kubernetes";
pub const NOMAD: &str = "urn:knackmesh:skill:nomad";

pub static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(Vocabulary::embedded);

/// The keys of every case: each seed is one byte, repeated.
#[derive(Clone, Copy)]
pub enum Who {
    View = 1,
    Root = 2,
    Node = 3,
    Seeker = 4,
    Issuer = 5,
    Stranger = 6,
    SecondView = 7,
    Copy = 8,
}

impl Who {
    pub fn key(self) -> SecretKey {
        SecretKey::from_seed([self as u8; 32])
    }
}

pub fn now() -> Timestamp {
    NOW.parse().unwrap()
}

pub fn skill(uri: &str) -> SkillId {
    uri.parse().unwrap()
}

pub fn level(n: u8) -> Level {
    n.try_into().unwrap()
}

/// The peer id of an Ed25519 key.
pub fn node_id(key: &SecretKey) -> NodeId {
    NodeId::of(&key.public())
}

/// Rust at level 4, by the issuer, about the root key.
pub fn credential() -> Credential {
    credential_of(RUST, 4, Who::Issuer, Who::Root)
}

pub fn credential_of(uri: &str, at: u8, issuer: Who, subject: Who) -> Credential {
    let issuance = Issuance {
        nonce: [9; 16],
        issuer: issuer.key().did(),
        issuer_name: Some("Example Academy".into()),
        subject: subject.key().did(),
        name: "Systems programming".into(),
        description: "Wrote and defended a concurrent store.".into(),
        criteria: None,
        skills: vec![AlignedSkill { skill: skill(uri), label: "Rust".into(), framework: None }],
        level: level(at),
        valid_from: "2026-01-15T00:00:00Z".parse().unwrap(),
        valid_until: None,
        status: Vec::new(),
    };
    issuance.sign(&(&issuer.key()).into(), Format::Jcs, now()).unwrap()
}

pub fn trust() -> TrustList {
    let mut trust = TrustList::default();
    trust.add(Who::Issuer.key().did(), TrustEntry::default()).unwrap();
    trust
}

/// A proven claim, a bare one, and every term.
pub fn content() -> (Content, Vec<Opening>) {
    let terms = Terms {
        languages: vec!["de".parse().unwrap(), "en".parse().unwrap()],
        region: Some("DE-BE".parse().unwrap()),
        modes: vec![WorkMode::Remote, WorkMode::Hybrid],
        available: Some(Availability::from_now(now())),
    };
    let verified = credential().verified(&Verifier::new(now(), &TrustList::default())).unwrap();
    let bare = [(skill(KUBERNETES), level(2))];
    Content::draft(&[verified], &bare, terms, &VOCABULARY, &Who::View.key()).unwrap()
}

pub fn consent() -> Signed<Consent> {
    let view = Who::View.key();
    let consent = Consent::give(view.public(), content().0, Present::Anyone, now(), DAY_MS).unwrap();
    Signed::sign(consent, &view)
}

pub fn summary() -> Signed<Summary> {
    let reach = Reach::Direct(node_id(&Who::Node.key()));
    Signed::sign(Summary::new(&consent(), now().unix_ms(), reach, now()).unwrap(), &Who::View.key())
}

/// A summary with one bare claim.
pub fn small_summary(who: Who, sequence: u64, issued: Timestamp, lease_ms: u64) -> Signed<Summary> {
    let view = who.key();
    let bare = [(skill(RUST), level(3))];
    let (content, _) = Content::draft(&[], &bare, Terms::default(), &VOCABULARY, &view).unwrap();
    let consent = Consent::give(view.public(), content, Present::Ask, issued, lease_ms).unwrap();
    let consent = Signed::sign(consent, &view);
    let reach = Reach::Direct(node_id(&Who::Node.key()));
    Signed::sign(Summary::new(&consent, sequence, reach, issued).unwrap(), &view)
}

pub fn tombstone() -> Signed<Tombstone> {
    let summary = summary();
    let at = now().plus_ms(3_600_000);
    Signed::sign(Tombstone::new(summary.body(), summary.body().expires(), at), &Who::View.key())
}

pub fn inquiry() -> Signed<Inquiry> {
    let undertaking = Undertaking {
        purpose: "a position as a systems engineer".into(),
        retention_days: 30,
        contact: "privacy@example.org".into(),
    };
    let (seeker, skills) = (Who::Seeker.key(), vec![skill(RUST)]);
    let reply_by = now().plus_ms(5000);
    let inquiry =
        Inquiry::new(seeker.public(), &summary(), skills, undertaking, Nonce([8; 32]), now(), reply_by);
    Signed::sign(inquiry.unwrap(), &seeker)
}

pub fn disclosure() -> Disclosure {
    let (root, view) = (Who::Root.key(), Who::View.key());
    Disclosure::answer(&inquiry(), &root, &view, &[&credential()], content().1, now()).unwrap()
}

/// The envelope of any body, legal or not, signed as if it were.
pub fn signed_by(who: Who, domain: &str, body: &Cbor) -> Vec<u8> {
    envelope(who, domain, &body.write())
}

pub fn envelope(who: Who, domain: &str, body: &[u8]) -> Vec<u8> {
    let input = [b"knackmesh/1 ", domain.as_bytes(), &[0], body].concat();
    let signature = who.key().sign(&input).0.to_vec();
    Cbor::Map(vec![
        (Cbor::text("body"), Cbor::Bytes(body.to_vec())),
        (Cbor::text("signature"), Cbor::Bytes(signature)),
    ])
    .write()
}
