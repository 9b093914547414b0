//! Addresses of the web, taken apart as far as meaning depends on it.

/// The parts of an address of the web that tell what it means.
pub(super) struct Url<'a> {
    /// In lower case, with its port.
    pub(super) host: String,
    /// From its slash on; empty when there is none.
    pub(super) path: &'a str,
    query: &'a str,
}

impl<'a> Url<'a> {
    /// The parts of an address; `None` when it is of another scheme, or its authority has a user or worse.
    pub(super) fn split(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
            return None;
        }
        let rest = rest.split_once('#').map_or(rest, |(before, _)| before);
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-.:".contains(&b);
        (!host.is_empty() && host.bytes().all(plain)).then(|| Url {
            host: host.to_ascii_lowercase(),
            path,
            query,
        })
    }

    /// The value of a parameter, its escapes resolved.
    pub(super) fn query(&self, name: &str) -> Option<String> {
        let value = self.query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
        percent_decoded(value)
    }
}

/// RFC 3986 section 2.1, and the plus sign of forms; `None` when the result is not UTF-8.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let digits = after.get(..2).filter(|d| *first == b'%' && d.iter().all(u8::is_ascii_hexdigit));
        match digits.and_then(|digits| u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(if *first == b'+' { b' ' } else { *first });
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).ok()
}
