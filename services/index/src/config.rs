//! The table `[index]`. What each key means and its default stand in `config/opsctl.toml`; here are its types, so that
//! a value that is accepted can be used, and one that is not is reported at its place.

mod name;

use std::collections::BTreeMap;
use std::time::Duration as Std;

use opsctl_config::{ConfigPath, Duration, Size};
use opsctl_fetch::documents::Rules;
use opsctl_http::{Endpoints, Proxy};
use schemars::JsonSchema;
use serde::de::{Deserialize, Deserializer, Error};

pub use self::name::{BadIndexName, IndexName};
use crate::mirror::{HttpUrl, MirrorConfig, Mode, UpstreamUrl};

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
    /// Whether reading needs no login.
    pub anonymous: bool,
    /// Where clients reach the index.
    pub url: Option<HttpUrl>,
    /// Proxies whose word about their clients is believed.
    pub proxies: Vec<Proxy>,
    /// Further indexes, and what is different with `main`.
    #[serde(default, deserialize_with = "indexes")]
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
    /// Indexes in which it looks after itself, in this order.
    #[serde(default)]
    pub bases: Vec<IndexName>,
    /// The upstream that it mirrors, instead of having files of its own.
    pub url: Option<UpstreamUrl>,
    /// What is done with the upstream's files.
    #[serde(default)]
    pub mode: Mode,
    /// How long a page is used without asking.
    pub fresh: Option<Duration>,
    /// How long it is believed that there is no such project.
    pub missing: Option<Duration>,
    /// How long a page is used while the upstream is away.
    pub stale: Option<Duration>,
    /// How long an upstream that is away is not asked again.
    pub retry: Option<Duration>,
    /// Younger files do not exist yet.
    pub min_release_age: Option<Duration>,
    /// Bytes of pages that are kept.
    pub page_cache: Option<Size>,
    /// Bytes of files that are kept.
    pub cache: Option<Size>,
    /// Hosts that files may come from; any public one if there is none.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Further servers that are trusted like the upstream: they may be private, and without TLS.
    #[serde(default)]
    pub origins: Vec<HttpUrl>,
    /// Certificate authorities to believe besides the system's.
    pub authorities: Option<ConfigPath>,
    /// Proxy for all that is asked.
    pub proxy: Option<HttpUrl>,
}

impl IndexConfig {
    fn is_told_of_an_upstream(&self) -> bool {
        let durations = [self.fresh, self.missing, self.stale, self.retry, self.min_release_age];
        durations.iter().any(Option::is_some)
            || [self.page_cache, self.cache].iter().any(Option::is_some)
            || !(self.hosts.is_empty() && self.origins.is_empty())
            || self.authorities.is_some()
            || self.proxy.is_some()
            || self.mode != Mode::default()
    }

    /// What is said of a mirror, if it is one that is on.
    pub(crate) fn mirror(&self) -> Option<MirrorConfig> {
        let of = |given: Option<Duration>, seconds| given.map_or(Std::from_secs(seconds), Duration::get);
        Some(MirrorConfig {
            url: self.url.clone().filter(|_| self.mode != Mode::Off)?,
            mode: self.mode,
            rules: Rules {
                fresh: of(self.fresh, 600),
                missing: of(self.missing, 60),
                stale: of(self.stale, 24 * 3600),
                retry: of(self.retry, 30),
                limit: opsctl_dist::simple::PAGE_MAX as u64,
            },
            min_release_age: of(self.min_release_age, 0),
            page_cache: self.page_cache.map_or(1 << 30, Size::bytes),
            cache: self.cache.map_or(20 << 30, Size::bytes),
            hosts: self.hosts.clone(),
            origins: self.origins.iter().map(|url| url.get().clone()).collect(),
            authorities: self.authorities.clone().map(ConfigPath::into_path_buf),
            proxy: self.proxy.as_ref().map(|url| url.get().clone()),
        })
    }
}

/// What makes no sense together is told when it is read, and not when it is used.
fn indexes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<IndexName, IndexConfig>, D::Error> {
    let indexes = BTreeMap::<IndexName, IndexConfig>::deserialize(deserializer)?;
    let mut bases: BTreeMap<_, _> = indexes.iter().map(|(name, index)| (name.clone(), index.bases.clone())).collect();
    bases.entry(IndexName::main()).or_default();
    crate::routes::order(&bases).map_err(D::Error::custom)?;
    for (name, index) in &indexes {
        let with_files = index.root.is_some() || index.volatile || !index.bases.is_empty();
        if index.url.is_some() && (with_files || name.is_main()) {
            return Err(D::Error::custom(format!(
                "`{name}` has a `url`: a mirror has no files and no bases of its own"
            )));
        }
        if index.url.is_none() && index.is_told_of_an_upstream() {
            return Err(D::Error::custom(format!("`{name}` has keys of a mirror, but no `url`")));
        }
    }
    Ok(indexes)
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
        let (table, indexes) = table.split_once("\n[index.indexes]\n").unwrap();
        let keys = |schema: &schemars::Schema| {
            schema.get("properties").unwrap().as_object().unwrap().keys().cloned().collect::<Vec<_>>()
        };
        for key in keys(&schema).iter().filter(|key| *key != "indexes") {
            let stands = |line: &str| line.trim_start_matches("# ").starts_with(&format!("{key} = "));
            assert!(table.lines().any(stands), "{key}");
        }
        for key in keys(&schemars::schema_for!(IndexConfig)) {
            let stands =
                |line: &str| ["# dev.", "# public."].iter().any(|start| line.starts_with(&format!("{start}{key} = ")));
            assert!(indexes.lines().any(stands), "{key}");
        }
    }

    #[test]
    fn what_is_taken() {
        check("root=packages\nrescan=1s\nmax_file=1GiB\nanonymous=false", &[]);
        check("indexes.public.url=pip\nindexes.main.bases=[\"public\"]\nindexes.public.min_release_age=24h", &[]);
        check("indexes.dev.root=dev\nindexes.dev.volatile=true\nindexes.main.volatile=true", &[]);
    }

    #[test]
    fn what_is_not() {
        check("rescan=1ms", &["expected between 100ms and 24h"]);
        check("indexes.Dev.volatile=true", &["`Dev` is no name for an index"]);
        check("indexes.simple.volatile=true", &["`simple` means something else"]);
        check("rot=packages", &["rot"]);
        check("indexes.main.bases=[\"public\"]", &["the base `public` of the index `main` does not exist"]);
        check("indexes.a.bases=[\"b\"]\nindexes.b.bases=[\"a\"]", &["the index `a` is a base of itself"]);
        check("indexes.public.url=ftp://h/", &["expected `pip`, or the http or https URL"]);
        check("indexes.public.url=pip\nindexes.public.volatile=true", &["a mirror has no files"]);
        check("indexes.public.fresh=1m", &["keys of a mirror, but no `url`"]);
    }
}
