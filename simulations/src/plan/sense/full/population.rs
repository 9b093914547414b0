//! Who is there, and of what trade.

use knackmesh_protocol::{
    skill::SkillId,
    vocabulary::{Resolution, Vocabulary},
};

use super::super::{Senseless, permille};
use crate::{
    attacks::Attack,
    plan::{
        full::{Full, Occupation},
        units::Share,
    },
};

/// Most occupations.
const OCCUPATIONS_MAX: usize = 100;
/// Most skills of one.
const SKILLS_MAX: usize = 100;

pub(super) fn check(file: &Full) -> Result<(), Senseless> {
    levels(file)?;
    occupations(&file.population.occupations)
}

fn levels(file: &Full) -> Result<(), Senseless> {
    let key = "population.levels";
    let Some(levels) = &file.population.levels else { return Ok(()) };
    levels.iter().try_for_each(|share| permille(key, *share))?;
    if sum(levels.iter()) != u64::from(Share::WHOLE.0) {
        return Err(Senseless::new(key, "the five shares together are not 100 %"));
    }
    if levels[4] == Share::WHOLE && file.adversaries.contains_key(&Attack::Tamper) {
        let message = "`adversaries.tamper` raises a level to the highest, which each has already";
        return Err(Senseless::new(key, message));
    }
    Ok(())
}

fn occupations(occupations: &[Occupation]) -> Result<(), Senseless> {
    if occupations.len() > OCCUPATIONS_MAX {
        let message = format!("more than {OCCUPATIONS_MAX} occupations");
        return Err(Senseless::new("population.occupations", message));
    }
    if occupations.is_empty() {
        return Ok(());
    }
    let vocabulary = Vocabulary::embedded();
    for (n, Occupation { name, share, skills }) in occupations.iter().enumerate() {
        let key = |part: &str| format!("population.occupations.{n}.{part}");
        if occupations[..n].iter().any(|other| other.name == *name) {
            return Err(Senseless::new(key("name"), format!("a second `{name}`")));
        }
        permille(key("share"), *share)?;
        if share.0 == 0 {
            return Err(Senseless::new(key("share"), "nobody has it"));
        }
        if !(1..=SKILLS_MAX).contains(&skills.len()) {
            let message = format!("{} skills; an occupation has 1 to {SKILLS_MAX}", skills.len());
            return Err(Senseless::new(key("skills"), message));
        }
        let mut known: Vec<SkillId> = Vec::new();
        for (at, word) in skills.iter().enumerate() {
            let refuse = |message| Senseless::new(key(&format!("skills.{at}")), message);
            let skill = skill(&vocabulary, word).map_err(refuse)?;
            if known.contains(&skill) {
                return Err(refuse(format!("`{word}` is named twice")));
            }
            known.push(skill);
        }
    }
    if sum(occupations.iter().map(|occupation| &occupation.share)) > u64::from(Share::WHOLE.0) {
        return Err(Senseless::new("population.occupations", "the shares together are more than 100 %"));
    }
    Ok(())
}

/// The one skill of a name, or why there is not one.
fn skill(vocabulary: &Vocabulary, word: &str) -> Result<SkillId, String> {
    match vocabulary.resolve(word) {
        Resolution::Unique(skill) => Ok(skill),
        Resolution::Ambiguous(skills) => {
            let labels: Vec<&str> = skills.iter().map(|skill| vocabulary.label(skill)).collect();
            Err(format!("`{word}` is more than one skill: write one of {}", labels.join(", ")))
        }
        Resolution::Unknown { nearest } => {
            let meant =
                nearest.first().map_or(String::new(), |nearest| format!("; did you mean `{nearest}`?"));
            Err(format!("there is no skill `{word}` in the embedded vocabulary{meant}"))
        }
    }
}

fn sum<'a>(shares: impl Iterator<Item = &'a Share>) -> u64 {
    shares.map(|share| u64::from(share.0)).sum()
}
