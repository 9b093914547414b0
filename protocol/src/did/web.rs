//! `did:web`: the identifier is a host, and perhaps a path, at which the document lies.
//!
//! Whoever controls the host, or its name, controls the DID. So a key of a `did:web` is worth what the fetch was, and
//! [`super::Resolved::fetched`] says when that was.
//!
//! Source: W3C CCG, did:web Method Specification.

use super::{DidMethod, Source};
use crate::key::Did;

/// The method, for the list of methods.
pub(super) const METHOD: DidMethod = DidMethod { name: "web", source: Source::Fetched(url_of) };

/// The longest name of a host (RFC 1035 section 2.3.4), without the root's dot.
const HOST_BYTES_MAX: usize = 253;

/// Why a DID names no place on the web.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebError {
    /// Another method.
    #[error("it is no did:web")]
    NotWeb,
    /// Not the name of a host; addresses in digits are none.
    #[error("a did:web begins with the name of a host, and no address in digits")]
    Host,
    /// Not 1 to 65535 after `%3A`.
    #[error("the port of the did:web is malformed")]
    Port,
    /// A part of the path is empty, or would lead elsewhere.
    #[error("the path of the did:web is malformed")]
    Path,
}

/// Where the document of `did` lies: `https://HOST[:PORT]/.well-known/did.json`, or `https://HOST[:PORT]/PATH/did.json`.
///
/// # Errors
/// [`WebError`] when it names no such place.
pub fn url_of(did: &Did) -> Result<String, WebError> {
    let text = did.as_str().strip_prefix("did:web:").ok_or(WebError::NotWeb)?;
    let (authority, path) = match text.split_once(':') {
        Some((authority, path)) => (authority, Some(path)),
        None => (text, None),
    };
    let (host, port) = match authority.split_once('%') {
        Some((host, escaped)) => (host, Some(port(escaped)?)),
        None => (authority, None),
    };
    if !is_host_name(host) {
        return Err(WebError::Host);
    }
    let mut url = format!("https://{}", host.to_ascii_lowercase());
    if let Some(port) = port {
        url.push_str(&format!(":{port}"));
    }
    for segment in path.unwrap_or(".well-known").split(':') {
        if !is_segment(segment) {
            return Err(WebError::Path);
        }
        url.push('/');
        url.push_str(segment);
    }
    url.push_str("/did.json");
    Ok(url)
}

/// The port behind an escaped colon whose `%` was cut off.
fn port(escaped: &str) -> Result<u16, WebError> {
    let digits = escaped.strip_prefix("3A").or_else(|| escaped.strip_prefix("3a")).ok_or(WebError::Host)?;
    let digits = Some(digits).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
    digits.and_then(|digits| digits.parse().ok()).filter(|port| *port != 0).ok_or(WebError::Port)
}

/// Labels of letters, digits and hyphens (RFC 1123 section 2.1), of which the last does not begin with a digit: the
/// parsers of URLs read `1.2.3.4`, `127.1` and `0x7f000001` as addresses.
fn is_host_name(host: &str) -> bool {
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

/// A part of a path that stays one when a server decodes it.
fn is_segment(segment: &str) -> bool {
    let mut decoded = Vec::new();
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let digit = |b: Option<u8>| char::from(b?).to_digit(16).and_then(|d| u8::try_from(d).ok());
        match (digit(bytes.next()), digit(bytes.next())) {
            (Some(high), Some(low)) => decoded.push(high << 4 | low),
            _ => return false,
        }
    }
    let separates = |b: &u8| *b < 0x20 || *b == 0x7f || b"/\\%?#".contains(b);
    !decoded.is_empty() && !matches!(decoded.as_slice(), b"." | b"..") && !decoded.iter().any(separates)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_did_web_is_a_place_on_the_web() {
        for (did, url) in [
            // The examples of the specification, section 3.2.
            ("did:web:w3c-ccg.github.io", "https://w3c-ccg.github.io/.well-known/did.json"),
            ("did:web:w3c-ccg.github.io:user:alice", "https://w3c-ccg.github.io/user/alice/did.json"),
            ("did:web:example.com%3A3000:user:alice", "https://example.com:3000/user/alice/did.json"),
            ("did:web:localhost%3a8443", "https://localhost:8443/.well-known/did.json"),
            ("did:web:EXAMPLE.org:A%20b", "https://example.org/A%20b/did.json"),
            ("did:web:xn--bcher-kva.example", "https://xn--bcher-kva.example/.well-known/did.json"),
        ] {
            assert_eq!(url_of(&did.parse().unwrap()).as_deref(), Ok(url), "{did}");
        }
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for (id, refusal) in [
            ("127.0.0.1", WebError::Host),
            ("127.1", WebError::Host),
            ("2130706433", WebError::Host),
            ("0x7f000001", WebError::Host),
            ("1.2.3.0x4", WebError::Host),
            ("%5B%3A%3A1%5D", WebError::Host),
            ("user%40example.org", WebError::Host),
            ("user%3Apassword%40example.org", WebError::Port),
            ("example.org.", WebError::Host),
            (".example.org", WebError::Host),
            ("a..b", WebError::Host),
            ("-a.org", WebError::Host),
            ("a_b.org", WebError::Host),
            ("example.org%2Fpath", WebError::Host),
            ("example.org%3A", WebError::Port),
            ("example.org%3A0", WebError::Port),
            ("example.org%3A65536", WebError::Port),
            ("example.org%3A%2B80", WebError::Port),
            ("example.org::a", WebError::Path),
            ("example.org:..:a", WebError::Path),
            ("example.org:%2e%2E:a", WebError::Path),
            ("example.org:.:a", WebError::Path),
            ("example.org:a%2Fb", WebError::Path),
            ("example.org:a%5Cb", WebError::Path),
            ("example.org:a%252Fb", WebError::Path),
            ("example.org:a%3Fb", WebError::Path),
            ("example.org:a%00", WebError::Path),
            ("example.org:a%2", WebError::Path),
        ] {
            assert_eq!(url_of(&format!("did:web:{id}").parse().unwrap()), Err(refusal), "{id}");
        }
        assert_eq!(url_of(&"did:key:z6Mk".parse().unwrap()), Err(WebError::NotWeb));
    }
}
