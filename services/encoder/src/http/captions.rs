//! `/media/<id>/captions/<language>`: captions that come beside an item.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, LOCATION};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use opsctl_auth::Action;
use opsctl_http::{ETag, Entity, HttpError};

use super::here::Asked;
use super::view::CaptionView;
use super::{Site, deliver};
use crate::captions::{LARGEST, Language, check};
use crate::clock::now;
use crate::delivery::media_type;
use crate::error::Error;
use crate::records::{Caption, Item};

/// `PUT`: the body is WebVTT.
pub(super) async fn put(State(site): State<Arc<Site>>, asked: Asked, body: Body) -> Result<Response, HttpError> {
    let (item, language) = of(&site, &asked, Action::Upload).await?;
    let bytes = read(&asked.headers, body).await?;
    let cues = check(&bytes).map_err(Error::from)?;
    site.ingest.admit(&item.account, Some(bytes.len() as u64)).await?;
    let key = crate::ingest::caption_key();
    site.records.reserve(std::slice::from_ref(&key)).await.map_err(Error::from)?;
    let stored = site.blobs.put_bytes(&key, bytes).await.map_err(Error::from)?;
    let caption = Caption {
        language: language.to_string(),
        key: key.clone(),
        bytes: stored.size,
        cues: u64::try_from(cues).unwrap_or(u64::MAX),
        changed: now(),
    };
    let Some(replaced) = site.records.put_caption(&item, &caption, &asked.by).await.map_err(Error::from)? else {
        site.records.leave(&key).await.map_err(Error::from)?;
        return Err(Error::NoItem.into());
    };
    site.shelf.changed(item.id).await;
    let status = if replaced { StatusCode::OK } else { StatusCode::CREATED };
    let mut response =
        (status, Json(CaptionView::new(&asked.address(), &item.account, &item.name, caption))).into_response();
    if let Ok(location) = HeaderValue::try_from(format!("{}/captions/{language}", asked.address())) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// `GET`: what was put, for those who may read the item.
pub(super) async fn get(State(site): State<Arc<Site>>, asked: Asked, method: Method) -> Result<Response, HttpError> {
    let (item, language) = of(&site, &asked, Action::Read).await?;
    let captions = site.records.captions(item.id).await.map_err(Error::from)?;
    let caption = captions.into_iter().find(|caption| caption.language == language.as_str()).ok_or_else(nothing)?;
    let entity = Entity::new(HeaderValue::from_static(media_type(".vtt")))
        .etag(ETag::of(caption.key.as_bytes()))
        .cache_control("private, no-cache");
    deliver::send(&site, &method, &asked.headers, entity, &caption.key, caption.bytes, None).await
}

/// `DELETE`.
pub(super) async fn delete(State(site): State<Arc<Site>>, asked: Asked) -> Result<Response, HttpError> {
    let (item, language) = of(&site, &asked, Action::Upload).await?;
    if !site.records.delete_caption(&item, language.as_str(), &asked.by).await.map_err(Error::from)? {
        return Err(nothing());
    }
    site.shelf.changed(item.id).await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn of(site: &Site, asked: &Asked, action: Action) -> Result<(Item, Language), HttpError> {
    let item = site.item(asked, action).await?;
    Ok((item, asked.language.parse().map_err(Error::Language)?))
}

fn nothing() -> HttpError {
    HttpError::not_found("there are no captions in this language").code("no-captions")
}

/// The whole body, which is refused before it comes if it is too large.
async fn read(headers: &HeaderMap, body: Body) -> Result<Bytes, HttpError> {
    let too_large = || Error::TooLarge { most: LARGEST as u64 };
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > LARGEST) {
        return Err(too_large().into());
    }
    match Limited::new(body, LARGEST).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large().into()),
        Err(error) => Err(HttpError::bad_request("the captions were cut off").caused_by(error)),
    }
}
