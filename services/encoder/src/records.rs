//! What is kept in the database: items, jobs, results, and which blobs are whose.
//!
//! A blob is written in three steps: its key is reserved (`unowned`), it is written, and the transaction that makes it
//! count takes the key out of `unowned` again. One that is not needed any more goes the other way. So whatever crashes,
//! each blob is either named by a row that is shown, or by one that says when it goes.

mod assets;
mod blobs;
mod captions;
mod hooks;
mod jobs;
mod media;
mod parts;
mod purges;
mod queue;
mod store;
#[cfg(test)]
mod tests;
mod uploads;
mod usage;

use opsctl_auth::AUDIT;
use opsctl_store::{Database, Listener, Migrations, migrations};

pub(crate) use self::assets::{Asset, AssetFile};
pub(crate) use self::captions::Caption;
pub(crate) use self::hooks::{Delivery, Told};
pub(crate) use self::jobs::{Job, NewJob};
pub(crate) use self::media::{Edit, Item, Page, Wanted};
pub(crate) use self::parts::ClaimedPart;
pub(crate) use self::purges::Purge;
pub(crate) use self::queue::{Claimed, Finished, Made};
pub(crate) use self::store::{Arrival, Expected, Outcome};
pub(crate) use self::uploads::{Concat, Room, Upload, UploadState};
pub(crate) use self::usage::{Day, Usage};

const OWN: Migrations =
    migrations!("encoder", "0001_media", "0003_uploads", "0004_purges", "0005_captions", "0006_hooks", "0007_parts");

/// The service's tables, and the trail of what people do.
pub(crate) static MIGRATIONS: Migrations =
    Migrations(&[OWN.0[0], AUDIT, OWN.0[1], OWN.0[2], OWN.0[3], OWN.0[4], OWN.0[5]]);

/// What a value is in the database, or how it got there.
pub(crate) type Result<T, E = opsctl_store::Error> = std::result::Result<T, E>;

/// Said when there is something to do for whoever takes jobs.
pub(crate) const WORK: &str = "work";
/// Said with an item's number when it has changed.
pub(crate) const MEDIA: &str = "media";
/// Said when a cache is to be told of something.
pub(crate) const PURGE: &str = "purge";
/// Said when there is something to tell.
pub(crate) const HOOKS: &str = "hooks";
/// Said when blobs may be removed.
pub(crate) const UNOWNED: &str = "unowned";

/// The database. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Records {
    db: Database,
    /// Whether there is a cache in front that has to be told what is shown no more.
    purging: bool,
}

impl Records {
    pub(crate) fn new(db: Database) -> Records {
        Records { db, purging: false }
    }

    /// With a cache in front, or without.
    pub(crate) fn purging(self, purging: bool) -> Records {
        Records { purging, ..self }
    }

    /// Whoever writes here besides.
    pub(crate) fn database(&self) -> &Database {
        &self.db
    }

    /// Hears of changes.
    pub(crate) fn listen(&self, channels: &[&'static str]) -> Listener {
        self.db.listen(channels)
    }
}
