//! What a plug-in implements: [`Service`] for what serves until it is stopped, [`Tool`] for what does one job and ends.
//!
//! A service goes through four gates, none doing the work of the next: its table is *read* into `Config`, touching
//! nothing; the host *binds* what [`Service::listeners`] names; [`Service::open`] opens database and files as the
//! account that will use them; [`Service::run`] serves. Sockets belong to the host, so a service that is restarted or
//! reloaded goes on with the same ones.

use std::ffi::OsString;
use std::fmt;
use std::process::ExitCode;
use std::sync::Arc;

use opsctl_http::Endpoint;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::{Context, VerbContext};

/// A long-running part of the program with a table of its own in the configuration.
pub trait Service: Sized + Send + Sync + 'static {
    /// Sub-command, TOML table, log span and data folder: one word everywhere.
    const NAME: &'static str;
    /// The line in `opsctl --help`.
    const ABOUT: &'static str;

    /// Its table, but for the keys that every table has ([`crate::settings::Common`]).
    type Config: DeserializeOwned + JsonSchema + Send + Sync + 'static;
    /// Its command-line options. The id of an argument is the key of the table that it overrides, `outer.inner` for a
    /// nested one.
    type Options: clap::Args;
    /// Its one-shot verbs, [`NoVerbs`] if there are none.
    type Verbs: clap::Subcommand;

    /// What the host shall bind for it.
    fn listeners(config: &Self::Config) -> Vec<Listen>;

    /// Opens database and files; leaves nothing half open on failure.
    ///
    /// # Errors
    /// Whatever keeps the service from starting; it ends up in front of whoever started the program.
    fn open(config: Self::Config, cx: Context) -> impl Future<Output = anyhow::Result<Self>> + Send;

    /// Serves until [`Context::stopping`], then finishes what it began and returns.
    ///
    /// # Errors
    /// Whatever ended the service; `restart` in its table says what happens then.
    fn run(self: Arc<Self>, cx: Context) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// Looks at a new configuration and says how it is taken on; changes nothing yet, since all services accept or
    /// none changes.
    ///
    /// # Errors
    /// [`Refused`] keeps the old configuration running, for all services.
    fn reload(&self, config: Self::Config) -> impl Future<Output = Result<Reload, Refused>> + Send {
        drop(config);
        async { Ok(Reload::Replace) }
    }

    /// Does one of its verbs. The service may be running at the same time, in another process.
    ///
    /// # Errors
    /// Whatever made the verb fail; the program exits with 1.
    fn verb(verb: Self::Verbs, config: Self::Config, cx: VerbContext) -> anyhow::Result<ExitCode>;
}

/// A plug-in that does one job in the foreground and ends.
pub trait Tool: 'static {
    /// The sub-command.
    const NAME: &'static str;
    /// The line in `opsctl --help`.
    const ABOUT: &'static str;
    /// Its command line.
    type Args: clap::Args;

    /// Does the job.
    ///
    /// # Errors
    /// Whatever made it fail; the program exits with 1, and with 2 where the error is clap's, which says that the
    /// command line was wrong.
    fn run(args: Self::Args, shell: &Shell) -> anyhow::Result<ExitCode>;
}

/// The shell that a tool is called from, as far as its environment tells: a tool has no other way to know, since only
/// `cli` reads the environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shell {
    /// Nothing shall be coloured unless an option says so: `NO_COLOR` is set to something (no-color.org).
    pub no_color: bool,
    /// The terminal can do no more than a line after the other: `TERM` is `dumb`, or not set.
    pub dumb: bool,
    /// What is written is read as UTF-8: the locale of `LC_ALL`, `LC_CTYPE` or `LANG` says so.
    pub utf8: bool,
    /// `COLUMNS`, for terminals that do not know their width.
    pub columns: Option<u16>,
    /// `TZ`, as tzset(3) has it.
    pub time_zone: Option<OsString>,
}

/// One thing to listen on: which of the service's listeners it is, and where.
#[derive(Debug, Clone, PartialEq)]
pub struct Listen {
    /// The service's word for it, as in `cx.listeners("web")`. May repeat, for several addresses.
    pub name: &'static str,
    /// Where.
    pub endpoint: Endpoint,
    /// For protocols in which the client speaks first: seconds for which the kernel may hold a connection back until
    /// the first bytes are there (TCP_DEFER_ACCEPT, tcp(7)). 0 is off.
    pub defer: u32,
}

impl Listen {
    /// Listens on `endpoint` under `name`.
    #[must_use]
    pub fn new(name: &'static str, endpoint: Endpoint) -> Self {
        Self { name, endpoint, defer: 0 }
    }

    /// Holds connections back until the client has spoken, for `seconds` at most.
    #[must_use]
    pub fn defer(self, seconds: u32) -> Self {
        Self { defer: seconds, ..self }
    }
}

/// How a service takes on a new configuration.
pub enum Reload {
    /// In place: the host calls this once all services have accepted. It cannot fail.
    Commit(Box<dyn FnOnce() + Send>),
    /// By a new instance: the host opens it beside the old one, on the same sockets, then drains the old one.
    Replace,
}

impl fmt::Debug for Reload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Commit(_) => "Commit",
            Self::Replace => "Replace",
        })
    }
}

/// Why a service does not take a new configuration.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

/// For services that have no verbs.
#[derive(Debug, clap::Subcommand)]
pub enum NoVerbs {}

/// For services that have no options.
#[derive(Debug, clap::Args)]
pub struct NoOptions {}
