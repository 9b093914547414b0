//! Comprehensive learner records: credentials that hold credentials.
//!
//! A record is a verifiable credential itself, by which its publisher vouches for the collection. What it
//! holds was issued by others or by the publisher, each credential with a proof of its own; they are taken out
//! here to be checked one by one. Associations say how the achievements belong together, and prove nothing.
//!
//! Source: 1EdTech Comprehensive Learner Record 2.0, classes ClrCredential, ClrSubject and Association; W3C
//! Verifiable Credentials Data Model 2.0, section 4.13 (enveloped credentials). Specification:
//! `spec/import.md`, "Comprehensive learner records".

use serde_json::{Map, Value};

use crate::limits::{
    CLR_ASSOCIATIONS_MAX, CLR_CREDENTIALS_MAX, CREDENTIAL_BYTES_MAX, DID_BYTES_MAX, IMPORT_BYTES_MAX,
};
use crate::{
    json::{self, JsonError, items},
    text::shown,
};

/// What a learner record holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LearnerRecord {
    /// The credentials, in their order, at most [`CLR_CREDENTIALS_MAX`]. One may be a record again.
    pub credentials: Vec<HeldCredential>,
    /// How many more it holds that are neither an object nor a JWT, are too long, or come after that many.
    pub unread: usize,
    /// How their achievements belong together, at most [`CLR_ASSOCIATIONS_MAX`].
    pub associations: Vec<Association>,
}

/// A credential in a learner record, of at most [`CREDENTIAL_BYTES_MAX`] bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeldCredential {
    /// In JSON, canonical.
    Json(String),
    /// As a compact JWT, or an SD-JWT with its disclosures.
    Jwt(String),
}

/// That one achievement belongs to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Association {
    /// How, such as `isChildOf`; fit to be shown.
    pub kind: String,
    /// The achievement that belongs.
    pub source: String,
    /// The achievement that it belongs to.
    pub target: String,
}

/// Why a text is no learner record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClrError {
    /// Not JSON, or JSON that readers could read differently.
    #[error("not a learner record: {0}")]
    Json(#[from] JsonError),
    /// JSON of another kind.
    #[error("not a comprehensive learner record: `type` must name ClrCredential")]
    OtherType,
}

impl ClrError {
    /// The stable name of this refusal.
    pub const fn code(&self) -> &'static str {
        match self {
            ClrError::Json(e) => e.code(),
            ClrError::OtherType => "not-a-clr",
        }
    }
}

impl LearnerRecord {
    /// Whether a credential is meant to be a learner record.
    pub fn is_meant(credential: &Map<String, Value>) -> bool {
        items(credential.get("type")).iter().any(|named| named == "ClrCredential")
    }

    /// Reads a record in JSON, of at most [`IMPORT_BYTES_MAX`] bytes.
    ///
    /// # Errors
    /// [`ClrError`] when the text is not JSON, or JSON of another kind.
    pub fn parse(text: &str) -> Result<Self, ClrError> {
        match json::parse(text, IMPORT_BYTES_MAX)? {
            Value::Object(credential) => Self::of(&credential),
            _ => Err(ClrError::OtherType),
        }
    }

    /// What a record holds that was read as a credential already, or that a JWT held.
    ///
    /// # Errors
    /// [`ClrError::OtherType`] when the credential is no record.
    pub fn of(credential: &Map<String, Value>) -> Result<Self, ClrError> {
        if !Self::is_meant(credential) {
            return Err(ClrError::OtherType);
        }
        let subjects = || items(credential.get("credentialSubject")).iter();
        let held: Vec<&Value> = subjects().flat_map(|s| items(s.get("verifiableCredential"))).collect();
        let readable = held.iter().filter_map(|value| HeldCredential::read(value));
        let credentials: Vec<_> = readable.take(CLR_CREDENTIALS_MAX).collect();
        let associations = subjects().flat_map(|s| items(s.get("association"))).filter_map(Association::read);
        Ok(LearnerRecord {
            unread: held.len() - credentials.len(),
            associations: associations.take(CLR_ASSOCIATIONS_MAX).collect(),
            credentials,
        })
    }
}

impl HeldCredential {
    fn read(value: &Value) -> Option<Self> {
        let held = match value {
            Value::String(jwt) => HeldCredential::Jwt(jwt.clone()),
            Value::Object(object) => match enveloped(object) {
                Some(jwt) => HeldCredential::Jwt(jwt.to_owned()),
                None => HeldCredential::Json(json::canonical(value)),
            },
            _ => return None,
        };
        let is_one = match &held {
            HeldCredential::Json(_) => true,
            HeldCredential::Jwt(jwt) => {
                let of_jwt = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
                jwt.matches('.').count() >= 2 && jwt.bytes().all(of_jwt)
            }
        };
        (is_one && held.text().len() <= CREDENTIAL_BYTES_MAX).then_some(held)
    }

    /// The credential as a text that can be imported by itself.
    pub fn text(&self) -> &str {
        match self {
            HeldCredential::Json(text) | HeldCredential::Jwt(text) => text,
        }
    }
}

/// The JWT in an enveloped credential, which is the data of its `id`.
fn enveloped(object: &Map<String, Value>) -> Option<&str> {
    let is_envelope = items(object.get("type")).iter().any(|named| named == "EnvelopedVerifiableCredential");
    let (media_type, jwt) = object.get("id").filter(|_| is_envelope)?.as_str()?.split_once(',')?;
    ["data:application/vc+jwt", "data:application/vc+sd-jwt", "data:application/vc-ld+jwt"]
        .iter()
        .any(|known| media_type.split(';').next() == Some(known))
        .then_some(jwt)
}

impl Association {
    fn read(value: &Value) -> Option<Self> {
        let text = |name| value.get(name).and_then(Value::as_str);
        let id =
            |name| text(name).filter(|id| !id.is_empty() && id.len() <= DID_BYTES_MAX).map(str::to_owned);
        Some(Association {
            kind: shown(text("associationType")?),
            source: id("sourceId")?,
            target: id("targetId")?,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const JWT: &str = "eyJhbGciOiJFZERTQSJ9.eyJpc3MiOiJhIn0.c2ln";

    fn record(held: Value, associations: Value) -> Value {
        json!({
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "type": ["VerifiableCredential", "ClrCredential"],
            "credentialSubject": {
                "type": ["ClrSubject"], "verifiableCredential": held, "association": associations,
            },
        })
    }

    fn read(held: Value, associations: Value) -> LearnerRecord {
        LearnerRecord::parse(&record(held, associations).to_string()).unwrap()
    }

    #[test]
    fn the_credentials_of_a_record_come_out() {
        let envelope = |media_type: &str| json!({"type": "EnvelopedVerifiableCredential", "id": format!("data:{media_type},{JWT}")});
        let inner = json!({"type": ["VerifiableCredential"], "b": 1.0, "a": "x"});
        let held = json!([
            inner, JWT, envelope("application/vc+jwt"), format!("{JWT}~WyJhIl0~"), 7, "not a jwt",
            {"c": "a".repeat(CREDENTIAL_BYTES_MAX)},
        ]);
        let record = read(held, json!([]));
        let canonical = json::canonical(&inner);
        let texts: Vec<&str> = record.credentials.iter().map(HeldCredential::text).collect();
        assert_eq!(texts, [canonical.as_str(), JWT, JWT, &format!("{JWT}~WyJhIl0~")]);
        assert_eq!(record.unread, 3);
        let unknown = envelope("text/plain");
        assert_eq!(
            read(unknown.clone(), json!(null)).credentials,
            [HeldCredential::Json(json::canonical(&unknown))]
        );
        assert_eq!(read(json!(null), json!(null)).credentials, []);
    }

    #[test]
    fn associations_are_read() {
        let one = json!({"associationType": "isChildOf", "sourceId": "urn:a", "targetId": "urn:b"});
        let broken = json!({"associationType": "isChildOf", "sourceId": "urn:a"});
        let expected =
            Association { kind: "isChildOf".into(), source: "urn:a".into(), target: "urn:b".into() };
        assert_eq!(read(json!([]), json!([one, broken, 7])).associations, [expected]);
    }

    #[test]
    fn other_documents_are_none() {
        for text in ["[]", "{}", r#"{"type": "VerifiableCredential"}"#] {
            assert_eq!(LearnerRecord::parse(text).unwrap_err().code(), "not-a-clr");
        }
        assert_eq!(LearnerRecord::parse("{").unwrap_err().code(), "json-syntax");
        let long = " ".repeat(IMPORT_BYTES_MAX + 1);
        assert_eq!(LearnerRecord::parse(&long).unwrap_err().code(), "too-long");
    }

    #[test]
    fn what_comes_out_is_bounded() {
        let one = json!({"associationType": "x", "sourceId": "urn:a", "targetId": "urn:b"});
        let record = read(json!(vec![JWT; 1000]), json!(vec![one; 2000]));
        assert_eq!(
            (record.credentials.len(), record.unread),
            (CLR_CREDENTIALS_MAX, 1000 - CLR_CREDENTIALS_MAX)
        );
        assert_eq!(record.associations.len(), CLR_ASSOCIATIONS_MAX);
    }

    proptest! {
        #[test]
        fn any_record_is_read(texts in prop::collection::vec(".{0,30}|[a-zA-Z0-9_.~-]{0,30}", 0..6), swap in any::<bool>()) {
            let held: Vec<Value> = texts.iter().map(|text| match text.len() % 3 {
                0 => json!(text),
                1 => json!({"type": "EnvelopedVerifiableCredential", "id": text}),
                _ => json!({text.clone(): text}),
            }).collect();
            let (held, associations) = if swap { (json!(texts), json!(held)) } else { (json!(held), json!(texts)) };
            let record = read(held, associations);
            prop_assert_eq!(record.credentials.len() + record.unread, texts.len());
            let _ = LearnerRecord::parse(&texts.concat());
        }
    }
}
