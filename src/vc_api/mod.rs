//! The VC-API: a home issues and verifies for programs that speak HTTP.
//!
//! ```text
//! POST {prefix}/credentials/issue      {credential, options}              201 {verifiableCredential}
//! POST {prefix}/credentials/verify     {verifiableCredential, options}    200 {verified, recognised, checks}
//! POST {prefix}/presentations/issue    {presentation, options}            201 {verifiablePresentation}
//! POST {prefix}/presentations/verify   {verifiablePresentation, options}  200 {verified, recognised, holder, credentialResults}
//! GET  /status-lists/{name}            a status list credential
//! GET  /identifiers/{did}              a DID resolution result
//! ```
//!
//! The prefix chooses the form of the signature: none or `/jcs`, `/rdfc`, `/jwt`; `/status` adds a status that can be revoked.
//! What is refused, and what does not verify, is answered with problem details (RFC 9457).
//!
//! Whoever reaches the server can have anything signed with the home's DID: it is for this machine, unless its owner says
//! otherwise. It sends nothing to web pages of other origins. Verifying keeps nothing and, unless told otherwise, asks nobody.
//!
//! Invariant: this is the only module that knows axum, axum-server and rcgen.
//!
//! Sources: W3C CCG, VC-API 0.7; W3C, Verifiable Credential API for Lifecycle Management (VCALM) 0.9; W3C DID Resolution 0.3.

mod body;
mod identifiers;
mod issuing;
mod keeper;
mod knowledge;
mod listener;
mod problem;
mod server;
mod status_lists;
mod verifying;
mod work;

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use axum::http::Uri;
use axum_server::Handle;
use knackmesh_protocol::key::Did;

pub use self::keeper::Keeper;
use self::{
    knowledge::Sources,
    server::{Api, Hosts, STATUS_LISTS},
    work::Work,
};
use crate::fetch::Fetcher;

/// How long requests that are being answered may go on once the server stops.
const GRACE: Duration = Duration::from_secs(5);

/// How to serve.
#[derive(Debug)]
pub struct Config {
    /// The address; port 0 lets the system choose one.
    pub listen: SocketAddr,
    /// Whether to speak TLS, with a certificate made for the occasion that nobody knows.
    pub tls_self_signed: bool,
    /// Under which URL others reach the server, if not under its address. Status lists bear it.
    pub public_url: Option<String>,
    /// Below which URL the status lists of credentials are published, if not by this server.
    pub status_url: Option<String>,
    /// As whom is issued.
    pub did: Did,
    /// For what others publish; without it nobody is asked.
    pub fetcher: Option<Fetcher>,
}

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is not to be had.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, io::Error),
    /// Not a URL that status lists can be below.
    #[error("{0} is not an http or https URL without query and fragment")]
    PublicUrl(String),
    /// The certificate could not be made.
    #[error("no certificate: {0}")]
    Certificate(io::Error),
}

/// A server that listens.
#[derive(Debug)]
pub struct Server {
    /// Under which URL it is reached.
    pub url: String,
    /// Below which URL the status lists of credentials are, as they say.
    pub status_url: String,
    /// Where it listens.
    pub address: SocketAddr,
    handle: Handle<SocketAddr>,
    task: tokio::task::JoinHandle<io::Result<()>>,
}

/// Listens, and serves until [`Server::run_until`] ends it.
///
/// # Errors
/// [`ServeError`]
pub fn start(config: Config, keeper: Keeper) -> Result<Server, ServeError> {
    let Config { listen, tls_self_signed, public_url, status_url, did, fetcher } = config;
    let refused = |e| ServeError::Listen(listen, e);
    let listener = TcpListener::bind(listen).map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    let scheme = if tls_self_signed { "https" } else { "http" };
    let url = public_url.unwrap_or_else(|| format!("{scheme}://{address}")).trim_end_matches('/').to_owned();
    let host = host_of(&url).ok_or_else(|| ServeError::PublicUrl(url.clone()))?;
    let names = vec!["localhost".to_owned(), host];
    let tls = match tls_self_signed {
        true => {
            let mut certified = vec![address.ip().to_string(), "127.0.0.1".to_owned(), "::1".to_owned()];
            certified.extend(names.clone());
            Some(listener::self_signed(certified).map_err(ServeError::Certificate)?)
        }
        false => None,
    };
    let served = format!("{url}{STATUS_LISTS}");
    let status_url = status_url.map_or(served.clone(), |url| url.trim_end_matches('/').to_owned());
    let own_lists = Arc::new([status_url.clone(), served]);
    let api = Api {
        sources: Sources { keeper, own_lists, fetcher },
        did,
        status_url: Arc::new(status_url),
        work: Work::new(),
        profile: &server::PLAIN,
    };
    let router = server::router(&api, &Hosts(Arc::new(names)));
    let handle = Handle::new();
    let task = tokio::spawn(listener::serve(listener, tls, router, handle.clone()));
    Ok(Server { url, status_url: api.status_url.as_ref().clone(), address, handle, task })
}

impl Server {
    /// Serves until `signal` resolves, then lets the requests that are being answered end.
    ///
    /// # Errors
    /// Why it ended before.
    pub async fn run_until(self, signal: impl Future<Output = ()>) -> io::Result<()> {
        let Server { handle, mut task, .. } = self;
        let ended = tokio::select! {
            ended = &mut task => ended,
            () = signal => {
                handle.graceful_shutdown(Some(GRACE));
                task.await
            }
        };
        ended.unwrap_or_else(|e| Err(io::Error::other(e)))
    }
}

/// The host of a URL below which paths can be written; without the brackets of an address of version 6.
fn host_of(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    let plain =
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.query().is_none() && !url.contains('#');
    let host = uri.host().filter(|_| plain)?;
    Some(host.trim_start_matches('[').trim_end_matches(']').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_has_a_host_and_nothing_after_its_path() {
        for (url, host) in [
            ("https://school.example", Some("school.example")),
            ("http://127.0.0.1:8080/api", Some("127.0.0.1")),
            ("https://[::1]:8443", Some("::1")),
            ("ftp://school.example", None),
            ("https://school.example?a", None),
            ("https://school.example#a", None),
            ("school.example", None),
            ("", None),
        ] {
            assert_eq!(host_of(url).as_deref(), host, "{url}");
        }
    }
}
