//! What is kept in the database: the bindings of file names to bytes, decisions, the trail of changes, and a copy of
//! what the folders hold, so that a start need not read them again. The schema says which is which.
//!
//! Every change is one transaction and ends in a row of `change`, so that other nodes, and the verbs of the command
//! line beside a running server, see what they have to load again. Nothing here decides what is served: that is the
//! catalogue's.

mod change;
mod folder;
mod load;
mod origins;
mod pins;
mod remove;
mod rows;
mod status;
#[cfg(test)]
mod tests;
mod trail;
mod upload;
mod yank;

use opsctl_store::{Database, Migrations, migrations};

pub(crate) use self::change::{Change, Followed, is_stale};
pub(crate) use self::folder::Noted;
pub(crate) use self::load::Loaded;
pub(crate) use self::origins::{Decision, Reserved};
pub(crate) use self::trail::{Recorded, TrailFilter};
pub(crate) use self::upload::Claimed;

/// The service's tables.
pub(crate) static MIGRATIONS: Migrations =
    migrations!("index", "0001_files", "0002_uploads", "0003_upstreams", "0004_status");

/// What a value is in the database, or how it got there.
pub(crate) type Result<T, E = opsctl_store::Error> = std::result::Result<T, E>;

/// The database. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Records {
    db: Database,
}

impl Records {
    pub(crate) fn new(db: Database) -> Records {
        Records { db }
    }

    #[cfg(test)]
    pub(crate) fn database(&self) -> &Database {
        &self.db
    }
}
