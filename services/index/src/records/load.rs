//! Reading what is served, and what is known of the folders.

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
            "p.path, p.modified, p.inode, p.name, p.requires_python, p.metadata_sha256 ",
            "FROM file f JOIN place p ON p.index_name = f.index_name AND p.filename = f.filename ",
            $condition
        )
    };
}

impl Records {
    /// Every file that is there.
    pub(crate) async fn files(&self) -> Result<Vec<Loaded>> {
        self.db.fetch_all(select!(""), params![]).await?.into_iter().map(loaded).collect()
    }

    /// The files of one project that are there.
    pub(crate) async fn files_of(&self, index: &str, project: &str) -> Result<Vec<Loaded>> {
        let sql = select!("WHERE f.index_name = $1 AND f.project = $2");
        self.db.fetch_all(sql, params![index, project]).await?.into_iter().map(loaded).collect()
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
