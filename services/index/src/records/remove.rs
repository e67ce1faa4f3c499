//! Taking files out for good: what stays is the name, bound to its bytes.

use opsctl_store::params;

use super::change::unchanged;
use super::{Change, Records, Result, load};
use crate::changes::By;

impl Records {
    /// Takes a file of a project out of what is served. Returns the path within the root where it lies; none if it is
    /// not there.
    pub(crate) async fn remove(&self, index: &str, project: &str, filename: &str, by: &By) -> Result<Option<Box<str>>> {
        let mut tx = self.db.begin().await?;
        unchanged(&mut tx, index, project, by).await?;
        let sql = "SELECT p.path, f.sha256 FROM place p \
                   JOIN file f ON f.index_name = p.index_name AND f.filename = p.filename \
                   WHERE p.index_name = $1 AND p.filename = $2 AND f.project = $3";
        let Some(row) = tx.fetch_optional(sql, params![index, filename, project]).await? else { return Ok(None) };
        let path = row.get::<&str>(0_usize)?.into();
        let digest = format!("sha256:{}", load::digest(row.get(1_usize)?));
        let delete = "DELETE FROM place WHERE index_name = $1 AND filename = $2";
        tx.execute(delete, params![index, filename]).await?;
        let change = Change { index, project, object: filename, before: Some(&digest), ..Change::of("remove") };
        change.write(&mut tx, by).await?;
        tx.commit().await?;
        Ok(Some(path))
    }
}
