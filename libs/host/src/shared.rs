//! What the supervisor, the services' contexts and the status page share: one card per service, and a way to ask the
//! supervisor for something.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::Context;
use crate::accounts::Accounts;
use crate::data::Data;
use crate::health::Health;

/// One per running host.
#[derive(Debug)]
pub(crate) struct Shared {
    started: Instant,
    /// Where services keep what they keep.
    pub(crate) data: Data,
    /// The user base of all of them.
    pub(crate) accounts: Accounts,
    cards: Mutex<Vec<Arc<Card>>>,
    commands: mpsc::Sender<Command>,
    /// Cuts every task of every service off.
    pub(crate) abort: CancellationToken,
}

/// What the supervisor is asked for.
#[derive(Debug)]
pub(crate) enum Command {
    /// Read the configuration again and take it on; the answer says what changed, or why nothing did.
    Reload(oneshot::Sender<Result<String, String>>),
}

impl Shared {
    pub(crate) fn new(data: Data, accounts: Accounts) -> (Arc<Self>, mpsc::Receiver<Command>) {
        let (commands, asked) = mpsc::channel(8);
        let shared = Self {
            started: Instant::now(),
            data,
            accounts,
            cards: Mutex::default(),
            commands,
            abort: CancellationToken::new(),
        };
        (Arc::new(shared), asked)
    }

    pub(crate) fn cards(&self) -> MutexGuard<'_, Vec<Arc<Card>>> {
        self.cards.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the supervisor reload, and waits for what comes of it.
    pub(crate) async fn reload(&self) -> Result<String, String> {
        const STOPPING: &str = "the host is stopping";
        let (reply, answer) = oneshot::channel();
        self.commands.send(Command::Reload(reply)).await.map_err(|_| STOPPING.to_owned())?;
        answer.await.unwrap_or_else(|_| Err(STOPPING.to_owned()))
    }

    /// Whether every critical service does what it is for.
    pub(crate) fn alive(&self) -> bool {
        self.cards().iter().all(|card| !card.critical() || card.works())
    }

    /// Whether every service serves.
    pub(crate) fn ready(&self) -> bool {
        self.cards().iter().all(|card| card.works())
    }

    /// How everything is, now.
    pub(crate) fn status(&self) -> Status {
        let services: Vec<_> = self.cards().iter().map(|card| card.status()).collect();
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            uptime_seconds: self.started.elapsed().as_secs(),
            healthy: services.iter().all(|service| service.state == State::Running && service.health == Health::Ok),
            services,
        }
    }
}

/// What is known of one service.
#[derive(Debug)]
pub(crate) struct Card {
    pub(crate) name: &'static str,
    about: &'static str,
    facts: Mutex<Facts>,
}

#[derive(Debug)]
struct Facts {
    state: State,
    since: Instant,
    critical: bool,
    restarts: u64,
    last_error: Option<(Instant, String)>,
    listeners: Vec<ListenerStatus>,
    current: Option<Context>,
}

impl Card {
    pub(crate) fn new(name: &'static str, about: &'static str, critical: bool) -> Self {
        let facts = Facts {
            state: State::Starting,
            since: Instant::now(),
            critical,
            restarts: 0,
            last_error: None,
            listeners: Vec::new(),
            current: None,
        };
        Self { name, about, facts: Mutex::new(facts) }
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_state(&self, state: State) {
        let mut facts = self.facts();
        facts.state = state;
        facts.since = Instant::now();
        if state == State::Stopped {
            // with the context go its sockets
            facts.current = None;
        }
    }

    /// A new instance serves.
    pub(crate) fn set_running(&self, cx: &Context, critical: bool, listeners: Vec<ListenerStatus>) {
        let mut facts = self.facts();
        if facts.state != State::Running {
            facts.since = Instant::now();
        }
        facts.state = State::Running;
        facts.critical = critical;
        facts.listeners = listeners;
        facts.current = Some(cx.clone());
    }

    pub(crate) fn set_error(&self, text: String) {
        self.facts().last_error = Some((Instant::now(), text));
    }

    pub(crate) fn count_restart(&self) {
        self.facts().restarts += 1;
    }

    /// How long it has been in its state.
    pub(crate) fn since(&self) -> Duration {
        self.facts().since.elapsed()
    }

    /// The context of the instance that serves now.
    pub(crate) fn current(&self) -> Option<Context> {
        self.facts().current.clone()
    }

    fn critical(&self) -> bool {
        self.facts().critical
    }

    fn works(&self) -> bool {
        let facts = self.facts();
        facts.state == State::Running && !matches!(facts.health(), Health::Failed(_))
    }

    fn status(&self) -> ServiceStatus {
        let facts = self.facts();
        ServiceStatus {
            name: self.name.to_owned(),
            about: self.about.to_owned(),
            state: facts.state,
            health: facts.health(),
            seconds_in_state: facts.since.elapsed().as_secs(),
            restarts: facts.restarts,
            listeners: facts.listeners.clone(),
            last_error: facts
                .last_error
                .as_ref()
                .map(|(at, text)| LastError { text: text.clone(), seconds_ago: at.elapsed().as_secs() }),
        }
    }
}

impl Facts {
    fn health(&self) -> Health {
        self.current.as_ref().map(|cx| cx.health().get()).unwrap_or_default()
    }
}

/// Where a service stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is being opened for the first time.
    Starting,
    /// It serves.
    Running,
    /// It ended by itself and will be started again.
    Restarting,
    /// It finishes what it began.
    Stopping,
    /// It has ended.
    Stopped,
}

impl State {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Restarting => "restarting",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
        }
    }
}

/// How a host and its services are: the status page's JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Of the program.
    pub version: String,
    /// Of the process.
    pub pid: u32,
    /// Since the process started.
    pub uptime_seconds: u64,
    /// Whether all services run and are well.
    pub healthy: bool,
    /// In the order of their start.
    pub services: Vec<ServiceStatus>,
}

/// How one service is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceStatus {
    /// Its word.
    pub name: String,
    /// Its line of help.
    pub about: String,
    /// Where it stands.
    pub state: State,
    /// What it says of itself.
    #[serde(flatten)]
    pub health: Health,
    /// How long it has been in `state`.
    pub seconds_in_state: u64,
    /// How often it was started again.
    pub restarts: u64,
    /// What it listens on.
    pub listeners: Vec<ListenerStatus>,
    /// The last failure, if there was one.
    pub last_error: Option<LastError>,
}

/// One thing that a service listens on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListenerStatus {
    /// The service's word for it.
    pub name: String,
    /// Where, as an endpoint.
    pub address: String,
}

/// A service's last failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastError {
    /// The whole chain.
    pub text: String,
    /// How long ago.
    pub seconds_ago: u64,
}
