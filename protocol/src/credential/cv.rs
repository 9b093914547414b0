//! Skills that a curriculum vitae claims: JSON Resume and the JSON of Europass.
//!
//! Of a curriculum nothing is kept but names of skills, with a level where one is stated; everything about the
//! person, where they worked and what they wrote about themselves is dropped, and by its section named as
//! dropped. Running text is only searched for names that the vocabulary knows. What comes out is the holder's
//! word, never proof of anything.
//!
//! Sources: JSON Resume schema 1.0 (jsonresume.org); Europass JSON schema 3.0 to 3.4 (Cedefop).
//! Specification: `spec/import.md`, "Curricula vitae".

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::suggestion::suggest;
use crate::{
    json::{self, JsonError, items},
    limits::{CV_SECTIONS_MAX, CV_SKILL_NAME_CHARS_MAX, CV_SKILLS_MAX, CV_TEXT_BYTES_MAX, IMPORT_BYTES_MAX},
    skill::{Level, SkillId},
    text::shown,
    vocabulary::{Resolution, Vocabulary},
};

/// What was taken from a curriculum, and what was not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Curriculum {
    /// What kind of document it was.
    pub format: CvFormat,
    /// The skills that it claims, each name once, at most [`CV_SKILLS_MAX`].
    pub skills: Vec<ClaimedSkill>,
    /// Whether it may claim more: there were more, or more text than is searched.
    pub is_cut: bool,
    /// Names of sections of which something or everything was not taken, fit to be shown, at most
    /// [`CV_SECTIONS_MAX`].
    pub dropped: Vec<String>,
}

/// A kind of curriculum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CvFormat {
    /// JSON Resume.
    JsonResume,
    /// Europass, the JSON of the years 2013 to 2020.
    Europass,
}

/// A skill that a curriculum claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedSkill {
    /// Its name as written, fit to be shown.
    pub name: String,
    /// The one skill that the vocabulary knows by this name.
    pub skill: Option<SkillId>,
    /// Where it stands, such as `skills[0].keywords[2]`.
    pub place: String,
    /// How well it is said to be mastered, if that is stated in words that are understood.
    pub level: Option<Level>,
}

/// Why a text is no curriculum.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CvError {
    /// Not JSON, or JSON that readers could read differently.
    #[error("not a curriculum vitae: {0}")]
    Json(#[from] JsonError),
    /// JSON of another kind.
    #[error("neither JSON Resume nor Europass")]
    OtherFormat,
}

impl CvError {
    /// The stable name of this refusal.
    pub const fn code(&self) -> &'static str {
        match self {
            CvError::Json(e) => e.code(),
            CvError::OtherFormat => "not-a-cv",
        }
    }
}

impl CvFormat {
    /// What kind of curriculum a document is meant to be; `None` when it is none.
    pub fn of(document: &Value) -> Option<Self> {
        if europass_learner(document).is_some() {
            return Some(CvFormat::Europass);
        }
        let names_schema = document.get("$schema").and_then(Value::as_str);
        let is_named = names_schema.is_some_and(|schema| schema.contains("resume-schema"));
        let has_basics = document.get("basics").is_some_and(Value::is_object);
        let has_skills = document.get("skills").is_some_and(Value::is_array);
        (is_named
            || (has_basics && document.get("@context").is_none())
            || (has_skills && has_only_sections(document)))
        .then_some(CvFormat::JsonResume)
    }
}

/// Reads a curriculum in JSON, of at most [`IMPORT_BYTES_MAX`] bytes.
///
/// # Errors
/// [`CvError`] when the text is not JSON, or JSON of another kind.
pub fn read(text: &str, vocabulary: &Vocabulary) -> Result<Curriculum, CvError> {
    let document = json::parse(text, IMPORT_BYTES_MAX)?;
    let format = CvFormat::of(&document).ok_or(CvError::OtherFormat)?;
    let mut reading = Reading {
        vocabulary,
        seen: BTreeSet::new(),
        own: BTreeSet::new(),
        unsearched: CV_TEXT_BYTES_MAX,
        found: Curriculum { format, skills: Vec::new(), is_cut: false, dropped: Vec::new() },
    };
    match format {
        CvFormat::JsonResume => reading.json_resume(&document),
        CvFormat::Europass => reading.europass(&document),
    }
    Ok(reading.found)
}

/// Sections of JSON Resume.
const SECTIONS: [&str; 15] = [
    "$schema",
    "awards",
    "basics",
    "certificates",
    "education",
    "hobbies",
    "interests",
    "languages",
    "meta",
    "projects",
    "publications",
    "references",
    "skills",
    "volunteer",
    "work",
];

fn has_only_sections(document: &Value) -> bool {
    let names = document.as_object().map(Map::keys);
    names.is_some_and(|mut names| names.all(|name| SECTIONS.contains(&name.as_str())))
}

/// What Europass holds of the learner.
fn europass_learner(document: &Value) -> Option<&Map<String, Value>> {
    document.get("SkillsPassport").unwrap_or(document).get("LearnerInfo")?.as_object()
}

/// A curriculum that is being read.
struct Reading<'v> {
    vocabulary: &'v Vocabulary,
    /// Names that were found, in lower case.
    seen: BTreeSet<String>,
    /// Names that have entries of their own, in lower case: what these say of the level counts, not what stands beside a list
    /// of keywords in which the name is, too.
    own: BTreeSet<String>,
    /// Bytes of running text that may still be searched.
    unsearched: usize,
    found: Curriculum,
}

impl Reading<'_> {
    fn json_resume(&mut self, document: &Value) {
        let skills = items(document.get("skills"));
        let names = skills.iter().filter_map(|skill| skill.as_str().or_else(|| skill.get("name")?.as_str()));
        self.own = names.map(|name| shown(name).to_lowercase()).collect();
        for (n, skill) in skills.iter().enumerate() {
            let level = skill.get("level").and_then(Value::as_str).and_then(level);
            match skill {
                Value::String(name) => self.named(name, format!("skills[{n}]"), None),
                _ => self.text(skill.get("name"), format!("skills[{n}].name"), level),
            }
            self.keywords(skill, &format!("skills[{n}]"), level);
        }
        for (n, project) in items(document.get("projects")).iter().enumerate() {
            self.keywords(project, &format!("projects[{n}]"), None);
        }
        for name in document.as_object().into_iter().flat_map(Map::keys) {
            if !["$schema", "skills", "meta"].contains(&name.as_str()) {
                self.drop(name);
            }
        }
    }

    fn keywords(&mut self, holder: &Value, place: &str, level: Option<Level>) {
        for (n, keyword) in items(holder.get("keywords")).iter().enumerate() {
            let has_own = |text: &str| self.own.contains(&shown(text).to_lowercase());
            if !keyword.as_str().is_some_and(has_own) {
                self.text(Some(keyword), format!("{place}.keywords[{n}]"), level);
            }
        }
    }

    fn europass(&mut self, document: &Value) {
        let Some(learner) = europass_learner(document) else { return };
        let skills = learner.get("Skills").and_then(Value::as_object);
        for (name, section) in skills.into_iter().flatten() {
            let description = section.get("Description");
            let text = description.and_then(|text| text.as_str().or_else(|| text.get("Label")?.as_str()));
            match (name.as_str(), text) {
                ("Communication" | "Organisational" | "JobRelated" | "Computer" | "Other", Some(text)) => {
                    self.running_text(&without_tags(text), &format!("Skills.{name}.Description"));
                    self.drop(&format!("Skills.{name} (except names of skills)"));
                }
                _ => self.drop(&format!("Skills.{name}")),
            }
        }
        for name in learner.keys().filter(|name| *name != "Skills") {
            self.drop(name);
        }
        let passport = document.get("SkillsPassport").and_then(Value::as_object);
        for name in passport.into_iter().flat_map(Map::keys).filter(|name| *name != "LearnerInfo") {
            self.drop(name);
        }
    }

    fn text(&mut self, value: Option<&Value>, place: String, level: Option<Level>) {
        if let Some(text) = value.and_then(Value::as_str) {
            self.named(text, place, level);
        }
    }

    /// Takes a text that is meant to be a skill's name. One that is too long for a name says other things too.
    fn named(&mut self, text: &str, place: String, level: Option<Level>) {
        let name = shown(text);
        let skill = match self.vocabulary.exact(&name) {
            Some(Resolution::Unique(skill)) => Some(skill),
            _ => None,
        };
        if skill.is_none() && name.chars().count() > CV_SKILL_NAME_CHARS_MAX {
            return self.running_text(text, &place);
        }
        if !name.is_empty() {
            self.take(ClaimedSkill { name, skill, place, level });
        }
    }

    /// Takes the names that the vocabulary knows out of a text about the person.
    fn running_text(&mut self, text: &str, place: &str) {
        if text.len() > self.unsearched {
            self.found.is_cut = true;
            return;
        }
        self.unsearched -= text.len();
        for suggestion in suggest(&[("cv", text)], self.vocabulary) {
            let skill = Some(suggestion.skill);
            self.take(ClaimedSkill { name: suggestion.words, skill, place: place.to_owned(), level: None });
        }
    }

    fn take(&mut self, claimed: ClaimedSkill) {
        if !self.seen.insert(claimed.name.to_lowercase()) {
            return;
        }
        if self.found.skills.len() == CV_SKILLS_MAX {
            self.found.is_cut = true;
        } else {
            self.found.skills.push(claimed);
        }
    }

    fn drop(&mut self, section: &str) {
        let section = shown(section);
        if self.found.dropped.len() < CV_SECTIONS_MAX && !self.found.dropped.contains(&section) {
            self.found.dropped.push(section);
        }
    }
}

/// The level that a word stands for; `None` for words that mean different things to different people.
fn level(text: &str) -> Option<Level> {
    let word = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let level = match word.as_str() {
        "novice" | "beginner" | "basic" | "1/5" => 1,
        "advanced beginner" | "elementary" | "2/5" => 2,
        "competent" | "intermediate" | "3/5" => 3,
        "proficient" | "advanced" | "4/5" => 4,
        "expert" | "master" | "5/5" => 5,
        _ => return None,
    };
    Level::try_from(level).ok()
}

/// A text of which every tag became a space.
fn without_tags(text: &str) -> String {
    let mut is_in_tag = false;
    let mut keep = |c: char| match (c, is_in_tag) {
        ('<', _) => {
            is_in_tag = true;
            ' '
        }
        ('>', true) => {
            is_in_tag = false;
            ' '
        }
        (_, true) => ' ',
        (c, false) => c,
    };
    text.chars().map(&mut keep).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::limits::{SHOWN_TEXT_BYTES_MAX, SUGGESTIONS_MAX};

    fn vocabulary() -> Vocabulary {
        let table = "urn:rust\tKNACK\tRust\t\t\t1\nurn:html\tKNACK\tHTML\thypertext\t\t1\nurn:css\tKNACK\tCSS\t\t\t1\n";
        Vocabulary::from_tsv(table).unwrap()
    }

    fn read(document: &Value) -> Curriculum {
        super::read(&document.to_string(), &vocabulary()).unwrap()
    }

    fn claims(curriculum: &Curriculum) -> Vec<(&str, Option<&str>, &str, Option<u8>)> {
        let skills = curriculum.skills.iter();
        skills
            .map(|s| {
                let id = s.skill.as_ref().map(SkillId::as_str);
                (s.name.as_str(), id, s.place.as_str(), s.level.map(Level::get))
            })
            .collect()
    }

    fn resume() -> Value {
        json!({
            "$schema": "https://raw.githubusercontent.com/jsonresume/resume-schema/v1.0.0/schema.json",
            "basics": {"name": "Bea Example", "email": "bea@a.example", "summary": "Bea writes Rust"},
            "work": [{"name": "Secret Employer", "startDate": "2014-06-29", "highlights": ["used CSS"]}],
            "skills": [
                {"name": "Web Development", "level": "Master", "keywords": ["html", "CSS", 7]},
                {"name": "rust", "level": "so so"},
                {"name": "RUST"},
                "Gardening",
                {"name": "  "},
                {"name": format!("In {} I wrote Rust and Hypertext for Bea", "a long time ago ".repeat(8))},
            ],
            "projects": [{"name": "Bea's", "keywords": ["Rust", "AngularJS"]}],
            "languages": [{"language": "English"}],
            "meta": {},
        })
    }

    #[test]
    fn of_a_json_resume_skills_and_nothing_else_are_kept() {
        let curriculum = read(&resume());
        assert_eq!(curriculum.format, CvFormat::JsonResume);
        assert_eq!(
            claims(&curriculum),
            [
                ("Web Development", None, "skills[0].name", Some(5)),
                ("html", Some("urn:html"), "skills[0].keywords[0]", Some(5)),
                ("CSS", Some("urn:css"), "skills[0].keywords[1]", Some(5)),
                ("rust", Some("urn:rust"), "skills[1].name", None),
                ("Gardening", None, "skills[3]", None),
                ("Hypertext", Some("urn:html"), "skills[5].name", None),
                ("AngularJS", None, "projects[0].keywords[1]", None),
            ]
        );
        assert_eq!(curriculum.dropped, ["basics", "work", "projects", "languages"]);
        assert!(!format!("{curriculum:?}").contains("Bea"));
    }

    #[test]
    fn a_skill_with_an_entry_of_its_own_inherits_no_level() {
        let curriculum = read(&json!({"basics": {}, "skills": [
            {"name": "Backend", "level": "Master", "keywords": ["Rust", "CSS", "html"]},
            {"name": "rust", "level": "Advanced"},
            {"name": "css"},
            {"name": "Frontend", "level": "Beginner", "keywords": ["HTML", "Rust"]},
        ]}));
        let levels: Vec<_> =
            claims(&curriculum).into_iter().map(|(name, _, _, level)| (name, level)).collect();
        let expected = [
            ("Backend", Some(5)),
            ("html", Some(5)),
            ("rust", Some(4)),
            ("css", None),
            ("Frontend", Some(1)),
        ];
        assert_eq!(levels, expected);
    }

    #[test]
    fn of_a_europass_only_names_that_are_known_are_kept() {
        let document = json!({"SkillsPassport": {
            "Locale": "en",
            "LearnerInfo": {
                "Identification": {"PersonName": {"FirstName": "Betty"}},
                "WorkExperience": [{"Position": {"Label": "Rust developer"}}],
                "Skills": {
                    "Linguistic": {"MotherTongue": [{"Description": {"Code": "en", "Label": "English"}}]},
                    "Communication": {"Description": "Betty likes teams"},
                    "Computer": {
                        "Description": "- competent with <b>HTML</b><br/>- CSS<script src='Rust'>",
                        "ProficiencyLevel": {"Information": "A"},
                    },
                    "Other": {"Description": {"Label": "rust"}},
                    "Driving": {"Description": ["B"]},
                },
            },
            "Attachment": [],
        }});
        let curriculum = read(&document);
        assert_eq!(curriculum.format, CvFormat::Europass);
        assert_eq!(
            claims(&curriculum),
            [
                ("HTML", Some("urn:html"), "Skills.Computer.Description", None),
                ("CSS", Some("urn:css"), "Skills.Computer.Description", None),
                ("rust", Some("urn:rust"), "Skills.Other.Description", None),
            ]
        );
        assert_eq!(
            curriculum.dropped,
            [
                "Skills.Linguistic",
                "Skills.Communication (except names of skills)",
                "Skills.Computer (except names of skills)",
                "Skills.Other (except names of skills)",
                "Skills.Driving",
                "Identification",
                "WorkExperience",
                "Locale",
                "Attachment",
            ]
        );
        assert!(!format!("{curriculum:?}").contains("Betty"));
        assert!(read(&json!({"LearnerInfo": {"Skills": []}})).skills.is_empty());
    }

    #[test]
    fn other_documents_are_none() {
        for text in [
            "[]",
            "{}",
            "7",
            r#"{"skills": {}}"#,
            r#"{"skills": [], "name": "a game's character"}"#,
            r#"{"basics": {}, "@context": "https://w3id.org/openbadges/v2"}"#,
            r#"{"LearnerInfo": 7}"#,
        ] {
            assert_eq!(super::read(text, &vocabulary()).unwrap_err().code(), "not-a-cv", "{text}");
        }
        assert_eq!(super::read("{", &vocabulary()).unwrap_err().code(), "json-syntax");
        assert_eq!(
            super::read(&" ".repeat(IMPORT_BYTES_MAX + 1), &vocabulary()).unwrap_err().code(),
            "too-long"
        );
        assert_eq!(CvFormat::of(&json!({"basics": {}})), Some(CvFormat::JsonResume));
        assert_eq!(CvFormat::of(&json!({"skills": [], "work": []})), Some(CvFormat::JsonResume));
    }

    #[test]
    fn what_comes_out_is_bounded() {
        let many: Vec<Value> = (0..1000).map(|n| json!({"name": format!("skill {n}")})).collect();
        let mut document = json!({"basics": {}, "skills": many});
        for n in 0..100 {
            document[format!("section {n}")] = json!([]);
        }
        let curriculum = read(&document);
        assert_eq!((curriculum.skills.len(), curriculum.is_cut), (CV_SKILLS_MAX, true));
        assert_eq!(curriculum.dropped.len(), CV_SECTIONS_MAX);
        let long =
            json!({"basics": {}, "skills": [{"name": "a,".repeat(CV_TEXT_BYTES_MAX)}, {"name": "Rust"}]});
        let curriculum = read(&long);
        assert_eq!((curriculum.skills.len(), curriculum.is_cut), (1, true));
    }

    #[test]
    fn levels_are_words_that_are_understood() {
        for (word, expected) in [
            ("Beginner", Some(1)),
            ("advanced  Beginner", Some(2)),
            ("4/5", Some(4)),
            ("4", None),
            ("ninja", None),
        ] {
            assert_eq!(level(word).map(Level::get), expected, "{word}");
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let words = prop::sample::select(vec![
            "basics",
            "skills",
            "keywords",
            "name",
            "level",
            "projects",
            "SkillsPassport",
            "LearnerInfo",
            "Skills",
            "Computer",
            "Other",
            "Description",
            "Label",
            "rust",
            "html <b> css",
            "Master",
        ]);
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i8>().prop_map(Value::from),
            words.clone().prop_map(Value::from),
            ".{0,90}".prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 40, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((words.clone(), inner), 0..6).prop_map(|members| {
                    members.into_iter().map(|(k, v)| (k.to_owned(), v)).collect::<Map<_, _>>().into()
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_json_is_read_or_refused(skills in any_json(), document in any_json()) {
            for document in [
                document,
                json!({"basics": {}, "skills": skills.clone(), "projects": skills.clone()}),
                json!({"LearnerInfo": {"Skills": skills}}),
            ] {
                let Ok(curriculum) = super::read(&document.to_string(), &vocabulary()) else { continue };
                for skill in &curriculum.skills {
                    let is_name = skill.name.chars().count() <= CV_SKILL_NAME_CHARS_MAX;
                    prop_assert!(is_name || skill.skill.is_some());
                    prop_assert!(!skill.name.is_empty() && skill.name.len() <= SHOWN_TEXT_BYTES_MAX);
                }
                prop_assert!(curriculum.skills.len() <= CV_SKILLS_MAX && SUGGESTIONS_MAX <= CV_SKILLS_MAX);
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,100}") {
            let _ = super::read(&text, &vocabulary());
        }
    }
}
