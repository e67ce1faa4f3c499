//! Data of services: a database and blobs, where the operator wants them.
//!
//! [`Database`] is SQLite in the data folder or a schema in PostgreSQL, [`Blobs`] a folder or an S3 bucket; a service
//! writes one SQL text and one key for both. Which it is stands in a [`Location`], which the host makes from `[host]
//! database` and `[host] store`. What works on both and what does not is in the README.
//!
//! Absent on purpose: no service names sqlx or an S3 client, nothing here knows a service's tables, no password of a
//! URL is in any message, and no task runs in the background.

mod blobs;
mod database;
mod error;
mod location;
mod lock;
mod migrate;
mod notify;
mod row;
mod sql;
mod value;

pub use blobs::{Blob, Blobs, Content, Entry, Meta, Temp};
pub use database::{Database, Dialect, Transaction};
pub use error::Error;
pub use location::{BadUrl, DatabaseUrl, Location, PostgresUrl, S3Keys, S3Url, StoreUrl};
pub use migrate::{Migration, Migrations};
pub use notify::{Event, Listener};
pub use row::{ColumnIndex, FromValue, Row};
pub use sql::Sql;
pub use value::Value;

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
