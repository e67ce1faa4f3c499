//! The table `[encoder]`. What each key means and its default stand in `config/opsctl.toml`; here are its types, so that
//! a value that is accepted can be used, and one that is not is reported at its place.

use std::collections::BTreeMap;

use opsctl_auth::Name;
use opsctl_config::{ConfigPath, Duration, Many, Secret, Size};
use opsctl_fetch::Url;
use opsctl_http::{Endpoints, Proxy};
use schemars::JsonSchema;
use serde::de::{Deserialize, Deserializer, Error};

pub(crate) use self::delivery::{AccelPrefix, PurgeHost, PurgeMethod, PurgeUrl, UrlKey};
use crate::limits::Limits;
use crate::profile::{self, DEFAULTS, Profiles};

mod delivery;

/// The table `[encoder]`.
#[derive(Debug, Clone, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where pages, API and results are served.
    pub listen: Endpoints,
    /// Jobs at a time.
    pub jobs: Option<u32>,
    /// How often a job is begun before it has failed.
    #[serde(deserialize_with = "attempts")]
    pub attempts: u32,
    /// How long whoever has a job may say nothing.
    #[serde(deserialize_with = "lease")]
    pub lease: Duration,
    /// Length of the parts that several machines encode together.
    pub split: Duration,
    /// Largest upload that is taken.
    pub max_upload: Size,
    /// How long an upload in pieces may rest before it is given up.
    pub upload_rest: Duration,
    /// What an account may keep, uploads and results together; 0 for no bound.
    pub quota: Size,
    /// What is made of uploads that say nothing else.
    pub profile: String,
    /// How long others may keep what is published without asking.
    pub cache: Duration,
    /// The same for caches that many share.
    pub cache_shared: Option<Duration>,
    /// A cache that is told what is not to be shown any more.
    pub purge: Option<PurgeUrl>,
    /// The host whose addresses it keeps, if it is called otherwise itself.
    pub purge_host: Option<PurgeHost>,
    /// The method of that request.
    pub purge_method: PurgeMethod,
    /// Keys that addresses are signed with; the first one signs.
    #[serde(default)]
    pub url_keys: Vec<UrlKey>,
    /// An nginx before this service sends files itself.
    pub accel: Option<AccelPrefix>,
    /// A line for each answer goes there.
    pub access_log: Option<ConfigPath>,
    /// Proxies whose word about their clients is taken.
    #[serde(default)]
    pub trusted_proxies: Many<Proxy>,
    /// Servers of hooks that are trusted: they may be private, and without TLS.
    #[serde(default)]
    pub hook_origins: Vec<HookUrl>,
    /// Further profiles, and what is different with those that are built in.
    #[serde(default, deserialize_with = "profiles")]
    pub profiles: Profiles,
    /// What is different with single accounts.
    #[serde(default, deserialize_with = "accounts")]
    #[schemars(with = "BTreeMap<String, AccountConfig>")]
    pub accounts: BTreeMap<String, AccountConfig>,
    /// How much an upload may ask for.
    #[serde(default)]
    pub limits: Limits,
}

/// A table `[encoder.accounts.NAME]`.
#[derive(Debug, Clone, Default, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountConfig {
    /// What it may keep.
    pub quota: Option<Size>,
    /// What is made of its uploads.
    pub profile: Option<String>,
    /// Whether what it publishes is shown at signed addresses only.
    #[serde(default)]
    pub signed: bool,
    /// Who is told what happens to its items.
    #[serde(default)]
    pub hooks: Vec<HookConfig>,
}

/// A server that is told what happens.
#[derive(Debug, Clone, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HookConfig {
    /// Where messages are sent.
    pub url: HookUrl,
    /// What they are signed with.
    pub secret: Option<Secret>,
    /// The file that has it.
    pub secret_file: Option<ConfigPath>,
}

/// An address of http or https without credentials.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
pub struct HookUrl(#[schemars(with = "String")] pub Url);

impl<'de> Deserialize<'de> for HookUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<HookUrl, D::Error> {
        let text = String::deserialize(deserializer)?;
        let plain = |url: &Url| {
            matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none()
        };
        match Url::parse(&text) {
            Ok(url) if plain(&url) => Ok(HookUrl(url)),
            _ => Err(D::Error::custom("expected a URL of http or https without credentials")),
        }
    }
}

impl Config {
    /// All profiles: those that are built in, unless the configuration has one of that name.
    ///
    /// # Errors
    /// Those that are built in are wrong, or an account's is not there.
    pub(crate) fn all_profiles(&self) -> anyhow::Result<Profiles> {
        let mut all = profile::parse(DEFAULTS)?;
        all.extend(self.profiles.clone());
        let names = self.accounts.values().filter_map(|account| account.profile.as_ref());
        for name in names.chain([&self.profile]) {
            anyhow::ensure!(all.contains_key(name), "there is no profile `{name}`");
        }
        Ok(all)
    }
}

fn attempts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let attempts = u32::deserialize(deserializer)?;
    match attempts {
        1..=20 => Ok(attempts),
        _ => Err(D::Error::custom("expected 1 to 20")),
    }
}

fn lease<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let lease = Duration::deserialize(deserializer)?;
    match lease.get().as_secs() {
        3..=3600 => Ok(lease),
        _ => Err(D::Error::custom("expected 3s to 1h")),
    }
}

fn profiles<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Profiles, D::Error> {
    let profiles = Profiles::deserialize(deserializer)?;
    for (name, profile) in &profiles {
        profile.check(name).map_err(D::Error::custom)?;
    }
    Ok(profiles)
}

fn accounts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, AccountConfig>, D::Error> {
    let accounts = BTreeMap::<String, AccountConfig>::deserialize(deserializer)?;
    for (name, account) in &accounts {
        for (index, hook) in account.hooks.iter().enumerate() {
            if hook.secret.is_none() == hook.secret_file.is_none() {
                return Err(D::Error::custom(format!("a hook of `{name}` has either `secret` or `secret_file`")));
            }
            if account.hooks.iter().skip(index + 1).any(|other| other.url == hook.url) {
                return Err(D::Error::custom(format!("`{name}` has the hook `{}` twice", hook.url.0)));
            }
        }
        match name.parse::<Name>() {
            Ok(parsed) if parsed.as_str() == name => {}
            Ok(parsed) => return Err(D::Error::custom(format!("an account has small letters: `{parsed}`"))),
            Err(error) => return Err(D::Error::custom(format!("`{name}`: {error}"))),
        }
    }
    Ok(accounts)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::path::Path;

    use opsctl_config::{Fault, Sources};

    use super::*;

    const TABLES: &str = include_str!("../../../config/opsctl.toml");

    /// The defaults with `set`, a line `key=value` each.
    pub(crate) fn config(set: &str) -> Result<Config, Vec<Fault>> {
        let set = set.split('\n').filter(|set| !set.is_empty()).map(|set| format!("encoder.{set}"));
        let (document, faults) = Sources::new(TABLES, Path::new("/")).set(set).read();
        assert!(faults.is_empty(), "{faults:?}");
        document.table("encoder", &["enabled", "restart", "critical"])
    }

    /// `said` is a part of each fault.
    fn check(set: &str, said: &[&str]) {
        let faults: Vec<_> = config(set).err().unwrap_or_default().iter().map(ToString::to_string).collect();
        assert_eq!(faults.len(), said.len(), "{faults:#?}");
        faults.iter().zip(said).for_each(|(fault, said)| assert!(fault.contains(said), "{fault}"));
    }

    #[test]
    fn every_key_stands_in_the_defaults() {
        let table = TABLES.split("\n[encoder]\n").nth(1).unwrap();
        let keys = |schema: &schemars::Schema| {
            schema.get("properties").unwrap().as_object().unwrap().keys().cloned().collect::<Vec<_>>()
        };
        let nested = ["profiles", "accounts", "limits"];
        for key in keys(&schemars::schema_for!(Config)).iter().filter(|key| !nested.contains(&key.as_str())) {
            let stands = |line: &str| line.trim_start_matches("# ").starts_with(&format!("{key} = "));
            assert!(table.lines().any(stands), "{key}");
        }
        for key in keys(&schemars::schema_for!(AccountConfig)) {
            assert!(table.lines().any(|line| line.starts_with(&format!("# acme.{key} = "))), "{key}");
        }
        for key in keys(&schemars::schema_for!(Limits)) {
            assert!(table.lines().any(|line| line.trim_start_matches("# ").starts_with(&format!("{key} = "))), "{key}");
        }
    }

    #[test]
    fn what_is_taken() {
        check("", &[]);
        assert!(config("").unwrap().all_profiles().unwrap().contains_key("web"));
        check("accounts.acme.quota=1GiB\naccounts.acme.profile=plain", &[]);
        check("profiles.x.output.h264={ kind = 'mp4', short_side = 360 }", &[]);
        assert!(config("profile=nothing").unwrap().all_profiles().is_err());
    }

    #[test]
    fn what_is_not() {
        check("attempts=0", &["expected 1 to 20"]);
        check("lease=1s", &["expected 3s to 1h"]);
        check("accounts.Acme.quota=1GiB", &["small letters"]);
        let hooks = |hooks: &str| format!("accounts.acme.hooks=[{hooks}]");
        let one = "{ url = 'https://example.org/x', secret = 's' }";
        check(&hooks(one), &[]);
        check(&hooks(&format!("{one}, {one}")), &["twice"]);
        check(&hooks("{ url = 'https://example.org/x' }"), &["either `secret` or `secret_file`"]);
        check(&hooks("{ url = 'ftp://example.org/x', secret = 's' }"), &["a URL of http"]);
        check("hook_origins=['http://10.0.0.7:8080']", &[]);
        check("acounts.acme.quota=1GiB", &["acounts"]);
        check("accel=protected/", &["begins and ends with `/`"]);
        check("purge_host=user@a", &["expected a host"]);
        check("purge=ftp://cache/", &["expected http"]);
        check("purge_method=GET\npurge_method=A B", &["`PURGE`"]);
        check("url_keys=[{ kid = 'a&b', secret = 'x' }]", &["letters, digits"]);
        check("profiles.x.output.a={ kind = 'mp4', short_side = 1 }", &["`short_side`"]);
    }
}
