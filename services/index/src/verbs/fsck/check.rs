//! Is a file what is said of it?

use std::fs::File as OsFile;
use std::io;
use std::path::Path;

use opsctl_dist::{Digests, Distribution, Hasher, Wanted};

use crate::bucket::Bucket;
use crate::catalog::{Digest, File, Place};

/// What is wrong with a file, and where it lies.
#[derive(Debug)]
pub(super) enum Wrong {
    /// There is nothing.
    Missing(Box<str>),
    /// It cannot be read.
    Unreadable(Box<str>, io::Error),
    /// It has other bytes.
    Bytes(Box<str>, Digest, Digest),
    /// Its metadata are not those that are served.
    Metadata(Box<str>),
}

impl Wrong {
    pub(super) fn text(&self) -> String {
        match self {
            Wrong::Missing(path) => format!("`{path}` is not there"),
            Wrong::Unreadable(path, error) => format!("`{path}` cannot be read: {error}"),
            Wrong::Bytes(path, found, said) => format!("`{path}` has the sha256 {found} instead of {said}"),
            Wrong::Metadata(path) => format!("`{path}` has other metadata than is said"),
        }
    }
}

/// Reads a file.
///
/// # Errors
/// The bucket's.
pub(super) async fn check(file: &File) -> anyhow::Result<Option<Wrong>> {
    match &file.place {
        Place::Folder { root, path, .. } => Ok(in_folder(file, path, &root.join(&**path))),
        Place::Bucket { bucket, key, .. } => in_bucket(file, bucket, key).await,
    }
}

fn in_folder(file: &File, path: &str, full: &Path) -> Option<Wrong> {
    let digest = match digest(full) {
        Ok(digest) => digest,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Some(Wrong::Missing(path.into())),
        Err(error) => return Some(Wrong::Unreadable(path.into(), error)),
    };
    if digest != file.sha256 {
        return Some(Wrong::Bytes(path.into(), digest, file.sha256));
    }
    let metadata = Distribution::read(full).ok();
    let metadata = metadata.as_ref().and_then(Distribution::core_metadata).map(|(_, digest)| digest);
    (metadata != file.metadata).then(|| Wrong::Metadata(path.into()))
}

async fn in_bucket(file: &File, bucket: &Bucket, key: &str) -> anyhow::Result<Option<Wrong>> {
    let Some(digest) = bucket.digest(key).await? else { return Ok(Some(Wrong::Missing(key.into()))) };
    if digest != file.sha256 {
        return Ok(Some(Wrong::Bytes(key.into(), digest, file.sha256)));
    }
    let Some(said) = file.metadata else { return Ok(None) };
    let metadata = bucket.metadata(key).await?.map(|text| Digests::of(&text, Wanted::Sha256).sha256);
    Ok((metadata != Some(said)).then(|| Wrong::Metadata(key.into())))
}

fn digest(path: &Path) -> io::Result<Digest> {
    let mut hasher = Hasher::new(Wanted::Sha256);
    io::copy(&mut OsFile::open(path)?, &mut hasher)?;
    let Digests { sha256, .. } = hasher.finish();
    Ok(sha256)
}
