//! Literals: how JSON's values are written as RDF's.
//!
//! Sources: W3C JSON-LD 1.1 Processing Algorithms and API, section 8.2 (object to RDF), and 8.6 (canonical
//! numbers); RFC 8785 for JSON literals. The direction of a text becomes part of its datatype (`rdfDirection`
//! is `i18n-datatype`), since left out it would be unsigned.

use std::sync::Arc;

use serde_json::{Number, Value};

use super::{
    RdfError,
    local::Direction,
    term::{Literal, LiteralKind},
};

const XSD_BOOLEAN: &str = "http://www.w3.org/2001/XMLSchema#boolean";
const XSD_DOUBLE: &str = "http://www.w3.org/2001/XMLSchema#double";
const XSD_INTEGER: &str = "http://www.w3.org/2001/XMLSchema#integer";
const RDF_JSON: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON";
const I18N: &str = "https://www.w3.org/ns/i18n#";

/// 10^21, from where on numbers are doubles.
const DOUBLE_MIN: f64 = 1e21;

/// The literal of a text, number or boolean, of `datatype` or else of the datatype that goes with it.
///
/// # Errors
/// [`RdfError::Invalid`] for other values, and integers that a double cannot hold; [`RdfError::Unsupported`]
/// for texts as `xsd:double`, which JSON-LD leaves as they are and its most used processor rewrites.
pub(super) fn plain(value: &Value, datatype: Option<&Arc<str>>) -> Result<Literal, RdfError> {
    let kind = |default: &str| LiteralKind::of(datatype.map_or_else(|| default.into(), Arc::clone));
    match value {
        Value::String(text) => {
            let is_double = datatype.is_some_and(|datatype| **datatype == *XSD_DOUBLE);
            if is_double && !text.parse().is_ok_and(|value| canonical_double(value) == *text) {
                return Err(RdfError::Unsupported("a text as xsd:double, not in canonical form,"));
            }
            let kind = datatype.map_or(LiteralKind::Text, |datatype| LiteralKind::of(datatype.clone()));
            Ok(Literal { text: text.as_str().into(), kind })
        }
        Value::Bool(true) => Ok(Literal { text: "true".into(), kind: kind(XSD_BOOLEAN) }),
        Value::Bool(false) => Ok(Literal { text: "false".into(), kind: kind(XSD_BOOLEAN) }),
        Value::Number(number) => {
            let value = exact(number)?;
            let is_double = datatype.is_some_and(|datatype| **datatype == *XSD_DOUBLE);
            if is_double || value.fract() != 0.0 || value.abs() >= DOUBLE_MIN {
                Ok(Literal { text: canonical_double(value).into(), kind: kind(XSD_DOUBLE) })
            } else {
                // Adding zero makes zero of minus zero.
                Ok(Literal { text: format!("{:.0}", value + 0.0).into(), kind: kind(XSD_INTEGER) })
            }
        }
        _ => Err(RdfError::Invalid("a value is neither text, number nor boolean")),
    }
}

/// The literal of a text, in a language or of a direction or both.
pub(super) fn text(text: &str, language: Option<&Arc<str>>, direction: Option<Direction>) -> Literal {
    let kind = match (language, direction) {
        (None, None) => LiteralKind::Text,
        (Some(tag), None) => LiteralKind::Language(tag.clone()),
        (tag, Some(direction)) => {
            let tag = tag.map_or("", |tag| tag);
            LiteralKind::Datatype([I18N, tag, "_", direction.name()].concat().into())
        }
    };
    Literal { text: text.into(), kind }
}

/// The literal of any JSON value.
///
/// # Errors
/// [`RdfError::Invalid`] for numbers that a double cannot hold.
pub(super) fn json(value: &Value) -> Result<Literal, RdfError> {
    match serde_json_canonicalizer::to_string(value) {
        Ok(text) => Ok(Literal { text: text.into(), kind: LiteralKind::Datatype(RDF_JSON.into()) }),
        Err(_) => Err(RdfError::Invalid("a JSON literal has no canonical form")),
    }
}

fn exact(number: &Number) -> Result<f64, RdfError> {
    let inexact = RdfError::Invalid("an integer would lose digits");
    let value = number.as_f64().ok_or(RdfError::Invalid("a number is none that a double can hold"))?;
    let is_exact = match (number.as_u64(), number.as_i64()) {
        (Some(integer), _) => value as u128 == u128::from(integer),
        (_, Some(integer)) => value as i128 == i128::from(integer),
        (None, None) => true,
    };
    if is_exact { Ok(value) } else { Err(inexact) }
}

/// 16 digits without trailing zeros, of which one is before the point and at least one after it.
fn canonical_double(value: f64) -> String {
    let text = format!("{:.15e}", value + 0.0);
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let digits = digits.trim_end_matches('0');
    let zero = if digits.ends_with('.') { "0" } else { "" };
    [digits, zero, "E", exponent].concat()
}
