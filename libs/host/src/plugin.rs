//! A plug-in as data: a name, a line of help, and what the host and the command line need to know of it.
//!
//! The table of them is explicit (`cli/src/plugins.rs`): order, cargo features and reading stay plain, and nothing
//! happens at link time.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{ArgMatches, Args, FromArgMatches, Subcommand};
use opsctl_config::{Document, Fault};
use schemars::{Schema, schema_for};

use crate::settings::Common;
use crate::{Context, Environment, Listen, Plan, Refused, Reload, Service, Shell, Tool, VerbContext};

/// A future on the heap, for what is called through a table.
pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One line of the table.
#[derive(Clone, Copy)]
pub struct Plugin {
    /// The sub-command, and for a service its table.
    pub name: &'static str,
    /// The line in `opsctl --help`.
    pub about: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Whether it is kept out of lists.
    pub hidden: bool,
}

/// What a plug-in is.
#[derive(Clone, Copy)]
pub enum Kind {
    /// Serves until it is stopped.
    Service(&'static dyn AnyService),
    /// Does one job and ends.
    Tool(&'static dyn AnyTool),
}

impl Kind {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Service(_) => "service",
            Self::Tool(_) => "tool",
        }
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin").field("name", &self.name).field("kind", &self.kind).finish()
    }
}

/// The line of the table for service `S`.
#[must_use]
pub const fn service<S: Service>() -> Plugin {
    Plugin { name: S::NAME, about: S::ABOUT, kind: Kind::Service(&Erased::<S>(PhantomData)), hidden: false }
}

/// The line of the table for tool `T`.
#[must_use]
pub const fn tool<T: Tool>() -> Plugin {
    Plugin { name: T::NAME, about: T::ABOUT, kind: Kind::Tool(&ErasedTool::<T>(PhantomData)), hidden: false }
}

/// [`Service`] without its types, for the table.
pub trait AnyService: Sync {
    /// Adds the service's options to its sub-command.
    fn options(&self, command: clap::Command) -> clap::Command;
    /// Adds the service's verbs to its sub-command.
    fn verbs(&self, command: clap::Command) -> clap::Command;
    /// JSON Schema of its table, without the common keys.
    fn schema(&self) -> Schema;
    /// Reads its table.
    ///
    /// # Errors
    /// All faults of the table.
    fn read(&self, document: &Document) -> Result<Box<dyn ReadConfig>, Vec<Fault>>;
    /// Does the verb that `matches` names.
    ///
    /// # Errors
    /// Usage errors, or what made the verb fail.
    fn verb(&self, matches: &ArgMatches, plan: &Plan, environment: &Environment) -> anyhow::Result<ExitCode>;
}

/// A service's checked table: what is known of it before anything is touched.
pub trait ReadConfig: Send + Sync {
    /// What to bind for it.
    fn listeners(&self) -> Vec<Listen>;
    /// Opens the service.
    fn open(self: Box<Self>, cx: Context) -> BoxFuture<'static, anyhow::Result<Arc<dyn Instance>>>;
}

/// An open service.
pub trait Instance: Send + Sync {
    /// [`Service::run`].
    fn run(self: Arc<Self>, cx: Context) -> BoxFuture<'static, anyhow::Result<()>>;
    /// [`Service::reload`].
    fn reload<'a>(&'a self, document: &Document) -> BoxFuture<'a, Result<Reload, Refused>>;
}

struct Erased<S>(PhantomData<fn() -> S>);

impl<S: Service> AnyService for Erased<S> {
    fn options(&self, command: clap::Command) -> clap::Command {
        S::Options::augment_args(command)
    }

    fn verbs(&self, command: clap::Command) -> clap::Command {
        if S::Verbs::augment_subcommands(clap::Command::new("")).has_subcommands() {
            S::Verbs::augment_subcommands(command).subcommand_required(false).arg_required_else_help(false)
        } else {
            command
        }
    }

    fn schema(&self) -> Schema {
        schema_for!(S::Config)
    }

    fn read(&self, document: &Document) -> Result<Box<dyn ReadConfig>, Vec<Fault>> {
        Ok(Box::new(Read::<S>(read::<S>(document)?)))
    }

    fn verb(&self, matches: &ArgMatches, plan: &Plan, environment: &Environment) -> anyhow::Result<ExitCode> {
        let verb = S::Verbs::from_arg_matches(matches)?;
        let config = read::<S>(&plan.document).map_err(|faults| anyhow::anyhow!("{}", self::faults(&faults)))?;
        S::verb(verb, config, VerbContext::new(S::NAME, &plan.host, environment))
    }
}

fn read<S: Service>(document: &Document) -> Result<S::Config, Vec<Fault>> {
    document.table(S::NAME, Common::KEYS)
}

/// All of them as one text, with a line between two.
#[must_use]
pub fn faults(faults: &[Fault]) -> String {
    faults.iter().map(|fault| format!("{fault}\n")).collect::<Vec<_>>().join("\n")
}

struct Read<S: Service>(S::Config);

impl<S: Service> ReadConfig for Read<S> {
    fn listeners(&self) -> Vec<Listen> {
        S::listeners(&self.0)
    }

    fn open(self: Box<Self>, cx: Context) -> BoxFuture<'static, anyhow::Result<Arc<dyn Instance>>> {
        Box::pin(async move {
            let service = Arc::new(S::open(self.0, cx).await?);
            Ok(Arc::new(Open(service)) as Arc<dyn Instance>)
        })
    }
}

struct Open<S>(Arc<S>);

impl<S: Service> Instance for Open<S> {
    fn run(self: Arc<Self>, cx: Context) -> BoxFuture<'static, anyhow::Result<()>> {
        Box::pin(S::run(Arc::clone(&self.0), cx))
    }

    fn reload<'a>(&'a self, document: &Document) -> BoxFuture<'a, Result<Reload, Refused>> {
        match read::<S>(document) {
            Ok(config) => Box::pin(self.0.reload(config)),
            Err(faults) => Box::pin(std::future::ready(Err(Refused(self::faults(&faults))))),
        }
    }
}

/// [`Tool`] without its types, for the table.
pub trait AnyTool: Sync {
    /// Adds the tool's arguments to its sub-command.
    fn args(&self, command: clap::Command) -> clap::Command;
    /// Does the job.
    ///
    /// # Errors
    /// Usage errors, or what made it fail.
    fn run(&self, matches: &ArgMatches, shell: &Shell) -> anyhow::Result<ExitCode>;
}

struct ErasedTool<T>(PhantomData<fn() -> T>);

impl<T: Tool> AnyTool for ErasedTool<T> {
    fn args(&self, command: clap::Command) -> clap::Command {
        T::Args::augment_args(command)
    }

    fn run(&self, matches: &ArgMatches, shell: &Shell) -> anyhow::Result<ExitCode> {
        T::run(T::Args::from_arg_matches(matches)?, shell)
    }
}
