//! The digests that file names of an upstream had when they were first seen. They exist nowhere else.

use std::collections::HashMap;

use opsctl_store::params;

use super::rows::insert;
use super::{Records, Result, load};
use crate::catalog::Digest;

impl Records {
    /// By file name.
    pub(crate) async fn pins(&self, index: &str, project: &str) -> Result<HashMap<Box<str>, Digest>> {
        let sql = "SELECT filename, sha256 FROM pin WHERE index_name = $1 AND project = $2";
        let rows = self.db.fetch_all(sql, params![index, project]).await?;
        let pin = |row: opsctl_store::Row| Ok((row.get::<&str>(0_usize)?.into(), load::digest(row.get(1_usize)?)));
        rows.into_iter().map(pin).collect()
    }

    /// Writes down those that are new; the first to come stays.
    pub(crate) async fn pin(&self, index: &str, project: &str, new: &[(String, Digest)]) -> Result<()> {
        if new.is_empty() {
            return Ok(());
        }
        let row = |(filename, digest): &(String, Digest)| params![index, project, filename.as_str(), digest.0];
        let mut tx = self.db.begin().await?;
        let columns = "INSERT INTO pin (index_name, project, filename, sha256)";
        let after = "ON CONFLICT (index_name, project, filename) DO NOTHING";
        insert(&mut tx, columns, new.iter().map(row).collect(), after).await?;
        tx.commit().await
    }
}
