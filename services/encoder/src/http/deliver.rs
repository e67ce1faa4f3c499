//! `GET /media/<account>/<asset>/<id>…`: what was made of an upload, for everybody who may see it.

use std::io;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use futures_util::{StreamExt, TryStreamExt};
use http::header::ACCESS_CONTROL_ALLOW_ORIGIN;
use http::{HeaderMap, HeaderValue, Method};
use opsctl_auth::{Action, Identity, Object};
use opsctl_http::{ETag, Entity, HttpError, LocalFile, respond_file, respond_stream};
use tokio_util::sync::CancellationToken;

use super::{SERVICE, Site};
use crate::delivery::{media_type, parts};
use crate::error::Error;

fn nothing() -> HttpError {
    HttpError::not_found("there is no such file")
}

pub(super) async fn file(
    State(site): State<Arc<Site>>,
    Path((account, asset, tail)): Path<(String, String, String)>,
    method: Method,
    headers: HeaderMap,
    identity: Identity,
) -> Result<Response, HttpError> {
    let (name, path) = parts(&tail).ok_or_else(nothing)?;
    let shown = site.shelf.get(&account, name).await.map_err(Error::from)?.ok_or_else(nothing)?;
    // what is not published does not exist, but for those who may publish it
    if !shown.published && !identity.by_own_rights().may(Action::Read, Object::new(SERVICE, &account, name)) {
        return Err(nothing());
    }
    let file = shown.file(&asset, path).ok_or_else(nothing)?;
    let entity = Entity::new(HeaderValue::from_static(media_type(path)))
        .etag(ETag::of(file.key.as_bytes()))
        .cache_control(if shown.published { site.cache } else { "private, no-cache" })
        // players on other sites read playlists, segments and captions by script
        .header(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let revoked = shown.published.then_some(&shown.revoked);
    send(&site, &method, &headers, entity, &file.key, file.bytes, revoked).await
}

/// Sends a blob, until it is `revoked`.
///
/// # Errors
/// It is not there, or cannot be read.
pub(super) async fn send(
    site: &Site,
    method: &Method,
    headers: &HeaderMap,
    entity: Entity,
    key: &str,
    bytes: u64,
    revoked: Option<&CancellationToken>,
) -> Result<Response, HttpError> {
    if let Some(path) = site.blobs.local_path(key) {
        let file = LocalFile::open(path).await.map_err(HttpError::internal)?.ok_or_else(nothing)?;
        let file = match revoked {
            Some(token) => file.revocable(token.clone()),
            None => file,
        };
        return Ok(respond_file(method, headers, entity, file).await);
    }
    let (blobs, key, revoked) = (site.blobs.clone(), key.to_owned(), revoked.cloned().unwrap_or_default());
    let response = respond_stream(method, headers, &entity, bytes, move |range| {
        let (blobs, key, revoked) = (blobs.clone(), key.clone(), revoked.clone());
        async move {
            let blob = blobs.get_range(&key, range).await.map_err(io::Error::other)?;
            let blob = blob.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
            let end = async move {
                revoked.cancelled().await;
            };
            Ok::<_, io::Error>(blob.stream.map_err(io::Error::other).take_until(Box::pin(end)))
        }
    });
    response.await.map_err(HttpError::internal)
}
