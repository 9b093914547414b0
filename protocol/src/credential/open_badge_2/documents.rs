//! The documents that an assertion refers to.
//!
//! Of an issuer only what a check needs is kept; its e-mail address, telephone number and image are not.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{AssertionError, Reference, has_type, id_of, items, object, shown, text_of};
use crate::{
    credential::{alignment::Alignment, url::Url},
    limits::{ALIGNMENTS_MAX, PROOFS_MAX},
    skill::SkillId,
};

/// A kind of badge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadgeClass {
    /// Its identifier, in most cases its address.
    pub id: String,
    /// What it is called, fit to be shown.
    pub name: String,
    /// What was achieved, as written.
    pub description: String,
    /// Where it says what has to be shown for it.
    pub criteria_url: Option<String>,
    /// What has to be shown for it, as written; empty when it says so elsewhere.
    pub criteria: String,
    /// Who awards it.
    pub issuer: Reference<Profile>,
    /// What it is about, the first [`ALIGNMENTS_MAX`].
    pub alignments: Vec<Alignment>,
    /// Words for it, fit to be shown, the first [`ALIGNMENTS_MAX`].
    pub tags: Vec<String>,
}

/// Who awards badges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its identifier, in most cases its address.
    pub id: String,
    /// What it calls itself, fit to be shown. Anyone may call itself anything.
    pub name: String,
    /// Its keys, the first [`PROOFS_MAX`].
    pub public_keys: Vec<Reference<PublicKey>>,
    /// Where its hosted assertions come from; where it is itself, when it says nothing.
    pub scope: Option<Scope>,
    /// Where it says which signed assertions it took back.
    pub revocation_list: Option<String>,
}

/// Where an issuer's hosted assertions come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// What their addresses begin with: one of these, anything when there is none.
    pub starts_with: Vec<String>,
    /// The hosts that serve them: one of these, the issuer's own when there is none.
    pub allowed_origins: Vec<String>,
}

/// A key as its owner publishes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// Its identifier.
    pub id: String,
    /// The identifier of the profile whose it is.
    pub owner: String,
    /// The key in PEM.
    pub pem: String,
}

/// Which signed assertions an issuer took back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationList {
    /// The list's own identifier, if it states one.
    pub id: Option<String>,
    /// Ids of assertions, with the reason, fit to be shown and perhaps empty.
    pub revoked: Vec<(String, String)>,
}

impl BadgeClass {
    /// Reads a badge class in JSON.
    ///
    /// # Errors
    /// [`AssertionError`] names the first rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, AssertionError> {
        Self::read(&object(text)?)
    }

    pub(super) fn read(document: &Map<String, Value>) -> Result<Self, AssertionError> {
        if !has_type(document, "BadgeClass") {
            return Err(AssertionError::Type("BadgeClass"));
        }
        let criteria = document.get("criteria");
        let narrative = criteria.and_then(|criteria| text_of(criteria.get("narrative")?));
        let issuer = document.get("issuer").ok_or(AssertionError::Property("issuer"))?;
        Ok(BadgeClass {
            id: required(document, "id")?.to_owned(),
            name: shown(required(document, "name")?),
            description: document.get("description").and_then(text_of).unwrap_or_default().to_owned(),
            criteria_url: criteria.and_then(id_of).map(str::to_owned),
            criteria: narrative.unwrap_or_default().to_owned(),
            issuer: Reference::read(issuer, "issuer", Profile::read)?,
            alignments: first(document, "alignment").filter_map(Alignment::read).collect(),
            tags: first(document, "tags").filter_map(text_of).map(shown).collect(),
        })
    }

    /// The skills that it is aligned to, each once, with the issuer's name for it.
    pub fn skills(&self) -> Vec<(SkillId, String)> {
        let mut seen = BTreeSet::new();
        let skills = self.alignments.iter().filter_map(|a| Some((a.skill()?, a.name.clone())));
        skills.filter(|(skill, _)| seen.insert(skill.clone())).collect()
    }

    /// Its texts with the names of their places, in which names of skills may be looked for.
    pub fn texts(&self) -> Vec<(&'static str, &str)> {
        let texts = [("name", &self.name), ("description", &self.description), ("criteria", &self.criteria)];
        let tags = self.tags.iter().map(|tag| ("tags", tag));
        texts.into_iter().chain(tags).map(|(place, text)| (place, text.as_str())).collect()
    }
}

impl Profile {
    /// Reads an issuer's profile in JSON.
    ///
    /// # Errors
    /// [`AssertionError`] names the first rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, AssertionError> {
        Self::read(&object(text)?)
    }

    pub(super) fn read(document: &Map<String, Value>) -> Result<Self, AssertionError> {
        if !has_type(document, "Issuer") && !has_type(document, "Profile") {
            return Err(AssertionError::Type("Issuer"));
        }
        let keys = items(document.get("publicKey")).iter().take(PROOFS_MAX);
        let keys = keys.map(|key| Reference::read(key, "publicKey", PublicKey::read));
        let scope = document.get("verification").and_then(Value::as_object);
        Ok(Profile {
            id: required(document, "id")?.to_owned(),
            name: document.get("name").and_then(text_of).map(shown).unwrap_or_default(),
            public_keys: keys.collect::<Result<_, _>>()?,
            scope: scope.map(Scope::read),
            revocation_list: document.get("revocationList").and_then(id_of).map(str::to_owned),
        })
    }

    /// Whether this issuer's hosted assertions come from where `assertion` does, of the badge class `badge`.
    ///
    /// A profile that does not have an address of the web itself allows nothing.
    pub fn allows(&self, assertion: &str, badge: &str) -> bool {
        let Some(own) = Url::split(&self.id) else { return false };
        let scope = self.scope.clone().unwrap_or_default();
        let begins = |prefix: &String| assertion.starts_with(prefix.as_str());
        let comes_from_here = |address: &str| Url::split(address).is_some_and(|url| url.host == own.host);
        let comes_from_there = |address: &str| {
            Url::split(address)
                .is_some_and(|url| scope.allowed_origins.iter().any(|o| is_origin(o, &url.host)))
        };
        let comes = if scope.allowed_origins.is_empty() {
            // A badge class without an address is part of the assertion.
            comes_from_here(assertion) && (Url::split(badge).is_none() || comes_from_here(badge))
        } else {
            comes_from_there(assertion)
        };
        comes && (scope.starts_with.is_empty() || scope.starts_with.iter().any(begins))
    }
}

impl Scope {
    fn read(stated: &Map<String, Value>) -> Self {
        let list = |property| first(stated, property).filter_map(text_of).map(str::to_owned).collect();
        Scope { starts_with: list("startsWith"), allowed_origins: list("allowedOrigins") }
    }
}

impl PublicKey {
    /// Reads a key in JSON.
    ///
    /// # Errors
    /// [`AssertionError`] names the first rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, AssertionError> {
        Self::read(&object(text)?)
    }

    pub(super) fn read(document: &Map<String, Value>) -> Result<Self, AssertionError> {
        let owner = document.get("owner").and_then(id_of).ok_or(AssertionError::Property("owner"))?;
        Ok(PublicKey {
            id: required(document, "id")?.to_owned(),
            owner: owner.to_owned(),
            pem: required(document, "publicKeyPem")?.to_owned(),
        })
    }
}

impl RevocationList {
    /// Reads a revocation list in JSON.
    ///
    /// # Errors
    /// [`AssertionError`] names the first rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, AssertionError> {
        let document = object(text)?;
        if !has_type(&document, "RevocationList") {
            return Err(AssertionError::Type("RevocationList"));
        }
        // An entry that cannot be read could be the one that is looked for.
        let read = |entry: &Value| {
            let id = id_of(entry).or_else(|| text_of(entry.get("uid")?));
            let reason = entry.get("revocationReason").and_then(text_of).unwrap_or_default();
            Some((id?.to_owned(), shown(reason)))
        };
        let revoked: Option<_> = items(document.get("revokedAssertions")).iter().map(read).collect();
        Ok(RevocationList {
            id: document.get("id").and_then(text_of).map(str::to_owned),
            revoked: revoked.ok_or(AssertionError::Property("revokedAssertions"))?,
        })
    }
}

/// Whether an origin, a host with or without its port, is this one.
fn is_origin(origin: &str, host: &str) -> bool {
    let origin = Url::split(origin).map_or_else(|| origin.to_ascii_lowercase(), |url| url.host);
    let without_port = host.split_once(':').map_or(host, |(name, _)| name);
    origin == host || origin == without_port
}

fn required<'a>(document: &'a Map<String, Value>, property: &'static str) -> Result<&'a str, AssertionError> {
    document.get(property).and_then(text_of).ok_or(AssertionError::Property(property))
}

/// The first of a property's values.
fn first<'a>(document: &'a Map<String, Value>, property: &str) -> impl Iterator<Item = &'a Value> {
    items(document.get(property)).iter().take(ALIGNMENTS_MAX)
}
