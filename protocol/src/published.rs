//! Proofs that a holder publishes: SD-JWT VCs in a summary, each with what it takes to show the skills of the claims that
//! name it, and bound to the view.
//!
//! Whether a summary's proofs hold is a property of the summary alone, so that all nodes agree on it and none asks the
//! network: [`verify`], or [`verify_all`] for many, whose Ed25519 signatures are verified together. Admission lets nothing in
//! that fails. An issuer whose key must be fetched first is the exception: such a proof is kept, and proves nothing until
//! somebody has the key. What a proof proves at some instant, [`Published`] says.
//!
//! The key binding names the view and a nonce made of it, so that nobody can publish it under another view.
//!
//! Specification: `spec/summary.md`, "Proofs".

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    claim_path::ClaimPath,
    credential::{Achieved, Check, Credential, Need, Securing, Shown, Verifier},
    jose::{
        Jws,
        sd_jwt::{ExpectedBinding, KeyBinding, KeyBindingError, SdJwt},
    },
    key::{
        Algorithm, Did, PublicKey, Signature, SigningKey, VerifyingKey,
        batch::{self, Unverified},
    },
    limits::{CLOCK_SKEW_MAX_MS, LEASE_MAX_MS, NEEDS_MAX, SUMMARY_PROOF_BYTES_MAX},
    skill::{Level, SkillId, Tier},
    summary::{Claim, Month, Summary},
    time::Timestamp,
};

/// Why a summary is illegal for a proof of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofRejection {
    /// Not an SD-JWT VC within its bound, or not of an issuer that is a DID.
    #[error("a published proof is no SD-JWT VC of an issuer that is a DID")]
    Malformed,
    /// Nobody's key is named in it, or none binds it.
    #[error("a published proof is not bound to a key")]
    Unbound,
    /// It is bound to another view.
    #[error("a published proof is bound to another view")]
    OtherView,
    /// It was bound too long before the summary was issued, or after.
    #[error("a published proof was bound too long before its summary, or after it")]
    BindingTime,
    /// The binding is over other disclosures.
    #[error("a published proof is bound with other disclosures")]
    OtherDisclosures,
    /// It shows more than the claims that name it.
    #[error("a published proof shows more than the claims that name it")]
    Excess,
    /// It does not state the skill of a claim that names it.
    #[error("a published proof does not state a skill that is claimed with it")]
    Skill,
    /// It states a lower level than a claim that names it.
    #[error("a published proof states a lower level than is claimed with it")]
    Level,
    /// It is of another issuer than a claim that names it says.
    #[error("a published proof is of another issuer than is claimed")]
    Issuer,
    /// It had ended when the summary was issued.
    #[error("a published proof had expired when its summary was issued")]
    Expired,
    /// It had not begun when the summary was issued.
    #[error("a published proof is valid only from later on")]
    NotYetValid,
    /// The key that it names is not its issuer's.
    #[error("a published proof names a key that is not its issuer's")]
    IssuerKey,
    /// Its issuer did not sign it.
    #[error("a published proof's signature is not its issuer's")]
    IssuerSignature,
    /// The key that it is bound to did not sign the binding.
    #[error("a published proof's binding is not signed with the key that it names")]
    HolderSignature,
}

impl ProofRejection {
    /// The stable name of this refusal, as vectors state it.
    pub const fn code(self) -> &'static str {
        match self {
            ProofRejection::Malformed => "proof-malformed",
            ProofRejection::Unbound => "proof-unbound",
            ProofRejection::OtherView => "proof-other-view",
            ProofRejection::BindingTime => "proof-binding-time",
            ProofRejection::OtherDisclosures => "proof-other-disclosures",
            ProofRejection::Excess => "proof-excess",
            ProofRejection::Skill => "proof-skill",
            ProofRejection::Level => "proof-level",
            ProofRejection::Issuer => "proof-issuer",
            ProofRejection::Expired => "proof-expired",
            ProofRejection::NotYetValid => "proof-not-yet-valid",
            ProofRejection::IssuerKey => "proof-issuer-key",
            ProofRejection::IssuerSignature => "proof-issuer-signature",
            ProofRejection::HolderSignature => "proof-holder-signature",
        }
    }
}

/// The nonce of the key binding of every proof that is published under `view`.
pub fn nonce(view: &PublicKey) -> String {
    URL_SAFE_NO_PAD.encode(blake3::derive_key("knackmesh/1 published proof", view.as_bytes()))
}

/// A proof as read: what it states, not yet that it is true.
#[derive(Clone, Debug)]
pub struct PublishedProof {
    credential: Credential,
    skills: Vec<Achieved>,
}

impl PublishedProof {
    /// Reads a proof.
    ///
    /// # Errors
    /// [`ProofRejection::Malformed`].
    pub fn parse(text: &str) -> Result<Self, ProofRejection> {
        if text.len() > SUMMARY_PROOF_BYTES_MAX || !text.starts_with("ey") || text.trim() != text {
            return Err(ProofRejection::Malformed);
        }
        let credential = Credential::parse(text).map_err(|_| ProofRejection::Malformed)?;
        let is_sd_jwt = matches!(credential.securing(), Securing::SdJwt(_));
        if !is_sd_jwt || credential.issuer_did().is_none() {
            return Err(ProofRejection::Malformed);
        }
        Ok(PublishedProof { skills: credential.skills(), credential })
    }

    /// `credential` with what it takes to show `skills`, bound by its holder's `key` to `view`.
    ///
    /// # Errors
    /// [`ProofRejection::Malformed`] when the credential is of another form or the proof too long,
    /// [`ProofRejection::Unbound`] when it is not bound to `key`.
    pub fn bind(
        credential: &Credential,
        skills: &[SkillId],
        key: &SigningKey,
        view: &PublicKey,
        now: Timestamp,
    ) -> Result<String, ProofRejection> {
        let shown = credential.disclosing(skills);
        let Securing::SdJwt(vc) = shown.securing() else { return Err(ProofRejection::Malformed) };
        let (audience, nonce) = (view.did(), nonce(view));
        let binding = KeyBinding { audience: audience.as_str(), nonce: &nonce, issued: now };
        let bound = vc.sd_jwt().select(|_| true).bind(&binding, key).map_err(|_| ProofRejection::Unbound)?;
        PublishedProof::parse(&bound)?;
        Ok(bound)
    }

    /// Who is said to have issued it.
    pub fn issuer(&self) -> Option<&Did> {
        self.credential.issuer_did()
    }

    /// The skills that it shows.
    pub fn skills(&self) -> &[Achieved] {
        &self.skills
    }

    /// The month in which it began to hold.
    pub fn awarded(&self) -> Month {
        Month::of(self.credential.valid_from().unwrap_or(Timestamp::EPOCH))
    }

    /// The credential that it shows a part of.
    pub fn credential(&self) -> &Credential {
        &self.credential
    }

    /// What `verifier` lacks to say whether it proves anything now.
    fn needs(&self, verifier: &Verifier<'_>) -> Vec<Need> {
        if self.is_past(verifier.now) { Vec::new() } else { self.credential.needs(verifier) }
    }

    fn is_past(&self, now: Timestamp) -> bool {
        self.credential.valid_from().is_some_and(|from| now < from)
            || self.credential.valid_until().is_some_and(|until| until <= now)
    }

    /// What it proves at `verifier.now`, of a summary whose proofs were verified.
    fn state(&self, verifier: &Verifier<'_>) -> ProofState {
        if self.is_past(verifier.now) {
            return ProofState::Expired;
        }
        let credential = &self.credential;
        // Verified at admission; there is nothing else to know of it.
        if credential.status().is_none() && matches!(credential.token_key(), Ok(Some(_))) {
            return ProofState::Proven;
        }
        let checks = credential.verify(verifier);
        if checks.verdict(Shown::File).verified {
            ProofState::Proven
        } else if checks.untampered == Check::NotChecked {
            ProofState::IssuerUnknown
        } else if checks.untampered == Check::Pass && checks.unrevoked != Check::Fail {
            ProofState::StatusUnknown
        } else {
            ProofState::Failed
        }
    }

    fn sd_jwt(&self) -> Option<&SdJwt> {
        match self.credential.securing() {
            Securing::SdJwt(vc) => Some(vc.sd_jwt()),
            Securing::DataIntegrity | Securing::Jwt(_) => None,
        }
    }
}

/// Verifies the proofs of a summary, strictly, one by one.
///
/// # Errors
/// [`ProofRejection`] names the first rule that one breaks.
pub fn verify(summary: &Summary) -> Result<(), ProofRejection> {
    for Signing { by, message, key, signature, .. } in signings(summary)? {
        key.verify(message, &signature).map_err(|_| by.rejection())?;
    }
    Ok(())
}

/// Verifies the proofs of many summaries, in order. All their Ed25519 signatures are verified together, others one by one.
pub fn verify_all(summaries: &[&Summary]) -> Vec<Result<(), ProofRejection>> {
    let mut outcomes = Vec::with_capacity(summaries.len());
    let (mut batch, mut whose) = (Vec::new(), Vec::new());
    for (at, summary) in summaries.iter().enumerate() {
        outcomes.push(signings(summary).and_then(|signings| {
            let mut outcome = Ok(());
            for Signing { by, message, key, signature, .. } in signings {
                match (key, <[u8; 64]>::try_from(signature.as_slice())) {
                    (VerifyingKey::Ed25519(key), Ok(signature)) => {
                        batch.push(Unverified { key, message, signature: Signature(signature) });
                        whose.push((at, by));
                    }
                    (key, _) => {
                        outcome = outcome.and(key.verify(message, &signature).map_err(|_| by.rejection()))
                    }
                }
            }
            outcome
        }));
    }
    for ((at, by), verified) in whose.into_iter().zip(batch::verify_all(&batch)) {
        if verified.is_err() && outcomes[at].is_ok() {
            outcomes[at] = Err(by.rejection());
        }
    }
    outcomes
}

/// Who signs what.
#[derive(Clone, Copy)]
enum By {
    Issuer,
    Holder,
}

impl By {
    fn rejection(self) -> ProofRejection {
        match self {
            By::Issuer => ProofRejection::IssuerSignature,
            By::Holder => ProofRejection::HolderSignature,
        }
    }
}

/// A signature that a proof rests on.
struct Signing<'s> {
    by: By,
    algorithm: Algorithm,
    key: VerifyingKey,
    message: &'s [u8],
    signature: Vec<u8>,
}

impl<'s> Signing<'s> {
    /// Of the token that `text` begins with.
    fn of(by: By, token: &Jws, key: VerifyingKey, text: &'s str) -> Self {
        let message = &text.as_bytes()[..token.signing_input().len()];
        Signing { by, algorithm: token.algorithm(), key, message, signature: token.signature().to_vec() }
    }
}

/// The signatures that the proofs of a summary rest on, those of issuers whose key must be fetched first left out. Everything
/// else of the proofs is checked. Nothing that was read is kept: many summaries' proofs are large, their signatures are not.
///
/// # Errors
/// [`ProofRejection`] names the first rule that one breaks; that a token names an algorithm that is not its key's, last.
fn signings(summary: &Summary) -> Result<Vec<Signing<'_>>, ProofRejection> {
    let content = summary.content();
    if content.proofs().is_empty() {
        return Ok(Vec::new());
    }
    let (audience, nonce) = (summary.view().did(), nonce(&summary.view()));
    let expected = ExpectedBinding {
        audience: Some(audience.as_str()),
        nonce: Some(&nonce),
        now: summary.issued(),
        age_max_ms: LEASE_MAX_MS,
    };
    let mut signings = Vec::new();
    for (at, text) in content.proofs().iter().enumerate() {
        let proof = PublishedProof::parse(text)?;
        check_claims(&proof, content.claims().iter().filter(|claim| claim.proof() == Some(at)))?;
        check_period(&proof, summary.issued())?;
        let sd_jwt = proof.sd_jwt().ok_or(ProofRejection::Malformed)?;
        let holder = sd_jwt.holder_key().ok().flatten().ok_or(ProofRejection::Unbound)?;
        sd_jwt.check_key_binding(&expected).map_err(|e| rejection(&e))?;
        let issuer = proof.credential.token_key().map_err(|()| ProofRejection::IssuerKey)?;
        signings.extend(issuer.map(|key| Signing::of(By::Issuer, sd_jwt.token(), key, text)));
        let binding = sd_jwt.key_binding().zip(text.rsplit_once('~'));
        signings.extend(binding.map(|(token, (_, text))| Signing::of(By::Holder, token, holder, text)));
    }
    match signings.iter().find(|signing| signing.algorithm != signing.key.algorithm()) {
        Some(signing) => Err(signing.by.rejection()),
        None => Ok(signings),
    }
}

/// The proof states what each claim says, and shows nothing else that it could withhold.
fn check_claims<'a>(
    proof: &PublishedProof,
    claims: impl Iterator<Item = &'a Claim> + Clone,
) -> Result<(), ProofRejection> {
    for claim in claims.clone() {
        if claim.backing().map(|backing| &backing.issuer) != proof.issuer() {
            return Err(ProofRejection::Issuer);
        }
        let stated = proof.skills.iter().find(|achieved| achieved.skill == *claim.skill());
        if stated.ok_or(ProofRejection::Skill)?.level < claim.level() {
            return Err(ProofRejection::Level);
        }
    }
    let is_claimed = |achieved: &Achieved| claims.clone().any(|claim| *claim.skill() == achieved.skill);
    let root = ClaimPath::default;
    let of_achievement = |name: &str| root().member("achievement").member(name);
    let needed = [of_achievement("alignment"), of_achievement("resultDescription"), root().member("result")];
    let is_needed =
        |path: &ClaimPath| needed.iter().any(|needed| needed.starts_with(path) || path.starts_with(needed));
    let disclosures = proof.sd_jwt().map(SdJwt::disclosures).unwrap_or_default();
    if proof.skills.iter().all(is_claimed) && disclosures.iter().all(|d| is_needed(d.path())) {
        Ok(())
    } else {
        Err(ProofRejection::Excess)
    }
}

fn check_period(proof: &PublishedProof, issued: Timestamp) -> Result<(), ProofRejection> {
    let credential = &proof.credential;
    if credential.valid_until().is_some_and(|until| until <= issued) {
        return Err(ProofRejection::Expired);
    }
    match credential.valid_from() {
        Some(from) if from > issued.plus_ms(CLOCK_SKEW_MAX_MS) => Err(ProofRejection::NotYetValid),
        _ => Ok(()),
    }
}

fn rejection(e: &KeyBindingError) -> ProofRejection {
    match e {
        KeyBindingError::WrongAudience | KeyBindingError::WrongNonce => ProofRejection::OtherView,
        KeyBindingError::TooOld(_) | KeyBindingError::InFuture(_) => ProofRejection::BindingTime,
        KeyBindingError::WrongHash => ProofRejection::OtherDisclosures,
        KeyBindingError::BadSignature(_) => ProofRejection::HolderSignature,
        KeyBindingError::Missing
        | KeyBindingError::Type
        | KeyBindingError::Claims(_)
        | KeyBindingError::Claim(_)
        | KeyBindingError::NotTheHoldersKey => ProofRejection::Unbound,
    }
}

/// How far a published proof goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofState {
    /// Issuer and holder signed, it holds now, and nothing is open. Who published it held its key when it was published.
    Proven,
    /// It names a status that is not known here, or is out of date.
    StatusUnknown,
    /// Its issuer's key is not known here.
    IssuerUnknown,
    /// It holds no longer, or not yet.
    Expired,
    /// It is revoked or suspended, or its issuer did not sign it.
    Failed,
}

impl ProofState {
    /// The state in words.
    pub const fn text(self) -> &'static str {
        match self {
            ProofState::Proven => "proof published, held by whoever published it at that time",
            ProofState::StatusUnknown => "proof published, status not checked",
            ProofState::IssuerUnknown => "proof published, the issuer's key is not known here",
            ProofState::Expired => "proof published, but it does not hold now",
            ProofState::Failed => "proof published, but it is revoked or not its issuer's",
        }
    }
}

/// A claim with a published proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedClaim {
    /// The claim's skill.
    pub skill: SkillId,
    /// The level that the proof states, at most the claim's.
    pub level: Level,
    /// The tier that the proof has, at most the claim's.
    pub tier: Tier,
    /// Whose signature it bears.
    pub issuer: Did,
    /// The month of award.
    pub awarded: Month,
    /// How far it goes.
    pub state: ProofState,
}

/// What the published proofs of a summary come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published(Vec<PublishedClaim>);

impl Published {
    /// Of a summary that was admitted, at `verifier.now`. A proof that cannot be read proves nothing.
    pub fn of(summary: &Summary, verifier: &Verifier<'_>) -> Self {
        let content = summary.content();
        let read = |text: &String| {
            let proof = PublishedProof::parse(text).ok()?;
            Some((proof.state(verifier), proof))
        };
        let proofs: Vec<Option<(ProofState, PublishedProof)>> = content.proofs().iter().map(read).collect();
        let one = |claim: &Claim| {
            let (state, proof) = proofs.get(claim.proof()?)?.as_ref()?;
            let stated = proof.skills.iter().find(|achieved| achieved.skill == *claim.skill())?;
            Some(PublishedClaim {
                skill: claim.skill().clone(),
                level: stated.level.min(claim.level()),
                tier: claim.tier().min(proof.credential.tier()),
                issuer: proof.issuer()?.clone(),
                awarded: proof.awarded(),
                state: *state,
            })
        };
        Published(content.claims().iter().filter_map(one).collect())
    }

    /// What `verifier` lacks to say what the proofs of a summary come to, and could be fetched: at most [`NEEDS_MAX`].
    pub fn needs(summary: &Summary, verifier: &Verifier<'_>) -> Vec<Need> {
        let proofs = summary.content().proofs().iter().filter_map(|text| PublishedProof::parse(text).ok());
        let needs: BTreeSet<Need> = proofs.flat_map(|proof| proof.needs(verifier)).collect();
        needs.into_iter().take(NEEDS_MAX).collect()
    }

    /// Every claim with a proof.
    pub fn claims(&self) -> &[PublishedClaim] {
        &self.0
    }

    /// The claim of a skill, when its proof goes all the way.
    pub fn proven(&self, skill: &SkillId) -> Option<&PublishedClaim> {
        self.0.iter().find(|claim| claim.skill == *skill && claim.state == ProofState::Proven)
    }
}

#[cfg(test)]
mod tests;
