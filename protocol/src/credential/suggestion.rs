//! Skills that a badge may be about, where it names none: names of a vocabulary in its texts.
//!
//! A name that occurs in a description says little: "no Java needed" has one as well. So this yields
//! suggestions, for a person to accept, never a claim. It guesses nothing: a name has to stand there as
//! the vocabulary has it, and a name of several skills suggests none.
//!
//! Specification: `spec/import.md`, "Suggestions".

use std::collections::BTreeSet;

use super::Credential;
use crate::text::shown;
use crate::{
    json::items,
    limits::{ALIGNMENTS_MAX, SUGGESTION_TEXT_BYTES_MAX, SUGGESTION_WORDS_MAX, SUGGESTIONS_MAX},
    skill::SkillId,
    vocabulary::{Resolution, Skill, Vocabulary},
};

/// Names of so few characters have to be written as the vocabulary writes them: `Go` is a language, `go`
/// is a word.
const SHORT_NAME_CHARS: usize = 3;

/// Places at which a name is tried to end.
const ENDS_MAX: usize = 2 * SUGGESTION_WORDS_MAX;

/// A skill whose name stands in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// The skill.
    pub skill: SkillId,
    /// What the vocabulary calls it.
    pub label: String,
    /// Which of the texts names it.
    pub place: &'static str,
    /// The name as it stands there, fit to be shown.
    pub words: String,
}

/// The texts of a credential in which names of skills may be looked for, with the names of their places.
pub fn texts(credential: &Credential) -> Vec<(&'static str, &str)> {
    let document = credential.document();
    let subject = items(document.get("credentialSubject")).first();
    // An SD-JWT VC has its subject's claims at the top.
    let achievement = subject.and_then(|subject| subject.get("achievement")).or(document.get("achievement"));
    let of_achievement = |name: &str| achievement.and_then(|achievement| achievement.get(name));
    let named = [
        ("name", document.get("name")),
        ("name", of_achievement("name")),
        ("description", document.get("description")),
        ("description", of_achievement("description")),
        ("criteria", of_achievement("criteria").and_then(|criteria| criteria.get("narrative"))),
    ];
    let tags = items(of_achievement("tag")).iter().take(ALIGNMENTS_MAX);
    let tags = tags.map(|tag| ("tags", Some(tag)));
    let places = named.into_iter().chain(tags);
    places.filter_map(|(place, value)| Some((place, value?.as_str()?))).collect()
}

/// The skills that `texts`, each with the name of its place, name; in order of appearance, each once, at
/// most [`SUGGESTIONS_MAX`]. Of names that overlap the one that begins first counts, and of those the longest.
pub fn suggest(texts: &[(&'static str, &str)], vocabulary: &Vocabulary) -> Vec<Suggestion> {
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    for (place, text) in texts {
        let read_to =
            (0..=SUGGESTION_TEXT_BYTES_MAX.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
        let text = &text[..read_to.unwrap_or_default()];
        let mut at = 0;
        while let Some(start) = (at..text.len()).find(|start| is_start(text, *start)) {
            let name = ends(text, start)
                .into_iter()
                .rev()
                .find_map(|end| named(&text[start..end], text.trim(), vocabulary).map(|skill| (end, skill)));
            let Some((end, skill)) = name else {
                at = start + 1;
                continue;
            };
            at = end;
            if seen.insert(&skill.id) {
                found.push(Suggestion {
                    skill: skill.id.clone(),
                    label: skill.label.clone(),
                    place,
                    words: shown(&text[start..end]),
                });
            }
            if found.len() == SUGGESTIONS_MAX {
                return found;
            }
        }
    }
    found
}

/// The one skill that `words` name, which are part of the text `whole` or all of it.
fn named<'v>(words: &str, whole: &str, vocabulary: &'v Vocabulary) -> Option<&'v Skill> {
    let Resolution::Unique(id) = vocabulary.exact(words)? else { return None };
    let skill = vocabulary.get(&id)?;
    let mut names = std::iter::once(&skill.label).chain(&skill.alternatives);
    let is_written_so = names.any(|name| {
        name == words || name.strip_prefix(words).is_some_and(|qualifier| qualifier.starts_with(" ("))
    });
    let is_short = words.chars().nth(SHORT_NAME_CHARS).is_none();
    (!is_short || is_written_so || words == whole).then_some(skill)
}

/// Whether a name can begin at this byte.
fn is_start(text: &str, at: usize) -> bool {
    let Some(first) = text.get(at..).and_then(|rest| rest.chars().next()) else { return false };
    (first.is_alphanumeric() || first == '.') && is_free(text[..at].chars().rev())
}

/// Where a name that begins at `start` can end, nearest first: at most [`SUGGESTION_WORDS_MAX`] words on, and
/// so many places that a text of nothing but places where names begin and end costs little.
fn ends(text: &str, start: usize) -> Vec<usize> {
    let (mut ends, mut words, mut is_in_word) = (Vec::new(), 0, false);
    for (at, c) in text[start..].char_indices() {
        if c.is_whitespace() {
            is_in_word = false;
            continue;
        }
        words += usize::from(!is_in_word);
        is_in_word = true;
        if words > SUGGESTION_WORDS_MAX || ends.len() == ENDS_MAX {
            break;
        }
        let end = start + at + c.len_utf8();
        if (c.is_alphanumeric() || matches!(c, '+' | '#' | ')')) && is_free(text[end..].chars()) {
            ends.push(end);
        }
    }
    ends
}

/// Whether a name can stand next to these characters, nearest first, without being part of a longer word:
/// `C` in `C, Go` but not in `C++`, `C#`, `C-section` or `R&C`.
fn is_free(mut beyond: impl Iterator<Item = char>) -> bool {
    match beyond.next() {
        None => true,
        Some(c) if c.is_alphanumeric() => false,
        Some('+' | '#') => false,
        Some('.' | '-' | '_' | '&' | '@' | '\'' | '’') => !beyond.next().is_some_and(char::is_alphanumeric),
        Some(_) => true,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn vocabulary() -> Vocabulary {
        let table = "urn:c\tKNACK\tC\t\t\t1\nurn:cpp\tKNACK\tC++\t\t\t1\nurn:go\tKNACK\tGo\tgolang\t\t1\n\
            urn:net\tKNACK\t.NET\t\t\t1\nurn:py\tKNACK\tPython (computer programming)\t\t\t1\n\
            urn:ml\tKNACK\tmachine learning\tML\t\t1\nurn:mle\tKNACK\tmachine learning engineering\t\t\t1\n\
            urn:a\tKNACK\tA\tboth\t\t1\nurn:b\tKNACK\tB\tboth\t\t1\nurn:ci\tKNACK\tcontinuous integration\tCI/CD\t\t1\n";
        Vocabulary::from_tsv(table).unwrap()
    }

    #[track_caller]
    fn suggests(text: &str, expected: &[&str]) {
        let found = suggest(&[("description", text)], &vocabulary());
        let words: Vec<&str> = found.iter().map(|suggestion| suggestion.words.as_str()).collect();
        assert_eq!(words, expected, "{text}");
    }

    #[test]
    fn names_are_found_as_whole_words() {
        suggests("Python, C and Machine  Learning.", &["Python", "C", "Machine Learning"]);
        suggests("machine learning engineering", &["machine learning engineering"]);
        suggests("machine learning engineers", &["machine learning"]);
        suggests("(C++) .NET/Go; ci/cd", &["C++", ".NET", "Go", "ci/cd"]);
        suggests("Pythonic, C#, C-section, R&C, C's, ASP.NET, e.g.C", &[]);
        suggests("Uses Go. And C - as well", &["Go", "C"]);
        suggests("python (computer programming)", &["python (computer programming)"]);
        suggests("both", &[]);
        suggests("", &[]);
    }

    #[test]
    fn short_names_count_as_the_vocabulary_writes_them() {
        suggests("where to go for ml and golang", &["golang"]);
        suggests("go", &["go"]);
        suggests("ML", &["ML"]);
    }

    #[test]
    fn each_skill_is_suggested_once_with_its_place() {
        let texts = [("name", "Go badge"), ("tags", "c++"), ("tags", "go"), ("tags", "C")];
        let found = suggest(&texts, &vocabulary());
        let found: Vec<_> = found.iter().map(|s| (s.place, s.skill.as_str(), s.label.as_str())).collect();
        assert_eq!(found, [("name", "urn:go", "Go"), ("tags", "urn:cpp", "C++"), ("tags", "urn:c", "C")]);
    }

    #[test]
    fn the_work_is_bounded() {
        let vocabulary = Vocabulary::embedded();
        let labels: Vec<&str> = vocabulary.skills().iter().map(|skill| skill.label.as_str()).collect();
        assert_eq!(suggest(&[("description", &labels.join(", "))], &vocabulary).len(), SUGGESTIONS_MAX);
        let far = format!("{}C", "x ".repeat(SUGGESTION_TEXT_BYTES_MAX / 2));
        assert!(suggest(&[("description", &far)], &vocabulary).is_empty());
        for costly in ["a.", "a- ", "a,", "a", "a#", "((", "é,"] {
            let text = costly.repeat(SUGGESTION_TEXT_BYTES_MAX);
            assert!(suggest(&[("description", &text)], &vocabulary).is_empty(), "{costly}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(C|\\+|#|\\.|NET|Go|go|é|ß|İ| |-|machine|learning|\\(|\\)|/|.){0,40}") {
            for suggestion in suggest(&[("name", &text)], &vocabulary()) {
                prop_assert!(text.split_whitespace().collect::<Vec<_>>().join(" ").contains(&suggestion.words));
            }
        }
    }
}
