//! What has to be fetched to check an assertion, and what follows from it.
//!
//! The order is that of trust: a hosted assertion as it is served, then the badge class that it names, then the
//! issuer that the badge class names, then what the issuer names. What an assertion embeds is shown at most; an
//! embedded document that has an address is fetched from there.

use super::{
    Assertion, AssertionError, BadgeClass, Profile, PublicKey, Reference, RevocationList, SignedAssertion,
    Verification,
};
use crate::credential::url::Url;

/// How often a document may say that it is really the one at another address, before it is refused.
const MOVES_MAX: u8 = 3;

/// An assertion and the documents that back it, as far as they were fetched.
#[derive(Clone, Debug)]
pub struct Dossier {
    assertion: Assertion,
    /// Whether the assertion is as it is served, or as it was signed.
    is_authentic: bool,
    badge: Option<BadgeClass>,
    issuer: Option<Profile>,
    keys: Vec<PublicKey>,
    revocations: Option<RevocationList>,
    /// How often a document said that it is the one at another address.
    moves: u8,
}

/// A document that has to be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// What is expected there.
    pub kind: DocumentKind,
    /// Its address, `http` or `https`; redirections may be followed. Anyone may have written it.
    pub url: String,
}

/// What a document that has to be fetched is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentKind {
    /// The assertion itself. That it is gone (HTTP status 410) means that it was revoked.
    Assertion,
    /// A badge class.
    BadgeClass,
    /// An issuer's profile.
    Issuer,
    /// A key.
    Key,
    /// A revocation list.
    RevocationList,
}

/// On what an assertion rests, once everything was fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backing<'a> {
    /// On its issuer's serving it.
    Hosted,
    /// On its signature, which one of these keys has to verify.
    Signed(&'a [PublicKey]),
}

impl Dossier {
    /// The dossier of an assertion that came without a signature.
    ///
    /// # Errors
    /// [`AssertionError::VerificationKind`] when it has to be signed.
    pub fn hosted(assertion: Assertion) -> Result<Self, AssertionError> {
        match assertion.verification {
            Verification::Hosted => Ok(Self::new(assertion, false)),
            Verification::Signed { .. } => Err(AssertionError::VerificationKind),
        }
    }

    /// The dossier of an assertion that came with a signature.
    ///
    /// # Errors
    /// [`AssertionError::VerificationKind`] when it says that it is hosted.
    pub fn signed(signed: &SignedAssertion) -> Result<Self, AssertionError> {
        match signed.assertion.verification {
            Verification::Signed { .. } => Ok(Self::new(signed.assertion.clone(), true)),
            Verification::Hosted => Err(AssertionError::VerificationKind),
        }
    }

    fn new(assertion: Assertion, is_authentic: bool) -> Self {
        let mut dossier = Dossier {
            assertion,
            is_authentic,
            badge: None,
            issuer: None,
            keys: Vec::new(),
            revocations: None,
            moves: 0,
        };
        dossier.take_embedded();
        dossier
    }

    /// The assertion: as it is served, once it was fetched.
    pub fn assertion(&self) -> &Assertion {
        &self.assertion
    }

    /// The badge class as it was fetched.
    pub fn badge(&self) -> Option<&BadgeClass> {
        self.badge.as_ref()
    }

    /// The issuer's profile as it was fetched.
    pub fn issuer(&self) -> Option<&Profile> {
        self.issuer.as_ref()
    }

    /// What has to be fetched next; nothing when all is there. Each document may lead to more.
    ///
    /// # Errors
    /// [`AssertionError::NotFetchable`] when something that is needed has no address of the web, and
    /// [`AssertionError::KeyNotTheIssuers`] when the issuer publishes no key that the assertion could be signed by.
    pub fn wanted(&self) -> Result<Vec<Wanted>, AssertionError> {
        let one = |kind, url: &str| Ok(vec![wanted(kind, url)?]);
        if !self.is_authentic {
            return one(DocumentKind::Assertion, &self.assertion.id);
        }
        let Some(badge) = &self.badge else {
            let id = match &self.assertion.badge {
                Reference::Id(id) => id,
                Reference::Embedded(badge) => &badge.id,
            };
            return one(DocumentKind::BadgeClass, id);
        };
        let Some(issuer) = &self.issuer else {
            let id = match &badge.issuer {
                Reference::Id(id) => id,
                Reference::Embedded(issuer) => &issuer.id,
            };
            return one(DocumentKind::Issuer, id);
        };
        if self.assertion.verification == Verification::Hosted {
            return Ok(Vec::new());
        }
        let mut missing = Vec::new();
        for key in self.listed_keys(issuer)? {
            if let Reference::Id(id) = key
                && !self.keys.iter().any(|key| key.id == *id)
            {
                missing.push(wanted(DocumentKind::Key, id)?);
            }
        }
        if let (Some(list), None) = (&issuer.revocation_list, &self.revocations) {
            missing.push(wanted(DocumentKind::RevocationList, list)?);
        }
        Ok(missing)
    }

    /// Takes a document that was wanted. One that says that it is the one at another address leads there: who it
    /// is, only that address can say.
    ///
    /// # Errors
    /// [`AssertionError`] when it was not wanted, is not what is expected there, or says that it is another one
    /// again and again.
    pub fn take(&mut self, document: &Wanted, text: &str) -> Result<(), AssertionError> {
        if !self.wanted()?.contains(document) {
            return Err(AssertionError::NotWanted(document.url.clone()));
        }
        let other_id = || AssertionError::OtherId(document.url.clone());
        match document.kind {
            DocumentKind::Assertion => {
                let served = Assertion::parse(text)?;
                if served.verification != Verification::Hosted {
                    return Err(AssertionError::VerificationKind);
                }
                let is_authentic = !self.is_moved(document, &served.id)?;
                *self = Dossier { moves: self.moves, ..Self::new(served, is_authentic) };
            }
            DocumentKind::BadgeClass => {
                let badge = BadgeClass::parse(text)?;
                if self.is_moved(document, &badge.id)? {
                    self.assertion.badge = Reference::Id(badge.id);
                } else {
                    self.badge = Some(badge);
                }
            }
            DocumentKind::Issuer => {
                let issuer = Profile::parse(text)?;
                let is_moved = self.is_moved(document, &issuer.id)?;
                match &mut self.badge {
                    Some(badge) if is_moved => badge.issuer = Reference::Id(issuer.id),
                    _ => self.issuer = Some(issuer),
                }
            }
            DocumentKind::Key => {
                let key = PublicKey::parse(text)?;
                if key.id != document.url {
                    return Err(other_id());
                }
                self.keys.push(key);
            }
            DocumentKind::RevocationList => {
                let list = RevocationList::parse(text)?;
                if list.id.as_ref().is_some_and(|id| *id != document.url) {
                    return Err(other_id());
                }
                self.revocations = Some(list);
            }
        }
        self.take_embedded();
        Ok(())
    }

    /// Whether a fetched document says that it is the one at another address.
    fn is_moved(&mut self, document: &Wanted, id: &str) -> Result<bool, AssertionError> {
        if id == document.url {
            return Ok(false);
        }
        self.moves += 1;
        if self.moves > MOVES_MAX { Err(AssertionError::OtherId(document.url.clone())) } else { Ok(true) }
    }

    /// On what the assertion rests. Whether it has expired and who it was awarded to is for the caller to ask.
    ///
    /// # Errors
    /// [`AssertionError`] when something was not fetched, the assertion is served from elsewhere than its issuer
    /// says, no key is the issuer's, or the issuer took the assertion back.
    pub fn backing(&self) -> Result<Backing<'_>, AssertionError> {
        if !self.wanted()?.is_empty() {
            return Err(AssertionError::Incomplete);
        }
        let (Some(badge), Some(issuer)) = (&self.badge, &self.issuer) else {
            return Err(AssertionError::Incomplete);
        };
        if self.assertion.verification == Verification::Hosted {
            return if issuer.allows(&self.assertion.id, &badge.id) {
                Ok(Backing::Hosted)
            } else {
                Err(AssertionError::OutOfScope(self.assertion.id.clone()))
            };
        }
        if self.keys.is_empty() || self.keys.iter().any(|key| key.owner != issuer.id) {
            return Err(AssertionError::KeyNotTheIssuers);
        }
        let revoked = self.revocations.iter().flat_map(|list| &list.revoked);
        match revoked.into_iter().find(|(id, _)| *id == self.assertion.id) {
            Some((_, reason)) => Err(AssertionError::Revoked(reason.clone())),
            None => Ok(Backing::Signed(&self.keys)),
        }
    }

    /// The keys that the issuer lists, without those that the assertion says it is not signed by.
    fn listed_keys<'a>(
        &'a self,
        issuer: &'a Profile,
    ) -> Result<Vec<&'a Reference<PublicKey>>, AssertionError> {
        let creator = match &self.assertion.verification {
            Verification::Signed { creator } => creator.as_ref(),
            Verification::Hosted => None,
        };
        let id = |key: &'a Reference<PublicKey>| match key {
            Reference::Id(id) => id,
            Reference::Embedded(key) => &key.id,
        };
        let keys: Vec<_> = issuer
            .public_keys
            .iter()
            .filter(|key| creator.is_none_or(|creator| creator == id(key)))
            .collect();
        if keys.is_empty() { Err(AssertionError::KeyNotTheIssuers) } else { Ok(keys) }
    }

    /// Takes what is embedded and can only be had so: a badge class without an address in an authentic assertion,
    /// and keys in a profile that was fetched.
    fn take_embedded(&mut self) {
        if let Reference::Embedded(badge) = &self.assertion.badge
            && self.is_authentic
            && self.badge.is_none()
            && Url::split(&badge.id).is_none()
        {
            self.badge = Some((**badge).clone());
        }
        let Some(issuer) = &self.issuer else { return };
        let embedded = self.listed_keys(issuer).unwrap_or_default().into_iter();
        let embedded: Vec<PublicKey> = embedded
            .filter_map(|key| match key {
                Reference::Embedded(key) => Some((**key).clone()),
                Reference::Id(_) => None,
            })
            .filter(|key| !self.keys.contains(key))
            .collect();
        self.keys.extend(embedded);
    }
}

fn wanted(kind: DocumentKind, url: &str) -> Result<Wanted, AssertionError> {
    match Url::split(url) {
        Some(_) => Ok(Wanted { kind, url: url.to_owned() }),
        None => Err(AssertionError::NotFetchable(url.to_owned())),
    }
}
