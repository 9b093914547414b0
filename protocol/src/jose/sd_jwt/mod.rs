//! SD-JWT (RFC 9901): a signed token whose holder decides, claim by claim, what a verifier sees.
//!
//! The issuer signs digests in place of claims and hands the claims over as *disclosures*: `token~disclosure~...~`. The
//! holder passes on the disclosures it chooses ([`SdJwt::select`]) and, where the verifier must know who shows them,
//! appends a *key binding*, a token of its own over them, the verifier's name and its nonce ([`Presentation::bind`]).
//!
//! A text becomes an [`SdJwt`] when every disclosure has its place, once, and no claim could be read in two ways. That says
//! nothing about its truth: [`SdJwt::verify`] says who signed, [`SdJwt::verify_key_binding`] who shows it to whom and when.
//! [`vc`] is the profile for credentials.
//!
//! Invariants: what a token yields satisfies the bounds of strict JSON, however its disclosures nest; digests without
//! disclosures, be they decoys or claims withheld, leave no trace but their number.
//!
//! Specification: `spec/sd_jwt.md`.

pub mod vc;

mod issue;
mod key_binding;
mod present;
mod process;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod vectors;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256, Sha384, Sha512};

pub use self::{
    issue::Issuance,
    key_binding::{ExpectedBinding, KeyBinding, KeyBindingError},
    present::Presentation,
};
use super::{JoseError, Jws, encode};
use crate::{
    claim_path::ClaimPath,
    json::JsonError,
    key::{JwkError, VerifyingKey},
    limits::{SD_JWT_BYTES_MAX, SD_JWT_DISCLOSURES_MAX},
};

/// The algorithm of the digests.
const ALGORITHM: &str = "_sd_alg";
/// The digests of an object's members.
const DIGESTS: &str = "_sd";
/// The digest of an array's element.
const DIGEST: &str = "...";

/// A token with selectively disclosable claims that is structurally sound. Whether it is true, [`SdJwt::verify`] says.
#[derive(Clone, Debug)]
pub struct SdJwt {
    text: String,
    /// Bytes of `text` up to the last `~`, which a key binding is over.
    unbound_bytes: usize,
    token: Jws,
    hash: HashAlgorithm,
    disclosures: Vec<Disclosure>,
    claims: Map<String, Value>,
    withheld: usize,
    key_binding: Option<Jws>,
}

/// A claim that is disclosed, and can be withheld.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disclosure {
    text: String,
    path: ClaimPath,
    parent: Option<usize>,
}

/// The hash function of digests (RFC 9901 section 4.1.1), by its name in IANA's registry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HashAlgorithm {
    /// `sha-256`, which holds where none is named.
    #[default]
    Sha256,
    /// `sha-384`.
    Sha384,
    /// `sha-512`.
    Sha512,
}

/// Why a text is no token with selectively disclosable claims, or none can be issued.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SdJwtError {
    /// Longer than [`SD_JWT_BYTES_MAX`].
    #[error("{actual} bytes, more than the {SD_JWT_BYTES_MAX} allowed")]
    TooLong {
        /// Bytes received.
        actual: usize,
    },
    /// Not a token and disclosures, each followed by `~`.
    #[error("not a token with disclosures: `~` must follow the token and each disclosure")]
    Form,
    /// More disclosures than [`SD_JWT_DISCLOSURES_MAX`].
    #[error("more than {SD_JWT_DISCLOSURES_MAX} disclosures")]
    TooManyDisclosures,
    /// The issuer's token, or the key binding, is none.
    #[error(transparent)]
    Jose(#[from] JoseError),
    /// With all disclosures in their places, the claims are deeper or more than strict JSON may be.
    #[error("the disclosed claims: {0}")]
    Json(#[from] JsonError),
    /// `_sd_alg` is no hash function that is supported.
    #[error("the digests' algorithm (`_sd_alg`) is not supported (sha-256, sha-384 and sha-512 are)")]
    HashAlgorithm,
    /// A disclosure is not base64url of a list of salt, perhaps name, and value.
    #[error("disclosure {} is malformed", .0 + 1)]
    Disclosure(usize),
    /// A disclosure is there twice.
    #[error("disclosure {} is repeated", .0 + 1)]
    DisclosureRepeated(usize),
    /// The issuer signed nothing that a disclosure belongs to.
    #[error("disclosure {} belongs to nothing that the issuer signed", .0 + 1)]
    DisclosureUnreferenced(usize),
    /// A disclosure with a name belongs into an array, or one without into an object.
    #[error("disclosure {} is of a member but belongs into an array, or the other way round", .0 + 1)]
    DisclosureMisplaced(usize),
    /// A digest is there twice, so that what it stands for would have two places.
    #[error("a digest is repeated")]
    DigestRepeated,
    /// `_sd` is no list of texts, or `...` not the only member, with a text, of an array's element.
    #[error("the digests in `{0}` are malformed")]
    Digests(ClaimPath),
    /// A claim is called `_sd`, `_sd_alg` or `...`.
    #[error("`{0}` has a name that is reserved for digests")]
    ReservedName(ClaimPath),
    /// A disclosed claim would replace another.
    #[error("the claim `{0}` is there twice")]
    ClaimRepeated(ClaimPath),
    /// The holder's key (`cnf`) is none, or given in another form than as a JWK.
    #[error("the holder's key (`cnf`) is missing, or not a JWK of a supported kind")]
    HolderKey(Option<JwkError>),
    /// A holder was sent a token with a key binding, which only holders make.
    #[error("a token as issued must not carry a key binding; this one was presented to somebody")]
    BoundAlready,
    /// What is to be selectively disclosable is not among the claims.
    #[error("there is no claim `{0}` to be made selectively disclosable")]
    NoSuchClaim(ClaimPath),
    /// For credentials: `typ` is not that of one.
    #[error("`typ` must be dc+sd-jwt")]
    Type,
    /// For credentials: a claim is missing or of the wrong kind.
    #[error("the claim `{0}` is missing or malformed")]
    Claim(&'static str),
    /// For credentials: a claim that every verifier must see can be withheld.
    #[error("the claim `{0}` must not be selectively disclosable")]
    MustBeVisible(ClaimPath),
}

impl SdJwtError {
    /// The stable name of this refusal, as vectors state it.
    pub const fn code(&self) -> &'static str {
        match self {
            SdJwtError::TooLong { .. } => "too-long",
            SdJwtError::Form => "sd-jwt-form",
            SdJwtError::TooManyDisclosures => "too-many-disclosures",
            SdJwtError::Jose(e) => e.code(),
            SdJwtError::Json(e) => e.code(),
            SdJwtError::HashAlgorithm => "sd-alg-unsupported",
            SdJwtError::Disclosure(_) => "disclosure-malformed",
            SdJwtError::DisclosureRepeated(_) => "disclosure-repeated",
            SdJwtError::DisclosureUnreferenced(_) => "disclosure-unreferenced",
            SdJwtError::DisclosureMisplaced(_) => "disclosure-misplaced",
            SdJwtError::DigestRepeated => "digest-repeated",
            SdJwtError::Digests(_) => "digests-malformed",
            SdJwtError::ReservedName(_) => "reserved-name",
            SdJwtError::ClaimRepeated(_) => "claim-repeated",
            SdJwtError::HolderKey(_) => "holder-key",
            SdJwtError::BoundAlready => "kb-unexpected",
            SdJwtError::NoSuchClaim(_) => "no-such-claim",
            SdJwtError::Type => "vc-typ",
            SdJwtError::Claim(_) => "vc-claim",
            SdJwtError::MustBeVisible(_) => "vc-claim-hidden",
        }
    }
}

impl SdJwt {
    /// Reads a token of at most [`SD_JWT_BYTES_MAX`] bytes, and puts its disclosures in their places (RFC 9901 section
    /// 7.1, steps 1 and 3 to 5).
    ///
    /// # Errors
    /// [`SdJwtError`] names the first rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, SdJwtError> {
        if text.len() > SD_JWT_BYTES_MAX {
            return Err(SdJwtError::TooLong { actual: text.len() });
        }
        let (unbound, binding) = text.rsplit_once('~').ok_or(SdJwtError::Form)?;
        let mut parts = unbound.split('~');
        let token = Jws::parse(parts.next().ok_or(SdJwtError::Form)?)?;
        let disclosures: Vec<&str> = parts.collect();
        if disclosures.len() > SD_JWT_DISCLOSURES_MAX {
            return Err(SdJwtError::TooManyDisclosures);
        }
        let claims = token.claims()?;
        let hash = HashAlgorithm::of(&claims)?;
        let processed = process::process(claims, &disclosures, hash)?;
        let key_binding = if binding.is_empty() { None } else { Some(Jws::parse(binding)?) };
        Ok(SdJwt {
            text: text.to_owned(),
            unbound_bytes: unbound.len() + 1,
            token,
            hash,
            disclosures: processed.disclosures,
            claims: processed.claims,
            withheld: processed.withheld,
            key_binding,
        })
    }

    /// Reads a token as its issuer hands it to its holder (section 7.2).
    ///
    /// # Errors
    /// As for [`SdJwt::parse`]; [`SdJwtError::BoundAlready`] when it carries a key binding.
    pub fn parse_issued(text: &str) -> Result<Self, SdJwtError> {
        let issued = Self::parse(text)?;
        if issued.key_binding.is_some() { Err(SdJwtError::BoundAlready) } else { Ok(issued) }
    }

    /// Verifies that the holder of `key` signed the token, and thereby every claim in it. Who that is, whether the claims
    /// hold now and who shows them is not said.
    ///
    /// # Errors
    /// As for [`Jws::verify`].
    pub fn verify(&self, key: &VerifyingKey) -> Result<(), JoseError> {
        self.token.verify(key)
    }

    /// The text as it came.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The issuer's token.
    pub fn token(&self) -> &Jws {
        &self.token
    }

    /// The claims, disclosed ones in their places: the "processed payload", without anything about digests.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// The disclosures, in the order in which they came.
    pub fn disclosures(&self) -> &[Disclosure] {
        &self.disclosures
    }

    /// How many digests have no disclosure: claims that are withheld, and decoys.
    pub fn withheld(&self) -> usize {
        self.withheld
    }

    /// Whether there is a key binding. Whether it holds, [`SdJwt::verify_key_binding`] says.
    pub fn is_bound(&self) -> bool {
        self.key_binding.is_some()
    }

    /// The key of whom the issuer holds for the holder (`cnf.jwk`, RFC 7800 section 3.2); `None` when it names nobody.
    ///
    /// # Errors
    /// [`SdJwtError::HolderKey`] when it names somebody in a form that is not supported.
    pub fn holder_key(&self) -> Result<Option<VerifyingKey>, SdJwtError> {
        let Some(confirmation) = self.claims.get("cnf") else { return Ok(None) };
        let jwk = confirmation.get("jwk").and_then(Value::as_object).ok_or(SdJwtError::HolderKey(None))?;
        VerifyingKey::from_jwk(jwk).map(Some).map_err(|e| SdJwtError::HolderKey(Some(e)))
    }

    /// The token and the disclosures, without a key binding.
    fn unbound(&self) -> &str {
        &self.text[..self.unbound_bytes]
    }
}

impl Disclosure {
    /// The disclosure itself: salt, perhaps name, and value in base64url.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where the claim that it discloses stands among the claims.
    pub fn path(&self) -> &ClaimPath {
        &self.path
    }

    /// Which disclosure must be shown so that this one has a place, by its index; `None` when it always has.
    pub fn parent(&self) -> Option<usize> {
        self.parent
    }
}

impl HashAlgorithm {
    /// The value of `_sd_alg`.
    pub const fn name(self) -> &'static str {
        match self {
            HashAlgorithm::Sha256 => "sha-256",
            HashAlgorithm::Sha384 => "sha-384",
            HashAlgorithm::Sha512 => "sha-512",
        }
    }

    fn of(claims: &Map<String, Value>) -> Result<Self, SdJwtError> {
        const ALL: [HashAlgorithm; 3] = [HashAlgorithm::Sha256, HashAlgorithm::Sha384, HashAlgorithm::Sha512];
        match claims.get(ALGORITHM) {
            None => Ok(HashAlgorithm::default()),
            Some(name) => ALL.into_iter().find(|hash| hash.name() == name).ok_or(SdJwtError::HashAlgorithm),
        }
    }

    /// The hash of `text`, which is ASCII, in base64url (section 4.2.3).
    fn digest(self, text: &str) -> String {
        match self {
            HashAlgorithm::Sha256 => encode(Sha256::digest(text)),
            HashAlgorithm::Sha384 => encode(Sha384::digest(text)),
            HashAlgorithm::Sha512 => encode(Sha512::digest(text)),
        }
    }
}
