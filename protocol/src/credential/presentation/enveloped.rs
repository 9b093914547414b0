//! Envelopes: what is not JSON stands in a presentation as a `data:` URL (data model, section 4.12).

use serde_json::{Map, Value, json};

use super::{
    super::{CONTEXT_V2, Credential, CredentialError, Securing, is_token, vcdm::has_type},
    PresentationError,
};
use crate::{
    json::{self, items},
    limits::PRESENTATION_BYTES_MAX,
};

/// The type of a credential in an envelope, and of a presentation in one.
const CREDENTIAL: &str = "EnvelopedVerifiableCredential";
const PRESENTATION: &str = "EnvelopedVerifiablePresentation";

/// A credential as a member of `verifiableCredential`: the document, or an envelope around the token.
pub fn embed(credential: &Credential) -> Value {
    match credential.securing() {
        Securing::DataIntegrity => Value::Object(credential.document().clone()),
        token @ (Securing::Jwt(_) | Securing::SdJwt(_)) => {
            envelope(token.name(), credential.text(), CREDENTIAL)
        }
    }
}

/// A presentation's text as JSON: the document, or an envelope around the token.
///
/// # Errors
/// [`PresentationError`] when it is neither.
pub fn embed_text(text: &str) -> Result<Value, PresentationError> {
    if is_token(text) {
        return Ok(envelope("vp+jwt", text, PRESENTATION));
    }
    Ok(json::parse(text, PRESENTATION_BYTES_MAX)?)
}

/// The credential that a member of `verifiableCredential` is, or is the envelope of.
///
/// # Errors
/// [`CredentialError`] names the first structural rule that it breaks.
pub fn embedded(value: &Value) -> Result<Credential, CredentialError> {
    let Some(object) = value.as_object().filter(|object| has_type(object, CREDENTIAL)) else {
        return Credential::from_value(value.clone());
    };
    let content = content(object, &["vc+jwt", "dc+sd-jwt", "vc+sd-jwt"]);
    Credential::parse(content.ok_or(CredentialError::Envelope)?)
}

/// The token in the envelope of a presentation; `None` when it is in none.
pub(super) fn presentation(document: &Map<String, Value>) -> Result<Option<String>, PresentationError> {
    if !has_type(document, PRESENTATION) {
        return Ok(None);
    }
    const REFUSAL: PresentationError =
        PresentationError::Malformed("its envelope is no `data:` URL of the type application/vp+jwt");
    Ok(Some(content(document, &["vp+jwt"]).ok_or(REFUSAL)?.to_owned()))
}

fn envelope(media_type: &str, token: &str, name: &str) -> Value {
    json!({"@context": CONTEXT_V2, "id": format!("data:application/{media_type},{token}"), "type": name})
}

/// The content of an envelope whose media type is one of `types`, without its prefix `application/`.
fn content<'a>(object: &'a Map<String, Value>, types: &[&str]) -> Option<&'a str> {
    let names_the_context = items(object.get("@context")).iter().any(|context| context == CONTEXT_V2);
    let (media_type, content) =
        object.get("id")?.as_str()?.strip_prefix("data:application/")?.split_once(',')?;
    // A parameter would change how the content is read; none is needed for a token.
    (names_the_context && types.contains(&media_type) && content.starts_with("ey")).then_some(content)
}
