//! Writing down what was seen in a folder.

use std::collections::{BTreeSet, HashSet};

use opsctl_store::{Transaction, params};

use super::rows::insert;
use super::{Home, Records, Result, load};
use crate::bucket;
use crate::catalog::Digest;
use crate::folder::{Found, Refused};

/// What became of a file that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Noted {
    /// It is served.
    Served,
    /// Its name is bound to other bytes.
    Bound(Digest),
    /// The same file lies at another path, and is served from there.
    Twin(Box<str>),
}

/// Who changes what lies in a folder.
const ACTOR: &str = "folder";

impl Records {
    /// Notes what was found, all or nothing. In a `volatile` index a name may get other bytes. Returns what became of
    /// each of `found`.
    pub(crate) async fn note(&self, index: &str, volatile: bool, found: &[Found], now: i64) -> Result<Vec<Noted>> {
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let mut tx = self.db.begin().await?;
        let mut changes = Changes { index, now, rows: Vec::new() };
        let mut new = bind(&mut tx, index, found).await?;
        let mut noted = Vec::with_capacity(found.len());
        let mut unchanged = HashSet::new();
        for (at, file) in found.iter().enumerate() {
            // of two of one name the first has bound it
            if new.remove(&*file.filename) {
                noted.push(Noted::Served);
                continue;
            }
            let (became, was_here) = rebind(&mut tx, index, volatile, file).await?;
            noted.push(became);
            if was_here {
                unchanged.insert(at);
            }
        }
        place(&mut tx, index, volatile, found, &mut noted).await?;
        for (at, (file, noted)) in found.iter().zip(&noted).enumerate() {
            if *noted == Noted::Served && !unchanged.contains(&at) {
                let project = file.facts.name.normalized().into();
                changes.add("appear", project, file.filename.clone(), Some(file.facts.sha256));
            }
        }
        if tx.fetch_optional("SELECT 1 FROM aside WHERE index_name = $1 LIMIT 1", params![index]).await?.is_some() {
            for file in found {
                tx.execute("DELETE FROM aside WHERE index_name = $1 AND path = $2", params![index, &*file.path])
                    .await?;
            }
        }
        changes.write(&mut tx).await?;
        tx.commit().await?;
        Ok(noted)
    }

    /// Notes that there is nothing at these paths any more. Returns the projects that this touches.
    pub(crate) async fn gone(&self, index: &str, gone: &[Box<str>], now: i64) -> Result<BTreeSet<Box<str>>> {
        let mut tx = self.db.begin().await?;
        let mut changes = Changes { index, now, rows: Vec::new() };
        for path in gone {
            if let Some((project, filename)) = unplace(&mut tx, index, path).await? {
                changes.add("vanish", project, filename, None);
            }
            tx.execute("DELETE FROM aside WHERE index_name = $1 AND path = $2", params![index, &**path]).await?;
        }
        let touched = changes.projects();
        changes.write(&mut tx).await?;
        tx.commit().await?;
        Ok(touched)
    }

    /// Notes why files are not served, until they change. Returns the projects that had files at these paths.
    pub(crate) async fn set_aside(&self, index: &str, refused: &[Refused], now: i64) -> Result<BTreeSet<Box<str>>> {
        if refused.is_empty() {
            return Ok(BTreeSet::new());
        }
        let row = |file: &Refused| {
            let stamp = file.stamp;
            params![index, &*file.path, stamp.modified, stamp.size, stamp.inode.cast_signed(), &*file.reason]
        };
        let mut tx = self.db.begin().await?;
        insert(
            &mut tx,
            "INSERT INTO aside (index_name, path, modified, size, inode, reason)",
            refused.iter().map(row).collect(),
            "ON CONFLICT (index_name, path) DO UPDATE SET modified = excluded.modified, size = excluded.size, \
             inode = excluded.inode, reason = excluded.reason",
        )
        .await?;
        // what lay there before and was served is not there any more
        let mut changes = Changes { index, now, rows: Vec::new() };
        for file in refused {
            if let Some((project, filename)) = unplace(&mut tx, index, &file.path).await? {
                changes.add("vanish", project, filename, None);
            }
        }
        let touched = changes.projects();
        changes.write(&mut tx).await?;
        tx.commit().await?;
        Ok(touched)
    }
}

/// Changes of one transaction.
struct Changes<'a> {
    index: &'a str,
    now: i64,
    rows: Vec<Change>,
}

struct Change {
    action: &'static str,
    project: Box<str>,
    filename: Box<str>,
    after: Option<Digest>,
}

impl Changes<'_> {
    fn add(&mut self, action: &'static str, project: Box<str>, filename: Box<str>, after: Option<Digest>) {
        self.rows.push(Change { action, project, filename, after });
    }

    fn projects(&self) -> BTreeSet<Box<str>> {
        self.rows.iter().map(|change| change.project.clone()).collect()
    }

    async fn write(self, tx: &mut Transaction) -> Result<()> {
        let Changes { index, now, rows } = self;
        let row = |Change { action, project, filename, after }: Change| {
            let after = after.map(|digest| format!("sha256:{digest}"));
            params![now, ACTOR, "", action, index, &*project, &*filename, after]
        };
        let columns = "INSERT INTO change (at, actor, address, action, index_name, project, object, after)";
        insert(tx, columns, rows.into_iter().map(row).collect(), "").await.map(drop)
    }
}

/// Takes the file at this path out of what is served; returns its project and its name, if there was one.
async fn unplace(tx: &mut Transaction, index: &str, path: &str) -> Result<Option<(Box<str>, Box<str>)>> {
    let filename = bucket::filename(path);
    let filename = &*filename;
    let served = "SELECT f.project FROM place p \
                  JOIN file f ON f.index_name = p.index_name AND f.filename = p.filename \
                  WHERE p.index_name = $1 AND p.filename = $2 AND p.path = $3";
    let Some(row) = tx.fetch_optional(served, params![index, filename, path]).await? else { return Ok(None) };
    let delete = "DELETE FROM place WHERE index_name = $1 AND filename = $2 AND path = $3";
    tx.execute(delete, params![index, filename, path]).await?;
    Ok(Some((row.get::<&str>(0_usize)?.into(), filename.into())))
}

/// Binds names that were never seen to their bytes; returns which those are.
async fn bind(tx: &mut Transaction, index: &str, found: &[Found]) -> Result<HashSet<Box<str>>> {
    let row = |file: &Found| {
        let facts = &file.facts;
        let (project, sha256) = (facts.name.normalized(), facts.sha256.0);
        params![index, &*file.filename, project, &*facts.version, sha256, file.stamp.size, file.first_seen]
    };
    let columns = "INSERT INTO file (index_name, filename, project, version, sha256, size, first_seen)";
    // two of one name in one statement: the second conflicts with the first
    let after = "ON CONFLICT (index_name, filename) DO NOTHING RETURNING filename";
    let rows = insert(tx, columns, found.iter().map(row).collect(), after).await?;
    rows.iter().map(|row| Ok(row.get::<&str>(0_usize)?.into())).collect()
}

/// What the name of a file is bound to, and whether that may change; and whether the very same file was here before.
async fn rebind(tx: &mut Transaction, index: &str, volatile: bool, file: &Found) -> Result<(Noted, bool)> {
    let sql = "SELECT f.sha256, p.path FROM file f \
               LEFT JOIN place p ON p.index_name = f.index_name AND p.filename = f.filename AND p.home = $3 \
               WHERE f.index_name = $1 AND f.filename = $2";
    let row = tx.fetch_optional(sql, params![index, &*file.filename, Home::Folder.word()]).await?;
    let bound = row.as_ref().map(|row| row.get::<&[u8]>(0_usize).map(load::digest)).transpose()?;
    let path = row.as_ref().map(|row| row.get::<Option<&str>>(1_usize)).transpose()?.flatten();
    match bound {
        Some(bound) if bound == file.facts.sha256 => Ok((Noted::Served, path == Some(&*file.path))),
        Some(bound) if !volatile => Ok((Noted::Bound(bound), false)),
        _ => {
            let sql = "UPDATE file SET version = $3, sha256 = $4, size = $5, first_seen = $6 \
                       WHERE index_name = $1 AND filename = $2";
            let facts = &file.facts;
            let (size, first_seen) = (file.stamp.size, file.first_seen);
            let params = params![index, &*file.filename, &*facts.version, facts.sha256.0, size, first_seen];
            tx.execute(sql, params).await?;
            Ok((Noted::Served, false))
        }
    }
}

/// Notes where the files are that are served. Those of which a twin is served already become its twins.
async fn place(tx: &mut Transaction, index: &str, volatile: bool, found: &[Found], noted: &mut [Noted]) -> Result<()> {
    let row = |file: &Found| {
        let facts = &file.facts;
        let metadata = facts.metadata.map(|digest| digest.0);
        let (modified, inode) = (file.stamp.modified, file.stamp.inode.cast_signed());
        let (python, summary) = (facts.requires_python.as_deref(), facts.summary.as_deref());
        let home = Home::Folder.word();
        params![
            index,
            &*file.filename,
            &*file.path,
            modified,
            inode,
            facts.name.display(),
            python,
            metadata,
            summary,
            home
        ]
    };
    let mut seen = HashSet::new();
    // one statement cannot update a row twice: of two that are found at once the first is served
    let served = found.iter().zip(noted.iter());
    let rows = served.filter(|(file, noted)| **noted == Noted::Served && seen.insert(&file.filename));
    let rows: Vec<_> = rows.map(|(file, _)| row(file)).collect();
    let columns = "INSERT INTO place (index_name, filename, path, modified, inode, name, requires_python, \
                   metadata_sha256, summary, home)";
    let update = "ON CONFLICT (index_name, filename) DO UPDATE SET home = excluded.home, path = excluded.path, \
                  modified = excluded.modified, inode = excluded.inode, name = excluded.name, \
                  requires_python = excluded.requires_python, metadata_sha256 = excluded.metadata_sha256, \
                  summary = excluded.summary";
    // in a volatile index the newest wins, wherever it lies
    let condition = if volatile { "" } else { "WHERE place.path = excluded.path OR place.home <> excluded.home" };
    let placed = insert(tx, columns, rows, &format!("{update} {condition} RETURNING filename")).await?;
    let placed = placed.iter().map(|row| row.get::<&str>(0_usize)).collect::<Result<HashSet<_>>>()?;
    let mut seen = HashSet::new();
    for (file, noted) in found.iter().zip(noted).filter(|(_, noted)| **noted == Noted::Served) {
        if !seen.insert(&file.filename) || !placed.contains(&*file.filename) {
            let path = "SELECT path FROM place WHERE index_name = $1 AND filename = $2";
            let path = tx.fetch_optional(path, params![index, &*file.filename]).await?;
            *noted =
                Noted::Twin(path.map(|row| row.get::<&str>(0_usize).map(Box::from)).transpose()?.unwrap_or_default());
        }
    }
    Ok(())
}
