//! Who asks, when a proxy asks in their name: the client's address and whether it came over TLS.
//!
//! Anybody can write `X-Forwarded-For`. It is believed only as far as the configuration says that a proxy of ours wrote
//! it, from the right, where the last proxy adds what it saw itself. `Forwarded` (RFC 7239) is not looked at: a proxy that
//! writes the one hands the other on as it came.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use http::{HeaderMap, HeaderName};
use opsctl_config::Scalar;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Peer;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// Proxies in a row; the rest is what the client made up.
const MAX_HOPS: usize = 16;

/// Among the extensions of every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Client {
    /// The one that the last trusted proxy saw. None on a unix socket, if no trusted proxy says otherwise.
    pub address: Option<IpAddr>,
    /// Did the request come over TLS, here or at the proxy? What cookies need to know.
    pub secure: bool,
}

impl Client {
    pub(crate) fn of(peer: Peer, is_tls: bool, headers: &HeaderMap, proxies: &[Proxy]) -> Self {
        let mut client = Self { address: peer.ip(), secure: is_tls };
        let trusted = |address| proxies.iter().any(|proxy| proxy.is(address));
        if proxies.is_empty() || !trusted(client.address) {
            return client;
        }
        if let Some(scheme) = elements(headers, &FORWARDED_PROTO).last() {
            client.secure = scheme.eq_ignore_ascii_case("https");
        }
        let hops: Vec<&str> = elements(headers, &FORWARDED_FOR).collect();
        for hop in hops.into_iter().rev().take(MAX_HOPS) {
            let Some(address) = address(hop) else { break };
            client.address = Some(address);
            if !trusted(client.address) {
                break;
            }
        }
        client
    }
}

fn elements<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

/// With or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().or_else(|_| text.parse().map(|address: SocketAddr| address.ip()));
    address.ok().map(|address| address.to_canonical())
}

/// A proxy whose word is believed: an address (`127.0.0.1`), a network (`10.0.0.0/8`), or `unix`, whoever connects to a
/// unix socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Proxy {
    /// A network, or a single address if `bits` are all of them.
    Network {
        /// Its first address.
        address: IpAddr,
        /// Leading bits that its addresses have in common.
        bits: u8,
    },
    /// A unix socket.
    Unix,
}

impl Proxy {
    /// None is the other end of a unix socket.
    fn is(&self, other: Option<IpAddr>) -> bool {
        match (self, other) {
            (Self::Unix, None) => true,
            (Self::Network { address: IpAddr::V4(address), bits }, Some(IpAddr::V4(other))) => {
                let differing = address.to_bits() ^ other.to_bits();
                differing.checked_shr(32 - u32::from((*bits).min(32))).unwrap_or(0) == 0
            }
            (Self::Network { address: IpAddr::V6(address), bits }, Some(IpAddr::V6(other))) => {
                let differing = address.to_bits() ^ other.to_bits();
                differing.checked_shr(128 - u32::from((*bits).min(128))).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

/// A text that is no proxy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither an address (`127.0.0.1`), nor a network (`10.0.0.0/8`), nor `unix`")]
pub struct NotAProxy(String);

impl FromStr for Proxy {
    type Err = NotAProxy;

    fn from_str(text: &str) -> Result<Self, NotAProxy> {
        let parse = || {
            if text == "unix" {
                return Some(Self::Unix);
            }
            let (address, bits) = match text.split_once('/') {
                Some((address, bits)) => (address, Some(bits.parse().ok()?)),
                None => (text, None),
            };
            let address: IpAddr = address.parse().ok()?;
            let most = if address.is_ipv4() { 32 } else { 128 };
            let bits: u8 = bits.unwrap_or(most);
            let network = Self::Network { address, bits };
            // bits behind the network's own are a slip
            let is_first = |host: u32, all: u128| host >= 128 || all.trailing_zeros() >= host || all == 0;
            let host = u32::from(most.checked_sub(bits)?);
            let all = match address {
                IpAddr::V4(address) => u128::from(address.to_bits()),
                IpAddr::V6(address) => address.to_bits(),
            };
            is_first(host, all).then_some(network)
        };
        parse().ok_or_else(|| NotAProxy(text.into()))
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix => f.write_str("unix"),
            Self::Network { address, bits } if *bits == if address.is_ipv4() { 32 } else { 128 } => address.fmt(f),
            Self::Network { address, bits } => write!(f, "{address}/{bits}"),
        }
    }
}

impl<'de> Deserialize<'de> for Proxy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Scalar(text) = Scalar::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl Serialize for Proxy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Proxy {
    fn schema_name() -> Cow<'static, str> {
        "Proxy".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A proxy whose word about its clients is believed: an address, a network, or `unix` for \
                            whoever connects to a unix socket.",
            "type": "string",
            "minLength": 1,
            "examples": ["127.0.0.1", "10.0.0.0/8", "fd00::/8", "unix"],
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    const UNIX: &str = "unix";

    /// Who asks, as `address` or `address tls`.
    #[track_caller]
    fn check(proxies: &[&str], peer: &str, headers: &[(&'static str, &str)], expected: &str) {
        let proxies: Vec<Proxy> = proxies.iter().map(|proxy| proxy.parse().unwrap()).collect();
        let peer = match peer {
            UNIX => Peer::Unix { pid: 1, uid: 0, gid: 0 },
            address => Peer::Tcp(SocketAddr::new(address.parse().unwrap(), 9)),
        };
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let Client { address, secure } = Client::of(peer, false, &map, &proxies);
        let address = address.map_or(UNIX.into(), |address| address.to_string());
        assert_eq!(format!("{address}{}", if secure { " tls" } else { "" }), expected, "{proxies:?} {headers:?}");
    }

    const FOR: &str = "x-forwarded-for";
    const PROTO: &str = "x-forwarded-proto";

    #[test]
    fn nobody_is_believed() {
        check(&[], "192.0.2.1", &[(FOR, "198.51.100.1"), (PROTO, "https")], "192.0.2.1");
        check(&["10.0.0.0/8"], "192.0.2.1", &[(FOR, "198.51.100.1"), (PROTO, "https")], "192.0.2.1");
        check(&["127.0.0.1"], UNIX, &[(FOR, "198.51.100.1")], UNIX);
    }

    #[test]
    fn proxies_are_believed() {
        check(&["127.0.0.1"], "127.0.0.1", &[(FOR, "198.51.100.1"), (PROTO, "https")], "198.51.100.1 tls");
        check(&["127.0.0.1"], "127.0.0.1", &[(FOR, "198.51.100.1"), (PROTO, "http")], "198.51.100.1");
        check(&["unix"], UNIX, &[(FOR, "2001:db8::1")], "2001:db8::1");
        check(&["127.0.0.1"], "127.0.0.1", &[], "127.0.0.1");
        for (text, address) in [
            ("198.51.100.1:80", "198.51.100.1"),
            ("[2001:db8::1]:80", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("::ffff:198.51.100.1", "198.51.100.1"),
        ] {
            check(&["127.0.0.1"], "127.0.0.1", &[(FOR, text)], address);
        }
    }

    #[test]
    fn only_as_far_as_they_go() {
        let proxies = &["127.0.0.1", "10.0.0.0/8"];
        check(proxies, "127.0.0.1", &[(FOR, "1.1.1.1, 198.51.100.1, 10.1.2.3")], "198.51.100.1");
        check(proxies, "127.0.0.1", &[(FOR, "1.1.1.1"), (FOR, "198.51.100.1"), (FOR, "10.1.2.3")], "198.51.100.1");
        check(proxies, "127.0.0.1", &[(FOR, "10.1.2.3, 10.1.2.4")], "10.1.2.3");
        check(proxies, "127.0.0.1", &[(FOR, "1.1.1.1, unknown, 10.1.2.3")], "10.1.2.3");
        check(proxies, "127.0.0.1", &[(FOR, "")], "127.0.0.1");
        check(proxies, "127.0.0.1", &[(PROTO, "https, http")], "127.0.0.1");
        let long = format!("1.1.1.1, {}", ["10.0.0.1"; 20].join(", "));
        check(proxies, "127.0.0.1", &[(FOR, &long)], "10.0.0.1");
    }

    #[track_caller]
    fn is(proxy: &str, other: &str, expected: bool) {
        let proxy: Proxy = proxy.parse().unwrap();
        assert_eq!(proxy.is(Some(other.parse().unwrap())), expected, "{proxy} {other}");
    }

    #[test]
    fn networks() {
        is("10.0.0.0/8", "10.255.255.255", true);
        is("10.0.0.0/8", "11.0.0.0", false);
        is("0.0.0.0/0", "255.1.2.3", true);
        is("0.0.0.0/0", "::1", false);
        is("192.0.2.1", "192.0.2.1", true);
        is("192.0.2.1", "192.0.2.0", false);
        is("::/0", "2001:db8::1", true);
        is("2001:db8::/32", "2001:db8:ffff::", true);
        is("2001:db8::/32", "2001:db9::", false);
        is("192.0.2.128/25", "192.0.2.200", true);
        is("192.0.2.128/25", "192.0.2.100", false);
    }

    #[test]
    fn texts() {
        for text in ["127.0.0.1", "10.0.0.0/8", "::1", "fd00::/8", "unix", "0.0.0.0/0", "::/0"] {
            assert_eq!(text.parse::<Proxy>().unwrap().to_string(), text);
        }
        assert_eq!("127.0.0.1/32".parse::<Proxy>().unwrap().to_string(), "127.0.0.1");
        for text in ["", "localhost", "127.0.0.1/33", "10.0.0.1/8", "127.0.0.1/", "127.0.0.1:80", "fd00::1/8", "Unix"] {
            let error = text.parse::<Proxy>().unwrap_err().to_string();
            assert!(error.contains("10.0.0.0/8"), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_can_be_read(bits in 0u8..=32, address in any::<u32>()) {
            let first = address & u32::MAX.checked_shl(u32::from(32 - bits)).unwrap_or(0);
            let proxy = Proxy::Network { address: IpAddr::V4(first.into()), bits };
            assert_eq!(proxy.to_string().parse(), Ok(proxy));
            assert!(proxy.is(Some(IpAddr::V4(address.into()))));
        }
    }
}
