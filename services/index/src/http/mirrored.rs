//! Files of an upstream, under addresses of ours: sent from the cache, or while they come in.

use std::sync::Arc;

use axum::http::header::{HeaderValue, LOCATION, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use opsctl_dist::simple::File;
use opsctl_fetch::files::{Digest as Bare, Incoming, Problem, Task};
use opsctl_http::{Entity, HttpError, LocalFile, respond_file, respond_stream};

use super::Site;
use super::file::{KIND, NOSNIFF, entity, gone};
use super::simple::refused;
use crate::access::Reader;
use crate::catalog::Digest;
use crate::mirror::{Bytes, Mirror, Mode};

/// For what has no digest in its address: other bytes may be there tomorrow.
const ASK_AGAIN: &str = "no-cache";

/// The file, or the metadata of the file, whose digest is in the address.
pub(super) async fn by_digest(
    site: &Arc<Site>,
    index: &str,
    reader: Reader<'_>,
    digest: &Digest,
    filename: &str,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, HttpError> {
    let bare = filename.strip_suffix(".metadata");
    let name = bare.unwrap_or(filename);
    let found = site.routes.file_outside(index, name, digest, |project| reader.may(project)).await;
    let found = found.map_err(refused)?;
    let (mirror, file) = found.ok_or_else(gone)?;
    send(site, &mirror, &file, bare.is_some(), Some(digest), method, headers).await
}

/// The file of an upstream that tells no digests.
pub(super) async fn by_name(
    site: &Arc<Site>,
    index: &str,
    project: &str,
    filename: &str,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, HttpError> {
    let bare = filename.strip_suffix(".metadata");
    let found = site.routes.file_by_name(index, project, bare.unwrap_or(filename)).await.map_err(refused)?;
    let (mirror, file) = found.ok_or_else(gone)?;
    send(site, &mirror, &file, bare.is_some(), None, method, headers).await
}

async fn send(
    site: &Arc<Site>,
    mirror: &Mirror,
    file: &File,
    metadata: bool,
    digest: Option<&Digest>,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, HttpError> {
    if mirror.mode() == Mode::Redirect {
        let address = if metadata { format!("{}.metadata", file.url) } else { file.url.clone() };
        let location = HeaderValue::try_from(address).map_err(|_| gone())?;
        return Ok((StatusCode::FOUND, [(LOCATION, location)]).into_response());
    }
    let spawn = |task: Task| (site.spawn)(task);
    let bytes = if metadata { mirror.pull_metadata(file, spawn) } else { mirror.pull(file, spawn) };
    // the digest in the address is the file's own, also where its metadata is asked for
    let entity = match digest.filter(|_| !metadata) {
        Some(digest) => entity(digest),
        None => Entity::new(KIND).cache_control(ASK_AGAIN).header(X_CONTENT_TYPE_OPTIONS, NOSNIFF),
    };
    match bytes.ok_or_else(gone)? {
        Bytes::Here(path) => {
            let local = LocalFile::open(path).await.map_err(HttpError::internal)?.ok_or_else(gone)?;
            Ok(respond_file(method, headers, entity, local).await)
        }
        Bytes::Incoming(incoming) => follow(incoming, entity, method, headers).await,
    }
}

/// Sends what comes in while it does; the last byte only when all of it is right.
async fn follow(
    mut incoming: Incoming,
    entity: Entity,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, HttpError> {
    let Some(size) = incoming.length().await.map_err(away)? else {
        let (_, path): (Bare, _) = incoming.whole().await.map_err(away)?;
        let local = LocalFile::open(path).await.map_err(HttpError::internal)?.ok_or_else(gone)?;
        return Ok(respond_file(method, headers, entity, local).await);
    };
    let open = move |range: std::ops::Range<u64>| {
        let reader = incoming.clone().at(range.start);
        let next = |mut reader: Incoming| async move {
            let chunk = reader.chunk().await.map_err(Shared)?;
            Ok::<_, Shared>(chunk.map(|chunk| (chunk, reader)))
        };
        std::future::ready(Ok::<_, Shared>(futures_util::stream::try_unfold(reader, next)))
    };
    respond_stream(method, headers, &entity, size, open).await.map_err(|problem| away(problem.0))
}

/// A problem that several readers have.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct Shared(Arc<Problem>);

fn away(problem: Arc<Problem>) -> HttpError {
    let words = "The upstream index does not send this file; try again later";
    HttpError::new(StatusCode::BAD_GATEWAY, words).caused_by(Shared(problem))
}
