//! Whose key is this? Decentralized identifiers (W3C DID Core 1.0), their documents, and the keys that they authorise.
//!
//! `did:key` and `did:jwk` state their key, so that nobody needs to be asked. The document of any other method is an
//! argument: whoever verifies has fetched it before ([`Documents`]), and says when. Nothing is fetched here.
//!
//! A DID method is a file and a line in `METHODS`.
//!
//! An issuer that is no DID may publish its keys at `https:` URLs ([`page`]).
//!
//! Invariants: a key counts for the DID whose own document lists it, for the relationship asked for, and for no other;
//! what a document says of other DIDs' keys counts for nothing.
//!
//! Specification: `spec/did.md`.

pub mod document;
pub mod jwk;
pub mod key;
pub mod linkage;
pub mod origin;
pub mod page;
pub mod resolution;
pub mod web;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod vectors;

use std::{collections::BTreeMap, fmt};

pub use self::{
    document::{Document, DocumentError, Method, Relationship, Service},
    jwk::did_jwk,
    origin::{NotAnOrigin, Origin},
    page::{KeyPage, KeyPageError},
    resolution::{Options, Resolution, ResolutionError, resolve},
};
use crate::{
    key::{Did, VerifyingKey},
    limits::{DID_URL_BYTES_MAX, DOCUMENTS_MAX},
    text::shown,
    time::Timestamp,
};

/// The DID methods that are resolved.
const METHODS: &[DidMethod] = &[key::METHOD, jwk::METHOD, web::METHOD];

/// A DID method: its name, and where its documents come from.
struct DidMethod {
    name: &'static str,
    source: Source,
}

/// Where a method's documents come from.
enum Source {
    /// From the DID itself: what verification reads of the document, the whole of it, for others, and whether there is a key
    /// in it at all.
    Computed {
        document: fn(&Did) -> Result<Document, ResolveError>,
        expand: fn(&Did, &Options<'_>) -> Result<serde_json::Value, ResolutionError>,
        check: fn(&Did) -> Result<(), KeylessDid>,
    },
    /// From the URL that the DID stands for.
    Fetched(fn(&Did) -> Result<String, web::WebError>),
}

/// The DID documents that a verifier knows, and what else is published about keys, each with when it was fetched.
///
/// At most [`DOCUMENTS_MAX`] in all. DIDs that state their own key need none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Documents {
    of_dids: BTreeMap<Did, Known>,
    pages: BTreeMap<String, (KeyPage, Timestamp)>,
}

/// A document, as it was at some instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// What it said.
    pub document: Document,
    /// When it was fetched.
    pub fetched: Timestamp,
}

/// The document was not added: [`DOCUMENTS_MAX`] are known already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more than {DOCUMENTS_MAX} DID documents; drop some that are no longer needed")]
pub struct DocumentsFull;

impl Documents {
    /// None.
    pub const fn new() -> Self {
        Documents { of_dids: BTreeMap::new(), pages: BTreeMap::new() }
    }

    /// Adds a document under its own DID, in the place of what was known of that DID before.
    ///
    /// # Errors
    /// [`DocumentsFull`] when it is of a DID not known before and there is no room.
    pub fn insert(&mut self, document: Document, fetched: Timestamp) -> Result<(), DocumentsFull> {
        self.have_room(self.of_dids.contains_key(document.id()))?;
        self.of_dids.insert(document.id().clone(), Known { document, fetched });
        Ok(())
    }

    /// Adds what is published at a URL, in the place of what was known of it before.
    ///
    /// # Errors
    /// [`DocumentsFull`] when nothing was known of it before and there is no room.
    pub fn insert_page(&mut self, page: KeyPage, fetched: Timestamp) -> Result<(), DocumentsFull> {
        self.have_room(self.pages.contains_key(page.url()))?;
        self.pages.insert(page.url().to_owned(), (page, fetched));
        Ok(())
    }

    fn have_room(&self, replaces: bool) -> Result<(), DocumentsFull> {
        let full = self.of_dids.len() + self.pages.len() >= DOCUMENTS_MAX;
        if full && !replaces { Err(DocumentsFull) } else { Ok(()) }
    }

    /// Adds `others`, as far as there is room; of one thing, what was fetched last stays.
    pub fn learn(&mut self, others: Documents) {
        // Without room, the check that needs it says that it is not known.
        for (did, known) in others.of_dids {
            if self.get(&did).is_none_or(|before| before.fetched <= known.fetched) {
                let _ = self.insert(known.document, known.fetched);
            }
        }
        for (url, (page, fetched)) in others.pages {
            if self.page(&url).is_none_or(|(_, before)| before <= fetched) {
                let _ = self.insert_page(page, fetched);
            }
        }
    }

    /// Those that were fetched at `at` or later.
    #[must_use]
    pub fn since(&self, at: Timestamp) -> Documents {
        let mut since = self.clone();
        since.of_dids.retain(|_, known| at <= known.fetched);
        since.pages.retain(|_, (_, fetched)| at <= *fetched);
        since
    }

    /// What is known of `did`.
    pub fn get(&self, did: &Did) -> Option<&Known> {
        self.of_dids.get(did)
    }

    /// What is published at `url`, which has no fragment, and when it was fetched.
    pub fn page(&self, url: &str) -> Option<(&KeyPage, Timestamp)> {
        self.pages.get(url).map(|(page, fetched)| (page, *fetched))
    }
}

/// Who is behind a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Controller {
    /// The DID whose document lists it.
    Did(Did),
    /// Whoever publishes it at this `https:` URL, which names the key.
    Page(String),
}

impl Controller {
    /// The DID, if it is one.
    pub fn did(&self) -> Option<&Did> {
        match self {
            Controller::Did(did) => Some(did),
            Controller::Page(_) => None,
        }
    }
}

impl From<Did> for Controller {
    fn from(did: Did) -> Self {
        Controller::Did(did)
    }
}

impl fmt::Display for Controller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Controller::Did(did) => did.fmt(f),
            Controller::Page(url) => f.write_str(&shown(url)),
        }
    }
}

/// A key that a DID authorises, or that is published at a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// Whose it is.
    pub controller: Controller,
    /// The key.
    pub key: VerifyingKey,
    /// When the document that lists it was fetched; `None` when the DID states the key itself, which never changes.
    pub fetched: Option<Timestamp>,
    /// From when on nothing may be verified with the key: the earlier of its expiry and its revocation, if it states one.
    /// It is later than `fetched`; whether it has passed since is for the caller to judge.
    pub ends: Option<Timestamp>,
}

/// A DID of a method by which it states its own key, and it states none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the DID states no key: {0}")]
pub struct KeylessDid(&'static str);

/// Why a verification method yields no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// Not a DID URL with a fragment, or one that this method cannot have.
    #[error("the verification method is malformed: {0}")]
    Malformed(&'static str),
    /// The DID's document, or what is at the key's URL, must be fetched first.
    #[error("the document of {0} is not known; fetch it first")]
    NotKnown(Controller),
    /// A DID method that is not resolved here.
    #[error("the DID method \"{0}\" is not supported (key, jwk and web are)")]
    UnsupportedMethod(String),
    /// The key is of a kind that we do not verify with, or stated in a form that is not read.
    #[error("the key is of a kind or form that is not supported (Ed25519, P-256 and RSA are)")]
    UnsupportedKey,
    /// The document has no such verification method.
    #[error("the document of {0} has no such verification method")]
    MethodUnknown(Controller),
    /// The document has it, but not for this use.
    #[error("the document of {0} does not list the key for {1}")]
    NotAuthorised(Controller, &'static str),
    /// When the document was fetched, the key had expired or been revoked.
    #[error("the key ended at {0}")]
    Revoked(Timestamp),
}

impl ResolveError {
    /// Whether the key could not be had, as opposed to being refused.
    pub const fn is_unsupported(&self) -> bool {
        use ResolveError::{NotKnown, UnsupportedKey, UnsupportedMethod};
        matches!(self, NotKnown(_) | UnsupportedMethod(_) | UnsupportedKey)
    }

    /// The stable name of this refusal, as vectors state it.
    pub const fn code(&self) -> &'static str {
        match self {
            ResolveError::Malformed(_) => "did-malformed",
            ResolveError::NotKnown(_) | ResolveError::UnsupportedMethod(_) => "did-unresolved",
            ResolveError::UnsupportedKey => "did-key-unsupported",
            ResolveError::MethodUnknown(_) => "did-method-unknown",
            ResolveError::NotAuthorised(..) => "did-not-authorised",
            ResolveError::Revoked(_) => "did-key-revoked",
        }
    }
}

/// The key that the DID URL `method` names, if its DID authorises it for `relationship`; or that is published at the `https:`
/// URL `method`, of which [`page::is_of`] says whose it is.
///
/// # Errors
/// [`ResolveError`] says which step failed. [`ResolveError::NotKnown`] alone can be helped, by fetching.
pub fn verification_key(
    method: &str,
    relationship: Relationship,
    known: &Documents,
) -> Result<Resolved, ResolveError> {
    if method.starts_with("https:") {
        return page::verification_key(method, relationship, known);
    }
    let did = controller_of(method)?;
    // What nearly every key is. A document need not be made to say again what the DID says: one key, for every use.
    if let Some(key) = did.public_key()
        && method[did.as_str().len()..].strip_prefix('#') == did.as_str().strip_prefix("did:key:")
    {
        return Ok(Resolved { controller: did.into(), key: key.into(), fetched: None, ends: None });
    }
    match &did_method(&did)?.source {
        Source::Computed { document, .. } => key_of(&document(&did)?, method, relationship, None),
        Source::Fetched(url) => match known.get(&did) {
            Some(known) => key_of(&known.document, method, relationship, Some(known.fetched)),
            None if url(&did).is_err() => Err(ResolveError::Malformed("its DID names no place on the web")),
            None => Err(ResolveError::NotKnown(did.into())),
        },
    }
}

/// Whether a DID that states its own key states one, of whatever kind. What other methods' DIDs lead to only their documents
/// say, so of those this says nothing.
///
/// # Errors
/// [`KeylessDid`] when it states none: nobody can ever prove to be that DID.
pub fn check(did: &Did) -> Result<(), KeylessDid> {
    match did_method(did).map(|method| &method.source) {
        Ok(Source::Computed { check, .. }) => check(did),
        Ok(Source::Fetched(_)) | Err(_) => Ok(()),
    }
}

/// The DID that the DID URL `method` begins with, whose document says what the method is.
///
/// # Errors
/// [`ResolveError::Malformed`] when it is no DID with a fragment and without path and query.
pub fn controller_of(method: &str) -> Result<Did, ResolveError> {
    const REFUSED: ResolveError = ResolveError::Malformed("it is not DID#FRAGMENT");
    if method.len() > DID_URL_BYTES_MAX {
        return Err(ResolveError::Malformed("it is too long"));
    }
    let (did, fragment) = method.split_once('#').ok_or(REFUSED)?;
    // RFC 3986 section 3.5.
    let is_legal = |b: u8| b.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:@/?".contains(&b);
    if fragment.is_empty() || !fragment.bytes().all(is_legal) {
        return Err(REFUSED);
    }
    did.parse().map_err(|_| REFUSED)
}

/// The DID URL under which the documents of [`did_jwk`], of `did:key` and of [`web::document`] list `key` of `did`.
pub fn method_of(did: &Did, key: &VerifyingKey) -> String {
    match (did.method(), key.multikey()) {
        ("jwk", _) => format!("{did}#0"),
        (_, Some(multikey)) => format!("{did}#{multikey}"),
        (_, None) => format!("{did}#{}", key.thumbprint()),
    }
}

fn did_method(did: &Did) -> Result<&'static DidMethod, ResolveError> {
    let found = METHODS.iter().find(|method| method.name == did.method());
    found.ok_or_else(|| ResolveError::UnsupportedMethod(did.method().to_owned()))
}

fn key_of(
    document: &Document,
    method: &str,
    relationship: Relationship,
    fetched: Option<Timestamp>,
) -> Result<Resolved, ResolveError> {
    let controller = document.id();
    let found = match document.method(method) {
        Some(found) => found,
        None if document.lists_unusable(method) => return Err(ResolveError::UnsupportedKey),
        None => return Err(ResolveError::MethodUnknown(controller.clone().into())),
    };
    // Whoever writes a document could name anybody as the controller of a key in it.
    if found.controller != *controller || !document.authorises(method, relationship) {
        return Err(ResolveError::NotAuthorised(controller.clone().into(), relationship.name()));
    }
    let ends = found.ends();
    match ends.zip(fetched) {
        Some((ends, fetched)) if ends <= fetched => Err(ResolveError::Revoked(ends)),
        _ => Ok(Resolved { controller: controller.clone().into(), key: found.key.clone(), fetched, ends }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::key::{SecretKey, SigningKey};

    fn asserts(method: &str) -> Result<Resolved, ResolveError> {
        verification_key(method, Relationship::AssertionMethod, &Documents::new())
    }

    #[test]
    fn a_did_key_states_its_own_key() {
        for key in [SigningKey::from(SecretKey::from_seed([7; 32])), SigningKey::p256([7; 32]).unwrap()] {
            let (did, key) = (key.did(), key.public());
            let multikey = key.multikey().unwrap();
            for relationship in [Relationship::AssertionMethod, Relationship::Authentication] {
                let resolved =
                    verification_key(&format!("{did}#{multikey}"), relationship, &Documents::new());
                let expected =
                    Resolved { controller: did.clone().into(), key: key.clone(), fetched: None, ends: None };
                assert_eq!(resolved, Ok(expected.clone()));
                // As its document says.
                let Source::Computed { document, .. } = key::METHOD.source else { unreachable!() };
                let document = document(&did).unwrap();
                assert_eq!(key_of(&document, &method_of(&did, &key), relationship, None), Ok(expected));
            }
            let other = SecretKey::from_seed([8; 32]).public().multibase();
            assert_eq!(asserts(&format!("{did}#{other}")), Err(ResolveError::MethodUnknown(did.into())));
        }
    }

    #[test]
    fn a_did_that_states_a_key_must_state_one() {
        let (ed25519, p256) = (SecretKey::from_seed([7; 32]), SigningKey::p256([7; 32]).unwrap());
        let rsa =
            format!("did:key:z{}", bs58::encode([&[0x85, 0x24][..], &[0x30; 270]].concat()).into_string());
        for sound in [
            ed25519.did().as_str(),
            p256.did().as_str(),
            did_jwk(&p256.public()).unwrap().as_str(),
            // secp256k1 and X25519: nothing is verified with them here, and credentials can be about them.
            "did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme",
            "did:key:z6LSbgq3GejX88eiAYWmZ9EiddS3GaXodvm8MJJyEH7bqXgz",
            "did:jwk:eyJrdHkiOiJPS1AiLCJjcnYiOiJYMjU1MTkiLCJ1c2UiOiJlbmMiLCJ4IjoiM3A3YmZYdDl3YlRUVzJIQzdPUTFOei1EUThoYmVHZE5yZngtRkctSUswOCJ9",
            rsa.as_str(),
            "did:web:example.org",
            "did:example:1",
        ] {
            assert_eq!(check(&sound.parse().unwrap()), Ok(()), "{sound}");
        }
        let key = ed25519.did();
        let (cut, long) = (&key.as_str()[..key.as_str().len() - 1], format!("{key}z"));
        for garbage in [
            "did:key:z6Mkfoo",
            "did:key:hello",
            "did:key:z",
            "did:key:zQ3shfoo",
            "did:jwk:abc",
            "did:jwk:e30",
            cut,
            long.as_str(),
        ] {
            let refused = check(&garbage.parse().unwrap());
            assert!(refused.is_err(), "{garbage}");
        }
    }

    #[test]
    fn each_refusal_has_a_name() {
        for (method, code) in [
            ("", "did-malformed"),
            ("#key-1", "did-malformed"),
            ("did:web:example.org", "did-malformed"),
            ("did:web:example.org#", "did-malformed"),
            ("did:web:example.org#a#b", "did-malformed"),
            ("did:web:example.org#a b", "did-malformed"),
            ("did:web:example.org/path#a", "did-malformed"),
            ("http://example.org/#a", "did-malformed"),
            ("https://example.org/#a", "did-unresolved"),
            ("did:key:hello#hello", "did-malformed"),
            ("did:example:1#a", "did-unresolved"),
            ("did:web:example.org#a", "did-unresolved"),
            ("did:web:127.0.0.1#a", "did-malformed"),
            (
                "did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme#zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme",
                "did-key-unsupported",
            ),
        ] {
            assert_eq!(asserts(method).unwrap_err().code(), code, "{method}");
        }
        let long = format!("did:web:example.org#{}", "a".repeat(DID_URL_BYTES_MAX));
        assert_eq!(asserts(&long), Err(ResolveError::Malformed("it is too long")));
    }
}
