//! Key binding (RFC 9901 section 4.3): the holder's own token over what it shows, to whom, and when.

use serde_json::{Map, Value, json};

use super::{
    super::{Header, JoseError, Jws, jwt},
    Presentation, SdJwt,
};
use crate::{
    key::{SigningKey, VerifyingKey},
    limits::CLOCK_SKEW_MAX_MS,
    time::Timestamp,
};

/// The media type of a key binding.
const TYP: &str = "kb+jwt";

/// What a holder states in a key binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyBinding<'a> {
    /// The verifier, by the name it goes by in the protocol at hand.
    pub audience: &'a str,
    /// The verifier's nonce.
    pub nonce: &'a str,
    /// Now; written in whole seconds.
    pub issued: Timestamp,
}

/// What a key binding must state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpectedBinding<'a> {
    /// The verifier's own name. `None` accepts any: the presentation can be meant for another.
    pub audience: Option<&'a str>,
    /// The nonce that the verifier gave, used once. `None` accepts any: the presentation can be a replay.
    pub nonce: Option<&'a str>,
    /// Now.
    pub now: Timestamp,
    /// How long ago the binding may have been made, in milliseconds, beside what clocks may differ.
    pub age_max_ms: u64,
}

/// Why a presentation is not by its holder, to this verifier, now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyBindingError {
    /// There is no key binding.
    #[error("the presentation is not bound to its holder's key; ask for one with a key binding")]
    Missing,
    /// `typ` is not that of a key binding.
    #[error("the key binding's `typ` must be {TYP}")]
    Type,
    /// The claims are no object in strict JSON, or one is missing or of the wrong kind.
    #[error("the key binding: {0}")]
    Claims(JoseError),
    /// A claim is missing or of the wrong kind.
    #[error("the key binding's `{0}` is missing or malformed")]
    Claim(&'static str),
    /// The signature is not by the holder's key.
    #[error("the key binding was not signed with the holder's key: {0}")]
    BadSignature(JoseError),
    /// It is for another verifier.
    #[error("the key binding is for another verifier")]
    WrongAudience,
    /// It answers another nonce.
    #[error("the key binding answers another nonce")]
    WrongNonce,
    /// It was made too long ago, or has expired.
    #[error("the key binding is too old, made at {0}")]
    TooOld(Timestamp),
    /// It says that it was made, or holds, later than now, beyond what clocks may differ.
    #[error("the key binding is from the future, made at {0}; compare the clocks")]
    InFuture(Timestamp),
    /// It is over another token, or other disclosures.
    #[error("the key binding is over other disclosures")]
    WrongHash,
    /// The key that is to sign is not the one that the issuer holds for the holder's, or none is known.
    #[error("the key is not the one that the token is bound to")]
    NotTheHoldersKey,
}

impl KeyBindingError {
    /// The stable name of this refusal, as vectors state it.
    pub const fn code(&self) -> &'static str {
        match self {
            KeyBindingError::Missing => "kb-missing",
            KeyBindingError::Type => "kb-typ",
            KeyBindingError::Claims(_) | KeyBindingError::Claim(_) => "kb-claims",
            KeyBindingError::BadSignature(_) => "kb-bad-signature",
            KeyBindingError::WrongAudience => "kb-wrong-audience",
            KeyBindingError::WrongNonce => "kb-wrong-nonce",
            KeyBindingError::TooOld(_) => "kb-too-old",
            KeyBindingError::InFuture(_) => "kb-in-future",
            KeyBindingError::WrongHash => "kb-wrong-hash",
            KeyBindingError::NotTheHoldersKey => "kb-not-the-holders-key",
        }
    }
}

impl Presentation {
    /// The presentation with a key binding, as text to send.
    ///
    /// # Errors
    /// [`KeyBindingError::NotTheHoldersKey`] when the token is not bound to `key`, so that no verifier would accept it.
    pub fn bind(&self, binding: &KeyBinding<'_>, key: &SigningKey) -> Result<String, KeyBindingError> {
        if self.holder != Some(key.public()) {
            return Err(KeyBindingError::NotTheHoldersKey);
        }
        let header = Header { typ: Some(TYP.into()), ..Header::default() };
        let claims = json!({
            "iat": binding.issued.unix_ms() / 1000,
            "aud": binding.audience,
            "nonce": binding.nonce,
            "sd_hash": self.hash.digest(&self.text),
        });
        Ok(format!("{}{}", self.text, Jws::sign(&header, claims.to_string().as_bytes(), key)))
    }
}

impl SdJwt {
    /// Verifies that whoever has the key `holder`, which must be [`SdJwt::holder_key`] or known to be the holder's by
    /// other means, shows this token with these disclosures to this verifier now (RFC 9901 section 7.3, step 5). When it
    /// was made is returned.
    ///
    /// # Errors
    /// [`KeyBindingError`] names the first rule that the binding breaks.
    pub fn verify_key_binding(
        &self,
        holder: &VerifyingKey,
        expected: &ExpectedBinding<'_>,
    ) -> Result<Timestamp, KeyBindingError> {
        let binding = self.key_binding.as_ref().ok_or(KeyBindingError::Missing)?;
        if binding.typ() != Some(TYP) {
            return Err(KeyBindingError::Type);
        }
        binding.verify(holder).map_err(KeyBindingError::BadSignature)?;
        self.check_stated(binding, expected)
    }

    /// The same but for the signature, which is for the caller to verify.
    ///
    /// # Errors
    /// As for [`SdJwt::verify_key_binding`].
    pub fn check_key_binding(&self, expected: &ExpectedBinding<'_>) -> Result<Timestamp, KeyBindingError> {
        let binding = self.key_binding.as_ref().ok_or(KeyBindingError::Missing)?;
        if binding.typ() != Some(TYP) {
            return Err(KeyBindingError::Type);
        }
        self.check_stated(binding, expected)
    }

    /// The key binding's token, which must be signed with the holder's key.
    pub fn key_binding(&self) -> Option<&Jws> {
        self.key_binding.as_ref()
    }

    fn check_stated(
        &self,
        binding: &Jws,
        expected: &ExpectedBinding<'_>,
    ) -> Result<Timestamp, KeyBindingError> {
        let stated = Stated::read(&binding.claims().map_err(KeyBindingError::Claims)?)?;
        if expected.audience.is_some_and(|audience| audience != stated.audience) {
            return Err(KeyBindingError::WrongAudience);
        }
        if expected.nonce.is_some_and(|nonce| nonce != stated.nonce) {
            return Err(KeyBindingError::WrongNonce);
        }
        stated.check_time(expected)?;
        if stated.hash != self.hash.digest(self.unbound()) {
            return Err(KeyBindingError::WrongHash);
        }
        Ok(stated.issued)
    }
}

/// What a key binding states.
struct Stated {
    audience: String,
    nonce: String,
    hash: String,
    issued: Timestamp,
    not_before: Option<Timestamp>,
    expires: Option<Timestamp>,
}

impl Stated {
    fn read(claims: &Map<String, Value>) -> Result<Self, KeyBindingError> {
        let text = |name: &'static str| {
            let text = claims.get(name).and_then(Value::as_str).ok_or(KeyBindingError::Claim(name))?;
            Ok::<_, KeyBindingError>(text.to_owned())
        };
        let date = |name: &'static str| jwt::date(claims, name).map_err(KeyBindingError::Claims);
        Ok(Stated {
            audience: text("aud")?,
            nonce: text("nonce")?,
            hash: text("sd_hash")?,
            issued: date("iat")?.ok_or(KeyBindingError::Claim("iat"))?,
            not_before: date("nbf")?,
            expires: date("exp")?,
        })
    }

    fn check_time(&self, expected: &ExpectedBinding<'_>) -> Result<(), KeyBindingError> {
        let latest = expected.now.plus_ms(CLOCK_SKEW_MAX_MS);
        if self.issued > latest || self.not_before.is_some_and(|from| from > latest) {
            return Err(KeyBindingError::InFuture(self.issued));
        }
        let earliest = expected.now.minus_ms(CLOCK_SKEW_MAX_MS);
        if self.issued < earliest.minus_ms(expected.age_max_ms)
            || self.expires.is_some_and(|end| end <= earliest)
        {
            return Err(KeyBindingError::TooOld(self.issued));
        }
        Ok(())
    }
}
