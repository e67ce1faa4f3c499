//! Files in a bucket that several machines share, where `[host] store` says so. The bucket is the master then: each file is
//! there before a row says so, and goes after no row says so any more.
//!
//! A key is `INDEX/PROJECT/UPLOAD/FILENAME`, where UPLOAD differs for each upload that ever was. So no two uploads meet at
//! one key, whatever machine they are on and however long it was asleep: nobody replaces what somebody else has stored, and
//! whoever removes what one upload left behind removes nothing else. Which upload has won a file name is the database's to
//! say. Beside the file lies its metadata, which is asked for more often than the file.

use std::ops::Range;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use bytes::Bytes;
use futures_util::TryStreamExt;
use opsctl_dist::{Digests, Distribution, Hasher, Wanted};
use opsctl_store::{Blob, Blobs, Meta, Result};
use tokio::io::AsyncWriteExt as _;

use crate::catalog::Digest;
use crate::folder::Stamp;
use crate::upload::{Error, Spool, Spooled};

/// The name of the metadata; no distribution is called so.
const METADATA: &str = "METADATA";
/// What `~` is in keys.
const TILDE: &str = "=7E";
/// Bytes of metadata that are read.
const METADATA_MAX: u64 = 64 << 20;

/// The bucket. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Bucket(Blobs);

/// There is one in a process.
impl PartialEq for Bucket {
    fn eq(&self, _: &Bucket) -> bool {
        true
    }
}

/// Where a file will be; `upload` is the name that it has in the spool.
pub(crate) fn key(index: &str, project: &str, upload: &str, filename: &str) -> Box<str> {
    let upload = upload.split('.').next().unwrap_or(upload);
    // the one character of file names that keys have not; `=` is in no file name
    let filename = filename.replace('~', TILDE);
    format!("{index}/{project}/{upload}/{filename}").into()
}

/// The file name at the end of a key, or of a path in a folder.
pub(crate) fn filename(path: &str) -> String {
    path.rsplit('/').next().unwrap_or(path).replace(TILDE, "~")
}

/// What an object is, by its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    /// Its project, normalised.
    pub(crate) project: String,
    pub(crate) filename: String,
}

/// Whose object this is, if it is that of a file.
pub(crate) fn named(key: &str) -> Option<Named> {
    let mut parts = key.split('/').skip(1);
    let (project, _, filename) = (parts.next()?, parts.next()?, parts.next()?);
    let named = Named { project: project.to_owned(), filename: self::filename(filename) };
    (parts.next().is_none() && filename != METADATA).then_some(named)
}

/// Where the metadata of the file at `key` lies.
pub(crate) fn beside(key: &str) -> String {
    format!("{}/{METADATA}", key.rsplit_once('/').map_or(key, |(folder, _)| folder))
}

impl Bucket {
    pub(crate) fn new(blobs: Blobs) -> Bucket {
        Bucket(blobs)
    }

    /// Stores a file and its metadata.
    ///
    /// # Errors
    /// The bucket's or the disk's; something may be there then.
    pub(crate) async fn put(&self, key: &str, filename: &str, spooled: &Spooled) -> Result<Stamp, Error> {
        let (file, filename, temp) = (spooled.file.try_clone()?, filename.to_owned(), self.0.temp());
        let path = spooled.path.clone();
        let read = move || {
            // storing takes the file away, and the spool's name is needed for longer
            link(&path, temp.path())?;
            let metadata = Distribution::metadata_of(&file, &filename)?;
            Ok::<_, Error>((metadata, temp))
        };
        let read = tokio::task::spawn_blocking(read).await;
        let (metadata, temp) = read.map_err(std::io::Error::other)??;
        if let Some(metadata) = metadata {
            self.0.put_bytes(&beside(key), metadata).await.map_err(Error::Bucket)?;
        }
        let meta = self.0.put_file(key, temp.path()).await.map_err(Error::Bucket)?;
        Ok(stamp(&meta))
    }

    /// Stores metadata that is missing or wrong.
    ///
    /// # Errors
    /// The bucket's.
    pub(crate) async fn put_metadata(&self, key: &str, metadata: Vec<u8>) -> Result<()> {
        self.0.put_bytes(&beside(key), metadata).await.map(drop)
    }

    /// Bytes of a file, if it is there.
    ///
    /// # Errors
    /// The bucket's.
    pub(crate) async fn read(&self, key: &str, range: Range<u64>) -> Result<Option<Blob>> {
        self.0.get_range(key, range).await
    }

    /// The metadata of a file; None if there is none.
    ///
    /// # Errors
    /// The bucket's.
    pub(crate) async fn metadata(&self, key: &str) -> Result<Option<Bytes>> {
        match self.0.get_range(&beside(key), 0..METADATA_MAX).await? {
            Some(blob) => Ok(Some(blob.bytes().await?)),
            None => Ok(None),
        }
    }

    /// What a file is like, if it is there.
    ///
    /// # Errors
    /// The bucket's.
    pub(crate) async fn look(&self, key: &str) -> Result<Option<Stamp>> {
        Ok(self.0.head(key).await?.as_ref().map(stamp))
    }

    /// The SHA-256 of a file, read whole; None if it is not there.
    ///
    /// # Errors
    /// The bucket's.
    pub(crate) async fn digest(&self, key: &str) -> Result<Option<Digest>> {
        let Some(blob) = self.0.get(key).await? else { return Ok(None) };
        let (mut hasher, mut stream) = (Hasher::new(Wanted::Sha256), blob.stream);
        while let Some(piece) = stream.try_next().await? {
            hasher.update(&piece);
        }
        let Digests { sha256, .. } = hasher.finish();
        Ok(Some(sha256))
    }

    /// A file in the spool; None if it is not there.
    ///
    /// # Errors
    /// The bucket's or the disk's, or it is larger than `limit`.
    pub(crate) async fn fetch(&self, key: &str, spool: &Spool, limit: u64) -> Result<Option<Spooled>, Error> {
        let Some(blob) = self.0.get(key).await.map_err(Error::Bucket)? else { return Ok(None) };
        let (mut spooling, mut stream) = (spool.begin(limit), blob.stream);
        while let Some(piece) = stream.try_next().await.map_err(Error::Bucket)? {
            if spooling.write(piece).await.is_err() {
                break;
            }
        }
        spooling.finish().await.map(Some)
    }

    /// Writes a file to `path`.
    ///
    /// # Errors
    /// It is not there, or cannot be written; something may be at `path` then.
    pub(crate) async fn save(&self, key: &str, path: &Path) -> anyhow::Result<()> {
        let blob = self.0.get(key).await?.with_context(|| format!("`{key}` is not in the bucket"))?;
        let (mut file, mut stream) = (tokio::fs::File::create(path).await?, blob.stream);
        while let Some(piece) = stream.try_next().await? {
            file.write_all(&piece).await?;
        }
        Ok(file.sync_all().await?)
    }

    /// Removes a file and its metadata, where they are.
    ///
    /// # Errors
    /// The bucket's.
    pub(crate) async fn remove(&self, key: &str) -> Result<()> {
        self.0.delete(key).await?;
        self.0.delete(&beside(key)).await.map(drop)
    }

    /// The keys of all that is there of an index.
    ///
    /// # Errors
    /// The bucket's.
    pub(crate) async fn keys(&self, index: &str) -> Result<Vec<String>> {
        self.0.list(index).map_ok(|entry| entry.key).try_collect().await
    }
}

/// The same file under another name; a copy where that is on another file system.
fn link(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::hard_link(from, to).or_else(|_| std::fs::copy(from, to).map(drop))
}

fn stamp(meta: &Meta) -> Stamp {
    let since = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    Stamp { modified: i64::try_from(since(meta.modified)).unwrap_or(i64::MAX), size: meta.size, inode: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_say_whose_they_are() {
        let check = |filename: &str, expected: &str| {
            let key = key("main", "demo", "00ff.part", filename);
            assert_eq!(&*key, expected);
            assert_eq!(named(&key), Some(Named { project: "demo".to_owned(), filename: filename.to_owned() }));
            assert_eq!(beside(&key), "main/demo/00ff/METADATA");
            assert_eq!(named(&beside(&key)), None);
        };
        check("demo-1.0.tar.gz", "main/demo/00ff/demo-1.0.tar.gz");
        check("demo-1~rc1.tar.gz", "main/demo/00ff/demo-1=7Erc1.tar.gz");
        assert_eq!(named("main/demo/demo-1.0.tar.gz"), None);
        assert_eq!(named("main/a/b/c/d"), None);
    }
}
