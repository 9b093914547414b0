//! Origins: the part of the web that one host and port answer for.
//!
//! Sources: RFC 6454 (web origins); RFC 1035 and 1123 (names of hosts).

use std::{fmt, str::FromStr};

use crate::limits::ORIGIN_BYTES_MAX;

/// The longest name of a host (RFC 1035 section 2.3.4), without the root's dot.
const HOST_BYTES_MAX: usize = 253;

/// `https://HOST` or `https://HOST:PORT`, in lower case and without the port that `https` implies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(String);

/// The text is no origin that is fetched by `https` from a host with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an origin (https://HOST or https://HOST:PORT)")]
pub struct NotAnOrigin;

impl Origin {
    /// The origin of a host whose name is sound.
    pub(super) fn new(host: &str, port: Option<u16>) -> Self {
        let host = host.to_ascii_lowercase();
        match port {
            None | Some(443) => Origin(format!("https://{host}")),
            Some(port) => Origin(format!("https://{host}:{port}")),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where the origin states which DIDs are its own ([`super::linkage`]).
    pub fn configuration_url(&self) -> String {
        format!("{self}/.well-known/did-configuration.json")
    }
}

impl FromStr for Origin {
    type Err = NotAnOrigin;

    /// Reads an origin, with or without a slash at its end, as many write it.
    fn from_str(text: &str) -> Result<Self, NotAnOrigin> {
        let text = Some(text).filter(|text| text.len() <= ORIGIN_BYTES_MAX).ok_or(NotAnOrigin)?;
        let authority = text.strip_prefix("https://").ok_or(NotAnOrigin)?;
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        let (host, port) = match authority.split_once(':') {
            Some((host, digits)) => (host, Some(port(digits).ok_or(NotAnOrigin)?)),
            None => (authority, None),
        };
        if is_host_name(host) { Ok(Origin::new(host, port)) } else { Err(NotAnOrigin) }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Labels of letters, digits and hyphens (RFC 1123 section 2.1), of which the last does not begin with a digit: the
/// parsers of URLs read `1.2.3.4`, `127.1` and `0x7f000001` as addresses.
pub(super) fn is_host_name(host: &str) -> bool {
    let is_label = |label: &str| {
        let inner = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = host.rsplit('.').next().unwrap_or_default();
    host.len() <= HOST_BYTES_MAX
        && host.split('.').all(is_label)
        && !last.starts_with(|c: char| c.is_ascii_digit())
}

/// The port that `digits` stand for.
pub(super) fn port(digits: &str) -> Option<u16> {
    let digits = Some(digits).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
    digits.and_then(|digits| digits.parse().ok()).filter(|port| *port != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_have_one_text() {
        for (text, origin) in [
            ("https://example.org", Some("https://example.org")),
            ("https://Example.ORG:443/", Some("https://example.org")),
            ("https://localhost:8443", Some("https://localhost:8443")),
            ("http://example.org", None),
            ("example.org", None),
            ("https://", None),
            ("https://user@example.org", None),
            ("https://example.org/path", None),
            ("https://example.org//", None),
            ("https://example.org:0", None),
            ("https://example.org:+1", None),
            ("https://127.0.0.1", None),
            ("https://[::1]", None),
            ("https://example.org?a", None),
            ("https://exämple.org", None),
        ] {
            assert_eq!(text.parse().as_ref().ok().map(Origin::as_str), origin, "{text}");
        }
        let long = format!("https://{}", "a.".repeat(ORIGIN_BYTES_MAX));
        assert_eq!(long.parse::<Origin>(), Err(NotAnOrigin));
    }
}
