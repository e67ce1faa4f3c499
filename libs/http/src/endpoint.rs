//! Where a service listens, as one text in every table and option: `127.0.0.1:8000`, `[::]:8000`, `8000`,
//! `unix:/path?mode=660`, `systemd:NAME`, `tls:ADDRESS?cert=…&key=…`.
//!
//! A value of these types is checked text and nothing more: no name is looked up, no file is touched, nothing is bound
//! before [`Endpoint::bind`].

mod decode;
mod parse;

use std::ffi::OsStr;
use std::fmt;
use std::net::{Ipv6Addr, SocketAddr};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

pub use parse::EndpointError;

/// The bits that `mode=` may set: read, write, execute for owner, group and others.
const MODE_BITS: u32 = 0o777;

/// One address to listen on, in the clear or under TLS.
///
/// `Display` gives the canonical text, and parsing that gives an equal value. In paths and names a byte may stand as
/// `%` and two hexadecimal digits; `%`, `?`, `&` and control characters have to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    address: Address,
    tls: Option<Pair>,
}

/// What an [`Endpoint`] is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Address {
    /// `127.0.0.1:8000`, `[::]:8000`: this address and no other; an IPv6 one takes no IPv4 connections.
    Tcp(SocketAddr),
    /// `8000`: the port on every address, IPv6 and IPv4 in one socket, IPv4 alone where there is no IPv6.
    Any(u16),
    /// `unix:PATH?mode=660`. A relative path starts from the folder of the file that it is written in.
    Unix {
        /// The socket's file.
        path: PathBuf,
        /// Its permissions; without it they follow from the umask.
        mode: Option<u32>,
    },
    /// `systemd:NAME`: the sockets passed under that name (`FileDescriptorName=`, sd_listen_fds(3)).
    Systemd(String),
}

/// A certificate chain and its private key, both PEM files.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pair {
    /// The chain, the server's own certificate first.
    pub cert: PathBuf,
    /// The private key: PKCS #8, PKCS #1 or SEC 1, not encrypted.
    pub key: PathBuf,
}

impl Endpoint {
    /// Listens on `address`, in the clear.
    #[must_use]
    pub fn new(address: Address) -> Self {
        Self { address, tls: None }
    }

    /// Listens on the socket file `path` with the permissions `mode` (octal, as in `0o660`).
    #[must_use]
    pub fn unix(path: impl Into<PathBuf>, mode: u32) -> Self {
        Self::new(Address::Unix { path: path.into(), mode: Some(mode & MODE_BITS) })
    }

    /// The same address under TLS.
    #[must_use]
    pub fn with_tls(self, pair: Pair) -> Self {
        Self { tls: Some(pair), ..self }
    }

    /// What it is bound to.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Where certificate and key are, if it speaks TLS.
    #[must_use]
    pub fn tls(&self) -> Option<&Pair> {
        self.tls.as_ref()
    }

    /// The TCP address to listen on, and to connect to once the port is the real one. None for sockets that have no
    /// address of their own (unix, systemd).
    #[must_use]
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        match self.address {
            Address::Tcp(address) => Some(address),
            Address::Any(port) => Some((Ipv6Addr::UNSPECIFIED, port).into()),
            Address::Unix { .. } | Address::Systemd(_) => None,
        }
    }

    /// Joins relative paths (of the socket, the certificate, the key) to `base`.
    #[must_use]
    pub fn resolve(mut self, base: &Path) -> Self {
        let join = |path: &mut PathBuf| *path = base.join(&*path);
        if let Address::Unix { path, .. } = &mut self.address {
            join(path);
        }
        if let Some(Pair { cert, key }) = &mut self.tls {
            join(cert);
            join(key);
        }
        self
    }
}

impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Self {
        Self::new(Address::Tcp(address))
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        parse::endpoint(text)
    }
}

/// The address alone, without mode: `127.0.0.1:8000`, `unix:/run/x.sock`.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Any(port) => port.fmt(f),
            Self::Unix { path, .. } => write!(f, "unix:{}", Encoded(path.as_os_str())),
            Self::Systemd(name) => write!(f, "systemd:{}", Encoded(OsStr::new(name))),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, tls } = self;
        let scheme = if tls.is_some() { "tls:" } else { "" };
        write!(f, "{scheme}{address}")?;
        let mut separator = '?';
        if let Address::Unix { mode: Some(mode), .. } = address {
            write!(f, "?mode={mode:o}")?;
            separator = '&';
        }
        match tls {
            Some(Pair { cert, key }) => {
                write!(f, "{separator}cert={}&key={}", Encoded(cert.as_os_str()), Encoded(key.as_os_str()))
            }
            None => Ok(()),
        }
    }
}

/// A path or name as it stands in an endpoint. Control characters are always escaped: the text goes to terminals.
struct Encoded<'a>(&'a OsStr);

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.as_bytes().utf8_chunks() {
            for c in chunk.valid().chars() {
                if matches!(c, '%' | '?' | '&') || c.is_control() {
                    c.encode_utf8(&mut [0; 4]).bytes().try_for_each(|byte| write!(f, "%{byte:02X}"))?;
                } else {
                    write!(f, "{c}")?;
                }
            }
            chunk.invalid().iter().try_for_each(|byte| write!(f, "%{byte:02X}"))?;
        }
        Ok(())
    }
}

/// What a `listen` key holds: one endpoint or a list of them, possibly empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Endpoints(pub Vec<Endpoint>);

impl Endpoints {
    /// One after the other.
    pub fn iter(&self) -> std::slice::Iter<'_, Endpoint> {
        self.0.iter()
    }

    /// Is there nothing to listen on?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Endpoint> for Endpoints {
    fn from(endpoint: Endpoint) -> Self {
        Self(vec![endpoint])
    }
}

impl FromIterator<Endpoint> for Endpoints {
    fn from_iter<I: IntoIterator<Item = Endpoint>>(endpoints: I) -> Self {
        Self(endpoints.into_iter().collect())
    }
}

impl IntoIterator for Endpoints {
    type Item = Endpoint;
    type IntoIter = std::vec::IntoIter<Endpoint>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Endpoints {
    type Item = &'a Endpoint;
    type IntoIter = std::slice::Iter<'a, Endpoint>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// A single one; a list is the configuration's to write.
impl FromStr for Endpoints {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        text.parse::<Endpoint>().map(Self::from)
    }
}

impl fmt::Display for Endpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().enumerate().try_for_each(|(i, endpoint)| {
            let separator = if i == 0 { "" } else { ", " };
            write!(f, "{separator}{endpoint}")
        })
    }
}

#[cfg(test)]
mod tests;
