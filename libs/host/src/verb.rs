//! What a one-shot verb is handed: the data that its service has, whether or not that runs at the same time.
//!
//! Nothing is touched before a verb asks. A verb that root calls becomes the account that the service runs as before it
//! touches data: what root made, the service could not change.

use std::cell::OnceCell;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use nix::unistd::Uid;
use opsctl_auth::{Auth, Author, Settings as AuthSettings};
use opsctl_store::{Blobs, Database, Location, Migrations};
use tokio::runtime::{Builder, Runtime};

use crate::data::Data;
use crate::plan::Plan;
use crate::process::privileges::Identity;
use crate::settings::HostSettings;
use crate::start::{Environment, Error, identity};
use crate::{accounts, data_dir};

/// Handed to [`crate::Service::verb`].
pub struct VerbContext {
    service: &'static str,
    account: String,
    origin: Origin,
    data: OnceCell<Data>,
    runtime: OnceCell<Runtime>,
}

/// What the folder of the data is found from.
enum Origin {
    Settings(Box<HostSettings>, Vec<PathBuf>),
    Folder(PathBuf),
}

impl VerbContext {
    pub(crate) fn new(service: &'static str, host: &HostSettings, environment: &Environment) -> Self {
        let origin = Origin::Settings(Box::new(host.clone()), environment.data_dirs.clone());
        Self { account: environment.account.clone(), ..Self::of(service, origin) }
    }

    /// For commands of the host's own.
    #[must_use]
    pub fn for_host(plan: &Plan, environment: &Environment) -> Self {
        Self::new("host", &plan.host, environment)
    }

    /// For tests: SQLite and blobs in `data_dir`.
    #[must_use]
    pub fn local(service: &'static str, data_dir: impl Into<PathBuf>) -> Self {
        Self::of(service, Origin::Folder(data_dir.into()))
    }

    fn of(service: &'static str, origin: Origin) -> Self {
        Self { service, account: String::new(), origin, data: OnceCell::new(), runtime: OnceCell::new() }
    }

    /// The service's own folder, made on first use.
    ///
    /// # Errors
    /// When it cannot be made, or root does not say whom to become.
    pub fn data_dir(&self) -> anyhow::Result<PathBuf> {
        let dir = self.location()?.data_dir().join(self.service);
        data_dir::make(&dir, None).with_context(|| format!("failed to create folder `{}`", dir.display()))?;
        Ok(dir)
    }

    /// Where the services keep their data.
    ///
    /// # Errors
    /// There is no place for data, a file with a secret cannot be read, or root does not say whom to become.
    pub fn location(&self) -> anyhow::Result<Location> {
        let data = match self.data.get() {
            Some(data) => data,
            None => {
                let made = self.origin.prepare()?;
                self.data.get_or_init(|| made)
            }
        };
        data.location()
    }

    /// Opens the service's database; a running service may have it open as well.
    ///
    /// # Errors
    /// As [`crate::Context::database`].
    pub async fn database(&self, migrations: &Migrations) -> anyhow::Result<Database> {
        open_database(&self.location()?, self.service, migrations).await
    }

    /// Opens the service's blobs.
    ///
    /// # Errors
    /// As [`crate::Context::blobs`].
    pub async fn blobs(&self) -> anyhow::Result<Blobs> {
        open_blobs(&self.location()?, self.service).await
    }

    /// Who does it, for the audit trail of the service.
    #[must_use]
    pub fn author(&self) -> Author {
        Author::console(&self.account)
    }

    /// Opens the user base of all services, for the host's own commands.
    ///
    /// # Errors
    /// As [`crate::Context::auth`].
    pub async fn auth(&self, settings: &AuthSettings) -> anyhow::Result<Auth> {
        accounts::open(&self.location()?, settings.clone()).await.context("failed to open the user base")
    }

    /// Runs a verb's asynchronous part to its end, on a runtime that is made on first use and ends with the context.
    ///
    /// # Errors
    /// What `task` returns, or that there is no runtime.
    pub fn block_on<T>(&self, task: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
        let runtime = match self.runtime.get() {
            Some(runtime) => runtime,
            None => {
                let made = Builder::new_current_thread().enable_all().build().context("failed to start the runtime")?;
                self.runtime.get_or_init(|| made)
            }
        };
        runtime.block_on(task)
    }
}

impl Origin {
    fn prepare(&self) -> anyhow::Result<Data> {
        match self {
            Self::Folder(dir) => Ok(Data::local(dir.clone())),
            Self::Settings(host, candidates) => {
                let identity = match identity(host) {
                    Ok(identity) => identity,
                    Err(Error::Usage(_)) => bail!(
                        "as root, name the account that the services run as (`--set host.user=NAME`), or allow root's own \
                         data (`--set host.allow_root=true`)"
                    ),
                    Err(Error::Failed(error)) => return Err(error),
                    Err(other) => bail!("{other}"),
                };
                let configured = host.data_dir.as_ref().map(|dir| host.outside(dir.as_ref()));
                let candidates: Vec<_> = candidates.iter().map(|dir| host.outside(dir)).collect();
                let dir = data_dir::prepare(configured.as_deref(), &candidates, identity.as_ref())?;
                if Uid::effective().is_root() {
                    let assume = |identity: &Identity| identity.assume().context("failed to give up privileges");
                    identity.as_ref().map(assume).transpose()?;
                }
                Ok(Data::new(host, dir))
            }
        }
    }
}

impl fmt::Debug for VerbContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerbContext").field("service", &self.service).finish_non_exhaustive()
    }
}

pub(crate) async fn open_database(
    location: &Location,
    service: &str,
    migrations: &Migrations,
) -> anyhow::Result<Database> {
    prepare(location, None)?;
    Ok(Database::open(location, service, migrations).await?)
}

pub(crate) async fn open_blobs(location: &Location, service: &str) -> anyhow::Result<Blobs> {
    prepare(location, Some(service))?;
    Ok(Blobs::open(location, service).await?)
}

/// Makes the folder of all, or of one service, not readable by everybody.
pub(crate) fn prepare(location: &Location, service: Option<&str>) -> anyhow::Result<()> {
    let dir: &Path = location.data_dir();
    let dir = service.map_or_else(|| dir.to_owned(), |service| dir.join(service));
    data_dir::make(&dir, None).with_context(|| format!("failed to create folder `{}`", dir.display()))
}
