//! Blobs in a bucket of an S3-compatible store.
//!
//! What is small is put in one request, the rest in parts that appear as one blob when all are there. "If absent" is the
//! server's own precondition (`If-None-Match: *`): of a large blob the parts go to a name of their own first, and a copy
//! within the server gives it its key, since only the end of a copy can be conditional.

mod client;

use std::io;
use std::ops::Range;
use std::path::Path;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::future::try_join_all;
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use object_store::aws::AmazonS3;
use object_store::path::Path as ObjectPath;
use object_store::{
    CopyMode, CopyOptions, GetOptions, GetRange, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode,
    PutOptions, PutPayload,
};
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use super::key::Key;
use super::{Blob, Content, Entry, Meta, staging};
use crate::error::Source;
use crate::location::{S3Keys, S3Url};
use crate::{Error, Result};

/// What is put in one request, and the least size of a part (S3: 5 MiB).
const PART: u64 = 8 * 1024 * 1024;
/// Parts of one blob; S3 takes 10000.
const PARTS: u64 = 9000;
/// Parts on their way at a time.
const AT_ONCE: usize = 2;
/// Uploads that did not come to their end are removed when they are older.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Debug)]
pub(super) struct S3 {
    store: AmazonS3,
    prefix: String,
    /// "the store `s3://…`"
    what: String,
}

impl S3 {
    pub(super) async fn open(url: &S3Url, keys: Option<&S3Keys>, service: &str) -> Result<Self> {
        let what = format!("the store `{url}`");
        let store =
            client::connect(url, keys).map_err(|source| Error::Other { doing: format!("use {what}"), source })?;
        let prefix = if url.prefix.is_empty() { service.to_owned() } else { format!("{}/{service}", url.prefix) };
        let opened = Self { store, prefix, what };
        opened.sweep().await?;
        Ok(opened)
    }

    fn path(&self, key: &Key) -> ObjectPath {
        ObjectPath::from(format!("{}/{}", self.prefix, key.as_str()))
    }

    pub(super) async fn put(&self, key: &Key, content: Content) -> Result<Meta> {
        let path = self.path(key);
        match Body::of(&content).await? {
            Body::Small(bytes) => {
                let size = len(&bytes);
                let put = self.store.put(&path, PutPayload::from_bytes(bytes)).await;
                let put = put.map_err(|error| self.failed("put", key, error))?;
                taken(&content).await?;
                Ok(written(size, put.e_tag))
            }
            Body::Large(file, size) => {
                let etag = self.put_parts(&path, file, size).await.map_err(|error| error.of(self, "put", key))?;
                taken(&content).await?;
                Ok(written(size, etag))
            }
        }
    }

    pub(super) async fn put_if_absent(&self, key: &Key, content: Content) -> Result<Option<Meta>> {
        let path = self.path(key);
        let put = match Body::of(&content).await? {
            Body::Small(bytes) => {
                let size = len(&bytes);
                let options = PutOptions::from(PutMode::Create);
                let put = self.store.put_opts(&path, PutPayload::from_bytes(bytes), options).await;
                put.map(|put| written(size, put.e_tag))
            }
            Body::Large(file, size) => {
                // nothing need be sent where the answer is known
                if self.head(key).await?.is_some() {
                    return Ok(None);
                }
                let aside = ObjectPath::from(format!("{}/{}/{}", self.prefix, staging::NAME, unique()));
                self.put_parts(&aside, file, size).await.map_err(|error| error.of(self, "put", key))?;
                let options = CopyOptions::new().with_mode(CopyMode::Create);
                let copied = self.store.copy_opts(&aside, &path, options).await;
                if let Err(error) = self.store.delete(&aside).await {
                    // it is swept later
                    tracing::warn!(error = %error, "failed to remove a part of an upload");
                }
                match copied {
                    Ok(()) => match self.head(key).await? {
                        Some(meta) => Ok(meta),
                        // removed at once by somebody else
                        None => Ok(written(size, None)),
                    },
                    Err(error) => Err(error),
                }
            }
        };
        match put {
            Ok(meta) => {
                taken(&content).await?;
                Ok(Some(meta))
            }
            Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }) => Ok(None),
            Err(error) => Err(self.failed("put", key, error)),
        }
    }

    /// The blob's ETag.
    async fn put_parts(&self, path: &ObjectPath, file: File, size: u64) -> Result<Option<String>, PartError> {
        let mut upload = self.store.put_multipart(path).await?;
        match send_parts(upload.as_mut(), file, size).await {
            Ok(()) => Ok(upload.complete().await?.e_tag),
            Err(error) => {
                // the first error is the one to tell; what is left goes by the bucket's own rules
                let _ = upload.abort().await;
                Err(error)
            }
        }
    }

    pub(super) async fn get(&self, key: &Key, range: Option<Range<u64>>) -> Result<Option<Blob>> {
        let (mut options, path) = (GetOptions::default(), self.path(key));
        if let Some(range) = range {
            // a server refuses an empty part, and one behind the end
            let Some(meta) = self.head(key).await? else { return Ok(None) };
            let start = range.start.min(meta.size);
            let end = range.end.clamp(start, meta.size);
            if start == end {
                return Ok(Some(Blob { meta, range: start..end, stream: stream::empty().boxed() }));
            }
            options = options.with_range(Some(GetRange::Bounded(start..end)));
        }
        match self.store.get_opts(&path, options).await {
            Ok(found) => {
                let (meta, range) = (meta(&found.meta), found.range.clone());
                let (what, shown) = (self.what.clone(), key.as_str().to_owned());
                let stream = found.into_stream().map_err(move |error| sorted(&what, "read", &shown, error));
                Ok(Some(Blob { meta, range, stream: stream.boxed() }))
            }
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed("get", key, error)),
        }
    }

    pub(super) async fn head(&self, key: &Key) -> Result<Option<Meta>> {
        match self.store.head(&self.path(key)).await {
            Ok(found) => Ok(Some(meta(&found))),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed("look at", key, error)),
        }
    }

    pub(super) async fn delete(&self, key: &Key) -> Result<bool> {
        // S3 itself does not tell whether there was one
        if self.head(key).await?.is_none() {
            return Ok(false);
        }
        match self.store.delete(&self.path(key)).await {
            Ok(()) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(self.failed("remove", key, error)),
        }
    }

    pub(super) fn list(&self, folder: &str) -> BoxStream<'static, Result<Entry>> {
        let prefix = match folder {
            "" => self.prefix.clone(),
            folder => match Key::parse(folder) {
                Ok(key) => format!("{}/{}", self.prefix, key.as_str()),
                Err(error) => return stream::once(std::future::ready(Err(error))).boxed(),
            },
        };
        let (what, front) = (self.what.clone(), format!("{}/", self.prefix));
        let listed = self.store.list(Some(&ObjectPath::from(prefix)));
        let entries = listed.map_err(move |error| sorted(&what, "list", "", error)).try_filter_map(move |found| {
            let key = found.location.as_ref().strip_prefix(front.as_str());
            // what has no key is nobody's blob, as in a folder
            let key = key.filter(|key| Key::parse(key).is_ok()).map(str::to_owned);
            let entry = key.map(|key| Entry { key, meta: meta(&found) });
            std::future::ready(Ok(entry))
        });
        entries.boxed()
    }

    /// Removes what crashes left in the bucket long ago; also the question whether there is such a bucket.
    async fn sweep(&self) -> Result<()> {
        let aside = ObjectPath::from(format!("{}/{}", self.prefix, staging::NAME));
        let mut listed = self.store.list(Some(&aside));
        let now = SystemTime::now();
        while let Some(found) = listed.try_next().await.map_err(|error| sorted(&self.what, "use", "", error))? {
            let age = now.duration_since(found.last_modified.into()).unwrap_or_default();
            if age > ABANDONED {
                let gone = self.store.delete(&found.location).await;
                gone.map_err(|error| sorted(&self.what, "sweep", found.location.as_ref(), error))?;
            }
        }
        Ok(())
    }

    fn failed(&self, doing: &str, key: &Key, error: object_store::Error) -> Error {
        sorted(&self.what, doing, key.as_str(), error)
    }
}

/// What is to be sent.
enum Body {
    Small(Bytes),
    Large(File, u64),
}

impl Body {
    async fn of(content: &Content) -> Result<Self> {
        let path = match content {
            Content::Bytes(bytes) => return Ok(Self::Small(bytes.clone())),
            Content::File(path) => path,
        };
        let read = async {
            // as in a folder: what is moved is a file, and no link to one
            if !tokio::fs::symlink_metadata(path).await?.is_file() {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
            }
            let mut file = File::open(path).await?;
            let size = file.metadata().await?.len();
            if size > PART {
                return Ok(Self::Large(file, size));
            }
            let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
            file.read_to_end(&mut bytes).await?;
            Ok(Self::Small(bytes.into()))
        };
        read.await.map_err(|source| Error::io("read", path, source))
    }
}

/// A file that was stored is gone, as from a folder.
async fn taken(content: &Content) -> Result<()> {
    match content {
        Content::Bytes(_) => Ok(()),
        Content::File(path) => tokio::fs::remove_file(path).await.map_err(|source| Error::io("remove", path, source)),
    }
}

/// Why parts were not sent: the store's fault or the file's.
enum PartError {
    Store(object_store::Error),
    File(io::Error),
}

impl PartError {
    fn of(self, store: &S3, doing: &str, key: &Key) -> Error {
        match self {
            Self::Store(error) => store.failed(doing, key, error),
            Self::File(error) => Error::io("read the file for", Path::new(key.as_str()), error),
        }
    }
}

impl From<object_store::Error> for PartError {
    fn from(error: object_store::Error) -> Self {
        Self::Store(error)
    }
}

impl From<io::Error> for PartError {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

async fn send_parts(upload: &mut dyn MultipartUpload, mut file: File, size: u64) -> Result<(), PartError> {
    let part = PART.max(size.div_ceil(PARTS));
    let mut left = size;
    while left > 0 {
        let mut sending = Vec::with_capacity(AT_ONCE);
        while left > 0 && sending.len() < AT_ONCE {
            let length = part.min(left);
            let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
            file.read_exact(&mut bytes).await?;
            sending.push(upload.put_part(PutPayload::from(bytes)));
            left -= length;
        }
        try_join_all(sending).await?;
    }
    Ok(())
}

fn len(bytes: &Bytes) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// What was put now; the store's clock says when only to who asks for the blob.
fn written(size: u64, etag: Option<String>) -> Meta {
    Meta { size, etag: bare(etag), modified: SystemTime::now() }
}

fn meta(found: &ObjectMeta) -> Meta {
    Meta { size: found.size, etag: bare(found.e_tag.clone()), modified: found.last_modified.into() }
}

/// An ETag without quotes.
fn bare(etag: Option<String>) -> String {
    let etag = etag.unwrap_or_default();
    etag.trim_start_matches("W/").trim_matches('"').to_owned()
}

/// A name that no other upload of any node has.
fn unique() -> String {
    use std::hash::{BuildHasher, RandomState};
    // seeded anew each time, from the system's random numbers
    let word = || RandomState::new().hash_one(SystemTime::now());
    format!("{:016x}{:016x}", word(), word())
}

/// What a store said, sorted by what can be done about it.
fn sorted(what: &str, doing: &str, key: &str, error: object_store::Error) -> Error {
    use object_store::Error as E;
    let said = crate::error::whole(&error);
    let status = status(&said);
    let source: Source = said.into();
    let what = what.to_owned();
    match (error, status) {
        (E::PermissionDenied { .. } | E::Unauthenticated { .. }, _) | (E::Generic { .. }, Some(401 | 403)) => {
            Error::Denied { what, source }
        }
        (E::Generic { .. }, Some(507)) => Error::NoSpace { what, source },
        // what is left after every try: no connection, no answer in time, 5xx, slow down
        (E::Generic { .. }, None | Some(408 | 429 | 500..)) => Error::Unavailable { what, source },
        _ if key.is_empty() => Error::Other { doing: format!("{doing} {what}"), source },
        _ => Error::Other { doing: format!("{doing} `{key}` in {what}"), source },
    }
}

/// The status that a server answered with: for lists it stands nowhere but in the text.
fn status(said: &str) -> Option<u16> {
    let (_, rest) = said.split_once("status code: ")?;
    rest.get(..3)?.parse().ok()
}
