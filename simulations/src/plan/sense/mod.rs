//! Whether a file that follows the grammar makes sense: what the types cannot say.

mod agenda;
mod full;
mod overlay;

use super::{Assignment, File, PlanError, Position, units::Share};

/// Most values of all swept keys together.
const SWEPT_MAX: usize = 1000;

/// What is wrong, and with which key.
pub(super) struct Senseless {
    key: String,
    message: String,
}

impl Senseless {
    /// With its place in the text, unless a setting is to blame.
    pub(super) fn located(self, text: &str, settings: &[Assignment]) -> PlanError {
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

/// # Errors
/// The first thing that makes no sense.
pub(super) fn check(file: &File) -> Result<(), Senseless> {
    match file {
        File::Full(full) => full::check(full)?,
        File::Overlay(overlay) => overlay::check(overlay)?,
    }
    swept(file)
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
fn swept(file: &File) -> Result<(), Senseless> {
    let runs = file.sweep().values().fold(1, |runs: usize, values| runs.saturating_mul(values.len()));
    if !file.sweep().is_empty() && !(1..=SWEPT_MAX).contains(&runs) {
        let message = format!("{runs} combinations of values; from 1 to {SWEPT_MAX} are run");
        return Err(Senseless::new("sweep", message));
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
            let changed = super::settings::apply(&text, &[setting]).map_err(|e| refuse(&e))?;
            check(&changed).map_err(|e| Senseless {
                key: format!("sweep.{key}"),
                message: format!("{value}: {}: {}", e.key, e.message),
            })?;
        }
    }
    Ok(())
}
