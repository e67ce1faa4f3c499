//! Where an index keeps its files: a folder that is the master, or its part of a bucket. Whoever stores, copies or removes
//! files need not know which.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use opsctl_dist::{Hasher, Wanted};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::{Error, Pending, Spool, Spooled};
use crate::bucket::{self, Bucket};
use crate::catalog::{self, Digest, Place};
use crate::config::IndexName;
use crate::folder::Stamp;
use crate::records::Removal;

/// Where an index keeps its files. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) enum Shelf {
    /// In this folder.
    Folder(Arc<PathBuf>),
    /// In a bucket.
    Bucket(Bucket),
}

/// Uploads whose files are in the spool, or have been.
pub(super) type Files = Vec<(Pending, Spooled)>;

impl Shelf {
    /// Where a file will be that is in the spool as `spooled`.
    pub(super) fn path(&self, index: &IndexName, project: &str, spooled: &str, filename: &str) -> Box<str> {
        match self {
            // both are of letters that are safe in a path
            Shelf::Folder(_) => format!("{project}/{filename}").into(),
            Shelf::Bucket(_) => bucket::key(index, project, spooled, filename),
        }
    }

    /// Where a file is that the tables know.
    pub(crate) fn place(&self, path: Box<str>, stamp: Stamp) -> Place {
        match self {
            Shelf::Folder(root) => Place::Folder { root: Arc::clone(root), path, stamp },
            Shelf::Bucket(bucket) => Place::Bucket { bucket: bucket.clone(), key: path, stamp },
        }
    }

    /// Gives files in the spool their names, for good; what each is like then. The files are handed back: they are locked
    /// until they are dropped.
    pub(super) async fn name(&self, mut files: Files, replace: bool) -> (Result<Vec<Stamp>, Error>, Files) {
        match self {
            Shelf::Folder(root) => {
                let root = Arc::clone(root);
                let named = tokio::task::spawn_blocking(move || {
                    let stamps = files.iter_mut().map(|(pending, file)| name(&root, &pending.path, file, replace));
                    (stamps.collect(), files)
                });
                // a thread that panicked had the files
                named.await.unwrap_or_else(|error| (Err(Error::Io(io::Error::other(error))), Vec::new()))
            }
            Shelf::Bucket(bucket) => {
                let mut stamps = Vec::with_capacity(files.len());
                for (pending, file) in &files {
                    match bucket.put(&pending.path, &pending.filename, file).await {
                        Ok(stamp) => stamps.push(stamp),
                        Err(error) => return (Err(error), files),
                    }
                }
                (Ok(stamps), files)
            }
        }
    }

    /// Removes files that have got their names. Nobody has seen them.
    pub(super) async fn take_back(&self, files: &Files) -> Result<(), Error> {
        match self {
            Shelf::Folder(root) => {
                let named = files.iter().filter(|(_, file)| file.has_name());
                let paths: Vec<_> = named.map(|(pending, _)| root.join(&*pending.path)).collect();
                Ok(tokio::task::spawn_blocking(move || paths.iter().try_for_each(gone))
                    .await
                    .map_err(io::Error::other)??)
            }
            Shelf::Bucket(bucket) => {
                for (pending, _) in files {
                    bucket.remove(&pending.path).await.map_err(Error::Bucket)?;
                }
                Ok(())
            }
        }
    }

    /// Removes a file that is not served any more; another one at its path stays.
    pub(crate) async fn remove(&self, removal: &Removal) -> Result<(), Error> {
        match self {
            Shelf::Folder(root) => {
                let (path, removal) = (root.join(&*removal.path), removal.clone());
                let removed =
                    tokio::task::spawn_blocking(move || if is_same(&path, &removal)? { gone(&path) } else { Ok(()) });
                Ok(removed.await.map_err(io::Error::other)??)
            }
            Shelf::Bucket(bucket) => bucket.remove(&removal.path).await.map_err(Error::Bucket),
        }
    }
}

/// A copy of a file in the spool.
///
/// # Errors
/// It is not there, cannot be read or written, or is not any more what it was.
pub(crate) async fn copy(file: &catalog::File, spool: &Spool) -> Result<Spooled, Error> {
    let changed = || Error::Changed(file.filename.to_string());
    let spooled = match &file.place {
        Place::Folder { root, path, .. } => {
            let (source, spool) = (root.join(&**path), spool.clone());
            tokio::task::spawn_blocking(move || spool.copy(&source, u64::MAX)).await.map_err(io::Error::other)??
        }
        Place::Bucket { bucket, key, .. } => bucket.fetch(key, spool, u64::MAX).await?.ok_or_else(changed)?,
    };
    if spooled.digests.sha256 == file.sha256 { Ok(spooled) } else { Err(changed()) }
}

/// Gives a file in the spool its name, for good. Blocks on the disk.
fn name(root: &Path, path: &str, spooled: &mut Spooled, replace: bool) -> Result<Stamp, Error> {
    let target = root.join(path);
    let folder = target.parent().unwrap_or(root);
    if let Err(error) = fs::create_dir(folder) {
        if error.kind() != io::ErrorKind::AlreadyExists {
            return Err(error.into());
        }
    } else {
        sync(root)?;
    }
    let flags = if replace { RenameFlags::empty() } else { RenameFlags::NOREPLACE };
    match renameat_with(CWD, &spooled.path, CWD, &target, flags) {
        Ok(()) => spooled.is_named(),
        Err(Errno::EXIST) => {
            let filename = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
            return Err(Error::Busy(filename));
        }
        Err(error) => return Err(io::Error::from(error).into()),
    }
    sync(folder)?;
    Ok(Stamp::from(&spooled.file.metadata()?))
}

/// Names in a folder are on the disk when the folder is.
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Removes a file, if it is there.
fn gone(path: &PathBuf) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Whether what lies there is what has to go.
fn is_same(path: &Path, removal: &Removal) -> io::Result<bool> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        open => open?,
    };
    Ok(Stamp::from(&file.metadata()?) == removal.stamp || digest(&file)? == removal.sha256)
}

/// The SHA-256 of a file. Blocks on the disk.
pub(super) fn digest(mut file: &File) -> io::Result<Digest> {
    let mut hasher = Hasher::new(Wanted::Sha256);
    io::copy(&mut file, &mut hasher)?;
    Ok(hasher.finish().sha256)
}
