//! What can go wrong, sorted by what a caller can do about it.

use std::error::Error as StdError;
use std::io;

/// Whatever the system or the database said.
pub(crate) type Source = Box<dyn StdError + Send + Sync + 'static>;

/// An error of database or blobs. No message holds a password.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not now: the database or the store cannot be reached, is starting, or is too busy; a lock was not given in time;
    /// a transaction lost against another. The same again, the whole transaction, may succeed.
    #[error("{what} is not available now")]
    Unavailable {
        /// "the database", "the store `s3://…`".
        what: String,
        /// What was said.
        #[source]
        source: Source,
    },
    /// A row with this key is there already.
    #[error("there is a row with the same `{constraint}`")]
    Conflict {
        /// What must be unique: `file.project, file.name`, the columns in the order of the index; the name of the index
        /// if it is one over expressions. The same on both databases.
        constraint: String,
    },
    /// A row breaks a rule of the schema: a reference to nothing, NULL where there must be a value, a CHECK.
    #[error("a row breaks a rule of the schema")]
    Violation {
        /// What was said.
        #[source]
        source: Source,
    },
    /// No room left: the disk is full, or a quota is reached.
    #[error("there is no room left in {what}")]
    NoSpace {
        /// "the database", a path.
        what: String,
        /// What was said.
        #[source]
        source: Source,
    },
    /// The database file is damaged, or it is none.
    #[error("{what} is damaged")]
    Corrupt {
        /// "the database `…/index.db`".
        what: String,
        /// What was said.
        #[source]
        source: Source,
    },
    /// The account may not: wrong password, missing rights.
    #[error("no right to use {what}")]
    Denied {
        /// What it may not use.
        what: String,
        /// What was said.
        #[source]
        source: Source,
    },
    /// The schema in the database is not one that this program can bring up to date.
    #[error("migration `{migration}` of `{service}` {why}")]
    Migration {
        /// Whose schema.
        service: String,
        /// Which one.
        migration: String,
        /// What is wrong with it, and what to do.
        why: &'static str,
    },
    /// A migration does not run.
    #[error("failed to run migration `{migration}` of `{service}`")]
    Migrate {
        /// Whose schema.
        service: String,
        /// Which one.
        migration: String,
        /// What the database said.
        #[source]
        source: Box<Self>,
    },
    /// A parameter that no database can take.
    #[error("parameter ${number} {why}")]
    Value {
        /// Its number, from 1.
        number: usize,
        /// What it is.
        why: &'static str,
    },
    /// A column is not what the program reads it as.
    #[error("column `{column}` is {found} instead of {expected}")]
    Column {
        /// Its name.
        column: String,
        /// As what it was read.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// A text that is no key of a blob.
    #[error("key `{key}` {why}")]
    Key {
        /// The text, escaped and cut.
        key: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A statement that the database does not take.
    #[error("failed to run `{statement}`")]
    Statement {
        /// Its beginning.
        statement: String,
        /// What was said.
        #[source]
        source: Source,
    },
    /// Something of the system failed.
    #[error("failed to {doing}")]
    Io {
        /// What was being done, and to what: "open `/var/lib/opsctl/index.db`".
        doing: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Something else.
    #[error("failed to {doing}")]
    Other {
        /// What was being done.
        doing: String,
        /// What was said.
        #[source]
        source: Source,
    },
}

impl Error {
    /// Whether the same again may succeed.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }

    /// Whether a row with the same key is there, in whatever unique key.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. })
    }

    /// What the system said while `doing` something to `what`, sorted.
    pub(crate) fn io(doing: &str, what: &std::path::Path, source: io::Error) -> Self {
        let shown = format!("`{}`", what.display());
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::NoSpace { what: shown, source: source.into() }
            }
            _ => Self::Io { doing: format!("{doing} {shown}"), source },
        }
    }

    /// What sqlx said of `what` ("the database …") while it was doing what `doing` says.
    pub(crate) fn database(what: &str, doing: impl FnOnce() -> Doing, error: sqlx::Error) -> Self {
        let what = || what.to_owned();
        match error {
            sqlx::Error::Database(error) => match error.try_downcast::<sqlx::postgres::PgDatabaseError>() {
                Ok(error) => postgres(what(), doing(), error),
                Err(error) => sqlite(what(), doing(), error),
            },
            sqlx::Error::Io(source) => Self::Unavailable { what: what(), source: source.into() },
            error @ (sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed) => {
                Self::Unavailable { what: what(), source: error.into() }
            }
            // what a server says that ends in the middle of a sentence
            error @ sqlx::Error::Protocol(_) => Self::Unavailable { what: what(), source: error.into() },
            sqlx::Error::Tls(source) => Self::Unavailable { what: what(), source },
            sqlx::Error::Configuration(source) => doing().failed(source),
            error => doing().failed(error.into()),
        }
    }
}

/// What was being done when a database failed.
#[derive(Debug)]
pub(crate) enum Doing {
    /// This statement was run; its beginning.
    Statement(String),
    /// "connect to …"
    Other(String),
}

impl Doing {
    fn failed(self, source: Source) -> Error {
        match self {
            Self::Statement(statement) => Error::Statement { statement, source },
            Self::Other(doing) => Error::Other { doing, source },
        }
    }
}

/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
fn postgres(what: String, doing: Doing, error: Box<sqlx::postgres::PgDatabaseError>) -> Error {
    let code = error.code().to_owned();
    match code.as_str() {
        "23505" | "23P01" => Error::Conflict { constraint: unique_in_postgres(&error) },
        "42501" => Error::Denied { what, source: error },
        // character_not_in_repertoire, untranslatable_character, program_limit_exceeded
        code if code.starts_with("23") => Error::Violation { source: error },
        // serialization_failure, deadlock_detected, lock_not_available, cannot_connect_now, admin_shutdown …;
        // query_canceled is our own time limit
        "40001" | "40P01" | "55P03" | "57014" | "57P01" | "57P02" | "57P03" | "57P05" | "25P03" => {
            Error::Unavailable { what, source: error }
        }
        code if code.starts_with("08") => Error::Unavailable { what, source: error },
        // disk_full; the rest of class 53 is memory and connections
        "53100" => Error::NoSpace { what, source: error },
        code if code.starts_with("53") => Error::Unavailable { what, source: error },
        code if code.starts_with("28") => Error::Denied { what, source: error },
        // data_corrupted, index_corrupted
        "XX001" | "XX002" => Error::Corrupt { what, source: error },
        _ => doing.failed(error),
    }
}

/// What SQLite would have said: the columns with their table, or the index if it is over expressions.
fn unique_in_postgres(error: &sqlx::postgres::PgDatabaseError) -> String {
    let name = || error.constraint().unwrap_or("an unnamed key").to_owned();
    let (Some(table), Some(detail)) = (error.table(), error.detail()) else { return name() };
    // "Key (project, name)=(a, b) already exists.", in the server's language
    let columns = detail.split_once('(').and_then(|(_, rest)| rest.split_once(")=("));
    match columns {
        Some((columns, _)) if !columns.contains('(') => columns
            .split(", ")
            .map(|column| format!("{table}.{}", column.trim_matches('"')))
            .collect::<Vec<_>>()
            .join(", "),
        _ => name(),
    }
}

/// <https://www.sqlite.org/rescode.html>
fn sqlite(what: String, doing: Doing, error: Box<dyn sqlx::error::DatabaseError>) -> Error {
    let code: u32 = error.code().and_then(|code| code.parse().ok()).unwrap_or_default();
    let message = error.message().to_owned();
    let source: Source = error.into_error();
    match (code & 0xff, code) {
        // SQLITE_CONSTRAINT_UNIQUE, _PRIMARYKEY, _ROWID
        (19, 2067 | 1555 | 2579) => {
            let constraint = message.rsplit_once("failed: ").map_or(message.as_str(), |(_, columns)| columns);
            let constraint =
                constraint.strip_prefix("index '").and_then(|name| name.strip_suffix('\'')).unwrap_or(constraint);
            Error::Conflict { constraint: constraint.to_owned() }
        }
        (19, _) => Error::Violation { source },
        // BUSY, LOCKED; NOMEM; INTERRUPT; PROTOCOL: a race for the WAL's locks
        (5 | 6 | 7 | 9 | 15, _) => Error::Unavailable { what, source },
        (13, _) => Error::NoSpace { what, source },
        // IOERR_SHMSIZE: the index of the log could not grow
        (_, 4874) => Error::NoSpace { what, source },
        (11 | 26, _) => Error::Corrupt { what, source },
        // PERM, READONLY, AUTH, CANTOPEN
        (3 | 8 | 23 | 14, _) => Error::Denied { what, source },
        _ => doing.failed(source),
    }
}

/// The last of a chain: what happened, without sqlx's words for where.
pub(crate) fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// What an error says, with whatever its chain adds, as one text: for libraries whose errors repeat their sources.
pub(crate) fn whole(error: &(dyn StdError + 'static)) -> String {
    let mut said = error.to_string();
    let mut error = error;
    while let Some(source) = error.source() {
        let more = source.to_string();
        if !said.contains(&more) {
            said = format!("{said}: {more}");
        }
        error = source;
    }
    said
}
