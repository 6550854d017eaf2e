//! Which addresses the server may connect to: everything public, and of the rest what the
//! configuration names.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// An entry of `[connectors] allow` that is no address, network or host name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no address, network (10.0.0.0/8) or host name")]
pub(crate) struct BadRule;

/// What the configuration allows beyond public addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reach {
    nets: Vec<(IpAddr, u8)>,
    hosts: BTreeSet<String>,
    loopback: bool,
}

impl Reach {
    /// Reads the entries of `[connectors] allow`: addresses, networks, host names. `loopback`
    /// says whether targets on this machine are allowed, which they are while the server itself
    /// listens on loopback only.
    ///
    /// # Errors
    /// The index of the first entry that is none of these.
    pub(crate) fn new(entries: &[String], loopback: bool) -> Result<Self, (usize, BadRule)> {
        let mut reach = Reach {
            loopback,
            ..Reach::default()
        };
        for (index, entry) in entries.iter().enumerate() {
            reach.add(entry).map_err(|bad| (index, bad))?;
        }
        Ok(reach)
    }

    fn add(&mut self, entry: &str) -> Result<(), BadRule> {
        let (address, bits) = match entry.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (entry, None),
        };
        if let Ok(address) = address.parse::<IpAddr>() {
            let widest = if address.is_ipv4() { 32 } else { 128 };
            let bits = bits.map_or(Ok(widest), str::parse).map_err(|_| BadRule)?;
            if bits > widest {
                return Err(BadRule);
            }
            self.nets.push((address, bits));
            return Ok(());
        }
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        if bits.is_some() || entry.is_empty() || !entry.chars().all(legal) {
            return Err(BadRule);
        }
        self.hosts.insert(entry.to_ascii_lowercase());
        Ok(())
    }

    /// Whether the server may connect to `address`, found under the name `host`.
    #[must_use]
    pub(crate) fn allows(&self, host: &str, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let named = self.hosts.contains(&host.to_ascii_lowercase())
            || self
                .nets
                .iter()
                .any(|(net, bits)| within(address, *net, *bits));
        named || is_public(address) || (self.loopback && address.is_loopback())
    }
}

fn within(address: IpAddr, net: IpAddr, bits: u8) -> bool {
    match (address, net) {
        (IpAddr::V4(a), IpAddr::V4(n)) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            a.to_bits() & mask == n.to_bits() & mask
        }
        (IpAddr::V6(a), IpAddr::V6(n)) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
            a.to_bits() & mask == n.to_bits() & mask
        }
        _ => false,
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let reserved = a == 0
        || a >= 224
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (b == 18 || b == 19));
    !(reserved
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_documentation())
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let [first, second, ..] = segments;
    let low = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    // Addresses that carry an IPv4 address lead where that one leads.
    if (first, second) == (0x64, 0xff9b) {
        return is_public_v4(low(segments[6], segments[7]));
    }
    if first == 0x2002 {
        return is_public_v4(low(second, segments[2]));
    }
    let global_unicast = first & 0xe000 == 0x2000;
    let special = first == 0x2001 && (second < 0x200 || second == 0xdb8);
    global_unicast && !special
}

/// None of the addresses of a name may be connected to.
#[derive(Debug, thiserror::Error)]
#[error("no allowed address")]
pub(super) struct Refused;

/// Resolves names as the system does and hands on only allowed addresses, so that the address
/// that was checked is the one that is connected to.
#[derive(Debug)]
pub(super) struct Resolver {
    reach: Arc<Reach>,
}

impl Resolver {
    pub(super) fn new(reach: Arc<Reach>) -> Self {
        Resolver { reach }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.reach.clone();
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found
                .filter(|address| reach.allows(&host, address.ip()))
                .collect();
            if allowed.is_empty() {
                return Err(Refused.into());
            }
            let addresses: Addrs = Box::new(allowed.into_iter());
            Ok(addresses)
        })
    }
}
