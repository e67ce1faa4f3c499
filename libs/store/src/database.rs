//! One service's database: the same few calls on SQLite and on PostgreSQL.
//!
//! On SQLite there is one connection that writes and a few that read. Every commit is on disk when it is acknowledged
//! (`synchronous = FULL`: with WAL and `NORMAL` a power cut takes the last commits back). Statements stay prepared.

pub(crate) mod postgres;
pub(crate) mod sqlite;
mod transaction;

use std::sync::Arc;

use futures_util::stream::BoxStream;
use sqlx::postgres::PgPool;

pub use self::transaction::Transaction;
use crate::error::Doing;
use crate::migrate::{self, Migrations};
use crate::notify::{Hub, Listener};
use crate::{DatabaseUrl, Error, FromValue, Location, Result, Row, Sql, Value};

/// Which database it is, for the few places where one text does not do for both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite 3.
    Sqlite,
    /// PostgreSQL 13 or newer.
    Postgres,
}

/// A service's database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Database(Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    /// "the database `…`", without a password.
    pub(crate) what: String,
    pub(crate) service: String,
    pub(crate) pools: Pools,
    pub(crate) hub: Hub,
}

#[derive(Debug)]
pub(crate) enum Pools {
    Sqlite(sqlite::Pools),
    Postgres(PgPool),
}

impl Database {
    /// Opens the database of `service` and brings its schema up to date.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Denied`], [`Error::Corrupt`]; [`Error::Migration`] if the schema is not one
    /// that these migrations lead to. Nothing is left half migrated.
    pub async fn open(location: &Location, service: &str, migrations: &Migrations) -> Result<Self> {
        name_is_fit(service)?;
        let (what, pools, wakes) = match location.database() {
            DatabaseUrl::Sqlite => {
                let path = sqlite::path(location.data_dir(), service);
                let what = format!("the database `{}`", path.display());
                let _held = sqlite::hold(&path).await?;
                migrate::run(&sqlite::for_migration(&path, &what).await?, service, migrations).await?;
                let wakes = path.with_extension("db.wake");
                (what, Pools::Sqlite(sqlite::open(&path)), Some(wakes))
            }
            DatabaseUrl::Postgres(url) => {
                let what = format!("the database `{url}`");
                migrate::run(&postgres::for_migration(url, service, &what).await?, service, migrations).await?;
                let pools = Pools::Postgres(postgres::open(url, service, &what)?);
                (what, pools, None)
            }
        };
        Ok(Self::new(what, service.to_owned(), pools, Hub::new(wakes)))
    }

    pub(crate) fn new(what: String, service: String, pools: Pools, hub: Hub) -> Self {
        Self(Arc::new(Inner { what, service, pools, hub }))
    }

    /// Which database it is.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        match self.0.pools {
            Pools::Sqlite(_) => Dialect::Sqlite,
            Pools::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Runs a statement; returns how many rows it changed.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn execute(&self, sql: impl Into<Sql>, params: Vec<Value>) -> Result<u64> {
        let sql = sql.into();
        check(&params)?;
        match &self.0.pools {
            Pools::Sqlite(pools) => {
                let done = sqlite::query(&sql, params).execute(&pools.writer).await;
                done.map(|done| done.rows_affected()).map_err(|error| self.failed(&sql, error))
            }
            Pools::Postgres(pool) => {
                let done = postgres::query(&sql, params).execute(pool).await;
                done.map(|done| done.rows_affected()).map_err(|error| self.failed(&sql, error))
            }
        }
    }

    /// All rows of a result. Bound it: `LIMIT`, or [`Database::fetch`].
    ///
    /// # Errors
    /// [`Error`].
    pub async fn fetch_all(&self, sql: impl Into<Sql>, params: Vec<Value>) -> Result<Vec<Row>> {
        let sql = sql.into();
        check(&params)?;
        match &self.0.pools {
            Pools::Sqlite(pools) => {
                let rows = sqlite::query(&sql, params).fetch_all(pools.for_statement(&sql)).await;
                rows.map_err(|error| self.failed(&sql, error)).and_then(|rows| sqlite::rows(&rows))
            }
            Pools::Postgres(pool) => {
                let rows = postgres::query(&sql, params).fetch_all(pool).await;
                rows.map_err(|error| self.failed(&sql, error)).and_then(|rows| postgres::rows(&rows))
            }
        }
    }

    /// The first row of a result, if there is one.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn fetch_optional(&self, sql: impl Into<Sql>, params: Vec<Value>) -> Result<Option<Row>> {
        let sql = sql.into();
        check(&params)?;
        match &self.0.pools {
            Pools::Sqlite(pools) => {
                let row = sqlite::query(&sql, params).fetch_optional(pools.for_statement(&sql)).await;
                row.map_err(|error| self.failed(&sql, error))?.as_ref().map(sqlite::row).transpose()
            }
            Pools::Postgres(pool) => {
                let row = postgres::query(&sql, params).fetch_optional(pool).await;
                row.map_err(|error| self.failed(&sql, error))?.as_ref().map(postgres::row).transpose()
            }
        }
    }

    /// The first column of the first row, if there is a row: `db.fetch_value::<i64>("SELECT count(*) FROM file", params![])`.
    ///
    /// # Errors
    /// [`Error`]; [`Error::Column`] if it is of another type.
    pub async fn fetch_value<T>(&self, sql: impl Into<Sql>, params: Vec<Value>) -> Result<Option<T>>
    where
        T: for<'r> FromValue<'r>,
    {
        self.fetch_optional(sql, params).await?.map(|row| row.get(0)).transpose()
    }

    /// The rows of a result one by one, for results of any length. It holds a connection until it is dropped.
    pub fn fetch(&self, sql: impl Into<Sql>, params: Vec<Value>) -> BoxStream<'_, Result<Row>> {
        use futures_util::{StreamExt, stream};
        let sql = sql.into();
        if let Err(error) = check(&params) {
            return stream::once(std::future::ready(Err(error))).boxed();
        }
        match &self.0.pools {
            Pools::Sqlite(pools) => {
                let rows = sqlite::query(&sql, params).fetch(pools.for_statement(&sql));
                rows.map(move |row| row.map_err(|error| self.failed(&sql, error)).and_then(|row| sqlite::row(&row)))
                    .boxed()
            }
            Pools::Postgres(pool) => {
                let rows = postgres::query(&sql, params).fetch(pool);
                rows.map(move |row| row.map_err(|error| self.failed(&sql, error)).and_then(|row| postgres::row(&row)))
                    .boxed()
            }
        }
    }

    /// Begins a transaction; dropped without [`Transaction::commit`] it is rolled back.
    ///
    /// On SQLite it is the only one that may write until its end (`BEGIN IMMEDIATE`), so keep it short and let it wait
    /// for nobody. On PostgreSQL it is READ COMMITTED: what two of them must not do at once is kept apart by a unique
    /// key, by `SELECT … FOR UPDATE`, or by [`Transaction::lock`].
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn begin(&self) -> Result<Transaction> {
        Transaction::begin(self).await
    }

    /// Wakes whoever listens on `channel`, on all nodes that share a PostgreSQL database, in all processes of the machine
    /// that share a SQLite file.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; [`Error::Value`] if `payload` is longer than 7999 bytes (NOTIFY(7)).
    pub async fn notify(&self, channel: &'static str, payload: &str) -> Result<()> {
        crate::notify::check(payload)?;
        match &self.0.pools {
            Pools::Sqlite(_) => self.0.hub.send(channel, payload),
            Pools::Postgres(_) => {
                self.execute("SELECT pg_notify($1, $2)", crate::params![self.channel(channel), payload]).await?;
            }
        }
        Ok(())
    }

    /// Listens on channels for what [`Database::notify`] and [`Transaction::notify`] send. A hint and never the truth:
    /// what matters stands in a table, and is looked at after the connection was lost, too ([`crate::Event::Missed`]).
    #[must_use]
    pub fn listen(&self, channels: &[&'static str]) -> Listener {
        Listener::new(self.clone(), channels)
    }

    /// Closes all connections, in order. Without it they close when the last clone is dropped.
    pub async fn close(&self) {
        match &self.0.pools {
            Pools::Sqlite(pools) => pools.close().await,
            Pools::Postgres(pool) => pool.close().await,
        }
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    /// Channels of PostgreSQL are the database's: the schema sets the services' apart.
    pub(crate) fn channel(&self, name: &str) -> String {
        format!("{}/{name}", self.0.service)
    }

    pub(crate) fn failed(&self, sql: &Sql, error: sqlx::Error) -> Error {
        Error::database(&self.0.what, || Doing::Statement(sql.brief()), error)
    }
}

/// Refuses what no database takes before anything is sent.
pub(crate) fn check(params: &[Value]) -> Result<()> {
    let fault = params.iter().enumerate().find_map(|(index, value)| Some((index + 1, value.fault()?)));
    fault.map_or(Ok(()), |(number, why)| Err(Error::Value { number, why }))
}

/// A service's name is part of a path and of statements.
fn name_is_fit(service: &str) -> Result<()> {
    let fit = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-';
    if !service.is_empty() && service.len() <= 40 && service.bytes().all(fit) {
        return Ok(());
    }
    let why = "a name is made of lower-case letters, digits, `_` and `-`, 40 at most";
    Err(Error::Other { doing: format!("open a database for `{}`", service.escape_debug()), source: why.into() })
}
