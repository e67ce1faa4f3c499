//! Which blobs are nobody's: reserved for what is being written, or left by what is gone.

use opsctl_store::{Transaction, params};

use super::{Records, Result, UNOWNED};
use crate::clock::{SECOND, now};

/// How long writing a blob may take; whoever is slower has to begin again.
const RESERVED: i64 = 24 * 3600 * SECOND;
/// How many are looked at together.
const PAGE: i64 = 100;

impl Records {
    /// Says that blobs of these keys are being written: they go by themselves if nobody [owns](own) them in time.
    pub(crate) async fn reserve(&self, keys: &[String]) -> Result<()> {
        let mut tx = self.db.begin().await?;
        for key in keys {
            leave_until(&mut tx, key, now() + RESERVED).await?;
        }
        tx.commit().await
    }

    /// Blobs whose time has come.
    pub(crate) async fn unowned(&self, now: i64) -> Result<Vec<String>> {
        let sql = "SELECT key FROM unowned WHERE after <= $1 ORDER BY after, key LIMIT $2";
        self.db.fetch_all(sql, params![now, PAGE]).await?.iter().map(|row| row.get(0_usize)).collect()
    }

    /// They are gone.
    pub(crate) async fn forget(&self, keys: &[String]) -> Result<()> {
        let mut tx = self.db.begin().await?;
        for key in keys {
            own(&mut tx, key).await?;
        }
        tx.commit().await
    }

    /// Whether any row names this blob.
    pub(crate) async fn is_named(&self, key: &str) -> Result<bool> {
        let sql = "SELECT 1 WHERE EXISTS (SELECT 1 FROM media WHERE source = $1) \
                   OR EXISTS (SELECT 1 FROM job WHERE source = $1 AND state IN ('queued', 'running')) \
                   OR EXISTS (SELECT 1 FROM asset_file WHERE key = $1) OR EXISTS (SELECT 1 FROM unowned WHERE key = $1) \
                   OR EXISTS (SELECT 1 FROM upload WHERE key = $1) OR EXISTS (SELECT 1 FROM caption WHERE key = $1)";
        Ok(self.db.fetch_optional(sql, params![key]).await?.is_some())
    }

    /// Leaves a blob to be removed.
    pub(crate) async fn leave(&self, key: &str) -> Result<()> {
        let mut tx = self.db.begin().await?;
        leave(&mut tx, key).await?;
        tx.commit().await
    }

    /// All blobs that items name, in pages: those after the key `after`, and how many bytes each is said to have.
    pub(crate) async fn named_after(&self, after: &str) -> Result<Vec<(String, u64)>> {
        let sql = "SELECT key, bytes FROM (SELECT source AS key, source_bytes AS bytes FROM media \
                   UNION ALL SELECT key, bytes FROM asset_file UNION ALL SELECT key, bytes FROM caption) AS named WHERE key > $1 ORDER BY key LIMIT $2";
        let rows = self.db.fetch_all(sql, params![after, PAGE]).await?;
        rows.iter().map(|row| Ok((row.get(0_usize)?, row.get(1_usize)?))).collect()
    }
}

/// A blob is somebody's from now on.
pub(super) async fn own(tx: &mut Transaction, key: &str) -> Result<()> {
    tx.execute("DELETE FROM unowned WHERE key = $1", params![key]).await.map(drop)
}

/// A blob is nobody's from now on.
pub(super) async fn leave(tx: &mut Transaction, key: &str) -> Result<()> {
    leave_until(tx, key, now()).await?;
    tx.notify(UNOWNED, "").await
}

async fn leave_until(tx: &mut Transaction, key: &str, after: i64) -> Result<()> {
    let sql = "INSERT INTO unowned (key, after) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET after = excluded.after";
    tx.execute(sql, params![key, after]).await.map(drop)
}
