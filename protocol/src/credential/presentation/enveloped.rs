//! Envelopes: what is not JSON stands in a presentation as a `data:` URL (data model, section 4.12).

use serde_json::{Map, Value, json};

use super::{
    super::{CONTEXT_V2, Credential, CredentialError, Securing, vcdm::has_type},
    PresentationError,
};
use crate::json::items;

/// The type of a credential in an envelope, and of a presentation in one.
const CREDENTIAL: &str = "EnvelopedVerifiableCredential";
const PRESENTATION: &str = "EnvelopedVerifiablePresentation";

/// A credential as a member of `verifiableCredential`.
pub(super) fn embed(credential: &Credential) -> Value {
    match credential.securing() {
        Securing::DataIntegrity => Value::Object(credential.document().clone()),
        token @ (Securing::Jwt(_) | Securing::SdJwt(_)) => json!({
            "@context": CONTEXT_V2,
            "id": format!("data:application/{},{}", token.name(), credential.text()),
            "type": CREDENTIAL,
        }),
    }
}

/// The credential that a member of `verifiableCredential` is, or is the envelope of.
pub(super) fn credential(value: &Value) -> Result<Credential, CredentialError> {
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

/// The content of an envelope whose media type is one of `types`, without its prefix `application/`.
fn content<'a>(object: &'a Map<String, Value>, types: &[&str]) -> Option<&'a str> {
    let names_the_context = items(object.get("@context")).iter().any(|context| context == CONTEXT_V2);
    let (media_type, content) =
        object.get("id")?.as_str()?.strip_prefix("data:application/")?.split_once(',')?;
    // A parameter would change how the content is read; none is needed for a token.
    (names_the_context && types.contains(&media_type) && content.starts_with("ey")).then_some(content)
}
