//! The body of a request: a JSON object with a document and, beside it, options.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header},
};
use knackmesh_protocol::{
    credential::data_integrity::{Binding, Purpose},
    json,
    limits::API_BODY_BYTES_MAX,
};
use serde_json::{Map, Value};

use super::problem::Problem;

/// The members of the object.
#[derive(Debug)]
pub(super) struct Body(Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        // Asked for so that a web page cannot send a request without its browser asking us first (and being refused).
        if !is_json(request.headers()) {
            const STATUS: StatusCode = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(Problem::http(STATUS, "Unsupported media type", "send application/json"));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(unread)?;
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| Problem::malformed("not-utf-8", "the body is not UTF-8"))?;
        match json::parse(text, API_BODY_BYTES_MAX)? {
            Value::Object(members) => Ok(Body(members)),
            _ => Err(Problem::malformed("not-an-object", "the body is not a JSON object")),
        }
    }
}

impl Body {
    /// Takes out a member that must be there.
    pub(super) fn take(&mut self, name: &'static str) -> Result<Value, Problem> {
        let missing = || Problem::malformed("missing", format!("the body has no `{name}`"));
        self.0.remove(name).ok_or_else(missing)
    }

    /// Takes out a member that must be an object.
    pub(super) fn take_object(&mut self, name: &'static str) -> Result<Map<String, Value>, Problem> {
        match self.take(name)? {
            Value::Object(object) => Ok(object),
            _ => Err(Problem::malformed("not-an-object", format!("`{name}` is not an object"))),
        }
    }

    /// Takes out the options. Those that are not known are left aside; so is `checks`: all of them are made.
    pub(super) fn options(&mut self) -> Result<Options, Problem> {
        let options = match self.0.remove("options") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(options)) => options,
            Some(_) => return Err(Problem::malformed("not-an-object", "`options` is not an object")),
        };
        let text = |name: &'static str| match options.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(Problem::malformed("option", format!("the option `{name}` is not a text"))),
        };
        let purpose = match text("expectedProofPurpose")?.as_deref() {
            None => None,
            Some(name) => Some(purpose(name).ok_or_else(|| {
                let text = "the option `expectedProofPurpose` is neither assertionMethod nor authentication";
                Problem::malformed("option", text)
            })?),
        };
        Ok(Options { purpose, challenge: text("challenge")?, domain: text("domain")? })
    }
}

/// What proofs must be for, and bound to.
#[derive(Debug)]
pub(super) struct Options {
    pub purpose: Option<Purpose>,
    pub challenge: Option<String>,
    pub domain: Option<String>,
}

impl Options {
    /// For a credential, whose proofs need not be bound to anything.
    pub(super) fn binding(&self) -> Binding<'_> {
        let Options { challenge, domain, .. } = self;
        Binding { challenge: challenge.as_deref(), domain: domain.as_deref(), ..Binding::ASSERTION }
    }

    /// For a presentation. Who gives no challenge cannot tell whether it was shown before, and may not care.
    pub(super) fn expected(&self) -> Binding<'_> {
        Binding {
            challenge: self.challenge.as_deref(),
            domain: self.domain.as_deref(),
            purpose: self.purpose.unwrap_or(Purpose::Authentication),
        }
    }
}

fn purpose(name: &str) -> Option<Purpose> {
    [Purpose::Assertion, Purpose::Authentication].into_iter().find(|purpose| purpose.name() == name)
}

fn is_json(headers: &HeaderMap) -> bool {
    let name = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let name = name.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    name == "application/json" || (name.starts_with("application/") && name.ends_with("+json"))
}

fn unread(e: BytesRejection) -> Problem {
    match e.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            let detail = format!("the body has more than {API_BODY_BYTES_MAX} bytes");
            Problem::http(StatusCode::PAYLOAD_TOO_LARGE, "Payload too large", detail)
        }
        _ => Problem::malformed("body", "the body ended too early"),
    }
}
