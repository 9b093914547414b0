//! Puts disclosures in the places of their digests (RFC 9901 section 7.1, steps 3 to 5).
//!
//! Bounds hold for the result: however disclosures nest, it is no deeper and no larger than strict JSON may be, so that
//! the recursion below is bounded too.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{super::decode, ALGORITHM, DIGEST, DIGESTS, Disclosure, HashAlgorithm, SdJwtError};
use crate::{
    claim_path::{ClaimPath, Step},
    json::{self, JsonError},
    limits::{JSON_DEPTH_MAX, JSON_VALUES_MAX, SD_JWT_BYTES_MAX},
};

/// What a token says with its disclosures.
pub(super) struct Processed {
    pub claims: Map<String, Value>,
    pub disclosures: Vec<Disclosure>,
    pub withheld: usize,
}

/// Puts `disclosures` in their places in `payload`.
pub(super) fn process(
    payload: Map<String, Value>,
    disclosures: &[&str],
    hash: HashAlgorithm,
) -> Result<Processed, SdJwtError> {
    let mut by_digest = BTreeMap::new();
    for (index, text) in disclosures.iter().enumerate() {
        let disclosed = Disclosed::parse(index, text)?;
        if by_digest.insert(hash.digest(text), disclosed).is_some() {
            return Err(SdJwtError::DisclosureRepeated(index));
        }
    }
    let mut walk = Walk {
        by_digest,
        seen: BTreeSet::new(),
        placed: vec![None; disclosures.len()],
        withheld: 0,
        values: 0,
        path: ClaimPath::default(),
        parents: Vec::new(),
    };
    let claims = walk.object(payload, 0)?;
    let placed = walk.placed.into_iter().zip(disclosures).enumerate();
    let disclosures = placed.map(|(index, (place, text))| {
        let (path, parent) = place.ok_or(SdJwtError::DisclosureUnreferenced(index))?;
        Ok(Disclosure { text: (*text).to_owned(), path, parent })
    });
    Ok(Processed {
        claims,
        disclosures: disclosures.collect::<Result<_, SdJwtError>>()?,
        withheld: walk.withheld,
    })
}

/// What a disclosure says, before it has a place.
struct Disclosed {
    index: usize,
    name: Option<String>,
    value: Value,
}

impl Disclosed {
    /// Reads `[salt, name, value]` or `[salt, value]` (sections 4.2.1 and 4.2.2).
    fn parse(index: usize, text: &str) -> Result<Self, SdJwtError> {
        let parts = decode(text).and_then(|bytes| {
            let json = String::from_utf8(bytes).ok()?;
            match json::parse(&json, SD_JWT_BYTES_MAX).ok()? {
                Value::Array(parts) => Some(parts),
                _ => None,
            }
        });
        let mut parts = parts.ok_or(SdJwtError::Disclosure(index))?.into_iter();
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(Value::String(_)), Some(Value::String(name)), Some(value), None) => {
                Ok(Disclosed { index, name: Some(name), value })
            }
            (Some(Value::String(_)), Some(value), None, None) => Ok(Disclosed { index, name: None, value }),
            _ => Err(SdJwtError::Disclosure(index)),
        }
    }
}

/// A walk through the payload, and through what is disclosed in it.
struct Walk {
    /// Disclosures without a place yet.
    by_digest: BTreeMap<String, Disclosed>,
    /// All digests met so far.
    seen: BTreeSet<String>,
    /// Path and parent of each disclosure that has its place.
    placed: Vec<Option<(ClaimPath, Option<usize>)>>,
    withheld: usize,
    values: usize,
    /// Where the walk is.
    path: ClaimPath,
    /// The disclosures that led there.
    parents: Vec<usize>,
}

impl Walk {
    fn value(&mut self, value: Value, depth: usize) -> Result<Value, SdJwtError> {
        match value {
            Value::Object(members) => self.object(members, depth).map(Value::Object),
            Value::Array(items) => self.array(items, depth).map(Value::Array),
            plain => {
                self.count()?;
                Ok(plain)
            }
        }
    }

    fn object(
        &mut self,
        members: Map<String, Value>,
        depth: usize,
    ) -> Result<Map<String, Value>, SdJwtError> {
        self.enter(depth)?;
        let mut digests = Vec::new();
        let mut out = Map::new();
        for (name, value) in members {
            match name.as_str() {
                DIGESTS => digests = self.digests(value)?,
                ALGORITHM if depth == 0 => {}
                _ => {
                    let value = self.member(&name, |walk| walk.value(value, depth + 1))?;
                    out.insert(name, value);
                }
            }
        }
        for digest in digests {
            let Some(Disclosed { index, name, value }) = self.disclosed(digest)? else { continue };
            let name = name.ok_or(SdJwtError::DisclosureMisplaced(index))?;
            let value = self.member(&name, |walk| {
                if out.contains_key(&name) {
                    return Err(SdJwtError::ClaimRepeated(walk.path.clone()));
                }
                walk.place(index, value, depth + 1)
            })?;
            out.insert(name, value);
        }
        Ok(out)
    }

    fn array(&mut self, items: Vec<Value>, depth: usize) -> Result<Vec<Value>, SdJwtError> {
        self.enter(depth)?;
        let mut out = Vec::new();
        for item in items {
            self.path.push(Step::Element(out.len()));
            match item {
                Value::Object(members) if members.contains_key(DIGEST) => {
                    let digest = members.get(DIGEST).and_then(Value::as_str).filter(|_| members.len() == 1);
                    let digest = digest.ok_or_else(|| SdJwtError::Digests(self.path.clone()))?.to_owned();
                    if let Some(Disclosed { index, name, value }) = self.disclosed(digest)? {
                        if name.is_some() {
                            return Err(SdJwtError::DisclosureMisplaced(index));
                        }
                        out.push(self.place(index, value, depth + 1)?);
                    }
                }
                item => out.push(self.value(item, depth + 1)?),
            }
            self.path.pop();
        }
        Ok(out)
    }

    /// Does `inside` at the member `name`, which must have a name for a claim.
    fn member(
        &mut self,
        name: &str,
        inside: impl FnOnce(&mut Self) -> Result<Value, SdJwtError>,
    ) -> Result<Value, SdJwtError> {
        self.path.push(Step::Member(name.to_owned()));
        if [DIGESTS, DIGEST, ALGORITHM].contains(&name) {
            return Err(SdJwtError::ReservedName(self.path.clone()));
        }
        let value = inside(self)?;
        self.path.pop();
        Ok(value)
    }

    /// Puts the value of the disclosure `index` where the walk is.
    fn place(&mut self, index: usize, value: Value, depth: usize) -> Result<Value, SdJwtError> {
        self.placed[index] = Some((self.path.clone(), self.parents.last().copied()));
        self.parents.push(index);
        let value = self.value(value, depth)?;
        self.parents.pop();
        Ok(value)
    }

    /// The disclosure that `digest` stands for, if it is there.
    fn disclosed(&mut self, digest: String) -> Result<Option<Disclosed>, SdJwtError> {
        let disclosed = self.by_digest.remove(&digest);
        if !self.seen.insert(digest) {
            return Err(SdJwtError::DigestRepeated);
        }
        self.withheld += usize::from(disclosed.is_none());
        Ok(disclosed)
    }

    fn digests(&self, value: Value) -> Result<Vec<String>, SdJwtError> {
        let refuse = || SdJwtError::Digests(self.path.clone());
        let Value::Array(items) = value else { return Err(refuse()) };
        let digests = items.into_iter().map(|item| match item {
            Value::String(digest) => Ok(digest),
            _ => Err(refuse()),
        });
        digests.collect()
    }

    fn enter(&mut self, depth: usize) -> Result<(), SdJwtError> {
        self.count()?;
        if depth == JSON_DEPTH_MAX { Err(JsonError::TooDeep.into()) } else { Ok(()) }
    }

    fn count(&mut self) -> Result<(), SdJwtError> {
        self.values += 1;
        if self.values > JSON_VALUES_MAX { Err(JsonError::TooManyValues.into()) } else { Ok(()) }
    }
}
