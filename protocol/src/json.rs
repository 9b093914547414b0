//! Strict JSON and its canonical form (JCS, RFC 8785).
//!
//! [`parse`] accepts the subset on which every implementation agrees (I-JSON, RFC 7493): no repeated
//! keys, no lone surrogates, no integer that a double would change; bounded in bytes, nesting and
//! number of values. Anything laxer would let two verifiers read two documents in one signed text.
//!
//! Specification: `spec/credential.md`, "JSON".

use std::{cmp::Ordering, fmt, slice};

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value, map::Entry};

use crate::{
    limits::{JSON_DEPTH_MAX, JSON_VALUES_MAX},
    text::shown,
};

/// 2^53 - 1: integers up to here are doubles, and no other integer rounds to them (RFC 7493 section 2.2).
const INTEGER_MAX: u64 = (1 << 53) - 1;

/// What a canonical text has room for before it must grow: as much as nearly every proof and value takes.
const CANONICAL_BYTES: usize = 512;

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
    let mut walk = Walk { values: 0, has_other_numbers: false, refusal: None };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Item { walk: &mut walk, depth: 0 }.deserialize(&mut deserializer);
    let parsed = value.and_then(|value| deserializer.end().map(|()| value));
    if parsed.is_err() || walk.has_other_numbers {
        check_integers(text)?;
    }
    parsed.map_err(|e| walk.refusal.unwrap_or_else(|| JsonError::Syntax(shown(&e.to_string()))))
}

/// The canonical form of `value`: RFC 8785.
///
/// Written here rather than by `serde_json_canonicalizer`, which takes longer for it than Ed25519 does to
/// verify; that crate still writes the numbers, and a test compares the two.
pub fn canonical(value: &Value) -> String {
    let mut out = String::with_capacity(CANONICAL_BYTES);
    write_value(value, &mut out);
    out
}

/// The canonical form of the object that has these members, of which no two have one key.
pub(crate) fn canonical_object<'a>(members: impl Iterator<Item = (&'a String, &'a Value)>) -> String {
    let mut out = String::with_capacity(CANONICAL_BYTES);
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
    members.sort_unstable_by(|(a, _), (b, _)| order(a, b));
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

/// The order of two keys by their UTF-16 code units. It is that of their bytes, but for surrogates: they are below U+E000, and
/// the characters that they stand for above all others. Those begin with 0xf0 at least, U+E000 with 0xee.
fn order(a: &str, b: &str) -> Ordering {
    match a.bytes().zip(b.bytes()).find(|(a, b)| a != b) {
        None => a.len().cmp(&b.len()),
        Some((a, b)) if a < 0xee || b < 0xee => a.cmp(&b),
        Some(_) => a.encode_utf16().cmp(b.encode_utf16()),
    }
}

/// The least escaping that JSON allows (RFC 8785 section 3.2.2.2).
fn write_string(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = escaped_at(rest.as_bytes()) {
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

/// Where the first byte is that must be escaped; eight are looked at in a step.
fn escaped_at(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGH_BITS: u64 = u64::from_le_bytes([0x80; 8]);
    // The high bit of each byte that is below `bound`. A borrow can add bytes after the first that is, never before it.
    let below = |word: u64, bound: u8| word.wrapping_sub(ONES * u64::from(bound)) & !word & HIGH_BITS;
    let (words, rest) = bytes.as_chunks::<8>();
    for (n, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let equal = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
        let found = below(word, 0x20) | equal(b'"') | equal(b'\\');
        if found != 0 {
            return Some(8 * n + found.trailing_zeros() as usize / 8);
        }
    }
    let is_escaped = |b: &u8| *b < 0x20 || *b == b'"' || *b == b'\\';
    rest.iter().position(is_escaped).map(|at| 8 * words.len() + at)
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
/// turns long integers into doubles before anyone can see how they were written; it is made where there are doubles or
/// long integers, or the parser refused the text. Those that a canonical text can contain are accepted, so that whatever
/// was parsed can be parsed again.
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
    /// Whether there are numbers other than the integers up to [`INTEGER_MAX`].
    has_other_numbers: bool,
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
        self.walk.has_other_numbers |= value.unsigned_abs() > INTEGER_MAX;
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        self.walk.has_other_numbers |= value > INTEGER_MAX;
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        self.walk.has_other_numbers = true;
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

    use proptest::prelude::*;

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

    /// Texts of few letters, so that many of them begin alike: what is escaped, and the edges of UTF-8 and UTF-16.
    fn text() -> impl Strategy<Value = String> {
        let edges = "\u{1f} !\"#[\\]~\u{7f}\u{80}\u{7ff}\u{800}\u{d7ff}\u{e000}\u{ffff}\u{10000}\u{10ffff}";
        let letter = prop_oneof![prop::sample::select(edges.chars().collect::<Vec<_>>()), any::<char>()];
        prop::collection::vec(letter, 0..24).prop_map(String::from_iter)
    }

    proptest! {
        #[test]
        fn keys_are_ordered_by_their_utf_16(start in text(), [a, b] in [text(), text()]) {
            let (a, b) = (start.clone() + &a, start + &b);
            prop_assert_eq!(order(&a, &b), a.encode_utf16().cmp(b.encode_utf16()));
        }

        #[test]
        fn the_first_byte_that_is_escaped_is_found(text in text(), plain in "[a-z]{0,20}") {
            let text = plain + &text;
            let is_escaped = |b: u8| b < 0x20 || b == b'"' || b == b'\\';
            prop_assert_eq!(escaped_at(text.as_bytes()), text.bytes().position(is_escaped));
        }

        #[test]
        fn inexact_integers_are_refused_before_all_else(
            text in prop_oneof![
                "[\\[\\]{},:\"0-9.eE+-]{0,24}",
                "(\\[|)-?[0-9]{1,24}(\\.0|e5|)(\\]|)",
                r#"\{"a":(-?[0-9]{14,18}),"b":[0-9]{1,20}\}"#,
            ],
        ) {
            let parsed = parse(&text, 100);
            match check_integers(&text) {
                Err(refusal) => prop_assert_eq!(parsed, Err(refusal)),
                Ok(()) => prop_assert!(!matches!(parsed, Err(JsonError::InexactInteger(_)))),
            }
        }
    }
}
