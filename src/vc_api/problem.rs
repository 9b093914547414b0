//! What went wrong, as problem details (RFC 9457).
//!
//! `type` is what the specification that was broken calls it; `code` is our own stable name, as vectors state it.
//!
//! Sources: W3C Verifiable Credentials Data Model 2.0, section 7.2; Data Integrity 1.0, section 4.7; Bitstring Status List
//! 1.0, section 3.5.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use knackmesh_protocol::{
    credential::{
        Check, CheckName, Checks, CredentialError, IssuanceError, data_integrity::ProofError,
        presentation::PresentationError,
    },
    json::JsonError,
    rdf::RdfError,
};
use serde_json::{Map, Value, json};
use tracing::{error, info};

use crate::control::{Exit, Refusal};

const DATA_MODEL: &str = "https://www.w3.org/TR/vc-data-model#";
const DATA_INTEGRITY: &str = "https://w3id.org/security#";
const STATUS_LIST: &str = "https://www.w3.org/ns/credentials/status-list#";

/// A problem, on its way to whoever asked.
#[derive(Clone, Debug)]
pub(super) struct Problem(Box<Details>);

#[derive(Clone, Debug)]
struct Details {
    status: StatusCode,
    /// The kind's URL; `about:blank` where HTTP says it all.
    kind: String,
    title: &'static str,
    code: String,
    detail: String,
    /// What is said besides.
    members: Map<String, Value>,
}

impl Problem {
    fn new(kind: String, title: &'static str, code: impl Into<String>, detail: impl Into<String>) -> Self {
        let status = StatusCode::BAD_REQUEST;
        let members = Map::new();
        Problem(Box::new(Details { status, kind, title, code: code.into(), detail: detail.into(), members }))
    }

    /// A value that is not as it must be.
    pub(super) fn malformed(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(format!("{DATA_MODEL}MALFORMED_VALUE_ERROR"), "A value is malformed", code, detail)
    }

    /// One for which HTTP has a status.
    pub(super) fn http(status: StatusCode, title: &'static str, detail: impl Into<String>) -> Self {
        let code = title.to_lowercase().replace(' ', "-");
        let mut problem = Self::new("about:blank".into(), title, code, detail);
        problem.0.status = status;
        problem
    }

    /// Our own mistake, or that of the machine.
    pub(super) fn internal(detail: impl Into<String>) -> Self {
        Self::http(StatusCode::INTERNAL_SERVER_ERROR, "Internal error", detail)
    }

    /// Checks of which some did not come out as they must.
    pub(super) fn not_verified(checks: &Checks) -> Self {
        let failed = CheckName::ALL.into_iter().filter(|name| is_failure(*name, checks.get(*name)));
        let reasons: Vec<_> = failed.filter_map(|name| Some((name, checks.reason(name)?))).collect();
        let (code, kind) = match reasons.first() {
            Some((name, reason)) => (reason.code.clone().into_owned(), kind_of(*name, &reason.code)),
            None => ("not-verified".into(), format!("{DATA_MODEL}CRYPTOGRAPHIC_SECURITY_ERROR")),
        };
        let texts: Vec<_> = reasons.iter().map(|(name, reason)| format!("{name}: {}", reason.text)).collect();
        Self::new(kind, "The credential is not verified", code, texts.join("; "))
            .with("checks", json!(checks))
            .unverified()
    }

    /// The same, saying something more.
    pub(super) fn with(mut self, name: &str, value: Value) -> Self {
        self.0.members.insert(name.into(), value);
        self
    }

    /// The same, as the answer to whoever asked for a verification.
    pub(super) fn unverified(self) -> Self {
        self.with("verified", json!(false))
    }
}

/// Whether a check that came out so keeps a credential from being verified, its holder aside.
fn is_failure(name: CheckName, check: Check) -> bool {
    match name {
        CheckName::TrustedIssuer | CheckName::TrustedHolder => false,
        CheckName::Unrevoked => !matches!(check, Check::Pass | Check::NotApplicable),
        CheckName::Fresh => matches!(check, Check::Stale | Check::Fail),
        CheckName::Untampered | CheckName::Unexpired => check != Check::Pass,
    }
}

fn kind_of(name: CheckName, code: &str) -> String {
    match (name, code) {
        (_, "proof-wrong-challenge") => format!("{DATA_INTEGRITY}INVALID_CHALLENGE_ERROR"),
        (_, "proof-wrong-domain") => format!("{DATA_INTEGRITY}INVALID_DOMAIN_ERROR"),
        (CheckName::Unexpired, _) => format!("{DATA_MODEL}RANGE_ERROR"),
        (_, "status-not-checked") => format!("{STATUS_LIST}STATUS_RETRIEVAL_ERROR"),
        (CheckName::Unrevoked | CheckName::Fresh, _) => format!("{STATUS_LIST}STATUS_VERIFICATION_ERROR"),
        _ => format!("{DATA_MODEL}CRYPTOGRAPHIC_SECURITY_ERROR"),
    }
}

impl From<JsonError> for Problem {
    fn from(e: JsonError) -> Self {
        Self::new(format!("{DATA_MODEL}PARSING_ERROR"), "The body cannot be read", e.code(), e.to_string())
    }
}

impl From<RdfError> for Problem {
    fn from(e: RdfError) -> Self {
        let (name, title) = match e.is_unsupported() {
            true => ("PROOF_TRANSFORMATION_ERROR", "What the document means cannot be told here"),
            false => ("DATA_LOSS_DETECTION_ERROR", "The document does not mean all that it says"),
        };
        Self::new(format!("{DATA_INTEGRITY}{name}"), title, e.code(), e.to_string())
    }
}

impl From<CredentialError> for Problem {
    fn from(e: CredentialError) -> Self {
        Self::malformed(e.code(), e.to_string())
    }
}

impl From<IssuanceError> for Problem {
    fn from(e: IssuanceError) -> Self {
        match e {
            IssuanceError::Credential(e) => e.into(),
            IssuanceError::Proof(ProofError::Rdf(e)) => e.into(),
            e => Self::malformed("not-issued", e.to_string()),
        }
    }
}

impl From<PresentationError> for Problem {
    fn from(e: PresentationError) -> Self {
        let malformed = matches!(
            e,
            PresentationError::Json(_)
                | PresentationError::Malformed(_)
                | PresentationError::TooManyCredentials
                | PresentationError::Credential { .. }
        );
        if malformed {
            return Self::malformed(e.code(), e.to_string());
        }
        let kind = kind_of(CheckName::Untampered, e.code());
        Self::new(kind, "The presentation is not verified", e.code(), e.to_string())
    }
}

impl From<Refusal> for Problem {
    /// What the node refuses is the asker's mistake, but for what failed.
    fn from(refusal: Refusal) -> Self {
        let detail = format!("{}: {}", refusal.message, refusal.hint);
        match refusal.exit {
            Exit::Failed | Exit::Network => {
                error!(detail, "the node failed");
                Self::internal(refusal.message)
            }
            _ => Self::malformed("refused", detail),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Details { status, kind, title, code, detail, members } = *self.0;
        info!(status = status.as_u16(), code, detail, "refused");
        let mut body = json!({
            "type": kind,
            "title": title,
            "status": status.as_u16(),
            "detail": detail,
            "code": code,
        });
        if let Some(body) = body.as_object_mut() {
            body.extend(members);
        }
        (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
    }
}
