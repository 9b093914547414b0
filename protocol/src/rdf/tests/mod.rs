//! Documents: what others published, what two implementations say, and what a stranger may send.

#![allow(clippy::unwrap_used)]

mod differential;
mod documents;
mod made_up;
mod properties;
mod published;

use serde_json::{Map, Value};

/// The document that `text` is.
fn object(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap()
}
