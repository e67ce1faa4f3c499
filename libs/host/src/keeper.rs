//! Keeps one service: runs it, starts it again as its table says, and takes a new configuration on in two phases.
//!
//! Each service has one keeper task. Orders come from the supervisor; what the keeper decides by itself is only about
//! its own service, and its end is reported once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use crate::context::{flatten, spawn};
use crate::instance::{Opened, Running};
use crate::plan::Planned;
use crate::restarts::{End, Restarts, Verdict};
use crate::settings::HostSettings;
use crate::shared::{Card, ListenerStatus, Shared, State};
use crate::sockets::Sockets;
use crate::{Refused, Reload};

/// What the supervisor tells a keeper.
pub(crate) enum Order {
    /// Get ready for a new configuration, answer, and wait for the decision.
    Prepare(Proposal),
    /// Finish.
    Stop,
}

/// A new configuration, and the two ends of agreeing on it.
pub(crate) struct Proposal {
    pub(crate) planned: Planned,
    pub(crate) sockets: Sockets,
    /// The keeper's answer.
    pub(crate) answer: oneshot::Sender<Result<(), Refused>>,
    /// Whether all services have accepted; dropped means no.
    pub(crate) decision: oneshot::Receiver<()>,
}

/// How a keeper ended: because it was told to, or because the service is beyond help.
pub(crate) type Ended = anyhow::Result<()>;

/// The supervisor's end of a keeper.
pub(crate) struct Handle {
    pub(crate) planned: Planned,
    pub(crate) sockets: Sockets,
    pub(crate) card: Arc<Card>,
    pub(crate) orders: mpsc::Sender<Order>,
    pub(crate) task: JoinHandle<Ended>,
}

struct Keeper {
    planned: Planned,
    sockets: Sockets,
    shared: Arc<Shared>,
    card: Arc<Card>,
    restarts: Restarts,
    grace: Duration,
    /// Earlier instances that finish what they began.
    retired: TaskTracker,
}

enum Phase {
    Running(Box<Running>),
    Waiting(Instant),
    Opening(JoinHandle<anyhow::Result<Opened>>),
}

enum Step {
    Ended(anyhow::Result<()>),
    Due,
    Opened(anyhow::Result<Opened>),
}

/// What a keeper has in its hands between its answer and the decision.
enum Prepared {
    Commit(Box<dyn FnOnce() + Send>),
    Replacement(Opened),
}

/// Starts keeping a service that has been opened; `at_end` is told its name when the keeper ends.
pub(crate) fn keep(
    opened: Opened,
    planned: Planned,
    sockets: Sockets,
    shared: Arc<Shared>,
    settings: &HostSettings,
    at_end: mpsc::UnboundedSender<&'static str>,
) -> Handle {
    let card = Arc::new(Card::new(planned.name, planned.about, planned.common.critical));
    let (orders, receiver) = mpsc::channel(4);
    let keeper = Keeper {
        planned: planned.clone(),
        sockets: sockets.clone(),
        shared,
        card: Arc::clone(&card),
        restarts: Restarts::new(settings),
        grace: settings.grace.into(),
        retired: TaskTracker::new(),
    };
    let name = planned.name;
    let running = keeper.start(opened);
    let task = spawn(async move {
        let ended = keeper.run(running, receiver).await;
        // the supervisor is gone only when it stopped caring
        let _ = at_end.send(name);
        ended
    });
    Handle { planned, sockets, card, orders, task }
}

impl Keeper {
    async fn run(mut self, first: Phase, mut orders: mpsc::Receiver<Order>) -> Ended {
        let mut phase = first;
        loop {
            tokio::select! {
                order = orders.recv() => match order {
                    Some(Order::Prepare(proposal)) => phase = self.consider(phase, proposal).await,
                    Some(Order::Stop) | None => return self.finish(phase).await,
                },
                step = phase.step() => phase = match step {
                    Step::Ended(ended) => self.ended(phase, ended).await?,
                    Step::Due => {
                        let opening = Opened::open(self.planned.clone(), self.sockets.clone(), Arc::clone(&self.shared));
                        Phase::Opening(spawn(opening))
                    }
                    Step::Opened(Ok(opened)) => {
                        self.card.count_restart();
                        self.start(opened)
                    }
                    Step::Opened(Err(error)) => self.again(Err(error), Duration::ZERO)?,
                },
            }
        }
    }

    fn start(&self, opened: Opened) -> Phase {
        let running = opened.run();
        let listeners = self.sockets.addresses();
        let listeners = listeners
            .map(|(name, endpoint)| ListenerStatus { name: name.to_owned(), address: endpoint.to_string() })
            .collect();
        self.card.set_running(&running.cx, self.planned.common.critical, listeners);
        Phase::Running(Box::new(running))
    }

    /// The instance ended by itself: what it left behind finishes, then it is decided on.
    async fn ended(&mut self, phase: Phase, ended: anyhow::Result<()>) -> anyhow::Result<Phase> {
        let ran = self.card.since();
        self.card.set_state(State::Restarting);
        if let Phase::Running(running) = phase
            && let Err(error) = running.finish_within(self.grace).await
        {
            tracing::debug!(service = self.planned.name, error = format!("{error:#}"), "failed while it ended");
        }
        self.again(ended, ran)
    }

    /// Decides whether the service is started again after it `ended`.
    fn again(&mut self, ended: anyhow::Result<()>, ran: Duration) -> anyhow::Result<Phase> {
        let service = self.planned.name;
        let end = if ended.is_ok() { End::Orderly } else { End::Failure };
        let error = ended.err().unwrap_or_else(|| anyhow::anyhow!("ended by itself"));
        let text = format!("{error:#}");
        self.card.set_error(text.clone());
        match self.restarts.decide(self.planned.common.restart, end, ran, Instant::now()) {
            Verdict::After(wait) => {
                tracing::error!(service, error = text, wait_ms = wait.as_millis(), "service ended, starts again");
                self.card.set_state(State::Restarting);
                Ok(Phase::Waiting(Instant::now() + wait))
            }
            Verdict::NotWanted => {
                self.card.set_state(State::Stopped);
                Err(error.context(format!("service `{service}` ended")))
            }
            Verdict::TooMany => {
                self.card.set_state(State::Stopped);
                Err(error.context(format!("service `{service}` was restarted too often within `host.restart_window`")))
            }
        }
    }

    /// Both phases of taking a configuration on. In between the keeper does nothing else, so that what was accepted is
    /// what is committed.
    async fn consider(&mut self, phase: Phase, proposal: Proposal) -> Phase {
        let Proposal { planned, sockets, answer, decision } = proposal;
        let prepared = match self.prepare(&phase, &planned, &sockets).await {
            Ok(prepared) => prepared,
            Err(refused) => {
                // nobody waits for the answer any more: the reload was given up
                let _ = answer.send(Err(refused));
                return phase;
            }
        };
        if answer.send(Ok(())).is_err() || decision.await.is_err() {
            return phase;
        }
        self.planned = planned;
        self.sockets = sockets;
        match prepared {
            Prepared::Commit(commit) => {
                commit();
                phase
            }
            Prepared::Replacement(opened) => {
                let next = self.start(opened);
                self.retire(phase);
                next
            }
        }
    }

    async fn prepare(&self, phase: &Phase, planned: &Planned, sockets: &Sockets) -> Result<Prepared, Refused> {
        let same_sockets = self.sockets.listens().eq(sockets.listens());
        if let Phase::Running(running) = phase
            && let Reload::Commit(commit) = running.reload(&planned.document).await?
            && same_sockets
        {
            return Ok(Prepared::Commit(commit));
        }
        let opened = Opened::open(planned.clone(), sockets.clone(), Arc::clone(&self.shared)).await;
        opened.map(Prepared::Replacement).map_err(|error| Refused(format!("{error:#}")))
    }

    /// Lets an earlier instance finish beside the new one.
    fn retire(&self, phase: Phase) {
        let (service, grace) = (self.planned.name, self.grace);
        match phase {
            Phase::Running(running) => {
                running.cx.stop();
                self.retired.spawn(async move {
                    if let Err(error) = running.finish_within(grace).await {
                        tracing::warn!(service, error = format!("{error:#}"), "replaced instance failed at its end");
                    }
                });
            }
            Phase::Waiting(_) => {}
            Phase::Opening(task) => task.abort(),
        }
    }

    async fn finish(self, phase: Phase) -> Ended {
        self.card.set_state(State::Stopping);
        let ended = match phase {
            Phase::Running(running) => running.finish().await,
            Phase::Waiting(_) => Ok(()),
            Phase::Opening(task) => {
                task.abort();
                Ok(())
            }
        };
        self.retired.close();
        self.retired.wait().await;
        self.card.set_state(State::Stopped);
        tracing::info!(service = self.planned.name, "service stopped");
        ended.map_err(|error| error.context(format!("service `{}` failed while it stopped", self.planned.name)))
    }
}

impl Phase {
    async fn step(&mut self) -> Step {
        match self {
            Self::Running(running) => Step::Ended(running.ended().await),
            Self::Waiting(until) => {
                tokio::time::sleep_until(*until).await;
                Step::Due
            }
            Self::Opening(task) => Step::Opened(flatten(task.await)),
        }
    }
}
