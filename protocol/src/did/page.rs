//! Keys at `https:` URLs: what a server says at the URL of a key, or of an issuer that is no DID.
//!
//! Many badge platforms name their issuers and keys by URLs and not by DIDs. Such a key is the issuer's where whoever answers
//! for the issuer's own URL says so: it is published at that URL, below it, or at the well-known places of its origin, or the
//! document at that URL names it. To share an origin alone is not enough: many hosts serve what their users write.
//!
//! Sources: W3C Controlled Identifiers 1.0; RFC 7517 (JWK, JWK sets); RFC 8615 (well-known URIs); Open Badges 3.0 section 8.2.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{
    Controller, Documents, Origin, Relationship, ResolveError, Resolved,
    document::{KeyStatement, key_of_jwk},
};
use crate::{
    json::{self, JsonError, items},
    key::VerifyingKey,
    limits::{DID_DOCUMENT_BYTES_MAX, DID_URL_BYTES_MAX, VERIFICATION_METHODS_MAX},
};

/// What is published at an `https:` URL about keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPage {
    url: String,
    keys: Vec<PageKey>,
    /// What it lists for assertions, and the JWK set that it refers to.
    named: BTreeSet<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct PageKey {
    /// The absolute URLs that mean it.
    ids: Vec<String>,
    /// Whose it is, if it says so.
    controller: Option<String>,
    /// The key, and when it ends; `None` when it is of a kind or form that is not read.
    statement: Option<KeyStatement>,
    /// Whether it is for assertions.
    asserts: bool,
}

/// Why a text says nothing of keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyPageError {
    /// It is no JSON, or too long.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// Its URL is not one that is fetched.
    #[error("a key is fetched from an https: URL whose host has a name")]
    Url,
    /// Its `id` is another URL than the one it was fetched from.
    #[error("the document is of another URL")]
    OtherUrl,
    /// More than [`VERIFICATION_METHODS_MAX`] keys, or names of keys.
    #[error("more than {VERIFICATION_METHODS_MAX} keys")]
    TooManyKeys,
    /// There is no key in it, and the name of none.
    #[error("it states no key, as a JWK, a JWK set or a controlled identifier document does")]
    NoKey,
}

impl KeyPageError {
    /// The stable name of this refusal, as vectors state it.
    pub const fn code(&self) -> &'static str {
        match self {
            KeyPageError::Json(e) => e.code(),
            KeyPageError::Url => "key-page-url",
            KeyPageError::OtherUrl => "key-page-other-url",
            KeyPageError::TooManyKeys => "key-page-too-many-keys",
            KeyPageError::NoKey => "key-page-no-key",
        }
    }
}

impl KeyPage {
    /// Reads what `url` gave: a JWK, a JWK set, a verification method, or a document that lists verification methods.
    ///
    /// # Errors
    /// [`KeyPageError`] says why it is of no use.
    pub fn read(text: &str, url: &str) -> Result<Self, KeyPageError> {
        let url = url_of(url).ok_or(KeyPageError::Url)?;
        let Value::Object(value) = json::parse(text, DID_DOCUMENT_BYTES_MAX)? else {
            return Err(KeyPageError::NoKey);
        };
        let mut page = KeyPage { url: url.to_owned(), keys: Vec::new(), named: BTreeSet::new() };
        let states_key = value.keys().any(|name| name.starts_with("publicKey") && name != "publicKey");
        match value.get("keys") {
            Some(Value::Array(keys)) => page.read_set(keys)?,
            _ if value.contains_key("kty") => {
                page.keys.push(page.jwk(&value));
                page.means(0);
            }
            _ if states_key => {
                page.keys.push(page.method(&value, true));
                page.means(0);
            }
            _ => page.read_document(&value)?,
        }
        match page.keys.is_empty() && page.named.is_empty() {
            true => Err(KeyPageError::NoKey),
            false => Ok(page),
        }
    }

    /// Where it was published, without a fragment.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// RFC 7517 section 5. A single key needs no name.
    fn read_set(&mut self, keys: &[Value]) -> Result<(), KeyPageError> {
        if keys.len() > VERIFICATION_METHODS_MAX {
            return Err(KeyPageError::TooManyKeys);
        }
        self.keys = keys.iter().filter_map(Value::as_object).map(|key| self.jwk(key)).collect();
        if self.keys.len() == 1 {
            self.means(0);
        }
        Ok(())
    }

    /// Controlled Identifiers 1.0 section 2. An issuer's profile may name a JWK set instead.
    fn read_document(&mut self, value: &Map<String, Value>) -> Result<(), KeyPageError> {
        let id = value.get("id").and_then(Value::as_str);
        if id.is_some_and(|id| url_of(id) != Some(&self.url)) {
            return Err(KeyPageError::OtherUrl);
        }
        let methods = items(value.get("verificationMethod"));
        let listed = items(value.get(Relationship::AssertionMethod.name()));
        if methods.len() + listed.len() > VERIFICATION_METHODS_MAX {
            return Err(KeyPageError::TooManyKeys);
        }
        let references =
            listed.iter().filter_map(|entry| entry.as_str().or_else(|| entry.get("id")?.as_str()));
        self.named = references.map(|reference| self.absolute(reference)).collect();
        let embedded = listed.iter().filter_map(Value::as_object);
        for entry in methods.iter().filter_map(Value::as_object).chain(embedded) {
            let asserts = entry.get("id").and_then(Value::as_str);
            let asserts = asserts.is_some_and(|id| self.named.contains(&self.absolute(id)));
            let key = self.method(entry, asserts);
            self.keys.push(key);
        }
        self.named.extend(value.get("jwks_uri").and_then(Value::as_str).map(str::to_owned));
        Ok(())
    }

    fn jwk(&self, jwk: &Map<String, Value>) -> PageKey {
        let name = jwk.get("kid").and_then(Value::as_str);
        let id = name.map(|name| match name.contains(':') {
            true => name.to_owned(),
            false => format!("{}#{}", self.url, name.trim_start_matches('#')),
        });
        let statement = key_of_jwk(jwk).map(|key| KeyStatement { key, expires: None, revoked: None });
        PageKey { ids: id.into_iter().collect(), controller: None, statement, asserts: true }
    }

    fn method(&self, entry: &Map<String, Value>, asserts: bool) -> PageKey {
        let text = |name| entry.get(name).and_then(Value::as_str);
        PageKey {
            ids: text("id").map(|id| self.absolute(id)).into_iter().collect(),
            controller: text("controller").map(str::to_owned),
            statement: KeyStatement::read(entry),
            asserts,
        }
    }

    /// Has the page's own URL mean the key there.
    fn means(&mut self, place: usize) {
        if let Some(key) = self.keys.get_mut(place) {
            key.ids.push(self.url.clone());
        }
    }

    fn absolute(&self, reference: &str) -> String {
        match reference.starts_with('#') {
            true => format!("{}{reference}", self.url),
            false => reference.to_owned(),
        }
    }

    /// The one key that `method` means; two that share a name mean neither.
    fn key(&self, method: &str) -> Option<&PageKey> {
        let mut meant = self.keys.iter().filter(|key| key.ids.iter().any(|id| id == method));
        let key = meant.next()?;
        meant.all(|other| other.statement == key.statement && other.asserts == key.asserts).then_some(key)
    }
}

/// The key that the `https:` URL `method` names, for assertions. Nothing says whose it is; [`is_of`] does.
///
/// # Errors
/// [`ResolveError::NotKnown`] when it was not fetched, or is not fetched from there; otherwise as for DIDs.
pub(super) fn verification_key(
    method: &str,
    relationship: Relationship,
    known: &Documents,
) -> Result<Resolved, ResolveError> {
    let controller = Controller::Page(method.to_owned());
    let page = url_of(method).and_then(|url| known.page(url));
    // Only DIDs present something.
    let Some((page, fetched)) = page.filter(|_| relationship == Relationship::AssertionMethod) else {
        return Err(ResolveError::NotKnown(controller));
    };
    let found = page.key(method).ok_or_else(|| ResolveError::MethodUnknown(controller.clone()))?;
    let KeyStatement { key, .. } = found.statement.as_ref().ok_or(ResolveError::UnsupportedKey)?;
    if !found.asserts {
        return Err(ResolveError::NotAuthorised(controller, relationship.name()));
    }
    let ends = found.statement.as_ref().and_then(KeyStatement::ends);
    match ends.filter(|ends| *ends <= fetched) {
        Some(ends) => Err(ResolveError::Revoked(ends)),
        None => Ok(Resolved { controller, key: VerifyingKey::clone(key), fetched: Some(fetched), ends }),
    }
}

/// Whether the key at `method` is that of `issuer`, both `https:` URLs, by what is known of their pages.
pub fn is_of(method: &str, issuer: &str, known: &Documents) -> bool {
    let (Some(url), Some(issuer_url)) = (url_of(method), url_of(issuer)) else { return false };
    let key = known.page(url).and_then(|(page, _)| page.key(method));
    // A key may say whose it is. It cannot say it to the advantage of another.
    let states_another = |key: &PageKey| {
        key.controller.as_ref().is_some_and(|of| url_of(of) != Some(issuer_url) && url_of(of) != Some(url))
    };
    key.is_some_and(|key| !states_another(key))
        && (is_under(url, issuer_url) || is_named(method, url, issuer_url, known))
}

/// The URL that must be fetched before [`is_of`] can say that the key at `method` is that of `issuer`.
pub fn needed(method: &str, issuer: &str, known: &Documents) -> Option<String> {
    let (url, issuer_url) = (url_of(method)?, url_of(issuer)?);
    let lacking = |url: &str| known.page(url).is_none().then(|| url.to_owned());
    match is_under(url, issuer_url) || is_named(method, url, issuer_url, known) {
        true => lacking(url),
        false => lacking(issuer_url),
    }
}

fn is_named(method: &str, url: &str, issuer_url: &str, known: &Documents) -> bool {
    known.page(issuer_url).is_some_and(|(page, _)| page.named.contains(method) || page.named.contains(url))
}

/// Whether whoever answers for `issuer` answers for `url` as well.
fn is_under(url: &str, issuer: &str) -> bool {
    let (Some((origin, path)), Some((issuer_origin, issuer_path))) = (place(url), place(issuer)) else {
        return false;
    };
    let whole = matches!(issuer_path, "" | "/");
    let below = || {
        let rest = path.strip_prefix(issuer_path.trim_end_matches('/'));
        !issuer_path.contains('?') && rest.is_some_and(|rest| rest.starts_with('/'))
    };
    origin == issuer_origin && (whole || path == issuer_path || below() || path.starts_with("/.well-known/"))
}

/// An `https:` URL that can be fetched, without its fragment.
fn url_of(text: &str) -> Option<&str> {
    let url = text.split_once('#').map_or(text, |(url, _)| url);
    (text.len() <= DID_URL_BYTES_MAX && place(url).is_some()).then_some(url)
}

/// Its origin, and its path with its query. A path that could be read as another has neither.
fn place(url: &str) -> Option<(Origin, &str)> {
    let rest = url.strip_prefix("https://")?;
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let origin = format!("https://{authority}").parse().ok()?;
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:@/?".contains(&b);
    let lower = path.to_ascii_lowercase();
    let ambiguous = ["%2e", "%2f", "%5c"].iter().any(|escape| lower.contains(escape));
    let leads_up = path.split(['/', '?']).any(|part| matches!(part, "." | ".."));
    (path.bytes().all(legal) && !ambiguous && !leads_up).then_some((origin, path))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;
    use crate::{key::SecretKey, time::Timestamp};

    const ISSUER: &str = "https://academy.example/issuers/7";
    const NOW: Timestamp = Timestamp::from_unix_ms(1_790_000_000_000);

    fn key() -> VerifyingKey {
        SecretKey::from_seed([7; 32]).public().into()
    }

    fn known(pages: &[(&str, Value)]) -> Documents {
        let mut known = Documents::new();
        for (url, page) in pages {
            known.insert_page(KeyPage::read(&page.to_string(), url).unwrap(), NOW).unwrap();
        }
        known
    }

    fn asserts(method: &str, known: &Documents) -> Result<Resolved, ResolveError> {
        super::super::verification_key(method, Relationship::AssertionMethod, known)
    }

    #[test]
    fn a_key_is_read_from_each_form() {
        let jwk = Value::Object(key().to_jwk());
        let named = |name: &str| {
            let mut jwk = jwk.clone();
            jwk["kid"] = json!(name);
            jwk
        };
        let multikey = key().multikey().unwrap();
        let method = |id: &str| json!({"id": id, "type": "Multikey", "publicKeyMultibase": multikey});
        let url = "https://academy.example/issuers/7/key";
        let first = &format!("{url}#1");
        for (page, id) in [
            (jwk.clone(), url),
            (named("1"), url),
            (named("1"), first),
            (named(first), first),
            (json!({"keys": [jwk]}), url),
            (json!({"keys": [named("1"), {"kty": "oct"}]}), first),
            (method(url), url),
            (method("#1"), first),
            (json!({"id": url, "verificationMethod": [method("#1")], "assertionMethod": ["#1"]}), first),
            (json!({"assertionMethod": [method(first)]}), first),
        ] {
            let known = known(&[(url, page.clone())]);
            assert_eq!(asserts(id, &known).unwrap().key, key(), "{page}");
            assert!(is_of(id, ISSUER, &known), "{page}");
            // The same key under a name that the page does not have.
            assert_eq!(asserts(&format!("{url}#2"), &known).unwrap_err().code(), "did-method-unknown");
        }
    }

    #[test]
    fn what_says_nothing_of_keys_is_refused_by_name() {
        let url = "https://academy.example/key";
        for (text, code) in [
            ("<html>", "json-syntax"),
            ("[]", "key-page-no-key"),
            (r#"{"id":"https://academy.example/key","type":"Profile"}"#, "key-page-no-key"),
            (r##"{"id":"https://academy.example/other","assertionMethod":["#a"]}"##, "key-page-other-url"),
            (r#"{"keys":[]}"#, "key-page-no-key"),
        ] {
            assert_eq!(KeyPage::read(text, url).unwrap_err().code(), code, "{text}");
        }
        let many = json!({"keys": vec![json!({"kty": "OKP"}); VERIFICATION_METHODS_MAX + 1]}).to_string();
        assert_eq!(KeyPage::read(&many, url).unwrap_err().code(), "key-page-too-many-keys");
        for url in ["http://academy.example/key", "https://127.0.0.1/key", "https://academy.example/a/../key"]
        {
            assert_eq!(KeyPage::read("{}", url).unwrap_err().code(), "key-page-url", "{url}");
        }
    }

    #[test]
    fn a_key_is_the_issuers_where_the_issuer_says_so() {
        let jwk = Value::Object(key().to_jwk());
        for (url, issuer, expected) in [
            ("https://academy.example/issuers/7", ISSUER, true),
            ("https://academy.example/issuers/7/keys/1", ISSUER, true),
            ("https://academy.example/.well-known/jwks.json", ISSUER, true),
            ("https://academy.example/keys/1", "https://academy.example", true),
            ("https://academy.example/keys/1", "https://academy.example/", true),
            // Others may write there, or answer there.
            ("https://academy.example/issuers/8", ISSUER, false),
            ("https://academy.example/issuers/70", ISSUER, false),
            ("https://academy.example/issuers/", ISSUER, false),
            ("https://academy.example/keys/1", ISSUER, false),
            ("https://academy.example:8443/issuers/7/key", ISSUER, false),
            ("https://evil.example/issuers/7/key", ISSUER, false),
            ("https://academy.example/issuers?id=7/x", "https://academy.example/issuers?id=7", false),
            ("https://academy.example/issuers?id=7", "https://academy.example/issuers", false),
        ] {
            let known = known(&[(url, jwk.clone())]);
            assert_eq!(is_of(url, issuer, &known), expected, "{url} of {issuer}");
        }
        let stated = |of: &str| json!({"controller": of, "type": "JsonWebKey", "publicKeyJwk": jwk, "id": format!("{ISSUER}/key")});
        let url = format!("{ISSUER}/key");
        assert!(is_of(&url, ISSUER, &known(&[(&url, stated(ISSUER))])));
        assert!(!is_of(&url, ISSUER, &known(&[(&url, stated("https://academy.example/issuers/8"))])));
    }

    #[test]
    fn an_issuers_page_names_keys_elsewhere() {
        let jwk = Value::Object(key().to_jwk());
        let elsewhere = "https://keys.example/a";
        let page = json!({"id": ISSUER, "assertionMethod": [elsewhere]});
        assert_eq!(needed(elsewhere, ISSUER, &Documents::new()).as_deref(), Some(ISSUER));
        let named = known(&[(ISSUER, page.clone())]);
        assert_eq!(needed(elsewhere, ISSUER, &named).as_deref(), Some(elsewhere));
        let both = known(&[(ISSUER, page), (elsewhere, jwk.clone())]);
        assert!(is_of(elsewhere, ISSUER, &both) && needed(elsewhere, ISSUER, &both).is_none());
        let set = known(&[
            (ISSUER, json!({"id": ISSUER, "jwks_uri": elsewhere})),
            (elsewhere, json!({"keys": [jwk]})),
        ]);
        assert!(is_of(elsewhere, ISSUER, &set));
        assert!(!is_of(elsewhere, "https://academy.example/issuers/8", &set));
    }

    #[test]
    fn a_key_serves_for_what_its_page_lists_it() {
        let multikey = key().multikey().unwrap();
        let id = format!("{ISSUER}#1");
        let with = |more: Value| {
            let mut method = json!({"id": "#1", "type": "Multikey", "publicKeyMultibase": multikey});
            method.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            method
        };
        let page = |method: Value, list: &str| {
            known(&[(ISSUER, json!({"verificationMethod": method, list: ["#1"]}))])
        };
        let code = |known: &Documents| asserts(&id, known).map(drop).map_err(|e| e.code());
        let never = json!({"assertionMethod": ["#2"], "verificationMethod": with(json!({}))});
        assert_eq!(code(&known(&[(ISSUER, never)])), Err("did-not-authorised"));
        let ended = with(json!({"revoked": "2020-01-01T00:00:00Z"}));
        assert_eq!(code(&page(ended, "assertionMethod")), Err("did-key-revoked"));
        let unknown = with(json!({"type": "Other"}));
        assert_eq!(code(&page(unknown, "assertionMethod")), Err("did-key-unsupported"));
        let good = page(with(json!({})), "assertionMethod");
        assert_eq!(code(&good), Ok(()));
        let shows = super::super::verification_key(&id, Relationship::Authentication, &good);
        assert_eq!(shows.unwrap_err().code(), "did-unresolved");
    }
}
