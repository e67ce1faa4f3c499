//! How the API reads and answers: JSON for programs, a page of the same for browsers, tags.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, IF_MATCH, LINK, VARY};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use opsctl_auth::Identity;
use opsctl_http::{Condition, ETag, HttpError, Validators, lists_xhtml};
use opsctl_web::{Paging, Visit};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::changes::{By, Error};
use crate::http::Site;

/// The template of what browsers are shown.
pub(in crate::http) const PAGE: &str = "index/api.html";

/// Who asks, and how it is answered.
pub(super) struct Ask {
    pub(super) identity: Identity,
    pub(super) by: By,
    pub(super) visit: Visit,
    headers: HeaderMap,
    method: Method,
}

impl<S: Sync> FromRequestParts<S> for Ask {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Ask, HttpError> {
        let identity = Identity::from_request_parts(parts, state).await?;
        let by = By::from_request_parts(parts, state).await?;
        let Ok(visit) = Visit::from_request_parts(parts, state).await;
        Ok(Ask { identity, by, visit, headers: parts.headers.clone(), method: parts.method.clone() })
    }
}

#[derive(Serialize)]
struct Shown {
    path: String,
    text: String,
}

impl Ask {
    /// The answer.
    pub(super) fn answer(&self, site: &Site, value: &impl Serialize) -> Result<Response, HttpError> {
        let mut response = match lists_xhtml(&self.headers) {
            true => {
                let text = serde_json::to_string_pretty(value).map_err(HttpError::internal)?;
                let shown = Shown { path: self.visit.path().to_owned(), text };
                site.pages.show(&self.visit, PAGE, shown)?.respond(&self.headers)
            }
            false => Json(value).into_response(),
        };
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        headers.insert(VARY, HeaderValue::from_static("accept, authorization, cookie"));
        Ok(response)
    }

    /// The answer, with the tag of what it shows: the number of its last change.
    pub(super) fn tagged(&self, site: &Site, value: &impl Serialize, serial: i64) -> Result<Response, HttpError> {
        let etag = ETag::strong(&serial.to_string());
        let validators = Validators { etag: etag.clone(), modified: None };
        let mut response = match Condition::of(&self.method, &self.headers, Some(&validators)) {
            Condition::NotModified => StatusCode::NOT_MODIFIED.into_response(),
            _ => self.answer(site, value)?,
        };
        response.headers_mut().extend(etag.map(|etag| (ETAG, etag.to_header())));
        Ok(response)
    }

    /// A page of many rows.
    pub(super) fn page(&self, site: &Site, value: &impl Serialize, next: Option<&str>) -> Result<Response, HttpError> {
        let mut response = self.answer(site, value)?;
        let link = Paging::after(&self.visit, next).link_header();
        response.headers_mut().extend(link.map(|line| (LINK, line)));
        Ok(response)
    }

    /// Who changes something that they have seen: what `If-Match` names, if it is there. `*` is anything that exists.
    ///
    /// # Errors
    /// 412: a tag that is none of ours can be no present one.
    pub(super) fn guarded(&self) -> Result<By, HttpError> {
        let mut by = self.by.clone();
        let Some(line) = self.headers.get(IF_MATCH) else { return Ok(by) };
        let text = line.to_str().unwrap_or_default().trim();
        if text != "*" {
            let serial = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
            by.seen = Some(serial.and_then(|serial| serial.parse().ok()).ok_or(Error::Stale)?);
        }
        Ok(by)
    }
}

/// 204.
pub(super) fn nothing() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// A body of JSON.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = HttpError;

    async fn from_request(request: Request, state: &S) -> Result<Body<T>, HttpError> {
        let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if kind.split(';').next().is_none_or(|kind| !kind.trim().eq_ignore_ascii_case("application/json")) {
            return Err(HttpError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body must be `application/json`"));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| {
            HttpError::new(rejection.status(), "the body is too large, or did not come to its end").caused_by(rejection)
        })?;
        let read = serde_json::from_slice(&bytes);
        read.map(Body).map_err(|error| HttpError::new(StatusCode::UNPROCESSABLE_ENTITY, format!("the body: {error}")))
    }
}
