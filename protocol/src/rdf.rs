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
