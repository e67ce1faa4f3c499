//! Transactions: the calls of a database, all or nothing.

use sqlx::{AssertSqlSafe, Postgres, Sqlite};

use super::{Database, Pools, check, postgres, sqlite};
use crate::{Error, FromValue, Result, Row, Sql, Value, params};

/// What happens between `begin` and `commit`. Dropped, it never happened.
///
/// After an error of a statement a transaction is of no use on PostgreSQL: roll it back and begin again.
#[derive(Debug)]
pub struct Transaction {
    database: Database,
    open: Open,
    /// What to tell listeners in this process once it is true.
    wakes: Vec<(&'static str, String)>,
}

#[derive(Debug)]
enum Open {
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    Postgres(sqlx::Transaction<'static, Postgres>),
}

impl Transaction {
    pub(super) async fn begin(database: &Database) -> Result<Self> {
        let begun = match &database.inner().pools {
            Pools::Sqlite(pools) => pools.writer.begin_with("BEGIN IMMEDIATE").await.map(Open::Sqlite),
            Pools::Postgres(pool) => pool.begin().await.map(Open::Postgres),
        };
        let open = begun.map_err(|error| database.failed(&Sql::from("BEGIN"), error))?;
        Ok(Self { database: database.clone(), open, wakes: Vec::new() })
    }

    /// [`Database::execute`].
    ///
    /// # Errors
    /// [`Error`].
    pub async fn execute(&mut self, sql: impl Into<Sql>, params: Vec<Value>) -> Result<u64> {
        let sql = sql.into();
        check(&params)?;
        let done = match &mut self.open {
            Open::Sqlite(tx) => sqlite::query(&sql, params).execute(&mut **tx).await.map(|done| done.rows_affected()),
            Open::Postgres(tx) => {
                postgres::query(&sql, params).execute(&mut **tx).await.map(|done| done.rows_affected())
            }
        };
        done.map_err(|error| self.database.failed(&sql, error))
    }

    /// [`Database::fetch_all`].
    ///
    /// # Errors
    /// [`Error`].
    pub async fn fetch_all(&mut self, sql: impl Into<Sql>, params: Vec<Value>) -> Result<Vec<Row>> {
        let sql = sql.into();
        check(&params)?;
        match &mut self.open {
            Open::Sqlite(tx) => {
                let rows = sqlite::query(&sql, params).fetch_all(&mut **tx).await;
                rows.map_err(|error| self.database.failed(&sql, error)).and_then(|rows| sqlite::rows(&rows))
            }
            Open::Postgres(tx) => {
                let rows = postgres::query(&sql, params).fetch_all(&mut **tx).await;
                rows.map_err(|error| self.database.failed(&sql, error)).and_then(|rows| postgres::rows(&rows))
            }
        }
    }

    /// [`Database::fetch_optional`].
    ///
    /// # Errors
    /// [`Error`].
    pub async fn fetch_optional(&mut self, sql: impl Into<Sql>, params: Vec<Value>) -> Result<Option<Row>> {
        let sql = sql.into();
        check(&params)?;
        match &mut self.open {
            Open::Sqlite(tx) => {
                let row = sqlite::query(&sql, params).fetch_optional(&mut **tx).await;
                row.map_err(|error| self.database.failed(&sql, error))?.as_ref().map(sqlite::row).transpose()
            }
            Open::Postgres(tx) => {
                let row = postgres::query(&sql, params).fetch_optional(&mut **tx).await;
                row.map_err(|error| self.database.failed(&sql, error))?.as_ref().map(postgres::row).transpose()
            }
        }
    }

    /// [`Database::fetch_value`].
    ///
    /// # Errors
    /// [`Error`].
    pub async fn fetch_value<T>(&mut self, sql: impl Into<Sql>, params: Vec<Value>) -> Result<Option<T>>
    where
        T: for<'r> FromValue<'r>,
    {
        self.fetch_optional(sql, params).await?.map(|row| row.get(0)).transpose()
    }

    /// Waits until no other transaction of the service, on any node, has the lock of this name, and has it until the
    /// end. On SQLite there is no other transaction that could.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn lock(&mut self, name: &str) -> Result<()> {
        if matches!(self.open, Open::Postgres(_)) {
            let name = format!("{}/{name}", self.database.inner().service);
            self.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", params![name]).await?;
        }
        Ok(())
    }

    /// Wakes whoever listens on `channel` if and when the transaction is committed; see [`Database::notify`].
    ///
    /// # Errors
    /// [`Error::Unavailable`]; [`Error::Value`] if `payload` is too long.
    pub async fn notify(&mut self, channel: &'static str, payload: &str) -> Result<()> {
        crate::notify::check(payload)?;
        if matches!(self.open, Open::Sqlite(_)) {
            self.wakes.push((channel, payload.to_owned()));
        } else {
            let channel = self.database.channel(channel);
            self.execute("SELECT pg_notify($1, $2)", params![channel, payload]).await?;
        }
        Ok(())
    }

    /// Makes it true. When this returns, it is on disk.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::NoSpace`]: it did not happen, but for a connection lost just then, after which
    /// it may have.
    pub async fn commit(self) -> Result<()> {
        let Self { database, open, wakes } = self;
        let done = match open {
            Open::Sqlite(tx) => tx.commit().await,
            Open::Postgres(tx) => tx.commit().await,
        };
        done.map_err(|error| database.failed(&Sql::from("COMMIT"), error))?;
        for (channel, payload) in wakes {
            database.inner().hub.send(channel, &payload);
        }
        Ok(())
    }

    /// Takes it back now instead of when it is dropped.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; it did not happen even so.
    pub async fn rollback(self) -> Result<()> {
        let done = match self.open {
            Open::Sqlite(tx) => tx.rollback().await,
            Open::Postgres(tx) => tx.rollback().await,
        };
        done.map_err(|error| self.database.failed(&Sql::from("ROLLBACK"), error))
    }

    /// Runs a script of several statements, without parameters.
    pub(crate) async fn script(&mut self, script: &'static str) -> Result<(), Error> {
        let done = match &mut self.open {
            Open::Sqlite(tx) => sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut **tx).await.map(drop),
            Open::Postgres(tx) => sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut **tx).await.map(drop),
        };
        done.map_err(|error| self.database.failed(&Sql::from(script), error))
    }
}
