//! The journal of uploads: what is being stored, and the transaction that makes it visible.

use opsctl_dist::ProjectName;
use opsctl_store::{Row, Transaction, params};

use super::{Records, Result, load};
use crate::catalog::Digest;
use crate::folder::{Facts, Stamp};
use crate::upload::Pending;

/// What a file name that is wanted is at the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Claimed {
    /// It was free, or may be used again: it is now taken by this upload.
    Taken,
    /// The same file is there.
    Same,
    /// It belongs to other bytes. `there` says whether there is a file.
    Bound { sha256: Digest, there: bool },
    /// Another upload has taken it.
    Busy,
}

impl Records {
    /// Takes a file name for an upload: from here on nobody else gets it, until the upload is [finished](Self::finish)
    /// or [undone](Self::undo). In a `volatile` index a name may get other bytes.
    pub(crate) async fn claim(&self, pending: &Pending, volatile: bool) -> Result<Claimed> {
        let Pending { index, filename, facts, .. } = pending;
        let mut tx = self.db.begin().await?;
        let sql = "SELECT f.sha256, p.path FROM file f \
                   LEFT JOIN place p ON p.index_name = f.index_name AND p.filename = f.filename \
                   WHERE f.index_name = $1 AND f.filename = $2";
        if let Some(row) = tx.fetch_optional(sql, params![&**index, &**filename]).await? {
            let sha256 = load::digest(row.get(0_usize)?);
            let there = row.get::<Option<&str>>(1_usize)?.is_some();
            if sha256 == facts.sha256 && there {
                return Ok(Claimed::Same);
            }
            if sha256 != facts.sha256 && !volatile {
                return Ok(Claimed::Bound { sha256, there });
            }
        }
        if insert(&mut tx, pending).await? == 0 {
            return Ok(Claimed::Busy);
        }
        tx.commit().await?;
        Ok(Claimed::Taken)
    }

    /// Makes an upload visible: the file is at its path, and was like `stamp` there.
    pub(crate) async fn finish(&self, pending: &Pending, stamp: Stamp) -> Result<()> {
        let Pending { index, filename, path, facts, attestations, actor, address, at, .. } = pending;
        let (project, sha256, version) = (facts.name.normalized(), facts.sha256.0, &*facts.version);
        let mut tx = self.db.begin().await?;
        // there is a row if the file was there before, or somebody saw it lying in the folder a moment ago
        let file = "INSERT INTO file (index_name, filename, project, version, sha256, size, first_seen, uploader) \
                    VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (index_name, filename) DO UPDATE SET \
                    version = excluded.version, sha256 = excluded.sha256, size = excluded.size, \
                    first_seen = excluded.first_seen, uploader = excluded.uploader";
        let params = params![&**index, &**filename, project, version, sha256, stamp.size, *at, &**actor];
        tx.execute(file, params).await?;
        let place = "INSERT INTO place (index_name, filename, path, modified, inode, name, requires_python, \
                     metadata_sha256, summary) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
                     ON CONFLICT (index_name, filename) DO UPDATE SET path = excluded.path, \
                     modified = excluded.modified, inode = excluded.inode, name = excluded.name, \
                     requires_python = excluded.requires_python, metadata_sha256 = excluded.metadata_sha256, \
                     summary = excluded.summary";
        let (python, summary) = (facts.requires_python.as_deref(), facts.summary.as_deref());
        let metadata = facts.metadata.map(|digest| digest.0);
        let (modified, inode, name) = (stamp.modified, stamp.inode.cast_signed(), facts.name.display());
        let params = params![&**index, &**filename, &**path, modified, inode, name, python, metadata, summary];
        tx.execute(place, params).await?;
        tx.execute("DELETE FROM attestation WHERE index_name = $1 AND filename = $2", params![&**index, &**filename])
            .await?;
        if let Some(body) = attestations {
            let sql = "INSERT INTO attestation (index_name, filename, sha256, body) VALUES ($1, $2, $3, $4)";
            tx.execute(sql, params![&**index, &**filename, sha256, &**body]).await?;
        }
        let change = "INSERT INTO change (at, actor, address, action, index_name, project, object, after) \
                      VALUES ($1, $2, $3, 'upload', $4, $5, $6, $7)";
        let after = format!("sha256:{}", facts.sha256);
        tx.execute(change, params![*at, &**actor, &**address, &**index, project, &**filename, after]).await?;
        forget(&mut tx, index, filename).await?;
        tx.commit().await
    }

    /// Gives a name back.
    pub(crate) async fn undo(&self, index: &str, filename: &str) -> Result<()> {
        let mut tx = self.db.begin().await?;
        forget(&mut tx, index, filename).await?;
        tx.commit().await
    }

    /// The uploads of an index that are being stored, or were cut off.
    pub(crate) async fn pending(&self, index: &str) -> Result<Vec<Pending>> {
        let sql = "SELECT filename, path, spool, name, version, sha256, size, requires_python, metadata_sha256, summary, \
                   attestations, actor, address, at FROM upload WHERE index_name = $1";
        self.db.fetch_all(sql, params![index]).await?.iter().filter_map(|row| pending(index, row).transpose()).collect()
    }
}

async fn insert(tx: &mut Transaction, pending: &Pending) -> Result<u64> {
    let Pending { index, filename, path, spool, size, facts, attestations, actor, address, at } = pending;
    let sql = "INSERT INTO upload (index_name, filename, path, spool, project, name, version, sha256, size, \
               requires_python, metadata_sha256, summary, attestations, actor, address, at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) \
               ON CONFLICT (index_name, filename) DO NOTHING";
    let (project, name, version) = (facts.name.normalized(), facts.name.display(), &*facts.version);
    let (python, summary) = (facts.requires_python.as_deref(), facts.summary.as_deref());
    let (sha256, metadata) = (facts.sha256.0, facts.metadata.map(|digest| digest.0));
    let mut params = params![&**index, &**filename, &**path, &**spool, project, name, version, sha256, *size];
    params.extend(params![python, metadata, summary, attestations.as_deref(), &**actor, &**address, *at]);
    tx.execute(sql, params).await
}

async fn forget(tx: &mut Transaction, index: &str, filename: &str) -> Result<()> {
    let sql = "DELETE FROM upload WHERE index_name = $1 AND filename = $2";
    tx.execute(sql, params![index, filename]).await.map(drop)
}

/// Only names were written; a row with anything else is nobody's upload.
fn pending(index: &str, row: &Row) -> Result<Option<Pending>> {
    let Ok(name) = ProjectName::parse(row.get(3_usize)?) else { return Ok(None) };
    let text = |column: usize| row.get::<&str>(column).map(Box::from);
    let option = |column: usize| Ok::<_, opsctl_store::Error>(row.get::<Option<&str>>(column)?.map(Box::from));
    let facts = Facts {
        name,
        version: text(4)?,
        sha256: load::digest(row.get(5_usize)?),
        requires_python: option(7)?,
        metadata: row.get::<Option<&[u8]>>(8_usize)?.map(load::digest),
        summary: option(9)?,
    };
    Ok(Some(Pending {
        index: index.into(),
        filename: text(0)?,
        path: text(1)?,
        spool: text(2)?,
        size: row.get(6_usize)?,
        facts,
        attestations: option(10)?,
        actor: text(11)?,
        address: text(12)?,
        at: row.get(13_usize)?,
    }))
}
