//! `did:key`: the identifier is the key, in multibase.
//!
//! Source: W3C CCG, The did:key Method 0.9.

use super::{DidMethod, Document, ResolveError, Source};
use crate::key::{Did, VerifyingKey};

/// The method, for the list of methods.
pub(super) const METHOD: DidMethod = DidMethod { name: "key", source: Source::Computed(document) };

/// What verification reads of the document: one key for every use.
fn document(did: &Did) -> Result<Document, ResolveError> {
    const REFUSED: ResolveError = ResolveError::Malformed("it is no did:key of base58 digits");
    let text = did.as_str().strip_prefix("did:key:").ok_or(REFUSED)?;
    // A key has one text: a second would be a second DID, unknown to whoever lists or distrusts the first.
    let key = VerifyingKey::from_multikey(text).filter(|key| key.multikey().as_deref() == Some(text));
    let Some(key) = key else {
        let is_base58 = text.strip_prefix('z').is_some_and(|digits| bs58::decode(digits).into_vec().is_ok());
        return Err(if is_base58 { ResolveError::UnsupportedKey } else { REFUSED });
    };
    Ok(Document::of_key(did.clone(), text, key))
}
