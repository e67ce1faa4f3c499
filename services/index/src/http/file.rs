//! `GET /files/<aa>/<bb>/<sha256>/<file>` and `…/<file>.metadata`: what the links in pages and in lock files lead to.
//!
//! The address says which bytes there are, so they can be kept for ever; and nothing else is ever sent under it: a file
//! that was replaced in the folder is not there any more, whether that was noticed or not. Where several machines share a
//! database, the page with the link may come from another one, which knew the file a moment earlier: so who asks for what
//! is not known here makes this one ask the database.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::extract::{Path, State};
use axum::http::header::{HeaderValue, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use opsctl_auth::Identity;
use opsctl_dist::{Digests, FileName, Wanted};
use opsctl_http::{ETag, Entity, HttpError, LocalFile, Rendered, respond_file, respond_stream};

use super::simple::no_index;
use super::{InIndex, Site, mirrored};
use crate::access::Reader;
use crate::bucket::Bucket;
use crate::catalog::{Digest, File, Index, Place};
use crate::metadata;
use crate::routes::{Chain, projects_of};

/// What every installer takes for a file, and no browser shows.
pub(super) const KIND: HeaderValue = HeaderValue::from_static("application/octet-stream");
pub(super) const FOR_EVER: &str = "public, max-age=31536000, immutable";

pub(super) async fn file(
    State(site): State<Arc<Site>>,
    InIndex(index): InIndex,
    Path(path): Path<HashMap<String, String>>,
    method: Method,
    headers: HeaderMap,
    identity: Identity,
) -> Result<Response, HttpError> {
    let reader = site.access.reader(&identity, &index)?;
    let [one, two, digest, filename] =
        ["one", "two", "digest", "filename"].map(|part| path.get(part).map_or("", |p| p));
    if one == "of" {
        reader.check(digest)?;
        return mirrored::by_name(&site, &index, digest, filename, &method, &headers).await;
    }
    let parsed: Digest = digest.parse().map_err(|_| gone())?;
    // one address for each file
    if digest != parsed.to_string() || !digest.starts_with(one) || digest.get(2..4) != Some(two) || one.len() != 2 {
        return Err(gone());
    }
    let chain = site.routes.chain(&index).ok_or_else(no_index)?;
    let find = |filename: &str| {
        let snapshot = site.catalog.snapshot();
        let mut indexes = chain.folders().filter_map(|name| snapshot.index(name));
        indexes.find_map(|index| index.file(&parsed, filename).filter(|file| may(reader, index, file))).map(Arc::clone)
    };
    let bare = filename.strip_suffix(".metadata");
    let mut found = (find(filename), bare.and_then(find));
    if let (None, None) = found
        && catch_up(&site, chain, filename, &parsed).await?
    {
        found = (find(filename), bare.and_then(find));
    }
    match found {
        (Some(file), _) => whole(&file, &method, &headers).await,
        (None, Some(file)) => of_metadata(file, &method, &headers).await,
        (None, None) => mirrored::by_digest(&site, &index, reader, &parsed, filename, &method, &headers).await,
    }
}

/// Looks whether another machine knows a file that is not known here yet. Whether something has changed.
async fn catch_up(site: &Site, chain: &Chain, filename: &str, digest: &Digest) -> Result<bool, HttpError> {
    let filename = filename.strip_suffix(".metadata").unwrap_or(filename);
    if FileName::kind_of(filename).is_none() {
        return Ok(false);
    }
    let mut changed = false;
    for index in chain.folders() {
        changed |= site.catalog.catch_up(index, filename, digest).await.map_err(HttpError::internal)?;
    }
    Ok(changed)
}

/// Whether a file of `index` is one of a project that `reader` may read.
fn may(reader: Reader<'_>, index: &Index, file: &Arc<File>) -> bool {
    if reader.reads_everything() {
        return true;
    }
    let names = projects_of(&file.filename).into_iter().filter(|name| reader.may(name));
    let mut projects = names.filter_map(|name| index.project(&name));
    projects.any(|project| project.files.iter().any(|of| of == file))
}

async fn whole(file: &File, method: &Method, headers: &HeaderMap) -> Result<Response, HttpError> {
    let (Place::Folder { stamp, .. } | Place::Bucket { stamp, .. }) = &file.place;
    let modified = UNIX_EPOCH + Duration::from_nanos(u64::try_from(stamp.modified).unwrap_or_default());
    let entity = entity(&file.sha256).modified(modified.min(SystemTime::now()).into());
    match &file.place {
        Place::Folder { root, path, .. } => {
            let local = LocalFile::open(root.join(&**path)).await.map_err(HttpError::internal)?.ok_or_else(gone)?;
            if local.size() != stamp.size || local.stamp().modified() != modified {
                return Err(gone());
            }
            Ok(respond_file(method, headers, entity, local).await)
        }
        Place::Bucket { bucket, key, .. } => {
            let (bucket, key) = (bucket.clone(), key.clone());
            let open = move |range| from_bucket(bucket.clone(), key.clone(), range);
            respond_stream(method, headers, &entity, file.size, open).await.map_err(|missing| match missing {
                Missing::Gone => gone(),
                Missing::Failed(error @ opsctl_store::Error::Unavailable { .. }) => {
                    HttpError::unavailable("The store of files cannot be reached; try again later.").caused_by(error)
                }
                Missing::Failed(error) => HttpError::internal(error),
            })
        }
    }
}

/// Why there are no bytes of a file in a bucket.
#[derive(Debug, thiserror::Error)]
enum Missing {
    /// It was removed a moment ago, or somebody has taken it out of the bucket.
    #[error("the file is not in the bucket")]
    Gone,
    /// The bucket's.
    #[error(transparent)]
    Failed(#[from] opsctl_store::Error),
}

async fn from_bucket(
    bucket: Bucket,
    key: Box<str>,
    range: Range<u64>,
) -> Result<BoxStream<'static, opsctl_store::Result<Bytes>>, Missing> {
    let blob = bucket.read(&key, range.clone()).await?;
    let blob = blob.filter(|blob| blob.range == range);
    Ok(blob
        .ok_or_else(|| {
            tracing::warn!(key, "a file that is served is not in the bucket");
            Missing::Gone
        })?
        .stream)
}

async fn of_metadata(file: Arc<File>, method: &Method, headers: &HeaderMap) -> Result<Response, HttpError> {
    let digest = file.metadata.ok_or_else(gone)?;
    let read = tokio::task::spawn_blocking(move || metadata::of(&file)).await.map_err(HttpError::internal)?;
    // read from a file that is not any more what it was
    let text = read
        .map_err(HttpError::internal)?
        .filter(|text| Digests::of(text, Wanted::Sha256).sha256 == digest)
        .ok_or_else(gone)?;
    Ok(Rendered::new(entity(&digest), text).respond(method, headers))
}

pub(super) fn entity(digest: &Digest) -> Entity {
    let entity = Entity::new(KIND).cache_control(FOR_EVER).header(X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    match ETag::strong(&digest.to_string()) {
        Some(etag) => entity.etag(etag),
        None => entity,
    }
}

pub(super) const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");

pub(super) fn gone() -> HttpError {
    HttpError::not_found("there is no such file here")
}
