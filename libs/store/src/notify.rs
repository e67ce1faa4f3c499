//! Wake-ups: hints from one node to the others that something changed, so that they need not look all the time.

use std::time::Duration;

use sqlx::postgres::{PgListener, PgPool, PgPoolOptions};
use tokio::sync::broadcast::{self, error::RecvError};

use crate::database::{Database, Pools};
use crate::{Error, Result};

/// NOTIFY(7): a payload is shorter than 8000 bytes.
const PAYLOAD: usize = 7999;
/// Wake-ups that a slow listener may be behind before it is told that it missed some.
const BEHIND: usize = 256;
/// Between two tries to connect again, at first and at most.
const RETRY: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(10));
/// A connection on which nothing came for so long is asked whether it lives: nothing else would tell.
const QUIET: Duration = Duration::from_secs(30);

/// What a listener hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Somebody called `notify`.
    Notified {
        /// The channel.
        channel: String,
        /// What was said with it.
        payload: String,
    },
    /// Something may have been said that was not heard: at the start, after a lost connection, when the listener was
    /// too slow. Look at everything once.
    Missed,
}

pub(crate) fn check(payload: &str) -> Result<()> {
    if payload.len() > PAYLOAD {
        return Err(Error::Value { number: 2, why: "is longer than a notification may be, 7999 bytes" });
    }
    Ok(())
}

/// The wake-ups of one process, for SQLite.
#[derive(Debug)]
pub(crate) struct Hub(broadcast::Sender<(&'static str, String)>);

impl Default for Hub {
    fn default() -> Self {
        Self(broadcast::Sender::new(BEHIND))
    }
}

impl Hub {
    pub(crate) fn send(&self, channel: &'static str, payload: &str) {
        // nobody listens: nobody need know
        let _ = self.0.send((channel, payload.to_owned()));
    }
}

/// Hears what is sent on some channels. It holds a connection of its own to PostgreSQL.
#[derive(Debug)]
pub struct Listener {
    database: Database,
    channels: Vec<&'static str>,
    ears: Ears,
    /// Whether it has heard nothing yet.
    fresh: bool,
}

#[derive(Debug)]
enum Ears {
    Hub(broadcast::Receiver<(&'static str, String)>),
    /// Outside the database's pool, of which it would take a connection for good.
    Postgres {
        pool: PgPool,
        connection: Option<Connection>,
    },
}

struct Connection(PgListener);

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connection")
    }
}

impl Listener {
    pub(crate) fn new(database: Database, channels: &[&'static str]) -> Self {
        let ears = match &database.inner().pools {
            Pools::Sqlite(_) => Ears::Hub(database.inner().hub.0.subscribe()),
            Pools::Postgres(pool) => {
                let options = PgPoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
                let pool = options.connect_lazy_with(pool.connect_options().as_ref().clone());
                Ears::Postgres { pool, connection: None }
            }
        };
        Self { database, channels: channels.to_vec(), ears, fresh: true }
    }

    /// The next event; the first one is [`Event::Missed`]. It waits through lost connections, and loses nothing when it is dropped half way.
    pub async fn recv(&mut self) -> Event {
        match &mut self.ears {
            Ears::Hub(_) if std::mem::take(&mut self.fresh) => Event::Missed,
            Ears::Hub(hub) => hear(hub, &self.channels).await,
            Ears::Postgres { pool, connection } => {
                let mut wait = RETRY.0;
                loop {
                    if let Some(Connection(listener)) = connection {
                        if let Ok(event) = hear_postgres(listener, &self.database).await {
                            return event;
                        }
                        *connection = None;
                    }
                    match connect(pool, &self.channels, &self.database).await {
                        Ok(listener) => {
                            *connection = Some(Connection(listener));
                            return Event::Missed;
                        }
                        Err(error) => {
                            tracing::debug!(error = %error, "failed to listen to the database");
                            tokio::time::sleep(wait).await;
                            wait = (wait * 2).min(RETRY.1);
                        }
                    }
                }
            }
        }
    }
}

async fn hear(hub: &mut broadcast::Receiver<(&'static str, String)>, channels: &[&'static str]) -> Event {
    loop {
        match hub.recv().await {
            Ok((channel, payload)) if channels.contains(&channel) => {
                return Event::Notified { channel: channel.to_owned(), payload };
            }
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => return Event::Missed,
            // the listener itself keeps the database and with it the sender
            Err(RecvError::Closed) => return std::future::pending().await,
        }
    }
}

async fn connect(pool: &PgPool, channels: &[&'static str], database: &Database) -> Result<PgListener, sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    // a lost connection is made anew here, where the channels are known and waiting is bounded
    listener.eager_reconnect(false);
    let names: Vec<_> = channels.iter().map(|channel| database.channel(channel)).collect();
    listener.listen_all(names.iter().map(String::as_str)).await?;
    Ok(listener)
}

/// The next event of a connection, or that it is lost.
async fn hear_postgres(listener: &mut PgListener, database: &Database) -> Result<Event, ()> {
    loop {
        match tokio::time::timeout(QUIET, listener.try_recv()).await {
            Ok(Ok(Some(heard))) => {
                let prefix = database.channel("");
                let channel = heard.channel().strip_prefix(prefix.as_str()).unwrap_or(heard.channel()).to_owned();
                return Ok(Event::Notified { channel, payload: heard.payload().to_owned() });
            }
            Ok(Ok(None) | Err(_)) => return Err(()),
            Err(_) => {
                let alive = sqlx::query("SELECT 1").execute(&mut *listener);
                match tokio::time::timeout(QUIET, alive).await {
                    Ok(Ok(_)) => {}
                    _ => return Err(()),
                }
            }
        }
    }
}
