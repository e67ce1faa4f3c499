//! Blobs: files by key, in a folder or in an S3 bucket.
//!
//! A blob appears whole or not at all, and is on disk when it is acknowledged: it is written beside, in a staging folder
//! on the same file system, synchronised, renamed, and its folder is synchronised. What a crash leaves in the staging
//! folder is removed by whoever opens the store next. Writing to an existing key replaces it, for readers at once.

mod folder;
mod key;
mod s3;
mod staging;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use futures_util::stream::BoxStream;

use self::folder::Folder;
use self::key::Key;
pub(crate) use self::key::is_segment as is_key_part;
use self::s3::S3;
use self::staging::Staging;
pub use self::staging::Temp;
use crate::{Location, Result, StoreUrl};

/// A service's blobs. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Blobs(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    staging: Staging,
}

#[derive(Debug)]
enum Store {
    Folder(Folder),
    S3(S3),
}

/// What is known of a blob without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// Bytes.
    pub size: u64,
    /// Differs when the content does; without quotes.
    pub etag: String,
    /// Of the last write.
    pub modified: SystemTime,
}

/// A blob, or a part of it, being read.
pub struct Blob {
    /// Of the whole blob.
    pub meta: Meta,
    /// Which bytes of it the stream gives.
    pub range: Range<u64>,
    /// The bytes, in chunks of 256 KiB at most from a folder.
    pub stream: BoxStream<'static, Result<Bytes>>,
}

impl std::fmt::Debug for Blob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Blob").field("meta", &self.meta).field("range", &self.range).finish_non_exhaustive()
    }
}

impl Blob {
    /// All of its bytes in one piece. For blobs that are known to be small.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn bytes(self) -> Result<Bytes> {
        use futures_util::TryStreamExt;
        let mut whole = Vec::new();
        let mut stream = self.stream;
        while let Some(chunk) = stream.try_next().await? {
            whole.extend_from_slice(&chunk);
        }
        Ok(whole.into())
    }
}

/// One line of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its key.
    pub key: String,
    /// What is known of it.
    pub meta: Meta,
}

/// What to store: bytes, or a file, which is moved: afterwards it is no longer where it was.
#[derive(Debug)]
pub enum Content {
    /// Bytes in memory.
    Bytes(Bytes),
    /// A file, best in the store's staging folder ([`Blobs::temp`]), from where moving it costs nothing.
    File(PathBuf),
}

impl From<Bytes> for Content {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl From<&'static [u8]> for Content {
    fn from(bytes: &'static [u8]) -> Self {
        Self::Bytes(Bytes::from_static(bytes))
    }
}

impl From<&Path> for Content {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}

/// Whether an existing blob gives way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Existing {
    Replace,
    Keep,
}

impl Blobs {
    /// Opens the blobs of `service`: those in `<data_dir>/<service>/blobs`, or those under `<prefix>/<service>/` of the
    /// bucket. Files on their way to a bucket lie in `<data_dir>/<service>/.incoming`.
    ///
    /// # Errors
    /// [`crate::Error`]: the folder cannot be made or used, the bucket is not there or not ours.
    pub async fn open(location: &Location, service: &str) -> Result<Self> {
        let folder = location.data_dir().join(service);
        match location.store() {
            StoreUrl::Folder => Self::folder(folder.join("blobs")).await,
            StoreUrl::S3(url) => {
                let store = S3::open(url, location.keys(), service).await?;
                let staging = Staging::open(&folder).await?;
                Ok(Self(Arc::new(Inner { store: Store::S3(store), staging })))
            }
        }
    }

    /// Opens a folder of the caller's choice as a store. A key is the path of a file in it; files and folders whose name
    /// begins with a dot are not seen.
    ///
    /// # Errors
    /// [`crate::Error`]: the folder cannot be made or used.
    pub async fn folder(root: impl Into<PathBuf>) -> Result<Self> {
        let root = root.into();
        let staging = Staging::open(&root).await?;
        Ok(Self(Arc::new(Inner { store: Store::Folder(Folder::new(root)), staging })))
    }

    /// Stores a file, which is moved: afterwards it is no longer at `path`.
    ///
    /// # Errors
    /// [`crate::Error::NoSpace`], [`crate::Error::Unavailable`], [`crate::Error::Key`]; the file is then still there.
    pub async fn put_file(&self, key: &str, path: impl AsRef<Path>) -> Result<Meta> {
        self.put(key, path.as_ref()).await
    }

    /// Stores bytes.
    ///
    /// # Errors
    /// As [`Blobs::put_file`].
    pub async fn put_bytes(&self, key: &str, bytes: impl Into<Bytes>) -> Result<Meta> {
        self.put(key, bytes.into()).await
    }

    /// Stores either.
    ///
    /// # Errors
    /// As [`Blobs::put_file`].
    pub async fn put(&self, key: &str, content: impl Into<Content>) -> Result<Meta> {
        let key = Key::parse(key)?;
        match &self.0.store {
            Store::Folder(folder) => {
                let put = folder.put(&self.0.staging, key, content.into(), Existing::Replace).await?;
                put.ok_or_else(|| folder.replaced_nothing())
            }
            Store::S3(store) => store.put(&key, content.into()).await,
        }
    }

    /// Stores either if nothing has that key yet; `None` if something has. Of many that do it at once, one succeeds.
    ///
    /// # Errors
    /// As [`Blobs::put_file`].
    pub async fn put_if_absent(&self, key: &str, content: impl Into<Content>) -> Result<Option<Meta>> {
        let key = Key::parse(key)?;
        match &self.0.store {
            Store::Folder(folder) => folder.put(&self.0.staging, key, content.into(), Existing::Keep).await,
            Store::S3(store) => store.put_if_absent(&key, content.into()).await,
        }
    }

    /// Reads a blob, if there is one.
    ///
    /// # Errors
    /// [`crate::Error`].
    pub async fn get(&self, key: &str) -> Result<Option<Blob>> {
        let key = Key::parse(key)?;
        match &self.0.store {
            Store::Folder(folder) => folder.get(key, None).await,
            Store::S3(store) => store.get(&key, None).await,
        }
    }

    /// Reads bytes `range.start..range.end` of a blob, cut off at its end; [`Blob::range`] says which they are.
    ///
    /// # Errors
    /// [`crate::Error`].
    pub async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Option<Blob>> {
        let key = Key::parse(key)?;
        match &self.0.store {
            Store::Folder(folder) => folder.get(key, Some(range)).await,
            Store::S3(store) => store.get(&key, Some(range)).await,
        }
    }

    /// What is known of a blob, if there is one.
    ///
    /// # Errors
    /// [`crate::Error`].
    pub async fn head(&self, key: &str) -> Result<Option<Meta>> {
        let key = Key::parse(key)?;
        match &self.0.store {
            Store::Folder(folder) => folder.head(key).await,
            Store::S3(store) => store.head(&key).await,
        }
    }

    /// Removes a blob; whether there was one.
    ///
    /// # Errors
    /// [`crate::Error`].
    pub async fn delete(&self, key: &str) -> Result<bool> {
        let key = Key::parse(key)?;
        match &self.0.store {
            Store::Folder(folder) => folder.delete(key).await,
            Store::S3(store) => store.delete(&key).await,
        }
    }

    /// The blobs whose key begins with `folder` and a `/`, all for `""`; in no particular order.
    pub fn list(&self, folder: &str) -> BoxStream<'static, Result<Entry>> {
        match &self.0.store {
            Store::Folder(store) => store.list(folder),
            Store::S3(store) => store.list(folder),
        }
    }

    /// The file that holds a blob, where the store is a folder, to be served by the kernel. It may be absent.
    #[must_use]
    pub fn local_path(&self, key: &str) -> Option<PathBuf> {
        let key = Key::parse(key).ok()?;
        match &self.0.store {
            Store::Folder(folder) => Some(folder.path(&key)),
            Store::S3(_) => None,
        }
    }

    /// A new name in the staging folder, for a file that becomes a blob with [`Blobs::put_file`]. The file is made by
    /// whoever writes it, and removed when the name is dropped.
    #[must_use]
    pub fn temp(&self) -> Temp {
        self.0.staging.temp()
    }
}
