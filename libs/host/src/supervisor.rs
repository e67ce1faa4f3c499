//! Runs all services: starts them in table order, stops them in reverse, and in between answers signals, requests and
//! services that end.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use nix::fcntl::Flock;
use opsctl_config::Fault;
use opsctl_http::Activated;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use crate::context::flatten;
use crate::instance::Opened;
use crate::keeper::{self, Handle, Order};
use crate::plan::{Plan, Planned};
use crate::process::notify::Notifier;
use crate::shared::{Command, Shared};
use crate::signals::{Signal, Signals};
use crate::sockets::Sockets;

/// How long aborted tasks have to be gone.
const ABORT_TIME: Duration = Duration::from_secs(2);

/// Reads the configuration again, from the same sources.
pub(crate) type Reread = Box<dyn Fn() -> Result<Plan, Vec<Fault>>>;

/// Locks on services' folders.
pub(crate) type Held = BTreeMap<&'static str, Flock<File>>;

/// Runs services, until it is told to stop.
pub(crate) struct Supervisor {
    pub(crate) plan: Plan,
    pub(crate) shared: Arc<Shared>,
    pub(crate) reread: Reread,
    pub(crate) activated: Activated,
    pub(crate) notifier: Arc<Notifier>,
    pub(crate) logs: opsctl_logging::Handle,
    /// In the order of the start.
    pub(crate) handles: Vec<Handle>,
    /// Services that a reload switched off, until they have finished.
    pub(crate) leaving: TaskTracker,
    /// Locks on the services' folders by service, for life.
    pub(crate) held: Held,
    at_end: mpsc::UnboundedSender<&'static str>,
    ended: mpsc::UnboundedReceiver<&'static str>,
}

/// How the program shall end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    GoOn,
    Stop,
    /// A service ended that should not have.
    Fail,
}

impl Supervisor {
    pub(crate) fn new(
        plan: Plan,
        shared: Arc<Shared>,
        reread: Reread,
        activated: Activated,
        notifier: Arc<Notifier>,
        logs: opsctl_logging::Handle,
        held: Held,
    ) -> Self {
        let (at_end, ended) = mpsc::unbounded_channel();
        Self {
            plan,
            shared,
            reread,
            activated,
            notifier,
            logs,
            handles: Vec::new(),
            leaving: TaskTracker::new(),
            held,
            at_end,
            ended,
        }
    }

    /// Opens and runs every service on its sockets, in table order.
    ///
    /// # Errors
    /// The first service that does not open; those before it have been stopped again.
    pub(crate) async fn start(&mut self, sockets: Vec<Sockets>) -> anyhow::Result<()> {
        for (planned, sockets) in self.plan.services.clone().into_iter().zip(sockets) {
            match Opened::open(planned.clone(), sockets.clone(), Arc::clone(&self.shared)).await {
                Ok(opened) => self.keep(opened, planned, sockets),
                Err(error) => {
                    self.stop_all().await;
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Keeps a service that has been opened, and says where it listens.
    pub(crate) fn keep(&mut self, opened: Opened, planned: Planned, sockets: Sockets) {
        log_addresses(planned.name, &sockets);
        let shared = Arc::clone(&self.shared);
        let handle = keeper::keep(opened, planned, sockets, shared, &self.plan.host, self.at_end.clone());
        self.shared.cards().push(Arc::clone(&handle.card));
        self.handles.push(handle);
    }

    /// Serves until a signal, or until a service ends that should not.
    ///
    /// # Errors
    /// Why the program ends otherwise than by an orderly stop.
    pub(crate) async fn run(
        mut self,
        mut signals: Signals,
        mut commands: mpsc::Receiver<Command>,
    ) -> anyhow::Result<()> {
        let mut next = Next::GoOn;
        while next == Next::GoOn {
            next = tokio::select! {
                signal = signals.next() => match signal {
                    Signal::Stop => Next::Stop,
                    Signal::Reload => self.reload_or_stop(&mut signals, None).await,
                    Signal::Reopen => self.reopen_logs(),
                },
                Some(Command::Reload(answer)) = commands.recv() => {
                    self.reload_or_stop(&mut signals, Some(answer)).await
                }
                Some(name) = self.ended.recv() => self.service_ended(name),
            };
        }
        // whoever asks for something now is told that the host is stopping
        drop(commands);
        self.stop(signals, next).await
    }

    /// Writes the ready file, beside and renamed: a line `service listener address` for each listener.
    pub(crate) fn write_ready_file(&self, path: &Path) -> std::io::Result<()> {
        let mut text = String::new();
        for handle in &self.handles {
            for (listener, address) in handle.sockets.addresses() {
                text.push_str(&format!("{} {listener} {address}\n", handle.planned.name));
            }
        }
        let mut beside = path.as_os_str().to_owned();
        beside.push(".new");
        std::fs::write(&beside, text)?;
        std::fs::rename(&beside, path)
    }

    fn grace(&self) -> Duration {
        self.plan.host.grace.into()
    }

    /// A service that was switched off ends on order; any other end stops the program.
    fn service_ended(&self, name: &str) -> Next {
        if self.handles.iter().any(|handle| handle.card.name == name) { Next::Fail } else { Next::GoOn }
    }

    fn reopen_logs(&self) -> Next {
        match self.logs.reopen() {
            Ok(()) => tracing::info!("log file reopened"),
            Err(error) => tracing::error!(%error, "failed to reopen the log file, the old one stays in use"),
        }
        Next::GoOn
    }

    /// Reloads, unless the word to stop comes first: then nothing has changed.
    async fn reload_or_stop(
        &mut self,
        signals: &mut Signals,
        answer: Option<tokio::sync::oneshot::Sender<Result<String, String>>>,
    ) -> Next {
        self.notifier.reloading();
        let outcome = tokio::select! {
            outcome = self.reload() => outcome,
            () = signals.stop() => return Next::Stop,
        };
        match &outcome {
            Ok(changes) => tracing::info!(changes, "configuration reloaded"),
            Err(reason) => tracing::error!(reason, "configuration refused, the old one stays in use"),
        }
        if let Some(answer) = answer {
            // whoever asked may have gone
            let _ = answer.send(outcome);
        }
        self.notifier.ready();
        Next::GoOn
    }

    async fn stop(mut self, mut signals: Signals, why: Next) -> anyhow::Result<()> {
        self.notifier.stopping();
        tracing::info!("stopping");
        let deadline = Instant::now() + self.grace();
        let shared = Arc::clone(&self.shared);
        let mut cut_off = None;
        let failure = {
            let mut stopping = std::pin::pin!(self.stop_all());
            tokio::select! {
                failure = &mut stopping => failure,
                reason = async {
                    tokio::select! {
                        () = signals.stop() => "a second signal",
                        () = tokio::time::sleep_until(deadline) => "the end of the grace period",
                    }
                } => {
                    cut_off = Some(reason);
                    shared.abort.cancel();
                    tokio::time::timeout(ABORT_TIME, stopping).await.unwrap_or_default()
                }
            }
        };
        match (failure, cut_off) {
            (Some(error), _) => Err(error),
            (None, Some(reason)) => Err(anyhow::anyhow!("services were cut off by {reason}")),
            (None, None) if why == Next::Fail => Err(anyhow::anyhow!("a service ended by itself")),
            (None, None) => {
                tracing::info!("stopped");
                Ok(())
            }
        }
    }

    /// Stops all services in the reverse of their order, each after the one before it has finished.
    async fn stop_all(&mut self) -> Option<anyhow::Error> {
        let mut first = None;
        while let Some(handle) = self.handles.pop() {
            if let Err(error) = stop(handle).await {
                tracing::error!(error = format!("{error:#}"), "service failed");
                first.get_or_insert(error);
            }
        }
        self.leaving.close();
        self.leaving.wait().await;
        first
    }
}

/// Stops one service and waits for its end.
pub(crate) async fn stop(handle: Handle) -> anyhow::Result<()> {
    // a keeper that has ended takes no order, its task says why
    let _ = handle.orders.send(Order::Stop).await;
    flatten(handle.task.await).with_context(|| format!("failed to run `{}`", handle.card.name))
}

/// Logs where a service listens.
pub(crate) fn log_addresses(service: &str, sockets: &Sockets) {
    for (listener, address) in sockets.addresses() {
        tracing::info!(service, listener, %address, "listening");
    }
}
