//! Where in a JSON document a claim stands.
//!
//! Formats that disclose claims one by one, and queries that ask for them, name a claim by the keys and indices that lead
//! to it from the root. Indices count the elements that are seen, so that a path is of the document it was taken from.

use std::fmt;

use serde_json::{Map, Value};

use crate::text::shown;

/// One step of a [`ClaimPath`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Into the member of an object that has this key.
    Member(String),
    /// Into the element of an array, from 0.
    Element(usize),
}

/// The way from the root of a document to a claim; empty for the root itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClaimPath(Vec<Step>);

impl ClaimPath {
    /// The steps from the root.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// The path of this claim's member `key`.
    #[must_use]
    pub fn member(mut self, key: &str) -> Self {
        self.push(Step::Member(key.to_owned()));
        self
    }

    /// The path of this claim's element `index`.
    #[must_use]
    pub fn element(mut self, index: usize) -> Self {
        self.push(Step::Element(index));
        self
    }

    /// Goes one step further.
    pub fn push(&mut self, step: Step) {
        self.0.push(step);
    }

    /// Goes one step back.
    pub fn pop(&mut self) {
        self.0.pop();
    }

    /// Whether this path leads through `other`, or to it.
    pub fn starts_with(&self, other: &ClaimPath) -> bool {
        self.0.starts_with(&other.0)
    }

    /// The claim of `document` that stands there, unless the path is empty.
    pub fn find<'v>(&self, document: &'v Map<String, Value>) -> Option<&'v Value> {
        let (first, rest) = self.0.split_first()?;
        let Step::Member(key) = first else { return None };
        rest.iter().try_fold(document.get(key)?, |value, step| match step {
            Step::Member(key) => value.as_object()?.get(key),
            Step::Element(index) => value.as_array()?.get(*index),
        })
    }
}

impl FromIterator<Step> for ClaimPath {
    fn from_iter<I: IntoIterator<Item = Step>>(steps: I) -> Self {
        ClaimPath(steps.into_iter().collect())
    }
}

impl fmt::Display for ClaimPath {
    /// `address.lines[0]`, fit to be shown to a person; keys that contain dots read as several.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        for step in &self.0 {
            match step {
                Step::Member(key) if text.is_empty() => text.push_str(key),
                Step::Member(key) => text.extend([".", key]),
                Step::Element(index) => text.push_str(&format!("[{index}]")),
            }
        }
        f.write_str(&shown(&text))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    #[test]
    fn paths_lead_to_claims() {
        let document = json!({"a": {"b": [1, {"c": 2}]}, "d": null});
        let document = document.as_object().unwrap();
        let path = ClaimPath::default().member("a").member("b").element(1).member("c");
        assert_eq!(path.find(document), Some(&json!(2)));
        assert_eq!(path.to_string(), "a.b[1].c");
        assert!(path.starts_with(&ClaimPath::default().member("a").member("b")));
        assert!(!path.starts_with(&ClaimPath::default().member("b")));
        for nowhere in [
            ClaimPath::default(),
            ClaimPath::default().element(0),
            ClaimPath::default().member("a").element(0),
            ClaimPath::default().member("a").member("b").member("0"),
            ClaimPath::default().member("a").member("b").element(2),
            ClaimPath::default().member("d").member("e"),
        ] {
            assert_eq!(nowhere.find(document), None, "{nowhere}");
        }
        assert_eq!(ClaimPath::default().member("\u{202e}x\n").to_string(), "x");
    }
}
