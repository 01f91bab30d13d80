//! The address guard: which addresses requests may go to.
//!
//! It looks at the addresses that a name resolves to, at the moment of connecting, so that a name that
//! changes its address between two look-ups gains nothing.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use crate::error::{ErrorKind, Outcome, UpstreamError};

/// Resolves names and drops the addresses that are not public, unless all are allowed.
pub(crate) struct GuardedResolver {
    pub(crate) allow_private: bool,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            let allowed: Vec<SocketAddr> = found
                .into_iter()
                .filter(|address| allow_private || is_public(address.ip()))
                .collect();
            if allowed.is_empty() {
                return Err(Refused { host }.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// A name has no address that is allowed.
#[derive(Debug)]
pub(crate) struct Refused {
    host: String,
}

impl Refused {
    /// Finds this error among the causes of another.
    pub(crate) fn among_causes<'a>(mut error: &'a (dyn std::error::Error + 'static)) -> Option<&'a Self> {
        loop {
            if let Some(refused) = error.downcast_ref::<Self>() {
                return Some(refused);
            }
            error = error.source()?;
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "the host `{}` is at a loopback, private or reserved address; \
             if that is intended, start the gateway with --allow-private-upstreams",
            self.host
        )
    }
}

impl std::error::Error for Refused {}

impl From<&Refused> for UpstreamError {
    fn from(refused: &Refused) -> Self {
        Self::new(ErrorKind::AddressRefused, Outcome::NotSent, refused.to_string())
    }
}

/// Checks a host that is written as an address: no name is resolved for it.
pub(crate) fn check_literal(url: &Url, allow_private: bool) -> Result<(), UpstreamError> {
    let address: IpAddr = match url.host() {
        Some(Host::Ipv4(address)) => address.into(),
        Some(Host::Ipv6(address)) => address.into(),
        Some(Host::Domain(_)) | None => return Ok(()),
    };
    if allow_private || is_public(address) {
        return Ok(());
    }
    Err((&Refused {
        host: address.to_string(),
    })
        .into())
}

/// Whether an address is one of the public internet's, by the IANA special-purpose registries.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, d] = address.octets();
    !matches!(
        (a, b, c, d),
        (0 | 10 | 127, _, _, _)
            | (100, 64..=127, _, _)      // carrier-grade NAT
            | (168, 63, 129, 16)         // Azure's platform address
            | (169, 254, _, _)           // link-local, the metadata address among them
            | (172, 16..=31, _, _)
            | (192, 0, 0 | 2, _)         // protocol assignments, documentation
            | (192, 88, 99, _)           // 6to4 relays
            | (192, 168, _, _)
            | (198, 18 | 19, _, _)       // benchmarks
            | (198, 51, 100, _)
            | (203, 0, 113, _)
            | (224..=255, _, _, _) // multicast, reserved, broadcast
    )
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let embedded = || {
        let [high, low] = [g.to_be_bytes(), h.to_be_bytes()];
        is_public_v4(Ipv4Addr::new(high[0], high[1], low[0], low[1]))
    };
    match (a, b) {
        // IPv4-mapped, and NAT64 with its well-known prefix: the IPv4 address inside counts.
        (0, 0) if (c, d, e, f) == (0, 0, 0, 0xffff) => embedded(),
        (0x0064, 0xff9b) if (c, d, e, f) == (0, 0, 0, 0) => embedded(),
        // Teredo and other protocol assignments, documentation, 6to4.
        (0x2001, 0..=0x01ff | 0x0db8) | (0x2002, _) | (0x3fff, 0..=0x0fff) => false,
        // Everything public is inside 2000::/3. Unique-local, link-local, multicast, loopback and
        // IPv4-compatible addresses are outside.
        _ => (0x2000..=0x3fff).contains(&a),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_no_public_network_are_refused() {
        for text in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.0.1",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
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
            "::127.0.0.1",
            "::8.8.8.8",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:0808:0808::1",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn addresses_of_the_public_internet_are_allowed() {
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.255.255",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2001:4860::8888",
        ] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }
}
