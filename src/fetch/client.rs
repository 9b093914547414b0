//! One GET over the network, redirects included. Blocks; the only part that makes requests.

use std::{
    fs,
    io::Read,
    sync::Arc,
    time::{Duration, Instant},
};

use knackmesh_protocol::limits::{
    FETCH_CONNECT_TIMEOUT_MS, FETCH_HEAD_BYTES_MAX, FETCH_MEDIA_TYPE_BYTES_MAX, FETCH_REDIRECTS_MAX,
    FETCH_TIMEOUT_MS, IMPORT_BYTES_MAX,
};
use ureq::{
    Agent, Body,
    http::{Response, Uri, header},
    tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem},
};

use super::{
    FetchConfig, FetchError, Kind,
    error::shown,
    resolver::{GuardedResolver, Refused},
    url,
};

/// See the module.
#[derive(Debug)]
pub(super) struct Client {
    /// One that trusts the built-in authorities; then one that trusts those of the settings. ureq has no third way.
    agents: Vec<Agent>,
    allow_loopback: bool,
    timeout: Duration,
}

/// What a server gave.
pub(super) struct Answer {
    pub bytes: Vec<u8>,
    /// The media type in lower case, without parameters.
    pub content_type: Option<String>,
}

impl Client {
    /// A client with the authorities of the settings.
    ///
    /// # Errors
    /// [`FetchError::Authorities`].
    pub fn new(config: &FetchConfig) -> Result<Self, FetchError> {
        let mut agents = vec![agent(config, RootCerts::WebPki)];
        if config.ca.is_some() {
            agents.push(agent(config, RootCerts::new_with_certs(&authorities(config)?)));
        }
        let timeout = Duration::from_millis(config.timeout_ms.min(FETCH_TIMEOUT_MS));
        Ok(Client { agents, allow_loopback: config.allow_loopback, timeout })
    }

    /// What `url` gives, or what it redirects to.
    pub fn get(&self, url: &Uri, kind: Kind) -> Result<Answer, FetchError> {
        let end = Instant::now() + self.timeout;
        let mut at = url.clone();
        for _ in 0..=FETCH_REDIRECTS_MAX {
            let response = self.request(&at, kind, end)?;
            match response.status().as_u16() {
                200 => return self.read(&at, kind, response),
                301 | 302 | 303 | 307 | 308 => at = self.redirected(&at, &response)?,
                status => return Err(FetchError::Status { url: at.to_string(), status }),
            }
        }
        Err(FetchError::Redirects { url: url.to_string() })
    }

    fn request(&self, url: &Uri, kind: Kind, end: Instant) -> Result<Response<Body>, FetchError> {
        let mut result = Err(FetchError::Stopped);
        for agent in &self.agents {
            let left = end.saturating_duration_since(Instant::now());
            let request = agent.get(url).header(header::ACCEPT, kind.accept());
            let called = request.config().timeout_global(Some(left)).build().call();
            let unknown = called.as_ref().is_err_and(is_of_unknown_authority);
            result = called.map_err(|e| self.failure(url, e));
            if !unknown {
                break;
            }
        }
        result
    }

    fn redirected(&self, at: &Uri, response: &Response<Body>) -> Result<Uri, FetchError> {
        let location = response.headers().get(header::LOCATION).and_then(|l| l.to_str().ok());
        let refuse = |reason| FetchError::Redirect {
            url: at.to_string(),
            to: shown(location.unwrap_or_default()),
            reason,
        };
        let location = location.ok_or_else(|| refuse("it does not say where to"))?;
        url::follow(at, location, self.allow_loopback).map_err(refuse)
    }

    fn read(&self, url: &Uri, kind: Kind, response: Response<Body>) -> Result<Answer, FetchError> {
        let max = kind.bytes_max();
        let too_large = || FetchError::TooLarge { url: url.to_string(), max };
        let text = |name| response.headers().get(name).and_then(|v| v.to_str().ok());
        if let Some(encoding) = response.headers().get(header::CONTENT_ENCODING)
            && !encoding.as_bytes().eq_ignore_ascii_case(b"identity")
        {
            let encoding = shown(&String::from_utf8_lossy(encoding.as_bytes()));
            return Err(FetchError::Encoded { url: url.to_string(), encoding });
        }
        let length: Option<u64> = text(header::CONTENT_LENGTH).and_then(|l| l.parse().ok());
        if length.is_some_and(|length| length > max as u64) {
            return Err(too_large());
        }
        let content_type = text(header::CONTENT_TYPE).and_then(media_type);
        let mut bytes = Vec::new();
        let mut body = response.into_body().into_reader().take(max as u64 + 1);
        body.read_to_end(&mut bytes).map_err(|e| self.failure(url, e.into()))?;
        if bytes.len() > max { Err(too_large()) } else { Ok(Answer { bytes, content_type }) }
    }

    fn failure(&self, url: &Uri, error: ureq::Error) -> FetchError {
        let url = url.to_string();
        if let Some(e) = tls_error(&error) {
            return match e {
                rustls::Error::InvalidCertificate(_) => {
                    FetchError::Certificate { url, reason: shown(&e.to_string()) }
                }
                e => FetchError::Answer { url, reason: shown(&e.to_string()) },
            };
        }
        match error {
            ureq::Error::Timeout(_) => FetchError::Timeout { url, ms: self.timeout.as_millis() as u64 },
            ureq::Error::Other(e) => match e.downcast::<Refused>() {
                Ok(refused) => FetchError::Address { url, address: refused.address, kind: refused.kind },
                Err(e) => FetchError::Unreachable { url, reason: shown(&e.to_string()) },
            },
            ureq::Error::Io(e) => FetchError::Unreachable { url, reason: shown(&e.to_string()) },
            ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => {
                FetchError::Unreachable { url, reason: shown(&error.to_string()) }
            }
            error => FetchError::Answer { url, reason: shown(&error.to_string()) },
        }
    }
}

/// Keeps no connection, no cookie, and goes through no proxy, which would resolve names in our stead. ureq is built
/// without decompression.
fn agent(config: &FetchConfig, roots: RootCerts) -> Agent {
    let tls = TlsConfig::builder()
        .root_certs(roots)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    let settings = Agent::config_builder()
        .tls_config(tls)
        .proxy(None)
        .max_redirects(0)
        .http_status_as_error(false)
        .max_idle_connections(0)
        .max_response_header_size(FETCH_HEAD_BYTES_MAX)
        .timeout_connect(Some(Duration::from_millis(FETCH_CONNECT_TIMEOUT_MS)))
        .user_agent(concat!("knackmesh/", env!("CARGO_PKG_VERSION")))
        .accept_encoding("identity")
        .build();
    let connector = ureq::unversioned::transport::DefaultConnector::default();
    Agent::with_parts(settings, connector, GuardedResolver::new(config.allow_loopback))
}

fn authorities(config: &FetchConfig) -> Result<Vec<Certificate<'static>>, FetchError> {
    let path = config.ca.clone().unwrap_or_default();
    let refuse = |reason: String| FetchError::Authorities { path: path.clone(), reason };
    let mut pem = Vec::new();
    let file = fs::File::open(&path).map_err(|e| refuse(e.to_string()))?;
    file.take(IMPORT_BYTES_MAX as u64).read_to_end(&mut pem).map_err(|e| refuse(e.to_string()))?;
    let mut found = Vec::new();
    for item in parse_pem(&pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => found.push(certificate),
            Ok(_) => {}
            Err(e) => return Err(refuse(e.to_string())),
        }
    }
    if found.is_empty() { Err(refuse("it holds no certificate".to_owned())) } else { Ok(found) }
}

fn tls_error(error: &ureq::Error) -> Option<&rustls::Error> {
    match error {
        ureq::Error::Rustls(e) => Some(e),
        ureq::Error::Io(e) => e.get_ref()?.downcast_ref(),
        _ => None,
    }
}

fn is_of_unknown_authority(error: &ureq::Error) -> bool {
    let unknown = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
    tls_error(error) == Some(&unknown)
}

fn media_type(content_type: &str) -> Option<String> {
    let (name, _) = content_type.split_once(';').unwrap_or((content_type, ""));
    let name = name.trim().to_ascii_lowercase();
    let legal = name.len() <= FETCH_MEDIA_TYPE_BYTES_MAX && name.bytes().all(|b| b.is_ascii_graphic());
    (legal && name.contains('/')).then_some(name)
}
