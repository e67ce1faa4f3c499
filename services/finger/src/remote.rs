//! A server that we connect to: `host`, `host:port`, `[::1]`, `[::1]:port`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error as _};

/// A host's name or address, and its port if that is not the usual one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// As in a finger query: an IPv6 address stands in brackets.
    pub host: String,
    /// None: the usual port of the protocol.
    pub port: Option<u16>,
}

/// Why a text is no [`Remote`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no server, such as `irc.example.org`, `192.0.2.1:6667` or `[2001:db8::1]:6667`")]
pub struct NoRemote(String);

impl Remote {
    /// `host:port`, what a resolver and `connect` understand.
    pub(crate) fn with_port(&self, usual: u16) -> String {
        format!("{}:{}", self.host, self.port.unwrap_or(usual))
    }
}

impl FromStr for Remote {
    type Err = NoRemote;

    fn from_str(text: &str) -> Result<Remote, NoRemote> {
        let refused = || NoRemote(text.to_owned());
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (text, None),
        };
        let port = port.map(|port| port.parse().ok().filter(|&port| port != 0).ok_or_else(refused)).transpose()?;
        let host = crate::query::host(host).map_err(|_| refused())?;
        Ok(Remote { host, port })
    }
}

impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl<'de> Deserialize<'de> for Remote {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Remote, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Remote {
    fn schema_name() -> Cow<'static, str> {
        "Remote".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "host or host:port" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let check = |text: &str, full: Option<&str>| {
            let seen: Result<Remote, _> = text.parse();
            assert_eq!(seen.as_ref().ok().map(|remote| remote.with_port(6667)).as_deref(), full, "{text}");
            assert!(seen.is_err() || seen.is_ok_and(|remote| remote.to_string() == text));
        };
        check("irc.example.org", Some("irc.example.org:6667"));
        check("irc.example.org:7000", Some("irc.example.org:7000"));
        check("127.0.0.1:7000", Some("127.0.0.1:7000"));
        check("[::1]", Some("[::1]:6667"));
        check("[::1]:7000", Some("[::1]:7000"));
        check("::1", None);
        check("irc.example.org:0", None);
        check("irc.example.org:99999", None);
        check("irc.example.org:", None);
        check("irc example", None);
        check("", None);
    }
}
