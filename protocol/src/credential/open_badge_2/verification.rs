//! The checks of a badge of Open Badges 2.0, as far as that standard lets them be made.
//!
//! They bear the names of the checks of a credential and are worth less: what a hosted badge rests on is that a server
//! says so now, its issuer is known by an address and never recognised, and whom it is about is an e-mail address. Whoever
//! reports them says that too.

use super::{AssertionError, Backing, Dossier, PublicKey, Verification};
use crate::{
    credential::{Check, CheckName, Checks, Verifier},
    jose::Jws,
    key::VerifyingKey,
    limits::CLOCK_SKEW_MAX_MS,
    time::Timestamp,
};

impl Dossier {
    /// Makes the six checks. `token` is the text of a signed badge; `refusal` is what was wrong with a document that was
    /// fetched; `as_of` is when the oldest of the documents was fetched by which an issuer can take a badge back.
    pub fn verify(
        &self,
        token: Option<&str>,
        refusal: Option<AssertionError>,
        as_of: Option<Timestamp>,
        verifier: &Verifier<'_>,
    ) -> Checks {
        let mut checks = Checks::none();
        let backing = refusal.map_or_else(|| self.backing(), Err);
        self.check_authentic(backing.as_ref(), token, &mut checks);
        let unlisted = "its issuer is known by an address, and only DIDs can be on a trust list".into();
        checks.state(CheckName::TrustedIssuer, Check::NotChecked, "issuer-not-a-did", unlisted);
        let unbound = "it is bound to an e-mail address or the like, so holding it cannot be proven".into();
        checks.state(CheckName::TrustedHolder, Check::NotApplicable, "no-subject", unbound);
        self.check_status(backing.as_ref(), as_of, verifier, &mut checks);
        self.check_period(verifier.now, &mut checks);
        checks
    }

    fn check_authentic(
        &self,
        backing: Result<&Backing<'_>, &AssertionError>,
        token: Option<&str>,
        checks: &mut Checks,
    ) {
        const NAME: CheckName = CheckName::Untampered;
        match backing {
            Ok(Backing::Hosted) => checks.pass(NAME),
            Ok(Backing::Signed(keys)) => match check_signature(token.unwrap_or_default(), keys) {
                Ok(()) => checks.pass(NAME),
                Err((code, text)) => checks.state(NAME, Check::Fail, code, text),
            },
            Err(e @ (AssertionError::Incomplete | AssertionError::NotFetchable(_))) => {
                let text = "what its issuer publishes about it is not known here".into();
                checks.state(NAME, Check::NotChecked, e.code(), text);
            }
            Err(e @ AssertionError::Revoked(_)) => {
                let text = "its issuer took it back, so it was not looked at further".into();
                checks.state(NAME, Check::NotChecked, e.code(), text);
            }
            Err(e) => checks.state(NAME, Check::Fail, e.code(), e.to_string()),
        }
    }

    fn check_status(
        &self,
        backing: Result<&Backing<'_>, &AssertionError>,
        as_of: Option<Timestamp>,
        verifier: &Verifier<'_>,
        checks: &mut Checks,
    ) {
        let mut both = |check, code, text: String| {
            for name in [CheckName::Unrevoked, CheckName::Fresh] {
                checks.state(name, check, code, text.clone());
            }
        };
        let offers_none = self.assertion().verification != Verification::Hosted
            && self.issuer().is_some_and(|issuer| issuer.revocation_list.is_none());
        match (backing, as_of) {
            (Err(e @ AssertionError::Revoked(_)), _) => {
                both(Check::NotChecked, e.code(), e.to_string());
                checks.state(CheckName::Unrevoked, Check::Fail, e.code(), e.to_string());
            }
            (Ok(_), _) if offers_none => {
                both(Check::NotApplicable, "no-status", "the issuer offers no status".into());
            }
            (Ok(_), Some(as_of)) if verifier.now.since_ms(as_of) <= verifier.status_age_max_ms => {
                checks.pass(CheckName::Unrevoked);
                checks.pass(CheckName::Fresh);
            }
            (Ok(_), Some(as_of)) => {
                both(
                    Check::Stale,
                    "status-stale",
                    format!("its status is as of {as_of}, older than accepted"),
                );
            }
            (Ok(_), None) | (Err(_), _) => {
                both(Check::NotChecked, "status-not-checked", "its status is not known here".into());
            }
        }
    }

    fn check_period(&self, now: Timestamp, checks: &mut Checks) {
        const NAME: CheckName = CheckName::Unexpired;
        let assertion = self.assertion();
        match assertion.expires {
            _ if assertion.issued_on > now.plus_ms(CLOCK_SKEW_MAX_MS) => {
                let text = format!("it says that it is awarded only at {}", assertion.issued_on);
                checks.state(NAME, Check::Fail, "not-yet-valid", text);
            }
            Some(expires) if now >= expires => {
                checks.state(NAME, Check::Fail, "expired", format!("it expired at {expires}"));
            }
            _ => checks.pass(NAME),
        }
    }
}

/// Whether one of the keys signed the token.
fn check_signature(token: &str, keys: &[PublicKey]) -> Result<(), (&'static str, String)> {
    let jws = Jws::parse(token.trim()).map_err(|e| (e.code(), e.to_string()))?;
    let mut refusal = ("key-not-the-issuers", AssertionError::KeyNotTheIssuers.to_string());
    for key in keys {
        let verified = match VerifyingKey::from_pem(&key.pem) {
            Ok(key) => jws.verify(&key).map_err(|e| (e.code(), e.to_string())),
            Err(e) => Err(("key-unsupported", e.to_string())),
        };
        match verified {
            Ok(()) => return Ok(()),
            Err(e) => refusal = e,
        }
    }
    Err(refusal)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{
        super::{
            Assertion, SignedAssertion,
            tests::{gathered, vector},
        },
        *,
    };
    use crate::credential::{Shown, TrustList};

    const NOW: Timestamp = Timestamp::from_unix_ms(1_790_000_000_000);

    fn hosted(name: &str) -> Dossier {
        let text = vector(name);
        let dossier = Dossier::hosted(Assertion::parse(&text).unwrap()).unwrap();
        gathered(dossier.clone(), &text).unwrap_or(dossier)
    }

    fn checks(dossier: &Dossier, token: Option<&str>, as_of: Option<Timestamp>) -> Checks {
        dossier.verify(token, None, as_of, &Verifier::new(NOW, &TrustList::default()))
    }

    #[track_caller]
    fn finds(checks: &Checks, expected: [Check; 4], verified: bool) {
        let found = [checks.untampered, checks.unrevoked, checks.unexpired, checks.fresh];
        assert_eq!(found, expected, "{checks:#?}");
        let verdict = checks.verdict(Shown::File);
        assert_eq!((verdict.verified, verdict.recognised), (verified, false));
    }

    #[test]
    fn a_hosted_badge_is_worth_what_is_served() {
        use Check::{Fail, NotChecked, Pass, Stale};
        let badge = hosted("basic-assertion.json");
        finds(&checks(&badge, None, Some(NOW)), [Pass, Pass, Pass, Pass], true);
        let old = Timestamp::from_unix_ms(NOW.unix_ms() - 8 * 86_400_000);
        finds(&checks(&badge, None, Some(old)), [Pass, Stale, Pass, Stale], false);
        let expired = hosted("basic-assertion-expired.json");
        finds(&checks(&expired, None, Some(NOW)), [Pass, Pass, Fail, Pass], false);
        let bare = Dossier::hosted(Assertion::parse(&vector("basic-assertion.json")).unwrap()).unwrap();
        let nothing = checks(&bare, None, None);
        finds(&nothing, [NotChecked, NotChecked, Pass, NotChecked], false);
        assert_eq!(nothing.reason(CheckName::Untampered).unwrap().code, "incomplete");
        let gone = AssertionError::Revoked("gone".into());
        let gone = bare.verify(None, Some(gone), Some(NOW), &Verifier::new(NOW, &TrustList::default()));
        finds(&gone, [NotChecked, Fail, Pass, NotChecked], false);
    }

    #[test]
    fn a_signed_badge_is_worth_its_signature() {
        use Check::{Fail, NotApplicable, NotChecked, Pass};
        let signed = |name: &str| {
            let text = vector(name);
            let dossier = Dossier::signed(&SignedAssertion::parse(&text).unwrap()).unwrap();
            (gathered(dossier, &text).unwrap(), text)
        };
        let (badge, text) = signed("simple.jwt");
        finds(&checks(&badge, Some(&text), None), [Pass, NotApplicable, Pass, NotApplicable], true);
        let (mut head, _) = text.trim().rsplit_once('.').unwrap();
        head = head.split_once('.').unwrap().0;
        let (_, other) = signed("simple-not-revoked.jwt");
        let mixed = format!("{head}.{}", text.trim().split_once('.').unwrap().1.replace('A', "B"));
        for wrong in [other.as_str(), "", &mixed] {
            let checks = checks(&badge, Some(wrong), None);
            assert_eq!(checks.untampered, Fail, "{wrong}");
        }
        let (listed, text) = signed("simple-not-revoked.jwt");
        finds(&checks(&listed, Some(&text), Some(NOW)), [Pass, Pass, Pass, Pass], true);
        finds(&checks(&listed, Some(&text), None), [Pass, NotChecked, Pass, NotChecked], false);
        let (revoked, text) = signed("simple-revoked.jwt");
        finds(&checks(&revoked, Some(&text), Some(NOW)), [NotChecked, Fail, Pass, NotChecked], false);
    }
}
