//! The journal of uploads: what is being stored, and the transaction that makes it visible.

use std::collections::HashMap;

use opsctl_dist::ProjectName;
use opsctl_dist::simple::State;
use opsctl_store::{Row, Transaction, params};

use super::{Change, Records, Result, load};
use crate::catalog::Digest;
use crate::changes::By;
use crate::folder::{Facts, Stamp};
use crate::upload::Pending;

/// What a file name that is wanted is at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claimed {
    /// It was free, or may be used again: it is now taken by this upload.
    Taken,
    /// The same file is there.
    Same,
    /// It belongs to other bytes. `there` says whether there is a file.
    Bound { sha256: Digest, there: bool },
    /// Another upload has taken it.
    Busy,
    /// Its project takes none.
    Closed(State),
}

impl Records {
    /// Takes a file name for an upload: from here on nobody else gets it, until the upload is [finished](Self::finish)
    /// or [undone](Self::undo). In a `volatile` index a name may get other bytes.
    pub(crate) async fn claim(&self, pending: &Pending, volatile: bool) -> Result<Claimed> {
        let mut tx = self.db.begin().await?;
        let claimed = claim(&mut tx, pending, volatile).await?;
        if claimed == Claimed::Taken {
            tx.commit().await?;
        }
        Ok(claimed)
    }

    /// Takes the names of several uploads, all that are not there already or none: if there is another answer than
    /// [`Claimed::Taken`] and [`Claimed::Same`], nothing was taken.
    pub(crate) async fn claim_all(&self, pending: &[Pending], volatile: bool) -> Result<Vec<Claimed>> {
        let mut tx = self.db.begin().await?;
        let mut claimed = Vec::with_capacity(pending.len());
        for pending in pending {
            claimed.push(claim(&mut tx, pending, volatile).await?);
        }
        if claimed.iter().all(|claimed| matches!(claimed, Claimed::Taken | Claimed::Same)) {
            tx.commit().await?;
        }
        Ok(claimed)
    }

    /// Makes an upload visible: the file is at its path, and was like `stamp` there.
    pub(crate) async fn finish(&self, pending: &Pending, stamp: Stamp) -> Result<()> {
        let mut tx = self.db.begin().await?;
        finish(&mut tx, pending, stamp, Change::of("upload")).await?;
        tx.commit().await
    }

    /// Makes files visible together that are copies of those in the index `from`, withdrawn or not as they are there.
    pub(crate) async fn finish_copies(&self, copies: &[(Pending, Stamp)], from: &str) -> Result<()> {
        let mut tx = self.db.begin().await?;
        for (pending, stamp) in copies {
            finish(&mut tx, pending, *stamp, Change { before: Some(from), ..Change::of("promote") }).await?;
            let sql = "UPDATE file SET yanked = (SELECT f.yanked FROM file f WHERE f.index_name = $3 AND f.filename = $2) \
                       WHERE index_name = $1 AND filename = $2";
            tx.execute(sql, params![&*pending.index, &*pending.filename, from]).await?;
        }
        tx.commit().await
    }

    /// What came with a file to prove where it was built (PEP 740).
    pub(crate) async fn attestations(&self, index: &str, filename: &str) -> Result<Option<Box<str>>> {
        let sql = "SELECT body FROM attestation WHERE index_name = $1 AND filename = $2";
        let row = self.db.fetch_optional(sql, params![index, filename]).await?;
        row.map(|row| row.get::<&str>(0_usize).map(Box::from)).transpose()
    }

    /// Who uploaded a file; none if it was put into the folder, or is not there.
    pub(crate) async fn uploader(&self, index: &str, filename: &str) -> Result<Option<String>> {
        let sql = "SELECT uploader FROM file WHERE index_name = $1 AND filename = $2";
        let row = self.db.fetch_optional(sql, params![index, filename]).await?;
        row.map_or(Ok(None), |row| row.get(0_usize))
    }

    /// Who uploaded the files of a project, by file name.
    pub(crate) async fn uploaders(&self, index: &str, project: &str) -> Result<HashMap<String, String>> {
        let sql = "SELECT filename, uploader FROM file WHERE index_name = $1 AND project = $2 AND uploader IS NOT NULL";
        let rows = self.db.fetch_all(sql, params![index, project]).await?;
        rows.iter().map(|row| Ok((row.get(0_usize)?, row.get(1_usize)?))).collect()
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

/// What becomes of a name that an upload wants.
async fn claim(tx: &mut Transaction, pending: &Pending, volatile: bool) -> Result<Claimed> {
    let Pending { index, filename, facts, .. } = pending;
    let sql = "SELECT f.sha256, p.path FROM file f \
               LEFT JOIN place p ON p.index_name = f.index_name AND p.filename = f.filename \
               WHERE f.index_name = $1 AND f.filename = $2";
    let bound = tx.fetch_optional(sql, params![&**index, &**filename]).await?;
    if let Some(row) = &bound {
        let there = row.get::<Option<&str>>(1_usize)?.is_some();
        let sha256 = load::digest(row.get(0_usize)?);
        if sha256 == facts.sha256 && there {
            return Ok(Claimed::Same);
        }
        if sha256 != facts.sha256 && !volatile {
            return Ok(Claimed::Bound { sha256, there });
        }
    }
    let status = super::status::said(tx, index, facts.name.normalized()).await?;
    if let Some(status) = status.filter(|status| !status.state.takes_uploads()) {
        return Ok(Claimed::Closed(status.state));
    }
    Ok(if insert(tx, pending).await? == 0 { Claimed::Busy } else { Claimed::Taken })
}

/// Notes that a file is at its path; `change` says how it got there.
async fn finish(tx: &mut Transaction, pending: &Pending, stamp: Stamp, change: Change<'_>) -> Result<()> {
    let Pending { index, filename, path, facts, attestations, actor, address, at, .. } = pending;
    let (project, sha256, version) = (facts.name.normalized(), facts.sha256.0, &*facts.version);
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
    let (after, by) = (format!("sha256:{}", facts.sha256), By::at(actor, address, *at));
    let change = Change { index, project, object: filename, after: Some(&after), ..change };
    change.write(tx, &by).await?;
    forget(tx, index, filename).await
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
