//! Verification: the six checks of one credential, from its text and what the verifier brings.

use std::collections::BTreeSet;

use super::{
    Check, CheckName, Checks, Credential, Kind, Need, Shown, TrustList, Verifier,
    data_integrity::{self, Binding, ProofError, Proofs, VerifiedProof},
    securing::{Securing, SignatureError, token_method, verify_token},
    status,
};
use crate::{
    did::{self, Controller, Documents, page},
    key::VerifyingKey,
    limits::NEEDS_MAX,
    skill::{SkillId, Tier},
    time::Timestamp,
};

/// A credential that its issuer signed, that holds, and that is not revoked as far as the issuer offers to
/// say. Only [`Credential::verified`] makes one, and nothing else may back a claim that is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedCredential(Credential);

impl VerifiedCredential {
    /// The credential.
    pub fn credential(&self) -> &Credential {
        &self.0
    }

    /// How well it backs a claim.
    pub fn tier(&self) -> Tier {
        self.0.tier()
    }
}

impl Credential {
    /// How well it backs a claim once it is verified: what one says of oneself is claimed, an endorsement is a
    /// peer's word, anything else an issuer's. Accreditation is for those to decide who know the chain.
    pub fn tier(&self) -> Tier {
        match self.kind() {
            _ if self.subject().is_some() && self.subject() == self.issuer_did() => Tier::Claimed,
            Kind::Endorsement => Tier::Peer,
            Kind::Achievement | Kind::Other => Tier::Issuer,
        }
    }

    /// Makes the six checks of a bare file. `trusted_holder` is NOT_APPLICABLE: whoever has the file could
    /// have copied it. A presentation states it instead ([`super::presentation::verify`]).
    pub fn verify(&self, verifier: &Verifier<'_>) -> Checks {
        self.verify_bound(&Binding::ASSERTION, verifier)
    }

    /// The same for a credential whose proofs must be bound as `binding` says, which few are. A token is bound to nothing.
    pub fn verify_bound(&self, binding: &Binding<'_>, verifier: &Verifier<'_>) -> Checks {
        let mut checks = Checks::none();
        let signatures = self.check_signatures(binding, &verifier.known.documents, &mut checks);
        self.check_issuer(verifier.trust, &mut checks);
        let bare = "a bare file does not show who holds it".into();
        checks.state(CheckName::TrustedHolder, Check::NotApplicable, "bare-file", bare);
        status::check(self, verifier, &mut checks);
        self.check_period(verifier.now, &signatures, &mut checks);
        checks
    }

    /// The credential as one that may back a claim.
    ///
    /// # Errors
    /// The checks, when they are not those of a verified credential.
    pub fn verified(self, verifier: &Verifier<'_>) -> Result<VerifiedCredential, Checks> {
        let checks = self.verify(verifier);
        if checks.verdict(Shown::File).verified { Ok(VerifiedCredential(self)) } else { Err(checks) }
    }

    /// What a verification by `verifier` lacks and could be fetched, at most [`NEEDS_MAX`]. What came of fetching may bring up
    /// new needs: the document of whoever signed a status list.
    pub fn needs(&self, verifier: &Verifier<'_>) -> Vec<Need> {
        let mut needs = BTreeSet::new();
        let documents = &verifier.known.documents;
        for method in self.methods() {
            match did::controller_of(&method) {
                Ok(did) if did.method() == "web" && documents.get(&did).is_none() => {
                    needs.insert(Need::Document(did));
                }
                Ok(_) => {}
                Err(_) => needs.extend(page::needed(&method, self.issuer(), documents).map(Need::KeyPage)),
            }
        }
        for url in status::list_urls(self) {
            let list = verifier.known.status_lists.get(&url, self.issuer_did());
            if list.is_none_or(|list| list.is_due(verifier)) {
                needs.insert(Need::StatusList(url));
            }
        }
        needs.into_iter().take(NEEDS_MAX).collect()
    }

    /// The key that its token names, which must be its issuer's; `None` when that key must be fetched first, or is of a
    /// kind that is not read.
    ///
    /// # Errors
    /// When it is no token, or no key of its issuer may have signed it.
    pub(crate) fn token_key(&self) -> Result<Option<VerifyingKey>, ()> {
        let (Some(jws), Some(issuer)) = (self.securing().token(), self.issuer_did()) else { return Err(()) };
        let method = match token_method(jws, self.issuer()) {
            Ok(method) => method,
            Err(e) => return if e.is_unsupported() { Ok(None) } else { Err(()) },
        };
        if did::controller_of(&method).as_ref() != Ok(issuer) {
            return Err(());
        }
        match did::verification_key(&method, did::Relationship::AssertionMethod, &Documents::new()) {
            Ok(resolved) => Ok(Some(resolved.key)),
            Err(e) if e.is_unsupported() => Ok(None),
            Err(_) => Err(()),
        }
    }

    /// The verification methods that the proofs name.
    fn methods(&self) -> Vec<String> {
        match self.securing() {
            Securing::DataIntegrity => {
                data_integrity::verification_methods(self.document()).map(str::to_owned).collect()
            }
            Securing::Jwt(_) | Securing::SdJwt(_) => {
                let Some(jws) = self.securing().token() else { return Vec::new() };
                token_method(jws, self.issuer()).into_iter().collect()
            }
        }
    }

    /// Whether a signature is the issuer's, by what is known of where keys are published.
    pub(super) fn is_the_issuers(&self, signature: &VerifiedProof, documents: &Documents) -> bool {
        match &signature.controller {
            Controller::Did(did) => self.issuer_did() == Some(did),
            Controller::Page(method) => page::is_of(method, self.issuer(), documents),
        }
    }

    /// The signatures that verified, when one is the issuer's and none is invalid.
    ///
    /// # Errors
    /// Code and words for why the credential is not known to be what its issuer signed.
    pub(super) fn signatures(
        &self,
        documents: &Documents,
    ) -> Result<Vec<VerifiedProof>, (&'static str, String)> {
        let mut checks = Checks::none();
        let signatures = self.check_signatures(&Binding::ASSERTION, documents, &mut checks);
        match checks.untampered {
            Check::Pass => Ok(signatures),
            _ => Err(checks.reason(CheckName::Untampered).map_or(("untampered", String::new()), |reason| {
                let code = match &reason.code {
                    std::borrow::Cow::Borrowed(code) => *code,
                    std::borrow::Cow::Owned(_) => "untampered",
                };
                (code, reason.text.clone())
            })),
        }
    }

    /// The proofs that verified, for what they say of time.
    fn check_signatures(
        &self,
        binding: &Binding<'_>,
        documents: &Documents,
        checks: &mut Checks,
    ) -> Vec<VerifiedProof> {
        const NAME: CheckName = CheckName::Untampered;
        let Proofs { verified, not_checked } = match self.proofs(binding, documents) {
            Ok(proofs) => proofs,
            Err(e) => {
                let outcome = if e.is_unsupported() { Check::NotChecked } else { Check::Fail };
                checks.state(NAME, outcome, e.code(), e.to_string());
                return Vec::new();
            }
        };
        let is_the_issuers = verified.iter().any(|proof| self.is_the_issuers(proof, documents));
        match not_checked.first() {
            // Another's proof that could not be checked takes nothing from the issuer's, but is told.
            Some(e) => {
                let outcome = if is_the_issuers { Check::Pass } else { Check::NotChecked };
                checks.state(NAME, outcome, e.code(), format!("a proof was not checked: {e}"));
            }
            None if is_the_issuers => checks.pass(NAME),
            // As badges of many platforms are: their issuers are web pages.
            None if self.issuer_did().is_none() => {
                let text = "its signature holds, and nothing shows that the key is that of its issuer, which is not a DID";
                checks.state(NAME, Check::NotChecked, "proof-key-unbound", text.into());
            }
            None => {
                let text = "no proof is by the issuer that it names".into();
                checks.state(NAME, Check::Fail, "proof-not-the-issuers", text);
            }
        }
        verified
    }

    /// The proofs of the credential, of which none is invalid.
    fn proofs(&self, binding: &Binding<'_>, documents: &Documents) -> Result<Proofs, SignatureError> {
        match self.securing() {
            Securing::DataIntegrity => Ok(data_integrity::verify(self.document(), binding, documents)?),
            _ if binding.challenge.is_some() => Err(ProofError::WrongChallenge.into()),
            _ if binding.domain.is_some() => Err(ProofError::WrongDomain.into()),
            Securing::Jwt(jws) => verify_token(jws, self.issuer(), documents),
            Securing::SdJwt(vc) => verify_token(vc.sd_jwt().token(), self.issuer(), documents),
        }
    }

    fn check_issuer(&self, trust: &TrustList, checks: &mut Checks) {
        const NAME: CheckName = CheckName::TrustedIssuer;
        match self.issuer_did().map(|did| trust.get(did)) {
            Some(Some(entry)) if entry.distrusted => {
                let text = format!("you distrust the issuer {}", self.issuer());
                checks.state(NAME, Check::Fail, "issuer-distrusted", text);
            }
            Some(Some(entry)) => {
                // What is listed for some skills counts for a credential that states nothing else.
                let listed = |skill: &SkillId| entry.skills.is_empty() || entry.skills.contains(skill);
                match self.skills().into_iter().find(|achieved| !listed(&achieved.skill)) {
                    None => checks.pass(NAME),
                    Some(achieved) => {
                        let text = format!("its issuer is on your trust list, but not for {}", achieved.name);
                        checks.state(NAME, Check::NotChecked, "issuer-out-of-scope", text);
                    }
                }
            }
            Some(None) => {
                let text = format!("the issuer {} is not on your trust list", self.issuer());
                checks.state(NAME, Check::NotChecked, "issuer-unlisted", text);
            }
            None => {
                let text = "its issuer is not a DID, and only DIDs can be on a trust list".into();
                checks.state(NAME, Check::NotChecked, "issuer-not-a-did", text);
            }
        }
    }

    /// Valid from `validFrom` on, and before `validUntil` and the end of every proof.
    fn check_period(&self, now: Timestamp, proofs: &[VerifiedProof], checks: &mut Checks) {
        const NAME: CheckName = CheckName::Unexpired;
        let proof_end = proofs.iter().filter_map(|proof| proof.expires).min();
        match (self.valid_from(), self.valid_until(), proof_end) {
            (Some(from), _, _) if now < from => {
                let text = format!("it is valid only from {from} on");
                checks.state(NAME, Check::Fail, "not-yet-valid", text);
            }
            (_, Some(until), _) if now >= until => {
                checks.state(NAME, Check::Fail, "expired", format!("it expired at {until}"));
            }
            (_, _, Some(end)) if now >= end => {
                checks.state(NAME, Check::Fail, "proof-expired", format!("its proof expired at {end}"));
            }
            _ => checks.pass(NAME),
        }
    }
}
