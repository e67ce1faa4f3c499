//! Wake-ups on PostgreSQL: LISTEN on a connection that is made anew when it is lost.

use std::fmt;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};

use super::Event;

/// Between two tries to connect again, at first and at most.
const RETRY: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(10));
/// For a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// A connection on which nothing came for so long is asked whether it lives: nothing else would tell.
const QUIET: Duration = Duration::from_secs(30);

pub(super) struct Remote {
    options: PgConnectOptions,
    /// In front of every channel: they are the database's, and services share that.
    prefix: String,
    channels: Vec<&'static str>,
    connection: Option<PgListener>,
    wait: Duration,
}

impl Remote {
    pub(super) fn new(options: PgConnectOptions, prefix: String, channels: Vec<&'static str>) -> Self {
        Self { options, prefix, channels, connection: None, wait: RETRY.0 }
    }

    pub(super) async fn recv(&mut self) -> Event {
        loop {
            if let Some(listener) = &mut self.connection {
                if let Some(event) = hear(listener, &self.prefix).await {
                    return event;
                }
                self.connection = None;
            }
            match self.connect().await {
                Ok(listener) => {
                    self.connection = Some(listener);
                    self.wait = RETRY.0;
                    return Event::Missed;
                }
                Err(error) => {
                    tracing::debug!(error = %error, "failed to listen to the database");
                    tokio::time::sleep(self.wait).await;
                    self.wait = (self.wait * 2).min(RETRY.1);
                }
            }
        }
    }

    /// A pool of its own each time: a connection that is lost and does not know it is not waited for.
    async fn connect(&self) -> Result<PgListener, sqlx::Error> {
        let options =
            PgPoolOptions::new().max_connections(1).acquire_timeout(CONNECT).idle_timeout(None).max_lifetime(None);
        let mut listener = PgListener::connect_with(&options.connect_lazy_with(self.options.clone())).await?;
        // a lost connection is made anew above, where waiting is bounded and the loss is told
        listener.eager_reconnect(false);
        let names: Vec<_> = self.channels.iter().map(|channel| format!("{}{channel}", self.prefix)).collect();
        listener.listen_all(names.iter().map(String::as_str)).await?;
        Ok(listener)
    }
}

/// The next event of a connection; `None` when it is lost.
async fn hear(listener: &mut PgListener, prefix: &str) -> Option<Event> {
    loop {
        match tokio::time::timeout(QUIET, listener.try_recv()).await {
            Ok(Ok(Some(heard))) => {
                let channel = heard.channel().strip_prefix(prefix).unwrap_or(heard.channel()).to_owned();
                return Some(Event::Notified { channel, payload: heard.payload().to_owned() });
            }
            Ok(Ok(None) | Err(_)) => return None,
            Err(_) => {
                let alive = sqlx::query("SELECT 1").execute(&mut *listener);
                tokio::time::timeout(QUIET, alive).await.ok()?.ok()?;
            }
        }
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").field("channels", &self.channels).finish_non_exhaustive()
    }
}
