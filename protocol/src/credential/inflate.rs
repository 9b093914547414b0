//! DEFLATE (RFC 1951) with a bound on what comes out.
//!
//! A few kilobytes can expand to a thousand times as much, and a stream does not say beforehand to how
//! much. So the bound is kept while expanding, and nothing beyond it is ever held.

use flate2::{Decompress, FlushDecompress, Status};

/// Room that is made for the output at a time, in bytes.
const STEP_BYTES: usize = 32 * 1024;

/// What stands around the compressed blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrapping {
    /// Nothing: blocks as GZIP holds them between its own header and trailer.
    None,
    /// The header and checksum of zlib (RFC 1950), as PNG has it.
    Zlib,
}

/// Why bytes were not expanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InflateError {
    /// They are no such stream, or end before it does.
    Corrupt,
    /// They expand to more than allowed.
    TooLong,
}

/// What the stream at the beginning of `compressed` expands to, at most `max` bytes, and how many bytes of
/// `compressed` it takes.
pub(super) fn inflate(
    compressed: &[u8],
    wrapping: Wrapping,
    max: usize,
) -> Result<(Vec<u8>, usize), InflateError> {
    let mut stream = Decompress::new(wrapping == Wrapping::Zlib);
    let (mut expanded, mut taken) = (Vec::new(), 0);
    loop {
        expanded.reserve(STEP_BYTES.min(max + 1 - expanded.len()));
        let before = (taken, expanded.len());
        let status = stream
            .decompress_vec(&compressed[taken..], &mut expanded, FlushDecompress::None)
            .map_err(|_| InflateError::Corrupt)?;
        taken = usize::try_from(stream.total_in()).unwrap_or(compressed.len()).min(compressed.len());
        if expanded.len() > max {
            return Err(InflateError::TooLong);
        }
        if status == Status::StreamEnd {
            return Ok((expanded, taken));
        }
        if before == (taken, expanded.len()) {
            return Err(InflateError::Corrupt);
        }
    }
}
