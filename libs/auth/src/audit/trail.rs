//! Reads audit trails: the newest first, page by page, several databases as one.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use opsctl_store::{Database, Row, params};

use crate::error::Error;

/// Records on a page at most.
const MOST: u32 = 500;

/// The trails of some services, read as one.
#[derive(Debug, Clone, Default)]
pub struct Trail(Vec<(&'static str, Database)>);

/// What to look for; everything if nothing is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// A service's word.
    pub service: Option<String>,
    /// A user's name, whichever token was used, or the whole text of an actor.
    pub actor: Option<String>,
    /// The beginning of the action.
    pub action: Option<String>,
    /// A part of the object, capital letters or not.
    pub object: Option<String>,
}

/// One act.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Record {
    /// Where the next page begins if this record ends one.
    #[serde(serialize_with = "as_text")]
    pub cursor: Cursor,
    /// When.
    pub time: Timestamp,
    /// Which service keeps it.
    pub service: &'static str,
    /// Who.
    pub actor: String,
    /// From where; empty if that is nowhere.
    pub address: String,
    /// What was done.
    pub action: String,
    /// To what.
    pub object: String,
    /// What was there before.
    pub before: Option<String>,
    /// What is there since.
    pub after: Option<String>,
}

/// A place between two records: the next page begins behind it. Text of digits and dots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// Microseconds since 1970.
    time: i64,
    /// The index of the database.
    source: usize,
    id: i64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.time, self.source, self.id)
    }
}

impl FromStr for Cursor {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(3, '.');
        let mut next = || parts.next().unwrap_or_default();
        Ok(Self { time: next().parse()?, source: next().parse()?, id: next().parse()? })
    }
}

fn as_text<S: serde::Serializer>(cursor: &Cursor, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(cursor)
}

impl Trail {
    /// The trail of `service` as well.
    #[must_use]
    pub fn with(mut self, service: &'static str, database: Database) -> Self {
        self.0.push((service, database));
        self
    }

    /// The services whose trails these are.
    pub fn services(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|(service, _)| *service)
    }

    /// Up to `limit` records (500 at most) behind `after`, the newest first.
    ///
    /// # Errors
    /// The databases'.
    pub async fn page(&self, filter: &Filter, after: Option<Cursor>, limit: u32) -> Result<Vec<Record>, Error> {
        let limit = limit.min(MOST);
        let mut records = Vec::new();
        for (source, (service, database)) in self.0.iter().enumerate() {
            if filter.service.as_ref().is_some_and(|wanted| wanted != service) {
                continue;
            }
            // at one time the sources follow one another
            let (time, id) = match after {
                None => (i64::MAX, i64::MAX),
                Some(after) if source < after.source => (after.time, i64::MIN),
                Some(after) if source > after.source => (after.time, i64::MAX),
                Some(after) => (after.time, after.id),
            };
            let rows = rows(database, filter, (time, id), limit).await?;
            let records_of = rows.iter().map(|row| record(row, source, service));
            records.extend(records_of.collect::<Result<Vec<_>, _>>()?);
        }
        records.sort_by_key(|record| {
            let Cursor { time, source, id } = record.cursor;
            (std::cmp::Reverse(time), source, std::cmp::Reverse(id))
        });
        records.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(records)
    }
}

async fn rows(database: &Database, filter: &Filter, (time, id): (i64, i64), limit: u32) -> Result<Vec<Row>, Error> {
    let sql = "SELECT id, time, actor, address, action, object, before, after FROM audit \
               WHERE (time < $1 OR (time = $1 AND id < $2)) \
               AND ($3 = '' OR actor = $3 OR substr(actor, 1, length($3) + 2) = $3 || ' (') \
               AND substr(action, 1, length($4)) = $4 \
               AND lower(object) LIKE $5 ESCAPE '\\' \
               ORDER BY time DESC, id DESC LIMIT $6";
    let text = |text: &Option<String>| text.clone().unwrap_or_default().replace('\0', "\u{fffd}");
    let object = format!("%{}%", escaped(&text(&filter.object).to_lowercase()));
    let params = params![time, id, text(&filter.actor), text(&filter.action), object, i64::from(limit)];
    Ok(database.fetch_all(sql, params).await?)
}

/// Without the wildcards of LIKE.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

fn record(row: &Row, source: usize, service: &'static str) -> Result<Record, Error> {
    let cursor = Cursor { time: row.get("time")?, source, id: row.get("id")? };
    Ok(Record {
        cursor,
        time: Timestamp::from_microsecond(cursor.time).unwrap_or_default(),
        service,
        actor: row.get("actor")?,
        address: row.get("address")?,
        action: row.get("action")?,
        object: row.get("object")?,
        before: row.get("before")?,
        after: row.get("after")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors() {
        let cursor = Cursor { time: -5, source: 1, id: 7 };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for text in ["", "1", "1.2", "1.2.3.4", "a.b.c", "1.-1.1", "9999999999999999999.1.1"] {
            assert!(text.parse::<Cursor>().is_err(), "{text}");
        }
    }
}
