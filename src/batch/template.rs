//! A template: what the credentials of a batch have in common, with places for what differs.

use std::collections::BTreeSet;

use knackmesh_protocol::{credential::Format, key::Algorithm, limits::TEMPLATE_BYTES_MAX, text::shown};
use serde::{Deserialize, Serialize};

/// The column that names the holder.
pub(super) const DID: &str = "did";

/// The column that is for the names of files and never gets into a credential.
pub(super) const EMAIL: &str = "email";

/// A template whose texts are sound.
#[derive(Clone, Debug)]
pub struct Template {
    pub(super) batch: String,
    pub(super) achievement: Pattern,
    pub(super) description: Option<Pattern>,
    pub(super) criteria: Option<Pattern>,
    pub(super) skills: Vec<Pattern>,
    pub(super) level: Pattern,
    pub(super) expires: Option<Pattern>,
    pub(super) issuer_name: Option<Pattern>,
    pub(super) format: Format,
    pub(super) algorithm: Algorithm,
    pub(super) status: bool,
    written: Written,
}

/// A text with places for cells: `{column}`; braces themselves are written twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Column(String),
}

/// The file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    batch: String,
    achievement: String,
    description: Option<String>,
    criteria: Option<String>,
    skills: Vec<String>,
    level: NumberOrText,
    expires: Option<String>,
    issuer_name: Option<String>,
    #[serde(default)]
    format: Format,
    #[serde(default = "ed25519")]
    algorithm: Algorithm,
    #[serde(default)]
    status: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum NumberOrText {
    Number(i64),
    Text(String),
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Over [`TEMPLATE_BYTES_MAX`].
    #[error("over {} KiB", TEMPLATE_BYTES_MAX / 1024)]
    TooLong,
    /// Not TOML, or not with the fields of a template.
    #[error("{0}")]
    Toml(String),
    /// A brace without its other.
    #[error("`{0}`: a brace without its other; to write a brace, write it twice")]
    Brace(String),
    /// An address would get into credentials.
    #[error("`{{{EMAIL}}}` would write an address into credentials, which others read")]
    Email,
    /// No skill.
    #[error("no skill is named")]
    NoSkill,
    /// RS256.
    #[error("`algorithm` is EdDSA or ES256")]
    Algorithm,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// `TemplateError` says what is wrong with it.
    pub fn read(text: &str) -> Result<Self, TemplateError> {
        if text.len() > TEMPLATE_BYTES_MAX {
            return Err(TemplateError::TooLong);
        }
        let written: Written =
            toml::from_str(text).map_err(|e| TemplateError::Toml(e.to_string().trim_end().to_owned()))?;
        let optional = |text: &Option<String>| text.as_deref().map(Pattern::read).transpose();
        let level = match &written.level {
            NumberOrText::Number(number) => number.to_string(),
            NumberOrText::Text(text) => text.clone(),
        };
        let template = Template {
            batch: written.batch.clone(),
            achievement: Pattern::read(&written.achievement)?,
            description: optional(&written.description)?,
            criteria: optional(&written.criteria)?,
            skills: written.skills.iter().map(|text| Pattern::read(text)).collect::<Result<_, _>>()?,
            level: Pattern::read(&level)?,
            expires: optional(&written.expires)?,
            issuer_name: optional(&written.issuer_name)?,
            format: written.format,
            algorithm: written.algorithm,
            status: written.status,
            written,
        };
        if template.columns().contains(EMAIL) {
            return Err(TemplateError::Email);
        }
        if template.skills.is_empty() {
            return Err(TemplateError::NoSkill);
        }
        if template.algorithm == Algorithm::Rs256 {
            return Err(TemplateError::Algorithm);
        }
        Ok(template)
    }

    /// The columns that it has places for.
    pub fn columns(&self) -> BTreeSet<&str> {
        let optional = [&self.description, &self.criteria, &self.expires, &self.issuer_name];
        let optional = optional.into_iter().flatten();
        let all = optional.chain([&self.achievement, &self.level]).chain(&self.skills);
        all.flat_map(Pattern::columns).collect()
    }

    /// In which form its credentials are issued.
    pub fn format(&self) -> Format {
        self.format
    }

    /// What it says, without comments and white space: two templates that say the same are one.
    pub fn content(&self) -> String {
        serde_json::to_string(&self.written).unwrap_or_default()
    }
}

impl Pattern {
    fn read(text: &str) -> Result<Self, TemplateError> {
        let refuse = || TemplateError::Brace(shown(text));
        let (mut pieces, mut plain) = (Vec::new(), String::new());
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '{' | '}' if chars.peek() == Some(&c) => {
                    chars.next();
                    plain.push(c);
                }
                '{' => {
                    let mut name = String::new();
                    loop {
                        match chars.next() {
                            Some('}') => break,
                            Some(c) if c != '{' => name.push(c),
                            _ => return Err(refuse()),
                        }
                    }
                    let name = name.trim();
                    if name.is_empty() {
                        return Err(refuse());
                    }
                    pieces.push(Piece::Text(std::mem::take(&mut plain)));
                    pieces.push(Piece::Column(name.to_owned()));
                }
                '}' => return Err(refuse()),
                c => plain.push(c),
            }
        }
        pieces.push(Piece::Text(plain));
        pieces.retain(|piece| *piece != Piece::Text(String::new()));
        Ok(Pattern(pieces))
    }

    /// The text with the cells in their places.
    pub fn fill<'a>(&self, cell: impl Fn(&str) -> &'a str) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Column(name) => cell(name).to_owned(),
        };
        self.0.iter().map(piece).collect()
    }

    /// The columns that it has places for.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Column(name) => Some(name.as_str()),
            Piece::Text(_) => None,
        })
    }
}

fn ed25519() -> Algorithm {
    Algorithm::EdDsa
}

/// A template to begin with, with explanations.
pub fn template_text(name: &str) -> String {
    let name = toml::Value::String(name.replace('{', "{{").replace('}', "}}"));
    format!(
        r#"# A template of a credential, for `knack issue batch people.csv --template FILE`.
#
# people.csv names its columns in its first line. `did` is required: whom the credential is about.
# In the texts below, {{column}} stands for the cell of that column; to write a brace, write it twice.
# A column `email` names the files, and is never written into a credential.

# A name for this batch. Under one name the same row is issued once, however often you run it;
# to issue the same again, for example in the next year, change the name.
batch = "1"

# What was achieved. Everybody who sees the credential reads this.
achievement = {name}
description = "Completed the course and passed the examination."

# What had to be shown for it.
criteria = "A written examination of 90 minutes and a project, defended in person."

# Skills, by name or URI. A place alone may hold several, separated by semicolons: skills = ["{{skills}}"]
skills = ["rust"]

# How well they are mastered, 1 (novice) to 5 (expert): a number, or a place such as "{{level}}"
level = 3

# Until when it holds: a duration (2y, 90d) or an instant (2030-12-31T23:59:59Z). Without end when absent.
# expires = "2y"

# Whether it can be revoked and suspended. Needs `status_url` under [issuer] in the home's config.toml.
status = false

# How it is signed: eddsa-jcs-2022, eddsa-rdfc-2022, vc-jwt or sd-jwt; with an EdDSA or ES256 key.
format = "eddsa-jcs-2022"
algorithm = "EdDSA"

# What you call yourself in it. That of config.toml when absent.
# issuer_name = "Example Academy"
"#
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_template_to_begin_with_is_one() {
        for name in ["Rust course", "\"Quoted\" \\ {braces}\nand lines"] {
            let template = Template::read(&template_text(name)).unwrap();
            assert_eq!(template.achievement.fill(|_| panic!("no places")), name);
            assert!(template.columns().is_empty());
        }
    }

    #[test]
    fn places_are_filled() {
        let text =
            "achievement = \"{course} of { year } {{x}}\"\nskills = [\"{skill}\"]\nlevel = \"{level}\"\n";
        let template = Template::read(text).unwrap();
        assert_eq!(template.columns().into_iter().collect::<Vec<_>>(), ["course", "level", "skill", "year"]);
        let cell = |name: &str| if name == "year" { "2026" } else { "Rust {course}" };
        assert_eq!(template.achievement.fill(cell), "Rust {course} of 2026 {x}");
    }

    #[test]
    fn mistakes_are_named() {
        let check = |text: &str, said: &str| {
            let e = Template::read(text).unwrap_err().to_string();
            assert!(e.contains(said), "{text}: {e}");
        };
        let rest = "skills = [\"rust\"]\nlevel = 3\n";
        check("achievement = 3", "achievement");
        check("achievment = \"x\"", "achievment");
        check(&format!("achievement = \"{{name\"\n{rest}"), "brace");
        check(&format!("achievement = \"name}}\"\n{rest}"), "brace");
        check(&format!("achievement = \"{{}}\"\n{rest}"), "brace");
        check(&format!("achievement = \"{{email}}\"\n{rest}"), "address");
        check(&format!("achievement = \"x\"\nformat = \"pdf\"\n{rest}"), "eddsa-jcs-2022");
        check(&format!("achievement = \"x\"\nalgorithm = \"RS256\"\n{rest}"), "ES256");
        check("achievement = \"x\"\nskills = []\nlevel = 3\n", "skill");
        check(&"#".repeat(TEMPLATE_BYTES_MAX + 1), "KiB");
    }

    #[test]
    fn comments_change_nothing_and_words_do() {
        let content = |text: &str| Template::read(text).unwrap().content();
        let text = template_text("Rust");
        assert_eq!(content(&text), content(&format!("# Hello.\n{text}")));
        assert_ne!(content(&text), content(&template_text("Rost")));
    }
}
