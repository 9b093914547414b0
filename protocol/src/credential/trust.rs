//! Whom a verifier recognises: its own list of issuers, kept by nobody else.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    key::Did,
    limits::{TRUST_ENTRIES_MAX, TRUST_SCOPE_MAX},
    skill::SkillId,
};

/// The issuers that a verifier has an opinion of, at most [`TRUST_ENTRIES_MAX`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<Did, TrustEntry>", into = "BTreeMap<Did, TrustEntry>")]
pub struct TrustList {
    entries: BTreeMap<Did, TrustEntry>,
}

/// What a verifier thinks of one issuer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustEntry {
    /// The verifier's own name for it; the issuer's own is not to be believed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Explicitly distrusted, as opposed to recognised.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub distrusted: bool,
    /// The skills that it is recognised for, at most [`TRUST_SCOPE_MAX`]; all when empty. Distrust has no scope.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<SkillId>,
}

/// What a verifier thinks of an issuer's word on a skill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Recognition {
    /// On the trust list, for this skill.
    Listed,
    /// Not on the trust list, or not for this skill.
    Unlisted,
    /// Explicitly distrusted.
    Distrusted,
}

/// A trust list has [`TRUST_ENTRIES_MAX`] entries, each for at most [`TRUST_SCOPE_MAX`] skills, and takes no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a trust list has at most {TRUST_ENTRIES_MAX} entries, each for at most {TRUST_SCOPE_MAX} skills; remove some first"
)]
pub struct TrustListFull;

impl TrustList {
    /// States an opinion of `issuer`, in place of any earlier one.
    ///
    /// # Errors
    /// [`TrustListFull`] when `issuer` is new and the list is full.
    pub fn add(&mut self, issuer: Did, entry: TrustEntry) -> Result<(), TrustListFull> {
        let is_full = self.entries.len() >= TRUST_ENTRIES_MAX && !self.entries.contains_key(&issuer);
        if is_full || entry.skills.len() > TRUST_SCOPE_MAX {
            return Err(TrustListFull);
        }
        self.entries.insert(issuer, entry);
        Ok(())
    }

    /// Forgets `issuer`; the opinion that was held, if any.
    pub fn remove(&mut self, issuer: &Did) -> Option<TrustEntry> {
        self.entries.remove(issuer)
    }

    /// The opinion of `issuer`, if any.
    pub fn get(&self, issuer: &Did) -> Option<&TrustEntry> {
        self.entries.get(issuer)
    }

    /// What is thought of `issuer`'s word on `skill`.
    pub fn recognition(&self, issuer: &Did, skill: &SkillId) -> Recognition {
        match self.get(issuer) {
            Some(entry) if entry.distrusted => Recognition::Distrusted,
            Some(entry) if entry.skills.is_empty() || entry.skills.contains(skill) => Recognition::Listed,
            _ => Recognition::Unlisted,
        }
    }

    /// Every opinion, by DID.
    pub fn iter(&self) -> impl Iterator<Item = (&Did, &TrustEntry)> {
        self.entries.iter()
    }
}

impl TryFrom<BTreeMap<Did, TrustEntry>> for TrustList {
    type Error = TrustListFull;

    fn try_from(entries: BTreeMap<Did, TrustEntry>) -> Result<Self, TrustListFull> {
        let over = entries.len() > TRUST_ENTRIES_MAX
            || entries.values().any(|entry| entry.skills.len() > TRUST_SCOPE_MAX);
        if over { Err(TrustListFull) } else { Ok(TrustList { entries }) }
    }
}

impl From<TrustList> for BTreeMap<Did, TrustEntry> {
    fn from(list: TrustList) -> Self {
        list.entries
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_full_list_still_changes_its_entries() {
        let did = |n: usize| format!("did:web:{n}.example").parse::<Did>().unwrap();
        let mut list = TrustList::default();
        for n in 0..TRUST_ENTRIES_MAX {
            list.add(did(n), TrustEntry::default()).unwrap();
        }
        let distrusted = TrustEntry { distrusted: true, ..TrustEntry::default() };
        assert_eq!(list.add(did(TRUST_ENTRIES_MAX), TrustEntry::default()), Err(TrustListFull));
        assert_eq!(list.add(did(7), distrusted.clone()), Ok(()));
        assert_eq!(list.get(&did(7)), Some(&distrusted));
        let text = serde_json::to_string(&list).unwrap();
        assert_eq!(serde_json::from_str::<TrustList>(&text).unwrap(), list);
        let longer = text.replacen('{', r#"{"did:web:more.example":{},"#, 1);
        assert!(serde_json::from_str::<TrustList>(&longer).is_err());
        assert_eq!(list.remove(&did(7)), Some(distrusted));
        assert_eq!(list.iter().count(), TRUST_ENTRIES_MAX - 1);
    }

    #[test]
    fn an_entry_for_some_skills_says_nothing_of_others() {
        let (issuer, rust): (Did, SkillId) =
            ("did:web:a.example".parse().unwrap(), "urn:s:rust".parse().unwrap());
        let java: SkillId = "urn:s:java".parse().unwrap();
        let mut list = TrustList::default();
        assert_eq!(list.recognition(&issuer, &rust), Recognition::Unlisted);
        list.add(issuer.clone(), TrustEntry { skills: vec![rust.clone()], ..TrustEntry::default() }).unwrap();
        assert_eq!(list.recognition(&issuer, &rust), Recognition::Listed);
        assert_eq!(list.recognition(&issuer, &java), Recognition::Unlisted);
        let distrusted = TrustEntry { distrusted: true, skills: vec![rust.clone()], name: None };
        list.add(issuer.clone(), distrusted).unwrap();
        assert_eq!(list.recognition(&issuer, &java), Recognition::Distrusted);
        let wide = TrustEntry { skills: vec![rust; TRUST_SCOPE_MAX + 1], ..TrustEntry::default() };
        assert_eq!(list.add(issuer, wide), Err(TrustListFull));
    }
}
