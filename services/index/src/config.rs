//! The table `[index]`. What each key means and its default stand in `config/opsctl.toml`; here are its types, so that
//! a value that is accepted can be used, and one that is not is reported at its place.

mod name;

use std::collections::BTreeMap;
use std::time::Duration as Std;

use opsctl_config::{ConfigPath, Duration, Secret, Size};
use opsctl_http::Endpoints;
use schemars::JsonSchema;
use serde::de::{Deserialize, Deserializer, Error};

pub use self::name::{BadIndexName, IndexName};

/// The table `[index]`.
#[derive(Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the index is served.
    pub listen: Endpoints,
    /// Folder with the packages of the index `main`.
    pub root: Option<ConfigPath>,
    /// How often the whole folder is looked at.
    #[serde(deserialize_with = "rescan")]
    pub rescan: Duration,
    /// How long clients may use a project's page without asking.
    pub page_age: Duration,
    /// Largest file that is taken.
    pub max_file: Size,
    /// Token for uploads.
    pub upload_token: Option<Secret>,
    /// File that holds it.
    pub upload_token_file: Option<ConfigPath>,
    /// Further indexes, and what is different with `main`.
    #[serde(default)]
    pub indexes: BTreeMap<IndexName, IndexConfig>,
}

/// A table `[index.indexes.NAME]`.
#[derive(Debug, Default, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IndexConfig {
    /// Folder with its packages.
    pub root: Option<ConfigPath>,
    /// Whether a file may be replaced by another of the same name.
    #[serde(default)]
    pub volatile: bool,
    /// Whether uploads have to be what today's tools make.
    #[serde(default)]
    pub strict: bool,
}

/// A look costs little, but one without a pause would be all that a processor does.
fn rescan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let rescan = Duration::deserialize(deserializer)?;
    if (Std::from_millis(100)..=Std::from_secs(86_400)).contains(&rescan.get()) {
        Ok(rescan)
    } else {
        Err(D::Error::custom("expected between 100ms and 24h"))
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
        let set = set.split('\n').filter(|set| !set.is_empty()).map(|set| format!("index.{set}"));
        let (document, faults) = Sources::new(DEFAULTS, Path::new("/")).set(set).read();
        assert!(faults.is_empty(), "{faults:?}");
        document.table("index", &["enabled", "restart", "critical"])
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
        let table = DEFAULTS.split("\n[index]\n").nth(1).unwrap();
        for key in schema.get("properties").unwrap().as_object().unwrap().keys() {
            let stands = |line: &str| {
                let line = line.trim_start_matches("# ");
                line.starts_with(&format!("{key} = ")) || line.starts_with(&format!("[index.{key}."))
            };
            assert!(table.lines().any(stands), "{key}");
        }
    }

    #[test]
    fn what_is_taken() {
        check("root=packages\nrescan=1s\nmax_file=1GiB\nupload_token=secret", &[]);
        check("indexes.dev.root=dev\nindexes.dev.volatile=true\nindexes.main.volatile=true", &[]);
    }

    #[test]
    fn what_is_not() {
        check("rescan=1ms", &["expected between 100ms and 24h"]);
        check("indexes.Dev.volatile=true", &["`Dev` is no name for an index"]);
        check("indexes.simple.volatile=true", &["`simple` means something else"]);
        check("rot=packages", &["rot"]);
    }
}
