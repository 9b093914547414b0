//! `GET /identifiers/{did}`: DID resolution over HTTP.
//!
//! The DID or DID URL is the rest of the path, percent-encoded, or as it is when it has neither `#` nor `?`. DIDs that state
//! their own document are resolved. Source: W3C DID Resolution 0.3, HTTP binding.

use axum::{
    extract::Path,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use knackmesh_protocol::did::{Options, resolve};

/// Resolves a DID, or dereferences a DID URL.
pub(super) async fn resolution(Path(did): Path<String>, uri: Uri, headers: HeaderMap) -> Response {
    let query = uri.query().unwrap_or_default();
    // The values that are known are names, which nobody escapes.
    let parameter = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let options = Options {
        accept: headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()),
        public_key_format: parameter("publicKeyFormat"),
        experimental_key_types: parameter("enableExperimentalPublicKeyTypes") == Some("true"),
        encryption_key: parameter("enableEncryptionKeyDerivation") != Some("false"),
    };
    let answer = resolve(&did, &options);
    let status = StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::BAD_REQUEST);
    (status, [(header::CONTENT_TYPE, answer.content_type())], answer.body().to_string()).into_response()
}
