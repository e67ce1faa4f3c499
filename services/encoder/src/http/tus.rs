//! Uploads in pieces: tus 1.0.0 with all its extensions, below `/api/v1/tus`.
//!
//! `POST /tus` begins an upload, `PATCH /tus/<upload>` brings its next bytes, `HEAD` says how far it is, `DELETE` gives
//! it up. What has arrived when a connection breaks is kept. The last byte makes it an item, as `PUT` does.

mod checksum;
mod head;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, head as head_of, post};
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, LINK, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use http_body_util::BodyExt;
use opsctl_auth::{Action, Author};
use opsctl_http::{HttpDate, HttpError};

use self::checksum::{Sums, mismatch};
use self::head::{Begin, number};
use super::here::{Asked, expected};
use super::upload::named;
use super::{SERVICE, Site};
use crate::error::Error;
use crate::ingest::random;
use crate::name::ItemName;
use crate::records::{Concat, Expected, Room, Upload, UploadState};
use crate::uploads::{Appending, Held, seconds};

const VERSION: &str = "1.0.0";
const EXTENSIONS: &str = "creation,creation-with-upload,creation-defer-length,expiration,checksum,checksum-trailer,\
                          termination,concatenation";
const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const TUS_VERSION: HeaderName = HeaderName::from_static("tus-version");
const TUS_EXTENSION: HeaderName = HeaderName::from_static("tus-extension");
const TUS_MAX_SIZE: HeaderName = HeaderName::from_static("tus-max-size");
const TUS_CHECKSUMS: HeaderName = HeaderName::from_static("tus-checksum-algorithm");
const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
const DEFER: HeaderName = HeaderName::from_static("upload-defer-length");
const METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
const CONCAT: HeaderName = HeaderName::from_static("upload-concat");

/// The paths that each account has.
pub(super) fn paths() -> [(&'static str, MethodRouter<Arc<Site>>); 2] {
    let one = head_of(status).patch(append).delete(terminate).options(options);
    [("/tus", post(create).options(options)), ("/tus/{upload}", one)]
        .map(|(path, methods)| (path, methods.layer(middleware::from_fn(protocol))))
}

/// What holds for all of it: the version, in both directions.
async fn protocol(request: Request, next: Next) -> Response {
    if request.method() == Method::OPTIONS {
        return next.run(request).await;
    }
    let mut response = match request.headers().get(RESUMABLE).is_some_and(|version| version == VERSION) {
        true => next.run(request).await,
        false => HttpError::new(StatusCode::PRECONDITION_FAILED, "`Tus-Resumable: 1.0.0` is expected")
            .code("tus-version")
            .header(TUS_VERSION, HeaderValue::from_static(VERSION))
            .into_response(),
    };
    response.headers_mut().insert(RESUMABLE, HeaderValue::from_static(VERSION));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn options(State(site): State<Arc<Site>>) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(TUS_VERSION, HeaderValue::from_static(VERSION));
    headers.insert(TUS_EXTENSION, HeaderValue::from_static(EXTENSIONS));
    headers.insert(TUS_CHECKSUMS, HeaderValue::from_static(checksum::ALGORITHMS));
    headers.insert(TUS_MAX_SIZE, site.accounts.max_upload().into());
    response
}

/// `POST /tus`.
async fn create(State(site): State<Arc<Site>>, asked: Asked, body: Body) -> Result<Response, HttpError> {
    let account = &asked.here.account;
    may_somewhere(&site, &asked)?;
    let begin = Begin::read(&asked.headers)?;
    let id = random();
    let is_part = begin.concat == Concat::Partial;
    let (mut name, mut expected) = (String::new(), Expected::Anything);
    if !is_part {
        let wishes = &begin.metadata.wishes;
        let filename = wishes.filename.as_deref().unwrap_or_default();
        let made = named(begin.metadata.id.as_deref().unwrap_or_default(), filename, id.get(..8).unwrap_or_default())?;
        site.check(&asked.identity, Action::Upload, account, made.as_str())?;
        site.accounts.order(account, wishes)?;
        expected = wanted(&site, &asked, &made).await?;
        name = made.to_string();
    }
    let length = match &begin.concat {
        Concat::Final(parts) => Some(whole(&site, account, parts).await?),
        Concat::Whole | Concat::Partial => begin.length,
    };
    let most = site.accounts.max_upload();
    match length {
        Some(0) => return Err(Error::Empty.into()),
        Some(length) if length > most => return Err(Error::TooLarge { most }.into()),
        _ => {}
    }
    let upload = Upload {
        id,
        node: site.uploads.node().to_owned(),
        account: account.clone(),
        name,
        uploader: asked.by.actor().to_owned(),
        metadata: begin.text,
        expected,
        length,
        position: 0,
        concat: begin.concat,
        state: UploadState::Open,
        message: None,
        key: None,
        sha256: None,
        expires: site.uploads.expires(),
    };
    let quota = site.accounts.quota(account);
    let held = site.uploads.hold(&upload.id).ok_or(Error::Busy)?;
    fits(site.records.begin_upload(&upload, quota).await.map_err(Error::from)?, quota)?;
    let body = begin.has_body.then_some(body);
    let upload = first(&site, held, upload, body, &asked).await?;
    let mut response = answer(StatusCode::CREATED, &upload, &asked);
    let location = format!("{}/tus/{}", asked.here.top, upload.id);
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// What the request that begins an upload brings of it. If that fails there is none: its client does not know where it
/// is.
async fn first(
    site: &Arc<Site>,
    held: Held,
    upload: Upload,
    body: Option<Body>,
    asked: &Asked,
) -> Result<Upload, HttpError> {
    let (within, by) = (Arc::clone(site), asked.by.clone());
    let sums = Sums::read(&asked.headers)?;
    let limit = limit(site, &upload).await?;
    let task = async move {
        let received = match body {
            Some(body) => receive(&within, &held, &upload, body, sums, limit).await,
            None => Ok(()),
        };
        let ended = match received {
            Ok(()) => complete(&within, &upload.id, &held, &by).await,
            Err(error) => Err(error),
        };
        if ended.is_err() {
            within.uploads.remove(&upload, &held).await?;
        }
        ended
    };
    site.uploads.to_the_end(task).await?
}

/// What has to be there of an item for an upload to become it.
async fn wanted(site: &Site, asked: &Asked, name: &ItemName) -> Result<Expected, HttpError> {
    let there = site.records.item(&asked.here.account, name.as_str()).await.map_err(Error::from)?;
    expected(&asked.headers, there.as_ref())
}

/// Bytes of all parts of an upload that are there, whole, and of the same account.
async fn whole(site: &Site, account: &str, parts: &[String]) -> Result<u64, HttpError> {
    let mut bytes = 0_u64;
    for part in parts {
        let found = site.records.upload(part).await.map_err(Error::from)?;
        let found = found.filter(|upload| upload.account == *account && upload.concat == Concat::Partial);
        let found = found.ok_or(Error::NoUpload)?;
        if found.node != site.uploads.node() {
            return Err(Error::Elsewhere.into());
        }
        if !found.is_complete() {
            return Err(HttpError::new(StatusCode::CONFLICT, "a part is not complete").code("part-open"));
        }
        bytes = bytes.saturating_add(found.position);
    }
    Ok(bytes)
}

fn fits(room: Room, quota: Option<u64>) -> Result<(), Error> {
    match room {
        Room::Enough => Ok(()),
        Room::Left(left) => Err(Error::Quota { quota: quota.unwrap_or(0), left }),
        Room::TooMany => Err(Error::TooMany),
    }
}

/// Bytes that may still come.
async fn limit(site: &Site, upload: &Upload) -> Result<u64, Error> {
    match upload.length {
        Some(length) => Ok(length.saturating_sub(upload.position)),
        None => {
            let left = site.ingest.admit(&upload.account, None).await?;
            Ok(left.min(site.accounts.max_upload().saturating_sub(upload.position)))
        }
    }
}

fn may_somewhere(site: &Site, asked: &Asked) -> Result<(), HttpError> {
    match asked.identity.may_somewhere(Action::Upload, SERVICE, &asked.here.account) {
        true => Ok(()),
        false => site.check(&asked.identity, Action::Upload, &asked.here.account, ""),
    }
}

/// The upload of a request, if they may write it.
async fn found(site: &Site, asked: &Asked) -> Result<Upload, HttpError> {
    may_somewhere(site, asked)?;
    let upload = site.records.upload(&asked.upload).await.map_err(Error::from)?;
    let upload = upload.filter(|upload| upload.account == asked.here.account).ok_or(Error::NoUpload)?;
    if !upload.name.is_empty() {
        site.check(&asked.identity, Action::Upload, &upload.account, &upload.name)?;
    }
    match upload.node == site.uploads.node() {
        true => Ok(upload),
        false => Err(Error::Elsewhere.into()),
    }
}

/// An upload, after it has become an item if it could.
async fn complete(site: &Site, id: &str, held: &Held, by: &Author) -> Result<Upload, HttpError> {
    let upload = site.uploads.complete(id, held, Some(by)).await?.ok_or(Error::NoUpload)?;
    match upload.state {
        UploadState::Failed => Err(HttpError::new(StatusCode::GONE, upload.message.unwrap_or_default()).code("failed")),
        UploadState::Open | UploadState::Done => Ok(upload),
    }
}

/// `HEAD /tus/<upload>`: how far it is. Whoever still sends it is cut off: a client that asks does not any more.
async fn status(State(site): State<Arc<Site>>, asked: Asked) -> Result<Response, HttpError> {
    let upload = found(&site, &asked).await?;
    let held = site.uploads.take(&upload.id).await.ok_or(Error::Busy)?;
    let (within, by) = (Arc::clone(&site), asked.by.clone());
    let task = async move { complete(&within, &upload.id, &held, &by).await };
    let upload = site.uploads.to_the_end(task).await??;
    let mut response = answer(StatusCode::OK, &upload, &asked);
    let headers = response.headers_mut();
    match upload.length {
        Some(length) => headers.insert(LENGTH, length.into()),
        None => headers.insert(DEFER, HeaderValue::from_static("1")),
    };
    if let Ok(metadata) = HeaderValue::try_from(&upload.metadata)
        && !upload.metadata.is_empty()
    {
        headers.insert(METADATA, metadata);
    }
    if let Some(concat) = head::concat(&upload.concat, &asked.here.top) {
        headers.insert(CONCAT, concat);
    }
    Ok(response)
}

/// `PATCH /tus/<upload>`: the bytes from `Upload-Offset` on.
async fn append(State(site): State<Arc<Site>>, asked: Asked, body: Body) -> Result<Response, HttpError> {
    let there = found(&site, &asked).await?;
    head::is_piece(&asked.headers)?;
    let offset = number(&asked.headers, &OFFSET)?;
    let offset = offset.ok_or_else(|| HttpError::bad_request("`Upload-Offset` is missing").code("no-offset"))?;
    let sums = Sums::read(&asked.headers)?;
    if matches!(there.concat, Concat::Final(_)) {
        return Err(HttpError::forbidden("an upload that is put together from parts takes nothing else").code("final"));
    }
    let held = site.uploads.hold(&there.id).ok_or(Error::Busy)?;
    let (within, by, headers) = (Arc::clone(&site), asked.by.clone(), asked.headers.clone());
    let task = async move {
        let upload = complete(&within, &there.id, &held, &by).await?;
        if upload.position != offset {
            let message = format!("the upload is at byte {}", upload.position);
            return Err(HttpError::new(StatusCode::CONFLICT, message)
                .code("offset")
                .header(OFFSET, upload.position.into()));
        }
        let upload = lengthened(&within, upload, &headers).await?;
        let limit = limit(&within, &upload).await?;
        if number(&headers, &CONTENT_LENGTH)?.is_some_and(|length| length > limit) {
            return Err(Error::TooLarge { most: limit }.into());
        }
        if upload.state == UploadState::Open {
            receive(&within, &held, &upload, body, sums, limit).await?;
        }
        complete(&within, &upload.id, &held, &by).await
    };
    let upload = site.uploads.to_the_end(task).await??;
    Ok(answer(StatusCode::NO_CONTENT, &upload, &asked))
}

/// With the length that a request says now.
async fn lengthened(site: &Site, upload: Upload, headers: &HeaderMap) -> Result<Upload, HttpError> {
    let Some(length) = number(headers, &LENGTH)? else { return Ok(upload) };
    let most = site.accounts.max_upload();
    match upload.length {
        Some(known) if known != length => Err(HttpError::bad_request("the length of an upload cannot change")),
        Some(_) => Ok(upload),
        None if length > most => Err(Error::TooLarge { most }.into()),
        None if length < upload.position || length == 0 => Err(HttpError::bad_request("there is more of it already")),
        None => {
            let quota = site.accounts.quota(&upload.account);
            fits(site.records.set_length(&upload, length, quota).await.map_err(Error::from)?, quota)?;
            Ok(Upload { length: Some(length), ..upload })
        }
    }
}

/// Why a body ended.
enum End {
    Whole,
    /// The client is gone.
    Cut(axum::Error),
    /// Somebody asks for the upload.
    Asked,
    TooLong,
}

/// Takes the bytes of a body in: what arrives of it is kept, unless a checksum says what all of it has to be.
async fn receive(
    site: &Site,
    held: &Held,
    upload: &Upload,
    mut body: Body,
    mut sums: Sums,
    limit: u64,
) -> Result<(), HttpError> {
    let mut appending = Appending::begin(Arc::clone(&site.uploads), upload.clone(), !sums.are_wanted()).await?;
    let mut received = 0_u64;
    let end = loop {
        let frame = tokio::select! {
            frame = body.frame() => frame,
            () = held.asked.cancelled() => break End::Asked,
        };
        match frame {
            None => break End::Whole,
            Some(Err(error)) => break End::Cut(error),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(piece) => {
                    received += piece.len() as u64;
                    if received > limit {
                        break End::TooLong;
                    }
                    sums.update(&piece);
                    if !appending.write(piece).await {
                        break End::Whole;
                    }
                }
                Err(frame) => sums.trailers(frame.trailers_ref())?,
            },
        }
    };
    let matches = matches!(end, End::Whole) && sums.match_all();
    let good = if sums.are_wanted() { matches } else { !matches!(end, End::TooLong) };
    appending.end(good, held).await?;
    match end {
        End::Whole if sums.are_wanted() && !matches => Err(mismatch()),
        End::Whole => Ok(()),
        End::Cut(error) => Err(HttpError::bad_request("the upload was cut off").code("cut").caused_by(error)),
        End::Asked => Err(Error::Busy.into()),
        End::TooLong => Err(Error::TooLarge { most: limit }.into()),
    }
}

/// `DELETE /tus/<upload>`: what has become an item stays.
async fn terminate(State(site): State<Arc<Site>>, asked: Asked) -> Result<Response, HttpError> {
    let upload = found(&site, &asked).await?;
    let held = site.uploads.take(&upload.id).await.ok_or(Error::Busy)?;
    let upload = site.records.upload(&upload.id).await.map_err(Error::from)?.ok_or(Error::NoUpload)?;
    site.uploads.remove(&upload, &held).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// What every answer about an upload says.
fn answer(status: StatusCode, upload: &Upload, asked: &Asked) -> Response {
    let mut response = status.into_response();
    let headers = response.headers_mut();
    headers.insert(OFFSET, upload.position.into());
    headers.insert(EXPIRES, HttpDate::from_seconds(seconds(upload.expires)).to_header());
    if !upload.name.is_empty()
        && let Ok(item) = HeaderValue::try_from(format!("<{}/media/{}>; rel=\"item\"", asked.here.top, upload.name))
    {
        headers.insert(LINK, item);
    }
    response
}
