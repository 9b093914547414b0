//! The bitstring in which an issuer publishes the status of many credentials at once.
//!
//! An entry says nothing but a small number, zero when all is well; whose entry it is, only a credential
//! tells. A list has so many entries that asking for it says little about which of them is meant, hence
//! the least length.
//!
//! Source: W3C Bitstring Status List v1.0, sections 2.2 and 3.2 to 3.4; before it, W3C CCG Status List 2021.
//! Specification: `spec/status.md`, "Bitstring".

use base64::{
    Engine,
    alphabet::{STANDARD, URL_SAFE},
    engine::{
        DecodePaddingMode,
        general_purpose::{GeneralPurpose, GeneralPurposeConfig, URL_SAFE_NO_PAD},
    },
};
use flate2::{Compress, Compression, Crc, FlushCompress, Status};

use super::inflate::{InflateError, Wrapping, inflate};
use crate::limits::{STATUS_ENTRIES_MIN, STATUS_LIST_BYTES_MAX};

/// The most bits an entry may have here.
const STATUS_SIZE_MAX: u8 = 8;

/// GZIP (RFC 1952 section 2.3): its magic, DEFLATE, no optional part, no time, best compression, no system
/// named. The same bits always give the same bytes.
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 0xff];

/// The statuses of many credentials, by index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bitstring {
    bytes: Vec<u8>,
    status_size: u8,
}

/// Why a text is no bitstring, or why an entry cannot be set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BitstringError {
    /// Entries of no bits, or of more than eight.
    #[error("an entry has 1 to {STATUS_SIZE_MAX} bits, not {0}")]
    StatusSize(u8),
    /// Not base64url behind the multibase prefix `u`, or for older lists not base64.
    #[error("the list is not base64url with the prefix u")]
    Encoding,
    /// Not one GZIP member, or a damaged one.
    #[error("the list is not intact GZIP")]
    Gzip,
    /// More than [`STATUS_LIST_BYTES_MAX`] when expanded.
    #[error("the list is longer than {STATUS_LIST_BYTES_MAX} bytes")]
    TooLong,
    /// Fewer than [`STATUS_ENTRIES_MIN`] entries, so that asking for the list says too much.
    #[error("the list has {0} entries, fewer than the {STATUS_ENTRIES_MIN} that privacy asks for")]
    TooShort(u64),
    /// No such entry.
    #[error("the list has no entry {0}")]
    Index(u64),
    /// A status that does not fit into an entry.
    #[error("{0} does not fit into an entry of this list")]
    Value(u8),
}

impl BitstringError {
    /// The stable name of this refusal.
    pub const fn code(&self) -> &'static str {
        match self {
            BitstringError::StatusSize(_) => "status-size",
            BitstringError::Encoding => "status-list-encoding",
            BitstringError::Gzip => "status-list-gzip",
            BitstringError::TooLong => "status-list-too-long",
            BitstringError::TooShort(_) => "status-list-too-short",
            BitstringError::Index(_) => "status-index",
            BitstringError::Value(_) => "status-value",
        }
    }
}

impl Bitstring {
    /// A list of at least `entries` entries of `status_size` bits, all zero; never fewer than
    /// [`STATUS_ENTRIES_MIN`].
    ///
    /// # Errors
    /// [`BitstringError::StatusSize`], or [`BitstringError::TooLong`] for more than fit.
    pub fn new(entries: u64, status_size: u8) -> Result<Self, BitstringError> {
        check_size(status_size)?;
        let bits = entries.max(STATUS_ENTRIES_MIN).checked_mul(u64::from(status_size));
        let bytes = bits.map(|bits| bits.div_ceil(8)).and_then(|bytes| usize::try_from(bytes).ok());
        match bytes {
            Some(bytes) if bytes <= STATUS_LIST_BYTES_MAX => {
                Ok(Bitstring { bytes: vec![0; bytes], status_size })
            }
            _ => Err(BitstringError::TooLong),
        }
    }

    /// Reads an `encodedList`: the letter `u`, then base64url without padding of one GZIP member.
    ///
    /// # Errors
    /// [`BitstringError`] names the first rule that the text breaks.
    pub fn decode(encoded: &str, status_size: u8) -> Result<Self, BitstringError> {
        check_encoded_length(encoded)?;
        let digits = encoded.strip_prefix('u').ok_or(BitstringError::Encoding)?;
        let compressed = URL_SAFE_NO_PAD.decode(digits).map_err(|_| BitstringError::Encoding)?;
        Self::expand(&compressed, status_size)
    }

    /// Reads the `encodedList` of a Status List 2021, whose entries are single bits: base64url or base64,
    /// padded or not, without a prefix.
    ///
    /// # Errors
    /// As [`Bitstring::decode`].
    pub fn decode_legacy(encoded: &str) -> Result<Self, BitstringError> {
        check_encoded_length(encoded)?;
        let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        let is_standard = encoded.contains(['+', '/']);
        let alphabet = if is_standard { &STANDARD } else { &URL_SAFE };
        let digits = GeneralPurpose::new(alphabet, config).decode(encoded);
        Self::expand(&digits.map_err(|_| BitstringError::Encoding)?, 1)
    }

    /// The text for `encodedList`: the letter `u` and base64url of the list in GZIP.
    pub fn encode(&self) -> String {
        let mut packed = GZIP_HEADER.to_vec();
        let mut stream = Compress::new(Compression::best(), false);
        loop {
            let taken = usize::try_from(stream.total_in()).unwrap_or(usize::MAX).min(self.bytes.len());
            packed.reserve(1024);
            match stream.compress_vec(&self.bytes[taken..], &mut packed, FlushCompress::Finish) {
                Ok(Status::StreamEnd) => break,
                Ok(Status::Ok | Status::BufError) => {}
                Err(e) => unreachable!("compressing fails only when its calls are out of order: {e}"),
            }
        }
        packed.extend(trailer(&self.bytes));
        format!("u{}", URL_SAFE_NO_PAD.encode(packed))
    }

    /// How many entries the list has.
    pub fn entries(&self) -> u64 {
        self.bytes.len() as u64 * 8 / u64::from(self.status_size)
    }

    /// Bits of an entry, 1 to 8.
    pub fn status_size(&self) -> u8 {
        self.status_size
    }

    /// The status at `index`; `None` when the list has no such entry.
    pub fn get(&self, index: u64) -> Option<u8> {
        let bits = self.bits(index)?;
        Some(bits.fold(0, |status, bit| status << 1 | self.bytes[bit / 8] >> (7 - bit % 8) & 1))
    }

    /// Changes the status at `index`.
    ///
    /// # Errors
    /// [`BitstringError::Index`] when there is no such entry, [`BitstringError::Value`] when the status
    /// has more bits than an entry.
    pub fn set(&mut self, index: u64, status: u8) -> Result<(), BitstringError> {
        if status.checked_shr(u32::from(self.status_size)).is_some_and(|rest| rest != 0) {
            return Err(BitstringError::Value(status));
        }
        let bits = self.bits(index).ok_or(BitstringError::Index(index))?;
        for (bit, shift) in bits.zip((0..self.status_size).rev()) {
            let mask = 0x80 >> (bit % 8);
            let byte = &mut self.bytes[bit / 8];
            *byte = if status >> shift & 1 == 1 { *byte | mask } else { *byte & !mask };
        }
        Ok(())
    }

    /// Positions of the entry's bits, the most significant first; bit 0 is the left-most of the list.
    fn bits(&self, index: u64) -> Option<std::ops::Range<usize>> {
        let size = usize::from(self.status_size);
        let start = usize::try_from(index).ok().filter(|_| index < self.entries())? * size;
        Some(start..start + size)
    }

    fn expand(gzip: &[u8], status_size: u8) -> Result<Self, BitstringError> {
        check_size(status_size)?;
        let blocks = &gzip[header_len(gzip).ok_or(BitstringError::Gzip)?..];
        let (bytes, taken) = inflate(blocks, Wrapping::None, STATUS_LIST_BYTES_MAX).map_err(|e| match e {
            InflateError::Corrupt => BitstringError::Gzip,
            InflateError::TooLong => BitstringError::TooLong,
        })?;
        if blocks[taken..] != trailer(&bytes) {
            return Err(BitstringError::Gzip);
        }
        let list = Bitstring { bytes, status_size };
        if list.entries() < STATUS_ENTRIES_MIN {
            return Err(BitstringError::TooShort(list.entries()));
        }
        Ok(list)
    }
}

fn check_size(status_size: u8) -> Result<(), BitstringError> {
    if (1..=STATUS_SIZE_MAX).contains(&status_size) {
        Ok(())
    } else {
        Err(BitstringError::StatusSize(status_size))
    }
}

/// No list within the bound takes as much as twice its length: base64 adds a third, GZIP next to nothing.
fn check_encoded_length(encoded: &str) -> Result<(), BitstringError> {
    if encoded.len() > 2 * STATUS_LIST_BYTES_MAX { Err(BitstringError::TooLong) } else { Ok(()) }
}

/// Bytes before the compressed blocks (RFC 1952 section 2.3); `None` when `gzip` does not begin as GZIP.
fn header_len(gzip: &[u8]) -> Option<usize> {
    let (&[0x1f, 0x8b, 8, flags, ..], mut rest) = gzip.split_first_chunk::<10>()? else { return None };
    let [checked, extra, name, comment] = [2, 4, 8, 16].map(|flag| flags & flag != 0);
    if flags & 0xe0 != 0 {
        return None;
    }
    if extra {
        let (length, after) = rest.split_first_chunk()?;
        rest = after.get(usize::from(u16::from_le_bytes(*length))..)?;
    }
    for _ in [name, comment].into_iter().filter(|present| *present) {
        rest = &rest[rest.iter().position(|b| *b == 0)? + 1..];
    }
    if checked {
        rest = rest.get(2..)?;
    }
    Some(gzip.len() - rest.len())
}

/// What follows the compressed blocks: CRC-32 and length, modulo 2^32, of what they expand to.
fn trailer(bytes: &[u8]) -> [u8; 8] {
    let mut crc = Crc::new();
    crc.update(bytes);
    (u64::from(crc.sum()) | (bytes.len() as u64) << 32).to_le_bytes()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let text = Bitstring { bytes: bytes.to_vec(), status_size: 1 }.encode();
        URL_SAFE_NO_PAD.decode(&text[1..]).unwrap()
    }

    fn published(document: &str) -> String {
        let document: Value = serde_json::from_str(document).unwrap();
        document["credentialSubject"]["encodedList"].as_str().unwrap().to_owned()
    }

    #[test]
    fn published_lists_are_read() {
        let example = published(include_str!("../../vectors/credential/status/published/w3c-example-3.json"));
        let list = Bitstring::decode(&example, 1).unwrap();
        assert_eq!(list.entries(), STATUS_ENTRIES_MIN);
        assert!((0..list.entries()).all(|index| list.get(index) == Some(0)));
        assert_eq!(list, Bitstring::new(0, 1).unwrap());

        let revoking =
            published(include_str!("../../vectors/credential/status/published/1edtech-testlist.json"));
        let list = Bitstring::decode(&revoking, 1).unwrap();
        let revoked: Vec<u64> = (0..list.entries()).filter(|index| list.get(*index) == Some(1)).collect();
        assert_eq!(revoked, [23]);
        assert_eq!(list.get(STATUS_ENTRIES_MIN), None);
        assert_eq!(list.get(u64::MAX), None);

        assert_eq!(Bitstring::decode_legacy(&revoking[1..]).unwrap(), list);
        assert_eq!(Bitstring::decode(&revoking[1..], 1), Err(BitstringError::Encoding));
        assert!(Bitstring::decode_legacy(&revoking).is_err());
    }

    #[test]
    fn the_first_entry_is_left_most_and_its_first_bit_most_significant() {
        let mut list = Bitstring::new(0, 3).unwrap();
        list.set(0, 0b101).unwrap();
        list.set(2, 0b110).unwrap();
        assert_eq!(list.bytes[..2], [0b1010_0011, 0]);
        list.set(2, 0b001).unwrap();
        assert_eq!(list.bytes[..2], [0b1010_0000, 0b1000_0000]);
        assert_eq!([0, 1, 2].map(|index| list.get(index)), [Some(5), Some(0), Some(1)]);
        assert_eq!(list.set(0, 8), Err(BitstringError::Value(8)));
        assert_eq!(list.set(list.entries(), 0), Err(BitstringError::Index(list.entries())));
        let mut wide = Bitstring::new(0, 8).unwrap();
        wide.set(1, 255).unwrap();
        assert_eq!(wide.bytes[..3], [0, 255, 0]);
    }

    #[test]
    fn the_same_list_has_the_same_text() {
        let list = Bitstring::new(0, 1).unwrap();
        assert_eq!(list.encode(), list.clone().encode());
        assert!(list.encode().starts_with("uH4sIAAAAAAAC_"));
        assert_eq!(Bitstring::decode(&list.encode(), 1).unwrap(), list);
    }

    #[test]
    fn each_departure_is_refused_by_name() {
        let good = gzip(&vec![0; 16 * 1024]);
        let changed = |at: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[at] = byte;
            bytes
        };
        let last = good.len() - 1;
        for (bytes, size, code) in [
            (good.clone(), 0, "status-size"),
            (good.clone(), 9, "status-size"),
            (good.clone(), 2, "status-list-too-short"),
            (gzip(&vec![0; 16 * 1024 - 1]), 1, "status-list-too-short"),
            (gzip(&[]), 1, "status-list-too-short"),
            (gzip(&vec![0; STATUS_LIST_BYTES_MAX + 1]), 1, "status-list-too-long"),
            (changed(0, 0), 1, "status-list-gzip"),
            (changed(3, 0xe0), 1, "status-list-gzip"),
            (changed(3, 4), 1, "status-list-gzip"),
            (changed(last - 7, good[last - 7] ^ 1), 1, "status-list-gzip"),
            (changed(last - 3, good[last - 3] ^ 1), 1, "status-list-gzip"),
            (good[..last].to_vec(), 1, "status-list-gzip"),
            ([good.clone(), good.clone()].concat(), 1, "status-list-gzip"),
            (vec![], 1, "status-list-gzip"),
        ] {
            let text = format!("u{}", URL_SAFE_NO_PAD.encode(&bytes));
            assert_eq!(Bitstring::decode(&text, size).unwrap_err().code(), code, "{size}");
        }
        for text in ["", "u!", "uH4sI=", "zH4sI"] {
            assert_eq!(Bitstring::decode(text, 1).unwrap_err().code(), "status-list-encoding", "{text}");
        }
        let long = "u".repeat(2 * STATUS_LIST_BYTES_MAX + 1);
        assert_eq!(Bitstring::decode(&long, 1), Err(BitstringError::TooLong));
        assert_eq!(Bitstring::new(u64::MAX, 8), Err(BitstringError::TooLong));
    }

    #[test]
    fn the_optional_parts_of_a_gzip_header_are_passed_over() {
        let good = gzip(&vec![0; 16 * 1024]);
        let mut header = GZIP_HEADER.to_vec();
        header[3] = 2 | 4 | 8 | 16;
        header.extend([3, 0, 1, 2, 3]);
        header.extend(b"name\0comment\0");
        header.extend([9, 9]);
        let text = URL_SAFE_NO_PAD.encode([&header, &good[10..]].concat());
        assert!(Bitstring::decode(&format!("u{text}"), 1).is_ok());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "u?[A-Za-z0-9_+/=-]{0,80}|.{0,40}", size in any::<u8>()) {
            let _ = Bitstring::decode(&text, size);
            let _ = Bitstring::decode_legacy(&text);
        }

        #[test]
        fn any_damage_is_refused(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut list = Bitstring::new(0, 1).unwrap();
            list.set(77, 1).unwrap();
            let mut bytes = URL_SAFE_NO_PAD.decode(&list.encode()[1..]).unwrap();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let text = format!("u{}", URL_SAFE_NO_PAD.encode(&bytes));
            if let Ok(read) = Bitstring::decode(&text, 1) {
                prop_assert_eq!(read, list);
            }
        }

        #[test]
        fn what_is_set_is_read_back(
            size in 1..=8u8,
            changes in prop::collection::vec((0..STATUS_ENTRIES_MIN, any::<u8>()), 0..20),
        ) {
            let mut list = Bitstring::new(0, size).unwrap();
            let mut expected = std::collections::BTreeMap::new();
            for (index, status) in changes {
                let status = (u16::from(status) % (1 << size)) as u8;
                list.set(index, status).unwrap();
                expected.insert(index, status);
            }
            let list = Bitstring::decode(&list.encode(), size).unwrap();
            for (index, status) in &expected {
                prop_assert_eq!(list.get(*index), Some(*status));
            }
            let set = (0..list.entries()).filter(|index| list.get(*index) != Some(0)).count();
            prop_assert_eq!(set, expected.values().filter(|status| **status != 0).count());
        }
    }
}
