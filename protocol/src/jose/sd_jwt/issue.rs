//! Issuing: claims become digests and disclosures (RFC 9901 section 4.2).

use std::collections::BTreeSet;

use rand_core::CryptoRng;
use serde_json::{Map, Value, json};

use super::{
    super::{Header, Jws, encode},
    ALGORITHM, DIGEST, DIGESTS, HashAlgorithm, SdJwt, SdJwtError,
};
use crate::{
    claim_path::{ClaimPath, Step},
    json::JsonError,
    key::{SigningKey, VerifyingKey},
    limits::{JSON_DEPTH_MAX, SD_JWT_DISCLOSURES_MAX},
};

/// Random bytes of a salt, and of what a decoy is the digest of (section 9.3: 128 bits at least).
const SALT_BYTES: usize = 16;

/// What an issuer is to state, and what of it its holder may withhold.
#[derive(Clone, Debug, Default)]
pub struct Issuance {
    /// The claims.
    pub claims: Map<String, Value>,
    /// Which of them can be withheld, at any depth, each by itself: what is inside such a claim can be withheld from it.
    pub disclosable: BTreeSet<ClaimPath>,
    /// The holder's key, which becomes the claim `cnf`.
    pub holder: Option<VerifyingKey>,
    /// Decoys fill the digests of each object and each array that has any up to a multiple of this number, so that they tell
    /// less of how many claims or elements it has. 0 and 1 add none.
    pub digests_multiple: usize,
    /// The hash function of the digests.
    pub hash: HashAlgorithm,
}

impl Issuance {
    /// Signs the token, with all its disclosures. Salts and decoys are drawn from `random`.
    ///
    /// # Errors
    /// [`SdJwtError`] when a claim to be withheld is not there, a name is reserved or given twice, or the token exceeds a
    /// bound, so that no verifier would read it.
    pub fn sign(
        self,
        header: &Header,
        key: &SigningKey,
        random: &mut impl CryptoRng,
    ) -> Result<SdJwt, SdJwtError> {
        let mut hiding = Hiding {
            disclosable: self.disclosable,
            digests_multiple: self.digests_multiple.max(1),
            hash: self.hash,
            random,
            path: ClaimPath::default(),
            disclosures: Vec::new(),
            decoys: 0,
        };
        let mut payload = hiding.object(self.claims, 0)?;
        if let Some(path) = hiding.disclosable.pop_first() {
            return Err(SdJwtError::NoSuchClaim(path));
        }
        if let Some(holder) = self.holder {
            let confirmation = json!({"jwk": holder.to_jwk()});
            if payload.insert("cnf".into(), confirmation).is_some() {
                return Err(SdJwtError::ClaimRepeated(ClaimPath::default().member("cnf")));
            }
        }
        if !hiding.disclosures.is_empty() {
            payload.insert(ALGORITHM.into(), json!(self.hash.name()));
        }
        let mut text = Jws::sign(header, Value::Object(payload).to_string().as_bytes(), key);
        text.push('~');
        for disclosure in &hiding.disclosures {
            text.push_str(disclosure);
            text.push('~');
        }
        SdJwt::parse_issued(&text)
    }
}

/// A walk through the claims that replaces those to be withheld, innermost first.
struct Hiding<'r, R> {
    /// Claims to be withheld that were not met yet.
    disclosable: BTreeSet<ClaimPath>,
    digests_multiple: usize,
    hash: HashAlgorithm,
    random: &'r mut R,
    /// Where the walk is.
    path: ClaimPath,
    disclosures: Vec<String>,
    decoys: usize,
}

impl<R: CryptoRng> Hiding<'_, R> {
    fn value(&mut self, value: Value, depth: usize) -> Result<Value, SdJwtError> {
        match value {
            Value::Object(members) => self.object(members, depth).map(Value::Object),
            Value::Array(items) => self.array(items, depth).map(Value::Array),
            plain => Ok(plain),
        }
    }

    fn object(
        &mut self,
        members: Map<String, Value>,
        depth: usize,
    ) -> Result<Map<String, Value>, SdJwtError> {
        check_depth(depth)?;
        let mut out = Map::new();
        let mut digests = Vec::new();
        for (name, value) in members {
            self.path.push(Step::Member(name.clone()));
            if [DIGESTS, DIGEST, ALGORITHM].contains(&name.as_str()) {
                return Err(SdJwtError::ReservedName(self.path.clone()));
            }
            let value = self.value(value, depth + 1)?;
            if self.disclosable.remove(&self.path) {
                digests.push(self.disclose(Some(name), value)?);
            } else {
                out.insert(name, value);
            }
            self.path.pop();
        }
        if !digests.is_empty() {
            while digests.len() % self.digests_multiple != 0 {
                digests.push(self.decoy()?);
            }
            // Digests are as good as random, so that their order tells nothing of the claims' (section 4.2.4.1).
            digests.sort_unstable();
            out.insert(DIGESTS.into(), json!(digests));
        }
        Ok(out)
    }

    fn array(&mut self, items: Vec<Value>, depth: usize) -> Result<Vec<Value>, SdJwtError> {
        check_depth(depth)?;
        let mut out = Vec::with_capacity(items.len());
        let mut digests = 0usize;
        for (index, item) in items.into_iter().enumerate() {
            self.path.push(Step::Element(index));
            let item = self.value(item, depth + 1)?;
            out.push(if self.disclosable.remove(&self.path) {
                digests += 1;
                json!({DIGEST: self.disclose(None, item)?})
            } else {
                item
            });
            self.path.pop();
        }
        while !digests.is_multiple_of(self.digests_multiple) {
            digests += 1;
            // At the end: wallets name elements by their places, and some of them count decoys. What the place of an element
            // that is shown tells is that those before it are none.
            out.push(json!({DIGEST: self.decoy()?}));
        }
        Ok(out)
    }

    /// Keeps the disclosure of a member, or of an element, which has no name; its digest is returned.
    fn disclose(&mut self, name: Option<String>, value: Value) -> Result<String, SdJwtError> {
        if self.disclosures.len() == SD_JWT_DISCLOSURES_MAX {
            return Err(SdJwtError::TooManyDisclosures);
        }
        let salt = self.salt();
        let content = match name {
            Some(name) => json!([salt, name, value]),
            None => json!([salt, value]),
        };
        let disclosure = encode(content.to_string());
        let digest = self.hash.digest(&disclosure);
        self.disclosures.push(disclosure);
        Ok(digest)
    }

    /// The digest of nothing that anybody knows. There are never more of them than could be disclosures.
    fn decoy(&mut self) -> Result<String, SdJwtError> {
        self.decoys += 1;
        if self.decoys > SD_JWT_DISCLOSURES_MAX {
            return Err(SdJwtError::TooManyDisclosures);
        }
        let secret = self.salt();
        Ok(self.hash.digest(&secret))
    }

    fn salt(&mut self) -> String {
        let mut bytes = [0; SALT_BYTES];
        self.random.fill_bytes(&mut bytes);
        encode(bytes)
    }
}

fn check_depth(depth: usize) -> Result<(), SdJwtError> {
    if depth == JSON_DEPTH_MAX { Err(JsonError::TooDeep.into()) } else { Ok(()) }
}
