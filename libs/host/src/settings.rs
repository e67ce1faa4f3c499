//! The tables that the host itself reads: `[host]`, `[log]`, and the keys that every service's table has.
//!
//! What a key means and its default stand in `config/opsctl.toml`, which is compiled in: there is no second place.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use opsctl_config::{Based, ConfigPath, Duration, Mode, Scalar, Secret};
use opsctl_http::Endpoints;
use opsctl_logging::{Filter, Format};
use opsctl_store::{DatabaseUrl, StoreUrl};
use schemars::JsonSchema;
use serde::Deserialize;

/// `[host]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HostSettings {
    /// Where the status page is served by `opsctl run`.
    pub listen: Endpoints,
    /// Folder for everything that is kept.
    pub data_dir: Option<ConfigPath>,
    /// Where services keep their tables.
    pub database: DatabaseUrl,
    /// File that holds the value of `database`.
    pub database_file: Option<ConfigPath>,
    /// Where services keep their files.
    pub store: StoreUrl,
    /// Access key for an S3 store.
    pub store_access_key: Option<Secret>,
    /// File that holds it.
    pub store_access_key_file: Option<ConfigPath>,
    /// Secret key for an S3 store.
    pub store_secret_key: Option<Secret>,
    /// File that holds it.
    pub store_secret_key_file: Option<ConfigPath>,
    /// Account to become after the sockets are bound, by name or number.
    pub user: Option<Scalar>,
    /// Group to become, by name or number.
    pub group: Option<Scalar>,
    /// Allow running as root, without `user`.
    pub allow_root: bool,
    /// File mode creation mask, octal.
    pub umask: Option<Mode>,
    /// Folder to confine the program to.
    pub chroot: Option<ConfigPath>,
    /// Folder to work in.
    pub run_dir: Option<ConfigPath>,
    /// How long services may finish what they began when the program stops.
    pub grace: Duration,
    /// File that holds the process id, locked for life.
    pub pid_file: Option<ConfigPath>,
    /// Go to the background once all services accept.
    pub daemon: bool,
    /// File to write when all services accept.
    pub ready_file: Option<ConfigPath>,
    /// Worker threads; 0 means one per processor.
    pub threads: u16,
    /// Wait before the first restart of a failed service.
    pub restart_delay: Duration,
    /// Longest wait between restarts.
    pub restart_delay_max: Duration,
    /// Give up after this many restarts of one service within `restart_window`.
    pub restart_limit: u32,
    /// Window in which restarts are counted.
    pub restart_window: Duration,
}

impl HostSettings {
    /// The mask to set: the configured one, else 077 for a daemon, as twistd has it.
    pub(crate) fn umask_or_default(&self) -> Option<u32> {
        self.umask.map(Mode::bits).or(self.daemon.then_some(0o077))
    }

    /// A path inside the root that the program confines itself to, as it is called outside of it.
    pub(crate) fn outside(&self, path: &Path) -> PathBuf {
        match &self.chroot {
            Some(root) => root.as_ref().join(path.strip_prefix("/").unwrap_or(path)),
            None => path.to_owned(),
        }
    }

    /// The reverse of [`Self::outside`].
    pub(crate) fn inside(&self, path: &Path) -> PathBuf {
        let root = self.chroot.as_ref().and_then(|root| path.strip_prefix(root.as_ref()).ok());
        root.map_or_else(|| path.to_owned(), |path| Path::new("/").join(path))
    }

    /// Keys that only a new start takes on and that differ from `other`.
    pub(crate) fn fixed_changes(&self, other: &Self) -> Vec<&'static str> {
        let Self {
            listen: _, // the status page is a service, and reloads as one
            data_dir,
            database,
            database_file,
            store,
            store_access_key,
            store_access_key_file,
            store_secret_key,
            store_secret_key_file,
            user,
            group,
            allow_root: _, // about the start alone
            umask,
            chroot,
            run_dir,
            grace: _, // read when it is needed, like the restart keys
            pid_file,
            daemon,
            ready_file: _,
            threads,
            restart_delay: _,
            restart_delay_max: _,
            restart_limit: _,
            restart_window: _,
        } = self;
        let changed = [
            ("data_dir", *data_dir != other.data_dir),
            ("database", *database != other.database),
            ("database_file", *database_file != other.database_file),
            ("store", *store != other.store),
            ("store_access_key", *store_access_key != other.store_access_key),
            ("store_access_key_file", *store_access_key_file != other.store_access_key_file),
            ("store_secret_key", *store_secret_key != other.store_secret_key),
            ("store_secret_key_file", *store_secret_key_file != other.store_secret_key_file),
            ("user", *user != other.user),
            ("group", *group != other.group),
            ("umask", *umask != other.umask),
            ("chroot", *chroot != other.chroot),
            ("run_dir", *run_dir != other.run_dir),
            ("pid_file", *pid_file != other.pid_file),
            ("daemon", *daemon != other.daemon),
            ("threads", *threads != other.threads),
        ];
        changed.into_iter().filter_map(|(key, changed)| changed.then_some(key)).collect()
    }

    /// Worker threads to start.
    pub(crate) fn worker_threads(&self) -> usize {
        match self.threads {
            0 => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
            n => usize::from(n),
        }
    }
}

/// `[log]`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogSettings {
    /// File to append to, `-` for standard output.
    pub file: Option<LogFile>,
    /// How an event is written; without it text on a terminal, JSON elsewhere.
    pub format: Option<Format>,
    /// Levels, also per target.
    pub level: Filter,
}

/// Where logs go: a file, or `-` for standard output.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(from = "Based<String>")]
#[schemars(with = "String")]
pub struct LogFile(PathBuf);

impl LogFile {
    /// The path; `-` as it is.
    #[must_use]
    pub fn as_path(&self) -> &Path {
        &self.0
    }
}

impl From<Based<String>> for LogFile {
    fn from(file: Based<String>) -> Self {
        Self(if file.value == "-" { PathBuf::from("-") } else { file.resolve(&file.value) })
    }
}

/// The keys that every service's table has beside its own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct Common {
    /// Whether `opsctl run` starts it.
    #[serde(default)]
    pub enabled: bool,
    /// What happens when it ends by itself.
    #[serde(default)]
    pub restart: Restart,
    /// Whether its failure withholds the watchdog's ping and fails /healthz.
    #[serde(default = "yes")]
    pub critical: bool,
}

impl Common {
    /// Names of these keys.
    pub const KEYS: &[&str] = &["enabled", "restart", "critical"];
}

fn yes() -> bool {
    true
}

/// What happens when a service ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Restart {
    /// The program stops, with a failure.
    #[default]
    Never,
    /// It is restarted after an error or a panic; an orderly end stops the program.
    OnFailure,
    /// It is restarted.
    Always,
}
