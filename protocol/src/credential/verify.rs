//! Verification: the six checks of one credential, from nothing but its text, the time and a trust list.

use super::{
    Check, CheckName, Checks, Credential, Kind, Shown, TrustList,
    data_integrity::{self, Binding, Proofs, VerifiedProof},
};
use crate::{skill::Tier, time::Timestamp};

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
            _ if self.subject() == Some(self.issuer()) => Tier::Claimed,
            Kind::Endorsement => Tier::Peer,
            Kind::Achievement | Kind::Other => Tier::Issuer,
        }
    }

    /// Makes the six checks of a bare file. `trusted_holder` is NOT_APPLICABLE: whoever has the file could
    /// have copied it. A presentation states it instead ([`super::presentation::verify`]).
    pub fn verify(&self, now: Timestamp, trust: &TrustList) -> Checks {
        let mut checks = Checks::none();
        let proofs = self.check_untampered(&mut checks);
        self.check_issuer(trust, &mut checks);
        let bare = "a bare file does not show who holds it".into();
        checks.state(CheckName::TrustedHolder, Check::NotApplicable, "bare-file", bare);
        self.check_status(&mut checks);
        self.check_period(now, &proofs, &mut checks);
        checks
    }

    /// The credential as one that may back a claim.
    ///
    /// # Errors
    /// The checks, when they are not those of a verified credential.
    pub fn verified(self, now: Timestamp) -> Result<VerifiedCredential, Checks> {
        let checks = self.verify(now, &TrustList::default());
        if checks.verdict(Shown::File).verified { Ok(VerifiedCredential(self)) } else { Err(checks) }
    }

    /// The proofs that verified, for what they say of time.
    fn check_untampered(&self, checks: &mut Checks) -> Vec<VerifiedProof> {
        const NAME: CheckName = CheckName::Untampered;
        let Proofs { verified, not_checked } =
            match data_integrity::verify(self.document(), &Binding::ASSERTION) {
                Ok(proofs) => proofs,
                Err(e) => {
                    let outcome = if e.is_unsupported() { Check::NotChecked } else { Check::Fail };
                    checks.state(NAME, outcome, e.code(), e.to_string());
                    return Vec::new();
                }
            };
        let is_the_issuers = verified.iter().any(|proof| proof.controller == *self.issuer());
        match not_checked.first() {
            // Another's proof that could not be checked takes nothing from the issuer's, but is told.
            Some(e) => {
                let outcome = if is_the_issuers { Check::Pass } else { Check::NotChecked };
                checks.state(NAME, outcome, e.code(), format!("a proof was not checked: {e}"));
            }
            None if is_the_issuers => checks.pass(NAME),
            None => {
                let text = "no proof is by the issuer that it names".into();
                checks.state(NAME, Check::Fail, "proof-not-the-issuers", text);
            }
        }
        verified
    }

    fn check_issuer(&self, trust: &TrustList, checks: &mut Checks) {
        const NAME: CheckName = CheckName::TrustedIssuer;
        match trust.get(self.issuer()) {
            Some(entry) if entry.distrusted => {
                let text = format!("you distrust the issuer {}", self.issuer());
                checks.state(NAME, Check::Fail, "issuer-distrusted", text);
            }
            Some(_) => checks.pass(NAME),
            None => {
                let text = format!("the issuer {} is not on your trust list", self.issuer());
                checks.state(NAME, Check::NotChecked, "issuer-unlisted", text);
            }
        }
    }

    fn check_status(&self, checks: &mut Checks) {
        let (outcome, code, text) = if self.has_status() {
            (Check::NotChecked, "status-not-checked", "its status list was not consulted")
        } else {
            (Check::NotApplicable, "no-status", "the issuer offers no status")
        };
        for name in [CheckName::Unrevoked, CheckName::Fresh] {
            checks.state(name, outcome, code, text.into());
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
