//! `GET /media/<account>/<asset>/<id>…`: what was made of an upload, for everybody who may see it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, CACHE_CONTROL, CONTENT_TYPE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use opsctl_auth::{Action, Auth, Identity, Object};
use opsctl_http::{Client, ETag, Entity, HttpError, LocalFile, RemoteUser, Rendered, respond_file, respond_stream};
use tokio_util::sync::CancellationToken;

use super::{SERVICE, Site};
use crate::clock::{SECOND, now};
use crate::delivery::{Caching, Outcome, Remade, Seek, Shown, Signed, Verdict, media_type, parts, with_query};
use crate::error::Error;
use crate::records::AssetFile;

/// When there may be room again for what is made in memory.
const AGAIN: Duration = Duration::from_secs(2);
/// Bytes of a playlist.
const MOST_PLAYLIST: u64 = 16 << 20;
const X_ACCEL_REDIRECT: HeaderName = HeaderName::from_static("x-accel-redirect");
const ANYBODY: HeaderValue = HeaderValue::from_static("*");
/// What scripts on other sites may see of an answer.
const EXPOSED: HeaderValue = HeaderValue::from_static("accept-ranges, content-length, content-range, etag");

fn nothing() -> HttpError {
    HttpError::not_found("there is no such file")
}

/// What a request is for.
struct Target<'a> {
    account: &'a str,
    asset: &'a str,
    name: &'a str,
    /// Of the file within the result.
    path: &'a str,
    uri: &'a Uri,
}

impl Target<'_> {
    fn query(&self) -> &str {
        self.uri.query().unwrap_or_default()
    }

    /// The folder of a result that has several files, as the request has it.
    fn folder(&self) -> Option<&str> {
        self.uri.path().strip_suffix(self.path.strip_prefix('/')?)
    }
}

/// By what right somebody gets a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Everybody,
    Signed(Signed),
    Owner,
}

/// These paths have no pages' front around them: whoever asks changes nothing here, and most are nobody in particular.
pub(crate) fn router(site: Arc<Site>, auth: Auth) -> Router {
    Router::new().route("/media/{account}/{asset}/{*tail}", get(file).options(preflight)).with_state((site, auth))
}

async fn file(
    State((site, auth)): State<(Arc<Site>, Auth)>,
    Path((account, asset, tail)): Path<(String, String, String)>,
    request: Request,
) -> Result<Response, HttpError> {
    let (request, _) = request.into_parts();
    let client = request.extensions.get().copied().unwrap_or(Client { address: None, secure: false });
    let identity = auth.identify_request(&request.method, &request.headers, client).await?;
    let answer = async {
        let (name, path) = parts(&tail).ok_or_else(nothing)?;
        let target = Target { account: &account, asset: &asset, name, path, uri: &request.uri };
        let shown = site.shelf.get(&account, name).await.map_err(Error::from)?.ok_or_else(nothing)?;
        let access = access(&site, &shown, &target, &identity)?;
        deliver(&site, &shown, &target, access, &request.method, &request.headers).await
    };
    // what is not there now may be in a moment
    let answer: Result<Response, HttpError> = answer.await;
    let mut answer = answer.map_err(|error| error.header(CACHE_CONTROL, HeaderValue::from_static("no-store")));
    if let (Ok(answer), Some(name)) = (&mut answer, identity.name()) {
        answer.extensions_mut().insert(RemoteUser(name.to_string()));
    }
    answer
}

/// Scripts on other sites may ask for parts of files (Fetch standard, section 4.8).
async fn preflight() -> Response {
    let headers = [
        (ACCESS_CONTROL_ALLOW_ORIGIN, ANYBODY),
        (ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD")),
        (ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("range, if-range, if-none-match, if-modified-since")),
        (ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400")),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// What is not published does not exist, but for those who may publish it.
///
/// # Errors
/// 404; 403 and 410 for what is shown at signed addresses only.
fn access(site: &Site, shown: &Shown, target: &Target<'_>, identity: &Identity) -> Result<Access, HttpError> {
    let Target { account, name, .. } = *target;
    let owner = || identity.by_own_rights().may(Action::Read, Object::new(SERVICE, account, name));
    if !shown.published {
        return if owner() { Ok(Access::Owner) } else { Err(nothing()) };
    }
    if !site.accounts.is_signed(account) {
        return Ok(Access::Everybody);
    }
    match site.keys.check(target.uri.path(), target.folder(), target.query(), seconds()) {
        Verdict::Good(signed) => Ok(Access::Signed(signed)),
        Verdict::Expired | Verdict::Bad if owner() => Ok(Access::Owner),
        Verdict::Expired => {
            Err(HttpError::new(StatusCode::GONE, "the time of this address is over").code("address-expired"))
        }
        Verdict::Bad => Err(HttpError::forbidden("this is shown at signed addresses only").code("not-signed")),
    }
}

fn seconds() -> u64 {
    u64::try_from(now() / SECOND).unwrap_or(0)
}

async fn deliver(
    site: &Site,
    shown: &Shown,
    target: &Target<'_>,
    access: Access,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, HttpError> {
    let (file, made) = shown.file(target.asset, target.path).ok_or_else(nothing)?;
    let kind = HeaderValue::from_static(media_type(target.path));
    let cache = match access {
        Access::Everybody => site.caching.public(),
        Access::Signed(signed) => site.caching.signed(signed.expires.saturating_sub(seconds())),
        Access::Owner => Caching::private(),
    };
    // players on other sites read playlists, segments and captions by script
    let entity = Entity::new(kind.clone())
        .modified(made)
        .header(CACHE_CONTROL, cache.clone())
        .header(ACCESS_CONTROL_ALLOW_ORIGIN, ANYBODY)
        .header(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    if let (Access::Signed(Signed { folder: true, .. }), "m3u8" | "vtt") = (access, ending(target.path)) {
        return playlist(site, target, entity, file, method, headers).await;
    }
    let revoked = shown.published.then_some(&shown.revoked);
    if let Some(seek) = Seek::of(target.path, target.query()) {
        match site.remaker.make(&site.blobs, &file.key, file.bytes, seek).await.map_err(Error::from)? {
            Outcome::Made(remade) => {
                let entity = entity.etag(ETag::of(format!("{}{}", file.key, seek.tag()).as_bytes()));
                return send_remade(site, method, headers, &entity, remade, revoked).await;
            }
            Outcome::Whole => {}
            Outcome::Busy => {
                let error = HttpError::unavailable("too many parts of large files are made just now");
                return Err(error.retry_after(AGAIN));
            }
        }
    }
    if let Some(redirect) = redirect(site, &file.key) {
        return Ok(([(X_ACCEL_REDIRECT, redirect), (CONTENT_TYPE, kind), (CACHE_CONTROL, cache)], ()).into_response());
    }
    let entity = entity.etag(ETag::of(file.key.as_bytes()));
    send(site, method, headers, entity, &file.key, file.bytes, revoked).await
}

fn ending(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, ending)| ending)
}

/// Where an nginx before this service finds a file, if it sends them.
fn redirect(site: &Site, key: &str) -> Option<HeaderValue> {
    let prefix = site.accel.as_ref()?;
    site.blobs.local_path(key)?;
    HeaderValue::try_from(format!("{}{key}", prefix.0)).ok()
}

/// A playlist whose addresses carry its own signature.
async fn playlist(
    site: &Site,
    target: &Target<'_>,
    entity: Entity,
    file: &AssetFile,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, HttpError> {
    let missing = || HttpError::internal(io::Error::from(io::ErrorKind::NotFound));
    let blob = site.blobs.get_range(&file.key, 0..file.bytes.min(MOST_PLAYLIST)).await.map_err(Error::from)?;
    let bytes = blob.ok_or_else(missing)?.bytes().await.map_err(Error::from)?;
    let text = with_query(target.path, &String::from_utf8_lossy(&bytes), &Signed::query(target.query()));
    Ok(Rendered::new(entity, text).respond(method, headers))
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
            Ok::<_, io::Error>(until(blob.stream, revoked))
        }
    });
    response.await.map_err(HttpError::internal)
}

/// The same for what is made of a blob.
async fn send_remade(
    site: &Site,
    method: &Method,
    headers: &HeaderMap,
    entity: &Entity,
    remade: Remade,
    revoked: Option<&CancellationToken>,
) -> Result<Response, HttpError> {
    let (blobs, revoked, size) = (site.blobs.clone(), revoked.cloned().unwrap_or_default(), remade.size());
    let response = respond_stream(method, headers, entity, size, move |range| {
        let (blobs, remade, revoked) = (blobs.clone(), remade.clone(), revoked.clone());
        async move {
            let stream = remade.open(blobs, range).await.map_err(io::Error::other)?;
            Ok::<_, io::Error>(until(stream, revoked))
        }
    });
    response.await.map_err(HttpError::internal)
}

/// The bytes of a store until they are revoked: then they end too early, which breaks the answer off.
fn until(
    stream: impl Stream<Item = opsctl_store::Result<Bytes>> + Send + 'static,
    revoked: CancellationToken,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    stream.map_err(io::Error::other).take_until(Box::pin(async move { revoked.cancelled().await }))
}
