//! Reading what is served, and what is known of the folders.

use std::collections::HashSet;

use opsctl_store::{Row, params};

use super::{Records, Result};
use crate::catalog::Digest;
use crate::folder::Stamp;

/// A file that is there, as the tables have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Loaded {
    pub(crate) index: Box<str>,
    pub(crate) filename: Box<str>,
    /// Normalised.
    pub(crate) project: Box<str>,
    /// The project's name as the author writes it.
    pub(crate) name: Box<str>,
    pub(crate) version: Box<str>,
    pub(crate) sha256: Digest,
    pub(crate) first_seen: i64,
    pub(crate) requires_python: Option<Box<str>>,
    pub(crate) metadata: Option<Digest>,
    pub(crate) yanked: Option<Box<str>>,
    pub(crate) path: Box<str>,
    pub(crate) stamp: Stamp,
    pub(crate) summary: Option<Box<str>>,
    /// Whether something came with it to prove where it was built.
    pub(crate) attested: bool,
}

/// A file that was here: its name is bound to its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tombstone {
    pub(crate) index: Box<str>,
    pub(crate) filename: Box<str>,
    /// Normalised.
    pub(crate) project: Box<str>,
    pub(crate) version: Box<str>,
    pub(crate) sha256: Digest,
    /// Bytes.
    pub(crate) size: u64,
    /// Microseconds since 1970.
    pub(crate) first_seen: i64,
}

/// A path that was set aside when it was last looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Looked {
    pub(crate) path: Box<str>,
    pub(crate) stamp: Stamp,
    pub(crate) reason: Box<str>,
}

/// The columns, in the order in which [`loaded`] reads them.
macro_rules! select {
    ($condition:literal) => {
        concat!(
            "SELECT f.index_name, f.filename, f.project, f.version, f.sha256, f.size, f.first_seen, f.yanked, ",
            "p.path, p.modified, p.inode, p.name, p.requires_python, p.metadata_sha256, p.summary, a.filename ",
            "FROM file f JOIN place p ON p.index_name = f.index_name AND p.filename = f.filename ",
            "LEFT JOIN attestation a ON a.index_name = f.index_name AND a.filename = f.filename AND a.sha256 = f.sha256 ",
            $condition
        )
    };
}

impl Records {
    /// Every file that is there.
    pub(crate) async fn files(&self) -> Result<Vec<Loaded>> {
        let sql = select!("WHERE p.home = $1");
        self.db.fetch_all(sql, params![self.home.word()]).await?.into_iter().map(loaded).collect()
    }

    /// The files of one project that are there.
    pub(crate) async fn files_of(&self, index: &str, project: &str) -> Result<Vec<Loaded>> {
        let sql = select!("WHERE f.index_name = $1 AND f.project = $2 AND p.home = $3");
        self.db.fetch_all(sql, params![index, project, self.home.word()]).await?.into_iter().map(loaded).collect()
    }

    /// The project whose file this is, by its name and digest; none if it is not there.
    pub(crate) async fn project_of(&self, index: &str, filename: &str, sha256: &Digest) -> Result<Option<Box<str>>> {
        let sql = "SELECT f.project FROM file f \
                   JOIN place p ON p.index_name = f.index_name AND p.filename = f.filename \
                   WHERE f.index_name = $1 AND f.filename = $2 AND f.sha256 = $3 AND p.home = $4";
        let row = self.db.fetch_optional(sql, params![index, filename, sha256.0, self.home.word()]).await?;
        row.map(|row| row.get::<&str>(0_usize).map(Box::from)).transpose()
    }

    /// Every file that was here and is not any more.
    pub(crate) async fn tombstones(&self) -> Result<Vec<Tombstone>> {
        let sql = "SELECT f.index_name, f.filename, f.project, f.version, f.sha256, f.size, f.first_seen FROM file f \
                   LEFT JOIN place p ON p.index_name = f.index_name AND p.filename = f.filename \
                   WHERE p.path IS NULL ORDER BY f.index_name, f.filename";
        self.db.fetch_all(sql, params![]).await?.iter().map(tombstone).collect()
    }

    /// The bytes that a file name belongs to, whether the file is there or not.
    pub(crate) async fn bound(&self, index: &str, filename: &str) -> Result<Option<Digest>> {
        let sql = "SELECT sha256 FROM file WHERE index_name = $1 AND filename = $2";
        let row = self.db.fetch_optional(sql, params![index, filename]).await?;
        row.map(|row| row.get::<&[u8]>(0_usize).map(digest)).transpose()
    }

    /// All paths in an index that something is known of: of files that are served, are being stored, or have to go.
    pub(crate) async fn paths(&self, index: &str) -> Result<HashSet<Box<str>>> {
        // in one statement, at one moment: a file that is stored meanwhile is on one side or the other
        let sql = "SELECT path FROM place WHERE index_name = $1 AND home = $2 \
                   UNION ALL SELECT path FROM upload WHERE index_name = $1 AND home = $2 \
                   UNION ALL SELECT path FROM removal WHERE index_name = $1 AND home = $2";
        let rows = self.db.fetch_all(sql, params![index, self.home.word()]).await?;
        rows.iter().map(|row| Ok(row.get::<&str>(0_usize)?.into())).collect()
    }

    /// How many files lie where nobody looks now: in folders while the store is a bucket, or the other way round.
    pub(crate) async fn elsewhere(&self) -> Result<u64> {
        let sql = "SELECT count(*) FROM place WHERE home <> $1";
        Ok(self.db.fetch_value(sql, params![self.home.word()]).await?.unwrap_or_default())
    }

    /// What was set aside in the folder of an index.
    pub(crate) async fn aside(&self, index: &str) -> Result<Vec<Looked>> {
        const ASIDE: &str = "SELECT path, modified, size, inode, reason FROM aside WHERE index_name = $1";
        self.db.fetch_all(ASIDE, params![index]).await?.iter().map(looked).collect()
    }
}

fn loaded(row: Row) -> Result<Loaded> {
    let text = |column: usize| row.get::<&str>(column).map(Box::from);
    let option = |column: usize| Ok(row.get::<Option<&str>>(column)?.map(Box::from));
    let stamp = Stamp { modified: row.get(9)?, size: row.get(5)?, inode: row.get::<i64>(10)?.cast_unsigned() };
    Ok(Loaded {
        index: text(0)?,
        filename: text(1)?,
        project: text(2)?,
        version: text(3)?,
        sha256: digest(row.get(4)?),
        first_seen: row.get(6)?,
        yanked: option(7)?,
        path: text(8)?,
        stamp,
        name: text(11)?,
        requires_python: option(12)?,
        metadata: row.get::<Option<&[u8]>>(13)?.map(digest),
        summary: option(14)?,
        attested: row.get::<Option<&str>>(15)?.is_some(),
    })
}

fn tombstone(row: &Row) -> Result<Tombstone> {
    let text = |column: usize| row.get::<&str>(column).map(Box::from);
    Ok(Tombstone {
        index: text(0)?,
        filename: text(1)?,
        project: text(2)?,
        version: text(3)?,
        sha256: digest(row.get(4)?),
        size: row.get(5)?,
        first_seen: row.get(6)?,
    })
}

fn looked(row: &Row) -> Result<Looked> {
    Ok(Looked { path: row.get::<&str>(0_usize)?.into(), stamp: stamp(row)?, reason: row.get::<&str>(4)?.into() })
}

/// From the columns after the first.
fn stamp(row: &Row) -> Result<Stamp> {
    Ok(Stamp { modified: row.get(1)?, size: row.get(2)?, inode: row.get::<i64>(3)?.cast_unsigned() })
}

/// Only digests were written; anything else is the digest of nothing that is there.
pub(super) fn digest(bytes: &[u8]) -> Digest {
    opsctl_dist::Digest(bytes.try_into().unwrap_or_default())
}
