//! Which addresses are public, and name resolution that returns only those.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::Host;

use crate::policy::Hosts;

/// Resolves names to the addresses that a policy allows.
pub(crate) struct Resolver {
    pub(crate) hosts: Arc<Hosts>,
}

/// A name or an address that leads into a network.
#[derive(Debug, thiserror::Error)]
#[error("{address} is not a public address")]
pub(crate) struct NotPublic {
    pub(crate) address: IpAddr,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let hosts = Arc::clone(&self.hosts);
        Box::pin(async move {
            let name = name.as_str().to_ascii_lowercase();
            // The port is replaced by that of the URL.
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if hosts.trusts(&name) {
                return Ok(Box::new(found.into_iter()) as Addrs);
            }
            // A name with a public and a private address is refused as a whole: the next answer
            // of its name server could have the private one alone.
            match found.iter().map(SocketAddr::ip).find(|address| !hosts.allow(*address)) {
                Some(address) => Err(NotPublic { address }.into()),
                None => Ok(Box::new(found.into_iter()) as Addrs),
            }
        })
    }
}

/// Checks an address that is written in a URL: it is never resolved.
pub(crate) fn check_literal(hosts: &Hosts, host: &Host<&str>) -> Result<(), NotPublic> {
    let address = match host {
        Host::Domain(_) => return Ok(()),
        Host::Ipv4(address) => IpAddr::V4(*address),
        Host::Ipv6(address) => IpAddr::V6(*address),
    };
    if hosts.allow(address) || hosts.trusts(&host.to_string()) {
        Ok(())
    } else {
        Err(NotPublic { address })
    }
}

/// Whether an address is globally reachable by the IANA special-purpose registries
/// (RFC 6890, RFC 8190), and no other address is hidden in it.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = match a {
        // "This network", private use, loopback.
        0 | 10 | 127 => true,
        // Shared by the customers of a provider (RFC 6598).
        100 => b & 0xC0 == 64,
        // Link-local: the metadata services of clouds are here.
        169 => b == 254,
        172 => b & 0xF0 == 16,
        // Protocol assignments, documentation, 6to4 relays, private use.
        192 => matches!((b, c), (0, 0 | 2) | (88, 99) | (168, _)),
        // Benchmarks, documentation.
        198 => b & 0xFE == 18 || (b, c) == (51, 100),
        203 => (b, c) == (0, 113),
        // Multicast, reserved, broadcast.
        224.. => true,
        _ => false,
    };
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    // Global unicast is 2000::/3. This leaves out IPv4-mapped addresses and those of translators
    // (64:ff9b::/96), which reach IPv4 addresses.
    let is_global = first & 0xE000 == 0x2000;
    let is_special = match first {
        // Protocol assignments, with Teredo and ORCHID; documentation.
        0x2001 => second < 0x0200 || second == 0x0DB8,
        // 6to4: an IPv4 address is in it.
        0x2002 => true,
        // Documentation (RFC 9637).
        0x3FFF => second < 0x1000,
        _ => false,
    };
    is_global && !is_special
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_are(expected: bool, addresses: &[&str]) {
        for address in addresses {
            assert_eq!(is_public(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn addresses_of_the_registries() {
        all_are(
            false,
            &[
                "0.0.0.0",
                "10.1.2.3",
                "100.64.0.1",
                "100.127.255.255",
                "127.0.0.1",
                "127.8.9.10",
                "169.254.169.254",
                "172.16.0.1",
                "172.31.255.255",
                "192.0.0.8",
                "192.0.2.1",
                "192.88.99.1",
                "192.168.1.1",
                "198.18.0.1",
                "198.19.255.255",
                "198.51.100.7",
                "203.0.113.9",
                "224.0.0.1",
                "240.0.0.1",
                "255.255.255.255",
                "::",
                "::1",
                "::ffff:10.0.0.1",
                "::ffff:8.8.8.8",
                "64:ff9b::808:808",
                "100::1",
                "2001::1",
                "2001:10::1",
                "2001:db8::1",
                "2002:a00:1::1",
                "3fff::1",
                "fc00::1",
                "fd12::1",
                "fe80::1",
                "fec0::1",
                "ff02::1",
            ],
        );
        all_are(
            true,
            &[
                "1.1.1.1",
                "8.8.8.8",
                "100.63.255.255",
                "100.128.0.1",
                "169.253.0.1",
                "172.15.0.1",
                "172.32.0.1",
                "192.0.1.1",
                "192.1.0.1",
                "192.167.1.1",
                "198.17.0.1",
                "198.20.0.1",
                "203.0.112.1",
                "223.255.255.255",
                "2001:4860:4860::8888",
                "2606:4700::1111",
                "2a00:1450::1",
                "3ffe::1",
            ],
        );
    }
}
