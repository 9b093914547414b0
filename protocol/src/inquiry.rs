//! The inquiry: a seeker's signed request for a presentation, and the disclosure that answers it.
//!
//! The presentation inside a disclosure is bound to one inquiry: its challenge is the inquiry's hash, its domain the
//! seeker's DID. The link, signed by the view's key, says that the presentation's holder stands behind the view, and
//! repeats seeker, purpose and nonce, so that a replayed answer is refused by name.
//!
//! Specification: `spec/inquiry.md`.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::{
    credential::{
        Check, CheckName, Checks, Credential, Format, Known, Need, Shown, Verifier, data_integrity::Binding,
        presentation,
    },
    id::Id,
    key::{Did, PublicKey, SecretKey},
    limits::{
        CLAIMS_MAX, CLOCK_SKEW_MAX_MS, CONTACT_BYTES_MAX, INQUIRY_AGE_MAX_MS, INQUIRY_BYTES_MAX, NEEDS_MAX,
        PURPOSE_BYTES_MAX, RETENTION_DAYS_MAX,
    },
    signed::{Signed, Statement},
    skill::{Level, SkillId},
    summary::{Opening, Summary},
    time::Timestamp,
    wire,
};

/// A number used once, so that no two inquiries are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Nonce(#[serde(with = "wire::fixed_bytes")] pub [u8; 32]);

/// What a seeker states about the use of a presentation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Undertaking {
    /// For what the presentation is asked, in the seeker's words.
    pub purpose: String,
    /// For how many days it is kept.
    pub retention_days: u32,
    /// Where the holder exercises data-subject rights (an address or URL; may be empty).
    pub contact: String,
}

impl Undertaking {
    /// Whether an inquiry may carry it.
    ///
    /// # Errors
    /// When a text or the retention is out of bounds.
    pub fn check(&self) -> Result<(), InquiryError> {
        let Undertaking { purpose, retention_days, contact } = self;
        let clean = |s: &str| !s.chars().any(char::is_control);
        let sized = (1..=PURPOSE_BYTES_MAX).contains(&purpose.len()) && contact.len() <= CONTACT_BYTES_MAX;
        if !sized || !clean(purpose) || !clean(contact) {
            return Err(InquiryError::Text);
        }
        if *retention_days > RETENTION_DAYS_MAX { Err(InquiryError::Retention) } else { Ok(()) }
    }
}

/// A seeker's request for a presentation, signed by the seeker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "InquiryDraft", deny_unknown_fields)]
pub struct Inquiry {
    seeker: PublicKey,
    view: PublicKey,
    summary: Id,
    skills: Vec<SkillId>,
    undertaking: Undertaking,
    nonce: Nonce,
    issued: Timestamp,
    reply_by: Timestamp,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InquiryDraft {
    seeker: PublicKey,
    view: PublicKey,
    summary: Id,
    skills: Vec<SkillId>,
    undertaking: Undertaking,
    nonce: Nonce,
    issued: Timestamp,
    reply_by: Timestamp,
}

/// Why an inquiry is not legal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InquiryError {
    /// Purpose or contact empty where it must not be, too long, or with control characters.
    #[error(
        "the purpose must be 1 to {PURPOSE_BYTES_MAX} bytes, the contact at most {CONTACT_BYTES_MAX}, without control characters"
    )]
    Text,
    /// Kept too long.
    #[error("a presentation is kept for at most {RETENTION_DAYS_MAX} days")]
    Retention,
    /// No skill, or more than a summary has.
    #[error("an inquiry names 1 to {CLAIMS_MAX} skills")]
    Skills,
    /// The time to reply is negative or too long.
    #[error("an inquiry is answered within {} minutes", INQUIRY_AGE_MAX_MS / 60_000)]
    Deadline,
}

impl TryFrom<InquiryDraft> for Inquiry {
    type Error = InquiryError;

    fn try_from(d: InquiryDraft) -> Result<Self, InquiryError> {
        d.undertaking.check()?;
        if d.skills.is_empty() || d.skills.len() > CLAIMS_MAX {
            return Err(InquiryError::Skills);
        }
        if d.reply_by <= d.issued || d.reply_by.since_ms(d.issued) > INQUIRY_AGE_MAX_MS {
            return Err(InquiryError::Deadline);
        }
        let InquiryDraft { seeker, view, summary, skills, undertaking, nonce, issued, reply_by } = d;
        Ok(Inquiry { seeker, view, summary, skills, undertaking, nonce, issued, reply_by })
    }
}

impl Statement for Inquiry {
    const DOMAIN: &'static str = "inquiry";
    const BYTES_MAX: usize = INQUIRY_BYTES_MAX;

    fn signer(&self) -> PublicKey {
        self.seeker
    }
}

impl Inquiry {
    /// Asks the holder of `summary` to prove `skills`.
    ///
    /// # Errors
    /// When a part is out of bounds.
    pub fn new(
        seeker: PublicKey,
        summary: &Signed<Summary>,
        skills: Vec<SkillId>,
        undertaking: Undertaking,
        nonce: Nonce,
        issued: Timestamp,
        reply_by: Timestamp,
    ) -> Result<Self, InquiryError> {
        let (view, summary) = (summary.body().view(), summary.id());
        InquiryDraft { seeker, view, summary, skills, undertaking, nonce, issued, reply_by }.try_into()
    }

    /// Who asks.
    pub fn seeker(&self) -> PublicKey {
        self.seeker
    }

    /// Whom.
    pub fn view(&self) -> PublicKey {
        self.view
    }

    /// Which summary the seeker saw.
    pub fn summary(&self) -> Id {
        self.summary
    }

    /// Which skills are to be proven: the holder shows no credential that backs none of them.
    pub fn skills(&self) -> &[SkillId] {
        &self.skills
    }

    /// What the seeker undertakes.
    pub fn undertaking(&self) -> &Undertaking {
        &self.undertaking
    }

    /// Whether it may be answered at `now`.
    pub fn is_current(&self, now: Timestamp) -> bool {
        self.issued <= now.plus_ms(CLOCK_SKEW_MAX_MS) && now < self.reply_by.plus_ms(CLOCK_SKEW_MAX_MS)
    }
}

/// The challenge that a presentation answers: base64url of blake3 of the canonical inquiry.
pub fn challenge(inquiry: Id) -> String {
    URL_SAFE_NO_PAD.encode(inquiry.0)
}

/// The view's statement that `subject` stands behind it, made for one inquiry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// The view, which signs.
    pub view: PublicKey,
    /// The holder's DID: subject of the credentials.
    pub subject: Did,
    /// The inquiry answered.
    pub inquiry: Id,
    /// The summary that the seeker saw.
    pub summary: Id,
    /// For whom.
    pub seeker: PublicKey,
    /// For what, as the inquiry said.
    pub purpose: String,
    /// The inquiry's nonce.
    pub nonce: Nonce,
}

impl Statement for Link {
    const DOMAIN: &'static str = "link";
    const BYTES_MAX: usize = 2048;

    fn signer(&self) -> PublicKey {
        self.view
    }
}

/// A holder's answer: a W3C presentation, the link from view to holder, and the openings of the commitments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disclosure {
    /// The verifiable presentation, JSON as signed.
    pub presentation: String,
    /// Signed by the view.
    pub link: Signed<Link>,
    /// One for each claim that is proven.
    pub openings: Vec<Opening>,
    /// Signed status lists of the credentials shown, at most [`crate::limits::STAPLED_LISTS_MAX`] that are read, so that the seeker need
    /// not ask their issuers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub status_lists: Vec<String>,
}

impl Disclosure {
    /// Answers `inquiry` with `credentials`, which are those that `openings` name. Nothing is stapled yet.
    ///
    /// # Errors
    /// When the credentials are too many or too large for one presentation.
    pub fn answer(
        inquiry: &Signed<Inquiry>,
        root: &SecretKey,
        view: &SecretKey,
        credentials: &[&Credential],
        openings: Vec<Opening>,
        now: Timestamp,
    ) -> Result<Self, presentation::PresentationError> {
        let asked = inquiry.body();
        let (challenge, domain) = (challenge(inquiry.id()), asked.seeker.did());
        let expected = Binding::presentation(&challenge, domain.as_str());
        let presentation = presentation::sign(&root.into(), credentials, &expected, Format::Jcs, now)?;
        let link = Link {
            view: view.public(),
            subject: root.did(),
            inquiry: inquiry.id(),
            summary: asked.summary,
            seeker: asked.seeker,
            purpose: asked.undertaking.purpose.clone(),
            nonce: asked.nonce,
        };
        Ok(Disclosure { presentation, link: Signed::sign(link, view), openings, status_lists: Vec::new() })
    }

    /// Checks that this answers `inquiry` about `summary`, and what it proves.
    ///
    /// # Errors
    /// Names the first binding that does not hold. Failed checks of single credentials are no errors: they are in the
    /// result, and prove nothing.
    pub fn verify(
        &self,
        inquiry: &Signed<Inquiry>,
        summary: &Summary,
        verifier: &Verifier<'_>,
    ) -> Result<Proven, DisclosureError> {
        let (asked, link) = (inquiry.body(), self.link.body());
        if link.seeker != asked.seeker {
            return Err(DisclosureError::WrongSeeker);
        }
        if link.purpose != asked.undertaking.purpose {
            return Err(DisclosureError::WrongPurpose);
        }
        if link.nonce != asked.nonce {
            return Err(DisclosureError::WrongNonce);
        }
        if link.inquiry != inquiry.id() || link.summary != asked.summary {
            return Err(DisclosureError::WrongInquiry);
        }
        if link.view != asked.view || link.view != summary.view() {
            return Err(DisclosureError::WrongView);
        }
        let (challenge, domain) = (challenge(inquiry.id()), asked.seeker.did());
        let expected = Binding::presentation(&challenge, domain.as_str());
        let known = self.known(verifier);
        let verifier = &verifier.knowing(&known);
        let shown = presentation::verify(&self.presentation, &expected, verifier)?;
        if *shown.holder() != link.subject {
            return Err(DisclosureError::WrongHolder);
        }
        Ok(prove(summary, &self.openings, shown))
    }
}

impl Disclosure {
    /// What a verification of the credentials shown lacks and could be fetched, at most [`NEEDS_MAX`].
    pub fn needs(&self, verifier: &Verifier<'_>) -> Vec<Need> {
        let known = self.known(verifier);
        let verifier = verifier.knowing(&known);
        let credentials = presentation::credentials(&self.presentation).unwrap_or_default();
        let needs: BTreeSet<Need> = credentials.iter().flat_map(|c| c.needs(&verifier)).collect();
        needs.into_iter().take(NEEDS_MAX).collect()
    }

    /// What the verifier knows, and what is stapled.
    fn known(&self, verifier: &Verifier<'_>) -> Known {
        verifier.known.with_stapled(self.status_lists.iter().map(String::as_str))
    }
}

/// Why an answer was refused, by name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DisclosureError {
    /// Made for another seeker.
    #[error("the answer was made for another seeker")]
    WrongSeeker,
    /// Made for another purpose.
    #[error("the answer was made for another purpose")]
    WrongPurpose,
    /// Made for another nonce: a replay.
    #[error("the answer carries another nonce: it is a replay")]
    WrongNonce,
    /// Made for another inquiry or summary.
    #[error("the answer was made for another inquiry")]
    WrongInquiry,
    /// Signed by another view.
    #[error("the answer is of another view")]
    WrongView,
    /// The presentation's holder is not whom the view names.
    #[error("the presentation's holder is not the person behind the view")]
    WrongHolder,
    /// The presentation does not verify.
    #[error(transparent)]
    Presentation(#[from] presentation::PresentationError),
}

/// What a verified disclosure proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// The person: subject of the credentials, holder of the presentation.
    pub holder: Did,
    /// Each credential shown, with its checks.
    pub credentials: Vec<(Credential, Checks)>,
    /// Which claim is backed by which credential (an index into `credentials`).
    pub claims: Vec<ProvenClaim>,
    /// Openings that did not match, in words.
    pub mismatches: Vec<String>,
}

/// A claim whose commitment was opened with a credential that states the skill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenClaim {
    /// The claim's skill.
    pub skill: SkillId,
    /// Index of the credential.
    pub credential: usize,
    /// The level that the credential states, at most the claim's.
    pub level: Level,
}

impl Proven {
    /// The proof of a claim, when the credential behind it is verified.
    pub fn verified_claim(&self, skill: &SkillId) -> Option<Award<'_>> {
        let claim = self.claims.iter().find(|c| c.skill == *skill)?;
        let (credential, checks) = self.credentials.get(claim.credential)?;
        let issuer = credential.issuer_did()?;
        let verified = checks.verdict(Shown::Presentation).verified;
        verified.then_some(Award { credential, issuer, level: claim.level })
    }

    /// What could not be checked, or only by a status that is too old, and therefore proves nothing: in words, by credential.
    pub fn unchecked(&self) -> Vec<String> {
        let names = [CheckName::Untampered, CheckName::Unrevoked];
        let open = |(credential, checks): &(Credential, Checks)| {
            let name = credential.name().unwrap_or_else(|| "a credential without a name".to_owned());
            let open =
                names.into_iter().filter(|n| matches!(checks.get(*n), Check::NotChecked | Check::Stale));
            let reason =
                |n: CheckName| checks.reason(n).map(|reason| format!("{name}: {n}: {}", reason.text));
            open.filter_map(reason).collect::<Vec<String>>()
        };
        self.credentials.iter().flat_map(open).collect()
    }

    /// What did not hold, in words: failed checks by credential, openings that did not match.
    pub fn failures(&self) -> Vec<String> {
        let mut failures = Vec::new();
        for (credential, checks) in &self.credentials {
            if !checks.verdict(Shown::Presentation).verified {
                let name = credential.title();
                let failed = checks.reasons.iter().filter(|(check, _)| checks.get(**check) == Check::Fail);
                failures.extend(failed.map(|(check, reason)| format!("{name}: {check}: {}", reason.text)));
            }
        }
        failures.extend(self.mismatches.iter().cloned());
        failures
    }
}

/// A credential that proves a claim, and the level that it proves.
#[derive(Clone, Copy, Debug)]
pub struct Award<'a> {
    /// The verified credential.
    pub credential: &'a Credential,
    /// Whose signature it bears.
    pub issuer: &'a Did,
    /// The level.
    pub level: Level,
}

fn prove(summary: &Summary, openings: &[Opening], shown: presentation::VerifiedPresentation) -> Proven {
    let mut proven = Proven {
        holder: shown.holder().clone(),
        credentials: shown.into_credentials(),
        claims: Vec::new(),
        mismatches: Vec::new(),
    };
    for opening in openings.iter().take(CLAIMS_MAX) {
        match open(summary, opening, &proven.credentials) {
            Ok(claim) if proven.claims.iter().all(|c| c.skill != claim.skill) => proven.claims.push(claim),
            Ok(_) => proven.mismatches.push(format!("{}: opened twice", opening.skill)),
            Err(reason) => proven.mismatches.push(format!("{}: {reason}", opening.skill)),
        }
    }
    proven
}

fn open(
    summary: &Summary,
    opening: &Opening,
    credentials: &[(Credential, Checks)],
) -> Result<ProvenClaim, &'static str> {
    let claim = summary.content().claim(&opening.skill).ok_or("the summary has no such claim")?;
    let backing = claim.backing().ok_or("the claim names no credential")?;
    let at = credentials
        .iter()
        .position(|(c, _)| c.id() == opening.credential)
        .ok_or("its credential was not shown, or is not the one committed to")?;
    let (credential, _) = &credentials[at];
    if opening.salt.commit(opening.credential) != backing.commitment {
        return Err("the commitment is to another credential");
    }
    if credential.issuer_did() != Some(&backing.issuer) {
        return Err("the credential is of another issuer");
    }
    let skills = credential.skills();
    let achieved = skills
        .iter()
        .filter(|a| a.skill == opening.skill)
        .max_by_key(|a| a.level)
        .ok_or("the credential states no such skill")?;
    Ok(ProvenClaim { skill: opening.skill.clone(), credential: at, level: achieved.level.min(claim.level()) })
}
