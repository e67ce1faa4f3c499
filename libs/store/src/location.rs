//! Where the operator keeps data: the folder, the database, the blobs.

mod database_url;
mod decode;
mod store_url;

use std::path::{Path, PathBuf};

pub use self::database_url::{DatabaseUrl, PostgresUrl};
pub use self::store_url::{S3Keys, S3Url, StoreUrl};

/// Where data is kept. Cheap to clone; making one touches nothing.
#[derive(Debug, Clone)]
pub struct Location {
    data_dir: PathBuf,
    database: DatabaseUrl,
    store: StoreUrl,
    keys: Option<S3Keys>,
}

impl Location {
    /// SQLite and blobs in `data_dir`: `<data_dir>/<service>.db`, `<data_dir>/<service>/blobs/`.
    #[must_use]
    pub fn local(data_dir: impl Into<PathBuf>) -> Self {
        Self { data_dir: data_dir.into(), database: DatabaseUrl::Sqlite, store: StoreUrl::Folder, keys: None }
    }

    /// The same with this database.
    #[must_use]
    pub fn with_database(self, database: DatabaseUrl) -> Self {
        Self { database, ..self }
    }

    /// The same with this store of blobs, and the keys to it; without keys, those that the machine in a cloud has.
    #[must_use]
    pub fn with_store(self, store: StoreUrl, keys: Option<S3Keys>) -> Self {
        Self { store, keys, ..self }
    }

    /// The folder that holds each service's own.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// The database.
    #[must_use]
    pub fn database(&self) -> &DatabaseUrl {
        &self.database
    }

    /// The store of blobs.
    #[must_use]
    pub fn store(&self) -> &StoreUrl {
        &self.store
    }

    pub(crate) fn keys(&self) -> Option<&S3Keys> {
        self.keys.as_ref()
    }
}

/// Why a text is no URL of a database or store. Never repeats the text, which may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadUrl(pub(crate) String);
