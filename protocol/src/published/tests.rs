#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{
    consent::{Consent, Present},
    credential::{
        Format, TrustList,
        open_badge::{AlignedSkill, Issuance},
        status::{Purpose, StatusEntry},
    },
    id::NodeId,
    jose::{Header, Jws, sd_jwt},
    key::SecretKey,
    ranking,
    signed::Signed,
    summary::{Content, Reach, Terms},
    vocabulary::Vocabulary,
};

const NOW: Timestamp = Timestamp::from_unix_ms(1_790_000_000_000);
const DAY_MS: u64 = 24 * 3600 * 1000;

fn key(n: u8) -> SecretKey {
    SecretKey::from_seed([n; 32])
}

fn skill(uri: &str) -> SkillId {
    uri.parse().unwrap()
}

/// What a test changes of a credential and of how it is published.
#[derive(Clone)]
struct Case {
    issuer: SigningKey,
    copy: SigningKey,
    view: SecretKey,
    bound_to: PublicKey,
    stated: Vec<&'static str>,
    claimed: Vec<&'static str>,
    level: u8,
    from: Timestamp,
    until: Option<Timestamp>,
    bound_at: Timestamp,
    status: bool,
}

impl Default for Case {
    fn default() -> Self {
        Case {
            issuer: key(1).into(),
            copy: key(2).into(),
            view: key(3),
            bound_to: key(3).public(),
            stated: vec!["urn:s:a", "urn:s:b"],
            claimed: vec!["urn:s:a"],
            level: 4,
            from: NOW.minus_ms(DAY_MS),
            until: None,
            bound_at: NOW,
            status: false,
        }
    }
}

impl Case {
    fn credential(&self) -> Credential {
        let aligned =
            |uri: &&str| AlignedSkill { skill: skill(uri), label: "A skill".into(), framework: None };
        let entry = StatusEntry {
            list: "https://issuer.example/status/1".into(),
            index: 7,
            size: 1,
            purpose: Purpose::Revocation,
        };
        let issuance = Issuance {
            nonce: [9; 16],
            issuer: self.issuer.did(),
            issuer_name: Some("Example Academy".into()),
            subject: self.copy.did(),
            name: "Systems programming".into(),
            description: "Wrote and defended a concurrent store.".into(),
            criteria: None,
            skills: self.stated.iter().map(aligned).collect(),
            level: Level::try_from(self.level).unwrap(),
            valid_from: self.from,
            valid_until: self.until,
            status: if self.status { vec![entry] } else { Vec::new() },
        };
        let signer = crate::credential::Signer::of_key(self.issuer.clone());
        issuance.sign(&signer, Format::SdJwt, self.from).unwrap()
    }

    fn skills(&self) -> Vec<SkillId> {
        self.claimed.iter().map(|uri| skill(uri)).collect()
    }

    fn proof(&self) -> String {
        let (credential, skills) = (self.credential(), self.skills());
        PublishedProof::bind(&credential, &skills, &self.copy, &self.bound_to, self.bound_at).unwrap()
    }

    /// A summary that claims the skills at level 4 of issuer 1, and the proof as it is given.
    fn summary_with(&self, proof: String) -> Summary {
        let backing = Case { stated: self.claimed.clone(), ..Case::default() }.credential();
        let verified = backing.verified(&Verifier::new(NOW, &TrustList::default())).unwrap();
        let vocabulary = Vocabulary::embedded();
        let drafted = Content::draft(&[verified], &[], Terms::default(), &vocabulary, &self.view);
        let content = drafted.unwrap().0.with_proofs(vec![(proof, self.skills())]).unwrap();
        let consent = Consent::give(self.view.public(), content, Present::Ask, NOW, DAY_MS).unwrap();
        let reach = Reach::Direct(NodeId::from_bytes(vec![1]).unwrap());
        Summary::new(&Signed::sign(consent, &self.view), 1, reach, NOW).unwrap()
    }

    fn summary(&self) -> Summary {
        self.summary_with(self.proof())
    }

    /// Both ways of verifying, which must agree.
    fn verify(&self) -> Result<(), &'static str> {
        outcome(&self.summary())
    }
}

fn outcome(summary: &Summary) -> Result<(), &'static str> {
    let one = verify(summary);
    assert_eq!(verify_all(&[summary]), [one]);
    one.map_err(ProofRejection::code)
}

fn published(case: &Case, now: Timestamp) -> Published {
    Published::of(&case.summary(), &Verifier::new(now, &TrustList::default()))
}

#[test]
fn a_proof_shows_its_skills_and_no_more() {
    let case = Case::default();
    assert_eq!(case.verify(), Ok(()));
    let proof = case.proof();
    let parsed = PublishedProof::parse(&proof).unwrap();
    assert_eq!(parsed.skills().len(), 1);
    assert_eq!(parsed.issuer(), Some(&key(1).did()));
    let text = json!(parsed.credential().document()).to_string();
    for hidden in ["Systems", "concurrent", "urn:s:b", "\"sub\"", "urn:uuid"] {
        assert!(!text.contains(hidden), "{hidden} in {text}");
    }
    let p256 = SigningKey::p256([7; 32]).unwrap();
    for case in [
        Case { copy: p256.clone(), ..Case::default() },
        Case { claimed: vec!["urn:s:a", "urn:s:b"], ..Case::default() },
        Case { until: Some(NOW.plus_ms(1000)), ..Case::default() },
        Case { bound_at: NOW.minus_ms(LEASE_MAX_MS), ..Case::default() },
    ] {
        assert_eq!(case.verify(), Ok(()));
    }
}

#[test]
fn each_refusal_has_a_name() {
    let good = Case::default;
    for (case, code) in [
        (Case { bound_to: key(4).public(), ..good() }, "proof-other-view"),
        (Case { bound_at: NOW.plus_ms(CLOCK_SKEW_MAX_MS + 1000), ..good() }, "proof-binding-time"),
        (
            Case { bound_at: NOW.minus_ms(LEASE_MAX_MS + CLOCK_SKEW_MAX_MS + 1000), ..good() },
            "proof-binding-time",
        ),
        (Case { stated: vec!["urn:s:b"], ..good() }, "proof-skill"),
        (Case { level: 3, ..good() }, "proof-level"),
        (Case { issuer: key(5).into(), ..good() }, "proof-issuer"),
        (Case { until: Some(NOW), ..good() }, "proof-expired"),
        (Case { from: NOW.plus_ms(CLOCK_SKEW_MAX_MS + 1000), ..good() }, "proof-not-yet-valid"),
    ] {
        assert_eq!(case.verify(), Err(code));
    }

    let case = good();
    let credential = case.credential();
    let of = |proof: String| outcome(&case.summary_with(proof));
    assert_eq!(of(credential.text().to_owned()), Err("proof-excess"));
    let only = credential.disclosing(&case.skills()).text().to_owned();
    assert_eq!(of(only.clone()), Err("proof-unbound"));
    let both = [skill("urn:s:a"), skill("urn:s:b")];
    let bind = |credential: &Credential, skills: &[SkillId], copy: &SigningKey| {
        PublishedProof::bind(credential, skills, copy, &case.view.public(), NOW).unwrap()
    };
    assert_eq!(of(bind(&credential, &both, &case.copy)), Err("proof-excess"));
    assert_eq!(of(String::new()), Err("proof-malformed"));
    assert_eq!(of(format!(" {}", case.proof())), Err("proof-malformed"));
    assert_eq!(of("eyJ~".repeat(SUMMARY_PROOF_BYTES_MAX / 4)), Err("proof-malformed"));
    // The binding of one selection with the disclosures of another.
    let binding = bind(&credential, &both, &case.copy);
    let binding = binding.rsplit_once('~').unwrap().1;
    assert_eq!(of(format!("{only}{binding}")), Err("proof-other-disclosures"));
    // Bound by another key, which the library that binds would refuse.
    let forged = Case { copy: key(6).into(), ..good() };
    let kb = json!({
        "iat": NOW.unix_ms() / 1000, "aud": case.view.did(), "nonce": nonce(&case.view.public()),
        "sd_hash": URL_SAFE_NO_PAD.encode(<sha2::Sha256 as sha2::Digest>::digest(&only)),
    });
    let header = Header { typ: Some("kb+jwt".into()), ..Header::default() };
    let kb = Jws::sign(&header, kb.to_string().as_bytes(), &forged.copy);
    assert_eq!(of(format!("{only}{kb}")), Err("proof-holder-signature"));
    // Another's signature under the issuer's name, and another's key in it.
    let lie = |kid: Did| {
        let Securing::SdJwt(vc) = credential.securing() else { unreachable!() };
        let claims = serde_json::from_slice::<serde_json::Map<_, _>>(vc.sd_jwt().token().payload()).unwrap();
        let kid = format!("{kid}#{}", kid.as_str().trim_start_matches("did:key:"));
        let header = Header { typ: Some("dc+sd-jwt".into()), kid: Some(kid), ..Header::default() };
        let token = Jws::sign(&header, json!(claims).to_string().as_bytes(), &key(8).into());
        let text = format!("{token}~{}", only.split_once('~').unwrap().1);
        let presented = sd_jwt::SdJwt::parse(&text).unwrap().select(|_| true);
        let (audience, nonce) = (case.view.did(), nonce(&case.view.public()));
        let binding = KeyBinding { audience: audience.as_str(), nonce: &nonce, issued: NOW };
        presented.bind(&binding, &case.copy).unwrap()
    };
    assert_eq!(of(lie(key(1).did())), Err("proof-issuer-signature"));
    assert_eq!(of(lie(key(8).did())), Err("proof-issuer-key"));
}

#[test]
fn one_bad_apple_costs_only_itself() {
    let mut summaries: Vec<Summary> = (10..30)
        .map(|n| Case { view: key(n), bound_to: key(n).public(), ..Case::default() }.summary())
        .collect();
    summaries.push(Case { copy: SigningKey::p256([7; 32]).unwrap(), ..Case::default() }.summary());
    assert!(verify_all(&summaries.iter().collect::<Vec<_>>()).iter().all(Result::is_ok));
    let proof = Case::default().proof();
    let last = if proof.ends_with('A') { "Q" } else { "A" };
    let forged = format!("{}{last}", &proof[..proof.len() - 1]);
    summaries[5] = Case::default().summary_with(forged);
    summaries[9] = Case { bound_to: key(4).public(), ..Case::default() }.summary();
    let all = verify_all(&summaries.iter().collect::<Vec<_>>());
    for (n, (summary, outcome)) in summaries.iter().zip(all).enumerate() {
        assert_eq!(outcome, verify(summary), "{n}");
        assert_eq!(outcome.is_err(), n == 5 || n == 9, "{n}");
    }
}

#[test]
fn a_proof_counts_while_it_holds_and_nothing_is_open() {
    let state = |case: &Case, now| published(case, now).claims()[0].state;
    let case = Case { until: Some(NOW.plus_ms(1000)), ..Case::default() };
    assert_eq!(state(&case, NOW), ProofState::Proven);
    assert_eq!(state(&case, NOW.plus_ms(1000)), ProofState::Expired);
    assert_eq!(state(&Case { status: true, ..case.clone() }, NOW), ProofState::StatusUnknown);

    let (trust, summary) = (TrustList::default(), case.summary());
    let standing = |now| ranking::standing(&summary, None, &published(&case, now), &trust);
    let proven = &standing(NOW)[0];
    assert_eq!((proven.tier, proven.level.get()), (Tier::Issuer, 4));
    let award = proven.award.as_ref().unwrap();
    assert_eq!((&award.issuer, award.awarded), (&key(1).did(), Month::of(case.from)));
    let claimed = &standing(NOW.plus_ms(1000))[0];
    assert_eq!((claimed.tier, claimed.award.as_ref()), (Tier::Claimed, None));
    let open = published(&Case { status: true, ..case.clone() }, NOW);
    assert_eq!(ranking::standing(&summary, None, &open, &trust)[0].tier, Tier::Claimed);
    assert_eq!(open.claims()[0].state.text(), "proof published, status not checked");
    assert!(open.proven(&skill("urn:s:a")).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn any_changed_character_is_refused(at in any::<prop::sample::Index>(), by in "[A-Za-z0-9_.~-]?") {
        let case = Case::default();
        let proof = case.proof();
        let at = at.index(proof.len());
        let changed = format!("{}{by}{}", &proof[..at], &proof[at + 1..]);
        prop_assume!(changed != proof);
        prop_assert!(outcome(&case.summary_with(changed)).is_err());
    }

    #[test]
    fn another_view_cannot_publish_it(seed in any::<[u8; 32]>()) {
        let (case, thief) = (Case::default(), SecretKey::from_seed(seed));
        prop_assume!(thief.public() != case.view.public());
        let stolen = Case { view: thief, ..case.clone() }.summary_with(case.proof());
        prop_assert_eq!(outcome(&stolen), Err("proof-other-view"));
    }
}
