//! Wake-ups: hints from one node to the others that something changed, so that they need not look all the time.
//!
//! On PostgreSQL they are LISTEN and NOTIFY. On SQLite those of this process go from hand to hand, and those of another
//! (a verb beside the running service) are seen within a second by the length of a file, without what was said.

mod local;
mod postgres;

pub(crate) use self::local::Hub;
use self::local::Local;
use self::postgres::Remote;
use crate::database::{Database, Pools};
use crate::{Error, Result};

/// NOTIFY(7): a payload is shorter than 8000 bytes.
const PAYLOAD: usize = 7999;

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
    /// too slow, by another process on SQLite. Look at everything once.
    Missed,
}

pub(crate) fn check(payload: &str) -> Result<()> {
    if payload.len() > PAYLOAD {
        return Err(Error::Value { number: 2, why: "is longer than a notification may be, 7999 bytes" });
    }
    Ok(())
}

/// Hears what is sent on some channels. It holds a connection of its own to PostgreSQL.
#[derive(Debug)]
pub struct Listener(Ears);

#[derive(Debug)]
enum Ears {
    Local(Local),
    Remote(Box<Remote>),
}

impl Listener {
    pub(crate) fn new(database: Database, channels: &[&'static str]) -> Self {
        let channels = channels.to_vec();
        Self(match &database.inner().pools {
            Pools::Sqlite(_) => Ears::Local(Local::new(database, channels)),
            Pools::Postgres(pool) => {
                let options = pool.connect_options().as_ref().clone();
                Ears::Remote(Box::new(Remote::new(options, database.channel(""), channels)))
            }
        })
    }

    /// The next event; the first one is [`Event::Missed`]. It waits through lost connections, and loses nothing when it
    /// is dropped half way.
    pub async fn recv(&mut self) -> Event {
        match &mut self.0 {
            Ears::Local(local) => local.recv().await,
            Ears::Remote(remote) => remote.recv().await,
        }
    }
}
