//! What is said of files: that they are withdrawn, and that they are not (PEP 592); when they came.

use opsctl_store::params;

use super::change::unchanged;
use super::{Change, Records, Result};
use crate::changes::By;

impl Records {
    /// Withdraws files of a project, or takes that back if there is no `reason`; an empty one is none that was given.
    /// Returns those that are not as they were.
    pub(crate) async fn yank(
        &self,
        index: &str,
        project: &str,
        filenames: &[Box<str>],
        reason: Option<&str>,
        by: &By,
    ) -> Result<Vec<Box<str>>> {
        let mut tx = self.db.begin().await?;
        unchanged(&mut tx, index, project, by).await?;
        let mut changed = Vec::new();
        for filename in filenames {
            let sql = "SELECT yanked FROM file WHERE index_name = $1 AND filename = $2 AND project = $3";
            let Some(row) = tx.fetch_optional(sql, params![index, &**filename, project]).await? else { continue };
            let before: Option<String> = row.get(0_usize)?;
            if before.as_deref() == reason {
                continue;
            }
            let sql = "UPDATE file SET yanked = $3 WHERE index_name = $1 AND filename = $2";
            tx.execute(sql, params![index, &**filename, reason]).await?;
            let action = if reason.is_some() { "yank" } else { "unyank" };
            let before = before.as_deref();
            let change = Change { index, project, object: filename, before, after: reason, ..Change::of(action) };
            change.write(&mut tx, by).await?;
            changed.push(filename.clone());
        }
        tx.commit().await?;
        Ok(changed)
    }

    /// A file that was brought from elsewhere came at that time, microseconds since 1970.
    pub(crate) async fn date(&self, index: &str, filename: &str, came: i64) -> Result<()> {
        let sql = "UPDATE file SET first_seen = $3 WHERE index_name = $1 AND filename = $2";
        self.db.execute(sql, params![index, filename, came]).await.map(drop)
    }
}
