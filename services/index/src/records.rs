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
mod removal;
mod rows;
mod status;
#[cfg(test)]
mod tests;
mod trail;
mod upload;
mod yank;

use opsctl_store::{Database, Dialect, Migrations, migrations};

pub(crate) use self::change::{Change, Followed, is_stale};
pub(crate) use self::folder::Noted;
pub(crate) use self::load::{Loaded, Tombstone};
pub(crate) use self::origins::{Decision, Reserved};
pub(crate) use self::removal::Removal;
pub(crate) use self::trail::{Recorded, TrailFilter};
pub(crate) use self::upload::Claimed;

/// The service's tables.
pub(crate) static MIGRATIONS: Migrations =
    migrations!("index", "0001_files", "0002_uploads", "0003_upstreams", "0004_status", "0005_stores");

/// What a value is in the database, or how it got there.
pub(crate) type Result<T, E = opsctl_store::Error> = std::result::Result<T, E>;

/// Where the files are that this process serves. What the tables say of files elsewhere is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Home {
    /// In folders.
    Folder,
    /// In a bucket.
    Bucket,
}

impl Home {
    /// Its word in the tables.
    const fn word(self) -> &'static str {
        match self {
            Home::Folder => "folder",
            Home::Bucket => "bucket",
        }
    }
}

/// The database. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Records {
    db: Database,
    home: Home,
}

impl Records {
    pub(crate) fn new(db: Database, home: Home) -> Records {
        Records { db, home }
    }

    /// Whether other machines may change what is in it.
    pub(crate) fn is_shared(&self) -> bool {
        self.db.dialect() == Dialect::Postgres
    }

    #[cfg(test)]
    pub(crate) fn database(&self) -> &Database {
        &self.db
    }
}
