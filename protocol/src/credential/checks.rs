//! The six named checks of a credential and the two words that follow from them.
//!
//! *Verified* says that the credential is what its issuer signed and still holds; *recognised* says
//! moreover that the verifier lists the issuer. Neither is ever inferred from a check that was not made.
//!
//! Specification: `spec/credential.md`, "Checks" and "Verdicts".

use std::{borrow::Cow, collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

/// The outcome of one check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Check {
    /// Checked, and it holds.
    Pass,
    /// Checked, and it does not hold.
    Fail,
    /// What it was checked against is older than the verifier accepts.
    Stale,
    /// Could not be checked, so nothing may be concluded.
    NotChecked,
    /// There is nothing to check.
    NotApplicable,
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Check::Pass => "PASS",
            Check::Fail => "FAIL",
            Check::Stale => "STALE",
            Check::NotChecked => "NOT_CHECKED",
            Check::NotApplicable => "NOT_APPLICABLE",
        })
    }
}

/// The name of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckName {
    /// The issuer's signature is over exactly this text.
    Untampered,
    /// The verifier's opinion of the issuer: PASS listed, NOT_CHECKED unlisted, FAIL distrusted.
    TrustedIssuer,
    /// The subject itself shows it now.
    TrustedHolder,
    /// The issuer has not withdrawn it.
    Unrevoked,
    /// Its time has come and has not passed.
    Unexpired,
    /// The status it was checked against is recent enough.
    Fresh,
}

impl CheckName {
    /// Every check, in the order in which they are shown.
    pub const ALL: [CheckName; 6] = [
        CheckName::Untampered,
        CheckName::TrustedIssuer,
        CheckName::TrustedHolder,
        CheckName::Unrevoked,
        CheckName::Unexpired,
        CheckName::Fresh,
    ];
}

impl fmt::Display for CheckName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            CheckName::Untampered => "untampered",
            CheckName::TrustedIssuer => "trusted_issuer",
            CheckName::TrustedHolder => "trusted_holder",
            CheckName::Unrevoked => "unrevoked",
            CheckName::Unexpired => "unexpired",
            CheckName::Fresh => "fresh",
        })
    }
}

/// The six checks of one credential, each that did not pass with its reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checks {
    /// [`CheckName::Untampered`]
    pub untampered: Check,
    /// [`CheckName::TrustedIssuer`]
    pub trusted_issuer: Check,
    /// [`CheckName::TrustedHolder`]
    pub trusted_holder: Check,
    /// [`CheckName::Unrevoked`]
    pub unrevoked: Check,
    /// [`CheckName::Unexpired`]
    pub unexpired: Check,
    /// [`CheckName::Fresh`]
    pub fresh: Check,
    /// Why each check that did not pass did not, and what a check that passed had to leave aside.
    pub reasons: BTreeMap<CheckName, Reason>,
}

/// Why a check came out as it did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// The reason's stable name; `spec/credential.md` lists them.
    pub code: Cow<'static, str>,
    /// The reason in words, fit to be shown.
    pub text: String,
}

/// How a credential was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// As a file, by whomever: nothing is known of its holder.
    File,
    /// In a presentation that its holder signed for this verifier.
    Presentation,
}

/// What may be said of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// It is what the issuer signed, holds now, and was not shown by another than its subject.
    pub verified: bool,
    /// Verified, and the verifier lists its issuer.
    pub recognised: bool,
}

impl Checks {
    /// The outcome of the check called `name`.
    pub const fn get(&self, name: CheckName) -> Check {
        match name {
            CheckName::Untampered => self.untampered,
            CheckName::TrustedIssuer => self.trusted_issuer,
            CheckName::TrustedHolder => self.trusted_holder,
            CheckName::Unrevoked => self.unrevoked,
            CheckName::Unexpired => self.unexpired,
            CheckName::Fresh => self.fresh,
        }
    }

    /// Why the check called `name` came out as it did; `None` when it passed without reserve.
    pub fn reason(&self, name: CheckName) -> Option<&Reason> {
        self.reasons.get(&name)
    }

    /// What follows from the checks for a credential that was shown so.
    pub fn verdict(&self, shown: Shown) -> Verdict {
        let holder = match (shown, self.trusted_holder) {
            (_, Check::Pass) | (Shown::File, Check::NotApplicable) => true,
            (Shown::File | Shown::Presentation, _) => false,
        };
        let verified = self.untampered == Check::Pass
            && self.unexpired == Check::Pass
            && matches!(self.unrevoked, Check::Pass | Check::NotApplicable)
            && !matches!(self.fresh, Check::Stale | Check::Fail)
            && holder;
        Verdict { verified, recognised: verified && self.trusted_issuer == Check::Pass }
    }

    /// Checks none of which has been made.
    pub fn none() -> Self {
        Checks {
            untampered: Check::NotChecked,
            trusted_issuer: Check::NotChecked,
            trusted_holder: Check::NotChecked,
            unrevoked: Check::NotChecked,
            unexpired: Check::NotChecked,
            fresh: Check::NotChecked,
            reasons: BTreeMap::new(),
        }
    }

    /// States that `name` passes without reserve.
    pub(super) fn pass(&mut self, name: CheckName) {
        *self.slot(name) = Check::Pass;
        self.reasons.remove(&name);
    }

    /// States that `name` came out as `check`, and why.
    pub(super) fn state(&mut self, name: CheckName, check: Check, code: &'static str, text: String) {
        *self.slot(name) = check;
        self.reasons.insert(name, Reason { code: Cow::Borrowed(code), text });
    }

    fn slot(&mut self, name: CheckName) -> &mut Check {
        match name {
            CheckName::Untampered => &mut self.untampered,
            CheckName::TrustedIssuer => &mut self.trusted_issuer,
            CheckName::TrustedHolder => &mut self.trusted_holder,
            CheckName::Unrevoked => &mut self.unrevoked,
            CheckName::Unexpired => &mut self.unexpired,
            CheckName::Fresh => &mut self.fresh,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const OUTCOMES: [Check; 5] =
        [Check::Pass, Check::Fail, Check::Stale, Check::NotChecked, Check::NotApplicable];

    /// Checks that are verified and recognised in a presentation.
    fn good() -> Checks {
        let mut checks = Checks::none();
        CheckName::ALL.into_iter().for_each(|name| checks.pass(name));
        checks
    }

    #[test]
    fn each_outcome_of_each_check_has_one_verdict() {
        use Check::{NotApplicable, NotChecked, Pass};
        for name in CheckName::ALL {
            for outcome in OUTCOMES {
                for shown in [Shown::File, Shown::Presentation] {
                    let accepted: &[Check] = match (name, shown) {
                        (CheckName::Untampered | CheckName::Unexpired, _) => &[Pass],
                        (CheckName::Unrevoked, _) => &[Pass, NotApplicable],
                        (CheckName::Fresh, _) => &[Pass, NotApplicable, NotChecked],
                        (CheckName::TrustedIssuer, _) => &OUTCOMES,
                        (CheckName::TrustedHolder, Shown::File) => &[Pass, NotApplicable],
                        (CheckName::TrustedHolder, Shown::Presentation) => &[Pass],
                    };
                    let mut checks = good();
                    *checks.slot(name) = outcome;
                    let verdict = checks.verdict(shown);
                    assert_eq!(verdict.verified, accepted.contains(&outcome), "{name} {outcome} {shown:?}");
                    let listed = name != CheckName::TrustedIssuer || outcome == Pass;
                    assert_eq!(verdict.recognised, verdict.verified && listed, "{name} {outcome}");
                }
            }
        }
    }

    #[test]
    fn names_read_as_they_are_serialised() {
        for check in OUTCOMES {
            assert_eq!(serde_json::to_value(check).unwrap(), check.to_string());
        }
        for name in CheckName::ALL {
            assert_eq!(serde_json::to_value(name).unwrap(), name.to_string());
        }
        let mut checks = good();
        checks.state(CheckName::Fresh, Check::Stale, "old", "a week old".into());
        let text = serde_json::to_string(&checks).unwrap();
        assert_eq!(serde_json::from_str::<Checks>(&text).unwrap(), checks);
        checks.pass(CheckName::Fresh);
        assert_eq!(checks, good());
    }
}
