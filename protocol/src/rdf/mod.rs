//! JSON-LD to RDF, and one text for each RDF dataset: what proofs with `rdfc` in their name sign.
//!
//! [`canonical_nquads`] reads a document as JSON-LD 1.1, in the contexts that are bundled with this program,
//! and writes what it says as canonical N-Quads (RDFC-1.0). Two documents that say the same have one text,
//! and everything that a document says is in its text: what JSON-LD would leave out with a warning (a term
//! that no context defines, a relative IRI, a value without a property) is an error here, since it would be
//! outside a signature that seems to cover it.
//!
//! Invariants: nothing is fetched; the outcome depends on the document alone; the work that a stranger's
//! document can cause is bounded (`limits.rs`, `RDF_`).
//!
//! Specification: `spec/rdf.md`.

mod active;
mod budget;
mod bundled;
mod canonical;
mod expand;
mod keyword;
mod literal;
mod local;
mod map;
mod node;
mod term;

#[cfg(test)]
mod nquads;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value};
use sha2::Sha256;

pub use self::bundled::{BUNDLED_CONTEXTS, BundledContext};
use self::{bundled::Contexts, expand::Expander};
use crate::limits::{
    JSON_DEPTH_MAX, RDF_BYTES_MAX, RDF_CONTEXT_TERMS_MAX, RDF_QUADS_MAX, RDF_TERM_CHAIN_MAX, RDF_WORK_MAX,
};

/// Why a document has no canonical N-Quads. Texts are cut to a length that a message can have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RdfError {
    /// A context that is not bundled.
    #[error("the context {0:?} is not among those known here")]
    UnknownContext(String),
    /// A context that breaks a rule of JSON-LD.
    #[error("an @context is invalid: {0}")]
    InvalidContext(&'static str),
    /// A context that changes what a protected term means, or would forget it (`null`).
    #[error("an @context redefines the protected term {0:?}")]
    ProtectedTerm(String),
    /// More terms than [`RDF_CONTEXT_TERMS_MAX`], or a chain of them longer than [`RDF_TERM_CHAIN_MAX`].
    #[error(
        "its contexts define more than {RDF_CONTEXT_TERMS_MAX} terms, or more than {RDF_TERM_CHAIN_MAX} from \
         one another"
    )]
    ContextTooLarge,
    /// A key that no context defines and that is no IRI.
    #[error("no context defines {0:?}")]
    UndefinedTerm(String),
    /// A text that should be an absolute IRI.
    #[error("{0:?} is no absolute IRI, and no context makes it one")]
    NotAnIri(String),
    /// Something that JSON-LD leaves out.
    #[error("JSON-LD would leave something out: {0}")]
    Dropped(&'static str),
    /// A document that breaks a rule of JSON-LD.
    #[error("no JSON-LD: {0}")]
    Invalid(&'static str),
    /// Something that a reader of plain JSON would miss: see [`Form::Plain`].
    #[error("readers of plain JSON would miss what stands at {0:?}")]
    NotPlain(String),
    /// A part of JSON-LD that is not implemented here.
    #[error("{0} is not supported")]
    Unsupported(&'static str),
    /// Nested deeper than [`JSON_DEPTH_MAX`].
    #[error("nested deeper than {JSON_DEPTH_MAX}")]
    TooDeep,
    /// More quads than [`RDF_QUADS_MAX`].
    #[error("more than {RDF_QUADS_MAX} quads")]
    TooManyQuads,
    /// More bytes than [`RDF_BYTES_MAX`].
    #[error("quads of more than {RDF_BYTES_MAX} bytes")]
    TooLong,
    /// Blank nodes that cannot be told apart within [`RDF_WORK_MAX`].
    #[error("its blank nodes cannot be told apart within {RDF_WORK_MAX} steps")]
    TooComplex,
}

impl RdfError {
    /// The stable name of this refusal.
    pub const fn code(&self) -> &'static str {
        match self {
            RdfError::UnknownContext(_) => "rdf-unknown-context",
            RdfError::InvalidContext(_) => "rdf-invalid-context",
            RdfError::ProtectedTerm(_) => "rdf-protected-term",
            RdfError::ContextTooLarge => "rdf-context-too-large",
            RdfError::UndefinedTerm(_) => "rdf-undefined-term",
            RdfError::NotAnIri(_) => "rdf-not-an-iri",
            RdfError::Dropped(_) => "rdf-dropped",
            RdfError::Invalid(_) => "rdf-invalid",
            RdfError::NotPlain(_) => "rdf-not-plain",
            RdfError::Unsupported(_) => "rdf-unsupported",
            RdfError::TooDeep => "rdf-too-deep",
            RdfError::TooManyQuads => "rdf-too-many-quads",
            RdfError::TooLong => "rdf-too-long",
            RdfError::TooComplex => "rdf-too-complex",
        }
    }

    /// Whether the document may be sound, and is only beyond what is known or allowed here.
    pub const fn is_unsupported(&self) -> bool {
        use RdfError::{
            ContextTooLarge, NotPlain, TooComplex, TooDeep, TooLong, TooManyQuads, UnknownContext,
            Unsupported,
        };
        matches!(
            self,
            UnknownContext(_)
                | NotPlain(_)
                | Unsupported(_)
                | ContextTooLarge
                | TooDeep
                | TooManyQuads
                | TooLong
                | TooComplex
        )
    }

    /// As much of a stranger's text as an error keeps.
    fn named(text: &str) -> String {
        text.chars().take(128).collect()
    }
}

/// Which documents are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// All that JSON-LD can say, however it says it.
    Any,
    /// Only those that say it where a reader of plain JSON looks for it. RDF has no place and no keys: the same
    /// statement can stand under an IRI or an alias instead of its usual key, or in another object of the same
    /// `@id`, and a proof of the RDF does not notice. Whoever takes `validUntil` from the JSON must not find
    /// nothing there when it was signed.
    ///
    /// Contexts are named by URL, and have one name for each property ([`BundledContext::is_plain`]); keys and
    /// types are words of theirs, not IRIs, or `id`, `type` and, in value objects, `@value`, `@type`, `@language`
    /// and `@direction`; and no object within the document says anything of the document's `id`.
    Plain,
}

/// What `document` says, as canonical N-Quads with names from SHA-256.
///
/// # Errors
/// [`RdfError`] names the first thing that the document cannot be read by, or that would be left out.
pub fn canonical_nquads(document: &Map<String, Value>, form: Form) -> Result<String, RdfError> {
    let items = Expander::new(Contexts::bundled(), form).document(document)?;
    canonical::canonicalize::<Sha256>(&node::quads(items)?)
}
