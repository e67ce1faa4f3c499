//! Taking files out for good: what stays is the name, bound to its bytes.
//!
//! What is served changes at once; the file itself goes after that. Until it has, a row says that it has to, so that
//! whoever starts next does what was not done any more.

use opsctl_store::{Row, Transaction, params};

use super::change::unchanged;
use super::{Change, Home, Records, Result, Tombstone, load};
use crate::catalog::Digest;
use crate::changes::By;
use crate::folder::{Stamp, TWIN};

/// A file that is not served any more and still has to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Removal {
    /// Within the root, or a key in the bucket.
    pub(crate) path: Box<str>,
    /// What it was like when it was last looked at.
    pub(crate) stamp: Stamp,
    pub(crate) sha256: Digest,
}

impl Records {
    /// Takes a file of a project out of what is served. Returns what has to go: the file, and the same wherever else it
    /// lies in the folder, or it would take its place. None if it is not there.
    pub(crate) async fn remove(
        &self,
        index: &str,
        project: &str,
        filename: &str,
        by: &By,
    ) -> Result<Option<Vec<Removal>>> {
        let mut tx = self.db.begin().await?;
        unchanged(&mut tx, index, project, by).await?;
        let sql = "SELECT p.path, p.modified, f.size, p.inode, f.sha256 FROM place p \
                   JOIN file f ON f.index_name = p.index_name AND f.filename = p.filename \
                   WHERE p.index_name = $1 AND p.filename = $2 AND f.project = $3 AND p.home = $4";
        let home = self.home.word();
        let Some(row) = tx.fetch_optional(sql, params![index, filename, project, home]).await? else { return Ok(None) };
        let file = removal(&row)?;
        let before = format!("sha256:{}", file.sha256);
        let mut removals = self.twins(&mut tx, index, filename, file.sha256).await?;
        removals.push(file);
        for removal in &removals {
            note(&mut tx, index, self.home, removal).await?;
        }
        let delete = "DELETE FROM place WHERE index_name = $1 AND filename = $2";
        tx.execute(delete, params![index, filename]).await?;
        let change = Change { index, project, object: filename, before: Some(&before), ..Change::of("remove") };
        change.write(&mut tx, by).await?;
        tx.commit().await?;
        Ok(Some(removals))
    }

    /// What still has to go.
    pub(crate) async fn removals(&self, index: &str) -> Result<Vec<Removal>> {
        let sql = "SELECT path, modified, size, inode, sha256 FROM removal WHERE index_name = $1 AND home = $2";
        self.db.fetch_all(sql, params![index, self.home.word()]).await?.iter().map(removal).collect()
    }

    /// Notes that a file has gone.
    pub(crate) async fn removed(&self, index: &str, path: &str) -> Result<()> {
        let sql = "DELETE FROM removal WHERE index_name = $1 AND home = $2 AND path = $3";
        self.db.execute(sql, params![index, self.home.word(), path]).await.map(drop)
    }

    /// Binds a file name to bytes that are not here; false if it is bound already.
    pub(crate) async fn bury(&self, file: &Tombstone, by: &By) -> Result<bool> {
        let Tombstone { index, filename, project, version, sha256, size, first_seen } = file;
        let mut tx = self.db.begin().await?;
        let insert = "INSERT INTO file (index_name, filename, project, version, sha256, size, first_seen) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (index_name, filename) DO NOTHING";
        let params = params![&**index, &**filename, &**project, &**version, sha256.0, *size, *first_seen];
        let new = tx.execute(insert, params).await? > 0;
        if new {
            let after = format!("sha256:{sha256}");
            let after = Some(&*after);
            Change { index, project, object: filename, after, ..Change::of("bind") }.write(&mut tx, by).await?;
            tx.commit().await?;
        }
        Ok(new)
    }

    /// Files that were set aside because they are the same as the one of that name.
    async fn twins(&self, tx: &mut Transaction, index: &str, filename: &str, sha256: Digest) -> Result<Vec<Removal>> {
        if self.home != Home::Folder {
            return Ok(Vec::new());
        }
        let sql = "SELECT path, modified, size, inode, reason FROM aside WHERE index_name = $1";
        let mut twins = Vec::new();
        for row in tx.fetch_all(sql, params![index]).await? {
            let path = row.get::<&str>(0_usize)?;
            if row.get::<&str>(4)?.starts_with(TWIN) && path.rsplit('/').next() == Some(filename) {
                twins.push(Removal { path: path.into(), stamp: stamp(&row)?, sha256 });
            }
        }
        Ok(twins)
    }
}

/// Notes that a file has to go.
pub(super) async fn note(tx: &mut Transaction, index: &str, home: Home, removal: &Removal) -> Result<()> {
    let Removal { path, stamp, sha256 } = removal;
    let sql = "INSERT INTO removal (index_name, home, path, modified, size, inode, sha256) \
               VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (index_name, home, path) DO UPDATE SET \
               modified = excluded.modified, size = excluded.size, inode = excluded.inode, sha256 = excluded.sha256";
    let (inode, home) = (stamp.inode.cast_signed(), home.word());
    tx.execute(sql, params![index, home, &**path, stamp.modified, stamp.size, inode, sha256.0]).await.map(drop)
}

fn removal(row: &Row) -> Result<Removal> {
    let path = row.get::<&str>(0_usize)?.into();
    Ok(Removal { path, stamp: stamp(row)?, sha256: load::digest(row.get(4)?) })
}

/// From the columns after the first.
fn stamp(row: &Row) -> Result<Stamp> {
    Ok(Stamp { modified: row.get(1)?, size: row.get(2)?, inode: row.get::<i64>(3)?.cast_unsigned() })
}
