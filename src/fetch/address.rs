//! Which addresses a fetch may connect to. Pure.
//!
//! A stranger chooses the URL, and with it what its name resolves to. What answers at an address of this machine or of
//! its own network often trusts whoever can reach it, so only addresses of the public internet are connected to. The
//! ranges are those that the IANA special-purpose address registries (RFC 6890) call not globally reachable.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where an address leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// To the public internet.
    Public,
    /// To this machine.
    Loopback,
    /// Somewhere that no URL of a stranger may lead to; what kind of place that is.
    Closed(&'static str),
}

impl Place {
    /// Where `address` leads.
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => of_v4(address),
            IpAddr::V6(address) => of_v6(address),
        }
    }
}

fn of_v4(address: Ipv4Addr) -> Place {
    match address.octets() {
        [127, ..] => Place::Loopback,
        [0, ..] => Place::Closed("unspecified"),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Place::Closed("private"),
        [100, 64..=127, ..] => Place::Closed("shared by a carrier's customers"),
        [169, 254, ..] => Place::Closed("link-local"),
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Place::Closed("for documentation"),
        [192, 0, 0, _] | [192, 88, 99, _] => Place::Closed("of a protocol"),
        [198, 18..=19, ..] => Place::Closed("for benchmarks"),
        [224..=239, ..] => Place::Closed("multicast"),
        [240..=255, ..] => Place::Closed("reserved"),
        _ => Place::Public,
    }
}

/// Forms that carry an IPv4 address lead where that leads. Of the rest only what is assigned for global unicast,
/// 2000::/3, without its parts that are not.
fn of_v6(address: Ipv6Addr) -> Place {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return of_v4(mapped);
    }
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Place::Closed("unspecified"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Place::Loopback,
        // NAT64 (RFC 6052) and 6to4 (RFC 3056): a translator connects, and its loopback is not ours.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => match of_v4(joined(high, low)) {
            Place::Loopback => Place::Closed("loopback"),
            place => place,
        },
        [0xfc00..=0xfdff, ..] => Place::Closed("private"),
        [0xfe80..=0xfebf, ..] => Place::Closed("link-local"),
        [0xff00..=0xffff, ..] => Place::Closed("multicast"),
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Place::Closed("for documentation"),
        [0x2001, 0..=0x1ff, ..] => Place::Closed("of a protocol"),
        [0x2000..=0x3fff, ..] => Place::Public,
        _ => Place::Closed("reserved"),
    }
}

fn joined(high: u16, low: u16) -> Ipv4Addr {
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[track_caller]
    fn check(expected: Place, addresses: &[&str]) {
        for address in addresses {
            assert_eq!(Place::of(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn addresses_lead_where_the_registries_say() {
        use Place::{Closed, Loopback, Public};
        check(Public, &["1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "223.255.255.255"]);
        check(Public, &["100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255"]);
        check(Public, &["126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0", "198.17.255.255"]);
        check(Public, &["192.0.1.0", "192.0.3.0", "192.88.98.1", "198.20.0.0", "203.0.112.1", "203.0.114.1"]);
        check(Loopback, &["127.0.0.1", "127.0.0.0", "127.255.255.255", "::1", "::ffff:127.0.0.1"]);
        check(Closed("unspecified"), &["0.0.0.0", "0.255.255.255", "::", "::ffff:0.0.0.0"]);
        check(Closed("private"), &["10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255"]);
        check(Closed("private"), &["192.168.0.1", "fc00::", "fd12:3456::1", "::ffff:10.0.0.1"]);
        check(Closed("private"), &["64:ff9b::10.0.0.1", "64:ff9b::192.168.1.1", "2002:ac10:1::"]);
        check(Closed("shared by a carrier's customers"), &["100.64.0.0", "100.127.255.255"]);
        check(Closed("link-local"), &["169.254.169.254", "fe80::1", "febf::1", "64:ff9b::169.254.169.254"]);
        check(Closed("for documentation"), &["192.0.2.1", "198.51.100.1", "203.0.113.1"]);
        check(
            Closed("for documentation"),
            &["2001:db8::1", "3fff::1", "3fff:fff:ffff::", "::ffff:192.0.2.1"],
        );
        check(Closed("of a protocol"), &["192.0.0.8", "192.88.99.1", "2001::1", "2001:1ff::", "2001:20::1"]);
        check(Closed("for benchmarks"), &["198.18.0.0", "198.19.255.255"]);
        check(Closed("multicast"), &["224.0.0.1", "239.255.255.255", "ff02::1", "::ffff:224.0.0.1"]);
        check(Closed("reserved"), &["240.0.0.1", "255.255.255.255", "64:ff9b:1::10.0.0.1", "100::1"]);
        check(Closed("reserved"), &["::127.0.0.1", "::2", "fec0::1", "5f00::1", "4000::", "1fff:ffff::"]);
        check(Closed("loopback"), &["64:ff9b::127.0.0.1", "2002:7f00:1::"]);
        check(Public, &["2606:4700:4700::1111", "2001:4860:4860::8888", "2001:200::1", "3fff:1000::1"]);
        check(Public, &["::ffff:1.1.1.1", "64:ff9b::1.1.1.1", "2002:101:101::", "2a00::", "2001:db9::"]);
    }
}
