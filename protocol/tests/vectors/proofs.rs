//! Summaries that carry proofs: which are illegal, and what those that are not prove.

use knackmesh_protocol::{
    consent::{Consent, Present},
    credential::{
        Credential, Format, Signer, TrustList, Verifier,
        open_badge::{AlignedSkill, Issuance},
        status::{Purpose, StatusEntry},
    },
    key::{SecretKey, SigningKey},
    limits::{CLOCK_SKEW_MAX_MS, LEASE_MAX_MS, SUMMARY_PROOF_BYTES_MAX, SUMMARY_PROOFS_MAX},
    published::{self, ProofState, Published, PublishedProof},
    signed::Signed,
    summary::{Content, Reach, Summary, Terms},
    time::Timestamp,
};
use serde_json::{Value, json};

use super::{Case, cbor::Cbor, fixtures::*, hex, illegal};

/// What the proofs of a summary come to, or the outcome that says why it is illegal for them.
pub fn outcome(summary: &Summary, at: Timestamp) -> Result<Value, Value> {
    published::verify(summary).map_err(|rejection| json!({"error": rejection.code()}))?;
    let published = Published::of(summary, &Verifier::new(at, &TrustList::default()));
    let claims = published.claims().iter().map(|claim| {
        json!({
            "skill": claim.skill,
            "level": claim.level,
            "tier": claim.tier,
            "issuer": claim.issuer,
            "awarded": claim.awarded,
            "state": match claim.state {
                ProofState::Proven => "proven",
                ProofState::StatusUnknown => "status-unknown",
                ProofState::IssuerUnknown => "issuer-unknown",
                ProofState::Expired => "expired",
                ProofState::Failed => "failed",
            },
        })
    });
    Ok(claims.collect())
}

/// What is stated of a copy.
struct Copy {
    issuer: Signer,
    holder: SigningKey,
    skills: Vec<&'static str>,
    level: u8,
    from: Timestamp,
    until: Option<Timestamp>,
    status: bool,
}

impl Default for Copy {
    fn default() -> Self {
        Copy {
            issuer: (&Who::Issuer.key()).into(),
            holder: Who::Copy.key().into(),
            skills: vec![RUST, NOMAD],
            level: 4,
            from: "2026-01-15T00:00:00Z".parse().unwrap(),
            until: None,
            status: false,
        }
    }
}

impl Copy {
    fn credential(&self) -> Credential {
        let entry = StatusEntry {
            list: "https://issuer.example/status/1".into(),
            index: 7,
            size: 1,
            purpose: Purpose::Revocation,
        };
        let aligned =
            |uri: &&str| AlignedSkill { skill: skill(uri), label: "A skill".into(), framework: None };
        let issuance = Issuance {
            nonce: [9; 16],
            issuer: self.issuer.controller().clone(),
            issuer_name: None,
            subject: self.holder.did(),
            name: "Systems programming".into(),
            description: "Wrote and defended a concurrent store.".into(),
            criteria: None,
            skills: self.skills.iter().map(aligned).collect(),
            level: level(self.level),
            valid_from: self.from,
            valid_until: self.until,
            status: if self.status { vec![entry] } else { Vec::new() },
        };
        issuance.sign(&self.issuer, Format::SdJwt, self.from).unwrap()
    }

    fn bound(&self, skills: &[&str], view: &SecretKey, at: Timestamp) -> String {
        let skills: Vec<_> = skills.iter().map(|uri| skill(uri)).collect();
        PublishedProof::bind(&self.credential(), &skills, &self.holder, &view.public(), at).unwrap()
    }

    fn proof(&self) -> String {
        self.bound(&[RUST], &Who::View.key(), now())
    }
}

/// A proof of Rust at level 4.
pub fn proof() -> String {
    Copy::default().proof()
}

/// The same with a proof that another view published.
pub fn stolen() -> Signed<Summary> {
    proving(Copy::default().bound(&[RUST], &Who::SecondView.key(), now()))
}

/// A summary that claims Rust at level 4 with this proof.
pub fn proving(proof: String) -> Signed<Summary> {
    proving_of(&Copy { skills: vec![RUST], ..Copy::default() }.credential(), proof)
}

fn proving_of(backing: &Credential, proof: String) -> Signed<Summary> {
    let view = Who::View.key();
    let verified = backing.clone().verified(&Verifier::new(now(), &TrustList::default())).unwrap();
    let (content, _) = Content::draft(&[verified], &[], Terms::default(), &VOCABULARY, &view).unwrap();
    let content = content.with_proofs(vec![(proof, vec![skill(RUST)])]).unwrap();
    let consent = Consent::give(view.public(), content, Present::Ask, now(), DAY_MS).unwrap();
    let reach = Reach::Direct(node_id(&Who::Node.key()));
    let summary = Summary::new(&Signed::sign(consent, &view), now().unix_ms(), reach, now()).unwrap();
    Signed::sign(summary, &view)
}

pub fn cases() -> Vec<Case> {
    let case = |name: &'static str, description: &str, at: Timestamp, envelope: Vec<u8>| {
        (name, json!({"description": description, "now": at.to_string(), "summary": hex(envelope)}))
    };
    let good =
        |name, description: &str, copy: Copy| case(name, description, now(), proving(copy.proof()).encode());
    let bad = |name, description: &str, code: &str, proof: String| {
        let (name, mut case) = case(name, description, now(), proving(proof).encode());
        case["expect"] = json!({"error": code});
        (name, case)
    };
    let copy = Copy::default;
    let until = |ms| Some(now().plus_ms(ms));
    let p256 = SigningKey::p256([8; 32]).unwrap();
    let ending = proving(Copy { until: until(1000), ..copy() }.proof()).encode();
    let view = Who::View.key();
    let web =
        Signer::of_document("did:web:issuer.example".parse().unwrap(), "key-1", Who::Issuer.key().into());
    let of_web = Copy { issuer: web.clone(), ..copy() };
    let unknown = {
        let body = Cbor::read(proving(of_web.proof()).bytes());
        let body = body.with("content.claims.0.backing.issuer", Cbor::text(web.controller().as_str()));
        signed_by(Who::View, "summary", &body)
    };
    let text = proof();
    let (rest, binding) = text.rsplit_once('~').unwrap();
    let other = Copy { holder: Who::Stranger.key().into(), ..copy() }.proof();
    let changed = |text: &str, at: usize| {
        let by = if &text[at..=at] == "A" { "B" } else { "A" };
        format!("{}{by}{}", &text[..at], &text[at + 1..])
    };
    let issuers_signature = text.find('~').unwrap() - 20;
    let mut cases = vec![
        good("proof-good", "One of the credential's two skills is claimed and shown.", copy()),
        good("proof-good-p256", "The holder's key is of P-256.", Copy { holder: p256, ..copy() }),
        good(
            "proof-good-status",
            "The credential names a status: nothing is proven until it is known.",
            Copy { status: true, ..copy() },
        ),
        good("proof-good-oldest", "Bound as long before the summary as may be.", copy()),
        case(
            "proof-good-expired",
            "The credential ended after the summary was issued.",
            now().plus_ms(1000),
            ending,
        ),
        case("proof-good-issuer-unknown", "A did:web, whose key admission does not fetch.", now(), unknown),
        bad(
            "proof-of-another-view",
            "A proof that another view published.",
            "proof-other-view",
            copy().bound(&[RUST], &Who::SecondView.key(), now()),
        ),
        bad(
            "proof-too-old",
            "Bound longer before the summary than a lease lasts.",
            "proof-binding-time",
            copy().bound(&[RUST], &view, now().minus_ms(LEASE_MAX_MS + CLOCK_SKEW_MAX_MS + 1000)),
        ),
        bad(
            "proof-in-future",
            "Bound after the summary.",
            "proof-binding-time",
            copy().bound(&[RUST], &view, now().plus_ms(CLOCK_SKEW_MAX_MS + 1000)),
        ),
        bad(
            "proof-shows-more",
            "It shows a skill that is not claimed with it.",
            "proof-excess",
            copy().bound(&[RUST, NOMAD], &view, now()),
        ),
        bad(
            "proof-of-another-skill",
            "The skill claimed is not in it.",
            "proof-skill",
            Copy { skills: vec![NOMAD], ..copy() }.bound(&[RUST], &view, now()),
        ),
        bad("proof-lower-level", "It states level 3.", "proof-level", Copy { level: 3, ..copy() }.proof()),
        bad(
            "proof-of-another-issuer",
            "The claim names another issuer.",
            "proof-issuer",
            Copy { issuer: (&Who::Stranger.key()).into(), ..copy() }.proof(),
        ),
        bad(
            "proof-expired",
            "It ended when the summary was issued.",
            "proof-expired",
            Copy { until: until(0), ..copy() }.proof(),
        ),
        bad(
            "proof-not-yet-valid",
            "It begins later than clocks may differ.",
            "proof-not-yet-valid",
            Copy { from: now().plus_ms(CLOCK_SKEW_MAX_MS + 1000), ..copy() }.proof(),
        ),
        bad("proof-unbound", "Without a key binding.", "proof-unbound", format!("{rest}~")),
        bad(
            "proof-binding-of-another",
            "With the key binding of another copy.",
            "proof-other-disclosures",
            format!("{rest}~{}", other.rsplit_once('~').unwrap().1),
        ),
        bad(
            "proof-token-changed",
            "A character of the issuer's signature is another: another token, which the binding is not over.",
            "proof-other-disclosures",
            changed(&text, issuers_signature),
        ),
        bad(
            "proof-holder-signature",
            "A character of the binding's signature is another.",
            "proof-holder-signature",
            changed(&text, text.len() - 20),
        ),
        bad("proof-not-a-token", "A text.", "proof-malformed", "hello".into()),
    ];
    assert!(!binding.is_empty());
    cases[3].1["summary"] =
        json!(hex(
            proving(copy().bound(&[RUST], &view, now().minus_ms(LEASE_MAX_MS + CLOCK_SKEW_MAX_MS))).encode()
        ));
    let body = Cbor::read(proving(text.clone()).bytes());
    let texts = |n: usize, text: &str| Cbor::Array((0..n).map(|_| Cbor::text(text)).collect());
    for (name, description, edit) in [
        (
            "proofs-empty",
            "an empty list in place of an absent field",
            body.clone().with("content.proofs", texts(0, "")),
        ),
        (
            "proofs-too-many",
            "more than SUMMARY_PROOFS_MAX",
            body.clone().with("content.proofs", texts(SUMMARY_PROOFS_MAX + 1, "a")),
        ),
        (
            "proof-too-long",
            "a byte longer than SUMMARY_PROOF_BYTES_MAX",
            body.clone().with("content.proofs", texts(1, &"a".repeat(SUMMARY_PROOF_BYTES_MAX + 1))),
        ),
        (
            "proof-of-no-claim",
            "a proof that no claim names",
            body.clone().without("content.claims.0", "proof"),
        ),
        (
            "proof-not-there",
            "a claim names a second proof, and there is one",
            body.clone().with("content.claims.0.proof", Cbor::Unsigned(1)),
        ),
        (
            "proof-without-backing",
            "a claim with a proof that names no issuer",
            body.clone()
                .without("content.claims.0", "backing")
                .with("content.claims.0.tier", Cbor::text("claimed")),
        ),
    ] {
        let envelope = hex(signed_by(Who::View, "summary", &edit));
        cases.push((
            name,
            json!({"description": description, "now": NOW, "summary": envelope, "expect": illegal()}),
        ));
    }
    cases
}
