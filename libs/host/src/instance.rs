//! One life of a service: opened, running, ended or finished.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use opsctl_config::Document;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::DropGuard;
use tracing::Instrument;

use crate::context::{flatten, spawn};
use crate::plan::Planned;
use crate::plugin::Instance;
use crate::shared::Shared;
use crate::sockets::Sockets;
use crate::{Context, Refused, Reload};

/// A service that has passed gate 3, *open*, and does not serve yet.
pub(crate) struct Opened {
    instance: Arc<dyn Instance>,
    cx: Context,
    failed: mpsc::UnboundedReceiver<anyhow::Error>,
    /// Ends the tasks that it spawned already, if it is given up.
    given_up: DropGuard,
}

impl Opened {
    /// Opens `planned` on `sockets`. A panic is an error like any other.
    pub(crate) async fn open(planned: Planned, sockets: Sockets, host: Arc<Shared>) -> anyhow::Result<Self> {
        let data_dir = host.data.dir().join(planned.name);
        let (cx, failed) = Context::new(planned.name, sockets, data_dir, host);
        let given_up = cx.abort_token().drop_guard();
        let opening = planned.config()?.open(cx.clone()).instrument(cx.span().clone());
        // a task of its own, so that a panic ends there
        let mut task = spawn(opening);
        let opened = tokio::select! {
            opened = &mut task => flatten(opened),
            () = cx.aborted() => { task.abort(); Err(anyhow::anyhow!("was cut off")) }
        };
        let instance = opened.with_context(|| format!("failed to open service `{}`", planned.name))?;
        Ok(Self { instance, cx, failed, given_up })
    }

    /// Gate 4, *run*.
    pub(crate) fn run(self) -> Running {
        let Self { instance, cx, failed, given_up } = self;
        given_up.disarm();
        let run = spawn(Arc::clone(&instance).run(cx.clone()).instrument(cx.span().clone()));
        Running { instance, cx, failed, run }
    }
}

/// A service that serves.
pub(crate) struct Running {
    instance: Arc<dyn Instance>,
    pub(crate) cx: Context,
    failed: mpsc::UnboundedReceiver<anyhow::Error>,
    run: JoinHandle<anyhow::Result<()>>,
}

impl Running {
    /// Resolves when it ends by itself: its `run` returned, or a task that it cannot do without failed. May be called
    /// again after it was cancelled, not after it resolved.
    pub(crate) async fn ended(&mut self) -> anyhow::Result<()> {
        tokio::select! {
            biased;
            Some(error) = self.failed.recv() => Err(error),
            ended = &mut self.run => flatten(ended),
        }
    }

    /// [`crate::Service::reload`].
    pub(crate) async fn reload(&self, document: &Document) -> Result<Reload, Refused> {
        self.instance.reload(document).instrument(self.cx.span().clone()).await
    }

    /// Tells it to stop and waits until `run` and every task has ended, or the host aborts.
    ///
    /// # Errors
    /// What it failed with while it stopped.
    pub(crate) async fn finish(mut self) -> anyhow::Result<()> {
        self.cx.stop();
        let ended = if self.run.is_finished() {
            Ok(())
        } else {
            tokio::select! {
                ended = &mut self.run => flatten(ended),
                () = self.cx.aborted() => { self.run.abort(); Ok(()) }
            }
        };
        self.cx.drained().await;
        ended
    }

    /// [`Self::finish`], cut off after `grace`.
    pub(crate) async fn finish_within(self, grace: Duration) -> anyhow::Result<()> {
        let cx = self.cx.clone();
        let mut finish = std::pin::pin!(self.finish());
        tokio::select! {
            ended = &mut finish => return ended,
            () = tokio::time::sleep(grace) => tracing::warn!(service = cx.service(), "grace period is over: cut off"),
        }
        cx.abort();
        finish.await
    }
}
