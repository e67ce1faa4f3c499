//! The table `[auth]`. What each key means and its default stand in `config/opsctl.toml`; here are its types.

use std::borrow::Cow;
use std::num::NonZeroU32;
use std::time::Duration as Std;

use opsctl_config::{Duration, Many};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error};

use crate::oidc::OidcSettings;
use crate::rights::Scope;
use crate::throttle::Rule;

/// The table `[auth]`.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// What everybody may, logged in or not.
    pub anonymous: Many<Scope>,
    /// Where people reach the pages of this program.
    pub url: Option<SiteUrl>,
    /// Name of the cookie that says who is logged in.
    #[serde(deserialize_with = "cookie")]
    pub cookie: String,
    /// A session ends when it was not used for so long.
    #[serde(deserialize_with = "session")]
    pub session_idle: Duration,
    /// A session ends at this age, used or not.
    #[serde(deserialize_with = "session")]
    pub session_max: Duration,
    /// How long the link of an invitation works.
    #[serde(deserialize_with = "session")]
    pub invite_expiry: Duration,
    /// Wrong passwords for one account before further attempts have to wait.
    pub throttle_after: NonZeroU32,
    /// The first wait.
    pub throttle_delay: Duration,
    /// The longest wait.
    #[serde(deserialize_with = "longest")]
    pub throttle_delay_max: Duration,
    /// A provider elsewhere by which people can log in as well.
    pub oidc: Option<OidcSettings>,
    /// How long it is not looked up again who a token or a session belongs to.
    #[serde(deserialize_with = "cache")]
    pub cache: Duration,
}

impl Settings {
    pub(crate) fn rule(&self) -> Rule {
        let Self { throttle_after, throttle_delay, throttle_delay_max, .. } = self;
        Rule { free: throttle_after.get(), delay: throttle_delay.get(), most: throttle_delay_max.get() }
    }
}

/// Scheme, host and perhaps a port: `https://packages.example.org`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteUrl(String);

impl SiteUrl {
    /// Without a slash at the end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is reached over TLS.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.0.starts_with("https://")
    }
}

impl<'de> Deserialize<'de> for SiteUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let text = text.strip_suffix('/').unwrap_or(&text);
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let host =
            |rest: &&str| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b));
        match rest.filter(host) {
            Some(_) => Ok(Self(text.to_owned())),
            None => Err(D::Error::custom("expected scheme and host alone, such as `https://packages.example.org`")),
        }
    }
}

impl JsonSchema for SiteUrl {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "SiteUrl".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": r"^https?://[A-Za-z0-9.:\[\]-]+/?$" })
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Scope {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Scope".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "examples": ["*:read", "index/main/acme-*:read,upload"] })
    }
}

/// RFC 6265 section 4.1.1: a token, of which a few letters will do.
fn cookie<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if (1..=40).contains(&name.len()) && name.bytes().all(plain) && !name.starts_with("__") {
        Ok(name)
    } else {
        Err(D::Error::custom("expected 1 to 40 letters, digits, `_` and `-`; `__` not first"))
    }
}

fn session<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    within(deserializer, Std::from_secs(60), Std::from_secs(400 * 86_400), "expected between 1m and 400d")
}

fn longest<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    within(deserializer, Std::from_secs(1), Std::from_secs(86_400), "expected between 1s and 1d")
}

fn cache<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    within(deserializer, Std::ZERO, Std::from_secs(60), "expected between 0s and 60s")
}

fn within<'de, D: Deserializer<'de>>(
    deserializer: D,
    least: Std,
    most: Std,
    expected: &'static str,
) -> Result<Duration, D::Error> {
    let duration = Duration::deserialize(deserializer)?;
    if (least..=most).contains(&duration.get()) { Ok(duration) } else { Err(D::Error::custom(expected)) }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::path::Path;

    use opsctl_config::{Fault, Sources};

    use super::*;

    const DEFAULTS: &str = include_str!("../../../config/opsctl.toml");

    /// The defaults with `set`, a line `key=value` each.
    pub(crate) fn settings(set: &str) -> Result<Settings, Vec<Fault>> {
        let set = set.split('\n').filter(|set| !set.is_empty()).map(|set| format!("auth.{set}"));
        let (document, faults) = Sources::new(DEFAULTS, Path::new("/")).set(set).read();
        assert!(faults.is_empty(), "{faults:?}");
        document.table("auth", &[])
    }

    /// `said` is a part of each fault.
    #[track_caller]
    fn check(set: &str, said: &[&str]) {
        let faults: Vec<_> = settings(set).err().unwrap_or_default().iter().map(ToString::to_string).collect();
        assert_eq!(faults.len(), said.len(), "{faults:#?}");
        faults.iter().zip(said).for_each(|(fault, said)| assert!(fault.contains(said), "{fault}"));
    }

    #[test]
    fn the_defaults_are_a_configuration() {
        check("", &[]);
        assert_eq!(settings("").unwrap().anonymous.0, ["*:read".parse().unwrap()]);
    }

    #[test]
    fn every_key_stands_in_the_defaults() {
        let schema = schemars::schema_for!(Settings);
        let table = DEFAULTS.split("\n[auth]\n").nth(1).unwrap();
        for key in schema.get("properties").unwrap().as_object().unwrap().keys() {
            // a key, or a table of keys
            let starts = [format!("{key} = "), format!("{key}.")];
            let stands = |line: &str| starts.iter().any(|start| line.trim_start_matches("# ").starts_with(start));
            assert!(table.lines().any(stands), "{key}");
        }
        let oidc = schemars::schema_for!(OidcSettings);
        for key in oidc.get("properties").unwrap().as_object().unwrap().keys() {
            assert!(table.lines().any(|line| line.starts_with(&format!("# oidc.{key} = "))), "oidc.{key}");
        }
    }

    #[test]
    fn what_is_taken() {
        check("anonymous=[]\nurl=https://packages.example.org/\ncache=0s", &[]);
        check("anonymous=[\"index/main:read\", \"finger:read\"]\nurl=http://127.0.0.1:8080", &[]);
        assert_eq!(settings("url=https://a:8443/").unwrap().url.unwrap().as_str(), "https://a:8443");
    }

    #[test]
    fn what_is_not() {
        check("anonymous=index", &["expected a scope"]);
        check("anonymous=index:write", &["`write` is no action"]);
        check("url=packages.example.org", &["expected scheme and host"]);
        check("url=https://", &["expected scheme and host"]);
        check("url=https://a/b", &["expected scheme and host"]);
        check("url=https://u@a", &["expected scheme and host"]);
        check("cookie=__Host-x", &["`__` not first"]);
        check("cookie=\"a b\"", &["expected 1 to 40"]);
        check("session_idle=1s\nsession_max=500d", &["between 1m and 400d", "between 1m and 400d"]);
        check("throttle_after=0", &["zero"]);
        check("throttle_delay_max=2d\ncache=5m", &["between 1s and 1d", "between 0s and 60s"]);
        check("coookie=a", &["coookie"]);
    }
}
