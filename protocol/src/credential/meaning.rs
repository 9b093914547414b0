//! Whether a document means all that it says.
//!
//! A term that no context defines means nothing to whoever reads JSON-LD, and a signature over canonical JSON covers it all the
//! same. Two readers then hold one signed text for two statements. Whoever issues to others, or tells them what it verified, had
//! better ask for this, whatever the form of the signature.
//!
//! Source: W3C Verifiable Credentials Data Model 2.0, section 5.2; Verifiable Credential Data Integrity 1.0, section 2.4.1.

use serde_json::{Map, Value};

use crate::rdf::{self, RdfError};

/// Reads `document`, its proofs aside, as the RDF that it stands for.
///
/// # Errors
/// [`RdfError`] names the first thing that would be lost. One that [`RdfError::is_unsupported`] says that it cannot be told:
/// the document names a context that is not bundled, for example.
pub fn check(document: &Map<String, Value>) -> Result<(), RdfError> {
    let mut unsecured = document.clone();
    unsecured.shift_remove("proof");
    rdf::canonical_nquads(&unsecured, rdf::Form::Any).map(drop)
}
