//! What a fetcher may do.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use url::Host;

use crate::addresses::is_public;

/// What a [`Fetcher`](crate::Fetcher) may do.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Policy {
    /// The hosts that it connects to.
    pub hosts: Hosts,
    /// The limits of one answer.
    pub limits: Limits,
    /// The URL of a proxy for all requests. The proxy then resolves names, so the check of
    /// addresses sees only those that URLs contain; the proxy must refuse the others.
    pub proxy: Option<String>,
}

impl Policy {
    /// Public addresses only, with the default limits and without a proxy.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the hosts.
    #[must_use]
    pub fn hosts(mut self, hosts: Hosts) -> Self {
        self.hosts = hosts;
        self
    }

    /// Sets the limits.
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the proxy.
    #[must_use]
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Some(url.into());
        self
    }
}

/// The hosts that a fetcher connects to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hosts {
    /// Public addresses, and those that are allowed besides.
    Public {
        /// Hosts and networks that are not public
        besides: Allowed,
    },
    /// All addresses. Only where the addresses of evidence do not come from strangers.
    Any,
}

impl Default for Hosts {
    fn default() -> Self {
        Self::Public { besides: Allowed::default() }
    }
}

impl Hosts {
    /// Whether this host may have any address.
    pub(crate) fn trusts(&self, host: &str) -> bool {
        match self {
            Self::Public { besides } => besides.hosts.contains(host),
            Self::Any => true,
        }
    }

    /// Whether connections to this address are made, whatever its name is.
    pub(crate) fn allow(&self, address: IpAddr) -> bool {
        match self {
            Self::Public { besides } => {
                is_public(address) || besides.networks.iter().any(|net| net.contains(address))
            }
            Self::Any => true,
        }
    }
}

/// Hosts and networks that may be asked although their addresses are not public: the services of
/// a company, or of a test.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    hosts: BTreeSet<String>,
    networks: Vec<Network>,
}

impl Allowed {
    /// Nothing but public addresses.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a host by its name or address, as URLs write it and without a port, or a network as
    /// `10.0.0.0/8` or `fd00::/8`. A host may then have any address.
    ///
    /// # Errors
    /// [`NotAllowable`] if it is neither.
    pub fn add(&mut self, text: &str) -> Result<(), NotAllowable> {
        let wrong = || NotAllowable { text: text.to_owned() };
        if text.contains('/') {
            self.networks.push(Network::read(text).ok_or_else(wrong)?);
            return Ok(());
        }
        let host = match text.parse::<Ipv6Addr>() {
            Ok(address) => Host::Ipv6(address),
            Err(_) => Host::parse(text).map_err(|_| wrong())?,
        };
        self.hosts.insert(host.to_string());
        Ok(())
    }
}

/// Neither a host nor a network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is neither a host, such as ca.example or 127.0.0.1, nor a network, such as 10.0.0.0/8"
)]
pub struct NotAllowable {
    /// what was given
    pub text: String,
}

/// The addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    fn read(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/')?;
        let (address, bits) = (address.parse().ok()?, bits.parse().ok()?);
        let max = match address {
            IpAddr::V4(_) => 32,
            IpAddr::V6(_) => 128,
        };
        (bits <= max).then_some(Self { address, bits })
    }

    fn contains(self, address: IpAddr) -> bool {
        let start = |octets: &[u8]| {
            let all = octets.iter().fold(0_u128, |all, octet| (all << 8) | u128::from(*octet));
            let rest = u32::try_from(octets.len() * 8).unwrap_or_default() - self.bits;
            all.checked_shr(rest).unwrap_or_default()
        };
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => start(&own.octets()) == start(&other.octets()),
            (IpAddr::V6(own), IpAddr::V6(other)) => start(&own.octets()) == start(&other.octets()),
            _ => false,
        }
    }
}

/// The limits of one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The time until a connection is made.
    pub connect: Duration,
    /// The time until the answer is there as a whole.
    pub answer: Duration,
    /// The maximum length of an answer that is held in memory, in octets.
    pub held: u64,
    /// The maximum length of an answer that is written to a file, in octets. CRLs of tens of
    /// megabytes exist.
    pub length: u64,
    /// The maximum number of redirects.
    pub redirects: usize,
    /// The maximum number of tries of one request, where it can be repeated.
    pub tries: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(30),
            held: 1024 * 1024,
            length: 256 * 1024 * 1024,
            redirects: 3,
            tries: 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(texts: &[&str]) -> Hosts {
        let mut besides = Allowed::new();
        texts.iter().for_each(|text| besides.add(text).unwrap());
        Hosts::Public { besides }
    }

    #[test]
    fn networks_are_allowed_by_their_first_bits() {
        let hosts = allowed(&["10.0.0.0/8", "192.168.7.0/25", "fd12::/16", "127.0.0.1/32"]);
        for (address, expected) in [
            ("10.255.1.2", true),
            ("11.0.0.1", true),
            ("172.16.0.1", false),
            ("192.168.7.127", true),
            ("192.168.7.128", false),
            ("fd12:1::1", true),
            ("fd13::1", false),
            ("127.0.0.1", true),
            ("127.0.0.2", false),
            ("::ffff:10.0.0.1", false),
            ("8.8.8.8", true),
        ] {
            assert_eq!(hosts.allow(address.parse().unwrap()), expected, "{address}");
        }
        let everything = allowed(&["0.0.0.0/0"]);
        assert!(everything.allow("127.0.0.1".parse().unwrap()));
        assert!(!everything.allow("::1".parse().unwrap()));
    }

    #[test]
    fn hosts_are_allowed_as_urls_write_them() {
        let hosts = allowed(&["CA.Example", "::1", "[fd00::1]", "127.0.0.1"]);
        for host in ["ca.example", "[::1]", "[fd00::1]", "127.0.0.1"] {
            assert!(hosts.trusts(host), "{host}");
        }
        assert!(!hosts.trusts("example"));
        for wrong in ["", "a b", "10.0.0.0/33", "10.0.0/8", "/8", "::/129", "http://ca.example"] {
            let error = Allowed::new().add(wrong).unwrap_err();
            assert_eq!(error.text, wrong);
        }
    }
}
