//! Text chunks of PNG: `iTXt`, and `tEXt` in old badges.

use flate2::Crc;

use super::{Baked, BakedError, Version};
use crate::{
    credential::inflate::{InflateError, Wrapping, inflate},
    limits::CREDENTIAL_BYTES_MAX,
};

const SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";

/// Bytes of the header chunk, which always comes first: length, type, 13 bytes of data, checksum.
const HEADER_CHUNK_BYTES: usize = 25;

pub(super) fn is_png(bytes: &[u8]) -> bool {
    bytes.starts_with(&SIGNATURE)
}

/// The badge in the first text chunk that holds one.
pub(super) fn extract(png: &[u8]) -> Result<Option<Baked>, BakedError> {
    let mut rest = &png[SIGNATURE.len()..];
    while !rest.is_empty() {
        let (chunk, after) = Chunk::split(rest).ok_or(BakedError::PngStructure)?;
        if chunk.kind == *b"IEND" {
            break;
        }
        if let Some(baked) = chunk.badge()? {
            return Ok(Some(baked));
        }
        rest = after;
    }
    Ok(None)
}

/// `png` with an uncompressed `iTXt` chunk behind its header.
pub(super) fn bake(png: &[u8], badge: &Baked) -> Result<Vec<u8>, BakedError> {
    let header_end = SIGNATURE.len() + HEADER_CHUNK_BYTES;
    let (header, rest) = png.split_at_checked(header_end).ok_or(BakedError::PngStructure)?;
    if header.get(12..16) != Some(b"IHDR") {
        return Err(BakedError::PngStructure);
    }
    // Not compressed, no method, no language, no translated keyword.
    let data = [badge.version.keyword().as_bytes(), &[0; 5], badge.text.as_bytes()].concat();
    let length = u32::try_from(data.len()).map_err(|_| BakedError::NotBakeable)?;
    let crc = checksum(*b"iTXt", &data);
    Ok([header, &length.to_be_bytes(), b"iTXt", &data, &crc.to_be_bytes(), rest].concat())
}

/// One piece of a PNG (section 5.3).
struct Chunk<'a> {
    kind: [u8; 4],
    data: &'a [u8],
    crc: u32,
}

impl<'a> Chunk<'a> {
    /// The first chunk of `bytes`, and what follows it.
    fn split(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (length, rest) = bytes.split_first_chunk()?;
        let (kind, rest) = rest.split_first_chunk()?;
        let (data, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        let (crc, rest) = rest.split_first_chunk()?;
        Some((Chunk { kind: *kind, data, crc: u32::from_be_bytes(*crc) }, rest))
    }

    /// The badge in this chunk; `None` when it is another chunk.
    fn badge(&self) -> Result<Option<Baked>, BakedError> {
        if self.kind != *b"iTXt" && self.kind != *b"tEXt" {
            return Ok(None);
        }
        let Some((keyword, rest)) = split_at_zero(self.data) else { return Ok(None) };
        let Some(version) = Version::ALL.into_iter().find(|v| v.keyword().as_bytes() == keyword) else {
            return Ok(None);
        };
        if checksum(self.kind, self.data) != self.crc {
            return Err(BakedError::PngChecksum);
        }
        let text = if self.kind == *b"tEXt" { rest.to_vec() } else { international_text(rest)? };
        if text.len() > CREDENTIAL_BYTES_MAX {
            return Err(BakedError::TextTooLong);
        }
        let text = str::from_utf8(&text).map_err(|_| BakedError::NotUtf8)?;
        Baked::new(version, text).map(Some)
    }
}

/// The text of an `iTXt` chunk, from behind its keyword (section 11.3.3.4).
fn international_text(fields: &[u8]) -> Result<Vec<u8>, BakedError> {
    let (&[compressed, method], rest) = fields.split_first_chunk().ok_or(BakedError::PngText)?;
    let (_language, rest) = split_at_zero(rest).ok_or(BakedError::PngText)?;
    let (_translated_keyword, text) = split_at_zero(rest).ok_or(BakedError::PngText)?;
    match (compressed, method) {
        (0, _) => Ok(text.to_vec()),
        (1, 0) => match inflate(text, Wrapping::Zlib, CREDENTIAL_BYTES_MAX) {
            Ok((text, _)) => Ok(text),
            Err(InflateError::Corrupt) => Err(BakedError::PngText),
            Err(InflateError::TooLong) => Err(BakedError::TextTooLong),
        },
        _ => Err(BakedError::PngText),
    }
}

fn split_at_zero(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|b| *b == 0)?;
    Some((&bytes[..at], &bytes[at + 1..]))
}

/// CRC-32 of a chunk's type and data.
pub(super) fn checksum(kind: [u8; 4], data: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(&kind);
    crc.update(data);
    crc.sum()
}
