//! Who signs: a DID, the verification method under which its document lists the key, and the key.

use crate::key::{Did, SecretKey, SigningKey};

/// A controller and one of its keys.
#[derive(Clone, Debug)]
pub struct Signer {
    controller: Did,
    method: String,
    key: SigningKey,
}

impl Signer {
    /// The signer whose DID is the `did:key` of its key.
    pub fn of_key(key: SigningKey) -> Self {
        let controller = key.did();
        let fragment = controller.as_str().trim_start_matches("did:key:");
        let method = format!("{controller}#{fragment}");
        Signer { controller, method, key }
    }

    /// The signer whose DID document lists `key` as `fragment` (without `#`).
    pub fn of_document(controller: Did, fragment: &str, key: SigningKey) -> Self {
        let method = format!("{controller}#{fragment}");
        Signer { controller, method, key }
    }

    /// Whose signature it is.
    pub fn controller(&self) -> &Did {
        &self.controller
    }

    /// The verification method, a DID URL.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The key.
    pub fn key(&self) -> &SigningKey {
        &self.key
    }
}

impl From<&SecretKey> for Signer {
    fn from(key: &SecretKey) -> Self {
        Signer::of_key(key.clone().into())
    }
}
