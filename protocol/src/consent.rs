//! Consent: what a holder agreed to show, to whom, for what, and until when.
//!
//! A consent record holds the very content that may leave the machine. A [`Summary`](crate::summary::Summary)
//! can only be made from one, so no byte about a person is published that the person did not see and agree to.
//! The record stays on the holder's machine; the summary carries its id.
//!
//! Specification: `spec/consent.md`. Vocabulary after ISO/IEC 27560 (consent records).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    key::PublicKey,
    limits::{CONSENT_BYTES_MAX, LEASE_MAX_MS, LEASE_MIN_MS},
    signed::Statement,
    summary::Content,
    time::Timestamp,
    wire,
};

/// Who gets a presentation at once, without the holder being asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Present {
    /// Nobody: each inquiry waits for the holder. The default.
    #[default]
    Ask,
    /// Seekers who prove that they act for an organisation.
    VerifiedOrg,
    /// Every seeker who signs an inquiry.
    Anyone,
}

impl Present {
    /// Every policy, strictest first.
    pub const ALL: [Present; 3] = [Present::Ask, Present::VerifiedOrg, Present::Anyone];

    /// The policy's name, as the command line writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Present::Ask => "ask",
            Present::VerifiedOrg => "verified_org",
            Present::Anyone => "anyone",
        }
    }
}

impl fmt::Display for Present {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Present {
    type Err = NotAPolicy;

    fn from_str(s: &str) -> Result<Self, NotAPolicy> {
        Present::ALL.into_iter().find(|p| p.name() == s).ok_or(NotAPolicy)
    }
}

/// Not a presentation policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a presentation policy is one of ask, verified_org, anyone")]
pub struct NotAPolicy;

/// For what the content may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To be found and considered for work.
    Recruitment,
}

/// Who may see the published content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Every node of the network.
    Network,
}

/// A consent record, signed by the view's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Draft", deny_unknown_fields)]
pub struct Consent {
    view: PublicKey,
    purpose: Purpose,
    audience: Audience,
    present: Present,
    content: Content,
    issued: Timestamp,
    expires: Timestamp,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Draft {
    view: PublicKey,
    purpose: Purpose,
    audience: Audience,
    present: Present,
    content: Content,
    issued: Timestamp,
    expires: Timestamp,
}

/// Why a consent cannot be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConsentError {
    /// The lease is longer than any may be, or shorter than the shortest.
    #[error("a lease lasts from {} second to {} days", LEASE_MIN_MS / 1000, LEASE_MAX_MS / 86_400_000)]
    Lease,
    /// The content is too large to be published.
    #[error("a consent record has at most {CONSENT_BYTES_MAX} bytes; publish fewer claims")]
    TooLarge,
}

impl Consent {
    /// Consent of `view` to show `content` to every node for recruitment, from `now` for `lease_ms` milliseconds.
    ///
    /// # Errors
    /// When the lease is out of bounds, or the record would be too large to be signed.
    pub fn give(
        view: PublicKey,
        content: Content,
        present: Present,
        now: Timestamp,
        lease_ms: u64,
    ) -> Result<Self, ConsentError> {
        let (purpose, audience) = (Purpose::Recruitment, Audience::Network);
        if !(LEASE_MIN_MS..=LEASE_MAX_MS).contains(&lease_ms) {
            return Err(ConsentError::Lease);
        }
        let expires = now.plus_ms(lease_ms);
        let consent: Consent =
            Draft { view, purpose, audience, present, content, issued: now, expires }.try_into()?;
        if wire::encode(&consent).len() > CONSENT_BYTES_MAX {
            return Err(ConsentError::TooLarge);
        }
        Ok(consent)
    }

    /// The view that consents.
    pub fn view(&self) -> PublicKey {
        self.view
    }

    /// Who gets a presentation at once.
    pub fn present(&self) -> Present {
        self.present
    }

    /// For what.
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// To whom.
    pub fn audience(&self) -> Audience {
        self.audience
    }

    /// Everything that may be published.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// When it was given.
    pub fn issued(&self) -> Timestamp {
        self.issued
    }

    /// When it ends.
    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    /// Whether it covers the instant `now`.
    pub fn covers(&self, now: Timestamp) -> bool {
        self.issued <= now && now < self.expires
    }
}

impl TryFrom<Draft> for Consent {
    type Error = ConsentError;

    fn try_from(d: Draft) -> Result<Self, ConsentError> {
        if d.expires <= d.issued || d.expires.since_ms(d.issued) > LEASE_MAX_MS {
            return Err(ConsentError::Lease);
        }
        let Draft { view, purpose, audience, present, content, issued, expires } = d;
        Ok(Consent { view, purpose, audience, present, content, issued, expires })
    }
}

impl Statement for Consent {
    const DOMAIN: &'static str = "consent";
    const BYTES_MAX: usize = CONSENT_BYTES_MAX;

    fn signer(&self) -> PublicKey {
        self.view
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        key::SecretKey,
        skill::{Level, SkillId},
        summary::Terms,
        vocabulary::Vocabulary,
    };

    #[test]
    fn content_too_large_to_sign_is_refused_before_it_is_signed() {
        let view = SecretKey::from_seed([3; 32]);
        let long = |i: usize| format!("urn:{}{i:02}", "x".repeat(248)).parse::<SkillId>().unwrap();
        let bare: Vec<(SkillId, Level)> = (0..32).map(|i| (long(i), Level::MIN)).collect();
        let vocabulary = Vocabulary::embedded();
        let (content, _) = Content::draft(&[], &bare, Terms::default(), &vocabulary, &view).unwrap();
        let given = Consent::give(view.public(), content, Present::Ask, Timestamp::EPOCH, LEASE_MAX_MS);
        assert_eq!(given, Err(ConsentError::TooLarge));
    }
}
