//! Whom a verifier recognises: its own list of issuers, kept by nobody else.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{key::Did, limits::TRUST_ENTRIES_MAX};

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
}

/// A trust list has [`TRUST_ENTRIES_MAX`] entries and takes no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a trust list has at most {TRUST_ENTRIES_MAX} entries; remove one first")]
pub struct TrustListFull;

impl TrustList {
    /// States an opinion of `issuer`, in place of any earlier one.
    ///
    /// # Errors
    /// [`TrustListFull`] when `issuer` is new and the list is full.
    pub fn add(&mut self, issuer: Did, entry: TrustEntry) -> Result<(), TrustListFull> {
        if self.entries.len() >= TRUST_ENTRIES_MAX && !self.entries.contains_key(&issuer) {
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

    /// Every opinion, by DID.
    pub fn iter(&self) -> impl Iterator<Item = (&Did, &TrustEntry)> {
        self.entries.iter()
    }
}

impl TryFrom<BTreeMap<Did, TrustEntry>> for TrustList {
    type Error = TrustListFull;

    fn try_from(entries: BTreeMap<Did, TrustEntry>) -> Result<Self, TrustListFull> {
        if entries.len() > TRUST_ENTRIES_MAX { Err(TrustListFull) } else { Ok(TrustList { entries }) }
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
        let distrusted = TrustEntry { name: None, distrusted: true };
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
}
