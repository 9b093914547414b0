//! Which URLs are fetched, and where a redirect leads. Pure.
//!
//! The rule looks at the URL alone; what its name resolves to is [`super::resolver`]'s matter.

use std::net::IpAddr;

use knackmesh_protocol::limits::FETCH_URL_BYTES_MAX;
use ureq::http::Uri;

use super::address::Place;

/// Parses a URL that may be fetched, without its fragment: https; or http to this machine, where loopback is allowed.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parse(url: &str, allow_loopback: bool) -> Result<Uri, &'static str> {
    if url.len() > FETCH_URL_BYTES_MAX {
        return Err("it is too long");
    }
    if !url.bytes().all(|b| b.is_ascii_graphic()) {
        return Err("it holds characters that a URL must encode");
    }
    let (url, _) = cut(url, "#");
    let uri: Uri = url.parse().map_err(|_| "it is not a URL")?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err("it is not an absolute URL");
    };
    let plain = match scheme {
        "https" => false,
        "http" => true,
        _ => return Err("its scheme is not https"),
    };
    if authority.as_str().contains('@') {
        return Err("it names a user");
    }
    let host = authority.host();
    if !is_host(host) {
        return Err("it names no host");
    }
    let port = authority.as_str().get(host.len()..).unwrap_or_default();
    if !matches!(port, "" | ":") && authority.port_u16().is_none_or(|port| port == 0) {
        return Err("it names no port that there is");
    }
    if plain && !(allow_loopback && is_loopback(host)) {
        return Err("its scheme is not https");
    }
    Ok(uri)
}

/// Where the `Location` of an answer from `base` leads (RFC 3986, section 5.2), which may be fetched and is of the same scheme.
///
/// # Errors
/// What is wrong with it.
pub(super) fn follow(base: &Uri, location: &str, allow_loopback: bool) -> Result<Uri, &'static str> {
    let next = parse(&joined(base, location), allow_loopback)?;
    if next.scheme() == base.scheme() { Ok(next) } else { Err("its scheme is another") }
}

fn joined(base: &Uri, location: &str) -> String {
    let (location, _) = cut(location, "#");
    let scheme = base.scheme_str().unwrap_or_default();
    let origin = format!("{scheme}://{}", base.authority().map_or("", |a| a.as_str()));
    let (path, query) = cut(location, "?");
    if cut(path, "/").0.contains(':') {
        location.to_owned()
    } else if path.starts_with("//") {
        format!("{scheme}:{location}")
    } else if location.is_empty() {
        base.to_string()
    } else if path.is_empty() {
        format!("{origin}{}{query}", base.path())
    } else if path.starts_with('/') {
        format!("{origin}{}{query}", without_dots(path))
    } else {
        let folder = base.path().rfind('/').map_or("/", |end| &base.path()[..=end]);
        format!("{origin}{}{query}", without_dots(&format!("{folder}{path}")))
    }
}

/// A path that begins with a slash, its segments `.` and `..` taken out (RFC 3986, section 5.2.4).
fn without_dots(path: &str) -> String {
    let mut kept = Vec::new();
    for segment in path.split('/').skip(1) {
        match segment {
            "." => {}
            ".." => drop(kept.pop()),
            segment => kept.push(segment),
        }
    }
    if path.ends_with("/.") || path.ends_with("/..") {
        kept.push("");
    }
    format!("/{}", kept.join("/"))
}

/// The text before the first `mark`, and the rest with it.
fn cut<'a>(text: &'a str, mark: &str) -> (&'a str, &'a str) {
    text.split_at(text.find(mark).unwrap_or(text.len()))
}

/// A name of letters, digits, dots, hyphens and underscores, or an IPv6 address in brackets.
fn is_host(host: &str) -> bool {
    match host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
        }
    }
}

/// A name for this machine (RFC 6761, section 6.3), or an address of it.
fn is_loopback(host: &str) -> bool {
    address_of(host).is_some_and(|address| Place::of(address) == Place::Loopback)
}

/// The address that a host is, or that every system takes its name for; `None` for a name that must be looked up.
pub(super) fn address_of(host: &str) -> Option<IpAddr> {
    let name = host.to_ascii_lowercase();
    if name == "localhost" || name.ends_with(".localhost") {
        return Some(IpAddr::from([127, 0, 0, 1]));
    }
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_url_is_fetched_by_https_and_without_its_fragment() {
        let check = |url: &str, expected: &str| assert_eq!(parse(url, false).unwrap().to_string(), expected);
        check("https://example.org", "https://example.org/");
        check("https://example.org/.well-known/did.json", "https://example.org/.well-known/did.json");
        check("HTTPS://example.org:8443/a?b=c&d#e?f", "https://example.org:8443/a?b=c&d");
        check("https://example.org:/", "https://example.org:/");
        check("https://[2606:4700::1]:8443/a%20b", "https://[2606:4700::1]:8443/a%20b");
        check("https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/");
    }

    #[test]
    fn other_urls_are_refused() {
        let check = |url: &str, reason: &str| assert_eq!(parse(url, false).unwrap_err(), reason, "{url}");
        for url in ["http://example.org/", "http://localhost/", "ftp://example.org/", "gopher://example.org"]
        {
            check(url, "its scheme is not https");
        }
        for url in
            ["", "/a", "example.org", "file:/etc/passwd", "file:///etc/passwd", "data:,a", "https:///a"]
        {
            assert!(parse(url, true).is_err(), "{url}");
        }
        for url in ["https://user@example.org/", "https://u:p@example.org/", "https://example.org@10.0.0.1/"]
        {
            check(url, "it names a user");
        }
        for url in ["https://exa%6dple.org/", "https://a!b/", "https://:443/", "https://[::1%25lo]/"] {
            assert!(parse(url, true).is_err(), "{url}");
        }
        for url in ["https://example.org:0/", "https://example.org:65536/", "https://example.org:x/"] {
            assert!(parse(url, true).is_err(), "{url}");
        }
        for url in
            ["https://example.org/ä", "https://example.org/a b", "https://a\r\nb/", "https://a/\u{202e}"]
        {
            check(url, "it holds characters that a URL must encode");
        }
        let long = |bytes: usize| format!("https://example.org/{}", "a".repeat(bytes - 20));
        assert!(parse(&long(FETCH_URL_BYTES_MAX), false).is_ok());
        check(&long(FETCH_URL_BYTES_MAX + 1), "it is too long");
    }

    #[test]
    fn http_is_for_this_machine_alone() {
        for host in
            ["localhost", "LOCALHOST:80", "issuer.localhost", "127.0.0.1:8080", "127.9.9.9", "[::1]:80"]
        {
            let url = format!("http://{host}/a");
            assert!(parse(&url, true).is_ok(), "{url}");
            assert!(parse(&url, false).is_err(), "{url}");
        }
        for host in
            ["example.org", "localhost.example.org", "notlocalhost", "10.0.0.1", "[::2]", "2130706433"]
        {
            assert!(parse(&format!("http://{host}/a"), true).is_err(), "{host}");
        }
    }

    #[test]
    fn a_location_is_read_relative_to_where_it_was_given() {
        let base = parse("https://example.org:8443/a/b/c?d=e", false).unwrap();
        let check = |location: &str, expected: &str| {
            assert_eq!(follow(&base, location, false).unwrap().to_string(), expected, "{location}");
        };
        check("https://other.example/x", "https://other.example/x");
        check("//other.example/x", "https://other.example/x");
        check("/x?y#z", "https://example.org:8443/x?y");
        check("x", "https://example.org:8443/a/b/x");
        check("./x/../y/", "https://example.org:8443/a/b/y/");
        check("../../../x", "https://example.org:8443/x");
        check("..", "https://example.org:8443/a/");
        check("?y=/../:", "https://example.org:8443/a/b/c?y=/../:");
        check("", "https://example.org:8443/a/b/c?d=e");
        check("x/y:z", "https://example.org:8443/a/b/x/y:z");
    }

    #[test]
    fn a_location_of_another_scheme_is_refused() {
        let safe = parse("https://localhost/", true).unwrap();
        let plain = parse("http://localhost/", true).unwrap();
        assert!(follow(&safe, "http://localhost/", true).is_err());
        assert!(follow(&plain, "https://localhost/", true).is_err());
        assert!(follow(&plain, "//localhost:81/", true).is_ok());
        assert!(follow(&safe, "http://example.org/", false).is_err());
        assert!(follow(&safe, "file:///etc/passwd", true).is_err());
        assert!(follow(&safe, "https://user@example.org/", true).is_err());
    }
}
