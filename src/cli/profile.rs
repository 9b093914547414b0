//! `knack profile`.

use std::process::ExitCode;

use knackmesh_protocol::{
    skill::Level,
    summary::Terms,
    terms::{Availability, Language, Region, WorkMode},
};

use super::{Outcome, Screen, ask, level, mismatch};
use crate::{
    control::{ProfileOrder, Reply, Request},
    home::Home,
};

/// Show or change what you say besides credentials
///
/// Terms (where, how, from when) and skills that you claim with nothing behind them. Nothing is published by changing it; see
/// `knack preview`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  knack profile --region DE-BE --language de --language en --mode remote
  knack profile --claim haskell=3 --drop cobol")]
pub struct Args {
    /// Country, or a part of it (ISO 3166): DE, DE-BE; `none` removes it
    #[arg(long, value_name = "REGION")]
    region: Option<String>,

    /// Language of work (BCP 47), replacing those set before; may be repeated
    #[arg(long, value_name = "TAG")]
    language: Vec<Language>,

    /// remote, hybrid or onsite, replacing those set before; may be repeated
    #[arg(long, value_name = "MODE")]
    mode: Vec<WorkMode>,

    /// The first day you can start: YYYY-MM-DD
    #[arg(long, value_name = "DAY")]
    available: Option<Availability>,

    /// A skill that you claim with nothing behind it; may be repeated
    #[arg(long, value_name = "SKILL=LEVEL", value_parser = claim)]
    claim: Vec<(String, Level)>,

    /// A claimed skill to drop; may be repeated
    #[arg(long, value_name = "SKILL")]
    drop: Vec<String>,
}

fn claim(text: &str) -> Result<(String, Level), String> {
    let (skill, number) = text.rsplit_once('=').ok_or("write SKILL=LEVEL, such as haskell=3")?;
    Ok((skill.to_owned(), level(number)?))
}

impl Args {
    pub async fn run(self, home: &Home, screen: &Screen) -> Outcome {
        let Reply::Profile(now) = ask(home, Request::Profile(ProfileOrder::default())).await? else {
            return Err(mismatch());
        };
        let terms = self.terms(now.terms.clone())?;
        let order =
            ProfileOrder { terms: (terms != now.terms).then_some(terms), claim: self.claim, drop: self.drop };
        let Reply::Profile(profile) = ask(home, Request::Profile(order)).await? else {
            return Err(mismatch());
        };
        screen.show(&profile, || {
            let list = |items: Vec<String>| if items.is_empty() { "-".to_owned() } else { items.join(", ") };
            let terms = &profile.terms;
            data!("region     {}", list(terms.region.iter().map(ToString::to_string).collect()));
            data!("languages  {}", list(terms.languages.iter().map(ToString::to_string).collect()));
            data!("modes      {}", list(terms.modes.iter().map(ToString::to_string).collect()));
            data!("available  {}", list(terms.available.iter().map(ToString::to_string).collect()));
            let claims = profile.claims.iter().map(|c| format!("{} {}", c.label, c.level)).collect();
            data!("claims     {}", list(claims));
        });
        Ok(ExitCode::SUCCESS)
    }

    fn terms(&self, mut terms: Terms) -> Result<Terms, crate::control::Refusal> {
        match self.region.as_deref() {
            None => {}
            Some("none") => terms.region = None,
            Some(region) => {
                terms.region = Some(region.parse::<Region>().map_err(|e| {
                    let hint = "write a country code such as DE, or a part of a country such as DE-BE";
                    crate::control::Refusal::new(crate::control::Exit::Usage, e.to_string(), hint)
                })?);
            }
        }
        if !self.language.is_empty() {
            terms.languages.clone_from(&self.language);
        }
        if !self.mode.is_empty() {
            terms.modes.clone_from(&self.mode);
        }
        terms.available = self.available.or(terms.available);
        Ok(terms)
    }
}
