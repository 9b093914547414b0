//! Deterministic CBOR (RFC 8949 section 4.2.1): one value, one encoding.
//!
//! [`encode`] writes maps sorted by their encoded keys, lengths definite and shortest. [`decode`]
//! accepts exactly what `encode` would have written: a first pass walks the bytes without
//! allocating and refuses indefinite lengths, longer-than-shortest integers, unsorted or repeated
//! keys, tags, floats, `undefined`, text that is not UTF-8, too much nesting and trailing bytes; a
//! second re-encodes the decoded value and compares, so that a field written as `null` instead of
//! left out is refused as well. Hence two nodes that hold equal values hold equal bytes and ids.
//!
//! Specification: `spec/wire.md`.

use std::ops::Range;

use serde::{Serialize, de::DeserializeOwned};

use crate::limits::CBOR_DEPTH_MAX;

/// Why bytes are no legal message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// More bytes than this kind of message may have.
    #[error("{actual} bytes, more than the {max} allowed")]
    TooLong {
        /// Bytes received.
        actual: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// Not deterministic CBOR.
    #[error("not deterministic CBOR at byte {offset}: {reason}")]
    NotCanonical {
        /// Where the first offence begins.
        offset: usize,
        /// What was found.
        reason: &'static str,
    },
    /// Canonical, but not of the expected shape or range.
    #[error("not a legal {kind}: {reason}")]
    Illegal {
        /// The type expected.
        kind: &'static str,
        /// What serde said, cut to 200 characters.
        reason: String,
    },
}

/// The one encoding of `value`.
///
/// # Panics
/// When `value` holds a float, a tag or nesting deeper than [`CBOR_DEPTH_MAX`]: no wire type does, and one
/// that did would be our own mistake.
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    match cbor4ii::serde::to_vec(Vec::new(), value) {
        Ok(loose) => sort_maps(&loose),
        Err(e) => panic!("a wire type that cannot be encoded: {e}"),
    }
}

/// The value whose one encoding is `bytes`, of at most `max` bytes.
///
/// # Errors
/// [`WireError`] says where and why the bytes were refused.
pub fn decode<T: Serialize + DeserializeOwned>(bytes: &[u8], max: usize) -> Result<T, WireError> {
    if bytes.len() > max {
        return Err(WireError::TooLong { actual: bytes.len(), max });
    }
    check_canonical(bytes)?;
    let value: T = decode_kept(bytes)?;
    if encode(&value) == bytes {
        Ok(value)
    } else {
        Err(illegal::<T>("another encoding of this value is the canonical one"))
    }
}

/// The value of bytes that were checked before, such as those in the own store: neither canonical form nor size is
/// looked at again.
///
/// # Errors
/// [`WireError`] when the bytes are not of the expected shape.
pub fn decode_kept<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, WireError> {
    cbor4ii::serde::from_slice(bytes).map_err(|e| illegal::<T>(&e.to_string()))
}

fn illegal<T>(reason: &str) -> WireError {
    let kind = std::any::type_name::<T>().rsplit("::").next().unwrap_or("message").trim_end_matches('>');
    WireError::Illegal { kind, reason: reason.chars().take(200).collect() }
}

/// Refuses bytes that are not exactly one deterministic CBOR item. Allocates nothing.
pub fn check_canonical(bytes: &[u8]) -> Result<(), WireError> {
    let mut walk = Walk { bytes, at: 0 };
    walk.item(0)?;
    if walk.at == bytes.len() { Ok(()) } else { Err(walk.refuse("bytes after the item")) }
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// An item's head: its major type (RFC 8949 section 3.1) and its argument.
struct Head {
    major: u8,
    argument: u64,
}

impl<'a> Walk<'a> {
    fn refuse(&self, reason: &'static str) -> WireError {
        WireError::NotCanonical { offset: self.at, reason }
    }

    fn take(&mut self, n: u64) -> Result<&'a [u8], WireError> {
        let end = usize::try_from(n).ok().and_then(|n| self.at.checked_add(n));
        match end.and_then(|end| self.bytes.get(self.at..end)) {
            Some(taken) => {
                self.at += taken.len();
                Ok(taken)
            }
            None => Err(self.refuse("ends early")),
        }
    }

    fn head(&mut self) -> Result<Head, WireError> {
        let start = self.at;
        let first = self.take(1)?[0];
        let (major, info) = (first >> 5, first & 0x1f);
        let (argument, least) = match info {
            0..=23 => (u64::from(info), 0),
            24..=27 => {
                let width = 1usize << (info - 24);
                let value = self.take(width as u64)?.iter().fold(0u64, |n, b| (n << 8) | u64::from(*b));
                let least = match width {
                    1 => 24,
                    2 => 1 << 8,
                    4 => 1 << 16,
                    _ => 1 << 32,
                };
                (value, least)
            }
            31 => {
                return Err(WireError::NotCanonical { offset: start, reason: "an indefinite length" });
            }
            _ => {
                return Err(WireError::NotCanonical { offset: start, reason: "a reserved length" });
            }
        };
        if major != 7 && argument < least {
            return Err(WireError::NotCanonical {
                offset: start,
                reason: "an integer not in its shortest form",
            });
        }
        Ok(Head { major, argument })
    }

    fn item(&mut self, depth: usize) -> Result<(), WireError> {
        if depth > CBOR_DEPTH_MAX {
            return Err(self.refuse("nested too deeply"));
        }
        let start = self.at;
        let first = *self.bytes.get(start).ok_or_else(|| self.refuse("ends early"))?;
        let head = self.head()?;
        match head.major {
            0 | 1 => Ok(()),
            2 => self.take(head.argument).map(drop),
            3 => {
                let text = self.take(head.argument)?;
                std::str::from_utf8(text).map(drop).map_err(|_| self.refuse("text that is not UTF-8"))
            }
            4 => (0..head.argument).try_for_each(|_| self.item(depth + 1)),
            5 => {
                let mut last: &[u8] = &[];
                for _ in 0..head.argument {
                    let key_at = self.at;
                    self.item(depth + 1)?;
                    let key = &self.bytes[key_at..self.at];
                    if !last.is_empty() && key <= last {
                        return Err(WireError::NotCanonical {
                            offset: key_at,
                            reason: "map keys unsorted or repeated",
                        });
                    }
                    last = key;
                    self.item(depth + 1)?;
                }
                Ok(())
            }
            7 if matches!(first, 0xf4..=0xf6) => Ok(()),
            _ => Err(WireError::NotCanonical {
                offset: start,
                reason: "a tag, a float or an unassigned value",
            }),
        }
    }
}

/// Copies one item of our own serializer, sorting the entries of each map by their encoded keys.
fn sort_maps(loose: &[u8]) -> Vec<u8> {
    let mut walk = Walk { bytes: loose, at: 0 };
    let mut out = Vec::with_capacity(loose.len());
    match copy_sorted(&mut walk, &mut out, 0) {
        Ok(()) if walk.at == loose.len() => out,
        Ok(()) => panic!("a wire type that encodes to more than one item"),
        Err(e) => panic!("a wire type with no deterministic encoding: {e}"),
    }
}

fn copy_sorted(walk: &mut Walk<'_>, out: &mut Vec<u8>, depth: usize) -> Result<(), WireError> {
    if depth > CBOR_DEPTH_MAX {
        return Err(walk.refuse("nested too deeply"));
    }
    let start = walk.at;
    let head = walk.head()?;
    out.extend_from_slice(&walk.bytes[start..walk.at]);
    match head.major {
        4 => (0..head.argument).try_for_each(|_| copy_sorted(walk, out, depth + 1)),
        5 => {
            // Where each entry begins and ends, and where its key ends.
            let mut entries: Vec<(Range<usize>, usize)> = Vec::new();
            for _ in 0..head.argument {
                let start = out.len();
                copy_sorted(walk, out, depth + 1)?;
                let key_end = out.len();
                copy_sorted(walk, out, depth + 1)?;
                entries.push((start..out.len(), key_end));
            }
            let key = |(entry, key_end): &(Range<usize>, usize)| entry.start..*key_end;
            if !entries.is_sorted_by(|a, b| out[key(a)] <= out[key(b)]) {
                let unsorted = out.split_off(entries[0].0.start);
                let moved = out.len();
                let within = |range: Range<usize>| &unsorted[range.start - moved..range.end - moved];
                entries.sort_by(|a, b| within(key(a)).cmp(within(key(b))));
                entries.into_iter().for_each(|(entry, _)| out.extend_from_slice(within(entry)));
            }
            Ok(())
        }
        2 | 3 => walk.take(head.argument).map(|content| out.extend_from_slice(content)),
        0 | 1 => Ok(()),
        7 if matches!(head.argument, 20..=22) => Ok(()),
        _ => Err(walk.refuse("a tag, a float or an unassigned value")),
    }
}

/// Serde for byte arrays of fixed length: one CBOR byte string; in JSON, hexadecimal digits.
pub mod fixed_bytes {
    use serde::{Deserializer, Serializer, de};

    /// Writes the array.
    pub fn serialize<S: Serializer, const N: usize>(bytes: &[u8; N], s: S) -> Result<S::Ok, S::Error> {
        super::bytes::serialize(bytes, s)
    }

    /// Reads exactly `N` bytes.
    pub fn deserialize<'de, D: Deserializer<'de>, const N: usize>(d: D) -> Result<[u8; N], D::Error> {
        let bytes = super::bytes::deserialize(d)?;
        <[u8; N]>::try_from(bytes.as_slice())
            .map_err(|_| de::Error::custom(format_args!("expected {N} bytes, found {}", bytes.len())))
    }
}

/// Serde for byte strings of any length that the message's own bound allows; in JSON, hexadecimal digits.
pub mod bytes {
    use std::fmt;

    use serde::{Deserialize, Deserializer, Serializer, de};

    /// Writes a byte string.
    pub fn serialize<S: Serializer>(bytes: &[u8], s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() { s.serialize_str(&super::hex(bytes)) } else { s.serialize_bytes(bytes) }
    }

    /// Reads a byte string.
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
        struct Bytes;
        impl<'de> de::Visitor<'de> for Bytes {
            type Value = Vec<u8>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a byte string")
            }

            fn visit_bytes<E: de::Error>(self, v: &[u8]) -> Result<Vec<u8>, E> {
                Ok(v.to_vec())
            }

            fn visit_byte_buf<E: de::Error>(self, v: Vec<u8>) -> Result<Vec<u8>, E> {
                Ok(v)
            }
        }
        if d.is_human_readable() {
            let digits = String::deserialize(d)?;
            super::unhex(&digits).ok_or_else(|| de::Error::custom("not hexadecimal digits"))
        } else {
            d.deserialize_byte_buf(Bytes)
        }
    }
}

/// Lower-case hexadecimal digits, two a byte.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The bytes that hexadecimal digits stand for; `None` for anything else.
pub fn unhex(digits: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|n| u8::try_from(n).ok());
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| if let [high, low] = pair { Some(digit(*high)? << 4 | digit(*low)?) } else { None })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        zebra: u64,
        a: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        maybe: Option<bool>,
        list: Vec<i64>,
        map: BTreeMap<String, u8>,
    }

    fn sample() -> Sample {
        let map = BTreeMap::from([("bb".to_string(), 1), ("a".to_string(), 2), ("c".to_string(), 3)]);
        Sample { zebra: 500, a: "x".into(), maybe: None, list: vec![-1, 300], map }
    }

    #[test]
    fn keys_are_sorted_by_their_encoding() {
        let bytes = encode(&sample());
        assert!(check_canonical(&bytes).is_ok());
        let position = |key: &str| bytes.windows(key.len()).position(|w| w == key.as_bytes());
        assert!(position("map") < position("list") && position("list") < position("zebra"));
        assert_eq!(decode::<Sample>(&bytes, 1000).unwrap(), sample());
    }

    #[test]
    fn each_departure_is_refused_by_name() {
        let cases: &[(&[u8], &str)] = &[
            (&[0x9f, 0xff], "an indefinite length"),
            (&[0x18, 0x05], "an integer not in its shortest form"),
            (&[0xa2, 0x61, b'b', 0x01, 0x61, b'a', 0x01], "map keys unsorted or repeated"),
            (&[0xa2, 0x61, b'a', 0x01, 0x61, b'a', 0x01], "map keys unsorted or repeated"),
            (&[0xf9, 0x00, 0x00], "a tag, a float or an unassigned value"),
            (&[0xc0, 0x60], "a tag, a float or an unassigned value"),
            (&[0xf7], "a tag, a float or an unassigned value"),
            (&[0x61, 0xff], "text that is not UTF-8"),
            (&[0x01, 0x01], "bytes after the item"),
            (&[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "ends early"),
            (&[0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "ends early"),
            (&[0x81; 100], "nested too deeply"),
        ];
        for (bytes, expected) in cases {
            match check_canonical(bytes) {
                Err(WireError::NotCanonical { reason, .. }) => {
                    assert_eq!(reason, *expected, "{bytes:02x?}")
                }
                other => panic!("{bytes:02x?}: {other:?}"),
            }
        }
    }

    #[test]
    fn null_for_an_absent_field_is_refused() {
        let mut with_null = encode(&Sample { maybe: Some(true), ..sample() });
        let at = with_null.iter().position(|b| *b == 0xf5).unwrap();
        with_null[at] = 0xf6;
        assert!(matches!(decode::<Sample>(&with_null, 1000), Err(WireError::Illegal { .. })));
        assert!(matches!(decode::<Sample>(&with_null, 3), Err(WireError::TooLong { .. })));
    }

    #[test]
    #[should_panic(expected = "a tag, a float or an unassigned value")]
    fn a_float_is_never_encoded() {
        encode(&0.5f64);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = check_canonical(&bytes);
            if let Ok(value) = decode::<Sample>(&bytes, 400) {
                prop_assert_eq!(encode(&value), bytes);
            }
        }
    }
}
