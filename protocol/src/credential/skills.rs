//! The skills that a credential states, read from its alignments and results.
//!
//! Sources: Open Badges 3.0, classes Alignment, Result, ResultDescription and RubricCriterionLevel.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::alignment::Alignment;
use crate::{
    json::items,
    limits::ALIGNMENTS_MAX,
    skill::{Level, SkillId},
    text::shown,
};

/// One skill that a credential states, and how well it says the subject masters it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Achieved {
    /// The skill that the alignment means ([`Alignment::skill`]).
    pub skill: SkillId,
    /// The issuer's name for it, from `targetName`, fit to be shown; the URI when it gives none.
    pub name: String,
    /// The lowest level that a result states; [`Level::MIN`] when none does.
    pub level: Level,
}

/// The skills among the first [`ALIGNMENTS_MAX`] alignments of the subject's achievement and of the subject
/// itself (endorsements have no achievement), each once. An alignment to something that is no skill's URI is
/// passed over: badges are aligned to courses and frameworks as well.
pub(super) fn achieved(subject: &Map<String, Value>) -> Vec<Achieved> {
    let achievements = || items(subject.get("achievement")).iter().filter_map(Value::as_object);
    let level = stated_level(subject, achievements()).unwrap_or(Level::MIN);
    let mut seen = BTreeSet::new();
    achievements()
        .chain([subject])
        .flat_map(|holder| items(holder.get("alignment")))
        .take(ALIGNMENTS_MAX)
        .filter_map(|alignment| {
            let alignment = Alignment::read(alignment)?;
            let skill = alignment.skill()?;
            let name = if alignment.name.is_empty() { shown(skill.as_str()) } else { alignment.name };
            seen.insert(skill.clone()).then_some(Achieved { skill, name, level })
        })
        .collect()
}

/// The lowest level that the subject's results state.
fn stated_level<'a>(
    subject: &Map<String, Value>,
    achievements: impl Iterator<Item = &'a Map<String, Value>>,
) -> Option<Level> {
    let scales: Vec<Scale<'_>> =
        achievements.flat_map(|a| items(a.get("resultDescription"))).filter_map(Scale::of).collect();
    let by_id: BTreeMap<&str, &Scale<'_>> = scales.iter().map(|scale| (scale.id, scale)).collect();
    items(subject.get("result"))
        .iter()
        .filter_map(|result| {
            let scale =
                result.get("resultDescription").and_then(Value::as_str).map(|id| by_id.get(id).copied());
            match (result.get("achievedLevel").and_then(Value::as_str), scale) {
                (Some(achieved), Some(Some(scale))) => scale.rubric.get(achieved).copied(),
                (Some(_), _) | (None, Some(None)) => None,
                (None, Some(Some(scale))) if !scale.is_one_to_five => None,
                (None, _) => whole(result.get("value")?),
            }
        })
        .min()
}

/// A result description: what a result is measured by.
struct Scale<'a> {
    id: &'a str,
    /// Levels by the id of their rubric criterion; empty when any of them is outside 1 to 5.
    rubric: BTreeMap<&'a str, Level>,
    /// Whether a plain value can be a level: 4 of 5 can, 4 of 100 cannot.
    is_one_to_five: bool,
}

impl<'a> Scale<'a> {
    fn of(description: &'a Value) -> Option<Self> {
        let rubric: Option<BTreeMap<&str, Level>> = items(description.get("rubricCriterionLevel"))
            .iter()
            .map(|criterion| Some((criterion.get("id")?.as_str()?, whole(criterion.get("level")?)?)))
            .collect();
        let ends_at = |key, level| description.get(key).is_none_or(|end| whole(end) == Some(level));
        Some(Scale {
            id: description.get("id")?.as_str()?,
            rubric: rubric.unwrap_or_default(),
            is_one_to_five: ends_at("valueMin", Level::MIN) && ends_at("valueMax", Level::MAX),
        })
    }
}

/// A whole number from 1 to 5, as a number or, as the vocabulary has it, as text.
fn whole(value: &Value) -> Option<Level> {
    let number = match value {
        Value::String(text) => text.trim().parse().ok()?,
        other => u8::try_from(other.as_u64()?).ok()?,
    };
    Level::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn level_of(descriptions: Value, results: Value) -> u8 {
        let alignment = json!([{"targetUrl": "urn:skill:a", "targetName": "A"}]);
        let achievement = json!({"alignment": alignment, "resultDescription": descriptions});
        let subject = json!({"achievement": achievement, "result": results});
        let skills = achieved(subject.as_object().unwrap());
        assert_eq!((skills.len(), skills[0].name.as_str()), (1, "A"));
        skills[0].level.get()
    }

    fn rubric(levels: Value) -> Value {
        let levels = levels.as_array().unwrap().iter();
        let levels: Vec<Value> = levels.map(|l| json!({"id": format!("urn:l{l}"), "level": l})).collect();
        json!({"id": "urn:d", "rubricCriterionLevel": levels})
    }

    #[test]
    fn a_level_counts_only_on_a_scale_of_one_to_five() {
        let scale = |max: &str| json!({"id": "urn:d", "valueMin": "1", "valueMax": max});
        for (description, result, expected) in [
            (
                rubric(json!([1, 2, 3, 4, 5])),
                json!({"resultDescription": "urn:d", "achievedLevel": "urn:l4"}),
                4,
            ),
            (
                rubric(json!([1, 2, 4, 8])),
                json!({"resultDescription": "urn:d", "achievedLevel": "urn:l4"}),
                1,
            ),
            (rubric(json!([1, 4])), json!({"resultDescription": "urn:other", "achievedLevel": "urn:l4"}), 1),
            (rubric(json!([1, 4])), json!({"achievedLevel": "urn:l4"}), 1),
            (scale("5"), json!({"resultDescription": "urn:d", "value": "3"}), 3),
            (scale("100"), json!({"resultDescription": "urn:d", "value": "3"}), 1),
            (json!([]), json!({"value": 5}), 5),
            (json!([]), json!({"value": "6"}), 1),
            (json!([]), json!({"value": 2.5}), 1),
            (json!([]), json!([{"value": "4"}, {"value": "2"}, {"status": "Completed"}]), 2),
            (json!("nonsense"), json!("nonsense"), 1),
        ] {
            assert_eq!(level_of(description.clone(), result.clone()), expected, "{description} {result}");
        }
    }

    #[test]
    fn an_alignment_means_one_skill_however_it_is_written() {
        let uuid = "21d2f96d-35f7-4e3f-9745-c533d2dd6e97";
        let written = [
            json!({"targetUrl": format!("http://data.europa.eu/esco/skill/{uuid}"), "targetName": "Python"}),
            json!({"targetUrl": format!("https://data.europa.eu/esco/skill/{}/", uuid.to_uppercase())}),
            json!({"targetUrl": "https://a.example/python", "targetFramework": "ESCO v1.2", "targetCode": uuid}),
        ];
        let subject = json!({"achievement": {"alignment": written}});
        let skills = achieved(subject.as_object().unwrap());
        let found: Vec<_> = skills.iter().map(|s| (s.skill.as_str(), s.name.as_str())).collect();
        assert_eq!(found, [(format!("http://data.europa.eu/esco/skill/{uuid}").as_str(), "Python")]);
    }

    #[test]
    fn alignments_are_bounded_distinct_and_skills() {
        let many: Vec<Value> = (0..1000).map(|n| json!({"targetUrl": format!("urn:skill:{n}")})).collect();
        let subject = json!({"achievement": {"alignment": many}});
        assert_eq!(achieved(subject.as_object().unwrap()).len(), ALIGNMENTS_MAX);
        let mixed =
            json!([{"targetUrl": "urn:a"}, {"targetUrl": "not a uri"}, {"targetUrl": "urn:a"}, 7, {}]);
        let subject = json!({"alignment": mixed});
        let skills = achieved(subject.as_object().unwrap());
        assert_eq!(skills.len(), 1);
        assert_eq!(skills[0].name, "urn:a");
    }
}
