//! The table `[finger]`. What each key means and its default stand in `config/opsctl.toml`; here are its types, so that
//! a value that is accepted can be used, and one that is not is reported at its place.

use std::num::NonZeroU32;
use std::time::Duration as Std;

use opsctl_config::{ConfigPath, Duration, Many, Secret};
use opsctl_http::{Endpoint, Endpoints};
use schemars::JsonSchema;
use serde::de::{Deserialize, Deserializer, Error};

use crate::policy::Field;
use crate::remote::Remote;

/// The table `[finger]`.
#[derive(Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where finger queries are answered.
    pub listen: Endpoints,
    /// Users file.
    pub file: ConfigPath,
    /// Folder with templates that replace the built-in ones.
    pub templates: Option<ConfigPath>,
    /// Where web pages and XML-RPC are served; empty for nowhere.
    pub web: Endpoints,
    /// Whether they are served on `https` as well.
    pub ssl: bool,
    /// Where, with TLS.
    #[serde(deserialize_with = "with_tls")]
    pub https: Endpoints,
    /// Where Perspective Broker is served.
    pub pbport: Option<Endpoint>,
    /// Server for the IRC bot to join.
    pub ircserver: Option<Remote>,
    /// The bot's nick.
    #[serde(deserialize_with = "nick")]
    pub ircnick: String,
    /// The IRC server's password.
    pub ircpassword: Option<Secret>,
    /// File that holds it.
    pub ircpassword_file: Option<ConfigPath>,
    /// Whether one may ask for the list of users.
    pub list: bool,
    /// What `/W` discloses.
    pub detail: Many<Field>,
    /// Folder with a plan per user.
    pub plans: Option<ConfigPath>,
    /// Servers that queries are forwarded to.
    pub forward: Many<Remote>,
    /// Most hosts in a query that is forwarded.
    pub forward_hops: u16,
    /// How long a client may take over its query, and over each piece of its answer.
    #[serde(deserialize_with = "timeout")]
    pub timeout: Duration,
    /// Most connections at a time, at each door.
    pub max_connections: NonZeroU32,
}

/// A missing certificate must not turn into a page in the clear.
fn with_tls<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Endpoints, D::Error> {
    let endpoints = Endpoints::deserialize(deserializer)?;
    match endpoints.iter().find(|endpoint| endpoint.tls().is_none()) {
        Some(clear) => Err(D::Error::custom(format!("`{clear}` is without TLS, expected `tls:{clear}?cert=…&key=…`"))),
        None => Ok(endpoints),
    }
}

/// RFC 1459 section 2.3.1.
fn nick<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let nick = String::deserialize(deserializer)?;
    let special = |c: char| "[]\\`_^{|}".contains(c);
    let first = nick.starts_with(|c: char| c.is_ascii_alphabetic() || special(c));
    if first && nick.len() <= 64 && nick.chars().all(|c| c.is_ascii_alphanumeric() || special(c) || c == '-') {
        Ok(nick)
    } else {
        Err(D::Error::custom("expected a nick: letters, digits and -[]\\`_^{|}, a digit or `-` not first"))
    }
}

fn timeout<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let timeout = Duration::deserialize(deserializer)?;
    if (Std::from_millis(10)..=Std::from_secs(3600)).contains(&timeout.get()) {
        Ok(timeout)
    } else {
        Err(D::Error::custom("expected between 10ms and 1h"))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::path::Path;

    use opsctl_config::{Fault, Sources};

    use super::*;

    const DEFAULTS: &str = include_str!("../../../config/opsctl.toml");

    /// The defaults with `set`, a line `key=value` each.
    pub(crate) fn config(set: &str) -> Result<Config, Vec<Fault>> {
        let set = set.split('\n').filter(|set| !set.is_empty()).map(|set| format!("finger.{set}"));
        let (document, faults) = Sources::new(DEFAULTS, Path::new("/")).set(set).read();
        assert!(faults.is_empty(), "{faults:?}");
        document.table("finger", &["enabled", "restart", "critical"])
    }

    /// `said` is a part of each fault.
    fn check(set: &str, said: &[&str]) {
        let faults: Vec<_> = config(set).err().unwrap_or_default().iter().map(ToString::to_string).collect();
        assert_eq!(faults.len(), said.len(), "{faults:#?}");
        faults.iter().zip(said).for_each(|(fault, said)| assert!(fault.contains(said), "{fault}"));
    }

    #[test]
    fn the_defaults_are_a_configuration() {
        check("", &[]);
    }

    #[test]
    fn every_key_stands_in_the_defaults() {
        let schema = schemars::schema_for!(Config);
        let table = DEFAULTS.split("\n[finger]\n").nth(1).unwrap();
        for key in schema.get("properties").unwrap().as_object().unwrap().keys() {
            assert!(table.lines().any(|line| line.trim_start_matches("# ").starts_with(&format!("{key} = "))), "{key}");
        }
    }

    #[test]
    fn what_is_taken() {
        check("listen=7979\npbport=8889\nircserver=irc.example.org:6697\nforward=[\"h1\", \"127.0.0.2:7979\"]", &[]);
        check("web=127.0.0.1:8000\nssl=true\nhttps=tls:8443?cert=a&key=b\ndetail=[\"status\"]\nplans=plans", &[]);
    }

    #[test]
    fn what_is_not() {
        check("https=8443", &["`8443` is without TLS"]);
        check("ircnick=1st", &["expected a nick"]);
        check("timeout=0s", &["expected between 10ms and 1h"]);
        check("max_connections=0", &["zero"]);
        check("detail=[\"shoe size\"]\nforward=a b", &["shoe size", "`a b` is no server"]);
        check("lsiten=79", &["lsiten"]);
    }
}
