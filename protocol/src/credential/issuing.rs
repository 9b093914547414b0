//! Issuing: a document becomes a credential in one of the forms that are signed here.
//!
//! What a verifier of ours would refuse is not signed: the result is read back before it is given out.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    Credential, CredentialError, Signer,
    data_integrity::{
        self, Binding, ProofError, ProofOptions, Suite,
        suites::{ECDSA_JCS_2019, ECDSA_RDFC_2019, EDDSA_JCS_2022, EDDSA_RDFC_2022},
    },
    url_of,
};
use crate::{
    jose::{Header, Jws},
    key::{Algorithm, Did},
    time::Timestamp,
};

/// A form in which credentials are issued.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Format {
    /// Data Integrity over canonical JSON; `ecdsa-jcs-2019` with a P-256 key.
    #[serde(rename = "eddsa-jcs-2022")]
    #[default]
    Jcs,
    /// Data Integrity over canonical RDF, which Open Badges certification asks for; `ecdsa-rdfc-2019` with a P-256 key.
    #[serde(rename = "eddsa-rdfc-2022")]
    Rdfc,
    /// A `vc+jwt`.
    #[serde(rename = "vc-jwt")]
    VcJwt,
    /// An SD-JWT VC (`dc+sd-jwt`).
    #[serde(rename = "sd-jwt")]
    SdJwt,
}

impl Format {
    /// Every form, our default first.
    pub const ALL: [Format; 4] = [Format::Jcs, Format::Rdfc, Format::VcJwt, Format::SdJwt];

    /// Its name on the command line: the cryptosuite's for an Ed25519 key, or the token's.
    pub const fn name(self) -> &'static str {
        match self {
            Format::Jcs => "eddsa-jcs-2022",
            Format::Rdfc => "eddsa-rdfc-2022",
            Format::VcJwt => "vc-jwt",
            Format::SdJwt => "sd-jwt",
        }
    }

    /// What a credential in this form is secured by when a key for `algorithm` signs it: the cryptosuite's name, or the token's.
    pub const fn name_with(self, algorithm: Algorithm) -> &'static str {
        match (self, algorithm) {
            (Format::Jcs, Algorithm::Es256) => "ecdsa-jcs-2019",
            (Format::Rdfc, Algorithm::Es256) => "ecdsa-rdfc-2019",
            _ => self.name(),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Not the name of a [`Format`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a format is one of eddsa-jcs-2022, eddsa-rdfc-2022, vc-jwt, sd-jwt")]
pub struct NotAFormat;

impl FromStr for Format {
    type Err = NotAFormat;

    fn from_str(name: &str) -> Result<Self, NotAFormat> {
        Format::ALL.into_iter().find(|format| format.name() == name).ok_or(NotAFormat)
    }
}

/// Why a credential cannot be issued so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssuanceError {
    /// The key is not the named issuer's.
    #[error("the signing key is not that of the issuer {0}")]
    NotTheIssuersKey(String),
    /// A verifier would not read all the skills.
    #[error("more than {} skills; issue several credentials", crate::limits::ALIGNMENTS_MAX)]
    TooManySkills,
    /// A verifier would refuse the result, because a text or a date is not as it must be.
    #[error("{0}")]
    Credential(#[from] CredentialError),
    /// The suite cannot sign it.
    #[error("{0}")]
    Proof(#[from] ProofError),
    /// A document of the data model has no form as an SD-JWT VC, whose claims are its own.
    #[error("a document of the data model cannot be issued as an SD-JWT VC")]
    NotAnSdJwt,
}

/// `document`, signed by its issuer at `created`.
///
/// # Errors
/// [`IssuanceError`] when `signer` is not the issuer that it names, or a verifier would refuse the result.
pub fn sign(
    document: Map<String, Value>,
    format: Format,
    signer: &Signer,
    created: Timestamp,
) -> Result<Credential, IssuanceError> {
    let issuer = document.get("issuer").and_then(url_of).unwrap_or_default();
    if issuer.parse::<Did>().ok().as_ref() != Some(signer.controller()) {
        return Err(IssuanceError::NotTheIssuersKey(crate::text::shown(issuer)));
    }
    // Structure first: what it lacks is a clearer reason than what a suite makes of it.
    super::vcdm::check_issued(&document)?;
    match format {
        Format::Jcs | Format::Rdfc => {
            let options = ProofOptions::new(Binding::ASSERTION, created);
            let signed = data_integrity::sign(document, suite(format, signer), signer, &options)?;
            Ok(Credential::parse(&Value::Object(signed).to_string())?)
        }
        Format::VcJwt => {
            let header = Header {
                typ: Some("vc+jwt".into()),
                cty: Some("vc".into()),
                kid: Some(signer.method().to_owned()),
                ..Header::default()
            };
            let payload = Value::Object(document).to_string();
            Ok(Credential::parse(&Jws::sign(&header, payload.as_bytes(), signer.key()))?)
        }
        Format::SdJwt => Err(IssuanceError::NotAnSdJwt),
    }
}

/// Checks a document that somebody wants to be signed, before it is: its structure, and that it means all that it says
/// ([`super::meaning`]).
///
/// # Errors
/// [`IssuanceError`] names the first thing that is wrong.
pub fn check(document: &Map<String, Value>) -> Result<(), IssuanceError> {
    super::vcdm::check_issued(document)?;
    super::meaning::check(document).map_err(|e| IssuanceError::Proof(e.into()))
}

/// Puts `issuer` in the place of whomever `document` names as its issuer, leaving what is said of the issuer besides.
pub fn name_issuer(document: &mut Map<String, Value>, issuer: &Did) {
    match document.get_mut("issuer") {
        Some(Value::Object(named)) => drop(named.insert("id".into(), json!(issuer))),
        _ => drop(document.insert("issuer".into(), json!(issuer))),
    }
}

/// Adds the context that defines our proofs to a document of the data model 1.1, whose own context is older than they are.
pub fn define_proofs(document: &mut Map<String, Value>) {
    const DATA_INTEGRITY: &str = "https://w3id.org/security/data-integrity/v2";
    if let Some(Value::Array(contexts)) = document.get_mut("@context")
        && contexts.first().is_some_and(|first| first == super::vcdm::CONTEXT_V1)
        && !contexts.iter().any(|context| context == DATA_INTEGRITY)
    {
        contexts.push(json!(DATA_INTEGRITY));
    }
}

/// The cryptosuite of a form for the signer's kind of key.
pub fn suite(format: Format, signer: &Signer) -> &'static Suite {
    match (format, signer.key().public().algorithm()) {
        (Format::Rdfc, Algorithm::Es256) => &ECDSA_RDFC_2019,
        (Format::Rdfc, _) => &EDDSA_RDFC_2022,
        (_, Algorithm::Es256) => &ECDSA_JCS_2019,
        (..) => &EDDSA_JCS_2022,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::key::SecretKey;

    fn document(members: Value) -> Map<String, Value> {
        let mut document = json!({
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "type": ["VerifiableCredential"],
            "issuer": "did:example:other",
            "credentialSubject": {"id": "did:example:ada", "name": "Ada"},
        });
        let members = members.as_object().unwrap().clone();
        document.as_object_mut().unwrap().extend(members);
        document.as_object().unwrap().clone()
    }

    #[test]
    fn a_document_is_checked_before_it_is_signed() {
        assert_eq!(check(&document(json!({}))), Ok(()));
        for (members, code) in [
            (json!({"validFrom": "2026-01-01T00:00:00"}), "date"),
            (json!({"issuer": "other"}), "issuer"),
            (json!({"credentialSubject": {"undefined": 1}}), "rdf-undefined-term"),
            (json!({"type": ["VerifiableCredential", "Undefined"]}), "rdf-not-an-iri"),
            (
                json!({"@context": ["https://www.w3.org/ns/credentials/v2", "https://a.example/"]}),
                "rdf-unknown-context",
            ),
        ] {
            let found = match check(&document(members)) {
                Err(IssuanceError::Credential(e)) => e.code(),
                Err(IssuanceError::Proof(e)) => e.code(),
                other => panic!("{other:?}"),
            };
            assert_eq!(found, code);
        }
    }

    #[test]
    fn the_issuer_is_named_in_anothers_place() {
        let did = SecretKey::from_seed([7; 32]).did();
        let mut plain = document(json!({}));
        name_issuer(&mut plain, &did);
        assert_eq!(plain["issuer"], json!(did));
        let mut described = document(json!({"issuer": {"id": "did:example:other", "name": "A"}}));
        name_issuer(&mut described, &did);
        assert_eq!(described["issuer"], json!({"id": did, "name": "A"}));
    }

    #[test]
    fn a_document_of_the_data_model_1_1_is_signed_with_the_context_of_its_proof() {
        const V1: &str = "https://www.w3.org/2018/credentials/v1";
        let key = SecretKey::from_seed([7; 32]);
        let now = Timestamp::from_unix_ms(1_790_000_000_000);
        for format in [Format::Jcs, Format::Rdfc] {
            let mut old = document(json!({
                "@context": [V1],
                "issuer": key.did(),
                "issuanceDate": "2026-01-01T00:00:00Z",
                "credentialSubject": {"id": "did:example:ada"},
            }));
            for _ in 0..2 {
                define_proofs(&mut old);
                assert_eq!(old["@context"], json!([V1, "https://w3id.org/security/data-integrity/v2"]));
            }
            let signed = sign(old, format, &(&key).into(), now).unwrap();
            let trust = crate::credential::TrustList::default();
            let checks = signed.verify(&crate::credential::Verifier::new(now, &trust));
            assert_eq!(checks.untampered, crate::credential::Check::Pass, "{format}: {checks:?}");
        }
        let mut new = document(json!({}));
        define_proofs(&mut new);
        assert_eq!(new, document(json!({})));
    }
}
