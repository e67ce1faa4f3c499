//! PostgreSQL: a pool whose connections see one schema.

use std::sync::Arc;
use std::time::Duration;

use sqlx::encode::{Encode, IsNull};
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{
    PgArgumentBuffer, PgArguments, PgConnectOptions, PgPool, PgPoolOptions, PgRow, PgTypeInfo, PgValueRef,
};
use sqlx::query::Query;
use sqlx::{
    AssertSqlSafe, Column as _, Connection as _, Decode, Postgres, Row as _, Type, TypeInfo as _, ValueRef as _,
};

use crate::database::{Database, Pools};
use crate::error::Doing;
use crate::location::PostgresUrl;
use crate::notify::Hub;
use crate::{Error, Result, Row, Sql, Value};

/// Connections of one service on one node. A server takes 100 by default, shared by all services of all nodes.
const CONNECTIONS: u32 = 8;
/// How long a caller waits for one.
const ACQUIRE: Duration = Duration::from_secs(10);
/// A connection that was idle for longer is asked whether it still lives.
const TRUSTED: Duration = Duration::from_secs(1);

fn options(url: &PostgresUrl, service: &str, what: &str) -> Result<PgConnectOptions> {
    let options = url.options().map_err(|error| failed(what, error))?;
    Ok(options
        .application_name(&format!("opsctl {service}"))
        .statement_cache_capacity(256)
        .options([("search_path", format!("\"{service}\""))])
        // a node that is gone holds no lock for longer
        .options([("idle_in_transaction_session_timeout", "60s"), ("tcp_keepalives_idle", "60")]))
}

fn pool(connections: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE)
        .test_before_acquire(false)
        .before_acquire(|connection, known| {
            Box::pin(async move {
                if known.idle_for > TRUSTED {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
}

pub(crate) fn open(url: &PostgresUrl, service: &str, what: &str) -> Result<PgPool> {
    // a statement that runs for longer was forgotten by whoever waited for it
    let options = options(url, service, what)?.options([("statement_timeout", "60s")]);
    Ok(pool(CONNECTIONS).connect_lazy_with(options))
}

/// One connection without a time limit.
pub(crate) async fn for_migration(url: &PostgresUrl, service: &str, what: &str) -> Result<Database> {
    let opened = pool(1).connect_with(options(url, service, what)?).await;
    let pool = opened.map_err(|error| failed(what, error))?;
    Ok(Database::new(what.to_owned(), service.to_owned(), Pools::Postgres(pool), Hub::new(None)))
}

fn failed(what: &str, error: sqlx::Error) -> Error {
    Error::database(what, || Doing::Other(format!("open {what}")), error)
}

/// A NULL whose type the server finds out, as it does for a literal.
struct Null;

impl Type<Postgres> for Null {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(0))
    }
}

impl Encode<'_, Postgres> for Null {
    fn encode_by_ref(&self, _: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Ok(IsNull::Yes)
    }
}

pub(crate) fn query(sql: &Sql, params: Vec<Value>) -> Query<'static, Postgres, PgArguments> {
    let query = sqlx::query(AssertSqlSafe(sql.text()));
    params.into_iter().fold(query, |query, value| match value {
        Value::Null | Value::TooLarge(_) => query.bind(Null),
        Value::Int(value) => query.bind(value),
        Value::Real(value) => query.bind(value),
        Value::Bool(value) => query.bind(value),
        Value::Text(value) => query.bind(value),
        Value::Bytes(value) => query.bind(value),
    })
}

pub(crate) fn rows(rows: &[PgRow]) -> Result<Vec<Row>> {
    let Some(first) = rows.first() else { return Ok(Vec::new()) };
    let columns = names(first);
    rows.iter().map(|row| Ok(Row::new(Arc::clone(&columns), values(row)?))).collect()
}

pub(crate) fn row(row: &PgRow) -> Result<Row> {
    Ok(Row::new(names(row), values(row)?))
}

fn names(row: &PgRow) -> Arc<[Box<str>]> {
    row.columns().iter().map(|column| column.name().into()).collect()
}

fn values(row: &PgRow) -> Result<Vec<Value>> {
    let value = |index| {
        let value = row.try_get_raw(index).and_then(|value| decode(value).map_err(sqlx::Error::Decode));
        value.map_err(|error| Error::Other { doing: format!("read column {index}"), source: error.into() })
    };
    (0..row.len()).map(value).collect()
}

fn decode(value: PgValueRef<'_>) -> Result<Value, BoxDynError> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    let name = value.type_info().name().to_owned();
    Ok(match name.as_str() {
        "INT8" => Value::Int(read(value)?),
        "INT4" => Value::Int(read::<i32>(value)?.into()),
        "INT2" => Value::Int(read::<i16>(value)?.into()),
        "FLOAT8" => Value::Real(read(value)?),
        "FLOAT4" => Value::Real(read::<f32>(value)?.into()),
        "BOOL" => Value::Bool(read(value)?),
        "TEXT" | "VARCHAR" | "CHAR" | "NAME" | "UNKNOWN" => Value::Text(read(value)?),
        "BYTEA" => Value::Bytes(read(value)?),
        other => return Err(format!("a value of type {other}, which SQLite has not; CAST it").into()),
    })
}

fn read<'r, T: Decode<'r, Postgres>>(value: PgValueRef<'r>) -> Result<T, BoxDynError> {
    T::decode(value)
}
