//! Documents from the web: the only place that makes HTTPS requests, and that knows ureq.
//!
//! DID documents of did:web, DID configurations, status lists, hosted badges, and what a user names by URL. Nothing is
//! fetched unless a user or a policy says so, and then a stranger has chosen the URL. Hence:
//!
//! - https only, to addresses of the public internet only; this machine, and http to it, where the settings allow it
//!   (`url`, `address`). The rule is applied to each redirect, and to the addresses that are connected to.
//! - time, size, redirects and number are bounded, nothing is decompressed, no cookie is kept, no proxy used.
//! - what is kept on disk says when it was fetched. When nothing newer can be had, it is returned with that instant,
//!   and never as if it were new ([`Fetched::outage`]).

mod address;
mod cache;
mod client;
mod error;
mod resolver;
#[cfg(test)]
mod tests;
mod url;

use std::{
    net::IpAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use knackmesh_protocol::{
    limits::{
        FETCH_BYTES_MAX, FETCH_STATUS_LIST_BYTES_MAX, FETCH_TIMEOUT_MS, FETCHES_AT_ONCE_MAX,
        FETCHES_PER_VERIFICATION_MAX,
    },
    time::Timestamp,
};
use tokio::{sync::Semaphore, task::spawn_blocking};
use ureq::http::Uri;

pub use self::error::FetchError;
use self::{
    cache::{Cache, Entry},
    client::Client,
};
use crate::home::FetchSettings;

/// How to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchConfig {
    /// A PEM file with certificates of authorities to trust besides the built-in ones.
    pub ca: Option<PathBuf>,
    /// Whether URLs may lead to this machine itself, with http as well.
    pub allow_loopback: bool,
    /// Whether the network is left alone, and only what is kept is returned.
    pub offline: bool,
    /// How long one fetch may take, in milliseconds; [`FETCH_TIMEOUT_MS`] at most.
    pub timeout_ms: u64,
}

impl Default for FetchConfig {
    fn default() -> Self {
        FetchConfig { ca: None, allow_loopback: false, offline: false, timeout_ms: FETCH_TIMEOUT_MS }
    }
}

impl From<&FetchSettings> for FetchConfig {
    fn from(settings: &FetchSettings) -> Self {
        let FetchSettings { ca, allow_loopback, refresh_status: _ } = settings.clone();
        FetchConfig { ca, allow_loopback, ..FetchConfig::default() }
    }
}

/// What a thing is fetched as, which decides what is asked for and how large it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A credential, a presentation or a baked badge, which a user named by its URL.
    Credential,
    /// The DID document of a did:web.
    DidDocument,
    /// What is published about keys at an `https:` URL that is no DID's: a JWK, a JWK set, a controlled identifier document.
    Keys,
    /// A domain's DID configuration (`/.well-known/did-configuration.json`).
    DidConfiguration,
    /// A Bitstring status list credential.
    StatusList,
    /// A part of a hosted Open Badges 2.0 badge: assertion, badge class, issuer profile, revocation list.
    Badge,
}

impl Kind {
    /// The largest that is read, in bytes.
    pub fn bytes_max(self) -> usize {
        match self {
            Kind::StatusList => FETCH_STATUS_LIST_BYTES_MAX,
            Kind::Credential | Kind::DidDocument | Kind::Keys | Kind::DidConfiguration | Kind::Badge => {
                FETCH_BYTES_MAX
            }
        }
    }

    /// The media types that are asked for. Static file servers know none of them, so anything is taken.
    fn accept(self) -> &'static str {
        match self {
            Kind::Credential => {
                "application/vc, application/vp, application/vc+jwt, application/vp+jwt, application/dc+sd-jwt, \
                 application/ld+json, application/json, image/png;q=0.9, image/svg+xml;q=0.9, */*;q=0.1"
            }
            Kind::DidDocument => {
                "application/did, application/did+json, application/did+ld+json, application/json;q=0.9, */*;q=0.1"
            }
            Kind::Keys => {
                "application/jwk+json, application/jwk-set+json, application/cid, application/did, \
                 application/json;q=0.9, application/ld+json;q=0.9, */*;q=0.1"
            }
            Kind::StatusList => {
                "application/vc, application/vc+jwt, application/ld+json, application/json;q=0.9, */*;q=0.1"
            }
            Kind::DidConfiguration => "application/json, application/ld+json;q=0.9, */*;q=0.1",
            Kind::Badge => "application/ld+json, application/json;q=0.9, */*;q=0.1",
        }
    }

    /// What it is called among what is kept, and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Credential => "credential",
            Kind::DidDocument => "did-document",
            Kind::Keys => "keys",
            Kind::DidConfiguration => "did-configuration",
            Kind::StatusList => "status-list",
            Kind::Badge => "badge",
        }
    }
}

/// How old a kept copy may be that is returned without asking the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// Its greatest age in milliseconds; with 0 the server is always asked.
    pub max_age_ms: u64,
}

/// What was fetched, now or earlier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The body.
    pub bytes: Vec<u8>,
    /// When it was asked for; the document may have changed since.
    pub fetched: Timestamp,
    /// Whether it is a kept copy.
    pub from_cache: bool,
    /// The media type that the server named, in lower case and without parameters.
    pub content_type: Option<String>,
    /// For a copy older than was asked for: why there is nothing newer. Who judges by it says that it is stale.
    pub outage: Option<FetchError>,
}

impl Fetched {
    /// Its age in milliseconds.
    pub fn age_ms(&self, now: Timestamp) -> u64 {
        now.since_ms(self.fetched)
    }

    fn kept(entry: Entry, outage: Option<FetchError>) -> Self {
        let Entry { fetched, content_type, bytes } = entry;
        Fetched { bytes, fetched, from_cache: true, content_type, outage }
    }
}

/// Fetches, and keeps what it fetched. Clones share all they have.
#[derive(Clone, Debug)]
pub struct Fetcher {
    shared: Arc<Shared>,
    at_once: Arc<Semaphore>,
    /// Fetches over the network that are left; `None` for no bound.
    left: Option<Arc<AtomicUsize>>,
}

#[derive(Debug)]
struct Shared {
    client: Client,
    cache: Option<Cache>,
    allow_loopback: bool,
    offline: bool,
}

impl Fetcher {
    /// A fetcher that keeps copies in `cache_dir`, a private folder that it makes; or none.
    ///
    /// # Errors
    /// [`FetchError::Authorities`] when the file with certificates cannot be used.
    pub fn new(config: &FetchConfig, cache_dir: Option<PathBuf>) -> Result<Self, FetchError> {
        let shared = Shared {
            client: Client::new(config)?,
            cache: cache_dir.map(Cache::new),
            allow_loopback: config.allow_loopback,
            offline: config.offline,
        };
        let at_once = Arc::new(Semaphore::new(FETCHES_AT_ONCE_MAX));
        Ok(Fetcher { shared: Arc::new(shared), at_once, left: None })
    }

    /// The same for one verification, which makes at most [`FETCHES_PER_VERIFICATION_MAX`] fetches over the network.
    #[must_use]
    pub fn for_verification(&self) -> Self {
        let left = Some(Arc::new(AtomicUsize::new(FETCHES_PER_VERIFICATION_MAX)));
        Fetcher { left, ..self.clone() }
    }

    /// What `url` gives: a kept copy that is fresh enough, else what the server says now, else, when the server cannot
    /// be asked, an older copy with the reason in [`Fetched::outage`].
    ///
    /// # Errors
    /// Each [`FetchError`] but that of the settings.
    pub async fn get(&self, url: &str, kind: Kind, freshness: Freshness) -> Result<Fetched, FetchError> {
        self.get_telling(url, kind, freshness, || {}).await
    }

    /// The same, which calls `asking` before a server is asked.
    ///
    /// # Errors
    /// Each [`FetchError`] but that of the settings.
    pub async fn get_telling(
        &self,
        url: &str,
        kind: Kind,
        freshness: Freshness,
        asking: impl FnOnce(),
    ) -> Result<Fetched, FetchError> {
        let uri = url::parse(url, self.shared.allow_loopback)
            .map_err(|reason| FetchError::Url { url: error::shown(url), reason })?;
        let (shared, at) = (self.shared.clone(), uri.clone());
        let kept = blocking(move || Ok(shared.kept(&at, kind))).await?;
        let fresh = |entry: &Entry| now().since_ms(entry.fetched) <= freshness.max_age_ms;
        let kept = match kept {
            Some(entry) if freshness.max_age_ms > 0 && fresh(&entry) => {
                return Ok(Fetched::kept(entry, None));
            }
            kept => kept,
        };
        match (self.ask(uri, kind, asking).await, kept) {
            (Err(FetchError::Offline { url, .. }), Some(entry)) => {
                Ok(Fetched::kept(entry, Some(FetchError::Offline { url, kept: true })))
            }
            (Err(outage), Some(entry)) if outage.is_outage() => Ok(Fetched::kept(entry, Some(outage))),
            (result, _) => result,
        }
    }

    async fn ask(&self, uri: Uri, kind: Kind, asking: impl FnOnce()) -> Result<Fetched, FetchError> {
        if self.shared.offline {
            return Err(FetchError::Offline { url: uri.to_string(), kept: false });
        }
        // Of an address it is known beforehand; of a name only its resolution tells.
        if let Some((address, kind)) = self.shared.objection(&uri) {
            return Err(FetchError::Address { url: uri.to_string(), address, kind });
        }
        if let Some(left) = &self.left {
            let one_less =
                left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
            one_less.map_err(|_| FetchError::TooMany { url: uri.to_string() })?;
        }
        asking();
        let permit = self.at_once.clone().acquire_owned().await.map_err(|_| FetchError::Stopped)?;
        let shared = self.shared.clone();
        blocking(move || {
            // Held until the request has ended, also when nobody waits for it any more.
            let _permit = permit;
            shared.fetch(&uri, kind)
        })
        .await
    }
}

impl Shared {
    /// The address that a URL names and that is not connected to, and why.
    fn objection(&self, uri: &Uri) -> Option<(IpAddr, &'static str)> {
        let address = url::address_of(uri.host()?)?;
        let plain = uri.scheme_str() != Some("https");
        Some((address, resolver::objection(address, plain, self.allow_loopback)?))
    }

    fn kept(&self, uri: &Uri, kind: Kind) -> Option<Entry> {
        self.cache.as_ref()?.get(&uri.to_string(), kind, now())
    }

    fn fetch(&self, uri: &Uri, kind: Kind) -> Result<Fetched, FetchError> {
        let fetched = now();
        let client::Answer { bytes, content_type } = self.client.get(uri, kind)?;
        let entry = Entry { fetched, content_type, bytes };
        if let Some(cache) = &self.cache
            && let Err(e) = cache.put(&uri.to_string(), kind, &entry)
        {
            tracing::warn!("{uri} is not kept: {e}");
        }
        let Entry { fetched, content_type, bytes } = entry;
        Ok(Fetched { bytes, fetched, from_cache: false, content_type, outage: None })
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, FetchError> + Send + 'static,
) -> Result<T, FetchError> {
    spawn_blocking(work).await.unwrap_or(Err(FetchError::Stopped))
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix_ms(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
