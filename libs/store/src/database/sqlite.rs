//! SQLite: one connection that writes, a few that read, and what each is told first.

use std::fs::{File, OpenOptions};
use std::io;
use std::num::NonZeroUsize;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::error::BoxDynError;
use sqlx::query::Query;
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous, SqliteValueRef,
};
use sqlx::{AssertSqlSafe, Column as _, Connection as _, Decode, Row as _, Sqlite, TypeInfo as _, ValueRef as _};

use crate::database::{Database, Pools as AnyPools};
use crate::error::Doing;
use crate::notify::Hub;
use crate::{Error, Result, Row, Sql, Value, lock};

/// How long a statement waits for another process to finish its transaction, and a caller for the one connection that
/// writes. A request should be answered before.
const BUSY: Duration = Duration::from_secs(10);
/// The write-ahead log is cut back to this many bytes once it was copied into the database.
const WAL_KEPT: &str = "16777216";

/// The connections of one file. Opened when they are needed first.
#[derive(Debug)]
pub(crate) struct Pools {
    pub(crate) writer: SqlitePool,
    readers: SqlitePool,
}

impl Pools {
    pub(crate) fn for_statement(&self, sql: &Sql) -> &SqlitePool {
        if sql.reads() { &self.readers } else { &self.writer }
    }

    /// Readers first: the last connection of a file copies the log into it.
    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Makes the file if there is none, and keeps others from migrating it until the lock is dropped.
pub(crate) async fn hold(path: &Path) -> Result<File> {
    let (file, lock) = (path.to_owned(), path.with_extension("db.lock"));
    let held = tokio::task::spawn_blocking(move || {
        let held = lock::hold(&lock).map_err(|source| Error::io("lock", &lock, source))?;
        create(&file).map_err(|source| Error::io("create", &file, source))?;
        Ok(held)
    });
    held.await
        .unwrap_or_else(|error| Err(Error::Other { doing: format!("lock `{}`", path.display()), source: error.into() }))
}

/// Not readable by everybody, whatever the umask: it holds what proves who somebody is. An existing file is not
/// touched: closing it here would take away the locks that other connections of this process have on it (fcntl(2)).
fn create(path: &Path) -> io::Result<()> {
    match OpenOptions::new().create_new(true).write(true).mode(0o640).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY)
        .synchronous(SqliteSynchronous::Full)
        // an account may have no folder to put temporary files into
        .pragma("temp_store", "MEMORY")
        .pragma("journal_size_limit", WAL_KEPT)
        // a damaged or hostile file cannot have functions called by its schema
        .pragma("trusted_schema", "OFF")
        .statement_cache_capacity(256)
        .thread_name(|number| format!("sqlite-{number}"))
}

fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(BUSY)
        // a connection to a file does not get old, and asking it how it is costs as much as a statement
        .test_before_acquire(false)
        // where the disk was full SQLite has rolled back by itself, and sqlx waits for ever for that
        .before_acquire(|connection, _| Box::pin(std::future::ready(Ok(!connection.is_in_transaction()))))
        .idle_timeout(None)
        .max_lifetime(None)
}

pub(crate) fn open(path: &Path) -> Pools {
    let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let readers = u32::try_from(processors.clamp(2, 8)).unwrap_or(2);
    Pools {
        writer: pool(1).connect_lazy_with(options(path)),
        readers: pool(readers).connect_lazy_with(options(path).pragma("query_only", "ON")),
    }
}

/// One connection that may rebuild tables which others refer to; see [`crate::migrate`].
pub(crate) async fn for_migration(path: &Path, what: &str) -> Result<Database> {
    let options = options(path).foreign_keys(false).journal_mode(SqliteJournalMode::Wal);
    let opened = pool(1).connect_with(options).await;
    let writer = opened.map_err(|error| {
        let doing = || Doing::Other(format!("open {what}"));
        Error::database(what, doing, error)
    })?;
    let pools = Pools { readers: writer.clone(), writer };
    Ok(Database::new(what.to_owned(), String::new(), AnyPools::Sqlite(pools), Hub::new(None)))
}

pub(crate) fn query(sql: &Sql, params: Vec<Value>) -> Query<'static, Sqlite, SqliteArguments> {
    let query = sqlx::query(AssertSqlSafe(sql.text()));
    params.into_iter().fold(query, |query, value| match value {
        Value::Null | Value::TooLarge(_) => query.bind(None::<i64>),
        Value::Int(value) => query.bind(value),
        Value::Real(value) => query.bind(value),
        Value::Bool(value) => query.bind(value),
        Value::Text(value) => query.bind(value),
        Value::Bytes(value) => query.bind(value),
    })
}

pub(crate) fn rows(rows: &[SqliteRow]) -> Result<Vec<Row>> {
    let Some(first) = rows.first() else { return Ok(Vec::new()) };
    let columns = names(first);
    rows.iter().map(|row| Ok(Row::new(Arc::clone(&columns), values(row)?))).collect()
}

pub(crate) fn row(row: &SqliteRow) -> Result<Row> {
    Ok(Row::new(names(row), values(row)?))
}

fn names(row: &SqliteRow) -> Arc<[Box<str>]> {
    row.columns().iter().map(|column| column.name().into()).collect()
}

fn values(row: &SqliteRow) -> Result<Vec<Value>> {
    let value = |index| {
        let value = row.try_get_raw(index).and_then(|value| decode(value).map_err(sqlx::Error::Decode));
        value.map_err(|error| Error::Other { doing: format!("read column {index}"), source: error.into() })
    };
    (0..row.len()).map(value).collect()
}

fn decode(value: SqliteValueRef<'_>) -> Result<Value, BoxDynError> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    let name = value.type_info().name().to_owned();
    Ok(match name.as_str() {
        "TEXT" => Value::Text(read(value)?),
        "BLOB" => Value::Bytes(read(value)?),
        "REAL" => Value::Real(read(value)?),
        _ => Value::Int(read(value)?),
    })
}

/// The file of a service.
pub(crate) fn path(data_dir: &Path, service: &str) -> PathBuf {
    data_dir.join(format!("{service}.db"))
}

fn read<'r, T: Decode<'r, Sqlite>>(value: SqliteValueRef<'r>) -> Result<T, BoxDynError> {
    T::decode(value)
}
