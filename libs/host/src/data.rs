//! Where services keep what they keep, as `[host]` has it: nothing is opened before a service asks for it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use opsctl_config::{ConfigPath, Secret};
use opsctl_store::{DatabaseUrl, Location, S3Keys, StoreUrl};

use crate::settings::HostSettings;

/// A longer file holds no URL, in bytes.
const URL_MAX: usize = 4096;

/// What the settings say of data. The files that hold secrets are read when a service opens, as the account that serves.
#[derive(Debug, Clone)]
pub(crate) struct Data {
    dir: PathBuf,
    database: DatabaseUrl,
    database_file: Option<ConfigPath>,
    store: StoreUrl,
    access_key: (Option<Secret>, Option<ConfigPath>),
    secret_key: (Option<Secret>, Option<ConfigPath>),
}

impl Data {
    pub(crate) fn new(host: &HostSettings, dir: PathBuf) -> Self {
        let HostSettings { database, database_file, store, .. } = host;
        Self {
            dir,
            database: database.clone(),
            database_file: database_file.clone(),
            store: store.clone(),
            access_key: (host.store_access_key.clone(), host.store_access_key_file.clone()),
            secret_key: (host.store_secret_key.clone(), host.store_secret_key_file.clone()),
        }
    }

    /// SQLite and folders in `dir`.
    pub(crate) fn local(dir: PathBuf) -> Self {
        let (database, store) = (DatabaseUrl::default(), StoreUrl::default());
        Self { dir, database, database_file: None, store, access_key: (None, None), secret_key: (None, None) }
    }

    /// The folder that holds each service's own.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn location(&self) -> anyhow::Result<Location> {
        let location = Location::local(&self.dir).with_database(self.database()?);
        Ok(location.with_store(self.store.clone(), self.keys()?))
    }

    fn database(&self) -> anyhow::Result<DatabaseUrl> {
        let Some(file) = &self.database_file else { return Ok(self.database.clone()) };
        if self.database != DatabaseUrl::default() {
            bail!("`host.database` and `host.database_file` are both given");
        }
        let failed = || "failed to read `host.database_file`";
        let url = Secret::load(None, Some(file.clone())).with_context(failed)?.unwrap_or_default();
        if url.expose().len() > URL_MAX {
            bail!("`host.database_file` holds no URL: it is longer than {URL_MAX} bytes");
        }
        url.expose().parse().with_context(failed)
    }

    fn keys(&self) -> anyhow::Result<Option<S3Keys>> {
        let load = |name: &'static str, (inline, file): &(Option<Secret>, Option<ConfigPath>)| {
            Secret::load(inline.clone(), file.clone()).with_context(|| format!("failed to read `host.{name}`"))
        };
        let access_key = load("store_access_key", &self.access_key)?;
        let secret_key = load("store_secret_key", &self.secret_key)?;
        match (access_key, secret_key) {
            (Some(access_key), Some(secret_key)) => Ok(Some(S3Keys {
                access_key: access_key.expose().to_owned(),
                secret_key: secret_key.expose().to_owned(),
            })),
            (None, None) => Ok(None),
            _ => {
                bail!("of `host.store_access_key` and `host.store_secret_key` one is given: it takes both, or neither")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys and files as they are written, an empty text for none; `Ok` is what `Debug` shows of the location's keys.
    #[track_caller]
    fn check(database: &str, database_file: &str, keys: [&str; 4], expected: Result<&str, &str>) {
        let dir = tempfile::tempdir().unwrap();
        let file = |text: &str, name: &str| {
            let path = dir.path().join(name);
            (!text.is_empty()).then(|| {
                std::fs::write(&path, text).unwrap();
                ConfigPath::from(path.clone())
            })
        };
        let inline = |text: &str| (!text.is_empty()).then(|| Secret::new(text));
        let data = Data {
            database: database.parse().unwrap(),
            database_file: file(database_file, "database"),
            access_key: (inline(keys[0]), file(keys[1], "access")),
            secret_key: (inline(keys[2]), file(keys[3], "secret")),
            ..Data::local(dir.path().to_owned())
        };
        match (data.location(), expected) {
            (Ok(location), Ok(expected)) => {
                let keys = data.keys().unwrap().map(|keys| format!(" {} {}", keys.access_key, keys.secret_key));
                assert_eq!(format!("{}{}", location.database(), keys.unwrap_or_default()), expected);
            }
            (Err(error), Err(expected)) => {
                let error = format!("{error:#}");
                assert!(error.contains(expected) && !error.contains("hunter2"), "{error}");
            }
            (found, _) => panic!("{found:?}"),
        }
    }

    #[test]
    fn secrets_stand_in_the_table_or_in_files() {
        const NONE: [&str; 4] = ["", "", "", ""];
        check("sqlite", "", NONE, Ok("sqlite"));
        check("postgres://u:hunter2@h/d", "", NONE, Ok("postgres://u:********@h/d"));
        check("sqlite", "postgres://u:hunter2@h/d\n", NONE, Ok("postgres://u:********@h/d"));
        check("postgres://h/d", "postgres://u:hunter2@h/d", NONE, Err("both given"));
        check("sqlite", "mysql://u:hunter2@h/d", NONE, Err("`host.database_file`"));
        check("sqlite", &"hunter2".repeat(1000), NONE, Err("holds no URL"));
        check("sqlite", "", ["a", "", "b", ""], Ok("sqlite a b"));
        check("sqlite", "", ["", "a\n", "", "b\n"], Ok("sqlite a b"));
        check("sqlite", "", ["", "a", "b", ""], Ok("sqlite a b"));
        check("sqlite", "", ["a", "", "", ""], Err("it takes both, or neither"));
        check("sqlite", "", ["", "", "hunter2", ""], Err("it takes both, or neither"));
        check("sqlite", "", ["a", "a", "b", ""], Err("`host.store_access_key`"));
    }
}
