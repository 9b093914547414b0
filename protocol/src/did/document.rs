//! DID documents: the keys that a DID lists, and what for.
//!
//! Verification methods of kinds that are not supported, or whose key cannot be read, are remembered by name and
//! otherwise skipped, because one key that we cannot use says nothing against the others.
//!
//! Sources: W3C DID Core 1.0, section 5; W3C Controlled Identifiers 1.0, sections 2 and 3.3.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::Origin;
use crate::{
    base58,
    json::{self, JsonError, items},
    key::{Algorithm, Did, PublicKey, VerifyingKey},
    limits::{DID_DOCUMENT_BYTES_MAX, MULTIKEY_BYTES_MAX, SERVICES_MAX, VERIFICATION_METHODS_MAX},
    time::Timestamp,
};

/// What a DID says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    id: Did,
    methods: BTreeMap<String, Method>,
    unusable: BTreeSet<String>,
    assertion: BTreeSet<String>,
    authentication: BTreeSet<String>,
    services: Vec<Service>,
}

/// A verification method whose key we can use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    /// Its absolute DID URL.
    pub id: String,
    /// Who holds the key, as the document says. Only a document of the controller itself can say so.
    pub controller: Did,
    /// The key.
    pub key: VerifyingKey,
    /// From when on nothing may be verified with it.
    pub expires: Option<Timestamp>,
    /// From when on nothing may be verified with it, because it was lost or given up.
    pub revoked: Option<Timestamp>,
}

/// What a document lists a key for. Others (`keyAgreement`, `capabilityInvocation`) sign nothing that we read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relationship {
    /// To assert statements: credentials.
    AssertionMethod,
    /// To show that the DID's holder is present: presentations.
    Authentication,
}

/// A way in which the DID's holder can be reached or looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its absolute URL, or what the document has in that place.
    pub id: String,
    /// Its types: `LinkedDomains`.
    pub types: Vec<String>,
    /// The URLs of its endpoint. Of an endpoint that is an object, those of its `origins` (Well Known DID Configuration).
    pub endpoints: Vec<String>,
}

/// Why a text is no DID document of the DID that it was fetched for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// It is no JSON, or too long.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// The JSON is no object.
    #[error("the DID document is no JSON object")]
    NotAnObject,
    /// Its `id` is not the DID that was resolved.
    #[error("the DID document is of another DID")]
    OtherDid,
    /// More than [`VERIFICATION_METHODS_MAX`] verification methods.
    #[error("more than {VERIFICATION_METHODS_MAX} verification methods")]
    TooManyMethods,
    /// More than [`SERVICES_MAX`] services.
    #[error("more than {SERVICES_MAX} services")]
    TooManyServices,
    /// A property has a form that it cannot have.
    #[error("the DID document's `{0}` is malformed")]
    Malformed(&'static str),
    /// Two verification methods that differ have one id.
    #[error("two verification methods have one id")]
    RepeatedMethod,
}

impl DocumentError {
    /// The stable name of this refusal, as vectors state it.
    pub const fn code(&self) -> &'static str {
        match self {
            DocumentError::Json(e) => e.code(),
            DocumentError::NotAnObject => "did-document-not-an-object",
            DocumentError::OtherDid => "did-document-other-did",
            DocumentError::TooManyMethods => "did-document-too-many-methods",
            DocumentError::TooManyServices => "did-document-too-many-services",
            DocumentError::Malformed(_) => "did-document-malformed",
            DocumentError::RepeatedMethod => "did-document-repeated-method",
        }
    }
}

impl Relationship {
    /// The property of a document that lists the keys; also the value of `proofPurpose`.
    pub const fn name(self) -> &'static str {
        match self {
            Relationship::AssertionMethod => "assertionMethod",
            Relationship::Authentication => "authentication",
        }
    }
}

impl Method {
    /// The earlier of expiry and revocation.
    pub fn ends(&self) -> Option<Timestamp> {
        [self.expires, self.revoked].into_iter().flatten().min()
    }
}

impl Document {
    /// Reads the document that was fetched for `did`, of at most [`DID_DOCUMENT_BYTES_MAX`] bytes of JSON.
    ///
    /// # Errors
    /// [`DocumentError`] names the first rule that the text breaks.
    pub fn read(text: &str, did: &Did) -> Result<Self, DocumentError> {
        match json::parse(text, DID_DOCUMENT_BYTES_MAX)? {
            Value::Object(value) => Self::parse(&value, did),
            _ => Err(DocumentError::NotAnObject),
        }
    }

    /// Takes the document of `did` from JSON that was parsed, and bounded, already.
    ///
    /// # Errors
    /// [`DocumentError`] names the first rule that it breaks.
    pub fn parse(value: &Map<String, Value>, did: &Did) -> Result<Self, DocumentError> {
        if value.get("id").and_then(Value::as_str) != Some(did.as_str()) {
            return Err(DocumentError::OtherDid);
        }
        let mut document = Document::empty(did.clone());
        for method in items(value.get("verificationMethod")) {
            document.add_method(method, "verificationMethod")?;
        }
        for relationship in [Relationship::AssertionMethod, Relationship::Authentication] {
            let name = relationship.name();
            let mut listed = BTreeSet::new();
            for entry in items(value.get(name)) {
                listed.insert(match entry {
                    Value::String(reference) => absolute(did, reference),
                    embedded => document.add_method(embedded, name)?,
                });
                if listed.len() > VERIFICATION_METHODS_MAX {
                    return Err(DocumentError::TooManyMethods);
                }
            }
            match relationship {
                Relationship::AssertionMethod => document.assertion = listed,
                Relationship::Authentication => document.authentication = listed,
            }
        }
        let services = items(value.get("service"));
        if services.len() > SERVICES_MAX {
            return Err(DocumentError::TooManyServices);
        }
        document.services = services.iter().map(|entry| service(did, entry)).collect::<Result<_, _>>()?;
        Ok(document)
    }

    /// The document of a DID that states its one key itself.
    pub(super) fn of_key(id: Did, fragment: &str, key: VerifyingKey) -> Self {
        let method = absolute(&id, &format!("#{fragment}"));
        let mut document = Document::empty(id.clone());
        document.assertion.insert(method.clone());
        document.authentication.insert(method.clone());
        let entry = Method { id: method.clone(), controller: id, key, expires: None, revoked: None };
        document.methods.insert(method, entry);
        document
    }

    fn empty(id: Did) -> Self {
        Document {
            id,
            methods: BTreeMap::new(),
            unusable: BTreeSet::new(),
            assertion: BTreeSet::new(),
            authentication: BTreeSet::new(),
            services: Vec::new(),
        }
    }

    /// The DID that it is the document of.
    pub fn id(&self) -> &Did {
        &self.id
    }

    /// The verification methods whose keys we can use, in the order of their ids.
    pub fn methods(&self) -> impl Iterator<Item = &Method> {
        self.methods.values()
    }

    /// The verification method with this absolute DID URL.
    pub fn method(&self, id: &str) -> Option<&Method> {
        self.methods.get(id)
    }

    /// Whether it has a verification method with this absolute DID URL whose key we cannot use.
    pub fn lists_unusable(&self, id: &str) -> bool {
        self.unusable.contains(id)
    }

    /// Whether it lists the verification method with this absolute DID URL for `relationship`.
    pub fn authorises(&self, id: &str, relationship: Relationship) -> bool {
        match relationship {
            Relationship::AssertionMethod => self.assertion.contains(id),
            Relationship::Authentication => self.authentication.contains(id),
        }
    }

    /// Its services, in its order.
    pub fn services(&self) -> &[Service] {
        &self.services
    }

    /// The origins that it says are its holder's too (`LinkedDomains`), of which [`super::linkage`] is the proof.
    pub fn linked_origins(&self) -> impl Iterator<Item = Origin> {
        let linked =
            self.services.iter().filter(|service| service.types.iter().any(|name| name == "LinkedDomains"));
        linked.flat_map(|service| &service.endpoints).filter_map(|endpoint| endpoint.parse().ok())
    }

    /// Adds a verification method, or its name alone; yields its absolute id.
    fn add_method(&mut self, entry: &Value, property: &'static str) -> Result<String, DocumentError> {
        let refused = DocumentError::Malformed(property);
        let entry = entry.as_object().ok_or(refused.clone())?;
        let id = absolute(&self.id, entry.get("id").and_then(Value::as_str).ok_or(refused)?);
        let usable = method(&self.id, &id, entry);
        let known = match &usable {
            Some(method) => {
                self.methods.get(&id).is_none_or(|known| known == method) && !self.unusable.contains(&id)
            }
            None => !self.methods.contains_key(&id),
        };
        if !known {
            return Err(DocumentError::RepeatedMethod);
        }
        match usable {
            Some(method) => drop(self.methods.insert(id.clone(), method)),
            None => drop(self.unusable.insert(id.clone())),
        }
        if self.methods.len() + self.unusable.len() > VERIFICATION_METHODS_MAX {
            return Err(DocumentError::TooManyMethods);
        }
        Ok(id)
    }
}

/// The key that a JWK states, if it may be used to verify signatures with the algorithm that we use it with.
pub(super) fn key_of_jwk(jwk: &Map<String, Value>) -> Option<VerifyingKey> {
    let key = VerifyingKey::from_jwk(jwk).ok()?;
    let for_signatures = jwk.get("use").is_none_or(|usage| usage == "sig");
    let names = |alg: &Value| alg.as_str().and_then(Algorithm::from_name) == Some(key.algorithm());
    (for_signatures && jwk.get("alg").is_none_or(names)).then_some(key)
}

/// How a type of verification method states its key.
struct KeyType {
    name: &'static str,
    /// The properties that may hold it.
    properties: &'static [&'static str],
    /// The one kind of key that it is for; `None` for any.
    algorithm: Option<Algorithm>,
}

const MULTIBASE: &str = "publicKeyMultibase";
const JWK: &str = "publicKeyJwk";
const BASE58: &str = "publicKeyBase58";

const KEY_TYPES: &[KeyType] = &[
    KeyType { name: "Multikey", properties: &[MULTIBASE], algorithm: None },
    KeyType { name: "JsonWebKey", properties: &[JWK], algorithm: None },
    KeyType { name: "JsonWebKey2020", properties: &[JWK], algorithm: None },
    KeyType {
        name: "Ed25519VerificationKey2018",
        properties: &[BASE58, MULTIBASE, JWK],
        algorithm: Some(Algorithm::EdDsa),
    },
    KeyType {
        name: "Ed25519VerificationKey2020",
        properties: &[MULTIBASE, JWK],
        algorithm: Some(Algorithm::EdDsa),
    },
    KeyType {
        name: "EcdsaSecp256r1VerificationKey2019",
        properties: &[MULTIBASE, JWK],
        algorithm: Some(Algorithm::Es256),
    },
];

/// The verification method that `entry` is; `None` when we cannot use its key.
fn method(did: &Did, id: &str, entry: &Map<String, Value>) -> Option<Method> {
    let KeyStatement { key, expires, revoked } = KeyStatement::read(entry)?;
    // DID Core requires a controller; documents that lack one are common, and can mean their own DID only.
    let controller = entry.get("controller").map_or(Some(did.clone()), |c| c.as_str()?.parse().ok())?;
    Some(Method { id: id.to_owned(), controller, key, expires, revoked })
}

/// A key as a verification method states it, and until when it serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyStatement {
    pub key: VerifyingKey,
    pub expires: Option<Timestamp>,
    pub revoked: Option<Timestamp>,
}

impl KeyStatement {
    /// What `entry` states; `None` when we cannot use its key.
    pub fn read(entry: &Map<String, Value>) -> Option<Self> {
        let name = entry.get("type")?.as_str()?;
        let key_type = KEY_TYPES.iter().find(|key_type| key_type.name == name)?;
        // A key stated twice could be read as two keys.
        let mut stated = entry.iter().filter(|(property, _)| property.starts_with("publicKey"));
        let (property, value) = stated.next().filter(|(p, _)| key_type.properties.contains(&p.as_str()))?;
        if stated.next().is_some() {
            return None;
        }
        let key = match property.as_str() {
            JWK => key_of_jwk(value.as_object()?)?,
            MULTIBASE => VerifyingKey::from_multikey(value.as_str()?)?,
            _ => {
                let digits = value.as_str().filter(|digits| digits.len() <= MULTIKEY_BYTES_MAX)?;
                PublicKey::from_bytes(base58::decode(digits)?.try_into().ok()?).into()
            }
        };
        if key_type.algorithm.is_some_and(|algorithm| algorithm != key.algorithm()) {
            return None;
        }
        // A date that cannot be read may have passed.
        let date = |name| entry.get(name).map_or(Some(None), |date| date.as_str()?.parse().ok().map(Some));
        Some(KeyStatement { key, expires: date("expires")?, revoked: date("revoked")? })
    }

    /// The earlier of expiry and revocation.
    pub fn ends(&self) -> Option<Timestamp> {
        [self.expires, self.revoked].into_iter().flatten().min()
    }
}

fn service(did: &Did, entry: &Value) -> Result<Service, DocumentError> {
    let texts = |value: Option<&Value>| -> Vec<String> {
        items(value).iter().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let entry = entry.as_object().ok_or(DocumentError::Malformed("service"))?;
    let endpoint = entry.get("serviceEndpoint");
    Ok(Service {
        id: absolute(did, entry.get("id").and_then(Value::as_str).unwrap_or_default()),
        types: texts(entry.get("type")),
        endpoints: texts(endpoint.and_then(|endpoint| endpoint.get("origins")).or(endpoint)),
    })
}

/// `reference` as an absolute DID URL: one that begins with `#` is relative to the document (DID Core, section 3.2.2).
fn absolute(did: &Did, reference: &str) -> String {
    if reference.starts_with('#') { format!("{did}{reference}") } else { reference.to_owned() }
}
