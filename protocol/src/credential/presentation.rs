//! Presentations: a holder shows credentials to one verifier, now.
//!
//! Three forms are read: a W3C Verifiable Presentation with a Data Integrity proof for authentication over the verifier's
//! challenge and domain, the same as a token (`vp+jwt`, where the challenge is `nonce` and the domain `aud`), and one SD-JWT VC
//! with a key binding. Each proves that a key answered this challenge; each credential inside is verified on its own, and holds
//! for the holder only when it is its subject.
//!
//! Sources: W3C Verifiable Credentials Data Model 2.0, section 4.13; Verifiable Credential Data Integrity 1.0, section 4.4;
//! Securing Verifiable Credentials using JOSE and COSE, section 3.1.2; RFC 9901, section 7.3. Specification:
//! `spec/credential.md`, "Presentations".

mod token;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{
    CONTEXT_V2, Check, CheckName, Checks, Credential, CredentialError, Format, Need, Securing, Signer,
    Verifier,
    data_integrity::{self, Binding, ProofError, ProofOptions},
    did_of, enveloped, is_token, issuing,
    securing::SignatureError,
    vcdm::{check_context, check_id, check_types, has_type},
};
use crate::{
    did,
    jose::{JoseError, sd_jwt::KeyBindingError},
    json::{self, JsonError, items},
    key::Did,
    limits::{CLOCK_SKEW_MAX_MS, NEEDS_MAX, PRESENTATION_BYTES_MAX, PRESENTED_CREDENTIALS_MAX},
    time::Timestamp,
};

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
    /// The token is none, or its signature does not hold.
    #[error("the presentation does not verify: {0}")]
    Signature(#[from] SignatureError),
    /// The key binding does not hold.
    #[error("the presentation does not verify: {0}")]
    KeyBinding(#[from] KeyBindingError),
    /// No proof is by the holder that it names.
    #[error("the presentation was not signed by the holder that it names")]
    NotTheHolders,
    /// The proof says that it was made later than now, beyond what clocks may differ.
    #[error("the presentation claims to be made in the future, at {0}; compare the clocks")]
    CreatedInFuture(Timestamp),
    /// The proof says that it has ended.
    #[error("the presentation's proof expired at {0}")]
    ProofExpired(Timestamp),
    /// A credential inside is none.
    #[error("its credential {}: {source}", index + 1)]
    Credential {
        /// Its place in the presentation, from 0.
        index: usize,
        /// What is wrong with it.
        source: CredentialError,
    },
}

impl PresentationError {
    /// Whether it was made for another challenge or domain, or for none, whoever signed it.
    pub const fn is_of_binding(&self) -> bool {
        matches!(
            self,
            PresentationError::Proof(ProofError::WrongChallenge | ProofError::WrongDomain)
                | PresentationError::KeyBinding(KeyBindingError::WrongAudience | KeyBindingError::WrongNonce)
        )
    }

    /// The stable name of this refusal, as vectors state it.
    pub const fn code(&self) -> &'static str {
        match self {
            PresentationError::Json(e) => e.code(),
            PresentationError::Malformed(_) => "malformed",
            PresentationError::TooManyCredentials => "too-many-credentials",
            PresentationError::Proof(e) => e.code(),
            PresentationError::Signature(e) => e.code(),
            PresentationError::KeyBinding(e) => e.code(),
            PresentationError::NotTheHolders => "proof-not-the-holders",
            PresentationError::CreatedInFuture(_) => "created-in-future",
            PresentationError::ProofExpired(_) => "proof-expired",
            PresentationError::Credential { source, .. } => source.code(),
        }
    }
}

impl From<JoseError> for PresentationError {
    fn from(e: JoseError) -> Self {
        PresentationError::Signature(e.into())
    }
}

/// A presentation of `credentials`, unchanged and in this order, signed by `holder` for the verifier that
/// gave `expected`. The text is canonical JSON, or a `vp+jwt` where `format` is [`Format::VcJwt`].
///
/// # Errors
/// [`PresentationError`] when a verifier would refuse it for its size: too many credentials, bytes or values. A presentation has
/// no form as an SD-JWT VC, which is bound by itself.
pub fn sign(
    holder: &Signer,
    credentials: &[&Credential],
    expected: &Binding<'_>,
    format: Format,
    created: Timestamp,
) -> Result<String, PresentationError> {
    if credentials.len() > PRESENTED_CREDENTIALS_MAX {
        return Err(PresentationError::TooManyCredentials);
    }
    let mut document = Map::new();
    document.insert("@context".into(), json!([CONTEXT_V2]));
    document.insert("type".into(), json!(["VerifiablePresentation"]));
    document.insert("holder".into(), json!(holder.controller()));
    let shown = credentials.iter().map(|credential| embed(credential)).collect();
    document.insert("verifiableCredential".into(), Value::Array(shown));
    sign_document(document, holder, expected, format, created)
}

/// `document`, which is a presentation, signed likewise.
///
/// # Errors
/// As for [`sign`], and when it is no presentation, is signed already, or names another holder.
pub fn sign_document(
    mut document: Map<String, Value>,
    holder: &Signer,
    expected: &Binding<'_>,
    format: Format,
    created: Timestamp,
) -> Result<String, PresentationError> {
    if document.contains_key("proof") {
        return Err(PresentationError::Malformed("it is signed already"));
    }
    if check_structure(&document)?.is_some_and(|named| named != *holder.controller()) {
        return Err(PresentationError::NotTheHolders);
    }
    document.entry("holder").or_insert_with(|| json!(holder.controller()));
    let text = match format {
        Format::Jcs | Format::Rdfc => {
            let options = ProofOptions::new(*expected, created);
            let suite = issuing::suite(format, holder);
            json::canonical(&Value::Object(data_integrity::sign(document, suite, holder, &options)?))
        }
        Format::VcJwt => token::sign(document, holder, expected, created),
        Format::SdJwt => return Err(PresentationError::Malformed("an SD-JWT VC is presented by itself")),
    };
    if text.len() > PRESENTATION_BYTES_MAX {
        return Err(JsonError::TooLong { actual: text.len(), max: PRESENTATION_BYTES_MAX }.into());
    }
    if !is_token(&text) {
        json::parse(&text, PRESENTATION_BYTES_MAX)?;
    }
    Ok(text)
}

/// Verifies a presentation and every credential in it.
///
/// # Errors
/// [`PresentationError`] names the first failure of the presentation itself. A credential that fails its
/// checks is returned with them; one that is none fails the presentation.
pub fn verify(
    text: &str,
    expected: &Binding<'_>,
    verifier: &Verifier<'_>,
) -> Result<VerifiedPresentation, PresentationError> {
    if is_token(text) {
        let text = text.trim();
        return match text.contains('~') {
            true => token::verify_key_bound(text, expected, verifier),
            false => token::verify(text, expected, verifier),
        };
    }
    let Value::Object(document) = json::parse(text, PRESENTATION_BYTES_MAX)? else {
        return Err(PresentationError::Malformed("a JSON object is expected"));
    };
    if let Some(text) = envelope(&document)? {
        return token::verify(text, expected, verifier);
    }
    let named = check_structure(&document)?;
    let holder = check_proofs(&document, named, expected, verifier)?;
    Ok(VerifiedPresentation { credentials: verify_credentials(&document, &holder, verifier)?, holder })
}

/// The credentials of a presentation, whoever shows it, for finding out what their verification needs.
///
/// # Errors
/// As for [`verify`], of structure.
pub fn credentials(text: &str) -> Result<Vec<Credential>, PresentationError> {
    if is_token(text) {
        let text = text.trim();
        return match text.contains('~') {
            true => Ok(vec![token::key_bound(text)?]),
            false => shown(&token::open(text)?.1),
        };
    }
    let Value::Object(document) = json::parse(text, PRESENTATION_BYTES_MAX)? else {
        return Err(PresentationError::Malformed("a JSON object is expected"));
    };
    match envelope(&document)? {
        Some(text) => shown(&token::open(text)?.1),
        None => shown(&document),
    }
}

/// What a verification of `text` lacks and could be fetched, for its own proofs and for its credentials; nothing when it is no
/// presentation. At most [`NEEDS_MAX`].
pub fn needs(text: &str, verifier: &Verifier<'_>) -> Vec<Need> {
    let mut needs: BTreeSet<Need> = signers(text)
        .into_iter()
        .filter(|did| did.method() == "web" && verifier.known.documents.get(did).is_none())
        .map(Need::Document)
        .collect();
    let credentials = credentials(text).unwrap_or_default();
    needs.extend(credentials.iter().flat_map(|credential| credential.needs(verifier)));
    needs.into_iter().take(NEEDS_MAX).collect()
}

/// The DIDs whose keys the presentation itself names.
fn signers(text: &str) -> Vec<Did> {
    let of_token = |text: &str| {
        let method = token::open(text).ok().and_then(|(jws, _)| did::controller_of(jws.kid()?).ok());
        Vec::from_iter(method)
    };
    if is_token(text) {
        return of_token(text.trim());
    }
    let Ok(Value::Object(document)) = json::parse(text, PRESENTATION_BYTES_MAX) else { return Vec::new() };
    if let Ok(Some(text)) = envelope(&document) {
        return of_token(text);
    }
    let methods = data_integrity::verification_methods(&document);
    methods.filter_map(|method| did::controller_of(method).ok()).collect()
}

/// A presentation's text as JSON: the document, or an envelope around the token.
///
/// # Errors
/// [`PresentationError`] when it is neither.
pub fn embed_text(text: &str) -> Result<Value, PresentationError> {
    if is_token(text) {
        return Ok(enveloped::presentation("application/vp+jwt", text));
    }
    Ok(json::parse(text, PRESENTATION_BYTES_MAX)?)
}

fn verify_credentials(
    document: &Map<String, Value>,
    holder: &Did,
    verifier: &Verifier<'_>,
) -> Result<Vec<(Credential, Checks)>, PresentationError> {
    let verified = shown(document)?.into_iter().map(|credential| {
        let mut checks = credential.verify(verifier);
        check_holder(&credential, holder, &mut checks);
        (credential, checks)
    });
    Ok(verified.collect())
}

fn shown(document: &Map<String, Value>) -> Result<Vec<Credential>, PresentationError> {
    let values = items(document.get("verifiableCredential"));
    if values.len() > PRESENTED_CREDENTIALS_MAX {
        return Err(PresentationError::TooManyCredentials);
    }
    let values = values.iter().enumerate();
    values
        .map(|(index, value)| {
            Credential::from_value(value.clone())
                .map_err(|source| PresentationError::Credential { index, source })
        })
        .collect()
}

/// A credential as a member of `verifiableCredential`: the document, or an envelope around the token.
pub fn embed(credential: &Credential) -> Value {
    match credential.securing() {
        Securing::DataIntegrity => Value::Object(credential.document().clone()),
        token @ (Securing::Jwt(_) | Securing::SdJwt(_)) => {
            enveloped::credential(&format!("application/{}", token.name()), credential.text())
        }
    }
}

/// The token of a presentation that is in an envelope.
fn envelope(document: &Map<String, Value>) -> Result<Option<&str>, PresentationError> {
    const REFUSAL: &str = "its envelope is no `data:` URL with a token in it";
    enveloped::PRESENTATION.token(document).map_err(|_| PresentationError::Malformed(REFUSAL))
}

/// The holder that the presentation names, if it names one.
fn check_structure(document: &Map<String, Value>) -> Result<Option<Did>, PresentationError> {
    use PresentationError::Malformed;
    check_context(document).map_err(|_| Malformed("`@context` does not begin with the data model's"))?;
    check_types(document).map_err(|_| Malformed("`type` is not one or more texts"))?;
    check_id(document).map_err(|_| Malformed("`id` is not a URL"))?;
    if !has_type(document, "VerifiablePresentation") {
        return Err(Malformed("`type` does not name VerifiablePresentation"));
    }
    let credentials = items(document.get("verifiableCredential"));
    if credentials.len() > PRESENTED_CREDENTIALS_MAX {
        return Err(PresentationError::TooManyCredentials);
    }
    if !credentials.iter().all(Value::is_object) {
        return Err(Malformed("`verifiableCredential` is not one or more objects"));
    }
    match document.get("holder") {
        None => Ok(None),
        Some(holder) => did_of(holder).map(Some).ok_or(Malformed("`holder` is not a DID")),
    }
}

/// Whose key signed: the holder that is named, else the only one who did.
fn check_proofs(
    document: &Map<String, Value>,
    named: Option<Did>,
    expected: &Binding<'_>,
    verifier: &Verifier<'_>,
) -> Result<Did, PresentationError> {
    let now = verifier.now;
    let proofs = data_integrity::verify(document, expected, &verifier.known.documents)?;
    // Keys for presentations are those of DIDs.
    let mut signers = proofs.verified.iter().filter_map(|proof| proof.controller.did());
    let holder = match named {
        Some(named) => signers.any(|signer| *signer == named).then_some(named),
        None => signers.next().filter(|first| signers.all(|other| other == *first)).cloned(),
    };
    let Some(holder) = holder else {
        let unchecked = proofs.not_checked.into_iter().next();
        return Err(unchecked.map_or(PresentationError::NotTheHolders, PresentationError::Proof));
    };
    for proof in &proofs.verified {
        check_time(proof.created, proof.expires, now)?;
    }
    Ok(holder)
}

fn check_time(
    created: Option<Timestamp>,
    expires: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), PresentationError> {
    if let Some(created) = created.filter(|created| *created > now.plus_ms(CLOCK_SKEW_MAX_MS)) {
        return Err(PresentationError::CreatedInFuture(created));
    }
    match expires.filter(|end| now >= *end) {
        Some(end) => Err(PresentationError::ProofExpired(end)),
        None => Ok(()),
    }
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
