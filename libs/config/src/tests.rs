//! The crate as its users see it: layers in, values or faults out.

mod any;
mod broken;
mod faults;
mod hidden;
mod layers;
mod schema;
mod show;
mod words;

use crate::{Based, ConfigPath, Document, Duration, Fault, Many, Mode, Scalar, Secret, Size, Sources};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;

/// The defaults of a service with a key of every kind.
pub(crate) const DEFAULTS: &str = r#"
[host]
user = "nobody"
[finger]
listen = ["0.0.0.0:79", "[::]:79"]
file = "/etc/users"
timeout = "10s"
limit = "1MiB"
max = 100
ratio = 0.5
list = true
forward = []
kind = "plain"
[finger.irc]
nick = "fingerbot"
port = 6667
"#;

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
pub(crate) struct Host {
    pub(crate) user: String,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
pub(crate) struct Finger {
    pub(crate) listen: Many<Address>,
    pub(crate) file: ConfigPath,
    pub(crate) templates: Option<ConfigPath>,
    pub(crate) timeout: Duration,
    pub(crate) limit: Size,
    pub(crate) max: u16,
    pub(crate) ratio: f64,
    pub(crate) list: bool,
    pub(crate) forward: Vec<String>,
    pub(crate) kind: Kind,
    pub(crate) mode: Option<Mode>,
    pub(crate) password: Option<Secret>,
    pub(crate) dsn: Option<Secret>,
    pub(crate) irc: Irc,
    #[serde(default)]
    pub(crate) indexes: BTreeMap<String, Index>,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
pub(crate) struct Irc {
    pub(crate) nick: String,
    pub(crate) port: u16,
    pub(crate) password: Option<Secret>,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
pub(crate) struct Index {
    pub(crate) url: String,
    pub(crate) timeout: Option<Duration>,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    Plain,
    VeryFancy,
    Custom { name: String },
}

/// A socket's address, for which a port alone will do.
#[derive(Debug, PartialEq, JsonSchema)]
#[schemars(transparent)]
pub(crate) struct Address(#[schemars(with = "Scalar")] pub(crate) SocketAddr);

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Based::<Scalar>::deserialize(deserializer)?.value.0;
        let address = text.parse().or_else(|_| format!("[::]:{text}").parse());
        address.map(Self).map_err(|_| serde::de::Error::custom(format!("expected an address, found `{text}`")))
    }
}

/// What the layers are given.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layers<'a> {
    pub(crate) file: &'a str,
    pub(crate) env: &'a [(&'a str, &'a str)],
    pub(crate) set: &'a [&'a str],
    pub(crate) options: &'a [(&'a str, &'a str, &'a [&'a str])],
}

impl Layers<'_> {
    pub(crate) fn sources(&self) -> Sources {
        let words = |words: &[&str]| words.iter().map(OsString::from).collect();
        let sources = Sources::new(DEFAULTS, Path::new("/srv"))
            .file(Path::new("/etc/opsctl.toml"), self.file)
            .env(self.env.iter().map(|(name, value)| (name.into(), value.into())))
            .set(self.set.iter().map(|item| (*item).to_owned()));
        self.options.iter().fold(sources, |sources, (key, flag, values)| sources.option(key, flag, words(values)))
    }

    /// The tables, or all faults.
    pub(crate) fn read(&self) -> Result<(Host, Finger, Document), Vec<Fault>> {
        read(self.sources())
    }
}

/// Compares all faults as they are printed.
#[track_caller]
pub(crate) fn check_faults(layers: &Layers<'_>, expected: &str) {
    check_sources(layers.sources(), expected);
}

#[track_caller]
pub(crate) fn check_sources(sources: Sources, expected: &str) {
    let faults = read(sources).map(|_| ()).expect_err("no fault");
    let found = faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n");
    assert_eq!(found.trim_end(), expected.trim(), "found:\n{found}\n");
}

pub(crate) fn read(sources: Sources) -> Result<(Host, Finger, Document), Vec<Fault>> {
    let (document, mut faults) = sources.read();
    faults.extend(document.unknown_tables(&["host", "finger"]));
    let host = document.table::<Host>("host", &[]).map_err(|more| faults.extend(more));
    let finger = document.table::<Finger>("finger", &["enabled"]).map_err(|more| faults.extend(more));
    match (host, finger) {
        (Ok(host), Ok(finger)) if faults.is_empty() => Ok((host, finger, document)),
        _ => Err(faults),
    }
}
