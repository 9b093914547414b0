//! What a holder passes on: the token, and of the disclosures those it chose (RFC 9901 section 7.2).

use super::{Disclosure, HashAlgorithm, SdJwt};
use crate::{claim_path::ClaimPath, key::VerifyingKey};

/// A token with the disclosures that its holder chose, without a key binding. [`Presentation::bind`] adds one.
#[derive(Clone, Debug)]
pub struct Presentation {
    pub(super) text: String,
    pub(super) hash: HashAlgorithm,
    /// The key that a key binding must be signed with.
    pub(super) holder: Option<VerifyingKey>,
}

impl Presentation {
    /// The text to send to a verifier that needs not know who shows it.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl SdJwt {
    /// A presentation of the claims that are always visible, of those whose disclosures `choose` picks, and of those that
    /// must be shown for these to have a place.
    pub fn select(&self, choose: impl Fn(&Disclosure) -> bool) -> Presentation {
        let mut shown = vec![false; self.disclosures.len()];
        for (index, disclosure) in self.disclosures.iter().enumerate() {
            let mut next = choose(disclosure).then_some(index);
            while let Some(index) = next.filter(|index| !shown[*index]) {
                shown[index] = true;
                next = self.disclosures[index].parent;
            }
        }
        let mut text = format!("{}~", self.token.text());
        for (disclosure, _) in self.disclosures.iter().zip(shown).filter(|(_, shown)| *shown) {
            text.push_str(&disclosure.text);
            text.push('~');
        }
        Presentation { text, hash: self.hash, holder: self.holder_key().ok().flatten() }
    }

    /// A presentation of the claims at `paths` with all that is inside them, of those that must be shown for these to have
    /// a place, and of those that are always visible.
    pub fn select_paths(&self, paths: &[ClaimPath]) -> Presentation {
        self.select(|disclosure| {
            let shown = &disclosure.path;
            paths.iter().any(|path| shown.starts_with(path) || path.starts_with(shown))
        })
    }
}
