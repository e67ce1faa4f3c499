//! Brings a schema up to date: numbered SQL scripts, compiled in, each run once and never edited afterwards.
//!
//! All that is missing runs in one transaction under one lock, so that two programs that start at once, or one that is
//! killed, leave a schema of before or of after. Which ran, and a digest of its text, stands in the table
//! `_migration`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};

use crate::database::{Database, Dialect, Transaction};
use crate::{Error, Result, Sql, params};

/// The migrations of a service, in the order of their numbers. Made by [`migrations!`](crate::migrations).
#[derive(Debug, Clone, Copy)]
pub struct Migrations(pub &'static [Migration]);

/// One step of a schema.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Its file's name without the ending: `0001_files`. Names sort in the order of running.
    pub name: &'static str,
    /// The script for SQLite.
    pub sqlite: &'static str,
    /// The script for PostgreSQL.
    pub postgres: &'static str,
}

/// The scripts `migrations/<service>/{sqlite,postgres}/<name>.sql` of the repository, compiled in:
/// `const MIGRATIONS: Migrations = migrations!("index", "0001_files", "0002_tokens");`
#[macro_export]
macro_rules! migrations {
    ($service:literal $(, $name:literal)* $(,)?) => {
        $crate::Migrations(&[$($crate::Migration {
            name: $name,
            sqlite: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/", $service, "/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/", $service, "/postgres/", $name, ".sql")),
        }),*])
    };
}

/// Runs what is missing on `database`, a connection of its own, and closes it.
pub(crate) async fn run(database: &Database, service: &str, migrations: &Migrations) -> Result<()> {
    let outcome = bring_up_to_date(database, service, migrations.0).await;
    database.close().await;
    outcome
}

async fn bring_up_to_date(database: &Database, service: &str, migrations: &[Migration]) -> Result<()> {
    let dialect = database.dialect();
    let mut tx = database.begin().await?;
    tx.lock("migrate").await?;
    if dialect == Dialect::Postgres {
        // asked first, so that an account without the right to make schemas may use one that is there
        let there = tx.fetch_optional("SELECT 1 FROM pg_namespace WHERE nspname = $1", params![service]).await?;
        if there.is_none() {
            tx.execute(Sql::built(format!("CREATE SCHEMA \"{service}\"")), params![]).await?;
        }
    }
    let ran = ran(&mut tx, dialect, service).await?;
    let missing = missing(service, dialect, migrations, &ran)?;
    if missing.is_empty() {
        return tx.commit().await;
    }
    for migration in &missing {
        let failed = |source| Error::Migrate {
            service: service.to_owned(),
            migration: migration.name.to_owned(),
            source: Box::new(source),
        };
        tx.script(script(migration, dialect)).await.map_err(failed)?;
        record(&mut tx, migration, dialect).await.map_err(failed)?;
    }
    if dialect == Dialect::Sqlite {
        references_hold(&mut tx, service, &missing).await?;
    }
    tx.commit().await?;
    tracing::info!(service, migrations = missing.len(), "brought the database's schema up to date");
    Ok(())
}

fn script(migration: &Migration, dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => migration.sqlite,
        Dialect::Postgres => migration.postgres,
    }
}

/// Name and digest of each that ran.
async fn ran(tx: &mut Transaction, dialect: Dialect, service: &str) -> Result<BTreeMap<String, String>> {
    let there = match dialect {
        Dialect::Sqlite => {
            tx.fetch_optional("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '_migration'", params![])
                .await?
        }
        Dialect::Postgres => {
            let sql = "SELECT 1 FROM pg_tables WHERE schemaname = $1 AND tablename = '_migration'";
            tx.fetch_optional(sql, params![service]).await?
        }
    };
    if there.is_none() {
        let sql = "CREATE TABLE _migration (name TEXT PRIMARY KEY, digest TEXT NOT NULL, ran_at BIGINT NOT NULL)";
        tx.execute(sql, params![]).await?;
    }
    let rows = tx.fetch_all("SELECT name, digest FROM _migration", params![]).await?;
    rows.iter().map(|row| Ok((row.get("name")?, row.get("digest")?))).collect()
}

/// Those that did not run; an error if those that did are not the first of `migrations`, unchanged.
fn missing<'a>(
    service: &str,
    dialect: Dialect,
    migrations: &'a [Migration],
    ran: &BTreeMap<String, String>,
) -> Result<Vec<&'a Migration>> {
    let refuse = |migration: &str, why| {
        let (service, migration) = (service.to_owned(), migration.to_owned());
        Err(Error::Migration { service, migration, why })
    };
    if let Some(pair) = migrations.windows(2).find(|pair| pair[0].name >= pair[1].name) {
        return refuse(pair[1].name, "does not sort behind the one before it");
    }
    let known = |name: &String| migrations.iter().any(|migration| migration.name == name);
    if let Some(unknown) = ran.keys().find(|name| !known(name)) {
        return refuse(
            unknown,
            "ran in the database and is unknown here: a newer version of opsctl was there, use that",
        );
    }
    let mut missing = Vec::new();
    for migration in migrations {
        match ran.get(migration.name) {
            None => missing.push(migration),
            Some(_) if !missing.is_empty() => {
                return refuse(migration.name, "ran in the database before one that sorts in front of it");
            }
            Some(digest) if *digest != self::digest(script(migration, dialect)) => {
                return refuse(migration.name, "is not the one that ran in the database: it was edited afterwards");
            }
            Some(_) => {}
        }
    }
    Ok(missing)
}

async fn record(tx: &mut Transaction, migration: &Migration, dialect: Dialect) -> Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
    let now = u64::try_from(now).unwrap_or_default();
    let sql = "INSERT INTO _migration (name, digest, ran_at) VALUES ($1, $2, $3)";
    tx.execute(sql, params![migration.name, digest(script(migration, dialect)), now]).await?;
    Ok(())
}

/// While migrations run, SQLite does not look at references, since a table is rebuilt by dropping it.
async fn references_hold(tx: &mut Transaction, service: &str, missing: &[&Migration]) -> Result<()> {
    match (tx.fetch_optional("PRAGMA foreign_key_check", params![]).await?, missing.last()) {
        (Some(_), Some(last)) => Err(Error::Migration {
            service: service.to_owned(),
            migration: last.name.to_owned(),
            why: "leaves rows that refer to nothing",
        }),
        _ => Ok(()),
    }
}

fn digest(script: &str) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(script) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
