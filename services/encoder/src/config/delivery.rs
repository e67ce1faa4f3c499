//! Values of the keys that delivery has.

use std::str::FromStr;

use http::uri::Authority;
use http::{HeaderValue, Method};
use opsctl_config::{ConfigPath, Secret};
use opsctl_fetch::Url;
use schemars::JsonSchema;
use serde::Deserialize;

/// A key that addresses are signed with.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UrlKey {
    /// Its name, which stands in addresses.
    pub kid: Kid,
    /// The secret itself.
    pub secret: Option<Secret>,
    /// The file that holds it.
    pub secret_file: Option<ConfigPath>,
}

/// The name of a key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct Kid(pub(crate) String);

impl TryFrom<String> for Kid {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Kid, &'static str> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        match (1..=32).contains(&text.len()) && text.bytes().all(allowed) {
            true => Ok(Kid(text)),
            false => Err("a key's name is 1 to 32 letters, digits, `-` and `_`"),
        }
    }
}

/// Where nginx has the folder of files, for itself alone.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct AccelPrefix(pub(crate) String);

impl TryFrom<String> for AccelPrefix {
    type Error = &'static str;

    fn try_from(text: String) -> Result<AccelPrefix, &'static str> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte);
        match text.starts_with('/') && text.ends_with('/') && text.bytes().all(allowed) {
            true => Ok(AccelPrefix(text)),
            false => Err("expected a path that begins and ends with `/`, as in `/protected/`"),
        }
    }
}

/// A cache before this service.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct PurgeUrl(pub(crate) Url);

impl TryFrom<String> for PurgeUrl {
    type Error = &'static str;

    fn try_from(text: String) -> Result<PurgeUrl, &'static str> {
        let url = Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        url.map(PurgeUrl).ok_or("expected http or https and a host, as in `http://cache:6081/`")
    }
}

/// The name under which clients know what is in a cache.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct PurgeHost(pub(crate) HeaderValue);

impl TryFrom<String> for PurgeHost {
    type Error = &'static str;

    fn try_from(text: String) -> Result<PurgeHost, &'static str> {
        let host = text.parse::<Authority>().ok().filter(|host| !host.as_str().contains('@'));
        let host = host.and_then(|host| HeaderValue::try_from(host.as_str()).ok());
        host.map(PurgeHost).ok_or("expected a host, with a port or without, as in `media.example.org`")
    }
}

/// The method of the request that takes something out of a cache.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct PurgeMethod(pub(crate) Method);

impl TryFrom<String> for PurgeMethod {
    type Error = &'static str;

    fn try_from(text: String) -> Result<PurgeMethod, &'static str> {
        Method::from_str(&text).map(PurgeMethod).map_err(|_| "expected a method, as in `PURGE`")
    }
}
