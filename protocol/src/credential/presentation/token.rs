//! Presentations as tokens: `vp+jwt`, and SD-JWT VC with a key binding.

use serde_json::{Map, Value, json};

use super::{
    super::{
        Credential, Securing, Signer, Verifier,
        data_integrity::{Binding, ProofError},
        did_of, sd_jwt,
        securing::{SignatureError, token_key},
    },
    PresentationError, VerifiedPresentation, check_holder, check_structure, check_time, verify_credentials,
};
use crate::{
    jose::{
        Header, Jws,
        jwt::date,
        sd_jwt::{ExpectedBinding, KeyBindingError},
    },
    json::{self, items},
    key::Did,
    limits::{KEY_BINDING_AGE_MAX_MS, PRESENTATION_BYTES_MAX},
    time::Timestamp,
};

/// The media type of a presentation as a token.
const TYP: &str = "vp+jwt";

/// `document`, which is a presentation, as a token of `holder`.
pub(super) fn sign(
    mut document: Map<String, Value>,
    holder: &Signer,
    expected: &Binding<'_>,
    created: Timestamp,
) -> String {
    document.insert("iat".into(), json!(created.unix_ms() / 1000));
    for (claim, value) in [("nonce", expected.challenge), ("aud", expected.domain)] {
        if let Some(value) = value {
            document.insert(claim.into(), json!(value));
        }
    }
    let header = Header {
        typ: Some(TYP.into()),
        cty: Some("vp".into()),
        kid: Some(holder.method().to_owned()),
        ..Header::default()
    };
    Jws::sign(&header, Value::Object(document).to_string().as_bytes(), holder.key())
}

/// The token and the presentation in it.
pub(super) fn open(text: &str) -> Result<(Jws, Map<String, Value>), PresentationError> {
    if text.len() > PRESENTATION_BYTES_MAX {
        let too_long = json::JsonError::TooLong { actual: text.len(), max: PRESENTATION_BYTES_MAX };
        return Err(too_long.into());
    }
    let jws = Jws::parse(text)?;
    if jws.typ() != Some(TYP) {
        return Err(PresentationError::Malformed("the token's `typ` is not vp+jwt"));
    }
    let document = jws.claims()?;
    Ok((jws, document))
}

/// Verifies a `vp+jwt` and every credential in it.
pub(super) fn verify(
    text: &str,
    expected: &Binding<'_>,
    verifier: &Verifier<'_>,
) -> Result<VerifiedPresentation, PresentationError> {
    let (jws, document) = open(text)?;
    let named = check_structure(&document)?;
    let issuer = document.get("iss").and_then(did_of);
    let holder: Did = match (named, issuer) {
        (Some(named), None) => named,
        (None, Some(issuer)) => issuer,
        (Some(named), Some(issuer)) if named == issuer => named,
        (Some(_), Some(_)) => return Err(PresentationError::NotTheHolders),
        // Nobody is named: it is by whoever's key the header names.
        (None, None) => {
            let controller = jws.kid().and_then(|kid| crate::did::controller_of(kid).ok());
            controller.ok_or(SignatureError::KeyUnnamed)?
        }
    };
    let relationship = expected.purpose.relationship();
    let key = token_key(&jws, holder.as_str(), relationship, &verifier.known.documents)?;
    if key.controller.did() != Some(&holder) {
        return Err(PresentationError::NotTheHolders);
    }
    jws.verify(&key.key)?;
    if expected.challenge.is_some_and(|nonce| document.get("nonce") != Some(&json!(nonce))) {
        return Err(ProofError::WrongChallenge.into());
    }
    let audience = items(document.get("aud"));
    let names_only = |domain: &str| !audience.is_empty() && audience.iter().all(|aud| aud == domain);
    if expected.domain.is_some_and(|domain| !names_only(domain)) {
        return Err(ProofError::WrongDomain.into());
    }
    let [issued, from, until] = ["iat", "nbf", "exp"].map(|claim| date(&document, claim));
    let ends = until?.into_iter().chain(key.ends).min();
    check_time(issued?.max(from?), ends, verifier.now)?;
    Ok(VerifiedPresentation { credentials: verify_credentials(&document, &holder, verifier)?, holder })
}

/// The credential of an SD-JWT VC.
pub(super) fn key_bound(text: &str) -> Result<Credential, PresentationError> {
    sd_jwt::parse(text).map_err(|source| PresentationError::Credential { index: 0, source })
}

/// Verifies an SD-JWT VC and its key binding.
pub(super) fn verify_key_bound(
    text: &str,
    expected: &Binding<'_>,
    verifier: &Verifier<'_>,
) -> Result<VerifiedPresentation, PresentationError> {
    let credential = key_bound(text)?;
    let Securing::SdJwt(vc) = credential.securing() else {
        return Err(PresentationError::Malformed("not an SD-JWT VC"));
    };
    let token = vc.sd_jwt();
    let subject = credential.subject();
    let key = sd_jwt::holder_key(token, subject, &verifier.known.documents);
    let key = key.ok_or(PresentationError::KeyBinding(KeyBindingError::NotTheHoldersKey))?;
    let binding = ExpectedBinding {
        audience: expected.domain,
        nonce: expected.challenge,
        now: verifier.now,
        age_max_ms: KEY_BINDING_AGE_MAX_MS,
    };
    token.verify_key_binding(&key, &binding)?;
    // Who has the key that the issuer bound it to is whom it is about.
    let bound = sd_jwt::holder_of(token).ok().flatten();
    let holder = bound.filter(|_| subject.is_none()).or_else(|| subject.cloned());
    let holder = holder.ok_or(PresentationError::NotTheHolders)?;
    let mut checks = credential.verify(verifier);
    check_holder(&credential, &holder, &mut checks);
    Ok(VerifiedPresentation { holder, credentials: vec![(credential, checks)] })
}
