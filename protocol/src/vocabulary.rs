//! The names of skills: what a person types, and the URI that it means.
//!
//! A vocabulary is one table, however large: the excerpt that is embedded, or a whole classification
//! imported later. Only its owner needs it, since queries and summaries carry URIs. The hierarchy is a
//! graph that others wrote: a skill may have several broader ones, and a cycle ends no walk here badly.
//!
//! Specification: `spec/skills.md`.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt,
    str::FromStr,
};

use crate::{
    id::Id,
    limits::{
        VOCABULARY_ALTERNATIVES_MAX, VOCABULARY_BROADER_MAX, VOCABULARY_BYTES_MAX, VOCABULARY_IDF_MAX,
        VOCABULARY_LABEL_BYTES_MAX, VOCABULARY_SKILLS_MAX,
    },
    skill::{NotASkillId, SkillId},
};

mod nearest;

/// The weight of a skill that a vocabulary does not hold, in thousandths of a nat: as rare as a
/// technology that one of the 923 O*NET occupations with technologies names, 1000 ln(924 / 2).
pub const IDF_UNKNOWN: u32 = 6136;

/// A table of skills with their names, hierarchy and weights.
#[derive(Clone, Debug)]
pub struct Vocabulary {
    /// Sorted by id.
    skills: Vec<Skill>,
    /// For each skill, the positions of those that name it as broader, ascending.
    narrower: Vec<Vec<usize>>,
    /// Skills by folded name, the best kind of name first.
    names: BTreeMap<String, Vec<(NameKind, usize)>>,
    digest: Id,
}

/// One row of a vocabulary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skill {
    /// What it is known by on the network.
    pub id: SkillId,
    /// Who defined it.
    pub framework: Framework,
    /// The preferred label.
    pub label: String,
    /// Further names.
    pub alternatives: Vec<String>,
    /// Broader skills of the same vocabulary, sorted.
    pub broader: Vec<SkillId>,
    /// Inverse document frequency over occupations, in thousandths of a nat, at most
    /// [`VOCABULARY_IDF_MAX`]: the rarer the skill, the greater.
    pub idf: u32,
}

/// Who defined a skill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Framework {
    /// European Skills, Competences, Qualifications and Occupations.
    Esco,
    /// The Occupational Information Network's technology examples.
    Onet,
    /// This project, for skills that neither of the others has.
    Knack,
}

/// Not a framework's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a framework is ESCO, ONET or KNACK")]
pub struct NotAFramework;

/// What a name means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// One skill.
    Unique(SkillId),
    /// Several skills, by equally good names; sorted.
    Ambiguous(Vec<SkillId>),
    /// No skill.
    Unknown {
        /// Labels of skills with a similar name, most similar first, at most [`Vocabulary::NEAREST_MAX`].
        nearest: Vec<String>,
    },
}

/// Why a table is no vocabulary.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct VocabularyError {
    /// The offending line, from 1; 0 for the table as a whole.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

/// Kinds of name, the most telling first: a better kind hides the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum NameKind {
    Preferred,
    Alternative,
    /// A label without its qualifier: `python` for `Python (computer programming)`.
    Unqualified,
}

impl Vocabulary {
    /// The version of the canonical table that [`Vocabulary::digest`] hashes.
    pub const VERSION: u32 = 1;
    /// Similar labels that an unknown name is answered with.
    pub const NEAREST_MAX: usize = 5;

    /// The vocabulary that needs no download, parsed anew: about 500 skills of ESCO, O*NET and our own.
    ///
    /// # Panics
    /// Never: that the embedded table is legal is a test.
    pub fn embedded() -> Vocabulary {
        match Vocabulary::from_tsv(include_str!("vocabulary/default.tsv")) {
            Ok(vocabulary) => vocabulary,
            Err(e) => panic!("the embedded vocabulary: {e}"),
        }
    }

    /// Reads a table: one skill a line, in six columns that tabs separate: URI, framework (`ESCO`, `ONET`,
    /// `KNACK`), preferred label, alternative labels, broader URIs (both separated by `|`), weight. Lines
    /// that are empty or begin with `#` are skipped.
    ///
    /// # Errors
    /// [`VocabularyError`] names the first line that breaks a rule or a bound of `spec/skills.md`.
    pub fn from_tsv(table: &str) -> Result<Vocabulary, VocabularyError> {
        if table.len() > VOCABULARY_BYTES_MAX {
            return Err(refuse(0, format!("more than {VOCABULARY_BYTES_MAX} bytes")));
        }
        let mut rows = Vec::new();
        for (i, line) in table.lines().enumerate() {
            if !line.is_empty() && !line.starts_with('#') {
                rows.push((i + 1, read_row(line).map_err(|reason| refuse(i + 1, reason))?));
            }
            if rows.len() > VOCABULARY_SKILLS_MAX {
                return Err(refuse(i + 1, format!("more than {VOCABULARY_SKILLS_MAX} skills")));
            }
        }
        rows.sort_by(|(_, a), (_, b)| a.id.cmp(&b.id));
        if let Some(pair) = rows.windows(2).find(|pair| pair[0].1.id == pair[1].1.id) {
            return Err(refuse(pair[1].0, format!("{} a second time", pair[1].1.id)));
        }
        let mut narrower = vec![Vec::new(); rows.len()];
        for (at, (line, skill)) in rows.iter().enumerate() {
            for broader in &skill.broader {
                match rows.binary_search_by(|(_, s)| s.id.cmp(broader)) {
                    Ok(parent) => narrower[parent].push(at),
                    Err(_) => return Err(refuse(*line, format!("no row for the broader skill {broader}"))),
                }
            }
        }
        let skills: Vec<Skill> = rows.into_iter().map(|(_, skill)| skill).collect();
        let digest = Id::of(canonical(&skills).as_bytes());
        Ok(Vocabulary { names: index_names(&skills), narrower, digest, skills })
    }

    /// The skill of this id.
    pub fn get(&self, id: &SkillId) -> Option<&Skill> {
        self.position(id).map(|at| &self.skills[at])
    }

    /// Every skill, by ascending id.
    pub fn skills(&self) -> &[Skill] {
        &self.skills
    }

    /// What `name` means, without regard to case and to the width of spaces. A preferred label beats an
    /// alternative one, and that a label whose qualifier in parentheses is left out.
    pub fn resolve(&self, name: &str) -> Resolution {
        self.exact(name).unwrap_or_else(|| Resolution::Unknown { nearest: self.nearest(&fold(name)) })
    }

    /// As [`Vocabulary::resolve`], without a search for similar names: `None` for a name that is not here.
    pub fn exact(&self, name: &str) -> Option<Resolution> {
        let found = self.names.get(&fold(name))?;
        let best = found.first().map(|(kind, _)| *kind);
        let mut ids =
            found.iter().filter(|(kind, _)| Some(*kind) == best).map(|(_, at)| &self.skills[*at].id);
        Some(match (ids.next(), ids.next()) {
            (Some(one), None) => Resolution::Unique(one.clone()),
            (first, second) => {
                Resolution::Ambiguous(first.into_iter().chain(second).chain(ids).cloned().collect())
            }
        })
    }

    /// The skill's preferred label, or the last part of the URI of a skill that is not here.
    pub fn label<'a>(&'a self, id: &'a SkillId) -> &'a str {
        match self.get(id) {
            Some(skill) => &skill.label,
            None => id.as_str().rsplit(['/', ':', '#']).find(|part| !part.is_empty()).unwrap_or(id.as_str()),
        }
    }

    /// The skill and those below it, nearest first, at most `max`; and whether some were cut off.
    pub fn narrower(&self, id: &SkillId, max: usize) -> (Vec<SkillId>, bool) {
        let Some(start) = self.position(id) else {
            return (Vec::from_iter((max > 0).then(|| id.clone())), max == 0);
        };
        let (mut found, mut seen, mut queue) = (Vec::new(), BTreeSet::from([start]), VecDeque::from([start]));
        while let Some(at) = queue.pop_front() {
            if found.len() == max {
                return (found, true);
            }
            found.push(self.skills[at].id.clone());
            queue.extend(self.narrower[at].iter().copied().filter(|child| seen.insert(*child)));
        }
        (found, false)
    }

    /// Whether `a` is `b` or lies below it.
    pub fn is_narrower_or_equal(&self, a: &SkillId, b: &SkillId) -> bool {
        let (mut seen, mut queue) = (BTreeSet::from([a]), vec![a]);
        while let Some(id) = queue.pop() {
            if id == b {
                return true;
            }
            let broader = self.get(id).map_or(&[][..], |skill| &skill.broader);
            queue.extend(broader.iter().filter(|parent| seen.insert(*parent)));
        }
        false
    }

    /// The skill's weight; [`IDF_UNKNOWN`] for a skill that is not here.
    pub fn idf(&self, id: &SkillId) -> u32 {
        self.get(id).map_or(IDF_UNKNOWN, |skill| skill.idf)
    }

    /// The hash of the canonical table, by which a score says what weights it used: a first line with
    /// [`Vocabulary::VERSION`], then the rows by ascending id, without comments.
    pub fn digest(&self) -> Id {
        self.digest
    }

    fn position(&self, id: &SkillId) -> Option<usize> {
        self.skills.binary_search_by(|skill| skill.id.cmp(id)).ok()
    }

    fn nearest(&self, folded: &str) -> Vec<String> {
        let names = self.names.iter().filter_map(|(name, found)| Some((name.as_str(), found.first()?.1)));
        let found = nearest::positions(folded, names, Self::NEAREST_MAX);
        found.into_iter().map(|at| self.skills[at].label.clone()).collect()
    }
}

/// Lower case, single spaces.
fn fold(name: &str) -> String {
    name.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

/// A folded name without the qualifier in parentheses at its end.
fn unqualified(folded: &str) -> Option<&str> {
    let (name, qualifier) = folded.strip_suffix(')')?.rsplit_once('(')?;
    let name = name.trim_end();
    (!name.is_empty() && !qualifier.contains(')')).then_some(name)
}

fn index_names(skills: &[Skill]) -> BTreeMap<String, Vec<(NameKind, usize)>> {
    let mut names: BTreeMap<String, Vec<(NameKind, usize)>> = BTreeMap::new();
    for (at, skill) in skills.iter().enumerate() {
        let preferred = (NameKind::Preferred, &skill.label);
        let alternatives = skill.alternatives.iter().map(|name| (NameKind::Alternative, name));
        for (kind, name) in std::iter::once(preferred).chain(alternatives) {
            let folded = fold(name);
            if let Some(short) = unqualified(&folded) {
                names.entry(short.to_owned()).or_default().push((NameKind::Unqualified, at));
            }
            names.entry(folded).or_default().push((kind, at));
        }
    }
    for found in names.values_mut() {
        found.sort();
        found.dedup();
    }
    names
}

fn canonical(skills: &[Skill]) -> String {
    let mut out = format!("knackmesh vocabulary {}\n", Vocabulary::VERSION);
    for skill in skills {
        let broader: Vec<&str> = skill.broader.iter().map(SkillId::as_str).collect();
        let cells = [
            skill.id.as_str(),
            skill.framework.name(),
            &skill.label,
            &skill.alternatives.join("|"),
            &broader.join("|"),
            &skill.idf.to_string(),
        ];
        out += &cells.join("\t");
        out.push('\n');
    }
    out
}

fn refuse(line: usize, reason: String) -> VocabularyError {
    VocabularyError { line, reason }
}

fn read_row(line: &str) -> Result<Skill, String> {
    let cells: Vec<&str> = line.splitn(7, '\t').collect();
    let &[id, framework, label, alternatives, broader, idf] = cells.as_slice() else {
        return Err("a row has six columns, separated by tabs".into());
    };
    let mut broader = parts(broader, VOCABULARY_BROADER_MAX)?
        .map(|uri| uri.parse().map_err(|e: NotASkillId| format!("broader: {e}")))
        .collect::<Result<Vec<SkillId>, _>>()?;
    broader.sort();
    broader.dedup();
    Ok(Skill {
        id: id.parse().map_err(|e: NotASkillId| e.to_string())?,
        framework: framework.parse().map_err(|e: NotAFramework| e.to_string())?,
        label: read_label(label)?,
        alternatives: parts(alternatives, VOCABULARY_ALTERNATIVES_MAX)?
            .map(read_label)
            .collect::<Result<_, _>>()?,
        broader,
        idf: idf
            .parse()
            .ok()
            .filter(|idf| *idf <= VOCABULARY_IDF_MAX)
            .ok_or_else(|| format!("the weight is a whole number up to {VOCABULARY_IDF_MAX}"))?,
    })
}

/// The parts of a cell that `|` separates, none when it is empty.
fn parts(cell: &str, max: usize) -> Result<impl Iterator<Item = &str>, String> {
    let count = if cell.is_empty() { 0 } else { cell.split('|').count() };
    if count > max { Err(format!("more than {max} in one cell")) } else { Ok(cell.split('|').take(count)) }
}

fn read_label(text: &str) -> Result<String, String> {
    let legal = !text.trim().is_empty() && text.len() <= VOCABULARY_LABEL_BYTES_MAX;
    if legal && !text.chars().any(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err(format!("a label is 1 to {VOCABULARY_LABEL_BYTES_MAX} bytes without control characters"))
    }
}

impl Framework {
    /// The name that tables use.
    pub const fn name(self) -> &'static str {
        match self {
            Framework::Esco => "ESCO",
            Framework::Onet => "ONET",
            Framework::Knack => "KNACK",
        }
    }
}

impl fmt::Display for Framework {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Framework {
    type Err = NotAFramework;

    fn from_str(s: &str) -> Result<Self, NotAFramework> {
        [Framework::Esco, Framework::Onet, Framework::Knack]
            .into_iter()
            .find(|framework| framework.name() == s)
            .ok_or(NotAFramework)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn unique(vocabulary: &Vocabulary, name: &str) -> SkillId {
        match vocabulary.resolve(name) {
            Resolution::Unique(id) => id,
            other => panic!("{name}: {other:?}"),
        }
    }

    #[test]
    fn everyday_names_mean_one_skill() {
        let vocabulary = Vocabulary::embedded();
        for name in ["rust", "kubernetes", "nomad", "go", "python", "java", "javascript", "C++", "c#", "SQL"]
        {
            unique(&vocabulary, name);
        }
        assert_eq!(unique(&vocabulary, "k8s"), unique(&vocabulary, "Kubernetes"));
        assert_eq!(unique(&vocabulary, "golang"), unique(&vocabulary, "GO"));
        assert_eq!(unique(&vocabulary, "python"), unique(&vocabulary, " Python  (Computer Programming)"));
        assert_eq!(unique(&vocabulary, "rust").as_str(), "urn:knackmesh:onet:43232402:rust");
        assert_eq!(unique(&vocabulary, "nomad").as_str(), "urn:knackmesh:skill:nomad");
        assert!(matches!(vocabulary.resolve("opencv"), Resolution::Ambiguous(ids) if ids.len() == 2));
    }

    #[test]
    fn unknown_names_are_answered_with_similar_ones() {
        let nearest = |name: &str| match Vocabulary::embedded().resolve(name) {
            Resolution::Unknown { nearest } => nearest,
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!(nearest("kubernets")[0], "Kubernetes");
        assert_eq!(nearest("Pyhton")[0], "Python (computer programming)");
        assert!(nearest("postgre").contains(&"PostgreSQL".to_string()));
        assert!(nearest("qqqqqqqqqqqqqqqq").is_empty());
        assert!(nearest("").is_empty());
    }

    #[test]
    fn broader_skills_hold_their_narrower_ones() {
        let vocabulary = Vocabulary::embedded();
        let (programming, rust) = (unique(&vocabulary, "computer programming"), unique(&vocabulary, "rust"));
        assert!(vocabulary.is_narrower_or_equal(&rust, &programming));
        assert!(!vocabulary.is_narrower_or_equal(&programming, &rust));
        assert!(vocabulary.idf(&rust) > vocabulary.idf(&programming));
        let (all, cut) = vocabulary.narrower(&programming, 1000);
        assert!(!cut && all[0] == programming && all.contains(&rust));
        let (some, cut) = vocabulary.narrower(&programming, 3);
        assert!(cut && some == all[..3]);
        let stranger: SkillId = "urn:example:skills/fishing".parse().unwrap();
        assert_eq!(vocabulary.narrower(&stranger, 5), (vec![stranger.clone()], false));
        assert_eq!((vocabulary.label(&stranger), vocabulary.idf(&stranger)), ("fishing", IDF_UNKNOWN));
    }

    #[test]
    fn cycles_end() {
        let vocabulary =
            Vocabulary::from_tsv("urn:a\tKNACK\tA\t\turn:b\t1\nurn:b\tKNACK\tB\t\turn:a|urn:b\t2\n").unwrap();
        let (a, b, c) = ("urn:a".parse().unwrap(), "urn:b".parse().unwrap(), "urn:c".parse().unwrap());
        assert_eq!(vocabulary.narrower(&a, 9).0.len(), 2);
        assert!(vocabulary.is_narrower_or_equal(&a, &b) && vocabulary.is_narrower_or_equal(&b, &a));
        assert!(!vocabulary.is_narrower_or_equal(&a, &c));
    }

    #[test]
    fn broken_tables_are_refused_with_their_line() {
        let good = "urn:a\tKNACK\tA\tx|y\t\t1\n";
        for (line, bad) in [
            (2, "urn:a\tKNACK\tAgain\t\t\t1"),
            (2, "urn:b\tKNACK\tB\t\t1"),
            (2, "urn:b\tKNACK\tB\t\t\t1\textra"),
            (2, "b\tKNACK\tB\t\t\t1"),
            (2, "urn:b\tknack\tB\t\t\t1"),
            (2, "urn:b\tKNACK\t \t\t\t1"),
            (2, "urn:b\tKNACK\tB\tx||y\t\t1"),
            (2, "urn:b\tKNACK\tB\t\turn:nowhere\t1"),
            (2, "urn:b\tKNACK\tB\t\t\t-1"),
            (2, "urn:b\tKNACK\tB\t\t\t16001"),
        ] {
            assert_eq!(Vocabulary::from_tsv(&format!("{good}{bad}\n")).unwrap_err().line, line, "{bad:?}");
        }
    }

    #[test]
    fn the_digest_is_of_the_content() {
        let one = Vocabulary::from_tsv("urn:a\tKNACK\tA\t\t\t1\nurn:b\tKNACK\tB\t\t\t2").unwrap();
        let same =
            Vocabulary::from_tsv("# note\nurn:b\tKNACK\tB\t\t\t2\n\nurn:a\tKNACK\tA\t\t\t1\n").unwrap();
        let other = Vocabulary::from_tsv("urn:a\tKNACK\tA\t\t\t1\nurn:b\tKNACK\tB\t\t\t3").unwrap();
        assert_eq!(one.digest(), same.digest());
        assert_ne!(one.digest(), other.digest());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(table in "(urn:[ab]|[\\t|#(),A-Z0-9é]|KNACK|\\n){0,60}", name in ".{0,40}") {
            if let Ok(vocabulary) = Vocabulary::from_tsv(&table) {
                vocabulary.resolve(&name);
            }
        }
    }
}
