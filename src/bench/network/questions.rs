//! What is asked, and who should be found: compared with a list of all that is published.

use std::collections::BTreeSet;

use knackmesh_protocol::{
    credential::TrustList, key::PublicKey, query, ranking, skill::SkillId, vocabulary::Vocabulary,
};
use serde::Serialize;

use super::{
    Mode, mismatch,
    people::{Person, Skills},
    watch::Watch,
};
use crate::{
    control::{Exit, QueryOrder, Refusal, Reply, Request},
    node::now,
    report::QueryReport,
};

/// Kinds of query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// Two skills of one person.
    And,
    /// Any of two skills.
    Or,
    /// A skill, and words next to each other in what is published.
    Phrase,
    /// A skill without another.
    Negation,
    /// Words alone, which only nodes that keep everything can answer.
    Text,
    /// One skill, and everybody who has it: what hostile nodes are after.
    Everybody,
}

impl Question {
    /// Those that nodes of a mode can be asked.
    pub fn of(mode: Mode) -> &'static [Question] {
        const ALL: [Question; 5] =
            [Question::And, Question::Or, Question::Phrase, Question::Negation, Question::Text];
        match mode {
            Mode::Full => &ALL,
            Mode::Cells => &ALL[..4],
        }
    }

    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Question::And => "AND",
            Question::Or => "OR",
            Question::Phrase => "phrase beside a skill",
            Question::Negation => "negation beside a skill",
            Question::Text => "free text alone",
            Question::Everybody => "everybody with one skill",
        }
    }

    /// One of its kind, about what somebody has; `draw` draws a place in a list of so many.
    pub fn ask(
        self,
        people: &[Person],
        skills: &Skills,
        vocabulary: &Vocabulary,
        mut draw: impl FnMut(usize) -> usize,
    ) -> Option<String> {
        let person = people.get(draw(people.len()))?;
        let (one, other) = (person.skills.first()?, person.skills.get(1)?);
        let others: Vec<&SkillId> = skills.common.iter().filter(|skill| *skill != one).collect();
        let any = *others.get(draw(others.len()))?;
        Some(match self {
            Question::And => format!("<{one}> AND <{other}>"),
            Question::Or => format!("<{one}> OR <{any}>"),
            Question::Phrase => format!("<{one}> text:\"{}\"", words(vocabulary.label(other))),
            Question::Negation => format!("<{one}> NOT <{any}>"),
            Question::Everybody => everybody(one),
            Question::Text => format!("text:\"{}\"", words(vocabulary.label(any)).split(' ').next()?),
        })
    }
}

/// A label's words, as a text term has them.
fn words(label: &str) -> String {
    let words = label.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// A query that asks for everybody with a skill.
pub fn everybody(skill: &SkillId) -> String {
    format!("<{skill}>")
}

/// What came of one query.
pub struct Answer {
    /// Who should be found.
    pub relevant: usize,
    /// Who of them was.
    pub hits: usize,
    /// Who was found and should not have been.
    pub surplus: usize,
    /// What the node said.
    pub report: QueryReport,
}

impl Answer {
    /// The share that was found; `None` where there was nobody to be found.
    pub fn recall(&self) -> Option<f64> {
        (self.relevant > 0).then(|| self.hits as f64 / self.relevant as f64)
    }
}

/// Asks through one person's node, and compares the answer with what is published now.
pub async fn asked(
    person: &Person,
    text: &str,
    top: usize,
    deadline_ms: u64,
    watch: &Watch,
    vocabulary: &Vocabulary,
) -> Result<Answer, Refusal> {
    let parsed = query::parse(text, vocabulary, now())
        .map_err(|e| Refusal::new(Exit::Failed, format!("{text}: {e}"), "report this"))?;
    let trust = TrustList::default();
    let relevant = watch.log().holders(|summary| {
        ranking::matches(&parsed.query, summary, &ranking::stated(summary, &trust), vocabulary)
    });
    let order = QueryOrder {
        query: text.to_owned(),
        top,
        deadline_ms,
        purpose: "a measurement".to_owned(),
        retention_days: 1,
        contact: "bench@example.org".to_owned(),
        fetch: false,
    };
    let Reply::Found(report) = person.ask(&Request::Query(order)).await? else { return Err(mismatch()) };
    let found: BTreeSet<&str> = report.results.iter().map(|row| row.view.as_str()).collect();
    let did = |view: &PublicKey| view.did().to_string();
    let hits = relevant.iter().filter(|view| found.contains(did(view).as_str())).count();
    Ok(Answer { relevant: relevant.len(), hits, surplus: found.len() - hits, report: *report })
}
