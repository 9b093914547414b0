//! What one document's contexts may cost.

use std::sync::Arc;

use super::RdfError;
use crate::limits::{RDF_BYTES_MAX, RDF_CONTEXT_TERMS_MAX};

/// What has been spent.
#[derive(Debug, Default)]
pub(super) struct Budget {
    terms: usize,
    bytes: usize,
}

impl Budget {
    /// Pays for `count` term definitions.
    pub(super) fn terms(&mut self, count: usize) -> Result<(), RdfError> {
        self.terms += count;
        if self.terms > RDF_CONTEXT_TERMS_MAX { Err(RdfError::ContextTooLarge) } else { Ok(()) }
    }

    /// Pays for `count` bytes.
    pub(super) fn bytes(&mut self, count: usize) -> Result<(), RdfError> {
        self.bytes += count;
        if self.bytes > RDF_BYTES_MAX { Err(RdfError::TooLong) } else { Ok(()) }
    }

    /// `start` followed by `end`. An IRI that a short text stands for can be long, so it is paid for.
    pub(super) fn join(&mut self, start: &str, end: &str) -> Result<Arc<str>, RdfError> {
        self.bytes(start.len() + end.len())?;
        Ok([start, end].concat().into())
    }
}
