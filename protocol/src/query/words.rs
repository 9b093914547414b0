//! Free text in queries: consecutive words, compared without regard to case and punctuation.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::limits::QUERY_TEXT_BYTES_MAX;

/// One or more words in lower case, single spaces between them, at most [`QUERY_TEXT_BYTES_MAX`] bytes.
///
/// A word is a longest run of characters that Unicode calls alphabetic or numeric, in lower case. No other
/// normalisation is done: `é` as one character and as two are different words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Words(String);

/// Why a text holds no words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotWords {
    /// Nothing but spaces and punctuation.
    #[error("no letter or digit")]
    Empty,
    /// Too long.
    #[error("more than {QUERY_TEXT_BYTES_MAX} bytes of text")]
    TooLong,
}

impl Words {
    /// The words, single spaces between them.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the words stand in `text` in this order, next to each other.
    pub fn occur_in(&self, text: &str) -> bool {
        let wanted: Vec<&str> = self.0.split(' ').collect();
        let words: Vec<String> = words(text).collect();
        words.windows(wanted.len()).any(|window| window.iter().zip(&wanted).all(|(a, b)| a == b))
    }
}

impl FromStr for Words {
    type Err = NotWords;

    fn from_str(s: &str) -> Result<Self, NotWords> {
        let mut text = String::new();
        for word in words(s) {
            if !text.is_empty() {
                text.push(' ');
            }
            text += &word;
            if text.len() > QUERY_TEXT_BYTES_MAX {
                return Err(NotWords::TooLong);
            }
        }
        if text.is_empty() { Err(NotWords::Empty) } else { Ok(Words(text)) }
    }
}

impl TryFrom<String> for Words {
    type Error = NotWords;

    fn try_from(s: String) -> Result<Self, NotWords> {
        s.parse()
    }
}

impl From<Words> for String {
    fn from(words: Words) -> String {
        words.0
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric())
        // Lower case can bring marks that are no letters (the dot of a Turkish capital I): they would
        // split the word the next time it is read.
        .map(|word| word.chars().flat_map(char::to_lowercase).filter(|c| c.is_alphanumeric()).collect())
        .filter(|word: &String| !word.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_character_reads_back_as_it_was_written() {
        for c in ('\0'..=char::MAX).filter(|c| c.is_alphanumeric()) {
            if let Ok(words) = c.to_string().parse::<Words>() {
                assert_eq!(words.as_str().parse(), Ok(words.clone()), "{c}");
            }
        }
    }

    #[test]
    fn words_occur_next_to_each_other() {
        let wanted: Words = "Distributed-Systems".parse().unwrap();
        assert_eq!(wanted.as_str(), "distributed systems");
        assert!(wanted.occur_in("Engineer of DISTRIBUTED systems, Berlin"));
        assert!(!wanted.occur_in("distributed and other systems"));
        assert!(!wanted.occur_in("distributed system"));
        assert_eq!("&& - !".parse::<Words>(), Err(NotWords::Empty));
        assert_eq!("x".repeat(129).parse::<Words>(), Err(NotWords::TooLong));
    }
}
