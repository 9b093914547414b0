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

/// The two grammars.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fidelity {
    Full,
    Overlay,
}

/// What a file says by itself.
pub(super) fn read(text: &str) -> Result<File, PlanError> {
    let table: toml::Table = toml::from_str(text).map_err(|e| error::of_toml(text, &e))?;
    let read = match fidelity(&table) {
        Some(Fidelity::Overlay) => toml::from_str(text).map(File::Overlay),
        Some(Fidelity::Full) => toml::from_str(text).map(File::Full),
        None => {
            let position = super::sense::position(text, "fidelity");
            let name =
                table.get("fidelity").map(|value| value.to_string().replace('"', "")).unwrap_or_default();
            return Err(error::unknown_name(position, name, vec!["full".into(), "overlay".into()]));
        }
    };
    read.map_err(|e| not_modelled(error::of_toml(text, &e), &table))
}

/// The grammar that a file names.
fn fidelity(table: &toml::Table) -> Option<Fidelity> {
    match table.get("fidelity").map(toml::Value::as_str) {
        None | Some(Some("full")) => Some(Fidelity::Full),
        Some(Some("overlay")) => Some(Fidelity::Overlay),
        Some(_) => None,
    }
}

/// A key that only the other grammar has is known, but this file's engine does nothing with it.
fn not_modelled(error: PlanError, table: &toml::Table) -> PlanError {
    let PlanError::Unknown { position, name, .. } = &error else { return error };
    let (full, overlay) = (schemars::schema_for!(super::Full), schemars::schema_for!(super::Overlay));
    let (fidelity, own, other) = match fidelity(table) {
        Some(Fidelity::Overlay) => ("overlay", overlay, full),
        _ => ("full", full, overlay),
    };
    if has_key(&other, name) && !has_key(&own, name) {
        return PlanError::NotModelled { position: *position, key: name.clone(), fidelity };
    }
    error
}

/// Whether a grammar has a key of that name anywhere.
fn has_key(schema: &schemars::Schema, name: &str) -> bool {
    let tables =
        schema.get("$defs").and_then(|tables| tables.as_object()).into_iter().flat_map(|t| t.values());
    let of_tables = tables.filter_map(|table| table.get("properties"));
    of_tables.chain(schema.get("properties")).any(|properties| properties.get(name).is_some())
}

/// The file with every setting applied, in their order.
pub(super) fn apply(text: &str, settings: &[Assignment]) -> Result<File, PlanError> {
    let mut table: toml::Table = toml::from_str(text).map_err(|e| error::of_toml(text, &e))?;
    for setting in settings {
        set(&mut table, setting)?;
        // One by one, so that a refusal names the setting that is to blame.
        typed(table.clone()).map_err(|message| refusal(setting, &message))?;
    }
    typed(table).map_err(|message| PlanError::Malformed { position: None, message })
}

fn typed(table: toml::Table) -> Result<File, String> {
    let read = match fidelity(&table) {
        Some(Fidelity::Full) => super::Full::deserialize(table).map(File::Full),
        Some(Fidelity::Overlay) => super::Overlay::deserialize(table).map(File::Overlay),
        None => return Err("a fidelity is `full` or `overlay`".to_owned()),
    };
    read.map_err(|e| e.message().to_owned())
}

fn set(table: &mut toml::Table, Assignment { key, value }: &Assignment) -> Result<(), PlanError> {
    let refuse = |message: &str| PlanError::Setting { key: key.clone(), message: message.to_owned() };
    let value = match value {
        Setting::Number(number) => toml::Value::Integer(*number),
        // No key takes these words in another sense.
        Setting::Text(text) => {
            text.parse().map_or_else(|_| toml::Value::String(text.clone()), toml::Value::Boolean)
        }
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
