//! What a running service is handed: the word to stop, its tasks, its sockets, its folder, its health.
//!
//! A task is always spawned through here: the host waits for each at the end, and cuts them off when the grace period
//! is over. Nothing runs detached.

use std::any::Any;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use opsctl_auth::Auth;
use opsctl_http::{Limits, Listener, Site, Spawner};
use opsctl_store::{Blobs, Database, Location, Migrations};
use prometheus_client::registry::Registry;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::health::HealthCell;
use crate::shared::Shared;
use crate::sockets::Sockets;
use crate::verb;

/// Handed to one instance of a service. Cheap to clone.
#[derive(Clone)]
pub struct Context(Arc<Inner>);

struct Inner {
    service: &'static str,
    stop: CancellationToken,
    abort: CancellationToken,
    tasks: TaskTracker,
    failures: mpsc::UnboundedSender<anyhow::Error>,
    sockets: Sockets,
    data_dir: PathBuf,
    health: HealthCell,
    metrics: Mutex<Registry>,
    span: tracing::Span,
    host: Arc<Shared>,
}

impl Context {
    /// A context and the end at which failures of its essential tasks arrive.
    pub(crate) fn new(
        service: &'static str,
        sockets: Sockets,
        data_dir: PathBuf,
        host: Arc<Shared>,
    ) -> (Self, mpsc::UnboundedReceiver<anyhow::Error>) {
        let (failures, failed) = mpsc::unbounded_channel();
        let context = Self(Arc::new(Inner {
            service,
            stop: CancellationToken::new(),
            abort: host.abort.child_token(),
            tasks: TaskTracker::new(),
            failures,
            sockets,
            data_dir,
            health: HealthCell::default(),
            metrics: Mutex::new(Registry::with_prefix(format!("opsctl_{service}"))),
            span: opsctl_logging::service_span(service),
            host,
        }));
        (context, failed)
    }

    /// The service's name.
    #[must_use]
    pub fn service(&self) -> &'static str {
        self.0.service
    }

    /// Resolves when the service shall stop: take nothing new on, finish what was begun, return from `run`.
    pub async fn stopping(&self) {
        self.0.stop.cancelled().await;
    }

    /// Whether the service shall stop.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.0.stop.is_cancelled()
    }

    /// Spawns a task that the service cannot do without: its error or panic is the service's.
    pub fn spawn<F>(&self, name: &'static str, task: F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let cx = self.clone();
        let inner = spawn(task.instrument(self.0.span.clone()));
        self.0.tasks.spawn(async move {
            let abort = inner.abort_handle();
            let Some(ended) = cx.0.abort.run_until_cancelled(inner).await else { return abort.abort() };
            if let Err(error) = flatten(ended).with_context(|| format!("task `{name}` failed")) {
                // the receiver is gone only when the service has ended anyway
                let _ = cx.0.failures.send(error);
            }
        });
    }

    /// Spawns the handling of one connection: when it panics the panic is logged and the service goes on.
    pub fn spawn_connection<F>(&self, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let abort = self.0.abort.clone();
        let task = async move {
            abort.run_until_cancelled(task).await;
        };
        self.0.tasks.spawn(task.instrument(self.0.span.clone()));
    }

    /// The sockets that were bound under `name`, ready to accept; empty if the configuration names none.
    ///
    /// # Errors
    /// When the process is out of file descriptors.
    pub fn listeners(&self, name: &str) -> io::Result<Vec<Listener>> {
        self.0.sockets.listeners(name)
    }

    /// Serves HTTP on what was bound under `name`, until the service shall stop; then open requests finish.
    ///
    /// # Errors
    /// When the process is out of file descriptors.
    pub fn serve_http(&self, name: &'static str, site: impl Into<Site>, limits: Limits) -> io::Result<()> {
        let listeners = self.listeners(name)?;
        if listeners.is_empty() {
            return Ok(());
        }
        let (cx, site) = (self.clone(), site.into());
        let spawner: Spawner = {
            let cx = self.clone();
            Arc::new(move |connection| cx.spawn_connection(connection))
        };
        self.spawn(name, async move {
            let serving = opsctl_http::serve(listeners, site, limits, spawner, cx.stopping());
            serving.await.with_context(|| format!("failed to serve `{name}`"))
        });
        Ok(())
    }

    /// The service's own folder, made on first use.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn data_dir(&self) -> anyhow::Result<&Path> {
        let dir = self.0.data_dir.as_path();
        std::fs::create_dir_all(dir).with_context(|| format!("failed to create folder `{}`", dir.display()))?;
        Ok(dir)
    }

    /// Where the services keep their data, for libraries that have tables of their own.
    ///
    /// # Errors
    /// When a file that holds a secret of `[host]` cannot be read.
    pub fn location(&self) -> anyhow::Result<Location> {
        self.0.host.data.location()
    }

    /// Opens the service's database, in the place that the operator chose, and brings its schema up to date.
    ///
    /// # Errors
    /// [`opsctl_store::Error`], which names the database; that a file with a secret of `[host]` cannot be read.
    pub async fn database(&self, migrations: &Migrations) -> anyhow::Result<Database> {
        verb::open_database(&self.location()?, self.0.service, migrations).await
    }

    /// Opens the service's blobs, in the place that the operator chose.
    ///
    /// # Errors
    /// [`opsctl_store::Error`], which names the store; that a file with a secret of `[host]` cannot be read.
    pub async fn blobs(&self) -> anyhow::Result<Blobs> {
        verb::open_blobs(&self.location()?, self.0.service).await
    }

    /// The user base of all services: who a request is from, and what they may do. Opened once in a process; where there
    /// is nobody in it yet, the log shows a link by which the administrator is made.
    ///
    /// # Errors
    /// The database's; that a file with a secret of `[host]` cannot be read.
    pub async fn auth(&self) -> anyhow::Result<Auth> {
        let addresses = self.0.sockets.addresses().map(|(_, address)| address);
        self.0.host.accounts.get(&self.location()?, addresses).await.context("failed to open the user base")
    }

    /// Where the service says how it is.
    #[must_use]
    pub fn health(&self) -> &HealthCell {
        &self.0.health
    }

    /// Registers metrics; their names get the prefix `opsctl_<service>_`.
    pub fn metrics(&self, register: impl FnOnce(&mut Registry)) {
        register(&mut self.0.metrics.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn encode_metrics(&self, out: &mut String) -> fmt::Result {
        let registry = self.0.metrics.lock().unwrap_or_else(PoisonError::into_inner);
        prometheus_client::encoding::text::encode_registry(out, &registry)
    }

    pub(crate) fn host(&self) -> &Arc<Shared> {
        &self.0.host
    }

    pub(crate) fn span(&self) -> &tracing::Span {
        &self.0.span
    }

    pub(crate) fn stop(&self) {
        self.0.stop.cancel();
    }

    pub(crate) fn abort(&self) {
        self.0.stop.cancel();
        self.0.abort.cancel();
    }

    pub(crate) fn abort_token(&self) -> CancellationToken {
        self.0.abort.clone()
    }

    pub(crate) async fn aborted(&self) {
        self.0.abort.cancelled().await;
    }

    /// Resolves when every task has ended. None may be spawned by the service's `run` after it returned.
    pub(crate) async fn drained(&self) {
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("service", &self.0.service).field("stopping", &self.is_stopping()).finish()
    }
}

/// The one place that spawns; everybody else goes through a [`Context`], or through the supervisor that owns it.
#[expect(clippy::disallowed_methods, reason = "what is spawned here is waited for by the supervisor")]
pub(crate) fn spawn<F>(task: F) -> tokio::task::JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    tokio::spawn(task)
}

/// A task's end as one result: a panic is an error like any other.
pub(crate) fn flatten<T>(ended: Result<anyhow::Result<T>, tokio::task::JoinError>) -> anyhow::Result<T> {
    match ended {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => Err(anyhow::anyhow!("panicked: {}", panic_text(panic.as_ref()))),
            Err(_) => Err(anyhow::anyhow!("was cut off")),
        },
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no text")
}
