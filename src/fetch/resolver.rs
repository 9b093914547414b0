//! Names to addresses, of which only those are kept that may be connected to.
//!
//! ureq connects to the addresses that this returns and to no others, so a name that resolves to something else the next
//! moment gains nothing.

use std::net::IpAddr;

use ureq::{
    config::Config,
    http::Uri,
    unversioned::{
        resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver},
        transport::NextTimeout,
    },
};

use super::address::Place;

/// The system's resolver, and the rule of [`Place`].
#[derive(Debug)]
pub(super) struct GuardedResolver {
    /// Whether addresses of this machine may be connected to.
    allow_loopback: bool,
    system: DefaultResolver,
}

/// None of the host's addresses may be connected to.
#[derive(Debug, thiserror::Error)]
#[error("the address {address} is {kind}")]
pub(super) struct Refused {
    /// The first of them.
    pub address: IpAddr,
    /// What it is.
    pub kind: &'static str,
}

impl GuardedResolver {
    /// The system's resolver with the rule.
    pub fn new(allow_loopback: bool) -> Self {
        GuardedResolver { allow_loopback, system: DefaultResolver::default() }
    }
}

/// Why `address` is not connected to; `None` when it may be.
pub(super) fn objection(address: IpAddr, plain: bool, allow_loopback: bool) -> Option<&'static str> {
    match Place::of(address) {
        Place::Loopback if allow_loopback => None,
        Place::Loopback => Some("loopback"),
        Place::Public if plain => Some("not of this machine, to which alone http is spoken"),
        Place::Public => None,
        Place::Closed(kind) => Some(kind),
    }
}

impl Resolver for GuardedResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.system.resolve(uri, config, timeout)?;
        let plain = uri.scheme_str() != Some("https");
        let mut kept = self.empty();
        let mut refused = None;
        for address in &found {
            match objection(address.ip(), plain, self.allow_loopback) {
                None => kept.push(*address),
                Some(kind) => refused = refused.or(Some(Refused { address: address.ip(), kind })),
            }
        }
        match refused {
            Some(refused) if kept.is_empty() => Err(ureq::Error::Other(Box::new(refused))),
            _ => Ok(kept),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// The reason for which nothing is connected to; `None` when something is.
    fn refusal(url: &str, allow_loopback: bool) -> Option<&'static str> {
        let resolver = GuardedResolver::new(allow_loopback);
        match resolver.resolve(&url.parse().unwrap(), &Config::default(), NextTimeout::default()) {
            Ok(kept) => {
                assert!(!kept.is_empty());
                None
            }
            Err(ureq::Error::Other(e)) => Some(e.downcast::<Refused>().unwrap().kind),
            Err(e) => panic!("{url}: {e}"),
        }
    }

    #[test]
    fn what_a_name_resolves_to_decides() {
        for url in ["https://10.1.2.3/", "https://[::ffff:10.1.2.3]/", "https://[fd00::1]:8443/"] {
            assert_eq!(refusal(url, true), Some("private"), "{url}");
        }
        assert_eq!(refusal("https://169.254.169.254/latest/meta-data", true), Some("link-local"));
        assert_eq!(refusal("https://[fe80::1]/", true), Some("link-local"));
        assert_eq!(refusal("https://0.0.0.0/", true), Some("unspecified"));
        assert_eq!(refusal("https://1.1.1.1/", false), None);
        for url in ["https://localhost/", "https://127.0.0.1/", "https://[::1]/"] {
            assert_eq!(refusal(url, false), Some("loopback"), "{url}");
            assert_eq!(refusal(url, true), None, "{url}");
        }
    }

    #[test]
    fn other_spellings_of_an_address_are_no_way_around() {
        for url in ["https://2130706433/", "https://0x7f.1/", "https://0177.0.0.1/", "https://127.1/"] {
            let resolver = GuardedResolver::new(false);
            // Some systems take these for addresses, and others for names that nobody has.
            let found = resolver.resolve(&url.parse().unwrap(), &Config::default(), NextTimeout::default());
            assert!(found.is_err(), "{url}");
        }
    }

    #[test]
    fn http_is_spoken_to_this_machine_alone() {
        assert_eq!(refusal("http://127.0.0.1/", true), None);
        assert!(refusal("http://1.1.1.1/", true).unwrap().contains("http"));
    }
}
