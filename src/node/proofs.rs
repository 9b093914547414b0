//! Proofs that a home publishes, and the keys that are used once.
//!
//! A copy of a credential is bound to a single-use key. It is never presented, and published once: whoever sees it twice
//! sees that both times it was the same person.

use std::collections::BTreeSet;

use knackmesh_protocol::{
    credential::{Credential, Securing},
    id::Id,
    key::{Did, SigningKey},
    limits::{SINGLE_USE_KEYS_MAX, SUMMARY_BYTES_MAX, SUMMARY_PROOFS_MAX},
    published::PublishedProof,
    skill::SkillId,
    summary::{Claim, Content},
    wire,
};

use super::{Node, now, service::Answer};
use crate::{
    control::{Exit, Refusal, Reply},
    store::{KeptCopy, KeptCredential},
};

/// What a summary has besides its content: view, times, node, consent.
const SUMMARY_OVERHEAD_BYTES: usize = 400;

/// A credential that may be published, with the key that it is bound to.
pub(super) struct Candidate {
    pub kept: KeptCredential,
    pub credential: Credential,
    key: SigningKey,
    links: bool,
}

/// What was attached.
#[derive(Clone, Debug, Default)]
pub(super) struct Attached {
    /// Copies that are used up by it.
    pub copies: Vec<Id>,
    /// Whether it links the pseudonym to something else.
    pub links: bool,
    /// What could not be attached, and why.
    pub left_out: Vec<String>,
}

impl Node {
    /// New keys, by their DIDs. What was given out is never given out again.
    pub(super) fn single_use_keys(&mut self, count: u32) -> Answer {
        let before = self.single_use_count()?;
        let after = before.saturating_add(count);
        if after > SINGLE_USE_KEYS_MAX {
            let message =
                format!("a home has at most {SINGLE_USE_KEYS_MAX} single-use keys, this one has {before}");
            return Err(Refusal::new(Exit::Usage, message, "ask for fewer"));
        }
        self.shelf.store.set("single_use_keys", &after)?;
        self.shelf.store.flush()?;
        let root = &self.identity.root;
        Ok(Reply::SingleUseKeys((before..after).map(|n| root.single_use(n).did()).collect()))
    }

    /// Which of the keys that were given out is the key of `subject`.
    pub(super) fn single_use_index(&self, subject: &Did) -> Result<Option<u32>, Refusal> {
        let root = &self.identity.root;
        Ok((0..self.single_use_count()?).find(|n| root.single_use(*n).did() == *subject))
    }

    fn single_use_count(&self) -> Result<u32, Refusal> {
        Ok(self.shelf.store.setting("single_use_keys")?.unwrap_or(0))
    }

    /// The credential as one that may be published; `None` when its form or its key does not allow it.
    pub(super) fn candidate(&self, kept: &KeptCredential, credential: &Credential) -> Option<Candidate> {
        if !matches!(credential.securing(), Securing::SdJwt(_)) {
            return None;
        }
        let root = &self.identity.root;
        let (key, links) = match &kept.copy {
            Some(copy) => (root.single_use(copy.index), copy.used.is_some()),
            None => (root.clone(), true),
        };
        Some(Candidate { kept: kept.clone(), credential: credential.clone(), key: key.into(), links })
    }

    /// Attaches to the claims of `content` what proves them: unused copies first, what links only where it is wanted.
    pub(super) fn attach(
        &self,
        content: Content,
        mut candidates: Vec<Candidate>,
        linkable: bool,
    ) -> Result<(Content, Attached), Refusal> {
        candidates.sort_by_key(|candidate| candidate.links);
        let mut attached = Attached::default();
        let mut proofs: Vec<(String, Vec<SkillId>)> = Vec::new();
        let mut proven: BTreeSet<SkillId> = BTreeSet::new();
        let mut best = content.clone();
        for candidate in candidates.iter().filter(|candidate| linkable || !candidate.links) {
            let open = content.claims().iter().filter(|claim| !proven.contains(claim.skill()));
            let skills: Vec<SkillId> = open
                .filter(|claim| proves(&candidate.credential, claim))
                .map(|c| c.skill().clone())
                .collect();
            if skills.is_empty() || proofs.len() >= SUMMARY_PROOFS_MAX {
                continue;
            }
            let view = self.identity.view.public();
            let name = candidate.credential.name().unwrap_or_default();
            let text = PublishedProof::bind(&candidate.credential, &skills, &candidate.key, &view, now());
            let with = text.map_err(|e| e.to_string()).and_then(|text| {
                let proofs: Vec<_> = proofs.iter().cloned().chain([(text, skills.clone())]).collect();
                let with = content.clone().with_proofs(proofs.clone()).map_err(|e| e.to_string())?;
                if wire::encode(&with).len() + SUMMARY_OVERHEAD_BYTES > SUMMARY_BYTES_MAX {
                    return Err(format!("a summary has no room for it ({SUMMARY_BYTES_MAX} bytes)"));
                }
                Ok((with, proofs))
            });
            match with {
                Ok((with, more)) => {
                    (best, proofs) = (with, more);
                    proven.extend(skills);
                    attached.links |= candidate.links;
                    if candidate.kept.copy.is_some() {
                        attached.copies.push(candidate.credential.id());
                    }
                }
                Err(reason) => attached.left_out.push(format!("{name}: no proof attached: {reason}")),
            }
        }
        for claim in content.claims().iter().filter(|claim| !proven.contains(claim.skill())) {
            let label = self.vocabulary.label(claim.skill());
            let by_linking = candidates.iter().any(|c| c.links && !linkable && proves(&c.credential, claim));
            let reason = match (claim.backing(), by_linking) {
                (None, _) => "no credential is behind it",
                (Some(_), true) => {
                    "its copies are used, or bound to your DID: --linkable would attach one all the same"
                }
                (Some(_), false) => {
                    "no unused copy in SD-JWT form; ask the issuer for copies bound to keys of `knack keys`"
                }
            };
            attached.left_out.push(format!("{label}: no proof attached: {reason}"));
        }
        Ok((best, attached))
    }

    /// Remembers that copies are used, before anybody can see them.
    pub(super) fn use_up(&self, copies: &[Id]) -> Result<(), Refusal> {
        for id in copies {
            if let Some(mut kept) = self.shelf.store.credential(id)? {
                kept.copy = kept.copy.map(|copy| KeptCopy { used: Some(now()), ..copy });
                self.shelf.store.put_credential(id, &kept)?;
            }
        }
        self.shelf.store.flush()?;
        Ok(())
    }
}

/// Whether a credential is of the issuer that a claim names, and states as much as it claims.
fn proves(credential: &Credential, claim: &Claim) -> bool {
    let Some(backing) = claim.backing() else { return false };
    credential.issuer_did() == Some(&backing.issuer)
        && credential.skills().iter().any(|a| a.skill == *claim.skill() && a.level >= claim.level())
}
