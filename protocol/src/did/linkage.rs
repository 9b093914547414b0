//! Which DIDs an origin says are its own, and which say the same of the origin.
//!
//! An origin publishes `/.well-known/did-configuration.json`, a list of Domain Linkage Credentials that the DIDs have
//! signed for it. Whoever fetched that text from the origin reads it here. What is left to be done is to verify each
//! entry's signature, by a key that its [`Linkage::did`] authorises for assertions; then the origin and the DID are in
//! the same hands.
//!
//! Source: DIF Well Known DID Configuration 1.0. Specification: `spec/did.md`, "Linked domains".

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use super::{Origin, controller_of};
use crate::{
    json::{self, JsonError, items},
    key::Did,
    limits::{DID_CONFIGURATION_BYTES_MAX, LINKED_DIDS_MAX},
    time::Timestamp,
};

/// The JSON-LD context of lists and credentials.
pub const CONTEXT: &str = "https://identity.foundation/.well-known/did-configuration/v1";

/// What the contexts of earlier drafts begin with, too.
const CONTEXT_PREFIX: &str = "https://identity.foundation/.well-known/";

/// The type that makes a credential a Domain Linkage Credential.
const TYPE: &str = "DomainLinkageCredential";

/// One entry of the list of an origin, of which everything holds but the signature, which was not verified.
#[derive(Clone, Debug, PartialEq)]
pub struct Linkage {
    /// The DID that is said to be in the same hands as the origin, and to have signed.
    pub did: Did,
    /// The origin that it states: the one that the list came from.
    pub origin: Origin,
    /// When the statement began to hold.
    pub valid_from: Timestamp,
    /// When it ceases to hold.
    pub valid_until: Timestamp,
    /// What is signed.
    pub entry: Entry,
}

/// The two forms of a Domain Linkage Credential.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// A signed token in compact form.
    Jwt(String),
    /// A credential with a proof in it.
    Credential(Map<String, Value>),
}

/// Why a text is no list of linked DIDs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigurationError {
    /// It is no JSON, or too long.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// Not an object with `@context`, a list `linked_dids`, and nothing else.
    #[error("the DID configuration is not an object with @context and a list linked_dids alone")]
    Malformed,
    /// More than [`LINKED_DIDS_MAX`] entries.
    #[error("more than {LINKED_DIDS_MAX} linked DIDs")]
    TooMany,
}

impl ConfigurationError {
    /// The stable name of this refusal, as vectors state it.
    pub const fn code(&self) -> &'static str {
        match self {
            ConfigurationError::Json(e) => e.code(),
            ConfigurationError::Malformed => "configuration-malformed",
            ConfigurationError::TooMany => "configuration-too-many",
        }
    }
}

/// Why an entry does not link its DID with the origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkageError {
    /// Neither a token in compact form nor a credential with a proof.
    #[error("the entry is neither a signed token nor a credential with a proof")]
    Form,
    /// The token's header holds something other than `alg` and a `kid` of the DID.
    #[error("the token's header is not made of alg and a kid of the DID")]
    Header,
    /// The token's claims hold something other than `iss`, `sub`, `nbf`, `exp` and `vc`, or `iss` and `sub` are not the DID.
    #[error("the token's claims are not those of a domain linkage")]
    Claims,
    /// Not a Domain Linkage Credential.
    #[error("the entry is no DomainLinkageCredential")]
    Type,
    /// No context that defines the terms.
    #[error("the credential's @context does not define domain linkage")]
    Context,
    /// The credential has an `id`, which it must not have.
    #[error("a domain linkage credential must not have an id")]
    Id,
    /// There is not one subject, and it has no DID.
    #[error("the credential's subject is not a DID")]
    Subject,
    /// The issuer is another.
    #[error("the credential is not issued by the DID that it is about")]
    Issuer,
    /// It states no origin, or another.
    #[error("the credential is made for another origin")]
    Origin,
    /// It does not say when it begins and ends to hold.
    #[error("the credential lacks the date of its beginning or its end")]
    Dates,
    /// It does not hold yet.
    #[error("the credential does not hold yet")]
    NotYet,
    /// It has ceased to hold.
    #[error("the credential has expired")]
    Expired,
}

impl LinkageError {
    /// The stable name of this refusal, as vectors state it.
    pub const fn code(self) -> &'static str {
        match self {
            LinkageError::Form => "linkage-form",
            LinkageError::Header => "linkage-header",
            LinkageError::Claims => "linkage-claims",
            LinkageError::Type => "linkage-type",
            LinkageError::Context => "linkage-context",
            LinkageError::Id => "linkage-id",
            LinkageError::Subject => "linkage-subject",
            LinkageError::Issuer => "linkage-issuer",
            LinkageError::Origin => "linkage-origin",
            LinkageError::Dates => "linkage-dates",
            LinkageError::NotYet => "linkage-not-yet-valid",
            LinkageError::Expired => "linkage-expired",
        }
    }
}

/// Reads the list that was fetched from `origin`, of at most [`DID_CONFIGURATION_BYTES_MAX`] bytes. The entries come in
/// its order, which the origin may have chosen with care; one that is refused says nothing of the others.
///
/// # Errors
/// [`ConfigurationError`] when the text is no such list.
pub fn read(
    text: &str,
    origin: &Origin,
    now: Timestamp,
) -> Result<Vec<Result<Linkage, LinkageError>>, ConfigurationError> {
    Ok(list_of(text)?.into_iter().map(|entry| read_entry(entry, origin, now)).collect())
}

/// What a Domain Linkage Credential states, where it holds: the DID, and from when until when.
///
/// # Errors
/// [`LinkageError`] names the first rule that it breaks. Its proof is not looked at.
pub fn check_credential(
    credential: &Map<String, Value>,
    origin: &Origin,
    now: Timestamp,
) -> Result<(Did, Timestamp, Timestamp), LinkageError> {
    let types = items(credential.get("type"));
    if !["VerifiableCredential", TYPE].iter().all(|name| types.iter().any(|own| own == name)) {
        return Err(LinkageError::Type);
    }
    // A proof over RDF signs only what a context defines.
    let mut contexts = items(credential.get("@context")).iter().filter_map(Value::as_str);
    if !contexts.any(|context| context.starts_with(CONTEXT_PREFIX)) {
        return Err(LinkageError::Context);
    }
    if credential.contains_key("id") {
        return Err(LinkageError::Id);
    }
    let [Value::Object(subject)] = items(credential.get("credentialSubject")) else {
        return Err(LinkageError::Subject);
    };
    let did: Option<Did> = subject.get("id").and_then(Value::as_str).and_then(|id| id.parse().ok());
    let did = did.ok_or(LinkageError::Subject)?;
    let issuer = credential.get("issuer");
    let issuer = issuer.and_then(|issuer| issuer.as_str().or_else(|| issuer.get("id")?.as_str()));
    if issuer != Some(did.as_str()) {
        return Err(LinkageError::Issuer);
    }
    let stated = subject.get("origin").and_then(Value::as_str).and_then(|stated| stated.parse().ok());
    if stated.as_ref() != Some(origin) {
        return Err(LinkageError::Origin);
    }
    let from = dates(credential, ["issuanceDate", "validFrom"])?.into_iter().max();
    let until = dates(credential, ["expirationDate", "validUntil"])?.into_iter().min();
    let (from, until) = from.zip(until).ok_or(LinkageError::Dates)?;
    check_period(from, until, now)?;
    Ok((did, from, until))
}

/// What the claims of a token that is a Domain Linkage Credential state, where they hold: the DID, and from when until
/// when.
///
/// # Errors
/// [`LinkageError`] names the first rule that they break. The token's signature and header are not looked at.
pub fn check_claims(
    claims: &Map<String, Value>,
    origin: &Origin,
    now: Timestamp,
) -> Result<(Did, Timestamp, Timestamp), LinkageError> {
    if claims.keys().any(|name| !["exp", "iss", "nbf", "sub", "vc"].contains(&name.as_str())) {
        return Err(LinkageError::Claims);
    }
    let credential = claims.get("vc").and_then(Value::as_object).ok_or(LinkageError::Claims)?;
    let (did, from, until) = check_credential(credential, origin, now)?;
    if ["iss", "sub"].iter().any(|name| claims.get(*name).and_then(Value::as_str) != Some(did.as_str())) {
        return Err(LinkageError::Claims);
    }
    let seconds = |name, otherwise: Timestamp| match claims.get(name) {
        None => Ok(otherwise),
        Some(seconds) => {
            let ms = seconds.as_u64().and_then(|seconds| seconds.checked_mul(1000));
            ms.map(Timestamp::from_unix_ms).ok_or(LinkageError::Claims)
        }
    };
    let (from, until) = (from.max(seconds("nbf", from)?), until.min(seconds("exp", until)?));
    check_period(from, until, now)?;
    Ok((did, from, until))
}

/// What a Domain Linkage Credential of our own states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The DID that signs.
    pub did: Did,
    /// The origin in the same hands.
    pub origin: Origin,
    /// When it begins to hold.
    pub valid_from: Timestamp,
    /// When it ceases to hold.
    pub valid_until: Timestamp,
}

impl Statement {
    /// The credential, without a proof, in the data model 2.0.
    pub fn credential(&self) -> Map<String, Value> {
        self.credential_of("https://www.w3.org/ns/credentials/v2", "validFrom", "validUntil")
    }

    /// The claims of the token, whose header must hold `alg` and `kid` alone. The credential in them follows the data
    /// model 1.1, which the specification knows and others expect.
    pub fn claims(&self) -> Map<String, Value> {
        let credential =
            self.credential_of("https://www.w3.org/2018/credentials/v1", "issuanceDate", "expirationDate");
        object([
            ("exp", json!(self.valid_until.unix_ms() / 1000)),
            ("iss", json!(self.did)),
            ("nbf", json!(self.valid_from.unix_ms() / 1000)),
            ("sub", json!(self.did)),
            ("vc", Value::Object(credential)),
        ])
    }

    fn credential_of(&self, context: &str, from: &str, until: &str) -> Map<String, Value> {
        object([
            ("@context", json!([context, CONTEXT])),
            ("type", json!(["VerifiableCredential", TYPE])),
            ("issuer", json!(self.did)),
            (from, json!(self.valid_from.to_rfc3339_seconds())),
            (until, json!(self.valid_until.to_rfc3339_seconds())),
            ("credentialSubject", json!({"id": self.did, "origin": self.origin.as_str()})),
        ])
    }
}

/// The list that an origin puts at [`Origin::configuration_url`].
pub fn configuration(entries: Vec<Entry>) -> Map<String, Value> {
    let entries = entries.into_iter().map(|entry| match entry {
        Entry::Jwt(token) => Value::String(token),
        Entry::Credential(credential) => Value::Object(credential),
    });
    object([("@context", json!(CONTEXT)), ("linked_dids", entries.collect())])
}

/// The list that an origin publishes, as it was written, with `entries` in the place of those of `did`. Entries of other DIDs
/// stay as they are, also those that no longer hold: they are not ours to judge.
///
/// # Errors
/// [`ConfigurationError`] when `text` is no such list, or there is no room.
pub fn with_entries(
    text: &str,
    did: &Did,
    entries: Vec<Entry>,
) -> Result<Map<String, Value>, ConfigurationError> {
    let mut list = configuration(entries);
    let own = list.remove("linked_dids");
    let mut all = list_of(text)?;
    all.retain(|entry| stated_by(entry).as_ref() != Some(did));
    all.extend(own.as_ref().and_then(Value::as_array).into_iter().flatten().cloned());
    if all.len() > LINKED_DIDS_MAX {
        return Err(ConfigurationError::TooMany);
    }
    list.insert("linked_dids".to_owned(), Value::Array(all));
    Ok(list)
}

/// The entries of a list.
fn list_of(text: &str) -> Result<Vec<Value>, ConfigurationError> {
    const REFUSED: ConfigurationError = ConfigurationError::Malformed;
    let Value::Object(mut list) = json::parse(text, DID_CONFIGURATION_BYTES_MAX)? else {
        return Err(REFUSED);
    };
    let entries = match (list.remove("linked_dids"), list.remove("@context")) {
        (Some(Value::Array(entries)), Some(_)) if list.is_empty() => entries,
        _ => return Err(REFUSED),
    };
    if entries.len() > LINKED_DIDS_MAX { Err(ConfigurationError::TooMany) } else { Ok(entries) }
}

/// The DID that an entry says it is by, whether it holds or not.
fn stated_by(entry: &Value) -> Option<Did> {
    let token = entry.as_str().and_then(|token| part(token.split('.').nth(1)?).ok());
    let issuer = match (&token, entry) {
        (Some(claims), _) => claims.get("iss"),
        (None, credential) => credential.get("issuer"),
    }?;
    issuer.as_str().or_else(|| issuer.get("id")?.as_str())?.parse().ok()
}

/// A part of a token: an object.
fn part(text: &str) -> Result<Map<String, Value>, LinkageError> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| LinkageError::Form)?;
    let text = String::from_utf8(bytes).map_err(|_| LinkageError::Form)?;
    match json::parse(&text, DID_CONFIGURATION_BYTES_MAX) {
        Ok(Value::Object(part)) => Ok(part),
        _ => Err(LinkageError::Form),
    }
}

fn read_entry(entry: Value, origin: &Origin, now: Timestamp) -> Result<Linkage, LinkageError> {
    let ((did, valid_from, valid_until), entry) = match entry {
        Value::String(token) => (read_token(&token, origin, now)?, Entry::Jwt(token)),
        Value::Object(credential) if !items(credential.get("proof")).is_empty() => {
            (check_credential(&credential, origin, now)?, Entry::Credential(credential))
        }
        _ => return Err(LinkageError::Form),
    };
    Ok(Linkage { did, origin: origin.clone(), valid_from, valid_until, entry })
}

fn read_token(
    token: &str,
    origin: &Origin,
    now: Timestamp,
) -> Result<(Did, Timestamp, Timestamp), LinkageError> {
    let mut parts = token.split('.');
    let (Some(header), Some(claims), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(LinkageError::Form);
    };
    let (header, claims) = (part(header)?, part(claims)?);
    let checked = check_claims(&claims, origin, now)?;
    let text = |name: &str| header.get(name).and_then(Value::as_str).ok_or(LinkageError::Header);
    let is_the_dids = controller_of(text("kid")?).is_ok_and(|did| did == checked.0);
    match header.len() {
        2 if is_the_dids && !text("alg")?.is_empty() => Ok(checked),
        _ => Err(LinkageError::Header),
    }
}

/// Those of the dates that are stated.
fn dates(credential: &Map<String, Value>, names: [&str; 2]) -> Result<Vec<Timestamp>, LinkageError> {
    let stated = names.into_iter().filter_map(|name| credential.get(name));
    stated.map(|date| date.as_str().and_then(|date| date.parse().ok()).ok_or(LinkageError::Dates)).collect()
}

fn check_period(from: Timestamp, until: Timestamp, now: Timestamp) -> Result<(), LinkageError> {
    match now {
        now if now < from => Err(LinkageError::NotYet),
        now if now >= until => Err(LinkageError::Expired),
        _ => Ok(()),
    }
}

fn object<const N: usize>(members: [(&str, Value); N]) -> Map<String, Value> {
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::{did::method_of, key::SecretKey};

    #[test]
    fn what_we_state_is_what_others_read() {
        let now = Timestamp::from_unix_ms(1_790_000_000_000);
        let key = SecretKey::from_seed([4; 32]);
        let statement = Statement {
            did: key.did(),
            origin: "https://school.example".parse().unwrap(),
            valid_from: now,
            valid_until: now.plus_ms(365 * 24 * 3600 * 1000),
        };
        let base64 =
            |part: &Map<String, Value>| URL_SAFE_NO_PAD.encode(Value::Object(part.clone()).to_string());
        let kid = method_of(&key.did(), &key.public().into());
        let header = object([("alg", json!("EdDSA")), ("kid", json!(kid))]);
        let token = format!("{}.{}.c2ln", base64(&header), base64(&statement.claims()));
        let mut credential = statement.credential();
        credential.insert("proof".into(), json!({"type": "DataIntegrityProof"}));

        let list = configuration(vec![Entry::Jwt(token.clone()), Entry::Credential(credential.clone())]);
        let text = Value::Object(list).to_string();
        let links = read(&text, &statement.origin, now).unwrap();
        let both = [Entry::Jwt(token.clone()), Entry::Credential(credential.clone())];
        for (link, entry) in links.into_iter().zip(both) {
            let Statement { did, origin, valid_from, valid_until } = statement.clone();
            assert_eq!(link, Ok(Linkage { did, origin, valid_from, valid_until, entry }));
        }
        for (now, code) in
            [(now.minus_ms(1), "linkage-not-yet-valid"), (statement.valid_until, "linkage-expired")]
        {
            let links = read(&text, &statement.origin, now).unwrap();
            assert!(links.iter().all(|link| link.as_ref().is_err_and(|e| e.code() == code)));
        }
        let another = json!({"issuer": {"id": "did:web:school.example"}, "proof": {}});
        let published = json!({"@context": CONTEXT, "linked_dids": [another, "damaged", token, credential]});
        let own = vec![Entry::Jwt("new.token.x".to_owned())];
        let merged = with_entries(&published.to_string(), &statement.did, own.clone()).unwrap();
        assert_eq!(merged["linked_dids"], json!([another, "damaged", "new.token.x"]), "others' stay");
        let full = json!({"@context": CONTEXT, "linked_dids": vec![another; LINKED_DIDS_MAX]});
        let refused = with_entries(&full.to_string(), &statement.did, own.clone());
        assert_eq!(refused, Err(ConfigurationError::TooMany));
        assert_eq!(with_entries("{}", &statement.did, own), Err(ConfigurationError::Malformed));

        let other = "https://other.example".parse().unwrap();
        assert!(read(&text, &other, now).unwrap().into_iter().all(|link| link == Err(LinkageError::Origin)));
    }
}
