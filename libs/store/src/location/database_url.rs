//! Which database: a word or a URL.

use std::fmt;
use std::str::FromStr;

use opsctl_config::mask_url;
use sqlx::postgres::PgConnectOptions;

use super::BadUrl;

/// Which database: `sqlite`, or `postgres://user:password@host:port/database?sslmode=…`
/// (`postgres:///database?host=/var/run/postgresql` over a unix socket). Printed without its password.
#[derive(Clone, PartialEq, Eq, Default)]
pub enum DatabaseUrl {
    /// A file per service in the data folder.
    #[default]
    Sqlite,
    /// A schema per service in this PostgreSQL database.
    Postgres(PostgresUrl),
}

/// A PostgreSQL URL that was checked.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(String);

/// The query parameters that a PostgreSQL URL may have; with others the driver would go on, and the operator not know.
const PARAMETERS: &[&str] = &[
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

impl FromStr for DatabaseUrl {
    type Err = BadUrl;

    fn from_str(text: &str) -> Result<Self, BadUrl> {
        if text == "sqlite" {
            return Ok(Self::Sqlite);
        }
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err(BadUrl("a database is `sqlite` or a URL `postgres://…`".into()));
        }
        let query = text.split_once('?').map_or("", |(_, query)| query);
        let keys =
            query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split('=').next().unwrap_or_default());
        if let Some(key) = keys.into_iter().find(|key| !PARAMETERS.contains(key)) {
            let known = PARAMETERS.join("`, `");
            return Err(BadUrl(format!("a database URL has no parameter `{key}`; there are `{known}`")));
        }
        match text.parse::<PgConnectOptions>() {
            Ok(_) => Ok(Self::Postgres(PostgresUrl(text.to_owned()))),
            Err(error) => Err(BadUrl(format!("the database URL cannot be used: {}", crate::error::innermost(&error)))),
        }
    }
}

impl PostgresUrl {
    pub(crate) fn options(&self) -> Result<PgConnectOptions, sqlx::Error> {
        self.0.parse()
    }

    /// The text with its password, for the one place that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&mask_url(&self.0))
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PostgresUrl").field(&mask_url(&self.0)).finish()
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite => f.write_str("sqlite"),
            Self::Postgres(url) => url.fmt(f),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, shown: Result<&str, &str>) {
        let found = text.parse::<DatabaseUrl>();
        match (&found, shown) {
            (Ok(url), Ok(shown)) => assert_eq!(url.to_string(), shown),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            _ => panic!("{text}: {found:?}"),
        }
        assert!(!format!("{found:?}").contains("hunter"), "{found:?}");
    }

    #[test]
    fn databases() {
        check("sqlite", Ok("sqlite"));
        check("postgres://u@h/d", Ok("postgres://u@h/d"));
        check("postgresql://u:hunter2@h:5433/d", Ok("postgresql://u:********@h:5433/d"));
        check("postgres://u:hunter@2@h/d", Ok("postgres://u:********@h/d"));
        check("postgres:///d?host=/run/pg&password=hunter2", Ok("postgres:///d?host=/run/pg&password=********"));
        check("mysql://u:hunter2@h/d", Err("`sqlite` or a URL"));
        check("postgres://u:hunter2@h:port/d", Err("invalid port"));
        check("postgres://u:hunter2@h/d?sslmod=hunter", Err("no parameter `sslmod`"));
        check("postgres://u:hunter2@h/d?sslmode=often", Err("cannot be used"));
    }
}
