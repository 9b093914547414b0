//! Stub.
use serde_json::{Map, Value};
/// Error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RdfError {
    /// Unavailable.
    #[error("unavailable")]
    Unavailable,
}
impl RdfError {
    /// Unsupported.
    pub const fn is_unsupported(&self) -> bool {
        true
    }
    /// Code.
    pub const fn code(&self) -> &'static str {
        "rdf-unavailable"
    }
}
/// Canonical.
pub fn canonical_nquads(_: &Map<String, Value>) -> Result<String, RdfError> {
    Err(RdfError::Unavailable)
}

/// A context that is part of this program.
#[derive(Clone, Copy, Debug)]
pub struct BundledContext {
    /// The URL that documents name it by.
    pub url: &'static str,
    /// The document that the URL stands for.
    pub text: &'static str,
}

/// Every context that a document may name.
pub const BUNDLED_CONTEXTS: &[BundledContext] = &[BundledContext {
    url: "https://www.w3.org/ns/credentials/v2",
    text: include_str!("../vectors/credential/contexts/credentials-v2.json"),
}];
