//! The routes, and what holds for all of them.

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, uri::Authority},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use knackmesh_protocol::{
    credential::Format,
    key::Did,
    limits::{API_BODY_BYTES_MAX, API_TIMEOUT_MS},
};
use serde_json::Value;
use tracing::info;

use super::{
    identifiers, issuing, knowledge::Sources, problem::Problem, status_lists::status_list, verifying,
    work::Work,
};

/// Where this server's status lists are, below its public URL.
pub(super) const STATUS_LISTS: &str = "/status-lists";

/// What a prefix of the path chooses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Profile {
    prefix: &'static str,
    pub format: Format,
    /// Whether credentials get a status.
    pub status: bool,
}

/// Without a prefix.
pub(super) static PLAIN: Profile = Profile { prefix: "", format: Format::Jcs, status: false };

/// Every prefix.
static PROFILES: [Profile; 4] = [
    Profile { prefix: "/jcs", format: Format::Jcs, status: false },
    Profile { prefix: "/rdfc", format: Format::Rdfc, status: false },
    Profile { prefix: "/status", format: Format::Rdfc, status: true },
    Profile { prefix: "/jwt", format: Format::VcJwt, status: false },
];

/// What the routes know.
#[derive(Clone, Debug)]
pub(super) struct Api {
    pub sources: Sources,
    pub did: Did,
    /// The URL below which the lists of credentials with a status are.
    pub status_url: Arc<String>,
    pub work: Work,
    pub profile: &'static Profile,
}

/// The host names by which the server may be asked, besides addresses.
#[derive(Clone, Debug)]
pub(super) struct Hosts(pub Arc<Vec<String>>);

/// Every route.
pub(super) fn router(api: &Api, hosts: &Hosts) -> Router {
    let mut router = Router::new()
        .route("/identifiers/{*did}", get(identifiers::resolution))
        .route(&format!("{STATUS_LISTS}/{{name}}"), get(status_list).with_state(api.clone()));
    for profile in PROFILES.iter().chain([&PLAIN]) {
        let api = Api { profile, ..api.clone() };
        let path = |path: &str| format!("{}{path}", profile.prefix);
        let routes = Router::new()
            .route(&path("/credentials/issue"), post(issuing::issue))
            .route(&path("/credentials/verify"), post(verifying::verify_credential))
            .route(&path("/presentations/issue"), post(issuing::present))
            .route(&path("/presentations/verify"), post(verifying::verify_presentation));
        router = router.merge(routes.with_state(api));
    }
    router
        .fallback(async || Problem::http(StatusCode::NOT_FOUND, "Not found", "there is nothing at this path"))
        .method_not_allowed_fallback(async || {
            let detail = "this path is not asked so";
            Problem::http(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed", detail)
        })
        .layer(DefaultBodyLimit::max(API_BODY_BYTES_MAX))
        .layer(middleware::from_fn_with_state(hosts.clone(), guard))
}

/// An answer in JSON, to whoever asked and nobody else.
pub(super) fn json_answer(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

/// Refuses requests by a name that is not this server's, and ends those that take too long.
///
/// A web page can have its own name resolve to this machine, and then read what a server here answers (DNS rebinding). The
/// browser still says which name it used. Addresses cannot be had by that trick.
async fn guard(State(hosts): State<Hosts>, request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let mut response = if is_ours(request.headers(), &hosts.0) {
        let limit = Duration::from_millis(API_TIMEOUT_MS);
        tokio::time::timeout(limit, next.run(request)).await.unwrap_or_else(|_| {
            let detail = format!("it took longer than {} s", limit.as_secs());
            Problem::http(StatusCode::REQUEST_TIMEOUT, "Request timeout", detail).into_response()
        })
    } else {
        let detail = "the Host of the request is not one of this server; see --public-url";
        Problem::http(StatusCode::MISDIRECTED_REQUEST, "Misdirected request", detail).into_response()
    };
    info!(%method, path, status = response.status().as_u16(), "answered");
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn is_ours(headers: &HeaderMap, hosts: &[String]) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()?.parse::<Authority>().ok());
    host.is_some_and(|host| {
        let name = host.host().trim_start_matches('[').trim_end_matches(']');
        name.parse::<IpAddr>().is_ok() || hosts.iter().any(|known| known.eq_ignore_ascii_case(name))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn addresses_and_known_names_are_ours() {
        let hosts = ["localhost".to_owned(), "school.example".to_owned()];
        let ours = |host: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_str(host).unwrap());
            is_ours(&headers, &hosts)
        };
        for host in
            ["127.0.0.1", "127.0.0.1:8080", "[::1]:8080", "localhost:1", "LocalHost", "school.example"]
        {
            assert!(ours(host), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:8080",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "",
            "a b",
        ] {
            assert!(!ours(host), "{host}");
        }
        assert!(!is_ours(&HeaderMap::new(), &hosts));
    }
}
