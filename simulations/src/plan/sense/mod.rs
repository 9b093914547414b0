//! Whether a file that follows the grammar makes sense: what the types cannot say.

mod agenda;
mod full;
mod latency;
mod overlay;

use super::{
    Assignment, File, PlanError, Position,
    lent::{self, Lending},
    units::Share,
};

/// Most values of all swept keys together.
const SWEPT_MAX: usize = 1000;

/// Why a file that follows the grammar is no plan.
pub(super) enum Refused {
    /// It makes no sense.
    Senseless(Senseless),
    /// A file that it names does not do.
    Lent(lent::Fault),
}

/// What is wrong, and with which key.
pub(super) struct Senseless {
    key: String,
    message: String,
}

impl From<Senseless> for Refused {
    fn from(senseless: Senseless) -> Self {
        Refused::Senseless(senseless)
    }
}

impl From<lent::Fault> for Refused {
    fn from(fault: lent::Fault) -> Self {
        Refused::Lent(fault)
    }
}

impl Refused {
    /// With its place in the text, unless a setting is to blame.
    pub(super) fn located(self, text: &str, settings: &[Assignment]) -> PlanError {
        let fault = match self {
            Refused::Senseless(senseless) => return senseless.located(text, settings),
            Refused::Lent(fault) => fault,
        };
        let set = settings.iter().any(|setting| setting.key == fault.key);
        let position = if set { None } else { position(text, &fault.key) };
        let lent::Fault { key, name: file, line, message, absent } = fault;
        if absent {
            return PlanError::FileAbsent { position, key, file, message };
        }
        PlanError::FileRefused { position, key, file, line, message }
    }

    /// Without its place.
    fn message(self) -> String {
        match self {
            Refused::Senseless(Senseless { key, message }) => format!("{key}: {message}"),
            refused @ Refused::Lent(_) => refused.located("", &[]).to_string(),
        }
    }
}

impl Senseless {
    fn located(self, text: &str, settings: &[Assignment]) -> PlanError {
        let Senseless { key, message } = self;
        let set = settings.iter().any(|setting| setting.key == key);
        if set {
            return PlanError::Setting { key, message };
        }
        PlanError::Senseless { position: position(text, &key), key, message }
    }
}

/// Where the value of a key stands; where the key is not there, its table.
pub(super) fn position(text: &str, key: &str) -> Option<Position> {
    use toml::de::{DeTable, DeValue};
    let parsed = DeTable::parse(text).ok()?;
    let mut parts = key.split('.');
    let (name, mut value) = parsed.get_ref().get_key_value(parts.next()?)?;
    let mut at = name.span();
    for part in parts {
        value = match value.get_ref() {
            DeValue::Table(table) => match table.get_key_value(part) {
                Some((name, value)) => {
                    at = name.span();
                    value
                }
                None => break,
            },
            DeValue::Array(list) => match part.parse().ok().and_then(|n: usize| list.get(n)) {
                Some(value) => {
                    at = value.span();
                    value
                }
                None => break,
            },
            _ => break,
        };
    }
    Some(Position::of(text, at.start))
}

impl Senseless {
    fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        Senseless { key: key.into(), message: message.into() }
    }
}

/// Lends a file what it names, fills in what it leaves out, and looks whether it makes sense.
///
/// # Errors
/// The first thing that makes no sense.
pub(super) fn complete(file: &mut File, lending: &Lending<'_>) -> Result<(), Refused> {
    complete_without_sweep(file, lending)?;
    swept(file, lending)
}

fn complete_without_sweep(file: &mut File, lending: &Lending<'_>) -> Result<(), Refused> {
    file.fill_in();
    lending.attach(file)?;
    match file {
        File::Full(full) => full::check(full),
        File::Overlay(overlay) => Ok(overlay::check(overlay)?),
    }
}

/// A share that the engine can take.
fn permille(key: impl Into<String>, share: Share) -> Result<(), Senseless> {
    if share.0.is_multiple_of(1000) {
        return Ok(());
    }
    Err(Senseless::new(key, format!("{share} is not modelled: shares have steps of 0.1 % here")))
}

/// A number within its bounds.
fn within(key: &str, number: u32, least: u32, most: u32) -> Result<(), Senseless> {
    if (least..=most).contains(&number) {
        return Ok(());
    }
    Err(Senseless::new(key, format!("{number} is not from {least} to {most}")))
}

/// Each value of each swept key can be set.
fn swept(file: &File, lending: &Lending<'_>) -> Result<(), Refused> {
    let runs = file.sweep().values().fold(1, |runs: usize, values| runs.saturating_mul(values.len()));
    if !file.sweep().is_empty() && !(1..=SWEPT_MAX).contains(&runs) {
        let message = format!("{runs} combinations of values; from 1 to {SWEPT_MAX} are run");
        return Err(Senseless::new("sweep", message).into());
    }
    let text = toml::to_string(&file.without_sweep()).unwrap_or_default();
    for (key, values) in file.sweep() {
        for value in values {
            let setting = Assignment { key: key.clone(), value: value.clone() };
            let refuse = |e: &PlanError| {
                let message = e.to_string();
                let message = message.strip_prefix("--set ").unwrap_or(&message).to_owned();
                Senseless { key: format!("sweep.{key}"), message }
            };
            let mut changed = super::settings::apply(&text, &[setting]).map_err(|e| refuse(&e))?;
            complete_without_sweep(&mut changed, lending).map_err(|refused| Senseless {
                key: format!("sweep.{key}"),
                message: format!("{value}: {}", refused.message()),
            })?;
        }
    }
    Ok(())
}
