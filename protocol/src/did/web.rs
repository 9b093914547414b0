//! `did:web`: the identifier is a host, and perhaps a path, at which the document lies.
//!
//! Whoever controls the host, or its name, controls the DID. So a key of a `did:web` is worth what the fetch was, and
//! [`super::Resolved::fetched`] says when that was.
//!
//! Source: W3C CCG, did:web Method Specification.

use serde_json::{Map, Value, json};

use super::{
    DidMethod, Origin, Source, linkage, method_of,
    origin::{self, is_host_name},
};
use crate::key::{Did, VerifyingKey};

/// The method, for the list of methods.
pub(super) const METHOD: DidMethod = DidMethod { name: "web", source: Source::Fetched(url_of) };

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

impl WebError {
    /// The stable name of this refusal, as vectors state it.
    pub const fn code(self) -> &'static str {
        match self {
            WebError::NotWeb => "did-web-not",
            WebError::Host => "did-web-host",
            WebError::Port => "did-web-port",
            WebError::Path => "did-web-path",
        }
    }
}

/// Where the document of `did` lies: `https://HOST[:PORT]/.well-known/did.json`, or `https://HOST[:PORT]/PATH/did.json`.
///
/// # Errors
/// [`WebError`] when it names no such place.
pub fn url_of(did: &Did) -> Result<String, WebError> {
    let (authority, path) = place(did)?;
    Ok(format!("{}/{}/did.json", origin_at(authority)?, path.unwrap_or(".well-known").replace(':', "/")))
}

/// The origin at which the document of `did` lies, and which may state that the DID is its own ([`linkage`]).
///
/// # Errors
/// [`WebError`] when it names no such place.
pub fn origin_of(did: &Did) -> Result<Origin, WebError> {
    place(did).and_then(|(authority, _)| origin_at(authority))
}

/// The document of an organisation at `did`, to be put at [`url_of`]: `keys` for credentials and for presentations, and
/// `origins`, which it says are its own. [`method_of`] names the keys in it.
///
/// # Errors
/// [`WebError`] when `did` names no place on the web.
pub fn document(
    did: &Did,
    keys: &[VerifyingKey],
    origins: &[Origin],
) -> Result<Map<String, Value>, WebError> {
    url_of(did)?;
    let mut contexts = vec!["https://www.w3.org/ns/did/v1"];
    let (multikeys, jwks): (Vec<_>, Vec<_>) = keys.iter().partition(|key| key.multikey().is_some());
    contexts.extend((!multikeys.is_empty()).then_some("https://w3id.org/security/multikey/v1"));
    contexts.extend((!jwks.is_empty()).then_some("https://w3id.org/security/jwk/v1"));
    contexts.extend((!origins.is_empty()).then_some(linkage::CONTEXT));
    let methods = keys.iter().map(|key| {
        let (name, property, value) = match key.multikey() {
            Some(multikey) => ("Multikey", "publicKeyMultibase", json!(multikey)),
            None => ("JsonWebKey", "publicKeyJwk", json!(key.to_jwk())),
        };
        json!({"id": method_of(did, key), "type": name, "controller": did, property: value})
    });
    let ids: Vec<_> = keys.iter().map(|key| method_of(did, key)).collect();
    let mut document = Map::new();
    document.insert("@context".into(), json!(contexts));
    document.insert("id".into(), json!(did));
    document.insert("verificationMethod".into(), methods.collect());
    document.insert("authentication".into(), json!(ids));
    document.insert("assertionMethod".into(), json!(ids));
    if !origins.is_empty() {
        let origins: Vec<_> = origins.iter().map(Origin::as_str).collect();
        let service = json!([{
            "id": format!("{did}#linked-domains"),
            "type": "LinkedDomains",
            "serviceEndpoint": {"origins": origins},
        }]);
        document.insert("service".into(), service);
    }
    Ok(document)
}

/// The host with its port, and the path, whose parts are sound.
fn place(did: &Did) -> Result<(&str, Option<&str>), WebError> {
    let text = did.as_str().strip_prefix("did:web:").ok_or(WebError::NotWeb)?;
    let (authority, path) = match text.split_once(':') {
        Some((authority, path)) => (authority, Some(path)),
        None => (text, None),
    };
    match path.is_none_or(|path| path.split(':').all(is_segment)) {
        true => Ok((authority, path)),
        false => Err(WebError::Path),
    }
}

fn origin_at(authority: &str) -> Result<Origin, WebError> {
    let (host, port) = match authority.split_once('%') {
        Some((host, escaped)) => (host, Some(port(escaped)?)),
        None => (authority, None),
    };
    if is_host_name(host) { Ok(Origin::new(host, port)) } else { Err(WebError::Host) }
}

/// The port behind an escaped colon whose `%` was cut off.
fn port(escaped: &str) -> Result<u16, WebError> {
    let digits = escaped.strip_prefix("3A").or_else(|| escaped.strip_prefix("3a")).ok_or(WebError::Host)?;
    origin::port(digits).ok_or(WebError::Port)
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
    use crate::{
        did::{Document, Documents, Relationship, verification_key},
        key::{SecretKey, SigningKey},
        time::Timestamp,
    };

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
    fn the_document_of_an_organisation_authorises_its_keys() {
        let did: Did = "did:web:localhost%3A8443:school".parse().unwrap();
        let rsa = VerifyingKey::from_rsa(&[0xff; 256], &[1, 0, 1]).unwrap();
        let keys =
            [SecretKey::from_seed([1; 32]).public().into(), SigningKey::p256([1; 32]).unwrap().public(), rsa];
        let origins = [origin_of(&did).unwrap(), "https://school.example".parse().unwrap()];
        let value = document(&did, &keys, &origins).unwrap();
        let parsed = Document::read(&Value::Object(value).to_string(), &did).unwrap();
        assert_eq!(parsed.linked_origins().collect::<Vec<_>>(), origins);
        let (mut known, now) = (Documents::new(), Timestamp::from_unix_ms(1_790_000_000_000));
        known.insert(parsed, now).unwrap();
        for key in keys {
            for relationship in [Relationship::AssertionMethod, Relationship::Authentication] {
                let resolved = verification_key(&method_of(&did, &key), relationship, &known).unwrap();
                assert_eq!((&resolved.key, resolved.fetched), (&key, Some(now)));
            }
        }
        let elsewhere = "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp".parse().unwrap();
        assert_eq!(document(&elsewhere, &[], &[]), Err(WebError::NotWeb));
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
