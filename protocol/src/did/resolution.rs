//! DID resolution for others: from the text of a DID to its document, in the forms that the HTTP binding answers with.
//!
//! This is what `GET /identifiers/{did}` returns. Verification needs none of it: it reads keys by
//! [`super::verification_key`]. DIDs whose documents must be fetched are not resolved here.
//!
//! Sources: W3C DID Core 1.0, section 7; W3C DID Resolution 0.3 (HTTP binding, status codes); W3C CCG did:key 0.9 (options
//! and errors), and what the did:key test suite of the CCG expects of an answer.

use serde_json::{Map, Value, json};

use super::{Source, did_method};
use crate::{key::Did, limits::DID_URL_BYTES_MAX};

/// The `@context` of an answer.
const CONTEXT: &str = "https://w3id.org/did-resolution/v1";

/// What the asker wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options<'a> {
    /// `Accept`, as HTTP states it; `None` takes anything.
    pub accept: Option<&'a str>,
    /// `publicKeyFormat`: the type of the verification methods of a `did:key`. `None` is `Multikey`, unless
    /// [`Options::asks_as_earlier`].
    pub public_key_format: Option<&'a str>,
    /// `enableExperimentalPublicKeyTypes`. None is implemented; without it, asking for one is another error.
    pub experimental_key_types: bool,
    /// `enableEncryptionKeyDerivation`: whether the document of an Ed25519 `did:key` lists the X25519 key derived from it.
    pub encryption_key: bool,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Options { accept: None, public_key_format: None, experimental_key_types: false, encryption_key: true }
    }
}

impl Options<'_> {
    /// Whether the answer is asked for by the media type that it had before version 0.3 of DID Resolution:
    /// `application/ld+json` with the profile `https://w3id.org/did-resolution`. Who does, knows the key types of that time.
    pub fn asks_as_earlier(&self) -> bool {
        let ranges = self.accept.unwrap_or_default().split(',');
        let mut ranges = ranges.map(|range| range.split_once(';').unwrap_or((range, "")));
        ranges.any(|(name, parameters)| {
            name.trim().eq_ignore_ascii_case("application/ld+json")
                && parameters.contains("\"https://w3id.org/did-resolution\"")
        })
    }
}

/// Why a DID was not resolved, or a DID URL not dereferenced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolutionError {
    /// Not a DID, or not one that its method can have.
    #[error("the DID is malformed")]
    InvalidDid,
    /// Not a DID URL.
    #[error("the DID URL is malformed")]
    InvalidDidUrl,
    /// A method that is not resolved here.
    #[error("the DID method is not supported")]
    MethodNotSupported,
    /// The document has nothing under that URL.
    #[error("nothing was found")]
    NotFound,
    /// None of the media types that were asked for.
    #[error("no supported representation was asked for")]
    RepresentationNotSupported,
    /// The bytes are no key.
    #[error("the public key is invalid")]
    InvalidPublicKey,
    /// More or fewer bytes than a key of that kind has.
    #[error("the public key has another length than keys of its kind")]
    InvalidPublicKeyLength,
    /// A type of verification method that these options or this key do not allow.
    #[error("the format of the public key is not allowed")]
    InvalidPublicKeyType,
    /// A kind of key, or a format, that is not known.
    #[error("the type of the public key is not supported")]
    UnsupportedPublicKeyType,
}

impl ResolutionError {
    /// The value of `error` (DID Core section 7.1.2; did:key, section 3.1).
    pub const fn code(self) -> &'static str {
        match self {
            ResolutionError::InvalidDid => "invalidDid",
            ResolutionError::InvalidDidUrl => "invalidDidUrl",
            ResolutionError::MethodNotSupported => "methodNotSupported",
            ResolutionError::NotFound => "notFound",
            ResolutionError::RepresentationNotSupported => "representationNotSupported",
            ResolutionError::InvalidPublicKey => "invalidPublicKey",
            ResolutionError::InvalidPublicKeyLength => "invalidPublicKeyLength",
            ResolutionError::InvalidPublicKeyType => "invalidPublicKeyType",
            ResolutionError::UnsupportedPublicKeyType => "unsupportedPublicKeyType",
        }
    }

    /// The status of the HTTP response (DID Resolution, HTTP binding).
    pub const fn status(self) -> u16 {
        match self {
            ResolutionError::NotFound => 404,
            ResolutionError::RepresentationNotSupported => 406,
            ResolutionError::MethodNotSupported => 501,
            _ => 400,
        }
    }
}

/// What the body of the response holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Body {
    /// The document and what is said about it.
    Result,
    /// The document alone.
    Document,
}

/// The media types that can be asked for; the first is the default.
const REPRESENTATIONS: &[(&str, Body)] = &[
    ("application/did-resolution", Body::Result),
    ("application/ld+json", Body::Result),
    ("application/json", Body::Result),
    ("application/did", Body::Document),
    ("application/did+json", Body::Document),
    ("application/did+ld+json", Body::Document),
];

/// The answer to a request for a DID or a DID URL.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolution {
    /// The DID document, or the part of it that the DID URL names; or why there is none.
    pub document: Result<Value, ResolutionError>,
    /// `didDocumentMetadata`. Empty: documents that DIDs state themselves have no history.
    pub document_metadata: Map<String, Value>,
    /// Whether a DID URL with more than a DID was asked for.
    is_dereferencing: bool,
    body: Body,
    content_type: &'static str,
}

impl Resolution {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.document.as_ref().map_or_else(|e| e.status(), |_| 200)
    }

    /// The media type of [`Resolution::body`].
    pub fn content_type(&self) -> &'static str {
        self.content_type
    }

    /// The body of the response: the document alone where that was asked for, otherwise the result.
    pub fn body(&self) -> Value {
        match (&self.document, self.body) {
            (Ok(document), Body::Document) => document.clone(),
            _ => self.to_json(),
        }
    }

    /// The result in JSON: `didDocument`, `didDocumentMetadata`, and `didResolutionMetadata` or `didDereferencingMetadata`.
    /// Without a document, `didDocument` is empty rather than absent (DID Core section 7.1).
    pub fn to_json(&self) -> Value {
        let metadata =
            if self.is_dereferencing { "didDereferencingMetadata" } else { "didResolutionMetadata" };
        let (document, about) = match &self.document {
            Ok(document) => (document.clone(), json!({"contentType": "application/did"})),
            Err(e) => (json!({}), json!({"error": e.code(), "message": e.to_string()})),
        };
        json!({
            "@context": CONTEXT,
            "didDocument": document,
            "didDocumentMetadata": self.document_metadata,
            metadata: about,
        })
    }
}

/// Resolves the DID, or dereferences the DID URL, that `text` is.
pub fn resolve(text: &str, options: &Options<'_>) -> Resolution {
    let is_dereferencing = text.contains(['/', '?', '#']);
    let representation = representation(options.accept);
    let document = match representation {
        None => Err(ResolutionError::RepresentationNotSupported),
        Some(_) if is_dereferencing => dereference(text, options),
        Some(_) => {
            text.parse().map_err(|_| ResolutionError::InvalidDid).and_then(|did| expand(&did, options))
        }
    };
    let (content_type, body) = representation.unwrap_or(REPRESENTATIONS[0]);
    Resolution { document, document_metadata: Map::new(), is_dereferencing, body, content_type }
}

fn expand(did: &Did, options: &Options<'_>) -> Result<Value, ResolutionError> {
    match did_method(did).map(|method| &method.source) {
        Ok(Source::Computed { expand, .. }) => expand(did, options),
        Ok(Source::Fetched(_)) | Err(_) => Err(ResolutionError::MethodNotSupported),
    }
}

/// The verification method that a DID URL with a fragment names.
fn dereference(url: &str, options: &Options<'_>) -> Result<Value, ResolutionError> {
    const REFUSED: ResolutionError = ResolutionError::InvalidDidUrl;
    // RFC 3986 section 3, as DID Core section 3.2 takes it over.
    let is_legal = |b: u8| b.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:@/?#".contains(&b);
    if url.len() > DID_URL_BYTES_MAX || !url.bytes().all(is_legal) {
        return Err(REFUSED);
    }
    let (before, fragment) = url.split_once('#').map_or((url, None), |(before, f)| (before, Some(f)));
    let end = before.find(['/', '?']).unwrap_or(before.len());
    let did = before[..end].parse().map_err(|_| REFUSED)?;
    let document = expand(&did, options)?;
    // No document of ours has anything under a path or a query.
    let fragment = fragment.filter(|_| end == before.len()).ok_or(ResolutionError::NotFound)?;
    let listed = |name| document.get(name).and_then(Value::as_array).into_iter().flatten();
    let id = format!("{did}#{fragment}");
    let found = listed("verificationMethod")
        .chain(listed("keyAgreement"))
        .find(|method| method.get("id").is_some_and(|own| *own == id));
    found.cloned().ok_or(ResolutionError::NotFound)
}

/// The first media type of an `Accept` header that is supported; weights are not read.
fn representation(accept: Option<&str>) -> Option<(&'static str, Body)> {
    let Some(accept) = accept else { return REPRESENTATIONS.first().copied() };
    accept.split(',').find_map(|range| {
        let name = range.split(';').next().unwrap_or_default().trim();
        match name {
            "*/*" | "application/*" => REPRESENTATIONS.first(),
            _ => REPRESENTATIONS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)),
        }
        .copied()
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const DID: &str = "did:key:z6MktKwz7Ge1Yxzr4JHavN33wiwa8y81QdcMRLXQsrH9T53b";
    const MULTIKEY: &str = "z6MktKwz7Ge1Yxzr4JHavN33wiwa8y81QdcMRLXQsrH9T53b";
    const AGREEMENT: &str = "z6LSfHfAMAopsuBxaBzvp51GXrPf38Az13j2fmwqadbwwrzJ";

    #[test]
    fn the_document_of_the_did_key_test_suite() {
        let (method, agreement) = (format!("{DID}#{MULTIKEY}"), format!("{DID}#{AGREEMENT}"));
        let answer = resolve(DID, &Options::default());
        assert_eq!((answer.status(), answer.content_type()), (200, "application/did-resolution"));
        let expected = json!({
            "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
            "id": DID,
            "verificationMethod": [
                {"id": method, "type": "Multikey", "controller": DID, "publicKeyMultibase": MULTIKEY},
                {"id": agreement, "type": "Multikey", "controller": DID, "publicKeyMultibase": AGREEMENT},
            ],
            "authentication": [method],
            "assertionMethod": [method],
            "capabilityDelegation": [method],
            "capabilityInvocation": [method],
            "keyAgreement": [agreement],
        });
        assert_eq!(answer.document, Ok(expected.clone()));
        let result = answer.body();
        assert_eq!(result["didDocument"], expected);
        assert_eq!(result["didDocumentMetadata"], json!({}));
        assert_eq!(result["didResolutionMetadata"], json!({"contentType": "application/did"}));

        let dereferenced = resolve(&method, &Options::default());
        assert_eq!(dereferenced.to_json()["didDocument"], expected["verificationMethod"][0]);
        assert_eq!(dereferenced.to_json()["didDereferencingMetadata"]["error"], Value::Null);
    }

    #[test]
    fn the_errors_of_the_did_key_test_suite() {
        const RESOLUTION: &str = "didResolutionMetadata";
        const DEREFERENCING: &str = "didDereferencingMetadata";
        let default = Options::default();
        let (method, agreement) = (format!("{DID}#{MULTIKEY}"), format!("{DID}#{AGREEMENT}"));
        let format = |name| Options { public_key_format: Some(name), ..Options::default() };
        let old = format("Ed25519VerificationKey2018");
        for (text, options, metadata, error) in [
            (&*DID.replace("did:", "notDid:"), default, RESOLUTION, "invalidDid"),
            (&DID.replace("key", "experimental"), default, RESOLUTION, "methodNotSupported"),
            (&DID.replace("z6Mk", "-4:z6Mk"), default, RESOLUTION, "invalidDid"),
            (&DID.replace(":z", ":"), default, RESOLUTION, "invalidDid"),
            ("did:key:@", default, RESOLUTION, "invalidDid"),
            ("did:key:zTjsVPtY", default, RESOLUTION, "invalidPublicKeyLength"),
            (&format!("{DID}/^bar^/?query=`#{MULTIKEY}"), default, DEREFERENCING, "invalidDidUrl"),
            (DID, format("unknown"), RESOLUTION, "unsupportedPublicKeyType"),
            (&method, old, DEREFERENCING, "invalidPublicKeyType"),
            (&agreement, old, DEREFERENCING, "invalidPublicKeyType"),
            (DID, Options { experimental_key_types: true, ..old }, RESOLUTION, "unsupportedPublicKeyType"),
            // Beyond the suite.
            (&format!("{DID}#{MULTIKEY}#"), default, DEREFERENCING, "notFound"),
            (&format!("{DID}?query#{MULTIKEY}"), default, DEREFERENCING, "notFound"),
            (&format!("{DID}#other"), default, DEREFERENCING, "notFound"),
            ("did:key:1:z6MktKwz7Ge1Yxzr4JHavN33wiwa8y81QdcMRLXQsrH9T53b", default, RESOLUTION, "invalidDid"),
            // The identity, with which anything can be signed; and points that are on no curve.
            (
                "did:key:z6MkeXATEjyXENzBXBxgC5EHk2JE5aqd7qMGGtDpLUH1e2Sj",
                default,
                RESOLUTION,
                "invalidPublicKey",
            ),
            (
                "did:key:z6Mkeb4rtEhc8DUtvt5ehaVjdx3TLbQPpnTArkXhqfb1Mq75",
                default,
                RESOLUTION,
                "invalidPublicKey",
            ),
            (
                "did:key:zDnaeQRy3dcKsKa1zmKtVKsTy3m2HYoQnFnfKuxD6HfSTQgYg",
                default,
                RESOLUTION,
                "invalidPublicKey",
            ),
            // A point in the compact form of SEC 1, which has another text in the compressed form.
            (
                "did:key:zDnafJ7vA7yafhiEJUaEk1PzrdRRrJHLkVQscN754sRikxYHa",
                default,
                RESOLUTION,
                "invalidPublicKey",
            ),
            ("did:web:example.org", default, RESOLUTION, "methodNotSupported"),
            (DID, Options { accept: Some("text/html"), ..old }, RESOLUTION, "representationNotSupported"),
        ] {
            let answer = resolve(text, &options);
            let json = answer.to_json();
            assert_eq!(json[metadata]["error"], error, "{text}: {json}");
            assert!(
                ["@context", "didDocument", "didDocumentMetadata"]
                    .iter()
                    .all(|name| json.get(name).is_some())
            );
            assert!(answer.status() >= 400);
        }
    }

    #[test]
    fn the_forms_of_a_document() {
        let format =
            |name, key| Options { public_key_format: Some(name), encryption_key: key, ..Options::default() };
        let document = resolve(DID, &format("Ed25519VerificationKey2020", true)).document.unwrap();
        assert_eq!(document["@context"].as_array().unwrap().len(), 3);
        assert_eq!(document["keyAgreement"][0]["type"], "X25519KeyAgreementKey2020");
        let document = resolve(DID, &format("JsonWebKey2020", true)).document.unwrap();
        assert_eq!(document["verificationMethod"][0]["publicKeyJwk"]["crv"], "Ed25519");
        assert_eq!(document["verificationMethod"][1]["publicKeyJwk"]["crv"], "X25519");
        let document = resolve(DID, &format("JsonWebKey", false)).document.unwrap();
        assert_eq!(document.get("keyAgreement"), None);
        assert_eq!(document["verificationMethod"].as_array().unwrap().len(), 1);
        let p256 = "did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169";
        let refused = resolve(p256, &format("Ed25519VerificationKey2020", true)).document;
        assert_eq!(refused, Err(ResolutionError::InvalidPublicKeyType));
    }

    #[test]
    fn who_asks_as_in_earlier_versions_gets_the_document_of_that_time() {
        let (method, agreement) = (format!("{DID}#{MULTIKEY}"), format!("{DID}#{AGREEMENT}"));
        let accept = Some("application/ld+json;profile=\"https://w3id.org/did-resolution\"");
        let options = Options { accept, ..Options::default() };
        let agreement_method = json!({
            "id": agreement, "type": "X25519KeyAgreementKey2020", "controller": DID, "publicKeyMultibase": AGREEMENT,
        });
        let expected = json!({
            "@context": [
                "https://www.w3.org/ns/did/v1", "https://w3id.org/security/suites/ed25519-2020/v1",
                "https://w3id.org/security/suites/x25519-2020/v1",
            ],
            "id": DID,
            "verificationMethod": [
                {"id": method, "type": "Ed25519VerificationKey2020", "controller": DID, "publicKeyMultibase": MULTIKEY},
            ],
            "authentication": [method],
            "assertionMethod": [method],
            "capabilityDelegation": [method],
            "capabilityInvocation": [method],
            "keyAgreement": [agreement_method],
        });
        assert_eq!(resolve(DID, &options).document, Ok(expected));
        assert_eq!(resolve(&agreement, &options).document, Ok(agreement_method));
        let multikey = Options { public_key_format: Some("Multikey"), ..options };
        assert_eq!(resolve(DID, &multikey).document, resolve(DID, &Options::default()).document);
        let p256 = "did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169";
        assert_eq!(resolve(p256, &options).document, resolve(p256, &Options::default()).document);
    }

    #[test]
    fn what_is_asked_for_is_sent() {
        for (accept, content_type, is_document) in [
            ("application/ld+json;profile=\"https://w3id.org/did-resolution\"", "application/ld+json", false),
            ("text/html, application/JSON;q=0.5", "application/json", false),
            ("application/did+json", "application/did+json", true),
            ("*/*", "application/did-resolution", false),
        ] {
            let answer = resolve(DID, &Options { accept: Some(accept), ..Options::default() });
            assert_eq!(answer.content_type(), content_type);
            assert_eq!(answer.body().get("id").is_some(), is_document, "{accept}");
        }
    }
}
