//! Wake-ups on SQLite: within the process from hand to hand, between processes by a file that grows.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::broadcast::{self, error::RecvError};

use super::Event;
use crate::database::Database;

/// Wake-ups that a slow listener may be behind before it is told that it missed some.
const BEHIND: usize = 256;
/// Between two looks at the file.
const LOOK: Duration = Duration::from_secs(1);
/// A longer file begins anew; whoever sees that looks once for nothing.
const LONGEST: u64 = 1 << 20;

type Said = (&'static str, String);

/// Where wake-ups come in.
#[derive(Debug)]
pub(crate) struct Hub {
    said: broadcast::Sender<Said>,
    /// Grows by a byte with each.
    file: Option<PathBuf>,
    /// Bytes that this process added.
    own: AtomicU64,
}

impl Hub {
    pub(crate) fn new(file: Option<PathBuf>) -> Self {
        Self { said: broadcast::Sender::new(BEHIND), file, own: AtomicU64::new(0) }
    }

    pub(crate) fn send(&self, channel: &'static str, payload: &str) {
        // nobody listens: nobody need know
        let _ = self.said.send((channel, payload.to_owned()));
        let Some(file) = &self.file else { return };
        let grow = || {
            let mut file = OpenOptions::new().append(true).create(true).open(file)?;
            if file.metadata()?.len() > LONGEST {
                file.set_len(0)?;
            }
            file.write_all(b".")
        };
        match grow() {
            Ok(()) => drop(self.own.fetch_add(1, Ordering::Relaxed)),
            // a hint that does not arrive
            Err(error) => tracing::debug!(error = %error, file = %file.display(), "failed to wake other processes"),
        }
    }

    /// Bytes in the file that other processes added.
    fn others(&self) -> Option<u64> {
        let own = self.own.load(Ordering::Relaxed);
        let length = fs::metadata(self.file.as_ref()?).map_or(0, |found| found.len());
        Some(length.wrapping_sub(own))
    }
}

#[derive(Debug)]
pub(super) struct Local {
    database: Database,
    channels: Vec<&'static str>,
    said: broadcast::Receiver<Said>,
    /// As of the last look; none before the first.
    others: Option<u64>,
    fresh: bool,
}

impl Local {
    pub(super) fn new(database: Database, channels: Vec<&'static str>) -> Self {
        let hub = &database.inner().hub;
        let (said, others) = (hub.said.subscribe(), hub.others());
        Self { database, channels, said, others, fresh: true }
    }

    pub(super) async fn recv(&mut self) -> Event {
        if std::mem::take(&mut self.fresh) {
            return Event::Missed;
        }
        loop {
            tokio::select! {
                biased;
                said = self.said.recv() => match said {
                    Ok((channel, payload)) if self.channels.contains(&channel) => {
                        return Event::Notified { channel: channel.to_owned(), payload };
                    }
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => return Event::Missed,
                    // the listener itself keeps the database and with it the sender
                    Err(RecvError::Closed) => return std::future::pending().await,
                },
                () = tokio::time::sleep(LOOK) => {
                    let others = self.database.inner().hub.others();
                    if std::mem::replace(&mut self.others, others) != others {
                        return Event::Missed;
                    }
                }
            }
        }
    }
}
