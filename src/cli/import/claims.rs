//! The skills that a curriculum vitae claims: printed for the holder to confirm, or confirmed at once.

use knackmesh_protocol::{
    credential::cv::{ClaimedSkill, Curriculum, CvFormat},
    limits::CLAIMS_MAX,
    skill::{Level, SkillId},
    text::shown,
};
use serde::Serialize;

use crate::{
    cli::screen::{GOOD, STRONG, WEAK},
    control::ProfileOrder,
    report::Label,
};

/// The skills that a file claims.
#[derive(Serialize)]
pub(super) struct Claims {
    file: String,
    format: &'static str,
    labels: [Label; 1],
    skills: Vec<Claim>,
    /// Whether it may claim more than was looked at.
    cut: bool,
    /// What the file held and is not kept.
    dropped: Vec<String>,
    /// Whether they were taken into the profile.
    pub claimed: bool,
}

/// One of them.
#[derive(Serialize)]
struct Claim {
    name: String,
    /// The skill that the vocabulary knows by this name; null when it knows none.
    skill: Option<SkillId>,
    /// How well it is said to be mastered; null when that is not said.
    level: Option<Level>,
    place: String,
}

impl Claims {
    pub fn new(file: &str, curriculum: Curriculum) -> Self {
        let Curriculum { format, skills, is_cut, dropped } = curriculum;
        let claim = |ClaimedSkill { name, skill, place, level }| Claim { name, skill, level, place };
        Claims {
            file: file.to_owned(),
            format: match format {
                CvFormat::JsonResume => "json-resume",
                CvFormat::Europass => "europass",
            },
            labels: [Label::ClaimedOnly],
            skills: skills.into_iter().map(claim).collect(),
            cut: is_cut,
            dropped,
            claimed: false,
        }
    }

    /// What takes them into the profile, those first that stand first, as many as can be published. Where no level is
    /// stated, the lowest is claimed.
    pub fn order(&self) -> ProfileOrder {
        let known = self
            .skills
            .iter()
            .filter_map(|claim| Some((claim.skill.as_ref()?.to_string(), claim.level.unwrap_or(Level::MIN))));
        ProfileOrder { claim: known.take(CLAIMS_MAX).collect(), ..ProfileOrder::default() }
    }

    pub fn print(&self) {
        let (known, unknown): (Vec<&Claim>, Vec<&Claim>) =
            self.skills.iter().partition(|claim| claim.skill.is_some());
        if self.claimed {
            let taken = self.order().claim.len();
            data!(
                "{GOOD}claimed{GOOD:#} {}: {taken} skills are in your profile, as your own word",
                shown(&self.file)
            );
            for claim in known.iter().take(taken) {
                let level = claim.level.unwrap_or(Level::MIN);
                let stated = if claim.level.is_some() { "" } else { ", the lowest, since none is stated" };
                data!("  {} {level}{WEAK}{stated}{WEAK:#}", claim.name);
            }
            if taken < known.len() {
                data!(
                    "  {WEAK}{} more were left: {CLAIMS_MAX} can be published{WEAK:#}",
                    known.len() - taken
                );
            }
        } else {
            data!("{STRONG}claims{STRONG:#} {}: nothing was taken yet", shown(&self.file));
            match known.is_empty() {
                true => data!(
                    "  it names no skill that the vocabulary knows; `knack profile --claim 'NAME=LEVEL'` claims one"
                ),
                false => data!("  claim those that are yours, or all of them by --claim-all:"),
            }
            for claim in &known {
                let Some(skill) = &claim.skill else { continue };
                data!("    {}  {WEAK}({}){WEAK:#}", command(&claim.name, skill, claim.level), claim.place);
            }
        }
        if !unknown.is_empty() {
            let names: Vec<&str> = unknown.iter().map(|claim| claim.name.as_str()).collect();
            data!("  {WEAK}not in the vocabulary: {}{WEAK:#}", names.join(", "));
        }
        if self.cut {
            data!("  {WEAK}it may claim more: it is longer than what is looked at{WEAK:#}");
        }
        if !self.dropped.is_empty() {
            data!("  {WEAK}not looked at, or not kept: {}{WEAK:#}", self.dropped.join(", "));
        }
    }
}

/// The command that claims a skill, by its name where a shell takes that as it is, by its URI otherwise.
pub(super) fn command(name: &str, skill: &SkillId, level: Option<Level>) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || " .+#/_-()".contains(c);
    let name = if name.chars().all(is_plain) { name } else { skill.as_str() };
    let level = level.map_or("LEVEL".to_owned(), |level| level.to_string());
    format!("knack profile --claim '{name}={level}'")
}
