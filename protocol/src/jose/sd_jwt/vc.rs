//! SD-JWT VC (draft-ietf-oauth-sd-jwt-vc): a credential as an SD-JWT.
//!
//! It says what kind of credential it is (`vct`), and every verifier sees who issued it, when it holds, where its status
//! is found and whom it is bound to; what else it says can be withheld.
//!
//! Specification: `spec/sd_jwt.md`, "Credentials".

use rand_core::CryptoRng;
use serde_json::{Map, Value};

use super::{
    super::{Header, jwt},
    Issuance, SdJwt, SdJwtError,
};
use crate::{
    claim_path::{ClaimPath, Step},
    key::SigningKey,
    time::Timestamp,
};

/// The media type of a credential in this format.
const TYP: &str = "dc+sd-jwt";

/// Its media type until November 2024, which is still met. W3C's VC-JOSE-COSE uses it for credentials of another shape,
/// which have no `vct` and are refused for that.
const TYP_BEFORE: &str = "vc+sd-jwt";

/// The claims that cannot be withheld, nor can what is inside them ("Registered JWT Claims").
const ALWAYS_VISIBLE: [&str; 7] = ["iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "status"];

/// A credential in SD-JWT form that is structurally sound. Whether it is true, [`SdJwt::verify`] and the times say.
#[derive(Clone, Debug)]
pub struct SdJwtVc {
    inner: SdJwt,
    vct: String,
    issued: Option<Timestamp>,
    valid_from: Option<Timestamp>,
    valid_until: Option<Timestamp>,
}

impl SdJwtVc {
    /// Reads a credential, as issued or as presented.
    ///
    /// # Errors
    /// [`SdJwtError`] names the first rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, SdJwtError> {
        SdJwt::parse(text)?.try_into()
    }

    /// Signs a credential. `typ` is set; the rest of `header` is the caller's.
    ///
    /// # Errors
    /// As for [`Issuance::sign`], and where the credential would break a rule of the format.
    pub fn issue(
        issuance: Issuance,
        mut header: Header,
        key: &SigningKey,
        random: &mut impl CryptoRng,
    ) -> Result<Self, SdJwtError> {
        header.typ = Some(TYP.into());
        issuance.sign(&header, key, random)?.try_into()
    }

    /// The token: its signature, claims, disclosures and key binding.
    pub fn sd_jwt(&self) -> &SdJwt {
        &self.inner
    }

    /// What kind of credential it is.
    pub fn vct(&self) -> &str {
        &self.vct
    }

    /// Who is said to have issued it; `None` where the key's certificate says so.
    pub fn issuer(&self) -> Option<&str> {
        self.text_of("iss")
    }

    /// Whom it is about, if that is stated and shown. Whom it is bound to, [`SdJwt::holder_key`] says.
    pub fn subject(&self) -> Option<&str> {
        self.text_of("sub")
    }

    /// When it was issued, if that is stated and shown.
    pub fn issued(&self) -> Option<Timestamp> {
        self.issued
    }

    /// When it begins to hold.
    pub fn valid_from(&self) -> Option<Timestamp> {
        self.valid_from
    }

    /// When it ceases to hold.
    pub fn valid_until(&self) -> Option<Timestamp> {
        self.valid_until
    }

    /// Where its status is found.
    pub fn status(&self) -> Option<&Map<String, Value>> {
        self.inner.claims().get("status").and_then(Value::as_object)
    }

    fn text_of(&self, claim: &str) -> Option<&str> {
        self.inner.claims().get(claim).and_then(Value::as_str)
    }
}

impl TryFrom<SdJwt> for SdJwtVc {
    type Error = SdJwtError;

    fn try_from(inner: SdJwt) -> Result<Self, SdJwtError> {
        if !matches!(inner.token().typ(), Some(TYP | TYP_BEFORE)) {
            return Err(SdJwtError::Type);
        }
        if let Some(hidden) = inner.disclosures().iter().find(|disclosure| must_be_visible(disclosure.path()))
        {
            return Err(SdJwtError::MustBeVisible(hidden.path().clone()));
        }
        let claims = inner.claims();
        let vct = claims.get("vct").and_then(Value::as_str).filter(|vct| !vct.is_empty());
        let vct = vct.ok_or(SdJwtError::Claim("vct"))?.to_owned();
        for name in ["iss", "sub", "vct#integrity"] {
            if claims.get(name).is_some_and(|value| !value.is_string()) {
                return Err(SdJwtError::Claim(name));
            }
        }
        for name in ["status", "cnf"] {
            if claims.get(name).is_some_and(|value| !value.is_object()) {
                return Err(SdJwtError::Claim(name));
            }
        }
        let [issued, valid_from, valid_until] = ["iat", "nbf", "exp"].map(|name| jwt::date(claims, name));
        let (issued, valid_from, valid_until) = (issued?, valid_from?, valid_until?);
        Ok(SdJwtVc { vct, issued, valid_from, valid_until, inner })
    }
}

fn must_be_visible(path: &ClaimPath) -> bool {
    matches!(path.steps().first(), Some(Step::Member(name)) if ALWAYS_VISIBLE.contains(&name.as_str()))
}
