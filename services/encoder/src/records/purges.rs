//! Addresses that a cache in front has to be told of. They are noted with the change that makes them stale, so that none is
//! forgotten, whatever ends at any moment.

use opsctl_store::{Transaction, params};

use super::{Item, PURGE, Records, Result};
use crate::clock::{SECOND, now};

/// After a change other nodes still answer with what was there until they have heard of it.
const DELAY: i64 = SECOND;

/// An address to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Purge {
    pub(crate) path: String,
    /// How often it was tried.
    pub(crate) attempt: u32,
    pub(crate) since: i64,
}

impl Records {
    /// Addresses whose time has come, `most` at most.
    pub(crate) async fn purges(&self, now: i64, most: i64) -> Result<Vec<Purge>> {
        let sql = "SELECT path, attempt, since FROM purge WHERE after <= $1 ORDER BY after, path LIMIT $2";
        let rows = self.db.fetch_all(sql, params![now, most]).await?;
        let purge = |row: &opsctl_store::Row| {
            Ok(Purge { path: row.get(0_usize)?, attempt: row.get(1_usize)?, since: row.get(2_usize)? })
        };
        rows.iter().map(purge).collect()
    }

    /// When the next one's time comes.
    pub(crate) async fn next_purge(&self) -> Result<Option<i64>> {
        Ok(self.db.fetch_value::<Option<i64>>("SELECT min(after) FROM purge", params![]).await?.flatten())
    }

    /// The cache knows, unless it has become stale again.
    pub(crate) async fn purged(&self, purge: &Purge) -> Result<()> {
        let sql = "DELETE FROM purge WHERE path = $1 AND since = $2";
        self.db.execute(sql, params![purge.path.as_str(), purge.since]).await.map(drop)
    }

    /// It is tried again `after` a time.
    pub(crate) async fn purge_again(&self, purge: &Purge, after: i64) -> Result<()> {
        let sql = "UPDATE purge SET attempt = attempt + 1, after = $3 WHERE path = $1 AND since = $2";
        self.db.execute(sql, params![purge.path.as_str(), purge.since, after]).await.map(drop)
    }

    /// Notes the address of an item's captions.
    pub(super) async fn note_caption(&self, tx: &mut Transaction, item: &Item, language: &str) -> Result<()> {
        if !self.purging {
            return Ok(());
        }
        let path = format!("/media/{}/captions/{}/{language}.vtt", item.account, item.name);
        let sql = "INSERT INTO purge (path, attempt, after, since) VALUES ($1, 0, $2, $3) \
                   ON CONFLICT (path) DO UPDATE SET attempt = 0, after = excluded.after, since = excluded.since";
        let now = now();
        tx.execute(sql, params![path, now + DELAY, now]).await?;
        tx.notify(PURGE, "").await
    }

    /// Notes the addresses that an item has now.
    pub(super) async fn note_purges(&self, tx: &mut Transaction, media: i64) -> Result<()> {
        if !self.purging {
            return Ok(());
        }
        let sql = "INSERT INTO purge (path, attempt, after, since) \
                   SELECT '/media/' || m.account || '/' || f.asset || '/' || m.name || f.path, 0, $2, $3 \
                   FROM asset_file f JOIN media m ON m.id = f.media WHERE f.media = $1 \
                   UNION ALL SELECT '/media/' || m.account || '/captions/' || m.name || '/' || c.language || '.vtt', 0, $2, $3 \
                   FROM caption c JOIN media m ON m.id = c.media WHERE c.media = $1 \
                   ON CONFLICT (path) DO UPDATE SET attempt = 0, after = excluded.after, since = excluded.since";
        let now = now();
        tx.execute(sql, params![media, now + DELAY, now]).await?;
        tx.notify(PURGE, "").await
    }
}
