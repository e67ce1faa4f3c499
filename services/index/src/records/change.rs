//! The trail of changes: writing a row of it, and reading those that others have written.

use opsctl_store::{Listener, Row, Transaction, params};

use super::{Records, Result};
use crate::changes::By;

/// Rows that are read at a time.
const STEP: i64 = 1000;
/// Where changes are told of.
const CHANNEL: &str = "index";

/// A row of the trail. What a change is not about stays empty.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Change<'a> {
    pub(crate) action: &'a str,
    /// Empty for what holds in all indexes.
    pub(crate) index: &'a str,
    /// Normalised, or the pattern of a reservation.
    pub(crate) project: &'a str,
    /// A file name, a version, empty for the project.
    pub(crate) object: &'a str,
    pub(crate) before: Option<&'a str>,
    pub(crate) after: Option<&'a str>,
}

impl<'a> Change<'a> {
    /// A change of that name.
    pub(crate) fn of(action: &'a str) -> Change<'a> {
        Change { action, ..Change::default() }
    }

    pub(super) async fn write(self, tx: &mut Transaction, by: &By) -> Result<()> {
        let Change { action, index, project, object, before, after } = self;
        let insert = "INSERT INTO change (at, actor, address, action, index_name, project, object, before, after) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        let params = params![by.at, &*by.actor, &*by.address, action, index, project, object, before, after];
        tx.execute(insert, params).await?;
        tx.notify(CHANNEL, project).await
    }
}

/// What is said of a change that somebody else was faster with.
const STALE: &str = "change.serial";

/// Whether it is that.
pub(crate) fn is_stale(error: &opsctl_store::Error) -> bool {
    matches!(error, opsctl_store::Error::Conflict { constraint } if constraint == STALE)
}

/// Keeps changes of one project, or of one decision, apart until the transaction ends, and refuses what was decided upon
/// a state that is gone. Nothing for an `index` holds in all of them.
pub(super) async fn unchanged(tx: &mut Transaction, index: &str, project: &str, by: &By) -> Result<()> {
    tx.lock(&format!("project:{index}/{project}")).await?;
    let Some(seen) = by.seen else { return Ok(()) };
    let last: Option<i64> = tx.fetch_value(LAST, params![index, project]).await?;
    match last.unwrap_or_default() == seen {
        true => Ok(()),
        false => Err(opsctl_store::Error::Conflict { constraint: STALE.to_owned() }),
    }
}

const LAST: &str = "SELECT coalesce(max(serial), 0) FROM change WHERE index_name = $1 AND project = $2";

/// What a change touches, for who follows the trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Followed {
    pub(crate) serial: i64,
    pub(crate) index: Box<str>,
    pub(crate) project: Box<str>,
}

impl Records {
    /// The number of the last change, 0 if there was none.
    pub(crate) async fn last_serial(&self) -> Result<i64> {
        let last: Option<i64> = self.db.fetch_value("SELECT coalesce(max(serial), 0) FROM change", params![]).await?;
        Ok(last.unwrap_or_default())
    }

    /// The number of the last change of a project, or of a decision about it if `index` is empty; 0 if there was none.
    pub(crate) async fn last_change(&self, index: &str, project: &str) -> Result<i64> {
        let last: Option<i64> = self.db.fetch_value(LAST, params![index, project]).await?;
        Ok(last.unwrap_or_default())
    }

    /// Changes after `serial`, in their order; a thousand at most.
    pub(crate) async fn changes_after(&self, serial: i64) -> Result<Vec<Followed>> {
        let sql = "SELECT serial, index_name, project FROM change WHERE serial > $1 ORDER BY serial LIMIT $2";
        self.db.fetch_all(sql, params![serial, STEP]).await?.iter().map(followed).collect()
    }

    /// Those of these numbers that there are.
    pub(crate) async fn changes_of(&self, serials: &[i64]) -> Result<Vec<Followed>> {
        let (Some(first), Some(last)) = (serials.first(), serials.last()) else { return Ok(Vec::new()) };
        let sql = "SELECT serial, index_name, project FROM change WHERE serial BETWEEN $1 AND $2 ORDER BY serial";
        let rows = self.db.fetch_all(sql, params![*first, *last]).await?;
        let all =
            rows.iter().map(followed).filter(|row| row.as_ref().map_or(true, |row| serials.contains(&row.serial)));
        all.collect()
    }

    /// Hears that something has changed, a hint.
    pub(crate) fn listen(&self) -> Listener {
        self.db.listen(&[CHANNEL])
    }
}

fn followed(row: &Row) -> Result<Followed> {
    let text = |column: usize| row.get::<&str>(column).map(Box::from);
    Ok(Followed { serial: row.get(0_usize)?, index: text(1)?, project: text(2)? })
}
