//! The journal of uploads: what is being stored, and the transaction that makes it visible.

use std::collections::HashMap;

use opsctl_dist::ProjectName;
use opsctl_dist::simple::State;
use opsctl_store::{Row, Transaction, params};

use super::{Change, Home, Records, Removal, Result, load};
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
    #[cfg(test)]
    pub(crate) async fn claim(&self, pending: &Pending, volatile: bool) -> Result<Claimed> {
        Ok(self.claim_all(std::slice::from_ref(pending), volatile).await?[0])
    }

    /// Takes the names of uploads, all that are not there already or none: if there is another answer than
    /// [`Claimed::Taken`] and [`Claimed::Same`], nothing was taken. From here on nobody else gets them, until the uploads
    /// are [finished](Self::finish) or [undone](Self::undo). In a `volatile` index a name may get other bytes.
    pub(crate) async fn claim_all(&self, pending: &[Pending], volatile: bool) -> Result<Vec<Claimed>> {
        let mut tx = self.db.begin().await?;
        let mut claimed = Vec::with_capacity(pending.len());
        for pending in pending {
            let what = claim(&mut tx, pending, self.home, volatile).await?;
            if what == Claimed::Same {
                forget(&mut tx, pending).await?;
            }
            claimed.push(what);
        }
        let good = claimed.iter().all(|claimed| matches!(claimed, Claimed::Taken | Claimed::Same));
        if good && claimed.contains(&Claimed::Taken) {
            tx.commit().await?;
        }
        Ok(claimed)
    }

    /// Makes uploads visible together, each with what its file is like where it is now; copies are withdrawn or not as in
    /// the index that they come from. False if one of them is not any more at work: somebody took it for given up.
    /// Nothing has happened then.
    pub(crate) async fn finish(&self, uploads: &[(Pending, Stamp)]) -> Result<bool> {
        let mut tx = self.db.begin().await?;
        for (pending, stamp) in uploads {
            // first: it keeps others from the name until this ends
            if !forget(&mut tx, pending).await? {
                return Ok(false);
            }
            finish(&mut tx, pending, self.home, *stamp).await?;
        }
        tx.commit().await?;
        Ok(true)
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

    /// Gives names back; those of `leave` leave files behind that have to go. Returns how many of the uploads were still
    /// at work: if none was, nothing happens.
    pub(crate) async fn undo(&self, uploads: &[Pending], leave: &[Pending]) -> Result<usize> {
        let mut tx = self.db.begin().await?;
        let mut undone = 0;
        for pending in uploads {
            undone += usize::from(forget(&mut tx, pending).await?);
        }
        for Pending { index, path, size, facts, .. } in leave.iter().filter(|_| undone > 0) {
            let stamp = Stamp { modified: 0, size: *size, inode: 0 };
            let removal = Removal { path: path.clone(), stamp, sha256: facts.sha256 };
            super::removal::note(&mut tx, index, self.home, &removal).await?;
        }
        tx.commit().await?;
        Ok(undone)
    }

    /// Says that uploads are still worked on.
    pub(crate) async fn beat(&self, uploads: &[Pending], now: i64) -> Result<()> {
        let mut tx = self.db.begin().await?;
        for Pending { index, filename, spool, .. } in uploads {
            let sql = "UPDATE upload SET beat = $4 WHERE index_name = $1 AND filename = $2 AND spool = $3";
            tx.execute(sql, params![&**index, &**filename, &**spool, now]).await?;
        }
        tx.commit().await
    }

    /// The uploads of an index that are being stored, or were cut off; those that belong together stand together.
    pub(crate) async fn pending(&self, index: &str) -> Result<Vec<Pending>> {
        let sql = "SELECT filename, path, spool, name, version, sha256, size, requires_python, metadata_sha256, summary, \
                   attestations, actor, address, at, beat, batch, source FROM upload \
                   WHERE index_name = $1 AND home = $2 ORDER BY batch, filename";
        let rows = self.db.fetch_all(sql, params![index, self.home.word()]).await?;
        rows.iter().filter_map(|row| pending(index, row).transpose()).collect()
    }
}

/// What becomes of a name that an upload wants. The row comes first: where there is none for anybody else, and this one is
/// not committed, nobody can end an upload of that name behind the questions that follow.
async fn claim(tx: &mut Transaction, pending: &Pending, home: Home, volatile: bool) -> Result<Claimed> {
    let Pending { index, filename, facts, .. } = pending;
    let free = insert(tx, pending, home).await? > 0;
    let sql = "SELECT f.sha256, p.path FROM file f \
               LEFT JOIN place p ON p.index_name = f.index_name AND p.filename = f.filename AND p.home = $3 \
               WHERE f.index_name = $1 AND f.filename = $2";
    let bound = tx.fetch_optional(sql, params![&**index, &**filename, home.word()]).await?;
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
    Ok(if free { Claimed::Taken } else { Claimed::Busy })
}

/// Notes that a file is at its path.
async fn finish(tx: &mut Transaction, pending: &Pending, home: Home, stamp: Stamp) -> Result<()> {
    let Pending { index, filename, facts, attestations, actor, address, at, source, .. } = pending;
    let (project, sha256, version) = (facts.name.normalized(), facts.sha256.0, &*facts.version);
    // there is a row if the file was there before, or somebody saw it lying in the folder a moment ago
    let file = "INSERT INTO file (index_name, filename, project, version, sha256, size, first_seen, uploader) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (index_name, filename) DO UPDATE SET \
                version = excluded.version, sha256 = excluded.sha256, size = excluded.size, \
                first_seen = excluded.first_seen, uploader = excluded.uploader";
    replaced(tx, pending, home).await?;
    let params = params![&**index, &**filename, project, version, sha256, stamp.size, *at, &**actor];
    tx.execute(file, params).await?;
    place(tx, pending, home, stamp).await?;
    tx.execute("DELETE FROM attestation WHERE index_name = $1 AND filename = $2", params![&**index, &**filename])
        .await?;
    if let Some(body) = attestations {
        let sql = "INSERT INTO attestation (index_name, filename, sha256, body) VALUES ($1, $2, $3, $4)";
        tx.execute(sql, params![&**index, &**filename, sha256, &**body]).await?;
    }
    if let Some(source) = source {
        let sql = "UPDATE file SET yanked = (SELECT f.yanked FROM file f WHERE f.index_name = $3 AND f.filename = $2) \
                   WHERE index_name = $1 AND filename = $2";
        tx.execute(sql, params![&**index, &**filename, &**source]).await?;
    }
    let (after, by) = (format!("sha256:{}", facts.sha256), By::at(actor, address, *at));
    let action = if source.is_some() { "promote" } else { "upload" };
    let (before, after) = (source.as_deref(), Some(&*after));
    Change { index, project, object: filename, before, after, ..Change::of(action) }.write(tx, &by).await
}

async fn place(tx: &mut Transaction, pending: &Pending, home: Home, stamp: Stamp) -> Result<()> {
    let Pending { index, filename, path, facts, .. } = pending;
    let sql = "INSERT INTO place (index_name, filename, path, modified, inode, name, requires_python, \
               metadata_sha256, summary, home) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
               ON CONFLICT (index_name, filename) DO UPDATE SET path = excluded.path, \
               modified = excluded.modified, inode = excluded.inode, name = excluded.name, \
               requires_python = excluded.requires_python, metadata_sha256 = excluded.metadata_sha256, \
               summary = excluded.summary, home = excluded.home";
    let (python, summary) = (facts.requires_python.as_deref(), facts.summary.as_deref());
    let metadata = facts.metadata.map(|digest| digest.0);
    let (modified, inode, name) = (stamp.modified, stamp.inode.cast_signed(), facts.name.display());
    let mut params = params![&**index, &**filename, &**path, modified, inode, name, python, metadata, summary];
    params.extend(params![home.word()]);
    tx.execute(sql, params).await.map(drop)
}

/// What was at another path until now has to go, where nobody else has put it there; and what is at this one stays.
async fn replaced(tx: &mut Transaction, pending: &Pending, home: Home) -> Result<()> {
    let Pending { index, filename, path, .. } = pending;
    let sql = "DELETE FROM removal WHERE index_name = $1 AND home = $2 AND path = $3";
    tx.execute(sql, params![&**index, home.word(), &**path]).await?;
    if home == Home::Bucket {
        let sql = "INSERT INTO removal (index_name, home, path, modified, size, inode, sha256) \
                   SELECT p.index_name, p.home, p.path, p.modified, f.size, p.inode, f.sha256 FROM place p \
                   JOIN file f ON f.index_name = p.index_name AND f.filename = p.filename \
                   WHERE p.index_name = $1 AND p.filename = $2 AND p.home = $3 AND p.path <> $4";
        tx.execute(sql, params![&**index, &**filename, home.word(), &**path]).await?;
    }
    Ok(())
}

async fn insert(tx: &mut Transaction, pending: &Pending, home: Home) -> Result<u64> {
    let Pending { index, filename, path, spool, size, facts, attestations, actor, address, at, .. } = pending;
    let sql = "INSERT INTO upload (index_name, filename, path, spool, project, name, version, sha256, size, \
               requires_python, metadata_sha256, summary, attestations, actor, address, at, home, beat, batch, source) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $16, $18, $19) \
               ON CONFLICT (index_name, filename) DO NOTHING";
    let (project, name, version) = (facts.name.normalized(), facts.name.display(), &*facts.version);
    let (python, summary) = (facts.requires_python.as_deref(), facts.summary.as_deref());
    let (sha256, metadata) = (facts.sha256.0, facts.metadata.map(|digest| digest.0));
    let mut params = params![&**index, &**filename, &**path, &**spool, project, name, version, sha256, *size];
    params.extend(params![python, metadata, summary, attestations.as_deref(), &**actor, &**address, *at]);
    params.extend(params![home.word(), pending.batch.as_deref(), pending.source.as_deref()]);
    tx.execute(sql, params).await
}

/// Whether it was there.
async fn forget(tx: &mut Transaction, pending: &Pending) -> Result<bool> {
    let Pending { index, filename, spool, .. } = pending;
    let sql = "DELETE FROM upload WHERE index_name = $1 AND filename = $2 AND spool = $3";
    Ok(tx.execute(sql, params![&**index, &**filename, &**spool]).await? > 0)
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
        beat: row.get(14_usize)?,
        batch: option(15)?,
        source: option(16)?,
    }))
}
