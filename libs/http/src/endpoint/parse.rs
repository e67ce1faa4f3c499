//! Reading an endpoint's text. Whatever the text, the answer is an endpoint or a fault that says what to write instead;
//! memory is bounded by the length of the text, and that by [`MAX_LEN`].

use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use super::{Address, Endpoint, MODE_BITS, Pair};

/// Three paths of the longest kind (`PATH_MAX` is 4096) fit, each byte of them escaped.
const MAX_LEN: usize = 3 * 3 * 4096;
/// The longest name of a passed socket (systemd.socket(5), `FileDescriptorName=`).
const MAX_NAME: usize = 255;
/// How much of a text a fault repeats, in characters.
const SHOWN: usize = 200;

/// Why a text is no endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// There is no text.
    #[error("the endpoint is empty, expected for instance `127.0.0.1:8000`")]
    Empty,
    /// Longer than any endpoint has reason to be.
    #[error("the endpoint is {0} bytes long, at most {MAX_LEN} are taken")]
    TooLong(usize),
    /// Neither an address with a port nor one of the other kinds.
    #[error(
        "`{text}` is no endpoint: {why}; expected `127.0.0.1:8000`, `[::]:8000`, `8000`, `unix:/path?mode=660`, \
         `systemd:NAME` or `tls:ADDRESS?cert=…&key=…`"
    )]
    Address {
        /// The text, shortened.
        text: String,
        /// What is wrong with it and, where that can be told, what to write instead.
        why: &'static str,
    },
    /// A path or name that cannot be one.
    #[error("the {what} in the endpoint {why}")]
    Value {
        /// "path", "name", "value of `cert`" …
        what: &'static str,
        /// "is empty", "has a NUL in it" …
        why: &'static str,
    },
    /// A parameter that this kind of endpoint does not have.
    #[error("unknown parameter `{name}` in the endpoint, expected {expected}")]
    Unknown {
        /// As written, shortened.
        name: String,
        /// Those it has.
        expected: &'static str,
    },
    /// A parameter that stands there twice.
    #[error("the parameter `{0}` stands twice in the endpoint")]
    Twice(&'static str),
    /// TLS without one of its two files.
    #[error("an endpoint with `tls:` needs both `cert=FILE` and `key=FILE`, found no `{0}`")]
    Missing(&'static str),
    /// `mode=` with something else than permissions.
    #[error("expected file permissions in octal such as `660` for `mode`, found `{0}`")]
    Mode(String),
}

/// See [`Endpoint`].
pub(super) fn endpoint(text: &str) -> Result<Endpoint, EndpointError> {
    match text.len() {
        0 => return Err(EndpointError::Empty),
        len if len > MAX_LEN => return Err(EndpointError::TooLong(len)),
        _ => {}
    }
    let (tls, rest) = match text.strip_prefix("tls:") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (place, query) = match rest.split_once('?') {
        Some((place, query)) => (place, Some(query)),
        None => (rest, None),
    };
    let mut address = address(place, text)?;
    let unix = matches!(address, Address::Unix { .. });
    let Query { mode: bits, cert, key } = Query::read(query, unix, tls)?;
    if let Address::Unix { mode, .. } = &mut address {
        *mode = bits;
    }
    let pair = match (tls, cert, key) {
        (false, ..) => None,
        (true, Some(cert), Some(key)) => Some(Pair { cert, key }),
        (true, None, _) => return Err(EndpointError::Missing("cert")),
        (true, _, None) => return Err(EndpointError::Missing("key")),
    };
    Ok(Endpoint { address, tls: pair })
}

/// The part before the query. `text` is the whole, for the fault.
fn address(place: &str, text: &str) -> Result<Address, EndpointError> {
    if let Some(path) = place.strip_prefix("unix:") {
        return Ok(Address::Unix { path: path_value("path", path)?, mode: None });
    }
    if let Some(name) = place.strip_prefix("systemd:") {
        return name_value(name).map(Address::Systemd);
    }
    if let Ok(address) = place.parse::<SocketAddr>() {
        return Ok(Address::Tcp(address));
    }
    let digits = !place.is_empty() && place.bytes().all(|byte| byte.is_ascii_digit());
    match place.parse::<u16>() {
        Ok(port) if digits => Ok(Address::Any(port)),
        _ => Err(EndpointError::Address { text: shown(text), why: complaint(place, digits) }),
    }
}

/// What is wrong with a text that is no address.
fn complaint(place: &str, digits: bool) -> &'static str {
    let (host, port) = place.rsplit_once(':').unwrap_or((place, ""));
    if digits || port.parse::<u64>().is_ok_and(|port| port > u16::MAX.into()) {
        "a port is at most 65535"
    } else if place.starts_with("tls:") {
        "`tls:` stands twice"
    } else if place.contains("://") {
        "it is a URL, and what is wanted is an address"
    } else if place.starts_with('/') || place.starts_with('.') {
        "a unix socket is written `unix:PATH`"
    } else if host.is_empty() || host == "*" {
        "all addresses are written as the bare port"
    } else if place.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() {
        "the port is missing, or an IPv6 address is not in brackets"
    } else if port.is_empty() {
        "the port is missing"
    } else if host.contains(':') && !host.starts_with('[') {
        "an IPv6 address stands in brackets"
    } else if host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')) {
        "names are not looked up, and the port is a number"
    } else {
        "it is no address with a port"
    }
}

/// The parameters, each at most once.
#[derive(Default)]
struct Query {
    mode: Option<u32>,
    cert: Option<PathBuf>,
    key: Option<PathBuf>,
}

impl Query {
    /// `unix` has a mode, `tls` has cert and key.
    fn read(query: Option<&str>, unix: bool, tls: bool) -> Result<Self, EndpointError> {
        let mut found = Self::default();
        let Some(query) = query else { return Ok(found) };
        for parameter in query.split('&') {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            match name {
                "mode" if unix => once("mode", &mut found.mode, mode(value)?)?,
                "cert" if tls => once("cert", &mut found.cert, path_value("value of `cert`", value)?)?,
                "key" if tls => once("key", &mut found.key, path_value("value of `key`", value)?)?,
                _ => return Err(EndpointError::Unknown { name: shown(name), expected: parameters(unix, tls) }),
            }
        }
        Ok(found)
    }
}

fn parameters(unix: bool, tls: bool) -> &'static str {
    match (unix, tls) {
        (true, true) => "`mode`, `cert` or `key`",
        (true, false) => "`mode`",
        (false, true) => "`cert` or `key`",
        (false, false) => "none (`cert` and `key` need `tls:` in front)",
    }
}

fn once<T>(name: &'static str, slot: &mut Option<T>, value: T) -> Result<(), EndpointError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(EndpointError::Twice(name)),
    }
}

fn mode(value: &str) -> Result<u32, EndpointError> {
    let octal = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    let bits = u32::from_str_radix(value, 8).ok().filter(|bits| octal && *bits <= MODE_BITS);
    bits.ok_or_else(|| EndpointError::Mode(shown(value)))
}

fn path_value(what: &'static str, text: &str) -> Result<PathBuf, EndpointError> {
    decoded(what, text).map(|bytes| OsString::from_vec(bytes).into())
}

/// ASCII without control characters and `:` (sd_listen_fds_with_names(3)).
fn name_value(text: &str) -> Result<String, EndpointError> {
    let invalid = |why| EndpointError::Value { what: "name", why };
    let name = String::from_utf8(decoded("name", text)?).map_err(|_| invalid("is not ASCII"))?;
    match name.bytes().any(|byte| !matches!(byte, b' '..=b'~') || byte == b':') {
        true => Err(invalid("has something else in it than printable ASCII without `:`")),
        false if name.len() > MAX_NAME => Err(invalid("is longer than 255 bytes")),
        false => Ok(name),
    }
}

/// `text` with `%XX` turned into the byte. Neither empty nor with a NUL.
fn decoded(what: &'static str, text: &str) -> Result<Vec<u8>, EndpointError> {
    let invalid = |why| EndpointError::Value { what, why };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let byte = match byte {
            b'%' => {
                let mut digit = || rest.next().and_then(hex);
                match (digit(), digit()) {
                    (Some(high), Some(low)) => high << 4 | low,
                    _ => return Err(invalid("has a `%` without two hexadecimal digits; a `%` itself is `%25`")),
                }
            }
            byte => byte,
        };
        bytes.push(byte);
    }
    match bytes.as_slice() {
        [] => Err(invalid("is empty")),
        bytes if bytes.contains(&0) => Err(invalid("has a NUL in it")),
        _ => Ok(bytes),
    }
}

fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// The beginning of `text`, fit for one line of a terminal.
fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}
