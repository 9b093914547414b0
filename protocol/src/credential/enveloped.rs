//! Enveloped credentials and presentations: an object whose `id` is a `data:` URL with a token in it, so that tokens have a
//! place where JSON is expected.
//!
//! Nothing but the token counts: what the object says besides is not signed.
//!
//! Source: W3C Verifiable Credentials Data Model 2.0, sections 4.13.1 and 4.13.2.

use serde_json::{Map, Value, json};

use super::vcdm::{CONTEXT_V2, has_type};
use crate::json::items;

/// An envelope: the type of the object, and the media types of the tokens in it.
pub(super) struct Envelope {
    name: &'static str,
    media_types: &'static [&'static str],
}

/// Around a credential. The names with `ld` are those of drafts.
pub(super) const CREDENTIAL: Envelope = Envelope {
    name: "EnvelopedVerifiableCredential",
    media_types: &[
        "application/vc+jwt",
        "application/vc-ld+jwt",
        "application/dc+sd-jwt",
        "application/vc+sd-jwt",
        "application/vc-ld+sd-jwt",
    ],
};

/// Around a presentation.
pub(super) const PRESENTATION: Envelope = Envelope {
    name: "EnvelopedVerifiablePresentation",
    media_types: &["application/vp+jwt", "application/vp-ld+jwt", "application/vp+sd-jwt"],
};

/// An object of an envelope's type that carries no token which is read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Empty;

impl Envelope {
    /// The token in `document`; `None` when it is of another type.
    pub(super) fn token<'a>(&self, document: &'a Map<String, Value>) -> Result<Option<&'a str>, Empty> {
        if !has_type(document, self.name) {
            return Ok(None);
        }
        if !items(document.get("@context")).iter().any(|context| context == CONTEXT_V2) {
            return Err(Empty);
        }
        let url = document.get("id").and_then(Value::as_str).ok_or(Empty)?;
        // RFC 2397: a token needs neither base64 nor escapes.
        let (media_type, token) =
            url.strip_prefix("data:").and_then(|data| data.split_once(',')).ok_or(Empty)?;
        let is_read = self.media_types.iter().any(|known| known.eq_ignore_ascii_case(media_type));
        if is_read && !token.is_empty() { Ok(Some(token)) } else { Err(Empty) }
    }
}

/// The object around the token of a credential, of one of the media types that are read.
pub fn credential(media_type: &str, token: &str) -> Value {
    json!({
        "@context": [CONTEXT_V2],
        "id": format!("data:{media_type},{token}"),
        "type": [CREDENTIAL.name],
    })
}

/// The object around the token of a presentation.
pub fn presentation(media_type: &str, token: &str) -> Value {
    json!({
        "@context": [CONTEXT_V2],
        "id": format!("data:{media_type},{token}"),
        "type": [PRESENTATION.name],
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn token(value: &Value) -> Result<Option<&str>, Empty> {
        CREDENTIAL.token(value.as_object().unwrap())
    }

    #[test]
    fn a_token_is_found_in_its_envelope_alone() {
        assert_eq!(token(&credential("application/vc+jwt", "ey.a.b")), Ok(Some("ey.a.b")));
        assert_eq!(token(&credential("application/DC+SD-JWT", "ey.a.b~")), Ok(Some("ey.a.b~")));
        assert_eq!(
            token(&json!({"type": "VerifiableCredential", "id": "data:application/vc+jwt,ey"})),
            Ok(None)
        );
        assert_eq!(PRESENTATION.token(credential("application/vc+jwt", "ey").as_object().unwrap()), Ok(None));
    }

    #[test]
    fn an_envelope_without_a_token_is_refused() {
        for media_type in ["", "application/vc+cose", "application/vc+jwt;base64", "text/plain"] {
            assert_eq!(token(&credential(media_type, "ey.a.b")), Err(Empty), "{media_type}");
        }
        assert_eq!(token(&credential("application/vc+jwt", "")), Err(Empty));
        let whole = credential("application/vc+jwt", "ey.a.b");
        for (name, value) in [("@context", json!([])), ("id", json!("https://a.example/")), ("id", json!(7))]
        {
            let mut changed = whole.clone();
            changed[name] = value;
            assert_eq!(token(&changed), Err(Empty), "{changed}");
        }
    }
}
