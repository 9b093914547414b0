//! Settings: `network.loss=2 %`, which replaces what the file says. Parts of lists are named by number: `queries.0.ask=rust`.

use std::str::FromStr;

use serde::Deserialize;

use super::{File, PlanError, Setting, error};

/// A key and its new value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The key, with points between its parts.
    pub key: String,
    /// The value.
    pub value: Setting,
}

/// The text assigns nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` sets nothing: write KEY=VALUE, such as network.loss='2 %'")]
pub struct NotAnAssignment(String);

impl FromStr for Assignment {
    type Err = NotAnAssignment;

    fn from_str(text: &str) -> Result<Self, NotAnAssignment> {
        let (key, value) = text.split_once('=').ok_or_else(|| NotAnAssignment(text.to_owned()))?;
        let (key, value) = (key.trim(), value.trim());
        if key.is_empty() || value.is_empty() {
            return Err(NotAnAssignment(text.to_owned()));
        }
        let value = value.parse().map_or_else(|_| Setting::Text(value.to_owned()), Setting::Number);
        Ok(Assignment { key: key.to_owned(), value })
    }
}

/// The file with every setting applied, in their order.
pub(super) fn apply(text: &str, settings: &[Assignment]) -> Result<File, PlanError> {
    let mut table: toml::Table = toml::from_str(text).map_err(|e| error::of_toml(text, &e))?;
    for setting in settings {
        set(&mut table, setting)?;
        // One by one, so that a refusal names the setting that is to blame.
        File::deserialize(table.clone()).map_err(|e| refusal(setting, e.message()))?;
    }
    File::deserialize(table)
        .map_err(|e| PlanError::Malformed { position: None, message: e.message().to_owned() })
}

fn set(table: &mut toml::Table, Assignment { key, value }: &Assignment) -> Result<(), PlanError> {
    let refuse = |message: &str| PlanError::Setting { key: key.clone(), message: message.to_owned() };
    let value = match value {
        Setting::Number(number) => toml::Value::Integer(*number),
        Setting::Text(text) => toml::Value::String(text.clone()),
    };
    let mut parts: Vec<&str> = key.split('.').collect();
    let last = parts.pop().unwrap_or_default();
    let mut whole = toml::Value::Table(std::mem::take(table));
    let mut at = &mut whole;
    for part in parts {
        at = match at {
            toml::Value::Table(inner) => {
                inner.entry(part).or_insert_with(|| toml::Value::Table(toml::Table::new()))
            }
            toml::Value::Array(list) => part
                .parse::<usize>()
                .ok()
                .and_then(|n| list.get_mut(n))
                .ok_or_else(|| refuse("the file's list has no such entry; entries are counted from 0"))?,
            _ => return Err(refuse("a single value has no parts")),
        };
    }
    match at {
        toml::Value::Table(inner) => inner.insert(last.to_owned(), value),
        _ => return Err(refuse("a single value has no parts")),
    };
    if let toml::Value::Table(whole) = whole {
        *table = whole;
    }
    Ok(())
}

fn refusal(setting: &Assignment, message: &str) -> PlanError {
    let message = match error::unknown(message, None) {
        Some(unknown) => unknown.to_string(),
        None => message.split_whitespace().collect::<Vec<_>>().join(" "),
    };
    PlanError::Setting { key: setting.key.clone(), message }
}
