//! From a command line to a running program: the four gates in their order, and the steps between them that can only
//! be taken there.
//!
//! Nothing is touched before everything was read; sockets are bound before the program goes to the background and
//! gives up privileges; only then is there a runtime, and with it threads.

use std::cell::Cell;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use nix::unistd::Uid;
use opsctl_config::{Fault, Scalar, Sources};
use opsctl_http::Activated;
use tokio::runtime::{Builder, Runtime};

use crate::accounts::Accounts;
use crate::context::spawn;
use crate::data::Data;
use crate::logs::Logs;
use crate::plan::{self, Mode, Plan, Planned};
use crate::plugin::Plugin;
use crate::process::daemon::{self, Detached};
use crate::process::notify::Notifier;
use crate::process::pidfile::PidFile;
use crate::process::privileges::{self, Identity};
use crate::settings::HostSettings;
use crate::shared::Shared;
use crate::signals::Signals;
use crate::sockets::Sockets;
use crate::supervisor::{Held, Reread, Supervisor};
use crate::{admin, data_dir};

/// File name of the control socket.
pub const CONTROL_SOCKET: &str = "opsctl.sock";
/// unix(7): `sun_path` has 108 bytes, the last of them NUL.
const SOCKET_PATH_MAX: usize = 108;

/// What the host is handed by the command line, which alone reads the environment.
pub struct Program {
    /// The table.
    pub plugins: &'static [Plugin],
    /// Which of its services to run.
    pub mode: Mode,
    /// Reads the layers of the configuration, at the start and for each reload.
    pub sources: Box<dyn Fn() -> Result<Sources, Box<Fault>> + Send + Sync>,
    /// What the environment says.
    pub environment: Environment,
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Program")
            .field("mode", &self.mode)
            .field("environment", &self.environment)
            .finish_non_exhaustive()
    }
}

/// What the environment says.
#[derive(Debug, Default, Clone)]
pub struct Environment {
    /// `LISTEN_PID` (sd_listen_fds(3)).
    pub listen_pid: Option<String>,
    /// `LISTEN_FDS`.
    pub listen_fds: Option<String>,
    /// `LISTEN_FDNAMES`.
    pub listen_fdnames: Option<String>,
    /// `NOTIFY_SOCKET` (sd_notify(3)).
    pub notify_socket: Option<OsString>,
    /// `WATCHDOG_USEC` (sd_watchdog_enabled(3)).
    pub watchdog_usec: Option<String>,
    /// `WATCHDOG_PID`.
    pub watchdog_pid: Option<String>,
    /// Where data may be kept, best first.
    pub data_dirs: Vec<PathBuf>,
    /// Who runs the program, for audit trails.
    pub account: String,
}

/// Why the program did not start, or how it ended.
#[derive(Debug)]
pub enum Error {
    /// The configuration has these faults.
    Config(Vec<Fault>),
    /// It was called in a way that cannot work.
    Usage(String),
    /// Anything else.
    Failed(anyhow::Error),
    /// The same, and it stands in the log that the user is looking at.
    Logged,
}

impl From<anyhow::Error> for Error {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

impl Error {
    /// The exit code that says so.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Self::Failed(_) | Self::Logged => 1,
            Self::Usage(_) => 2,
            Self::Config(_) => 78,
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Config(faults) => f.write_str(&crate::plugin::faults(faults)),
            Self::Usage(text) => writeln!(f, "error: {text}"),
            Self::Failed(error) => writeln!(f, "error: {error:#}"),
            Self::Logged => Ok(()),
        }
    }
}

/// Runs services until they are told to stop; returns the exit code.
///
/// # Errors
/// [`Error`], to be shown to whoever started the program.
pub fn serve(program: Program) -> Result<u8, Error> {
    let Program { plugins, mode, sources, environment } = program;
    let read = move || plan::read(sources().map_err(|fault| vec![*fault])?, plugins, mode);
    let bound = Bound::bind(read().map_err(Error::Config)?, mode, &environment)?;
    let reread = {
        let control = bound.control.clone();
        Box::new(move || {
            let mut plan = read()?;
            plan.add_admin(mode);
            plan.add_control(control.as_deref());
            Ok(plan)
        })
    };
    if !bound.plan.host.daemon {
        return bound.run(reread, &environment, &|| {}).map(|()| 0);
    }
    match daemon::detach().context("failed to go to the background")? {
        Detached::Parent(code) => Ok(code),
        Detached::Child(reporter) => {
            let reporter = Cell::new(Some(reporter));
            let ready = || {
                if let Some(reporter) = reporter.take() {
                    reporter.ready();
                }
            };
            let Err(error) = bound.run(reread, &environment, &ready) else { return Ok(0) };
            if let Some(reporter) = reporter.take() {
                reporter.failed(error.code(), &error.to_string());
            }
            Ok(error.code())
        }
    }
}

/// What gate 2, *bind*, leaves behind.
struct Bound {
    plan: Plan,
    sockets: Vec<Sockets>,
    activated: Activated,
    identity: Option<Identity>,
    data_dir: PathBuf,
    control: Option<PathBuf>,
    pid_file: Option<PidFile>,
    /// Locks on the services' folders, for life.
    held: Held,
}

impl Bound {
    /// Gate 2: everything that may fail before the program goes to the background. Ports come first: one that is taken
    /// stops the start before anything was touched.
    fn bind(mut plan: Plan, mode: Mode, environment: &Environment) -> Result<Self, Error> {
        let identity = identity(&plan.host)?;
        if let Some(mask) = plan.host.umask_or_default() {
            rustix::process::umask(mask.into());
        }
        let activated = Activated::from_env(
            environment.listen_pid.as_deref(),
            environment.listen_fds.as_deref(),
            environment.listen_fdnames.as_deref(),
            std::process::id(),
        )
        .context("failed to take over the sockets of LISTEN_FDS")?;
        plan.add_admin(mode);
        let bind = |planned: &Planned, old: &Sockets| Sockets::bind(planned.listens.clone(), old, &activated);
        let fresh = Sockets::default();
        let mut sockets =
            plan.services.iter().map(|planned| bind(planned, &fresh)).collect::<anyhow::Result<Vec<_>>>()?;

        let host = &plan.host;
        let pid_file = host.pid_file.as_ref().map(|path| PidFile::lock(path.as_ref())).transpose();
        let pid_file = pid_file.context("failed to take the pid file")?;
        let configured = host.data_dir.as_ref().map(|dir| host.outside(dir.as_ref()));
        let candidates: Vec<_> = environment.data_dirs.iter().map(|dir| host.outside(dir)).collect();
        let data_dir = data_dir::prepare(configured.as_deref(), &candidates, identity.as_ref())?;
        let hold = |name: &'static str| Ok((name, data_dir::hold(&data_dir.join(name), identity.as_ref())?));
        let services = plan.services.iter().map(|planned| planned.name).filter(|name| *name != admin::PLUGIN.name);
        let held = services.map(hold).collect::<anyhow::Result<Held>>()?;
        let control = control_path(&data_dir, mode);
        plan.add_control(control.as_deref());
        if let (Some(admin), Some(bound)) = (plan.services.first(), sockets.first_mut()) {
            *bound = bind(admin, bound)?;
        }
        Ok(Self { plan, sockets, activated, identity, data_dir, control, pid_file, held })
    }

    /// The rest of the process's life, in the foreground or in the background; `ready` is called when all accept.
    fn run(self, reread: Reread, environment: &Environment, ready: &dyn Fn()) -> Result<(), Error> {
        let host = self.plan.host.clone();
        if let Some(pid_file) = &self.pid_file {
            pid_file.write(std::process::id()).context("failed to write the pid file")?;
        }
        let Logs { handle, seen } = crate::logs::open(&self.plan, &self.data_dir, self.identity.as_ref())?;
        confine(&host, self.identity.as_ref())?;
        let outcome = self.live(&host, reread, environment, handle, ready);
        outcome.map_err(|error| {
            tracing::error!(error = format!("{error:#}"), "failed");
            if seen { Error::Logged } else { Error::Failed(error) }
        })
    }

    /// Gates 3 and 4, on a runtime.
    fn live(
        self,
        host: &HostSettings,
        reread: Reread,
        environment: &Environment,
        logs: opsctl_logging::Handle,
        ready: &dyn Fn(),
    ) -> anyhow::Result<()> {
        let runtime = runtime(host.worker_threads()).context("failed to start the runtime")?;
        let notifier = Arc::new(Notifier::new(
            environment.notify_socket.as_deref(),
            environment.watchdog_usec.as_deref(),
            environment.watchdog_pid.as_deref(),
        ));
        let data = Data::new(host, host.inside(&self.data_dir));
        let (shared, commands) = Shared::new(data, Accounts::new(self.plan.auth.clone()));
        let Self { plan, sockets, activated, held, .. } = self;
        let outcome = runtime.block_on(async {
            let signals = Signals::new().context("failed to take over the signals")?;
            let watchdog = spawn(watchdog(Arc::clone(&notifier), Arc::clone(&shared)));
            let mut supervisor = Supervisor::new(plan, shared, reread, activated, Arc::clone(&notifier), logs, held);
            supervisor.start(sockets).await?;
            if let Some(path) = &host.ready_file {
                supervisor.write_ready_file(path.as_ref()).context("failed to write the ready file")?;
            }
            notifier.ready();
            ready();
            tracing::info!(version = env!("CARGO_PKG_VERSION"), "ready");
            let outcome = supervisor.run(signals, commands).await;
            watchdog.abort();
            outcome
        });
        // what still blocks a thread is left behind
        runtime.shutdown_timeout(Duration::from_secs(1));
        outcome
    }
}

/// Whom to become, if the configuration names somebody.
pub(crate) fn identity(host: &HostSettings) -> Result<Option<Identity>, Error> {
    let HostSettings { user, group, allow_root, .. } = host;
    if Uid::effective().is_root() && user.is_none() && !allow_root {
        let text = "running as root needs `--user NAME` to become, or `--allow-root`";
        return Err(Error::Usage(text.to_owned()));
    }
    if user.is_none() && group.is_none() {
        return Ok(None);
    }
    let name = |name: &Option<Scalar>| name.as_ref().map(|Scalar(name)| name.clone());
    let identity = Identity::resolve(name(user).as_deref(), name(group).as_deref());
    Ok(Some(identity.context("failed to look the account up")?))
}

/// Gives up what the program no longer needs, in the only order that works: root, folder, account.
fn confine(host: &HostSettings, identity: Option<&Identity>) -> anyhow::Result<()> {
    if let Some(root) = &host.chroot {
        privileges::enter_chroot(root.as_ref())?;
    }
    let work_dir = match &host.run_dir {
        Some(dir) => Some(dir.as_ref()),
        None if host.daemon || host.chroot.is_some() => Some(Path::new("/")),
        None => None,
    };
    if let Some(dir) = work_dir {
        std::env::set_current_dir(dir).with_context(|| format!("failed to enter folder `{}`", dir.display()))?;
    }
    if let Some(identity) = identity {
        identity.assume().context("failed to give up privileges")?;
    }
    Ok(())
}

fn runtime(threads: usize) -> std::io::Result<Runtime> {
    if threads == 1 {
        return Builder::new_current_thread().enable_all().build();
    }
    Builder::new_multi_thread().worker_threads(threads).thread_name("opsctl").enable_all().build()
}

/// Pings systemd's watchdog while every critical service does what it is for.
async fn watchdog(notifier: Arc<Notifier>, shared: Arc<Shared>) {
    let Some(interval) = notifier.watchdog_interval() else { return };
    let mut ticks = tokio::time::interval(interval);
    loop {
        ticks.tick().await;
        if shared.alive() {
            notifier.watchdog();
        }
    }
}

/// Where the control socket is: in the data folder for `run`, in its own folder for a service that runs alone. None if
/// the path is longer than a socket's may be.
fn control_path(data_dir: &Path, mode: Mode) -> Option<PathBuf> {
    let folder = match mode {
        Mode::Enabled => data_dir.to_owned(),
        Mode::Only(service) => data_dir.join(service),
    };
    let path = folder.join(CONTROL_SOCKET);
    (path.as_os_str().len() < SOCKET_PATH_MAX).then_some(path)
}
