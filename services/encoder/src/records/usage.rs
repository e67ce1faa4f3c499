//! What accounts keep.

use opsctl_store::{Transaction, params};
use schemars::JsonSchema;

use super::{Records, Result};
use crate::clock::{SECOND, Stamp, now};

const DAY: i64 = 24 * 3600 * SECOND;

/// What an account keeps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, JsonSchema)]
pub(crate) struct Usage {
    pub(crate) items: u64,
    /// Of uploads, results and captions together.
    pub(crate) bytes: u64,
}

/// What an account kept at the end of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, JsonSchema)]
pub(crate) struct Day {
    /// When it began.
    pub(crate) at: Stamp,
    #[serde(flatten)]
    pub(crate) usage: Usage,
}

/// Of the account `$1`.
const SUM: &str = "SELECT count(*), CAST(coalesce(sum(m.source_bytes), 0) + coalesce(sum(\
                   (SELECT sum(a.bytes) FROM asset a WHERE a.media = m.id)), 0) + coalesce(sum(\
                   (SELECT sum(c.bytes) FROM caption c WHERE c.media = m.id)), 0) AS BIGINT) FROM media m WHERE m.account = $1";

/// Of open uploads of the account `$1`; one that is put together counts for nothing as long as its parts do.
const COMING: &str = "SELECT CAST(coalesce(sum(CASE WHEN concat = 'final' THEN position ELSE coalesce(length, position) END), 0) \
                      AS BIGINT) FROM upload WHERE account = $1 AND state = 'open'";

impl Records {
    /// What an account keeps now.
    pub(crate) async fn usage(&self, account: &str) -> Result<Usage> {
        let row = self.db.fetch_optional(SUM, params![account]).await?;
        row.map_or(Ok(Usage::default()), |row| Ok(Usage { items: row.get(0_usize)?, bytes: row.get(1_usize)? }))
    }

    /// Bytes that an account keeps, and those that are on their way.
    pub(crate) async fn taken(&self, account: &str) -> Result<u64> {
        let mut tx = self.db.begin().await?;
        taken(&mut tx, account).await
    }

    /// What it kept on the last `days` days on which something changed, the oldest first.
    pub(crate) async fn days(&self, account: &str, days: u32) -> Result<Vec<Day>> {
        let sql = "SELECT day, items, bytes FROM usage WHERE account = $1 ORDER BY day DESC LIMIT $2";
        let rows = self.db.fetch_all(sql, params![account, days]).await?;
        let day = |row: &opsctl_store::Row| {
            let usage = Usage { items: row.get(1_usize)?, bytes: row.get(2_usize)? };
            Ok(Day { at: Stamp(row.get::<i64>(0_usize)?.saturating_mul(DAY)), usage })
        };
        rows.iter().rev().map(day).collect()
    }
}

/// What an account keeps and what is on its way: uploads in pieces count in full from the start.
pub(super) async fn taken(tx: &mut Transaction, account: &str) -> Result<u64> {
    let kept = match tx.fetch_optional(SUM, params![account]).await? {
        Some(row) => row.get::<u64>(1_usize)?,
        None => 0,
    };
    let coming = tx.fetch_optional(COMING, params![account]).await?;
    Ok(kept + coming.map_or(Ok(0), |row| row.get::<u64>(0_usize))?)
}

/// Writes down what an account keeps, after a change.
pub(super) async fn note(tx: &mut Transaction, account: &str) -> Result<()> {
    let Some(row) = tx.fetch_optional(SUM, params![account]).await? else { return Ok(()) };
    let (items, bytes): (i64, i64) = (row.get(0_usize)?, row.get(1_usize)?);
    let sql = "INSERT INTO usage (account, day, items, bytes) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (account, day) DO UPDATE SET items = excluded.items, bytes = excluded.bytes";
    tx.execute(sql, params![account, now() / DAY, items, bytes]).await.map(drop)
}
