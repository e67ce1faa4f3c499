//! What a mirror is told, and the types of its keys.

use std::borrow::Cow;
use std::path::PathBuf;
use std::time::Duration;

use opsctl_fetch::Url;
use opsctl_fetch::documents::Rules;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error};

/// The keys of `[index.indexes.NAME]` that a mirror has; what each means stands at
/// [`IndexConfig`](crate::IndexConfig).
#[derive(Debug, Clone)]
pub(crate) struct MirrorConfig {
    pub(crate) url: UpstreamUrl,
    pub(crate) mode: Mode,
    pub(crate) rules: Rules,
    pub(crate) min_release_age: Duration,
    pub(crate) page_cache: u64,
    pub(crate) cache: u64,
    pub(crate) hosts: Vec<String>,
    pub(crate) origins: Vec<Url>,
    pub(crate) authorities: Option<PathBuf>,
    pub(crate) proxy: Option<Url>,
}

/// What is done with an upstream's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// They come through here, and are kept.
    #[default]
    Proxy,
    /// Clients are sent to the upstream for them.
    Redirect,
    /// The upstream is asked nothing.
    Off,
}

/// The address of an upstream's simple pages, or `pip`: the one that pip on this machine uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamUrl(Option<Url>);

impl UpstreamUrl {
    /// The address; None for pip's.
    pub(crate) fn get(&self) -> Option<&Url> {
        self.0.as_ref()
    }
}

impl<'de> Deserialize<'de> for UpstreamUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<UpstreamUrl, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "pip" {
            return Ok(UpstreamUrl(None));
        }
        // the text may hold a password: it is not repeated
        let url =
            parse(&text).ok_or_else(|| D::Error::custom("expected `pip`, or the http or https URL of simple pages"))?;
        Ok(UpstreamUrl(Some(url)))
    }
}

impl JsonSchema for UpstreamUrl {
    fn schema_name() -> Cow<'static, str> {
        "UpstreamUrl".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// An http or https URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpUrl(Url);

impl HttpUrl {
    pub(crate) fn get(&self) -> &Url {
        &self.0
    }
}

impl<'de> Deserialize<'de> for HttpUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<HttpUrl, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse(&text).map(HttpUrl).ok_or_else(|| D::Error::custom("expected an http or https URL"))
    }
}

impl JsonSchema for HttpUrl {
    fn schema_name() -> Cow<'static, str> {
        "HttpUrl".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "uri" })
    }
}

fn parse(text: &str) -> Option<Url> {
    Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}
