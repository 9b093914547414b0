//! Why something could not be fetched.

use std::{net::IpAddr, path::PathBuf};

use knackmesh_protocol::limits::{FETCH_REDIRECTS_MAX, FETCHES_PER_VERIFICATION_MAX, SHOWN_TEXT_BYTES_MAX};

/// Why something could not be fetched. URLs in it are printable, or were made so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The URL is none that is fetched.
    #[error("{url} is not fetched: {reason}")]
    Url {
        /// The URL.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The host's name leads to addresses that are not connected to.
    #[error("{url} is not fetched: the address {address} is {kind}")]
    Address {
        /// The URL.
        url: String,
        /// The first of the host's addresses.
        address: IpAddr,
        /// What kind of address it is.
        kind: &'static str,
    },
    /// The server sends elsewhere, to what is not fetched.
    #[error("{url} redirects to what is not fetched ({to}): {reason}")]
    Redirect {
        /// The URL.
        url: String,
        /// Where it leads.
        to: String,
        /// What is wrong with that.
        reason: &'static str,
    },
    /// The server sends elsewhere, and so on.
    #[error("{url} redirects more than {FETCH_REDIRECTS_MAX} times")]
    Redirects {
        /// The URL.
        url: String,
    },
    /// It took too long.
    #[error("{url} did not answer within {ms} ms")]
    Timeout {
        /// The URL.
        url: String,
        /// The time it had.
        ms: u64,
    },
    /// There is no such name, or nothing answers there.
    #[error("{url} is not reached: {reason}")]
    Unreachable {
        /// The URL.
        url: String,
        /// What the system said.
        reason: String,
    },
    /// The server does not prove that it is the host.
    #[error("{url} is not trusted: {reason}")]
    Certificate {
        /// The URL.
        url: String,
        /// What is wrong with the certificate.
        reason: String,
    },
    /// The server answered with no document.
    #[error("{url} answered with status {status}")]
    Status {
        /// The URL.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// The answer is larger than what is read.
    #[error("{url} answered with more than {max} bytes")]
    TooLarge {
        /// The URL.
        url: String,
        /// The bound.
        max: usize,
    },
    /// The answer is compressed, though that was not asked for.
    #[error("{url} answered in the encoding {encoding}, which was not asked for")]
    Encoded {
        /// The URL.
        url: String,
        /// The encoding.
        encoding: String,
    },
    /// The answer is no HTTP that is understood.
    #[error("{url} answered what is not understood: {reason}")]
    Answer {
        /// The URL.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Offline.
    #[error("{url} is not fetched: knack is offline{}", if *.kept { "" } else { ", and no copy of it is kept" })]
    Offline {
        /// The URL.
        url: String,
        /// Whether there is a copy, which then stands in.
        kept: bool,
    },
    /// One verification asks for too much.
    #[error("{url} is not fetched: this verification has made {FETCHES_PER_VERIFICATION_MAX} fetches")]
    TooMany {
        /// The URL.
        url: String,
    },
    /// The file with extra certificates cannot be used.
    #[error("{path}: {reason}", path = path.display())]
    Authorities {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The program is ending.
    #[error("the fetch was broken off")]
    Stopped,
}

impl FetchError {
    /// A name for the kind of failure, which stays.
    pub fn code(&self) -> &'static str {
        match self {
            FetchError::Url { .. } => "url",
            FetchError::Address { .. } => "address",
            FetchError::Redirect { .. } => "redirect",
            FetchError::Redirects { .. } => "redirects",
            FetchError::Timeout { .. } => "timeout",
            FetchError::Unreachable { .. } => "unreachable",
            FetchError::Certificate { .. } => "certificate",
            FetchError::Status { .. } => "status",
            FetchError::TooLarge { .. } => "too-large",
            FetchError::Encoded { .. } => "encoded",
            FetchError::Answer { .. } => "answer",
            FetchError::Offline { .. } => "offline",
            FetchError::TooMany { .. } => "too-many",
            FetchError::Authorities { .. } => "authorities",
            FetchError::Stopped => "stopped",
        }
    }

    /// What to try.
    pub fn hint(&self) -> &'static str {
        match self {
            FetchError::Url { .. } => {
                "give an https URL; one of this machine needs `allow_loopback = true` under [fetch]"
            }
            FetchError::Address { kind: "loopback", .. } => {
                "write `allow_loopback = true` under [fetch] in config.toml if this machine is meant"
            }
            FetchError::Address { .. } => "fetch it by other means if you trust it, and give knack the file",
            FetchError::Redirect { .. } | FetchError::Redirects { .. } => "ask its host for the final URL",
            FetchError::Timeout { .. } => "try again; its server is slow, or does not answer",
            FetchError::Unreachable { .. } => "check the URL and your connection, and try again",
            FetchError::Certificate { .. } => {
                "check the URL; name the authority's certificate under [fetch] as `ca` in config.toml if you trust it"
            }
            FetchError::Status { status: 404 | 410, .. } => {
                "check the URL; its host no longer has it, or never had"
            }
            FetchError::Status { status: 400..500, .. } => {
                "check the URL; its host does not give it to everybody"
            }
            FetchError::Status { .. } => "try again later; its server has a fault",
            FetchError::TooLarge { .. } => "check the URL; no document of its kind is that large",
            FetchError::Encoded { .. } | FetchError::Answer { .. } => {
                "tell its host; its server breaks HTTP's rules"
            }
            FetchError::Offline { .. } => "leave out --offline",
            FetchError::TooMany { .. } => "verify fewer credentials at once",
            FetchError::Authorities { .. } => {
                "name a PEM file with certificates as `ca` under [fetch] in config.toml"
            }
            FetchError::Stopped => "try again",
        }
    }

    /// Whether it says nothing of the document itself, so that an older copy is still the best that is known.
    pub(super) fn is_outage(&self) -> bool {
        match self {
            FetchError::Status { status, .. } => matches!(status, 408 | 429 | 500..),
            FetchError::Timeout { .. }
            | FetchError::Unreachable { .. }
            | FetchError::Certificate { .. }
            | FetchError::Answer { .. }
            | FetchError::Offline { .. }
            | FetchError::TooMany { .. }
            | FetchError::Stopped => true,
            FetchError::Url { .. }
            | FetchError::Address { .. }
            | FetchError::Redirect { .. }
            | FetchError::Redirects { .. }
            | FetchError::TooLarge { .. }
            | FetchError::Encoded { .. }
            | FetchError::Authorities { .. } => false,
        }
    }
}

/// What a stranger wrote, as it is shown: short, and in ASCII that a terminal shows as it is.
pub(super) fn shown(text: &str) -> String {
    let printable = |c: char| if c == ' ' || c.is_ascii_graphic() { c } else { '?' };
    text.chars().take(SHOWN_TEXT_BYTES_MAX).map(printable).collect()
}
