//! What the targets share.

use knackmesh_protocol::time::Timestamp;

/// When everything is looked at: within the validity of the vectors.
pub const NOW: Timestamp = Timestamp::from_unix_ms(1_780_315_200_000);

/// The texts that `data` holds, up to `N` of them with a zero byte after each; those that are missing are empty. `None` when it
/// is no UTF-8.
pub fn texts<const N: usize>(data: &[u8]) -> Option<[&str; N]> {
    let mut texts = std::str::from_utf8(data).ok()?.splitn(N, '\0');
    Some(std::array::from_fn(|_| texts.next().unwrap_or_default()))
}
