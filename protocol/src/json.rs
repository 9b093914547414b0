//! Strict JSON and its canonical form (JCS, RFC 8785).
//!
//! [`parse`] accepts the subset on which every implementation agrees (I-JSON, RFC 7493): no repeated
//! keys, no lone surrogates, no integer that a double would change; bounded in bytes, nesting and
//! number of values. Anything laxer would let two verifiers read two documents in one signed text.
//!
//! Specification: `spec/credential.md`, "JSON".

use std::{fmt, slice};

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value, map::Entry};

use crate::{
    limits::{JSON_DEPTH_MAX, JSON_VALUES_MAX},
    text::shown,
};

/// 2^53 - 1: integers up to here are doubles, and no other integer rounds to them (RFC 7493 section 2.2).
const INTEGER_MAX: u64 = (1 << 53) - 1;

/// Why a text is no JSON that can be signed or verified.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// More bytes than this kind of document may have.
    #[error("{actual} bytes, more than the {max} allowed")]
    TooLong {
        /// Bytes received.
        actual: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// Arrays and objects nested deeper than [`JSON_DEPTH_MAX`].
    #[error("nested deeper than {JSON_DEPTH_MAX}")]
    TooDeep,
    /// More values than [`JSON_VALUES_MAX`].
    #[error("more than {JSON_VALUES_MAX} values")]
    TooManyValues,
    /// An object names a key twice.
    #[error("the key \"{0}\" is repeated in one object")]
    RepeatedKey(String),
    /// An integer whose digits canonical JSON, which knows doubles only, would change.
    #[error("the integer {0} would lose digits")]
    InexactInteger(String),
    /// Not JSON (RFC 8259): what the parser said.
    #[error("not JSON: {0}")]
    Syntax(String),
}

impl JsonError {
    /// The stable name of this refusal, as vectors state it.
    pub const fn code(&self) -> &'static str {
        match self {
            JsonError::TooLong { .. } => "too-long",
            JsonError::TooDeep => "json-too-deep",
            JsonError::TooManyValues => "json-too-many-values",
            JsonError::RepeatedKey(_) => "json-repeated-key",
            JsonError::InexactInteger(_) => "json-inexact-integer",
            JsonError::Syntax(_) => "json-syntax",
        }
    }
}

/// The one value that `text`, of at most `max_bytes`, stands for.
///
/// # Errors
/// [`JsonError`] names the first rule that the text breaks.
pub fn parse(text: &str, max_bytes: usize) -> Result<Value, JsonError> {
    if text.len() > max_bytes {
        return Err(JsonError::TooLong { actual: text.len(), max: max_bytes });
    }
    check_integers(text)?;
    let mut walk = Walk { values: 0, refusal: None };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Item { walk: &mut walk, depth: 0 }.deserialize(&mut deserializer);
    match value.and_then(|value| deserializer.end().map(|()| value)) {
        Ok(value) => Ok(value),
        Err(e) => Err(walk.refusal.unwrap_or_else(|| JsonError::Syntax(shown(&e.to_string())))),
    }
}

/// The canonical form of `value`: RFC 8785.
///
/// Written here rather than by `serde_json_canonicalizer`, which takes longer for it than Ed25519 does to
/// verify; that crate still writes the numbers, and a test compares the two.
pub fn canonical(value: &Value) -> String {
    let mut out = String::new();
    write_value(value, &mut out);
    out
}

/// The canonical form of the object that has these members, of which no two have one key.
pub(crate) fn canonical_object<'a>(members: impl Iterator<Item = (&'a String, &'a Value)>) -> String {
    let mut out = String::new();
    write_object(members, &mut out);
    out
}

/// The members of a set: JSON-LD writes a set of one as the one, and an empty set as nothing.
pub(crate) fn items(value: Option<&Value>) -> &[Value] {
    match value {
        None => &[],
        Some(Value::Array(items)) => items,
        Some(item) => slice::from_ref(item),
    }
}

fn write_value(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => write_number(number, out),
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push('[');
            for (n, item) in items.iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                write_value(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => write_object(members.iter(), out),
    }
}

/// Members sorted by the UTF-16 code units of their keys (RFC 8785 section 3.2.3).
fn write_object<'a>(members: impl Iterator<Item = (&'a String, &'a Value)>, out: &mut String) {
    let mut members: Vec<_> = members.collect();
    members.sort_unstable_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
    out.push('{');
    for (n, (key, value)) in members.into_iter().enumerate() {
        if n > 0 {
            out.push(',');
        }
        write_string(key, out);
        out.push(':');
        write_value(value, out);
    }
    out.push('}');
}

/// The least escaping that JSON allows (RFC 8785 section 3.2.2.2).
fn write_string(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|b| b < 0x20 || b == b'"' || b == b'\\') {
        let (plain, special) = rest.split_at(at);
        out.push_str(plain);
        match special.as_bytes()[0] {
            0x08 => out.push_str("\\b"),
            b'\t' => out.push_str("\\t"),
            b'\n' => out.push_str("\\n"),
            0x0c => out.push_str("\\f"),
            b'\r' => out.push_str("\\r"),
            control @ 0..0x20 => out.push_str(&format!("\\u{control:04x}")),
            quoted => out.extend(['\\', char::from(quoted)]),
        }
        rest = &special[1..];
    }
    out.push_str(rest);
    out.push('"');
}

/// As ECMAScript writes doubles (RFC 8785 section 3.2.2.3).
fn write_number(number: &Number, out: &mut String) {
    match number.as_i64() {
        Some(n) if n.unsigned_abs() <= INTEGER_MAX => out.push_str(&n.to_string()),
        _ => match serde_json_canonicalizer::to_string(number) {
            Ok(text) => out.push_str(&text),
            Err(e) => unreachable!("JSON numbers are finite, and finite doubles have a form: {e}"),
        },
    }
}

/// Refuses integer literals that their canonical form would change. A pass of its own, because the parser
/// turns long integers into doubles before anyone can see how they were written. Those that a canonical
/// text can contain are accepted, so that whatever was parsed can be parsed again.
fn check_integers(text: &str) -> Result<(), JsonError> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let rest = &bytes[at..];
        at += match byte {
            b'"' => string_len(rest),
            b'0'..=b'9' => {
                let number = |b: &&u8| b.is_ascii_digit() || b".eE+-".contains(*b);
                let literal = &text[at..at + rest.iter().take_while(number).count()];
                let is_integer = literal.bytes().all(|b| b.is_ascii_digit());
                if is_integer && literal.parse().map_or(true, |n: u64| n > INTEGER_MAX) && !is_exact(literal)
                {
                    return Err(JsonError::InexactInteger(shown(literal)));
                }
                literal.len()
            }
            _ => 1,
        };
    }
    Ok(())
}

fn is_exact(integer: &str) -> bool {
    let double = integer.parse().ok().and_then(Number::from_f64);
    double.is_some_and(|double| canonical(&Value::Number(double)) == integer)
}

/// Bytes of the string literal that `bytes` begins with, quotes included.
fn string_len(bytes: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// What is counted while a text is parsed, and the first rule it broke.
struct Walk {
    values: usize,
    refusal: Option<JsonError>,
}

impl Walk {
    fn refuse<E: de::Error>(&mut self, why: JsonError) -> E {
        let e = E::custom(&why);
        self.refusal.get_or_insert(why);
        e
    }
}

/// One value at some depth.
struct Item<'w> {
    walk: &'w mut Walk,
    depth: usize,
}

impl Item<'_> {
    fn inner<E: de::Error>(&mut self) -> Result<Item<'_>, E> {
        if self.depth == JSON_DEPTH_MAX {
            return Err(self.walk.refuse(JsonError::TooDeep));
        }
        Ok(Item { walk: self.walk, depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Item<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.walk.values += 1;
        if self.walk.values > JSON_VALUES_MAX {
            return Err(self.walk.refuse(JsonError::TooManyValues));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Item<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number that is not finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut access: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        self.inner::<A::Error>()?;
        while let Some(value) = access.next_element_seed(self.inner()?)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut access: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        self.inner::<A::Error>()?;
        while let Some(key) = access.next_key::<String>()? {
            match members.entry(key) {
                Entry::Occupied(first) => {
                    let key = shown(first.key());
                    return Err(self.walk.refuse(JsonError::RepeatedKey(key)));
                }
                Entry::Vacant(place) => {
                    place.insert(access.next_value_seed(self.inner()?)?);
                }
            }
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn the_published_vectors_of_rfc_8785() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/credential/rfc8785-jcs");
        let mut cases = 0;
        for input in fs::read_dir(root.join("input")).unwrap() {
            let input = input.unwrap().path();
            let expected = fs::read_to_string(root.join("output").join(input.file_name().unwrap())).unwrap();
            let value = parse(&fs::read_to_string(&input).unwrap(), 4096).unwrap();
            assert_eq!(canonical(&value), expected, "{}", input.display());
            cases += 1;
        }
        assert_eq!(cases, 6);
    }

    #[test]
    fn each_departure_is_refused_by_name() {
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        let long = |n: usize| format!("[{}]", vec!["0"; n].join(","));
        assert!(parse(&deep(JSON_DEPTH_MAX), 1 << 20).is_ok());
        assert!(parse(&long(JSON_VALUES_MAX - 1), 1 << 20).is_ok());
        for (text, code) in [
            (deep(JSON_DEPTH_MAX + 1), "json-too-deep"),
            (deep(100_000), "json-too-deep"),
            (long(JSON_VALUES_MAX), "json-too-many-values"),
            (r#"{"a":1,"b":{"c":1,"\u0063":2}}"#.into(), "json-repeated-key"),
            ("9007199254740993".into(), "json-inexact-integer"),
            ("1000000000000000000000".into(), "json-inexact-integer"),
            ("[-9007199254740993]".into(), "json-inexact-integer"),
            (r#"{"\"":123456789012345678901234567890}"#.into(), "json-inexact-integer"),
            (r#"{"a":1e400}"#.into(), "json-syntax"),
            (r#""\ud83d""#.into(), "json-syntax"),
            (r#""\ude02\ud83d""#.into(), "json-syntax"),
            ("NaN".into(), "json-syntax"),
            ("01".into(), "json-syntax"),
            ("{} {}".into(), "json-syntax"),
            (r#""\"#.into(), "json-syntax"),
            (String::new(), "json-syntax"),
            (format!("\"{}\"", "a".repeat(1 << 20)), "too-long"),
        ] {
            assert_eq!(parse(&text, 1 << 20).unwrap_err().code(), code, "{}", shown(&text));
        }
        let largest = r#"[9007199254740992, -9007199254740991, 1e20, 1e30, "12345678901234567890"]"#;
        let expected =
            r#"[9007199254740992,-9007199254740991,100000000000000000000,1e+30,"12345678901234567890"]"#;
        assert_eq!(canonical(&parse(expected, 200).unwrap()), expected);
        assert_eq!(canonical(&parse(largest, 200).unwrap()), expected);
    }
}
