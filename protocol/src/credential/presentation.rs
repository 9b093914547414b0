//! Presentations: a holder shows credentials to one verifier, now.
//!
//! A presentation is a W3C Verifiable Presentation with an `eddsa-jcs-2022` proof for authentication over
//! the verifier's challenge and domain. It proves that the key of `holder` answered this challenge; each
//! credential inside is verified on its own, and holds for the holder only when it is its subject.
//!
//! Sources: W3C Verifiable Credentials Data Model 2.0, section 4.13; Verifiable Credential Data Integrity
//! 1.0, section 4.4. Specification: `spec/credential.md`, "Presentations".

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{
    CONTEXT_V2, Check, CheckName, Checks, Credential, CredentialError, Format, Need, Signer, Verifier,
    data_integrity::{self, Binding, ProofError, ProofOptions, Purpose, suites::EDDSA_JCS_2022},
    did_of, enveloped,
    issuing::suite,
    vcdm::{check_context, check_id, check_types, has_type},
};
use crate::{
    did,
    json::{self, JsonError, items},
    key::Did,
    limits::{CLOCK_SKEW_MAX_MS, NEEDS_MAX, PRESENTATION_BYTES_MAX, PRESENTED_CREDENTIALS_MAX},
    time::Timestamp,
};

/// What a presentation must answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected<'a> {
    /// The challenge that the verifier gave, used once.
    pub challenge: &'a str,
    /// The verifier's own name: for an inquiry, the seeker's DID.
    pub domain: &'a str,
}

/// A presentation whose holder answered the challenge; only [`verify`] makes one. What it shows may still
/// have failed its checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedPresentation {
    holder: Did,
    credentials: Vec<(Credential, Checks)>,
}

impl VerifiedPresentation {
    /// Whose key signed.
    pub fn holder(&self) -> &Did {
        &self.holder
    }

    /// The credentials in the order in which they were presented, each with its checks.
    pub fn credentials(&self) -> &[(Credential, Checks)] {
        &self.credentials
    }

    /// The credentials and their checks, to keep.
    pub fn into_credentials(self) -> Vec<(Credential, Checks)> {
        self.credentials
    }
}

/// Why a text is no presentation to this verifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PresentationError {
    /// Not JSON, or too much of it.
    #[error("not a presentation: {0}")]
    Json(#[from] JsonError),
    /// JSON that is no presentation.
    #[error("not a presentation: {0}")]
    Malformed(&'static str),
    /// More credentials than [`PRESENTED_CREDENTIALS_MAX`].
    #[error("more than {PRESENTED_CREDENTIALS_MAX} credentials in one presentation")]
    TooManyCredentials,
    /// The proof does not hold: another challenge, domain or purpose, or a bad signature.
    #[error("the presentation does not verify: {0}")]
    Proof(#[from] ProofError),
    /// No proof is by the holder that it names; or it names none, and several signed.
    #[error("the presentation was not signed by the holder that it names")]
    NotTheHolders,
    /// The proof says that it was made later than now, beyond what clocks may differ.
    #[error("the presentation claims to be made in the future, at {0}; compare the clocks")]
    CreatedInFuture(Timestamp),
    /// The proof says that it has ended.
    #[error("the presentation's proof expired at {0}")]
    ProofExpired(Timestamp),
    /// A credential inside is none.
    #[error("its credential {index} (from 0): {source}")]
    Credential {
        /// Its place in the presentation, from 0.
        index: usize,
        /// What is wrong with it.
        source: CredentialError,
    },
}

impl PresentationError {
    /// The stable name of this refusal, as vectors state it.
    pub const fn code(&self) -> &'static str {
        match self {
            PresentationError::Json(e) => e.code(),
            PresentationError::Malformed(_) => "malformed",
            PresentationError::TooManyCredentials => "too-many-credentials",
            PresentationError::Proof(e) => e.code(),
            PresentationError::NotTheHolders => "proof-not-the-holders",
            PresentationError::CreatedInFuture(_) => "created-in-future",
            PresentationError::ProofExpired(_) => "proof-expired",
            PresentationError::Credential { source, .. } => source.code(),
        }
    }
}

/// A presentation of `credentials`, unchanged and in this order, signed by `holder` for the verifier that
/// gave `expected`. The text is canonical JSON.
///
/// # Errors
/// [`PresentationError`] when a verifier would refuse it for its size: too many credentials, bytes or values.
pub fn sign(
    holder: &Signer,
    credentials: &[&Credential],
    expected: &Expected<'_>,
    created: Timestamp,
) -> Result<String, PresentationError> {
    if credentials.len() > PRESENTED_CREDENTIALS_MAX {
        return Err(PresentationError::TooManyCredentials);
    }
    let shown: Vec<Value> = credentials.iter().map(|c| Value::Object(c.document().clone())).collect();
    let mut document = Map::new();
    document.insert("@context".into(), json!([CONTEXT_V2]));
    document.insert("type".into(), json!(["VerifiablePresentation"]));
    document.insert("holder".into(), json!(holder.controller()));
    document.insert("verifiableCredential".into(), Value::Array(shown));
    let options = ProofOptions::new(binding(expected), created);
    let signed = data_integrity::sign(document, &EDDSA_JCS_2022, holder, &options)?;
    let text = json::canonical(&Value::Object(signed));
    json::parse(&text, PRESENTATION_BYTES_MAX)?;
    Ok(text)
}

/// `document` as a presentation by `holder`, signed in `format` as `binding` says. What `document` does not state of what every
/// presentation has to (`holder`) is added; the credentials in it are not looked at.
///
/// # Errors
/// [`PresentationError`] when it is no presentation, is signed already, or names another holder.
pub fn sign_document(
    mut document: Map<String, Value>,
    format: Format,
    holder: &Signer,
    binding: &Binding<'_>,
    created: Timestamp,
) -> Result<String, PresentationError> {
    if document.contains_key("proof") {
        return Err(PresentationError::Malformed("it is signed already"));
    }
    if check_structure(&document)?.is_some_and(|named| named != *holder.controller()) {
        return Err(PresentationError::NotTheHolders);
    }
    document.entry("holder").or_insert_with(|| json!(holder.controller()));
    let options = ProofOptions::new(*binding, created);
    let signed = data_integrity::sign(document, suite(format, holder), holder, &options)?;
    let text = Value::Object(signed).to_string();
    json::parse(&text, PRESENTATION_BYTES_MAX)?;
    Ok(text)
}

/// Verifies a presentation and every credential in it.
///
/// # Errors
/// [`PresentationError`] names the first failure of the presentation itself. A credential that fails its
/// checks is returned with them; one that is none fails the presentation.
pub fn verify(
    text: &str,
    expected: &Expected<'_>,
    verifier: &Verifier<'_>,
) -> Result<VerifiedPresentation, PresentationError> {
    verify_bound(text, &binding(expected), verifier)
}

/// The same for a verifier that need not have given a challenge, so that what it sees may have been shown before.
///
/// # Errors
/// Those of [`verify`]. A presentation without a proof is none, whatever the credentials in it are.
pub fn verify_bound(
    text: &str,
    binding: &Binding<'_>,
    verifier: &Verifier<'_>,
) -> Result<VerifiedPresentation, PresentationError> {
    let Value::Object(document) = json::parse(text, PRESENTATION_BYTES_MAX)? else {
        return Err(PresentationError::Malformed("a JSON object is expected"));
    };
    if !matches!(enveloped::PRESENTATION.token(&document), Ok(None)) {
        return Err(PresentationError::Malformed("presentations in envelopes are not read"));
    }
    let named = check_structure(&document)?;
    let holder = check_proofs(&document, named, binding, verifier)?;
    let credentials = items(document.get("verifiableCredential")).iter().enumerate();
    let credentials = credentials.map(|(index, value)| {
        let credential = Credential::from_value(value.clone())
            .map_err(|source| PresentationError::Credential { index, source })?;
        let mut checks = credential.verify(verifier);
        check_holder(&credential, &holder, &mut checks);
        Ok((credential, checks))
    });
    Ok(VerifiedPresentation { credentials: credentials.collect::<Result<_, PresentationError>>()?, holder })
}

/// What a verification of `text` lacks and could be fetched, for its proofs and its credentials: nothing when it is no
/// presentation. At most [`NEEDS_MAX`].
pub fn needs(text: &str, verifier: &Verifier<'_>) -> Vec<Need> {
    let Ok(Value::Object(document)) = json::parse(text, PRESENTATION_BYTES_MAX) else { return Vec::new() };
    let mut needs: BTreeSet<Need> = data_integrity::verification_methods(&document)
        .filter_map(|method| did::controller_of(method).ok())
        .filter(|did| did.method() == "web" && verifier.known.documents.get(did).is_none())
        .map(Need::Document)
        .collect();
    for value in items(document.get("verifiableCredential")).iter().take(PRESENTED_CREDENTIALS_MAX) {
        if let Ok(credential) = Credential::from_value(value.clone()) {
            needs.extend(credential.needs(verifier));
        }
    }
    needs.into_iter().take(NEEDS_MAX).collect()
}

fn binding<'a>(expected: &Expected<'a>) -> Binding<'a> {
    Binding {
        purpose: Purpose::Authentication,
        challenge: Some(expected.challenge),
        domain: Some(expected.domain),
    }
}

/// The holder that the presentation names, if it names one.
fn check_structure(document: &Map<String, Value>) -> Result<Option<Did>, PresentationError> {
    check_context(document).map_err(|_| PresentationError::Malformed("`@context` does not begin with v2"))?;
    if check_types(document).is_err() || !has_type(document, "VerifiablePresentation") {
        return Err(PresentationError::Malformed("`type` does not name VerifiablePresentation"));
    }
    check_id(document).map_err(|_| PresentationError::Malformed("`id` is not a URL"))?;
    let credentials = items(document.get("verifiableCredential"));
    if credentials.len() > PRESENTED_CREDENTIALS_MAX {
        return Err(PresentationError::TooManyCredentials);
    }
    if !credentials.iter().all(Value::is_object) {
        return Err(PresentationError::Malformed("`verifiableCredential` does not consist of objects"));
    }
    match document.get("holder") {
        None => Ok(None),
        Some(holder) => did_of(holder).map(Some).ok_or(PresentationError::Malformed("`holder` is not a DID")),
    }
}

/// Whose key signed: the holder that is named, else the only one who did.
fn check_proofs(
    document: &Map<String, Value>,
    named: Option<Did>,
    binding: &Binding<'_>,
    verifier: &Verifier<'_>,
) -> Result<Did, PresentationError> {
    let now = verifier.now;
    let proofs = data_integrity::verify(document, binding, &verifier.known.documents)?;
    let mut signers = proofs.verified.iter().map(|proof| &proof.controller);
    let holder = match named {
        Some(named) => signers.any(|signer| *signer == named).then_some(named),
        None => signers.next().filter(|first| signers.all(|other| other == *first)).cloned(),
    };
    let Some(holder) = holder else {
        let unchecked = proofs.not_checked.into_iter().next();
        return Err(unchecked.map_or(PresentationError::NotTheHolders, PresentationError::Proof));
    };
    for proof in &proofs.verified {
        if let Some(created) = proof.created.filter(|created| *created > now.plus_ms(CLOCK_SKEW_MAX_MS)) {
            return Err(PresentationError::CreatedInFuture(created));
        }
        if let Some(end) = proof.expires.filter(|end| now >= *end) {
            return Err(PresentationError::ProofExpired(end));
        }
    }
    Ok(holder)
}

fn check_holder(credential: &Credential, holder: &Did, checks: &mut Checks) {
    const NAME: CheckName = CheckName::TrustedHolder;
    match credential.subject() {
        Some(subject) if subject == holder => checks.pass(NAME),
        Some(_) => {
            let text = "it is about another than who presents it".into();
            checks.state(NAME, Check::Fail, "not-the-subject", text);
        }
        None => {
            let text = "it is bound to no DID, so holding it cannot be proven".into();
            checks.state(NAME, Check::Fail, "no-subject", text);
        }
    }
}
